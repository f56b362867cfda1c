//! What waits for the disk leaves in the order in which it was asked for, also after a sleep.

use squall::environment::disk::crash::Survival;
use squall::environment::distribution::Distribution;
use squall::environment::fault::{Fault, PlannedFault, Target};
use squall::environment::plan::Plan;
use squall::kernel::chance::Ratio;
use squall::kernel::time::{Span, Time};
use squall::oracle::spec::Indifferent;
use squall::protocol::{Afterwards, Cast, DiskFailure, Found, Io, NodeId, Nothing, Protocol};
use squall::trace::{Happening, Trace};
use squall::world::World;
use std::sync::Arc;

/// Promises something every 100 ms, and writes for the first and the second promise only.
#[derive(Clone, Debug)]
struct Promiser {
    promises: u64,
}

impl Protocol for Promiser {
    type Config = ();
    type Message = Nothing;
    type Timer = ();
    type Record = u64;
    type Fact = u64;

    fn cast(_: &()) -> Cast {
        Cast::members(1)
    }

    fn boot(_: &(), _: NodeId, _: Found<'_, u64>, io: &mut Io<'_, Promiser>) -> Promiser {
        io.arm((), Span::ms(100));
        Promiser { promises: 0 }
    }

    fn on_message(&mut self, _: NodeId, message: Nothing, _: &mut Io<'_, Promiser>) {
        match message {}
    }

    fn on_timer(&mut self, (): (), io: &mut Io<'_, Promiser>) {
        io.arm((), Span::ms(100));
        self.promises += 1;
        if self.promises <= 2 {
            io.write(self.promises);
        }
        io.sync();
        io.note(self.promises);
    }

    fn on_disk_failure(&mut self, _: DiskFailure, _: &mut Io<'_, Promiser>) -> Afterwards {
        Afterwards::GoOn
    }
}

/// What was promised, and when.
#[derive(Clone, Default)]
struct Promises(Vec<(u64, Time)>);

impl Trace<Promiser> for Promises {
    fn happened(&mut self, at: Time, what: &Happening<'_, Promiser>) {
        if let Happening::Noted { fact, .. } = what {
            self.0.push((**fact, at));
        }
    }
}

fn at(ms: u64) -> Time {
    Time::ZERO + Span::ms(ms)
}

/// The promises of half a second on a disk that takes so long for a sync, and from 50 ms on does none until then.
fn promised(sync: Span, well: u64, others: &[(u64, u64, Fault)]) -> Vec<(u64, Time)> {
    let mut plan = Plan::new((), 7, Span::secs(1));
    plan.disk.sync = Distribution::Const(sync);
    let stall = (50, well, Fault::DiskStall { target: n1() });
    let faults = others.iter().cloned().chain([stall]);
    plan.faults = faults
        .map(|(from, until, inject)| PlannedFault { at: at(from), when: None, until: Some(at(until)), inject })
        .collect();
    let mut world = World::<Promiser, _, _>::new(Arc::new(plan), Indifferent, Promises::default());
    world.start().expect("nobody judges");
    world.run_until(at(550), u64::MAX, |_, _| false).expect("nobody judges");
    world.trace().0.clone()
}

fn n1() -> Target {
    Target::Nodes(vec!["n1".to_owned()])
}

#[test]
fn who_wakes_keeps_its_word_in_order() {
    let pause = (220, 420, Fault::Pause { target: n1() });
    // The third timer is due before the disk has done its work, and so it is what the sleeper hears of first.
    let woken = promised(Span::ms(10), 350, &[pause]);
    assert_eq!(woken, [(1, at(420)), (2, at(420)), (3, at(420)), (4, at(520))]);
}

#[test]
fn a_disk_that_is_well_again_keeps_the_order() {
    // At the very moment of the third promise, and then a sync takes no time.
    let promises = promised(Span::ZERO, 300, &[]);
    assert_eq!(promises, [(1, at(300)), (2, at(300)), (3, at(300)), (4, at(400)), (5, at(500))]);
}

/// The sync of the first promise fails at 210 ms, after the second timer is due, and the sleeper hears of them in that order.
/// What it promises before it hears of the failure waits for another sync, from 420 ms to 530.
#[test]
fn a_failure_that_is_heard_of_late_takes_back_no_later_promise() {
    let pause = (150, 420, Fault::Pause { target: n1() });
    let fails = (205, 215, Fault::DiskError { target: n1(), write: Ratio::ZERO, sync: Ratio::ONE });
    let promises = promised(Span::ms(110), 60, &[pause, fails]);
    assert_eq!(promises, [(2, at(530)), (3, at(530))]);
}

/// The sync of the first promise is done at 210 ms, that of the second one fails at 320, and the sleeper hears of both at 420.
#[test]
fn a_failure_takes_back_no_promise_that_was_durable_before() {
    let pause = (205, 420, Fault::Pause { target: n1() });
    let fails = (315, 325, Fault::DiskError { target: n1(), write: Ratio::ZERO, sync: Ratio::ONE });
    let promises = promised(Span::ms(110), 60, &[pause, fails]);
    assert_eq!(promises, [(1, at(420)), (3, at(530)), (4, at(530))]);
}

/// It dies asleep, at 300 ms. The sync was done at 110.
#[test]
fn the_disk_of_a_sleeper_goes_on() {
    let mut plan = Plan::new((), 7, Span::secs(1));
    (plan.disk.sync, plan.disk.unsynced) = (Distribution::Const(Span::ms(10)), Survival::Nothing);
    let faults = [(105, 400, Fault::Pause { target: n1() }), (300, 350, Fault::Kill { target: n1() })];
    plan.faults = faults
        .into_iter()
        .map(|(from, until, inject)| PlannedFault { at: at(from), when: None, until: Some(at(until)), inject })
        .collect();
    let mut world = World::<Promiser, _, _>::new(Arc::new(plan), Indifferent, Promises::default());
    world.start().expect("nobody judges");
    world.run_until(at(360), u64::MAX, |_, _| false).expect("nobody judges");
    assert!(world.view().hosts[0].disk.records().eq(&[1]), "what was durable is there");
    assert_eq!(world.trace().0, [], "what was to be promised then is not");
}
