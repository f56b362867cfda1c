//! Elections: pre-votes, votes, and when a leader gives up.

use super::{Alarm, Core, Embeds, Flow, Leadership, Progress, Role, StateMachine};
use crate::protocol::{Io, NodeId};
use crate::protocols::raft::log::{Entry, Position};
use crate::protocols::raft::message::Message;
use crate::protocols::raft::rules::Occasion;

impl<M: StateMachine> Core<M> {
    /// No leader was heard for an election timeout.
    pub(super) fn campaign<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) {
        self.leader = None;
        if self.config.pre_vote { self.ask_for_pre_votes(io) } else { self.ask_for_votes(io) }
    }

    /// Asks whether a campaign in the next term could succeed. Changes neither term nor vote, so a
    /// server that nobody hears cannot raise the term of the others when it comes back.
    fn ask_for_pre_votes<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) {
        self.arm_election(io);
        self.vote = (self.config.rules.vote_in_pre_candidacy)(self.vote);
        self.role = Role::PreCandidate { votes: vec![self.me] };
        let (term, last) = (self.term + 1, self.log.last());
        for server in self.others() {
            io.send(server, Message::RequestVote { term, last, pre_vote: true }.into());
        }
        self.count_pre_votes(io);
    }

    /// Raises the term, votes for itself and asks the others (paper, section 5.2).
    fn ask_for_votes<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) {
        self.arm_election(io);
        self.term += 1;
        self.vote = Some(self.me);
        self.leader_heard = None;
        self.role = Role::Candidate { votes: Vec::new() };
        self.write_term(io);
        // The candidate's own vote is a vote like any other: it counts when it is durable.
        self.wait_for_vote(io);
        let (term, last) = (self.term, self.log.last());
        io.send(self.me, Message::RequestVoteReply { term, granted: true, pre_vote: false }.into());
        for server in self.others() {
            io.send(server, Message::RequestVote { term, last, pre_vote: false }.into());
        }
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
        io: &mut Io<'_, P>,
    ) {
        let free = self.vote.is_none_or(|vote| vote == from);
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
            Role::Candidate { votes } if !pre_vote && (rules.vote_is_current)(term, self.term) => {
                (rules.count_vote)(votes, from);
                if votes.len() >= (rules.election_quorum)(self.config.servers as usize) {
                    self.become_leader(io);
                }
            }
            // Late, or a vote for what we no longer want to be.
            Role::Follower | Role::PreCandidate { .. } | Role::Candidate { .. } | Role::Leader(_) | Role::Outcast => {}
        }
    }

    fn count_pre_votes<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) {
        let Role::PreCandidate { votes } = &self.role else { unreachable!("only a pre-candidate counts pre-votes") };
        if votes.len() >= (self.config.rules.election_quorum)(self.config.servers as usize) {
            self.ask_for_votes(io);
        }
    }

    fn become_leader<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) {
        let fresh = Progress { match_index: 0, next_index: self.log.last_index() + 1, flow: Flow::Probe(None) };
        let progress = vec![fresh; self.config.servers as usize];
        self.role = Role::Leader(Leadership { progress, heard: vec![self.me], asked: None, confirmed: None });
        io.arm(Alarm::Election.into(), self.config.election_timeout_max);
        io.arm(Alarm::Heartbeat.into(), self.config.heartbeat);
        // Entries of earlier terms are committed only together with one of this term: the no-op is
        // there at once, not whenever a client comes (paper, section 8).
        self.lead_on(Entry::new(self.term, None), io);
    }

    /// A leader that no quorum answers may have been replaced without knowing. It stops leading, so
    /// that its clients look elsewhere (thesis, section 6.2).
    pub(super) fn check_quorum<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) {
        let Role::Leader(Leadership { heard, progress, .. }) = &mut self.role else {
            unreachable!("only a leader checks its quorum");
        };
        let rules = self.config.rules;
        let answered = heard.len();
        heard.clear();
        if (rules.answers_itself)(progress[self.me.index()].match_index, self.log.last_index()) {
            heard.push(self.me);
        }
        let may_lead_on = (rules.may_lead_on)(answered, (rules.election_quorum)(self.config.servers as usize));
        if self.config.check_quorum && !may_lead_on {
            self.become_follower(self.term, io);
        } else {
            io.arm(Alarm::Election.into(), self.config.election_timeout_max);
        }
    }
}
