//! What a server of Raft is told when it starts.

use super::membership::Quorums;
use super::rules::Rules;
use super::snapshot::Compaction;
use crate::kernel::time::Span;

/// The settings of one server. Names are those of the paper where it has them.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// How many servers vote at first; at least 1. They are nodes 0 up to this.
    pub servers: u16,
    /// How many further servers there are that may become members; they come after the first ones.
    pub spares: u16,
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
    /// How many bytes of entries one AppendEntries takes, if that is limited; one entry goes in always.
    pub append_bytes: Option<usize>,
    /// How many entries may be on their way to a server that has not acknowledged them; at least 1.
    pub inflight_max: usize,
    /// When the log is compacted, if it is.
    pub compaction: Option<Compaction>,
    /// Every change of voters goes by way of a joint configuration, not only that of several (paper, section 6).
    pub always_joint: bool,
    /// How reads are served.
    pub reads: Reads,
    /// Which groups of voters decide.
    pub quorums: Quorums,
    /// The decisions, each replaceable by a planted defect.
    pub rules: Rules,
}

impl Config {
    /// How many servers there are, members or not.
    pub const fn all(&self) -> u16 {
        self.servers + self.spares
    }
}

/// How a leader makes sure that a read sees all that was written before it (thesis, section 6.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reads {
    /// It stands in the log as any other command.
    Log,
    /// A quorum confirms after the read has come that the leader still leads (thesis, section 6.4, ReadIndex).
    Index,
    /// A quorum has confirmed it so lately that nobody else can have been elected, if no clock drifts from another by more than this, in
    /// millionths (thesis, section 6.4.1).
    Lease {
        /// The bound in millionths.
        drift_ppm: u32,
    },
}
