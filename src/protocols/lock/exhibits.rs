//! Published defects of locks, planted by replacing rules.

use super::database::rules as database;
use super::redis::Timepiece;
use super::redis::rules::{Giving, Taking};
use super::rules::Rules;
use crate::protocols::exhibit::{Exhibit, Rarity};

/// All exhibits of locks.
pub const EXHIBITS: [Exhibit<Rules>; 10] = [
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
        id: "watchdog-zombie",
        story: "a claim that was given up while it was under way is prolonged for ever",
        source: "Redisson 3.16.3: \"interrupted tryLock() keeps renewing lock indefinitely\"",
        invariants: &["lock.freed"],
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
];

#[cfg(test)]
mod tests {
    use super::super::oracle::INVARIANTS;
    use super::EXHIBITS;
    use crate::protocols::exhibit::check;

    #[test]
    fn every_exhibit_names_invariants_that_exist_and_stands_under_one_name() {
        check(&EXHIBITS, &INVARIANTS);
    }
}
