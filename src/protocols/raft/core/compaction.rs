//! Compaction of the log, and snapshots for those who are too far behind (paper, section 7).

use super::{Change, Core, Embeds, Flow, Leadership, Role, StateMachine};
use crate::protocol::{Io, NodeId};
use crate::protocols::raft::log::Position;
use crate::protocols::raft::message::{Message, Outcome, Record};
use crate::protocols::raft::rules::CompactRules;
use crate::protocols::raft::snapshot::{Checkpoint, Fragment, Progress, Snapshot, Staging};
use std::sync::Arc;

impl<M: StateMachine> Core<M> {
    /// Takes a snapshot of what is applied, and compacts the log, if it is time. Whoever embeds the core calls this before it hands it
    /// a message: what the last turn has committed was looked at by then.
    #[inline]
    pub fn compact<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) {
        if let Some(compaction) = self.config.compaction
            && (self.config.rules.compact.is_due)(self.applied, self.snapshot_index(), compaction.every)
        {
            self.take_snapshot(compaction.chunk, io);
        }
    }

    /// Up to which entry there is a snapshot.
    fn snapshot_index(&self) -> u64 {
        self.snapshot.as_ref().map_or(0, |snapshot| snapshot.last.index)
    }

    fn take_snapshot<P: Embeds<M>>(&mut self, chunk: usize, io: &mut Io<'_, P>) {
        let snapshot = Arc::new(self.snapshot_of_applied(chunk));
        self.adopt(&snapshot, CompactRules::SOUND.keeps_suffix, io);
    }

    fn snapshot_of_applied(&self, chunk: usize) -> Snapshot<M> {
        let index = self.applied;
        let known = "what is applied is in the log";
        let last = Position { term: self.log.term_at(index).expect(known), index };
        let counts = self.changes.iter().rev().find(|change| change.index <= index);
        Snapshot {
            last,
            chain: self.log.chain_at(index).expect(known),
            configuration: counts.map_or(self.configuration, |change| change.configuration),
            parts: self.machine.parts(chunk),
        }
    }

    /// All that its disk must hold, for a server that keeps other things there, too, and begins its journal anew with all of
    /// them. What it has in memory stays as it is.
    pub fn checkpoint(&self) -> Checkpoint<M> {
        self.checkpoint_of(&Arc::new(self.snapshot_of_applied(usize::MAX)))
    }

    /// Makes a snapshot the beginning of the log, its own or that of a leader. `keeps_suffix` is [`CompactRules::keeps_suffix`].
    fn adopt<P: Embeds<M>>(
        &mut self,
        snapshot: &Arc<Snapshot<M>>,
        keeps_suffix: fn(Option<u64>, u64) -> bool,
        io: &mut Io<'_, P>,
    ) {
        let Snapshot { last, chain, configuration, parts } = &**snapshot;
        let rules = self.config.rules.compact;
        let here = self.log.term_at(last.index);
        if last.index < self.log.base().index {
            // Only what a planted defect lets in.
            return self.machine.restore(parts);
        }
        let kept = keeps_suffix(here, last.term);
        if kept && here == Some(last.term) {
            let keep = self.config.compaction.map_or(0, |compaction| compaction.keep);
            self.log.compact(self.held_back(last.index.saturating_sub(keep)));
        } else {
            let suffix = if kept { self.log.entries_from(last.index + 1, usize::MAX) } else { Vec::new() };
            let configuration = (rules.configuration)(self.configuration, *configuration);
            self.changes = vec![Change { index: last.index, term: last.term, configuration }];
            self.log.reset(*last, *chain);
            for entry in suffix {
                self.take(entry);
            }
        }
        let base = self.log.base().index;
        let needed = self.changes.iter().rposition(|change| change.index <= base).unwrap_or(0);
        self.changes.drain(..needed);
        if last.index > self.applied || !(rules.is_news)(last.index, self.applied) && here.is_none() {
            self.machine.restore(parts);
            self.applied = last.index;
        }
        self.commit = self.commit.max(last.index);
        self.snapshot = Some(Arc::clone(snapshot));
        self.reconfigure();
        self.settle_wish();
        self.write_checkpoint(snapshot, io);
    }

    /// Begins the journal anew, with the snapshot and what is in the log after it. What is in the log before it is for those
    /// who are only a little behind, and not worth a place on the disk.
    fn write_checkpoint<P: Embeds<M>>(&self, snapshot: &Arc<Snapshot<M>>, io: &mut Io<'_, P>) {
        io.write(Record::Checkpoint(Box::new(self.checkpoint_of(snapshot))).into());
    }

    fn checkpoint_of(&self, snapshot: &Arc<Snapshot<M>>) -> Checkpoint<M> {
        let (term, vote) = self.term_to_keep();
        let suffix = self.log.entries_from(snapshot.last.index + 1, usize::MAX);
        Checkpoint { term, vote, snapshot: Arc::clone(snapshot), suffix }
    }

    /// Has what a checkpoint says, and nothing else.
    pub(super) fn begin_at_checkpoint(&mut self, checkpoint: &Checkpoint<M>) {
        let Checkpoint { term, vote, snapshot, suffix } = checkpoint;
        let Snapshot { last, chain, configuration, parts } = &**snapshot;
        (self.term, self.vote) = (*term, *vote);
        self.log.reset(*last, *chain);
        self.changes = vec![Change { index: last.index, term: last.term, configuration: *configuration }];
        self.machine.restore(parts);
        (self.commit, self.applied) = (last.index, last.index);
        self.snapshot = Some(Arc::clone(snapshot));
        for entry in suffix {
            self.take(entry.clone());
        }
        self.reconfigure();
    }

    /// A log is not compacted beyond what those need who are being sent a snapshot, as long as they answer: else they would need
    /// another one after it.
    fn held_back(&self, upto: u64) -> u64 {
        let Role::Leader(Leadership { sending, heard, answering, .. }) = &self.role else { return upto };
        let receiving = sending.iter().filter(|(server, _)| (*heard | *answering).has(*server));
        receiving.map(|(_, snapshot)| snapshot.last.index).fold(upto, u64::min)
    }

    /// A server needs entries that are compacted away.
    pub(super) fn begin_snapshot<P: Embeds<M>>(&mut self, server: NodeId, io: &mut Io<'_, P>) {
        let Some(snapshot) = &self.snapshot else { return };
        let Role::Leader(Leadership { progress, sending, .. }) = &mut self.role else { return };
        progress[server.index()].flow = Flow::Snapshot { last: snapshot.last.index, offset: 0 };
        sending.retain(|(other, _)| *other != server);
        sending.push((server, Arc::clone(snapshot)));
        self.send_fragment(server, io);
    }

    /// Sends the part that a server wants, again if need be.
    pub(super) fn send_fragment<P: Embeds<M>>(&self, server: NodeId, io: &mut Io<'_, P>) {
        let Role::Leader(Leadership { progress, sending, round, .. }) = &self.role else { return };
        let Flow::Snapshot { offset, .. } = progress[server.index()].flow else { return };
        if let Some((_, snapshot)) = sending.iter().find(|(other, _)| *other == server) {
            let fragment = Box::new(snapshot.fragment(offset));
            io.send(server, Message::InstallSnapshot { term: self.term, fragment, round: *round }.into());
        }
    }

    /// The leader of `term` sends a part of its snapshot.
    pub(super) fn on_install_snapshot<P: Embeds<M>>(
        &mut self,
        from: NodeId,
        term: u64,
        fragment: Fragment<M>,
        round: u64,
        io: &mut Io<'_, P>,
    ) {
        let last = fragment.last;
        if term < self.term {
            let reply = Message::InstallSnapshotReply { term: self.term, last: last.index, wanted: 0, round: 0 };
            io.send(from, reply.into());
            return;
        }
        if self.is_leader() {
            return;
        }
        self.follow(from, io);
        if !(self.config.rules.compact.is_news)(last.index, self.commit) {
            self.answer(from, Outcome::Matched(last.index), round, io);
            return;
        }
        match Staging::take_in(&mut self.staging, term, fragment) {
            Progress::Wants(wanted) => {
                let reply = Message::InstallSnapshotReply { term: self.term, last: last.index, wanted, round };
                io.send(from, reply.into());
            }
            Progress::Late => {}
            Progress::Complete(snapshot) => {
                self.adopt(&snapshot, self.config.rules.compact.keeps_suffix, io);
                self.answer(from, Outcome::Matched(last.index), round, io);
            }
        }
    }

    /// A server wants another part of a snapshot.
    pub(super) fn on_install_snapshot_reply<P: Embeds<M>>(
        &mut self,
        from: NodeId,
        term: u64,
        last: u64,
        wanted: usize,
        round: u64,
        io: &mut Io<'_, P>,
    ) {
        if !(self.config.rules.reply_is_current)(term, self.term)
            || !self.answering(self.configuration.members()).has(from)
        {
            return;
        }
        let Role::Leader(Leadership { progress, sending, heard, .. }) = &mut self.role else { return };
        *heard = heard.with(from);
        let count = sending.iter().find(|(server, _)| *server == from).map_or(0, |(_, snapshot)| snapshot.parts.len());
        if let Flow::Snapshot { last: sent, offset } = &mut progress[from.index()].flow
            && (*sent, *offset) != (last, wanted)
            && *sent == last
            && wanted < count
        {
            *offset = wanted;
            self.send_fragment(from, io);
        }
        self.on_round(from, round, io);
    }
}
