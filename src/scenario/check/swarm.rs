//! A swarm that has nobody to hit, or nothing to do.

use super::super::diagnostic::Complaint;
use super::super::model::Scenario;
use super::super::swarm::Swarm;
use crate::kernel::time::Span;

/// Within less no fault begins, lasts and ends.
const SHORTEST: Span = Span::ms(100);

/// What is wrong with the swarm.
pub(super) fn complaints<S>(scenario: &Scenario<S>, members: &[String], found: &mut Vec<Complaint>) {
    let Some(swarm) = scenario.swarm.filter(|swarm| *swarm != Swarm::Calm) else { return };
    if members.len() < 2 {
        let message = match members.len() {
            0 => "the system has no members that a swarm of faults can hit".to_owned(),
            _ => "the system has one member, and a swarm of faults hits the links between members".to_owned(),
        };
        found.push(Complaint::at("swarm", message, "add members, or write the faults by hand"));
    }
    let until = scenario.workload.until;
    if until < SHORTEST && until > Span::ZERO {
        let message = format!("the workload lasts {until}, which is too short for `{swarm:?}`");
        let message = message.replace("`Any`", "a swarm of faults");
        found.push(Complaint::at("swarm", message, format!("raise workload.until to \"{SHORTEST}\" or more")));
    }
}
