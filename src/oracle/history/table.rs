//! The states of an object that somebody could see, and the moves between them.
//!
//! Only what somebody looks at is worth a number. All values that no read has answered and no compare-and-swap has
//! asked for are one state, [`OTHER`]. A text that appends have made of others is a state if it is the beginning of
//! a text that somebody has seen: whatever else it is can never be seen again before somebody writes over it.

use super::numbered::{Move, OTHER, Steps};
use super::uses::{Start, Use};
use super::{Action, Outcome};
use std::collections::{BTreeMap, BTreeSet};

/// The states of one object and its moves.
#[derive(Clone, Debug)]
pub(super) struct Table<'a> {
    states: BTreeMap<&'a [u8], u32>,
    /// By text, the class and its steps.
    appends: BTreeMap<&'a [u8], (u32, Steps)>,
    swaps: BTreeMap<(u32, u32), u32>,
}

impl<'a> Table<'a> {
    pub(super) fn of(uses: &[Use<'a>], start: Start<'a>) -> Table<'a> {
        let mut seen: BTreeSet<&[u8]> = BTreeSet::new();
        let mut appended: BTreeSet<&[u8]> = BTreeSet::new();
        // Where a history of appends begins.
        let mut begun: Vec<&[u8]> = Vec::new();
        for call in uses {
            match (call.action, call.outcome) {
                (Action::Read, Outcome::Saw(text)) if call.returned.is_some() => {
                    seen.insert(text.as_bytes());
                }
                (Action::Read, _) => {}
                (Action::Cas { from, to }, _) => {
                    seen.insert(from.as_bytes());
                    begun.push(to.as_bytes());
                }
                (Action::Write(text), _) => begun.push(text.as_bytes()),
                (Action::Append(text), _) => {
                    appended.insert(text.as_bytes());
                }
            }
        }
        appended.remove(&b""[..]);
        match start {
            Start::At(initial) => begun.push(initial.as_bytes()),
            Start::Anywhere => begun.extend(origins(&seen, &appended)),
        }
        let mut states: BTreeMap<&[u8], u32> = (1..).zip(&seen).map(|(number, text)| (*text, number)).collect();
        let mut appends: BTreeMap<&[u8], Vec<(u32, u32)>> = appended.iter().map(|text| (*text, Vec::new())).collect();
        if !appended.is_empty() {
            walk(&seen.into_iter().collect::<Vec<_>>(), begun, &mut states, &mut appends);
        }
        let classes = (0..).zip(appends).map(|(class, (text, mut steps))| {
            steps.sort_unstable();
            (text, (class, steps.into()))
        });
        Table { appends: classes.collect(), swaps: BTreeMap::new(), states }
    }

    pub(super) fn has_appends(&self) -> bool {
        !self.appends.is_empty()
    }

    pub(super) fn state(&self, text: &str) -> u32 {
        self.states.get(text.as_bytes()).copied().unwrap_or(OTHER)
    }

    /// The state that somebody has told of.
    pub(super) fn seen(&self, text: &str) -> u32 {
        // A read whose return is not known yet is not asked.
        self.states.get(text.as_bytes()).copied().unwrap_or(u32::MAX)
    }

    pub(super) fn swap(&mut self, from: u32, to: u32) -> Move {
        let next = (self.appends.len() + self.swaps.len()) as u32;
        let class = *self.swaps.entry((from, to)).or_insert(next);
        Move { class, steps: [(from, to)].into(), spoils: false }
    }

    pub(super) fn append(&self, text: &str, spoils: bool) -> Move {
        let (class, steps) = &self.appends[text.as_bytes()];
        Move { class: *class, steps: steps.clone(), spoils }
    }

    /// How many states there are, [`OTHER`] among them.
    pub(super) fn count(&self) -> u32 {
        self.states.len() as u32 + 1
    }

    pub(super) fn texts(&self) -> Vec<String> {
        let mut texts = vec![String::new(); self.states.len() + 1];
        for (text, number) in &self.states {
            texts[*number as usize] = String::from_utf8_lossy(text).into_owned();
        }
        texts
    }
}

/// What appends could have made the texts out of that somebody saw.
fn origins<'a>(seen: &BTreeSet<&'a [u8]>, appended: &BTreeSet<&'a [u8]>) -> BTreeSet<&'a [u8]> {
    let lengths: BTreeSet<usize> = appended.iter().map(|text| text.len()).collect();
    let mut origins: BTreeSet<&[u8]> = BTreeSet::new();
    let mut open: Vec<&[u8]> = seen.iter().copied().collect();
    while let Some(text) = open.pop() {
        for at in lengths.iter().filter_map(|length| text.len().checked_sub(*length)) {
            let (origin, end) = text.split_at(at);
            if appended.contains(end) && origins.insert(origin) {
                open.push(origin);
            }
        }
    }
    origins
}

/// Follows every way in which appends make beginnings of what was `seen` out of others. `seen` is sorted.
fn walk<'a>(
    seen: &[&'a [u8]],
    begun: Vec<&'a [u8]>,
    states: &mut BTreeMap<&'a [u8], u32>,
    appends: &mut BTreeMap<&'a [u8], Vec<(u32, u32)>>,
) {
    let lengths: BTreeSet<usize> = appends.keys().map(|text| text.len()).collect();
    // A text that was seen is a place to go on from only if somebody could have made it; that does not matter here.
    let mut open: Vec<&[u8]> = seen.to_vec();
    for text in begun {
        let is_beginning =
            seen.get(seen.partition_point(|seen| *seen < text)).is_some_and(|seen| seen.starts_with(text));
        let number = states.len() as u32 + 1;
        if is_beginning && !states.contains_key(text) {
            states.insert(text, number);
            open.push(text);
        }
    }
    while let Some(text) = open.pop() {
        let from = states[text];
        let start = seen.partition_point(|seen| *seen < text);
        let count = seen[start..].partition_point(|seen| seen.starts_with(text));
        let longer = &seen[start..start + count];
        for length in &lengths {
            let end = text.len() + length;
            let mut next = 0;
            while let Some(whole) = longer.get(next) {
                let Some(there) = whole.get(..end) else {
                    next += 1;
                    continue;
                };
                if let Some(steps) = appends.get_mut(&there[text.len()..]) {
                    let number = states.len() as u32 + 1;
                    let to = *states.entry(there).or_insert(number);
                    if to == number {
                        open.push(there);
                    }
                    steps.push((from, to));
                }
                next += longer[next..].partition_point(|seen| seen.starts_with(there));
            }
        }
    }
}
