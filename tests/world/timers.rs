//! Timers fire when they are due: at the first true nanosecond at which the node's clock has reached the deadline,
//! however its pace has changed meanwhile. A sleeper's fire when it wakes, those of a slow node when it has time.
//!
//! When that is, is worked out here a second time, from a clock that is computed from the plan alone: the first nanosecond
//! by bisection.

use super::exact::{Exact, Stretch, faults_of, holds, named};
use squall::environment::distribution::Distribution;
use squall::environment::fault::{Fault, Kind, PlannedFault};
use squall::environment::plan::{Clock, Plan};
use squall::kernel::digest::{Digest, Digestible};
use squall::kernel::rng::{Dice, Purpose};
use squall::kernel::time::{Span, Time};
use squall::oracle::spec::Indifferent;
use squall::protocol::{self, Cast, Found, Io, NodeId, Nothing, Protocol};
use squall::trace::{Happening, Trace};
use squall::world::World;
use std::sync::Arc;

const TIMERS: usize = 6;
const NODES: u16 = 8;
const LENGTH: Span = Span::secs(2);
/// What everything takes a slow node.
const HANDLING: Span = Span::us(700);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Alarm(usize);

impl protocol::Timer for Alarm {
    const ALL: &'static [Alarm] = &[Alarm(0), Alarm(1), Alarm(2), Alarm(3), Alarm(4), Alarm(5)];

    fn slot(self) -> usize {
        self.0
    }
}

/// What a node has done with one of its timers: armed it for so long, or disarmed it.
#[derive(Clone, Copy, Debug)]
struct Set {
    timer: usize,
    after: Option<Span>,
}

impl Digestible for Set {
    fn digest(&self, digest: &mut Digest) {
        digest.pair(self.timer as u64, self.after.map_or(u64::MAX, Span::as_ns));
    }
}

/// Arms its timers at random, for anything between a microsecond and a tenth of a second, and sometimes another one
/// than that which has fired; now and then it disarms one.
#[derive(Clone, Debug)]
struct Restless;

impl Restless {
    fn arm(timer: usize, io: &mut Io<'_, Restless>) {
        let longest = 1 << (10 + io.dice().below(17));
        let after = Span::ns(1_000 + io.dice().below(longest));
        io.arm(Alarm(timer), after);
        io.note(Set { timer, after: Some(after) });
    }
}

impl Protocol for Restless {
    type Config = ();
    type Message = Nothing;
    type Timer = Alarm;
    type Record = Nothing;
    type Fact = Set;

    fn cast((): &()) -> Cast {
        Cast::members(NODES)
    }

    fn boot((): &(), _: NodeId, _: Found<'_, Nothing>, io: &mut Io<'_, Restless>) -> Restless {
        (0..TIMERS).for_each(|timer| Restless::arm(timer, io));
        Restless
    }

    fn on_message(&mut self, _: NodeId, message: Nothing, _: &mut Io<'_, Restless>) {
        match message {}
    }

    fn on_timer(&mut self, Alarm(timer): Alarm, io: &mut Io<'_, Restless>) {
        Restless::arm(timer, io);
        let other = io.dice().below(8 * TIMERS as u64) as usize;
        match other / TIMERS {
            0 => Restless::arm(other, io),
            // Never the first one, so that a node does not fall silent.
            1 if other > TIMERS => {
                io.disarm(Alarm(other % TIMERS));
                io.note(Set { timer: other % TIMERS, after: None });
            }
            _ => {}
        }
    }
}

/// What has happened to timers, in order.
#[derive(Clone, Default)]
struct Diary(Vec<(u64, u16, Entry)>);

#[derive(Clone, Copy, Debug)]
enum Entry {
    Set(Set),
    Fired(usize),
}

impl Trace<Restless> for Diary {
    fn happened(&mut self, at: Time, what: &Happening<'_, Restless>) {
        match what {
            Happening::Noted { node, fact } => self.0.push((at.ns(), node.number(), Entry::Set(**fact))),
            Happening::Fired { node, timer } => self.0.push((at.ns(), node.number(), Entry::Fired(timer.0))),
            _ => {}
        }
    }
}

/// What the plan does to one node.
struct Fortune {
    clock: Exact,
    pauses: Vec<Stretch>,
    slow: Vec<Stretch>,
}

impl Fortune {
    fn of(plan: &Plan<()>, node: u16) -> Fortune {
        let mut fortune = Fortune { clock: Exact::of(plan, node), pauses: Vec::new(), slow: Vec::new() };
        for (stretch, fault) in faults_of(plan, node) {
            match fault {
                Fault::ClockDrift { .. } | Fault::ClockFreeze { .. } => {}
                Fault::Pause { .. } => fortune.pauses.push(stretch),
                Fault::SlowNode { .. } => fortune.slow.push(stretch),
                other => panic!("{other} is not in these plans"),
            }
        }
        fortune
    }

    /// The first nanosecond of the run, from `now` on, at which the clock shows at least this; `None` if none does.
    fn first(&self, now: u64, deadline_ns: u64) -> Option<u64> {
        let has_come = |at: u64| self.clock.reading(at) >= u128::from(deadline_ns) * 1_000_000;
        let (mut early, mut late) = (now, LENGTH.as_ns());
        if has_come(early) {
            return Some(early);
        }
        if !has_come(late) {
            return None;
        }
        while late - early > 1 {
            let middle = early + (late - early) / 2;
            if has_come(middle) { late = middle } else { early = middle }
        }
        Some(late)
    }

    /// When a timer is due that was armed now; and when it comes to its turn, since a sleeper handles nothing.
    fn due(&self, now: u64, after: Span) -> Option<u64> {
        let deadline = self.clock.monotonic(now) as u64 + after.as_ns();
        let mut due = self.first(now, deadline)?;
        while let Some((_, wakes)) = self.pauses.iter().find(|stretch| holds(**stretch, due)) {
            due = *wakes;
        }
        Some(due)
    }
}

/// Drifts, corrections and standstills of every node, at any nanosecond, overlapping; of some also naps, and others are
/// slow at times.
fn plan(seed: u64) -> Plan<()> {
    let mut plan = Plan::new((), seed, LENGTH);
    let mut dice = Dice::new(seed, Purpose::Faults, 0);
    plan.clocks = (0..NODES / 2).map(|_| Clock { offset_ns: 0, drift_ppm: dice.below(400) as i32 - 200 }).collect();
    for node in 0..NODES {
        let mut add = |dice: &mut Dice, longest: Span, inject: Fault| {
            let at = Time::from_ns(1 + dice.below(LENGTH.as_ns()));
            let until = Some(at + Span::ns(1_000 + dice.below(longest.as_ns())));
            plan.faults.push(PlannedFault { at, when: None, until, inject });
        };
        for _ in 0..12 {
            // From standing still to twice as fast; a few millionths, too, as a clock that is slewed back.
            let ppm = match dice.below(3) {
                0 => dice.below(2_000_000) as i32 - 1_000_000,
                1 => dice.below(200_000) as i32 - 100_000,
                _ => dice.below(1_000) as i32 - 500,
            };
            add(&mut dice, Span::ms(300), Fault::ClockDrift { target: named(node), ppm });
        }
        for _ in 0..4 {
            add(&mut dice, Span::ms(50), Fault::ClockFreeze { target: named(node) });
        }
        for _ in 0..4 {
            let (target, handling) = (named(node), Distribution::Const(HANDLING));
            match node % 4 {
                1 => add(&mut dice, Span::ms(80), Fault::Pause { target }),
                2 => add(&mut dice, Span::ms(80), Fault::SlowNode { target, handling }),
                _ => {}
            }
        }
    }
    plan.faults.sort_by_key(|fault| fault.at);
    plan
}

/// The timers of one node, as they should be.
struct Expected<'a> {
    fortune: &'a Fortune,
    /// When each comes to its turn, if it is armed.
    due: [Option<u64>; TIMERS],
    /// Which have come to their turn at a node that is slow, and when they are handled.
    served: [Option<u64>; TIMERS],
    busy: u64,
}

impl Expected<'_> {
    /// All that are due before then queue up, if the node is slow; else they should have fired.
    fn pass(&mut self, now: u64) {
        loop {
            let next = (0..TIMERS).filter_map(|timer| Some((self.due[timer]?, timer))).min();
            let Some((due, timer)) = next.filter(|(due, _)| *due < now) else { return };
            assert!(self.is_slow(due), "timer {timer} was due at {due}, and nothing has happened until {now}");
            self.busy = self.busy.max(due) + HANDLING.as_ns();
            (self.due[timer], self.served[timer]) = (None, Some(self.busy));
        }
    }

    fn is_slow(&self, at: u64) -> bool {
        self.fortune.slow.iter().any(|stretch| holds(*stretch, at))
    }

    fn take(&mut self, now: u64, entry: Entry) {
        self.pass(now);
        match entry {
            Entry::Fired(timer) => {
                let expected = self.served[timer].or(self.due[timer]);
                assert_eq!(expected, Some(now), "timer {timer} has fired");
                (self.due[timer], self.served[timer]) = (None, None);
            }
            Entry::Set(Set { timer, after }) => {
                assert!(self.served[timer].is_none_or(|served| served >= now), "timer {timer} has not fired");
                self.due[timer] = after.and_then(|after| self.fortune.due(now, after));
                self.served[timer] = None;
            }
        }
    }
}

#[test]
fn every_timer_fires_at_the_first_nanosecond_at_which_the_clock_has_reached_its_deadline() {
    let (mut fired, mut moved) = (0, [0; 4]);
    for seed in 0..10 {
        let plan = plan(seed);
        let mut world = World::new(Arc::new(plan.clone()), Indifferent, Diary::default());
        world.start().expect("nobody judges");
        world.run_until(Time::ZERO + LENGTH, u64::MAX, |_, _| false).expect("nobody judges");
        for node in 0..NODES {
            let fortune = Fortune::of(&plan, node);
            let (due, served) = ([None; TIMERS], [None; TIMERS]);
            let mut expected = Expected { fortune: &fortune, due, served, busy: 0 };
            for (at, _, entry) in world.trace().0.iter().filter(|entry| entry.1 == node) {
                expected.take(*at, *entry);
                fired += u64::from(matches!(entry, Entry::Fired(_)));
            }
            expected.pass(LENGTH.as_ns());
        }
        let changed = &world.fault_counts().changed;
        let kinds = [Kind::ClockDrift, Kind::ClockFreeze, Kind::Pause, Kind::SlowNode];
        moved.iter_mut().zip(kinds).for_each(|(moved, kind)| *moved += changed[kind as usize]);
    }
    assert!(fired > 10_000, "only {fired} timers have fired");
    assert!(moved.iter().all(|moved| *moved > 50), "{moved:?} faults of each kind have moved a timer");
}
