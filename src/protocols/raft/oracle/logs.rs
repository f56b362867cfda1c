//! What logs may hold: Log Matching, Leader Append-Only, State Machine Safety, and commitment.

use super::chains::{Chains, FORGOTTEN, LogMatching};
use super::durable::Durable;
use super::snapshots::check_compacted;
use super::{Common, Goal, Seen, violation};
use crate::oracle::spec::{Verdict, Violation};
use crate::protocol::NodeId;
use crate::protocols::raft::core::{Core, StateMachine};
use crate::protocols::raft::log::Entry;
use crate::protocols::raft::membership::{Decision, Servers};
use std::ops::Range;

/// What is committed, once and for all.
#[derive(Clone, Debug, Default)]
pub(super) struct Committed {
    pub(super) chains: Chains,
    /// In which term how much had been committed: both grow.
    marks: Vec<(u64, u64)>,
}

impl Committed {
    /// The last committed index.
    #[inline]
    pub(super) fn upto(&self) -> u64 {
        self.chains.last()
    }

    /// Whether the chain at an index is this one, as far as that is remembered.
    #[inline]
    pub(super) fn stands(&self, index: u64, chain: u64, matching: &LogMatching) -> bool {
        self.chains.at(index, matching).is_some_and(|found| found == chain || found == FORGOTTEN)
    }

    /// The last index that was committed in a term before this one.
    pub(super) fn before_term(&self, term: u64) -> u64 {
        let earlier = self.marks.partition_point(|mark| mark.0 < term);
        self.marks[..earlier].iter().map(|mark| mark.1).max().unwrap_or(0)
    }

    /// Up to where a list agrees with what is committed, at most to `upto`, which is within both.
    pub(super) fn agreed(&self, list: &Chains, upto: u64, matching: &LogMatching) -> u64 {
        let agrees = |index: &u64| list.at(*index, matching) == self.chains.at(*index, matching);
        (0..=upto).rev().find(agrees).unwrap_or(0)
    }

    fn mark(&mut self, term: u64) {
        let upto = self.upto();
        if let Some(last) = self.marks.last_mut()
            && last.0 == term
        {
            last.1 = upto;
            return;
        }
        match self.marks.binary_search_by_key(&term, |mark| mark.0) {
            Ok(place) => self.marks[place].1 = upto,
            Err(place) => self.marks.insert(place, (term, upto)),
        }
    }
}

/// How many of the latest applied indexes are compared.
const RECENT: usize = 1 << 12;

/// The state of the machine after each of the latest entries: it is the same wherever it was applied.
#[derive(Clone, Debug, Default)]
pub(super) struct States {
    recent: Vec<(u64, u64)>,
}

impl States {
    /// Answers what others had at this index, if it is another state.
    fn differs(&mut self, index: u64, fingerprint: u64) -> bool {
        let place = index as usize % RECENT;
        if self.recent.len() <= place {
            self.recent.resize(place + 1, (0, 0));
        }
        let before = std::mem::replace(&mut self.recent[place], (index, fingerprint));
        before.0 == index && before.1 != fingerprint
    }
}

impl Common {
    /// The touched server's log, as far as it has changed.
    #[inline]
    pub(super) fn check_log<M: StateMachine>(&mut self, seen: &mut Seen, node: NodeId, core: &Core<M>) -> Verdict {
        let log = core.log();
        if (log.last_index(), log.chain()) == (seen.last, seen.chain) {
            return Ok(());
        }
        if let Some(to) = core.hands_to()
            && log.last_index() > seen.last
            && log.entry(log.last_index()).is_some_and(|entry| entry.command().is_some())
        {
            return violation("raft.transfer-quiet", &[node, to], || {
                format!("leader {node:?} hands over to {to:?}, and takes a command at index {}", log.last_index())
            });
        }
        // Everything up to here is known to match; after a truncation the search goes back further.
        let mut known = seen.last;
        if !self.has_chain(core, seen.last, seen.chain) {
            self.check_truncated(seen, node, core)?;
            known = 0;
        }
        self.check_matching(node, core, known)?;
        (seen.last, seen.chain) = (log.last_index(), log.chain());
        let upto = seen.last.min(self.committed.upto());
        // What a snapshot stands for is what is committed.
        seen.agreed = seen.agreed.max(log.base().index.min(upto));
        while seen.agreed < upto && log.chain_at(seen.agreed + 1) == self.committed_at(seen.agreed + 1) {
            seen.agreed += 1;
        }
        Ok(())
    }

    /// Entries are gone: a leader never does that, and nobody does it to what was committed in a term
    /// that it has reached. A leader of an earlier term was elected without those entries, and may
    /// still find a server that has missed the terms since.
    fn check_truncated<M: StateMachine>(&mut self, seen: &mut Seen, node: NodeId, core: &Core<M>) -> Verdict {
        if seen.leads && core.is_leader() && seen.led == core.term() {
            return violation("raft.leader-append-only", &[node], || {
                format!("leader {node:?} of term {} changed its log at or before index {}", core.term(), seen.last)
            });
        }
        // What it has committed itself it may not remove, whatever its term.
        let kept = seen.agreed.min(self.committed.before_term(core.term() + 1)).max(seen.commit);
        if self.chain_in(core, kept) != self.committed_at(kept) {
            return violation("raft.committed-kept", &[node], || {
                let (term, last) = (core.term(), core.log().last_index());
                format!(
                    "{node:?} in term {term} held the entries up to {kept}, committed by then, and has removed some; its log ends at {last} now"
                )
            });
        }
        let (term, known, chain) = self.acknowledged[node.index()];
        if term == core.term() && !self.has_chain(core, known, chain) {
            return violation("raft.acknowledged-durable", &[node], || {
                let last = core.log().last_index();
                format!(
                    "the leader of term {term} counts {node:?} as holding its log up to {known}, and it has removed some of that; its log ends at {last} now"
                )
            });
        }
        while self.chain_in(core, seen.agreed) != self.committed_at(seen.agreed) {
            seen.agreed -= 1;
        }
        self.reach(Goal::ConflictTruncated);
        Ok(())
    }

    /// New entries are those that nobody had; where one is known, all before it are, too. Those up
    /// to `upto` are known.
    pub(super) fn check_matching<M: StateMachine>(&mut self, node: NodeId, core: &Core<M>, upto: u64) -> Verdict {
        let log = core.log();
        let at = |index: u64| (log.term_at(index).expect("in the log"), log.chain_at(index).expect("in the log"));
        let mut index = log.last_index();
        let upto = upto.max(log.base().index).max(self.matching.forgotten());
        while index > upto {
            let (term, chain) = at(index);
            match self.matching.chain_of(index, term) {
                Some(known) if known == chain => break,
                Some(_) => {
                    return violation("raft.log-matching", &[node], || {
                        format!(
                            "{node:?} has an entry of term {term} at index {index} that differs, or follows other entries, elsewhere"
                        )
                    });
                }
                None => index -= 1,
            }
        }
        for index in index + 1..=log.last_index() {
            let (term, chain) = at(index);
            self.matching.insert(index, term, chain);
            if let Some(configuration) = log.entry(index).and_then(Entry::configuration) {
                self.note_configuration(node, core, index, configuration)?;
            }
        }
        self.check_configuration(node, core)
    }

    /// The touched server's commit index. Answers what it has committed before anybody else. `held` is where its log ended
    /// before, if it has not just started.
    #[inline(always)]
    pub(super) fn check_commit<M: StateMachine>(
        &mut self,
        seen: &mut Seen,
        held: Option<u64>,
        node: NodeId,
        core: &Core<M>,
    ) -> Result<Range<u64>, Box<Violation>> {
        let (before, commit) = (seen.commit, core.commit());
        if commit == before {
            return Ok(0..0);
        }
        if commit < before {
            return violation("raft.commit-monotonic", &[node], || {
                format!("the commit index of {node:?} fell from {before} to {commit}")
            });
        }
        let Some(chain) = core.log().chain_at(commit) else {
            return violation("raft.commit-quorum", &[node], || {
                format!("{node:?} commits up to {commit}, its log ends at {}", core.log().last_index())
            });
        };
        let known = self.committed.upto();
        let common = commit.min(known);
        let agrees = match common == commit {
            true => self.committed.stands(common, chain, &self.matching),
            false => self.chain_in(core, common) == self.committed_at(common),
        };
        if !agrees {
            return violation("raft.state-machine-safety", &[node], || {
                format!("{node:?} commits other entries up to {common} than were committed before")
            });
        }
        seen.commit = commit;
        if commit <= known {
            return Ok(0..0);
        }
        self.check_first_commit(node, core, held, (commit, chain))?;
        for index in known + 1..=commit {
            let chain = core.log().chain_at(index).expect("in the log");
            self.committed.chains.push(chain, &self.matching);
        }
        self.committed.mark(core.term());
        self.commit_configuration(node)?;
        if seen.agreed == known {
            seen.agreed = commit;
        }
        Ok(known + 1..commit + 1)
    }

    /// Nobody has committed this before: a quorum holds it durably, and a leader counted an entry
    /// of its own term.
    #[inline]
    fn check_first_commit<M: StateMachine>(
        &mut self,
        node: NodeId,
        core: &Core<M>,
        held: Option<u64>,
        (commit, chain): (u64, u64),
    ) -> Verdict {
        let holds = |durable: &Durable| durable.chains.at(commit, &self.matching) == Some(chain);
        let copies: Servers = self.durable.iter().map(holds).collect();
        // A leader that has committed a joint configuration appends the one after it in the same turn: that one had no say.
        let upto = held.filter(|_| core.is_leader()).map_or(core.log().last_index(), |held| held.max(commit));
        let configuration = self.in_force_at(core, upto);
        if !self.configurations.is_quorum(&configuration, Decision::Replication, copies) {
            return violation("raft.commit-quorum", &[node], || {
                format!(
                    "{node:?} commits index {commit} with durable copies on {copies:?}, no quorum of {configuration:?}"
                )
            });
        }
        let entry_term = core.log().term_at(commit).expect("in the log");
        if core.is_leader() && entry_term != core.term() {
            return violation("raft.commit-current-term", &[node], || {
                format!(
                    "leader {node:?} of term {} commits index {commit} of term {entry_term} by counting copies",
                    core.term()
                )
            });
        }
        Ok(())
    }

    /// What the touched server has applied: only what is committed, in order, with the same result.
    #[inline]
    pub(super) fn check_applied<M: StateMachine>(&mut self, seen: &mut Seen, node: NodeId, core: &Core<M>) -> Verdict {
        let (before, applied) = (seen.applied, core.applied());
        if applied == before {
            return Ok(());
        }
        if applied < before || applied > core.commit() {
            return violation("raft.applied-monotonic", &[node], || {
                format!("{node:?} had applied up to {before}, now {applied}; committed is {}", core.commit())
            });
        }
        check_compacted(node, core, before)?;
        if self.states.differs(applied, core.machine().fingerprint()) {
            return violation("raft.state-machine-safety", &[node], || {
                format!("{node:?} has another state after applying index {applied} than another server had")
            });
        }
        seen.applied = applied;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CoreOracle, Record};
    use super::*;
    use crate::kernel::rng::{Dice, Purpose};
    use crate::kernel::time::{Span, Time};
    use crate::protocol::{Effects, Found, Io};
    use crate::protocols::raft::config::{Config, Reads};
    use crate::protocols::raft::membership::Quorums;
    use crate::protocols::raft::node::{Machine, Store};
    use crate::protocols::raft::rules::Rules;

    /// A server in this term, whose log has entries of these terms.
    fn server(term: u64, entries: &[u64]) -> Core<Machine> {
        let config = Config {
            servers: 3,
            election_timeout_min: Span::ms(150),
            election_timeout_max: Span::ms(300),
            heartbeat: Span::ms(50),
            pre_vote: true,
            check_quorum: true,
            append_max: 64,
            append_bytes: None,
            inflight_max: 256,
            spares: 0,
            compaction: None,
            always_joint: false,
            reads: Reads::Log,
            quorums: Quorums::Majority,
            rules: Rules::SOUND,
        };
        let mut records = vec![Record::Term { term, vote: None }];
        records.extend(entries.iter().map(|term| Record::Entry(Entry::new(*term, None))));
        let (mut dice, mut effects) = (Dice::new(1, Purpose::Node, 0), Effects::new());
        let mut io = Io::<Store>::new(NodeId::new(0), Time::ZERO, Time::ZERO, &mut dice, &mut effects);
        let machine = Machine::new(Default::default(), None, &config.rules);
        Core::boot(config, machine, Found { records: &records, damage: None }, &mut io)
    }

    /// What the oracle says if a server replaces an entry of term 2, committed in term 4, while it
    /// is in `term` itself.
    fn removed_in(term: u64) -> Result<u64, String> {
        let (node, before) = (NodeId::new(0), server(2, &[1, 2]));
        let CoreOracle { mut servers, mut common, .. } = CoreOracle::of(3);
        let seen = &mut servers[0];
        common.check_log(seen, node, &before).expect("a log that grows");
        for (index, term) in [(1, 1), (2, 4)] {
            let chain = before.log().chain_at(index).expect("in the log");
            common.committed.chains.push(chain, &common.matching);
            common.committed.mark(term);
        }
        seen.agreed = 2;
        let verdict = common.check_log(seen, node, &server(term, &[1, 3]));
        verdict.map(|()| seen.agreed).map_err(|found| found.invariant.into_owned())
    }

    #[test]
    fn a_server_may_lose_to_an_old_leader_what_a_later_one_has_committed() {
        assert_eq!(removed_in(3), Ok(1));
        assert_eq!(removed_in(4), Err("raft.committed-kept".to_owned()));
    }
}
