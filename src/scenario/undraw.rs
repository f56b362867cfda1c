//! A plan back to a scenario that leaves nothing to chance: it draws exactly that plan, with the plan's seed.

use super::fault::FaultSpec;
use super::inject::{Duration, Inject};
use super::load::FORMAT;
use super::model::{Clocks, Expect, Healing, NodeClock, Scenario, Settle};
use super::target::{Shape, Who};
use super::when::{CountRange, When};
use crate::environment::fault::{Command, Direction, Fault, LinkSet, PlannedFault, Target, Trigger};
use crate::environment::plan::{Clock, Heal, Plan};
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
        network: plan.network.clone().into(),
        disk: plan.disk.clone(),
        clocks: clocks(plan, members),
        workload: plan.workload.clone(),
        faults: plan.faults.iter().map(|fault| spec(fault, end)).collect(),
        phases: Vec::new(),
        swarm: None,
        settle: plan.settle.as_ref().map(|settle| Settle {
            heal: match &settle.heal {
                Heal::Everything => Healing::Everything,
                Heal::Nothing => Healing::Nothing,
                Heal::Core(names) => Healing::Core(Who::Nodes(names.clone())),
            },
            within: settle.within,
        }),
        expect: Expect::Holds,
        goals: None,
        limits: plan.limits.clone(),
    }
}

fn clocks<S>(plan: &Plan<S>, members: &[String]) -> Clocks {
    let exactly = |clock: &Clock| NodeClock { offset: Some(Offset(clock.offset_ns)), drift_ppm: clock.drift_ppm };
    let nodes = members.iter().cloned().zip(plan.clocks.iter().map(exactly)).collect();
    Clocks { offset: Span::ZERO, drift_ppm: 0, uncertainty: plan.clock_uncertainty, nodes }
}

fn spec(fault: &PlannedFault, end: Time) -> FaultSpec {
    let mut spec = FaultSpec::once(fault.at, inject(&fault.inject));
    if let Some(Trigger { moment, skip, after, lasts }) = &fault.when {
        spec.at = None;
        spec.from = Some(fault.at).filter(|from| *from > Time::ZERO);
        spec.when = Some(When::Moment(moment.clone()));
        spec.skip = Some(CountRange { min: *skip, max: *skip }).filter(|_| *skip > 0);
        spec.after = Some(*after).filter(|after| !after.is_zero());
        spec.until = fault.until;
        if let Some(lasts) = lasts {
            set_length(&mut spec, SpanRange::exactly(*lasts));
        }
        return spec;
    }
    let Some(until) = fault.until else { return spec };
    match spec.inject.duration() {
        // What goes on after the workload has a length, not an end: ends are checked against the workload's.
        Duration::Lasts if until > fault.at && until <= end => spec.until = Some(until),
        // No plan is drawn so, and the checks refuse it.
        Duration::None => spec.until = Some(until),
        _ if until < fault.at => spec.until = Some(until),
        _ => set_length(&mut spec, SpanRange::exactly(until.since(fault.at))),
    }
    spec
}

fn set_length(spec: &mut FaultSpec, length: SpanRange) {
    match &mut spec.inject {
        Inject::Kill { restart_after, .. } | Inject::Wipe { restart_after, .. } => *restart_after = Some(length),
        _ => spec.lasts = Some(length),
    }
}

fn inject(fault: &Fault) -> Inject {
    let over = |links: &Option<LinkSet>| links.as_ref().map(shape);
    match fault {
        Fault::Partition(links) => {
            let one_way = matches!(links, LinkSet::Split { one_way: true, .. });
            Inject::Partition { shape: shape(links), one_way }
        }
        Fault::Clog { over: links } => Inject::Clog { over: over(links) },
        Fault::Loss { probability, burst, over: links } => {
            Inject::Loss { probability: *probability, burst: *burst, over: over(links) }
        }
        Fault::Duplicate { probability, over: links } => {
            Inject::Duplicate { probability: *probability, over: over(links) }
        }
        Fault::Delay { extra, over: links } => Inject::Delay { extra: *extra, over: over(links) },
        Fault::Reorder { probability, within, over: links } => {
            Inject::Reorder { probability: *probability, within: *within, over: over(links) }
        }
        Fault::Corrupt { probability, over: links } => Inject::Corrupt { probability: *probability, over: over(links) },
        Fault::Bandwidth { rate, queue, over: links } => {
            Inject::Bandwidth { rate: *rate, queue: *queue, over: over(links) }
        }
        Fault::Kill { target } => Inject::Kill { target: who(target), restart_after: None },
        Fault::Wipe { target } => Inject::Wipe { target: who(target), restart_after: None },
        Fault::Destroy { target } => Inject::Destroy { target: who(target) },
        Fault::Pause { target } => Inject::Pause { target: who(target) },
        Fault::SlowNode { target, handling } => Inject::SlowNode { target: who(target), handling: *handling },
        Fault::ClockJump { target, by } => Inject::ClockJump { target: who(target), by: *by },
        Fault::ClockDrift { target, ppm } => Inject::ClockDrift { target: who(target), ppm: *ppm },
        Fault::ClockFreeze { target } => Inject::ClockFreeze { target: who(target) },
        Fault::DiskSlow { extra, target } => Inject::DiskSlow { extra: *extra, target: target.as_ref().map(who) },
        Fault::DiskStall { target } => Inject::DiskStall { target: who(target) },
        Fault::DiskError { target, write, sync } => {
            Inject::DiskError { target: who(target), write: *write, sync: *sync }
        }
        Fault::DiskFull { target } => Inject::DiskFull { target: who(target) },
        Fault::TornWrite { target } => Inject::TornWrite { target: who(target) },
        Fault::LostSync { target } => Inject::LostSync { target: who(target) },
        Fault::BitRot { target } => Inject::BitRot { target: who(target) },
        Fault::Heal => Inject::Heal,
        Fault::Order { target, command } => order(who(target), command),
    }
}

fn order(target: Who, command: &Command) -> Inject {
    match command {
        Command::Join => Inject::Join { target },
        Command::Leave => Inject::Leave { target },
        Command::ReplaceMember { member } => Inject::ReplaceMember { target: who(member), by: target },
        Command::Reweigh { weight } => Inject::Reweigh { target, weight: *weight },
        Command::Rezone { zone } => Inject::Rezone { target, zone: *zone },
        Command::Rebalance => Inject::Rebalance { target },
        Command::TransferLeadership => Inject::TransferLeadership { target },
    }
}

fn shape(links: &LinkSet) -> Shape {
    match links {
        LinkSet::Split { from, to, .. } => Shape::Split(from.clone(), to.clone()),
        LinkSet::Links(links) => Shape::Links(links.clone()),
        LinkSet::Isolate { target, direction: Direction::Both } => Shape::Isolate(who(target)),
        LinkSet::Isolate { target, direction: Direction::Outgoing } => Shape::Mute(who(target)),
        LinkSet::Isolate { target, direction: Direction::Incoming } => Shape::Deafen(who(target)),
    }
}

fn who(target: &Target) -> Who {
    match target {
        Target::Nodes(names) => Who::Nodes(names.clone()),
        Target::Subject => Who::Subject,
        Target::Role(role) => match (role.as_str(), role.strip_prefix("owner:")) {
            ("leader", _) => Who::Leader,
            ("lock-holder", _) => Who::LockHolder,
            (_, Some(key)) => Who::Owner(key.to_owned()),
            (role, None) => Who::Role(role.to_owned()),
        },
        // No plan is drawn with another role here.
        Target::Holders(_) => Who::Primaries,
    }
}
