//! What in a scenario cannot be: found before a run, with the place and a cure.

mod clocks;
mod faults;
mod members;
mod network;
mod operations;
mod phases;
mod settle;
mod swarm;

use super::diagnostic::{Complaint, did_you_mean, one_of};
use super::load::Rules;
use super::model::{Expect, Scenario};
use super::roster::{Crew, Vocabulary};
use crate::environment::distribution::Distribution;
use crate::environment::plan::Limits;
use crate::kernel::chance::Ratio;
use crate::kernel::time::Span;

/// No span of a scenario may be longer than 365 days, so that sums of a few of them fit a clock.
pub(super) const LONGEST: Span = Span::secs(365 * 86_400);

/// So many faults at most may be expected from one scenario: a plan is a file that people read.
pub(super) const FAULTS: u64 = 100_000;

/// Slow by so many millionths is not to run at all.
const STANDSTILL_PPM: u32 = 1_000_000;

/// The most clients: a world keeps four bytes for each pair of nodes.
const CLIENTS_MAX: u16 = 10_000;

/// The most keys. Of each its history is checked, which takes some hundred bytes.
const KEYS_MAX: u32 = 10_000_000;

/// What is wrong with the scenario, for reasons that hold for every system.
pub(super) fn complaints<S>(scenario: &Scenario<S>, crew: Crew<'_>, rules: &Rules<S>) -> Vec<Complaint> {
    let members = crew.members;
    let vocabulary = (rules.vocabulary)(&scenario.system);
    let mut found = Vec::new();
    network::complaints(scenario, members, &mut found);
    distribution(&scenario.disk.sync, "disk.sync", &mut found);
    clocks::complaints(scenario, members, &mut found);
    workload(scenario, &mut found);
    operations::complaints(&scenario.workload, &mut found);
    limits(scenario, &mut found);
    names(scenario, rules.exhibits, &vocabulary, &mut found);
    phases::complaints(scenario, &mut found);
    faults::complaints(scenario, crew, rules, &vocabulary, &mut found);
    swarm::complaints(scenario, members, &mut found);
    settle::complaints(scenario, crew, &mut found);
    found
}

fn workload<S>(scenario: &Scenario<S>, found: &mut Vec<Complaint>) {
    let workload = &scenario.workload;
    if workload.until == Span::ZERO {
        found.push(Complaint::at("workload.until", "the workload ends before it begins", "write for example \"30s\""));
    }
    too_long(workload.until, "workload.until", found);
    too_long(workload.patience, "workload.patience", found);
    if workload.clients > CLIENTS_MAX {
        let message = format!("{} clients are more than a world has room for", workload.clients);
        found.push(Complaint::at("workload.clients", message, format!("write {CLIENTS_MAX} or less")));
    }
    if workload.keys == 0 {
        found.push(Complaint::at("workload.keys", "clients have no key to work on", "write 1 or more"));
    } else if workload.keys > KEYS_MAX {
        let message = format!("{} keys are more than anybody can keep an eye on", workload.keys);
        found.push(Complaint::at("workload.keys", message, format!("write {KEYS_MAX} or less")));
    }
    if workload.patience == Span::ZERO {
        found.push(Complaint::at(
            "workload.patience",
            "clients give up before they ask",
            "write how long they try, for example \"5s\"",
        ));
    }
    if let Some(rate) = workload.rate.filter(|rate| rate.interval() > workload.until && workload.until > Span::ZERO) {
        found.push(Complaint::at(
            "workload.rate",
            format!(
                "a client begins an operation every {} on average, but all end at {}",
                rate.interval(),
                workload.until
            ),
            "raise the rate, or workload.until",
        ));
    }
}

fn limits<S>(scenario: &Scenario<S>, found: &mut Vec<Complaint>) {
    let limits = &scenario.limits;
    if limits.steps == 0 {
        found.push(Complaint::at("limits.steps", "a run of 0 steps shows nothing", "write for example 10_000_000"));
    }
    too_long(limits.virtual_time, "limits.virtual_time", found);
    let within = scenario.settle.as_ref().map_or(Span::ZERO, |settle| settle.within);
    let end = Span::ns(scenario.workload.until.as_ns().saturating_add(within.as_ns()));
    if limits.virtual_time < end {
        let (what, cure) = match within {
            Span::ZERO => ("the workload lasts", "shorten it"),
            _ => ("workload and settling last", "shorten them"),
        };
        // A limit that nobody wrote cannot be pointed at.
        let is_default = limits.virtual_time == Limits::default().virtual_time;
        found.push(Complaint::at(
            if is_default { "workload.until" } else { "limits.virtual_time" },
            format!("the run is given up at {}, but {what} until {end}", limits.virtual_time),
            format!("raise limits.virtual_time to \"{end}\" or more, or {cure}"),
        ));
    }
}

fn names<S>(scenario: &Scenario<S>, exhibits: &[&str], vocabulary: &Vocabulary, found: &mut Vec<Complaint>) {
    for (index, id) in scenario.exhibits.iter().enumerate() {
        known("exhibit", id, exhibits, &scenario.exhibits[..index], &format!("exhibits[{index}]"), found);
    }
    let goals = scenario.goals.as_deref().unwrap_or_default();
    for (index, goal) in goals.iter().enumerate() {
        known("goal", goal, &vocabulary.goals, &goals[..index], &format!("goals[{index}]"), found);
    }
    let Expect::Breaks(invariants) = &scenario.expect else { return };
    if invariants.is_empty() {
        found.push(Complaint::at(
            "expect[0]",
            "nothing is named that breaks",
            "name an invariant, or write expect: Holds",
        ));
    }
    for (index, name) in invariants.iter().enumerate() {
        known("invariant", name, &vocabulary.invariants, &invariants[..index], &format!("expect[0][{index}]"), found);
    }
}

/// A name of something that must exist and must not stand there twice.
pub(super) fn known(kind: &str, name: &str, all: &[&str], before: &[String], place: &str, found: &mut Vec<Complaint>) {
    if before.iter().any(|other| other == name) {
        found.push(Complaint::at(place, format!("{kind} {name:?} is named twice"), "remove one of them"));
    } else if !all.contains(&name) {
        found.push(Complaint::at(
            place,
            // A defect is known by its name whatever system it is of.
            match kind {
                "exhibit" => format!("there is no exhibit {name:?}"),
                _ => format!("this system has no {kind} {name:?}"),
            },
            did_you_mean(name, all.iter().copied()).unwrap_or_else(|| match all.len() {
                0 => "remove it".to_owned(),
                // Goals have no list of their own to look at.
                1..=12 => format!("write {}", one_of(all)),
                _ if kind == "goal" => format!("write {}", one_of(all)),
                _ => format!("see them all with `squall list {kind}s`"),
            }),
        ));
    }
}

/// A distribution that makes no sense, or takes longer than any run.
pub(super) fn distribution(distribution: &Distribution, place: &str, found: &mut Vec<Complaint>) {
    if let Err(text) = distribution.validate() {
        let (message, cure) = text.rsplit_once("; ").unwrap_or((&text, "change it"));
        // It begins with the distribution's name.
        found.push(Complaint::at(place, format!("`{}", message.replacen(' ', "` ", 1)), cure));
    }
    let longest = match distribution {
        Distribution::Const(span) => *span,
        Distribution::Uniform { max, .. } => *max,
        Distribution::Exp { mean, .. } => *mean,
        Distribution::LogNormal { p99, .. } => *p99,
        Distribution::Bimodal { fast, slow, .. } => fast.max.max(slow.max),
    };
    too_long(longest, place, found);
}

/// A span that nothing in a run can be.
pub(super) fn too_long(span: Span, place: &str, found: &mut Vec<Complaint>) {
    if span > LONGEST {
        found.push(Complaint::at(place, format!("{span} is longer than 365 days, the longest run"), "write less"));
    }
}

/// Whether this always happens.
pub(super) fn is_certain(ratio: Ratio) -> bool {
    ratio.part() == ratio.whole()
}
