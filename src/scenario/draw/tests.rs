//! What a seed draws: pinned, in range, and undisturbed by what else the scenario says.

use super::super::inject::Inject;
use super::super::load::{Rules, parse};
use super::super::model::NodeClock;
use super::super::roster::Vocabulary;
use super::super::target::{Shape, Who};
use super::*;
use crate::environment::fault::{Direction, Fault, LinkSet, Target};
use std::collections::BTreeSet;

#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
struct Nodes(u16);

const RULES: Rules<Nodes> = Rules {
    name: |_| "nodes",
    orders: |_| &[],
    members: |nodes, _| names(nodes.0),
    servers: |nodes, _| usize::from(nodes.0),
    complaints: |_| Vec::new(),
    exhibits: &["stale-read"],
    vocabulary: |_| Vocabulary {
        invariants: vec!["raft.election-safety"],
        roles: vec!["leader"],
        ..Vocabulary::default()
    },
};

fn names(count: u16) -> Vec<String> {
    (1..=count).map(|node| format!("n{node}")).collect()
}

/// A scenario of `count` members and these faults.
fn scenario(count: u16, faults: &str) -> Scenario<Nodes> {
    let text = format!(
        "(squall: 1, system: {count}, workload: (until: \"60s\"), settle: (within: \"20s\"),
          clocks: (offset: \"50ms\", drift_ppm: 200), faults: [{faults}])"
    );
    parse("test.ron", &text, &RULES).unwrap_or_else(|mistake| panic!("{mistake}"))
}

fn plan(scenario: &Scenario<Nodes>, seed: u64) -> Plan<Nodes> {
    draw(scenario, "test", &Roster::of(&names(scenario.system.0)), seed)
}

const EVERYTHING: &str = r#"
    (at: "10s", until: "20s", inject: Partition(shape: MajoritiesRing)),
    (at: "20s", lasts: ("1s", "5s"), inject: Partition(shape: Isolate(Leader), one_way: true)),
    (at: "30s", inject: Partition(shape: Isolate(Minority))),
    (at: "31s", inject: Heal),
    (rate: "6/min", lasts: "3s", inject: Partition(shape: Bridge, one_way: true)),
    (rate: "6/min", lasts: "3s", inject: Partition(shape: MajoritiesRing, one_way: true)),
    (rate: "6/min", lasts: "3s", inject: Partition(shape: Halves)),
    (rate: "6/min", lasts: "3s", inject: Partition(shape: MinorityThird)),
    (rate: "6/min", lasts: "3s", inject: Partition(shape: Random)),
    (every: "8s", jitter: "50%", inject: Kill(target: One, restart_after: ("1s", "5s"))),
    (every: "9s", from: "3s", until: "50s", inject: Kill(target: Majority)),
    (every: "8s", lasts: "1s", inject: Pause(target: Random(2))),
    (every: "8s", lasts: "1s", inject: Pause(target: Nodes(["n1", "n3"]))),
    (every: "8s", lasts: "1s", inject: Pause(target: Role("leader"))),
    (every: "8s", lasts: "1s", inject: Pause(target: All)),
    (at: "5s", lasts: "1s", inject: Loss(probability: "2.5%")),
    (at: "5s", lasts: "1s", inject: Duplicate(probability: "1/3")),
    (at: "5s", lasts: "1s", inject: Delay(extra: Exp(min: "1ms", mean: "5ms"))),
    (at: "5s", lasts: "1s", inject: DiskSlow(extra: Bimodal(fast: "1ms", slow: ("50ms", "60ms"), p: "10%"))),
"#;

fn ron() -> ron::Options {
    use ron::extensions::Extensions;
    ron::Options::default().with_default_extension(
        Extensions::IMPLICIT_SOME | Extensions::UNWRAP_NEWTYPES | Extensions::UNWRAP_VARIANT_NEWTYPES,
    )
}

/// Compared as text, since 1/2 is written "50%", which reads back as 50/100: the same probability
/// in other numbers.
#[test]
fn a_plan_written_as_text_reads_back_as_the_same_plan() {
    let scenario = scenario(5, EVERYTHING);
    for seed in 0..100 {
        let plan = plan(&scenario, seed);
        let pretty = ron::ser::PrettyConfig::default;
        let text = ron().to_string_pretty(&plan, pretty()).expect("a plan can be written");
        let read: Plan<Nodes> = ron().from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let again = ron().to_string_pretty(&read, pretty()).expect("a plan can be written");
        assert!(again == text, "seed {seed} changed");
        assert!(read.faults == plan.faults && read.clocks == plan.clocks, "seed {seed} changed");
    }
}

#[test]
fn a_scenario_written_as_text_reads_back_as_the_same_scenario() {
    let written = |scenario: &Scenario<Nodes>| {
        ron().to_string_pretty(scenario, ron::ser::PrettyConfig::default()).expect("it can be written")
    };
    let scenario = scenario(5, EVERYTHING);
    let text = written(&scenario);
    let read = parse("test.ron", &text, &RULES).unwrap_or_else(|mistake| panic!("{mistake}\n{text}"));
    assert!(read.faults == scenario.faults && written(&read) == text, "{text}");
}

#[test]
fn the_same_seed_draws_the_same_plan_and_another_seed_another() {
    let scenario = scenario(5, EVERYTHING);
    for seed in 0..50 {
        assert_eq!(plan(&scenario, seed), plan(&scenario, seed));
        assert_ne!(plan(&scenario, seed).faults, plan(&scenario, seed + 1).faults);
        assert_ne!(plan(&scenario, seed).clocks, plan(&scenario, seed + 1).clocks);
    }
}

#[test]
fn one_more_fault_at_the_end_leaves_the_draws_of_the_others_alone() {
    let before = scenario(5, EVERYTHING);
    let after =
        scenario(5, &format!("{EVERYTHING} (rate: \"9/min\", inject: Kill(target: Who))").replace("Who", "One"));
    for seed in 0..50 {
        let (before, mut after) = (plan(&before, seed), plan(&after, seed));
        after.faults.retain(|fault| before.faults.contains(fault));
        assert_eq!(after.faults, before.faults);
    }
}

#[test]
fn faults_come_in_order_and_begin_before_the_workload_ends() {
    let scenario = scenario(5, EVERYTHING);
    for seed in 0..200 {
        let plan = plan(&scenario, seed);
        let end = plan.calm_from();
        assert!(plan.faults.is_sorted_by_key(|fault| fault.at));
        assert!(plan.faults.iter().all(|fault| fault.at < end));
        assert!(plan.faults.iter().all(|fault| fault.until.is_none_or(|until| fault.at < until && until <= end)));
    }
}

#[test]
fn an_end_after_the_workload_is_kept_only_if_nothing_heals() {
    let mut scenario = scenario(3, r#"(at: "59s", lasts: "5s", inject: Pause(target: One))"#);
    assert_eq!(plan(&scenario, 1).faults[0].until, None);
    scenario.settle = None;
    assert_eq!(plan(&scenario, 1).faults[0].until, Some(Time::ZERO + Span::secs(64)));
}

#[test]
fn regular_faults_come_each_period_and_jitter_moves_them_both_ways() {
    let at = |text: &str, seed| -> Vec<u64> {
        plan(&scenario(3, text), seed).faults.iter().map(|fault| fault.at.ns() / 1_000_000).collect()
    };
    let kill = "inject: Kill(target: One)";
    assert_eq!(at(&format!("(every: \"20s\", {kill})"), 1), [20_000, 40_000]);
    assert_eq!(at(&format!("(every: \"20s\", from: \"5s\", until: \"50s\", {kill})"), 1), [25_000, 45_000]);
    let (mut early, mut late) = (0, 0);
    for seed in 0..200 {
        let first = at(&format!("(every: \"20s\", jitter: \"50%\", {kill})"), seed)[0];
        assert!((10_000..=30_000).contains(&first), "{first} ms");
        if first < 20_000 { early += 1 } else { late += 1 }
    }
    assert!(early > 60 && late > 60, "{early} early, {late} late");
    // Each is moved by itself: none moves those after it.
    for seed in 0..50 {
        let all = at(&format!("(every: \"1s\", jitter: \"20%\", {kill})"), seed);
        assert_eq!(all.len(), 59, "{all:?}");
        assert!(all.iter().zip(1..).all(|(at, turn)| at.abs_diff(1_000 * turn) <= 200), "{all:?}");
    }
}

#[test]
fn each_occurrence_of_a_fault_has_a_length_of_its_own() {
    for inject in [
        r#"lasts: ("1s", "9s"), inject: Pause(target: One)"#,
        r#"inject: Kill(target: One, restart_after: ("1s", "9s"))"#,
    ] {
        let plan = plan(&scenario(3, &format!("(every: \"5s\", until: \"50s\", {inject})")), 1);
        let lengths: Vec<Span> = plan.faults.iter().map(|fault| fault.until.expect("an end").since(fault.at)).collect();
        let all: std::collections::BTreeSet<Span> = lengths.iter().copied().collect();
        assert_eq!((lengths.len(), all.len()), (9, 9), "{lengths:?}");
        assert!(all.iter().all(|length| (Span::secs(1)..=Span::secs(9)).contains(length)));
    }
}

#[test]
fn a_rate_brings_as_many_faults_as_it_says() {
    let scenario = scenario(3, r#"(rate: "30/min", from: "20s", until: "50s", inject: Kill(target: One))"#);
    let faults: Vec<_> = (0..400).flat_map(|seed| plan(&scenario, seed).faults).collect();
    // 15 a plan are 6,000, give or take 77; five of these.
    assert!(faults.len().abs_diff(6_000) < 390, "{}", faults.len());
    assert!(faults.iter().all(|fault| (20..50).contains(&(fault.at.ns() / 1_000_000_000))));
}

#[test]
fn every_set_has_its_size_and_every_member_its_turn() {
    for count in 1..=9_u16 {
        let members = names(count);
        let sizes = [
            (Who::One, 1),
            (Who::Minority, (count - 1) / 2),
            (Who::Majority, count / 2 + 1),
            (Who::MinorityThird, (count - 1) / 3),
            (Who::All, count),
            (Who::Random(count / 2), count / 2),
        ];
        for (who, size) in sizes {
            let mut seen = BTreeSet::new();
            for seed in 0..100 {
                let mut dice = Dice::new(seed, Purpose::Faults, 0);
                let inject = Inject::Pause { target: who.clone() };
                let Fault::Pause { target: Target::Nodes(hit) } =
                    targets::concrete(&inject, Crew::of(&members), 0, &mut dice)
                else {
                    panic!("{who:?} became something else");
                };
                assert_eq!(hit.len(), usize::from(size), "{who:?} of {count}");
                assert_eq!(hit.iter().collect::<BTreeSet<_>>().len(), hit.len(), "{who:?} names one twice");
                seen.extend(hit);
            }
            assert!(size == 0 || seen.len() == usize::from(count), "{who:?} of {count} only ever hits {seen:?}");
        }
    }
}

fn cut(shape: Shape, one_way: bool, count: u16, seed: u64) -> LinkSet {
    let mut dice = Dice::new(seed, Purpose::Faults, 0);
    let inject = Inject::Partition { shape, one_way };
    let Fault::Partition(cut) = targets::concrete(&inject, Crew::of(&names(count)), 0, &mut dice) else {
        panic!("no partition")
    };
    cut
}

#[test]
fn in_a_ring_of_majorities_every_member_sees_a_majority_and_no_two_see_the_same() {
    for count in 3..=15_u16 {
        let members = names(count);
        let mut one_more = 0;
        for seed in 0..60 {
            let LinkSet::Links(links) = cut(Shape::MajoritiesRing, false, count, seed) else { panic!("no links") };
            let is_cut = |from: &String, to: &String| links.contains(&(from.clone(), to.clone()));
            let views: BTreeSet<Vec<&String>> = members
                .iter()
                .map(|me| {
                    assert!(members.iter().all(|other| is_cut(me, other) == is_cut(other, me)));
                    members.iter().filter(|other| !is_cut(other, me)).collect()
                })
                .collect();
            assert_eq!(views.len(), members.len(), "two of {count} see the same: {views:?}");
            let majority = members.len() / 2 + 1;
            assert!(views.iter().all(|view| (majority..=majority + 1).contains(&view.len())), "{count}: {views:?}");
            one_more = views.iter().filter(|view| view.len() > majority).count();
        }
        assert_eq!(one_more, usize::from(count % 4 == 3), "of {count}");
    }
}

#[test]
fn a_ring_that_is_cut_one_way_cuts_each_link_in_one_direction() {
    let LinkSet::Links(both) = cut(Shape::MajoritiesRing, false, 5, 3) else { panic!("no links") };
    let LinkSet::Links(one) = cut(Shape::MajoritiesRing, true, 5, 3) else { panic!("no links") };
    assert_eq!(both.len(), 2 * one.len());
    assert!(
        one.iter()
            .all(|(from, to)| both.contains(&(from.clone(), to.clone())) && !one.contains(&(to.clone(), from.clone())))
    );
}

#[test]
fn splits_have_their_shape_and_their_direction_is_drawn() {
    for count in 4..=9_u16 {
        let n = usize::from(count);
        let mut first_sides = BTreeSet::new();
        for seed in 0..80 {
            for (shape, small, all) in [
                (Shape::Halves, n / 2..=n / 2, n),
                (Shape::MinorityThird, (n - 1) / 3..=(n - 1) / 3, n),
                (Shape::Bridge, (n - 1) / 2..=(n - 1) / 2, n - 1),
                (Shape::Random, 1..=n / 2, n),
            ] {
                for one_way in [false, true] {
                    let LinkSet::Split { from, to, one_way: drawn } = cut(shape.clone(), one_way, count, seed) else {
                        panic!("{shape:?} is no split");
                    };
                    assert_eq!(drawn, one_way);
                    assert!(small.contains(&from.len().min(to.len())), "{shape:?} of {n}: {from:?} and {to:?}");
                    assert_eq!(from.iter().chain(&to).collect::<BTreeSet<_>>().len(), all, "{shape:?}");
                    if shape == Shape::MinorityThird && one_way {
                        first_sides.insert(from.len());
                    }
                }
            }
        }
        assert_eq!(first_sides.len(), 2, "one direction was never drawn");
    }
}

#[test]
fn a_role_stays_a_role_and_only_the_direction_is_drawn() {
    let directions: BTreeSet<String> = (0..40)
        .map(|seed| match cut(Shape::Isolate(Who::Leader), true, 5, seed) {
            LinkSet::Isolate { target: Target::Role(role), direction } if role == "leader" => format!("{direction:?}"),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(directions.len(), 2, "{directions:?}");
    let LinkSet::Isolate { direction, .. } = cut(Shape::Isolate(Who::Leader), false, 5, 1) else {
        panic!("not isolated")
    };
    assert_eq!(direction, Direction::Both);
}

#[test]
fn clocks_stay_within_their_bounds_and_perfect_ones_are_not_written() {
    let mut scenario = scenario(5, "");
    for seed in 0..200 {
        let clocks = plan(&scenario, seed).clocks;
        assert_eq!(clocks.len(), 5);
        assert!(clocks.iter().all(|clock| clock.offset_ns.abs() <= 50_000_000 && clock.drift_ppm.abs() <= 200));
    }
    scenario.clocks = Clocks::default();
    assert!(plan(&scenario, 1).clocks.is_empty());
}

#[test]
fn a_clock_of_its_own_leaves_those_of_the_others_as_they_were() {
    let mut scenario = scenario(5, "");
    let drawn = plan(&scenario, 3).clocks;
    scenario.clocks.nodes.insert("n2".to_owned(), NodeClock { offset: None, drift_ppm: -300_000 });
    let clocks = plan(&scenario, 3).clocks;
    assert_eq!(clocks[1], Clock { drift_ppm: -300_000, ..drawn[1] });
    assert!([0, 2, 3, 4].into_iter().all(|member| clocks[member] == drawn[member]));
}

#[test]
fn sizes_and_shapes_speak_of_servers_and_a_partition_has_room_for_everybody() {
    let members: Vec<String> = names(3).into_iter().chain(["c1", "c2", "r1"].map(str::to_owned)).collect();
    let crew = Crew { members: &members, servers: 3 };
    for seed in 0..50 {
        let mut dice = Dice::new(seed, Purpose::Faults, 0);
        let Target::Nodes(hit) = targets::whom(&Who::Majority, crew, 0, &mut dice) else { panic!("no names") };
        assert!(hit.len() == 2 && hit.iter().all(|name| crew.servers().contains(name)), "{hit:?}");
        let inject = Inject::Partition { shape: Shape::Halves, one_way: false };
        let Fault::Partition(LinkSet::Split { from, to, .. }) = targets::concrete(&inject, crew, 0, &mut dice) else {
            panic!("no split")
        };
        let mut everybody: Vec<String> = from.into_iter().chain(to).collect();
        let mut all = members.clone();
        everybody.sort();
        all.sort();
        assert_eq!(everybody, all);
    }
}

#[test]
fn to_lose_as_many_others_as_there_are_servers_is_not_to_lose_the_servers() {
    const MIXED: Rules<Nodes> = Rules {
        name: |_| "nodes",
        orders: |_| &[],
        members: |nodes, _| names(nodes.0).into_iter().chain(["c1".to_owned(), "c2".to_owned()]).collect(),
        servers: |nodes, _| usize::from(nodes.0),
        ..RULES
    };
    let read = |names: &str| {
        let fault = format!("(at: \"1s\", inject: Destroy(target: Nodes({names})))");
        let text = format!("(squall: 1, system: 2, workload: (until: \"60s\"), faults: [{fault}])");
        parse("test.ron", &text, &MIXED).map_err(|mistake| mistake.to_string())
    };
    assert!(read(r#"["c1", "c2"]"#).is_ok());
    let mistake = read(r#"["n1", "n2", "c1"]"#).expect_err("no server is left");
    assert!(mistake.contains("all servers are gone for good"), "{mistake}");
}
