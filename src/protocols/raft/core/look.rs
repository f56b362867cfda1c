//! What can be seen of a server from outside.

use super::{Core, Role, StateMachine};
use crate::kernel::time::{Span, Time};
use crate::protocol::NodeId;
use crate::protocols::raft::config::Config;
use crate::protocols::raft::log::Log;
use crate::protocols::raft::membership::{Configuration, Wish};
use crate::protocols::raft::rules::Timepiece;
use crate::protocols::raft::snapshot::Snapshot;

impl<M: StateMachine> Core<M> {
    /// Whether this server leads its term.
    #[inline]
    pub fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// Whether this server asks for pre-votes.
    #[inline]
    pub fn asks_for_pre_votes(&self) -> bool {
        matches!(self.role, Role::PreCandidate { .. })
    }

    /// How long ago it has heard a leader, at this time by its monotonic clock, if it has since it took part in an election. Nothing, if
    /// it goes by a clock that can be set.
    pub fn silence(&self, now: Time) -> Option<Span> {
        let goes_by_it = (self.config.rules.times_silence_by)() == Timepiece::Monotonic;
        self.leader_heard.filter(|_| goes_by_it).map(|heard| now.since(heard))
    }

    /// Whether this server takes no part.
    #[inline]
    pub fn is_outcast(&self) -> bool {
        matches!(self.role, Role::Outcast)
    }

    /// Paper: currentTerm.
    #[inline]
    pub fn term(&self) -> u64 {
        self.term
    }

    /// Paper: votedFor.
    #[inline]
    pub fn vote(&self) -> Option<NodeId> {
        self.vote
    }

    /// Paper: log.
    #[inline]
    pub fn log(&self) -> &Log<M::Command> {
        &self.log
    }

    /// Paper: commitIndex.
    #[inline]
    pub fn commit(&self) -> u64 {
        self.commit
    }

    /// Paper: lastApplied.
    #[inline]
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// Who belongs to the cluster, as far as this server knows.
    #[inline]
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// What this server was ordered to ask for, and does not have yet.
    #[inline]
    pub fn wish(&self) -> Option<Wish> {
        self.wish
    }

    /// The latest snapshot, if there is one.
    #[inline]
    pub fn snapshot(&self) -> Option<&Snapshot<M>> {
        self.snapshot.as_deref()
    }

    /// The replicated state.
    #[inline]
    pub fn machine(&self) -> &M {
        &self.machine
    }

    /// The same, to change in it what is not replicated, such as what a leader alone knows.
    #[inline]
    pub fn machine_mut(&mut self) -> &mut M {
        &mut self.machine
    }

    /// What this server is at the moment.
    #[inline]
    pub fn role(&self) -> &Role<M> {
        &self.role
    }

    /// The leader of the current term, as far as this server knows.
    #[inline]
    pub fn leader(&self) -> Option<NodeId> {
        if self.is_leader() { Some(self.me) } else { self.leader }
    }

    /// How this server was configured.
    #[inline]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What this server is, for a reader.
    pub fn standing(&self) -> String {
        let role = match &self.role {
            Role::Follower => self.leader.map_or("follows nobody".to_owned(), |leader| format!("follows {leader:?}")),
            Role::PreCandidate { .. } => "asks for pre-votes".to_owned(),
            Role::Candidate { .. } => "campaigns".to_owned(),
            Role::Leader(_) => "leads".to_owned(),
            Role::Outcast => return "has lost its disk".to_owned(),
        };
        format!("{role} in term {} with log {} committed {}", self.term, self.log.last_index(), self.commit)
    }

    /// The same, and for whom it has voted.
    pub fn standing_and_vote(&self) -> String {
        let vote = self.vote.filter(|_| !self.is_outcast());
        self.standing() + &vote.map_or(String::new(), |vote| format!(", voted for {vote:?}"))
    }
}
