//! Operations that are spelled out, and that nobody could or would do.

use super::super::diagnostic::Complaint;
use crate::environment::plan::Workload;
use crate::kernel::time::Time;

/// What is wrong with the operations.
pub(super) fn complaints(workload: &Workload, found: &mut Vec<Complaint>) {
    let Some(operations) = &workload.operations else { return };
    let mut complain = |place: &str, message: String, cure: String| {
        found.push(Complaint::at(&format!("workload.{place}"), message, cure));
    };
    if workload.rate.is_some() {
        let message = "`rate` has no say where the operations are spelled out";
        complain("rate", message.to_owned(), "remove it, or `operations`".to_owned());
    }
    let end = Time::ZERO + workload.until;
    let mut before = Time::ZERO;
    for (index, planned) in operations.iter().enumerate() {
        let place = |field: &str| format!("operations[{index}].{field}");
        let number = planned.client.strip_prefix('c').filter(|digits| !digits.starts_with(['0', '+']));
        if number.and_then(|digits| digits.parse::<u16>().ok()).is_none_or(|number| number > workload.clients) {
            let cure = match workload.clients {
                0 => "raise workload.clients".to_owned(),
                1 => "write \"c1\", or raise workload.clients".to_owned(),
                last => format!("write a name from \"c1\" to \"c{last}\", or raise workload.clients"),
            };
            complain(&place("client"), format!("there is no client {:?}", planned.client), cure);
        }
        if planned.at >= end {
            let message = format!("the operation begins at {}, when the workload has ended (at {end})", planned.at);
            complain(&place("at"), message, "begin it earlier, or raise workload.until".to_owned());
        }
        if planned.at < before {
            let message = format!("the operation begins at {}, before the one above it (at {before})", planned.at);
            complain(&place("at"), message, "write the operations in the order in which they begin".to_owned());
        }
        before = planned.at;
        let key = planned.invoke.key();
        if key >= workload.keys {
            let message = match workload.keys {
                1 => format!("there is no key {key}, only key 0"),
                keys => format!("there is no key {key}, the last of {keys} is {}", keys.saturating_sub(1)),
            };
            complain(
                &place("invoke.key"),
                message,
                format!("write less, or raise workload.keys to {}", u64::from(key) + 1),
            );
        }
    }
}
