//! Who is taken for dead on a ring, and who is not, over many seeds.

use squall::run::outcome::{Outcome, Verdict};
use squall::scenario::model::Scenario;
use squall::systems::{self, BuiltIn, System};
use std::path::Path;

fn scenario(name: &str) -> Scenario<BuiltIn> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name).with_extension("ron");
    systems::load(&file).unwrap_or_else(|mistake| panic!("{mistake}"))
}

fn count(outcome: &Outcome, goal: &str) -> u64 {
    outcome.goals.get(goal).copied().unwrap_or(0)
}

/// How often each of these goals was reached in so many seeds.
fn counts<const N: usize>(name: &str, seeds: u64, goals: [&str; N]) -> [u64; N] {
    let scenario = scenario(name);
    let mut counts = [0; N];
    for seed in 0..seeds {
        let outcome = BuiltIn::play(&systems::plan(&scenario, name, seed));
        assert_eq!(outcome.verdict, Verdict::Pass, "{name}, seed {seed}");
        counts.iter_mut().zip(goals).for_each(|(sum, goal)| *sum += count(&outcome, goal));
    }
    counts
}

const GOALS: [&str; 3] = ["ring.member-suspected", "ring.suspect-cleared", "ring.member-presumed-dead"];

#[test]
fn who_is_cut_off_from_the_leader_alone_is_suspected_and_cleared_and_never_dead() {
    let [suspected, cleared, dead] = counts("ring/flaky-link-to-leader", 100, GOALS);
    assert!(suspected > 100 && cleared > 100, "{suspected} suspected, {cleared} cleared");
    assert_eq!(dead, 0);
}

#[test]
fn who_is_dead_is_taken_for_dead_in_every_run() {
    let [_, _, dead] = counts("ring/dead-for-good", 50, GOALS);
    assert!(dead >= 50, "{dead} in 50 runs");
}
