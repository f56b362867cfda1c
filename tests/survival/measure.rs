//! Which seeds break the museum's exhibits, and whether they still do: the half of `tests/survival/run.sh` that
//! plays. It is built once for the tree as it is and once for each patch.
//!
//! `survival find 20 5000` writes the first 20 seeds, of 5,000, that break each scenario of the museum, a line each:
//! scenario, seed, invariant, and how many seeds were looked at for that. `survival find 20 5000 rare` plants each
//! exhibit in the scenarios of `scenarios/raft` instead, where a defect shows now and then: wherever it shows in more
//! than a quarter of the seeds is left out. `survival again` reads such lines and writes for each scenario how many
//! seeds break the same invariant, how many another one, and how many nothing.

#![expect(clippy::disallowed_methods, reason = "a program for measuring, called with arguments")]

use squall::run::outcome::Outcome;
use squall::run::sweep::{Conductor, Ended, Flow, Options, sweep};
use squall::scenario::load;
use squall::scenario::model::Scenario;
use squall::systems::{self, BuiltIn, System};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["find", count, seeds] => {
            museum().iter().for_each(|name| find(name, number(count), number(seeds), Rarity::Any))
        }
        ["find", count, seeds, "rare"] => {
            rare().iter().for_each(|name| find(name, number(count), number(seeds), Rarity::Rare));
        }
        ["again"] => again(),
        _ => panic!("say `find COUNT SEEDS`, `find COUNT SEEDS rare` or `again`"),
    }
}

fn number(word: &str) -> u64 {
    word.parse().unwrap_or_else(|_| panic!("{word:?} is no number"))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

fn names(room: &str) -> Vec<String> {
    let files = load::find(&[folder().join(room)]).unwrap_or_else(|mistake| panic!("{mistake}"));
    files.iter().map(|file| load::name(file)).collect()
}

/// The scenarios of the museum.
fn museum() -> Vec<String> {
    names("museum")
}

/// Each exhibit in each scenario that a sound Raft survives: `raft/storm+ack-before-fsync`.
fn rare() -> Vec<String> {
    let exhibits = BuiltIn::catalogue().exhibits;
    let scenarios = names("raft");
    let with = |scenario: &String| {
        let scenario = scenario.clone();
        exhibits.iter().map(move |exhibit| format!("{scenario}+{}", exhibit.id))
    };
    scenarios.iter().flat_map(with).collect()
}

/// The scenario of this name, with its exhibit if it names one.
fn scenario(name: &str) -> Scenario<BuiltIn> {
    let (file, exhibit) = name.split_once('+').map_or((name, None), |(file, exhibit)| (file, Some(exhibit)));
    let path = folder().join(format!("{file}.ron"));
    let mut scenario: Scenario<BuiltIn> = systems::load(&path).unwrap_or_else(|mistake| panic!("{mistake}"));
    scenario.exhibits.extend(exhibit.map(str::to_owned));
    scenario
}

fn invariant(outcome: &Outcome) -> Option<String> {
    outcome.violation().map(|violated| violated.invariant.clone())
}

/// Collects what breaks a scenario, until that is enough.
struct Finder {
    found: Vec<(u64, String)>,
    wanted: u64,
}

impl Conductor<Option<String>> for Finder {
    fn took(&mut self, seed: u64, ended: Ended<Option<String>>) -> Flow {
        if let Ended::Played(Some(invariant)) = ended {
            self.found.push((seed, invariant));
        }
        if self.found.len() as u64 == self.wanted { Flow::Stop } else { Flow::GoOn }
    }
}

/// Writes the first `count` of so many seeds that break a scenario, if it breaks as rarely as is wanted.
fn find(name: &str, count: u64, seeds: u64, at_most: Rarity) {
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let (scenario, mut finder) = (scenario(name), Finder { found: Vec::new(), wanted: count });
    let own = name.to_owned();
    let play = move |seed, _: &_| invariant(&BuiltIn::play(&systems::plan(&scenario, &own, seed)));
    let looked = sweep(0..seeds, Options { jobs, run_timeout: None }, play, &mut finder);
    if at_most == Rarity::Rare && 4 * finder.found.len() as u64 > looked {
        return;
    }
    for (seed, invariant) in finder.found {
        println!("{name} {seed} {invariant} {looked}");
    }
}

/// Which scenarios are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rarity {
    Any,
    /// At most one seed of four breaks it.
    Rare,
}

/// How many seeds break the same as before, something else, nothing.
#[derive(Default)]
struct Count {
    same: u64,
    other: u64,
    none: u64,
}

fn again() {
    let mut lines = String::new();
    std::io::stdin().read_to_string(&mut lines).expect("text");
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    for line in lines.lines() {
        let [name, seed, before, _] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line:?} is no line") };
        let plan = systems::plan(&scenario(name), name, number(seed));
        let count = counts.entry(name).or_default();
        match invariant(&BuiltIn::play(&plan)) {
            Some(now) if now == before => count.same += 1,
            Some(_) => count.other += 1,
            None => count.none += 1,
        }
    }
    for (name, Count { same, other, none }) in counts {
        println!("{name} {same} {other} {none}");
    }
}
