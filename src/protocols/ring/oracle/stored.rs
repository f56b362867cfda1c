//! What a server keeps of a key, and forgets of it: it owns the key, somebody has written that, and what was deleted stays so.

use super::keys::shown;
use super::reference::holds;
use super::{RingOracle, violation};
use crate::oracle::spec::Verdict;
use crate::protocol::NodeId;
use crate::protocols::ring::cell::{Cell, Rank, Version};

impl RingOracle {
    /// A server has forgotten a deletion: it must be the very last that it knew, and no owner may have anything older.
    pub(super) fn check_forgotten(&self, node: NodeId, rank: Rank, version: Version, before: Option<Cell>) -> Verdict {
        if before.is_none_or(|before| before.version != version || !before.is_tombstone()) {
            let message = format!("{node:?} has forgotten of the key of rank {} what was no deletion", rank.0);
            return violation("ring.deleted-stays-deleted", &[node], message);
        }
        let Some(decided) = self.reference.at(self.mirrors[node.index()].store.epoch()) else { return Ok(()) };
        let placed = decided.current();
        let is_behind = |owner: &NodeId| {
            let mirror = &self.mirrors[owner.index()];
            let kept = mirror.store.get(rank).filter(|_| placed.is_of(*owner, mirror.store.identity));
            kept.is_some_and(|kept| kept.version < version)
        };
        match placed.team(rank).iter().find(is_behind) {
            None => Ok(()),
            Some(owner) => {
                let message = format!(
                    "{node:?} has forgotten the deletion of the key of rank {}, and {owner:?} has still what was deleted",
                    rank.0
                );
                violation("ring.deleted-stays-deleted", &[node, owner], message)
            }
        }
    }

    /// A server has stored a key.
    pub(super) fn check_stored(&mut self, node: NodeId, rank: Rank, cell: &Cell, before: Option<Cell>) -> Verdict {
        let store = &self.mirrors[node.index()].store;
        let (epoch, identity) = (store.epoch(), store.identity);
        if self.mirrors[node.index()].is_known()
            && self.reference.at(epoch).is_some_and(|decided| !holds(decided, rank, node, identity))
        {
            let message =
                format!("{node:?} has stored the key of rank {} in epoch {epoch}, and does not own it", rank.0);
            return violation("ring.owners-only", &[node], message);
        }
        if !self.keys.is_written(rank, cell) {
            let message = format!(
                "{node:?} has stored {} of the key of rank {}, which nobody has written to it",
                shown(cell),
                rank.0
            );
            return violation("ring.nothing-invented", &[node], message);
        }
        let key = &self.keys.keys[rank.0 as usize];
        // What was stored in an earlier epoch, by a disk that took its time, was there before.
        let is_later = epoch >= key.forgotten_in;
        if before.is_none() && is_later && key.forgotten.is_some_and(|forgotten| cell.version < forgotten) {
            let message = format!(
                "{node:?} has stored {} of the key of rank {}, of which a later deletion is forgotten",
                shown(cell),
                rank.0
            );
            return violation("ring.deleted-stays-deleted", &[node], message);
        }
        if before.is_some_and(|before| before.version > cell.version) {
            return self.check_kept(rank);
        }
        Ok(())
    }
}
