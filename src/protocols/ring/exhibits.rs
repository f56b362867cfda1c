//! Published defects of consistent hashing and of stores that are built on it, planted by replacing rules.

use super::rules::Rules;
use crate::placement::defects;
use crate::protocols::exhibit::{Exhibit, Rarity};

/// All exhibits of the ring.
pub const EXHIBITS: [Exhibit<Rules>; 1] = [Exhibit {
    id: "item-hash-vs-node-name",
    story: "a key's hash is compared with the names of the nodes",
    source: "the well-known article on consistent hashing; chrismoos/hash-ring 8 is a cousin",
    invariants: &["ring.balance"],
    rarity: Rarity::Common,
    plant: |rules| rules.placement.point = defects::name_instead_of_hash,
}];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::exhibit::check;
    use crate::protocols::ring::oracle::INVARIANTS;

    #[test]
    fn exhibits_are_well_described() {
        check(&EXHIBITS, &INVARIANTS);
    }
}
