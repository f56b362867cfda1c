//! A run is a function of its plan, and a world is a value: whenever, wherever and in whatever
//! pieces a plan is played, it comes to the same digest and the same verdict.

#![expect(clippy::disallowed_methods, reason = "runs in several threads must be the same run")]

use squall::environment::plan::Plan;
use squall::kernel::time::Time;
use squall::oracle::spec::{Oracle, Spec};
use squall::protocols::raft::node::Store;
use squall::protocols::ring::node::Node;
use squall::run::outcome::Outcome;
use squall::systems::{self, BuiltIn, System};
use squall::trace::Fingerprint;
use squall::world::{Failure, Pause, World};
use std::path::Path;
use std::sync::Arc;
use std::thread;

type Playing<P> = World<P, <P as Spec>::Oracles, Fingerprint>;
type StoreWorld = Playing<Store>;

fn plan(name: &str, seed: u64) -> Plan<BuiltIn> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name).with_extension("ron");
    let scenario = systems::load(&path).unwrap_or_else(|mistake| panic!("{mistake}"));
    systems::plan(&scenario, name, seed)
}

fn storm(seed: u64) -> Plan<BuiltIn> {
    plan("raft/storm", seed)
}

#[test]
fn a_plan_played_twice_comes_to_the_same_outcome() {
    for seed in 0..5 {
        let once = BuiltIn::play(&storm(seed));
        assert_eq!(once, BuiltIn::play(&storm(seed)), "seed {seed}");
        assert_ne!(
            once.digest,
            BuiltIn::play(&storm(seed + 5)).digest,
            "seeds {seed} and {} are the same run",
            seed + 5
        );
    }
}

#[test]
fn other_plans_before_it_do_not_change_a_run() {
    let first = BuiltIn::play(&storm(0));
    for name in ["raft/single-node", "museum/election-timer-reset-wrong", "raft/seven-nodes"] {
        BuiltIn::play(&plan(name, 1));
    }
    assert_eq!(first, BuiltIn::play(&storm(0)));
}

#[test]
fn another_thread_and_company_do_not_change_a_run() {
    let alone: Vec<Outcome> = (0..6).map(|seed| BuiltIn::play(&storm(seed))).collect();
    thread::scope(|scope| {
        // One forwards, one backwards, at the same time.
        let forwards = scope.spawn(|| (0..6).map(|seed| BuiltIn::play(&storm(seed))).collect::<Vec<_>>());
        let backwards = scope.spawn(|| (0..6).rev().map(|seed| BuiltIn::play(&storm(seed))).collect::<Vec<_>>());
        assert_eq!(forwards.join().expect("a run"), alone);
        let mut backwards = backwards.join().expect("a run");
        backwards.reverse();
        assert_eq!(backwards, alone);
    });
}

#[test]
fn a_plan_that_is_written_and_read_back_is_the_same_run() {
    use ron::extensions::Extensions;
    let ron = ron::Options::default().with_default_extension(
        Extensions::IMPLICIT_SOME | Extensions::UNWRAP_NEWTYPES | Extensions::UNWRAP_VARIANT_NEWTYPES,
    );
    for name in [
        "raft/storm",
        "raft/clock-drift",
        "raft/slow-disks",
        "raft/flaky-links",
        "ring/two-joins-at-once",
        "ring/wiped-and-replaced",
        "museum/stale-term-vote-counted",
    ] {
        let plan = plan(name, 7);
        let text = ron.to_string_pretty(&plan, ron::ser::PrettyConfig::default()).expect("a plan can be written");
        let read: Plan<BuiltIn> = ron.from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(read, plan);
        assert_eq!(BuiltIn::play(&read), BuiltIn::play(&plan), "{name}");
    }
}

fn world<P: Spec>(plan: &Arc<Plan<P::Config>>) -> Playing<P> {
    let mut world = World::new(Arc::clone(plan), P::oracles(&plan.system), Fingerprint::default());
    world.start().expect("a start without faults");
    world
}

/// Plays until so many steps have been taken, if the storm lasts that long.
fn play_to<P: Spec>(world: &mut Playing<P>, plan: &Plan<P::Config>, steps: u64) -> Result<Pause, Box<Failure>> {
    world.run_until(plan.calm_from(), steps, |_, _| false)
}

/// Plays from wherever in the storm to the end, as a run does.
fn play_on<P: Spec>(world: &mut Playing<P>, plan: &Plan<P::Config>) -> Result<(), Box<Failure>> {
    let settle = plan.settle.as_ref().expect("all scenarios settle");
    if world.now() < plan.calm_from() {
        assert_eq!(play_to(world, plan, plan.limits.steps)?, Pause::TimeIsUp);
    }
    world.calm(&settle.heal)?;
    let until: Time = plan.calm_from() + settle.within;
    match world.run_until(until, plan.limits.steps, |oracles, view| oracles.is_settled(view))? {
        Pause::Reached => world.end(),
        Pause::TimeIsUp => Err(world.unsettled()),
        Pause::OutOfSteps => panic!("the limit of steps is not for here"),
    }
}

fn fingerprint<P: Spec>(world: &Playing<P>) -> (String, u64, u64, Time) {
    (world.trace().digest().to_string(), world.trace().events(), world.steps(), world.now())
}

#[test]
fn a_world_forked_anywhere_in_a_storm_comes_to_the_same_end_in_both_halves() {
    for seed in 0..3 {
        let whole = BuiltIn::play(&storm(seed));
        let plan = systems::raft::raft_plan(&storm(seed));
        for fork_at in [1, 17, whole.steps / 3, whole.steps / 2, whole.steps * 9 / 10] {
            let mut left: StoreWorld = world(&plan);
            play_to(&mut left, &plan, fork_at).expect("a storm that Raft survives");
            let mut right = left.clone();
            // One after the other: what the first does must not reach the second.
            play_on(&mut left, &plan).expect("a storm that Raft survives");
            assert_ne!(fingerprint(&left), fingerprint(&right), "the left half has taken the right one along");
            play_on(&mut right, &plan).expect("a storm that Raft survives");
            assert_eq!(fingerprint(&left), fingerprint(&right), "seed {seed} forked at step {fork_at}");
            assert_eq!(left.oracles().goals(), right.oracles().goals());
            assert_eq!(left.trace().digest().to_string(), whole.digest, "seed {seed} forked at step {fork_at}");
            assert_eq!(left.steps(), whole.steps);
        }
    }
}

/// In the middle of a change as anywhere: the epochs, what was fetched and the oracle's mirrors are part of the value.
#[test]
fn a_ring_forked_while_members_change_comes_to_the_same_end_in_both_halves() {
    for name in ["ring/two-joins-at-once", "ring/leave-while-neighbour-fails"] {
        let drawn = plan(name, 2);
        let whole = BuiltIn::play(&drawn);
        let plan = systems::ring::ring_plan(&drawn);
        for fork_at in [1, whole.steps / 4, whole.steps / 2, whole.steps * 3 / 4] {
            let mut left: Playing<Node> = world(&plan);
            play_to(&mut left, &plan, fork_at).expect("a change that a ring survives");
            let mut right = left.clone();
            play_on(&mut left, &plan).expect("a change that a ring survives");
            assert_ne!(fingerprint(&left), fingerprint(&right), "the left half has taken the right one along");
            play_on(&mut right, &plan).expect("a change that a ring survives");
            assert_eq!(fingerprint(&left), fingerprint(&right), "{name} forked at step {fork_at}");
            assert_eq!(left.trace().digest().to_string(), whole.digest, "{name} forked at step {fork_at}");
        }
    }
}

#[test]
fn a_world_replaced_by_its_clone_again_and_again_plays_on_as_one() {
    for (seed, every) in [(3, 1), (4, 7), (5, 100)] {
        let whole = BuiltIn::play(&storm(seed));
        let plan = systems::raft::raft_plan(&storm(seed));
        let mut world: StoreWorld = world(&plan);
        // To clone after each step of a whole run would take long; its first thousand show the same.
        while world.now() < plan.calm_from() && world.steps() < 1_000 * every {
            let next = world.steps() + every;
            play_to(&mut world, &plan, next).expect("a storm that Raft survives");
            world = world.clone();
        }
        play_on(&mut world, &plan).expect("a storm that Raft survives");
        assert_eq!(world.trace().digest().to_string(), whole.digest, "seed {seed} cloned every {every} steps");
    }
}

/// The judges are part of the value: both halves remember what was committed before the fork, and
/// both see the same promise broken at the same step.
#[test]
fn a_fork_is_judged_like_its_parent() {
    for name in ["museum/vote-without-log-check", "museum/commit-old-term-by-counting", "museum/vote-quorum-third"] {
        let plan = plan(name, 0);
        let whole = BuiltIn::play(&plan);
        let violated = whole.violation().expect("seed 0 of an exhibit breaks");
        let plan = systems::raft::raft_plan(&plan);
        for fork_at in [violated.step / 2, violated.step - 1] {
            let mut left: StoreWorld = world(&plan);
            play_to(&mut left, &plan, fork_at).expect("nothing is broken yet");
            let mut right = left.clone();
            let found = play_on(&mut left, &plan).expect_err("the left half finds it");
            assert_eq!(found, play_on(&mut right, &plan).expect_err("the right half finds it"));
            assert_eq!((&*found.violation.invariant, found.step), (&*violated.invariant, violated.step), "{name}");
            assert_eq!(fingerprint(&left), fingerprint(&right));
            assert_eq!(left.trace().digest().to_string(), whole.digest);
        }
    }
}
