//! Whether a journal begins with all that the one before it says.

use super::{RingOracle, violation};
use crate::oracle::spec::Verdict;
use crate::protocol::NodeId;
use crate::protocols::ring::cell::{Cell, Rank};
use crate::protocols::ring::store::Store;
use std::collections::BTreeSet;

impl RingOracle {
    /// A checkpoint has become durable. If `skips`, a crash has made it so, and with it what was written before it and nobody
    /// has seen: then what it says of keys is looked at as if that were the news.
    pub(super) fn check_checkpoint(&mut self, node: NodeId, store: &Store, skips: bool) -> Verdict {
        let before = self.mirrors[node.index()].begin_at(store);
        if !skips {
            return match before.difference(store) {
                None => Ok(()),
                Some(part) => {
                    let message = format!("{node:?} begins its journal anew, and this is not what it was: {part}");
                    violation("ring.checkpoint-faithful", &[node], message)
                }
            };
        }
        let ranks: BTreeSet<Rank> = before.cells.keys().chain(store.cells.keys()).copied().collect();
        for rank in ranks {
            match (before.get(rank), store.get(rank)) {
                (kept, Some(cell)) if kept != Some(cell) => self.check_stored(node, rank, &cell, kept)?,
                (Some(kept), None) => self.check_gone(node, rank, kept)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// A server holds nothing of a key any more: it has given it up, or forgotten that it was deleted.
    fn check_gone(&mut self, node: NodeId, rank: Rank, kept: Cell) -> Verdict {
        let store = &self.mirrors[node.index()].store;
        let (epoch, may_be_forgotten) = (store.epoch(), store.floor >= kept.version.counter);
        let key = self.keys.key(rank);
        if kept.is_tombstone() && may_be_forgotten && key.forgotten < Some(kept.version) {
            (key.forgotten, key.forgotten_in) = (Some(kept.version), epoch);
        }
        self.check_kept(rank)
    }
}
