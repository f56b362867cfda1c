//! `squall run` and what it says of runs.

use super::harness::{BREAKS, HOLDS, file, folder, objects, path, squall};

fn fails() -> String {
    let (before, _) = BREAKS.split_once("expect").expect("an expectation");
    format!("{before} expect: Holds)")
}

#[test]
fn what_was_expected_is_a_success_also_when_it_breaks() {
    let said = squall(&["run", &file("expected", HOLDS), &file("expected-break", BREAKS)]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert!(said.out.contains("broke as expected: raft."), "{}", said.out);
    assert!(said.out.contains("2 scenarios: 1 held, 1 broke as expected"), "{}", said.out);
}

#[test]
fn a_broken_promise_is_told_in_full_and_ends_with_the_command_to_see_it_again() {
    let file = file("broken", &fails());
    let said = squall(&["run", &file, "--seed", "0x10", "--set", "title=a b"]);
    assert_eq!(said.code, Some(100), "{}", said.err);
    for part in ["is broken: ", "when ", "nodes ", "faults ", "digest ", "1 scenario: 1 FAILED"] {
        assert!(said.out.contains(part), "{part} is not in\n{}", said.out);
    }
    let last = said.out.lines().last().expect("a line");
    assert_eq!(last, format!("squall run {file} --seed 16 --set 'title=a b'"));
    let led = format!("what led to it:\nsquall explain {file} --seed 16 --set 'title=a b'\n\nto see it again:\n");
    assert!(said.out.contains(&led), "{}", said.out);
}

#[test]
fn a_promise_that_should_break_and_does_not_is_a_failure() {
    let text = HOLDS.replace("))", "), expect: Breaks([\"raft.log-matching\"]))");
    let said = squall(&["run", &file("unbroken", &text)]);
    assert_eq!(said.code, Some(100), "{}", said.err);
    assert!(said.out.contains("expected to break: raft.log-matching"), "{}", said.out);
    assert!(!said.out.contains("squall explain"), "nothing has led to it: {}", said.out);
}

#[test]
fn a_run_without_a_verdict_is_inconclusive_and_a_failure_outweighs_it() {
    let spent = file("spent", &HOLDS.replace("workload", "limits: (steps: 10), workload"));
    let said = squall(&["run", &spent]);
    assert_eq!(said.code, Some(3), "{}", said.err);
    assert!(said.out.contains("the limit of 10 steps is spent"), "{}", said.out);
    assert_eq!(squall(&["run", &spent, &file("outweighs", &fails())]).code, Some(100));
}

#[test]
fn json_has_the_promised_fields_in_their_order_and_nothing_else_is_on_standard_output() {
    let said = squall(&["run", "--format", "json", &file("json", HOLDS), &file("json-broken", &fails())]);
    assert_eq!((said.code, said.err.as_str()), (Some(100), ""));
    let fields = "format scenario system seed engine verdict expected violation steps events virtual_ns digest goals \
        faults faults_planned faults_fired fault_effects excuse stats";
    for line in said.out.lines() {
        let mut from = 0;
        for field in fields.split_whitespace() {
            let name = format!("\"{field}\":");
            from += line[from..].find(&name).unwrap_or_else(|| panic!("{field} is missing or late in {line}"));
        }
    }
    let runs = objects(&said.out);
    assert_eq!(runs.len(), 2);
    let run = runs[0].as_object().expect("an object");
    assert_eq!(run.len(), 19);
    assert_eq!((&run["format"], &run["system"], &run["verdict"]), (&"squall/1".into(), &"raft".into(), &"pass".into()));
    assert!(run["violation"].is_null() && run["expected"] == true && run["seed"] == 0);
    assert_eq!(run["digest"].as_str().map(str::len), Some(32));
    let broken = &runs[1];
    assert!(broken["verdict"] == "violation" && broken["expected"] == false);
    let violation = broken["violation"].as_object().expect("an object");
    let fields: Vec<&str> = violation.keys().map(String::as_str).collect();
    assert_eq!(fields.len(), 5);
    assert!(violation["nodes"][0].as_str().expect("a name").starts_with('n'));
}

#[test]
fn the_same_command_writes_the_same_bytes_but_for_wall_time() {
    let file = file("same", HOLDS);
    let run = || {
        let out = squall(&["run", "--format", "json", "--seed", "7", &file]).out;
        let at = out.find("\"wall_ns\":").expect("the wall time");
        out[..at].to_owned() + out[at..].trim_start_matches(|sign: char| sign != '}')
    };
    assert_eq!(run(), run());
}

#[test]
fn a_setting_changes_the_run_and_a_wrong_one_is_shown_in_the_flag() {
    let file = file("setting", HOLDS);
    let digest = |words: &[&str]| objects(&squall(words).out)[0]["digest"].clone();
    let base = ["run", "--format", "json", &file];
    assert_ne!(digest(&base), digest(&[&base[..], &["--set", "system.nodes=7"]].concat()));
    assert_eq!(digest(&base), digest(&[&base[..], &["--set", "system.nodes=3"]].concat()));
    let said = squall(&["run", &file, "--set", "network.los=2%"]);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    assert!(said.err.contains("--set:1:1") && said.err.contains("did you mean `loss`?"), "{}", said.err);
}

#[test]
fn a_commit_is_a_seed() {
    let file = file("commit", HOLDS);
    let seed =
        |seed: &str| objects(&squall(&["run", "--format", "json", &file, "--seed", seed]).out)[0]["seed"].clone();
    assert_eq!(seed("0000000000000001000000000000000200000004"), 3 | 4_u64 << 32);
    assert_eq!(seed("0xff"), 255);
}

#[test]
fn one_bad_file_and_nothing_runs_and_every_bad_file_is_told_of() {
    let folder = folder("bad", &[("a.ron", HOLDS), ("b.ron", "(squall: 2)"), ("c.ron", "(squall: 1, sistem: 1)")]);
    let said = squall(&["run", &path(&folder), "/no/such/file.ron"]);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    for part in ["b.ron:1:10", "c.ron:1:13", "did you mean `system`?", "/no/such/file.ron", "nothing was run"] {
        assert!(said.err.contains(part), "{part} is not in\n{}", said.err);
    }
    assert!(!said.err.contains("a.ron"), "{}", said.err);
}

#[test]
fn quiet_says_nothing_of_what_went_well_and_verbose_all_there_is() {
    let file = file("quiet", HOLDS);
    let said = squall(&["run", "-q", &file]);
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (Some(0), "", ""));
    let said = squall(&["run", "-v", &file]);
    for part in ["not reached", "raft.leader-elected 1", "operations returned", "digest"] {
        assert!(said.out.contains(part), "{part} is not in\n{}", said.out);
    }
}

#[test]
fn nothing_but_text_goes_into_a_pipe_unless_colour_is_asked_for() {
    let file = file("colour", &fails());
    let plain = squall(&["run", &file]);
    assert!(!plain.out.contains('\x1b') && !plain.err.contains('\x1b'), "{}", plain.out);
    assert!(squall(&["run", &file, "--color", "always"]).out.contains('\x1b'));
}

#[test]
fn a_capsule_is_told_from_a_scenario() {
    let folder = folder("run-capsule", &[("it.capsule.ron", "(squall: 1, broke: ())")]);
    for command in ["run", "sweep", "check"] {
        let said = squall(&[command, &path(&folder.join("it.capsule.ron"))]);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains("this is a capsule") && said.err.contains("squall replay"), "{}", said.err);
    }
}

#[test]
fn a_scenario_may_say_which_seed_is_played_and_the_flag_wins() {
    let file = file("own-seed", &HOLDS.replace("squall: 1,", "squall: 1, seed: 7,"));
    let seed = |words: &[&str]| {
        let said = squall(&[&["run", &file, "--format", "json"], words].concat());
        objects(&said.out)[0]["seed"].as_u64()
    };
    assert_eq!([seed(&[]), seed(&["--seed", "9"])], [Some(7), Some(9)]);
}
