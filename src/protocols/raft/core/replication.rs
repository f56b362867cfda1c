//! The log's way from the leader to the others, and when an entry is committed.

use super::{Alarm, Core, Decision, Embeds, Flow, Leadership, Progress, Role, Servers, StateMachine};
use crate::protocol::{Io, NodeId};
use crate::protocols::raft::config::Config;
use crate::protocols::raft::log::{Entry, Position};
use crate::protocols::raft::message::{Message, Outcome, Record};
use crate::protocols::raft::rules::{Occasion, Overlap, Packing, Window};

impl<M: StateMachine> Core<M> {
    /// Takes a command into the log, if this server leads. Answers whether it does; whether the
    /// command will be committed is another question.
    pub fn propose<P: Embeds<M>>(&mut self, command: M::Command, io: &mut Io<'_, P>) -> bool {
        let leads = self.is_leader() && !self.is_handing_over();
        if leads {
            self.lead_on(Entry::new(self.term, Some(command)), io);
        }
        leads
    }

    /// Appends an entry of the leader's own and tells the others.
    pub(super) fn lead_on<P: Embeds<M>>(&mut self, entry: Entry<M::Command>, io: &mut Io<'_, P>) {
        let index = self.append(entry, io);
        self.others().for_each(|server| self.send_news(server, io));
        // The entry may travel before it is on our own disk, but we are a copy of it only then
        // (thesis, section 10.2.1). The disk answers like any other server.
        if (self.config.rules.leader_waits_for_disk)() {
            io.sync();
        }
        let outcome = Outcome::Matched(index);
        io.send(self.me, Message::AppendEntriesReply { term: self.term, outcome, round: 0 }.into());
    }

    pub(super) fn send_heartbeats<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) {
        if self.has_given_lease() {
            self.count_round(io.now());
        }
        self.others().for_each(|server| self.send_heartbeat(server, io));
        // The members may have become fewer since: then those who have answered may be enough now.
        self.confirm_round(io);
        io.arm(Alarm::Heartbeat.into(), self.config.heartbeat);
        if self.wish.is_some() {
            self.repeat_wish(io);
        }
    }

    /// Sends what a server does not have yet, if the flow allows.
    fn send_news<P: Embeds<M>>(&mut self, server: NodeId, io: &mut Io<'_, P>) {
        let Role::Leader(Leadership { progress, .. }) = &self.role else { return };
        let Progress { match_index, next_index, flow, .. } = progress[server.index()];
        let room = match flow {
            Flow::Probe(None) => self.config.inflight_max,
            Flow::Replicate => room(&self.config, match_index, next_index),
            Flow::Probe(Some(_)) | Flow::Snapshot { .. } => 0,
        };
        if room == 0 || next_index > self.log.last_index() {
            return;
        }
        if (self.config.rules.compact.needs_snapshot)(next_index, self.log.base().index) {
            self.begin_snapshot(server, io);
        } else {
            self.send_entries(server, self.config.append_max.min(room), io);
        }
    }

    /// Sends nothing new, but what is committed, and asks whether the server has what was sent. If something
    /// was lost, it refuses, and the leader probes.
    pub(super) fn send_heartbeat<P: Embeds<M>>(&mut self, server: NodeId, io: &mut Io<'_, P>) {
        let Role::Leader(Leadership { progress, .. }) = &mut self.role else {
            unreachable!("only a leader sends heartbeats");
        };
        let Progress { match_index, next_index, flow, .. } = &mut progress[server.index()];
        let window = if room(&self.config, *match_index, *next_index) > 0 { Window::Open } else { Window::Full };
        let index = (self.config.rules.heartbeat_asks_after)(*match_index, *next_index - 1, window);
        match flow {
            Flow::Snapshot { .. } => return self.send_fragment(server, io),
            _ if (self.config.rules.compact.needs_snapshot)(index + 1, self.log.base().index) => {
                return self.begin_snapshot(server, io);
            }
            Flow::Probe(on_its_way) => *on_its_way = Some(index),
            Flow::Replicate => {}
        }
        self.send_append(server, index, Vec::new(), io);
    }

    /// Sends what was not sent to a server yet, at most so many entries. If something before was lost, the
    /// server will refuse them, and the leader probes.
    fn send_entries<P: Embeds<M>>(&mut self, server: NodeId, most: usize, io: &mut Io<'_, P>) {
        let Role::Leader(Leadership { progress, .. }) = &mut self.role else {
            unreachable!("only a leader sends entries");
        };
        let progress = &mut progress[server.index()];
        let before = progress.next_index - 1;
        let mut entries = self.log.entries_from(progress.next_index, most);
        if let Some(room) = self.config.append_bytes {
            pack::<M>(&mut entries, room, self.config.rules.packs);
        }
        let upto = before + entries.len() as u64;
        match &mut progress.flow {
            Flow::Probe(on_its_way) => *on_its_way = Some(upto),
            Flow::Replicate => progress.next_index = upto + 1,
            Flow::Snapshot { .. } => unreachable!("a snapshot comes first"),
        }
        self.send_append(server, before, entries, io);
    }

    #[inline(always)]
    fn send_append<P: Embeds<M>>(
        &self,
        server: NodeId,
        index: u64,
        entries: Vec<Entry<M::Command>>,
        io: &mut Io<'_, P>,
    ) {
        let Role::Leader(Leadership { round, .. }) = &self.role else { return };
        // Of an entry that is compacted away nobody asks, unless a defect is planted.
        let prev = Position { term: self.log.term_at(index).unwrap_or(0), index };
        let (term, commit, round) = (self.term, self.commit, *round);
        io.send(server, Message::AppendEntries { term, prev, commit, entries, round }.into());
    }

    /// The leader of `term` wants entries stored after `prev`.
    #[expect(clippy::too_many_arguments, reason = "they are those of the paper's figure 2")]
    pub(super) fn on_append_entries<P: Embeds<M>>(
        &mut self,
        from: NodeId,
        term: u64,
        mut prev: Position,
        leader_commit: u64,
        mut entries: Vec<Entry<M::Command>>,
        round: u64,
        io: &mut Io<'_, P>,
    ) {
        if !(self.config.rules.append_is_current)(term, self.term) {
            self.on_occasion(Occasion::StaleLeaderHeard, io);
            // The answer is one of our term. Should the sender lead in it by now, its rounds are others.
            self.answer(from, self.conflict(prev), 0, io);
            return;
        }
        if self.is_leader() {
            // Nobody else leads in our term. Should it happen, the oracles know before we do.
            return;
        }
        self.follow(from, io);
        if entries.is_empty() && self.wish.is_some() {
            self.repeat_wish(io);
        }
        // What is compacted away was committed: the leader has the same.
        let base = self.log.base();
        if prev.index < base.index {
            let known = entries.len().min((base.index - prev.index) as usize);
            entries.drain(..known);
            if prev.index + (known as u64) < base.index {
                self.answer(from, Outcome::Matched(prev.index + known as u64), round, io);
                return;
            }
            prev = base;
        }
        if self.log.term_at(prev.index) != Some(prev.term) {
            self.answer(from, self.conflict(prev), round, io);
            return;
        }
        let verified = prev.index + entries.len() as u64;
        self.store(prev.index, entries, io);
        let last = self.log.last_index();
        self.commit_to((self.config.rules.follower_commit)(self.commit, leader_commit, verified, last));
        let acknowledged = (self.config.rules.acknowledge)(verified, last);
        self.answer(from, Outcome::Matched(acknowledged), round, io);
    }

    /// The leader of this term was heard: whoever campaigned in it has lost.
    pub(super) fn follow<P: Embeds<M>>(&mut self, leader: NodeId, io: &mut Io<'_, P>) {
        if !matches!(self.role, Role::Follower) {
            self.become_follower(self.term, io);
        }
        self.leader = Some(leader);
        self.leader_heard = Some(self.time_of_silence(io));
        self.on_occasion(Occasion::LeaderHeard, io);
    }

    /// So much is committed now.
    fn commit_to(&mut self, commit: u64) {
        self.commit = commit;
        if self.changes.len() > 1 {
            self.reconfigure();
        }
        if self.wish.is_some() {
            self.settle_wish();
        }
    }

    /// Makes the log hold `entries` right after `prev`.
    fn store<P: Embeds<M>>(&mut self, prev: u64, entries: Vec<Entry<M::Command>>, io: &mut Io<'_, P>) {
        let conflicts = |(index, entry): (u64, &Entry<M::Command>)| {
            (self.log.term_at(index).is_some_and(|mine| mine != entry.term())).then_some(index)
        };
        let conflict = (prev + 1..).zip(&entries).find_map(conflicts);
        let overlap = Overlap { conflict, prev, end: prev + entries.len() as u64, last: self.log.last_index() };
        if let Some(from) = (self.config.rules.truncate_from)(&overlap) {
            self.truncate_from(from);
            io.write(Record::Truncate { from }.into());
        }
        let known = (self.log.last_index() - prev) as usize;
        for entry in entries.into_iter().skip(known) {
            self.append(entry, io);
        }
    }

    fn conflict(&self, prev: Position) -> Outcome {
        Outcome::Conflict { refused: prev.index, hint: self.log.last_not_after(prev.term, prev.index) }
    }

    /// Answers an AppendEntries, when what the answer rests on is durable.
    pub(super) fn answer<P: Embeds<M>>(&mut self, to: NodeId, outcome: Outcome, round: u64, io: &mut Io<'_, P>) {
        if (self.config.rules.acknowledgement_waits_for_disk)() {
            io.sync();
        }
        io.send(to, Message::AppendEntriesReply { term: self.term, outcome, round }.into());
    }

    /// A server has answered; perhaps this one itself.
    pub(super) fn on_append_entries_reply<P: Embeds<M>>(
        &mut self,
        from: NodeId,
        term: u64,
        outcome: Outcome,
        round: u64,
        io: &mut Io<'_, P>,
    ) {
        let answers = self.answering(self.configuration.members()).has(from);
        let rules = &self.config.rules;
        let Role::Leader(Leadership { progress, heard, sending, .. }) = &mut self.role else { return };
        if !(rules.reply_is_current)(term, self.term) || !answers {
            return;
        }
        *heard = heard.with(from);
        let progress = &mut progress[from.index()];
        match outcome {
            Outcome::Matched(acknowledged) => {
                progress.match_index = (rules.match_index)(progress.match_index, acknowledged);
                // Who claims more than our log holds is wrong; the oracles say so, we send what we have.
                let beyond = progress.match_index.min(self.log.last_index()) + 1;
                progress.next_index = (rules.next_index)(progress.next_index, beyond);
                match progress.flow {
                    Flow::Probe(Some(upto)) if upto <= acknowledged => progress.flow = Flow::Replicate,
                    Flow::Snapshot { last, .. } if last <= acknowledged => {
                        progress.flow = Flow::Replicate;
                        sending.retain(|(server, _)| *server != from);
                    }
                    Flow::Probe(_) | Flow::Replicate | Flow::Snapshot { .. } => {}
                }
                // Who holds no more than is committed gives no reason to count again.
                let held = progress.match_index;
                if held > self.commit && self.advance_commit(held) {
                    self.tell_commit(io);
                    self.settle_change(io);
                }
                self.hand_over(io);
            }
            Outcome::Conflict { refused, hint } => {
                let sent_last = match progress.flow {
                    Flow::Replicate => true,
                    Flow::Probe(_) => refused + 1 == progress.next_index,
                    Flow::Snapshot { .. } => return,
                };
                if !(rules.refusal_is_news)(sent_last, refused, progress.match_index) {
                    return;
                }
                // Where both logs end before the hint's term is over they could agree.
                let agreed = self.log.last_not_after(hint.term, hint.index).index;
                progress.next_index = (rules.next_after_refusal)(agreed, progress.match_index);
                progress.flow = Flow::Probe(None);
            }
        }
        if from != self.me {
            self.send_news(from, io);
            if round > 0 {
                self.on_round(from, round, io);
            }
        }
    }

    /// Tells the others at once what is committed: they need not wait for the next entry or
    /// heartbeat to apply it. Who is being probed has more to learn first.
    fn tell_commit<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) {
        for server in self.others() {
            let Role::Leader(Leadership { progress, .. }) = &self.role else { return };
            if progress[server.index()].flow == Flow::Replicate {
                self.send_heartbeat(server, io);
            }
        }
    }

    /// Commits what a quorum holds durably, now that one more server holds the log up to `held` (paper, figure 2, last rule for
    /// leaders). Answers whether that is more than before.
    fn advance_commit(&mut self, held: u64) -> bool {
        let Role::Leader(Leadership { progress, .. }) = &self.role else {
            unreachable!("only a leader counts copies");
        };
        let rules = &self.config.rules;
        let members = self.answering(self.configuration.members());
        let held_at = |server: NodeId| progress[server.index()].match_index;
        // What a quorum holds is what one of the servers holds last, so only those need be counted.
        let mut most = self.commit;
        for index in members.iter().map(held_at) {
            let holding =
                || progress.iter().map(|progress| progress.match_index >= index).collect::<Servers>() & members;
            let copies = || (rules.holders)(members, holding());
            if index > most && index <= held && self.has_quorum(Decision::Replication, &[copies()], rules.commit_quorum)
            {
                most = index;
            }
        }
        if most == self.commit {
            return false;
        }
        let Some(entry_term) = self.log.term_at(most) else { return false };
        let may_commit = (rules.may_commit)(entry_term, self.term);
        if may_commit {
            self.commit_to(most);
        }
        may_commit
    }
}

/// Leaves of entries those that fit into a message with so much room, in bytes. The first always does.
fn pack<M: StateMachine>(
    entries: &mut Vec<Entry<M::Command>>,
    mut room: usize,
    packs: fn(room: usize, size: usize) -> Packing,
) {
    let (mut is_first, mut is_full) = (true, false);
    entries.retain(|entry| {
        let size = ENTRY + entry.command().map_or(0, M::size);
        let packing = if is_first { Packing::Take } else { packs(room, size) };
        is_first = false;
        is_full |= packing == Packing::Stop;
        let goes_in = !is_full && packing == Packing::Take;
        if goes_in {
            room = room.saturating_sub(size);
        }
        goes_in
    });
}

/// What an entry takes in a message without its command, in bytes.
const ENTRY: usize = 16;

/// How many more entries may be sent to a server that keeps up.
fn room(config: &Config, match_index: u64, next_index: u64) -> usize {
    let on_their_way = next_index.saturating_sub(match_index + 1);
    config.inflight_max.saturating_sub(on_their_way as usize)
}
