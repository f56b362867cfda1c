//! The decisions about reads that do not go through the log.

use crate::kernel::time::{Span, Time};

/// All of them. [`ReadRules::SOUND`] has those of the thesis.
#[derive(Clone, Copy, Debug)]
pub struct ReadRules {
    /// May a leader of `term` say what is committed, if the last entry that it knows to be is of `commit_term`?
    pub knows_commit: fn(commit_term: u64, term: u64) -> bool,
    /// Must a quorum confirm that the leader still leads?
    pub needs_round: fn() -> bool,
    /// The round that a read waits for, when round `latest` has begun; `done` says that it is confirmed already.
    pub round: fn(latest: u64, done: bool) -> u64,
    /// How many of `votes` must confirm.
    pub quorum: fn(votes: usize) -> usize,
    /// How long a leader may read after a confirmation, when nobody campaigns for `timeout` after hearing it, and clocks
    /// drift apart by so many millionths.
    pub lease: fn(timeout: Span, drift_ppm: u32) -> Span,
    /// From when that counts for a round that began then and is confirmed now.
    pub lease_begins: fn(began: Time, now: Time) -> Time,
    /// May a leader that has told another one to campaign still read by its lease?
    pub survives_transfer: fn() -> bool,
    /// May whoever was told to campaign still do so in this term, when the leader has given the handover up?
    pub told_may_campaign: fn() -> bool,
    /// Does a server that has just started keep from voting for as long as a lease may last that it has given?
    pub restart_honours_lease: fn() -> bool,
}

impl ReadRules {
    /// The rules of the thesis.
    pub const SOUND: ReadRules = ReadRules {
        knows_commit,
        needs_round: super::always,
        round,
        quorum: super::majority,
        lease,
        lease_begins,
        survives_transfer,
        told_may_campaign: super::always,
        restart_honours_lease: super::always,
    };
}

/// Only once an entry of its own term is committed: its commit index may be behind until then (thesis, section 6.4, step 1).
fn knows_commit(commit_term: u64, term: u64) -> bool {
    commit_term == term
}

/// One that begins after the read has come: an answer to an earlier one says nothing about now (thesis, section 6.4, step 3).
fn round(latest: u64, _done: bool) -> u64 {
    latest + 1
}

/// Shorter by the drift (thesis, section 6.4.1: "electionTimeout / clockDriftBound").
fn lease(timeout: Span, drift_ppm: u32) -> Span {
    let million = 1_000_000_u128;
    Span::ns((u128::from(timeout.as_ns()) * million / (million + u128::from(drift_ppm))) as u64)
}

/// From when it was sent: the others wait from when they heard it, which is later (thesis, section 6.4.1).
fn lease_begins(began: Time, _now: Time) -> Time {
    began
}

/// No: who is told to campaign need not wait (thesis, section 6.4.1: "would need to expire its lease before transferring leadership").
fn survives_transfer() -> bool {
    false
}
