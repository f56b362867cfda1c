//! Who may lead: Election Safety, quorums of durable votes, Leader Completeness.

use super::silence::overstayed;
use super::{Common, Goal, Replicated, Seen, violation};
use crate::oracle::spec::{Verdict, View};
use crate::protocol::NodeId;
use crate::protocols::raft::core::{Core, Progress, Role, StateMachine};
use crate::protocols::raft::membership::{Decision, Servers};
use crate::protocols::raft::message::Campaign;
use std::collections::BTreeMap;

/// Of so many terms is known whom their leaders have told to campaign. Who obeys after more terms is not judged.
pub(super) const TOLD: usize = 64;

/// All elections so far.
#[derive(Clone, Debug)]
pub(super) struct Elections {
    leaders: BTreeMap<u64, NodeId>,
    /// The last of these.
    pub(super) latest: (u64, NodeId),
    /// Durable votes by term: (voter, candidate).
    ballots: BTreeMap<u64, Vec<(NodeId, NodeId)>>,
}

impl Default for Elections {
    fn default() -> Elections {
        Elections { leaders: BTreeMap::new(), latest: (0, NodeId::new(0)), ballots: BTreeMap::new() }
    }
}

impl Elections {
    /// A vote has become durable.
    pub(super) fn note_ballot(&mut self, term: u64, voter: NodeId, candidate: NodeId) -> Verdict {
        let ballots = self.ballots.entry(term).or_default();
        match ballots.iter().find(|ballot| ballot.0 == voter) {
            None => ballots.push((voter, candidate)),
            Some((_, before)) if *before != candidate => {
                return violation("raft.vote-monotonic", &[voter, *before, candidate], || {
                    format!("{voter:?} has durable votes for {before:?} and for {candidate:?} in term {term}")
                });
            }
            Some(_) => {}
        }
        Ok(())
    }

    fn votes_for(&self, term: u64, candidate: NodeId) -> Servers {
        let ballots = self.ballots.get(&term).into_iter().flatten();
        ballots.filter(|ballot| ballot.1 == candidate).map(|ballot| ballot.0).collect()
    }
}

impl Common {
    /// Whether the touched server leads, and by what right; and what it knows as a leader.
    #[inline]
    pub(super) fn check_leadership<P: Replicated>(
        &mut self,
        seen: &mut Seen,
        view: &View<P>,
        node: NodeId,
        core: &Core<P::Machine>,
    ) -> Verdict {
        if let Some(silence) = seen.overstayed.take() {
            return overstayed(node, seen.led, silence);
        }
        let Role::Leader(leadership) = core.role() else {
            if seen.leads {
                seen.leads = false;
                self.leadership_changed = view.now;
                self.reach(Goal::LeaderSteppedDown);
                if seen.term == seen.led && !core.configuration().may_vote(node) {
                    self.reach(Goal::LeaderRemoved);
                }
            }
            return Ok(());
        };
        if !seen.leads || seen.led != core.term() {
            self.check_election(view, node, core)?;
            if seen.is_sent {
                self.reach(Goal::LeadershipTransferred);
            }
            (seen.leads, seen.led) = (true, core.term());
            self.leadership_changed = view.now;
            seen.match_index.fill(0);
        }
        if let Some(told) = core.handed_to()
            && seen.told != Some(told)
        {
            seen.told = Some(told);
            self.note_told(told.0, Servers::one(told.1));
            self.check_transfer(node, told.1, core)?;
            self.orders.check_lead(node, told.1, told.0)?;
        }
        if let Some(to) = core.hands_to()
            && core.handed_to().is_none()
            && leadership.progress[to.index()].match_index == core.log().last_index()
        {
            return violation("raft.transfer-told", &[node, to], || {
                format!(
                    "leader {node:?} hands over to {to:?}, knows that it has all entries, and has not told it to campaign"
                )
            });
        }
        self.check_progress(seen, node, core, &leadership.progress)
    }

    /// The leader of a term has told servers to campaign.
    #[cold]
    pub(super) fn note_told(&mut self, term: u64, servers: Servers) {
        let told = self.told.entry(term).or_default();
        *told = *told | servers;
        if self.told.len() > TOLD {
            self.told.pop_first();
        }
    }

    /// A server has begun to campaign in this term because it was told to.
    #[cold]
    pub(super) fn check_sent(&self, node: NodeId, term: u64) -> Verdict {
        let is_forgotten =
            self.told.len() == TOLD && self.told.first_key_value().is_some_and(|(first, _)| term <= *first);
        if is_forgotten || self.told.get(&(term - 1)).is_some_and(|told| told.has(node)) {
            return Ok(());
        }
        violation("raft.transfer-current", &[node], || {
            format!(
                "{node:?} campaigns in term {term} because it was told to, and no leader of term {} has told it",
                term - 1
            )
        })
    }

    /// A server that has not asked for pre-votes is in a higher term: if it is to ask, it does not campaign in it, unless its own
    /// vote decides.
    #[cold]
    pub(super) fn check_asked<M: StateMachine>(&self, node: NodeId, core: &Core<M>) -> Verdict {
        let campaigns = matches!(core.role(), Role::Candidate { campaign: Campaign::Election, .. });
        let alone = Servers::one(node);
        if !campaigns
            || !core.config().pre_vote
            || self.configurations.is_quorum(core.configuration(), Decision::Election, alone)
        {
            return Ok(());
        }
        violation("raft.pre-vote-first", &[node], || {
            format!(
                "{node:?} campaigns in term {}, and has not asked before whether anybody would vote for it",
                core.term()
            )
        })
    }

    /// A leader has told this server to campaign: it has the leader's whole log, durably.
    #[cold]
    fn check_transfer<M: StateMachine>(&self, node: NodeId, to: NodeId, core: &Core<M>) -> Verdict {
        let (durable, last) = (&self.durable[to.index()], core.log().last_index());
        if durable.term <= core.term() && durable.chains.at(last, &self.matching) != Some(core.log().chain()) {
            return violation("raft.transfer-caught-up", &[node, to], || {
                format!(
                    "leader {node:?} tells {to:?} to campaign, which holds {} entries durably of the {last} of the leader",
                    durable.chains.last()
                )
            });
        }
        Ok(())
    }

    /// A leader knows more than before about others' logs.
    fn check_progress<M: StateMachine>(
        &mut self,
        seen: &mut Seen,
        node: NodeId,
        core: &Core<M>,
        progress: &[Progress],
    ) -> Verdict {
        for server in seen.learned(progress).iter() {
            let (progress, known) = (&progress[server.index()], &mut seen.match_index[server.index()]);
            let now = progress.match_index;
            // Who has come or gone is a server of which nothing is known.
            if now < *known && !core.configuration().members().has(server) {
                *known = now;
            }
            if now > *known {
                let chain = self.chain_in(core, now);
                self.check_acknowledged(node, server, (now, chain), core)?;
                if let Some(chain) = chain {
                    self.acknowledged[server.index()] = (core.term(), now, chain);
                }
            }
            if now < *known || progress.next_index <= now {
                return violation("raft.match-monotonic", &[node, server], || {
                    let next = progress.next_index;
                    format!(
                        "leader {node:?} knew a match with {server:?} up to {known}, now up to {now}, and would send {next} next"
                    )
                });
            }
            *known = now;
        }
        Ok(())
    }

    /// A server is leader of a term for the first time.
    #[cold]
    fn check_election<P: Replicated>(&mut self, view: &View<P>, node: NodeId, core: &Core<P::Machine>) -> Verdict {
        let term = core.term();
        if let Some(other) = self.elections.leaders.get(&term)
            && *other != node
        {
            return violation("raft.election-safety", &[*other, node], || {
                format!("{other:?} and {node:?} both lead in term {term}")
            });
        }
        let (at, configuration) = self.in_force(core);
        if !configuration.may_vote(node) && !self.voted_before(node, core, at) {
            return violation("raft.leader-is-voter", &[node], || {
                format!("{node:?} leads term {term} and has no vote: its log says {configuration:?}")
            });
        }
        let votes = self.elections.votes_for(term, node);
        if !self.configurations.is_quorum(&configuration, Decision::Election, votes) {
            return violation("raft.election-quorum", &[node], || {
                format!(
                    "{node:?} leads term {term} with the durable votes of {votes:?}, no quorum of {configuration:?}"
                )
            });
        }
        self.check_leases(view, node, term)?;
        let needed = self.committed.before_term(term);
        if self.chain_in(core, needed) != self.committed_at(needed) {
            return violation("raft.leader-completeness", &[node], || {
                let last = core.log().last();
                format!(
                    "{node:?} leads term {term} without the entries up to {needed} that were committed before; its log ends at index {} of term {}",
                    last.index, last.term
                )
            });
        }
        if core.log().last().term != term {
            return violation("raft.leader-begins-with-entry", &[node], || {
                format!("{node:?} leads term {term}, and its log ends with an entry of term {}", core.log().last().term)
            });
        }
        if !self.elections.leaders.is_empty() {
            let latest = self.elections.latest.0;
            let skipped = term.saturating_sub(latest + 1);
            self.goals[Goal::ElectionFailed as usize] += skipped;
            self.reach(Goal::LeaderDeposed);
        }
        let stale = |other: NodeId| other != node && view.state(other).and_then(P::core).is_some_and(Core::is_leader);
        if (0..self.durable.len() as u16).any(|other| stale(NodeId::new(other))) {
            self.reach(Goal::StaleLeader);
        }
        self.reach(Goal::LeaderElected);
        self.elections.leaders.insert(term, node);
        self.elections.latest = self.elections.latest.max((term, node));
        Ok(())
    }

    /// No leader of an earlier term still reads by a lease, by its own clock.
    fn check_leases<P: Replicated>(&self, view: &View<P>, node: NodeId, term: u64) -> Verdict {
        let reads = |other: &NodeId| {
            let core = view.state(*other).and_then(P::core);
            let now = view.host(*other).clock.monotonic(view.now);
            core.is_some_and(|core| core.is_leader() && core.term() < term && core.may_read_by_lease(now))
        };
        match (0..self.durable.len() as u16).map(NodeId::new).find(reads) {
            None => Ok(()),
            Some(other) => violation("raft.lease-exclusive", &[other, node], || {
                format!("{node:?} is elected in term {term}, and {other:?} would still answer reads by its lease")
            }),
        }
    }

    /// Something was committed by a leader of an earlier term, which does not know that it is deposed.
    /// The votes for its successor came from servers that had acknowledged it before: the successor
    /// has it, too, whichever came first.
    #[inline]
    pub(super) fn check_successors<P: Replicated>(
        &self,
        view: &View<P>,
        node: NodeId,
        core: &Core<P::Machine>,
    ) -> Verdict {
        let latest = self.elections.latest.0;
        if latest <= core.term() {
            return Ok(());
        }
        let upto = self.committed.upto();
        for (term, leader) in self.elections.leaders.range(core.term() + 1..) {
            let Some(successor) = view.state(*leader).and_then(P::core) else { continue };
            let leads = successor.is_leader() && successor.term() == *term;
            if leads && self.chain_in(successor, upto) != self.committed_at(upto) {
                return violation("raft.leader-completeness", &[*leader, node], || {
                    format!(
                        "{leader:?} leads term {term} without the entries up to {upto}, which {node:?} commits in term {}",
                        core.term()
                    )
                });
            }
        }
        Ok(())
    }

    /// A leader counts a server as holding its log up to `known`, where its chain is this: then that is durable there, unless
    /// the server has moved on to a later term and another leader.
    fn check_acknowledged<M: StateMachine>(
        &self,
        node: NodeId,
        server: NodeId,
        (known, chain): (u64, Option<u64>),
        core: &Core<M>,
    ) -> Verdict {
        let durable = &self.durable[server.index()];
        if durable.term <= core.term() && durable.chains.at(known, &self.matching) != chain {
            return violation("raft.acknowledged-durable", &[node, server], || {
                let upto = durable.chains.last();
                format!(
                    "leader {node:?} of term {} counts {server:?} as holding its log up to {known}; durable there are {upto} entries, not the same up to {known}",
                    core.term()
                )
            });
        }
        Ok(())
    }
}
