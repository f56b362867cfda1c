//! What an operator orders: who hears it and when, what a scenario may order, and what becomes of it in plans.

#[path = "orders/office.rs"]
mod office;

use office::{Clerk, Office};
use squall::environment::distribution::Distribution;
use squall::environment::fault::{Command, Fault, Kind, Moment, PlannedFault, Target, Trigger};
use squall::environment::plan::{Heal, Plan};
use squall::kernel::chance::Ratio;
use squall::kernel::time::{Span, Time};
use squall::oracle::spec::Indifferent;
use squall::protocol::{NodeId, Order};
use squall::run::shrink::{End, Options, Shrunk, shrink};
use squall::scenario::model::Scenario;
use squall::scenario::text;
use squall::scenario::undraw::undraw;
use squall::systems::subject::Shrinkable;
use squall::systems::{self, System};
use squall::trace::{Happening, Trace};
use squall::world::World;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Remembers who heard which order when, and when it was durable that it was obeyed; times in milliseconds.
#[derive(Clone, Default)]
struct Diary {
    heard: Vec<(u64, u16, Order)>,
    obeyed: Vec<(u64, u16, Order)>,
}

impl Trace<Clerk> for Diary {
    fn happened(&mut self, at: Time, what: &Happening<'_, Clerk>) {
        let ms = at.ns() / 1_000_000;
        match what {
            Happening::Ordered { node, order } => self.heard.push((ms, node.number(), *order)),
            Happening::Noted { node, fact } => self.obeyed.push((ms, node.number(), **fact)),
            _ => {}
        }
    }
}

fn at(ms: u64) -> Time {
    Time::ZERO + Span::ms(ms)
}

fn clerks(numbers: &[u16]) -> Target {
    Target::Nodes(numbers.iter().map(|number| format!("n{}", number + 1)).collect())
}

fn order(ms: u64, numbers: &[u16], command: Command) -> PlannedFault {
    PlannedFault::once(at(ms), Fault::Order { target: clerks(numbers), command })
}

fn during(from: u64, until: u64, inject: Fault) -> PlannedFault {
    PlannedFault { until: Some(at(until)), ..PlannedFault::once(at(from), inject) }
}

/// A second of an office of four, whose disks take five milliseconds; nobody judges.
fn played(faults: Vec<PlannedFault>) -> World<Clerk, Indifferent, Diary> {
    let mut plan = Plan::new(4, 7, Span::secs(1));
    plan.disk.sync = Distribution::Const(Span::ms(5));
    plan.faults = faults;
    let mut world = World::new(Arc::new(plan), Indifferent, Diary::default());
    world.start().expect("nobody judges");
    world.run_until(at(1_000), u64::MAX, |_, _| false).expect("nobody judges");
    world
}

/// Planned, fired, changed, effects.
fn counts(world: &World<Clerk, Indifferent, Diary>, kind: Kind) -> [u64; 4] {
    let counts = world.fault_counts();
    [&counts.planned, &counts.fired, &counts.changed, &counts.effects].map(|counts| counts[kind as usize])
}

#[test]
fn who_is_up_hears_every_order_and_does_what_it_says_in_a_turn_of_its_own() {
    let world = played(vec![
        order(10, &[0, 2], Command::Join),
        order(20, &[0], Command::Reweigh { weight: 50 }),
        order(30, &[0], Command::Rezone { zone: 2 }),
        order(40, &[0], Command::Rebalance),
        order(50, &[0], Command::TransferLeadership),
        order(60, &[0], Command::Leave),
        order(70, &[3], Command::ReplaceMember { member: clerks(&[0]) }),
    ]);
    let heard = [
        (10, 0, Order::Join),
        (10, 2, Order::Join),
        (20, 0, Order::Reweigh(50)),
        (30, 0, Order::Rezone(2)),
        (40, 0, Order::Rebalance),
        (50, 0, Order::TransferLeadership),
        (60, 0, Order::Leave),
        (70, 3, Order::Replace(NodeId::new(0))),
    ];
    assert_eq!(world.trace().heard, heard);
    // What is behind a sync leaves when the disk says so, as after a message.
    let is_obeyed = |heard: &(u64, u16, Order)| heard.2 != Order::TransferLeadership;
    let obeyed = heard.into_iter().filter(is_obeyed).map(|(at, node, order)| (at + 5, node, order));
    assert!(obeyed.eq(world.trace().obeyed.iter().copied()), "{:?}", world.trace().obeyed);
    assert_eq!(counts(&world, Kind::Join), [1, 1, 1, 2], "two have come");
    assert_eq!(counts(&world, Kind::ReplaceMember), [1, 1, 1, 1]);
    assert_eq!(counts(&world, Kind::TransferLeadership), [1, 1, 0, 0], "nobody understands it");
}

#[test]
fn an_order_that_means_nothing_now_has_begun_and_changed_nothing() {
    let world = played(vec![
        order(10, &[0], Command::Leave),
        order(20, &[0], Command::Join),
        order(30, &[0, 1], Command::Join),
        order(40, &[0], Command::Join),
    ]);
    assert_eq!(world.trace().heard.len(), 5);
    assert_eq!(counts(&world, Kind::Leave), [1, 1, 0, 0]);
    assert_eq!(counts(&world, Kind::Join), [3, 3, 2, 2]);
}

#[test]
fn who_is_down_does_not_hear_it_then_nor_later() {
    let world = played(vec![during(10, 100, Fault::Kill { target: clerks(&[1]) }), order(50, &[1], Command::Join)]);
    assert_eq!(world.trace().heard, []);
    assert_eq!(counts(&world, Kind::Join), [1, 1, 0, 0]);
}

#[test]
fn who_sleeps_hears_it_when_it_wakes_and_who_dies_asleep_never() {
    let pause = |until| during(10, until, Fault::Pause { target: clerks(&[1]) });
    let world = played(vec![pause(100), order(50, &[1], Command::Join)]);
    assert_eq!(world.trace().heard, [(100, 1, Order::Join)]);
    assert_eq!((counts(&world, Kind::Join), counts(&world, Kind::Pause)), ([1, 1, 1, 1], [1, 1, 1, 1]));
    let kill = during(60, 80, Fault::Kill { target: clerks(&[1]) });
    let world = played(vec![pause(100), order(50, &[1], Command::Join), kill]);
    assert_eq!(world.trace().heard, []);
    assert_eq!(counts(&world, Kind::Join), [1, 1, 0, 0]);
}

/// It wakes, hears that its disk has failed, and starts anew at once: who was told is no more.
#[test]
fn who_starts_anew_has_not_heard_what_it_was_told_before() {
    let ill = Fault::DiskError { target: clerks(&[1]), write: Ratio::ZERO, sync: Ratio::ONE };
    let faults = vec![
        during(10, 40, ill),
        order(20, &[1], Command::Join),
        during(22, 100, Fault::Pause { target: clerks(&[1]) }),
        order(50, &[1], Command::Rebalance),
    ];
    let world = played(faults);
    assert_eq!(world.trace().heard, [(20, 1, Order::Join)]);
    assert_eq!(world.view().hosts[1].incarnation, 1);
    assert_eq!(counts(&world, Kind::Rebalance), [1, 1, 0, 0]);
}

/// It was given in the storm, and means something after it.
#[test]
fn who_wakes_when_all_is_healed_hears_what_it_was_told_before() {
    let pause = PlannedFault::once(at(10), Fault::Pause { target: clerks(&[1]) });
    let mut world = played(vec![pause, order(50, &[1], Command::Join)]);
    world.calm(&Heal::Everything).expect("nobody judges");
    world.run_until(at(1_100), u64::MAX, |_, _| false).expect("nobody judges");
    assert_eq!(world.trace().heard, [(1_000, 1, Order::Join)]);
    assert_eq!(counts(&world, Kind::Join), [1, 1, 1, 1]);
}

#[test]
fn places_are_taken_one_by_one_by_whoever_has_them_then_and_nobody_takes_its_own() {
    let worker = || Target::Role("worker".to_owned());
    let world = played(vec![
        order(10, &[2, 3], Command::ReplaceMember { member: clerks(&[0, 1]) }),
        order(20, &[0], Command::ReplaceMember { member: worker() }),
        order(30, &[1], Command::ReplaceMember { member: clerks(&[1]) }),
        order(40, &[1, 2], Command::ReplaceMember { member: worker() }),
    ]);
    let replace = |number| Order::Replace(NodeId::new(number));
    assert_eq!(
        world.trace().heard,
        [(10, 2, replace(0)), (10, 3, replace(1)), (20, 0, replace(3)), (40, 1, replace(3))]
    );
    assert_eq!(counts(&world, Kind::ReplaceMember), [4, 4, 3, 4]);
}

/// The order comes after a write, between two effects of a turn: the turn goes on first.
#[test]
fn a_turn_is_never_interrupted_by_an_order() {
    for (moment, told) in [(Moment::Written, 10), (Moment::Syncing, 10), (Moment::Synced, 15)] {
        let when = Some(Trigger { moment, skip: 0, after: Span::ZERO, lasts: None });
        let inject = Fault::Order { target: Target::Subject, command: Command::Leave };
        let waits = PlannedFault { when, ..PlannedFault::once(at(0), inject) };
        let world = played(vec![waits, order(10, &[1], Command::Join)]);
        assert_eq!(world.trace().heard, [(10, 1, Order::Join), (told, 1, Order::Leave)]);
        assert_eq!(world.trace().obeyed.last(), Some(&(20, 1, Order::Leave)));
        assert!(world.view().hosts[1].state.as_ref().is_some_and(|clerk| !clerk.is_at_work));
    }
}

const LINES: [&str; 9] = [
    r#"at: "1s", inject: Join(target: Nodes(["n6"]))"#,
    r#"every: "1s", jitter: "50%", inject: Join(target: One)"#,
    r#"rate: "1/s", inject: Leave(target: Minority)"#,
    r#"when: Started, after: "3s", inject: Leave(target: Subject)"#,
    r#"every: "2s", inject: ReplaceMember(target: InTurn, by: Nodes(["n6"]))"#,
    r#"rate: "1/s", inject: ReplaceMember(target: Role("worker"), by: One)"#,
    r#"rate: "1/s", inject: Reweigh(target: InTurn, weight: 50)"#,
    r#"at: "9s", inject: Rezone(target: Nodes(["n2"]), zone: 2)"#,
    r#"when: Synced, skip: (0, 9), times: 3, inject: Rebalance(target: All)"#,
];

fn parsed(fields: &str) -> Result<Scenario<Office>, String> {
    let text = format!("(squall: 1, system: Office(clerks: 6), workload: (until: \"10s\"), {fields})");
    systems::parse("office.ron", &text).map_err(|wrong| wrong.to_string())
}

fn drawn(fields: &str, seed: u64) -> Plan<Office> {
    systems::plan(&parsed(fields).unwrap_or_else(|wrong| panic!("{wrong}")), "office", seed)
}

fn faults<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    format!("faults: [{}]", lines.into_iter().map(|line| format!("({line}), ")).collect::<String>())
}

/// As a scenario, and as the text of a plan.
fn assert_comes_out_again(plan: &Plan<Office>) {
    let written = text::written(&undraw(plan, &plan.system.members(&plan.workload)), 3);
    let again = systems::parse::<Office>("again.ron", &written).unwrap_or_else(|wrong| panic!("{wrong}\n{written}"));
    assert_eq!(&systems::plan(&again, &plan.scenario, plan.seed), plan, "{written}");
    let stored = text::written(plan, 3).into_bytes();
    assert_eq!(&text::read::<Plan<Office>>("plan.ron", stored).unwrap_or_else(|wrong| panic!("{wrong}")), plan);
}

#[test]
fn a_plan_of_orders_becomes_a_scenario_that_draws_it() {
    let mut kinds = BTreeSet::new();
    for seed in 0..40 {
        let plan = drawn(&faults(LINES), seed);
        kinds.extend(plan.faults.iter().map(|fault| fault.inject.kind()));
        assert!(plan.faults.iter().all(|fault| fault.until.is_none()), "an order has no end");
        assert_comes_out_again(&plan);
    }
    assert_eq!(kinds.len(), 6, "{kinds:?}");
}

#[test]
fn two_plans_that_differ_in_one_order_have_all_other_draws_in_common() {
    let storm = [
        r#"rate: "1/s", lasts: "1s", inject: Partition(shape: Random)"#,
        r#"every: "2s", jitter: "50%", inject: Kill(target: Minority, restart_after: ("0s", "3s"))"#,
    ];
    let rest = |plan: &Plan<Office>, kind: Kind| {
        let mut plan = plan.clone();
        plan.faults.retain(|fault| fault.inject.kind() != kind);
        plan
    };
    for seed in 0..40 {
        let all = drawn(&faults(storm.into_iter().chain(LINES)), seed);
        let other = drawn(
            &faults(storm.into_iter().chain(LINES).map(|line| match line {
                r#"rate: "1/s", inject: Leave(target: Minority)"# => r#"rate: "9/s", inject: Leave(target: One)"#,
                line if line.contains("Leave") => r#"at: "1s", inject: Leave(target: All)"#,
                line => line,
            })),
            seed,
        );
        assert_ne!(all, other);
        assert_eq!(rest(&all, Kind::Leave), rest(&other, Kind::Leave), "seed {seed}");
    }
}

#[test]
fn what_cannot_be_ordered_is_refused_with_a_place_and_a_cure() {
    for (line, told) in [
        (
            r#"at: "1s", inject: TransferLeadership(target: One)"#,
            "faults[0].inject: office does not understand `TransferLeadership`; it understands `Join`, `Leave`, \
             `ReplaceMember`, `Reweigh`, `Rezone` or `Rebalance`",
        ),
        (r#"at: "1s", inject: Join(target: Nodes(["n9"]))"#, "there is no node \"n9\"; write"),
        (r#"at: "1s", lasts: "2s", inject: Join(target: One)"#, "`Join` happens at once and has no length; remove"),
        (r#"at: "1s", until: "2s", inject: Leave(target: One)"#, "`Leave` happens at once and has no end; remove"),
        (r#"at: "1s", inject: Rebalance(target: Subject)"#, "only a fault that waits for a moment has a `Subject`"),
        (r#"at: "1s", inject: ReplaceMember(target: One, by: Random(9))"#, "the fault hits 9 members, but"),
        (r#"at: "1s", inject: ReplaceMember(target: One, by: Role("boss"))"#, "this system has no role \"boss\"; "),
        (
            r#"at: "1s", inject: ReplaceMember(target: Nodes(["n1", "n2"]), by: Nodes(["n3", "n2"]))"#,
            "node \"n2\" cannot take its own place; name another node",
        ),
        (
            r#"at: "1s", inject: ReplaceMember(target: Nodes(["n1", "n2"]), by: Nodes(["n3"]))"#,
            "1 nodes take the places of 2; name as many as are replaced",
        ),
    ] {
        let wrong = parsed(&format!("faults: [({line})]")).expect_err(line);
        let told = told.strip_prefix("faults[0].inject: ").unwrap_or(told);
        assert!(wrong.starts_with("office.ron:1:") && wrong.contains(told), "{wrong}");
    }
}

#[test]
fn a_stored_plan_with_an_order_that_nobody_understands_is_refused() {
    let mut plan = drawn(&faults(LINES), 1);
    assert!(systems::complaints_about(&plan).is_empty());
    plan.faults.push(order(9_999, &[0], Command::TransferLeadership));
    let found = systems::complaints_about(&plan);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_hostile_swarm_tells_clerks_to_come_and_go() {
    let (mut told, mut obeyed) = (0, 0);
    for seed in 0..60 {
        let plan = drawn("swarm: Hostile", seed);
        assert_comes_out_again(&plan);
        told += plan.faults.iter().filter(|fault| fault.inject.kind().is_order()).count();
        let outcome = Office::play(&plan);
        obeyed += ["join", "leave"].iter().filter_map(|name| outcome.faults.get(*name)).sum::<u64>();
    }
    assert!(told > 100 && obeyed > 30, "{told} orders, {obeyed} changed something");
}

#[test]
fn an_order_that_breaks_something_is_what_is_left_of_a_storm() {
    let fields = faults([
        r#"every: "1s", jitter: "50%", inject: Reweigh(target: One, weight: 70)"#,
        r#"rate: "1/s", lasts: "1s", inject: Partition(shape: Random)"#,
        r#"at: "2s", inject: ReplaceMember(target: Nodes(["n5", "n4"]), by: Nodes(["n2", "n3"]))"#,
        r#"at: "9s", inject: Leave(target: All)"#,
    ]);
    let plan = drawn(&fields, 3);
    let outcome = Office::play(&plan);
    let violation = outcome.violation().expect("all have left");
    assert_eq!((violation.invariant.as_str(), violation.during.as_str()), ("office.manned", "order leave"));
    let options = Options { jobs: 1, plays: 100_000 };
    let Shrunk { plan: small, end, .. } = shrink(&plan, &outcome, &Shrinkable::new(), options, &mut |_| true);
    assert_eq!(end, End::Minimal);
    let told: Vec<String> = small.faults.iter().map(|fault| fault.inject.to_string()).collect();
    // Somebody must have come for anybody to leave.
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("reweigh") || told[0].starts_with("replace-member"), "{told:?}");
    assert!(told[1].starts_with("leave"), "{told:?}");
    assert_comes_out_again(&small);
}
