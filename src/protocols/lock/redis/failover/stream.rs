//! How replicas hear of what a primary changes: an ordered stream, of which the latest part can be sent again, and
//! everything if that is not enough.
//!
//! Source: the manual page "Redis replication", "How Redis replication works": a replication id, an offset, a backlog.

use super::message::Peer;
use super::{Position, Server, State};
use crate::protocol::NodeId;
use crate::protocols::lock::message as lock;
use crate::protocols::lock::redis::command::{Change, Record};
use crate::protocols::lock::service::Office;
use crate::servers::redis::Snapshot;
use std::collections::VecDeque;

/// How many of the latest changes a primary keeps for those who miss some.
const BACKLOG: usize = 64;

/// What a primary knows of its replicas.
#[derive(Clone, Debug)]
pub struct Feed {
    /// The latest changes; the last of them is the newest.
    backlog: VecDeque<Change>,
    /// How much of this reign each server is known to have, by node.
    acked: Vec<u64>,
}

impl Feed {
    /// Nobody has anything of it yet.
    pub fn new(servers: u16) -> Feed {
        Feed { backlog: VecDeque::new(), acked: vec![0; usize::from(servers)] }
    }

    /// How much of this reign each server is known to have, by node.
    pub fn acked(&self) -> &[u64] {
        &self.acked
    }

    /// Tells all replicas of a change. The primary waits for nobody.
    pub fn push(&mut self, before: Position, change: Change, office: &mut Office<'_, '_>) {
        for other in office.others() {
            tell(other, Peer::Feed { at: before, changes: vec![change.clone()] }, office);
        }
        self.backlog.push_back(change);
        if self.backlog.len() > BACKLOG {
            self.backlog.pop_front();
        }
    }

    /// Shows all replicas that it is there, and how far.
    pub fn beat(&self, now: Position, office: &mut Office<'_, '_>) {
        office.others().for_each(|other| tell(other, Peer::Feed { at: now, changes: Vec::new() }, office));
    }

    /// What comes after this offset, if it is still there.
    fn since(&self, offset: u64, now: u64) -> Option<Vec<Change>> {
        let missing = usize::try_from(now.checked_sub(offset)?).ok()?;
        let first = self.backlog.len().checked_sub(missing)?;
        Some(self.backlog.range(first..).cloned().collect())
    }

    /// How many replicas have everything up to this offset.
    pub fn having(&self, offset: u64, me: NodeId) -> u16 {
        let others = self.acked.iter().enumerate().filter(|(place, _)| *place != me.index());
        others.filter(|(_, acked)| **acked > offset).count() as u16
    }

    /// Up to which offset so many replicas have everything; `None` if there are not so many.
    pub fn had_by(&self, replicas: u16, me: NodeId) -> Option<u64> {
        let others = self.acked.iter().enumerate().filter(|(place, _)| *place != me.index());
        let mut acked: Vec<u64> = others.map(|(_, acked)| *acked).collect();
        acked.sort_unstable_by(|one, other| other.cmp(one));
        acked.get(usize::from(replicas).checked_sub(1)?).copied()
    }
}

fn tell(to: NodeId, peer: Peer, office: &mut Office<'_, '_>) {
    office.peer(to, lock::Peer::Redis(peer));
}

impl Server {
    /// A primary has spoken.
    pub(super) fn on_feed(&mut self, from: NodeId, at: Position, changes: Vec<Change>, office: &mut Office<'_, '_>) {
        if !self.follows(from, at, office) {
            return;
        }
        let is_same = (self.position.epoch, self.position.run) == (at.epoch, at.run);
        if !(office.config.rules.redis.failover.fits)(is_same) || at.offset > self.position.offset {
            tell(from, Peer::Lack { at: self.position }, office);
            return;
        }
        // What comes twice is done once.
        let known = (self.position.offset - at.offset) as usize;
        for change in changes.into_iter().skip(known) {
            self.store.replicate(&change, office);
            self.position.offset += 1;
            self.store.keep(Record::Change(change), office);
        }
        self.acknowledge(from, office);
    }

    /// Says how far it is: what it says must hold after a crash, also of changes that came earlier and are not on the disk yet.
    fn acknowledge(&self, to: NodeId, office: &mut Office<'_, '_>) {
        if (office.config.rules.redis.failover.acknowledges_durably)() {
            self.store.wait_for_disk(office);
        }
        tell(to, Peer::Ack { at: self.position }, office);
    }

    /// Whether this is the primary to follow. Whoever has pledged itself to a later one stops it; whoever stands without
    /// success stands no more.
    fn follows(&mut self, from: NodeId, at: Position, office: &mut Office<'_, '_>) -> bool {
        if at.epoch < self.pledged {
            tell(from, Peer::Deposed { epoch: self.pledged }, office);
            return false;
        }
        self.promise(self.epoch.max(at.epoch), at.epoch, office);
        self.step_down();
        self.heard = office.io.now();
        true
    }

    /// A replica lacks something.
    pub(super) fn on_lack(&mut self, from: NodeId, at: Position, office: &mut Office<'_, '_>) {
        let State::Primary { feed, .. } = &self.state else { return };
        let is_same = (self.position.epoch, self.position.run) == (at.epoch, at.run);
        let missing = if is_same { feed.since(at.offset, self.position.offset) } else { None };
        let answer = match missing {
            Some(changes) => Peer::Feed { at, changes },
            None => Peer::Whole { at: self.position, whole: Box::new(self.store.whole()) },
        };
        tell(from, answer, office);
    }

    /// A primary has sent everything: what this server had that the primary had not is gone.
    pub(super) fn on_whole(&mut self, from: NodeId, at: Position, whole: &Snapshot, office: &mut Office<'_, '_>) {
        if !self.follows(from, at, office) {
            return;
        }
        let is_same = (self.position.epoch, self.position.run) == (at.epoch, at.run);
        if !is_same || (office.config.rules.redis.failover.takes_copy)(at.offset, self.position.offset) {
            self.store.replace(whole, office);
            self.position = at;
            self.store.keep(Record::Whole(at, whole.clone()), office);
        }
        self.acknowledge(from, office);
    }

    /// A replica has everything up to there.
    pub(super) fn on_ack(&mut self, from: NodeId, at: Position, office: &mut Office<'_, '_>) {
        let State::Primary { feed, waiters, .. } = &mut self.state else { return };
        if (self.position.epoch, self.position.run) != (at.epoch, at.run) {
            return;
        }
        let acked = &mut feed.acked[from.index()];
        // Offset 0 of a reign is something, too: all that was before.
        *acked = (*acked).max(at.offset + 1);
        waiters.acknowledged(feed, office);
    }
}
