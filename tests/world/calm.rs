//! What the end of a storm heals, and what stays as the storm has left it.

use super::probe::{Event, Recorder, Setup, at, during, link, node, plan, ratio};
use squall::environment::distribution::Distribution;
use squall::environment::fault::{Fault, LinkSet, Moment, PlannedFault, Target, Trigger};
use squall::environment::plan::{Heal, Plan};
use squall::kernel::time::{Span, Time};
use squall::oracle::spec::Indifferent;
use squall::world::World;
use std::sync::Arc;

/// When the storm ends, and until when is looked at what comes after it.
const CALM: u64 = 300;
const END: u64 = 800;

/// Five nodes, each of which sends to all others and writes at each beat.
fn setup() -> Setup {
    let links = (0..5).flat_map(|from| (0..5).map(move |to| (from, to))).filter(|(from, to)| from != to);
    Setup { links: links.collect(), ..Setup::ring(5) }
}

fn storm(faults: Vec<PlannedFault>) -> Plan<Setup> {
    let mut plan = plan(setup(), faults);
    plan.workload.until = Span::ms(CALM);
    plan
}

/// What happens once the storm is over.
fn afterwards(plan: Plan<Setup>, heal: &Heal) -> Vec<(Time, Event)> {
    let mut world = World::new(Arc::new(plan), Indifferent, Recorder::default());
    world.start().expect("nobody judges");
    world.run_until(at(CALM), u64::MAX, |_, _| false).expect("nobody judges");
    let before = world.trace().events.len();
    world.calm(heal).expect("nobody judges");
    world.run_until(at(END), u64::MAX, |_, _| false).expect("nobody judges");
    world.trace().events[before..].to_vec()
}

fn count(events: &[(Time, Event)], is_it: impl Fn(&Event) -> bool) -> usize {
    events.iter().filter(|(_, event)| is_it(event)).count()
}

/// So many messages of one node have come to another.
fn came(events: &[(Time, Event)], one: u16, other: u16) -> usize {
    count(events, |event| matches!(event, Event::Delivered { from, to, .. } if (*from, *to) == (one, other)))
}

fn booted(events: &[(Time, Event)], who: u16) -> usize {
    count(events, |event| matches!(event, Event::Booted { node, .. } if *node == who))
}

fn fired(events: &[(Time, Event)], who: u16) -> usize {
    count(events, |event| matches!(event, Event::Fired { node } if *node == who))
}

fn synced(events: &[(Time, Event)], who: u16) -> usize {
    count(events, |event| matches!(event, Event::Synced { node, .. } if *node == who))
}

fn crashed(events: &[(Time, Event)]) -> usize {
    count(events, |event| matches!(event, Event::Crashed { .. }))
}

/// Of 50 beats each. Who starts or wakes at the end of the storm may be off by one.
fn is_each_beat(count: usize) -> bool {
    (49..=51).contains(&count)
}

/// Faults that would end or begin after the storm if it went on.
fn lasting(until: u64) -> Vec<PlannedFault> {
    let trigger = Trigger { moment: Moment::Synced, skip: 0, after: Span::ZERO, lasts: None };
    let kill = Fault::Kill { target: Target::Subject };
    vec![
        during(100, until, Fault::Kill { target: node(0) }),
        during(100, until, Fault::Pause { target: node(1) }),
        during(100, until, Fault::Partition(link(2, 3))),
        during(100, until, Fault::DiskStall { target: node(3) }),
        during(100, until, Fault::Loss { probability: ratio(1, 1), burst: 1, over: Some(link(2, 4)) }),
        PlannedFault { when: Some(trigger), ..PlannedFault::once(at(350), kill.clone()) },
        during(350, until, Fault::Kill { target: node(4) }),
    ]
}

#[test]
fn where_nothing_is_healed_no_fault_ends_and_none_begins() {
    let after = afterwards(storm(lasting(500)), &Heal::Nothing);
    assert_eq!((booted(&after, 0), crashed(&after)), (0, 0), "who is dead stays so, and nobody else dies");
    assert_eq!(fired(&after, 1), 0, "who sleeps stays asleep");
    assert_eq!((came(&after, 2, 3), came(&after, 2, 4)), (0, 0), "links stay as bad as they are");
    assert_eq!(synced(&after, 3), 0, "a disk that stands still goes on to");
    assert!(is_each_beat(came(&after, 3, 2)) && is_each_beat(came(&after, 4, 3)), "and the rest goes on");
}

#[test]
fn where_everything_is_healed_nothing_is_wrong_any_more_but_what_is_destroyed() {
    let mut faults = lasting(500);
    faults.extend([
        PlannedFault::once(at(50), Fault::Destroy { target: node(4) }),
        PlannedFault::once(at(250), Fault::Clog { over: Some(link(3, 2)) }),
        PlannedFault::once(at(250), Fault::DiskFull { target: node(2) }),
        PlannedFault::once(at(250), Fault::ClockFreeze { target: node(3) }),
    ]);
    faults.sort_by_key(|fault| fault.at);
    let mut plan = storm(faults);
    (plan.network.loss, plan.network.duplicate) = (ratio(1, 2), ratio(1, 2));
    let after = afterwards(plan, &Heal::Everything);
    assert_eq!((booted(&after, 0), booted(&after, 2), booted(&after, 4), crashed(&after)), (1, 1, 0, 0));
    for from in 0..4 {
        assert!(is_each_beat(fired(&after, from)) && synced(&after, from) >= 49, "#{from} has all its beats");
        for to in (0..4).filter(|to| *to != from) {
            let late = |(time, event): &&(Time, Event)| {
                let is_late = matches!(event, Event::Delivered { from: a, to: b, .. } if (*a, *b) == (from, to));
                // What had been sent before is on its way, once or twice.
                is_late && *time > at(CALM + 1)
            };
            let came = after.iter().filter(late).count();
            assert!((48..=50).contains(&came), "#{from} to #{to}: {came}");
        }
    }
    let lost = count(&after, |event| matches!(event, Event::Dropped { to, .. } if *to != 4));
    assert_eq!(lost, 0, "nothing is lost but what is for the dead");
}

#[test]
fn what_is_held_up_arrives_when_all_is_healed() {
    let mut plan = storm(vec![PlannedFault::once(at(245), Fault::Clog { over: Some(link(3, 2)) })]);
    plan.network.latency = Distribution::Const(Span::us(500));
    let after = afterwards(plan, &Heal::Everything);
    let at_once = after
        .iter()
        .filter(|(time, event)| *time == at(CALM) && matches!(event, Event::Delivered { from: 3, to: 2, .. }));
    // Of the beats at 250, 260, 270, 280 and 290 ms.
    assert_eq!(at_once.count(), 5);
}

#[test]
fn a_core_is_well_and_the_others_and_all_between_them_stay_as_they_are() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let (core, others) = (names(&["n1", "n2"]), names(&["n3", "n4", "n5"]));
    let all = names(&["n1", "n2", "n3", "n4", "n5"]);
    let who = |names: &[&str]| Target::Nodes(names.iter().map(|name| (*name).to_owned()).collect());
    let faults = vec![
        during(100, 500, Fault::Kill { target: who(&["n1", "n3"]) }),
        during(100, 500, Fault::Pause { target: who(&["n2", "n4"]) }),
        during(100, 500, Fault::DiskStall { target: who(&["n2", "n5"]) }),
        during(100, 500, Fault::Partition(LinkSet::Split { from: core, to: others, one_way: true })),
        during(100, 500, Fault::Partition(link(0, 1))),
        during(100, 500, Fault::Clog { over: Some(link(1, 0)) }),
        during(100, 500, Fault::Loss { probability: ratio(1, 1), burst: 1, over: None }),
        during(350, 400, Fault::Kill { target: Target::Nodes(all) }),
    ];
    let mut plan = storm(faults);
    plan.network.loss = ratio(1, 2);
    let after = afterwards(plan, &Heal::Core(names(&["n1", "n2"])));
    assert_eq!((booted(&after, 0), booted(&after, 2), crashed(&after)), (1, 0, 0));
    assert!(is_each_beat(fired(&after, 0)) && is_each_beat(fired(&after, 1)) && fired(&after, 3) == 0);
    assert!(synced(&after, 1) >= 49 && synced(&after, 4) == 0);
    assert!(is_each_beat(came(&after, 0, 1)) && is_each_beat(came(&after, 1, 0)), "nothing is lost within the core");
    let crossing = [(0, 4), (1, 4), (4, 0), (4, 1)].map(|(from, to)| came(&after, from, to));
    assert_eq!(crossing, [0; 4], "links that leave the core are as bad as they were");
}

/// Judges excuse who cannot do its work, and nobody else: they must be shown what is wrong, and that it is over.
#[test]
fn what_is_wrong_with_hosts_and_links_is_shown_as_long_as_it_is() {
    let handling = Distribution::Const(Span::ms(1));
    let faults = vec![
        during(100, 200, Fault::DiskStall { target: node(0) }),
        during(100, 400, Fault::SlowNode { target: node(1), handling }),
        during(100, 400, Fault::Partition(link(2, 3))),
        during(100, 400, Fault::Loss { probability: ratio(1, 4), burst: 1, over: Some(link(3, 4)) }),
        during(100, 250, Fault::Pause { target: node(4) }),
    ];
    let mut plan = storm(faults);
    plan.network.loss = ratio(1, 2);
    let mut world = World::new(Arc::new(plan), Indifferent, Recorder::default());
    world.start().expect("nobody judges");
    for (when, impaired, woken) in [(50, vec![], 0), (150, vec![0, 1], 0), (260, vec![1], 250), (CALM, vec![], 250)] {
        world.run_until(at(when), u64::MAX, |_, _| false).expect("nobody judges");
        let is_storm = (100..CALM).contains(&when);
        if when == CALM {
            world.calm(&Heal::Everything).expect("nobody judges");
        }
        let view = world.view();
        let shown: Vec<u16> = (0..5).filter(|node| view.hosts[usize::from(*node)].impaired).collect();
        assert_eq!((shown, view.hosts[4].woken, view.hosts[4].asleep), (impaired, at(woken), when == 150));
        for (from, to) in (0..5).flat_map(|from| (0..5).map(move |to| (from, to))).filter(|(from, to)| from != to) {
            let is_hit = is_storm && [(2, 3), (3, 4)].contains(&(from, to));
            assert_eq!(view.network.is_well(from, to), !is_hit, "#{from} to #{to} at {when} ms");
            assert_eq!(view.network.is_reliable(from, to), when == CALM, "#{from} to #{to} at {when} ms");
        }
    }
}
