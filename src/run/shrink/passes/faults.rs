//! Plainer faults.

use super::super::Subject;
use super::super::lab::{Best, Candidate};
use super::surroundings::{calmer, likelier};
use crate::environment::distribution::Distribution;
use crate::environment::fault::{Cut, Direction, Fault, Target};
use crate::kernel::time::Span;

/// Without an end; on fewer, by role or by name; of a plainer shape; two of a kind in one.
pub(super) fn faults<S: Clone>(best: &Best<S>, subject: &dyn Subject<S>) -> Vec<Candidate<S>> {
    let (members, roles) = (subject.members(&best.plan.system), subject.roles());
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
        if fault.until.is_some() {
            candidates.push(best.but(|plan| plan.faults[place].until = None));
        }
        for inject in plainer(&fault.inject, &members, &roles) {
            candidates.push(best.but(|plan| plan.faults[place].inject = inject));
        }
    }
    candidates
}

fn plainer(fault: &Fault, members: &[String], roles: &[String]) -> Vec<Fault> {
    match fault {
        Fault::Partition(cut) => cuts(cut, members, roles).into_iter().map(Fault::Partition).collect(),
        Fault::Kill { target } => {
            targets(target, members, roles).into_iter().map(|target| Fault::Kill { target }).collect()
        }
        Fault::Pause { target } => {
            targets(target, members, roles).into_iter().map(|target| Fault::Pause { target }).collect()
        }
        Fault::Loss { probability } => {
            likelier(*probability).into_iter().map(|probability| Fault::Loss { probability }).collect()
        }
        Fault::Duplicate { probability } => {
            likelier(*probability).into_iter().map(|probability| Fault::Duplicate { probability }).collect()
        }
        Fault::Delay { extra } => slower(extra).map(|extra| Fault::Delay { extra }).collect(),
        Fault::DiskSlow { extra } => slower(extra).map(|extra| Fault::DiskSlow { extra }).collect(),
        Fault::Heal => Vec::new(),
    }
}

fn slower(extra: &Distribution) -> impl Iterator<Item = Distribution> {
    let usual = Distribution::Const(Span::ms(100));
    calmer(extra, &usual).into_iter().filter(|calmer| !calmer.is_zero())
}

fn targets(target: &Target, members: &[String], roles: &[String]) -> Vec<Target> {
    let by_role = roles.iter().cloned().map(Target::Role);
    let by_name = members.iter().map(|name| Target::Nodes(vec![name.clone()]));
    match target {
        Target::Role(_) => by_role.chain(by_name).collect(),
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

fn cuts(cut: &Cut, members: &[String], roles: &[String]) -> Vec<Cut> {
    let alone = |target: Target| Cut::Isolate { target, direction: Direction::Both };
    let roles_alone = roles.iter().cloned().map(Target::Role).map(alone);
    let mut plainer: Vec<Cut> =
        roles_alone.chain(members.iter().map(|name| alone(Target::Nodes(vec![name.clone()])))).collect();
    match cut {
        Cut::Isolate { target, direction } => {
            plainer.extend(
                targets(target, members, roles)
                    .into_iter()
                    .map(|target| Cut::Isolate { target, direction: *direction }),
            );
        }
        Cut::Split { from, to, one_way } => {
            plainer.extend([from, to].map(|side| alone(Target::Nodes(side.clone()))));
            let split =
                |from: &[String], to: &[String], one_way| Cut::Split { from: from.to_vec(), to: to.to_vec(), one_way };
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
        Cut::Links(links) => {
            for place in 0..links.len() {
                let mut fewer = links.clone();
                fewer.remove(place);
                plainer.push(Cut::Links(fewer));
            }
        }
    }
    plainer
}
