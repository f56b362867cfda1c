//! The systems that a scenario can name, and the one file that names every protocol.

use crate::environment::plan::Plan;
use crate::environment::text::SpanRange;
use crate::kernel::time::{Span, Time};
use crate::protocols::raft::rules::Rules;
use crate::protocols::raft::{client, config, exhibits, node, oracle};
use crate::run::outcome::Outcome;
use crate::run::play::play;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The systems that come with squall.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum BuiltIn {
    /// Raft, replicating a key-value store.
    Raft(RaftSettings),
}

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

    /// The defaults, with so many servers.
    pub fn of(nodes: u16) -> RaftSettings {
        RaftSettings {
            nodes,
            election_timeout: RaftSettings::default_election_timeout(),
            heartbeat: RaftSettings::default_heartbeat(),
            pre_vote: true,
            check_quorum: true,
            append_max: RaftSettings::default_append_max(),
            idle: 0,
        }
    }
}

/// The plan that the replicated store is played with.
///
/// # Panics
/// If the plan names an exhibit that does not exist: the loader checks that.
pub fn raft_plan(plan: &Plan<BuiltIn>) -> Arc<Plan<node::Config>> {
    let BuiltIn::Raft(settings) = &plan.system;
    let mut rules = Rules::SOUND;
    for id in &plan.exhibits {
        let exhibit = exhibits::find(id).unwrap_or_else(|| panic!("there is no exhibit {id:?}"));
        (exhibit.plant)(&mut rules);
    }
    let raft = config::Config {
        servers: settings.nodes,
        election_timeout_min: settings.election_timeout.min,
        election_timeout_max: settings.election_timeout.max,
        heartbeat: settings.heartbeat,
        pre_vote: settings.pre_vote,
        check_quorum: settings.check_quorum,
        append_max: settings.append_max as usize,
        rules,
    };
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
    let system = node::Config { raft, client, clients: workload.clients, idle: settings.idle };
    Arc::new(plan.clone().with_system(system))
}

impl BuiltIn {
    /// The system's name.
    pub fn name(&self) -> &'static str {
        match self {
            BuiltIn::Raft(_) => "raft",
        }
    }

    /// Plays a plan.
    pub fn play(plan: &Plan<BuiltIn>) -> Outcome {
        match &plan.system {
            BuiltIn::Raft(_) => play::<node::Store>(&raft_plan(plan), plan.system.name()),
        }
    }

    /// The invariants that the systems know, with a sentence each.
    pub fn invariants() -> impl Iterator<Item = (&'static str, &'static str)> {
        oracle::INVARIANTS.into_iter()
    }
}
