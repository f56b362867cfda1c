//! Who has reigned when, and by which votes, where a replica of Redis takes the place of a primary.

use crate::environment::disk::Disk;
use crate::oracle::spec::{Touch, Verdict, View, Violation};
use crate::protocol::{NodeId, Protocol};
use crate::protocols::lock::message::Record;
use crate::protocols::lock::node::Lock;
use crate::protocols::lock::redis;
use crate::protocols::lock::redis::failover::Position;
use std::collections::BTreeMap;

/// The reigns that there were.
#[derive(Clone, Debug)]
pub struct Reigns {
    servers: u16,
    /// Of each, the first that was seen to be primary in it.
    primaries: BTreeMap<u64, NodeId>,
    /// By server, how much it has of what primaries have told, since it started.
    positions: Vec<Position>,
}

impl Reigns {
    /// None yet, of so many servers.
    pub fn new(servers: u16) -> Reigns {
        Reigns { servers, primaries: BTreeMap::new(), positions: vec![Position::default(); servers.into()] }
    }

    /// The highest that has begun, and whose it is.
    pub fn latest(&self) -> Option<(u64, NodeId)> {
        self.primaries.last_key_value().map(|(reign, primary)| (*reign, *primary))
    }

    /// A server has done something. O(log n) for n reigns; where one begins, O(records on the disks).
    ///
    /// # Errors
    /// The broken invariant.
    pub fn after_step(&mut self, view: &View<Lock>, node: NodeId, touch: Touch) -> Verdict {
        let Some(server) = view.state(node) else { return Ok(()) };
        let position = server.failover().map(redis::failover::Server::position);
        self.check_position(view, node, position.unwrap_or_default(), touch)?;
        let Some(reign) = server.role("primary") else { return Ok(()) };
        let is_new = !self.primaries.contains_key(&reign);
        let first = *self.primaries.entry(reign).or_insert(node);
        if first != node && !has_forgotten(view, self.servers.into()) {
            let message = format!("{node:?} is primary in reign {reign}, and so was {first:?}");
            return Err(Box::new(Violation::new("lock.one-primary", &[first, node], message)));
        }
        // Nobody votes for the first.
        if is_new && reign > 1 { self.check_votes(view, node, reign) } else { Ok(()) }
    }

    /// What a replica has acknowledged it keeps. A first server that has lost its disk reigns from 1 on once more.
    fn check_position(&mut self, view: &View<Lock>, node: NodeId, now: Position, touch: Touch) -> Verdict {
        let before = std::mem::replace(&mut self.positions[node.index()], now);
        let is_same = (before.epoch, before.run) == (now.epoch, now.run);
        let goes_on = now.epoch > before.epoch || (is_same && now.offset >= before.offset);
        if touch == Touch::Booted || goes_on || has_forgotten(view, self.servers.into()) {
            return Ok(());
        }
        let message = format!("{node:?} had {before:?}, and has {now:?}");
        Err(Box::new(Violation::new("lock.position-monotonic", &[node], message)))
    }

    /// Others than the primary itself, so many as make a majority with it, have it on their disks that they are its voters, or
    /// those of a later one.
    fn check_votes(&self, view: &View<Lock>, node: NodeId, reign: u64) -> Verdict {
        let has_voted = |server: &NodeId| pledge(&view.host(*server).disk) >= reign;
        let others = (0..self.servers).map(NodeId::new).filter(|server| *server != node);
        let (voters, needed) = (others.filter(has_voted).count(), usize::from(self.servers) / 2);
        if voters >= needed || has_forgotten(view, self.servers.into()) {
            return Ok(());
        }
        let message =
            format!("{node:?} reigns from {reign} on, for which {voters} others have durably voted, and {needed} must");
        Err(Box::new(Violation::new("lock.votes-durable", &[node], message)))
    }
}

/// Whether a disk of so many servers has ever lost what it had called durable: then its server may have forgotten for whom it has
/// voted, or what it has acknowledged.
pub(super) fn has_forgotten(view: &View<Lock>, servers: usize) -> bool {
    let mut disks = (0..servers as u16).map(|server| view.host(NodeId::new(server)).disk.books());
    disks.any(|books| books.wiped + books.lost_durable + books.cut > 0)
}

/// Up to which reign a server is durably bound.
fn pledge(disk: &Disk<Record>) -> u64 {
    let promises = disk.durable().filter_map(|record| match record {
        Record::Redis(redis::Record::Promise { pledged, .. }) => Some(*pledged),
        Record::Redis(_) | Record::Raft(_) | Record::Database(_) | Record::Mark(..) => None,
    });
    promises.last().unwrap_or(0)
}
