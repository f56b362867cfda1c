//! Who waits for one lock, in the order in which they came.

use crate::protocols::lock::claim::ClaimId;
use std::collections::BTreeMap;

/// The claims on one lock that are neither granted nor given up.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    /// When each came, as an ordinal.
    came: BTreeMap<ClaimId, u64>,
    /// Who came then.
    order: BTreeMap<u64, ClaimId>,
}

impl Queue {
    /// A claim is made. O(log n), as all of these.
    pub fn joined(&mut self, claim: ClaimId, ordinal: u64) {
        self.came.insert(claim, ordinal);
        self.order.insert(ordinal, claim);
    }

    /// It is made no more.
    pub fn gone(&mut self, claim: ClaimId) {
        if let Some(ordinal) = self.came.remove(&claim) {
            self.order.remove(&ordinal);
        }
    }

    /// It was granted. Whether somebody has waited longer.
    pub fn entered(&mut self, claim: ClaimId) -> bool {
        let overtakes = self.order.first_key_value().is_some_and(|(_, first)| *first != claim);
        self.gone(claim);
        overtakes
    }
}
