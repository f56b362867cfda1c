//! Published defects of Raft implementations, planted by replacing rules.

mod disks;
mod elections;
mod members;
mod reads;
mod replication;
mod snapshots;

use super::rules::Rules;
use crate::protocols::exhibit::{Exhibit, all};

/// All exhibits of Raft.
pub const EXHIBITS: [Exhibit<Rules>; 94] = all(&[
    elections::EXHIBITS,
    replication::EXHIBITS,
    disks::EXHIBITS,
    snapshots::EXHIBITS,
    members::EXHIBITS,
    reads::EXHIBITS,
]);

#[cfg(test)]
mod tests {
    use super::super::{oracle, spec};
    use super::EXHIBITS;
    use crate::protocols::exhibit::check;

    #[test]
    fn every_exhibit_names_invariants_that_exist_and_stands_under_one_name() {
        check(&EXHIBITS, &[oracle::INVARIANTS.as_slice(), &spec::INVARIANTS].concat());
    }
}
