//! The ways in which a plan can be made simpler. Each pass proposes candidates, the greatest step first.

mod cast;
mod faults;
mod surroundings;
mod times;
mod workload;

use super::lab::{Best, Candidate};
use super::{MANY_SEEDS, SEEDS, Subject};

/// One way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass {
    kind: Kind,
    /// What it works on, in words.
    pub(super) doing: &'static str,
    /// How many seeds each candidate is tried with.
    pub(super) seeds: u64,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Cut,
    Calm,
    Workload,
    Weather,
    Cast,
    Clients,
    System,
    Surroundings,
    Operations,
    Faults,
    Gaps,
    Round,
}

const fn pass(kind: Kind, doing: &'static str, seeds: u64) -> Pass {
    Pass { kind, doing, seeds }
}

/// What comes after the violation goes.
pub(super) const CUT: Pass = pass(Kind::Cut, "what comes after", 1);
/// Settling and planted defects that are not needed go.
pub(super) const CALM: Pass = pass(Kind::Calm, "settling", SEEDS);
/// No operations, fewer clients, or what they do spelled out.
pub(super) const WORKLOAD: Pass = pass(Kind::Workload, "workload", SEEDS);
/// Slower messages instead of a fault.
pub(super) const WEATHER: Pass = pass(Kind::Weather, "messages instead of faults", MANY_SEEDS);
/// Fewer members.
pub(super) const CAST: Pass = pass(Kind::Cast, "nodes", MANY_SEEDS);
/// Fewer clients.
pub(super) const CLIENTS: Pass = pass(Kind::Clients, "clients", SEEDS);
/// A simpler system.
pub(super) const SYSTEM: Pass = pass(Kind::System, "the system", SEEDS);
/// Calmer links, disks and clocks.
pub(super) const SURROUNDINGS: Pass = pass(Kind::Surroundings, "network and disks", SEEDS);
/// Plainer operations on fewer keys.
pub(super) const OPERATIONS: Pass = pass(Kind::Operations, "what operations do", MANY_SEEDS);
/// Plainer faults.
pub(super) const FAULTS: Pass = pass(Kind::Faults, "what faults do", MANY_SEEDS);
/// Less time between what happens.
pub(super) const GAPS: Pass = pass(Kind::Gaps, "gaps", MANY_SEEDS);
/// Rounder times.
pub(super) const ROUND: Pass = pass(Kind::Round, "round numbers", MANY_SEEDS);

impl Pass {
    /// What could be simpler, the greatest step first.
    pub(super) fn propose<S: Clone>(self, best: &Best<S>, subject: &dyn Subject<S>) -> Vec<Candidate<S>> {
        match self.kind {
            Kind::Cut => times::cut(best),
            Kind::Calm => surroundings::calm(best, subject),
            Kind::Weather => surroundings::weather(best),
            Kind::Workload => workload::workload(best, subject),
            Kind::Cast => cast::members(best, subject),
            Kind::Clients => workload::clients(best),
            Kind::System => cast::system(best, subject),
            Kind::Surroundings => surroundings::surroundings(best),
            Kind::Operations => workload::operations(best),
            Kind::Faults => faults::faults(best, subject),
            Kind::Gaps => times::gaps(best),
            Kind::Round => times::round(best),
        }
    }
}
