//! Shorter, and with rounder times.

use super::super::lab::{Best, Candidate};
use crate::environment::plan::Plan;
use crate::kernel::time::{Span, Time};
use std::collections::BTreeSet;

/// Ends just after the violation, without what would begin later.
pub(super) fn cut<S: Clone>(best: &Best<S>) -> Vec<Candidate<S>> {
    let broken = Time::from_ns(best.outcome.virtual_ns);
    let settle = best.plan.settle.is_some();
    let exact = best.but(|plan| {
        leave_out_after(plan, broken);
        if !settle {
            let end = Time::from_ns(rounded_up(broken.ns().max(latest(plan).ns()) + 1));
            plan.workload.until = end.since(Time::ZERO).min(plan.workload.until);
        }
    });
    // Where it must settle, the violation comes long after the workload.
    let shorter = |share: u64| {
        best.but(|plan| {
            plan.workload.until = Span::ns(rounded_up(plan.workload.until.as_ns() / 8 * share)).max(SHORTEST);
            leave_out_after(plan, Time::ZERO + plan.workload.until);
        })
    };
    let mut candidates = vec![exact];
    if settle {
        candidates.extend([1, 2, 4, 6, 7].map(shorter));
    }
    candidates
}

/// Where something must settle, the storm before is no shorter. How long it may take to settle stays as it is: within
/// less, the soundest system does not.
const SHORTEST: Span = Span::secs(1);

fn leave_out_after<S>(plan: &mut Plan<S>, end: Time) {
    plan.faults.retain(|fault| fault.at < end);
    for fault in &mut plan.faults {
        // An end that is never reached says nothing, but where all must be healed in time.
        fault.until = fault.until.filter(|until| *until <= end);
    }
    if let Some(operations) = &mut plan.workload.operations {
        operations.retain(|planned| planned.at < end);
    }
}

/// The latest beginning or end.
fn latest<S>(plan: &Plan<S>) -> Time {
    anchors(plan).last().copied().unwrap_or(Time::ZERO)
}

/// One digit, or two that are 1 and 5, and zeros.
fn rounded_up(ns: u64) -> u64 {
    let scale = 10_u64.pow(ns.max(1).ilog10());
    if 2 * ns <= 3 * scale && ns > scale && scale > 1 { scale / 2 * 3 } else { ns.div_ceil(scale) * scale }
}

/// Every instant that the plan names.
fn anchors<S>(plan: &Plan<S>) -> BTreeSet<Time> {
    let faults = plan.faults.iter().flat_map(|fault| [Some(fault.at), fault.until]).flatten();
    faults.chain(plan.workload.operations.iter().flatten().map(|planned| planned.at)).collect()
}

/// Every instant moved, and all in order again.
fn moved<S>(plan: &mut Plan<S>, to: impl Fn(Time) -> Time) {
    for fault in &mut plan.faults {
        fault.at = to(fault.at);
        fault.until = fault.until.map(&to);
    }
    plan.faults.sort_by_key(|fault| fault.at);
    if let Some(operations) = &mut plan.workload.operations {
        operations.iter_mut().for_each(|planned| planned.at = to(planned.at));
        operations.sort_by_key(|planned| planned.at);
    }
}

/// The steps from one time to a shorter one, in nanoseconds, coarse to fine.
fn scales() -> impl Iterator<Item = u64> {
    (3..=9).rev().flat_map(|power| [5, 2, 1].map(|digit| digit * 10_u64.pow(power)))
}

/// What comes after an instant comes earlier.
pub(super) fn gaps<S: Clone>(best: &Best<S>) -> Vec<Candidate<S>> {
    let mut candidates = Vec::new();
    let mut before = Time::ZERO;
    for anchor in anchors(&best.plan) {
        let gap = anchor.since(before).as_ns();
        before = anchor;
        for shift in
            std::iter::once(gap).chain(scales().filter(|scale| *scale < gap).take(6)).filter(|shift| *shift > 0)
        {
            candidates.push(best.but(|plan| {
                moved(plan, |time| if time >= anchor { Time::from_ns(time.ns() - shift) } else { time });
            }));
        }
    }
    // Each alone, too: a fault may end earlier while all else stays.
    candidates.extend(alone(best, |time| {
        let halves = scales().filter(move |scale| *scale < time.ns()).take(3);
        halves.map(move |scale| Time::from_ns(time.ns() - scale)).collect()
    }));
    candidates
}

/// Times with fewer digits.
pub(super) fn round<S: Clone>(best: &Best<S>) -> Vec<Candidate<S>> {
    let mut candidates = Vec::new();
    for scale in scales() {
        for bias in [scale / 2, 0, scale - 1] {
            candidates.push(best.but(|plan| {
                moved(plan, |time| Time::from_ns((time.ns() + bias) / scale * scale));
                // What happens later breaks later.
                plan.workload.until = plan.workload.until.times(2);
            }));
        }
    }
    candidates.extend(alone(best, |time| {
        let round = |scale: u64| {
            let down = time.ns() / scale * scale;
            [down, down + scale].map(Time::from_ns)
        };
        scales().filter(|scale| time.ns() % scale > 0 && *scale <= 2 * time.ns()).flat_map(round).collect()
    }));
    candidates
}

/// One instant after the other at other times, all the rest as it is.
fn alone<S: Clone>(best: &Best<S>, other: impl Fn(Time) -> Vec<Time>) -> Vec<Candidate<S>> {
    let mut candidates = Vec::new();
    for place in 0..best.plan.faults.len() {
        let fault = &best.plan.faults[place];
        for at in other(fault.at) {
            candidates.push(best.but(|plan| {
                plan.faults[place].at = at;
                plan.faults.sort_by_key(|fault| fault.at);
            }));
        }
        for until in fault.until.map_or_else(Vec::new, &other) {
            candidates.push(best.but(|plan| plan.faults[place].until = Some(until)));
        }
    }
    for (place, planned) in best.plan.workload.operations.iter().flatten().enumerate() {
        for at in other(planned.at) {
            candidates.push(best.but(|plan| {
                let operations = plan.workload.operations.as_mut().expect("they are spelled out");
                operations[place].at = at;
                operations.sort_by_key(|planned| planned.at);
            }));
        }
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_rounded_up_to_one_digit_or_one_and_a_half() {
        let ends = [1, 9, 10, 11, 15, 16, 213, 1_000_001];
        assert_eq!(ends.map(rounded_up), [1, 9, 10, 15, 15, 20, 300, 1_500_000]);
    }
}
