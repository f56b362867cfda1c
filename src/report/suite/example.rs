//! Sweeps to be told in tests, with everything in them that could break a format.

use crate::report::suite::Suite;
use crate::report::sweep::{Regression, RegressionState, Sweep};
use crate::run::entry::{Entry, Judged};
use crate::run::outcome::{Expectation, Violated};
use crate::run::tally::Tally;
use std::ops::Range;

/// A message that is unkind to XML, to GitHub's commands and to Markdown, all at once.
pub(in crate::report) const NASTY: &str =
    "n1 has \"<x>\" & ]]> 100%, n2: 'y',\r\n::error::|a|`b`|\u{0}\u{b}\u{1b}[31m\u{fffe}\u{ffff} @all ü🦀";

/// What a sweep is made of.
pub(in crate::report) struct Example {
    pub(in crate::report) scenario: &'static str,
    pub(in crate::report) breaks: Option<Vec<String>>,
    pub(in crate::report) seeds: Range<u64>,
    pub(in crate::report) played: Vec<Range<u64>>,
    pub(in crate::report) is_shard: bool,
    pub(in crate::report) regressions: Vec<Regression>,
    pub(in crate::report) entries: Vec<Entry>,
}

impl Example {
    /// Seeds that all held.
    pub(in crate::report) fn sound(seeds: Range<u64>) -> Example {
        Example {
            scenario: "raft/storm",
            breaks: None,
            seeds: seeds.clone(),
            played: std::iter::once(seeds.clone()).collect(),
            is_shard: false,
            regressions: Vec::new(),
            entries: seeds
                .map(|seed| Entry { verdict: Judged::Pass, steps: 9, ..Entry::without_outcome(seed, String::new()) })
                .collect(),
        }
    }

    fn entry(&mut self, seed: u64) -> &mut Entry {
        self.entries.iter_mut().find(|entry| entry.seed == seed).expect("a seed of the sweep")
    }

    /// A seed that broke an invariant.
    pub(in crate::report) fn broken(mut self, seed: u64, invariant: &str, message: &str) -> Example {
        self.entry(seed).verdict = Judged::Violation(Violated {
            invariant: invariant.to_owned(),
            time_ns: 5,
            step: 10 + seed,
            during: "message AppendEntries".to_owned(),
            nodes: Vec::new(),
            message: message.to_owned(),
        });
        self
    }

    /// A seed without a verdict.
    pub(in crate::report) fn doubtful(mut self, seed: u64, why: &str) -> Example {
        self.entry(seed).verdict = Judged::Inconclusive(why.to_owned());
        self
    }

    /// A stored run.
    pub(in crate::report) fn stored(mut self, state: RegressionState) -> Example {
        self.regressions.push(Regression {
            capsule: format!("raft/storm.{state:?}.ron"),
            state,
            invariant: "raft.vote-monotonic".to_owned(),
            remark: "as it was".to_owned(),
        });
        self
    }

    /// Everything that can be wrong, in one sweep.
    pub(in crate::report) fn nasty() -> Example {
        Example::sound(0..1_000)
            .broken(42, "raft.election-safety", NASTY)
            .broken(611, "raft.election-safety", NASTY)
            .broken(43, "raft.log-matching", "n3 has 7")
            .doubtful(950, NASTY)
            .stored(RegressionState::Breaks)
            .stored(RegressionState::Stale)
    }

    /// What a report makes of it.
    pub(in crate::report) fn tell<T>(&self, tell: impl FnOnce(&Suite<'_>) -> T) -> T {
        let mut tally = Tally::new(Vec::new());
        let entries = self.entries.iter().filter(|entry| self.played.iter().any(|range| range.contains(&entry.seed)));
        entries.for_each(|entry| tally.add(&mut entry.clone()));
        let expectation = self.breaks.as_ref().map_or(Expectation::Holds, |names| Expectation::Breaks(names));
        let sweep = Sweep {
            scenario: self.scenario,
            expectation: &expectation,
            from: self.seeds.start,
            to: self.seeds.end,
            is_complete: self.played.iter().eq([&self.seeds]),
            is_part: self.is_shard || !self.played.iter().eq([&self.seeds]),
            tally: &tally,
            regressions: &self.regressions,
        };
        let command = |seed: u64| format!("squall run scenarios/raft/storm.ron --seed {seed} --set 'a=\"b\"'");
        let file = "scenarios/raft/storm.ron";
        tell(&Suite { sweep, file, played: &self.played, command: &command })
    }
}
