//! A scenario and a seed make a plan: everything that was left to chance is spelled out.

mod targets;

use super::check::FAULTS;
use super::fault::{FaultSpec, Inject, Schedule};
use super::model::{Clocks, Scenario};
use crate::environment::fault::PlannedFault;
use crate::environment::plan::{Clock, ENGINE, FORMAT, Plan};
use crate::kernel::chance::{Ratio, exponential};
use crate::kernel::rng::{Dice, Purpose};
use crate::kernel::time::{Span, Time};

/// The plan of one seed. `name` is the scenario's, `members` are the nodes that faults can hit.
///
/// Each fault of the scenario has dice of its own, so that to add one at the end or to change one
/// leaves the draws of the others as they were. No fault begins after the workload. If the run
/// heals when it settles, a fault that would go on is left without an end.
///
/// # Panics
/// If the scenario was never checked and names more members than there are, or has a fault that
/// does not say when it happens.
pub fn draw<S: Clone>(scenario: &Scenario<S>, name: &str, members: &[String], seed: u64) -> Plan<S> {
    let end = Time::ZERO + scenario.workload.until;
    let heals = scenario.settle.as_ref().is_some_and(|settle| settle.heal);
    let mut faults: Vec<PlannedFault> = Vec::new();
    for (index, spec) in scenario.faults.iter().enumerate() {
        let mut dice = Dice::new(seed, Purpose::Faults, index as u64);
        for at in begins(spec, end, &mut dice) {
            let inject = targets::concrete(&spec.inject, members, &mut dice);
            let until = ends(spec, at, &mut dice);
            faults.push(PlannedFault { at, until: until.filter(|until| *until <= end || !heals), inject });
        }
    }
    // Stable: of two at one time, the one that is written first comes first.
    faults.sort_by_key(|fault| fault.at);
    assert!(faults.iter().all(|fault| fault.at < end), "a fault begins after the workload");
    Plan {
        squall: FORMAT,
        engine: ENGINE,
        scenario: name.to_owned(),
        seed,
        system: scenario.system.clone(),
        exhibits: scenario.exhibits.clone(),
        network: scenario.network.clone(),
        disk: scenario.disk.clone(),
        clocks: clocks(&scenario.clocks, members, seed),
        workload: scenario.workload.clone(),
        faults,
        settle: scenario.settle.clone(),
        limits: scenario.limits.clone(),
    }
}

/// When each fault of this kind begins.
fn begins(spec: &FaultSpec, end: Time, dice: &mut Dice) -> Vec<Time> {
    // The check refuses scenarios that expect more than this; chance may bring twice as many.
    let most = 2 * FAULTS as usize;
    match spec.schedule(end).expect("a checked fault says when it happens") {
        Schedule::Once { at, .. } => vec![at],
        Schedule::Every { period, jitter, from, until } => (1..)
            .map_while(|turn| after(from, Span::ns(period.as_ns().checked_mul(turn)?)).filter(|at| *at < until))
            .take(most)
            .map(|at| shifted(at, period, jitter, dice))
            // A shift past the end is a fault that does not happen; the next would be later still.
            .filter(|at| *at < until)
            .collect(),
        Schedule::Poisson { rate, from, until } => {
            let mut at = from;
            let next = || {
                at = after(at, exponential(dice.next(), rate.interval()))?;
                (at < until).then_some(at)
            };
            std::iter::from_fn(next).take(most).collect()
        }
    }
}

/// At most `jitter` of a period earlier or later, each instant equally likely.
fn shifted(at: Time, period: Span, jitter: Ratio, dice: &mut Dice) -> Time {
    let most = (u128::from(period.as_ns()) * u128::from(jitter.part()) / u128::from(jitter.whole())) as u64;
    let shift = dice.below(2 * most + 1);
    Time::from_ns((at.ns() + shift).saturating_sub(most))
}

/// When a fault that begins at `at` ends by itself.
fn ends(spec: &FaultSpec, at: Time, dice: &mut Dice) -> Option<Time> {
    let length = match &spec.inject {
        Inject::Heal => return None,
        Inject::Kill { restart_after, .. } => *restart_after,
        Inject::Partition { .. }
        | Inject::Pause { .. }
        | Inject::Loss { .. }
        | Inject::Duplicate { .. }
        | Inject::Delay { .. }
        | Inject::DiskSlow { .. } => spec.lasts,
    };
    match length {
        Some(range) => after(at, range.draw(dice.next())),
        None => spec.until.filter(|_| spec.at.is_some()),
    }
}

fn after(at: Time, span: Span) -> Option<Time> {
    at.ns().checked_add(span.as_ns()).map(Time::from_ns)
}

/// The error of each member's clock; none at all if clocks are perfect. Who has an error of its own draws
/// all the same, so that to name one leaves the others' as they were.
fn clocks(most: &Clocks, members: &[String], seed: u64) -> Vec<Clock> {
    if most.are_perfect() {
        return Vec::new();
    }
    let within = |dice: &mut Dice, most: u64| dice.below(2 * most + 1) as i64 - most as i64;
    let drawn = Dice::flock(seed, Purpose::Clocks, 0..members.len() as u64).map(|mut dice| Clock {
        offset_ns: within(&mut dice, most.offset.as_ns()),
        drift_ppm: within(&mut dice, u64::from(most.drift_ppm)) as i32,
    });
    let mended = |(member, drawn): (&String, Clock)| match most.nodes.get(member) {
        None => drawn,
        Some(own) => {
            Clock { offset_ns: own.offset.map_or(drawn.offset_ns, |offset| offset.0), drift_ppm: own.drift_ppm }
        }
    };
    members.iter().zip(drawn).map(mended).collect()
}

#[cfg(test)]
mod tests;
