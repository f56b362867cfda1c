//! The museum: every published defect that can be planted has a scenario that finds it, and the
//! same scenario without the defect is silent. `SQUALL_MUSEUM_SEEDS` sets how many seeds of each
//! are played; a release build plays a thousand a second.

#![expect(clippy::disallowed_methods, reason = "many seeds in several threads, as many as a variable says")]

use squall::run::outcome::{Outcome, Verdict};
use squall::scenario::model::{Expect, Scenario};
use squall::systems::{self, BuiltIn, Exhibit, System};
use std::path::{Path, PathBuf};
use std::{env, fs, thread};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/museum")
}

fn exhibits() -> Vec<Exhibit> {
    BuiltIn::catalogue().exhibits
}

fn scenario(exhibit: &Exhibit) -> Scenario<BuiltIn> {
    let file = folder().join(exhibit.id).with_extension("ron");
    systems::load(&file).unwrap_or_else(|mistake| panic!("{mistake}"))
}

fn expected<'a>(exhibit: &Exhibit, scenario: &'a Scenario<BuiltIn>) -> &'a [String] {
    let Expect::Breaks(invariants) = &scenario.expect else { panic!("{} expects nothing to break", exhibit.id) };
    invariants
}

fn seeds() -> u64 {
    let text = env::var("SQUALL_MUSEUM_SEEDS").unwrap_or_else(|_| "100".to_owned());
    text.parse().unwrap_or_else(|_| panic!("SQUALL_MUSEUM_SEEDS is {text:?}; write a number"))
}

/// How many seeds it may take to find a defect.
fn budget(exhibit: &Exhibit) -> u64 {
    match exhibit.rarity {
        "common" => 100,
        "specific" => 10_000,
        "very rare" => 100_000,
        other => panic!("{} is {other}, whatever that is", exhibit.id),
    }
}

fn play(exhibit: &Exhibit, scenario: &Scenario<BuiltIn>, seed: u64) -> Outcome {
    BuiltIn::play(&systems::plan(scenario, &format!("museum/{}", exhibit.id), seed))
}

/// Plays the seeds on all processors.
fn on_each_seed(seeds: u64, check: impl Fn(u64) + Sync) {
    let threads = thread::available_parallelism().map_or(1, usize::from) as u64;
    thread::scope(|scope| {
        for first in 0..threads {
            let check = &check;
            scope.spawn(move || (first..seeds).step_by(threads as usize).for_each(check));
        }
    });
}

#[test]
fn every_exhibit_has_its_scenario_and_every_scenario_its_exhibit() {
    for exhibit in exhibits() {
        let scenario = scenario(&exhibit);
        assert_eq!(scenario.exhibits, [exhibit.id]);
        for invariant in expected(&exhibit, &scenario) {
            assert!(exhibit.invariants.contains(&invariant.as_str()), "{} does not list {invariant}", exhibit.id);
        }
    }
    for entry in fs::read_dir(folder()).expect("the museum is there") {
        let path = entry.expect("an entry").path();
        let id = path.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(exhibits().iter().any(|exhibit| exhibit.id == id), "there is no exhibit {id}");
    }
}

#[test]
fn every_exhibit_is_found_within_its_budget() {
    for exhibit in exhibits() {
        let scenario = scenario(&exhibit);
        let found = (0..budget(&exhibit)).any(|seed| play(&exhibit, &scenario, seed).violation().is_some());
        assert!(found, "{} is not found by any of {} seeds", exhibit.id, budget(&exhibit));
    }
}

#[test]
fn an_exhibit_breaks_what_it_says_and_nothing_else() {
    for exhibit in exhibits() {
        let scenario = scenario(&exhibit);
        let breaks = expected(&exhibit, &scenario);
        on_each_seed(seeds(), |seed| match play(&exhibit, &scenario, seed).verdict {
            Verdict::Pass => {}
            Verdict::Violation(violated) => assert!(
                breaks.contains(&violated.invariant),
                "{} with seed {seed} breaks {}: {}",
                exhibit.id,
                violated.invariant,
                violated.message
            ),
            Verdict::Inconclusive(why) => panic!("{} with seed {seed}: {why}", exhibit.id),
        });
    }
}

/// The control: what the oracles see is the defect, not the weather.
#[test]
fn without_the_exhibit_its_scenario_shows_nothing() {
    for exhibit in exhibits() {
        let mut scenario = scenario(&exhibit);
        scenario.exhibits.clear();
        on_each_seed(seeds(), |seed| {
            let outcome = play(&exhibit, &scenario, seed);
            assert_eq!(outcome.verdict, Verdict::Pass, "{} taken out, seed {seed}", exhibit.id);
        });
    }
}

/// The exhibit's own scenario stays as it is to the end, so it shows that nobody is served. Here the links are whole again after
/// three seconds, and what shows is that the leader has led on.
#[test]
fn a_leader_that_has_led_on_deaf_is_found_when_it_hears_again() {
    let text = r#"(squall: 1, system: Raft(nodes: 5), exhibits: ["prevote-without-checkquorum"],
        workload: (clients: 3, rate: "10/s", until: "8s"),
        faults: [(at: "3s", until: "6s", inject: Partition(shape: Deafen(Leader)))], settle: (within: "20s"))"#;
    let mut scenario = systems::parse::<BuiltIn>("deaf.ron", text).unwrap_or_else(|wrong| panic!("{wrong}"));
    let verdict = |scenario: &Scenario<BuiltIn>, seed| BuiltIn::play(&systems::plan(scenario, "deaf", seed)).verdict;
    for seed in 0..50 {
        match verdict(&scenario, seed) {
            Verdict::Violation(violated) => assert_eq!(violated.invariant, "raft.quorum-checked", "seed {seed}"),
            other => panic!("seed {seed}: {other:?}"),
        }
    }
    scenario.exhibits.clear();
    assert!((0..50).all(|seed| verdict(&scenario, seed) == Verdict::Pass));
}
