//! W3, Raft: closed-loop clients that put through the leader, no faults.

use squall::environment::distribution::Distribution;
use squall::environment::plan::{Plan, Workload};
use squall::kernel::chance::Ratio;
use squall::kernel::time::{Span, Time};
use squall::oracle::spec::{Oracle, Spec};
use squall::protocols::raft::node::{Config, Store};
use squall::systems::BuiltIn;
use squall::systems::raft::{RaftSettings, ReadSettings, SnapshotSettings, raft_plan};
use squall::trace::Trace;
use squall::world::World;
use std::sync::Arc;

/// Five servers and ten clients that never rest.
pub fn plan(seed: u64, until: Span, sync: Distribution, idle: u16) -> Arc<Plan<Config>> {
    plan_of(RaftSettings { idle, ..RaftSettings::of(5) }, seed, until, sync)
}

/// The same with everything on that Raft can do: servers that may join, snapshots, reads that spare the log, sessions that end.
pub fn whole_plan(seed: u64, until: Span) -> Arc<Plan<Config>> {
    let settings = RaftSettings {
        spares: 2,
        snapshot: Some(SnapshotSettings { every: 1_000, keep: 100, chunk: 16 }),
        reads: ReadSettings::Lease { drift_ppm: 1_000 },
        follower_reads: true,
        session_lifetime: Some(Span::secs(10)),
        ..RaftSettings::of(5)
    };
    plan_of(settings, seed, until, Distribution::ZERO)
}

fn plan_of(settings: RaftSettings, seed: u64, until: Span, sync: Distribution) -> Arc<Plan<Config>> {
    let mut plan = Plan::new(BuiltIn::Raft(settings), seed, until);
    plan.disk.sync = sync;
    plan.workload = Workload { clients: 10, keys: 64, reads: Ratio::ZERO, ..Workload::until(until) };
    raft_plan(&plan)
}

/// A world that has been played until then.
pub fn squall<O: Oracle<Store>, T: Trace<Store>>(
    plan: &Arc<Plan<Config>>,
    oracles: O,
    trace: T,
    until: Span,
) -> World<Store, O, T> {
    let mut world = World::new(Arc::clone(plan), oracles, trace);
    world.start().expect("a sound start");
    world.run_until(Time::ZERO + until, u64::MAX, |_, _| false).expect("a sound run");
    world
}

/// The oracles of the store.
pub fn oracles(plan: &Plan<Config>) -> <Store as Spec>::Oracles {
    Store::oracles(&plan.system)
}
