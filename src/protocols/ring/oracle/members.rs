//! Who is let into the ring and who is let go: that is decided by what the servers want, and by whom is taken for dead.

use super::mirror::Mirror;
use super::violation;
use crate::oracle::spec::Verdict;
use crate::protocol::NodeId;
use crate::protocols::ring::epoch::{Epoch, Identity, Member};
use crate::protocols::ring::shelf::Shelf;
use crate::protocols::ring::store::Wish;
use std::collections::BTreeSet;

/// What the servers have wanted.
#[derive(Clone, Debug)]
pub(super) struct Members {
    /// By server.
    servers: Vec<Wanted>,
    /// Whose place others have wanted to take.
    replaced: BTreeSet<NodeId>,
    /// Who was taken for dead since the latest epoch was decided.
    dead: BTreeSet<NodeId>,
}

/// What a server has wanted so far.
#[derive(Clone, Debug, Default)]
struct Wanted {
    /// What it was seen to want last, with which disk and in which epoch; also what its disk would bring back.
    last: [Option<(u64, Identity, Wish)>; 2],
    /// The disks that it has had.
    disks: BTreeSet<Identity>,
    /// As which members it has wanted to be in.
    places: BTreeSet<(Identity, u32, u16)>,
    /// The latest epoch in which it wanted to be out.
    out_in: u64,
}

impl Members {
    /// Of so many servers.
    pub(super) fn new(servers: usize) -> Members {
        Members { servers: vec![Wanted::default(); servers], replaced: BTreeSet::new(), dead: BTreeSet::new() }
    }

    /// A server was touched. What it has told others holds, though it may have died before that step was over: then its disk
    /// says so.
    pub(super) fn look(&mut self, node: NodeId, shelf: Option<&Shelf>, mirror: &Mirror) {
        let seen = shelf.map(|shelf| (shelf.epoch(), shelf.identity(), shelf.wish()));
        let store = &mirror.store;
        let kept = store.wish.filter(|_| mirror.is_known()).map(|wish| (store.epoch(), store.identity, wish));
        for (place, now) in [seen, kept].into_iter().enumerate() {
            let wanted = &mut self.servers[node.index()];
            let Some((epoch, identity, wish)) = now.filter(|_| wanted.last[place] != now) else { continue };
            wanted.last[place] = now;
            wanted.disks.insert(identity);
            match wish {
                Wish::Out => wanted.out_in = wanted.out_in.max(epoch),
                Wish::In { points, zone, instead_of } => {
                    wanted.places.insert((identity, points, zone));
                    self.replaced.extend(instead_of);
                }
            }
        }
    }

    /// A server is taken for dead.
    pub(super) fn presumed(&mut self, node: NodeId) {
        self.dead.insert(node);
    }

    /// An epoch was decided by who looked at the one before.
    pub(super) fn check_decided(&mut self, before: &Epoch, epoch: &Epoch) -> Verdict {
        let dead = std::mem::take(&mut self.dead);
        if epoch.plan != epoch.number {
            return Ok(());
        }
        for member in epoch.next.iter().filter(|member| !before.next.contains(member)) {
            let Member { node, identity, points, zone } = *member;
            let (wanted, was) = (&self.servers[node.index()], Epoch::find(&before.next, node));
            // Who must stay, though it would go, stays as it is, with the disk that it has.
            let stays =
                was.is_some_and(|was| (was.points, was.zone) == (points, zone)) && wanted.disks.contains(&identity);
            if !stays && !wanted.places.contains(&(identity, points, zone)) {
                let message = format!(
                    "in epoch {} {node:?} is to become a member with {points} points in zone {zone}, which it has never wanted",
                    epoch.number
                );
                return violation("ring.members-as-wanted", &[node], message);
            }
        }
        let gone = before.next.iter().filter(|member| Epoch::find(&epoch.next, member.node).is_none());
        for Member { node, .. } in gone {
            // Who is a member is asked what it wants in the epoch that says so, or a later one.
            let is_out = self.servers[node.index()].out_in >= before.number;
            if !is_out && !dead.contains(node) && !self.replaced.contains(node) {
                let message = format!(
                    "in epoch {} {node:?} is let go, which wants to stay, is not replaced, and was not taken for dead",
                    epoch.number
                );
                return violation("ring.members-as-wanted", &[*node], message);
            }
        }
        Ok(())
    }
}
