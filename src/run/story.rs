//! A run turn by turn, and what came of what.
//!
//! Source: Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System" (1978): what came before is what
//! happened earlier to the same node, and what led to the sending of a message that it got.

use super::watch::{Closeness, Watch};
use crate::kernel::time::Time;
use std::collections::BTreeMap;

/// What happened to one node, or by it, in one step. Nodes are numbers into the names that came before the first turn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Turn {
    /// The step: so many were taken with it. The start of all nodes is step 0; what happens between two steps, such as the loss of
    /// a message, belongs to the later one.
    pub step: u64,
    /// When, in true time.
    pub at: Time,
    /// To whom, or by whom; `None` if to the whole world.
    pub node: Option<usize>,
    /// In their order; at least one.
    pub deeds: Vec<Deed>,
}

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deed {
    /// What kind of thing.
    pub what: What,
    /// The message, the timer, the fact, in words.
    pub words: String,
}

/// The kinds of things that happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// The node sends a message.
    Sends {
        /// To whom.
        to: usize,
    },
    /// The node gets a message.
    Gets {
        /// From whom.
        from: usize,
        /// In which turn that was sent, counted from 0, unless it is another message since: it was damaged on its way.
        sent: Option<u64>,
    },
    /// The node does not get a message: it is lost on its way, or the node is down.
    Misses {
        /// From whom.
        from: usize,
        /// In which turn that was sent, counted from 0.
        sent: Option<u64>,
    },
    /// A message to the node is damaged on its way; the words are what it said before.
    Damaged {
        /// From whom.
        from: usize,
    },
    /// A timer of the node fires.
    Fires,
    /// The node hears an order of an operator.
    Hears,
    /// More of the node's records are durable.
    Syncs,
    /// The node tells a fact.
    Notes,
    /// The node starts.
    Starts,
    /// The node's disk fails.
    Fails,
    /// The node dies.
    Dies,
    /// What the node is has changed: see [`Spec::standing`](crate::oracle::spec::Spec::standing).
    Becomes,
    /// A fault begins.
    Begins {
        /// Its place in the plan.
        fault: usize,
    },
    /// A fault ends.
    Ends {
        /// Its place in the plan.
        fault: usize,
    },
    /// The faults are over.
    Calm,
}

impl Turn {
    /// Whether it is worth telling in itself, and not only for a message that was sent in it.
    fn is_telling(&self) -> bool {
        self.deeds.iter().any(|deed| match deed.what {
            What::Becomes | What::Notes | What::Hears | What::Starts | What::Fails | What::Dies => true,
            What::Sends { .. }
            | What::Gets { .. }
            | What::Misses { .. }
            | What::Damaged { .. }
            | What::Fires
            | What::Syncs
            | What::Begins { .. }
            | What::Ends { .. }
            | What::Calm => false,
        })
    }
}

/// A run, heard turn by turn.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// The names of the nodes, by number.
    pub names: Vec<String>,
    /// All turns, or the latest if there were too many.
    pub turns: Vec<Turn>,
    /// How many turns are left out at the beginning.
    pub forgotten: u64,
}

impl Story {
    /// The place of the last turn, if it was at this time, in virtual nanoseconds: in it that was found. Else it is nobody's turn that broke something, but that
    /// nothing had happened until then.
    pub fn ending(&self, at_ns: u64) -> Option<usize> {
        let last = self.turns.len().checked_sub(1)?;
        (self.turns[last].at.ns() == at_ns).then_some(last)
    }

    /// The place of the turn with this number, unless it is forgotten.
    pub fn place(&self, number: u64) -> Option<usize> {
        number.checked_sub(self.forgotten).map(|place| place as usize)
    }

    /// The numbers of the nodes with these names; of all nodes if there is no name.
    pub fn numbers(&self, names: &[String]) -> Vec<usize> {
        (0..self.names.len()).filter(|node| names.is_empty() || names.contains(&self.names[*node])).collect()
    }

    /// For how many turns another run is the same. `None` if that cannot be known, since the beginning of one is forgotten.
    pub fn parting(&self, other: &Story) -> Option<usize> {
        let is_known = self.forgotten == 0 && other.forgotten == 0;
        let same = if self.names == other.names { self.same_turns(other) } else { 0 };
        is_known.then_some(same)
    }

    fn same_turns(&self, other: &Story) -> usize {
        self.turns.iter().zip(&other.turns).take_while(|(one, other)| one == other).count()
    }
}

/// At most twice as many turns are remembered; of a longer run the latest.
const REMEMBERED: usize = 1 << 18;

impl Watch for Story {
    fn closeness(&self) -> Closeness {
        Closeness::Turns
    }

    fn nodes(&mut self, names: Vec<String>) {
        self.names = names;
    }

    fn turns(&mut self, turns: Vec<Turn>) {
        self.turns.extend(turns);
        if self.turns.len() > 2 * REMEMBERED {
            let over = self.turns.len() - REMEMBERED;
            self.turns.drain(..over);
            self.forgotten += over as u64;
        }
    }
}

/// What has become of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It was got in this turn, by its place in the story; the first time, if it was doubled.
    Got(usize),
    /// It was lost.
    Missed,
    /// It was still on its way in the end, or was damaged.
    Unknown,
}

/// Where the turns of a story are that belong together.
#[derive(Clone, Debug)]
pub struct Threads<'a> {
    story: &'a Story,
    /// By turn: the latest turn before it of the same node that is worth telling.
    before: Vec<Option<usize>>,
    /// By the place of the turn in which it was sent, receiver, and what it says: where a message was got, or that it was not.
    fates: BTreeMap<(usize, usize, &'a str), Fate>,
}

impl<'a> Threads<'a> {
    /// Those of this story.
    pub fn of(story: &'a Story) -> Threads<'a> {
        let (mut fates, mut before) = (BTreeMap::new(), Vec::with_capacity(story.turns.len()));
        let mut latest: Vec<Option<usize>> = vec![None; story.names.len()];
        for (place, turn) in story.turns.iter().enumerate() {
            before.push(turn.node.and_then(|node| latest[node]));
            let Some(node) = turn.node else { continue };
            if turn.is_telling() {
                latest[node] = Some(place);
            }
            for deed in &turn.deeds {
                let (sent, fate) = match deed.what {
                    What::Gets { sent: Some(sent), .. } => (sent, Fate::Got(place)),
                    What::Misses { sent: Some(sent), .. } => (sent, Fate::Missed),
                    _ => continue,
                };
                let Some(sent) = story.place(sent) else { continue };
                let known = fates.entry((sent, node, deed.words.as_str())).or_insert(fate);
                if *known == Fate::Missed {
                    *known = fate;
                }
            }
        }
        Threads { story, before, fates }
    }

    /// What has become of a message that was sent in the turn at this place.
    pub fn fate(&self, place: usize, to: usize, words: &str) -> Fate {
        self.fates.get(&(place, to, words)).copied().unwrap_or(Fate::Unknown)
    }

    /// What came right before the turn at this place: in its node as far as it is worth telling, and by messages. Places in the story.
    pub fn causes(&self, place: usize) -> impl Iterator<Item = usize> {
        let sent = self.story.turns[place].deeds.iter().filter_map(|deed| match deed.what {
            What::Gets { sent: Some(sent), .. } => self.story.place(sent),
            _ => None,
        });
        self.before[place].into_iter().chain(sent)
    }

    /// What led to what was found at this time and concerns these nodes: their last turns, the last turn of all if it was then, and of
    /// each of these what came before it, in its node as far as it is worth telling, and by messages. Places in the story, ascending.
    pub fn past(&self, nodes: &[usize], at: Time) -> Vec<usize> {
        let turns = &self.story.turns;
        let last_of = |node: &usize| turns.iter().rposition(|turn| turn.node == Some(*node));
        let mut open: Vec<usize> = nodes.iter().filter_map(last_of).chain(self.story.ending(at.ns())).collect();
        let mut is_past = vec![false; turns.len()];
        while let Some(place) = open.pop() {
            if std::mem::replace(&mut is_past[place], true) {
                continue;
            }
            open.extend(self.causes(place));
        }
        (0..turns.len()).filter(|place| is_past[*place]).collect()
    }
}
