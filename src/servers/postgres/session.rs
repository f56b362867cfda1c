//! What the server knows of a connection: its transaction, its settings, and the statement that waits.

use super::ast::{Command, Isolation};
use super::error::Error;
use super::heap::{Commit, Table, TableId, Tid, Xact};
use super::lock::{Mode, Tag};
use super::settings::Settings;
use super::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    /// Who is at the other end; None: nobody any more, and the session ends with its statement.
    pub(super) client: Option<super::SessionId>,
    pub(super) pid: i64,
    pub(super) settings: Settings,
    pub(super) transaction: Option<Transaction>,
    pub(super) pending: Option<Pending>,
    pub(super) prepared: BTreeMap<String, Command>,
    /// The last value that each sequence gave to this session, and which was the last.
    pub(super) sequences: BTreeMap<String, i64>,
    pub(super) last_sequence: Option<String>,
    /// The keys of the timers that run for it.
    pub(super) timers: BTreeMap<Timer, (u64, u64)>,
    pub(super) began: u64,
    pub(super) query: String,
    pub(super) query_began: u64,
    pub(super) changed: u64,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    Deadlock,
    Lock,
    Statement,
    Sleep,
    IdleInTransaction,
    IdleSession,
}

/// A transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Transaction {
    pub(super) xact: Xact,
    /// Whether BEGIN opened it; otherwise it ends with its statement.
    pub(super) explicit: bool,
    /// Whether an error has ended all but its name.
    pub(super) failed: bool,
    pub(super) isolation: Isolation,
    pub(super) read_only: bool,
    pub(super) deferrable: bool,
    /// The snapshot of the whole transaction, above READ COMMITTED.
    pub(super) snapshot: Option<Commit>,
    /// Whether a statement has run that needed a snapshot.
    pub(super) queried: bool,
    /// Whether it has changed anything.
    pub(super) wrote: bool,
    pub(super) command: u32,
    pub(super) undo: Vec<(u32, Undo)>,
    pub(super) savepoints: Vec<Savepoint>,
    pub(super) next_sub: u32,
    /// Settings as they were before SET and SET LOCAL.
    pub(super) saved_settings: Option<Settings>,
    /// Names set by SET without LOCAL, with their values; they stay after a commit.
    pub(super) kept_settings: Vec<(String, Option<String>)>,
    pub(super) began: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Savepoint {
    pub(super) name: String,
    pub(super) sub: u32,
    pub(super) settings: Settings,
}

/// How one change is taken back, or made to stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Undo {
    Created(TableId, Tid),
    Removed(TableId, Tid),
    Locked(TableId, Tid),
    TableCreated(TableId),
    TableDropped(TableId),
    /// The table as it was before TRUNCATE or CREATE INDEX.
    Replaced(Box<Table>),
    SequenceCreated(String),
    SequenceDropped(String, super::catalogue::Sequence),
}

impl Transaction {
    /// The part of the transaction that runs: since the last savepoint, or 0.
    pub(super) fn sub(&self) -> u32 {
        self.savepoints.last().map_or(0, |savepoint| savepoint.sub)
    }
}

/// A text that is being run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    pub(super) commands: Arc<Vec<Command>>,
    /// Which of them runs.
    pub(super) at: usize,
    pub(super) parameters: Vec<Value>,
    /// The snapshot of the statement that runs, once it has one.
    pub(super) snapshot: Option<Commit>,
    pub(super) journal: Journal,
    /// When it came, in nanoseconds.
    pub(super) began: u64,
    /// A lock that it has got since it began to wait.
    pub(super) granted: Option<(Tag, Mode)>,
    /// What it waits for, if that is a lock.
    pub(super) waiting: Option<(Tag, Mode)>,
    /// Whether it sleeps, and whether it has slept enough.
    pub(super) slept: bool,
    /// An error that ends it when it goes on.
    pub(super) cancelled: Option<Error>,
}

/// What a statement has done so far, so that after a wait it can be gone through again from its
/// beginning without doing anything twice.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Journal {
    pub(super) effects: Vec<Effect>,
    pub(super) at: usize,
}

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// What a function gave.
    Value(Value),
    /// What became of a row that was to be locked.
    Locked(Locked),
    /// The row after INSERT, UPDATE or DELETE, with the row beside which it was made; None: it was passed over.
    Written(Option<Vec<Value>>),
}

/// What became of a row that was to be locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Locked {
    /// It is locked, at this version: the one that was asked for, or a later one.
    At(Tid),
    /// It is no longer there.
    Gone,
    /// Another has locked it.
    Skipped,
}
