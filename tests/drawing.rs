//! What a seed draws from the faults of a scenario: each for itself, in its phase, piece by piece, in turn.

use squall::environment::fault::{Fault, Kind, LinkSet, Moment, PlannedFault, Target};
use squall::environment::plan::Plan;
use squall::kernel::time::{Span, Time};
use squall::systems::{self, BuiltIn};
use std::collections::BTreeSet;

fn plan(fields: &str, seed: u64) -> Plan<BuiltIn> {
    let text = format!("(squall: 1, system: Raft(nodes: 5), workload: (until: \"20s\"), {fields})");
    let scenario = systems::parse("it.ron", &text).unwrap_or_else(|wrong| panic!("{wrong}"));
    systems::plan(&scenario, "it", seed)
}

/// One line for each kind of fault but orders, of which Raft understands none. Those that share a kind, a swizzle and a clog, are not both here.
const LINES: [(Kind, &str); 23] = [
    (Kind::Partition, r#"rate: "1/s", lasts: "1s", inject: Partition(shape: Random, one_way: true)"#),
    (Kind::Clog, r#"rate: "1/s", lasts: ("1s", "3s"), inject: Swizzle"#),
    (Kind::Loss, r#"rate: "1/s", lasts: "1s", inject: Loss(probability: "5%", burst: 4, over: Isolate(One))"#),
    (Kind::Duplicate, r#"rate: "1/s", lasts: "1s", inject: Duplicate(probability: "5%", over: Halves)"#),
    (Kind::Delay, r#"rate: "1/s", lasts: "1s", inject: Delay(extra: Const("9ms"), over: Bridge)"#),
    (Kind::Reorder, r#"rate: "1/s", lasts: "1s", inject: Reorder(probability: "5%", within: "50ms")"#),
    (Kind::Corrupt, r#"rate: "1/s", lasts: "1s", inject: Corrupt(probability: "5%", over: Mute(One))"#),
    (Kind::Bandwidth, r#"rate: "1/s", lasts: "1s", inject: Bandwidth(rate: "9KB/s", over: MajoritiesRing)"#),
    (Kind::Kill, r#"every: "2s", jitter: "50%", inject: Kill(target: Minority, restart_after: ("0s", "3s"))"#),
    (Kind::Wipe, r#"rate: "1/s", inject: Wipe(target: One, restart_after: "1s")"#),
    (Kind::Destroy, r#"when: Started, skip: (0, 9), inject: Destroy(target: One)"#),
    (Kind::Pause, r#"when: Synced, skip: (0, 99), times: 4, lasts: ("1s", "2s"), inject: Pause(target: One)"#),
    (Kind::SlowNode, r#"rate: "1/s", lasts: "1s", inject: SlowNode(target: One, handling: Const("9ms"))"#),
    (Kind::ClockJump, r#"rate: "1/s", inject: ClockJump(target: Random(2), by: "-2s")"#),
    (Kind::ClockDrift, r#"rate: "1/s", inject: ClockSlew(target: One, by: "1ms")"#),
    (Kind::ClockFreeze, r#"rate: "1/s", lasts: "1s", inject: ClockFreeze(target: Majority)"#),
    (Kind::DiskSlow, r#"rate: "1/s", lasts: "1s", inject: DiskSlow(extra: Const("9ms"), target: One)"#),
    (Kind::DiskStall, r#"rate: "1/s", lasts: "1s", inject: DiskStall(target: One)"#),
    (Kind::DiskError, r#"rate: "1/s", lasts: "1s", inject: DiskError(target: One, sync: "5%")"#),
    (Kind::DiskFull, r#"rate: "1/s", lasts: "1s", inject: DiskFull(target: One)"#),
    (Kind::TornWrite, r#"rate: "1/s", lasts: "1s", inject: TornWrite(target: One)"#),
    (Kind::LostSync, r#"rate: "1/s", lasts: "1s", inject: LostSync(target: One)"#),
    (Kind::BitRot, r#"rate: "1/s", inject: BitRot(target: One)"#),
];

fn storm(lines: impl Iterator<Item = &'static str>) -> String {
    let lines: String = lines.map(|line| format!("({line}), ")).collect();
    format!("faults: [{lines}]")
}

#[test]
fn to_change_the_faults_of_one_kind_leaves_those_of_all_others_byte_for_byte() {
    let other = r#"every: "700ms", jitter: "80%", inject: Kill(target: All, restart_after: ("1s", "9s"))"#;
    for seed in 0..10 {
        let all = plan(&storm(LINES.iter().map(|line| line.1)), seed);
        for (kind, _) in LINES.iter().filter(|line| line.0 != Kind::Kill) {
            let changed = storm(LINES.iter().map(|line| if line.0 == *kind { other } else { line.1 }));
            let changed = plan(&changed, seed);
            let rest = |plan: &Plan<BuiltIn>| -> String {
                let is_rest = |fault: &&PlannedFault| ![*kind, Kind::Kill].contains(&fault.inject.kind());
                plan.faults.iter().filter(is_rest).map(|fault| format!("{fault:?}\n")).collect()
            };
            assert!(all.faults.iter().any(|fault| fault.inject.kind() == *kind), "{} does not come", kind.name());
            assert_eq!(rest(&changed), rest(&all), "seed {seed}, {} changed", kind.name());
            assert_ne!(changed.faults, all.faults);
        }
    }
}

/// The first phase is a second or four long; what comes in the second phase moves with its beginning and with nothing
/// else, and nothing lasts beyond the end.
#[test]
fn a_phase_moves_its_faults_exactly_and_ends_them() {
    let moved = |length: u64, seed| {
        let phases = LINES.iter().map(|line| format!("({}), ", line.1)).collect::<String>();
        plan(&format!("phases: [(lasts: \"{length}s\"), (lasts: \"6s\", faults: [{phases}])]"), seed)
    };
    for seed in 0..40 {
        let (early, late) = (moved(1, seed), moved(4, seed));
        assert!(early.faults.len() > 40);
        let shift = Span::secs(3);
        let shifted = early.faults.iter().map(|fault| PlannedFault {
            at: fault.at + shift,
            until: fault.until.map(|until| until + shift),
            ..fault.clone()
        });
        assert!(shifted.eq(late.faults.iter().cloned()), "seed {seed}");
        for fault in &late.faults {
            let (from, end) = (Time::ZERO + Span::secs(4), Time::ZERO + Span::secs(10));
            assert!(from <= fault.at && fault.at < end, "{fault:?}");
            let is_over_at_once = matches!(fault.inject.kind(), Kind::Destroy | Kind::ClockJump | Kind::BitRot);
            assert!(fault.until.map_or(is_over_at_once, |until| fault.at < until && until <= end), "{fault:?}");
        }
    }
}

#[test]
fn a_swizzle_clogs_and_unclogs_everybody_it_has_chosen_within_its_length() {
    let (mut sizes, mut orders) = (BTreeSet::new(), 0);
    for seed in 0..200 {
        let plan = plan(r#"faults: [(at: "5s", lasts: "4s", inject: Swizzle)]"#, seed);
        let (begin, half, end) = (Span::secs(5), Span::secs(7), Span::secs(9));
        let mut members = BTreeSet::new();
        for fault in &plan.faults {
            let Fault::Clog { over: Some(LinkSet::Isolate { target: Target::Nodes(names), .. }) } = &fault.inject
            else {
                panic!("{fault:?} clogs nobody");
            };
            assert!(names.len() == 1 && members.insert(names[0].clone()), "{names:?} twice");
            let (at, until) = (fault.at.since(Time::ZERO), fault.until.expect("an end").since(Time::ZERO));
            assert!(begin <= at && at < half && half < until && until <= end, "{fault:?}");
        }
        let starts: BTreeSet<Time> = plan.faults.iter().map(|fault| fault.at).collect();
        let ends: BTreeSet<Time> = plan.faults.iter().filter_map(|fault| fault.until).collect();
        assert_eq!((starts.len(), ends.len()), (members.len(), members.len()), "two at once");
        assert_eq!(plan.faults[0].at, Time::ZERO + begin);
        assert_eq!(ends.last(), Some(&(Time::ZERO + end)));
        orders += usize::from(!plan.faults.iter().is_sorted_by_key(|fault| fault.until));
        sizes.insert(members.len());
    }
    assert_eq!(sizes, BTreeSet::from([1, 2, 3, 4, 5]));
    assert!(orders > 80, "{orders} in another order");
}

#[test]
fn a_swizzle_that_begins_late_leaves_out_what_would_begin_too_late() {
    for seed in 0..100 {
        let plan = plan(r#"faults: [(every: "1s", lasts: ("1s", "60s"), inject: Swizzle)]"#, seed);
        assert!(plan.faults.iter().all(|fault| fault.at < plan.calm_from()));
    }
}

#[test]
fn members_in_turn_come_one_after_the_other_and_round_again() {
    let hit = |fields: &str| -> Vec<String> {
        let names = |fault: &PlannedFault| match fault.inject.target() {
            Some(Target::Nodes(names)) => names.join(" "),
            other => panic!("{other:?} are no names"),
        };
        plan(fields, 3).faults.iter().map(names).collect()
    };
    let round = ["n1", "n2", "n3", "n4", "n5", "n1", "n2"];
    let regular = hit(r#"faults: [(every: "2s", until: "15s", inject: Kill(target: InTurn, restart_after: "1s"))]"#);
    assert_eq!(regular, round);
    assert_eq!(hit(r#"faults: [(when: Synced, times: 7, lasts: "1s", inject: Pause(target: InTurn))]"#), round);
}

#[test]
fn a_fault_that_waits_skips_as_many_moments_as_were_drawn_and_one_more_each_time() {
    let mut skipped = BTreeSet::new();
    for seed in 0..100 {
        let line = r#"(when: LeaderElected, after: "20ms", skip: (2, 5), times: 3, from: "1s", lasts: ("1s", "2s"),
            inject: Partition(shape: Isolate(Subject)))"#;
        let plan = plan(&format!("faults: [{line}]"), seed);
        let triggers: Vec<_> = plan.faults.iter().map(|fault| fault.when.clone().expect("it waits")).collect();
        let first = triggers[0].skip;
        assert_eq!(triggers.iter().map(|trigger| trigger.skip).collect::<Vec<_>>(), [first, first + 1, first + 2]);
        for (fault, trigger) in plan.faults.iter().zip(&triggers) {
            assert_eq!(trigger.moment, Moment::Goal("raft.leader-elected".to_owned()));
            assert_eq!((trigger.after, fault.at, fault.until), (Span::ms(20), Time::ZERO + Span::secs(1), None));
            assert!(trigger.lasts.is_some_and(|lasts| (Span::secs(1)..=Span::secs(2)).contains(&lasts)));
            let Fault::Partition(LinkSet::Isolate { target: Target::Subject, .. }) = &fault.inject else {
                panic!("{fault:?}");
            };
        }
        skipped.insert(first);
    }
    assert_eq!(skipped, BTreeSet::from([2, 3, 4, 5]));
}
