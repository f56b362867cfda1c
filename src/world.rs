//! One run in progress: pop an event, let a node handle it, perform its effects, ask the oracles.
//!
//! A world is a value. It holds no thread, no shared cell and no global, so it can be kept,
//! cloned at any step and played on: both halves come to the same end.

mod stop;
mod weather;

use crate::environment::clock::Clock;
use crate::environment::disk::Disk;
use crate::environment::distribution::Distribution;
use crate::environment::network::{Network, Traffic};
use crate::environment::plan::Plan;
use crate::kernel::queue::{Popped, Queue};
use crate::kernel::rng::{Dice, Purpose, Table};
use crate::kernel::time::{Span, Time};
use crate::kernel::timers::Deadlines;
use crate::oracle::spec::{Host, Oracle, Touch, Verdict, View, Violation};
use crate::protocol::{Cast, Effect, Io, NodeId, Protocol, Timer};
use crate::trace::{Happening, Trace};
use std::collections::VecDeque;
use std::sync::Arc;
use stop::Cause;
use weather::Weather;

pub use stop::{Failure, Pause};

/// One run in progress, judged by `O`, listened to by `T`.
#[derive(Clone)]
pub struct World<P: Protocol, O, T> {
    plan: Arc<Plan<P::Config>>,
    cast: Cast,
    now: Time,
    steps: u64,
    queue: Queue<Event<P>>,
    deadlines: Deadlines,
    network: Network,
    hosts: Vec<Host<P>>,
    backstage: Vec<Backstage<P>>,
    weather: Weather,
    traffic: Traffic,
    table: Table,
    sync_latency: Distribution,
    /// How many stops there were, and when the one that is in the queue is due.
    stops: u32,
    stop_at: Option<Time>,
    /// Who was touched last, and by what.
    touched: NodeId,
    cause: Cause<P::Timer>,
    oracles: O,
    trace: T,
    in_handler: bool,
}

/// What an oracle is not shown of a node.
#[derive(Clone)]
struct Backstage<P: Protocol> {
    clock: Clock,
    dice: Dice,
    /// How many syncs it has begun.
    syncs: u32,
    /// What leaves when so many records are durable, in order.
    parked: VecDeque<(usize, Parked<P>)>,
    /// What waits for a sleeper to wake, in order.
    held: Vec<Held<P>>,
}

#[derive(Clone)]
enum Parked<P: Protocol> {
    Send(NodeId, P::Message),
    Note(P::Fact),
}

#[derive(Clone)]
enum Held<P: Protocol> {
    Event(Event<P>),
    Timer(u32),
}

#[derive(Clone)]
enum Event<P: Protocol> {
    Arrival { from: NodeId, to: NodeId, incarnation: u32, message: P::Message },
    SyncDone { node: NodeId, incarnation: u32 },
    Release { node: NodeId, incarnation: u32 },
    FaultBegins(u32),
    FaultEnds(u32),
    Stop(u32),
}

impl<P: Protocol, O: Oracle<P>, T: Trace<P>> World<P, O, T> {
    /// A world at time zero. No node has started yet: [`World::start`] does that.
    pub fn new(plan: Arc<Plan<P::Config>>, oracles: O, trace: T) -> World<P, O, T> {
        let cast = P::cast(&plan.system);
        let (members, count) = (cast.member_count(), cast.count());
        let clock = |node: usize| plan.clocks.get(node).map_or(Clock::TRUE, |clock| Clock::new(*clock, Span::ZERO));
        let host = |_| Host { state: None, disk: Disk::new(), incarnation: 0, asleep: false };
        let backstage =
            |(node, dice)| Backstage { clock: clock(node), dice, syncs: 0, parked: VecDeque::new(), held: Vec::new() };
        let (table, dice) = Table::with_nodes(plan.seed, u64::from(count));
        World {
            cast,
            now: Time::ZERO,
            steps: 0,
            queue: Queue::with_capacity(4 * count as usize + plan.faults.len()),
            deadlines: Deadlines::with_slots(count as usize * P::Timer::ALL.len()),
            network: Network::new(&plan.network, table, members, count, &[]),
            hosts: (0..count).map(host).collect(),
            backstage: dice.enumerate().map(backstage).collect(),
            weather: Weather::default(),
            traffic: Traffic::default(),
            table,
            sync_latency: plan.disk.sync,
            stops: 0,
            stop_at: None,
            touched: NodeId::new(0),
            cause: Cause::End,
            oracles,
            trace,
            in_handler: false,
            plan,
        }
    }

    /// Starts every node and schedules the faults.
    ///
    /// # Errors
    /// What an oracle found.
    pub fn start(&mut self) -> Result<(), Box<Failure>> {
        for number in 0..self.plan.faults.len() {
            self.queue.push(self.plan.faults[number].at, Event::FaultBegins(number as u32));
        }
        let mut effects = Vec::new();
        let mut nodes = (0..self.cast.count()).map(NodeId::new);
        nodes.try_for_each(|node| self.boot(node, &mut effects)).map_err(|found| self.failure(found))
    }

    /// Plays on until the given time, or until `reached` says so (it is asked after every step), or
    /// until so many steps have been taken altogether.
    ///
    /// # Errors
    /// What an oracle found.
    pub fn run_until(
        &mut self,
        end: Time,
        steps: u64,
        mut reached: impl FnMut(&O, &View<'_, P>) -> bool,
    ) -> Result<Pause, Box<Failure>> {
        // Who was out of steps and goes on finds its stop where it was.
        if self.stop_at != Some(end) {
            self.stops += 1;
            self.stop_at = Some(end);
            self.queue.push(end, Event::Stop(self.stops));
        }
        // The effects of the turn that is being taken; its memory is used again and again.
        let mut effects = Vec::new();
        while self.steps < steps {
            let Some((time, ticket, popped)) = self.queue.pop() else {
                unreachable!("the stop is still in the queue");
            };
            let verdict = match popped {
                Popped::Item(Event::Stop(number)) if number == self.stops => {
                    self.now = time;
                    self.stop_at = None;
                    return Ok(Pause::TimeIsUp);
                }
                Popped::Item(event) => {
                    self.now = time;
                    self.take(event, &mut effects)
                }
                Popped::Mark(timer) => {
                    if !self.deadlines.surfaced(&mut self.queue, timer, (time, ticket)) {
                        continue;
                    }
                    self.now = time;
                    self.fire(timer, &mut effects)
                }
            };
            verdict.map_err(|found| self.failure(found))?;
            if reached(&self.oracles, &self.view()) {
                return Ok(Pause::Reached);
            }
        }
        Ok(Pause::OutOfSteps)
    }

    #[inline(always)]
    fn take(&mut self, event: Event<P>, effects: &mut Vec<Effect<P>>) -> Verdict {
        match event {
            Event::Arrival { from, to, incarnation, message } => self.arrive(from, to, incarnation, message, effects),
            Event::SyncDone { node, incarnation } => self.sync_done(node, incarnation),
            Event::Release { node, incarnation } => {
                if self.hosts[node.index()].incarnation != incarnation {
                    return Ok(());
                }
                self.cause = Cause::Sync;
                self.release(node)?;
                self.judge(node, Touch::Synced)
            }
            Event::FaultBegins(number) => self.begin_fault(number as usize),
            Event::FaultEnds(number) => self.end_fault(number as usize),
            // Left behind by a run that ended early.
            Event::Stop(_) => Ok(()),
        }
    }

    #[inline(always)]
    fn arrive(
        &mut self,
        from: NodeId,
        to: NodeId,
        incarnation: u32,
        message: P::Message,
        effects: &mut Vec<Effect<P>>,
    ) -> Verdict {
        let host = &self.hosts[to.index()];
        // What a node sends itself is volatile: a crash takes it along.
        let stale = from == to && host.incarnation != incarnation;
        if host.state.is_none() || stale || self.network.is_blocked(from.number(), to.number()) {
            self.trace.happened(self.now, &Happening::Dropped { from, to, message: &message });
            self.traffic.dropped += 1;
            return Ok(());
        }
        if host.asleep {
            self.backstage[to.index()].held.push(Held::Event(Event::Arrival { from, to, incarnation, message }));
            return Ok(());
        }
        self.traffic.delivered += u64::from(from != to);
        self.cause = Cause::Message(P::label(&message));
        self.trace.happened(self.now, &Happening::Delivered { from, to, message: &message });
        self.turn(to, effects, |node, io| node.on_message(from, message, io))?;
        self.judge(to, Touch::Handled)
    }

    #[inline(always)]
    fn fire(&mut self, number: u32, effects: &mut Vec<Effect<P>>) -> Verdict {
        let timers = P::Timer::ALL;
        let (node, timer) = (number as usize / timers.len(), timers[number as usize % timers.len()]);
        if self.hosts[node].asleep {
            self.backstage[node].held.push(Held::Timer(number));
            return Ok(());
        }
        let node = NodeId::new(node as u16);
        self.cause = Cause::Timer(timer);
        self.trace.happened(self.now, &Happening::Fired { node, timer });
        self.turn(node, effects, |state, io| state.on_timer(timer, io))?;
        self.judge(node, Touch::Handled)
    }

    fn sync_done(&mut self, node: NodeId, incarnation: u32) -> Verdict {
        let host = &mut self.hosts[node.index()];
        if host.incarnation != incarnation {
            return Ok(());
        }
        let next = host.disk.complete(true);
        self.cause = Cause::Sync;
        let (records, asleep) = (host.disk.synced(), host.asleep);
        self.trace.happened(self.now, &Happening::Synced { node, records });
        if next {
            self.begin_sync(node);
        }
        if asleep {
            self.backstage[node.index()].held.push(Held::Event(Event::Release { node, incarnation }));
        } else {
            self.release(node)?;
        }
        self.judge(node, Touch::Synced)
    }

    /// Lets a node handle something, and performs what it asks for.
    #[inline(always)]
    fn turn(
        &mut self,
        node: NodeId,
        effects: &mut Vec<Effect<P>>,
        handler: impl FnOnce(&mut P, &mut Io<'_, P>),
    ) -> Verdict {
        let back = &mut self.backstage[node.index()];
        let state = self.hosts[node.index()].state.as_mut().expect("a node that is up");
        let (now, wall) = (back.clock.monotonic(self.now), back.clock.wall(self.now));
        self.in_handler = true;
        handler(state, &mut Io::new(node, now, wall, &mut back.dice, effects));
        self.in_handler = false;
        self.perform(node, effects)
    }

    /// The first start of a node, or a restart.
    fn boot(&mut self, node: NodeId, effects: &mut Vec<Effect<P>>) -> Verdict {
        let host = &mut self.hosts[node.index()];
        let back = &mut self.backstage[node.index()];
        assert!(host.state.is_none(), "{node:?} is up already");
        let records = host.disk.boot().readable;
        self.cause = Cause::Start;
        self.trace.happened(self.now, &Happening::Booted { node, records });
        let (now, wall) = (back.clock.monotonic(self.now), back.clock.wall(self.now));
        self.in_handler = true;
        let mut io = Io::new(node, now, wall, &mut back.dice, effects);
        // Contiguous for once: a restart reads everything anyway.
        let records: Vec<P::Record> = host.disk.records().from(0).cloned().collect();
        host.state = Some(P::boot(&self.plan.system, node, &records, &mut io));
        self.in_handler = false;
        self.perform(node, effects)?;
        self.judge(node, Touch::Booted)
    }

    /// Performs the effects of a turn in their order.
    #[inline(always)]
    fn perform(&mut self, node: NodeId, effects: &mut Vec<Effect<P>>) -> Verdict {
        // Once the gate is shut, how many records must be durable for it to open.
        let mut gate = None;
        for effect in effects.drain(..) {
            match effect {
                Effect::Send { to, message } => match gate {
                    None => self.send(node, to, message),
                    Some(upto) => self.park(node, upto, Parked::Send(to, message)),
                },
                Effect::Arm { timer, after } => self.arm(node, timer, after),
                Effect::Disarm(timer) => self.deadlines.disarm(Self::timer_number(node, timer)),
                Effect::Write(record) => self.hosts[node.index()].disk.write(record),
                Effect::Sync => gate = self.sync(node),
                Effect::Note(fact) => match gate {
                    None => self.note(node, &fact)?,
                    Some(upto) => self.park(node, upto, Parked::Note(fact)),
                },
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn send(&mut self, from: NodeId, to: NodeId, message: P::Message) {
        if from == to {
            let incarnation = self.hosts[from.index()].incarnation;
            self.queue.push(self.now, Event::Arrival { from, to, incarnation, message });
            return;
        }
        // Only what a node sends itself hangs on who it was.
        let incarnation = 0;
        self.traffic.sent += 1;
        let fate = self.network.fate(from.number(), to.number(), self.now, || 0);
        if let Some(again) = fate.again {
            self.traffic.doubled += 1;
            let message = message.clone();
            self.queue.push(self.now + again, Event::Arrival { from, to, incarnation, message });
        }
        match fate.arrives {
            Some(after) => self.queue.push(self.now + after, Event::Arrival { from, to, incarnation, message }),
            None => {
                self.traffic.dropped += 1;
                self.trace.happened(self.now, &Happening::Dropped { from, to, message: &message });
            }
        }
    }

    fn note(&mut self, node: NodeId, fact: &P::Fact) -> Verdict {
        self.trace.happened(self.now, &Happening::Noted { node, fact });
        let view =
            View { now: self.now, step: self.steps, hosts: &self.hosts, network: &self.network, touched: self.touched };
        self.oracles.on_fact(&view, node, fact)
    }

    fn park(&mut self, node: NodeId, upto: usize, parked: Parked<P>) {
        self.backstage[node.index()].parked.push_back((upto, parked));
    }

    /// Lets go what waited for records that are durable now.
    fn release(&mut self, node: NodeId) -> Verdict {
        let synced = self.hosts[node.index()].disk.synced();
        let ready = |(upto, _): &(usize, Parked<P>)| *upto <= synced;
        while self.backstage[node.index()].parked.front().is_some_and(ready) {
            match self.backstage[node.index()].parked.pop_front().expect("a front").1 {
                Parked::Send(to, message) => self.send(node, to, message),
                Parked::Note(fact) => self.note(node, &fact)?,
            }
        }
        Ok(())
    }

    #[inline]
    fn arm(&mut self, node: NodeId, timer: P::Timer, after: Span) {
        let due = self.backstage[node.index()].clock.after(self.now, after).unwrap_or(Time::NEVER);
        self.deadlines.arm(&mut self.queue, Self::timer_number(node, timer), due);
    }

    #[inline]
    fn timer_number(node: NodeId, timer: P::Timer) -> u32 {
        (node.index() * P::Timer::ALL.len() + timer.slot()) as u32
    }

    /// Begins a sync if one is needed. Answers how many records must be durable before what
    /// follows may leave, if not all are.
    #[inline]
    fn sync(&mut self, node: NodeId) -> Option<usize> {
        let disk = &mut self.hosts[node.index()].disk;
        if disk.is_clean() {
            return None;
        }
        if self.sync_latency.is_zero() {
            disk.sync_at_once(true);
            return None;
        }
        let upto = disk.records().len();
        if disk.ask() {
            self.begin_sync(node);
        }
        Some(upto)
    }

    fn begin_sync(&mut self, node: NodeId) {
        let back = &mut self.backstage[node.index()];
        back.syncs += 1;
        let word = self.table.word(Purpose::Disk, u64::from(node.number()), u64::from(back.syncs));
        let incarnation = self.hosts[node.index()].incarnation;
        let done = self.now + self.weather.sync_latency(self.sync_latency, word);
        self.queue.push(done, Event::SyncDone { node, incarnation });
    }

    /// Asks the oracles about the node that was touched.
    #[inline]
    fn judge(&mut self, node: NodeId, touch: Touch) -> Verdict {
        self.steps += 1;
        self.touched = node;
        let view =
            View { now: self.now, step: self.steps, hosts: &self.hosts, network: &self.network, touched: self.touched };
        self.oracles.after_step(&view, node, touch)
    }

    #[expect(clippy::boxed_local, reason = "it comes boxed from the oracles")]
    fn failure(&self, violation: Box<Violation>) -> Box<Failure> {
        Box::new(Failure { violation: *violation, at: self.now, step: self.steps, during: self.during() })
    }

    /// The oracles' last word.
    ///
    /// # Errors
    /// What an oracle found.
    pub fn end(&mut self) -> Result<(), Box<Failure>> {
        let view =
            View { now: self.now, step: self.steps, hosts: &self.hosts, network: &self.network, touched: self.touched };
        self.cause = Cause::End;
        let verdict = self.oracles.at_end(&view);
        verdict.map_err(|found| self.failure(found))
    }

    /// The failure that says what is still pending, for a world that did not settle.
    pub fn unsettled(&mut self) -> Box<Failure> {
        self.cause = Cause::End;
        self.failure(Box::new(self.oracles.pending(&self.view())))
    }

    /// What an oracle may look at.
    #[inline]
    pub fn view(&self) -> View<'_, P> {
        View { now: self.now, step: self.steps, hosts: &self.hosts, network: &self.network, touched: self.touched }
    }

    /// True time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// How many times a node has been touched and the oracles asked.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// How many messages went where.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// The judges.
    pub fn oracles(&self) -> &O {
        &self.oracles
    }

    /// The listener.
    pub fn trace(&self) -> &T {
        &self.trace
    }

    /// The listener, to take from it what it has heard so far.
    pub fn trace_mut(&mut self) -> &mut T {
        &mut self.trace
    }

    /// What kind of step the last one was, or the one that is being taken.
    pub fn during(&self) -> String {
        self.cause.told()
    }

    /// Whether a handler of the protocol is at work: a panic now is the protocol's.
    pub fn in_handler(&self) -> bool {
        self.in_handler
    }

    /// Who takes part.
    pub fn cast(&self) -> &Cast {
        &self.cast
    }
}
