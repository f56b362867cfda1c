//! Who belongs to the cluster, as the logs say: whose quorums count, and whether a change is one that a leader may make.

use super::chains::FORGOTTEN;
use super::{Common, Goal, Seen, violation};
use crate::oracle::spec::Verdict;
use crate::protocol::NodeId;
use crate::protocols::raft::core::{Core, Progress, Role, StateMachine};
use crate::protocols::raft::membership::{Configuration, Decision, Quorums, Servers};

/// All configurations that were ever in a log.
#[derive(Clone, Debug)]
pub(super) struct Configurations {
    pub(super) quorums: Quorums,
    /// What everybody begins with, at index 0, or the latest of those that are forgotten.
    first: (u64, Configuration),
    /// By index, and of one index in the order in which they were seen.
    known: Vec<Known>,
    /// The latest committed one.
    pub(super) committed: Configuration,
}

/// An entry that says who belongs to the cluster.
#[derive(Clone, Copy, Debug)]
struct Known {
    index: u64,
    /// The chain there.
    chain: u64,
    configuration: Configuration,
}

impl Configurations {
    pub(super) fn new(servers: u16, quorums: Quorums) -> Configurations {
        let first = Configuration::of(Servers::first(servers));
        Configurations { quorums, first: (0, first), known: Vec::new(), committed: first }
    }

    /// Forgets those before an index that every log has compacted away, where the committed list has these chains.
    pub(super) fn forget_before(&mut self, index: u64, committed_at: impl Fn(u64) -> Option<u64>) {
        self.first = self.latest(index - 1, committed_at);
        self.known.retain(|known| known.index >= index);
    }

    /// The latest one that stands, at or before `upto`, where `chain_at` says that a list of entries is the same.
    fn latest(&self, upto: u64, chain_at: impl Fn(u64) -> Option<u64>) -> (u64, Configuration) {
        let stands = |known: &&Known| known.index <= upto && chain_at(known.index) == Some(known.chain);
        let latest = self.known.iter().rev().find(stands);
        latest.map_or(self.first, |known| (known.index, known.configuration))
    }

    /// Whether these are a quorum of every group of voters.
    pub(super) fn is_quorum(&self, of: &Configuration, decision: Decision, servers: Servers) -> bool {
        let is_met = |group: Servers| {
            let (votes, all) = (self.quorums.votes(servers & group), self.quorums.votes(group));
            match (self.quorums, decision) {
                (Quorums::Flexible { election, .. }, Decision::Election) => votes >= usize::from(election),
                (Quorums::Flexible { replication, .. }, Decision::Replication) => votes >= usize::from(replication),
                (Quorums::Majority | Quorums::Weighted(_), _) => 2 * votes > all,
            }
        };
        is_met(of.voters) && (!of.is_joint() || is_met(of.outgoing))
    }
}

/// Whether any quorum before a change shares a server with any after it.
fn overlap(before: &Configuration, after: &Configuration) -> bool {
    let differing = ((before.voters - after.voters) | (after.voters - before.voters)).len();
    match (before.is_joint(), after.is_joint()) {
        (false, false) => differing <= 1,
        (false, true) => after.outgoing == before.voters,
        (true, false) => after.voters == before.voters,
        (true, true) => before == after,
    }
}

/// What a leader knows of each server.
pub(super) fn progress_in<M: StateMachine>(core: &Core<M>) -> &[Progress] {
    match core.role() {
        Role::Leader(leadership) => &leadership.progress,
        Role::Follower | Role::PreCandidate { .. } | Role::Candidate { .. } | Role::Outcast => &[],
    }
}

/// Up to where a leader knows these servers' logs.
fn matches<M: StateMachine>(core: &Core<M>, servers: Servers) -> impl Iterator<Item = (NodeId, u64)> {
    let progress = progress_in(core);
    servers.iter().filter_map(|server| Some((server, progress.get(server.index())?.match_index)))
}

impl Common {
    /// The chain of a server's log at an index. What is compacted away there was committed; that is checked once.
    #[inline(always)]
    pub(super) fn chain_in<M: StateMachine>(&self, core: &Core<M>, index: u64) -> Option<u64> {
        let log = core.log();
        if index < log.base().index {
            self.committed_at(index)
        } else if index <= self.matching.forgotten() {
            self.long_ago_in(core, index)
        } else {
            log.chain_at(index)
        }
    }

    /// The same where a log begins before what is remembered.
    #[cold]
    fn long_ago_in<M: StateMachine>(&self, core: &Core<M>, index: u64) -> Option<u64> {
        let chain = core.log().chain_at(index);
        if index == 0 { chain } else { chain.and(Some(FORGOTTEN)) }
    }

    /// Whether a server's log has this chain at an index, as far as that is remembered.
    #[inline]
    pub(super) fn has_chain<M: StateMachine>(&self, core: &Core<M>, index: u64, chain: u64) -> bool {
        self.chain_in(core, index).is_some_and(|found| found == chain || found == FORGOTTEN)
    }

    /// The latest configuration in a server's log, and where it stands.
    #[inline]
    pub(super) fn in_force<M: StateMachine>(&self, core: &Core<M>) -> (u64, Configuration) {
        if self.configurations.known.is_empty() {
            return self.configurations.first;
        }
        self.configurations.latest(core.log().last_index(), |index| self.chain_in(core, index))
    }

    /// The configuration that a server went by whose log ended at `upto`.
    #[inline]
    pub(super) fn in_force_at<M: StateMachine>(&self, core: &Core<M>, upto: u64) -> Configuration {
        self.configurations.latest(upto, |index| self.chain_in(core, index)).1
    }

    /// Whether a server that does not know the configuration at this index of its log to be committed votes by the one
    /// before it.
    pub(super) fn voted_before<M: StateMachine>(&self, node: NodeId, core: &Core<M>, at: u64) -> bool {
        let before = || self.configurations.latest(at - 1, |index| self.chain_in(core, index)).1;
        at > core.commit() && before().may_vote(node)
    }

    /// An entry that nobody had says who belongs to the cluster. A leader that has made it may do so once an entry of its term is
    /// committed, and when the change before it is.
    #[cold]
    pub(super) fn note_configuration<M: StateMachine>(
        &mut self,
        node: NodeId,
        core: &Core<M>,
        index: u64,
        configuration: Configuration,
    ) -> Verdict {
        let Some(chain) = core.log().chain_at(index) else { unreachable!("it has the entry") };
        let (before_at, before) = self.configurations.latest(index - 1, |index| self.chain_in(core, index));
        let known = &mut self.configurations.known;
        let place = known.partition_point(|known| known.index <= index);
        known.insert(place, Known { index, chain, configuration });
        if configuration.is_joint() {
            self.reach(Goal::JointConfiguration);
        }
        let promoted = before.learners & configuration.voters;
        if !promoted.is_empty() {
            self.reach(Goal::LearnerPromoted);
        }
        if !overlap(&before, &configuration) {
            return violation("raft.configurations-overlap", &[node], || {
                format!(
                    "{node:?} has {configuration:?} at index {index} right after {before:?}: two quorums need not share a server"
                )
            });
        }
        if !core.is_leader() || core.log().term_at(index) != Some(core.term()) {
            return Ok(());
        }
        // To end a joint configuration is no new change.
        if let Some(to) = core.hands_to()
            && !before.is_joint()
        {
            return violation("raft.transfer-quiet", &[node, to], || {
                format!("leader {node:?} hands over to {to:?}, and changes the cluster at index {index}")
            });
        }
        let commit = core.commit();
        if before_at > commit {
            return violation("raft.one-change-at-a-time", &[node], || {
                format!(
                    "leader {node:?} changes the cluster at index {index}; the change at {before_at} is not committed, only what is up to {commit}"
                )
            });
        }
        let least = commit.saturating_sub(core.config().append_max as u64);
        if let Some((learner, known)) = matches(core, promoted).find(|(_, known)| *known < least) {
            return violation("raft.promoted-caught-up", &[node, learner], || {
                format!(
                    "leader {node:?} lets {learner:?} vote, of whose log it knows {known} entries; committed are {commit}"
                )
            });
        }
        if core.log().term_at(commit) != Some(core.term()) {
            return violation("raft.change-in-own-term", &[node], || {
                format!(
                    "leader {node:?} changes the cluster at index {index} before an entry of its term {} is committed",
                    core.term()
                )
            });
        }
        Ok(())
    }

    /// The touched server's log has changed: it must go by the latest configuration in it.
    #[inline]
    pub(super) fn check_configuration<M: StateMachine>(&self, node: NodeId, core: &Core<M>) -> Verdict {
        let (at, configuration) = self.in_force(core);
        if *core.configuration() == configuration || core.log().last_index() < at {
            return Ok(());
        }
        violation("raft.configuration-in-log", &[node], || {
            format!(
                "{node:?} goes by {:?}; the latest configuration in its log, at index {at}, is {configuration:?}",
                core.configuration()
            )
        })
    }

    /// More is committed than before.
    #[inline]
    pub(super) fn commit_configuration(&mut self, node: NodeId) -> Verdict {
        if self.configurations.known.is_empty() {
            return Ok(());
        }
        let (_, latest) = self.configurations.latest(self.committed.upto(), |index| self.committed_at(index));
        if self.configurations.committed != latest {
            let before = std::mem::replace(&mut self.configurations.committed, latest);
            self.reach(Goal::ConfigurationChanged);
            self.orders.check_change(node, &before, &latest)?;
        }
        Ok(())
    }

    /// A server has compacted its log, or taken a leader's snapshot: it stands for what is committed.
    /// `held` is where its log ended before, if it has not just started.
    #[inline]
    pub(super) fn check_snapshot<M: StateMachine>(
        &mut self,
        seen: &mut Seen,
        held: Option<u64>,
        node: NodeId,
        core: &Core<M>,
    ) -> Verdict {
        let base = core.log().base().index;
        let last = core.snapshot().map_or(0, |snapshot| snapshot.last.index);
        if (base, last) == (seen.base, seen.snapshot) {
            return Ok(());
        }
        if base > last {
            return violation("raft.snapshot-faithful", &[node], || {
                format!(
                    "{node:?} has compacted its log up to index {base}, and its snapshot stands for what is up to {last} only"
                )
            });
        }
        let Some(snapshot) = core.snapshot() else { return Ok(()) };
        let stands = |index, chain| self.committed.stands(index, chain, &self.matching);
        if !stands(base, core.log().base_chain()) || !stands(last, snapshot.chain) {
            return violation("raft.snapshot-faithful", &[node], || {
                format!(
                    "{node:?} has a snapshot up to index {last}, which does not stand for what is committed; committed are {}",
                    self.committed.upto()
                )
            });
        }
        let (at, configuration) = self.configurations.latest(last, |index| self.committed_at(index));
        if snapshot.configuration != configuration && at <= last {
            return violation("raft.snapshot-faithful", &[node], || {
                format!(
                    "{node:?} has a snapshot up to index {last} that says {:?}; by the log it is {configuration:?}",
                    snapshot.configuration
                )
            });
        }
        if let Some(held) = held
            && last > seen.snapshot
        {
            self.reach(if held < last { Goal::SnapshotInstalled } else { Goal::SnapshotTaken });
        }
        (seen.base, seen.snapshot) = (base, last);
        Ok(())
    }
}
