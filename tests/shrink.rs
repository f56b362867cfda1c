//! Failing runs of the museum are shrunk: the same invariant breaks, little is left, nothing of it can go, and what
//! is written as a scenario draws the plan again.

use squall::environment::plan::Plan;
use squall::run::outcome::Outcome;
use squall::run::shrink::{End, Options, Shrunk, Size, needless, shrink};
use squall::scenario::model::Expect;
use squall::scenario::text;
use squall::scenario::undraw::undraw;
use squall::systems::subject::Shrinkable;
use squall::systems::{self, BuiltIn, System};
use std::path::Path;

/// The first failing run of an exhibit.
fn failing(exhibit: &str) -> (Plan<BuiltIn>, Outcome) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/museum").join(exhibit).with_extension("ron");
    let scenario = systems::load::<BuiltIn>(&file).unwrap_or_else(|mistake| panic!("{mistake}"));
    (0..10_000)
        .map(|seed| systems::plan(&scenario, &format!("museum/{exhibit}"), seed))
        .map(|plan| (plan.clone(), BuiltIn::play(&plan)))
        .find(|(_, outcome)| outcome.violation().is_some())
        .expect("the museum shows what it says")
}

fn shrunk(plan: &Plan<BuiltIn>, outcome: &Outcome, jobs: usize, plays: u64) -> Shrunk<BuiltIn> {
    shrink(plan, outcome, &Shrinkable::new(), Options { jobs, plays }, &mut |_| true)
}

/// Shrinks to the end, and asserts all that must hold of the result.
fn minimal(exhibit: &str, events_max: u64) -> Plan<BuiltIn> {
    let (plan, outcome) = failing(exhibit);
    let subject = Shrinkable::<BuiltIn>::new();
    let Shrunk { plan: small, outcome: smaller, end, .. } = shrunk(&plan, &outcome, 2, 1_000_000);
    assert_eq!(end, End::Minimal);
    let invariant = &outcome.violation().expect("it failed").invariant;
    assert_eq!(&smaller.violation().expect("it fails").invariant, invariant);
    let size = Size::counted(&small, &smaller, &subject);
    assert!(size.faults <= 3 && size.events <= events_max, "{exhibit}: {size:?}");
    assert_eq!(needless(&small, &smaller, &subject).1, [], "{exhibit} is not minimal");

    // What is written stands alone.
    let mut scenario = undraw(&small, &small.system.members(&small.workload));
    scenario.expect = Expect::Breaks(vec![invariant.clone()]);
    let written = text::written(&scenario, 2);
    let read = systems::parse::<BuiltIn>("small.ron", &written).unwrap_or_else(|mistake| panic!("{mistake}"));
    let drawn = systems::plan(&read, &small.scenario, small.seed);
    assert_eq!(drawn, small);
    let played = BuiltIn::play(&drawn);
    assert_eq!(played.digest, smaller.digest);
    assert!(played.meets(&systems::expectation(&read)));

    // It is the planted defect that breaks it.
    let sound = Plan { exhibits: Vec::new(), ..small.clone() };
    assert_eq!(BuiltIn::play(&sound).violation(), None, "{exhibit} taken out");
    small
}

/// SandTable found it at depth 8; here each node's start is an event, too.
#[test]
fn a_stale_vote_takes_two_servers_and_eight_events() {
    let plan = minimal("stale-term-vote-counted", 16);
    assert_eq!((plan.system.members(&plan.workload).len(), plan.workload.clients, plan.faults.len()), (2, 0, 0));
}

/// SandTable found it at depth 13.
#[test]
fn a_commit_index_that_falls_takes_twice_its_depth_at_most() {
    minimal("commit-index-regress", 26);
}

/// SandTable found it at depth 9.
#[test]
fn a_stale_append_takes_twice_its_depth_at_most() {
    minimal("truncate-on-stale-append", 18);
}

#[test]
fn a_vote_that_is_not_kept_takes_almost_nothing() {
    minimal("votedfor-not-persisted", 10);
}

#[test]
fn the_result_is_the_same_with_any_number_of_threads_and_for_every_budget() {
    let (plan, outcome) = failing("vote-without-log-check");
    for plays in [10, 300, 2_500] {
        let [one, two] = [1, 2].map(|jobs| shrunk(&plan, &outcome, jobs, plays));
        assert_eq!(one.plan, two.plan, "{plays} plays");
        assert_eq!((one.plays, one.end, one.outcome.digest), (two.plays, two.end, two.outcome.digest));
        assert!(one.plays <= plays);
    }
}
