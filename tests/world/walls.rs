//! Wall clocks under every change of their pace and every jump, against clocks that are computed from the plan alone.

use super::exact::{Exact, named};
use squall::environment::fault::{Fault, PlannedFault, Target};
use squall::environment::plan::{Clock, Plan};
use squall::environment::text::Offset;
use squall::kernel::digest::{Digest, Digestible};
use squall::kernel::rng::{Dice, Purpose};
use squall::kernel::time::{Span, Time};
use squall::oracle::spec::Indifferent;
use squall::protocol::{Cast, Found, Io, NodeId, Nothing, Protocol, Timer};
use squall::trace::{Happening, Trace};
use squall::world::World;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const MEMBERS: u16 = 4;
const LENGTH: Span = Span::secs(2);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Alarm(usize);

impl Timer for Alarm {
    const ALL: &'static [Alarm] = &[Alarm(0), Alarm(1), Alarm(2)];

    fn slot(self) -> usize {
        self.0
    }
}

/// A timer has fired: which, and what the node's clocks showed then; the monotonic one also when the node started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Fact {
    slot: usize,
    started: Time,
    now: Time,
    elapsed: Time,
    wall: (Time, Time),
}

impl Digestible for Fact {
    fn digest(&self, digest: &mut Digest) {
        digest.pair(self.slot as u64, self.elapsed.ns());
        digest.pair(self.wall.0.ns(), self.wall.1.ns());
    }
}

/// Arms its timers again and again, for times of all lengths.
#[derive(Clone, Debug)]
struct Sleeper {
    started: Time,
}

impl Sleeper {
    fn arm(slot: usize, io: &mut Io<'_, Sleeper>) {
        let after = Span::ns(io.dice().below(80_000_000) >> io.dice().below(8));
        io.arm(Alarm(slot), after);
    }
}

impl Protocol for Sleeper {
    type Config = ();
    type Message = Nothing;
    type Timer = Alarm;
    type Record = Nothing;
    type Fact = Fact;

    fn cast(_: &()) -> Cast {
        Cast::members(MEMBERS)
    }

    fn boot(_: &(), _: NodeId, _: Found<'_, Nothing>, io: &mut Io<'_, Self>) -> Self {
        (0..Alarm::ALL.len()).for_each(|slot| Sleeper::arm(slot, io));
        Sleeper { started: io.now() }
    }

    fn on_message(&mut self, _: NodeId, message: Nothing, _: &mut Io<'_, Self>) {
        match message {}
    }

    fn on_timer(&mut self, timer: Alarm, io: &mut Io<'_, Self>) {
        let wall = io.wall_interval();
        io.note(Fact { slot: timer.slot(), started: self.started, now: io.now(), elapsed: io.elapsed(), wall });
        Sleeper::arm(timer.slot(), io);
    }
}

/// Every timer that has fired, in true time.
#[derive(Clone, Default)]
struct Log(Vec<(Time, NodeId, Fact)>);

impl Trace<Sleeper> for Log {
    fn happened(&mut self, at: Time, what: &Happening<'_, Sleeper>) {
        if let Happening::Noted { node, fact } = what {
            self.0.push((at, *node, **fact));
        }
    }
}

fn played(plan: &Plan<()>) -> Log {
    let end = plan.calm_from();
    let mut world = World::<Sleeper, _, _>::new(Arc::new(plan.clone()), Indifferent, Log::default());
    world.start().expect("nobody judges");
    world.run_until(end, u64::MAX, |_, _| false).expect("nobody judges");
    world.trace().clone()
}

/// Clocks of all kinds, and changes of them at random instants, also at once, that overlap.
fn changing(seed: u64, more: impl Fn(&mut Dice, Target) -> Option<Fault>) -> Plan<()> {
    let mut dice = Dice::new(seed, Purpose::Clocks, 7);
    let mut plan = Plan::new((), seed, LENGTH);
    let clock = |_| Clock { offset_ns: dice.below(2_000) as i64 - 1_000, drift_ppm: dice.below(1_000) as i32 - 500 };
    plan.clocks = (0..3).map(clock).collect();
    for _ in 0..40 {
        let target = named(dice.below(u64::from(MEMBERS)) as u16);
        let at = Time::from_ns(dice.below(LENGTH.as_ns()));
        let length = Span::ns(1 + (dice.below(400_000_000) >> dice.below(24)));
        let inject = match dice.below(6) {
            0 => Fault::ClockFreeze { target },
            1 => Fault::ClockDrift { target, ppm: 1 + dice.below(1_000) as i32 },
            2 => Fault::ClockDrift { target, ppm: dice.below(20_000_000) as i32 },
            // Slower than standing still is standing still.
            3 => Fault::ClockDrift { target, ppm: -(dice.below(1_200_000) as i32) },
            // A slew: as much slower now as it was too fast for a while before.
            4 => {
                let ppm = 1 + dice.below(400_000) as i32;
                let (slow, second) = (Fault::ClockDrift { target: target.clone(), ppm: -ppm }, at + length);
                plan.faults.push(PlannedFault { at: second, when: None, until: Some(second + length), inject: slow });
                Fault::ClockDrift { target, ppm }
            }
            _ => match more(&mut dice, target) {
                Some(fault) => fault,
                None => continue,
            },
        };
        let until = (dice.below(10) > 0).then(|| at + length);
        plan.faults.push(PlannedFault { at, when: None, until, inject });
    }
    plan.faults.sort_by_key(|fault| fault.at);
    plan
}

/// It is killed then, in milliseconds, for a tenth of a second.
fn restarted(node: u16, ms: u64) -> PlannedFault {
    let at = Time::ZERO + Span::ms(ms);
    let inject = Fault::Kill { target: named(node) };
    PlannedFault { at, when: None, until: Some(at + Span::ms(100)), inject }
}

#[test]
fn a_wall_clock_that_jumps_leaves_all_timers_as_they_were() {
    for seed in 200..220 {
        let calm = changing(seed, |_, _| None);
        let mut plan = calm.clone();
        let mut dice = Dice::new(seed, Purpose::Clocks, 8);
        for node in 0..MEMBERS {
            let at = Time::from_ns(dice.below(LENGTH.as_ns()));
            let by = Offset(dice.below(20_000_000_000) as i64 - 10_000_000_000);
            let inject = Fault::ClockJump { target: named(node), by };
            plan.faults.push(PlannedFault { at, when: None, until: None, inject });
        }
        let fired = |plan: &Plan<()>| {
            let noted = played(plan).0.into_iter();
            noted.map(|(at, node, Fact { slot, elapsed, .. })| (at, node, slot, elapsed)).collect::<Vec<_>>()
        };
        let expected = fired(&calm);
        assert!(expected.len() > 100);
        assert_eq!(fired(&plan), expected, "seed {seed}");
    }
}

#[test]
fn an_interval_holds_the_truth_exactly_as_long_as_the_clock_errs_within_its_bound() {
    let (mut holds, mut lies) = (0, 0);
    for seed in 300..330 {
        let mut plan = changing(seed, |dice, target| {
            Some(Fault::ClockJump { target, by: Offset(dice.below(40_000_000) as i64 - 20_000_000) })
        });
        plan.clock_uncertainty = Span::ms(20);
        // A clock is set by whoever sets it, and not by a start of its node.
        plan.faults.extend((0..MEMBERS).map(|node| restarted(node, 900)));
        let bound = i128::from(plan.clock_uncertainty.as_ns());
        for (at, node, fact) in played(&plan).0 {
            let (earliest, latest) = fact.wall;
            assert_eq!(u128::from(fact.elapsed.ns()), Exact::of(&plan, node.number()).monotonic(at.ns()));
            let shown = Exact::of(&plan, node.number()).wall(at.ns());
            let expected = ((shown - bound).max(0), shown + bound);
            assert_eq!((i128::from(earliest.ns()), i128::from(latest.ns())), expected, "seed {seed}: {node:?} at {at}");
            let is_within = (shown - i128::from(at.ns())).abs() <= bound;
            assert_eq!((earliest..=latest).contains(&at), is_within, "seed {seed}: {node:?} at {at}");
            if is_within { holds += 1 } else { lies += 1 }
        }
    }
    assert!(holds > 1_000 && lies > 1_000, "{holds} hold, {lies} do not");
}

#[test]
fn a_monotonic_clock_starts_anywhere_each_time_and_what_has_elapsed_goes_on() {
    for seed in 400..420 {
        let mut plan = changing(seed, |_, _| None);
        plan.faults.extend((0..MEMBERS).map(|node| restarted(node, 900)));
        let mut starts = BTreeMap::new();
        for (at, node, fact) in played(&plan).0 {
            let clock = Exact::of(&plan, node.number());
            assert_eq!(u128::from(fact.elapsed.ns()), clock.monotonic(at.ns()), "seed {seed}: {node:?} at {at}");
            // How much it is ahead is the same from one start to the next.
            let ahead = fact.now.since(fact.elapsed);
            assert!(fact.started <= fact.now && fact.now == fact.elapsed + ahead);
            assert_eq!(*starts.entry((node, fact.started)).or_insert(ahead), ahead, "seed {seed}: {node:?} at {at}");
        }
        // Whose clock stands still until it is killed has no timer that fires.
        assert!(starts.len() > usize::from(MEMBERS), "seed {seed}: {starts:?}");
        let aheads: BTreeSet<Span> = starts.values().copied().collect();
        assert_eq!(aheads.len(), starts.len(), "seed {seed}: no two starts are alike");
    }
}
