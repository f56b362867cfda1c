//! `squall sweep`: many seeds, whatever happens to them.

use super::harness::{BREAKS, HOLDS, LONG, Said, file, folder, objects, path, program, squall};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

/// A scenario that breaks in some seeds, and expects to.
const SOMETIMES: &str = r#"(
    squall: 1,
    system: Raft(nodes: 3),
    exhibits: ["vote-without-log-check"],
    workload: (clients: 3, rate: "20/s", until: "2s"),
    faults: [
        (every: "700ms", jitter: "50%", lasts: "400ms", inject: Partition(shape: Isolate(One))),
        (every: "500ms", jitter: "50%", inject: Kill(target: Leader, restart_after: ("100ms", "300ms"))),
    ],
    expect: Breaks(["raft.leader-completeness"]),
)"#;

/// A new folder for results, which is not there yet.
fn out(name: &str) -> String {
    path(&folder(&format!("sweep-out-{name}"), &[]).join("out"))
}

/// Everything in a folder: its path in it, and its text.
pub(crate) fn contents(folder: &Path) -> Vec<(PathBuf, String)> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).expect("text");
                files.push((path.strip_prefix(folder).expect("within").to_owned(), text));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn the_object_of_a_sweep_has_the_promised_fields_in_their_order() {
    let words =
        ["sweep", &file("sweep-json", SOMETIMES), "--seeds", "0..40", "--format", "json", "--out", &out("json")];
    let said = squall(&words);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let fields = "format kind scenario from to ran passed failed inconclusive expected groups signature invariant count \
        first_seed seeds median_step goals steps virtual_ns wall_s complete";
    let mut from = 0;
    for field in fields.split_whitespace() {
        let name = format!("\"{field}\":");
        from += said.out[from..].find(&name).unwrap_or_else(|| panic!("{field} is missing or late in {}", said.out));
    }
    let [object] = &objects(&said.out)[..] else { panic!("one line: {}", said.out) };
    let number = |field: &str| object[field].as_u64().unwrap_or_else(|| panic!("{field} is a number"));
    assert_eq!((number("from"), number("to"), number("ran")), (0, 40, 40));
    assert_eq!(number("passed") + number("failed"), 40);
    assert!(number("failed") > 0 && number("passed") > 0, "{object}");
    let counts =
        object["groups"].as_array().expect("groups").iter().map(|group| group["count"].as_u64().expect("a count"));
    assert_eq!(counts.sum::<u64>(), number("failed"));
    assert_eq!((object["expected"].as_bool(), object["complete"].as_bool()), (Some(true), Some(true)));
}

#[test]
fn the_results_are_the_same_with_any_number_of_threads() {
    let file = file("sweep-jobs", SOMETIMES);
    let [one, four] = [("1", out("jobs-1")), ("4", out("jobs-4"))].map(|(jobs, out)| {
        let said = squall(&["sweep", &file, "--count", "60", "-j", jobs, "--out", &out, "-q"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        contents(Path::new(&out))
    });
    assert!(one.iter().any(|(path, _)| path.to_string_lossy().ends_with(".capsule.ron")), "{one:?}");
    assert_eq!(one, four);
}

/// Waits until the journal in a folder has something in it.
fn begun(child: &mut Child, folder: &str) -> PathBuf {
    let journal = Path::new(folder).join("journal.jsonl");
    while fs::metadata(&journal).map_or(0, |journal| journal.len()) == 0 {
        assert_eq!(child.try_wait().expect("a child"), None, "it was over too soon");
        std::thread::sleep(Duration::from_millis(1));
    }
    journal
}

#[test]
fn a_sweep_that_was_killed_goes_on_to_the_same_results() {
    let file = file("sweep-killed", &SOMETIMES.replace("2s", "20s"));
    let (whole, killed) = (out("whole"), out("killed"));
    assert_eq!(squall(&["sweep", &file, "--count", "80", "--out", &whole, "-q"]).code, Some(0));
    let mut child = program()
        .args(["sweep", &file, "--count", "80", "--out", &killed, "-q", "-j", "1"])
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    let journal = begun(&mut child, &killed);
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    // As if it had died in the middle of a line.
    let mut text = fs::read_to_string(&journal).expect("a journal");
    let lines = text.lines().count();
    assert!(lines < 80, "it was over too soon");
    text += "{\"seed\":9999,\"verd";
    fs::write(&journal, text).expect("a file");
    let again = squall(&["sweep", &file, "--count", "80", "--out", &killed, "--resume", "-q"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert_eq!(contents(Path::new(&whole)), contents(Path::new(&killed)));
}

#[test]
fn a_folder_is_not_used_twice_nor_gone_on_with_by_another_sweep() {
    let (file, out) = (file("sweep-twice", HOLDS), out("twice"));
    assert_eq!(squall(&["sweep", &file, "--count", "5", "--out", &out]).code, Some(0));
    let refused = |words: &[&str], says: &str| {
        let said = squall(&[&["sweep", &file, "--out", &out], words].concat());
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(says), "{says} is not in {}", said.err);
    };
    refused(&["--count", "5"], "go on with --resume");
    refused(&["--count", "6", "--resume"], "the range of seeds was 0..5");
    refused(&["--count", "5", "--resume", "--set", "network.loss=1%"], "the fingerprint of the scenario was");
    fs::write(Path::new(&out).join("manifest.ron"), "(squall: 1, scenaro: \"x\")").expect("a file");
    refused(&["--count", "5", "--resume"], "manifest.ron:1:13: unknown field `scenaro`");
}

#[test]
#[cfg(unix)]
fn a_signal_ends_it_with_all_reports_and_says_how_to_go_on() {
    let (file, out) = (file("sweep-signal", &SOMETIMES.replace("2s", "20s")), out("signal"));
    let mut child = program()
        .args(["sweep", &file, "--seeds", "0..100000", "--out", &out])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    begun(&mut child, &out);
    let number = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &number]).status().expect("kill").success());
    let said: Said = child.wait_with_output().expect("it ends").into();
    assert_eq!(said.code, Some(143), "{said:?}");
    assert!(said.err.contains("terminated after "), "{}", said.err);
    assert!(said.err.contains("--out") && said.err.contains("--resume"), "{}", said.err);
    let summary = fs::read_to_string(Path::new(&out).join("summary.json")).expect("a summary");
    assert!(summary.contains("\"complete\":false"), "{summary}");
}

#[test]
fn an_endless_run_costs_one_seed() {
    let words =
        ["sweep", &file("sweep-endless", LONG), "--count", "2", "--run-timeout", "200ms", "--out", &out("endless")];
    let said = squall(&words);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.out.contains("it took longer than 200ms"), "{}", said.out);
    // To play it alone would take as long: it is given up again.
    let again = said.out.lines().find_map(|line| line.trim().strip_prefix("squall ")).expect("a command");
    assert!(again.starts_with("sweep ") && again.ends_with(" --seeds 0..1 --run-timeout 200ms"), "{again}");
}

#[test]
fn a_run_that_ends_too_late_is_given_up_however_short_the_time() {
    let words = ["sweep", &file("sweep-late", HOLDS), "--count", "3", "--run-timeout", "1ns", "--out", &out("late")];
    let said = squall(&words);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.out.contains("0 failed, 3 without a verdict"), "{}", said.out);
}

#[test]
fn the_last_screen_tells_the_first_of_each_kind_of_failure() {
    let file = file("sweep-screen", BREAKS);
    let words = ["sweep", &file, "--count", "20", "--set", "expect=Holds", "--out", &out("screen")];
    let said = squall(&words);
    assert_eq!(said.code, Some(100), "{said:?}");
    let run = said.out.lines().find_map(|line| line.trim().strip_prefix("squall run ")).expect("a command");
    let verbs = said.out.lines().filter_map(|line| line.trim().strip_prefix("squall ")?.split(' ').next());
    assert_eq!(verbs.take(3).collect::<Vec<_>>(), ["explain", "shrink", "run"], "{}", said.out);
    let words: Vec<&str> = std::iter::once("run").chain(run.split(' ')).collect();
    let alone = squall(&words);
    // What the run alone says of it the sweep has said: the promise, the facts, when, the faults before it, the digest.
    let told = alone.out.lines().map(str::trim).skip_while(|line| !line.starts_with("──")).skip(1);
    let told: Vec<&str> =
        told.take_while(|line| !line.starts_with("1 scenario")).filter(|line| !line.is_empty()).collect();
    let promise = told[0].split_once(" is broken: ").expect("the promise").1;
    let others = &told[1..];
    assert!(others.len() > 3 && others.iter().any(|line| line.starts_with("digest")), "{told:?}");
    for line in std::iter::once(&promise).chain(others) {
        assert!(said.out.contains(line), "{line} is not in\n{}", said.out);
    }
}

#[test]
fn where_nothing_broke_it_says_what_should_have() {
    let expect = "expect=Breaks([\"raft.log-matching\"])";
    let words = ["sweep", &file("sweep-calm", HOLDS), "--count", "2", "--set", expect, "--out", &out("calm")];
    let said = squall(&words);
    assert_eq!(said.code, Some(100), "{said:?}");
    assert!(said.out.contains("expected to break: raft.log-matching"), "{}", said.out);
    assert!(said.out.contains("squall run "), "{}", said.out);
}

#[test]
fn it_ends_after_as_many_failures_as_were_asked_for_or_when_the_time_is_over() {
    let file = file("sweep-ends", BREAKS);
    let ran = |words: &[&str], name: &str| {
        let said = squall(&[&["sweep", &file, "--format", "json", "--out", &out(name)], words].concat());
        assert_eq!(said.code, Some(0), "{said:?}");
        let object = objects(&said.out).remove(0);
        (object["ran"].as_u64().expect("ran"), object["failed"].as_u64().expect("failed"), object["complete"].clone())
    };
    let (ran_once, failed, complete) = ran(&["--count", "1000", "--max-fail", "2"], "max-fail");
    assert_eq!((failed, complete.as_bool()), (2, Some(false)));
    assert!(ran_once < 1_000);
    let (ran_long, _, complete) = ran(&["--time", "300ms"], "time");
    assert!(ran_long > 0 && complete.as_bool() == Some(true));
    let (quiet, ..) = ran(&["--until-saturated", "20"], "saturated");
    assert!(quiet >= 20);
}

#[test]
fn goals_that_a_scenario_names_must_be_reached() {
    let text = HOLDS.replace("workload", "goals: [\"raft.leader-elected\", \"raft.leader-crashed\"], workload");
    let words = ["sweep", &file("sweep-goals", &text), "--count", "3", "--out"];
    let said = squall(&[&words[..], &[&out("goals-warned")]].concat());
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.err.contains("no seed has reached raft.leader-crashed\n"), "{}", said.err);
    assert_eq!(squall(&[&words[..], &[&out("goals-required"), "--require-goals"]].concat()).code, Some(100));
}

#[test]
fn what_failed_once_can_be_kept_and_is_played_first() {
    let fails = SOMETIMES.replace("expect: Breaks([\"raft.leader-completeness\"])", "expect: Holds");
    let folder = folder("sweep-kept", &[("it.ron", &fails)]);
    let file = path(&folder.join("it.ron"));
    let sweep = |words: &[&str], name: &str| squall(&[&["sweep", &file, "--out", &out(name)], words].concat());
    let first = sweep(&["--count", "40", "--keep"], "kept-1");
    assert_eq!(first.code, Some(100), "{first:?}");
    assert!(first.err.contains("to be played first from now on"), "{}", first.err);
    assert_eq!(fs::read_dir(folder.join("it.capsules")).expect("a folder").count(), 1);
    // A seed that does not fail by itself: only what was kept does.
    let passing = (0..40).find(|seed| squall(&["run", &file, "--seed", &seed.to_string()]).code == Some(0));
    let passing = passing.expect("some seed holds");
    let seeds = format!("{passing}..{}", passing + 1);
    let second = sweep(&["--seeds", &seeds], "kept-2");
    assert_eq!(second.code, Some(100), "{second:?}");
    assert!(second.out.contains("raft.leader-completeness breaks, as when it was stored"), "{}", second.out);
    // Also where this is not all of the sweep.
    let holds = ["--set", "expect=Holds", "--seeds", &seeds, "--shard", "1/1"];
    let shard = sweep(&holds, "kept-shard");
    assert_eq!(shard.code, Some(100), "{shard:?}");
    // Mended, it holds, and stays where it is.
    let capsule =
        fs::read_dir(folder.join("it.capsules")).expect("a folder").next().expect("a file").expect("an entry");
    let mended = fs::read_to_string(capsule.path()).expect("text").replace("\"vote-without-log-check\",", "");
    fs::write(capsule.path(), mended).expect("a file");
    let third = sweep(&["--seeds", &seeds, "-v"], "kept-3");
    assert_eq!(third.code, Some(0), "{third:?}");
    assert!(third.out.contains("raft.leader-completeness holds now"), "{}", third.out);
    fs::write(capsule.path(), "(squall: 1, oops").expect("a file");
    let fourth = sweep(&["--seeds", &seeds], "kept-4");
    assert_eq!(fourth.code, Some(0), "{fourth:?}");
    assert!(fourth.err.contains("is never closed") && fourth.out.contains("stale: "), "{fourth:?}");
}

#[test]
fn wrong_words_are_refused_with_a_cure() {
    let file = file("sweep-wrong", HOLDS);
    for (words, says) in [
        (&["--seeds", "9..3"][..], "there is no seed from 9"),
        (&["--seeds", "0..5", "--count", "3"], "cannot be used with"),
        (&["--from", "18446744073709551610", "--count", "9"], "would go beyond the largest"),
        (&["--from", "18446744073709551615"], "squall run --seed 18446744073709551615"),
        (&["--time", "soon"], "write for example 90s or 10m"),
        (&["--shard", "4/3"], "--shard"),
        (&["--shard", "1/2", "--time", "1s"], "say which seeds"),
        (&["-j", "0"], "--jobs"),
        (&["--max-fail", "0"], "--max-fail"),
    ] {
        let said = squall(&[&["sweep", &file, "--out", &out("wrong")], words].concat());
        assert_eq!(said.code, Some(2), "{words:?}: {said:?}");
        assert!(said.err.contains(says), "{says} is not in {}", said.err);
    }
    let unwritable = squall(&["sweep", &file, "--out", "/proc/nowhere/at/all"]);
    assert_eq!(unwritable.code, Some(1), "{unwritable:?}");
    assert!(unwritable.err.contains("/proc/nowhere/at/all"), "{}", unwritable.err);
}

#[test]
fn a_flag_wins_over_variables_also_those_that_contradict_it() {
    let file = file("sweep-variables", HOLDS);
    let ran = |variables: &[(&str, &str)], words: &[&str], name: &str| -> (Option<u64>, Said) {
        let out = out(name);
        let all = [&["sweep", &file, "--out", &out], words].concat();
        let said: Said = program().args(all).envs(variables.iter().copied()).output().expect("it starts").into();
        let summary = fs::read_to_string(Path::new(&out).join("summary.json")).ok();
        (summary.and_then(|summary| objects(&summary)[0]["ran"].as_u64()), said)
    };
    assert_eq!(ran(&[("SQUALL_SEEDS", "0..9")], &["--count", "2"], "variables-1").0, Some(2));
    assert_eq!(ran(&[("SQUALL_COUNT", "9"), ("SQUALL_FROM", "7")], &["--seeds", "0..3"], "variables-2").0, Some(3));
    assert_eq!(ran(&[("SQUALL_SEEDS", "0..4")], &[], "variables-3").0, Some(4));
    let (_, both) = ran(&[("SQUALL_SEEDS", "0..4"), ("SQUALL_COUNT", "2")], &[], "variables-4");
    assert_eq!(both.code, Some(2), "{both:?}");
    let (_, loud) = ran(&[("SQUALL_QUIET", "1")], &["-v", "--count", "2"], "variables-5");
    assert!(loud.out.contains("states"), "{loud:?}");
    let (_, quiet) = ran(&[("SQUALL_VERBOSE", "1")], &["-q", "--count", "2"], "variables-6");
    assert_eq!(quiet.out, "");
    let (_, last) = ran(&[], &["-v", "-q", "--count", "2"], "variables-7");
    assert_eq!(last.out, "");
}

#[test]
fn a_journal_of_nobody_knows_what_is_not_gone_on_with() {
    let (file, out) = (file("sweep-orphan", SOMETIMES), out("orphan"));
    assert_eq!(squall(&["sweep", &file, "--seeds", "0..40", "--out", &out]).code, Some(0));
    fs::remove_file(Path::new(&out).join("manifest.ron")).expect("it was there");
    for words in [&[][..], &["--resume"]] {
        let said = squall(&[&["sweep", &file, "--seeds", "0..90", "--out", &out], words].concat());
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains("a journal without the manifest.ron"), "{}", said.err);
    }
}

#[test]
fn scenarios_of_one_name_are_refused_before_any_is_played() {
    let root = folder("sweep-names", &[]);
    for folder in ["one/raft", "two/raft"] {
        fs::create_dir_all(root.join(folder)).expect("a folder");
        fs::write(root.join(folder).join("it.ron"), HOLDS).expect("a file");
    }
    let said = squall(&["sweep", &path(&root), "--seeds", "0..3", "--out", &out("names")]);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{said:?}");
    assert!(said.err.contains("are both named raft/it"), "{}", said.err);
    assert!(said.err.contains("one/raft/it.ron") && said.err.contains("two/raft/it.ron"), "{}", said.err);
}

#[test]
fn where_no_seed_was_played_nothing_has_held() {
    let said = squall(&["sweep", &file("sweep-nothing", HOLDS), "--count", "0", "--out", &out("nothing")]);
    assert_eq!(said.code, Some(4), "{said:?}");
    assert!(said.out.contains("no seed was played") && said.out.contains("1 scenario: 1 not played"), "{}", said.out);
    assert!(!said.out.contains("held") && !said.out.contains("ok"), "{}", said.out);
}

#[test]
#[cfg(unix)]
fn what_is_no_file_is_written_to_and_not_replaced() {
    let device = folder("sweep-device", &[]).join("junit.xml");
    std::os::unix::fs::symlink("/dev/null", &device).expect("a link");
    let words = ["sweep", &file("sweep-to-device", HOLDS), "--count", "2", "--out", &out("device"), "--junit"];
    assert_eq!(squall(&[&words[..], &[&path(&device)]].concat()).code, Some(0));
    assert!(fs::symlink_metadata(&device).expect("it is there").is_symlink());
}

#[test]
#[cfg(unix)]
fn a_signal_that_comes_twice_at_once_is_one() {
    let out = out("twice");
    let words = ["sweep", &file("sweep-twice", HOLDS), "--seeds", "0..1000000", "--out", &out];
    let child = program().args(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    while fs::metadata(Path::new(&out).join("journal.jsonl")).map_or(0, |journal| journal.len()) == 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    // As timeout(1) does: to the program, and to its group.
    let id = child.id();
    std::process::Command::new("sh").args(["-c", &format!("kill -TERM {id}; kill -TERM {id}")]).status().expect("sh");
    let said: Said = child.wait_with_output().expect("it ends").into();
    assert_eq!(said.code, Some(143), "{said:?}");
    assert!(said.err.contains("terminated after") && said.err.contains("--resume"), "{}", said.err);
    assert!(Path::new(&out).join("summary.json").exists());
}
