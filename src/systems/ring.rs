//! The ring as a scenario names it: its settings, and the plan that its nodes are told.

mod complaints;
pub(super) mod succession;

use super::raft::RaftSettings;
use super::{BuiltIn, PANIC, Vocabulary, names_of};
use crate::environment::fault::Kind;
use crate::environment::plan::Plan;
use crate::environment::text::SpanRange;
use crate::kernel::chance::Ratio;
use crate::kernel::time::{Span, Time};
use crate::protocol::NodeId;
use crate::protocols::exhibit::plant;
use crate::protocols::raft;
use crate::protocols::raft::rules::Rules as RaftRules;
use crate::protocols::ring::client::{self, Planned};
use crate::protocols::ring::config::{Config, Keyspace, Limits, Pace, Reads};
use crate::protocols::ring::epoch::{Epoch, FOUNDER, Member};
use crate::protocols::ring::exhibits::EXHIBITS;
use crate::protocols::ring::rules::Rules;
use crate::protocols::ring::{message, node, oracle, spec};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a scenario says of a ring. Where Dynamo's paper has a name for something, it is given.
///
/// How many keys there are, how many clients, and what they do, stands in the workload. To write 0 is to delete.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RingSettings {
    /// How many servers, members and not, from 1 to 256.
    pub nodes: u16,
    /// How many of them are members from the beginning: the first. The others wait to be told to join. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub founders: Option<u16>,
    /// How many of the founders decide, by Raft, who is a member: the first. Default: 3, or all if there are fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordinators: Option<u16>,
    /// Dynamo: N. How many copies a key has, from 1 to 8. Default: 3.
    #[serde(default = "three", skip_serializing_if = "is_three")]
    pub copies: u16,
    /// Dynamo: R. How many owners must answer to a read. Default: 2.
    #[serde(default = "two", skip_serializing_if = "is_two")]
    pub read_quorum: u16,
    /// Dynamo: W. How many owners must have stored a write. Default: 2.
    #[serde(default = "two", skip_serializing_if = "is_two")]
    pub write_quorum: u16,
    /// What reads promise. Default: `Atomic`.
    #[serde(default, skip_serializing_if = "is_atomic")]
    pub reads: ReadsSetting,
    /// How many points a server has on the ring, from 1 to 10,000. Default: 16.
    #[serde(default = "RingSettings::default_points")]
    pub points: u32,
    /// In how many zones the servers stand, in turn, from 1. Default: 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub zones: u16,
    /// Of how many bits a position on the ring is, from 4 to 128: in a small space points and keys coincide. Default: 128.
    #[serde(default = "RingSettings::default_bits", skip_serializing_if = "RingSettings::is_default_bits")]
    pub bits: u8,
    /// How many of the writes delete. Default: one in ten.
    #[serde(default = "RingSettings::default_deletes")]
    pub deletes: Ratio,
    /// How many of the operations are on one and the same key. Default: none, beyond its share.
    #[serde(default = "never", skip_serializing_if = "Ratio::is_zero")]
    pub hot: Ratio,
    /// Whether a read mends what it finds out of date. Default: yes.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub read_repair: bool,
    /// How often a server compares what it has with another owner; `None`: never. Default: 2 s.
    #[serde(default = "RingSettings::default_anti_entropy")]
    pub anti_entropy: Option<Span>,
    /// How many hints a server keeps for others. Default: 1,000.
    #[serde(default = "RingSettings::default_hints")]
    pub hints: u32,
    /// How often deletions are forgotten that all owners know of; `None`: never. Default: 5 s.
    #[serde(default = "RingSettings::default_collect")]
    pub collect: Option<Span>,
    /// How long a server is silent before its keys are given to others. Default: 5 s.
    #[serde(default = "RingSettings::default_dead_after")]
    pub dead_after: Span,
    /// How many others must have called a server in vain for half of that, before it is taken for dead. Default: 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub witnesses: u16,
    /// How often a server says that it is alive. Default: 200 ms.
    #[serde(default = "RingSettings::default_beat")]
    pub beat: Span,
    /// How often a server tells its epoch to another. Default: 500 ms.
    #[serde(default = "RingSettings::default_gossip")]
    pub gossip: Span,
    /// How long a server tries to do what a client wants. Default: 1 s.
    #[serde(default = "RingSettings::default_timeout")]
    pub timeout: Span,
    /// How many keys are fetched in one batch, from 1. Default: 64.
    #[serde(default = "RingSettings::default_batch")]
    pub batch: u32,
    /// From how many sources a server fetches at a time, from 1. Default: 4.
    #[serde(default = "RingSettings::default_transfers")]
    pub transfers: u32,
    /// How long it waits between two batches. Default: 20 ms.
    #[serde(default = "RingSettings::default_throttle")]
    pub throttle: Span,
    /// After how many records, from 1, a server begins its journal anew with all that it holds; `None`: never. Default: 10,000.
    #[serde(default = "RingSettings::default_checkpoint", skip_serializing_if = "RingSettings::is_default_checkpoint")]
    pub checkpoint: Option<u32>,
    /// How long one who decides waits for a leader. Default: 150 ms to 300 ms.
    #[serde(default = "RingSettings::default_election_timeout")]
    pub election_timeout: SpanRange,
    /// How often a leader speaks when there is nothing new. Default: 50 ms.
    #[serde(default = "RingSettings::default_heartbeat")]
    pub heartbeat: Span,
}

/// What reads promise.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum ReadsSetting {
    /// Each key is an atomic register.
    #[default]
    Atomic,
    /// A read sees every write that was acknowledged before it, and no later one misses what it has seen.
    Monotonic,
    /// A read sees every write that was acknowledged before it.
    Quorum,
    /// Replicas become equal in the end.
    Eventual,
}

fn is_atomic(reads: &ReadsSetting) -> bool {
    *reads == ReadsSetting::Atomic
}

fn one() -> u16 {
    1
}

fn is_one(count: &u16) -> bool {
    *count == 1
}

fn two() -> u16 {
    2
}

fn is_two(count: &u16) -> bool {
    *count == 2
}

fn three() -> u16 {
    3
}

fn is_three(count: &u16) -> bool {
    *count == 3
}

fn yes() -> bool {
    true
}

fn is_yes(what: &bool) -> bool {
    *what
}

fn never() -> Ratio {
    Ratio::ZERO
}

impl RingSettings {
    fn default_points() -> u32 {
        16
    }

    fn default_bits() -> u8 {
        128
    }

    fn is_default_bits(bits: &u8) -> bool {
        *bits == RingSettings::default_bits()
    }

    fn default_deletes() -> Ratio {
        Ratio::new(1, 10).expect("a tenth")
    }

    fn default_anti_entropy() -> Option<Span> {
        Some(Span::secs(2))
    }

    fn default_hints() -> u32 {
        1_000
    }

    fn default_collect() -> Option<Span> {
        Some(Span::secs(5))
    }

    fn default_dead_after() -> Span {
        Span::secs(5)
    }

    fn default_beat() -> Span {
        Span::ms(200)
    }

    fn default_gossip() -> Span {
        Span::ms(500)
    }

    fn default_timeout() -> Span {
        Span::secs(1)
    }

    fn default_batch() -> u32 {
        64
    }

    fn default_transfers() -> u32 {
        4
    }

    fn default_checkpoint() -> Option<u32> {
        Some(10_000)
    }

    fn is_default_checkpoint(checkpoint: &Option<u32>) -> bool {
        *checkpoint == RingSettings::default_checkpoint()
    }

    fn default_throttle() -> Span {
        Span::ms(20)
    }

    fn default_election_timeout() -> SpanRange {
        SpanRange { min: Span::ms(150), max: Span::ms(300) }
    }

    fn default_heartbeat() -> Span {
        Span::ms(50)
    }

    /// The defaults of everything, with so many servers.
    pub fn of(nodes: u16) -> RingSettings {
        RingSettings {
            nodes,
            founders: None,
            coordinators: None,
            copies: 3,
            read_quorum: 2,
            write_quorum: 2,
            reads: ReadsSetting::Atomic,
            points: RingSettings::default_points(),
            zones: 1,
            bits: RingSettings::default_bits(),
            deletes: RingSettings::default_deletes(),
            hot: Ratio::ZERO,
            read_repair: true,
            anti_entropy: RingSettings::default_anti_entropy(),
            hints: RingSettings::default_hints(),
            collect: RingSettings::default_collect(),
            dead_after: RingSettings::default_dead_after(),
            witnesses: 1,
            beat: RingSettings::default_beat(),
            gossip: RingSettings::default_gossip(),
            timeout: RingSettings::default_timeout(),
            batch: RingSettings::default_batch(),
            transfers: RingSettings::default_transfers(),
            checkpoint: RingSettings::default_checkpoint(),
            throttle: RingSettings::default_throttle(),
            election_timeout: RingSettings::default_election_timeout(),
            heartbeat: RingSettings::default_heartbeat(),
        }
    }

    fn founders(&self) -> u16 {
        self.founders.unwrap_or(self.nodes)
    }

    fn coordinators(&self) -> u16 {
        self.coordinators.unwrap_or(3.min(self.founders()))
    }

    /// The group that decides.
    fn group(&self) -> RaftSettings {
        RaftSettings {
            election_timeout: self.election_timeout,
            heartbeat: self.heartbeat,
            ..RaftSettings::of(self.coordinators())
        }
    }

    fn zone(&self, node: u16) -> u16 {
        node % self.zones.max(1)
    }

    /// The nodes that faults can hit.
    pub(super) fn members(&self) -> Vec<String> {
        (1..=self.nodes).map(|place| format!("n{place}")).collect()
    }

    /// In what time links and disks must usually answer.
    pub(super) fn pace(&self) -> Span {
        self.election_timeout.min
    }

    /// What its scenarios can name.
    pub(super) fn vocabulary(&self) -> Vocabulary {
        let invariants = [oracle::INVARIANTS.as_slice(), &raft::oracle::INVARIANTS, &[PANIC]].concat();
        // Who starts with a checkpoint has no log before it.
        let snapshots: &[&str] =
            if self.checkpoint.is_some() { &["InstallSnapshot", "InstallSnapshotReply"] } else { &[] };
        Vocabulary {
            invariants: names_of(&invariants).collect(),
            goals: [oracle::GOALS.as_slice(), &self.group().goals()].concat(),
            roles: vec!["leader", "primary", "owner"],
            facts: node::FACTS.to_vec(),
            messages: [message::MESSAGES.as_slice(), &self.group().messages(), snapshots].concat(),
        }
    }

    /// The same ring made simpler in one respect, the greatest step first.
    pub(super) fn simpler(&self) -> Vec<RingSettings> {
        let usual = RingSettings::of(self.nodes);
        let mut simpler = Vec::new();
        let mut offer = |settings: RingSettings| {
            if settings != *self {
                simpler.push(settings);
            }
        };
        if let Some(nodes) = self.nodes.checked_sub(1).filter(|nodes| *nodes >= self.copies) {
            offer(RingSettings { nodes, founders: self.founders.map(|count| count.min(nodes)), ..self.clone() });
        }
        offer(RingSettings { coordinators: Some(1), ..self.clone() });
        offer(RingSettings { anti_entropy: None, ..self.clone() });
        offer(RingSettings { collect: None, ..self.clone() });
        offer(RingSettings { read_repair: false, ..self.clone() });
        offer(RingSettings { checkpoint: usual.checkpoint, ..self.clone() });
        offer(RingSettings { zones: 1, ..self.clone() });
        offer(RingSettings { bits: usual.bits, ..self.clone() });
        offer(RingSettings { points: 1, ..self.clone() });
        offer(RingSettings { deletes: Ratio::ZERO, ..self.clone() });
        offer(RingSettings { hot: Ratio::ZERO, ..self.clone() });
        simpler
    }
}

/// The orders that a server of a ring understands.
pub(super) const ORDERS: [Kind; 6] =
    [Kind::Join, Kind::Leave, Kind::ReplaceMember, Kind::Reweigh, Kind::Rezone, Kind::Rebalance];

/// Those of them that change members.
pub(super) const CHURN: [Kind; 5] = [Kind::Join, Kind::Leave, Kind::ReplaceMember, Kind::Reweigh, Kind::Rezone];

/// The plan that a ring is played with.
///
/// # Panics
/// If the plan is of another system, or names an exhibit that does not exist: the loader checks that.
pub fn ring_plan(plan: &Plan<BuiltIn>) -> Arc<Plan<Arc<Config>>> {
    let BuiltIn::Ring(settings) = &plan.system else { panic!("a plan of another system") };
    let mut rules = Rules::SOUND;
    plant(&EXHIBITS, &plan.exhibits, &mut rules);
    let workload = &plan.workload;
    let founder = |node: u16| Member {
        node: NodeId::new(node),
        identity: FOUNDER,
        points: settings.points,
        zone: settings.zone(node),
    };
    let founders: Arc<[Member]> = (0..settings.founders()).map(founder).collect();
    let wait = settings.timeout + settings.timeout;
    let client = client::Config {
        servers: settings.nodes,
        interval: workload.rate.map_or(Span::ZERO, |rate| rate.interval()),
        until: Time::ZERO + workload.until,
        probe_at: plan.settle.is_some().then(|| plan.calm_from() + Span::ms(1)),
        reads: workload.reads,
        deletes: settings.deletes,
        hot: settings.hot,
        wait,
        patience: workload.patience,
    };
    let scripts = workload.operations.as_ref().map(|operations| {
        let mut scripts = vec![Vec::new(); workload.clients as usize];
        let clients = (1..=workload.clients).map(|place| format!("c{place}"));
        for (client, script) in clients.zip(&mut scripts) {
            let own = operations.iter().filter(|planned| planned.client == client);
            script.extend(own.filter_map(|planned| {
                let write = spec::planned(planned.invoke)?;
                Some(Planned { at: planned.at, key: planned.invoke.key(), write })
            }));
        }
        scripts
    });
    let config = Config {
        servers: settings.nodes,
        clients: workload.clients,
        raft: settings.group().config(RaftRules::SOUND),
        first: Arc::new(Epoch::first(founders)),
        founding: None,
        points: settings.points,
        zones: (0..settings.nodes).map(|node| settings.zone(node)).collect(),
        bits: settings.bits,
        keyspace: Arc::new(Keyspace::new(workload.keys, settings.bits, rules.placement.key)),
        copies: settings.copies.into(),
        read_quorum: settings.read_quorum.into(),
        write_quorum: settings.write_quorum.into(),
        reads: match settings.reads {
            ReadsSetting::Atomic => Reads::Atomic,
            ReadsSetting::Monotonic => Reads::Monotonic,
            ReadsSetting::Quorum => Reads::Quorum,
            ReadsSetting::Eventual => Reads::Eventual,
        },
        read_repair: settings.read_repair,
        witnesses: settings.witnesses.into(),
        pace: Pace {
            retry: Span::ns(settings.timeout.as_ns() / 10),
            patience: settings.timeout,
            linger: Span::ns(settings.timeout.as_ns() / 3),
            beat: settings.beat,
            gossip: settings.gossip,
            dead_after: settings.dead_after,
            anti_entropy: settings.anti_entropy,
            hints: Span::ms(300),
            collect: settings.collect,
            throttle: settings.throttle,
        },
        limits: Limits {
            hints: settings.hints as usize,
            batch: settings.batch as usize,
            transfers: settings.transfers as usize,
            journal: settings.checkpoint.map(u64::from),
        },
        client,
        scripts,
        rules,
    };
    Arc::new(plan.clone().with_system(Arc::new(config.founded())))
}
