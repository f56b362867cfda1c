//! Elections: pre-votes, votes, and when a leader gives up.

use super::{Alarm, Core, Decision, Embeds, Leadership, Progress, Role, Servers, StateMachine};
use crate::protocol::{Io, NodeId};
use crate::protocols::raft::log::{Entry, Position};
use crate::protocols::raft::message::{Campaign, Message};
use crate::protocols::raft::rules::Occasion;
use crate::protocols::raft::snapshot::Staging;

impl<M: StateMachine> Core<M> {
    /// No leader was heard for an election timeout.
    pub(super) fn campaign<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) {
        self.leader = None;
        if !(self.config.rules.change.may_campaign)(self.configuration.may_vote(self.me), self.voted_before()) {
            self.role = Role::Follower;
            return self.repeat_wish(io);
        }
        self.ask_everybody(io);
        let again = matches!(self.role, Role::Candidate { .. });
        if self.config.pre_vote && (self.config.rules.asks_first)(again) {
            self.ask_for_pre_votes(io);
        } else {
            self.ask_for_votes(Campaign::Election, io);
        }
    }

    /// Asks whether a campaign in the next term could succeed. Changes neither term nor vote, so a
    /// server that nobody hears cannot raise the term of the others when it comes back.
    pub(super) fn ask_for_pre_votes<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) {
        self.arm_election(io);
        self.vote = (self.config.rules.vote_in_pre_candidacy)(self.vote);
        self.role = Role::PreCandidate { votes: vec![self.me] };
        let (term, last) = (self.term + 1, self.log_ends());
        for server in self.voters() {
            io.send(server, Message::RequestVote { term, last, campaign: Campaign::PreVote }.into());
        }
        self.count_pre_votes(io);
    }

    /// Raises the term, votes for itself and asks the others (paper, section 5.2).
    pub(super) fn ask_for_votes<P: Embeds<M>>(&mut self, campaign: Campaign, io: &mut Io<'_, P>) {
        self.arm_election(io);
        self.term += 1;
        self.vote = Some(self.me);
        self.leader_heard = None;
        self.role = Role::Candidate { votes: Vec::new(), campaign };
        self.write_term(io);
        // The candidate's own vote is a vote like any other: it counts when it is durable.
        self.wait_for_vote(io);
        let (term, last) = (self.term, self.log_ends());
        io.send(self.me, Message::RequestVoteReply { term, granted: true, pre_vote: false }.into());
        for server in self.voters() {
            io.send(server, Message::RequestVote { term, last, campaign }.into());
        }
    }

    /// Where this server says that its log ends.
    fn log_ends(&self) -> Position {
        let pending = self.staging.as_ref().map(Staging::last);
        (self.config.rules.compact.campaigns_from)(self.log.last(), pending)
    }

    /// The others that vote.
    fn voters(&self) -> impl Iterator<Item = NodeId> + use<M> {
        (self.configuration.voters | self.configuration.outgoing).without(self.me).iter()
    }

    fn wait_for_vote<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) {
        if (self.config.rules.vote_waits_for_disk)() {
            io.sync();
        }
    }

    /// Somebody asks whether this server would vote for it in `term`.
    pub(super) fn on_pre_vote<P: Embeds<M>>(&mut self, from: NodeId, term: u64, last: Position, io: &mut Io<'_, P>) {
        let welcome = term > self.term && !self.believes_in_leader(self.time_of_silence(io));
        let granted = welcome && (self.config.rules.is_up_to_date)(last, self.log.last());
        // A refusal carries our own term: who is behind must learn it, or it would ask for ever.
        let term = if granted { term } else { self.term };
        self.on_occasion(Occasion::PreVoteAnswered, io);
        self.wait_for_vote(io);
        io.send(from, Message::RequestVoteReply { term, granted, pre_vote: true }.into());
    }

    /// A candidate asks for the vote. Its term has been adopted, if it was higher.
    pub(super) fn on_request_vote<P: Embeds<M>>(
        &mut self,
        from: NodeId,
        term: u64,
        last: Position,
        campaign: Campaign,
        io: &mut Io<'_, P>,
    ) {
        // It may have learned the candidate's term from somebody else, and an earlier leader's lease counts on it as before.
        let is_bound = self.has_given_lease() && self.ignores_candidate(campaign, self.time_of_silence(io));
        let free = self.vote.map_or(!is_bound, |vote| vote == from);
        let up_to_date = (self.config.rules.is_up_to_date)(last, self.log.last());
        let granted = term == self.term && free && up_to_date;
        if granted && self.vote.is_none() {
            self.vote = Some(from);
            self.write_term(io);
        }
        self.on_occasion(if granted { Occasion::VoteGranted } else { Occasion::VoteRefused }, io);
        // A vote in memory is not yet a promise: if we answered first and lost power, we could vote
        // twice in this term (paper, section 5.2 and figure 2).
        self.wait_for_vote(io);
        io.send(from, Message::RequestVoteReply { term: self.term, granted, pre_vote: false }.into());
    }

    /// Somebody has granted a vote or a pre-vote.
    pub(super) fn on_vote<P: Embeds<M>>(&mut self, from: NodeId, term: u64, pre_vote: bool, io: &mut Io<'_, P>) {
        let rules = self.config.rules;
        match &mut self.role {
            Role::PreCandidate { votes } if pre_vote && term == self.term + 1 => {
                (rules.count_vote)(votes, from);
                self.count_pre_votes(io);
            }
            Role::Candidate { votes, .. } if !pre_vote && (rules.vote_is_current)(term, self.term) => {
                (rules.count_vote)(votes, from);
                if self.is_elected() {
                    self.become_leader(io);
                }
            }
            // Late, or a vote for what we no longer want to be.
            Role::Follower | Role::PreCandidate { .. } | Role::Candidate { .. } | Role::Leader(_) | Role::Outcast => {}
        }
    }

    fn count_pre_votes<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) {
        if self.is_elected() {
            self.ask_for_votes(Campaign::Election, io);
        }
    }

    /// Whether those who have granted are enough.
    fn is_elected(&self) -> bool {
        let (Role::PreCandidate { votes } | Role::Candidate { votes, .. }) = &self.role else { return false };
        let votes: Vec<Servers> = votes.iter().map(|voter| Servers::one(*voter)).collect();
        self.has_quorum(Decision::Election, &votes, self.config.rules.election_quorum)
    }

    fn become_leader<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) {
        self.staging = None;
        self.role = Role::Leader(Leadership {
            progress: vec![Progress::unknown(self.log.last_index()); usize::from(self.config.all())],
            heard: Servers::one(self.me),
            answering: Servers::one(self.me),
            sending: Vec::new(),
            transfer: None,
            has_told: false,
            round: 0,
            round_began: None,
            confirmed: None,
            pending: Vec::new(),
        });
        io.arm(Alarm::Election.into(), self.config.election_timeout_max);
        io.arm(Alarm::Heartbeat.into(), self.config.heartbeat);
        // Entries of earlier terms are committed only together with one of this term: the no-op is
        // there at once, not whenever a client comes (paper, section 8).
        self.lead_on(Entry::new(self.term, None), io);
    }

    /// A leader that no quorum answers may have been replaced without knowing. It stops leading, so
    /// that its clients look elsewhere (thesis, section 6.2).
    pub(super) fn check_quorum<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) {
        self.give_up_transfer(io.now());
        let Role::Leader(Leadership { heard, answering, progress, .. }) = &mut self.role else {
            unreachable!("only a leader checks its quorum");
        };
        let rules = self.config.rules;
        let answered = std::mem::take(heard);
        *answering = answered;
        if (rules.answers_itself)(progress[self.me.index()].match_index, self.log.last_index()) {
            *heard = heard.with(self.me);
        }
        let quorum_has_answered = self.has_quorum(Decision::Replication, &[answered], rules.commit_quorum);
        if self.config.check_quorum && !(rules.may_lead_on)(quorum_has_answered) {
            self.become_follower(self.term, io);
        } else {
            io.arm(Alarm::Election.into(), self.config.election_timeout_max);
        }
    }
}
