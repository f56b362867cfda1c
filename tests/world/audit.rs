//! The account of what faults have done: each kind once where it changes something, and where it begins and changes
//! nothing, although it lasts.

use super::probe::{self, EVERY, Event, Setup, at, counts, during, link, node, plan, play};
use squall::environment::disk::crash::Survival;
use squall::environment::fault::{Fault, Kind, LinkSet, PlannedFault};
use squall::environment::plan::Plan;
use squall::environment::text::Offset;
use squall::kernel::chance::Ratio;
use squall::kernel::time::Span;

/// A fault that lasts from 100 to 200 ms, by the number of the node or of the sender that it hits.
fn fault(kind: Kind, victim: u16) -> PlannedFault {
    during(100, 200, probe::fault(kind, node(victim), link(victim, (victim + 1) % 3), 4))
}

/// n1 sends to n2, n2 to n3, n3 to nobody; all write.
fn chain() -> Setup {
    Setup { links: vec![(0, 1), (1, 2)], ..Setup::ring(3) }
}

/// Nothing ever happens at any node.
fn silence() -> Setup {
    Setup { beat: None, ..chain() }
}

fn kill(from: u64, until: u64, victim: u16) -> PlannedFault {
    during(from, until, Fault::Kill { target: node(victim) })
}

/// The same with disks of which a crash leaves so much that was not synced.
fn surviving(mut plan: Plan<Setup>, survival: Survival) -> Plan<Setup> {
    plan.disk.unsynced = survival;
    plan
}

/// Where the kind changes something.
fn biting(kind: Kind) -> Plan<Setup> {
    let fault = fault(kind, 0);
    let cut = || during(50, 300, Fault::Partition(link(1, 2)));
    // A crash half a millisecond after a beat, while its record is being synced.
    let crash = || PlannedFault {
        until: Some(at(180)),
        ..PlannedFault::once(at(150) + Span::us(500), Fault::Kill { target: node(0) })
    };
    match kind {
        Kind::Heal => plan(chain(), vec![cut(), fault]),
        Kind::TornWrite => surviving(plan(chain(), vec![fault, crash()]), Survival::Everything),
        Kind::LostSync => surviving(plan(chain(), vec![fault, crash()]), Survival::Nothing),
        Kind::BitRot => plan(chain(), vec![fault, crash()]),
        Kind::ClockJump => plan(Setup { reads_wall: true, ..chain() }, vec![fault]),
        _ => plan(chain(), vec![fault]),
    }
}

/// Where it begins and ends all the same.
fn idle(kind: Kind) -> Plan<Setup> {
    match kind {
        // The link of n3 carries nothing.
        Kind::Partition
        | Kind::Clog
        | Kind::Loss
        | Kind::Duplicate
        | Kind::Delay
        | Kind::Reorder
        | Kind::Corrupt
        | Kind::Bandwidth => plan(chain(), vec![fault(kind, 2)]),
        // Who is gone for good cannot be struck down, nor has it anything to lose.
        Kind::Kill | Kind::Wipe => {
            let before = PlannedFault::once(at(20), Fault::Destroy { target: node(0) });
            plan(Setup { writes: false, ..chain() }, vec![before, fault(kind, 0)])
        }
        // It is killed for longer than the run lasts.
        Kind::Destroy => plan(chain(), vec![kill(50, 5_000, 0), fault(kind, 0)]),
        Kind::Pause | Kind::SlowNode | Kind::ClockDrift | Kind::ClockFreeze => plan(silence(), vec![fault(kind, 0)]),
        // Nobody looks at the wall clock.
        Kind::ClockJump => plan(chain(), vec![fault(kind, 0)]),
        Kind::DiskSlow | Kind::DiskStall | Kind::DiskError | Kind::DiskFull => {
            plan(Setup { writes: false, ..chain() }, vec![fault(kind, 0)])
        }
        // No crash, and none before the disk was synced again.
        Kind::TornWrite => plan(chain(), vec![fault(kind, 0)]),
        Kind::LostSync => surviving(plan(chain(), vec![fault(kind, 0), kill(255, 280, 0)]), Survival::Nothing),
        // No boot.
        Kind::BitRot => plan(chain(), vec![fault(kind, 0)]),
        Kind::Join
        | Kind::Leave
        | Kind::ReplaceMember
        | Kind::Reweigh
        | Kind::Rezone
        | Kind::Rebalance
        | Kind::TransferLeadership => plan(silence(), vec![fault(kind, 0)]),
        // No partition.
        Kind::Heal => plan(chain(), vec![fault(Kind::Clog, 0), fault(kind, 0)]),
    }
}

#[test]
fn every_kind_changes_something_where_it_can() {
    for kind in EVERY {
        let [planned, fired, changed, effects] = counts(&play(biting(kind)), kind);
        assert_eq!((planned, fired, changed), (1, 1, 1), "{}", kind.name());
        assert!(effects > 0, "{}", kind.name());
    }
}

#[test]
fn every_kind_can_begin_and_change_nothing() {
    for kind in EVERY {
        assert_eq!(counts(&play(idle(kind)), kind), [1, 1, 0, 0], "{}", kind.name());
    }
}

/// What a fault has changed is what the trace tells: here, ten beats of 10 ms fall into its 100.
#[test]
fn effects_are_as_many_as_happened() {
    let lost = play(biting(Kind::Loss));
    let dropped = |(_, event): &&(_, Event)| matches!(event, Event::Dropped { .. });
    assert_eq!(lost.trace().events.iter().filter(dropped).count(), 10);
    for (kind, effects) in [
        (Kind::Loss, 10),
        (Kind::Partition, 10),
        (Kind::Clog, 10),
        (Kind::Duplicate, 10),
        (Kind::Delay, 10),
        (Kind::Corrupt, 10),
        (Kind::Bandwidth, 10),
        (Kind::Kill, 1),
        (Kind::DiskSlow, 10),
        // The one sync that it holds holds the others.
        (Kind::DiskStall, 1),
        (Kind::TornWrite, 1),
        (Kind::BitRot, 1),
    ] {
        let [_, _, _, counted] = counts(&play(biting(kind)), kind);
        assert!(counted.abs_diff(effects) <= 1, "{}: {counted}, not {effects}", kind.name());
    }
}

#[test]
fn what_is_lost_anyway_no_fault_has_lost() {
    let mut plan = plan(chain(), vec![fault(Kind::Loss, 0)]);
    plan.network.loss = Ratio::ONE;
    assert_eq!(counts(&play(plan), Kind::Loss), [1, 1, 0, 0]);
}

#[test]
fn a_partition_loses_nothing_that_is_on_its_way_to_the_dead() {
    let world = play(plan(chain(), vec![kill(50, 300, 1), fault(Kind::Partition, 0)]));
    assert_eq!(counts(&world, Kind::Partition), [1, 1, 0, 0]);
}

#[test]
fn a_partition_that_was_healed_loses_nothing_any_more() {
    let cut = |from, until| during(from, until, Fault::Partition(link(0, 1)));
    // The first one is healed before any message meets it; the second loses some.
    let heal = PlannedFault::once(at(53), Fault::Heal);
    let world = play(plan(chain(), vec![cut(52, 400), heal, cut(100, 200)]));
    assert_eq!(counts(&world, Kind::Partition)[..3], [2, 2, 1]);
    assert_eq!(counts(&world, Kind::Heal)[..3], [1, 1, 1]);
}

#[test]
fn a_kill_that_keeps_a_dead_node_down_for_longer_has_changed_something() {
    let world = play(plan(chain(), vec![kill(100, 200, 0), kill(150, 300, 0)]));
    assert_eq!(counts(&world, Kind::Kill), [2, 2, 2, 2]);
    let world = play(plan(chain(), vec![kill(100, 300, 0), kill(150, 200, 0)]));
    // The longer one keeps it down when the shorter one ends, which has done nothing.
    assert_eq!(counts(&world, Kind::Kill)[..3], [2, 2, 1]);
}

#[test]
fn a_wipe_of_a_dead_node_changes_something_if_it_had_records() {
    let world = play(plan(chain(), vec![kill(50, 300, 0), fault(Kind::Wipe, 0)]));
    assert_eq!(counts(&world, Kind::Wipe)[..3], [1, 1, 1]);
    let world = play(plan(Setup { writes: false, ..chain() }, vec![kill(50, 300, 0), fault(Kind::Wipe, 0)]));
    assert_eq!(counts(&world, Kind::Wipe), [1, 1, 0, 0]);
}

#[test]
fn who_is_destroyed_while_it_is_dead_does_not_come_back() {
    let world =
        play(plan(chain(), vec![kill(50, 300, 0), PlannedFault::once(at(100), Fault::Destroy { target: node(0) })]));
    assert_eq!(counts(&world, Kind::Destroy)[..3], [1, 1, 1]);
    assert!(world.view().hosts[0].state.is_none());
}

/// The beat at 110 ms arms a timer while the clock stands still or runs fast, although none was moved at the start.
#[test]
fn a_timer_that_is_armed_by_a_bent_clock_counts_as_moved() {
    for inject in [Fault::ClockFreeze { target: node(0) }, Fault::ClockDrift { target: node(0), ppm: -1_000 }] {
        let kind = inject.kind();
        // It begins at the instant of a beat, before the beat: that fires all the same, and arms the next one.
        let world = play(plan(chain(), vec![during(110, 112, inject)]));
        let [_, _, changed, effects] = counts(&world, kind);
        assert_eq!((changed, effects), (1, 1), "{}", kind.name());
    }
}

#[test]
fn that_a_frozen_clock_goes_on_is_not_drift() {
    let world = play(plan(chain(), vec![fault(Kind::ClockFreeze, 0)]));
    assert_eq!(counts(&world, Kind::ClockFreeze), [1, 1, 1, 1]);
    assert_eq!(counts(&world, Kind::ClockDrift), [0, 0, 0, 0]);
}

#[test]
fn a_clock_that_has_drifted_shows_when_the_wall_is_looked_at() {
    let setup = Setup { reads_wall: true, ..chain() };
    for kind in [Kind::ClockDrift, Kind::ClockFreeze, Kind::ClockJump] {
        let world = play(plan(setup.clone(), vec![fault(kind, 0)]));
        assert_eq!(counts(&world, kind)[..3], [1, 1, 1], "{}", kind.name());
    }
}

#[test]
fn records_that_a_failed_sync_left_behind_are_no_lie_of_the_disk() {
    let lie = during(20, 25, Fault::LostSync { target: node(0) });
    let fail = during(100, 200, Fault::DiskError { target: node(0), write: Ratio::ZERO, sync: Ratio::ONE });
    let mut plan = plan(Setup { goes_on: true, ..chain() }, vec![lie, fail, kill(300, 400, 0)]);
    plan.disk.unsynced = Survival::Nothing;
    let world = play(plan);
    let lost = world.view().hosts[0].disk.books().lost_durable;
    assert!(lost > 0, "a later sync has called them durable");
    assert_eq!(counts(&world, Kind::LostSync), [1, 1, 0, 0]);
    assert_eq!(counts(&world, Kind::DiskError)[..3], [1, 1, 1]);
}

#[test]
fn a_disk_that_tears_by_itself_needs_no_fault_for_it() {
    let mut plan = biting(Kind::TornWrite);
    plan.disk.torn = Ratio::ONE;
    assert_eq!(counts(&play(plan), Kind::TornWrite), [1, 1, 0, 0]);
}

/// The crash comes while a record is being synced, 50 ms after the end of the fault.
#[test]
fn a_disk_that_has_torn_records_does_so_no_more_when_that_is_over() {
    let crash = PlannedFault::once(at(250) + Span::us(500), Fault::Kill { target: node(0) });
    let crash = PlannedFault { until: Some(at(280)), ..crash };
    let is_torn = |faults: Vec<PlannedFault>| {
        let world = play(surviving(plan(chain(), faults), Survival::Everything));
        let torn = |(_, event): &(_, Event)| matches!(event, Event::Booted { damage, .. } if damage == "Some(Torn)");
        world.trace().events.iter().any(torn)
    };
    assert!(!is_torn(vec![fault(Kind::TornWrite, 0), crash.clone()]));
    assert!(is_torn(vec![during(100, 260, Fault::TornWrite { target: node(0) }), crash]));
}

#[test]
fn rot_is_found_whether_or_not_a_checksum_tells() {
    for has_checksums in [true, false] {
        let setup = Setup { has_checksums, ..chain() };
        let world = play(plan(setup, vec![fault(Kind::BitRot, 0), kill(150, 200, 0)]));
        assert_eq!(counts(&world, Kind::BitRot), [1, 1, 1, 1], "checksums: {has_checksums}");
    }
}

#[test]
fn rot_that_was_wiped_away_is_not_found() {
    let wipe = during(150, 200, Fault::Wipe { target: node(0) });
    let world = play(plan(chain(), vec![fault(Kind::BitRot, 0), wipe]));
    assert_eq!(counts(&world, Kind::BitRot), [1, 1, 0, 0]);
}

#[test]
fn an_empty_disk_does_not_rot() {
    let faults = vec![during(5, 8, Fault::BitRot { target: node(0) }), kill(150, 200, 0)];
    assert_eq!(counts(&play(plan(chain(), faults)), Kind::BitRot), [1, 1, 0, 0]);
}

/// Of three members one may lose its records.
#[test]
fn who_is_spared_for_the_sake_of_recovery_was_hit_by_a_fault_that_changed_nothing() {
    let wipes = [0, 1].map(|victim| during(100 + u64::from(victim), 200, Fault::Wipe { target: node(victim) }));
    let mut plan = plan(chain(), wipes.to_vec());
    assert_eq!(counts(&play(plan.clone()), Kind::Wipe)[..3], [2, 2, 2]);
    plan.disk.recoverable = true;
    let world = play(plan.clone());
    assert_eq!(counts(&world, Kind::Wipe), [2, 2, 1, 1]);
    assert_eq!(world.view().hosts[1].incarnation, 0, "n2 was spared");
    // Also when the first one has come back long ago, and of its records nobody knows; and it may lose them again.
    let wipes =
        [(0, 100), (1, 300), (0, 500)].map(|(victim, ms)| during(ms, ms + 50, Fault::Wipe { target: node(victim) }));
    let world = play(Plan { faults: wipes.to_vec(), ..plan });
    assert_eq!([0, 1].map(|node| world.view().hosts[node].incarnation), [2, 0]);
}

#[test]
fn a_fault_that_comes_after_the_end_of_the_storm_does_not_begin() {
    let world = play(plan(chain(), vec![kill(1_500, 1_600, 0)]));
    assert_eq!(counts(&world, Kind::Kill), [1, 0, 0, 0]);
}

/// A sleeper whose disk has failed hears of it when it wakes. If the disk is well by then, it starts again at once.
#[test]
fn who_hears_too_late_that_its_disk_has_failed_is_not_down_for_ever() {
    let fail = during(100, 120, Fault::DiskError { target: node(0), write: Ratio::ZERO, sync: Ratio::ONE });
    let sleep = during(100, 200, Fault::Pause { target: node(0) });
    let beat = Setup { beat: Some(Span::us(9_950)), ..chain() };
    let world = play(plan(beat, vec![fail, sleep]));
    let failed = world.trace().events.iter().any(|(_, event)| matches!(event, Event::DiskFailed { node: 0, .. }));
    assert!(failed, "the sync that began at 99.5 ms is done while it sleeps");
    let host = &world.view().hosts[0];
    assert_eq!(host.incarnation, 1);
    assert!(host.state.is_some(), "its disk is well again");
}

/// A slow node puts off what comes in. That its messages come from others does not make them stale once it has crashed.
#[test]
fn a_slow_node_that_has_crashed_before_still_handles_what_it_gets() {
    let world = play(plan(chain(), vec![kill(20, 50, 1), fault(Kind::SlowNode, 1)]));
    let handled = |(when, event): &&(_, Event)| {
        matches!(event, Event::Delivered { from: 0, to: 1, .. }) && (at(102)..at(200)).contains(when)
    };
    assert!(world.trace().events.iter().filter(handled).count() >= 9);
    assert_eq!(world.traffic().dropped, 3, "those that came while it was down");
}

#[test]
fn a_heal_where_no_link_is_cut_has_healed_nothing() {
    let nobody = during(50, 300, Fault::Partition(LinkSet::Links(Vec::new())));
    let world = play(plan(chain(), vec![nobody, fault(Kind::Heal, 0)]));
    assert_eq!(counts(&world, Kind::Heal), [1, 1, 0, 0]);
}

#[test]
fn a_clock_that_is_set_to_what_it_shows_has_not_jumped() {
    let setup = Setup { reads_wall: true, ..chain() };
    for (by, changed) in [(0, 0), (1, 1), (-1, 1)] {
        let jump = PlannedFault::once(at(100), Fault::ClockJump { target: node(0), by: Offset(by) });
        let world = play(plan(setup.clone(), vec![jump]));
        assert_eq!(counts(&world, Kind::ClockJump), [1, 1, changed, changed], "by {by} ns");
    }
}
