//! The running of statements: a plan, a snapshot, and the locks that are met on the way.
//!
//! A statement that has to wait ends with [`Stop::Wait`]. When it may go on it is run again from its
//! beginning with the same snapshot, and its [`Journal`] says what has been done already.

mod call;
mod change;
mod evaluation;
mod insert;
mod query;
mod row;
mod system;

use super::SessionId;
use super::ast::Isolation;
use super::error::Error;
use super::heap::{Owner, Snapshot, TableId, Xact};
use super::lock::{Answer, Mode, SHARE, Scope, Tag};
use super::plan::{Action, Plan};
use super::serializable::{Dangerous, Target};
use super::server::Server;
use super::session::{Effect, Pending};
use super::value::Value;
use std::collections::BTreeMap;

/// Why a statement does not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Error(Error),
    /// It stands in a queue, or sleeps.
    Wait,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Dangerous> for Stop {
    fn from(_: Dangerous) -> Self {
        Self::Error(Error::dependencies())
    }
}

/// A row of results.
pub(super) type Row = Vec<Value>;

/// The rows that a column can mean: the one at hand, and those of the queries around it.
#[derive(Clone, Copy)]
pub(super) struct Env<'e> {
    row: &'e [Value],
    outer: Option<&'e Env<'e>>,
}

impl<'e> Env<'e> {
    pub(super) const EMPTY: Env<'static> = Env { row: &[], outer: None };

    fn column(&self, depth: usize, at: usize) -> &'e Value {
        let mut env = *self;
        for _ in 0..depth {
            env = *env.outer.expect("a query around this one");
        }
        &env.row[at]
    }

    /// The same, with another row within.
    fn inner<'i>(&'i self, row: &'i [Value]) -> Env<'i> {
        Env { row, outer: Some(self) }
    }
}

/// One statement at work.
pub(super) struct Execution<'a> {
    pub(super) server: &'a mut Server,
    pub(super) session: SessionId,
    pub(super) pending: &'a mut Pending,
    xact: Xact,
    sub: u32,
    isolation: Isolation,
    read_only: bool,
    snapshot: Snapshot,
    /// The results of queries that hang on nothing around them, and of WITH.
    memo: BTreeMap<usize, Vec<Row>>,
}

/// What a statement of rows has come to.
pub(super) struct Results {
    pub(super) rows: Vec<Row>,
    /// How many rows were inserted, changed or deleted; for a query, how many it has.
    pub(super) count: u64,
}

impl<'a> Execution<'a> {
    /// Prepares to run the statement of a session that has a transaction.
    pub(super) fn new(server: &'a mut Server, session: SessionId, pending: &'a mut Pending) -> Self {
        let transaction = server.transaction(session);
        let (xact, command) = (transaction.xact, transaction.command);
        let (sub, isolation, read_only) = (transaction.sub(), transaction.isolation, transaction.read_only);
        let snapshot = Snapshot { commit: 0, xact, command };
        let memo = BTreeMap::new();
        Self { server, session, pending, xact, sub, isolation, read_only, snapshot, memo }
    }

    /// Runs a statement of rows.
    pub(super) fn run(&mut self, action: &Action) -> Result<Results, Stop> {
        self.pending.journal.at = 0;
        self.snapshot.commit = self.server.snapshot(self.session, self.pending)?;
        self.action(action, &Env::EMPTY)
    }

    fn action(&mut self, action: &Action, env: &Env<'_>) -> Result<Results, Stop> {
        for (number, with) in action.with() {
            // Statements that write run to their end at once; queries in a WITH do too, which shows only
            // in functions that do something.
            let results = self.action(with, env)?;
            self.memo.insert(*number, results.rows);
        }
        match action {
            Action::Select(plan) => {
                let rows = self.rows(plan, env, None)?;
                let count = rows.len() as u64;
                Ok(Results { rows, count })
            }
            Action::Insert(insert) => self.insert(insert),
            Action::Change(change) => self.change(change),
        }
    }

    /// Whether a query of this number has been run, and what came of it.
    fn remembered(&mut self, plan: &Plan, env: &Env<'_>, most: Option<usize>) -> Result<Vec<Row>, Stop> {
        if plan.correlated {
            return self.nested(plan, env, most);
        }
        if let Some(rows) = self.memo.get(&plan.id) {
            return Ok(rows.clone());
        }
        let rows = self.nested(plan, env, most)?;
        self.memo.insert(plan.id, rows.clone());
        Ok(rows)
    }

    fn nested(&mut self, plan: &Plan, env: &Env<'_>, most: Option<usize>) -> Result<Vec<Row>, Stop> {
        for (number, with) in &plan.with {
            if !self.memo.contains_key(number) {
                let results = self.action(with, env)?;
                self.memo.insert(*number, results.rows);
            }
        }
        self.rows(plan, env, most)
    }

    fn owner(&self) -> Owner {
        Owner { xact: self.xact, sub: self.sub, command: self.snapshot.command }
    }

    /// Whether what is done now was done before the last wait.
    fn is_repeated(&self) -> bool {
        self.pending.journal.at < self.pending.journal.effects.len()
    }

    /// The next thing in the journal, if it is of the kind that is asked for.
    fn recorded<T>(&mut self, read: impl FnOnce(&Effect) -> Option<T>) -> Option<T> {
        let journal = &mut self.pending.journal;
        let found = journal.effects.get(journal.at).and_then(read)?;
        journal.at += 1;
        Some(found)
    }

    /// Notes what has been done since the journal was at `mark`, as one thing.
    fn record(&mut self, mark: usize, effect: Effect) {
        let journal = &mut self.pending.journal;
        journal.effects.truncate(mark);
        journal.effects.push(effect);
        journal.at = journal.effects.len();
    }

    /// Asks for a lock. False: only if it was not to be waited for.
    pub(super) fn acquire(&mut self, tag: Tag, mode: Mode, scope: Scope, wait: bool) -> Result<bool, Stop> {
        if self.pending.granted == Some((tag, mode)) {
            self.pending.granted = None;
            return Ok(true);
        }
        match self.server.locks.acquire(self.session, tag, mode, scope, wait) {
            Answer::Granted => Ok(true),
            Answer::Refused => Ok(false),
            Answer::Queued => {
                self.pending.waiting = Some((tag, mode));
                Err(Stop::Wait)
            }
            Answer::Deadlock => Err(Stop::Error(Error::new("40P01", "deadlock detected"))),
        }
    }

    /// Locks a table for as long as the transaction lasts.
    pub(super) fn lock_table(&mut self, table: TableId, mode: Mode, wait: bool) -> Result<bool, Stop> {
        let tag = Tag::Relation(table);
        if self.server.locks.has(self.session, tag, mode) {
            if self.pending.granted == Some((tag, mode)) {
                self.pending.granted = None;
            }
            return Ok(true);
        }
        self.acquire(tag, mode, Scope::Transaction(self.sub), wait)
    }

    /// Waits until a transaction has ended, or has rolled back the part of it that began at `sub`.
    pub(super) fn wait_for(&mut self, xact: Xact, sub: u32) -> Result<(), Stop> {
        let tag = self.server.end_of(xact, sub);
        match tag {
            Some(tag) => self.acquire(tag, SHARE, Scope::Transaction(self.sub), true).map(|_| ()),
            None => Ok(()),
        }
    }

    /// Notes for serializable transactions what is read, unless that was done before a wait.
    fn has_read(&mut self, target: Target) {
        if self.isolation == Isolation::Serializable && !self.is_repeated() {
            self.server.serials.read(self.xact, target);
        }
    }

    /// Notes for serializable transactions what is written.
    fn writes(&mut self, targets: &[Target]) -> Result<(), Stop> {
        self.server.transaction_mut(self.session).wrote = true;
        if self.isolation == Isolation::Serializable {
            self.server.serials.write(self.xact, targets)?;
        }
        Ok(())
    }

    /// A change by another that came between is an error above READ COMMITTED.
    fn concurrent(&self, what: &str) -> Result<(), Stop> {
        if self.isolation == Isolation::ReadCommitted {
            return Ok(());
        }
        Err(Stop::Error(Error::serialization(&format!("could not serialize access due to concurrent {what}"))))
    }
}
