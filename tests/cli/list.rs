//! `squall list`, and the pages that are made from the command line's description.

use super::harness::{BREAKS, HOLDS, folder, objects, path, squall};

#[test]
fn everything_there_is_can_be_listed_for_people_and_for_programs() {
    let folder = path(&folder("list", &[("a.ron", HOLDS), ("b.ron", BREAKS)]));
    let lists = [
        ("scenarios", Some(folder.as_str()), "list/b"),
        ("systems", None, "Raft"),
        ("faults", None, "Partition"),
        ("invariants", None, "raft.election-safety"),
        ("exhibits", None, "ack-before-fsync"),
    ];
    for (what, folder, part) in lists {
        let words: Vec<&str> = ["list", what].into_iter().chain(folder).collect();
        let said = squall(&words);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{what}");
        assert!(said.out.contains(part), "{part} is not in\n{}", said.out);
        let said = squall(&[&words[..], &["--format", "json"]].concat());
        let entries = objects(&said.out);
        assert!(!entries.is_empty() && entries.iter().all(|entry| entry["format"] == "squall/1"), "{what}");
        assert!(said.out.contains(part), "{part} is not in\n{}", said.out);
    }
}

/// Whoever looks for a fault, a target, a shape, a moment or a preset finds it on the first page.
#[test]
fn the_readme_names_all_that_a_fault_can_be() {
    let readme = include_str!("../../README.md");
    let entries = objects(&squall(&["list", "faults", "--format", "json"]).out);
    assert!(entries.len() > 60, "{}", entries.len());
    for entry in entries {
        let name = entry["name"].as_str().expect("a name");
        let is_named =
            [format!("`{name}"), format!("{name}:"), format!("{name}(")].iter().any(|way| readme.contains(way));
        assert!(is_named || readme.contains(&format!("swarm: {name}")), "{name} is missing");
    }
}

#[test]
fn a_bad_scenario_is_told_of_and_the_others_are_listed() {
    let folder = folder("list-bad", &[("a.ron", HOLDS), ("b.ron", "(")]);
    let said = squall(&["list", "scenarios", &path(&folder)]);
    assert_eq!(said.code, Some(2));
    assert!(said.out.contains("list-bad/a") && said.err.contains("b.ron:1:1"), "{said:?}");
}

#[test]
fn only_scenarios_are_looked_for_in_a_folder() {
    assert_eq!(squall(&["list", "faults", "scenarios"]).code, Some(2));
}

#[test]
fn completions_and_the_manual_know_every_command() {
    for words in [["completions", "bash"].as_slice(), &["completions", "zsh"], &["completions", "fish"], &["man"]] {
        let said = squall(words);
        assert_eq!(said.code, Some(0));
        for command in ["run", "replay", "check", "show", "list"] {
            assert!(said.out.contains(command), "{words:?} does not know {command}");
        }
    }
}
