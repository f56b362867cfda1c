//! Locks on leases as a scenario names them.

use super::ensemble::WholeSnapshotSettings;
use super::redis::time_to_live;
use super::{KindRules, KindSettings, ensemble};
use crate::environment::text::SpanRange;
use crate::kernel::time::Span;
use crate::protocols::lock::kind::Kind;
use crate::protocols::lock::lease::Config;
use crate::protocols::raft::rules::Rules;
use crate::scenario::diagnostic::Complaint;
use crate::scenario::model::Scenario;
use crate::servers::etcd::lessor::Checkpoints;
use crate::systems::BuiltIn;
use crate::systems::raft::RaftSettings;
use serde::{Deserialize, Serialize};

/// What a scenario says of servers of etcd.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseSettings {
    /// How many servers, from 1 to 64. Default: 3.
    #[serde(default = "LeaseSettings::default_nodes")]
    pub nodes: u16,
    /// How long a lease lives that is not renewed, in whole seconds from 2 on. Default: 2 s.
    #[serde(default = "LeaseSettings::default_ttl")]
    pub ttl: Span,
    /// How often a leader tells the others how long leases have still to live. Default: every second.
    #[serde(default = "LeaseSettings::default_checkpoint_every")]
    pub checkpoint_every: Option<Span>,
    /// How long a client waits for an answer. Default: 300 ms.
    #[serde(default = "LeaseSettings::default_timeout")]
    pub timeout: Span,
    /// How long a follower waits for a leader. Default: 150 ms to 300 ms.
    #[serde(default = "LeaseSettings::default_election_timeout")]
    pub election_timeout: SpanRange,
    /// How often a leader speaks when there is nothing new. Default: 50 ms.
    #[serde(default = "LeaseSettings::default_heartbeat")]
    pub heartbeat: Span,
    /// A leader without a quorum steps down; who hears a leader ignores candidates. Default: yes.
    #[serde(default = "LeaseSettings::yes")]
    pub check_quorum: bool,
    /// When the log is compacted into a snapshot. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<WholeSnapshotSettings>,
}

impl LeaseSettings {
    fn yes() -> bool {
        true
    }

    fn default_nodes() -> u16 {
        3
    }

    fn default_ttl() -> Span {
        Span::secs(2)
    }

    fn default_checkpoint_every() -> Option<Span> {
        Some(Span::secs(1))
    }

    fn default_timeout() -> Span {
        Span::ms(300)
    }

    fn default_election_timeout() -> SpanRange {
        SpanRange { min: Span::ms(150), max: Span::ms(300) }
    }

    fn default_heartbeat() -> Span {
        Span::ms(50)
    }

    fn settings_of_raft(&self) -> RaftSettings {
        RaftSettings {
            election_timeout: self.election_timeout,
            heartbeat: self.heartbeat,
            check_quorum: self.check_quorum,
            snapshot: self.snapshot.map(WholeSnapshotSettings::of_raft),
            ..RaftSettings::of(self.nodes)
        }
    }
}

impl KindRules for LeaseSettings {
    fn kind(&self) -> Kind {
        Kind::Lease(Config {
            ttl: (self.ttl.as_ns() / 1_000_000_000) as i64,
            checkpoints: self.checkpoint_every.map_or(Checkpoints::Never, Checkpoints::OfAll),
            patience: self.timeout,
            raft: self.settings_of_raft().config(Rules::SOUND),
        })
    }

    fn raft(&self) -> Option<RaftSettings> {
        Some(self.settings_of_raft())
    }

    fn servers(&self) -> u16 {
        self.nodes
    }

    fn has_tokens(&self) -> bool {
        true
    }

    fn lifetime(&self) -> Option<Span> {
        Some(self.ttl)
    }

    fn prolongs(&self) -> bool {
        true
    }

    fn pace(&self) -> Span {
        self.election_timeout.min
    }

    fn patience(&self) -> Span {
        self.timeout
    }

    fn complaints(&self, scenario: &Scenario<BuiltIn>) -> Vec<Complaint> {
        let mut complaints = ensemble::complaints(&self.settings_of_raft(), scenario);
        complaints.extend(time_to_live(self.ttl, scenario));
        if self.ttl < Span::secs(2) || !self.ttl.as_ns().is_multiple_of(1_000_000_000) {
            let message = format!("etcd grants leases of whole seconds, and of 2 s at least, not of {}", self.ttl);
            complaints.push(Complaint::at("system.kind.ttl", message, "write for example \"2s\""));
        }
        complaints
    }

    fn simpler(&self) -> Vec<KindSettings> {
        let fewer = [1, 3].into_iter().filter(|nodes| *nodes < self.nodes);
        let fewer = fewer.map(|nodes| LeaseSettings { nodes, ..self.clone() });
        fewer.chain([LeaseSettings { snapshot: None, ..self.clone() }]).map(KindSettings::Lease).collect()
    }
}
