//! Plainer faults.

use super::super::Subject;
use super::super::lab::{Best, Candidate};
use super::surroundings::{calmer, likelier, one_digit};
use crate::environment::distribution::Distribution;
use crate::environment::fault::{Command, Direction, Fault, LinkSet, Target, Trigger};
use crate::kernel::chance::Ratio;
use crate::kernel::time::Span;

/// Without an end; on fewer, by role or by name; of a plainer shape; two of a kind in one.
pub(super) fn faults<S: Clone>(best: &Best<S>, subject: &dyn Subject<S>) -> Vec<Candidate<S>> {
    let system = &best.plan.system;
    let (members, roles) = (subject.members(system, &best.plan.workload), subject.roles(system));
    let mut candidates = Vec::new();
    for place in 0..best.plan.faults.len() {
        let fault = &best.plan.faults[place];
        for later in place + 1..best.plan.faults.len() {
            if best.plan.faults[later].inject == fault.inject {
                candidates.push(best.but(|plan| {
                    let other = plan.faults.remove(later);
                    let until = plan.faults[place].until;
                    plan.faults[place].until = until.zip(other.until).map(|(one, two)| one.max(two));
                }));
            }
        }
        if let Some(trigger) = &fault.when {
            for trigger in plainer_triggers(trigger) {
                candidates.push(best.but(|plan| plan.faults[place].when = Some(trigger)));
            }
        }
        if fault.until.is_some() {
            candidates.push(best.but(|plan| plan.faults[place].until = None));
        }
        for inject in plainer(&fault.inject, &members, &roles) {
            candidates.push(best.but(|plan| plan.faults[place].inject = inject));
        }
    }
    candidates
}

/// The moment itself and not some time after it; the first one, or one of the first; for good, or for a rounder time.
fn plainer_triggers(trigger: &Trigger) -> Vec<Trigger> {
    let Trigger { skip, after, lasts, .. } = *trigger;
    let half = |span: Span| Span::ns(span.as_ns() / 2);
    let skips = [0, skip / 2, skip.saturating_sub(1)].map(|skip| Trigger { skip, ..trigger.clone() });
    let afters = [Span::ZERO, half(after), one_digit(after)].map(|after| Trigger { after, ..trigger.clone() });
    let lengths = [None, lasts.map(half), lasts.map(one_digit)].map(|lasts| Trigger { lasts, ..trigger.clone() });
    let mut plainer: Vec<Trigger> = skips.into_iter().chain(afters).chain(lengths).collect();
    plainer.retain(|plainer| plainer != trigger && plainer.lasts != Some(Span::ZERO));
    plainer
}

fn plainer(fault: &Fault, members: &[String], roles: &[String]) -> Vec<Fault> {
    let mut plainer = Vec::new();
    let mut offer = |change: &dyn Fn(&mut Fault)| {
        let mut other = fault.clone();
        change(&mut other);
        plainer.push(other);
    };
    if let Some(links) = fault.links() {
        for fewer in link_sets(links, members, roles) {
            offer(&|fault| *fault.links_mut().expect("a fault with links") = fewer.clone());
        }
    }
    if let Some(target) = fault.target() {
        for other in targets(target, members, roles) {
            offer(&|fault| *fault.target_mut().expect("a fault with a target") = other.clone());
        }
    }
    match fault {
        Fault::Loss { probability, burst, over } => {
            let alone = |probability| Fault::Loss { probability, burst: 1, over: over.clone() };
            if *burst > 1 {
                plainer.push(alone(*probability));
            }
            plainer.extend(likelier(*probability).into_iter().map(alone));
        }
        Fault::Duplicate { probability, over } => {
            let often = likelier(*probability).into_iter();
            plainer.extend(often.map(|probability| Fault::Duplicate { probability, over: over.clone() }));
        }
        Fault::Corrupt { probability, over } => {
            let often = likelier(*probability).into_iter();
            plainer.extend(often.map(|probability| Fault::Corrupt { probability, over: over.clone() }));
        }
        Fault::Reorder { probability, within, over } => {
            // What is held back for long can as well be late.
            plainer.push(Fault::Delay {
                extra: Distribution::Uniform { min: Span::ZERO, max: *within },
                over: over.clone(),
            });
            let often = likelier(*probability).into_iter();
            plainer.extend(often.map(|probability| Fault::Reorder {
                probability,
                within: *within,
                over: over.clone(),
            }));
        }
        Fault::Delay { extra, over } => {
            plainer.extend(slower(extra).map(|extra| Fault::Delay { extra, over: over.clone() }));
        }
        Fault::Clog { over: Some(links) } => plainer.push(Fault::Partition(links.clone())),
        Fault::DiskSlow { extra, target } => {
            plainer.extend(slower(extra).map(|extra| Fault::DiskSlow { extra, target: target.clone() }));
        }
        Fault::SlowNode { target, handling } => {
            plainer.extend(slower(handling).map(|handling| Fault::SlowNode { target: target.clone(), handling }));
        }
        Fault::Wipe { target } => plainer.push(Fault::Kill { target: target.clone() }),
        Fault::Destroy { target } => plainer.push(Fault::Kill { target: target.clone() }),
        Fault::DiskError { target, write, sync } => {
            let error = |write, sync| Fault::DiskError { target: target.clone(), write, sync };
            plainer.extend([error(Ratio::ONE, Ratio::ZERO), error(Ratio::ZERO, Ratio::ONE)]);
            plainer.extend(likelier(*write).into_iter().map(|write| error(write, *sync)));
            plainer.extend(likelier(*sync).into_iter().map(|sync| error(*write, sync)));
        }
        Fault::Order { target, command: Command::ReplaceMember { member } } => {
            let replace = |member| Fault::Order { target: target.clone(), command: Command::ReplaceMember { member } };
            plainer.extend(targets(member, members, roles).into_iter().map(replace));
        }
        Fault::Order { .. }
        | Fault::Partition(_)
        | Fault::Clog { over: None }
        | Fault::Bandwidth { .. }
        | Fault::Kill { .. }
        | Fault::Pause { .. }
        | Fault::ClockJump { .. }
        | Fault::ClockDrift { .. }
        | Fault::ClockFreeze { .. }
        | Fault::DiskStall { .. }
        | Fault::DiskFull { .. }
        | Fault::TornWrite { .. }
        | Fault::LostSync { .. }
        | Fault::BitRot { .. }
        | Fault::Heal => {}
    }
    plainer
}

fn slower(extra: &Distribution) -> impl Iterator<Item = Distribution> {
    let usual = Distribution::Const(Span::ms(100));
    calmer(extra, &usual).into_iter().filter(|calmer| !calmer.is_zero())
}

fn targets(target: &Target, members: &[String], roles: &[String]) -> Vec<Target> {
    let by_role = roles.iter().cloned().map(Target::Role);
    let by_name = members.iter().map(|name| Target::Nodes(vec![name.clone()]));
    match target {
        Target::Role(_) | Target::Holders(_) | Target::Subject => by_role.chain(by_name).collect(),
        Target::Nodes(names) => {
            let fewer = (0..names.len()).filter(|_| names.len() > 1).map(|place| {
                let mut fewer = names.clone();
                fewer.remove(place);
                Target::Nodes(fewer)
            });
            by_role.chain(by_name).chain(fewer).collect()
        }
    }
}

fn link_sets(links: &LinkSet, members: &[String], roles: &[String]) -> Vec<LinkSet> {
    let alone = |target: Target| LinkSet::Isolate { target, direction: Direction::Both };
    let roles_alone = roles.iter().cloned().map(Target::Role).map(alone);
    let mut plainer: Vec<LinkSet> =
        roles_alone.chain(members.iter().map(|name| alone(Target::Nodes(vec![name.clone()])))).collect();
    match links {
        LinkSet::Isolate { target, direction } => {
            plainer.extend(
                targets(target, members, roles)
                    .into_iter()
                    .map(|target| LinkSet::Isolate { target, direction: *direction }),
            );
        }
        LinkSet::Split { from, to, one_way } => {
            plainer.extend([from, to].map(|side| alone(Target::Nodes(side.clone()))));
            let split = |from: &[String], to: &[String], one_way| LinkSet::Split {
                from: from.to_vec(),
                to: to.to_vec(),
                one_way,
            };
            if *one_way {
                plainer.push(split(from, to, false));
            }
            for place in 0..from.len() {
                let fewer: Vec<String> = from
                    .iter()
                    .enumerate()
                    .filter(|(other, _)| *other != place)
                    .map(|(_, name)| name.clone())
                    .collect();
                plainer.push(split(&fewer, to, *one_way));
            }
            for place in 0..to.len() {
                let fewer: Vec<String> =
                    to.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, name)| name.clone()).collect();
                plainer.push(split(from, &fewer, *one_way));
            }
        }
        LinkSet::Links(links) => {
            for place in 0..links.len() {
                let mut fewer = links.clone();
                fewer.remove(place);
                plainer.push(LinkSet::Links(fewer));
            }
        }
    }
    plainer
}
