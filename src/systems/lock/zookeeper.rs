//! Locks on ZooKeeper as a scenario names them.

use super::ensemble::WholeSnapshotSettings;
use super::{KindRules, KindSettings, ensemble};
use crate::environment::text::SpanRange;
use crate::kernel::time::Span;
use crate::protocols::lock::kind::Kind;
use crate::protocols::lock::zookeeper::Config;
use crate::protocols::raft::rules::Rules;
use crate::scenario::diagnostic::Complaint;
use crate::scenario::model::Scenario;
use crate::systems::BuiltIn;
use crate::systems::raft::RaftSettings;
use serde::{Deserialize, Serialize};

/// What a scenario says of servers of ZooKeeper.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZooKeeperSettings {
    /// How many servers, from 1 to 64. Default: 3.
    #[serde(default = "ZooKeeperSettings::default_nodes")]
    pub nodes: u16,
    /// How long a session lives of which nothing is heard, from 2 to 20 ticks. A client gives up a quarter of it sooner, which must be longer
    /// than a leader that is cut off can lead on beside the next one: twice the longest election timeout less the shortest. Default: 2 s.
    #[serde(default = "ZooKeeperSettings::default_session_timeout")]
    pub session_timeout: Span,
    /// How often the leader looks for sessions that have expired. Default: 200 ms.
    #[serde(default = "ZooKeeperSettings::default_tick")]
    pub tick: Span,
    /// How long a client waits for an answer before it takes its connection for broken. Default: 300 ms.
    #[serde(default = "ZooKeeperSettings::default_timeout")]
    pub timeout: Span,
    /// Whether locks can be shared: as many of the claims are as the workload reads. Default: no.
    #[serde(default, skip_serializing_if = "is_no")]
    pub shared: bool,
    /// How long a follower waits for a leader. Default: 150 ms to 300 ms.
    #[serde(default = "ZooKeeperSettings::default_election_timeout")]
    pub election_timeout: SpanRange,
    /// How often a leader speaks when there is nothing new. Default: 50 ms.
    #[serde(default = "ZooKeeperSettings::default_heartbeat")]
    pub heartbeat: Span,
    /// When the log is compacted into a snapshot. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<WholeSnapshotSettings>,
}

fn is_no(what: &bool) -> bool {
    !*what
}

impl ZooKeeperSettings {
    fn default_nodes() -> u16 {
        3
    }

    fn default_session_timeout() -> Span {
        Span::secs(2)
    }

    fn default_tick() -> Span {
        Span::ms(200)
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
            snapshot: self.snapshot.map(WholeSnapshotSettings::of_raft),
            ..RaftSettings::of(self.nodes)
        }
    }
}

impl KindRules for ZooKeeperSettings {
    fn kind(&self) -> Kind {
        Kind::ZooKeeper(Config {
            session_timeout: self.session_timeout,
            tick: self.tick,
            patience: self.timeout,
            shared: self.shared,
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

    fn can_share(&self) -> bool {
        self.shared
    }

    fn lifetime(&self) -> Option<Span> {
        Some(self.session_timeout)
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
        let is_whole = |span: Span| span.as_ns().is_multiple_of(1_000_000);
        if self.tick.is_zero() || !is_whole(self.tick) {
            let message = format!("a tick of {} is not a whole number of milliseconds", self.tick);
            complaints.push(Complaint::at("system.kind.tick", message, "write for example \"200ms\""));
        }
        let (least, most) = (self.tick.times(2), self.tick.times(20));
        if self.tick.is_zero() {
            return complaints;
        }
        if self.session_timeout < least || self.session_timeout > most || !is_whole(self.session_timeout) {
            let message = format!(
                "sessions of {} cannot be had: the servers grant whole milliseconds from 2 to 20 ticks, {least} to {most}",
                self.session_timeout
            );
            complaints.push(Complaint::at("system.kind.session_timeout", message, "change it, or system.kind.tick"));
        }
        if self.timeout.times(2) > self.session_timeout {
            let message = format!(
                "a client that waits {} for an answer cannot find another server before its session of {} expires",
                self.timeout, self.session_timeout
            );
            complaints.push(Complaint::at(
                "system.kind.timeout",
                message,
                "shorten it to less than half of session_timeout",
            ));
        }
        complaints
    }

    fn simpler(&self) -> Vec<KindSettings> {
        let fewer = [1, 3].into_iter().filter(|nodes| *nodes < self.nodes);
        let fewer = fewer.map(|nodes| ZooKeeperSettings { nodes, ..self.clone() });
        let plainer =
            [ZooKeeperSettings { shared: false, ..self.clone() }, ZooKeeperSettings { snapshot: None, ..self.clone() }];
        fewer.chain(plainer).map(KindSettings::ZooKeeper).collect()
    }
}
