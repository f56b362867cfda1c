//! What cannot be with a Raft that a scenario names.

use super::{QuorumSettings, RaftSettings, ReadSettings};
use crate::kernel::time::Span;
use crate::protocols::raft::membership::WEIGHTED_MAX;
use crate::scenario::diagnostic::Complaint;
use crate::scenario::inject::Inject;
use crate::scenario::model::{Healing, Scenario};
use crate::scenario::target::Who;
use crate::systems::BuiltIn;

/// The most servers of one Raft.
const NODES_MAX: u16 = 64;

impl RaftSettings {
    /// What can never work with these surroundings, whatever the seed.
    pub(in crate::systems) fn complaints_about(&self, scenario: &Scenario<BuiltIn>) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let patience = self.election_timeout.max;
        let round_trip = scenario.network.latency.least().times(2);
        if self.nodes > 1 && round_trip >= patience {
            complaints.push(Complaint::at(
                "network.latency",
                format!("no vote can arrive: a round trip takes at least {round_trip}, an election times out after {patience}"),
                "raise system.election_timeout to several round trips, or shorten the latency",
            ));
        }
        let sync = scenario.disk.sync.least();
        if sync >= patience {
            complaints.push(Complaint::at(
                "disk.sync",
                format!("no vote can be durable in time: a sync takes at least {sync}, an election times out after {patience}"),
                "raise system.election_timeout to several syncs, or shorten the sync",
            ));
        }
        complaints.extend(self.without_quorum(scenario));
        complaints
    }

    /// What leaves no quorum to settle.
    fn without_quorum(&self, scenario: &Scenario<BuiltIn>) -> Vec<Complaint> {
        let Some(settle) = &scenario.settle else { return Vec::new() };
        // Who will belong to the cluster then, and which of them decide, nobody can tell beforehand.
        if self.spares > 0 || self.quorums != QuorumSettings::Majority {
            return Vec::new();
        }
        let count = self.nodes as usize;
        let mut complaints = Vec::new();
        if let Healing::Core(who) = &settle.heal
            && who.size(count).is_some_and(|size| size > 0 && 2 * size <= count)
        {
            complaints.push(Complaint::at(
                "settle.heal[0]",
                format!("this core is no quorum of {count} servers, so it makes no progress"),
                "write Majority, or name more",
            ));
        }
        let phases = scenario.phases.iter().enumerate();
        let lists = phases.map(|(number, phase)| (format!("phases[{number}].faults"), &phase.faults));
        for (list, faults) in std::iter::once(("faults".to_owned(), &scenario.faults)).chain(lists) {
            for (number, fault) in faults.iter().enumerate() {
                let is_majority = |who: &Who| who.size(count).is_some_and(|size| size < count && 2 * size >= count);
                let cure = match &fault.inject {
                    Inject::Destroy { target } if is_majority(target) => "destroy fewer members",
                    // A phase ends what has no end of its own.
                    Inject::Kill { target, restart_after: None } | Inject::Wipe { target, restart_after: None }
                        if settle.heal == Healing::Nothing
                            && fault.until.is_none()
                            && list == "faults"
                            && is_majority(target) =>
                    {
                        "add restart_after, kill fewer members, or let settle heal"
                    }
                    _ => continue,
                };
                let message = "no quorum is left to settle: these members stay dead, for settling does not heal them";
                complaints.push(Complaint::at(&format!("{list}[{number}].inject.target"), message, cure));
            }
        }
        complaints
    }

    pub(in crate::systems) fn complaints(&self) -> Vec<Complaint> {
        let timeout = self.election_timeout;
        let mut complaints = Vec::new();
        let servers = u32::from(self.nodes) + u32::from(self.spares);
        if self.nodes == 0 || self.nodes > NODES_MAX {
            complaints.push(Complaint::at(
                "system.nodes",
                format!("a Raft of {} nodes cannot be simulated", self.nodes),
                format!("use 1 to {NODES_MAX}; 5 is usual"),
            ));
        } else if servers > u32::from(NODES_MAX) {
            complaints.push(Complaint::at(
                "system.spares",
                format!("a Raft of {servers} servers, spares included, cannot be simulated"),
                format!("use at most {NODES_MAX} in all"),
            ));
        }
        complaints.extend(self.complaints_about_reads());
        complaints.extend(self.complaints_about_quorums());
        if timeout.min == Span::ZERO {
            complaints.push(Complaint::at(
                "system.election_timeout",
                "an election timeout of zero never lets anybody lead",
                "use for example (\"150ms\", \"300ms\")",
            ));
        }
        if self.heartbeat == Span::ZERO {
            complaints.push(Complaint::at(
                "system.heartbeat",
                "a heartbeat of zero never lets time pass",
                "use for example \"50ms\"",
            ));
        } else if self.heartbeat >= timeout.min {
            complaints.push(Complaint::at(
                "system.heartbeat",
                format!(
                    "a heartbeat of {} is not shorter than the election timeout of {}",
                    self.heartbeat, timeout.min
                ),
                "use a third of the election timeout, or less",
            ));
        }
        if self.append_bytes == Some(0) {
            let message = "append_bytes of 0 leaves no room for an entry";
            complaints.push(Complaint::at("system.append_bytes", message, "use 1 or more, or leave it out"));
        }
        for (name, most) in [("append_max", self.append_max), ("inflight_max", self.inflight_max)] {
            if most == 0 {
                let message = format!("{name} of 0 entries replicates nothing");
                complaints.push(Complaint::at(&format!("system.{name}"), message, "use 1 or more"));
            }
        }
        if let Some(snapshot) = self.snapshot {
            for (name, least) in [("every", snapshot.every), ("chunk", snapshot.chunk)] {
                if least == 0 {
                    let message = format!("a snapshot with {name}: 0 never comes to an end");
                    complaints.push(Complaint::at(&format!("system.snapshot.{name}"), message, "use 1 or more"));
                }
            }
        }
        if self.session_lifetime == Some(Span::ZERO) {
            let message = "a session that ends at once never serves anybody";
            complaints.push(Complaint::at(
                "system.session_lifetime",
                message,
                "use for example \"10s\", or leave it out",
            ));
        }
        if self.idle > 10_000 {
            complaints.push(Complaint::at("system.idle", "more than 10000 idle nodes", "use fewer"));
        }
        complaints
    }

    fn complaints_about_reads(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        if self.follower_reads && self.reads == ReadSettings::Log {
            let message = "who reads through the log asks the leader: no follower can answer";
            complaints.push(Complaint::at("system.follower_reads", message, "add reads: Index, or leave it out"));
        }
        if matches!(self.reads, ReadSettings::Lease { .. }) && !self.check_quorum {
            let message = "without check_quorum nobody waits for a leader, so none has a lease";
            complaints.push(Complaint::at(
                "system.reads",
                message,
                "leave out check_quorum: false, or use reads: Index",
            ));
        }
        complaints
    }

    /// Two quorums that share no server: two leaders, or a leader without what is committed.
    fn complaints_about_quorums(&self) -> Vec<Complaint> {
        let place = "system.quorums";
        let mut complaints = Vec::new();
        if self.quorums != QuorumSettings::Majority && self.spares > 0 {
            let message = "these quorums are of a fixed cluster, and spares may join it";
            complaints.push(Complaint::at(place, message, "use quorums: Majority, or no spares"));
        }
        match &self.quorums {
            QuorumSettings::Majority => {}
            QuorumSettings::Flexible { election, replication } => {
                let (elect, commit, all) = (u32::from(*election), u32::from(*replication), u32::from(self.nodes));
                let names =
                    |from: u32, to: u32| (from..=to).map(|place| format!("n{place}")).collect::<Vec<_>>().join(", ");
                let complaint = if elect == 0 || commit == 0 || elect > all || commit > all {
                    Some((format!("{elect} to elect and {commit} to commit, of {all}"), format!("use 1 to {all}")))
                } else if 2 * elect <= all {
                    let (one, other) = (names(1, elect), names(elect + 1, 2 * elect));
                    let message = format!("{one} could elect one leader and {other} another one in the same term");
                    Some((message, format!("use election: {} or more", all / 2 + 1)))
                } else if elect + commit <= all {
                    let (one, other) = (names(1, commit), names(commit + 1, commit + elect));
                    let message = format!("{one} could commit what none of {other} has when they elect a leader");
                    Some((message, format!("use two numbers of which the sum is {} or more", all + 1)))
                } else {
                    None
                };
                complaints.extend(complaint.map(|(message, cure)| Complaint::at(place, message, cure)));
            }
            QuorumSettings::Weighted(votes) => {
                if votes.len() != usize::from(self.nodes) || votes.len() > WEIGHTED_MAX {
                    let message = format!("{} servers have votes, the cluster has {}", votes.len(), self.nodes);
                    let cure = format!(
                        "write a number for each server; at most {WEIGHTED_MAX} can have votes of different weight"
                    );
                    complaints.push(Complaint::at(place, message, cure));
                } else if votes.iter().all(|votes| *votes == 0) {
                    complaints.push(Complaint::at(place, "nobody has a vote", "give somebody one"));
                }
            }
        }
        complaints
    }
}
