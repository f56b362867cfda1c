//! What the servers' disks would bring back.

use crate::environment::disk::Disk;
use crate::protocol::NodeId;
use crate::protocols::ring::cell::{Cell, Rank};
use crate::protocols::ring::epoch::{Epoch, Identity};
use crate::protocols::ring::message::Record;
use crate::protocols::ring::store::Store;

/// What a disk would bring back.
#[derive(Clone, Debug)]
pub(super) struct Mirror {
    /// How many records are in it.
    folded: usize,
    /// What they make.
    pub(super) store: Store,
    /// Records that were in it are lost. Until the server starts again it is a witness of what it had.
    is_lost: bool,
    /// What disks had that this server has had before, when they were lost.
    lost: Vec<Store>,
}

/// Of a disk that has lost what it had, until it says which it is.
const UNKNOWN: Identity = u64::MAX;

/// What has become durable.
pub(super) struct News<'a> {
    /// The record.
    pub(super) record: &'a Record,
    /// What was kept of the key that it is about.
    pub(super) before: Option<Cell>,
}

impl Mirror {
    pub(super) fn new() -> Mirror {
        Mirror { folded: 0, store: Store::new(), is_lost: false, lost: Vec::new() }
    }

    /// The server has started: with what is left, which is another disk until it says which.
    pub(super) fn accept_loss(&mut self, disk: &Disk<Record>) {
        if self.is_lost || disk.sound() < self.folded {
            let mut store = Store::new();
            disk.durable().take(disk.sound() - disk.first()).for_each(|record| store.fold(record));
            store.identity = UNKNOWN;
            (self.folded, self.is_lost) = (disk.sound(), false);
            self.replace(store);
        }
    }

    /// Whether it is known which disk this is.
    pub(super) fn is_known(&self) -> bool {
        self.store.identity != UNKNOWN && self.folded > 0 && !self.is_lost
    }

    /// Whether its server is a member in this epoch, with whatever disk.
    pub(super) fn is_member_of(&self, epoch: &Epoch, node: NodeId) -> bool {
        Epoch::find(&epoch.members, node).is_some()
    }

    /// Takes in the next record that has become durable.
    pub(super) fn next<'a>(&mut self, disk: &'a Disk<Record>) -> Option<News<'a>> {
        self.is_lost |= disk.sound() < self.folded;
        if self.is_lost || self.folded == disk.sound() {
            return None;
        }
        let record = disk.record(self.folded).expect("a ring forgets no records");
        self.folded += 1;
        let before = match record {
            Record::Cell(rank, _) | Record::Forget(rank, _) => self.store.get(*rank),
            _ => None,
        };
        match record {
            // What is given up is looked at before it is gone.
            Record::Purge(_) => {}
            Record::Identity(_) => {
                let mut store = Store::new();
                store.fold(record);
                self.replace(store);
            }
            _ => self.store.fold(record),
        }
        Some(News { record, before })
    }

    /// Gives up what a record says, once it has been looked at.
    pub(super) fn purge(&mut self, record: &Record) {
        self.store.fold(record);
    }

    fn replace(&mut self, store: Store) {
        let lost = std::mem::replace(&mut self.store, store);
        if lost.identity != UNKNOWN {
            self.lost.push(lost);
        }
    }

    /// Whether the disk that is meant has a key in this version or a later one, or had it when it was lost: that is not the
    /// protocol's fault.
    pub(super) fn has(&self, rank: Rank, cell: &Cell, identity: Identity) -> bool {
        let meant = std::iter::once(&self.store).chain(&self.lost).find(|store| store.identity == identity);
        meant.and_then(|store| store.get(rank)).is_some_and(|kept| kept.version >= cell.version)
    }
}
