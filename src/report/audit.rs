//! What faults have really done, a line a kind.

use super::number::count;
use super::style::{DIM, UNSURE, styled};
use crate::run::outcome::Outcome;
use crate::run::tally::FaultTally;
use std::collections::BTreeMap;

/// The faults of one run, by kind.
pub fn of_run(outcome: &Outcome) -> BTreeMap<String, FaultTally> {
    let of = |counts: &BTreeMap<String, u64>, kind: &String| counts.get(kind).copied().unwrap_or(0);
    let tally = |kind: &String| FaultTally {
        planned: of(&outcome.faults_planned, kind),
        fired: of(&outcome.faults_fired, kind),
        changed: of(&outcome.faults, kind),
        effects: of(&outcome.fault_effects, kind),
    };
    outcome.faults_planned.keys().map(|kind| (kind.clone(), tally(kind))).collect()
}

/// `partition    3 planned, 3 fired, 2 changed something: 212 messages lost`, one for each kind.
pub fn lines(faults: &BTreeMap<String, FaultTally>) -> Vec<String> {
    let width = faults.keys().map(String::len).max().unwrap_or(0);
    let line = |(kind, tally): (&String, &FaultTally)| {
        let [planned, fired, changed] = [tally.planned, tally.fired, tally.changed].map(count);
        let did = match (tally.changed, tally.fired) {
            (0, 0) => styled(DIM, "never began"),
            (0, _) => styled(UNSURE, "changed nothing"),
            _ => format!("{changed} changed something: {} {}", count(tally.effects), effect(kind, tally.effects)),
        };
        format!("{kind:width$}  {planned} planned, {fired} fired, {did}")
    };
    faults.iter().map(line).collect()
}

/// What one kind does, as one or as many.
fn effect(kind: &str, number: u64) -> &'static str {
    let (one, many) = match kind {
        "partition" | "loss" => ("message lost", "messages lost"),
        "clog" => ("message held", "messages held"),
        "duplicate" => ("message doubled", "messages doubled"),
        "delay" => ("message late", "messages late"),
        "reorder" => ("message held back", "messages held back"),
        "corrupt" => ("message damaged", "messages damaged"),
        "bandwidth" => ("message queued or dropped", "messages queued or dropped"),
        "kill" | "wipe" | "destroy" => ("node struck down", "nodes struck down"),
        "pause" | "slow-node" => ("event put off", "events put off"),
        "clock-jump" => ("wrong clock read", "wrong clocks read"),
        "clock-drift" | "clock-freeze" => ("timer moved", "timers moved"),
        "disk-slow" => ("sync late", "syncs late"),
        "disk-stall" => ("sync held", "syncs held"),
        "disk-error" => ("write or sync failed", "writes or syncs failed"),
        "disk-full" => ("write refused", "writes refused"),
        "torn-write" => ("record torn", "records torn"),
        "lost-sync" => ("crash without what was synced", "crashes without what was synced"),
        "bit-rot" => ("disk found rotten", "disks found rotten"),
        "heal" => ("cure", "cures"),
        "join" | "leave" | "replace-member" | "reweigh" | "rezone" | "rebalance" | "transfer-leadership" => {
            ("order heeded", "orders heeded")
        }
        _ => ("effect", "effects"),
    };
    if number == 1 { one } else { many }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::fault::FAULT_NAMES;

    #[test]
    fn every_kind_has_a_word_for_what_it_does() {
        for kind in FAULT_NAMES {
            assert_ne!(effect(kind, 1), "effect", "{kind}");
        }
    }

    #[test]
    fn a_fault_that_changes_nothing_is_plain_to_see() {
        let tally = |planned, fired, changed, effects| FaultTally { planned, fired, changed, effects };
        let faults = [("kill", tally(3, 2, 1, 1)), ("clog", tally(2, 2, 0, 0)), ("wipe", tally(1, 0, 0, 0))];
        let lines = lines(&faults.map(|(kind, tally)| (kind.to_owned(), tally)).into());
        assert!(lines[0].starts_with("clog  2 planned, 2 fired, ") && lines[0].contains("changed nothing"));
        assert_eq!(lines[1], "kill  3 planned, 2 fired, 1 changed something: 1 node struck down");
        assert!(lines[2].contains("never began"));
    }
}
