//! Defects of where keys are, and of what a change of members moves.

use crate::placement::defects;
use crate::protocols::exhibit::{Exhibit, Rarity};
use crate::protocols::ring::rules::Rules;

/// Those of this kind.
pub(super) const EXHIBITS: &[Exhibit<Rules>] = &[
    Exhibit {
        id: "item-hash-vs-node-name",
        story: "a key's hash is compared with the names of the nodes",
        source: "the well-known article on consistent hashing; chrismoos/hash-ring 8 is a cousin",
        invariants: &["ring.balance"],
        rarity: Rarity::Common,
        plant: |rules| rules.placement.point = defects::name_instead_of_hash,
    },
    Exhibit {
        id: "no-wrap",
        story: "beyond the last point of the ring there is nobody",
        source: "cassandra-python-driver pull request 82 \"Fix token ring wrapping\"; node-consistent-hashing 1",
        invariants: &["ring.owners-distinct"],
        rarity: Rarity::Common,
        plant: |rules| rules.placement.wrap = defects::nobody_after_last,
    },
    Exhibit {
        id: "no-wrap-but-last",
        story: "what is beyond the last point of the ring belongs to the last, not to the first",
        source: "variation of cassandra-python-driver pull request 82 \"Fix token ring wrapping\"",
        invariants: &["ring.placement-agreement"],
        rarity: Rarity::Common,
        plant: |rules| rules.placement.wrap = defects::last_after_last,
    },
    Exhibit {
        id: "predecessor-instead-of-successor",
        story: "requests go to the point before the key, not to that after it",
        source: "astyanax 47: the greatest id not above the token; scala-redis 36: counter-clockwise",
        invariants: &["ring.placement-agreement"],
        rarity: Rarity::Common,
        plant: |rules| rules.placement.search = defects::predecessor,
    },
    Exhibit {
        id: "boundary-inclusive-exclusive",
        story: "what stands exactly at a point belongs to the next one, in requests but not in ranges",
        source: "gocql 1405, where two binary searches disagreed; ringpop-go 70860b1",
        invariants: &["ring.placement-agreement"],
        rarity: Rarity::Common,
        plant: |rules| rules.placement.search = defects::strictly_above,
    },
    Exhibit {
        id: "vnode-collision-overwrites",
        story: "of points at the same position the one inserted last stays, so that a ring hangs on the order of joins",
        source: "apache/pekko 3279 \"silently drops virtual nodes\"; ringpop-go 196, ringpop-node 317",
        invariants: &["ring.placement-agreement"],
        rarity: Rarity::Common,
        plant: |rules| rules.placement.settles_ties_by = defects::last_insert_wins,
    },
    Exhibit {
        id: "replicas-on-same-physical-node",
        story: "several points of one node hold several copies of a key",
        source: "Swift b19dc1dde, bb509dd86; hashring-rs 31",
        invariants: &["ring.owners-distinct"],
        rarity: Rarity::Common,
        plant: |rules| rules.placement.is_passed_over = defects::nobody_is_passed_over,
    },
    Exhibit {
        id: "replicas-repeated-across-wrap",
        story: "beyond the last point of the ring nodes are chosen that have been chosen before it",
        source: "riak_core c9c924ef \"tail violations\": preference lists such as [5,1,1] at the tail",
        invariants: &["ring.owners-distinct"],
        rarity: Rarity::Common,
        plant: |rules| rules.placement.is_passed_over = defects::forgotten_across_the_wrap,
    },
    Exhibit {
        id: "moves-more-than-needed",
        story: "slots are dealt to the members in turn, so that a join moves nearly all of them",
        source: "hash modulo N, which consistent hashing is there to avoid; Swift 20e9ad538",
        invariants: &["ring.minimal-movement"],
        rarity: Rarity::Common,
        plant: |rules| {
            rules.placement.point = defects::slot_modulo_members;
            rules.placement.points_stay = defects::points_move;
        },
    },
    Exhibit {
        id: "full-replan",
        story: "each change of the members places all points anew",
        source: "Swift 20e9ad538 (Launchpad 1367826): a new tier gathers all partitions again",
        invariants: &["ring.minimal-movement"],
        rarity: Rarity::Common,
        plant: |rules| {
            rules.placement.point = defects::planned_anew;
            rules.placement.points_stay = defects::points_move;
        },
    },
    Exhibit {
        id: "moves-two-replicas-at-once",
        story: "a change of members places one of those who stay anew as well, so that two copies of a key are on the way at once",
        source: "Swift ce26e7890 (Launchpad 1586167): more than one replica of a part is moved in one rebalance",
        invariants: &["ring.minimal-movement"],
        rarity: Rarity::Common,
        plant: |rules| {
            rules.placement.point = defects::first_member_planned_anew;
            rules.placement.points_stay = defects::points_move;
        },
    },
    Exhibit {
        id: "greedy-unbalanced",
        story: "a member claims points in a row, all from the neighbour that it finds first",
        source: "riak_core c9c924ef: greedy claims make [8,8,8,8] into [6,6,6,8,6]",
        invariants: &["ring.balance"],
        rarity: Rarity::Common,
        plant: |rules| rules.placement.point = defects::points_in_a_row,
    },
];
