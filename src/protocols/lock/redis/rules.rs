//! The decisions of locks on Redis.

use super::Timepiece;
use super::sorted::{Admission, Cleaning};
use crate::kernel::time::Span;

/// How a lock is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taking {
    /// By one command that also limits its life.
    AtOnce,
    /// By one command, and then another that limits its life.
    InTwoSteps,
}

/// How a lock is given back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Giving {
    /// If its value is still the owner's, in one step.
    Compared,
    /// Whosever it is.
    Blindly,
    /// If its value was the owner's a moment ago.
    AfterALook,
}

/// When the counter is raised that tokens come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Counting {
    /// Together with the grant, so that whoever knows of the one knows of the other.
    InTheGrant,
    /// By a command of its own, once the lock is had.
    Afterwards,
    /// Together with the grant, and nowhere but in the memory of the primary.
    InMemory,
}

/// How a lock on several servers is prolonged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extending {
    /// Where its key is still there, and while it can still be held.
    Compared,
    /// Its key is made anew where there is none.
    Recreating,
}

/// What a server does about what it has promised before it says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Promising {
    /// It waits until that is on its disk.
    Durably,
    /// It writes it down, and does not wait.
    Written,
    /// It keeps it in its memory.
    InMemory,
}

/// The decisions of a primary, and of those who take its place.
#[derive(Clone, Copy, Debug)]
pub struct FailoverRules {
    /// Does a server that has heard of that reign vote for this one? (Redis Cluster specification, "Masters reply to replica vote
    /// request", 1: "only votes a single time for a given epoch")
    pub votes: fn(reign: u64, heard: u64) -> bool,
    /// What it does before it says so (the same: lastVoteEpoch is "safely stored on disk").
    pub promises: fn() -> Promising,
    /// Does who stands for that reign count a vote for this one? (the same, "Replica election and promotion": no "votes intended
    /// for a previous election")
    pub counts_vote: fn(reign: u64, stands_for: u64) -> bool,
    /// Do changes fit what a replica has, if it comes from the same primary, or from another? (the manual page "Redis replication":
    /// the replication id tells histories apart)
    pub fits: fn(is_same: bool) -> bool,
    /// Does a replica acknowledge only what is on its disk, if it waits for that?
    pub acknowledges_durably: fn() -> bool,
    /// Does a replica that has so much of a reign take a copy of everything that has so much of it? The copy may come late.
    pub takes_copy: fn(copy: u64, own: u64) -> bool,
}

/// The decisions of Redlock.
#[derive(Clone, Copy, Debug)]
pub struct RedlockRules {
    /// How many of so many servers must have its key (the manual, "The Redlock Algorithm", step 3: N/2+1).
    pub quorum: fn(servers: usize) -> usize,
    /// How long a lock can be held that has taken so long to get; zero if it cannot be (the same, step 4, and "Is the
    /// Algorithm Asynchronous?": TTL-(T2-T1)-CLOCK_DRIFT).
    pub validity: fn(ttl: Span, elapsed: Span, drift: Span) -> Span,
    /// How it is prolonged (the manual, "Making the algorithm more reliable: Extending the lock").
    pub extends: fn() -> Extending,
}

/// The decisions of locks that are sorted sets.
#[derive(Clone, Copy, Debug)]
pub struct SortedRules {
    /// What is removed from a set before somebody is let in.
    pub cleans: fn() -> Cleaning,
    /// Who is let in.
    pub admits: fn() -> Admission,
}

/// All decisions.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How a lock is taken (the manual, "Correct implementation with a single instance").
    pub takes: fn() -> Taking,
    /// How it is given back (the same section: "Using just DEL is not safe").
    pub gives: fn() -> Giving,
    /// The clock by which the server expires keys, if it is set up for this one. What it shows must mean the same after a restart.
    pub expires_by: fn(configured: Timepiece) -> Timepiece,
    /// Does a claim that is given up go away, also if it may have been granted?
    pub withdraws: fn() -> bool,
    /// Does a watchdog go on after a renewal that was not answered?
    pub renews_after_silence: fn() -> bool,
    /// For how many replicas does a client wait, if it is set up for so many? (the manual page of WAIT)
    pub waits_for: fn(replicas: u16) -> u16,
    /// Is a change safe of which so many know, if so many should? (the manual page of WAIT: "the caller should check")
    pub confirms: fn(wanted: u16, replicas: u16) -> bool,
    /// When tokens are counted.
    pub counts: fn() -> Counting,
    /// Those of a primary, and of those who take its place.
    pub failover: FailoverRules,
    /// Those of Redlock.
    pub redlock: RedlockRules,
    /// Those of sorted sets.
    pub sorted: SortedRules,
}

impl Rules {
    /// Those of the manual.
    pub const SOUND: Rules = Rules {
        takes: || Taking::AtOnce,
        gives: || Giving::Compared,
        expires_by: |configured| configured,
        withdraws: || true,
        renews_after_silence: || true,
        waits_for: |replicas| replicas,
        confirms: |wanted, replicas| replicas >= wanted,
        counts: || Counting::InTheGrant,
        failover: FailoverRules {
            votes: |reign, heard| reign > heard,
            promises: || Promising::Durably,
            counts_vote: |reign, stands_for| reign == stands_for,
            fits: |is_same| is_same,
            acknowledges_durably: || true,
            takes_copy: |copy, own| copy > own,
        },
        redlock: RedlockRules {
            quorum: |servers| servers / 2 + 1,
            validity: |ttl, elapsed, drift| Span::ns(ttl.as_ns().saturating_sub((elapsed + drift).as_ns())),
            extends: || Extending::Compared,
        },
        sorted: SortedRules { cleans: || Cleaning::Expired, admits: || Admission::Alone },
    };
}
