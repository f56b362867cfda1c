//! Every kind of fault has a scenario in which it bites: it changes something in a run, and what the
//! scenario names as its goals comes of it. A fault that changes nothing tests nothing.

use squall::environment::fault::{FAULT_NAMES, Kind};
use squall::run::outcome::Outcome;
use squall::scenario::load::{find, name};
use squall::scenario::model::Scenario;
use squall::systems::{self, BuiltIn, System};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Some faults wait for a moment, or are drawn rarely; so many seeds show each.
const SEEDS: u64 = 20;

fn scenarios(folder: &str) -> Vec<(String, Scenario<BuiltIn>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(folder);
    let files = find(&[folder]).unwrap_or_else(|mistake| panic!("{mistake}"));
    let load = |file| systems::load(file).unwrap_or_else(|mistake| panic!("{mistake}"));
    files.iter().map(|file| (name(file), load(file))).collect()
}

fn outcomes(name: &str, scenario: &Scenario<BuiltIn>) -> Vec<Outcome> {
    (0..SEEDS).map(|seed| BuiltIn::play(&systems::plan(scenario, name, seed))).collect()
}

/// The names that are counted in some of the outcomes.
fn counted(outcomes: &[Outcome], counts: fn(&Outcome) -> &BTreeMap<String, u64>) -> BTreeSet<&str> {
    let all = outcomes.iter().flat_map(counts);
    all.filter(|(_, count)| **count > 0).map(|(name, _)| name.as_str()).collect()
}

#[test]
fn each_kind_of_fault_bites_where_it_is_planned_and_the_goals_are_reached() {
    for (name, scenario) in scenarios("environment") {
        let outcomes = outcomes(&name, &scenario);
        let planned = counted(&outcomes, |outcome| &outcome.faults_planned);
        assert_eq!(counted(&outcomes, |outcome| &outcome.faults), planned, "of {name} some faults change nothing");
        let reached = counted(&outcomes, |outcome| &outcome.goals);
        for goal in scenario.goals.iter().flatten() {
            assert!(reached.contains(goal.as_str()), "{name} does not reach {goal} in {SEEDS} seeds");
        }
    }
}

#[test]
fn there_is_no_kind_of_fault_that_bites_nowhere() {
    // An order changes something only where it is understood.
    let (mut bite, mut understood) = (BTreeSet::new(), BTreeSet::new());
    for folder in ["environment", "museum", "raft", "ring"] {
        for (name, scenario) in scenarios(folder) {
            understood.extend(scenario.system.orders().iter().map(|order| order.name()));
            let outcomes = outcomes(&name, &scenario);
            bite.extend(counted(&outcomes, |outcome| &outcome.faults).into_iter().map(str::to_owned));
        }
    }
    let is_foreign = |name: &str| Kind::ORDERS.iter().any(|order| order.name() == name) && !understood.contains(name);
    for name in FAULT_NAMES.into_iter().filter(|name| !is_foreign(name)) {
        assert!(bite.contains(name), "{name} changes nothing in any scenario");
    }
}
