//! Whether a log is compacted as it is to be: not too late, and far enough.

use super::configurations::progress_in;
use super::{Seen, violation};
use crate::oracle::spec::Verdict;
use crate::protocol::NodeId;
use crate::protocols::raft::core::{Core, Flow, Progress, StateMachine};
use crate::protocols::raft::log::Entry;

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

/// Whether a leader may have just lost somebody to whom it was sending a snapshot: it leads no more, it has changed the cluster, or
/// somebody has more than before who needed some of what is compacted away. Before that it may have compacted its log in the same step.
pub(super) fn has_just_sent<M: StateMachine>(seen: &Seen, core: &Core<M>) -> bool {
    let (log, base) = (core.log(), core.log().base().index);
    let has_arrived = |(progress, known): (&Progress, &u64)| *known < base.min(progress.match_index);
    let has_changed = || log.last_index() > seen.last && log.entry(log.last_index()).is_some_and(is_change);
    seen.leads
        && (!core.is_leader() || has_changed() || progress_in(core).iter().zip(&seen.match_index).any(has_arrived))
}

fn is_change<C>(entry: &Entry<C>) -> bool {
    entry.configuration().is_some()
}

/// A server has another snapshot. A leader may keep more, for those who are being sent an earlier one; also if it
/// has ended that in the same step, `has_just_sent`.
pub(super) fn check_kept<M: StateMachine>(node: NodeId, has_just_sent: bool, core: &Core<M>) -> Verdict {
    let Some(compaction) = core.config().compaction else { return Ok(()) };
    let (base, last) = (core.log().base().index, core.snapshot().map_or(0, |snapshot| snapshot.last.index));
    let is_sent_earlier = |progress: &Progress| matches!(progress.flow, Flow::Snapshot { last, .. } if last <= base);
    if base + compaction.keep >= last || has_just_sent || progress_in(core).iter().any(is_sent_earlier) {
        return Ok(());
    }
    violation("raft.log-compacted", &[node], || {
        let keep = compaction.keep;
        format!("{node:?} has a snapshot up to index {last}, and keeps all entries after {base}; it was to keep {keep}")
    })
}
