//! What led to the end of a run, turn by turn, for a terminal.

use super::failure::instant;
use super::style::{BOLD, DIM, UNSURE, styled};
use super::told::{self, Letters, cut};
use crate::run::story::{Deed, Fate, Story, Threads, Turn, What};
use std::collections::BTreeSet;

/// Before each line of a turn but the first, and after the time.
const MARGIN: usize = 13;

/// The turns at these places, in ascending order, and the faults that begin or end among them. `width`: so many signs fit into a line.
pub fn story(story: &Story, threads: &Threads<'_>, places: &[usize], width: usize) -> String {
    let shown: BTreeSet<usize> = places.iter().copied().collect();
    let names = story.names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let teller = Teller { story, threads, shown: &shown, names, width };
    told::with_faults(story, places).into_iter().map(|place| teller.turn(place)).collect()
}

struct Teller<'a> {
    story: &'a Story,
    threads: &'a Threads<'a>,
    shown: &'a BTreeSet<usize>,
    /// How wide the column of names is.
    names: usize,
    width: usize,
}

impl Teller<'_> {
    fn turn(&self, place: usize) -> String {
        let turn = &self.story.turns[place];
        let name = turn.node.map_or("", |node| &self.story.names[node]);
        let mut lines = self.lines(turn, place).into_iter();
        let head = lines.next().unwrap_or_default();
        let mut text =
            format!("  {:>9}  {} {head}\n", instant(turn.at.ns()), styled(BOLD, format_args!("{name:0$}", self.names)));
        lines.for_each(|line| text += &format!("{:1$} {line}\n", "", MARGIN + self.names));
        text
    }

    /// What caused it, what the node is then, what it tells, and what it sends.
    fn lines(&self, turn: &Turn, place: usize) -> Vec<String> {
        let mut told: Vec<(u8, String)> = turn.deeds.iter().filter_map(|deed| self.deed(deed)).collect();
        told.sort_by_key(|(rank, _)| *rank);
        told.into_iter().map(|(_, line)| line).chain(self.sendings(turn, place)).collect()
    }

    fn deed(&self, deed: &Deed) -> Option<(u8, String)> {
        if matches!(deed.what, What::Sends { .. }) {
            return None;
        }
        let text = told::deed(deed, &self.story.names);
        let text = cut(&text, self.room());
        Some(match deed.what {
            What::Begins { .. } | What::Ends { .. } | What::Calm => (0, styled(UNSURE, text)),
            What::Becomes => (1, styled(BOLD, text)),
            What::Fails => (2, text),
            What::Notes => (3, text),
            What::Syncs => (4, styled(DIM, text)),
            _ => (0, text),
        })
    }

    /// How many signs there are for what is told.
    fn room(&self) -> usize {
        self.width.saturating_sub(MARGIN + self.names + 1).max(20)
    }

    /// A line for each message that somebody gets in a turn that is told, or that is lost, and how many others there are.
    fn sendings(&self, turn: &Turn, place: usize) -> Vec<String> {
        let letters = Letters::of(turn, |to, words| {
            let name = &self.story.names[to];
            match self.threads.fate(place, to, words) {
                Fate::Got(place) if self.shown.contains(&place) => Some(name.clone()),
                Fate::Missed => Some(format!("{name} (lost)")),
                Fate::Got(_) | Fate::Unknown => None,
            }
        });
        let line = |(words, to): &(&str, Vec<String>)| cut(&format!("→ {}  {words}", to.join(", ")), self.room());
        let others = letters.others.map(|others| styled(DIM, format_args!("→ {others}")));
        letters.told.iter().map(line).chain(others).collect()
    }
}

/// What happened, in a word for programs, and the other node that has part in it.
pub(super) fn describe(what: What) -> (&'static str, Option<usize>) {
    match what {
        What::Sends { to } => ("sends", Some(to)),
        What::Gets { from, .. } => ("gets", Some(from)),
        What::Misses { from, .. } => ("misses", Some(from)),
        What::Damaged { from } => ("damaged", Some(from)),
        What::Fires => ("fires", None),
        What::Hears => ("hears", None),
        What::Syncs => ("syncs", None),
        What::Notes => ("notes", None),
        What::Starts => ("starts", None),
        What::Fails => ("fails", None),
        What::Dies => ("dies", None),
        What::Becomes => ("becomes", None),
        What::Begins { .. } => ("fault-begins", None),
        What::Ends { .. } => ("fault-ends", None),
        What::Calm => ("calm", None),
    }
}
