//! Shrinking, on a system that is nothing but its plan: what breaks it is written down, so the minimum is known.

use super::*;
use crate::environment::distribution::Distribution;
use crate::environment::fault::{Fault, LinkSet, Moment, PlannedFault, Target, Trigger};
use crate::environment::plan::{Disk, LinkRule, Operation, Workload};
use crate::kernel::time::Span;
use crate::run::outcome::{Verdict, Violated};
use std::collections::BTreeMap;

/// So many members.
type Toy = u16;

/// Breaks when `is_broken` says so.
struct Workshop<F>(F);

impl<F: Fn(&Plan<Toy>) -> bool + Sync> Subject<Toy> for Workshop<F> {
    fn play(&self, plan: &Plan<Toy>) -> Outcome {
        let at = plan.faults.last().map_or(60_000_000, |fault| fault.at.ns());
        let violated = Violated {
            invariant: "toy.safe".to_owned(),
            time_ns: at,
            step: 1,
            during: "fault".to_owned(),
            nodes: Vec::new(),
            message: "it broke".to_owned(),
        };
        Outcome {
            scenario: String::new(),
            system: "toy".to_owned(),
            seed: plan.seed,
            engine: 1,
            verdict: if (self.0)(plan) { Verdict::Violation(violated) } else { Verdict::Pass },
            steps: 1,
            events: 10 + plan.faults.len() as u64,
            virtual_ns: at,
            digest: String::new(),
            goals: BTreeMap::new(),
            faults: BTreeMap::new(),
            faults_planned: BTreeMap::new(),
            faults_fired: BTreeMap::new(),
            fault_effects: BTreeMap::new(),
            excuse: None,
            stats: BTreeMap::new(),
        }
    }

    fn operations(&self, _: &Plan<Toy>) -> Vec<PlannedOperation> {
        let operation = |number: u64| PlannedOperation {
            at: Time::from_ns(1_234_567 * (number + 1)),
            client: format!("c{}", 1 + number % 3),
            invoke: Operation::Write { key: number as u32 % 5, value: 1_000 + number },
        };
        (0..40).map(operation).collect()
    }

    fn members(&self, system: &Toy, _: &Workload) -> Vec<String> {
        (1..=*system).map(|number| format!("n{number}")).collect()
    }

    fn roles(&self, _: &Toy) -> Vec<String> {
        Vec::new()
    }

    fn simpler(&self, system: &Toy) -> Vec<Toy> {
        system.checked_sub(1).filter(|members| *members > 0).into_iter().collect()
    }

    fn is_allowed(&self, _: &Plan<Toy>) -> bool {
        true
    }
}

fn named(name: &str) -> Target {
    Target::Nodes(vec![name.to_owned()])
}

/// Five members, forty faults, three clients that draw what they do, bad weather.
fn storm() -> Plan<Toy> {
    let mut plan = Plan::new(5, 77, Span::secs(30));
    plan.network.latency = Distribution::Exp { min: Span::ms(1), mean: Span::ms(9) };
    plan.network.loss = crate::kernel::chance::Ratio::new(1, 100).expect("a probability");
    plan.faults = (0..40_u64)
        .map(|number| PlannedFault {
            at: Time::from_ns(100_000_019 * (number + 1)),
            when: None,
            until: Some(Time::from_ns(100_000_019 * (number + 4))),
            inject: match number % 4 {
                0 => Fault::Pause { target: named(&format!("n{}", 1 + number % 5)) },
                1 => Fault::Kill { target: named(&format!("n{}", 1 + number % 5)) },
                2 => Fault::Heal,
                _ => Fault::Partition(LinkSet::Split {
                    from: vec!["n1".to_owned(), "n2".to_owned()],
                    to: vec!["n3".to_owned(), "n4".to_owned(), "n5".to_owned()],
                    one_way: false,
                }),
            },
        })
        .collect();
    plan
}

fn shrunk(jobs: usize, plays: u64, is_broken: impl Fn(&Plan<Toy>) -> bool + Sync) -> Shrunk<Toy> {
    let (plan, workshop) = (storm(), Workshop(is_broken));
    let outcome = workshop.play(&plan);
    shrink(&plan, &outcome, &workshop, Options { jobs, plays }, &mut |_| true)
}

fn count(plan: &Plan<Toy>, is_one: impl Fn(&Fault) -> bool) -> usize {
    plan.faults.iter().filter(|fault| is_one(&fault.inject)).count()
}

fn kills_and_sleeps(plan: &Plan<Toy>) -> bool {
    count(plan, |fault| matches!(fault, Fault::Kill { .. })) >= 2
        && count(plan, |fault| matches!(fault, Fault::Pause { .. })) >= 1
}

#[test]
fn of_forty_faults_only_those_that_are_needed_are_left_in_calm_weather() {
    let Shrunk { plan, end, .. } = shrunk(1, 1_000_000, kills_and_sleeps);
    assert_eq!(end, End::Minimal);
    assert_eq!(plan.faults.len(), 3, "{:?}", plan.faults);
    assert!(kills_and_sleeps(&plan));
    assert!(plan.system <= 2, "{:?}", plan.faults);
    assert_eq!((plan.workload.clients, plan.seed), (0, 0));
    assert!(plan.network.loss.is_zero() && matches!(plan.network.latency, Distribution::Const(_)));
    // All at once and at no time in particular is as good.
    assert!(plan.faults.iter().all(|fault| fault.until.is_none() && fault.at == Time::ZERO), "{:?}", plan.faults);
}

#[test]
fn operations_are_spelled_out_and_only_those_that_are_needed_are_left() {
    let writes = |plan: &Plan<Toy>| {
        let Some(operations) = &plan.workload.operations else { return plan.workload.clients > 0 };
        let at = |value: u64| {
            operations
                .iter()
                .position(|planned| matches!(planned.invoke, Operation::Write { value: v, .. } if v % 7 == value))
        };
        at(3).zip(at(5)).is_some_and(|(three, five)| three < five)
    };
    let Shrunk { plan, .. } = shrunk(1, 1_000_000, writes);
    let operations = plan.workload.operations.as_ref().expect("they are spelled out");
    assert_eq!(operations.len(), 2, "{operations:?}");
    assert!(operations.iter().all(|planned| planned.client == "c1" && planned.invoke.key() == 0), "{operations:?}");
    assert_eq!((plan.workload.clients, plan.workload.keys, plan.faults.len()), (1, 1, 0));
}

#[test]
fn nodes_are_renamed_when_others_go() {
    let fifth_dies = |plan: &Plan<Toy>| {
        let last = format!("n{}", plan.system);
        plan.system > 1 && count(plan, |fault| matches!(fault, Fault::Kill { target } if *target == named(&last))) > 0
    };
    let Shrunk { plan, .. } = shrunk(1, 1_000_000, fifth_dies);
    assert_eq!((plan.system, plan.faults.len()), (2, 1));
    assert_eq!(plan.faults[0].inject, Fault::Kill { target: named("n2") });
}

#[test]
fn moments_links_and_disks_become_plain() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let waits = |fault: &PlannedFault| fault.when.as_ref().is_some_and(|trigger| trigger.skip >= 2);
    let is_slow = |rule: &LinkRule| rule.latency.is_some() && rule.from.contains(&"n1".to_owned());
    let needed = move |plan: &Plan<Toy>| plan.faults.iter().any(waits) && plan.network.links.iter().any(is_slow);
    let mut plan = storm();
    let (after, lasts) = (Span::us(1_234), Some(Span::us(56_789)));
    plan.faults[7].when = Some(Trigger { moment: Moment::Written, skip: 117, after, lasts });
    plan.network.links.push(LinkRule {
        from: names(&["n1", "n2"]),
        to: names(&["n3", "n4"]),
        both_ways: true,
        latency: Some(Distribution::Exp { min: Span::ms(3), mean: Span::ms(37) }),
        loss: crate::kernel::chance::Ratio::new(1, 7),
        duplicate: None,
    });
    plan.disk.unsynced = crate::environment::disk::crash::Survival::AnySubset;
    plan.disk.recoverable = true;
    plan.clock_uncertainty = Span::ms(5);
    let workshop = Workshop(needed);
    let outcome = workshop.play(&plan);
    let Shrunk { plan, .. } = shrink(&plan, &outcome, &workshop, Options { jobs: 1, plays: 1_000_000 }, &mut |_| true);
    let trigger = plan.faults[0].when.clone().expect("it waits");
    assert_eq!((plan.faults.len(), trigger.skip, trigger.after, trigger.lasts), (1, 2, Span::ZERO, None));
    let [rule] = plan.network.links.as_slice() else { panic!("{:?}", plan.network.links) };
    assert_eq!((rule.from.len(), rule.to.len(), rule.both_ways, rule.loss), (1, 1, false, None));
    assert!(matches!(rule.latency, Some(Distribution::Const(_))), "{rule:?}");
    let disk = Disk { sync: Distribution::ZERO, recoverable: true, ..Disk::default() };
    assert_eq!((plan.disk, plan.clock_uncertainty), (disk, Span::ZERO));
}

#[test]
fn another_seed_may_do_and_the_smallest_is_preferred() {
    let lucky = |plan: &Plan<Toy>| plan.seed == 77 || plan.seed == 6 || (plan.seed == 4 && plan.faults.is_empty());
    let Shrunk { plan, .. } = shrunk(1, 1_000_000, lucky);
    assert_eq!((plan.seed, plan.faults.len()), (4, 0));
}

#[test]
fn the_result_does_not_depend_on_the_number_of_threads_also_when_the_budget_ends_it() {
    for plays in [0, 1, 7, 100, 1_000, 1_000_000] {
        let (one, three) = (shrunk(1, plays, kills_and_sleeps), shrunk(3, plays, kills_and_sleeps));
        assert_eq!((&one.plan, one.plays, one.end), (&three.plan, three.plays, three.end), "{plays} plays");
        assert!(one.plays <= plays && kills_and_sleeps(&one.plan));
        assert_eq!(one.end == End::Minimal, plays == 1_000_000);
    }
}

#[test]
fn who_is_asked_to_stop_has_the_best_so_far() {
    let (plan, workshop) = (storm(), Workshop(kills_and_sleeps));
    let outcome = workshop.play(&plan);
    let mut asked = 0;
    let mut onlooker = |status: &Status| {
        asked += 1;
        status.size.faults > 20
    };
    let shrunk = shrink(&plan, &outcome, &workshop, Options { jobs: 1, plays: 1_000_000 }, &mut onlooker);
    assert_eq!(shrunk.end, End::Stopped);
    assert!(shrunk.plan.faults.len() <= 20 && shrunk.plan.faults.len() >= 3 && asked > 1);
    assert!(kills_and_sleeps(&shrunk.plan));
}

#[test]
fn what_is_needless_is_found_and_named() {
    let workshop = Workshop(kills_and_sleeps);
    let plan = storm();
    let (plays, found) = needless(&plan, &workshop.play(&plan), &workshop);
    assert_eq!((plays, found.len()), (40, 40));
    assert_eq!(found[2], Needless { what: "heal at 300000057ns".to_owned(), seed: 77 });
    let Shrunk { plan, outcome, .. } = shrunk(1, 1_000_000, kills_and_sleeps);
    assert_eq!(needless(&plan, &outcome, &workshop), (3 * SEEDS, Vec::new()));
}

/// A sound system that breaks, too, shows that what broke is not the planted defect any more.
#[test]
fn a_planted_defect_stays_the_cause() {
    let is_broken = |plan: &Plan<Toy>| match plan.exhibits.len() {
        1 => !plan.faults.is_empty(),
        // Without the defect, it takes a calm network: an accident that has nothing to do with it.
        _ => matches!(plan.network.latency, Distribution::Const(_)),
    };
    let workshop = Workshop(is_broken);
    let mut plan = storm();
    plan.exhibits.push("defect".to_owned());
    let outcome = workshop.play(&plan);
    let shrunk = shrink(&plan, &outcome, &workshop, Options { jobs: 2, plays: 1_000_000 }, &mut |_| true);
    assert_eq!((shrunk.plan.exhibits.len(), shrunk.plan.faults.len()), (1, 1));
    assert!(!matches!(shrunk.plan.network.latency, Distribution::Const(_)));
}
