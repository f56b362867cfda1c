//! Who may be taken for dead: whom as many others have missed as must.

use super::violation;
use crate::oracle::spec::Verdict;
use crate::protocol::NodeId;
use std::collections::{BTreeMap, BTreeSet};

/// Who has missed whom.
#[derive(Clone, Debug)]
pub(super) struct Detection {
    needed: usize,
    /// By who leads and suspect, who has called it in vain since it is suspected.
    missed: BTreeMap<(NodeId, NodeId), BTreeSet<NodeId>>,
}

impl Detection {
    /// Where so many others are needed.
    pub(super) fn new(needed: usize) -> Detection {
        Detection { needed, missed: BTreeMap::new() }
    }

    /// Somebody who leads begins to suspect a server.
    pub(super) fn suspected(&mut self, by: NodeId, node: NodeId) {
        self.missed.insert((by, node), BTreeSet::new());
    }

    /// It has heard of it.
    pub(super) fn cleared(&mut self, by: NodeId, node: NodeId) {
        self.missed.remove(&(by, node));
    }

    /// Somebody else has called it in vain.
    pub(super) fn missed(&mut self, witness: NodeId, by: NodeId, node: NodeId) {
        if let Some(witnesses) = self.missed.get_mut(&(by, node)) {
            witnesses.insert(witness);
        }
    }

    /// It is taken for dead.
    pub(super) fn check_presumed(&self, by: NodeId, dead: NodeId) -> Verdict {
        let witnesses: Vec<NodeId> = self.missed.get(&(by, dead)).into_iter().flatten().copied().collect();
        let others = witnesses.iter().filter(|witness| **witness != by && **witness != dead).count();
        if others >= self.needed {
            return Ok(());
        }
        let message = format!(
            "{by:?} takes {dead:?} for dead, whom {} others have missed besides, where {} must: {witnesses:?}",
            others, self.needed
        );
        violation("ring.missed-by-others", &[by, dead], message)
    }
}
