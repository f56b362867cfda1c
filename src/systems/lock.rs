//! Locks as a scenario names them: their settings, what cannot be, and the plan that their nodes are told.

pub mod database;
mod ensemble;
pub mod lease;
pub mod redis;
pub mod redis_failover;
pub mod redlock;
pub mod sorted_set;
pub mod zookeeper;

use super::raft::RaftSettings;
use super::{BuiltIn, PANIC, names_of, united};
use crate::environment::plan::{Plan, Workload};
use crate::environment::text::SpanRange;
use crate::kernel::chance::Ratio;
use crate::kernel::time::{Span, Time};
use crate::protocols::exhibit::plant;
use crate::protocols::lock::claim::Mode;
use crate::protocols::lock::config::{ClientConfig, Config, Fencing, Planned};
use crate::protocols::lock::exhibits::EXHIBITS;
use crate::protocols::lock::kind::Kind;
use crate::protocols::lock::rules::Rules;
use crate::protocols::lock::{node, oracle, spec};
use crate::protocols::raft;
use crate::scenario::diagnostic::Complaint;
use crate::scenario::model::Scenario;
use crate::scenario::roster::Vocabulary;
use database::DatabaseSettings;
use lease::LeaseSettings;
use redis::RedisSettings;
use redis_failover::RedisFailoverSettings;
use redlock::RedlockSettings;
use serde::{Deserialize, Serialize};
use sorted_set::SortedSetSettings;
use std::sync::Arc;
use zookeeper::ZooKeeperSettings;

/// What a scenario says of a lock service and those who use it.
///
/// How many clients there are, how often they begin, how long they try, and how many of their claims are shared where a
/// kind can do that, stands in the workload: `clients`, `rate`, `patience`, `reads`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockSettings {
    /// Which service.
    pub kind: KindSettings,
    /// Whether the resource that the locks guard looks at tokens. Default: no.
    #[serde(default, skip_serializing_if = "is_unchecked")]
    pub fencing: FencingSetting,
    /// How many locks there are, from 1. Default: 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub locks: u32,
    /// How many of them a section takes at most, one after the other. Default: 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub together: u32,
    /// Whether it takes them in the order of their numbers, so that no two wait for each other. Default: yes.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub ordered: bool,
    /// How long a section holds its locks. Default: 20 ms to 100 ms.
    #[serde(default = "LockSettings::default_hold", skip_serializing_if = "LockSettings::is_default_hold")]
    pub hold: SpanRange,
    /// How often it writes under each lock, from 1. Default: twice.
    #[serde(default = "LockSettings::default_accesses", skip_serializing_if = "LockSettings::is_default_accesses")]
    pub accesses: u32,
    /// How long it takes to prepare a write, after the last look at the clock. Default: up to 2 ms.
    #[serde(default = "LockSettings::default_work", skip_serializing_if = "LockSettings::is_default_work")]
    pub work: SpanRange,
    /// Whether clients look at their clocks before they write, and stop when their lock must have expired. Default: yes.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub checks: bool,
    /// How often a client takes a lock once more that it holds. Default: never.
    #[serde(default = "never", skip_serializing_if = "Ratio::is_zero")]
    pub reentrance: Ratio,
    /// How often a client goes on with sharing what it held alone, where a kind can do that. Default: never.
    #[serde(default = "never", skip_serializing_if = "Ratio::is_zero")]
    pub downgrade: Ratio,
}

/// Whether the resource looks at tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum FencingSetting {
    /// It takes whatever it is told.
    #[default]
    Unchecked,
    /// It refuses a token that is lower than one it has seen.
    Checked,
}

/// Which service.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum KindSettings {
    /// One server of Redis.
    Redis(RedisSettings),
    /// A primary of Redis, and replicas of which one takes its place.
    RedisFailover(RedisFailoverSettings),
    /// Several servers of Redis that know nothing of each other.
    Redlock(RedlockSettings),
    /// One server of Redis, and a sorted set for each lock.
    SortedSet(SortedSetSettings),
    /// Servers of etcd, and leases.
    Lease(LeaseSettings),
    /// Servers of ZooKeeper.
    ZooKeeper(ZooKeeperSettings),
    /// One server of PostgreSQL.
    Database(DatabaseSettings),
}

fn one() -> u32 {
    1
}

fn is_one(count: &u32) -> bool {
    *count == 1
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

fn is_unchecked(fencing: &FencingSetting) -> bool {
    *fencing == FencingSetting::Unchecked
}

/// What the settings of a kind know.
pub(super) trait KindRules {
    /// What nodes are told.
    fn kind(&self) -> Kind;

    /// What it says of Raft, if servers replicate by that. Default: nothing.
    fn raft(&self) -> Option<RaftSettings> {
        None
    }

    /// How many servers there are.
    fn servers(&self) -> u16;

    /// Whether grants come with tokens.
    fn has_tokens(&self) -> bool;

    /// Whether a lock can be shared.
    fn can_share(&self) -> bool {
        false
    }

    /// How long a lock is kept for somebody who is silent; `None` for ever.
    fn lifetime(&self) -> Option<Span>;

    /// Whether holders prolong their locks as long as they need them.
    fn prolongs(&self) -> bool;

    /// In what time links and disks must usually answer.
    fn pace(&self) -> Span;

    /// How long a client waits for an answer.
    fn patience(&self) -> Span;

    /// What can never work.
    fn complaints(&self, scenario: &Scenario<BuiltIn>) -> Vec<Complaint>;

    /// The same kind made simpler in one respect; what is as it was is left out by who asks.
    fn simpler(&self) -> Vec<KindSettings>;
}

impl KindSettings {
    fn rules(&self) -> &dyn KindRules {
        match self {
            KindSettings::Redis(settings) => settings,
            KindSettings::RedisFailover(settings) => settings,
            KindSettings::Redlock(settings) => settings,
            KindSettings::SortedSet(settings) => settings,
            KindSettings::Lease(settings) => settings,
            KindSettings::ZooKeeper(settings) => settings,
            KindSettings::Database(settings) => settings,
        }
    }
}

impl LockSettings {
    fn default_hold() -> SpanRange {
        SpanRange { min: Span::ms(20), max: Span::ms(100) }
    }

    fn is_default_hold(hold: &SpanRange) -> bool {
        *hold == LockSettings::default_hold()
    }

    fn default_accesses() -> u32 {
        2
    }

    fn is_default_accesses(count: &u32) -> bool {
        *count == LockSettings::default_accesses()
    }

    fn default_work() -> SpanRange {
        SpanRange { min: Span::ZERO, max: Span::ms(2) }
    }

    fn is_default_work(work: &SpanRange) -> bool {
        *work == LockSettings::default_work()
    }

    /// The defaults of everything, for this kind.
    pub fn of(kind: KindSettings) -> LockSettings {
        LockSettings {
            kind,
            fencing: FencingSetting::Unchecked,
            locks: 1,
            together: 1,
            ordered: true,
            hold: LockSettings::default_hold(),
            accesses: LockSettings::default_accesses(),
            work: LockSettings::default_work(),
            checks: true,
            reentrance: Ratio::ZERO,
            downgrade: Ratio::ZERO,
        }
    }

    /// The nodes that faults can hit: servers, clients, and what the locks guard.
    pub(super) fn members(&self, workload: &Workload) -> Vec<String> {
        let servers = (1..=self.kind.rules().servers()).map(|place| format!("n{place}"));
        let clients = (1..=workload.clients).map(|place| format!("c{place}"));
        servers.chain(clients).chain(["r1".to_owned()]).collect()
    }

    pub(super) fn servers(&self) -> usize {
        usize::from(self.kind.rules().servers())
    }

    pub(super) fn pace(&self) -> Span {
        self.kind.rules().pace()
    }

    /// Of servers that replicate by Raft, Raft's too.
    pub(super) fn vocabulary(&self) -> Vocabulary {
        let kind = self.kind.rules().kind();
        let mut vocabulary = Vocabulary {
            invariants: names_of(&oracle::INVARIANTS).chain(names_of(&[PANIC])).collect(),
            goals: oracle::GOALS.to_vec(),
            roles: vec!["primary", "lock-holder"],
            facts: node::FACTS.to_vec(),
            messages: united(&kind.messages()),
        };
        if let Some(raft) = self.kind.rules().raft() {
            vocabulary.invariants.extend(names_of(&raft::oracle::INVARIANTS));
            vocabulary.goals.extend(raft.goals());
            vocabulary.roles.push("leader");
        }
        vocabulary
    }

    /// The same made simpler in one respect, the greatest step first.
    pub(super) fn simpler(&self) -> Vec<LockSettings> {
        let kinds = self.kind.rules().simpler();
        let mut simpler: Vec<LockSettings> = kinds
            .into_iter()
            .filter(|kind| *kind != self.kind)
            .map(|kind| LockSettings { kind, ..self.clone() })
            .collect();
        let usual = LockSettings::of(self.kind.clone());
        let mut offer = |settings: LockSettings| {
            if settings != *self {
                simpler.push(settings);
            }
        };
        offer(LockSettings { locks: 1, together: 1, ordered: true, ..self.clone() });
        offer(LockSettings { together: 1, ordered: true, ..self.clone() });
        offer(LockSettings { reentrance: Ratio::ZERO, ..self.clone() });
        offer(LockSettings { downgrade: Ratio::ZERO, ..self.clone() });
        offer(LockSettings { hold: usual.hold, work: usual.work, accesses: usual.accesses, ..self.clone() });
        simpler
    }

    pub(super) fn complaints(&self, scenario: &Scenario<BuiltIn>) -> Vec<Complaint> {
        let rules = self.kind.rules();
        let mut complaints = rules.complaints(scenario);
        if complaints.is_empty() {
            complaints.extend(self.lifetime(scenario));
        }
        let counts =
            [("locks", self.locks, LOCKS_MAX), ("together", self.together, 16), ("accesses", self.accesses, 100)];
        for (field, count, most) in counts {
            if count == 0 || count > most {
                let message = format!("{field} is {count}, and must be from 1 to {most}");
                complaints.push(Complaint::at(&format!("system.{field}"), message, "write for example 1"));
            }
        }
        if self.together > self.locks && self.locks > 0 {
            let message = format!("a section takes {} locks together, but there are {}", self.together, self.locks);
            complaints.push(Complaint::at("system.together", message, "raise system.locks, or take fewer"));
        }
        if self.fencing == FencingSetting::Checked && !rules.has_tokens() {
            complaints.push(Complaint::at(
                "system.fencing",
                "the resource checks tokens, but this service gives none",
                "let the service give tokens (of a Redis: tokens: true), or write Unchecked",
            ));
        }
        if !self.downgrade.is_zero() && !rules.can_share() {
            let message = "locks of this kind cannot be shared, so nobody can go on with sharing one";
            complaints.push(Complaint::at("system.downgrade", message, "remove it, or take a kind with shared locks"));
        }
        if !rules.can_share() && ![Ratio::ZERO, Workload::default_reads()].contains(&scenario.workload.reads) {
            let message = "to read is to share a lock, and locks of this kind cannot be shared: nobody reads";
            complaints.push(Complaint::at("workload.reads", message, "remove it, or take a kind with shared locks"));
        }
        complaints.extend(self.impatience(scenario));
        complaints
    }

    /// Those who wait for longer than a lock lasts, or not as long.
    fn lifetime(&self, scenario: &Scenario<BuiltIn>) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let rules = self.kind.rules();
        let Some(lifetime) = rules.lifetime() else { return complaints };
        if rules.prolongs() && rules.patience() >= lifetime {
            let message = format!(
                "a holder that waits {} for an answer loses its lock before it asks again: that is gone after {lifetime}",
                rules.patience()
            );
            complaints.push(Complaint::at("system.kind.timeout", message, "shorten it to a fraction of that"));
        }
        if scenario.swarm.is_none() && scenario.faults.is_empty() && scenario.phases.is_empty() {
            // Nobody will be gone.
            return complaints;
        }
        // A swarm may kill a holder at the last moment. Else, whoever wrote the faults knows when they strike.
        let earlier = if scenario.swarm.is_some() { Span::ZERO } else { scenario.workload.until };
        if let Some(settle) = scenario.settle.as_ref().filter(|settle| earlier + settle.within <= lifetime) {
            let message = format!(
                "all must be had within {}, but the lock of somebody who is gone is kept for {lifetime}",
                settle.within
            );
            complaints.push(Complaint::at("settle.within", message, "raise it to several times that"));
        }
        complaints
    }

    /// Those who wait for less than anything takes.
    fn impatience(&self, scenario: &Scenario<BuiltIn>) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let (workload, answer) = (&scenario.workload, self.kind.rules().patience());
        let round_trip = scenario.network.latency.least().times(2);
        if round_trip >= answer {
            complaints.push(Complaint::at(
                "network.latency",
                format!("no answer can come in time: a round trip takes at least {round_trip}, and clients wait {answer} for it"),
                "raise the timeout of system.kind, or shorten the latency",
            ));
        }
        if workload.patience <= round_trip && workload.patience > Span::ZERO {
            complaints.push(Complaint::at(
                "workload.patience",
                format!("clients give up after {}, but a round trip takes at least {round_trip}", workload.patience),
                "raise it to many round trips",
            ));
        }
        if let Some(think) = workload.rate.map(|rate| rate.interval()).filter(|think| *think > workload.patience) {
            complaints.push(Complaint::at(
                "workload.patience",
                format!(
                    "clients think {think} between two sections on average, and give up a lock after only {}",
                    workload.patience
                ),
                "raise it to more than a client thinks, or raise workload.rate",
            ));
        }
        if let Some(operations) = workload.operations.as_deref().filter(|_| !self.kind.rules().can_share()) {
            let shares = |(_, mode)| mode == Mode::Shared;
            if let Some(place) = operations.iter().position(|planned| shares(spec::planned(planned.invoke))) {
                complaints.push(Complaint::at(
                    &format!("workload.operations[{place}].invoke"),
                    "to read is to share a lock, and locks of this kind cannot be shared",
                    "write Write(key: 0, value: 0)",
                ));
            }
        }
        complaints
    }
}

/// The most servers of a kind that has them without Raft.
const SERVERS_MAX: u16 = 64;

/// The most locks of one service.
const LOCKS_MAX: u32 = 100_000;

/// The plan that a lock service is played with.
///
/// # Panics
/// If the plan is of another system, or names an exhibit that does not exist: the loader checks that.
pub fn lock_plan(plan: &Plan<BuiltIn>) -> Arc<Plan<Arc<Config>>> {
    let BuiltIn::Lock(settings) = &plan.system else { panic!("a plan of another system") };
    let mut rules = Rules::SOUND;
    plant(&EXHIBITS, &plan.exhibits, &mut rules);
    let (workload, kind) = (&plan.workload, settings.kind.rules());
    let client = ClientConfig {
        think: workload.rate.map_or(Span::ZERO, |rate| rate.interval()),
        hold: (settings.hold.min, settings.hold.max),
        patience: workload.patience,
        locks: settings.locks,
        together: settings.together,
        ordered: settings.ordered,
        shared: if kind.can_share() { workload.reads } else { Ratio::ZERO },
        downgrade: settings.downgrade,
        reentrance: settings.reentrance,
        accesses: settings.accesses,
        checks: settings.checks,
        work: (settings.work.min, settings.work.max),
        retry: kind.patience(),
        until: Time::ZERO + workload.until,
        probe_at: plan.settle.is_some().then(|| plan.calm_from() + Span::ms(1)),
    };
    let scripts = workload.operations.as_ref().map(|operations| {
        let mut scripts = vec![Vec::new(); workload.clients as usize];
        let clients = (1..=workload.clients).map(|place| format!("c{place}"));
        for (client, script) in clients.zip(&mut scripts) {
            let own = operations.iter().filter(|planned| planned.client == client);
            script.extend(own.map(|planned| {
                let (lock, mode) = spec::planned(planned.invoke);
                Planned { at: planned.at, lock, mode }
            }));
        }
        scripts
    });
    let config = Config {
        kind: kind.kind(),
        servers: kind.servers(),
        clients: workload.clients,
        client,
        scripts,
        fencing: match settings.fencing {
            FencingSetting::Unchecked => Fencing::Unchecked,
            FencingSetting::Checked => Fencing::Checked,
        },
        rules,
    };
    Arc::new(plan.clone().with_system(Arc::new(config)))
}
