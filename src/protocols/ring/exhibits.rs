//! Published defects of consistent hashing and of stores that are built on it, planted by replacing rules: where keys are,
//! how they are handed over, epochs, and repair.

use super::epoch::Phase;
use super::rules::Rules;
use super::store::Wish;
use crate::kernel::time::Span;
use crate::placement::defects;
use crate::protocol::{NodeId, Order};
use crate::protocols::exhibit::{Exhibit, Rarity};

/// All exhibits of the ring.
pub const EXHIBITS: [Exhibit<Rules>; 55] = [
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
        id: "ownership-before-copy",
        story: "new owners are read from before they have the data",
        source: "Voldemort e7ecec1bd \"Changing order of state change updates for correctness\"; CASSANDRA-833 on pending ranges",
        invariants: &["ring.acknowledged-kept"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.waits_for_copies = || false,
    },
    Exhibit {
        id: "source-deletes-before-ack",
        story: "a source gives up what it has sent, whether it has arrived or not",
        source: "riak_core 551af8e9 \"handoff sender propagates all errors\", 29722709; dalmatinerdb 126",
        invariants: &["ring.acknowledged-kept"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.gives_up_when_sent = || true,
    },
    Exhibit {
        id: "writes-during-handoff-not-forwarded",
        story: "while keys are moved, writes go to their old owners alone",
        source: "scylladb 539 \"loosing data while bootstrapping\"; riak_kv 1754",
        invariants: &["ring.acknowledged-kept"],
        rarity: Rarity::Common,
        plant: |rules| rules.request.writes_to_next = || false,
    },
    Exhibit {
        id: "quorum-not-raised-for-pending-owner",
        story: "a copy at a pending owner counts as one at an owner",
        source: "CASSANDRA-833 \"inconsistency window during bootstrap\", dc97a8ff52",
        invariants: &["ring.acknowledged-kept"],
        rarity: Rarity::Common,
        plant: |rules| rules.request.needs_both = || false,
    },
    Exhibit {
        id: "bootstrap-streams-from-any-replica",
        story: "a new owner fetches from one of the owners, which may have missed a write",
        source: "CASSANDRA-2434 \"Support consistent range movements\", 9f60c55ba4",
        invariants: &["ring.acknowledged-kept"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.sources = |_| 1,
    },
    Exhibit {
        id: "concurrent-joins-unchecked",
        story: "what was fetched for one plan is taken to be fetched for another one",
        source: "CASSANDRA-7069, 094aa8ef2b; scylladb 6354",
        invariants: &["ring.acknowledged-kept"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.counts_for_next_plan = |_| true,
    },
    Exhibit {
        id: "two-handoffs-same-range",
        story: "the late cleanup of a fetch that was given up removes what the next one has fetched",
        source: "riak_core 18ffc5bd: a stale monitor deletes the record of a newer instance; 64512bf4",
        invariants: &["ring.acknowledged-kept"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.cleans_up_late = || true,
    },
    Exhibit {
        id: "handover-crash-orphans-range",
        story: "the source lets go of keys before the destination has claimed them",
        source: "Redis 69017fa23 (10381): tell the destination first; 1190f25ca (12344)",
        invariants: &["ring.owner-serves"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.serves = |phase| phase != Phase::Copying,
    },
    Exhibit {
        id: "lost-range-not-purged",
        story: "who loses keys keeps what it has of them",
        source: "Redis 6baac558d \"better handling of stolen slots\", 894506754 (11084); CASSANDRA-19344",
        invariants: &["ring.deleted-stays-deleted", "ring.owners-hold", "ring.read-sees-acknowledged"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.purges = || false,
    },
    Exhibit {
        id: "stale-epoch-accepted",
        story: "requests of another epoch are taken",
        source: "CASSANDRA-13704 \"Safer handling of out-of-range tokens\"; palantir/cassandra 606; scylladb 2308 on fencing",
        invariants: &["ring.acknowledged-kept"],
        rarity: Rarity::Specific,
        plant: |rules| rules.replica.takes_epoch = |_, _| true,
    },
    Exhibit {
        id: "rebalance-from-stale-epoch",
        story: "a step that was decided in one epoch is taken in the next, as if nothing had happened in between",
        source: "Redis a1349728e, 44f7afe28, 8dea2029a on resharding during a failover; Voldemort e370d3b92",
        invariants: &["ring.acknowledged-kept"],
        rarity: Rarity::Common,
        plant: |rules| {
            rules.change.waits_for_last = || false;
            rules.may_follow = |_, _| true;
        },
    },
    Exhibit {
        id: "older-gossip-shadows-newer",
        story: "whatever epoch a message tells of is adopted, be it older",
        source: "CASSANDRA-10366 \"rare race where older gossip states can be shadowed\"; ringpop 100218b, fdc5c10",
        invariants: &["ring.epoch-monotonic", "ring.acknowledged-kept"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.is_next = |news, mine| news != mine,
    },
    Exhibit {
        id: "membership-and-ring-updated-separately",
        story: "a server takes in who is a member, and not what that means for its ring",
        source: "ringpop-go c5a6379: in the list, and not in the ring",
        invariants: &["ring.placement-agreement"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.ring_follows = || false,
    },
    Exhibit {
        id: "rejoin-with-old-or-new-tokens",
        story: "a server that starts again takes itself for a new one",
        source: "CASSANDRA-5571 rejects bootstrapping a node that exists; CASSANDRA-12935 on saved tokens",
        invariants: &["raft.restart-restores", "ring.identity-kept"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.identity = |_, drawn| drawn,
    },
    Exhibit {
        id: "hint-lost",
        story: "hints are kept in memory only",
        source: "CASSANDRA-5128 \"stream undelivered hints on decommission\"; riak_core 154",
        invariants: &["ring.owners-hold"],
        rarity: Rarity::Common,
        plant: |rules| rules.request.hint_is_kept = || false,
    },
    Exhibit {
        id: "hint-to-self-or-wrong-range",
        story: "hints are filed under the key alone, so that one for another server overwrites it",
        source: "Voldemort 5d0e8fbcb on how slop keys were generated; Voldemort 330, f92c899dd",
        invariants: &["ring.owners-hold"],
        rarity: Rarity::Common,
        plant: |rules| rules.request.hint_key = |_, rank| (NodeId::new(0), rank),
    },
    Exhibit {
        id: "hint-for-former-owners",
        story: "hints stay with those who owned the key when they were left, whoever owns it when they are delivered",
        source: "Scylla issue 19835: \"Hints can be lost during topology change or tablet transition\"",
        invariants: &["ring.owners-hold"],
        rarity: Rarity::Common,
        plant: |rules| rules.request.hint_follows = || false,
    },
    Exhibit {
        id: "hints-unlimited",
        story: "hints are kept for whoever is away, however many there are already",
        source: "CASSANDRA-17142 \"Limit the maximum hints size per host\": before, there was no limit",
        invariants: &["ring.hints-limited"],
        rarity: Rarity::Common,
        plant: |rules| rules.request.hints = |_| usize::MAX,
    },
    Exhibit {
        id: "hint-never-dropped",
        story: "a hint stays when it has been delivered, and is delivered again for ever",
        source: "own construction; scylladb pull request 6417 is a cousin: positions of old hints are noted and never taken out",
        invariants: &["ring.settles"],
        rarity: Rarity::Common,
        plant: |rules| rules.request.hint_goes = || false,
    },
    Exhibit {
        id: "tombstone-collected-too-early",
        story: "deletions are forgotten after a while, whoever has not heard of them",
        source: "CASSANDRA-6503: data from stalled repair sessions is resurrected; gc_grace_seconds",
        invariants: &["ring.deleted-stays-deleted"],
        rarity: Rarity::Common,
        plant: |rules| rules.replica.may_forget = |_| true,
    },
    Exhibit {
        id: "tombstone-confirmed-unseen",
        story: "who is asked whether it has a deletion says yes, also if it has an older value",
        source: "own construction, after CASSANDRA-6503",
        invariants: &["ring.deleted-stays-deleted"],
        rarity: Rarity::Common,
        plant: |rules| rules.replica.confirms = |_, _| true,
    },
    Exhibit {
        id: "rejoin-with-stale-data-serves-reads",
        story: "who has kept something is read from for all that it comes to own",
        source: "Cassandra's documentation on hinted handoff, quoted in scylladb 2081: who was away too long must be repaired; riak_kv 847",
        invariants: &["ring.acknowledged-kept"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.fetches_again = || false,
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
        id: "last-write-wins-by-wall-clock",
        story: "versions are what the clock on the wall says, so that a write with a slow clock is lost",
        source: "Kingsbury, \"Jepsen: Cassandra\", 2013",
        invariants: &["ring.write-after-acknowledged"],
        rarity: Rarity::Common,
        plant: |rules| rules.request.next_counter = |_, wall| (wall.ns() / 1_000_000) as u32,
    },
    Exhibit {
        id: "read-not-written-back",
        story: "a read answers with what it has found, though a later read may miss it",
        source: "own construction: the second phase of a read is left out of Attiya, Bar-Noy and Dolev, 1995",
        invariants: &["ring.acknowledged-kept"],
        rarity: Rarity::Common,
        plant: |rules| rules.request.is_settled = |_, _, _| true,
    },
    Exhibit {
        id: "hint-counts-as-copy",
        story: "a hint counts as a copy, so that a write is acknowledged which no quorum of owners has",
        source: "Dynamo, section 4.6, sloppy quorum; Kingsbury, \"Jepsen: Riak\", 2013",
        invariants: &["ring.acknowledged-kept"],
        rarity: Rarity::Common,
        plant: |rules| rules.request.hint_counts = || true,
    },
    Exhibit {
        id: "copy-acknowledged-before-sync",
        story: "a copy is acknowledged before it is on disk",
        source: "Cassandra's documentation on commitlog_sync: periodic",
        invariants: &["ring.acknowledged-kept"],
        rarity: Rarity::Common,
        plant: |rules| rules.replica.waits_for_disk = || false,
    },
    Exhibit {
        id: "finish-before-readers-know",
        story: "the old owners are let go while some still read from them",
        source: "own construction: a barrier of CEP-21, Transactional Cluster Metadata, is left out",
        invariants: &["ring.left-by-readers"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.waits_for_readers = || false,
    },
    Exhibit {
        id: "dead-by-one-witness",
        story: "who leads takes a member for dead that it alone has not heard of",
        source: "Das, Gupta and Motivala, \"SWIM\", DSN 2002: what section 3 is there to avoid",
        invariants: &["ring.missed-by-others"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.asks_others = || false,
    },
    Exhibit {
        id: "restart-taken-for-old-news",
        story: "what a server says is taken for old once it has started again, until it has been up for as long as before",
        source: "Scylla pull request 5801: \"after a node restart, the restarted node is marked as DOWN by other nodes\"",
        invariants: &["ring.settles"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.is_news = |beat, known| beat.up >= known.up,
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
    Exhibit {
        id: "floor-not-handed-over",
        story: "who fetches a key does not learn which counters were forgotten with its deletions, and begins again below them",
        source: "own construction, after riak_kv 679: deletions reset causality, so that what is older wins",
        invariants: &["ring.deleted-stays-deleted", "ring.write-after-acknowledged"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.hands_floor_over = || false,
    },
    Exhibit {
        id: "beat-before-durable",
        story: "a server says that it has fetched everything before that is on disk",
        source: "own construction, after riak_core 29722709: acknowledged batches of a handoff",
        invariants: &["ring.acknowledged-kept"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.beat_waits_for_disk = || false,
    },
    Exhibit {
        id: "hint-outlives-clearing",
        story: "hints stay when deletions are forgotten, and bring back what was deleted",
        source: "own construction, after riak_kv 679 and 847: old hints dominate what came after a deletion",
        invariants: &["ring.deleted-stays-deleted"],
        rarity: Rarity::Common,
        plant: |rules| rules.request.hint_is_cleared = || false,
    },
    Exhibit {
        id: "transfers-unlimited",
        story: "who fetches keys asks all sources at once, and again with every new plan",
        source: "own construction: the limits of Cassandra's stream throughput and of riak_core's handoff_concurrency are left out",
        invariants: &["ring.transfers-limited"],
        rarity: Rarity::Common,
        plant: |rules| {
            rules.change.transfers = |_| usize::MAX;
            rules.change.keeps_pace = || false;
        },
    },
    Exhibit {
        id: "deletions-kept-for-ever",
        story: "owners confirm no deletion, so that all of them are kept",
        source: "own construction, after Cassandra's tombstone_failure_threshold: reads drown in deletions that nobody forgets",
        invariants: &["ring.deletions-forgotten"],
        rarity: Rarity::Common,
        plant: |rules| rules.replica.confirms = |_, _| false,
    },
    Exhibit {
        id: "read-repair-in-background",
        story: "what a read finds at too few owners is mended after its answer, so that the same client can miss it next",
        source: "Cassandra's documentation on read repair: with read_repair = 'NONE' there are no monotonic quorum reads (CASSANDRA-14635)",
        invariants: &["ring.reads-monotonic"],
        rarity: Rarity::Common,
        plant: |rules| rules.request.is_settled = |_, _, _| true,
    },
    Exhibit {
        id: "chord-ring-flaws",
        story: "members may go until fewer are left than a key has copies: a ring without its stable base",
        source: "Zave, \"Reasoning about Identifier Spaces: How to Make Chord Correct\", TSE 2017: a ring needs more members than a list of successors has",
        invariants: &["ring.owners-distinct"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.least_members = |_| 1,
    },
    Exhibit {
        id: "chord-dead-successor-kept",
        story: "a member stays that is dead: nobody looks whether a successor lives",
        source: "variation of Zave, \"Using Lightweight Modeling to Understand Chord\", CCR 2012: dead entries in lists of successors",
        invariants: &["ring.settles"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.gives_up_dead = || false,
    },
    Exhibit {
        id: "witness-without-patience",
        story: "who is asked to call a suspect says at once that there is no answer",
        source: "own construction: the time that a ping-req has is left out of Das, Gupta and Motivala, \"SWIM\", DSN 2002, section 3.1",
        invariants: &["ring.missed-for-long"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.patience = |_| Span::ZERO,
    },
    Exhibit {
        id: "sums-never-compared",
        story: "owners tell each other sums of what they have, and nobody looks where they differ",
        source: "own construction: the anti-entropy of Dynamo, section 4.7, is left out",
        invariants: &["ring.owners-hold"],
        rarity: Rarity::Common,
        plant: |rules| rules.replica.compares = || false,
    },
    Exhibit {
        id: "new-disk-takes-first-list",
        story: "a server with a new disk wants to be what it was in the beginning: if it has joined since, it leaves",
        source: "own construction, after CASSANDRA-12935 on what a server must remember of its place",
        invariants: &["ring.order-obeyed"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.new_disk_asks_epoch = || false,
    },
    Exhibit {
        id: "new-leader-forgets-members",
        story: "who begins to lead lets members go of whom it has not heard yet",
        source: "own construction: what is heard is kept in memory, and an empty memory is taken for an empty ring",
        invariants: &["ring.members-as-wanted"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.keeps_unheard = || false,
    },
    Exhibit {
        id: "epochs-from-deciders-alone",
        story: "only those who decide tell of epochs: when they are gone, whoever is behind stays behind",
        source: "own construction: the gossip of Dynamo, section 4.8.1, is left out",
        invariants: &["ring.settles"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.tells_epochs = || false,
    },
    Exhibit {
        id: "weight-reset-by-rezone",
        story: "who is carried to another zone has as many points as in the beginning again",
        source: "own construction; bitwalker/libring pull request 41 is a cousin: whatever joins has 128 points",
        invariants: &["ring.order-obeyed"],
        rarity: Rarity::Common,
        plant: |rules| {
            rules.change.order = |wish, order, (usual, zone)| match (wish.after(order, (usual, zone))?, order) {
                (Wish::In { zone, instead_of, .. }, Order::Rezone(_)) => {
                    Some(Wish::In { points: usual, zone, instead_of })
                }
                (wish, _) => Some(wish),
            }
        },
    },
];

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
