//! A plan back to a scenario that leaves nothing to chance: it draws exactly that plan, with the plan's seed.

use super::fault::{FaultSpec, Inject, Shape, Who};
use super::load::FORMAT;
use super::model::{Clocks, Expect, NodeClock, Scenario};
use crate::environment::fault::{Cut, Direction, Fault, PlannedFault, Target};
use crate::environment::plan::{Clock, Plan};
use crate::environment::text::{Offset, SpanRange};
use crate::kernel::time::{Span, Time};

/// The scenario that draws this plan with the plan's seed. It has no title and expects nothing to break.
///
/// That the plan comes out again holds for plans that were drawn. Of others, what no scenario could say becomes
/// something that the checks of scenarios refuse; but clocks beyond the members are left out.
pub fn undraw<S: Clone>(plan: &Plan<S>, members: &[String]) -> Scenario<S> {
    let end = Time::ZERO + plan.workload.until;
    Scenario {
        squall: FORMAT,
        title: None,
        seed: Some(plan.seed).filter(|seed| *seed > 0),
        system: plan.system.clone(),
        exhibits: plan.exhibits.clone(),
        network: plan.network.clone(),
        disk: plan.disk.clone(),
        clocks: clocks(&plan.clocks, members),
        workload: plan.workload.clone(),
        faults: plan.faults.iter().map(|fault| spec(fault, end)).collect(),
        settle: plan.settle.clone(),
        expect: Expect::Holds,
        goals: None,
        limits: plan.limits.clone(),
    }
}

fn clocks(clocks: &[Clock], members: &[String]) -> Clocks {
    let exactly = |clock: &Clock| NodeClock { offset: Some(Offset(clock.offset_ns)), drift_ppm: clock.drift_ppm };
    let nodes = members.iter().cloned().zip(clocks.iter().map(exactly)).collect();
    Clocks { offset: Span::ZERO, drift_ppm: 0, nodes }
}

fn spec(fault: &PlannedFault, end: Time) -> FaultSpec {
    let mut spec = FaultSpec::once(fault.at, inject(&fault.inject));
    let Some(until) = fault.until else { return spec };
    let length = SpanRange::exactly(until.since(fault.at));
    match &mut spec.inject {
        // No plan is drawn so, and the checks refuse it.
        _ if until < fault.at => spec.until = Some(until),
        Inject::Kill { restart_after, .. } => *restart_after = Some(length),
        // What goes on after the workload has a length, not an end: ends are checked against the workload's.
        Inject::Heal => spec.until = Some(until),
        _ if until > fault.at && until <= end => spec.until = Some(until),
        _ => spec.lasts = Some(length),
    }
    spec
}

fn inject(fault: &Fault) -> Inject {
    match fault {
        Fault::Partition(cut) => {
            let one_way = matches!(cut, Cut::Split { one_way: true, .. });
            Inject::Partition { shape: shape(cut), one_way }
        }
        Fault::Kill { target } => Inject::Kill { target: who(target), restart_after: None },
        Fault::Pause { target } => Inject::Pause { target: who(target) },
        Fault::Loss { probability } => Inject::Loss { probability: *probability },
        Fault::Duplicate { probability } => Inject::Duplicate { probability: *probability },
        Fault::Delay { extra } => Inject::Delay { extra: *extra },
        Fault::DiskSlow { extra } => Inject::DiskSlow { extra: *extra },
        Fault::Heal => Inject::Heal,
    }
}

fn shape(cut: &Cut) -> Shape {
    match cut {
        Cut::Split { from, to, .. } => Shape::Split(from.clone(), to.clone()),
        Cut::Links(links) => Shape::Links(links.clone()),
        Cut::Isolate { target, direction: Direction::Both } => Shape::Isolate(who(target)),
        Cut::Isolate { target, direction: Direction::Outgoing } => Shape::Mute(who(target)),
        Cut::Isolate { target, direction: Direction::Incoming } => Shape::Deafen(who(target)),
    }
}

fn who(target: &Target) -> Who {
    match target {
        Target::Nodes(names) => Who::Nodes(names.clone()),
        Target::Role(role) if role == "leader" => Who::Leader,
        Target::Role(role) => Who::Role(role.clone()),
    }
}
