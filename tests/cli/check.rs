//! `squall check` and `squall show`.

use super::harness::{HOLDS, file, folder, objects, path, squall};

#[test]
fn every_file_is_judged_and_the_exit_code_says_whether_all_are_good() {
    let folder = folder("check", &[("a.ron", HOLDS), ("b.ron", "(squall: 2)"), ("c.ron", "")]);
    let said = squall(&["check", &path(&folder)]);
    assert_eq!(said.code, Some(2));
    assert_eq!(said.out.lines().count(), 1);
    assert!(said.out.starts_with("ok ") && said.err.contains("b.ron:1:10") && said.err.contains("c.ron"), "{said:?}");
    assert_eq!(squall(&["check", &path(&folder.join("a.ron"))]).code, Some(0));
}

#[test]
fn json_says_of_each_file_whether_it_is_good_and_where_it_is_not() {
    let folder = folder("check-json", &[("a.ron", HOLDS), ("b.ron", "(squall: 2)")]);
    let said = squall(&["check", "--format", "json", &path(&folder), "/nowhere"]);
    assert_eq!((said.code, said.err.as_str()), (Some(2), ""));
    let files = objects(&said.out);
    let good = files.iter().find(|file| file["ok"] == true).expect("a good one");
    assert!(good["kind"] == "check" && good["format"] == "squall/1" && good["message"].is_null());
    let bad = files.iter().find(|file| file["line"] == 1).expect("a bad one");
    assert!(bad["column"] == 10 && bad["help"] == "use a newer squall");
    assert!(files.iter().any(|file| file["file"] == "/nowhere" && file["line"].is_null()));
}

#[test]
fn a_folder_without_scenarios_is_refused_with_a_cure() {
    let empty = path(&folder("empty", &[]));
    for command in ["run", "check"] {
        let said = squall(&[command, &empty]);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
        assert!(said.err.contains("holds no scenario") && said.err.contains("help: name a scenario"), "{}", said.err);
    }
}

#[test]
fn what_show_writes_is_a_scenario_that_runs_the_same() {
    let original = file("show", HOLDS);
    let shown = squall(&["show", &original]);
    assert_eq!(shown.code, Some(0));
    let again = file("show", &shown.out);
    assert_eq!(squall(&["show", &again]).out, shown.out);
    let json = squall(&["show", &original, "--format", "json"]).out;
    assert_eq!(objects(&json)[0]["workload"]["until"], "2s");
}

#[test]
fn with_a_seed_show_writes_the_plan() {
    let text = HOLDS.replace("))", "), faults: [(rate: \"2/s\", lasts: \"1s\", inject: Pause(target: One))])");
    let file = file("plan", &text);
    let plan = |seed: &str| squall(&["show", &file, "--seed", seed]).out;
    assert!(plan("5").contains("seed: 5") && plan("5").contains("Pause(target: Nodes("), "{}", plan("5"));
    assert_eq!(plan("5"), plan("5"));
    assert_ne!(plan("5"), plan("6"));
    assert!(squall(&["show", &file, "--set", "system.nodes=9"]).out.contains("nodes: 9"));
}
