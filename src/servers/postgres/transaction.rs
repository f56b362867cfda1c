//! The beginning and the end of transactions, and snapshots.

use super::SessionId;
use super::ast::{Isolation, Modes};
use super::error::Error;
use super::heap::{Commit, Stamp, Version, Xact};
use super::lock::{EXCLUSIVE, Scope, Tag};
use super::server::Server;
use super::session::{Pending, Savepoint, Transaction, Undo};

impl Server {
    pub(super) fn transaction(&self, id: SessionId) -> &Transaction {
        self.session(id).transaction.as_ref().expect("a transaction is open")
    }

    pub(super) fn transaction_mut(&mut self, id: SessionId) -> &mut Transaction {
        self.session_mut(id).transaction.as_mut().expect("a transaction is open")
    }

    /// Opens a transaction, if none is open.
    pub(super) fn begin(&mut self, id: SessionId, explicit: bool) {
        if let Some(transaction) = &mut self.session_mut(id).transaction {
            transaction.explicit |= explicit;
            return;
        }
        self.next_xact += 1;
        let (xact, began) = (self.next_xact, self.now());
        self.active.insert(xact, id);
        let session = self.session_mut(id);
        session.transaction = Some(Transaction {
            xact,
            explicit,
            failed: false,
            isolation: session.settings.isolation,
            read_only: session.settings.read_only,
            deferrable: false,
            snapshot: None,
            queried: false,
            wrote: false,
            command: 1,
            undo: Vec::new(),
            savepoints: Vec::new(),
            next_sub: 1,
            saved_settings: None,
            kept_settings: Vec::new(),
            began,
        });
    }

    /// Changes the modes of the open transaction.
    pub(super) fn set_modes(&mut self, id: SessionId, modes: Modes) -> Result<(), Error> {
        let transaction = self.transaction_mut(id);
        let (queried, within) = (transaction.queried, !transaction.savepoints.is_empty());
        if let Some(isolation) = modes.isolation.filter(|isolation| *isolation != transaction.isolation) {
            if queried {
                return Err(Error::new("25001", "SET TRANSACTION ISOLATION LEVEL must be called before any query"));
            }
            if within {
                let says = "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction";
                return Err(Error::new("25001", says));
            }
            transaction.isolation = isolation;
        }
        if let Some(read_only) = modes.read_only {
            if transaction.read_only && !read_only && queried {
                return Err(Error::new("25001", "transaction read-write mode must be set before any query"));
            }
            transaction.read_only = read_only;
        }
        if let Some(deferrable) = modes.deferrable {
            if queried {
                return Err(Error::new("25001", "SET TRANSACTION [NOT] DEFERRABLE must be called before any query"));
            }
            transaction.deferrable = deferrable;
        }
        Ok(())
    }

    /// Takes the snapshot of the transaction, where one holds for all of it, before a statement is looked at.
    pub(super) fn fix_snapshot(&mut self, id: SessionId) {
        let commit = self.commits;
        let transaction = self.transaction_mut(id);
        transaction.queried = true;
        if transaction.isolation == Isolation::ReadCommitted || transaction.snapshot.is_some() {
            return;
        }
        transaction.snapshot = Some(commit);
        let (xact, read_only) = (transaction.xact, transaction.read_only);
        let serializable = transaction.isolation == Isolation::Serializable;
        *self.snapshots.entry(commit).or_default() += 1;
        if serializable {
            self.serials.begin(xact, commit, read_only);
        }
    }

    /// The snapshot of the statement that runs: all commits up to this one.
    pub(super) fn snapshot(&mut self, id: SessionId, pending: &mut Pending) -> Result<Commit, Error> {
        if let Some(commit) = self.transaction(id).snapshot {
            return Ok(commit);
        }
        if pending.snapshot.is_none() {
            pending.snapshot = Some(self.commits);
            *self.snapshots.entry(self.commits).or_default() += 1;
        }
        Ok(pending.snapshot.unwrap_or(self.commits))
    }

    pub(super) fn forget_snapshot(&mut self, pending: &mut Pending) {
        if let Some(commit) = pending.snapshot.take() {
            self.unpin(commit);
        }
    }

    fn unpin(&mut self, commit: Commit) {
        let count = self.snapshots.get_mut(&commit).expect("a snapshot that is used is counted");
        *count -= 1;
        if *count == 0 {
            self.snapshots.remove(&commit);
        }
        self.prune();
    }

    /// Forgets the versions that no snapshot shows.
    fn prune(&mut self) {
        let oldest = self.snapshots.keys().next().copied().unwrap_or(self.commits);
        while let Some((_, table, tid)) = self.dead.front().copied().filter(|(commit, ..)| *commit <= oldest) {
            self.dead.pop_front();
            if let Some(table) = self.catalogue.by_id_mut(table) {
                table.forget(tid);
            }
        }
    }

    /// What to wait for, to know how a transaction ends, or the part of it that began at `sub`. None: it has.
    pub(super) fn end_of(&mut self, xact: Xact, sub: u32) -> Option<Tag> {
        let holder = *self.active.get(&xact)?;
        let tag = Tag::Transaction(xact, sub);
        if !self.locks.has(holder, tag, EXCLUSIVE) {
            self.locks.grant(holder, tag, EXCLUSIVE, Scope::Transaction(sub));
        }
        Some(tag)
    }

    /// Notes that a change has been made on behalf of another transaction.
    pub(super) fn undo_of(&mut self, xact: Xact, sub: u32, undo: Undo) {
        let id = self.active.get(&xact).copied().expect("who has a lock is active");
        self.transaction_mut(id).undo.push((sub, undo));
    }

    /// Ends a transaction that no BEGIN has opened.
    pub(super) fn finish_implicit(&mut self, id: SessionId) -> Result<(), Error> {
        match &self.session(id).transaction {
            Some(transaction) if !transaction.explicit => self.commit(id),
            _ => Ok(()),
        }
    }

    /// Commits. On an error it has been rolled back by whoever gets it.
    pub(super) fn commit(&mut self, id: SessionId) -> Result<(), Error> {
        let xact = self.transaction(id).xact;
        self.serials.prepare(xact).map_err(|_| Error::dependencies())?;
        self.commits += 1;
        let commit = self.commits;
        let undo = std::mem::take(&mut self.transaction_mut(id).undo);
        for (_, undo) in undo {
            self.make_permanent(undo, xact, commit);
        }
        self.serials.commit(xact, commit);
        let kept = {
            let session = self.session_mut(id);
            let transaction = session.transaction.as_mut().expect("a transaction is open");
            let kept = std::mem::take(&mut transaction.kept_settings);
            if let Some(saved) = transaction.saved_settings.take() {
                session.settings = saved;
            }
            kept
        };
        for (name, value) in kept {
            self.keep_setting(id, &name, value.as_deref());
        }
        self.close(id);
        Ok(())
    }

    fn make_permanent(&mut self, undo: Undo, xact: Xact, commit: Commit) {
        let mut removed = None;
        match undo {
            Undo::Created(table, tid) => {
                if let Some(version) = self.version_mut(table, tid) {
                    version.created = Stamp::Done(commit);
                }
            }
            Undo::Removed(table, tid) => {
                if let Some(version) = self.version_mut(table, tid) {
                    let removal = version.removed.as_mut().expect("the version was removed");
                    removal.by = Stamp::Done(commit);
                    removed = Some((commit, table, tid));
                }
            }
            Undo::Locked(table, tid) => {
                if let Some(version) = self.version_mut(table, tid) {
                    version.locks.retain(|lock| lock.xact != xact);
                }
            }
            Undo::TableCreated(table) => self.catalogue.keep(table),
            Undo::TableDropped(table) => self.catalogue.remove(table),
            Undo::Replaced(_) | Undo::SequenceCreated(_) | Undo::SequenceDropped(..) => {}
        }
        self.dead.extend(removed);
    }

    fn version_mut(&mut self, table: u32, tid: u64) -> Option<&mut Version> {
        self.catalogue.by_id_mut(table)?.versions.get_mut(&tid)
    }

    /// Rolls back all that is open.
    pub(super) fn roll_back(&mut self, id: SessionId) {
        let Some(transaction) = &mut self.session_mut(id).transaction else { return };
        let xact = transaction.xact;
        let saved = transaction.saved_settings.take();
        if let Some(saved) = saved {
            self.session_mut(id).settings = saved;
        }
        self.take_back(id, 0);
        self.serials.abort(xact);
        self.close(id);
    }

    /// The end of a transaction, whichever way: its locks are free.
    fn close(&mut self, id: SessionId) {
        let transaction = self.session_mut(id).transaction.take().expect("a transaction is open");
        self.active.remove(&transaction.xact);
        if let Some(commit) = transaction.snapshot {
            self.unpin(commit);
        }
        self.prune();
        let woken = self.locks.release_transaction(id, 0);
        self.woken(woken);
    }

    /// Takes back the changes of a part of the transaction, the last first.
    fn take_back(&mut self, id: SessionId, from: u32) {
        let transaction = self.transaction_mut(id);
        let xact = transaction.xact;
        let all = std::mem::take(&mut transaction.undo);
        let (gone, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(|(sub, _)| *sub >= from);
        transaction.undo = kept;
        for (_, undo) in gone.into_iter().rev() {
            match undo {
                Undo::Created(table, tid) => {
                    if let Some(table) = self.catalogue.by_id_mut(table) {
                        table.forget(tid);
                    }
                }
                Undo::Removed(table, tid) => {
                    if let Some(version) = self.version_mut(table, tid) {
                        version.removed = None;
                    }
                }
                Undo::Locked(table, tid) => {
                    if let Some(version) = self.version_mut(table, tid) {
                        let last = version.locks.iter().rposition(|lock| lock.xact == xact);
                        last.map(|last| version.locks.remove(last));
                    }
                }
                Undo::TableCreated(table) => self.catalogue.remove(table),
                Undo::TableDropped(table) => self.catalogue.mark_dropped(table, None),
                Undo::Replaced(table) => self.catalogue.replace(*table),
                Undo::SequenceCreated(name) => _ = self.catalogue.sequences.remove(&name),
                Undo::SequenceDropped(name, sequence) => _ = self.catalogue.sequences.insert(name, sequence),
            }
        }
    }

    /// An error has happened: what was done since the last savepoint is undone, and its locks are free.
    pub(super) fn fail(&mut self, id: SessionId) {
        let Some(transaction) = &mut self.session_mut(id).transaction else { return };
        if !transaction.explicit {
            self.roll_back(id);
            return;
        }
        if transaction.failed {
            return;
        }
        transaction.failed = true;
        let (sub, xact) = (transaction.sub(), transaction.xact);
        self.take_back(id, sub);
        if sub == 0 {
            self.serials.abort(xact);
            self.active.remove(&xact);
            if let Some(commit) = self.transaction_mut(id).snapshot.take() {
                self.unpin(commit);
            }
        }
        let woken = self.locks.release_transaction(id, sub);
        self.woken(woken);
    }

    pub(super) fn savepoint(&mut self, id: SessionId, name: String) {
        let settings = self.session(id).settings.clone();
        let transaction = self.transaction_mut(id);
        let sub = transaction.next_sub;
        transaction.next_sub += 1;
        transaction.savepoints.push(Savepoint { name, sub, settings });
    }

    fn find_savepoint(&self, id: SessionId, name: &str) -> Result<usize, Error> {
        let none = || Error::new("3B001", format!("savepoint \"{name}\" does not exist"));
        let savepoints = &self.transaction(id).savepoints;
        savepoints.iter().rposition(|savepoint| savepoint.name == name).ok_or_else(none)
    }

    pub(super) fn release_savepoint(&mut self, id: SessionId, name: &str) -> Result<(), Error> {
        let at = self.find_savepoint(id, name)?;
        self.transaction_mut(id).savepoints.truncate(at);
        Ok(())
    }

    /// Undoes all since a savepoint, which stays.
    pub(super) fn roll_back_to(&mut self, id: SessionId, name: &str) -> Result<(), Error> {
        let at = self.find_savepoint(id, name)?;
        let transaction = self.transaction_mut(id);
        transaction.savepoints.truncate(at + 1);
        transaction.failed = false;
        let (sub, next) = (transaction.savepoints[at].sub, transaction.next_sub);
        let settings = transaction.savepoints[at].settings.clone();
        transaction.next_sub += 1;
        self.take_back(id, sub);
        self.transaction_mut(id).savepoints[at].sub = next;
        self.session_mut(id).settings = settings;
        let woken = self.locks.release_transaction(id, sub);
        self.woken(woken);
        Ok(())
    }
}
