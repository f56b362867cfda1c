//! Published defects of Raft implementations, planted by replacing rules.

mod disks;
mod elections;
mod members;
mod reads;
mod replication;
mod snapshots;

use super::rules::Rules;
use crate::protocols::exhibit::Exhibit;

/// By kind.
const KINDS: [&[Exhibit<Rules>]; 6] = [
    elections::EXHIBITS,
    replication::EXHIBITS,
    disks::EXHIBITS,
    snapshots::EXHIBITS,
    members::EXHIBITS,
    reads::EXHIBITS,
];

/// All exhibits of Raft.
pub const EXHIBITS: [Exhibit<Rules>; 89] = {
    let (mut all, mut count) = ([elections::EXHIBITS[0]; 89], 0);
    let mut kind = 0;
    while kind < KINDS.len() {
        let mut place = 0;
        while place < KINDS[kind].len() {
            all[count] = KINDS[kind][place];
            (place, count) = (place + 1, count + 1);
        }
        kind += 1;
    }
    assert!(count == all.len(), "an exhibit was left out");
    all
};

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
