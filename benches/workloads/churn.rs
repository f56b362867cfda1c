//! W2, timer churn: every node has a beat of 50 ms that re-arms a timer of 150 to 300 ms, which never fires.

use squall::environment::distribution::Distribution;
use squall::environment::plan::Plan;
use squall::kernel::chance::within;
use squall::kernel::queue::{Popped, Queue};
use squall::kernel::rng::{Dice, Purpose};
use squall::kernel::time::{Span, Time};
use squall::kernel::timers::Deadlines;
use squall::oracle::spec::{Oracle, Touch, Verdict, View, Violation};
use squall::protocol::{self, Cast, Found, Io, NodeId, Nothing, Protocol};
use squall::trace::Fingerprint;
use squall::world::World;
use std::sync::Arc;

const BEAT: Span = Span::ms(50);
const TIMEOUT: (Span, Span) = (Span::ms(150), Span::ms(300));

#[derive(Clone, Copy, Debug)]
pub enum Timer {
    Beat,
    Timeout,
}

impl protocol::Timer for Timer {
    const ALL: &'static [Timer] = &[Timer::Beat, Timer::Timeout];

    fn slot(self) -> usize {
        self as usize
    }
}

/// One node: how often it was re-armed, and how often it was not in time.
#[derive(Clone, Debug)]
pub struct Churn {
    rearmed: u64,
    fired: u64,
}

impl Protocol for Churn {
    type Config = u16;
    type Message = Nothing;
    type Timer = Timer;
    type Record = Nothing;
    type Fact = Nothing;

    fn cast(nodes: &u16) -> Cast {
        Cast::members(*nodes)
    }

    fn boot(_: &u16, _: NodeId, _: Found<'_, Nothing>, io: &mut Io<'_, Churn>) -> Churn {
        let phase = Span::ns(io.dice().below(BEAT.as_ns()));
        io.arm(Timer::Beat, phase);
        Churn { rearmed: 0, fired: 0 }
    }

    fn on_message(&mut self, _: NodeId, message: Nothing, _: &mut Io<'_, Churn>) {
        match message {}
    }

    fn on_timer(&mut self, timer: Timer, io: &mut Io<'_, Churn>) {
        match timer {
            Timer::Beat => {
                self.rearmed += 1;
                let timeout = within(io.dice().next(), TIMEOUT.0, TIMEOUT.1);
                io.arm(Timer::Timeout, timeout);
                io.arm(Timer::Beat, BEAT);
            }
            Timer::Timeout => self.fired += 1,
        }
    }
}

/// Checks after every step that nobody has timed out.
#[derive(Clone, Copy, Debug)]
pub struct InTime;

impl Oracle<Churn> for InTime {
    fn on_fact(&mut self, _: &View<Churn>, _: NodeId, fact: &Nothing) -> Verdict {
        match *fact {}
    }

    #[inline]
    fn after_step(&mut self, view: &View<Churn>, node: NodeId, _: Touch) -> Verdict {
        match view.state(node) {
            Some(churn) if churn.fired > 0 => {
                Err(Box::new(Violation::new("churn.in-time", &[node], "a timer was not re-armed in time")))
            }
            Some(_) | None => Ok(()),
        }
    }
}

pub fn plan(seed: u64, nodes: u16) -> Arc<Plan<u16>> {
    let mut plan = Plan::new(nodes, seed, Span::secs(100_000));
    plan.network.latency = Distribution::ZERO;
    plan.disk.sync = Distribution::ZERO;
    Arc::new(plan)
}

/// Plays until so many re-armings have been made.
pub fn squall(plan: &Arc<Plan<u16>>, rearmings: u64) -> World<Churn, InTime, Fingerprint> {
    let mut world = World::new(Arc::clone(plan), InTime, Fingerprint::default());
    world.start().expect("a sound start");
    let booted = world.steps();
    world.run_until(Time::ZERO + Span::secs(100_000), booted + rearmings, |_, _| false).expect("a sound run");
    world
}

/// The limit: the queue, the deadlines, the dice and the state.
pub fn bare(seed: u64, nodes: u16, rearmings: u64) -> u64 {
    let mut queue = Queue::<()>::with_capacity(2 * nodes as usize);
    let mut deadlines = Deadlines::with_slots(2 * nodes as usize);
    let mut dice = Dice::new(seed, Purpose::Node, 0);
    let mut states = vec![(0_u64, 0_u64); nodes as usize];
    for node in 0..u32::from(nodes) {
        let phase = Span::ns(dice.below(BEAT.as_ns()));
        deadlines.arm(&mut queue, 2 * node, Time::ZERO + phase);
    }
    let mut made = 0;
    while made < rearmings {
        let Some((now, ticket, Popped::Mark(timer))) = queue.pop() else { unreachable!("never empty") };
        if !deadlines.surfaced(&mut queue, timer, (now, ticket)) {
            continue;
        }
        let state = &mut states[timer as usize / 2];
        if timer % 2 == 1 {
            state.1 += 1;
            continue;
        }
        state.0 += 1;
        made += 1;
        deadlines.arm(&mut queue, timer + 1, now + within(dice.next(), TIMEOUT.0, TIMEOUT.1));
        deadlines.arm(&mut queue, timer, now + BEAT);
    }
    states.iter().map(|state| state.0 ^ state.1).sum()
}
