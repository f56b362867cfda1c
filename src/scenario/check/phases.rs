//! Phases that have no length, or no time.

use super::super::diagnostic::Complaint;
use super::super::model::Scenario;
use super::too_long;
use crate::kernel::time::Span;

/// What is wrong with the phases themselves; their faults are another matter.
pub(super) fn complaints<S>(scenario: &Scenario<S>, found: &mut Vec<Complaint>) {
    let until = scenario.workload.until;
    let mut end = Span::ZERO;
    for (index, phase) in scenario.phases.iter().enumerate() {
        let place = format!("phases[{index}].lasts");
        if phase.lasts == Span::ZERO {
            found.push(Complaint::at(&place, "a phase of 0s is over before it begins", "write for example \"10s\""));
        }
        too_long(phase.lasts, &place, found);
        let before = end;
        end = Span::ns(end.as_ns().saturating_add(phase.lasts.as_ns()));
        // Of several that are too long, the first is enough.
        if end > until && before <= until {
            let message = format!("the phase goes on until {end}, but the workload ends at {until}");
            found.push(Complaint::at(&place, message, format!("shorten it, or raise workload.until to \"{end}\"")));
        }
    }
}
