//! Defects of how members change: of handing keys over, of epochs, and of who is taken for dead.

use crate::kernel::time::Span;
use crate::protocol::Order;
use crate::protocols::exhibit::{Exhibit, Rarity};
use crate::protocols::ring::epoch::Phase;
use crate::protocols::ring::rules::Rules;
use crate::protocols::ring::store::Wish;

/// Those of this kind.
pub(super) const EXHIBITS: &[Exhibit<Rules>] = &[
    Exhibit {
        id: "clears-without-pause",
        story: "epochs that forget deletions follow each other as fast as deletions are known to all, and requests begin anew with each",
        source: "own construction: Step::Clear without the time between two of them",
        invariants: &["ring.clears-limited"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.may_clear = |_, _| true,
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
        invariants: &["ring.acknowledged-kept", "ring.clears-limited"],
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
        id: "rejoin-with-stale-data-serves-reads",
        story: "who has kept something is read from for all that it comes to own",
        source: "Cassandra's documentation on hinted handoff, quoted in scylladb 2081: who was away too long must be repaired; riak_kv 847",
        invariants: &["ring.acknowledged-kept"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.fetches_again = || false,
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
