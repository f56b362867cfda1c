//! A scenario and a seed make a plan: everything that was left to chance is spelled out.

mod targets;

use super::check::FAULTS;
use super::fault::{FaultSpec, Schedule};
use super::inject::Duration;
use super::model::{Clocks, Healing, Scenario};
use super::roster::{Crew, Roster};
use super::swarm::{self, Drawn};
use super::when::When;
use crate::environment::fault::{Fault, PlannedFault, Target, Trigger};
use crate::environment::plan::{self, Clock, ENGINE, FORMAT, Heal, Plan};
use crate::kernel::chance::{Ratio, exponential};
use crate::kernel::rng::{Dice, Purpose};
use crate::kernel::time::{Span, Time};

/// The dice that say who belongs to the core that is healed; those of faults have smaller numbers.
const CORE: u64 = 1 << 63;

/// The plan of one seed. `name` is the scenario's; the roster tells of its system.
///
/// Each fault of the scenario has dice of its own, so that to add one at the end or to change one
/// leaves the draws of the others as they were. No fault begins after the workload. If the run
/// heals when it settles, a fault that would go on is left without an end.
///
/// # Panics
/// If the scenario was never checked and names more members than there are, or has a fault that
/// does not say when it happens.
pub fn draw<S: Clone>(scenario: &Scenario<S>, name: &str, roster: &Roster, seed: u64) -> Plan<S> {
    let (end, crew) = (Time::ZERO + scenario.workload.until, roster.crew);
    let mut faults = spelled_out(scenario, crew, seed);
    let Drawn { network, disk, clocks: most, settle, families } = match scenario.swarm {
        Some(swarm) => swarm::draw(swarm, scenario, roster, seed),
        None => Drawn {
            network: scenario.network.clone(),
            disk: scenario.disk.clone(),
            clocks: scenario.clocks.clone(),
            settle: scenario.settle.clone(),
            families: Vec::new(),
        },
    };
    let whole = Stretch { from: Time::ZERO, length: scenario.workload.until };
    for (mut dice, specs) in families {
        faults.extend(specs.iter().flat_map(|spec| occurrences(spec, whole, crew, &mut dice)));
    }
    let settle = settle.map(|settle| plan::Settle {
        heal: heal(&settle.heal, crew, &mut Dice::new(seed, Purpose::Faults, CORE)),
        within: settle.within,
    });
    let heals = settle.as_ref().is_some_and(|settle| settle.heal == Heal::Everything);
    for fault in &mut faults {
        fault.until = fault.until.filter(|until| *until <= end || !heals);
    }
    // A later piece of a fault may come too late.
    faults.retain(|fault| fault.at < end);
    // Stable: of two at one time, the one that is written first comes first.
    faults.sort_by_key(|fault| fault.at);
    Plan {
        squall: FORMAT,
        engine: ENGINE,
        scenario: name.to_owned(),
        seed,
        system: scenario.system.clone(),
        exhibits: scenario.exhibits.clone(),
        network: network.plan(),
        disk,
        clocks: clocks(&most, crew.members, seed),
        clock_uncertainty: most.uncertainty,
        workload: scenario.workload.clone(),
        faults,
        settle,
        limits: scenario.limits.clone(),
    }
}

/// The faults that the scenario spells out, those of its phases after those of the whole.
fn spelled_out<S>(scenario: &Scenario<S>, crew: Crew<'_>, seed: u64) -> Vec<PlannedFault> {
    let mut faults: Vec<PlannedFault> = Vec::new();
    for (index, spec) in scenario.faults.iter().enumerate() {
        let mut dice = Dice::new(seed, Purpose::Faults, index as u64);
        let whole = Stretch { from: Time::ZERO, length: scenario.workload.until };
        faults.extend(occurrences(spec, whole, crew, &mut dice));
    }
    let mut from = Time::ZERO;
    for (number, phase) in scenario.phases.iter().enumerate() {
        for (index, spec) in phase.faults.iter().enumerate() {
            let mut dice = Dice::new(seed, Purpose::Faults, (number as u64 + 1) << 32 | index as u64);
            let mut drawn = occurrences(spec, Stretch { from, length: phase.lasts }, crew, &mut dice);
            drawn.iter_mut().for_each(|fault| end_by(fault, from + phase.lasts));
            faults.extend(drawn);
        }
        from += phase.lasts;
    }
    faults
}

/// A part of the workload, whose times are counted from its beginning.
#[derive(Clone, Copy)]
struct Stretch {
    from: Time,
    length: Span,
}

/// Every fault that one line of a scenario makes.
fn occurrences(spec: &FaultSpec, stretch: Stretch, crew: Crew<'_>, dice: &mut Dice) -> Vec<PlannedFault> {
    let placed = |at: Time| stretch.from + at.since(Time::ZERO);
    let mut faults = Vec::new();
    if let Some(Schedule::Moments { times, from }) = spec.schedule(Time::ZERO + stretch.length) {
        let moment = spec.when.as_ref().and_then(When::moment).expect("a checked moment is known");
        let skip = spec.skip.map_or(0, |skip| skip.min + dice.below(u64::from(skip.max - skip.min) + 1) as u32);
        for turn in 0..times {
            let pieces = targets::pieces(&spec.inject, crew, turn as usize, dice);
            let (after, lasts) = (spec.after.unwrap_or(Span::ZERO), length(spec, dice));
            for piece in pieces {
                let trigger = Trigger { moment: moment.clone(), skip: skip.saturating_add(turn), after, lasts };
                let (until, at) = (spec.until.map(placed), placed(from));
                faults.extend(piece.planned(at, Some(trigger), until));
            }
        }
        return faults;
    }
    let end = placed(Time::ZERO + stretch.length);
    for (turn, at) in begins(spec, Time::ZERO + stretch.length, dice).into_iter().enumerate() {
        let pieces = targets::pieces(&spec.inject, crew, turn, dice);
        let until = match length(spec, dice) {
            Some(length) => after(at, length),
            None => spec.until.filter(|_| spec.at.is_some()),
        };
        for piece in pieces {
            // A late piece of what lasts beyond the end is a fault that does not happen.
            faults.extend(piece.planned(placed(at), None, until.map(placed)).filter(|fault| fault.at < end));
        }
    }
    faults
}

/// Lets a fault that has a length go on no longer than its phase.
fn end_by(fault: &mut PlannedFault, end: Time) {
    match &fault.inject {
        Fault::Destroy { .. } => {}
        inject if inject.is_momentary() => {}
        _ => fault.until = Some(fault.until.map_or(end, |until| until.min(end))),
    }
}

/// Which faults end when the run settles: of a core it is decided which servers belong to it. All others do.
fn heal(healing: &Healing, crew: Crew<'_>, dice: &mut Dice) -> Heal {
    match healing {
        Healing::Everything => Heal::Everything,
        Healing::Nothing => Heal::Nothing,
        Healing::Core(who) => match targets::whom(who, crew, 0, dice) {
            Target::Nodes(names) => {
                let others = crew.others().iter().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>();
                Heal::Core(names.into_iter().chain(others).collect())
            }
            Target::Role(_) | Target::Holders(_) | Target::Subject => {
                unreachable!("the check wants a core by size or name")
            }
        },
    }
}

/// When each fault of this kind begins.
fn begins(spec: &FaultSpec, end: Time, dice: &mut Dice) -> Vec<Time> {
    // The check refuses scenarios that expect more than this; chance may bring twice as many.
    let most = 2 * FAULTS as usize;
    match spec.schedule(end).expect("a checked fault says when it happens") {
        Schedule::Once { at, .. } => vec![at],
        Schedule::Moments { .. } => unreachable!("who waits for a moment does not know when it begins"),
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

/// How long a fault lasts, if that is said.
fn length(spec: &FaultSpec, dice: &mut Dice) -> Option<Span> {
    match spec.inject.duration() {
        Duration::None => None,
        Duration::Exactly(length) => Some(length),
        Duration::Restart(range) => range.map(|range| range.draw(dice.next())),
        Duration::Lasts => spec.lasts.map(|range| range.draw(dice.next())),
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
