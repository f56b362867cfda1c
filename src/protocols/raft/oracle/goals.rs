//! What should happen to a Raft sometimes, so that a sweep has seen it.

use super::CoreOracle;

/// Things that should happen sometimes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Goal {
    /// A leader was elected.
    LeaderElected,
    /// A leader was elected after another one.
    LeaderDeposed,
    /// A leader was elected while another one of an earlier term still led.
    StaleLeader,
    /// A leader stepped down.
    LeaderSteppedDown,
    /// A term went by without a leader: a split vote, or a campaign that was lost.
    ElectionFailed,
    /// A partition left a leader without a quorum.
    LeaderIsolated,
    /// A server removed entries that conflicted with the leader's.
    ConflictTruncated,
    /// A crash took records that were not durable yet.
    UnsyncedLost,
    /// A server restarted with entries in its log.
    RestartWithLog,
    /// A leader crashed.
    LeaderCrashed,
    /// A server found that its disk had lost what it had promised to keep, and takes no part.
    ServerOutcast,
    /// A server took a snapshot of its own.
    SnapshotTaken,
    /// A server took over a leader's snapshot.
    SnapshotInstalled,
    /// Another configuration was committed.
    ConfigurationChanged,
    /// A configuration came in which old and new voters must both agree.
    JointConfiguration,
    /// A learner became a voter.
    LearnerPromoted,
    /// A leader stepped down that did not belong to the cluster any more.
    LeaderRemoved,
    /// A server was elected that the leader before it had told to campaign, and that campaigned for that reason.
    LeadershipTransferred,
    /// A command came to nothing, for the session of its client was over.
    SessionExpired,
    /// A leader answered a read that spared the log.
    LeaderRead,
    /// A server that did not lead answered a read.
    FollowerRead,
}

/// The names of the goals, in their order.
pub const GOALS: [&str; 21] = [
    "raft.leader-elected",
    "raft.leader-deposed",
    "raft.stale-leader",
    "raft.leader-stepped-down",
    "raft.election-failed",
    "raft.leader-isolated",
    "raft.conflict-truncated",
    "raft.unsynced-tail-lost",
    "raft.restart-with-log",
    "raft.leader-crashed",
    "raft.server-outcast",
    "raft.snapshot-taken",
    "raft.snapshot-installed",
    "raft.configuration-changed",
    "raft.joint-configuration",
    "raft.learner-promoted",
    "raft.leader-removed",
    "raft.leadership-transferred",
    "raft.session-expired",
    "raft.leader-read",
    "raft.follower-read",
];

impl CoreOracle {
    /// Something has happened so many times that an oracle of what is replicated has found out.
    pub fn reached(&mut self, goal: Goal, times: u64) {
        self.common.goals[goal as usize] += times;
    }
}
