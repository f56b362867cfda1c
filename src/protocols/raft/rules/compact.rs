//! The decisions about snapshots.

use crate::protocols::raft::log::Position;
use crate::protocols::raft::membership::Configuration;

/// All of them. [`CompactRules::SOUND`] has those of the paper.
#[derive(Clone, Copy, Debug)]
pub struct CompactRules {
    /// Is it time for a snapshot, when so much is applied, the latest snapshot ends at `snapshot`, and one is to be taken
    /// after `every` entries?
    pub is_due: fn(applied: u64, snapshot: u64, every: u64) -> bool,
    /// Must a server be sent a snapshot that needs the entry at `next` of a log that begins after `base`?
    pub needs_snapshot: fn(next: u64, base: u64) -> bool,
    /// Is a snapshot that ends at `last` of use to a server that has committed so much?
    pub is_news: fn(last: u64, commit: u64) -> bool,
    /// Do the entries after a snapshot stay, if the log has an entry of term `here` where the snapshot ends with one of
    /// `term`?
    pub keeps_suffix: fn(here: Option<u64>, term: u64) -> bool,
    /// Who belongs to the cluster after a snapshot that says so, for a server that took these for its members.
    pub configuration: fn(known: Configuration, snapshot: Configuration) -> Configuration,
    /// Where a server says that its log ends when it campaigns, which has received something of a snapshot that ends at `pending`.
    pub campaigns_from: fn(log: Position, pending: Option<Position>) -> Position,
    /// Are the sessions of clients part of a snapshot?
    pub has_sessions: fn() -> bool,
}

impl CompactRules {
    /// The rules of the paper.
    pub const SOUND: CompactRules =
        CompactRules { is_due, needs_snapshot, is_news, keeps_suffix, configuration, campaigns_from, has_sessions };
}

/// As soon as there are so many (paper, section 7: "when the log reaches a fixed size").
fn is_due(applied: u64, snapshot: u64, every: u64) -> bool {
    applied >= snapshot + every
}

/// Also if `next` is the last one that is compacted away (paper, section 7).
fn needs_snapshot(next: u64, base: u64) -> bool {
    next <= base
}

/// A late one would take the state back.
fn is_news(last: u64, commit: u64) -> bool {
    last > commit
}

/// If the log has the snapshot's last entry, what follows is valid and may have been acknowledged; if not, all of it
/// conflicts (paper, figure 13, rules 6 and 7).
fn keeps_suffix(here: Option<u64>, term: u64) -> bool {
    here == Some(term)
}

/// The snapshot knows: the entries that said so are gone (paper, section 7: "the latest configuration").
fn configuration(_known: Configuration, snapshot: Configuration) -> Configuration {
    snapshot
}

/// Where its log ends: a snapshot that is not there yet would be missing to whom it leads.
fn campaigns_from(log: Position, _pending: Option<Position>) -> Position {
    log
}

/// They are part of the replicated state (thesis, section 6.3).
fn has_sessions() -> bool {
    true
}
