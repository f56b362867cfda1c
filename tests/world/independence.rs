//! One fault more, or a stronger one, leaves everything else as it was: two plans that differ in one family of faults
//! come to the same for whoever that family does not touch, down to the nanosecond.

use super::probe::{self, EVERY, Event, Setup, at, counts, during, link, node};
use squall::environment::disk::crash::Survival;
use squall::environment::distribution::Distribution;
use squall::environment::fault::{Fault, Kind, LinkSet, PlannedFault};
use squall::environment::plan::{Clock, Plan};
use squall::kernel::chance::Ratio;
use squall::kernel::time::{Span, Time};

/// Who is hit by the fault that makes the difference.
const VICTIM: u16 = 2;

/// Five nodes; each sends to the next two. What the victim sends nobody who is slow receives, so that no queue hands
/// the difference on.
fn setup() -> Setup {
    let links = (0..5).flat_map(|from| [(from, (from + 1) % 5), (from, (from + 2) % 5)]).collect();
    Setup { links, reads_wall: true, ..Setup::ring(5) }
}

/// Every kind of fault somewhere else than at the victim, which is only cut off and killed. Nothing is certain, so
/// that every draw shows. The seed is one with which a record survives the victim's crash that was not synced: else
/// nothing could be torn.
fn storm() -> Plan<Setup> {
    let mut plan = Plan::new(setup(), 8, Span::ms(900));
    plan.network.latency = Distribution::Exp { min: Span::us(200), mean: Span::ms(4) };
    (plan.network.loss, plan.network.duplicate) = (probe::ratio(1, 20), probe::ratio(1, 20));
    plan.disk.sync = Distribution::Uniform { min: Span::us(600), max: Span::ms(4) };
    plan.disk.unsynced = Survival::AnySubset;
    plan.clocks = (0..5).map(|node| Clock { offset_ns: 0, drift_ppm: 100 * node }).collect();
    plan.faults = vec![during(20, 60, Fault::Partition(link(1, VICTIM)))];
    for (place, kind) in EVERY.into_iter().enumerate().filter(|(_, kind)| *kind != Kind::Heal) {
        let other = if kind == Kind::SlowNode { 1 } else { [0, 1, 3, 4][place % 4] };
        let links = if place % 2 == 0 { link(3, 4) } else { link(4, 1) };
        let begins = 100 + 20 * place as u64;
        plan.faults.push(during(begins, begins + 70, probe::fault(kind, node(other), links, 2)));
    }
    for victim in [0, 1, 3, 4] {
        let begins = 700 + u64::from(victim);
        plan.faults.push(during(begins, begins + 20, Fault::Kill { target: node(victim) }));
    }
    // Shortly after a beat, while a record is on its way to the disk.
    let shot = at(350) + Span::us(300);
    plan.faults
        .push(PlannedFault { until: Some(at(400)), ..PlannedFault::once(shot, Fault::Kill { target: node(VICTIM) }) });
    plan.faults.sort_by_key(|fault| fault.at);
    plan
}

/// The same with one fault more at the victim, early, so that the number of every later fault is another one.
fn with(kind: Kind, strength: u64) -> Plan<Setup> {
    let mut plan = storm();
    let links = LinkSet::Links(vec![("n2".to_owned(), "n3".to_owned()), ("n3".to_owned(), "n4".to_owned())]);
    plan.faults.insert(1, during(30, 355, probe::fault(kind, node(VICTIM), links, strength)));
    plan
}

/// What has happened to those that `concerns` picks.
fn story(plan: Plan<Setup>, concerns: impl Fn(&Event) -> bool) -> Vec<(Time, Event)> {
    let world = probe::play(plan);
    world.trace().events.iter().filter(|(_, event)| concerns(event)).cloned().collect()
}

fn assert_same(kind: Kind, before: &[(Time, Event)], after: &[(Time, Event)]) {
    let first = before.iter().zip(after).find(|(before, after)| before != after);
    assert_eq!(first, None, "{} has changed what it does not touch", kind.name());
    assert_eq!(before.len(), after.len(), "{}", kind.name());
}

#[test]
fn a_fault_of_any_kind_leaves_the_others_as_they_were() {
    let elsewhere = |event: &Event| !event.nodes().contains(&VICTIM);
    let before = story(storm(), elsewhere);
    assert!(before.len() > 1_000, "only {} things have happened", before.len());
    for kind in EVERY {
        for strength in [1, 4] {
            assert_same(kind, &before, &story(with(kind, strength), elsewhere));
        }
    }
}

/// Otherwise the test above would show nothing.
#[test]
fn the_fault_that_makes_the_difference_changes_something() {
    let before = probe::play(storm());
    for kind in EVERY {
        let (alone, together) = (counts(&before, kind)[2], counts(&probe::play(with(kind, 4)), kind)[2]);
        assert_eq!(together, alone + 1, "{}", kind.name());
    }
}

/// A fault of links leaves the clocks and disks also of the nodes at their ends as they were.
#[test]
fn what_happens_to_links_leaves_every_disk_and_timer_as_it_was() {
    let inside = |event: &Event| !matches!(event, Event::Delivered { .. } | Event::Dropped { .. });
    let before = story(storm(), inside);
    for kind in EVERY.into_iter().filter(|kind| is_of_links(*kind)) {
        assert_same(kind, &before, &story(with(kind, 4), inside));
    }
}

/// A fault of nodes leaves the fates of messages as they were, of those that are still sent and received.
#[test]
fn what_happens_to_a_disk_or_a_wall_clock_leaves_every_message_as_it_was() {
    let outside = |event: &Event| matches!(event, Event::Delivered { .. } | Event::Dropped { .. });
    let before = story(storm(), outside);
    for kind in [Kind::ClockJump, Kind::DiskSlow, Kind::DiskStall, Kind::TornWrite, Kind::LostSync, Kind::BitRot] {
        assert_same(kind, &before, &story(with(kind, 4), outside));
    }
}

/// When syncs are done, and what a crash leaves of the records that were not synced, hangs on no other fault of the
/// same disk: not until the node starts again and reads what is left.
#[test]
fn one_fault_of_a_disk_does_not_re_roll_another() {
    let own = |event: &Event| event.nodes() == [VICTIM];
    let until_the_crash = |plan: Plan<Setup>| {
        let mut story = story(plan, own);
        story.retain(|(when, event)| *when < at(351) && !matches!(event, Event::Booted { .. }));
        story
    };
    let before = until_the_crash(storm());
    assert!(matches!(before.last(), Some((_, Event::Crashed { .. }))));
    assert_same(Kind::ClockJump, &before, &until_the_crash(with(Kind::ClockJump, 4)));
    // What has rotted or was torn, or what a lie was about, is lost besides; all that came before the crash is the same.
    for kind in [Kind::TornWrite, Kind::LostSync, Kind::BitRot] {
        let after = until_the_crash(with(kind, 4));
        assert_same(kind, &before[..before.len() - 1], &after[..after.len() - 1]);
    }
}

/// Which writes fail hangs on how many there were, and not on whether syncs may fail as well; and the other way round.
#[test]
fn errors_of_syncs_do_not_re_roll_those_of_writes() {
    let own = |event: &Event| event.nodes() == [VICTIM];
    let failing = |write: Ratio, sync: Ratio| {
        let mut plan = storm();
        plan.system.goes_on = true;
        plan.faults.insert(1, during(30, 355, Fault::DiskError { target: node(VICTIM), write, sync }));
        story(plan, own)
    };
    // Drawn each time, and never hit.
    let (often, hardly) = (probe::ratio(1, 4), probe::ratio(1, 1 << 32));
    for (alone, together) in [((often, Ratio::ZERO), (often, hardly)), ((Ratio::ZERO, often), (hardly, often))] {
        let before = failing(alone.0, alone.1);
        assert!(before.iter().any(|(_, event)| matches!(event, Event::DiskFailed { .. })));
        assert_same(Kind::DiskError, &before, &failing(together.0, together.1));
    }
}

fn is_of_links(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Partition
            | Kind::Loss
            | Kind::Duplicate
            | Kind::Delay
            | Kind::Heal
            | Kind::Clog
            | Kind::Reorder
            | Kind::Corrupt
            | Kind::Bandwidth
    )
}
