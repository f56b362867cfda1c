//! Every scenario that comes with squall loads, does with its seed (0, if it names none) what it
//! expects, and is the same run as ever: `tests/scenarios.golden` has its digest, the same for debug
//! and release.

#![expect(clippy::disallowed_methods, reason = "a variable says whether to rewrite the golden file")]

use squall::run::outcome::{Outcome, Verdict};
use squall::scenario::load::{find, name};
use squall::scenario::model::Scenario;
use squall::systems::{self, BuiltIn, System};
use std::path::{Path, PathBuf};
use std::{env, fs};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios.golden");

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    find(&[folder]).unwrap_or_else(|mistake| panic!("{mistake}"))
}

fn scenarios() -> Vec<(String, Scenario<BuiltIn>)> {
    let load = |file: &PathBuf| (name(file), systems::load(file).unwrap_or_else(|mistake| panic!("{mistake}")));
    files().iter().map(load).collect()
}

/// Name, seed, verdict, steps and digest.
fn line(outcome: &Outcome) -> String {
    let verdict = match &outcome.verdict {
        Verdict::Pass => "pass",
        Verdict::Violation(violated) => &violated.invariant,
        Verdict::Inconclusive(_) => "inconclusive",
    };
    let Outcome { scenario, seed, steps, digest, .. } = outcome;
    format!("{scenario} {seed} {verdict} {steps} {digest}\n")
}

#[test]
fn every_scenario_meets_its_expectation_and_is_the_run_it_was() {
    let mut lines = Vec::new();
    for (name, scenario) in scenarios() {
        let seed = scenario.seed.unwrap_or(0);
        let outcome = BuiltIn::play(&systems::plan(&scenario, &name, seed));
        assert!(
            outcome.meets(&systems::expectation(&scenario)),
            "{name} expects {:?}, seed {seed} came to {:?}",
            scenario.expect,
            outcome.verdict
        );
        lines.push(line(&outcome));
    }
    lines.sort();
    let found = lines.concat();
    if env::var_os("SQUALL_REWRITE").is_some() {
        fs::write(GOLDEN, found).expect("the golden file can be written");
        return;
    }
    let golden = fs::read_to_string(GOLDEN).unwrap_or_default();
    let lost = golden.lines().filter(|line| !found.contains(line)).map(|line| format!("- {line}\n"));
    let new = found.lines().filter(|line| !golden.contains(line)).map(|line| format!("+ {line}\n"));
    let different: String = lost.chain(new).collect();
    assert!(
        different.is_empty(),
        "these runs are not what they were:\n{different}\
         if that is meant, write them anew with\n    SQUALL_REWRITE=1 cargo test --test scenarios\n\
         and say in the commit why the digests have changed"
    );
}

/// A scenario is read more often than it is run.
#[test]
fn every_scenario_tells_its_story_and_ends_in_a_calm() {
    for file in files() {
        let text = fs::read_to_string(&file).expect("it was found");
        let story = text.lines().take_while(|line| line.starts_with("// ")).count();
        assert!(story >= 2, "{} begins with {story} lines of story; two or three are usual", file.display());
    }
    for (name, scenario) in scenarios() {
        assert!(scenario.title.is_some_and(|title| !title.is_empty()), "{name} has no title");
        assert!(scenario.settle.is_some(), "{name} does not settle, so nothing is said of its progress");
    }
}
