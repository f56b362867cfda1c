//! Who belongs to the cluster (thesis, chapter 4).
//!
//! A server uses the latest configuration in its log. Who wants to come or go is ordered so by an operator, and asks its leader
//! again and again; it becomes a learner first, and a voter when it has nearly all of the log.

use super::{Core, Embeds, Leadership, Progress, Role, StateMachine};
use crate::protocol::{Io, NodeId, Order};
use crate::protocols::raft::log::Entry;
use crate::protocols::raft::membership::{Configuration, Servers, Wish};
use crate::protocols::raft::message::{Message, Request};
use crate::protocols::raft::rules::ChangeRules;

/// A configuration, and where it stands in the log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) index: u64,
    pub(super) term: u64,
    pub(super) configuration: Configuration,
}

impl<M: StateMachine> Core<M> {
    /// Handles an order of an operator. Answers whether it means something to this server now.
    pub fn on_order<P: Embeds<M>>(&mut self, order: Order, io: &mut Io<'_, P>) -> bool {
        // Who was ordered to leave may have left: it hears no more of it, and asks until it hears of something newer.
        let may_join = !self.configuration.voters.has(self.me) || self.wish == Some(Wish::Leave);
        let wish = match order {
            Order::Join if may_join => Wish::Join,
            Order::Leave if self.configuration.members().has(self.me) => Wish::Leave,
            Order::Replace(server) if may_join => Wish::Replace(server),
            Order::TransferLeadership => return self.ask_to_lead(io),
            Order::Join
            | Order::Leave
            | Order::Replace(_)
            | Order::Reweigh(_)
            | Order::Rezone(_)
            | Order::Rebalance => return false,
        };
        if self.is_outcast() {
            return false;
        }
        (self.wish, self.wished_at) = (Some(wish), self.latest_change().index);
        self.repeat_wish(io);
        true
    }

    /// Asks for what this server was ordered to ask for: the leader, or, while it knows none, everybody.
    pub(super) fn repeat_wish<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) {
        let Some(wish) = self.wish else { return };
        match self.leader() {
            Some(leader) if leader == self.me => self.on_ask_to_change(leader, wish, io),
            Some(leader) => self.ask_to_change(leader, wish, io),
            None => {
                self.ask_everybody(io);
                self.arm_election(io);
            }
        }
    }

    /// Asks all servers, for anyone may lead. Also who may campaign does: it votes by what it knows, and may not belong to the
    /// cluster any more; then nobody votes for it, and it hears of no leader.
    pub(super) fn ask_everybody<P: Embeds<M>>(&self, io: &mut Io<'_, P>) {
        if let Some(wish) = self.wish {
            let all = Servers::first(self.config.all()).without(self.me);
            all.iter().for_each(|server| self.ask_to_change(server, wish, io));
        }
    }

    fn ask_to_change<P: Embeds<M>>(&self, whom: NodeId, wish: Wish, io: &mut Io<'_, P>) {
        io.send(whom, Message::Ask { term: self.term, request: Request::Change(wish) }.into());
    }

    /// A server asks to come or to go. It will ask again, so nothing is lost if that is not possible now.
    pub(super) fn on_ask_to_change<P: Embeds<M>>(&mut self, who: NodeId, wish: Wish, io: &mut Io<'_, P>) {
        let Role::Leader(leadership) = &self.role else { return };
        let rules = self.config.rules.change;
        let commit_term = self.log.term_at(self.commit).unwrap_or(0);
        if !(rules.has_committed_in_term)(commit_term, self.term)
            || !(rules.is_settled)(self.latest_change().index, self.commit)
            || self.configuration.is_joint()
            || (leadership.transfer.is_some() && !(rules.changes_in_transfer)())
        {
            return;
        }
        let Configuration { voters, learners, .. } = self.configuration;
        let learns = learners.has(who);
        let match_index = leadership.progress[who.index()].match_index;
        let may_vote = learns && (rules.has_caught_up)(match_index, self.commit, self.config.append_max as u64);
        let (voters, learners) = match wish {
            Wish::Join | Wish::Replace(_) if !learns && !voters.has(who) => (voters, learners.with(who)),
            Wish::Join if may_vote => (voters.with(who), learners.without(who)),
            Wish::Replace(old) if may_vote => {
                ((rules.makes_way)(voters.with(who), old), learners.without(who).without(old))
            }
            Wish::Leave if self.configuration.members().has(who) && voters != Servers::one(who) => {
                (voters.without(who), learners.without(who))
            }
            Wish::Join | Wish::Replace(_) | Wish::Leave => return,
        };
        let next = self.configuration.towards(voters, learners, self.config.always_joint);
        self.lead_on(Entry::change(self.term, next), io);
    }

    /// The latest configuration, and where it stands.
    pub(super) fn latest_change(&self) -> Change {
        *self.changes.last().unwrap_or_else(|| unreachable!("there is always a first configuration"))
    }

    /// Whether this server votes by the configuration before the latest one, which may come to nothing yet.
    pub(super) fn voted_before(&self) -> bool {
        match self.changes.as_slice() {
            [.., before, latest] => latest.index > self.commit && before.configuration.may_vote(self.me),
            _ => false,
        }
    }

    /// The log has changed, or what is committed: so may have who belongs to the cluster. A leader forgets what it knows of
    /// those who have come or gone.
    pub(super) fn reconfigure(&mut self) {
        let upto = (self.config.rules.change.counts_up_to)(self.log.last_index(), self.commit);
        let counts = self.changes.iter().rev().find(|change| change.index <= upto);
        let Some(Change { configuration, .. }) = counts.copied() else { return };
        let before = std::mem::replace(&mut self.configuration, configuration).members();
        let (before, now) = (self.answering(before), self.answering(configuration.members()));
        if let Role::Leader(Leadership { progress, sending, .. }) = &mut self.role {
            for server in ((before | now) - (before & now)).iter() {
                progress[server.index()] = Progress::unknown(self.log.last_index());
            }
            sending.retain(|(server, _)| now.has(*server));
        }
    }

    /// Everything of a message is in the log, and more may be committed: then it may have got what it was ordered to ask for. In
    /// between, when some entries are gone and others are not there yet, it could take what is long over for that.
    pub(super) fn settle_wish(&mut self) {
        let (latest, configuration) = (self.latest_change().index, self.configuration);
        let ChangeRules { has_joined, is_final, .. } = self.config.rules.change;
        // Who was ordered to come may know of an earlier time when it was there.
        let (is_final, is_newer) = (is_final(latest, self.commit), latest > self.wished_at);
        self.wish.take_if(|wish| match wish {
            Wish::Join | Wish::Replace(_) => is_final && is_newer && has_joined(&configuration, self.me),
            Wish::Leave => is_final && !configuration.members().has(self.me),
        });
    }

    /// More is committed than before: a leader ends a joint configuration, and leaves if it does not belong to the cluster any
    /// more.
    pub(super) fn settle_change<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) {
        let rules = self.config.rules.change;
        if self.changes.len() == 1 && !self.configuration.is_joint() && self.configuration.voters.has(self.me) {
            return;
        }
        let latest = self.latest_change();
        let committed = self.changes.iter().rfind(|change| change.index <= self.commit).copied().unwrap_or(latest);
        if !self.is_leader() {
            return;
        }
        if (rules.ends_joint)(&committed.configuration, &latest.configuration) {
            if (rules.leaves_joint)(committed.term == self.term) {
                self.lead_on(Entry::change(self.term, committed.configuration.left()), io);
            }
        } else if latest.index <= self.commit
            && !self.configuration.voters.has(self.me)
            && (rules.steps_down_when_removed)()
        {
            self.become_follower(self.term, io);
        }
    }
}
