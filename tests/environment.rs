//! What becomes of nodes on which several faults meet: small stories, each of which was once told wrongly.

mod metronome;

use metronome::{Config, Fact, Metronome};
use squall::environment::distribution::Distribution;
use squall::environment::fault::{Fault, PlannedFault, Target};
use squall::environment::plan::{Heal, Plan};
use squall::kernel::chance::Ratio;
use squall::kernel::time::{Span, Time};
use squall::oracle::spec::Indifferent;
use squall::protocol::Afterwards;
use squall::trace::{Happening, Trace};
use squall::world::World;
use std::sync::Arc;

/// Remembers who ticked when, and who got a message when.
#[derive(Clone, Default)]
struct Diary {
    ticked: Vec<(u16, Time)>,
    got: Vec<(u16, Time)>,
    disk_failed: Vec<(u16, Time)>,
}

impl Trace<Metronome> for Diary {
    fn happened(&mut self, at: Time, what: &Happening<'_, Metronome>) {
        match what {
            Happening::Noted { node, fact: Fact::Ticked { .. } } => self.ticked.push((node.number(), at)),
            Happening::Delivered { to, .. } => self.got.push((to.number(), at)),
            Happening::DiskFailed { node, .. } => self.disk_failed.push((node.number(), at)),
            _ => {}
        }
    }
}

/// How many of these fall into the given part of the run, in milliseconds.
fn count(events: &[(u16, Time)], who: u16, from: u64, until: u64) -> usize {
    let (from, until) = (at(from), at(until));
    events.iter().filter(|(node, time)| *node == who && (from..until).contains(time)).count()
}

fn at(ms: u64) -> Time {
    Time::ZERO + Span::ms(ms)
}

fn n1() -> Target {
    Target::Nodes(vec!["n1".to_owned()])
}

fn fault(from: u64, until: u64, inject: Fault) -> PlannedFault {
    PlannedFault { at: at(from), when: None, until: Some(at(until)), inject }
}

/// Two seconds of a metronome's life.
fn played(config: Config, faults: Vec<PlannedFault>) -> World<Metronome, Indifferent, Diary> {
    let mut plan = Plan::new(config, 7, Span::secs(2));
    plan.faults = faults;
    let end = plan.calm_from();
    let mut world = World::new(Arc::new(plan), Indifferent, Diary::default());
    world.start().expect("nobody judges");
    world.run_until(end, u64::MAX, |_, _| false).expect("nobody judges");
    world
}

#[test]
fn a_slow_node_that_has_crashed_before_handles_what_it_gets() {
    let handling = Distribution::Const(Span::ms(1));
    let faults = vec![
        fault(100, 200, Fault::Kill { target: n1() }),
        fault(300, 1_900, Fault::SlowNode { target: n1(), handling }),
    ];
    let world = played(Config::BUSY, faults);
    // Three others tell it something every 20 ms.
    let got = count(&world.trace().got, 0, 400, 1_400);
    assert!((145..=155).contains(&got), "{got} messages in a second");
}

#[test]
fn a_node_that_slept_through_the_end_of_its_disks_trouble_is_started_again() {
    let faults = vec![
        fault(300, 700, Fault::DiskError { target: n1(), write: Ratio::ZERO, sync: Ratio::ONE }),
        // The sync that it asks for at 300 ms takes 100 us at least.
        PlannedFault {
            at: at(300) + Span::us(50),
            when: None,
            until: Some(at(1_000)),
            inject: Fault::Pause { target: n1() },
        },
    ];
    let world = played(Config { on_failure: Afterwards::Stop, ..Config::BUSY }, faults);
    let failed = world.trace().disk_failed.clone();
    assert_eq!(failed, [(0, at(1_000))], "it hears of the failure when it wakes");
    assert_eq!(count(&world.trace().ticked, 0, 1_000, 2_000), 49, "and is up again from then on");
}

#[test]
fn who_starts_when_all_is_healed_finds_its_disk_and_its_links_well() {
    let lost = Fault::Loss { probability: Ratio::ONE, burst: 1, over: None };
    let faults = [Fault::Kill { target: n1() }, Fault::DiskFull { target: n1() }, lost];
    let mut plan = Plan::new(Config { greets: true, sends: false, ..Config::BUSY }, 7, Span::ms(500));
    plan.faults = faults.into_iter().map(|fault| PlannedFault::once(at(100), fault)).collect();
    let (end, mut world) = (plan.calm_from(), World::new(Arc::new(plan), Indifferent, Diary::default()));
    world.start().expect("nobody judges");
    world.run_until(end, u64::MAX, |_, _| false).expect("nobody judges");
    world.calm(&Heal::Everything).expect("nobody judges");
    // Before anybody ticks again.
    world.run_until(at(519), u64::MAX, |_, _| false).expect("nobody judges");
    assert_eq!(world.trace().disk_failed, []);
    let greeted = (1..4).map(|node| count(&world.trace().got, node, 500, 520)).collect::<Vec<_>>();
    assert_eq!(greeted, [1, 1, 1]);
}
