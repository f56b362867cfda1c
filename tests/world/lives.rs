//! What belongs to one life of a node ends with it, and does not come back in the next one.

use super::probe::{Event, Setup, at, during, node, plan, play};
use squall::environment::distribution::Distribution;
use squall::environment::fault::{Fault, PlannedFault};
use squall::environment::plan::Plan;
use squall::kernel::time::{Span, Time};
use squall::oracle::spec::Indifferent;
use squall::protocol::{Cast, Found, Io, NodeId, Nothing, Protocol};
use squall::trace::{Happening, Trace};
use squall::world::World;
use std::sync::Arc;

/// Arms a timer for 200 ms in its first life, and none in any other.
#[derive(Clone, Debug)]
struct Waiter;

impl Protocol for Waiter {
    type Config = ();
    type Message = Nothing;
    type Timer = ();
    type Record = ();
    type Fact = Nothing;

    fn cast(_: &()) -> Cast {
        Cast::members(1)
    }

    fn boot(_: &(), _: NodeId, found: Found<'_, ()>, io: &mut Io<'_, Waiter>) -> Waiter {
        if found.records.is_empty() {
            io.arm((), Span::ms(200));
            io.write(());
            io.sync();
        }
        Waiter
    }

    fn on_message(&mut self, _: NodeId, message: Nothing, _: &mut Io<'_, Waiter>) {
        match message {}
    }

    fn on_timer(&mut self, (): (), _: &mut Io<'_, Waiter>) {}
}

/// When the timer has fired.
#[derive(Clone, Default)]
struct Fired(Vec<Time>);

impl Trace<Waiter> for Fired {
    fn happened(&mut self, at: Time, what: &Happening<'_, Waiter>) {
        if let Happening::Fired { .. } = what {
            self.0.push(at);
        }
    }
}

fn waited(faults: Vec<PlannedFault>) -> Vec<Time> {
    let mut plan = Plan::new((), 7, Span::secs(1));
    plan.faults = faults;
    let mut world = World::<Waiter, _, _>::new(Arc::new(plan), Indifferent, Fired::default());
    world.start().expect("nobody judges");
    world.run_until(at(1_000), u64::MAX, |_, _| false).expect("nobody judges");
    world.trace().0.clone()
}

fn kill(from: u64, until: u64) -> PlannedFault {
    during(from, until, Fault::Kill { target: node(0) })
}

fn pause(from: u64, until: u64) -> PlannedFault {
    during(from, until, Fault::Pause { target: node(0) })
}

#[test]
fn a_timer_does_not_outlive_the_life_in_which_it_was_armed() {
    assert_eq!(waited(Vec::new()), [at(200)]);
    assert_eq!(waited(vec![kill(100, 110)]), []);
    // Also if a clock changes its pace afterwards, for which all timers are set anew.
    let drift = Fault::ClockDrift { target: node(0), ppm: 500_000 };
    assert_eq!(waited(vec![during(0, 100, drift.clone())]), [at(150)]);
    assert_eq!(waited(vec![kill(50, 60), during(100, 900, drift)]), []);
    // It was due while its node slept, and died then.
    assert_eq!(waited(vec![pause(150, 400)]), [at(400)]);
    assert_eq!(waited(vec![pause(150, 400), kill(250, 300)]), []);
    // It had fired, and waited for its node to have time.
    let slow = Fault::SlowNode { target: node(0), handling: Distribution::Const(Span::ms(100)) };
    assert_eq!(waited(vec![during(150, 900, slow.clone())]), [at(300)]);
    assert_eq!(waited(vec![during(150, 900, slow), kill(250, 260)]), []);
}

/// n2 sends to n1 every 10 ms; n1 does nothing by itself. When messages were handled.
fn handled(faults: Vec<PlannedFault>) -> Vec<Time> {
    let world = play(plan(Setup { links: vec![(1, 0)], writes: false, ..Setup::ring(2) }, faults));
    let events = world.trace().events.iter();
    events.filter(|(_, event)| matches!(event, Event::Delivered { .. })).map(|(time, _)| *time).collect()
}

fn count(times: &[Time], from: u64, until: u64) -> usize {
    times.iter().filter(|time| (at(from)..at(until)).contains(time)).count()
}

#[test]
fn what_has_reached_a_slow_node_dies_with_it() {
    let slow = Fault::SlowNode { target: node(0), handling: Distribution::Const(Span::ms(40)) };
    let slow = |until| during(205, until, slow.clone());
    // Nine have arrived until 295 ms; most of them still wait, and so does a timer now and then. Then thirty more come.
    assert!(count(&handled(vec![slow(295)]), 296, 600) > 33);
    assert_eq!(count(&handled(vec![slow(295), kill(296, 297)]), 296, 600), 30);
}

#[test]
fn who_starts_again_is_awake_whatever_it_slept_through() {
    let times = handled(vec![pause(200, 600), kill(300, 350)]);
    assert_eq!((count(&times, 201, 350), count(&times, 351, 600), count(&times, 600, 601)), (0, 25, 0));
}

#[test]
fn a_pause_of_an_earlier_life_does_not_wake_who_has_been_put_to_sleep_since() {
    let times = handled(vec![pause(200, 500), kill(300, 350), pause(400, 700)]);
    assert_eq!((count(&times, 351, 401), count(&times, 401, 700)), (5, 0));
    assert_eq!(count(&times, 700, 701), 30, "all that has come meanwhile");
}

#[test]
fn a_pause_that_finds_nobody_awake_keeps_nobody_asleep() {
    let times = handled(vec![kill(100, 200), pause(150, 900), pause(300, 400)]);
    assert_eq!((count(&times, 200, 301), count(&times, 301, 400)), (10, 0));
    assert_eq!((count(&times, 400, 401), count(&times, 401, 901)), (10, 50));
}

#[test]
fn what_was_kept_waiting_comes_in_its_order() {
    for inject in [Fault::Pause { target: node(0) }, Fault::Clog { over: None }] {
        let world =
            play(plan(Setup { links: vec![(1, 0)], writes: false, ..Setup::ring(2) }, vec![during(205, 405, inject)]));
        let numbers = world.trace().events.iter().filter_map(|(_, event)| match event {
            Event::Delivered { number, .. } => Some(*number),
            _ => None,
        });
        let numbers: Vec<u64> = numbers.collect();
        assert!(numbers.len() > 90 && numbers.is_sorted(), "{numbers:?}");
    }
}

#[test]
fn a_disk_is_new_until_something_on_it_has_outlived_a_crash() {
    let faults = vec![during(100, 120, Fault::Wipe { target: node(0) }), kill(125, 126), kill(140, 141)];
    let world = play(plan(Setup { links: Vec::new(), ..Setup::ring(1) }, faults));
    let boots = world.trace().events.iter().filter_map(|(time, event)| match event {
        Event::Booted { records, damage, .. } => Some((*time, *records, damage.as_str())),
        _ => None,
    });
    let (none, new) = ("None", "Some(Replaced)");
    let boots: Vec<_> = boots.collect();
    assert_eq!(boots, [(at(0), 0, none), (at(120), 0, new), (at(126), 0, new), (at(141), 1, none)]);
}
