//! What the seeds of a check came to, and the message of a test that fails.

use super::{Expected, Played};
use crate::kernel::time::Time;
use crate::run::outcome::{Outcome, Verdict};
use crate::run::signature::Signature;
use crate::run::sweep::{Conductor, Ended, Flow};
use crate::run::twice::Difference;
use crate::scenario::shell::quoted;
use std::collections::BTreeMap;

/// Counts the seeds, and keeps what is to be told of those that fail.
pub(super) struct Ledger {
    name: String,
    expected: Expected,
    file: Option<String>,
    played: u64,
    /// How many seeds broke what is expected to break.
    broke: u64,
    failed: u64,
    /// The first seeds that failed.
    seeds: Vec<u64>,
    first: Option<(u64, Failure)>,
    /// By what failures have in common: how many, and the first seed.
    groups: BTreeMap<String, (u64, u64)>,
}

/// In what way a seed did not do what is expected.
enum Failure {
    /// It broke something, or came to no verdict.
    Outcome(Box<Outcome>),
    /// It comes to something else each time.
    Difference(Box<Difference>),
    /// A bug of ours.
    Bug(String),
}

/// So many failing seeds are told, and so many groups of failures.
const TOLD: usize = 10;

impl Conductor<Played> for Ledger {
    fn took(&mut self, seed: u64, ended: Ended<Played>) -> Flow {
        self.played += 1;
        let (failure, group) = match ended {
            Ended::Played(Ok(outcome)) => {
                let group = match (&outcome.verdict, &self.expected) {
                    (Verdict::Pass, _) => return Flow::GoOn,
                    (Verdict::Violation(violated), Expected::Breaks(names)) if names.contains(&violated.invariant) => {
                        self.broke += 1;
                        return Flow::GoOn;
                    }
                    (Verdict::Violation(violated), _) => {
                        let Signature { invariant, message, during } = Signature::of(violated);
                        format!("{invariant}, {during}: {message}")
                    }
                    (Verdict::Inconclusive(why), _) => format!("no verdict: {why}"),
                };
                (Failure::Outcome(Box::new(outcome)), group)
            }
            Ended::Played(Err(difference)) => (Failure::Difference(difference), "not deterministic".to_owned()),
            Ended::Bug(why) => (Failure::Bug(why), "a bug of squall".to_owned()),
            Ended::TimedOut => unreachable!("a run of a test takes as long as it takes"),
        };
        let is_bug = matches!(failure, Failure::Bug(_));
        self.failed += 1;
        self.groups.entry(group).or_insert((0, seed)).0 += 1;
        if self.seeds.len() < TOLD {
            self.seeds.push(seed);
        }
        self.first.get_or_insert((seed, failure));
        if is_bug { Flow::Stop } else { Flow::GoOn }
    }
}

impl Ledger {
    pub(super) fn new(name: String, expected: Expected, file: Option<String>) -> Ledger {
        let (seeds, groups) = (Vec::new(), BTreeMap::new());
        Ledger { name, expected, file, played: 0, broke: 0, failed: 0, seeds, first: None, groups }
    }

    /// What the test says when it fails; `None` if it does not.
    pub(super) fn failure(&self, test: &Option<String>) -> Option<String> {
        let Some((seed, failure)) = &self.first else { return self.nothing_broke() };
        let mut rows = Vec::new();
        let title = match failure {
            Failure::Outcome(outcome) => {
                rows.extend(told(outcome));
                match &outcome.verdict {
                    Verdict::Violation(violated) => format!("breaks {}", violated.invariant),
                    Verdict::Pass | Verdict::Inconclusive(_) => "comes to no verdict".to_owned(),
                }
            }
            Failure::Difference(difference) => format!("is {}\n{}", difference.summary(), difference.details()),
            Failure::Bug(why) => format!("shows a bug of squall, please report it: {why}"),
        };
        let seeds: Vec<String> = self.seeds.iter().map(u64::to_string).collect();
        let more = if self.failed > self.seeds.len() as u64 { ", ..." } else { "" };
        rows.push(("seeds", format!("{} of {} fail: {}{more}", self.failed, self.played, seeds.join(", "))));
        if self.groups.len() > 1 {
            let titles = std::iter::once("groups").chain(std::iter::repeat(""));
            let mut groups: Vec<(&String, &(u64, u64))> = self.groups.iter().collect();
            groups.sort_by_key(|(_, (_, first))| *first);
            let line =
                |(group, (count, first)): (&String, &(u64, u64))| format!("{count} x {group}; first seed {first}");
            rows.extend(titles.zip(groups.into_iter().take(TOLD).map(line)));
        }
        rows.push(("again", again(*seed, test)));
        rows.extend(self.file.iter().map(|file| ("", format!("squall run {} --seed {seed}", quoted(file)))));
        let rows: String = rows.iter().map(|(title, row)| format!("\n  {title:7} {row}")).collect();
        Some(format!("{}: seed {seed} {title}{rows}\n", self.name))
    }

    fn nothing_broke(&self) -> Option<String> {
        let Expected::Breaks(invariants) = &self.expected else { return None };
        let names = invariants.join(" or ");
        (self.broke == 0)
            .then(|| format!("{}: none of {} seeds breaks {names}, and one should", self.name, self.played))
    }
}

/// The line that plays this seed alone.
fn again(seed: u64, test: &Option<String>) -> String {
    match test {
        Some(test) => format!("SQUALL_SEED={seed} cargo test {test} -- --exact"),
        None => format!("SQUALL_SEED={seed} cargo test"),
    }
}

fn told(outcome: &Outcome) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    match &outcome.verdict {
        Verdict::Violation(violated) => {
            let at = Time::from_ns(violated.time_ns);
            rows.push(("what", violated.message.clone()));
            rows.push(("when", format!("{at}, step {}, {}", violated.step, violated.during)));
            if !violated.nodes.is_empty() {
                rows.push(("nodes", violated.nodes.join(", ")));
            }
        }
        Verdict::Inconclusive(why) => rows.push(("what", why.clone())),
        Verdict::Pass => {}
    }
    let faults: Vec<String> = outcome.faults_fired.iter().map(|(kind, count)| format!("{count} x {kind}")).collect();
    if !faults.is_empty() {
        rows.push(("faults", faults.join(", ")));
    }
    rows.push(("digest", outcome.digest.clone()));
    rows
}
