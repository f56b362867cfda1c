//! `squall shrink`: what it writes, says, and refuses.

use super::harness::{BREAKS, HOLDS, Said, file, folder, objects, path, program, squall};
use std::path::Path;
use std::process::Stdio;

/// Shrinks [`BREAKS`] into this folder.
fn shrunk(name: &str, words: &[&str]) -> (Said, String) {
    let scenario = file(name, BREAKS);
    let out = path(&Path::new(&scenario).with_file_name("small.ron"));
    let mut all = vec!["shrink", scenario.as_str(), "--out", out.as_str(), "--budget", "3000"];
    all.extend(words);
    (squall(&all), out)
}

#[test]
fn a_failing_seed_becomes_a_small_scenario_that_breaks_the_same_and_says_how() {
    let (said, out) = shrunk("shrink", &["--verify"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("before") && said.out.contains("after") && said.out.contains("verified"), "{}", said.out);
    // The last line is the command that shows it.
    let command = said.out.lines().last().expect("a command");
    assert!(command.starts_with("squall run ") && command.contains("small.ron"), "{command}");
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    let run = squall(&words);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.out.contains("broke as expected"), "{}", run.out);
    assert_eq!(squall(&["check", &out]).code, Some(0));
    let text = std::fs::read_to_string(&out).expect("it was written");
    assert!(text.contains("// What happens:") && text.contains(&format!("// To see it: {command}")), "{text}");
    assert!(text.contains("expect: Breaks([\"raft."), "{text}");
    let capsule = out.replace("small.ron", "small.capsule.ron");
    assert_eq!(squall(&["replay", &capsule]).code, Some(0));
}

#[test]
fn the_same_budget_gives_the_same_bytes_with_any_number_of_threads() {
    let texts = ["1", "2"].map(|jobs| {
        let (said, out) = shrunk("shrink-jobs", &["-j", jobs, "-q"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        let read = |file: &str| std::fs::read_to_string(file).expect("it was written");
        (said.out, read(&out), read(&out.replace("small.ron", "small.capsule.ron")))
    });
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn a_capsule_is_shrunk_beside_itself_and_the_result_again_to_itself() {
    let (_, out) = shrunk("shrink-capsule", &["-q"]);
    let capsule = out.replace("small.ron", "small.capsule.ron");
    let said = squall(&["shrink", &capsule, "--format", "json", "--budget", "3000"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let object = objects(&said.out).remove(0);
    assert_eq!(object["format"], "squall/1");
    assert_eq!(object["kind"], "shrink");
    assert_eq!(object["after"]["faults"], 0);
    assert!(object["after"]["events"].as_u64() <= object["before"]["events"].as_u64());
    assert_eq!(object["file"], out.replace("small.ron", "small.min.ron"));
    assert!(Path::new(object["capsule"].as_str().expect("a path")).exists());
}

#[test]
fn a_seed_that_breaks_nothing_is_refused_with_a_cure() {
    let scenario = file("shrink-holds", HOLDS);
    let said = squall(&["shrink", &scenario, "--seed", "7"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("breaks nothing with seed 7") && said.err.contains("squall sweep"), "{}", said.err);
    assert_eq!(said.out, "");
}

#[test]
fn a_run_without_a_verdict_is_inconclusive() {
    let scenario = file("shrink-limit", &HOLDS.replace("workload", "limits: (steps: 10), workload"));
    let said = squall(&["shrink", &scenario]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("the limit of 10 steps is spent"), "{}", said.err);
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    let (_, out) = shrunk("shrink-bad", &["-q"]);
    let capsule = out.replace("small.ron", "small.capsule.ron");
    let text = std::fs::read_to_string(&capsule).expect("it was written");
    let wrong = |old: &str, new: &str| {
        assert!(text.contains(old), "{text}");
        std::fs::write(&capsule, text.replacen(old, new, 1)).expect("it can be written");
        squall(&["shrink", &capsule])
    };
    let unknown = wrong("exhibits: [", "exhibits: [\"nonsense\", ");
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.err.contains("there is no exhibit \"nonsense\""), "{}", unknown.err);
    let other = wrong(
        "invariant: \"raft.",
        "invariant: \"raft.log-matching\", message: \"\", at: \"1s\", step: 1, during: \"\"), broke2: (invariant: \"",
    );
    assert_eq!(other.code, Some(2), "{other:?}");
    let seeded = squall(&["shrink", &capsule, "--seed", "3"]);
    assert_eq!(seeded.code, Some(2));
    assert!(seeded.err.contains("remove --seed"), "{}", seeded.err);
    assert_eq!(squall(&["shrink", "no-such-file.ron"]).code, Some(2));
}

#[test]
fn a_place_where_nothing_can_be_written_is_told_before_the_work() {
    let folder = folder("shrink-nowhere", &[("it.ron", BREAKS), ("file", "")]);
    let out = path(&folder.join("file/deep/small.ron"));
    let said = squall(&["shrink", &path(&folder.join("it.ron")), "--out", &out]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("file/deep"), "{}", said.err);
    let said = squall(&["shrink", &path(&folder.join("it.ron")), "--out", "small.capsule.ron"]);
    assert_eq!(said.code, Some(2), "{said:?}");
}

/// Interrupted, it writes the best so far.
#[test]
#[cfg(unix)]
fn an_interruption_keeps_the_best_so_far() {
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/museum/ack-own-last-index.ron");
    let out = path(&folder("shrink-interrupted", &[]).join("small.ron"));
    let child = program()
        .args(["shrink", scenario, "--out", &out, "-j", "1", "--time", "10m"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    // It is in the midst of it: to the end it would take seconds.
    std::thread::sleep(std::time::Duration::from_millis(400));
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    let said: Said = child.wait_with_output().expect("it ends").into();
    assert!(killed.success());
    assert_eq!(said.code, Some(130), "{said:?}");
    assert!(said.out.contains("interrupted: the best so far"), "{}", said.out);
    assert!(Path::new(&out).exists());
}

#[test]
fn what_is_no_scenario_is_not_overwritten_nor_is_what_is_shrunk() {
    let scenario = file("shrink-over", BREAKS);
    let notes = path(&Path::new(&scenario).with_file_name("notes.txt"));
    std::fs::write(&notes, "keep me").expect("a file");
    for (out, part) in [(&notes, "is no scenario"), (&scenario, "is what is to be shrunk")] {
        let said = squall(&["shrink", &scenario, "--out", out, "--budget", "50"]);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(part), "{}", said.err);
    }
    assert_eq!(std::fs::read_to_string(&notes).expect("it is there"), "keep me");
    assert_eq!(std::fs::read_to_string(&scenario).expect("it is there"), BREAKS);
}
