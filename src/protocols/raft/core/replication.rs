//! The log's way from the leader to the others, and when an entry is committed.

use super::{Alarm, Core, Embeds, Flow, Leadership, Progress, Role, StateMachine};
use crate::protocol::{Io, NodeId};
use crate::protocols::raft::config::Config;
use crate::protocols::raft::log::{Entry, Position};
use crate::protocols::raft::message::{Message, Outcome, Record};
use crate::protocols::raft::rules::{Occasion, Overlap, Window};

impl<M: StateMachine> Core<M> {
    /// Takes a command into the log, if this server leads. Answers whether it does; whether the
    /// command will be committed is another question.
    pub fn propose<P: Embeds<M>>(&mut self, command: M::Command, io: &mut Io<'_, P>) -> bool {
        let leads = self.is_leader();
        if leads {
            self.lead_on(Entry::new(self.term, Some(command)), io);
        }
        leads
    }

    /// Appends an entry of the leader's own and tells the others.
    pub(super) fn lead_on<P: Embeds<M>>(&mut self, entry: Entry<M::Command>, io: &mut Io<'_, P>) {
        let index = self.append(entry, io);
        if let Role::Leader(leadership) = &mut self.role {
            leadership.asked.get_or_insert((index, io.now()));
        }
        self.others().for_each(|server| self.send_news(server, io));
        // The entry may travel before it is on our own disk, but we are a copy of it only then
        // (thesis, section 10.2.1). The disk answers like any other server.
        if (self.config.rules.leader_waits_for_disk)() {
            io.sync();
        }
        let outcome = Outcome::Matched(index);
        io.send(self.me, Message::AppendEntriesReply { term: self.term, outcome }.into());
    }

    pub(super) fn send_heartbeats<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) {
        self.others().for_each(|server| self.send_heartbeat(server, io));
        io.arm(Alarm::Heartbeat.into(), self.config.heartbeat);
    }

    /// Sends what a server does not have yet, if the flow allows.
    fn send_news<P: Embeds<M>>(&mut self, server: NodeId, io: &mut Io<'_, P>) {
        let Role::Leader(Leadership { progress, .. }) = &self.role else { return };
        let Progress { match_index, next_index, flow } = progress[server.index()];
        let open = match flow {
            Flow::Probe(on_its_way) => on_its_way.is_none(),
            Flow::Replicate => window(&self.config, match_index, next_index) == Window::Open,
        };
        if open && next_index <= self.log.last_index() {
            self.send_entries(server, self.config.append_max, io);
        }
    }

    /// Sends nothing new, but what is committed, and asks whether the server has what was sent. If something
    /// was lost, it refuses, and the leader probes.
    fn send_heartbeat<P: Embeds<M>>(&mut self, server: NodeId, io: &mut Io<'_, P>) {
        let Role::Leader(Leadership { progress, .. }) = &mut self.role else {
            unreachable!("only a leader sends heartbeats");
        };
        let Progress { match_index, next_index, flow } = &mut progress[server.index()];
        let window = window(&self.config, *match_index, *next_index);
        let index = (self.config.rules.heartbeat_asks_after)(*match_index, *next_index - 1, window);
        if let Flow::Probe(on_its_way) = flow {
            *on_its_way = Some(index);
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
        let entries = self.log.entries_from(progress.next_index, most);
        let upto = before + entries.len() as u64;
        match &mut progress.flow {
            Flow::Probe(on_its_way) => *on_its_way = Some(upto),
            Flow::Replicate => progress.next_index = upto + 1,
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
        let prev = Position { term: self.log.term_at(index).expect("it is within the log"), index };
        io.send(server, Message::AppendEntries { term: self.term, prev, commit: self.commit, entries }.into());
    }

    /// The leader of `term` wants entries stored after `prev`.
    pub(super) fn on_append_entries<P: Embeds<M>>(
        &mut self,
        from: NodeId,
        term: u64,
        prev: Position,
        leader_commit: u64,
        entries: Vec<Entry<M::Command>>,
        io: &mut Io<'_, P>,
    ) {
        if !(self.config.rules.append_is_current)(term, self.term) {
            self.on_occasion(Occasion::StaleLeaderHeard, io);
            self.answer(from, self.conflict(prev), io);
            return;
        }
        if self.is_leader() {
            // Nobody else leads in our term. Should it happen, the oracles know before we do.
            return;
        }
        // Whoever campaigned in this term has lost.
        if !matches!(self.role, Role::Follower) {
            self.become_follower(self.term, io);
        }
        self.leader = Some(from);
        self.leader_heard = Some(self.time_of_silence(io));
        self.on_occasion(Occasion::LeaderHeard, io);
        if self.log.term_at(prev.index) != Some(prev.term) {
            self.answer(from, self.conflict(prev), io);
            return;
        }
        let verified = prev.index + entries.len() as u64;
        self.store(prev.index, entries, io);
        let last = self.log.last_index();
        self.commit = (self.config.rules.follower_commit)(self.commit, leader_commit, verified, last);
        let acknowledged = (self.config.rules.acknowledge)(verified, last);
        self.answer(from, Outcome::Matched(acknowledged), io);
    }

    /// Makes the log hold `entries` right after `prev`.
    fn store<P: Embeds<M>>(&mut self, prev: u64, entries: Vec<Entry<M::Command>>, io: &mut Io<'_, P>) {
        let conflicts = |(index, entry): (u64, &Entry<M::Command>)| {
            (self.log.term_at(index).is_some_and(|mine| mine != entry.term())).then_some(index)
        };
        let conflict = (prev + 1..).zip(&entries).find_map(conflicts);
        let overlap = Overlap { conflict, prev, end: prev + entries.len() as u64, last: self.log.last_index() };
        if let Some(from) = (self.config.rules.truncate_from)(&overlap) {
            self.log.truncate_from(from);
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
    fn answer<P: Embeds<M>>(&mut self, to: NodeId, outcome: Outcome, io: &mut Io<'_, P>) {
        if (self.config.rules.acknowledgement_waits_for_disk)() {
            io.sync();
        }
        io.send(to, Message::AppendEntriesReply { term: self.term, outcome }.into());
    }

    /// A server has answered; perhaps this one itself.
    pub(super) fn on_append_entries_reply<P: Embeds<M>>(
        &mut self,
        from: NodeId,
        term: u64,
        outcome: Outcome,
        io: &mut Io<'_, P>,
    ) {
        let rules = self.config.rules;
        let Role::Leader(Leadership { progress, heard, .. }) = &mut self.role else { return };
        if !(rules.reply_is_current)(term, self.term) {
            return;
        }
        if !heard.contains(&from) {
            heard.push(from);
        }
        let progress = &mut progress[from.index()];
        match outcome {
            Outcome::Matched(acknowledged) => {
                progress.match_index = (rules.match_index)(progress.match_index, acknowledged);
                // Who claims more than our log holds is wrong; the oracles say so, we send what we have.
                let beyond = progress.match_index.min(self.log.last_index()) + 1;
                progress.next_index = progress.next_index.max(beyond);
                if matches!(progress.flow, Flow::Probe(Some(upto)) if upto <= acknowledged) {
                    progress.flow = Flow::Replicate;
                }
                // Who holds no more than is committed gives no reason to count again.
                if progress.match_index > self.commit && self.advance_commit() {
                    self.tell_commit(io);
                }
            }
            Outcome::Conflict { refused, hint } => {
                let sent_last = progress.flow == Flow::Replicate || refused + 1 == progress.next_index;
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

    /// Commits what a quorum holds durably (paper, figure 2, last rule for leaders). Answers
    /// whether that is more than before.
    fn advance_commit(&mut self) -> bool {
        let Role::Leader(Leadership { progress, .. }) = &self.role else {
            unreachable!("only a leader counts copies");
        };
        let quorum = (self.config.rules.commit_quorum)(self.config.servers as usize);
        let copies = |index: u64| progress.iter().filter(|server| server.match_index >= index).count();
        // What a quorum holds is what one of the servers holds last, so only those need be counted.
        let held = progress.iter().map(|server| server.match_index).filter(|index| *index > self.commit);
        let Some(index) = held.filter(|index| copies(*index) >= quorum).max() else { return false };
        let Some(entry_term) = self.log.term_at(index) else { return false };
        let may_commit = (self.config.rules.may_commit)(entry_term, self.term);
        if may_commit {
            self.commit = index;
            self.confirm(index);
        }
        may_commit
    }

    /// A quorum has what the leader has appended up to here, and so has heard from it since it appended that.
    fn confirm(&mut self, upto: u64) {
        if let Role::Leader(Leadership { asked, confirmed, .. }) = &mut self.role
            && let Some((_, at)) = asked.take_if(|(index, _)| *index <= upto)
        {
            *confirmed = Some(at);
        }
    }
}

/// Whether more may be sent to a server that keeps up.
fn window(config: &Config, match_index: u64, next_index: u64) -> Window {
    let is_open = next_index.saturating_sub(match_index) <= config.inflight_max as u64;
    if is_open { Window::Open } else { Window::Full }
}
