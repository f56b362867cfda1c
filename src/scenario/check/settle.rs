//! Settling that cannot come to an end: too short, or with nobody left.

use super::super::diagnostic::Complaint;
use super::super::fault::{FaultSpec, Schedule};
use super::super::inject::Inject;
use super::super::model::{Healing, Scenario, Settle};
use super::super::roster::Crew;
use super::super::target::Who;
use super::faults::is_everybody;
use super::{members, too_long};
use crate::kernel::time::{Span, Time};

/// What is wrong with how the run settles.
pub(super) fn complaints<S>(scenario: &Scenario<S>, crew: Crew<'_>, found: &mut Vec<Complaint>) {
    let Some(Settle { heal, within }) = &scenario.settle else { return };
    if *within == Span::ZERO {
        found.push(Complaint::at("settle.within", "nothing settles in no time", "write for example \"20s\""));
    }
    too_long(*within, "settle.within", found);
    if scenario.workload.clients == 0 {
        found.push(Complaint::at(
            "workload.clients",
            "settling needs fresh operations, but there is no client to begin them",
            "write 1 or more, or remove settle",
        ));
    }
    if let Healing::Core(who) = heal {
        core(who, crew, found);
    }
    let end = Time::ZERO + scenario.workload.until;
    let lists = std::iter::once((String::new(), &scenario.faults, end));
    let phases = scenario.phases.iter().enumerate();
    let lists = lists
        .chain(phases.map(|(index, phase)| (format!("phases[{index}]."), &phase.faults, Time::ZERO + phase.lasts)));
    for (list, faults, end) in lists {
        for (index, spec) in faults.iter().enumerate() {
            if let Some((message, cure)) = nobody_is_left(spec, heal, crew, end) {
                found.push(Complaint::at(&format!("{list}faults[{index}].inject.target"), message, cure));
            }
        }
    }
}

/// A core is drawn before the run, so it has a size or names.
fn core(who: &Who, crew: Crew<'_>, found: &mut Vec<Complaint>) {
    let place = "settle.heal[0]";
    let count = crew.servers;
    match (who, who.size(count)) {
        (Who::InTurn | Who::Subject, _) | (_, None) => found.push(Complaint::at(
            place,
            format!("who belongs to a core is decided before the run, so it cannot be `{who:?}`"),
            "write for example Majority, Random(3) or Nodes([\"n1\", \"n2\"])",
        )),
        (Who::Nodes(names), Some(0)) if names.is_empty() => {
            found.push(Complaint::at(place, "a core of nobody makes no progress", "name a node, for example [\"n1\"]"));
        }
        (Who::Nodes(names), Some(_)) => members::named(names, crew.members, &format!("{place}[0]"), found),
        (_, Some(0)) => found.push(Complaint::at(
            place,
            format!("`{who:?}` of {count} members is nobody, and a core of nobody makes no progress"),
            "write for example Majority",
        )),
        (_, Some(size)) if size > count => found.push(Complaint::at(
            place,
            format!("a core of {size} members is wanted, but the system has {count}"),
            format!("write at most {count}"),
        )),
        (_, Some(_)) => {}
    }
}

/// Of faults that are sure to leave nobody, why nothing can settle, and the cure.
fn nobody_is_left(spec: &FaultSpec, heal: &Healing, crew: Crew<'_>, end: Time) -> Option<(String, String)> {
    let count = match spec.schedule(end)? {
        Schedule::Every { period, from, until, .. } => until.since(from).as_ns() / period.as_ns().max(1),
        Schedule::Once { .. } => 1,
        Schedule::Poisson { .. } | Schedule::Moments { .. } => return None,
    };
    let hits_all = |who: &Who| is_everybody(who, crew) || *who == Who::InTurn && count > crew.servers as u64;
    let heals_nothing = *heal == Healing::Nothing;
    let (what, cure) = match &spec.inject {
        // What hits all at once is refused even where nothing settles.
        Inject::Destroy { target: Who::InTurn } if hits_all(&Who::InTurn) => {
            return Some((
                "each member in turn is gone for good, and nobody is left to settle".to_owned(),
                "make it rarer, or name whom it hits".to_owned(),
            ));
        }
        Inject::Kill { target, restart_after: None } | Inject::Wipe { target, restart_after: None }
            if heals_nothing && spec.until.is_none() && hits_all(target) =>
        {
            ("dead", "add restart_after")
        }
        Inject::Pause { target }
            if heals_nothing && spec.until.is_none() && spec.lasts.is_none() && hits_all(target) =>
        {
            ("asleep", "add `lasts`")
        }
        _ => return None,
    };
    Some((
        format!("all are {what} at the end and settling does not heal, so nothing can settle"),
        format!("{cure}, or write settle: (heal: true, ...)"),
    ))
}
