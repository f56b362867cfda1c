//! A stored run that was played again, below what it came to now: in what it differs, and the verdict.

use super::failure::{instant, row};
use super::number::count;
use super::style::{BOLD, DIM, GOOD, UNSURE, styled};
use crate::run::outcome::Violated;

/// A run as it was stored.
#[derive(Clone, Debug)]
pub struct Stored<'a> {
    /// What broke.
    pub violated: &'a Violated,
    /// Its digest.
    pub digest: &'a str,
    /// How many events it had.
    pub events: u64,
}

/// An event of the run as it is now.
#[derive(Clone, Debug)]
pub struct EventLine {
    /// Its number, counted from 1.
    pub number: u64,
    /// When, in virtual nanoseconds.
    pub at_ns: u64,
    /// What it is.
    pub words: String,
}

/// What was stored and, if the runs part between two events, what happens there now.
pub fn difference(stored: &Stored<'_>, parted: Option<(u64, u64)>, events: &[EventLine]) -> String {
    let Violated { invariant, time_ns, step, message, .. } = stored.violated;
    let mut text = String::from("\n");
    text += &row("stored", &format!("{} is broken: {message}", styled(BOLD, invariant)));
    text += &row("", &format!("{}, step {}", instant(*time_ns), count(*step)));
    text += &row("", &format!("digest {} after {} events", stored.digest, count(stored.events)));
    let Some((from, upto)) = parted else { return text };
    let place = match from == upto {
        true => format!("at event {}", count(from)),
        false => format!("between events {} and {}", count(from), count(upto)),
    };
    let end = if from > stored.events { ", where the stored run has ended" } else { "" };
    text += &row("parts", &format!("{place}{end}; now"));
    for event in events {
        let mark = if event.number >= from { ">" } else { " " };
        let number = styled(DIM, format_args!("{:>9}", count(event.number)));
        text += &row("", &format!("{mark} {number} {:>9}  {}", instant(event.at_ns), event.words));
    }
    if !events.iter().any(|event| event.number >= from) {
        text += &row("", "> this run has ended");
    }
    text
}

/// The last line.
pub fn verdict(is_exact: bool, words: &str, file: &str) -> String {
    let mark = if is_exact { styled(GOOD, "ok  ") } else { styled(UNSURE, "?   ") };
    format!("\n{mark}  {file}: {words}\n")
}
