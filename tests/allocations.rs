//! An event costs no allocation: neither the world nor the digest nor the queue asks for memory once a
//! run is under way.

#[path = "../benches/workloads/mod.rs"]
mod workloads;

use squall::kernel::time::{Span, Time};
use squall::trace::Fingerprint;
use squall::world::World;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use workloads::echo;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn a_delivery_allocates_nothing() {
    let plan = echo::plan(1, 5, 64);
    let mut world = World::new(plan, echo::Counting::new(5), Fingerprint::default());
    world.start().expect("a sound start");
    let far = Time::ZERO + Span::secs(100_000);
    // The queue has its size after the first round; a call makes the list of effects once.
    let mut allocations_in = |deliveries: u64| {
        let region = Region::new(ALLOCATOR);
        let upto = world.steps() + deliveries;
        world.run_until(far, upto, |_, _| false).expect("a sound run");
        region.change().allocations
    };
    allocations_in(1_000);
    // The test harness has a thread of its own, which allocates now and then: not five times in a row.
    let few = (0..5).map(|_| allocations_in(1_000)).min().expect("five times");
    let many = (0..5).map(|_| allocations_in(100_000)).min().expect("five times");
    assert!(few <= 2, "{few} allocations for one call");
    assert_eq!(many, few, "allocations must not depend on how many messages are delivered");
}
