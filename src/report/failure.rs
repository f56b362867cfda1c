//! A run that did not do what was expected: all that one needs to begin to understand it.

use super::number::{count, counted};
use super::style::{BAD, BOLD, DIM, styled};
use crate::run::outcome::{Outcome, Verdict, Violated};

/// A fault of the run's plan.
#[derive(Clone, Debug)]
pub struct FaultLine {
    /// When it begins, in virtual nanoseconds.
    pub at_ns: u64,
    /// When it ends, if it does by itself.
    pub until_ns: Option<u64>,
    /// What it waits for from then on, if it does not begin at once.
    pub waits_for: Option<String>,
    /// Whether it is over as soon as it has begun.
    pub is_momentary: bool,
    /// The kind, and whom it hits.
    pub what: String,
}

/// So many faults are told before a failure; the last are the likeliest to matter.
const FAULTS: usize = 8;

/// The failure on the last screen. `promises`: the sentence of the invariant that broke, or for
/// each invariant that should have broken its name. `faults`: those of the plan, in order.
pub fn failure(outcome: &Outcome, promises: &[String], faults: &[FaultLine]) -> String {
    let mut text = format!(
        "{} {}{}\n\n",
        styled(DIM, "──"),
        styled(BOLD, format_args!("{}, seed {}", outcome.scenario, outcome.seed)),
        rule(outcome),
    );
    match &outcome.verdict {
        Verdict::Violation(violated) => {
            text += &format!("  {}", styled(BAD, format_args!("{} is broken", violated.invariant)));
            text += &format!(": {}\n  {}\n\n", promises.join(", "), violated.message);
            text += &when(violated);
            text += &faults_before(faults, violated.time_ns);
        }
        Verdict::Pass => {
            text += &format!("  {}\n", styled(BAD, "nothing broke, but it should have"));
            text += &format!("  expected to break: {}\n\n", promises.join(" or "));
            text += &faults_before(faults, outcome.virtual_ns);
        }
        Verdict::Inconclusive(why) => text += &format!("  inconclusive: {why}\n\n"),
    }
    text += &row("digest", &outcome.digest);
    text
}

/// The first failure of many, for a list: what was promised, what happened, when, and after which faults, if these are known.
pub(super) fn first(violated: &Violated, digest: &str, promise: Option<&str>, faults: Option<&[FaultLine]>) -> String {
    let mut text = promise.map_or(String::new(), |promise| row("", promise));
    text += &row("", &format!("{} [{}]", violated.message, violated.during));
    text += &when(violated);
    text += &faults.map_or(String::new(), |faults| faults_before(faults, violated.time_ns));
    text + &row("digest", digest)
}

fn rule(outcome: &Outcome) -> String {
    let taken = format!("── {}, seed {}", outcome.scenario, outcome.seed).chars().count();
    styled(DIM, format_args!(" {}", "─".repeat(78_usize.saturating_sub(taken))))
}

fn when(violated: &Violated) -> String {
    let mut text = row("when", &format!("{}, step {}", instant(violated.time_ns), count(violated.step)));
    if !violated.nodes.is_empty() {
        text += &row("nodes", &violated.nodes.join(", "));
    }
    text
}

/// The faults that had begun before a moment.
fn faults_before(faults: &[FaultLine], moment_ns: u64) -> String {
    let begun: Vec<&FaultLine> = faults.iter().filter(|fault| fault.at_ns <= moment_ns).collect();
    if begun.is_empty() {
        return row("faults", "none before");
    }
    let earlier = begun.len().saturating_sub(FAULTS);
    let told = &begun[earlier..];
    let width = told.iter().map(|fault| fault.what.chars().count()).max().unwrap_or(0);
    let mut rows = Vec::new();
    if earlier > 0 {
        rows.push(styled(DIM, format_args!("{:>9}  {}", "", counted(earlier as u64, "earlier fault"))));
    }
    rows.extend(told.iter().map(|fault| {
        let end = match (&fault.waits_for, fault.until_ns) {
            (Some(moment), _) => styled(DIM, format_args!("waits for {moment}")),
            (None, Some(until)) if until <= moment_ns => styled(DIM, format_args!("until {}", instant(until))),
            (None, _) if fault.is_momentary => return format!("{:>9}  {}", instant(fault.at_ns), fault.what),
            (None, Some(_) | None) => "still on".to_owned(),
        };
        format!("{:>9}  {:width$}  {end}", instant(fault.at_ns), fault.what)
    }));
    let titles = std::iter::once("faults").chain(std::iter::repeat(""));
    titles.zip(rows).map(|(title, content)| row(title, &content)).collect()
}

/// All faults of a plan, for `-v`.
pub fn plan(faults: &[FaultLine]) -> String {
    let width = faults.iter().map(|fault| fault.what.chars().count()).max().unwrap_or(0);
    faults.iter().enumerate().fold(String::new(), |text, (place, fault)| {
        let title = if place == 0 { "plan" } else { "" };
        let end = match (&fault.waits_for, fault.until_ns) {
            (Some(moment), _) => format!("waits for {moment}"),
            (None, Some(until)) => format!("until {}", instant(until)),
            (None, None) => String::new(),
        };
        let (title, at, what) = (styled(DIM, format_args!("{title:11}")), instant(fault.at_ns), &fault.what);
        text + &if end.is_empty() {
            format!("      {title} {at:>9}  {what}\n")
        } else {
            format!("      {title} {at:>9}  {what:width$}  {}\n", styled(DIM, end))
        }
    })
}

pub(super) fn row(title: &str, content: &str) -> String {
    format!("  {} {content}\n", styled(DIM, format_args!("{title:7}")))
}

/// Seconds with three places: `12.402s`.
pub(super) fn instant(ns: u64) -> String {
    format!("{}.{:03}s", ns / 1_000_000_000, ns / 1_000_000 % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_that_strikes_once_is_not_still_on() {
        let rot = FaultLine {
            at_ns: 200_000_000,
            until_ns: None,
            waits_for: None,
            is_momentary: true,
            what: "bit-rot n1".to_owned(),
        };
        let cut = FaultLine { is_momentary: false, what: "partition n1 | the rest".to_owned(), ..rot.clone() };
        let before = faults_before(&[rot.clone(), cut.clone()], 300_000_000);
        let lines: Vec<&str> = before.lines().collect();
        assert!(lines[0].ends_with("bit-rot n1"), "{before}");
        assert!(lines[1].ends_with("partition n1 | the rest  still on"), "{before}");
        assert!(plan(&[rot, cut]).lines().all(|line| line == line.trim_end()));
    }
}
