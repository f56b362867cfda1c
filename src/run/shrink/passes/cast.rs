//! Fewer members, and a simpler system.

use super::super::Subject;
use super::super::lab::{Best, Candidate};
use crate::environment::fault::{Command, Fault, LinkSet, Target};
use crate::environment::plan::{Heal, Plan, Settle};

/// So many ways to choose who stays are tried.
const CHOICES: usize = 30;

/// A system with as many members, simpler in another respect.
pub(super) fn system<S: Clone>(best: &Best<S>, subject: &dyn Subject<S>) -> Vec<Candidate<S>> {
    let count = subject.members(&best.plan.system, &best.plan.workload).len();
    let simpler = subject.simpler(&best.plan.system).into_iter();
    simpler
        .filter(|system| subject.members(system, &best.plan.workload).len() == count)
        .map(|system| Candidate { plan: with(&best.plan, system), simplified: best.simplified + 1 })
        .collect()
}

/// A system with fewer members, whoever of them goes.
pub(super) fn members<S: Clone>(best: &Best<S>, subject: &dyn Subject<S>) -> Vec<Candidate<S>> {
    let old = subject.members(&best.plan.system, &best.plan.workload);
    let mut candidates = Vec::new();
    for system in subject.simpler(&best.plan.system) {
        let new = subject.members(&system, &best.plan.workload);
        if new.len() >= old.len() {
            continue;
        }
        for staying in choices(old.len(), new.len()).into_iter().take(CHOICES) {
            let mut plan = with(&best.plan, system.clone());
            let name = |old_name: &String| {
                let place = old.iter().position(|name| name == old_name)?;
                let place = staying.iter().position(|staying| *staying == place)?;
                Some(new[place].clone())
            };
            plan.faults.retain_mut(|fault| renamed(&mut fault.inject, &name, new.len()));
            let stays = |names: &mut Vec<String>| {
                *names = names.iter().filter_map(name).collect();
                !names.is_empty()
            };
            plan.network.links.retain_mut(|rule| stays(&mut rule.from) && stays(&mut rule.to));
            if let Some(Settle { heal: Heal::Core(names), .. }) = &mut plan.settle {
                stays(names);
            }
            if !plan.clocks.is_empty() {
                plan.clocks = staying.iter().filter_map(|place| best.plan.clocks.get(*place).copied()).collect();
            }
            candidates.push(Candidate { plan, simplified: best.simplified });
        }
    }
    candidates
}

fn with<S: Clone>(plan: &Plan<S>, system: S) -> Plan<S> {
    Plan { system, ..plan.clone() }
}

/// Every way to choose `count` of so many, in order.
fn choices(of: usize, count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for last in count - 1..of {
        for mut choice in choices(last, count - 1) {
            choice.push(last);
            all.push(choice);
            if all.len() >= CHOICES {
                return all;
            }
        }
    }
    all
}

/// Gives the nodes of a fault their new names, without those that have none. Answers whether anybody is left.
fn renamed(fault: &mut Fault, name: &impl Fn(&String) -> Option<String>, members: usize) -> bool {
    let rename = |names: &mut Vec<String>| {
        *names = names.iter().filter_map(name).collect();
        !names.is_empty()
    };
    if let Some(links) = fault.links_mut() {
        let is_hit = match links {
            LinkSet::Split { from, to, .. } => {
                let is_there = rename(from);
                rename(to) && is_there
            }
            LinkSet::Links(links) => {
                *links = links.iter().filter_map(|(from, to)| Some((name(from)?, name(to)?))).collect();
                !links.is_empty()
            }
            LinkSet::Isolate { target: Target::Nodes(names), .. } => rename(names) && names.len() < members,
            LinkSet::Isolate { target: Target::Role(_) | Target::Holders(_) | Target::Subject, .. } => true,
        };
        if !is_hit {
            return false;
        }
    }
    let is_left = |target: Option<&mut Target>| match target {
        Some(Target::Nodes(names)) => rename(names),
        Some(Target::Role(_) | Target::Holders(_) | Target::Subject) | None => true,
    };
    if let Fault::Order { command: Command::ReplaceMember { member }, .. } = fault
        && !is_left(Some(member))
    {
        return false;
    }
    is_left(fault.target_mut())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_stay_are_chosen_in_every_way() {
        assert_eq!(choices(3, 2), [vec![0, 1], vec![0, 2], vec![1, 2]]);
        assert_eq!(choices(5, 3).len(), 10);
        assert_eq!(choices(64, 32).len(), CHOICES);
    }
}
