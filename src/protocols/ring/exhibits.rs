//! Published defects of consistent hashing and of stores that are built on it, planted by replacing rules.

mod changes;
mod placement;
mod replicas;

use super::rules::Rules;
use crate::protocols::exhibit::{Exhibit, all};

/// All exhibits of the ring.
pub const EXHIBITS: [Exhibit<Rules>; 58] = all(&[placement::EXHIBITS, changes::EXHIBITS, replicas::EXHIBITS]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::exhibit::check;
    use crate::protocols::raft::oracle as raft;
    use crate::protocols::ring::oracle::INVARIANTS;

    #[test]
    fn exhibits_are_well_described() {
        // Epochs are decided by a Raft, which has judges of its own.
        check(&EXHIBITS, &[&INVARIANTS[..], &raft::INVARIANTS[..]].concat());
    }
}
