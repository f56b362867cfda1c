//! How a node starts, dies, sleeps, takes its time, and how its clocks change.

use super::stop::Cause;
use super::trouble::Trouble;
use super::{Event, Held, World};
use crate::environment::disk::{Disk, damage};
use crate::environment::fault::Kind;
use crate::environment::plan;
use crate::kernel::rng::{Purpose, Table};
use crate::kernel::time::Span;
use crate::oracle::spec::{Oracle, Touch, Verdict};
use crate::protocol::{Damage, Effects, Found, Io, NodeId, Protocol, Timer};
use crate::trace::{Happening, Trace};

impl<P: Protocol, O: Oracle<P>, T: Trace<P>> World<P, O, T> {
    /// The first start of a node, or a restart.
    pub(super) fn boot(&mut self, node: NodeId, effects: &mut Effects<P>) -> Verdict {
        let host = &mut self.view.hosts[node.index()];
        let back = &mut self.backstage[node.index()];
        assert!(host.state.is_none(), "{node:?} is up already");
        // Contiguous for once: a restart reads everything anyway.
        let (records, damage) = read::<P>(&mut host.disk, &self.plan.system, |place| {
            self.table.word(Purpose::Disk, 3 << 16 | u64::from(node.number()), place as u64)
        });
        // A disk that holds something is the node's own.
        let trouble = back.trouble.as_mut().filter(|trouble| trouble.is_disk_new);
        let is_replaced = trouble.is_some_and(|trouble| {
            trouble.is_disk_new = records.is_empty();
            trouble.is_disk_new
        });
        // Also where the first record of a new disk was torn.
        let damage = is_replaced.then_some(Damage::Replaced).or(damage);
        self.cause = Cause::Start;
        self.trace.happened(self.view.now, &Happening::Booted { node, records: records.len(), damage });
        // A boot reads everything, so it comes upon whatever has rotted.
        self.audit.bite_past(Kind::BitRot, |fired| fired.hits(node));
        host.clock.start(started_with(self.table, node, host.incarnation));
        let (now, wall) = (host.clock.monotonic(self.view.now), host.clock.wall(self.view.now));
        let found = Found { records: &records, damage };
        self.in_handler = true;
        let mut io = Io::new(node, now, wall, &mut back.dice, effects)
            .with_ahead(host.clock.ahead())
            .with_uncertainty(self.plan.clock_uncertainty);
        host.state = Some(P::boot(&self.plan.system, node, found, &mut io));
        self.in_handler = false;
        back.is_plain = back.trouble.is_none() && host.clock.is_true();
        if io.has_read_wall() {
            self.wall_read(node);
        }
        if !self.perform(node, effects)? {
            return Ok(());
        }
        self.judge(node, Touch::Booted)?;
        self.started(node);
        Ok(())
    }

    pub(super) fn crash(&mut self, node: NodeId) -> Verdict {
        let host = &mut self.view.hosts[node.index()];
        if host.state.take().is_none() {
            return Ok(());
        }
        host.incarnation += 1;
        host.asleep = false;
        self.backstage[node.index()].is_plain = false;
        let back = &mut self.backstage[node.index()];
        let word = |row: u64| {
            self.table.word(Purpose::Disk, row << 16 | u64::from(node.number()), u64::from(host.incarnation))
        };
        let disk = &self.plan.disk;
        let tears = back.trouble.as_ref().is_some_and(|trouble| trouble.disk.tears);
        let usual = !disk.torn.is_zero() && disk.torn.hits(word(4));
        let lost = host.disk.crash(word(1), disk.unsynced, tears || usual);
        if lost.torn && !usual {
            self.audit.bite(Kind::TornWrite, |fault| fault.hits(node));
        }
        if lost.pretended > 0 {
            self.audit.bite_past(Kind::LostSync, |fired| fired.hits(node));
        }
        back.parked.clear();
        if let Some(trouble) = &mut back.trouble {
            trouble.on_crash();
        }
        // What had arrived and waited dies with the node.
        for held in std::mem::take(&mut back.held) {
            if let Held::Event(Event::Arrival { from, to, message, .. } | Event::Served { from, to, message, .. }) =
                held
            {
                self.drop_message(from, to, &message);
            }
        }
        P::Timer::ALL.iter().for_each(|timer| self.deadlines.disarm(Self::timer_number(node, *timer)));
        self.cause = Cause::Crash;
        let lost = lost.unsynced + lost.durable;
        self.trace.happened(self.view.now, &Happening::Crashed { node, lost });
        self.judge(node, Touch::Crashed { lost })?;
        self.crashed(node);
        Ok(())
    }

    pub(super) fn fall_asleep(&mut self, node: NodeId) {
        let host = &mut self.view.hosts[node.index()];
        host.asleep = host.state.is_some();
        self.backstage[node.index()].is_plain = false;
    }

    /// Keeps what comes to a sleeper.
    #[cold]
    pub(super) fn hold(&mut self, node: NodeId, held: Held<P>) {
        self.audit.bite(Kind::Pause, |fault| fault.hits(node));
        self.backstage[node.index()].held.push(held);
    }

    /// Everything that waited for the sleeper happens now, in its order: late, as after a stalled
    /// garbage collection.
    pub(super) fn wake(&mut self, node: NodeId) {
        let (host, back) = (&mut self.view.hosts[node.index()], &mut self.backstage[node.index()]);
        (host.asleep, host.woken) = (false, self.view.now);
        back.is_plain = host.state.is_some() && back.trouble.is_none() && host.clock.is_true();
        for held in std::mem::take(&mut self.backstage[node.index()].held) {
            match held {
                Held::Event(event) => self.queue.push(self.view.now, event),
                Held::Timer(timer) => self.deadlines.arm(&mut self.queue, timer, self.view.now),
            }
        }
    }

    /// A message whose turn has come at a node that is slow.
    #[cold]
    pub(super) fn serve(
        &mut self,
        from: NodeId,
        to: NodeId,
        incarnation: u32,
        message: P::Message,
        effects: &mut Effects<P>,
    ) -> Verdict {
        let host = &self.view.hosts[to.index()];
        if host.state.is_none() || host.incarnation != incarnation {
            self.drop_message(from, to, &message);
            return Ok(());
        }
        if host.asleep {
            self.hold(to, Held::Event(Event::Served { from, to, incarnation, message }));
            return Ok(());
        }
        self.deliver(from, to, message, effects)
    }

    /// A message that does not come through: its link is cut or held up, or nobody is there.
    #[cold]
    pub(super) fn stop_message(&mut self, from: NodeId, to: NodeId, incarnation: u32, message: P::Message) {
        let (sender, receiver) = (from.number(), to.number());
        if self.view.network.is_cut(sender, receiver) {
            // To somebody who is down it would not have come through anyway.
            if self.view.hosts[to.index()].state.is_some() {
                self.audit.bite(Kind::Partition, |fault| fault.covers(from, to));
            }
        } else if self.view.network.is_clogged(sender, receiver) {
            self.audit.bite(Kind::Clog, |fault| fault.covers(from, to));
            self.stuck.push(Event::Arrival { from, to, incarnation, message });
            return;
        }
        self.drop_message(from, to, &message);
    }

    /// A message is lost. What a node tells itself is no traffic.
    pub(super) fn drop_message(&mut self, from: NodeId, to: NodeId, message: &P::Message) {
        self.traffic.dropped += u64::from(from != to);
        self.trace.happened(self.view.now, &Happening::Dropped { from, to, message });
    }

    /// Lets go what was held at links that are free again.
    pub(super) fn unclog(&mut self) {
        if self.stuck.is_empty() {
            return;
        }
        for event in std::mem::take(&mut self.stuck) {
            let Event::Arrival { from, to, .. } = &event else { unreachable!("only messages are stuck") };
            let (from, to) = (from.number(), to.number());
            if self.view.network.is_clogged(from, to) && !self.view.network.is_cut(from, to) {
                self.stuck.push(event);
            } else {
                self.queue.push(self.view.now, event);
            }
        }
    }

    /// What is wrong with a node, for somebody who is about to change it.
    pub(super) fn trouble(&mut self, node: NodeId) -> &mut Trouble {
        self.backstage[node.index()].is_plain = false;
        self.backstage[node.index()].trouble.get_or_insert_with(|| Box::new(Trouble::of(P::Timer::ALL.len())))
    }

    /// Makes a node's clocks run as its troubles say, and its timers fire when they are due by them.
    pub(super) fn set_clock(&mut self, node: NodeId) {
        let Some(trouble) = &self.backstage[node.index()].trouble else { return };
        let clock = &mut self.view.hosts[node.index()].clock;
        let rate = if trouble.is_frozen { 0 } else { clock_rate(&self.plan.clocks, node, trouble.drift_ppm) };
        if rate == clock.rate() {
            return;
        }
        clock.set_rate(self.view.now, rate);
        for (slot, deadline) in trouble.alarms() {
            let number = Self::timer_number(node, P::Timer::ALL[slot]);
            let (before, due) = (self.deadlines.due(number), clock.when(self.view.now, deadline));
            match due {
                Some(due) => self.deadlines.arm(&mut self.queue, number, due),
                None => self.deadlines.disarm(number),
            }
            // That a clock runs again as it should is nobody's fault.
            if let Some(kind) = trouble.bends_clocks().filter(|_| due != before) {
                self.audit.bite(kind, |fault| fault.hits(node));
            }
        }
    }

    /// A timer is armed while a fault bends the node's clocks: whether it fires at another time for that.
    #[cold]
    pub(super) fn armed_by_bent_clock(&mut self, node: NodeId, kind: Kind, after: Span) {
        let bent = self.view.hosts[node.index()].clock;
        let mut usual = bent;
        usual.set_rate(self.view.now, clock_rate(&self.plan.clocks, node, 0));
        if usual.after(self.view.now, after) != bent.after(self.view.now, after) {
            self.audit.bite(kind, |fault| fault.hits(node));
        }
    }

    /// A node has looked at its wall clock: what faults have done to it is seen now, also if they are over.
    #[cold]
    pub(super) fn wall_read(&mut self, node: NodeId) {
        for kind in [Kind::ClockJump, Kind::ClockDrift, Kind::ClockFreeze] {
            self.audit.bite_past(kind, |fired| fired.hits(node));
        }
    }
}

/// How much a node's monotonic clock shows beyond its ticks after a start, in [`Clock::GRAIN`]: anything.
///
/// [`Clock::GRAIN`]: crate::environment::clock::Clock::GRAIN
#[inline]
fn started_with(table: Table, node: NodeId, incarnation: u32) -> u32 {
    (table.word(Purpose::Clocks, node.number().into(), incarnation.into()) >> 32) as u32
}

/// How fast a node's clocks run, with so many millionths more than its plan says.
fn clock_rate(clocks: &[plan::Clock], node: NodeId, ppm: i64) -> u64 {
    let drift = clocks.get(node.index()).map_or(0, |clock| i64::from(clock.drift_ppm));
    (1_000_000 + drift + ppm).max(0) as u64
}

/// What a boot reads: up to the first damaged record, if a checksum tells that it is; without checksums, garbage in
/// its place, and all that comes after it.
fn read<P: Protocol>(disk: &mut Disk<P::Record>, config: &P::Config, word: impl Fn(usize) -> u64) -> Read<P> {
    if disk.is_blank() {
        return (Vec::new(), None);
    }
    let damage = match disk.boot().damage {
        None => None,
        Some(damage::Damage::Torn) => Some(Damage::Torn),
        Some(damage::Damage::Rotten { lost }) => Some(Damage::Rotten { lost }),
    };
    let mut records: Vec<P::Record> = disk.records().cloned().collect();
    let readable = records.len();
    let taken = disk.on_platter().enumerate().skip(readable).map_while(|(place, (record, is_damaged))| {
        if is_damaged { P::garble_record(config, record, word(place)) } else { Some(record.clone()) }
    });
    records.extend(taken);
    if records.len() == readable {
        return (records, damage);
    }
    disk.misread(records[readable..].to_vec());
    (records, None)
}

type Read<P> = (Vec<<P as Protocol>::Record>, Option<Damage>);
