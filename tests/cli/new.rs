//! `squall new`.

use super::harness::{folder, path, squall};
use squall::systems::{BuiltIn, System};

#[test]
fn every_system_has_a_scenario_to_start_from_that_holds_and_has_a_goal_that_is_reached() {
    let folder = folder("new", &[]);
    let systems = BuiltIn::catalogue().systems;
    assert_eq!(systems.len(), 3);
    for (system, _) in systems {
        let name = path(&folder.join(format!("my-{system}_story")));
        let said = squall(&["new", &name, "--system", &system.to_lowercase()]);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
        let file = format!("{name}.ron");
        assert!(said.out.ends_with(&format!("\n  squall run {file}\n")), "{}", said.out);
        let text = std::fs::read_to_string(&file).expect("the scenario");
        assert!(text.contains(&format!("title: \"my {system} story\"")) && text.contains("// "), "{text}");
        let out = format!("{name}.out");
        let swept = squall(&["sweep", &file, "--count", "30", "--require-goals", "--out", &out]);
        assert_eq!(swept.code, Some(0), "{swept:?}");
    }
}

#[test]
fn what_is_there_is_left_as_it_is_and_what_cannot_be_is_said() {
    let folder = folder("new-refused", &[("there.ron", "mine")]);
    let new = |name: &str, system: &str| squall(&["new", &path(&folder.join(name)), "--system", system]);
    let cases = [
        (new("there", "raft"), "there.ron is there already"),
        (new("there.ron", "raft"), "there.ron is there already"),
        (new("a", "Raff"), "there is no system Raff; did you mean Raft?"),
        (new("a", "paxos"), "there are Raft, Lock, Ring"),
        (new("a.capsule.ron", "raft"), "choose a name without .capsule"),
        (new("", "raft"), "write for example my-story"),
        (new(".ron", "raft"), "write for example my-story"),
        (new("..", "raft"), "write for example my-story"),
        (new("nowhere/a", "raft"), "make it first: mkdir -p "),
    ];
    for (said, cure) in cases {
        assert!(said.code == Some(2) && said.out.is_empty() && said.err.contains(cure), "{said:?}");
    }
    assert_eq!(std::fs::read_to_string(folder.join("there.ron")).expect("the file"), "mine");
    assert_eq!(std::fs::read_dir(&folder).expect("the folder").count(), 1, "nothing is half written");
}
