//! What cannot be in a ring, each with a cure.

use super::super::BuiltIn;
use super::{ReadsSetting, RingSettings, spec};
use crate::kernel::time::Span;
use crate::protocols::ring::topology::COPIES_MAX;
use crate::scenario::diagnostic::Complaint;
use crate::scenario::inject::Inject;
use crate::scenario::model::Scenario;

/// The most servers of one ring.
const NODES_MAX: u16 = 256;

/// The most points of a server.
const POINTS_MAX: u32 = 10_000;

impl RingSettings {
    pub(in crate::systems) fn complaints(&self, scenario: &Scenario<BuiltIn>) -> Vec<Complaint> {
        let mut complaints = self.of_counts();
        complaints.extend(self.of_quorums());
        complaints.extend(self.of_times(scenario));
        complaints.extend(self.of_workload(scenario));
        complaints.extend(of_weights(scenario));
        complaints
    }

    fn of_counts(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let ranges: [(&str, u64, u64, u64); 10] = [
            ("nodes", self.nodes.into(), 1, NODES_MAX.into()),
            ("founders", self.founders().into(), 1, self.nodes.into()),
            ("coordinators", self.coordinators().into(), 1, self.founders().into()),
            ("copies", self.copies.into(), 1, COPIES_MAX as u64),
            ("points", self.points.into(), 1, POINTS_MAX.into()),
            ("zones", self.zones.into(), 1, NODES_MAX.into()),
            ("bits", self.bits.into(), 4, 128),
            ("batch", self.batch.into(), 1, 100_000),
            ("transfers", self.transfers.into(), 1, NODES_MAX.into()),
            ("checkpoint", self.checkpoint.unwrap_or(u32::MAX).into(), 1, u32::MAX.into()),
        ];
        for (field, count, least, most) in ranges {
            if count < least || count > most {
                let message = format!("{field} is {count}, and must be from {least} to {most}");
                complaints.push(Complaint::at(
                    &format!("system.{field}"),
                    message,
                    format!("write for example {least}"),
                ));
            }
        }
        if self.witnesses > 1 && u32::from(self.witnesses) + 2 > u32::from(self.nodes) {
            let message = format!(
                "{} witnesses besides the suspect and who leads are more than {} servers",
                self.witnesses, self.nodes
            );
            complaints.push(Complaint::at("system.witnesses", message, "have fewer witnesses, or more servers"));
        }
        if self.copies > self.founders() {
            let message =
                format!("a key has {} copies, but there are only {} members for them", self.copies, self.founders());
            complaints.push(Complaint::at("system.copies", message, "have fewer copies, or more founders"));
        }
        complaints
    }

    fn of_quorums(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let (copies, read, write) = (u32::from(self.copies), u32::from(self.read_quorum), u32::from(self.write_quorum));
        for (field, quorum) in [("read_quorum", read), ("write_quorum", write)] {
            if quorum == 0 || quorum > copies {
                let message = format!("{field} is {quorum}, of {copies} copies");
                complaints.push(Complaint::at(&format!("system.{field}"), message, format!("write 1 to {copies}")));
            }
        }
        if read + write <= copies && self.reads != ReadsSetting::Eventual {
            let message = format!(
                "with R = {read} a read can miss what W = {write} of N = {copies} owners have: R + W must be above N for what reads promise"
            );
            complaints.push(Complaint::at(
                "system.reads",
                message,
                format!(
                    "raise read_quorum or write_quorum so that they sum up to {}, or write reads: Eventual",
                    copies + 1
                ),
            ));
        }
        complaints
    }

    fn of_times(&self, scenario: &Scenario<BuiltIn>) -> Vec<Complaint> {
        let group = self.group();
        let mut complaints: Vec<Complaint> = group.complaints().into_iter().filter(is_of_times).collect();
        complaints.extend(group.complaints_about(scenario).into_iter().filter(is_of_times));
        let spans = [
            ("beat", self.beat),
            ("gossip", self.gossip),
            ("timeout", self.timeout),
            ("dead_after", self.dead_after),
            ("throttle", self.throttle),
            ("anti_entropy", self.anti_entropy.unwrap_or(Span::ms(1))),
            ("collect", self.collect.unwrap_or(Span::ms(1))),
        ];
        for (field, span) in spans.into_iter().filter(|(_, span)| *span == Span::ZERO) {
            let message = format!("{field} of {span} never lets time pass");
            complaints.push(Complaint::at(&format!("system.{field}"), message, "write for example \"200ms\""));
        }
        if self.dead_after <= self.beat.times(2) {
            let message = format!(
                "a server is taken for dead after {}, but says only every {} that it lives",
                self.dead_after, self.beat
            );
            complaints.push(Complaint::at("system.dead_after", message, "raise it to many times system.beat"));
        }
        let round_trip = scenario.network.latency.least().times(2);
        if round_trip.times(2) >= self.timeout {
            let message = format!(
                "a write takes two round trips of {round_trip} at least, and is given up after {}",
                self.timeout
            );
            complaints.push(Complaint::at("system.timeout", message, "raise it, or shorten network.latency"));
        }
        complaints
    }

    fn of_workload(&self, scenario: &Scenario<BuiltIn>) -> Vec<Complaint> {
        let operations = scenario.workload.operations.iter().flatten().enumerate();
        let strange = operations.filter(|(_, planned)| spec::planned(planned.invoke).is_none());
        strange
            .map(|(place, _)| {
                let path = format!("workload.operations[{place}].invoke");
                Complaint::at(&path, "a ring stores values, and does not compute with them", "write Read or Write")
            })
            .collect()
    }
}

/// Whose weight is to be what no server can have.
fn of_weights(scenario: &Scenario<BuiltIn>) -> Vec<Complaint> {
    let phases = scenario.phases.iter().enumerate();
    let lists = phases.map(|(number, phase)| (format!("phases[{number}].faults"), &phase.faults));
    let lists = std::iter::once(("faults".to_owned(), &scenario.faults)).chain(lists);
    let places = lists.flat_map(|(list, faults)| {
        faults.iter().enumerate().map(move |(number, fault)| (format!("{list}[{number}].inject.weight"), fault))
    });
    let strange = places.filter_map(|(place, fault)| match fault.inject {
        Inject::Reweigh { weight, .. } if weight == 0 || weight > POINTS_MAX => Some((place, weight)),
        _ => None,
    });
    let complain = |(place, weight): (String, u32)| {
        let message = format!("a server cannot have {weight} points");
        Complaint::at(&place, message, format!("write 1 to {POINTS_MAX}, or Leave if it is to have none"))
    };
    strange.map(complain).collect()
}

/// Of the group's settings only times are the ring's own.
fn is_of_times(complaint: &Complaint) -> bool {
    let path = format!("{:?}", complaint.path);
    let is_of_faults = path.contains("faults") || path.contains("settle");
    !is_of_faults && !path.contains("nodes") && !path.contains("_max") && !path.contains("idle")
}
