//! Calmer surroundings.

use super::super::Subject;
use super::super::lab::{Best, Candidate};
use super::workload::spell_out;
use crate::environment::distribution::Distribution;
use crate::environment::fault::{Fault, PlannedFault};
use crate::environment::plan::{Disk, Heal, LinkRule, Network, Plan};
use crate::kernel::chance::Ratio;
use crate::kernel::time::{Span, Time};

/// Without settling; with fewer planted defects.
pub(super) fn calm<S: Clone>(best: &Best<S>, subject: &dyn Subject<S>) -> Vec<Candidate<S>> {
    let mut candidates = Vec::new();
    if let Some(settle) = &best.plan.settle {
        candidates.push(best.but(|plan| plan.settle = None));
        // What settling does, spelled out: all faults end, and there are fresh operations.
        let calm = best.plan.calm_from();
        let broken = Time::from_ns(best.outcome.virtual_ns);
        let operations = subject.operations(&best.plan).into_iter().filter(|planned| planned.at < broken).collect();
        candidates.push(best.but(|plan| {
            if settle.heal == Heal::Everything {
                for fault in plan.faults.iter_mut().filter(|fault| fault.inject != Fault::Heal) {
                    fault.until = Some(fault.until.map_or(calm, |until| until.min(calm)));
                }
            }
            plan.settle = None;
            spell_out(plan, plan.workload.clients, operations);
            plan.workload.until = plan.workload.until.max(broken.since(Time::ZERO) + Span::ms(1));
        }));
    }
    for place in 0..best.plan.exhibits.len() {
        candidates.push(best.but(|plan| drop(plan.exhibits.remove(place))));
    }
    candidates
}

/// Calmer links, disks and clocks.
pub(super) fn surroundings<S: Clone>(best: &Best<S>) -> Vec<Candidate<S>> {
    let Plan { network, disk, .. } = &best.plan;
    let quiet = Network {
        latency: Distribution::Const(Span::ms(10)),
        loss: Ratio::ZERO,
        duplicate: Ratio::ZERO,
        links: Vec::new(),
    };
    let mut candidates = vec![best.but(|plan| {
        plan.network = quiet;
        plan.disk = Disk { sync: Distribution::ZERO, recoverable: disk.recoverable, ..Disk::default() };
        plan.clocks.clear();
        plan.clock_uncertainty = Span::ZERO;
    })];
    for place in 0..network.links.len() {
        candidates.push(best.but(|plan| drop(plan.network.links.remove(place))));
        for rule in plainer_rules(&network.links[place]) {
            candidates.push(best.but(|plan| plan.network.links[place] = rule));
        }
    }
    if !best.plan.clock_uncertainty.is_zero() {
        candidates.push(best.but(|plan| plan.clock_uncertainty = Span::ZERO));
    }
    // What is recoverable stays so: without it, plainer faults could take more than any protocol survives.
    let usual = Disk { sync: disk.sync, recoverable: disk.recoverable, ..Disk::default() };
    if *disk != usual {
        candidates.push(best.but(|plan| plan.disk = usual));
    }
    if !plan_clocks_are_perfect(&best.plan) {
        candidates.push(best.but(|plan| plan.clocks.clear()));
    }
    candidates.push(best.but(|plan| plan.network.loss = Ratio::ZERO));
    candidates.push(best.but(|plan| plan.network.duplicate = Ratio::ZERO));
    candidates.push(best.but(|plan| plan.disk.sync = Distribution::ZERO));
    candidates.extend(
        calmer(&disk.sync, &Disk::default().sync).into_iter().map(|sync| best.but(|plan| plan.disk.sync = sync)),
    );
    let calmer_links = calmer(&network.latency, &Network::default().latency);
    candidates.extend(calmer_links.into_iter().map(|latency| best.but(|plan| plan.network.latency = latency)));
    candidates.extend(likelier(network.loss).into_iter().map(|loss| best.but(|plan| plan.network.loss = loss)));
    candidates
        .extend(likelier(network.duplicate).into_iter().map(|often| best.but(|plan| plan.network.duplicate = often)));
    // Bad weather that must be tells more as a fault: then it can be short.
    let spell = |inject: Fault| PlannedFault::once(Time::ZERO, inject);
    if !network.loss.is_zero() {
        candidates.push(best.but(|plan| {
            let probability = std::mem::replace(&mut plan.network.loss, Ratio::ZERO);
            plan.faults.insert(0, spell(Fault::Loss { probability, burst: 1, over: None }));
        }));
    }
    if !network.duplicate.is_zero() {
        candidates.push(best.but(|plan| {
            let probability = std::mem::replace(&mut plan.network.duplicate, Ratio::ZERO);
            plan.faults.insert(0, spell(Fault::Duplicate { probability, over: None }));
        }));
    }
    candidates
}

/// Links that differ from the others in less, or that are fewer.
fn plainer_rules(rule: &LinkRule) -> Vec<LinkRule> {
    let mut plainer = vec![
        LinkRule { latency: None, ..rule.clone() },
        LinkRule { loss: None, ..rule.clone() },
        LinkRule { duplicate: None, ..rule.clone() },
        LinkRule { both_ways: false, ..rule.clone() },
    ];
    let usual = Network::default().latency;
    let latencies = rule.latency.iter().flat_map(|latency| calmer(latency, &usual));
    plainer.extend(latencies.map(|latency| LinkRule { latency: Some(latency), ..rule.clone() }));
    let losses = rule.loss.into_iter().flat_map(likelier);
    plainer.extend(losses.map(|loss| LinkRule { loss: Some(loss), ..rule.clone() }));
    let fewer = |names: &[String], place: usize| -> Vec<String> {
        names.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, name)| name.clone()).collect()
    };
    let senders = (0..rule.from.len()).map(|place| LinkRule { from: fewer(&rule.from, place), ..rule.clone() });
    let receivers = (0..rule.to.len()).map(|place| LinkRule { to: fewer(&rule.to, place), ..rule.clone() });
    plainer.extend(senders.chain(receivers));
    plainer.retain(|plainer| plainer != rule && !plainer.from.is_empty() && !plainer.to.is_empty());
    plainer
}

fn plan_clocks_are_perfect<S>(plan: &Plan<S>) -> bool {
    plan.clocks.is_empty()
}

/// Messages that are slower, in place of a fault or of all of them.
pub(super) fn weather<S: Clone>(best: &Best<S>) -> Vec<Candidate<S>> {
    let faults = best.plan.faults.len();
    let mut candidates = Vec::new();
    for without in std::iter::once(0..faults).chain((0..faults).map(|place| place..place + 1)) {
        for slowest in [20, 50, 100, 200, 500] {
            candidates.push(best.but(|plan| {
                plan.faults.drain(without.clone());
                plan.network.latency = Distribution::Uniform { min: Span::ms(1), max: Span::ms(slowest) };
            }));
        }
    }
    candidates
}

/// Calmer distributions than this one.
pub(super) fn calmer(distribution: &Distribution, usual: &Distribution) -> Vec<Distribution> {
    let middle = match *distribution {
        Distribution::Const(span) => span,
        Distribution::Uniform { min, max } => Span::ns(min.as_ns() / 2 + max.as_ns() / 2),
        Distribution::Exp { mean, .. } => mean,
        Distribution::LogNormal { median, .. } => median,
        Distribution::Bimodal { slow, .. } => slow.min,
    };
    let spans = [Span::ms(10), Span::ms(1), Span::ms(100), one_digit(middle)];
    let mut calmer: Vec<Distribution> = spans.map(Distribution::Const).into_iter().chain([*usual]).collect();
    let far = |top: u64| Distribution::Uniform { min: Span::ms(1), max: Span::ms(top) };
    match distribution {
        Distribution::Const(_) => calmer.truncate(4),
        Distribution::Uniform { .. } => calmer.extend([20, 50, 100, 200].map(far)),
        Distribution::Exp { .. } | Distribution::LogNormal { .. } | Distribution::Bimodal { .. } => {
            calmer.extend([20, 50, 100, 200, 500].map(far));
        }
    }
    calmer
}

/// Probabilities that need less luck.
pub(super) fn likelier(ratio: Ratio) -> Vec<Ratio> {
    let often = [(1, 1), (1, 2), (1, 5), (1, 10)];
    let rounder = often.iter().filter_map(|(part, whole)| Ratio::new(*part, *whole));
    if ratio.is_zero() { Vec::new() } else { rounder.collect() }
}

/// The span with all digits but the first made zero.
pub(super) fn one_digit(span: Span) -> Span {
    let scale = 10_u64.pow(span.as_ns().max(1).ilog10());
    Span::ns(span.as_ns() / scale * scale)
}
