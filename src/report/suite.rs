//! A sweep as CI systems want it told: what there is to tell, each thing with how bad it is, and blocks of seeds.

use super::number::{count, counted};
use super::sweep::{RegressionState, Sweep};
use crate::run::outcome::Expectation;
use crate::run::signature::Signature;
use crate::run::tally::Group;
use std::ops::Range;

/// A sweep of one scenario, and what is to be known beside it.
#[derive(Clone, Copy)]
pub struct Suite<'a> {
    /// What the seeds came to.
    pub sweep: Sweep<'a>,
    /// The scenario's file.
    pub file: &'a str,
    /// Which seeds were played, in ascending order.
    pub played: &'a [Range<u64>],
    /// The command that plays a seed again.
    pub command: &'a dyn Fn(u64) -> String,
}

/// A sweep of one scenario, told: plain data, for one format or the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// The scenario's name.
    pub scenario: String,
    /// The scenario's file.
    pub file: String,
    /// Which seeds were asked for.
    pub seeds: Range<u64>,
    /// How many were played.
    pub ran: u64,
    /// In how many of them nothing was wrong.
    pub passed: u64,
    /// In how many a promise was broken, expected or not.
    pub failed: u64,
    /// How many came to no verdict.
    pub inconclusive: u64,
    /// Whether all seeds that were asked for have been played.
    pub is_complete: bool,
    /// Whether everything is as the scenario expects.
    pub is_expected: bool,
    /// Failures by their groups, seeds without a verdict, stored runs.
    pub findings: Vec<Finding>,
    /// The seeds in blocks that end at round numbers.
    pub blocks: Vec<Finding>,
}

/// One thing to tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// How bad it is.
    pub weight: Weight,
    /// A few words that stay the same from sweep to sweep, so that histories can be kept.
    pub title: String,
    /// Of what kind it is: an invariant, for example.
    pub kind: String,
    /// What it is about, in one line.
    pub what: String,
    /// The command that shows it again.
    pub command: Option<String>,
    /// What else there is to know, in several lines.
    pub text: String,
}

impl Finding {
    fn new(weight: Weight, kind: &str, title: String, what: &str) -> Finding {
        let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
        Finding { weight, title, kind: kind.to_owned(), what, command: None, text: String::new() }
    }

    fn by(self, command: String) -> Finding {
        Finding { command: Some(command), ..self }
    }

    /// All that is needed, in one line: the seed, what it is about, and the command.
    pub fn message(&self) -> String {
        match &self.command {
            Some(command) => format!("{}; reproduce: {command}", self.what),
            None => self.what.clone(),
        }
    }
}

/// How bad a thing is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weight {
    /// As the scenario expects.
    Fine,
    /// Nothing can be said yet.
    Open,
    /// A seed came to no verdict.
    Doubtful,
    /// Not as the scenario expects.
    Bad,
}

/// The kind of a seed without a verdict.
pub const INCONCLUSIVE: &str = "inconclusive";
/// The kind of what was not played.
pub const PARTIAL: &str = "partial";
/// The kind of what should have broken and did not.
const SILENCE: &str = "nothing-broke";

/// At most so many blocks, of at least so many seeds.
const BLOCKS: u64 = 20;
const BLOCK_MIN: u64 = 100;

impl<'a> Suite<'a> {
    /// All that there is to tell.
    pub fn account(&self) -> Account {
        let Sweep { tally, from, to, .. } = self.sweep;
        Account {
            scenario: self.sweep.scenario.to_owned(),
            file: self.file.to_owned(),
            seeds: from..to,
            ran: tally.ran,
            passed: tally.passed,
            failed: tally.failed,
            inconclusive: tally.inconclusive,
            is_complete: self.sweep.is_complete,
            is_expected: self.sweep.is_expected(),
            findings: self.findings(),
            blocks: self.blocks().iter().map(|block| self.of_block(block)).collect(),
        }
    }

    fn findings(&self) -> Vec<Finding> {
        let Sweep { tally, expectation, .. } = self.sweep;
        let mut findings: Vec<Finding> = tally.groups.iter().map(|(name, group)| self.of_group(name, group)).collect();
        if let (Expectation::Breaks(names), 0) = (expectation, tally.failed) {
            findings.push(self.of_silence(&names.join(" or ")));
        }
        findings.extend(tally.doubtful.iter().map(|(seed, why)| {
            let title = format!("seed {seed} has no verdict");
            Finding::new(Weight::Doubtful, INCONCLUSIVE, title, &format!("seed {seed}: {why}"))
                .by((self.command)(*seed))
        }));
        let unlisted = tally.inconclusive - tally.doubtful.len() as u64;
        if unlisted > 0 {
            let what = format!("{} more without a verdict; the journal has them all", counted(unlisted, "seed"));
            findings.push(Finding::new(Weight::Doubtful, INCONCLUSIVE, "more seeds have no verdict".to_owned(), &what));
        }
        findings.extend(self.sweep.regressions.iter().map(|stored| {
            let weight = match stored.state {
                _ if !self.sweep.tolerates(stored) => Weight::Bad,
                RegressionState::Stale => Weight::Open,
                RegressionState::Breaks | RegressionState::Passes | RegressionState::Differs => Weight::Fine,
            };
            let title = format!("stored run {}", stored.capsule);
            Finding::new(weight, &stored.invariant, title, &stored.remark)
                .by(format!("squall replay {}", stored.capsule))
        }));
        if !self.sweep.is_complete {
            let (ran, asked) = (count(tally.ran), count(self.sweep.to - self.sweep.from));
            let what = format!("{ran} of {asked} seeds were played; --resume goes on with the others");
            findings.push(Finding::new(Weight::Open, PARTIAL, "the sweep is not complete".to_owned(), &what));
        }
        findings
    }

    fn of_group(&self, name: &str, group: &Group) -> Finding {
        let signature = &group.signature;
        let strange = self.sweep.tally.strange(self.sweep.expectation).any(|(strange, _)| strange == name);
        let weight = if strange { Weight::Bad } else { Weight::Fine };
        let seed = group.first_seed();
        let what = format!("seed {seed}: {} is broken: {}", signature.invariant, group.first.message);
        let command = (self.command)(seed);
        let (early, late) = group.spread();
        let text = [
            format!("group: {} [{}]", signature.message, signature.during),
            format!("{}, the first is {seed}", counted(group.count, "seed")),
            match group.count {
                1 => format!("step {}", count(early)),
                _ => format!(
                    "median step {}, most between {} and {}",
                    count(group.median_step()),
                    count(early),
                    count(late)
                ),
            },
            format!("reproduce: {command}"),
        ];
        let finding = Finding::new(weight, &signature.invariant, name.to_owned(), &what).by(command);
        Finding { text: text.join("\n"), ..finding }
    }

    /// Nothing broke, but something should have.
    fn of_silence(&self, names: &str) -> Finding {
        let title = format!("{names} should break");
        let ran = counted(self.sweep.tally.ran, "seed");
        if self.sweep.is_part || self.sweep.tally.inconclusive > 0 {
            let what = format!("nothing has broken in {ran}, but this is not all of the sweep");
            return Finding::new(Weight::Open, SILENCE, title, &what);
        }
        let first = self.played.first().map_or(self.sweep.from, |seeds| seeds.start);
        let what = format!("seed {first} and all others: nothing has broken in {ran}");
        Finding::new(Weight::Bad, SILENCE, title, &what).by((self.command)(first))
    }

    /// The range of seeds in blocks that end at round numbers: some dozens at most, whatever was asked for.
    fn blocks(&self) -> Vec<Range<u64>> {
        let Range { start, end } = self.sweep.from..self.sweep.to;
        let rounds = (0..18).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
        let mut sizes = rounds.filter(|size| *size >= BLOCK_MIN);
        let size = sizes.find(|size| end.saturating_sub(start) / size < BLOCKS).unwrap_or(u64::MAX);
        let mut blocks = Vec::new();
        let mut next = start;
        while next < end {
            let upto = (next / size).saturating_add(1).saturating_mul(size).min(end);
            blocks.push(next..upto);
            next = upto;
        }
        blocks
    }

    /// What the seeds of a block came to. A block is fine if all its seeds were played and did what is expected.
    fn of_block(&self, block: &Range<u64>) -> Finding {
        let size = block.end - block.start;
        let (broken, doubtful) = (self.broken(block), within(&self.sweep.tally.doubtful, block, |listed| listed.0));
        let played: u64 = self.played.iter().map(|played| overlap(played, block)).sum();
        let title = format!("seeds {}..{}", block.start, block.end);
        if let Some((seed, group)) = broken.iter().min_by_key(|(seed, _)| *seed) {
            let Signature { invariant, message, .. } = &group.signature;
            let of = of_these(broken.len(), size, "failed");
            let what = format!("seed {seed}: {invariant} is broken: {message}{of}");
            return Finding::new(Weight::Bad, invariant, title, &what).by((self.command)(*seed));
        }
        if let Some((seed, why)) = doubtful.first() {
            let what = format!("seed {seed}: {why}{}", of_these(doubtful.len(), size, "have no verdict"));
            return Finding::new(Weight::Doubtful, INCONCLUSIVE, title, &what).by((self.command)(*seed));
        }
        if played < size {
            let what = format!("{} of {} seeds were played", count(played), count(size));
            return Finding::new(Weight::Open, PARTIAL, title, &what);
        }
        if !self.is_listed(block) {
            let what = "there were so many failures that not all are listed; some may be here";
            return Finding::new(Weight::Open, "unlisted", title, what);
        }
        Finding::new(Weight::Fine, "", title, "")
    }

    /// The seeds of a block that did not do what is expected, as far as they are listed.
    fn broken(&self, block: &Range<u64>) -> Vec<(u64, &'a Group)> {
        let strange = self.sweep.tally.strange(self.sweep.expectation).map(|(_, group)| group);
        strange
            .flat_map(|group| within(&group.seeds, block, |seed| *seed).iter().map(move |seed| (*seed, group)))
            .collect()
    }

    /// Whether every failure and every doubt among a block's seeds is listed: of large groups only the first are.
    fn is_listed(&self, block: &Range<u64>) -> bool {
        let tally = self.sweep.tally;
        let ends = |last: Option<u64>, listed: usize, count: u64| {
            count == listed as u64 || last.is_some_and(|last| block.end <= last)
        };
        let mut strange = tally.strange(self.sweep.expectation).map(|(_, group)| group);
        strange.all(|group| ends(group.seeds.last().copied(), group.seeds.len(), group.count))
            && ends(tally.doubtful.last().map(|listed| listed.0), tally.doubtful.len(), tally.inconclusive)
    }
}

/// Those of a list in the order of seeds that are in a block.
fn within<'a, T>(listed: &'a [T], block: &Range<u64>, seed: impl Fn(&T) -> u64) -> &'a [T] {
    let from = listed.partition_point(|listed| seed(listed) < block.start);
    let upto = listed.partition_point(|listed| seed(listed) < block.end);
    &listed[from..upto]
}

fn overlap(one: &Range<u64>, other: &Range<u64>) -> u64 {
    one.end.min(other.end).saturating_sub(one.start.max(other.start))
}

/// `; 3 of these 100 seeds failed`, if it is more than one.
fn of_these(number: usize, size: u64, what: &str) -> String {
    match number {
        1 => String::new(),
        more => format!("; {} of these {} seeds {what}", count(more as u64), count(size)),
    }
}

#[cfg(test)]
pub(super) mod example;
#[cfg(test)]
mod tests;
