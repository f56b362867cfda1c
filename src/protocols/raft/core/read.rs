//! Reads that spare the log (thesis, section 6.4).
//!
//! A leader says up to which entry a read must have seen, once it is sure that it still leads; whoever has applied so much
//! may answer. It is sure when a quorum answers a round of messages that began after the read came, or while its
//! lease lasts.

use super::{Core, Decision, Embeds, Leadership, Role, Servers, StateMachine};
use crate::kernel::time::Time;
use crate::protocol::{Io, NodeId};
use crate::protocols::raft::config::Reads;
use crate::protocols::raft::message::Message;

/// A read that waits for a round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    round: u64,
    /// What was committed when it came.
    index: u64,
    /// The server that will answer, and its number for the read.
    reader: NodeId,
    token: u64,
}

impl<M: StateMachine> Core<M> {
    /// Prepares a read, which this server may answer when [`Core::next_read`] names its token. Answers whether it leads, or knows
    /// who does, and so may be lucky; it may as well never hear of the read again.
    pub fn prepare_read<P: Embeds<M>>(&mut self, token: u64, io: &mut Io<'_, P>) -> bool {
        match self.leader() {
            Some(leader) if leader == self.me => self.admit_read(leader, token, io),
            Some(leader) => {
                io.send(leader, Message::ReadIndex { term: self.term, token }.into());
                true
            }
            None => false,
        }
    }

    /// Whether reads wait for this server to apply more, or to answer them.
    #[inline]
    pub fn has_reads(&self) -> bool {
        !self.reads.is_empty()
    }

    /// A read that may be answered now, from the state as it is.
    pub fn next_read(&mut self) -> Option<u64> {
        let place = self.reads.iter().position(|(_, index)| *index <= self.applied)?;
        Some(self.reads.remove(place).0)
    }

    pub(super) fn on_read_index<P: Embeds<M>>(&mut self, from: NodeId, token: u64, io: &mut Io<'_, P>) {
        self.admit_read(from, token, io);
    }

    pub(super) fn on_read_index_reply(&mut self, term: u64, token: u64, index: u64) {
        // What an earlier leader has said about what was committed then is still true.
        if term <= self.term {
            self.reads.push((token, index));
        }
    }

    /// A leader takes in a read. Answers whether it could.
    fn admit_read<P: Embeds<M>>(&mut self, reader: NodeId, token: u64, io: &mut Io<'_, P>) -> bool {
        let (rules, index, is_sure) = (self.config.rules.read, self.commit, self.may_read_by_lease(io.now()));
        let commit_term = self.log.term_at(index).unwrap_or(0);
        let Role::Leader(Leadership { round, round_began, pending, .. }) = &mut self.role else { return false };
        if !(rules.knows_commit)(commit_term, self.term) {
            return false;
        }
        if is_sure || !(rules.needs_round)() {
            self.release(Pending { round: 0, index, reader, token }, io);
            return true;
        }
        let waits_for = (rules.round)(*round, round_began.is_none());
        pending.push(Pending { round: waits_for, index, reader, token });
        if round_began.is_none() {
            self.begin_round(io);
        }
        true
    }

    /// Whether nobody else can have been elected yet since a quorum has confirmed that this server leads; `now` is its own
    /// monotonic clock.
    pub fn may_read_by_lease(&self, now: Time) -> bool {
        let Role::Leader(Leadership { confirmed, has_told, .. }) = &self.role else { return false };
        let (Reads::Lease { drift_ppm }, Some(confirmed)) = (self.config.reads, *confirmed) else { return false };
        let rules = self.config.rules.read;
        now.since(confirmed) < (rules.lease)(self.config.election_timeout_min, drift_ppm)
            && (!has_told || (rules.survives_transfer)())
    }

    /// Whether a leader may count on this server not to vote for another one for a while.
    pub(super) fn has_given_lease(&self) -> bool {
        matches!(self.config.reads, Reads::Lease { .. })
    }

    /// Asks all members whether this server still leads.
    fn begin_round<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) {
        self.count_round(io.now());
        self.others().for_each(|server| self.send_heartbeat(server, io));
        self.confirm_round(io);
    }

    /// The next messages to the members begin a new round, if the latest one is over.
    pub(super) fn count_round(&mut self, now: Time) {
        if let Role::Leader(Leadership { round, round_began: began @ None, .. }) = &mut self.role {
            *round += 1;
            *began = Some(now);
        }
    }

    /// A server has answered a round.
    pub(super) fn on_round<P: Embeds<M>>(&mut self, from: NodeId, answered: u64, io: &mut Io<'_, P>) {
        let Role::Leader(Leadership { progress, round, round_began, .. }) = &mut self.role else { return };
        let known = &mut progress[from.index()].round;
        *known = answered.max(*known);
        if round_began.is_some() && answered == *round {
            self.confirm_round(io);
        }
    }

    /// If a quorum has answered the latest round, the reads that wait for it may be answered. Those that have come since need another.
    pub(super) fn confirm_round<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) {
        let rules = self.config.rules.read;
        let Role::Leader(Leadership { progress, round, round_began: Some(_), .. }) = &self.role else { return };
        let members = self.configuration.members();
        let has_answered = |server: &NodeId| *server == self.me || progress[server.index()].round >= *round;
        let answered: Servers = members.iter().filter(has_answered).collect();
        if !self.has_quorum(Decision::Replication, &[answered], rules.quorum) {
            return;
        }
        let Role::Leader(Leadership { round, round_began, confirmed, pending, .. }) = &mut self.role else { return };
        *confirmed = round_began.take().map(|began| (rules.lease_begins)(began, io.now()));
        let (done, rest) = pending.drain(..).partition(|read| read.round <= *round);
        *pending = rest;
        let needs_another = !pending.is_empty();
        let done: Vec<Pending> = done;
        done.into_iter().for_each(|read| self.release(read, io));
        if needs_another {
            self.begin_round(io);
        }
    }

    /// Whoever asked may answer when it has applied what was committed then.
    fn release<P: Embeds<M>>(&mut self, read: Pending, io: &mut Io<'_, P>) {
        let Pending { index, reader, token, .. } = read;
        if reader == self.me {
            self.reads.push((token, index));
        } else {
            io.send(reader, Message::ReadIndexReply { term: self.term, token, index }.into());
        }
    }
}
