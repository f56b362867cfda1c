//! A plan can be turned back into a scenario that draws exactly it; and stored plans that nobody could have drawn
//! are refused with a place and a cure.

use squall::environment::plan::Plan;
use squall::run::capsule::Capsule;
use squall::scenario::diagnostic::Diagnostic;
use squall::scenario::load::{find, name};
use squall::scenario::model::Scenario;
use squall::scenario::text;
use squall::scenario::undraw::undraw;
use squall::systems::{self, BuiltIn, System};
use std::fs;
use std::path::Path;

fn scenarios() -> Vec<(String, Scenario<BuiltIn>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let files = find(&[folder]).unwrap_or_else(|mistake| panic!("{mistake}"));
    let load = |file: &std::path::PathBuf| (name(file), systems::load(file).unwrap_or_else(|wrong| panic!("{wrong}")));
    files.iter().map(load).collect()
}

fn drawn_again(plan: &Plan<BuiltIn>) -> Plan<BuiltIn> {
    let written = text::written(&undraw(plan, &plan.system.members(&plan.workload)), 3);
    let again = systems::parse::<BuiltIn>("again.ron", &written).unwrap_or_else(|wrong| panic!("{wrong}\n{written}"));
    systems::plan(&again, &plan.scenario, plan.seed)
}

#[test]
fn a_plan_becomes_a_scenario_that_draws_it() {
    for (name, scenario) in scenarios() {
        for seed in 0..40 {
            let plan = systems::plan(&scenario, &name, seed);
            assert_eq!(drawn_again(&plan), plan, "{name} with seed {seed}");
        }
    }
}

/// What few scenarios have: every shape, one direction only, clocks that are off, faults beyond the workload.
#[test]
fn also_what_is_rare_in_scenarios_comes_out_again() {
    let shapes = ["Halves", "Isolate(One)", "MinorityThird", "MajoritiesRing", "Bridge", "Random", "Mute(Leader)"];
    for (place, shape) in shapes.into_iter().enumerate() {
        for settle in ["", "settle: (heal: false, within: \"5s\"),"] {
            let one_way = !shape.starts_with("Mute") && place % 2 == 1;
            let scenario = format!(
                "(squall: 1, system: Raft(nodes: 7), workload: (until: \"9s\"), {settle}
                  clocks: (offset: \"70ms\", drift_ppm: 300, nodes: {{\"n2\": (offset: \"-1h\", drift_ppm: 7)}}), faults: [
                    (every: \"1s\", jitter: \"60%\", lasts: (\"1s\", \"30s\"),
                     inject: Partition(shape: {shape}, one_way: {one_way})),
                    (rate: \"1/s\", inject: Kill(target: Minority, restart_after: (\"0s\", \"9s\"))),
                    (rate: \"1/s\", lasts: (\"1ms\", \"9s\"), inject: Pause(target: Role(\"leader\"))),
                    (at: \"8s\", inject: Loss(probability: \"1/7\")), (at: \"8.5s\", inject: Heal)])"
            );
            let scenario = systems::parse::<BuiltIn>("rare.ron", &scenario).unwrap_or_else(|wrong| panic!("{wrong}"));
            for seed in 0..20 {
                let plan = systems::plan(&scenario, "rare", seed);
                assert_eq!(plan.clocks[1].offset_ns, -3_600_000_000_000);
                assert_eq!(drawn_again(&plan), plan, "{shape} with seed {seed}");
            }
        }
    }
}

/// Everything that has another form in a plan: phases, regions, turns, swizzles, slews, cores, moments.
#[test]
fn what_a_plan_says_in_another_way_comes_out_again() {
    for heal in ["true", "false", "Core(Majority)", "Core(Nodes([\"n1\", \"n3\", \"n4\"]))"] {
        let scenario = format!(
            r#"(squall: 1, system: Raft(nodes: 5), workload: (until: "12s"), settle: (heal: {heal}, within: "5s"),
                network: (links: [(from: ["n1"], to: ["n5"], both_ways: true, loss: "30%")], regions: (
                    of: {{"east": ["n1", "n2"], "west": ["n3"]}}, within: Const("1ms"),
                    between: LogNormal(median: "9ms", p99: "90ms"))),
                disk: (unsynced: AnySubset, torn: "20%", recoverable: true),
                clocks: (offset: "5ms", uncertainty: "7ms"),
                faults: [
                    (every: "1s", lasts: ("1s", "9s"), inject: Swizzle),
                    (every: "1s", inject: ClockSlew(target: InTurn, by: "-3ms", ppm: 2000)),
                    (every: "1s", lasts: "2s", inject: Clog(over: Among(["n1", "n2", "n4"]))),
                    (rate: "1/s", inject: Wipe(target: One, restart_after: ("0s", "8s"))),
                    (when: LeaderElected, after: "20ms", times: 3, lasts: ("1s", "2s"),
                     inject: Partition(shape: Isolate(Subject), one_way: true)),
                    (when: Written, skip: (0, 300), from: "2s", inject: Kill(target: Subject, restart_after: "1s")),
                    (when: Message("RequestVote"), until: "9s", inject: Pause(target: Primaries)),
                    (when: Fact("Returned"), lasts: "4s", inject: Swizzle),
                    (at: "3s", inject: Destroy(target: One)),
                ],
                phases: [(lasts: "4s"), (title: "storm", lasts: "5s", faults: [
                    (rate: "1/s", lasts: ("1s", "9s"), inject: DiskError(target: One, write: "1/7", sync: "1%")),
                    (when: Crashed, skip: (0, 3), lasts: "9s", inject: DiskStall(target: Minority)),
                    (at: "1s", inject: Kill(target: Leader)),
                    (at: "4s", inject: BitRot(target: One)),
                ])])"#
        );
        let scenario = systems::parse::<BuiltIn>("forms.ron", &scenario).unwrap_or_else(|wrong| panic!("{wrong}"));
        for seed in 0..20 {
            let plan = systems::plan(&scenario, "forms", seed);
            assert_eq!(drawn_again(&plan), plan, "seed {seed} that heals {heal}");
        }
    }
}

/// A capsule of a museum scenario, with a piece of its text replaced.
fn edited(file: &str, old: &str, new: &str) -> Result<Capsule<BuiltIn>, Diagnostic> {
    let scenario = r#"(squall: 1, system: Raft(nodes: 3), exhibits: ["votedfor-not-persisted"],
        workload: (until: "5s", rate: "9/s"),
        faults: [(at: "1s", until: "2s", inject: Partition(shape: Split(["n1"], ["n2", "n3"]))),
            (at: "2s", inject: Pause(target: Leader)),
            (when: LeaderElected, skip: 9, after: "8ms", lasts: "1s", inject: Pause(target: Subject)),
            (every: "300ms", inject: Kill(target: Minority, restart_after: "100ms"))])"#;
    let scenario = systems::parse::<BuiltIn>("it.ron", scenario).unwrap_or_else(|wrong| panic!("{wrong}"));
    let (plan, (outcome, trail)) = (0..)
        .map(|seed| systems::plan(&scenario, "it", seed))
        .map(|plan| (plan.clone(), systems::record(&plan)))
        .find(|(_, (outcome, _))| outcome.violation().is_some())
        .expect("some seed breaks it");
    let capsule = text::written(&Capsule::of(&plan, &outcome, trail).expect("it broke"), 3);
    assert!(capsule.contains(old), "{old} does not stand in {capsule}");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
    fs::write(&path, capsule.replacen(old, new, 1)).expect("it can be written");
    systems::load_capsule(&path)
}

#[test]
fn a_capsule_is_read_as_it_was_written() {
    let capsule = edited("sound.capsule.ron", "squall: 1", "squall: 1").unwrap_or_else(|wrong| panic!("{wrong}"));
    let (outcome, trail) = systems::record(&capsule.plan);
    assert_eq!((outcome.digest, trail), (capsule.digest, capsule.trail));
}

#[test]
fn a_capsule_that_names_what_does_not_exist_is_refused_at_its_place() {
    let refused = |old: &str, new: &str| {
        let wrong = edited("refused.capsule.ron", old, new).expect_err(new);
        assert!(wrong.line > 1 && wrong.help.is_some(), "{wrong}");
        let line = wrong.source.lines().nth(wrong.line - 1).expect("the line").trim().to_owned();
        (wrong.message.to_string(), line)
    };
    let cases = [
        ("\"votedfor-not-persisted\"", "\"votedfor\"", "there is no exhibit \"votedfor\""),
        ("from: [\"n1\"]", "from: [\"n9\"]", "there is no node \"n9\""),
        ("from: [\"n1\"]", "from: [\"n2\"]", "node \"n2\" is on both sides"),
        ("Role(\"leader\")", "Role(\"king\")", "this system has no role \"king\""),
        ("at: \"1s\"", "at: \"3s\"", "the fault ends at 2s, but begins at 3s"),
        (
            "Goal(\"raft.leader-elected\")",
            "Goal(\"raft.leader-erected\")",
            "this system has no goal \"raft.leader-erected\"",
        ),
        ("Goal(\"raft.leader-elected\")", "Message(\"Ballot\")", "this system has no message \"Ballot\""),
        ("after: \"8ms\"", "after: \"9000h\"", "9000h is longer than 365 days"),
        ("nodes: 3", "nodes: 0", "a Raft of 0 nodes cannot be simulated"),
        (
            "clients: 3",
            "clients: 3, operations: [(at: \"1s\", client: \"c4\", invoke: Read(key: 0))]",
            "there is no client \"c4\"",
        ),
        ("invariant: \"raft", "invariant: \"daft", "this system has no invariant \"daft"),
    ];
    for (old, new, message) in cases {
        let (told, line) = refused(old, new);
        assert!(told.starts_with(message), "{told}");
        let word = new.split(['(', '[', ':']).next().expect("a word");
        assert!(new.starts_with("clients") || line.contains(word), "{line} has no {word}");
    }
}
