//! Raft as a scenario names it: its settings, what cannot be, and the plan that its nodes are told.

use super::{BuiltIn, PANIC, names_of};
use crate::environment::plan::Plan;
use crate::environment::text::SpanRange;
use crate::kernel::time::{Span, Time};
use crate::protocols::exhibit::plant;
use crate::protocols::raft::rules::Rules;
use crate::protocols::raft::{client, config, exhibits, message, node, oracle, spec};
use crate::scenario::diagnostic::Complaint;
use crate::scenario::inject::Inject;
use crate::scenario::model::{Healing, Scenario};
use crate::scenario::roster::Vocabulary;
use crate::scenario::target::Who;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a scenario says of Raft. Names are those of the paper where it has them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RaftSettings {
    /// How many servers, from 1 to 64.
    pub nodes: u16,
    /// How long a follower waits for a leader, drawn anew each time. Default: 150 ms to 300 ms, as in the paper.
    #[serde(default = "RaftSettings::default_election_timeout")]
    pub election_timeout: SpanRange,
    /// How often a leader speaks when there is nothing new. Default: 50 ms.
    #[serde(default = "RaftSettings::default_heartbeat")]
    pub heartbeat: Span,
    /// Ask before raising the term. Default: yes.
    #[serde(default = "RaftSettings::yes")]
    pub pre_vote: bool,
    /// A leader without a quorum steps down; who hears a leader ignores candidates. Default: yes.
    #[serde(default = "RaftSettings::yes")]
    pub check_quorum: bool,
    /// The most entries in one AppendEntries, at least 1. Default: 64.
    #[serde(default = "RaftSettings::default_append_max")]
    pub append_max: u32,
    /// How many entries may be on their way to a server unacknowledged, at least 1. Default: 256.
    #[serde(default = "RaftSettings::default_inflight_max")]
    pub inflight_max: u32,
    /// How many further nodes do nothing at all. Default: none.
    #[serde(default)]
    pub idle: u16,
}

impl RaftSettings {
    fn default_election_timeout() -> SpanRange {
        SpanRange { min: Span::ms(150), max: Span::ms(300) }
    }

    fn default_heartbeat() -> Span {
        Span::ms(50)
    }

    fn yes() -> bool {
        true
    }

    fn default_append_max() -> u32 {
        64
    }

    fn default_inflight_max() -> u32 {
        256
    }

    /// The defaults, with so many servers.
    pub fn of(nodes: u16) -> RaftSettings {
        RaftSettings {
            nodes,
            election_timeout: RaftSettings::default_election_timeout(),
            heartbeat: RaftSettings::default_heartbeat(),
            pre_vote: true,
            check_quorum: true,
            append_max: RaftSettings::default_append_max(),
            inflight_max: RaftSettings::default_inflight_max(),
            idle: 0,
        }
    }
}

impl RaftSettings {
    /// What the servers are told.
    pub(super) fn config(&self, rules: Rules) -> config::Config {
        config::Config {
            servers: self.nodes,
            election_timeout_min: self.election_timeout.min,
            election_timeout_max: self.election_timeout.max,
            heartbeat: self.heartbeat,
            pre_vote: self.pre_vote,
            check_quorum: self.check_quorum,
            append_max: self.append_max as usize,
            inflight_max: self.inflight_max as usize,
            rules,
        }
    }

    pub(super) fn vocabulary(&self) -> Vocabulary {
        Vocabulary {
            invariants: names_of(&[&oracle::INVARIANTS, spec::INVARIANTS.as_slice(), &[PANIC]].concat()).collect(),
            goals: oracle::GOALS.to_vec(),
            roles: vec!["leader", "primary"],
            facts: node::FACTS.to_vec(),
            messages: [message::MESSAGES.as_slice(), &node::MESSAGES].concat(),
        }
    }

    /// The same Raft with fewer servers, with less to it, or closer to the defaults; the greatest step first.
    pub(super) fn simpler(&self) -> Vec<RaftSettings> {
        let usual = RaftSettings::of(self.nodes);
        let fewer = [1, 2, 3].into_iter().filter(|nodes| nodes + 1 < self.nodes).chain(self.nodes.checked_sub(1));
        let mut simpler: Vec<RaftSettings> =
            fewer.filter(|nodes| *nodes > 0).map(|nodes| RaftSettings { nodes, ..self.clone() }).collect();
        let mut offer = |settings: RaftSettings| {
            if settings != *self {
                simpler.push(settings);
            }
        };
        offer(RaftSettings { idle: 0, ..self.clone() });
        offer(RaftSettings { pre_vote: false, check_quorum: false, ..self.clone() });
        offer(RaftSettings { pre_vote: false, ..self.clone() });
        offer(RaftSettings { check_quorum: false, ..self.clone() });
        offer(RaftSettings { append_max: usual.append_max, inflight_max: usual.inflight_max, ..self.clone() });
        if self.election_timeout != usual.election_timeout && self.heartbeat < usual.election_timeout.min {
            offer(RaftSettings { election_timeout: usual.election_timeout, ..self.clone() });
        }
        // A leader that speaks less often has less to tell a reader. Twice in a timeout it should.
        if self.heartbeat < Span::ms(100) && Span::ms(100) < self.election_timeout.min {
            offer(RaftSettings { heartbeat: Span::ms(100), ..self.clone() });
        }
        simpler
    }
}

/// The plan that the replicated store is played with.
///
/// # Panics
/// If the plan is of another system, or names an exhibit that does not exist: the loader checks that.
pub fn raft_plan(plan: &Plan<BuiltIn>) -> Arc<Plan<node::Config>> {
    let BuiltIn::Raft(settings) = &plan.system else { panic!("a plan of another system") };
    let mut rules = Rules::SOUND;
    plant(&exhibits::EXHIBITS, &plan.exhibits, &mut rules);
    let raft = settings.config(rules);
    let workload = &plan.workload;
    let client = client::Config {
        servers: settings.nodes,
        interval: workload.rate.map_or(Span::ZERO, |rate| rate.interval()),
        until: Time::ZERO + workload.until,
        probe_at: plan.settle.is_some().then(|| plan.calm_from() + Span::ms(1)),
        keys: workload.keys,
        reads: workload.reads,
        retry: settings.election_timeout.max,
        patience: workload.patience,
    };
    let scripts = workload.operations.as_ref().map(|operations| {
        let mut scripts = vec![Vec::new(); workload.clients as usize];
        let clients = (1..=workload.clients).map(|place| format!("c{place}"));
        for (client, script) in clients.zip(&mut scripts) {
            let own = operations.iter().filter(|planned| planned.client == client);
            script.extend(own.map(|planned| (planned.at, planned.invoke.into())));
        }
        scripts
    });
    let system = node::Config { raft, client, clients: workload.clients, scripts, idle: settings.idle };
    Arc::new(plan.clone().with_system(system))
}

/// The most servers of one Raft.
const NODES_MAX: u16 = 64;

impl RaftSettings {
    /// What can never work with these surroundings, whatever the seed.
    pub(super) fn complaints_about(&self, scenario: &Scenario<BuiltIn>) -> Vec<Complaint> {
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

    pub(super) fn complaints(&self) -> Vec<Complaint> {
        let timeout = self.election_timeout;
        let mut complaints = Vec::new();
        if self.nodes == 0 || self.nodes > NODES_MAX {
            complaints.push(Complaint::at(
                "system.nodes",
                format!("a Raft of {} nodes cannot be simulated", self.nodes),
                format!("use 1 to {NODES_MAX}; 5 is usual"),
            ));
        }
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
        for (name, most) in [("append_max", self.append_max), ("inflight_max", self.inflight_max)] {
            if most == 0 {
                let message = format!("{name} of 0 entries replicates nothing");
                complaints.push(Complaint::at(&format!("system.{name}"), message, "use 1 or more"));
            }
        }
        if self.idle > 10_000 {
            complaints.push(Complaint::at("system.idle", "more than 10000 idle nodes", "use fewer"));
        }
        complaints
    }
}
