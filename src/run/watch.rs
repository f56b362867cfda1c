//! How closely a run is looked at from outside, and what is told of it. Nothing of this changes the run.

use super::outcome::Verdict;
use super::story::Turn;
use crate::environment::plan::{Completion, Operation};
use crate::kernel::time::Time;

/// How closely a run is looked at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Closeness {
    /// Only what it comes to.
    Outcome,
    /// Also which abstract states the system goes through.
    States,
    /// Also the digest after each event, and the operations of clients with what they learn of them.
    Digests,
    /// Also each event in words.
    Words,
    /// Also who did what in each step, and how nodes stand after it.
    Turns,
}

/// One event of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// When, in true time.
    pub at: Time,
    /// The digest of the run up to here.
    pub digest: u128,
    /// In words; empty unless they were asked for.
    pub words: String,
}

/// An end of an operation of a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// It begins this.
    Begins(Operation),
    /// It learns this of it.
    Ends(Completion),
}

/// Copies of a run that are to be played on with other dice.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Forks {
    /// After how many steps they are made, in ascending order.
    pub steps: Vec<u64>,
    /// How many of each are played.
    pub copies: u32,
    /// Until when, at most: who has come to no verdict by then is given up.
    pub until: Time,
}

/// Somebody who looks at a run while it is played.
pub trait Watch {
    /// How closely. Asked once, before the run.
    fn closeness(&self) -> Closeness {
        Closeness::Outcome
    }

    /// Whether the run may go on. Asked every few thousand steps; if not, the run ends without a verdict.
    fn goes_on(&mut self) -> bool {
        true
    }

    /// Which copies of the run are to be played on with other dice. They are played when the run is over, from the last moment to the
    /// first. Default: none.
    fn forks(&self) -> Forks {
        Forks::default()
    }

    /// A copy that was made after so many steps, at this time, has come to this. What it answers is whether to go on.
    fn forked(&mut self, _step: u64, _at: Time, _verdict: &Verdict) -> bool {
        true
    }

    /// The names of all nodes, before the first turn.
    fn nodes(&mut self, _names: Vec<String>) {}

    /// These turns were taken, in this order, after those that were told before.
    fn turns(&mut self, _turns: Vec<Turn>) {}

    /// These events have happened, in this order, after those that were told before.
    fn events(&mut self, _events: Vec<Told>) {}

    /// A client has begun an operation, or learnt what became of the one that it began last.
    fn call(&mut self, _at: Time, _client: &str, _call: Call) {}

    /// The run is over; these are the abstract states it went through, each once, in order of their hashes.
    fn states(&mut self, _states: Vec<u64>) {}
}

/// Looks only at what a run comes to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {}
