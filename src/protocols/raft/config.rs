//! What a server of Raft is told when it starts.

use super::rules::Rules;
use crate::kernel::time::Span;

/// The settings of one server. Names are those of the paper where it has them.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// How many servers vote; at least 1. They are nodes 0 up to this.
    pub servers: u16,
    /// The shortest election timeout, and the time for which a leader that was heard is believed alive.
    pub election_timeout_min: Span,
    /// The longest election timeout; at least the shortest.
    pub election_timeout_max: Span,
    /// How often a leader sends to servers that it has nothing new for. Shorter than the shortest election timeout.
    pub heartbeat: Span,
    /// Ask before raising the term whether the campaign could succeed (thesis, section 9.6).
    pub pre_vote: bool,
    /// A leader that has not heard a quorum for an election timeout steps down, and a server that
    /// has heard a leader lately ignores candidates (thesis, sections 6.2 and 4.2.3).
    pub check_quorum: bool,
    /// The most entries in one AppendEntries; at least 1.
    pub append_max: usize,
    /// How many entries may be on their way to a server that has not acknowledged them; at least 1.
    pub inflight_max: usize,
    /// The decisions, each replaceable by a planted defect.
    pub rules: Rules,
}
