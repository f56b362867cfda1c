//! Published defects of locks, planted by replacing rules.

use super::database::rules as database;
use super::redis::Timepiece;
use super::redis::rules::{Counting, Extending, Giving, Promising, Taking};
use super::redis::sorted::{Admission, Cleaning};
use super::rules::Rules;
use super::zookeeper::command::Order;
use super::zookeeper::rules::{Loss, Place, Retry};
use crate::kernel::time::Span;
use crate::protocols::exhibit::{Exhibit, Rarity};
use crate::servers::etcd::lessor::Checkpoints;

/// All exhibits of locks.
pub const EXHIBITS: [Exhibit<Rules>; 48] = [
    Exhibit {
        id: "release-without-owner-check",
        story: "a client deletes the lock, whosever it is by now",
        source: "redis-doc, \"Distributed Locks with Redis\": \"Using just DEL is not safe as a client may remove another client's lock\"; Redisson 3.44.0, RReadWriteLock.unlock",
        invariants: &["lock.mutual-exclusion"],
        rarity: Rarity::Common,
        plant: |rules| rules.redis.gives = || Giving::Blindly,
    },
    Exhibit {
        id: "release-after-a-look",
        story: "a client looks whose the lock is, and deletes it with a second command",
        source: "redis-doc, \"Distributed Locks with Redis\", which prescribes a script for both",
        invariants: &["lock.mutual-exclusion"],
        rarity: Rarity::Specific,
        plant: |rules| rules.redis.gives = || Giving::AfterALook,
    },
    Exhibit {
        id: "setnx-then-expire",
        story: "a lock is taken with one command, and its life limited with the next",
        source: "the manual page of SETNX; redis-doc, \"Distributed Locks with Redis\", prescribes one command",
        invariants: &["lock.freed"],
        rarity: Rarity::Common,
        plant: |rules| rules.redis.takes = || Taking::InTwoSteps,
    },
    Exhibit {
        id: "expiry-on-wall-clock-jump",
        story: "the server expires locks by a clock that can be set",
        source: "redis-doc, \"Distributed Locks with Redis\": \"a wall-clock shift may result in a lock being acquired by more than one process\"",
        invariants: &["lock.mutual-exclusion"],
        rarity: Rarity::Common,
        plant: |rules| rules.redis.expires_by = |_| Timepiece::Wall,
    },
    Exhibit {
        id: "expiry-kept-by-time-since-boot",
        story: "when a key expires is kept on the disk as a time of a clock that begins anew with every start",
        source: "miniupnp issue 295: \"timestamp stored in lease_file unusable with switch to monotonic clock\"",
        invariants: &["lock.mutual-exclusion"],
        rarity: Rarity::Common,
        plant: |rules| rules.redis.expires_by = |_| Timepiece::SinceStart,
    },
    Exhibit {
        id: "watchdog-zombie",
        story: "a claim that was given up while it was under way is prolonged for ever",
        source: "Redisson 3.16.3: \"interrupted tryLock() keeps renewing lock indefinitely\"",
        invariants: &["lock.freed", "lock.served"],
        rarity: Rarity::Common,
        plant: |rules| rules.redis.withdraws = || false,
    },
    Exhibit {
        id: "watchdog-stops",
        story: "after one renewal that was not answered a holder renews no more, and works on",
        source: "Redisson 3.44.0: \"watchdog doesn't renew if an exception has been thrown\"; 3.14.0",
        invariants: &["lock.mutual-exclusion"],
        rarity: Rarity::Common,
        plant: |rules| rules.redis.renews_after_silence = || false,
    },
    Exhibit {
        id: "gc-pause-past-lease-no-fencing",
        story: "the resource takes the write of whoever has slept longer than its lock lives",
        source: "Kleppmann, \"How to do distributed locking\", 2016; redis-doc, \"Distributed Locks with Redis\", disclaimer about consistency",
        invariants: &["lock.fenced", "lock.mutual-exclusion"],
        rarity: Rarity::Common,
        plant: |rules| rules.resource.admits = |_, _| true,
    },
    Exhibit {
        id: "fence-checked-by-client",
        story: "clients compare their tokens with the lock service before they write, and the resource believes them",
        source: "ShedLock issue 2201 and SOFAJRaft issue 182: the guarded service must check, its clients cannot",
        invariants: &["lock.fenced"],
        rarity: Rarity::Specific,
        plant: |rules| {
            rules.client.compares = || true;
            rules.resource.admits = |_, _| true;
        },
    },
    Exhibit {
        id: "holder-never-sure",
        story: "a client takes every lock for lost as soon as it has it, and gives it back",
        source: "ours",
        invariants: &["lock.freed"],
        rarity: Rarity::Common,
        plant: |rules| rules.client.goes_on = |_| false,
    },
    Exhibit {
        id: "redlock-clock-jump",
        story: "the servers of a Redlock expire locks by clocks that can be set",
        source: "Kleppmann, \"How to do distributed locking\", 2016: a clock that jumps on one of five servers",
        invariants: &["lock.mutual-exclusion"],
        rarity: Rarity::Specific,
        plant: |rules| rules.redis.expires_by = |_| Timepiece::Wall,
    },
    Exhibit {
        id: "redlock-validity-ignores-elapsed",
        story: "a lock counts as valid for a full time to live from when a majority has answered",
        source: "redis-doc, \"Distributed Locks with Redis\", The Redlock Algorithm, steps 3 and 4; node-redlock 5dd9e28, 5138813",
        invariants: &["lock.mutual-exclusion"],
        rarity: Rarity::Common,
        plant: |rules| rules.redis.redlock.validity = |ttl, _, _| ttl,
    },
    Exhibit {
        id: "redlock-minority-quorum",
        story: "half of the servers, rounded down, are enough for a lock",
        source: "redis-doc, \"Distributed Locks with Redis\", The Redlock Algorithm: N/2+1",
        invariants: &["lock.mutual-exclusion"],
        rarity: Rarity::Common,
        plant: |rules| rules.redis.redlock.quorum = |servers| servers / 2,
    },
    Exhibit {
        id: "redlock-extend-reacquires",
        story: "who prolongs a lock that has lapsed gets it anew, and takes it for the old one",
        source: "redsync c9af502 \"Try to 'extend or lock'\", made optional in 9dbb9f3",
        invariants: &["lock.mutual-exclusion"],
        rarity: Rarity::Specific,
        plant: |rules| rules.redis.redlock.extends = || Extending::Recreating,
    },
    Exhibit {
        id: "failover-loses-lock",
        story: "a client takes a lock for its own as soon as the primary has it",
        source: "redis-doc, \"Distributed Locks with Redis\", \"Why Failover-based Implementations Are Not Enough\"",
        invariants: &["lock.mutual-exclusion", "lock.release-kept"],
        rarity: Rarity::Common,
        plant: |rules| rules.redis.waits_for = |_| 0,
    },
    Exhibit {
        id: "failover-loses-lock-count-ignored",
        story: "a client waits for replicas, and does not look how many there were when its time was over",
        source: "Redisson 3.16.7 \"synced slaves amount is not checked in RLock\", 3.17.5 \"Lock synced slaves check\"",
        invariants: &["lock.mutual-exclusion", "lock.release-kept"],
        rarity: Rarity::Common,
        plant: |rules| rules.redis.confirms = |_, _| true,
    },
    Exhibit {
        id: "failover-votes-twice",
        story: "a server votes for another one of the same reign when the first has not been heard of",
        source: "Redis Cluster specification, \"Masters reply to replica vote request\", 1: \"only votes a single time for a given epoch\"; redis pull request 12016 proposes otherwise, and was not taken",
        invariants: &["lock.one-primary"],
        rarity: Rarity::Common,
        plant: |rules| rules.redis.failover.votes = |reign, heard| reign >= heard,
    },
    Exhibit {
        id: "failover-vote-in-memory",
        story: "for whom a server has voted is not in the file that it forces to its disk",
        source: "redis issue 1479: \"the two vars are actually not written down\"",
        invariants: &["lock.votes-durable", "protocol.panic"],
        rarity: Rarity::Common,
        plant: |rules| rules.redis.failover.promises = || Promising::InMemory,
    },
    Exhibit {
        id: "failover-vote-before-sync",
        story: "a server sends its vote before its disk has acknowledged it",
        source: "Redis Cluster specification, \"Configuration epoch\": \"saved and `fsync-ed` to disk when updated before a node continues its operations\"; valkey pull request 3887",
        invariants: &["lock.votes-durable"],
        rarity: Rarity::Common,
        plant: |rules| rules.redis.failover.promises = || Promising::Written,
    },
    Exhibit {
        id: "failover-counts-old-votes",
        story: "who stands for a reign counts the votes that come late from an election before",
        source: "Redis Cluster specification, \"Replica election and promotion\": \"it doesn't count votes intended for a previous election\"; redis-doc pull request 327",
        invariants: &["lock.votes-durable", "lock.one-primary"],
        rarity: Rarity::Common,
        plant: |rules| rules.redis.failover.counts_vote = |_, _| true,
    },
    Exhibit {
        id: "failover-takes-late-copy",
        story: "a replica takes every copy that its primary sends, also one that comes after what has changed since",
        source: "ours; where copies travel on one connection each, an old one cannot come late",
        invariants: &["lock.position-monotonic"],
        rarity: Rarity::Common,
        plant: |rules| rules.redis.failover.takes_copy = |_, _| true,
    },
    Exhibit {
        id: "failover-mixes-histories",
        story: "a replica of one primary applies the changes of the next one to what it has, as if it had followed that",
        source: "redis issue 2694 \"Replication inconsistent issue\": a replica goes on from where it was in another history",
        invariants: &["lock.replicas-agree"],
        rarity: Rarity::Common,
        plant: |rules| rules.redis.failover.fits = |_| true,
    },
    Exhibit {
        id: "failover-acknowledges-before-sync",
        story: "a replica that is asked again acknowledges what is not on its disk yet",
        source: "ours; the manual page of WAITAOF tells what WAIT counts from what is on disks",
        invariants: &["lock.acknowledged-durable"],
        rarity: Rarity::Common,
        plant: |rules| rules.redis.failover.acknowledges_durably = || false,
    },
    Exhibit {
        id: "fencing-token-reset-after-failover",
        story: "tokens come from a counter of the primary, and nobody waits until replicas know of it",
        source: "Kleppmann, \"How to do distributed locking\", 2016: a counter on one Redis node would not be sufficient; bsm/redislock 94",
        invariants: &["lock.token-monotonic"],
        rarity: Rarity::Common,
        plant: |rules| rules.redis.counts = || Counting::Afterwards,
    },
    Exhibit {
        id: "fencing-token-in-leader-memory",
        story: "tokens are counted in the memory of the primary, and begin anew when another one takes its place",
        source: "Kleppmann, \"How to do distributed locking\", 2016: a counter on one Redis node would not be sufficient, because that node may fail",
        invariants: &["lock.token-monotonic"],
        rarity: Rarity::Common,
        plant: |rules| rules.redis.counts = || Counting::InMemory,
    },
    Exhibit {
        id: "zadd-random-member",
        story: "each client adds a member of its own to a sorted set, and takes that it was added for that it has the lock",
        source: "Carlson, \"Redis in Action\", section 6.3, which ranks members and does not count that one was added",
        invariants: &["lock.mutual-exclusion"],
        rarity: Rarity::Common,
        plant: |rules| rules.redis.sorted.admits = || Admission::Added,
    },
    Exhibit {
        id: "zadd-expiry-never-enforced",
        story: "the score of a member says when it expires, and nobody removes what has",
        source: "Carlson, \"Redis in Action\", section 6.3, which first removes members that are too old",
        invariants: &["lock.freed"],
        rarity: Rarity::Common,
        plant: |rules| rules.redis.sorted.cleans = || Cleaning::Nothing,
    },
    Exhibit {
        id: "acquired-after-wait-without-recheck",
        story: "a waiter that is told that its turn has come takes the lock, without a look whether its own key and its lease are still there",
        source: "etcd b14c7cd44 \"make lock more reliable\"; Jepsen, etcd 3.4.3",
        invariants: &["lock.mutual-exclusion"],
        rarity: Rarity::Common,
        plant: |rules| {
            rules.lease.looks_again = || false;
            rules.lease.minds_expiry = || false;
        },
    },
    Exhibit {
        id: "watch-from-now",
        story: "a waiter watches the key before its own from the moment on at which the server hears of it, not from the one at which it has seen it",
        source: "etcd 6d3f172c6, a watch at the wrong revision",
        invariants: &["lock.freed", "lock.served"],
        rarity: Rarity::Specific,
        plant: |rules| rules.lease.watches_from = |_| 0,
    },
    Exhibit {
        id: "old-leader-revokes-lease",
        story: "a leader ends a lease because one that was deposed has found that it had run out",
        source: "etcd 67f17166b, issue 17425: \"leases wrongly revoked by the leader by ignoring old leader's leases revoking request\"",
        invariants: &["lock.told-expired"],
        rarity: Rarity::Specific,
        plant: |rules| rules.lease.revoke_is_current = |_, _| true,
    },
    Exhibit {
        id: "lease-not-extended-by-new-leader",
        story: "a new leader lets the leases that it has found live their time, and not as long as an election takes in addition",
        source: "etcd pull request 4778: \"Clients might still send keep alive to old leader until the old leader itself gives up leadership\"",
        invariants: &["lock.takeover-grace"],
        rarity: Rarity::Common,
        plant: |rules| rules.lease.extends = |_| Span::ZERO,
    },
    Exhibit {
        id: "lease-ttl-reset-on-leader-change",
        story: "a new leader tells nobody how long the leases that it has found have still to live, so each change of leaders begins anew",
        source: "etcd issue 13508: \"Lease checkpoints don't prevent to reset ttl on leader change\"",
        invariants: &["lock.freed"],
        rarity: Rarity::Common,
        plant: |rules| {
            rules.lease.checkpoints = |configured| match configured {
                Checkpoints::Never => Checkpoints::Never,
                Checkpoints::OfGranted(every) | Checkpoints::OfAll(every) => Checkpoints::OfGranted(every),
            }
        },
    },
    Exhibit {
        id: "lease-expiry-by-local-clock-at-apply",
        story: "every server ends leases that have run out by its own clock when it applies an entry",
        source: "Ongaro's thesis, section 6.3; LogCabin 445f383",
        invariants: &["raft.state-machine-safety", "lock.replicas-agree", "lock.mutual-exclusion"],
        rarity: Rarity::Common,
        plant: |rules| rules.lease.expires_at_apply = || true,
    },
    Exhibit {
        id: "leader-speaks-before-it-has-caught-up",
        story: "a new leader tells clients that their leases or sessions are no more, of which it has not heard yet",
        source: "etcd issues 6978 \"TTL=0 too soon\" and 13675 \"concurrent.Session closed immediately after creation\", pull requests 7015 and 13690",
        invariants: &["lock.told-expired", "lock.takeover-grace"],
        rarity: Rarity::Common,
        plant: |rules| rules.ensemble.speaks = |_| true,
    },
    Exhibit {
        id: "request-carried-out-again",
        story: "servers carry out what they are asked as often as it arrives, also after later questions of the same client",
        source: "Raft paper, section 8; Jepsen, jetcd 0.8.2, and etcd issues 14890 and 18424: a client library that repeats what is not idempotent",
        invariants: &["lock.release-kept", "lock.freed", "lock.mutual-exclusion"],
        rarity: Rarity::Common,
        plant: |rules| rules.ensemble.is_once = || false,
    },
    Exhibit {
        id: "db-lock-judged-on-client-clock",
        story: "whether a row has expired is judged by the clock of whoever wants it",
        source: "ShedLock #231: two nodes whose clocks are 3 minutes apart both take the lock; #132; the cure is the time of the database",
        invariants: &["lock.mutual-exclusion"],
        rarity: Rarity::Common,
        plant: |rules| rules.database.judges = || database::Judge::Client,
    },
    Exhibit {
        id: "takeover-without-cas",
        story: "a client looks whether a row has expired, and takes it with a second statement without a condition",
        source: "a known class of defects; ShedLock #132: a pause between the reading of the time and the UPDATE",
        invariants: &["lock.mutual-exclusion"],
        rarity: Rarity::Specific,
        plant: |rules| rules.database.takes = || database::Taking::AfterALook,
    },
    Exhibit {
        id: "row-lock-lost-with-connection",
        story: "a holder works on although the connection is gone that has held its row lock",
        source: "a known class of defects; PostgreSQL 15, manual, section 13.3: locks are released when the session ends",
        invariants: &["lock.mutual-exclusion"],
        rarity: Rarity::Common,
        plant: |rules| rules.database.stops_when_cut = || false,
    },
    Exhibit {
        id: "row-lock-given-up-at-once",
        story: "a client closes a connection that it takes for dead, and with it frees the lock, while its last write is on its way",
        source: "ours; libpq, tcp_user_timeout: the client's end is closed before the server's keepalive has run out",
        invariants: &["lock.mutual-exclusion"],
        rarity: Rarity::Specific,
        plant: |rules| rules.database.closes_what_held = || true,
    },
    Exhibit {
        id: "orphan-node-after-lost-create-reply",
        story: "a client whose create was not answered creates another node, and waits for its own first one",
        source: "ZOOKEEPER-1262, \"Documentation for Lock recipe has major flaw\"; Curator 8dc0283e",
        invariants: &["lock.release-kept", "lock.freed", "lock.served"],
        rarity: Rarity::Common,
        plant: |rules| rules.zookeeper.retries = || Retry::Creates,
    },
    Exhibit {
        id: "session-owner-unchecked",
        story: "a leader carries out what comes through a server from which the session has moved away",
        source: "ZooKeeper, SessionTrackerImpl.checkSession and KeeperException.SessionMovedException; ZOOKEEPER-710, ZOOKEEPER-2886",
        invariants: &["lock.release-kept", "lock.freed", "lock.served"],
        rarity: Rarity::Common,
        plant: |rules| rules.zookeeper.heeds_moves = || false,
    },
    Exhibit {
        id: "moved-session-told-expired",
        story: "a client that asks on a connection from which its session has moved away hears that the session has expired",
        source: "ours; ZooKeeper, FinalRequestProcessor.processRequest, closes the connection instead",
        invariants: &["lock.told-expired"],
        rarity: Rarity::Common,
        plant: |rules| rules.zookeeper.hides_moves = || false,
    },
    Exhibit {
        id: "queue-order-by-full-name",
        story: "who is first in the queue is decided by whole names, which begin with what clients have chosen",
        source: "ZOOKEEPER-2931: \"in specific situations this ended with two clients holding the lock\"; ZOOKEEPER-3162",
        invariants: &["lock.mutual-exclusion"],
        rarity: Rarity::Common,
        plant: |rules| rules.zookeeper.order = || Order::Name,
    },
    Exhibit {
        id: "lost-wakeup",
        story: "a waiter that sets its watch after the node is gone waits all the same",
        source: "Redisson 3.28.0; etcd 6d3f172c6; CURATOR-495",
        invariants: &["lock.freed", "lock.served"],
        rarity: Rarity::Common,
        plant: |rules| rules.zookeeper.heeds_absence = || false,
    },
    Exhibit {
        id: "herd",
        story: "all waiters watch the first node of the queue",
        source: "\"ZooKeeper Recipes and Solutions\", \"Locks\"; CURATOR-505",
        invariants: &["lock.herd"],
        rarity: Rarity::Common,
        plant: |rules| rules.zookeeper.watches = |first, _| first,
    },
    Exhibit {
        id: "session-expiry-misjudged-by-client",
        story: "a client with a new session takes the node of its old one, which is not gone yet, for its own",
        source: "CURATOR-696, 1027c2cd; CURATOR-652, CURATOR-653",
        invariants: &["lock.mutual-exclusion"],
        rarity: Rarity::Common,
        plant: |rules| rules.zookeeper.loses = || Loss::TrustsItsNode,
    },
    Exhibit {
        id: "suspended-still-holds",
        story: "a client that is cut off works on until a server tells it that its session has expired",
        source: "CURATOR-696; \"ZooKeeper Programmer's Guide\", \"Sessions\"",
        invariants: &["lock.mutual-exclusion"],
        rarity: Rarity::Common,
        plant: |rules| rules.zookeeper.loses = || Loss::WaitsForWord,
    },
    Exhibit {
        id: "rw-downgrade-admits-writer",
        story: "a holder that goes on with sharing its lock stands behind the writers that have waited meanwhile",
        source: "CURATOR-621, 2c283bd9",
        invariants: &["lock.mutual-exclusion"],
        rarity: Rarity::Common,
        plant: |rules| rules.zookeeper.downgrades = || Place::Last,
    },
];

#[cfg(test)]
mod tests {
    use super::super::oracle::INVARIANTS;
    use super::EXHIBITS;
    use crate::protocols::exhibit::check;
    use crate::protocols::raft::oracle as raft;

    #[test]
    fn every_exhibit_names_invariants_that_exist_and_stands_under_one_name() {
        let known: Vec<_> = INVARIANTS.into_iter().chain(raft::INVARIANTS).collect();
        check(&EXHIBITS, &known);
    }
}
