//! Checkpoints: a server begins its journal anew with all that it holds, and the old one is forgotten when that is durable.
//!
//! The keys, hints and epochs of a server and the Raft of those who decide share one disk, so one record stands for all of them.
//! Source: the log that is deleted when all it says is elsewhere, in Cassandra's documentation of its storage engine,
//! "CommitLog".

use super::message::Record;
use super::node::Node;
use super::server::Server;
use super::store::Store;
use crate::protocol::Io;
use crate::protocols::raft::message as raft;
use crate::protocols::ring::metadata::Metadata;

/// What a server has to keep, in one record.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// What is its own.
    pub store: Store,
    /// What Raft must find, at one of those who decide.
    pub raft: Option<raft::Record<Metadata>>,
}

impl Server {
    /// Begins the journal anew, if it is time. To be called before anything else is done in a turn: what was written before was
    /// looked at by then.
    pub(super) fn begin_journal(&mut self, io: &mut Io<'_, Node>) {
        let config = &self.shelf().config;
        let (rules, length) = (config.rules, self.written());
        if config.limits.journal.is_none_or(|most| length < self.journal_began + most) {
            return;
        }
        let core = self.core().filter(|core| !core.is_outcast());
        let raft = core.map(|core| raft::Record::Checkpoint(Box::new(core.checkpoint())));
        let store = (rules.replica.checkpoint)(self.shelf().store());
        io.write(Record::Checkpoint(Box::new(Checkpoint { store, raft })));
        self.journal_began = length;
    }

    /// How many records it has written, or found when it started. Of Raft the terms and entries are counted.
    pub(super) fn written(&self) -> u64 {
        self.shelf().written() + self.core().map_or(0, |core| core.term() + core.log().last_index())
    }
}
