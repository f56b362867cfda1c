//! Less to do for clients, and plainer things.

use super::super::Subject;
use super::super::lab::{Best, Candidate};
use crate::environment::plan::{Operation, Plan, PlannedOperation, Workload};
use crate::kernel::time::Time;
use std::collections::BTreeSet;

/// No clients; what they do spelled out; or, as long as that is drawn, fewer of them.
pub(super) fn workload<S: Clone>(best: &Best<S>, subject: &dyn Subject<S>) -> Vec<Candidate<S>> {
    let workload = &best.plan.workload;
    let mut candidates = Vec::new();
    if workload.clients > 0 {
        candidates.push(best.but(|plan| spell_out(plan, 0, Vec::new())));
    }
    if workload.operations.is_none() && workload.clients > 0 {
        let end = Time::from_ns(best.outcome.virtual_ns).min(Time::ZERO + workload.until);
        let mut operations = subject.operations(&best.plan);
        operations.retain(|planned| planned.at < end);
        candidates.push(best.but(|plan| spell_out(plan, workload.clients, operations)));
        for clients in 1..workload.clients {
            candidates.push(best.but(|plan| plan.workload.clients = clients));
        }
    }
    candidates
}

/// Lets so many clients do just this.
pub(super) fn spell_out<S>(plan: &mut Plan<S>, clients: u16, operations: Vec<PlannedOperation>) {
    let workload = &mut plan.workload;
    workload.clients = clients;
    workload.rate = None;
    workload.reads = Workload::until(workload.until).reads;
    workload.operations = (clients > 0).then_some(operations);
}

/// The clients that have something to do, fewer of them.
pub(super) fn clients<S: Clone>(best: &Best<S>) -> Vec<Candidate<S>> {
    let Some(operations) = &best.plan.workload.operations else { return Vec::new() };
    let busy: BTreeSet<&str> = operations.iter().map(|planned| planned.client.as_str()).collect();
    let mut candidates = Vec::new();
    // All that somebody does, somebody else could do, or the same client under another name.
    let count = best.plan.workload.clients;
    for into in 1..=count {
        let into = format!("c{into}");
        for from in busy.iter().filter(|client| **client != into) {
            candidates.push(best.but(|plan| {
                let operations = plan.workload.operations.iter_mut().flatten();
                operations
                    .filter(|planned| planned.client == *from)
                    .for_each(|planned| planned.client.clone_from(&into));
                plan.workload.clients = needed(plan);
            }));
        }
    }
    candidates.insert(0, best.but(|plan| plan.workload.clients = needed(plan)));
    candidates
}

/// How many clients there must be for all that are named, and one where something must settle.
fn needed<S>(plan: &Plan<S>) -> u16 {
    let operations = plan.workload.operations.iter().flatten();
    let numbers = operations.filter_map(|planned| planned.client.strip_prefix('c')?.parse().ok());
    numbers.max().unwrap_or(0).max(u16::from(plan.settle.is_some()))
}

/// Plainer operations.
pub(super) fn operations<S: Clone>(best: &Best<S>) -> Vec<Candidate<S>> {
    let workload = &best.plan.workload;
    let usual = Workload::until(workload.until);
    let mut candidates = vec![best.but(|plan| plan.workload.patience = usual.patience)];
    let Some(operations) = &workload.operations else {
        candidates.push(best.but(|plan| plan.workload.keys = 1));
        return candidates;
    };
    let keys: BTreeSet<u32> = operations.iter().map(|planned| planned.invoke.key()).collect();
    let numbered = |key: u32| keys.range(..key).count() as u32;
    for one in [true, false] {
        candidates.push(best.but(|plan| {
            let keys = if one { 1 } else { keys.len().max(1) as u32 };
            plan.workload.keys = keys;
            for planned in plan.workload.operations.iter_mut().flatten() {
                let key = if one { 0 } else { numbered(planned.invoke.key()) };
                planned.invoke = on_key(planned.invoke, key);
            }
        }));
    }
    for (place, planned) in operations.iter().enumerate() {
        let key = planned.invoke.key();
        for plainer in [
            Operation::Read { key },
            Operation::Write { key, value: place as u64 + 1 },
            Operation::Write { key, value: 1 },
        ] {
            candidates.push(best.but(|plan| {
                plan.workload.operations.as_mut().expect("they are spelled out")[place].invoke = plainer;
            }));
        }
    }
    candidates
}

fn on_key(operation: Operation, key: u32) -> Operation {
    match operation {
        Operation::Read { .. } => Operation::Read { key },
        Operation::Write { value, .. } => Operation::Write { key, value },
        Operation::Cas { from, to, .. } => Operation::Cas { key, from, to },
        Operation::Add { delta, .. } => Operation::Add { key, delta },
    }
}
