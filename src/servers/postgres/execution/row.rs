//! The locking of one row, and what is found when its lock is free at last.
//!
//! Source: `heap_lock_tuple`, `heap_update` (heapam.c) and `heapam_tuple_lock` (heapam_handler.c).

use super::super::ast::{Patience, RowMode};
use super::super::error::Error;
use super::super::heap::{Removal, RowLock, Stamp, TableId, Tid, Version, Xact};
use super::super::lock::{ACCESS_EXCLUSIVE, ACCESS_SHARE, EXCLUSIVE, Mode, ROW_SHARE, Scope, Tag};
use super::super::session::{Effect, Locked, Undo};
use super::{Execution, Stop};

/// What is found at a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// It is the last version, and locked for us.
    Free,
    Updated(Tid),
    Deleted,
    /// This transaction has changed it already.
    Ours,
    Skipped,
}

/// Whether two locks of a row cannot be had by two transactions. Manual, table 13.3.
fn clash(one: RowMode, other: RowMode) -> bool {
    one as u8 + other as u8 >= 3
}

/// The mode in which the place at the head of the queue for a row is taken.
fn queue_mode(mode: RowMode) -> Mode {
    match mode {
        RowMode::KeyShare => ACCESS_SHARE,
        RowMode::Share => ROW_SHARE,
        RowMode::NoKeyUpdate => EXCLUSIVE,
        RowMode::Update => ACCESS_EXCLUSIVE,
    }
}

/// The first transaction, with the part of it, that stands in the way of a lock.
fn blocker(version: &Version, me: Xact, mode: RowMode) -> Option<(Xact, u32)> {
    let removal = version.removed.and_then(|removal| match removal.by {
        Stamp::Open(owner) if owner.xact != me && clash(mode, removal.mode) => Some((owner.xact, owner.sub)),
        _ => None,
    });
    let lock = || version.locks.iter().find(|lock| lock.xact != me && clash(mode, lock.mode));
    removal.or_else(|| lock().map(|lock| (lock.xact, lock.sub)))
}

impl Execution<'_> {
    pub(super) fn version(&self, table: TableId, tid: Tid) -> Option<&Version> {
        self.server.catalogue.by_id(table)?.versions.get(&tid)
    }

    /// Locks the version, after a wait if need be.
    pub(super) fn claim(&mut self, table: TableId, tid: Tid, mode: RowMode, patience: Patience) -> Result<Claim, Stop> {
        let me = self.xact;
        let Some(version) = self.version(table, tid) else { return Ok(Claim::Deleted) };
        match version.removed {
            Some(Removal { by: Stamp::Done(_), next, .. }) => {
                self.leave_queue(table, tid, mode);
                return Ok(next.map_or(Claim::Deleted, Claim::Updated));
            }
            Some(Removal { by: Stamp::Open(owner), .. }) if owner.xact == me => return Ok(Claim::Ours),
            _ => {}
        }
        if version.locks.iter().any(|lock| lock.xact == me && lock.mode >= mode) {
            return Ok(Claim::Free);
        }
        let Some((xact, sub)) = blocker(version, me, mode) else {
            self.mark(table, tid, mode);
            self.leave_queue(table, tid, mode);
            return Ok(Claim::Free);
        };
        // Who shares the lock already must not stand behind those who wait for it: they wait for him.
        let shares = version.locks.iter().any(|lock| lock.xact == me);
        if !shares && !self.enter_queue(table, tid, mode, patience)? {
            return self.impatient(table, patience);
        }
        if patience != Patience::Wait {
            self.leave_queue(table, tid, mode);
            return self.impatient(table, patience);
        }
        self.wait_for(xact, sub)?;
        unreachable!("a transaction that stands in the way is open");
    }

    fn impatient(&self, table: TableId, patience: Patience) -> Result<Claim, Stop> {
        if patience == Patience::SkipLocked {
            return Ok(Claim::Skipped);
        }
        let name = self.server.catalogue.by_id(table).map_or("", |table| table.name.as_str());
        Err(Stop::Error(Error::new("55P03", format!("could not obtain lock on row in relation \"{name}\""))))
    }

    /// Takes the place at the head of the queue for a row. False: it is taken, and we are not to wait.
    fn enter_queue(&mut self, table: TableId, tid: Tid, mode: RowMode, patience: Patience) -> Result<bool, Stop> {
        let (tag, mode) = (Tag::Tuple(table, tid), queue_mode(mode));
        if self.server.locks.has(self.session, tag, mode) {
            if self.pending.granted == Some((tag, mode)) {
                self.pending.granted = None;
            }
            return Ok(true);
        }
        self.acquire(tag, mode, Scope::Transaction(self.sub), patience == Patience::Wait)
    }

    fn leave_queue(&mut self, table: TableId, tid: Tid, mode: RowMode) {
        let (tag, mode) = (Tag::Tuple(table, tid), queue_mode(mode));
        if self.pending.granted == Some((tag, mode)) {
            self.pending.granted = None;
        }
        if self.server.locks.has(self.session, tag, mode) {
            let woken = self.server.locks.unlock_transaction(self.session, tag, mode);
            self.server.woken(woken);
        }
    }

    /// Writes into the version that we have locked it.
    fn mark(&mut self, table: TableId, tid: Tid, mode: RowMode) {
        let lock = RowLock { xact: self.xact, sub: self.sub, mode };
        let found = self.server.catalogue.by_id_mut(table).and_then(|table| table.versions.get_mut(&tid));
        found.expect("the version is there").locks.push(lock);
        self.undo(Undo::Locked(table, tid));
    }

    pub(super) fn undo(&mut self, undo: Undo) {
        let sub = self.sub;
        self.server.transaction_mut(self.session).undo.push((sub, undo));
    }

    /// Locks the row of which a version is seen: at READ COMMITTED its last version, else this one.
    pub(super) fn lock_row(
        &mut self,
        table: TableId,
        tid: Tid,
        mode: RowMode,
        patience: Patience,
    ) -> Result<Locked, Stop> {
        if let Some(locked) = self.recorded(|effect| match effect {
            Effect::Locked(locked) => Some(locked.clone()),
            _ => None,
        }) {
            return Ok(locked);
        }
        let mark = self.pending.journal.at;
        let locked = self.last_version(table, tid, mode, patience)?;
        self.record(mark, Effect::Locked(locked.clone()));
        Ok(locked)
    }

    fn last_version(&mut self, table: TableId, first: Tid, mode: RowMode, patience: Patience) -> Result<Locked, Stop> {
        let mut tid = first;
        loop {
            // A later version that is being changed is waited for outside of the queue.
            let changer = self.version(table, tid).and_then(|version| match version.removed?.by {
                Stamp::Open(owner) if owner.xact != self.xact => Some((owner.xact, owner.sub)),
                _ => None,
            });
            if let Some((xact, sub)) = changer.filter(|_| tid != first) {
                if patience != Patience::Wait {
                    self.impatient(table, patience)?;
                    return Ok(Locked::Skipped);
                }
                self.wait_for(xact, sub)?;
            }
            match self.claim(table, tid, mode, patience)? {
                Claim::Free => return Ok(Locked::At(tid)),
                Claim::Skipped => return Ok(Locked::Skipped),
                Claim::Ours => return Ok(Locked::Gone),
                Claim::Deleted => {
                    self.concurrent("delete")?;
                    return Ok(Locked::Gone);
                }
                Claim::Updated(next) => {
                    self.concurrent("update")?;
                    tid = next;
                }
            }
        }
    }
}
