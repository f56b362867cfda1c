//! Raft as a scenario names it: its settings, what cannot be, and the plan that its nodes are told.

mod complaints;

use super::{BuiltIn, PANIC, names_of};
use crate::environment::fault::Kind;
use crate::environment::plan::Plan;
use crate::environment::text::SpanRange;
use crate::kernel::time::{Span, Time};
use crate::protocols::exhibit::plant;
use crate::protocols::raft::membership::{Quorums, WEIGHTED_MAX};
use crate::protocols::raft::rules::Rules;
use crate::protocols::raft::snapshot::Compaction;
use crate::protocols::raft::{client, config, exhibits, message, node, oracle, spec};
use crate::scenario::roster::Vocabulary;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a scenario says of Raft. Names are those of the paper where it has them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RaftSettings {
    /// How many servers vote at first, from 1 to 64.
    pub nodes: u16,
    /// How many further servers wait for an order to join; with the others at most 64. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub spares: u16,
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
    /// How many bytes of entries one AppendEntries takes, at least 1; one entry goes in always. Default: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub append_bytes: Option<u32>,
    /// How many entries may be on their way to a server unacknowledged, at least 1. Default: 256.
    #[serde(default = "RaftSettings::default_inflight_max")]
    pub inflight_max: u32,
    /// When the log is compacted into a snapshot. Default: never.
    #[serde(default, skip_serializing_if = "is_default")]
    pub snapshot: Option<SnapshotSettings>,
    /// Voters change by way of a joint configuration, also if it is only one. Default: no.
    #[serde(default, skip_serializing_if = "is_default")]
    pub always_joint: bool,
    /// How reads are served. Default: through the log.
    #[serde(default, skip_serializing_if = "is_default")]
    pub reads: ReadSettings,
    /// Clients read from any server, which asks the leader what it must have seen. Default: no.
    #[serde(default, skip_serializing_if = "is_default")]
    pub follower_reads: bool,
    /// How long the session of a client lasts that does not use it. Default: for ever.
    #[serde(default, skip_serializing_if = "is_default")]
    pub session_lifetime: Option<Span>,
    /// Which groups of voters decide. Default: any majority.
    #[serde(default, skip_serializing_if = "is_default")]
    pub quorums: QuorumSettings,
    /// Whose word counts in judging a run. Default: everybody's.
    #[serde(default, skip_serializing_if = "is_default")]
    pub judge: JudgeSettings,
    /// How many further nodes do nothing at all. Default: none.
    #[serde(default)]
    pub idle: u16,
}

/// When the log is compacted into a snapshot, and how that travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotSettings {
    /// After so many entries, at least 1.
    pub every: u32,
    /// So many entries before a snapshot stay in the log. Default: none.
    #[serde(default)]
    pub keep: u32,
    /// So many values, or sessions of clients, go into one message, at least 1. Default: 8.
    #[serde(default = "SnapshotSettings::default_chunk")]
    pub chunk: u32,
}

impl SnapshotSettings {
    fn default_chunk() -> u32 {
        8
    }
}

/// How reads are served (thesis, section 6.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ReadSettings {
    /// Through the log, as any other command.
    #[default]
    Log,
    /// By the leader, when a quorum has confirmed that it still leads.
    Index,
    /// By the leader, for as long as nobody else can have been elected.
    Lease {
        /// By how much, in millionths, a clock runs faster than another at most. What holds the promise only then.
        drift_ppm: u32,
    },
}

/// Whose word counts in judging a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum JudgeSettings {
    /// Everybody's: what servers hold and do is looked at after every step, besides what clients see.
    #[default]
    All,
    /// Only that of clients: their answers, and whether they are served in the end.
    Clients,
}

/// Which groups of voters decide.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum QuorumSettings {
    /// More than half.
    #[default]
    Majority,
    /// So many voters, whichever they are.
    Flexible {
        /// To elect a leader.
        election: u16,
        /// To commit an entry.
        replication: u16,
    },
    /// More than half of all votes: how many each server has, in order.
    Weighted(Vec<u8>),
}

impl QuorumSettings {
    fn quorums(&self) -> Quorums {
        match self {
            QuorumSettings::Majority => Quorums::Majority,
            QuorumSettings::Flexible { election, replication } => {
                Quorums::Flexible { election: *election, replication: *replication }
            }
            QuorumSettings::Weighted(votes) => {
                let mut weights = [0; WEIGHTED_MAX];
                weights.iter_mut().zip(votes).for_each(|(weight, votes)| *weight = *votes);
                Quorums::Weighted(weights)
            }
        }
    }
}

/// The messages that are sent only because an operator has ordered something.
pub(super) const ORDERED: [&str; 2] = ["TimeoutNow", "Ask"];

/// The goals that are reached only for the same reason.
pub(super) const ORDERED_GOALS: [&str; 5] = [
    "raft.configuration-changed",
    "raft.joint-configuration",
    "raft.learner-promoted",
    "raft.leader-removed",
    "raft.leadership-transferred",
];

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
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
            spares: 0,
            election_timeout: RaftSettings::default_election_timeout(),
            heartbeat: RaftSettings::default_heartbeat(),
            pre_vote: true,
            check_quorum: true,
            append_max: RaftSettings::default_append_max(),
            append_bytes: None,
            inflight_max: RaftSettings::default_inflight_max(),
            snapshot: None,
            always_joint: false,
            reads: ReadSettings::Log,
            follower_reads: false,
            session_lifetime: None,
            quorums: QuorumSettings::Majority,
            judge: JudgeSettings::All,
            idle: 0,
        }
    }
}

impl RaftSettings {
    /// What the servers are told.
    pub(super) fn config(&self, rules: Rules) -> config::Config {
        config::Config {
            servers: self.nodes,
            spares: self.spares,
            election_timeout_min: self.election_timeout.min,
            election_timeout_max: self.election_timeout.max,
            heartbeat: self.heartbeat,
            pre_vote: self.pre_vote,
            check_quorum: self.check_quorum,
            append_max: self.append_max as usize,
            append_bytes: self.append_bytes.map(|bytes| bytes as usize),
            inflight_max: self.inflight_max as usize,
            compaction: self.snapshot.map(|snapshot| Compaction {
                every: u64::from(snapshot.every),
                keep: u64::from(snapshot.keep),
                chunk: snapshot.chunk as usize,
            }),
            always_joint: self.always_joint,
            reads: match self.reads {
                ReadSettings::Log => config::Reads::Log,
                ReadSettings::Index => config::Reads::Index,
                ReadSettings::Lease { drift_ppm } => config::Reads::Lease { drift_ppm },
            },
            quorums: self.quorums.quorums(),
            rules,
        }
    }

    /// How many servers there are, members or not.
    pub(super) fn servers(&self) -> u16 {
        self.nodes.saturating_add(self.spares)
    }

    /// The orders that its servers understand.
    pub(super) const ORDERS: [Kind; 4] = [Kind::Join, Kind::Leave, Kind::ReplaceMember, Kind::TransferLeadership];

    /// The orders that a swarm gives: members change if there is somebody who may come.
    pub(super) fn churn(&self) -> &'static [Kind] {
        let all = &[Kind::TransferLeadership, Kind::Join, Kind::Leave, Kind::ReplaceMember];
        if self.spares > 0 { all } else { &all[..1] }
    }

    /// What its servers do not claim to survive: a sync that lied, and with leases a clock that stands still.
    pub(super) fn spared(&self) -> &'static [Kind] {
        match self.reads {
            ReadSettings::Log | ReadSettings::Index => &[Kind::LostSync],
            ReadSettings::Lease { .. } => &[Kind::LostSync, Kind::ClockFreeze],
        }
    }

    /// What can happen with these settings, and what faults may wait for.
    pub(super) fn vocabulary(&self) -> Vocabulary {
        Vocabulary {
            invariants: names_of(&[&oracle::INVARIANTS, spec::INVARIANTS.as_slice(), &[PANIC]].concat()).collect(),
            goals: self.goals().into_iter().chain(ORDERED_GOALS).collect(),
            roles: vec!["leader", "primary"],
            facts: node::FACTS.to_vec(),
            messages: self.messages().into_iter().chain(node::MESSAGES).chain(ORDERED).collect(),
        }
    }

    /// The goals that can be reached with these settings, without [`ORDERED_GOALS`].
    pub(super) fn goals(&self) -> Vec<&'static str> {
        let may_be = |goal: &&str| match *goal {
            "raft.snapshot-taken" | "raft.snapshot-installed" => self.snapshot.is_some(),
            "raft.session-expired" => self.session_lifetime.is_some(),
            _ => !ORDERED_GOALS.contains(goal),
        };
        oracle::GOALS.into_iter().filter(may_be).collect()
    }

    /// The messages that are sent with these settings, without [`ORDERED`].
    pub(super) fn messages(&self) -> Vec<&'static str> {
        let may_be = |label: &&str| match *label {
            "InstallSnapshot" | "InstallSnapshotReply" => self.snapshot.is_some(),
            "ReadIndex" | "ReadIndexReply" => self.follower_reads,
            _ => !ORDERED.contains(label),
        };
        message::MESSAGES.into_iter().filter(may_be).collect()
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
        offer(RaftSettings { spares: 0, ..self.clone() });
        offer(RaftSettings { spares: self.spares.saturating_sub(1), ..self.clone() });
        offer(RaftSettings { snapshot: None, ..self.clone() });
        offer(RaftSettings { always_joint: false, ..self.clone() });
        offer(RaftSettings { follower_reads: false, ..self.clone() });
        offer(RaftSettings { reads: ReadSettings::Log, follower_reads: false, ..self.clone() });
        offer(RaftSettings { judge: JudgeSettings::All, ..self.clone() });
        offer(RaftSettings { session_lifetime: None, ..self.clone() });
        offer(RaftSettings { quorums: QuorumSettings::Majority, ..self.clone() });
        offer(RaftSettings { pre_vote: false, check_quorum: false, ..self.clone() });
        offer(RaftSettings { pre_vote: false, ..self.clone() });
        offer(RaftSettings { check_quorum: false, ..self.clone() });
        offer(RaftSettings { append_bytes: None, ..self.clone() });
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
        repeats_as: rules.repeats_as,
        servers: settings.servers(),
        interval: workload.rate.map_or(Span::ZERO, |rate| rate.interval()),
        until: Time::ZERO + workload.until,
        probe_at: plan.settle.is_some().then(|| plan.calm_from() + Span::ms(1)),
        keys: workload.keys,
        reads: workload.reads,
        retry: settings.election_timeout.max,
        patience: workload.patience,
        in_turn: settings.spares > 0,
        reads_anywhere: settings.follower_reads && settings.reads != ReadSettings::Log,
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
    let (clients, idle, follower_reads) = (workload.clients, settings.idle, settings.follower_reads);
    let judge = match settings.judge {
        JudgeSettings::All => node::Judge::All,
        JudgeSettings::Clients => node::Judge::Clients,
    };
    let session_lifetime = settings.session_lifetime;
    let system = node::Config { raft, client, clients, follower_reads, session_lifetime, judge, scripts, idle };
    Arc::new(plan.clone().with_system(system))
}
