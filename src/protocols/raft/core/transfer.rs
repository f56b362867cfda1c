//! Handing over the lead (thesis, section 3.10).

use super::{Core, Embeds, Leadership, Role, StateMachine};
use crate::kernel::time::Time;
use crate::protocol::{Io, NodeId};
use crate::protocols::raft::message::{Campaign, Message, Request};

/// A leader that hands over takes no commands until somebody else leads, or the time for it is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer {
    to: NodeId,
    began: Time,
    /// The other one has been told to campaign.
    told: bool,
}

impl<M: StateMachine> Core<M> {
    /// Asks the leader to let this server lead. Answers whether there is one to ask.
    pub(super) fn ask_to_lead<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) -> bool {
        let Some(leader) = self.leader.filter(|_| !self.is_leader() && self.configuration.voters.has(self.me)) else {
            return false;
        };
        io.send(leader, Message::Ask { term: self.term, request: Request::Lead }.into());
        true
    }

    /// A server asks the leader of `term` to let it lead.
    pub(super) fn on_ask_to_lead<P: Embeds<M>>(&mut self, who: NodeId, term: u64, io: &mut Io<'_, P>) {
        if !(self.config.rules.change.heeds)(term, self.term) || !self.configuration.voters.has(who) || who == self.me {
            return;
        }
        if let Role::Leader(Leadership { transfer, .. }) = &mut self.role {
            *transfer = Some(Transfer { to: who, began: io.now(), told: false });
            self.hand_over(io);
        }
    }

    /// Tells whom the lead is handed to that it may campaign, as soon as it has all entries.
    pub(super) fn hand_over<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) {
        let Role::Leader(Leadership { transfer, progress, has_told, .. }) = &mut self.role else { return };
        let Some(Transfer { to, told: told @ false, .. }) = transfer else { return };
        let match_index = progress[to.index()].match_index;
        if (self.config.rules.change.is_ready_to_lead)(match_index, self.log.last_index()) {
            (*told, *has_told) = (true, true);
            io.send(*to, Message::TimeoutNow { term: self.term }.into());
        }
    }

    /// The leader lets this server lead: it campaigns at once, and without asking first.
    pub(super) fn on_timeout_now<P: Embeds<M>>(&mut self, term: u64, io: &mut Io<'_, P>) {
        if (self.config.rules.change.is_told)(term, self.term)
            && matches!(self.role, Role::Follower)
            && self.configuration.may_vote(self.me)
        {
            self.leader = None;
            match (self.config.rules.change.told_asks_first)(self.config.pre_vote) {
                true => self.ask_for_pre_votes(io),
                false => self.ask_for_votes(Campaign::Transfer, io),
            }
        }
    }

    /// Whom this server hands the lead to, whether it has told that one so or waits until it may.
    pub fn hands_to(&self) -> Option<NodeId> {
        match &self.role {
            Role::Leader(Leadership { transfer, .. }) => transfer.map(|transfer| transfer.to),
            Role::Follower | Role::PreCandidate { .. } | Role::Candidate { .. } | Role::Outcast => None,
        }
    }

    /// Whom this server has told to campaign, and in which term it leads.
    pub fn handed_to(&self) -> Option<(u64, NodeId)> {
        match &self.role {
            Role::Leader(Leadership { transfer: Some(Transfer { to, told: true, .. }), .. }) => Some((self.term, *to)),
            Role::Leader(_) | Role::Follower | Role::PreCandidate { .. } | Role::Candidate { .. } | Role::Outcast => {
                None
            }
        }
    }

    /// Nobody has taken the lead within an election timeout: it was not to be, and the leader goes on.
    pub(super) fn give_up_transfer(&mut self, now: Time) {
        let patience = self.config.election_timeout_max;
        let gives_up = self.config.rules.change.gives_up_transfer;
        let may_campaign = self.config.rules.read.told_may_campaign;
        if let Role::Leader(Leadership { transfer, has_told, .. }) = &mut self.role
            && transfer.take_if(|transfer| gives_up(now.since(transfer.began), patience)).is_some()
        {
            *has_told &= may_campaign();
        }
    }

    /// Whether commands are refused because the lead is being handed over.
    pub(super) fn is_handing_over(&self) -> bool {
        matches!(&self.role, Role::Leader(Leadership { transfer: Some(_), .. }))
            && !(self.config.rules.change.takes_commands_in_transfer)()
    }
}
