//! A run whose logs are compacted needs no more memory the longer it is, and journals that begin anew stay short.

#[path = "../benches/workloads/mod.rs"]
mod workloads;

use squall::environment::plan::{Plan, Workload};
use squall::kernel::time::{Span, Time};
use squall::oracle::spec::{Oracle, Spec};
use squall::protocols::ring::node::Node;
use squall::systems::BuiltIn;
use squall::systems::ring::{RingSettings, ring_plan};
use squall::trace::Fingerprint;
use squall::world::World;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use workloads::raft;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn a_long_run_of_compacted_logs_needs_no_more_memory_than_a_short_one() {
    let end = Span::secs(200);
    let plan = raft::whole_plan(1, end);
    let mut world = World::new(plan.clone(), raft::oracles(&plan), Fingerprint::default());
    let region = Region::new(ALLOCATOR);
    world.start().expect("a sound start");
    // The most that is held at the end of any of ten seconds: a log grows and is compacted.
    let mut most_after = |seconds: u64| {
        let held = (0..10).map(|second| {
            world.run_until(Time::ZERO + Span::secs(seconds + second), u64::MAX, |_, _| false).expect("a sound run");
            let change = region.change();
            change.bytes_allocated - change.bytes_deallocated
        });
        let most = held.max().expect("ten");
        (most, world.oracles().stats()[0].1)
    };
    let ((early, few), (late, many)) = (most_after(15), most_after(170));
    assert!(few > 5_000 && many > 6 * few, "{few} entries committed, then {many}");
    assert!(late <= early + early / 10, "{early} bytes held with {few} entries, {late} with {many}");
}

#[test]
fn the_journal_of_a_server_of_a_ring_stays_short() {
    const EVERY: u32 = 200;
    let end = Span::secs(100);
    let mut plan = Plan::new(BuiltIn::Ring(RingSettings { checkpoint: Some(EVERY), ..RingSettings::of(5) }), 1, end);
    plan.workload = Workload { clients: 8, keys: 64, ..Workload::until(end) };
    let plan = ring_plan(&plan);
    let mut world = World::new(plan.clone(), Node::oracles(&plan.system), Fingerprint::default());
    world.start().expect("a sound start");
    for second in 1..=100 {
        world.run_until(Time::ZERO + Span::secs(second), u64::MAX, |_, _| false).expect("a sound run");
        for host in &world.view().hosts[..5] {
            // The last one is forgotten when the next one begins, and it is looked at five times a second.
            let (kept, written) = (host.disk.records().count(), host.disk.end());
            assert!(kept < 3 * EVERY as usize, "{kept} records of {written} after {second} s");
        }
    }
    let least = world.view().hosts[..5].iter().map(|host| host.disk.end()).min();
    assert!(least > Some(20 * EVERY as usize), "{least:?} records were written");
}
