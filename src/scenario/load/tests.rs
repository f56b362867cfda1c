//! Files that extend each other, folders, versions: what can be read, and what is refused.

use super::*;
use crate::kernel::time::Span;
use std::env;

#[derive(Clone, PartialEq, Eq, Debug, serde::Deserialize)]
struct Nodes {
    count: u16,
}

const RULES: Rules<Nodes> = Rules {
    name: |_| "nodes",
    orders: |_| &[],
    members: |nodes, _| (1..=nodes.count).map(|node| format!("n{node}")).collect(),
    servers: |nodes, _| usize::from(nodes.count),
    complaints: |_| Vec::new(),
    exhibits: &[],
    vocabulary: |_| Vocabulary::default(),
};

fn read_text(text: &str) -> Result<Scenario<Nodes>, String> {
    parse("test.ron", text, &RULES).map_err(|mistake| mistake.to_string())
}

/// Loads the first of these files, written to a folder of their own.
fn read_files(folder: &str, files: &[(&str, &str)]) -> Result<Scenario<Nodes>, String> {
    let root = env::temp_dir().join(format!("squall-load-{}-{folder}", std::process::id()));
    for (name, text) in files {
        let file = root.join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, text).expect("a file");
    }
    let loaded = load(&root.join(files[0].0), &RULES);
    fs::remove_dir_all(&root).expect("it was there");
    loaded.map_err(|mistake| mistake.to_string().replace(&format!("{}/", root.display()), ""))
}

#[test]
fn a_short_scenario_has_defaults_for_all_the_rest() {
    let scenario = read_text(r#"(squall: 1, system: (count: 3), workload: (until: "30s"))"#).expect("it is right");
    assert_eq!(scenario.network, plan::Network::default().into());
    assert_eq!(scenario.limits, plan::Limits::default());
    assert!(scenario.faults.is_empty() && scenario.settle.is_none() && scenario.clocks.are_perfect());
}

#[test]
fn of_several_files_the_later_wins_and_the_scenario_itself_over_all() {
    let scenario = read_files(
        "wins",
        &[
            (
                "raft/a.ron",
                r#"(squall: 1, extends: ["../defaults/lan.ron", "../defaults/slow.ron"],
                title: "own", system: (count: 3), settle: None)"#,
            ),
            (
                "defaults/lan.ron",
                r#"(squall: 1, title: "lan", network: (loss: "1%"), disk: (sync: Const("1ms")),
                workload: (until: "30s"), settle: (within: "5s"))"#,
            ),
            ("defaults/slow.ron", r#"(squall: 1, extends: ["very.ron"], title: "slow", network: (loss: "2%"))"#),
            ("defaults/very.ron", r#"(squall: 1, workload: (until: "90s"), network: (loss: "3%"))"#),
        ],
    )
    .expect("they are right");
    assert_eq!(scenario.title.as_deref(), Some("own"));
    assert_eq!(scenario.network.loss, crate::environment::text::parse_ratio("2%").expect("a ratio"));
    assert_eq!(scenario.disk.sync, crate::environment::distribution::Distribution::Const(Span::ms(1)));
    assert_eq!(scenario.workload.until, Span::secs(90));
    assert_eq!(scenario.settle, None, "a field that is written as None is written");
}

#[test]
fn two_files_may_extend_the_same_third_but_no_file_itself() {
    let three = |top: &str| {
        read_files(
            "diamond",
            &[
                ("a.ron", r#"(squall: 1, extends: ["b.ron", "c.ron"], system: (count: 3))"#),
                ("b.ron", r#"(squall: 1, extends: ["d.ron"])"#),
                ("c.ron", r#"(squall: 1, extends: ["./d.ron"])"#),
                ("d.ron", top),
            ],
        )
    };
    assert!(three(r#"(squall: 1, workload: (until: "1s"))"#).is_ok());
    let circle = three(r#"(squall: 1, extends: ["a.ron"])"#).unwrap_err();
    assert!(circle.starts_with("d.ron:1:23: this scenario would extend itself"), "{circle}");
}

#[test]
fn endless_extension_is_refused() {
    let twice = r#"(squall: 1, extends: ["NEXT", "NEXT"])"#;
    let names: Vec<String> = (0..20).map(|place| format!("f{place:02}.ron")).collect();
    let texts: Vec<String> = (1..=20).map(|next| twice.replace("NEXT", &format!("f{next:02}.ron"))).collect();
    let mut files: Vec<(&str, &str)> = names.iter().zip(&texts).map(|(name, text)| (&**name, &**text)).collect();
    files.push(("f20.ron", "(squall: 1)"));
    let refused = read_files("endless", &files).unwrap_err();
    assert!(refused.contains("more than 64 files are extended"), "{refused}");
}

#[test]
fn nesting_without_end_overflows_no_stack() {
    for (open, close) in [("(", ")"), ("[", "]"), ("Some(", ")"), ("{1:", "}"), ("/*", "*/")] {
        for field in ["title", "system", "faults", "network", "workload"] {
            let deep = format!("(squall: 1, {field}: {} 1 {})", open.repeat(100_000), close.repeat(100_000));
            assert!(read_text(&deep).is_err());
        }
    }
}

/// Every prefix of a scenario, and the scenario with any one character changed or lost, is read
/// or refused with a place inside the text; nothing panics.
#[test]
fn whatever_is_written_there_is_an_answer() {
    let text = r##"// (
(squall: 1, title: "two \"leaders\"", system: (count: 5), network: (latency: Exp(min: "1ms", mean: "5ms")),
 workload: (clients: 3, rate: "20/s", until: "30s"), /* [ */ exhibits: [],
 faults: [(at: "10s", until: "20s", inject: Partition(shape: Isolate(Nodes(["n1", "n3"])), one_way: true)),
  (every: "8s", jitter: 0.5, inject: Kill(target: One, restart_after: ("1s", "5s"))),],
 settle: (heal: true, within: "20s"), expect: Holds, limits: (steps: 1_000))"##;
    read_text(text).expect("as it stands it is right");
    let check = |text: &str| {
        if let Err(mistake) = parse("test.ron", text, &RULES) {
            assert!(mistake.source.get(mistake.span.clone()).is_some(), "{mistake}\n{text}");
            assert!(mistake.line >= 1 && mistake.line <= 1 + text.matches('\n').count(), "{mistake}");
            assert!(mistake.help.is_some() || mistake.expected.is_some(), "no cure: {mistake}\n{text}");
        }
    };
    for (place, sign) in text.char_indices() {
        check(&text[..place]);
        let (before, after) = (&text[..place], &text[place + sign.len_utf8()..]);
        for other in ["", "(", ")", "[", "]", "{", ",", ":", "\"", "'", "x", "9", "-", ".", "ä", "#", "/*", "\n"] {
            check(&format!("{before}{other}{after}"));
        }
    }
}

#[test]
fn a_scenario_is_named_by_its_folder_and_its_file() {
    let named = |path: &str| name(Path::new(path));
    assert_eq!(named("scenarios/raft/leader-partition.ron"), "raft/leader-partition");
    assert_eq!(named("raft/leader-partition.ron"), "raft/leader-partition");
    assert_eq!(named("./leader-partition.ron"), "leader-partition");
    assert_eq!(named("leader-partition.ron"), "leader-partition");
    assert_eq!(named("/a/../b/c.v2.ron"), "b/c.v2");
}
