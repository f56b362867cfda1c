//! What the servers' disks would bring back.

use crate::environment::disk::Disk;
use crate::protocol::NodeId;
use crate::protocols::ring::cell::{Cell, Rank};
use crate::protocols::ring::epoch::{Epoch, FOUNDER, Identity};
use crate::protocols::ring::message::Record;
use crate::protocols::ring::store::Store;

/// What a disk would bring back.
#[derive(Clone, Debug)]
pub(super) struct Mirror {
    /// How many records are in it.
    folded: usize,
    /// What they make.
    pub(super) store: Store,
    /// The latest epoch that any of its disks has known.
    pub(super) known: u64,
    /// How many durable records this server's disks had lost when it last started.
    losses: u64,
    /// Records that were in it are lost. Until the server starts again it is a witness of what it had.
    is_lost: bool,
    /// What disks had that this server has had before, when they were lost.
    lost: Vec<Store>,
    /// In which life of the server it became durable for which plan keys are fetched.
    planned_in: u32,
}

/// Of a disk that has lost what it had, until it says which it is.
const UNKNOWN: Identity = u64::MAX;

/// How many durable records a server's disks have lost so far.
fn losses(disk: &Disk<Record>) -> u64 {
    let books = disk.books();
    books.wiped + books.lost_durable
}

/// What has become durable.
pub(super) struct News<'a> {
    /// The record.
    pub(super) record: &'a Record,
    /// What was kept of the key that it is about.
    pub(super) before: Option<Cell>,
    /// Records before it were forgotten before anybody could look at them.
    pub(super) skips: bool,
}

impl Mirror {
    pub(super) fn new() -> Mirror {
        Mirror { folded: 0, store: Store::new(), known: 1, losses: 0, is_lost: false, lost: Vec::new(), planned_in: 0 }
    }

    /// The server has started: with what is left, which is another disk until it says which. Answers whether it says so
    /// already: it may have started before, and died in that very turn.
    pub(super) fn accept_loss(&mut self, disk: &Disk<Record>) -> bool {
        self.look_for_loss(disk);
        if !self.is_lost {
            return false;
        }
        let mut store = Store::new();
        disk.durable().take(disk.sound() - disk.first()).for_each(|record| store.fold(record));
        let had = |identity| std::iter::once(&self.store).chain(&self.lost).any(|store| store.identity == identity);
        let is_told = store.identity != FOUNDER && !had(store.identity);
        if !is_told {
            store.identity = UNKNOWN;
        }
        (self.folded, self.losses, self.is_lost) = (disk.sound(), losses(disk), false);
        self.replace(store);
        is_told
    }

    /// There may be as many records as before: those that the server has written since to a new disk.
    fn look_for_loss(&mut self, disk: &Disk<Record>) {
        if self.folded == 0 {
            self.losses = losses(disk);
        }
        self.is_lost |= self.has_lost(disk);
    }

    /// Whether records that were in it are lost since the server last started.
    pub(super) fn has_lost(&self, disk: &Disk<Record>) -> bool {
        disk.sound() < self.folded || losses(disk) > self.losses
    }

    /// Whether it is known which disk this is.
    pub(super) fn is_known(&self) -> bool {
        self.store.identity != UNKNOWN && self.folded > 0 && !self.is_lost
    }

    /// Whether its server is a member in this epoch, with whatever disk.
    pub(super) fn is_member_of(&self, epoch: &Epoch, node: NodeId) -> bool {
        Epoch::find(&epoch.members, node).is_some()
    }

    /// Whether the disk has said since an earlier life than this one that keys are fetched for this plan. A sleeper hears of late that it
    /// is so, and begins then.
    pub(super) fn has_planned_before(&self, plan: u64, life: u32) -> bool {
        self.store.fetched.plan == plan && self.planned_in < life
    }

    /// Takes in the next record that has become durable, in this life of the server.
    pub(super) fn next<'a>(&mut self, disk: &'a Disk<Record>, life: u32) -> Option<News<'a>> {
        self.look_for_loss(disk);
        if self.is_lost || self.folded == disk.sound() {
            return None;
        }
        // A checkpoint that has survived a crash, where what came before it was not durable.
        let skips = self.folded < disk.first();
        self.folded = self.folded.max(disk.first());
        let record = disk.record(self.folded).expect("a record that is durable");
        self.folded += 1;
        let plan = self.store.fetched.plan;
        let before = match record {
            Record::Cell(rank, _) | Record::Forget(rank, _) => self.store.get(*rank),
            _ => None,
        };
        match record {
            // What is given up is looked at before it is gone, and what a checkpoint says before it is believed.
            Record::Purge(_) | Record::Checkpoint(_) => {}
            Record::Identity(_) => {
                let mut store = Store::new();
                store.fold(record);
                self.replace(store);
            }
            _ => self.store.fold(record),
        }
        self.known = self.known.max(self.store.epoch());
        if self.store.fetched.plan != plan {
            self.planned_in = life;
        }
        Some(News { record, before, skips })
    }

    /// Gives up what a record says, once it has been looked at.
    pub(super) fn purge(&mut self, record: &Record) {
        self.store.fold(record);
    }

    /// Takes in a checkpoint. Answers what was there before.
    pub(super) fn begin_at(&mut self, store: &Store) -> Store {
        let before = std::mem::replace(&mut self.store, store.clone());
        if before.identity != store.identity && before.identity != UNKNOWN {
            self.lost.push(before.clone());
        }
        self.known = self.known.max(store.epoch());
        before
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::disk::crash::Survival;
    use crate::protocols::ring::cell::{OperationId, Version};
    use crate::protocols::ring::checkpoint::Checkpoint;

    fn cell(counter: u32) -> Cell {
        let by = OperationId { client: NodeId::new(9), serial: counter };
        Cell { version: Version { counter, by }, value: Some(7) }
    }

    fn write(disk: &mut Disk<Record>, records: impl IntoIterator<Item = Record>) {
        records.into_iter().for_each(|record| disk.write(record));
        disk.sync_at_once(true);
    }

    fn follow(mirror: &mut Mirror, disk: &Disk<Record>) {
        while mirror.next(disk, 1).is_some() {}
    }

    /// A founder with two keys, whose disk is lost, and its mirror.
    fn founder() -> (Disk<Record>, Mirror) {
        let (mut disk, mut mirror) = (Disk::new(), Mirror::new());
        write(&mut disk, [Record::Cell(Rank(1), cell(1)), Record::Cell(Rank(2), cell(2))]);
        follow(&mut mirror, &disk);
        disk.crash(0, Survival::Nothing, false);
        disk.wipe();
        (disk, mirror)
    }

    #[test]
    fn until_a_server_starts_it_is_a_witness_of_what_it_had_and_then_its_old_disk_is() {
        let (mut disk, mut mirror) = founder();
        follow(&mut mirror, &disk);
        assert_eq!((mirror.store.cells.len(), mirror.is_known()), (2, false));
        assert!(!mirror.accept_loss(&disk), "it has not said yet which disk this is");
        assert_eq!((mirror.store.identity, mirror.store.cells.len(), mirror.is_known()), (UNKNOWN, 0, false));
        write(&mut disk, [Record::Identity(77), Record::Cell(Rank(1), cell(3))]);
        follow(&mut mirror, &disk);
        assert_eq!((mirror.store.identity, mirror.is_known()), (77, true));
        assert!(mirror.has(Rank(1), &cell(1), FOUNDER) && !mirror.has(Rank(1), &cell(3), FOUNDER));
        assert!(mirror.has(Rank(1), &cell(3), 77) && !mirror.has(Rank(2), &cell(2), 77));
    }

    #[test]
    fn a_server_that_died_as_it_named_its_disk_has_named_it() {
        // As many records as the old disk had, or fewer: the number of them does not tell that it was lost.
        for more in [0, 1, 2] {
            let (mut disk, mut mirror) = founder();
            write(&mut disk, [Record::Identity(77)]);
            write(&mut disk, (0..more).map(|rank| Record::Cell(Rank(rank), cell(1))));
            assert!(mirror.accept_loss(&disk), "{more} more");
            assert_eq!((mirror.store.identity, mirror.store.cells.len()), (77, more as usize));
            assert!(mirror.is_known() && mirror.has(Rank(1), &cell(1), FOUNDER));
        }
    }

    #[test]
    fn a_checkpoint_that_a_crash_has_made_durable_stands_for_what_nobody_has_seen() {
        let (mut disk, mut mirror) = (Disk::new(), Mirror::new());
        write(&mut disk, [Record::Cell(Rank(1), cell(1))]);
        follow(&mut mirror, &disk);
        let unseen = [Record::Cell(Rank(2), cell(2)), Record::Cell(Rank(3), cell(3))];
        let mut store = mirror.store.clone();
        unseen.iter().for_each(|record| store.fold(record));
        unseen.into_iter().for_each(|record| disk.write(record));
        let checkpoint = Checkpoint { store: store.clone(), raft: None };
        disk.write_checkpoint(Record::Checkpoint(Box::new(checkpoint)));
        disk.crash(0, Survival::Everything, false);
        let news = mirror.next(&disk, 1).expect("the checkpoint");
        assert!(news.skips && matches!(news.record, Record::Checkpoint(_)));
        let before = mirror.begin_at(&store);
        assert_eq!((before.cells.len(), mirror.store.cells.len()), (1, 3));
        assert!(mirror.next(&disk, 1).is_none() && !mirror.accept_loss(&disk), "nothing is lost");
        write(&mut disk, [Record::Cell(Rank(4), cell(4))]);
        assert!(mirror.next(&disk, 1).is_some_and(|news| !news.skips));
    }

    #[test]
    fn who_hears_late_of_its_own_plan_has_not_planned_before() {
        let (mut disk, mut mirror) = (Disk::new(), Mirror::new());
        write(&mut disk, [Record::Planned { plan: 2, keeps: Default::default() }]);
        follow(&mut mirror, &disk);
        let before = |plan, life| mirror.has_planned_before(plan, life);
        assert_eq!((before(2, 1), before(2, 2), before(3, 2)), (false, true, false));
    }

    #[test]
    fn what_is_left_of_a_disk_that_has_rotted_is_not_the_member_that_it_was() {
        let (mut disk, mut mirror) = founder();
        write(&mut disk, [Record::Identity(77), Record::Cell(Rank(1), cell(3)), Record::Cell(Rank(2), cell(4))]);
        assert!(mirror.accept_loss(&disk));
        assert!(disk.rot(u64::MAX), "the last record");
        disk.crash(0, Survival::Nothing, false);
        let _ = disk.boot();
        assert!(!mirror.accept_loss(&disk), "it is another one, and will say which");
        assert_eq!((mirror.store.identity, mirror.store.cells.len()), (UNKNOWN, 1));
        write(&mut disk, [Record::Identity(78)]);
        follow(&mut mirror, &disk);
        assert_eq!((mirror.store.identity, mirror.store.cells.len()), (78, 0));
        assert!(mirror.has(Rank(2), &cell(4), 77), "the lost disk had it");
        assert!(!mirror.accept_loss(&disk), "a start is no loss");
    }
}
