//! What is replicated: keys and leases, and the commands that change them.

use super::apply::{self, Write};
use super::check;
use super::error::Error;
use super::lessor::{Lessor, Settings};
use super::primary::Checkpoint;
use super::request::{DeleteRange, DeleteRangeReply, Put, PutReply, Range, RangeReply, Txn, TxnReply};
use super::store::{Event, Store};
use super::txn;
use crate::kernel::time::Time;

/// A request as it stands in the log of a cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Set a key.
    Put(Put),
    /// Remove keys.
    DeleteRange(DeleteRange),
    /// Compare and change.
    Txn(Txn),
    /// Forget what was before a revision.
    Compact {
        /// The revision, which can still be read.
        revision: i64,
    },
    /// Make a lease.
    Grant {
        /// Its id, which must not be 0: who proposes it has chosen one by then.
        id: i64,
        /// How long it shall live, in seconds.
        ttl: i64,
    },
    /// End a lease and remove its keys.
    Revoke {
        /// The lease.
        id: i64,
    },
    /// Take note of how long leases have still to live.
    Checkpoint(Vec<Checkpoint>),
}

/// The answer to a [`Command`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// To a put.
    Put(PutReply),
    /// To a removal.
    DeleteRange(DeleteRangeReply),
    /// To a transaction.
    Txn(TxnReply),
    /// To a compaction.
    Compact {
        /// The newest revision.
        revision: i64,
    },
    /// To the making of a lease.
    Grant {
        /// Its id.
        id: i64,
        /// How long it lives, in seconds.
        ttl: i64,
        /// The newest revision.
        revision: i64,
    },
    /// To the end of a lease.
    Revoke {
        /// The newest revision: that of the removal if the lease had keys.
        revision: i64,
    },
    /// To checkpoints.
    Checkpoint,
}

/// An answer, and the changes that it tells of: all of them have one revision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Applied {
    /// The answer.
    pub reply: Reply,
    /// What has changed, for [`Watchers::notify`](super::watchers::Watchers::notify).
    pub events: Vec<Event>,
}

/// The keys and the leases of one member.
#[derive(Clone, PartialEq, Debug)]
pub struct State {
    /// The keys.
    pub store: Store,
    /// The leases.
    pub lessor: Lessor,
}

impl Command {
    /// Whether the command is one; otherwise it must not be proposed.
    ///
    /// # Errors
    ///
    /// What is wrong with it, whatever keys and leases there are.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Command::Put(put) => check::put(put),
            Command::DeleteRange(delete) => check::keys(&delete.keys.key),
            Command::Txn(txn) => check::txn(txn),
            Command::Compact { .. } | Command::Grant { .. } | Command::Revoke { .. } | Command::Checkpoint(_) => Ok(()),
        }
    }
}

impl State {
    /// Nothing yet, on a member that does not lead.
    pub fn new(settings: Settings) -> State {
        State { store: Store::new(), lessor: Lessor::new(settings) }
    }

    /// Reads keys.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyKey`], [`Error::Compacted`], [`Error::FutureRevision`].
    pub fn range(&self, range: &Range) -> Result<RangeReply, Error> {
        check::keys(&range.keys.key)?;
        apply::range(&self.store, self.store.revision(), range)
    }

    /// Does what a command says, at the time `now` of the member's own monotonic clock. If it is refused, nothing
    /// has changed. All members come to the same answer and the same keys and leases; only a leader looks at the time.
    /// Whether the command is one is not looked at: that is [`Command::check`].
    ///
    /// # Errors
    ///
    /// The refusal that goes to the client, as every member finds it.
    pub fn apply(&mut self, now: Time, command: &Command) -> Result<Applied, Error> {
        match command {
            Command::Put(put) => self.put(put),
            Command::DeleteRange(delete) => {
                let mut write = Write::begin(&mut self.store, &mut self.lessor);
                let reply = Reply::DeleteRange(write.delete_range(delete));
                Ok(Applied { reply, events: write.end() })
            }
            Command::Txn(request) => {
                let (reply, events) = txn::apply(&mut self.store, &mut self.lessor, request)?;
                Ok(Applied { reply: Reply::Txn(reply), events })
            }
            Command::Compact { revision } => Ok(quiet(Reply::Compact { revision: self.store.compact(*revision)? })),
            Command::Grant { id, ttl } => {
                let ttl = self.lessor.grant(now, *id, *ttl)?;
                Ok(quiet(Reply::Grant { id: *id, ttl, revision: self.store.revision() }))
            }
            Command::Revoke { id } => self.revoke(*id),
            Command::Checkpoint(checkpoints) => {
                for checkpoint in checkpoints {
                    self.lessor.checkpoint(now, *checkpoint);
                }
                Ok(quiet(Reply::Checkpoint))
            }
        }
    }

    fn put(&mut self, put: &Put) -> Result<Applied, Error> {
        if put.lease != 0 && self.lessor.lease(put.lease).is_none() {
            return Err(Error::LeaseNotFound);
        }
        let mut write = Write::begin(&mut self.store, &mut self.lessor);
        let reply = Reply::Put(write.put(put)?);
        Ok(Applied { reply, events: write.end() })
    }

    /// Removes the keys of a lease in their order, so that every member gives their removals the same revisions.
    fn revoke(&mut self, id: i64) -> Result<Applied, Error> {
        let keys = self.lessor.lease(id).ok_or(Error::LeaseNotFound)?.keys().clone();
        let mut write = Write::begin(&mut self.store, &mut self.lessor);
        for key in &keys {
            write.delete(key);
        }
        let events = write.end();
        self.lessor.remove(id);
        Ok(Applied { reply: Reply::Revoke { revision: self.store.revision() }, events })
    }
}

fn quiet(reply: Reply) -> Applied {
    Applied { reply, events: Vec::new() }
}
