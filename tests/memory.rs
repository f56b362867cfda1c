//! A run whose logs are compacted needs no more memory the longer it is.

#[path = "../benches/workloads/mod.rs"]
mod workloads;

use squall::kernel::time::{Span, Time};
use squall::oracle::spec::Oracle;
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
