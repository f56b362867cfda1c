//! Whether a log is compacted as it is to be: not too late, and far enough.

use super::violation;
use crate::oracle::spec::Verdict;
use crate::protocol::NodeId;
use crate::protocols::raft::core::{Core, StateMachine};

/// A server has applied more than `before`: had it been time for a snapshot then, it would have been taken first.
#[inline]
pub(super) fn check_compacted<M: StateMachine>(node: NodeId, core: &Core<M>, before: u64) -> Verdict {
    let Some(compaction) = core.config().compaction else { return Ok(()) };
    let snapshot = core.snapshot().map_or(0, |snapshot| snapshot.last.index);
    if before < snapshot + compaction.every {
        return Ok(());
    }
    violation("raft.log-compacted", &[node], || {
        let every = compaction.every;
        format!(
            "{node:?} goes on from index {before} to {}, and its latest snapshot ends at {snapshot}; it was to take one after {every} entries",
            core.applied()
        )
    })
}

/// A server that does not lead has another snapshot. A leader may keep more, for those who are being sent an earlier one.
pub(super) fn check_kept<M: StateMachine>(node: NodeId, core: &Core<M>) -> Verdict {
    let Some(compaction) = core.config().compaction else { return Ok(()) };
    let (base, last) = (core.log().base().index, core.snapshot().map_or(0, |snapshot| snapshot.last.index));
    if base + compaction.keep >= last {
        return Ok(());
    }
    violation("raft.log-compacted", &[node], || {
        let keep = compaction.keep;
        format!("{node:?} has a snapshot up to index {last}, and keeps all entries after {base}; it was to keep {keep}")
    })
}
