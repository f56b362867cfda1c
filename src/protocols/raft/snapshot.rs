//! Snapshots: the state after some entry, which stands for the log up to it (paper, section 7).

use super::core::StateMachine;
use super::log::{Entry, Position};
use super::membership::Configuration;
use crate::kernel::digest::{Digest, Digestible};
use crate::protocol::NodeId;
use std::sync::Arc;

/// When a server takes a snapshot, and how it travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Compaction {
    /// After so many entries since the last one; at least 1.
    pub every: u64,
    /// So many entries before it stay in the log, so that a server that is only a little behind need not be sent all.
    pub keep: u64,
    /// How much of the state goes into one message, in units of the state machine; at least 1.
    pub chunk: usize,
}

/// The state after an entry, and all else that the entries up to it have decided.
#[derive(Clone, Debug)]
pub struct Snapshot<M: StateMachine> {
    /// Paper: lastIncludedIndex and lastIncludedTerm.
    pub last: Position,
    /// A hash of the log up to it.
    pub chain: u64,
    /// Who belongs to the cluster after it.
    pub configuration: Configuration,
    /// The state of the machine.
    pub parts: Vec<M::Part>,
}

/// What a server has to keep, in one record: a snapshot, and what came after it.
#[derive(Clone, Debug)]
pub struct Checkpoint<M: StateMachine> {
    /// The current term.
    pub term: u64,
    /// Who got the vote in it.
    pub vote: Option<NodeId>,
    /// What the log begins with.
    pub snapshot: Arc<Snapshot<M>>,
    /// The entries after it.
    pub suffix: Vec<Entry<M::Command>>,
}

/// A state machine that travels in one piece.
#[derive(Clone, Debug)]
pub struct Whole<M>(pub M);

impl<M: StateMachine> Digestible for Whole<M> {
    fn digest(&self, digest: &mut Digest) {
        digest.word(self.0.fingerprint());
    }
}

/// One message's share of a snapshot.
#[derive(Clone, Debug)]
pub struct Fragment<M: StateMachine> {
    /// Of which snapshot: see [`Snapshot::last`].
    pub last: Position,
    /// See [`Snapshot::chain`].
    pub chain: u64,
    /// See [`Snapshot::configuration`].
    pub configuration: Configuration,
    /// How many parts come before this one. Paper: offset.
    pub offset: usize,
    /// How many parts there are.
    pub count: usize,
    /// The part.
    pub part: M::Part,
}

impl<M: StateMachine> Snapshot<M> {
    /// Its part of this number.
    ///
    /// # Panics
    /// If it has no such part.
    pub fn fragment(&self, offset: usize) -> Fragment<M> {
        let Snapshot { last, chain, configuration, parts } = self;
        let part = parts[offset].clone();
        Fragment { last: *last, chain: *chain, configuration: *configuration, offset, count: parts.len(), part }
    }
}

impl<M: StateMachine> Digestible for Fragment<M> {
    fn digest(&self, digest: &mut Digest) {
        digest.pair(self.last.term, self.last.index);
        digest.pair(self.chain, (self.offset as u64) << 32 | self.count as u64);
        self.configuration.digest(digest);
        self.part.digest(digest);
    }
}

/// What has arrived of a snapshot. It is kept in memory only: who crashes begins anew.
#[derive(Clone, Debug)]
pub struct Staging<M: StateMachine> {
    /// The term in which it began.
    term: u64,
    snapshot: Snapshot<M>,
}

/// What a fragment was good for.
#[derive(Debug)]
pub enum Progress<M: StateMachine> {
    /// The next part that is wanted of that snapshot.
    Wants(usize),
    /// Nothing is missing.
    Complete(Arc<Snapshot<M>>),
    /// It is of a snapshot that has been overtaken by a later one.
    Late,
}

impl<M: StateMachine> Staging<M> {
    /// Where the snapshot ends.
    pub fn last(&self) -> Position {
        self.snapshot.last
    }

    /// Takes in a fragment that a leader of `term` has sent. Parts come in order; what comes twice or too early changes nothing. A
    /// leader's later snapshot takes the place of an earlier one, and so does that of a later leader, unless it is the
    /// same: at the same index all servers have the same state.
    pub fn take_in(staging: &mut Option<Staging<M>>, term: u64, fragment: Fragment<M>) -> Progress<M> {
        let Fragment { last, chain, configuration, offset, count, part } = fragment;
        let begin = || Staging { term, snapshot: Snapshot { last, chain, configuration, parts: Vec::new() } };
        let current = staging.get_or_insert_with(begin);
        if current.snapshot.last != last {
            if current.term == term && last.index < current.snapshot.last.index {
                return Progress::Late;
            }
            *current = begin();
        }
        let parts = &mut current.snapshot.parts;
        if parts.len() == offset {
            parts.push(part);
        }
        if parts.len() < count {
            return Progress::Wants(parts.len());
        }
        let complete = staging.take().map(|staging| Arc::new(staging.snapshot));
        complete.map_or(Progress::Late, Progress::Complete)
    }
}
