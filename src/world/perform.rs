//! The effects of a turn, in their order: what leaves, what is written, what waits for the disk.

use super::stop::Cause;
use super::{ANY_INCARNATION, Backstage, Event, Held, Parked, World};
use crate::environment::fault::Kind;
use crate::environment::network::Mark;
use crate::kernel::rng::Purpose;
use crate::kernel::time::{Span, Time};
use crate::oracle::spec::{Oracle, Touch, Verdict, Violation};
use crate::protocol::{Afterwards, DiskFailure, Effect, Effects, NodeId, Protocol, Timer};
use crate::trace::{Happening, Trace};

/// What has become of a write.
enum Written {
    /// The record is on its way to the disk.
    Well,
    /// It has failed.
    Failed(DiskFailure),
    /// A fault has come right after it, and the node is no more.
    Dead,
}

/// What stands before that which leaves the node.
enum Gate {
    /// Nothing: all is durable.
    Open,
    /// So many records must be durable before.
    Shut(usize),
    /// A fault has come, and the node is no more.
    Dead,
}

impl<P: Protocol, O: Oracle<P>, T: Trace<P>> World<P, O, T> {
    /// Performs the effects of a turn. Answers whether the node is still up after that.
    #[inline(always)]
    pub(super) fn perform(&mut self, node: NodeId, effects: &mut Effects<P>) -> Result<bool, Box<Violation>> {
        let written = self.perform_each(node, effects.places());
        if !matches!(written, Ok(Written::Well)) {
            effects.clear();
        }
        match written? {
            Written::Well => Ok(true),
            Written::Failed(failure) => self.disk_failed(node, failure),
            Written::Dead => Ok(false),
        }
    }

    /// Performs effects as long as none fails. Each is looked at where it lies, and taken out where it goes.
    #[inline(always)]
    fn perform_each(&mut self, node: NodeId, effects: &mut [Option<Effect<P>>]) -> Result<Written, Box<Violation>> {
        // Once the gate is shut, how many records must be durable for it to open.
        let mut gate = None;
        for place in effects {
            match place {
                None => {}
                Some(Effect::Send { to, message }) => {
                    let (to, connected) = (*to, P::is_connected(message));
                    if T::HEARS_SENDING && gate.is_none() {
                        self.trace.happened(self.view.now, &Happening::Sent { from: node, to, message });
                    }
                    match gate {
                        None => self.send(node, to, connected, || Effect::take_message(place)),
                        Some(upto) => self.park(node, upto, Parked::Send(to, Effect::take_message(place))),
                    }
                }
                Some(Effect::Arm { timer, after }) => self.arm(node, *timer, *after),
                Some(Effect::Disarm(timer)) => self.disarm(node, *timer),
                Some(Effect::Write(_)) => match self.write(node, || Effect::take_record(place))? {
                    Written::Well => {}
                    written => return Ok(written),
                },
                Some(Effect::Sync) => match self.sync(node)? {
                    Gate::Open => gate = None,
                    Gate::Shut(upto) => gate = Some(upto),
                    Gate::Dead => return Ok(Written::Dead),
                },
                Some(Effect::Note(_)) => match (gate, Effect::take_fact(place)) {
                    (None, fact) => self.note(node, &fact)?,
                    (Some(upto), fact) => self.park(node, upto, Parked::Note(fact)),
                },
            }
        }
        Ok(Written::Well)
    }

    #[inline(always)]
    pub(super) fn send(&mut self, from: NodeId, to: NodeId, connected: bool, message: impl FnOnce() -> P::Message) {
        if from == to {
            let incarnation = self.view.hosts[from.index()].incarnation;
            self.queue.push_with(self.view.now, || Event::Arrival { from, to, incarnation, message: message() });
            return;
        }
        self.traffic.sent += 1;
        match self.view.network.latency_in_calm(from.number(), to.number()) {
            Some(after) => self.post(after, from, to, connected, message),
            None => self.send_through_weather(from, to, message()),
        }
    }

    /// A message to another node arrives after so long.
    #[inline(always)]
    fn post(&mut self, after: Span, from: NodeId, to: NodeId, connected: bool, message: impl FnOnce() -> P::Message) {
        let incarnation = if connected { self.view.hosts[to.index()].incarnation } else { ANY_INCARNATION };
        self.queue.push_with(self.view.now + after, || Event::Arrival { from, to, incarnation, message: message() });
    }

    /// Sends a message that something may befall. Apart from [`World::send`], so that a calm network does not carry the
    /// weight of all that there could be.
    #[inline(never)]
    fn send_through_weather(&mut self, from: NodeId, to: NodeId, message: P::Message) {
        let connected = P::is_connected(&message);
        let fate = self.view.network.fate(from.number(), to.number(), self.view.now, || P::size(&message));
        if !fate.marks.is_empty() {
            self.mark(from, to, fate.marks.iter());
        }
        if let Some(again) = fate.again {
            self.traffic.doubled += 1;
            self.post(again, from, to, connected, || message.clone());
        }
        match (fate.arrives, fate.garbled) {
            (Some(after), None) => self.post(after, from, to, connected, || message),
            (Some(after), Some(word)) => match P::garble_message(&self.plan.system, &message, word) {
                Some(garbage) => {
                    self.traffic.garbled += 1;
                    self.trace.happened(self.view.now, &Happening::Garbled { from, to, message: &message });
                    self.post(after, from, to, P::is_connected(&garbage), || garbage);
                }
                None => {
                    self.traffic.corrupted += 1;
                    self.trace.happened(self.view.now, &Happening::Dropped { from, to, message: &message });
                }
            },
            (None, _) => self.drop_message(from, to, &message),
        }
    }

    /// Enters in the audit what disturbances have done to a message.
    #[cold]
    fn mark(&mut self, from: NodeId, to: NodeId, marks: impl Iterator<Item = Mark>) {
        for mark in marks {
            let kind = match mark {
                Mark::Lost => Kind::Loss,
                Mark::Doubled => Kind::Duplicate,
                Mark::Delayed => Kind::Delay,
                Mark::Reordered => Kind::Reorder,
                Mark::Garbled => Kind::Corrupt,
                Mark::Throttled | Mark::Overflowed => Kind::Bandwidth,
            };
            self.audit.bite(kind, |fault| fault.covers(from, to));
        }
    }

    pub(super) fn note(&mut self, node: NodeId, fact: &P::Fact) -> Verdict {
        self.trace.happened(self.view.now, &Happening::Noted { node, fact });
        self.oracles.on_fact(&self.view, node, fact)?;
        if self.moments.wait_for_facts { self.fact_noted(node, P::fact_label(fact)) } else { Ok(()) }
    }

    fn park(&mut self, node: NodeId, upto: usize, parked: Parked<P>) {
        self.backstage[node.index()].parked.push_back((upto, parked));
    }

    /// Lets go what waited for records that are durable now.
    pub(super) fn release(&mut self, node: NodeId) -> Verdict {
        let synced = self.view.hosts[node.index()].disk.synced();
        let ready = |(upto, _): &(usize, Parked<P>)| *upto <= synced;
        while self.backstage[node.index()].parked.front().is_some_and(ready) {
            match self.backstage[node.index()].parked.pop_front().expect("a front").1 {
                Parked::Send(to, message) => {
                    if T::HEARS_SENDING {
                        self.trace.happened(self.view.now, &Happening::Sent { from: node, to, message: &message });
                    }
                    self.send(node, to, P::is_connected(&message), || message);
                }
                Parked::Note(fact) => self.note(node, &fact)?,
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn arm(&mut self, node: NodeId, timer: P::Timer, after: Span) {
        let number = Self::timer_number(node, timer);
        if self.backstage[node.index()].is_plain {
            let due = Time::from_ns(self.view.now.ns().saturating_add(after.as_ns()));
            return self.deadlines.arm(&mut self.queue, number, due);
        }
        if let Some(trouble) = &mut self.backstage[node.index()].trouble {
            trouble.armed(timer.slot(), self.view.hosts[node.index()].clock.deadline(self.view.now, after));
            if let Some(kind) = trouble.bends_clocks() {
                self.armed_by_bent_clock(node, kind, after);
            }
        }
        match self.view.hosts[node.index()].clock.after(self.view.now, after) {
            Some(due) => self.deadlines.arm(&mut self.queue, number, due),
            // The clock stands still: who waits, waits for it to go on.
            None => self.deadlines.disarm(number),
        }
    }

    #[inline]
    fn disarm(&mut self, node: NodeId, timer: P::Timer) {
        if !self.backstage[node.index()].is_plain
            && let Some(trouble) = &mut self.backstage[node.index()].trouble
        {
            trouble.forget_timer(timer.slot());
        }
        self.deadlines.disarm(Self::timer_number(node, timer));
    }

    #[inline]
    pub(super) fn timer_number(node: NodeId, timer: P::Timer) -> u32 {
        (node.index() * P::Timer::ALL.len() + timer.slot()) as u32
    }

    #[inline(always)]
    fn write(&mut self, node: NodeId, record: impl FnOnce() -> P::Record) -> Result<Written, Box<Violation>> {
        if !self.backstage[node.index()].is_plain
            && let Some(trouble) = &mut self.backstage[node.index()].trouble
            && let Some((failure, kind)) = trouble.refuses_write(&self.table, node)
        {
            self.audit.bite(kind, |fault| fault.hits(node));
            return Ok(Written::Failed(failure));
        }
        let (disk, record) = (&mut self.view.hosts[node.index()].disk, record());
        if P::is_checkpoint(&record) {
            disk.write_checkpoint(record)
        } else {
            disk.write(record)
        }
        if self.moments.wait_for_disks && !self.record_written(node)? { Ok(Written::Dead) } else { Ok(Written::Well) }
    }

    /// Begins a sync if one is needed.
    #[inline(always)]
    fn sync(&mut self, node: NodeId) -> Result<Gate, Box<Violation>> {
        let disk = &mut self.view.hosts[node.index()].disk;
        // What waits at the gate leaves first, also if a sleeper that wakes has not heard yet that it is durable.
        let is_free = self.backstage[node.index()].parked.is_empty();
        if disk.is_clean() {
            return Ok(if is_free { Gate::Open } else { Gate::Shut(disk.synced()) });
        }
        let syncs_well = |back: &Backstage<P>| back.trouble.as_ref().is_none_or(|trouble| trouble.disk.syncs_well());
        let is_watched = self.moments.wait_for_disks || self.moments.wait_for_syncs;
        let is_at_once = self.sync_latency.is_zero() && is_free && !is_watched;
        if is_at_once && syncs_well(&self.backstage[node.index()]) {
            disk.sync_at_once(true);
            return Ok(Gate::Open);
        }
        let upto = disk.end();
        if disk.ask() {
            self.begin_sync(node);
            if self.moments.wait_for_disks && !self.sync_begun(node)? {
                return Ok(Gate::Dead);
            }
        }
        Ok(Gate::Shut(upto))
    }

    fn begin_sync(&mut self, node: NodeId) {
        let back = &mut self.backstage[node.index()];
        back.syncs += 1;
        let word = self.table.word(Purpose::Disk, u64::from(node.number()), u64::from(back.syncs));
        let incarnation = self.view.hosts[node.index()].incarnation;
        let mut latency = self.sync_latency.sample(word);
        if let Some(extra) = back.trouble.as_ref().map(|trouble| trouble.extra_sync(word))
            && extra > Span::ZERO
        {
            latency = latency + extra;
            self.audit.bite(Kind::DiskSlow, |fault| fault.hits(node));
        }
        self.queue.push(self.view.now + latency, Event::SyncDone { node, incarnation });
    }

    pub(super) fn sync_done(&mut self, node: NodeId, incarnation: u32) -> Verdict {
        let host = &mut self.view.hosts[node.index()];
        if host.incarnation != incarnation {
            return Ok(());
        }
        self.cause = Cause::Sync;
        let mut is_honest = true;
        if let Some(trouble) = &mut self.backstage[node.index()].trouble {
            if trouble.disk.is_stalled {
                trouble.due_sync = Some(incarnation);
                self.audit.bite(Kind::DiskStall, |fault| fault.hits(node));
                return Ok(());
            }
            if trouble.refuses_sync(&self.table, node) {
                self.audit.bite(Kind::DiskError, |fault| fault.hits(node));
                let synced = host.disk.synced();
                host.disk.fail();
                // What waited for that sync was never promised; a sleeper has not heard yet of one that went well before.
                self.backstage[node.index()].parked.retain(|(upto, _)| *upto <= synced);
                return self.disk_failed_late(node, incarnation);
            }
            is_honest = !trouble.disk.lies;
        }
        let next = host.disk.complete(is_honest);
        let (records, asleep) = (host.disk.synced(), host.asleep);
        self.trace.happened(self.view.now, &Happening::Synced { node, records });
        if next {
            self.begin_sync(node);
        }
        if asleep {
            self.hold(node, Held::Event(Event::Release { node, incarnation }));
        } else {
            self.release(node)?;
        }
        self.judge(node, Touch::Synced)?;
        if next && self.moments.wait_for_disks {
            self.sync_follows(node);
        }
        if self.moments.wait_for_syncs { self.sync_ended(node) } else { Ok(()) }
    }

    /// What waited for a sync leaves after its node has woken.
    pub(super) fn release_late(&mut self, node: NodeId, incarnation: u32) -> Verdict {
        if self.view.hosts[node.index()].incarnation != incarnation {
            return Ok(());
        }
        self.cause = Cause::Sync;
        self.release(node)?;
        self.judge(node, Touch::Synced)
    }

    /// A sync has failed, outside of a turn.
    pub(super) fn disk_failed_late(&mut self, node: NodeId, incarnation: u32) -> Verdict {
        let host = &self.view.hosts[node.index()];
        if host.incarnation != incarnation {
            return Ok(());
        }
        if host.asleep {
            self.hold(node, Held::Event(Event::DiskFailed { node, incarnation }));
            return Ok(());
        }
        self.cause = Cause::Sync;
        if self.disk_failed(node, DiskFailure::Sync)? { self.judge(node, Touch::Handled) } else { Ok(()) }
    }

    /// Tells a node that its disk has failed. Answers whether it goes on.
    #[cold]
    fn disk_failed(&mut self, node: NodeId, failure: DiskFailure) -> Result<bool, Box<Violation>> {
        self.trace.happened(self.view.now, &Happening::DiskFailed { node, failure });
        let mut effects = Effects::new();
        let mut afterwards = Afterwards::Stop;
        let trouble = self.trouble(node);
        // Who cannot even write down that it cannot write has nothing left but to stop.
        let again = std::mem::replace(&mut trouble.is_failing, true);
        if !again {
            self.turn(node, &mut effects, |state, io| afterwards = state.on_disk_failure(failure, io))?;
        }
        let trouble = self.trouble(node);
        trouble.is_failing = again;
        if self.view.hosts[node.index()].state.is_none() {
            return Ok(false);
        }
        if afterwards == Afterwards::Stop {
            self.crash(node)?;
            let trouble = self.trouble(node);
            trouble.has_stopped = trouble.disk.refuses();
            // A sleeper hears of it when it wakes. If the disk is well by then, no end of a fault will start it again.
            if !trouble.has_stopped {
                self.restart(node)?;
            }
        }
        Ok(afterwards == Afterwards::GoOn)
    }
}
