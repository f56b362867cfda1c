//! One run in progress: pop an event, let a node handle it, perform its effects, ask the oracles.
//!
//! A world is a value. It holds no thread, no shared cell and no global, so it can be kept,
//! cloned at any step and played on: both halves come to the same end.

mod audit;
mod fork;
mod hindrance;
mod lifecycle;
mod moments;
mod orders;
mod perform;
mod stop;
mod trouble;
mod weather;
mod whom;

use crate::environment::clock::Clock;
use crate::environment::disk::Disk;
use crate::environment::distribution::Distribution;
use crate::environment::fault::{Kind, PlannedFault};
use crate::environment::network::{Network, Traffic};
use crate::environment::plan::Plan;
use crate::kernel::queue::{Place, Popped, Queue};
use crate::kernel::rng::{Dice, Table};
use crate::kernel::time::Time;
use crate::kernel::timers::Deadlines;
use crate::oracle::spec::{Host, Oracle, Touch, Verdict, View, Violation};
use crate::protocol::effects::another;
use crate::protocol::{Cast, Effects, Io, NodeId, Order, Protocol, Timer};
use crate::trace::{Happening, Trace};
use audit::Audit;
use moments::Moments;
use std::collections::VecDeque;
use std::sync::Arc;
use stop::Cause;
use trouble::Trouble;
use weather::Weather;

pub use audit::FaultCounts;
pub use stop::{Failure, Pause};

/// One run in progress, judged by `O`, listened to by `T`.
#[derive(Clone)]
pub struct World<P: Protocol, O, T> {
    plan: Arc<Plan<P::Config>>,
    cast: Cast,
    view: View<P>,
    queue: Queue<Event<P>>,
    deadlines: Deadlines,
    backstage: Vec<Backstage<P>>,
    weather: Weather,
    moments: Moments,
    audit: Audit,
    /// What waits for a link to be free again, in the order in which it came.
    stuck: Vec<Event<P>>,
    traffic: Traffic,
    table: Table,
    sync_latency: Distribution,
    /// How many stops there were, and when the one that is in the queue is due.
    stops: u32,
    stop_at: Option<Time>,
    /// What the last step was, or the one that is being taken.
    cause: Cause<P::Timer>,
    oracles: O,
    trace: T,
    in_handler: bool,
    /// Of the turn that is being taken, if one is; its memory is used again and again.
    effects: Effects<P>,
}

/// What an oracle is not shown of a node.
#[derive(Clone)]
struct Backstage<P: Protocol> {
    /// Whether it is up and awake, shows true time, and has never been in trouble: what most are, at one look.
    is_plain: bool,
    dice: Dice,
    /// How many syncs it has begun.
    syncs: u32,
    /// What leaves when so many records are durable, in order.
    parked: VecDeque<(usize, Parked<P>)>,
    /// What waits for a sleeper to wake, in order.
    held: Vec<Held<P>>,
    /// What is wrong with it; most nodes are well.
    trouble: Option<Box<Trouble>>,
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

/// Of a message that whoever is there gets, whatever has happened to the receiver since it was sent.
const ANY_INCARNATION: u32 = u32::MAX;

#[derive(Clone)]
enum Event<P: Protocol> {
    Arrival {
        from: NodeId,
        to: NodeId,
        incarnation: u32,
        message: P::Message,
    },
    /// A message whose turn has come at a node that is slow.
    Served {
        from: NodeId,
        to: NodeId,
        incarnation: u32,
        message: P::Message,
    },
    Ordered {
        node: NodeId,
        incarnation: u32,
        fault: u32,
        order: Order,
    },
    DiskFailed {
        node: NodeId,
        incarnation: u32,
    },
    SyncDone {
        node: NodeId,
        incarnation: u32,
    },
    Release {
        node: NodeId,
        incarnation: u32,
    },
    FaultBegins(u32),
    FaultEnds(u32),
    Stop(u32),
}

impl<P: Protocol> Event<P> {
    /// The message of an arrival.
    #[inline(always)]
    fn into_message(self) -> P::Message {
        match self {
            Event::Arrival { message, .. } => message,
            _ => another(),
        }
    }
}

impl<P: Protocol, O: Oracle<P>, T: Trace<P>> World<P, O, T> {
    /// A world at time zero. No node has started yet: [`World::start`] does that.
    pub fn new(plan: Arc<Plan<P::Config>>, oracles: O, trace: T) -> World<P, O, T> {
        let cast = P::cast(&plan.system);
        let (members, count) = (cast.member_count(), cast.count());
        let clock = |node: usize| plan.clocks.get(node).copied().unwrap_or_default();
        let host = |node: u16| Host {
            state: None,
            // Copied from where constants lie; made on the spot, it is written in words and read back in wider ones at once.
            disk: const { Disk::new() },
            clock: Clock::new(clock(node as usize)),
            incarnation: 0,
            asleep: false,
            woken: Time::ZERO,
            impaired: false,
        };
        let backstage = |dice| Backstage {
            is_plain: false,
            dice,
            syncs: 0,
            parked: VecDeque::new(),
            held: Vec::new(),
            trouble: None,
        };
        let (table, dice) = Table::with_nodes(plan.seed, u64::from(count));
        World {
            cast,
            view: View {
                now: Time::ZERO,
                step: 0,
                touched: NodeId::new(0),
                hosts: (0..count).map(host).collect(),
                network: Network::new(&plan.network, table, members, count, &whom::link_settings(&plan.network, &cast)),
                core: None,
            },
            queue: Queue::with_capacity(4 * count as usize + plan.faults.len()),
            deadlines: Deadlines::with_slots(count as usize * P::Timer::ALL.len()),
            backstage: dice.map(backstage).collect(),
            weather: Weather::default(),
            moments: Moments::default(),
            audit: Audit::new(&plan.faults),
            stuck: Vec::new(),
            traffic: Traffic::default(),
            table,
            sync_latency: plan.disk.sync,
            stops: 0,
            stop_at: None,
            cause: Cause::End,
            oracles,
            trace,
            in_handler: false,
            effects: Effects::with_room(),
            plan,
        }
    }

    /// Starts every node and schedules the faults.
    ///
    /// # Errors
    /// What an oracle found.
    pub fn start(&mut self) -> Result<(), Box<Failure>> {
        for (number, fault) in self.plan.faults.iter().enumerate() {
            match &fault.when {
                None => self.queue.push(fault.at, Event::FaultBegins(number as u32)),
                Some(trigger) => self.moments.wait(number as u32, trigger, &self.oracles.goals()),
            }
        }
        // Whose clock will change must know all its timers by its own time.
        let changes_clock = |fault: &PlannedFault| matches!(fault.inject.kind(), Kind::ClockDrift | Kind::ClockFreeze);
        if self.plan.faults.iter().any(changes_clock) {
            for member in 0..self.cast.member_count() {
                self.trouble(NodeId::new(member));
            }
        }
        let mut effects = std::mem::take(&mut self.effects);
        let mut nodes = (0..self.cast.count()).map(NodeId::new);
        let verdict = nodes.try_for_each(|node| self.boot(node, &mut effects));
        self.effects = effects;
        verdict.map_err(|found| self.failure(found))
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
        reached: impl FnMut(&O, &View<P>) -> bool,
    ) -> Result<Pause, Box<Failure>> {
        let mut effects = std::mem::take(&mut self.effects);
        let pause = self.play(end, steps, reached, &mut effects);
        self.effects = effects;
        pause.map_err(|found| self.failure(found))
    }

    #[inline(always)]
    fn play(
        &mut self,
        end: Time,
        steps: u64,
        mut reached: impl FnMut(&O, &View<P>) -> bool,
        effects: &mut Effects<P>,
    ) -> Result<Pause, Box<Violation>> {
        // Who was out of steps and goes on finds its stop where it was.
        if self.stop_at != Some(end) {
            self.stops += 1;
            self.stop_at = Some(end);
            self.queue.push(end, Event::Stop(self.stops));
        }
        while self.view.step < steps {
            let Some((time, ticket, popped)) = self.queue.pop() else {
                unreachable!("the stop is still in the queue");
            };
            match popped {
                Popped::Item(place) => {
                    self.view.now = time;
                    // Looked at where it lies, as nearly all are: the message moves once, from there to its handler.
                    if let Event::Arrival { from, to, incarnation, .. } = *self.queue.at(&place) {
                        let message = self.queue.take(place).into_message();
                        self.arrive(from, to, incarnation, message, effects)?;
                    } else if self.take(place, effects)? {
                        self.stop_at = None;
                        return Ok(Pause::TimeIsUp);
                    }
                }
                Popped::Mark(timer) => {
                    if !self.deadlines.surfaced(&mut self.queue, timer, (time, ticket)) {
                        continue;
                    }
                    self.view.now = time;
                    self.fire(timer, effects)?;
                }
            }
            if reached(&self.oracles, &self.view) {
                return Ok(Pause::Reached);
            }
        }
        Ok(Pause::OutOfSteps)
    }

    /// Lets an event happen that is no arrival. Answers whether it is the stop that is waited for.
    #[inline]
    fn take(&mut self, place: Place, effects: &mut Effects<P>) -> Result<bool, Box<Violation>> {
        match self.queue.take(place) {
            Event::Arrival { .. } => unreachable!("arrivals are seen to where they lie"),
            Event::Served { from, to, incarnation, message } => self.serve(from, to, incarnation, message, effects)?,
            order @ Event::Ordered { .. } => self.hear(order, effects)?,
            Event::DiskFailed { node, incarnation } => self.disk_failed_late(node, incarnation)?,
            Event::SyncDone { node, incarnation } => self.sync_done(node, incarnation)?,
            Event::Release { node, incarnation } => self.release_late(node, incarnation)?,
            Event::FaultBegins(number) => self.begin_fault(number as usize)?,
            Event::FaultEnds(number) => self.end_fault(number as usize)?,
            // Others were left behind by a run that ended early.
            Event::Stop(number) => return Ok(number == self.stops),
        }
        Ok(false)
    }

    #[inline(always)]
    fn arrive(
        &mut self,
        from: NodeId,
        to: NodeId,
        incarnation: u32,
        message: P::Message,
        effects: &mut Effects<P>,
    ) -> Verdict {
        let is_plain = self.backstage[to.index()].is_plain && incarnation == ANY_INCARNATION;
        if (!is_plain || self.view.network.is_blocked(from.number(), to.number()))
            && let Some(hindrance) = self.hindrance(from, to, incarnation)
        {
            self.hinder(hindrance, from, to, incarnation, message);
            return Ok(());
        }
        self.deliver(from, to, message, effects)
    }

    #[inline(always)]
    fn deliver(&mut self, from: NodeId, to: NodeId, message: P::Message, effects: &mut Effects<P>) -> Verdict {
        let label = P::label(&message);
        self.traffic.delivered += u64::from(from != to);
        self.cause = Cause::Message(label);
        self.trace.happened(self.view.now, &Happening::Delivered { from, to, message: &message });
        if !self.turn(to, effects, |node, io| node.on_message(from, message, io))? {
            return Ok(());
        }
        self.judge(to, Touch::Handled)?;
        if self.moments.wait_for_messages { self.message_handled(to, label) } else { Ok(()) }
    }

    #[inline(always)]
    fn fire(&mut self, number: u32, effects: &mut Effects<P>) -> Verdict {
        let timers = P::Timer::ALL;
        let (node, timer) = (number as usize / timers.len(), timers[number as usize % timers.len()]);
        let (place, node) = (node, NodeId::new(node as u16));
        if !self.backstage[place].is_plain && !self.may_fire(number, node, timer) {
            return Ok(());
        }
        self.cause = Cause::Timer(timer);
        self.trace.happened(self.view.now, &Happening::Fired { node, timer });
        if !self.turn(node, effects, |state, io| state.on_timer(timer, io))? {
            return Ok(());
        }
        self.judge(node, Touch::Handled)
    }

    /// Lets a node handle something, and performs what it asks for. Answers whether it is still up after that.
    #[inline(always)]
    fn turn(
        &mut self,
        node: NodeId,
        effects: &mut Effects<P>,
        handler: impl FnOnce(&mut P, &mut Io<'_, P>),
    ) -> Result<bool, Box<Violation>> {
        let back = &mut self.backstage[node.index()];
        let host = &mut self.view.hosts[node.index()];
        let (now, wall) = match back.is_plain {
            true => (self.view.now + host.clock.ahead(), self.view.now),
            false => (host.clock.monotonic(self.view.now), host.clock.wall(self.view.now)),
        };
        let state = host.state.as_mut().expect("a node that is up");
        let mut io = Io::new(node, now, wall, &mut back.dice, effects)
            .with_ahead(host.clock.ahead())
            .with_uncertainty(self.plan.clock_uncertainty);
        self.in_handler = true;
        handler(state, &mut io);
        self.in_handler = false;
        if io.has_read_wall() {
            self.wall_read(node);
        }
        self.perform(node, effects)
    }

    /// Asks the oracles about the node that was touched.
    #[inline]
    fn judge(&mut self, node: NodeId, touch: Touch) -> Verdict {
        self.view.step += 1;
        self.view.touched = node;
        self.oracles.after_step(&self.view, node, touch)?;
        if self.moments.wait_for_goals { self.goals_reached(node) } else { Ok(()) }
    }

    #[expect(clippy::boxed_local, reason = "it comes boxed from the oracles")]
    fn failure(&self, violation: Box<Violation>) -> Box<Failure> {
        Box::new(Failure { violation: *violation, at: self.view.now, step: self.view.step, during: self.during() })
    }

    /// The oracles' last word.
    ///
    /// # Errors
    /// What an oracle found.
    pub fn end(&mut self) -> Result<(), Box<Failure>> {
        self.cause = Cause::End;
        let verdict = self.oracles.at_end(&self.view);
        verdict.map_err(|found| self.failure(found))
    }

    /// Why nobody could have settled, if the faults that are left prove it.
    pub fn excuse(&self) -> Option<String> {
        self.oracles.excuse(&self.view)
    }

    /// The failure that says what is still pending, for a world that did not settle.
    pub fn unsettled(&mut self) -> Box<Failure> {
        self.cause = Cause::End;
        self.failure(Box::new(self.oracles.pending(&self.view)))
    }

    /// What an oracle may look at.
    #[inline]
    pub fn view(&self) -> &View<P> {
        &self.view
    }

    /// True time.
    pub fn now(&self) -> Time {
        self.view.now
    }

    /// How many times a node has been touched and the oracles asked.
    pub fn steps(&self) -> u64 {
        self.view.step
    }

    /// How many messages between different nodes are under way, counted one by one: on a link, held at one that is
    /// clogged, or waiting for a node that sleeps or is slow.
    pub fn in_flight(&self) -> u64 {
        let is_message = |event: &&Event<P>| matches!(event, Event::Arrival { from, to, .. } | Event::Served { from, to, .. } if from != to);
        let held = self.backstage.iter().flat_map(|back| &back.held).filter_map(|held| match held {
            Held::Event(event) => Some(event),
            Held::Timer(_) => None,
        });
        self.queue.items().chain(&self.stuck).chain(held).filter(is_message).count() as u64
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

    /// The same, and all that there is to see, for a listener who looks at what it hears of.
    pub fn trace_beside_view(&mut self) -> (&mut T, &View<P>) {
        (&mut self.trace, &self.view)
    }

    /// What kind of step the last one was, or the one that is being taken.
    pub fn during(&self) -> String {
        self.cause.told()
    }

    /// Whether a handler of the protocol is at work: a panic now is the protocol's.
    pub fn in_handler(&self) -> bool {
        self.in_handler
    }

    /// Whether more is pending than there is room for: the world has panicked.
    pub fn is_overfull(&self) -> bool {
        self.queue.is_full()
    }

    /// Who takes part.
    pub fn cast(&self) -> &Cast {
        &self.cast
    }
}
