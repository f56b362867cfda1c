//! Everything one run needs, fully spelled out: plain data that is replayed, shrunk and stored.

use super::disk::crash::Survival;
use super::distribution::Distribution;
use super::fault::PlannedFault;
use super::text::Rate;
use crate::kernel::chance::Ratio;
use crate::kernel::time::{Span, Time};
use serde::{Deserialize, Serialize, Serializer};

/// The meaning of a seed. A change that gives an old plan a new run bumps it.
pub const ENGINE: u32 = 1;

/// The version of the text form of scenarios and plans.
pub const FORMAT: u32 = 1;

/// One run, before it is played. `C` is the configuration of the system.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan<C> {
    /// The version of the text form, [`FORMAT`].
    pub squall: u32,
    /// The meaning of the seed, [`ENGINE`].
    pub engine: u32,
    /// The scenario this was drawn from, `raft/leader-partition`.
    pub scenario: String,
    /// The seed of all dice.
    pub seed: u64,
    /// What runs.
    pub system: C,
    /// Planted defects, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exhibits: Vec<String>,
    /// Every link.
    pub network: Network,
    /// Every disk.
    pub disk: Disk,
    /// The clocks of the members, in order; a node without one has a perfect clock.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<Clock>,
    /// By how much a node believes its wall clock to be wrong at most. Default: not at all.
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    pub clock_uncertainty: Span,
    /// What the clients do.
    pub workload: Workload,
    /// What goes wrong, in order of `at`.
    pub faults: Vec<PlannedFault>,
    /// What must come to be after the workload has ended; without it the run just ends there.
    pub settle: Option<Settle>,
    /// When a run is given up.
    pub limits: Limits,
}

impl<C> Plan<C> {
    /// A plan in which nothing goes wrong, of this length, with the defaults for all the rest.
    pub fn new(system: C, seed: u64, until: Span) -> Plan<C> {
        Plan {
            squall: FORMAT,
            engine: ENGINE,
            scenario: "unnamed".to_owned(),
            seed,
            system,
            exhibits: Vec::new(),
            network: Network::default(),
            disk: Disk::default(),
            clocks: Vec::new(),
            clock_uncertainty: Span::ZERO,
            workload: Workload::until(until),
            faults: Vec::new(),
            settle: None,
            limits: Limits::default(),
        }
    }

    /// The same plan for another configuration of the system.
    pub fn with_system<D>(self, system: D) -> Plan<D> {
        let Plan {
            squall,
            engine,
            scenario,
            seed,
            exhibits,
            network,
            disk,
            clocks,
            clock_uncertainty,
            workload,
            faults,
            settle,
            limits,
            ..
        } = self;
        Plan {
            squall,
            engine,
            scenario,
            seed,
            system,
            exhibits,
            network,
            disk,
            clocks,
            clock_uncertainty,
            workload,
            faults,
            settle,
            limits,
        }
    }

    /// When the workload ends and, if the plan settles, all faults are healed.
    pub fn calm_from(&self) -> Time {
        Time::ZERO + self.workload.until
    }
}

/// How links treat messages. Every directed link has its own dice.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// The time a message takes; messages overtake each other. Default: `Uniform(1ms, 10ms)`.
    #[serde(default = "Network::default_latency")]
    pub latency: Distribution,
    /// How often a message between members is lost. Default: never.
    #[serde(default = "never", skip_serializing_if = "Ratio::is_zero")]
    pub loss: Ratio,
    /// How often a message between members arrives twice. Default: never.
    #[serde(default = "never", skip_serializing_if = "Ratio::is_zero")]
    pub duplicate: Ratio,
    /// Links that are not like the others. Of several that speak of one link the last holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkRule>,
}

/// What holds on some directed links: a slow region, a flaky cable.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkRule {
    /// Who sends, by name.
    pub from: Vec<String>,
    /// Who should get it, by name. A node has no link to itself.
    pub to: Vec<String>,
    /// The same holds for the links back.
    #[serde(default, skip_serializing_if = "is_false")]
    pub both_ways: bool,
    /// The time a message takes. Default: as on the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Distribution>,
    /// How often a message is lost. Default: as on the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Ratio>,
    /// How often a message arrives twice. Default: as on the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<Ratio>,
}

fn is_false(what: &bool) -> bool {
    !what
}

impl Network {
    fn default_latency() -> Distribution {
        Distribution::Uniform { min: Span::ms(1), max: Span::ms(10) }
    }
}

impl Default for Network {
    fn default() -> Network {
        Network { latency: Network::default_latency(), loss: Ratio::ZERO, duplicate: Ratio::ZERO, links: Vec::new() }
    }
}

fn never() -> Ratio {
    Ratio::ZERO
}

/// How disks treat records.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// The time from asking for a sync to being durable. Default: `Uniform(100us, 2ms)`.
    #[serde(default = "Disk::default_sync")]
    pub sync: Distribution,
    /// What a crash leaves of the records that are not synced. Default: `Prefix`.
    #[serde(default, skip_serializing_if = "is_prefix")]
    pub unsynced: Survival,
    /// How often a crash leaves the last of those half written. Default: never.
    #[serde(default = "never", skip_serializing_if = "Ratio::is_zero")]
    pub torn: Ratio,
    /// No fault takes durable records of more members than can be missing while a majority remains, so
    /// that a loss is the protocol's. Default: false.
    #[serde(default, skip_serializing_if = "is_false")]
    pub recoverable: bool,
}

fn is_prefix(survival: &Survival) -> bool {
    *survival == Survival::Prefix
}

impl Disk {
    fn default_sync() -> Distribution {
        Distribution::Uniform { min: Span::us(100), max: Span::ms(2) }
    }
}

impl Default for Disk {
    fn default() -> Disk {
        Disk { sync: Disk::default_sync(), unsynced: Survival::Prefix, torn: Ratio::ZERO, recoverable: false }
    }
}

/// How one node's clock differs from true time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// The wall clock is ahead by so many nanoseconds, behind if negative.
    #[serde(default)]
    pub offset_ns: i64,
    /// Both clocks run fast by so many millionths, slow if negative. Above -1,000,000.
    #[serde(default)]
    pub drift_ppm: i32,
}

/// What the clients do until the workload ends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// How many clients. Each has one operation under way at a time. Default: 3.
    #[serde(default = "Workload::default_clients")]
    pub clients: u16,
    /// How often each client begins an operation, on average; at once after the last one, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// When clients stop beginning operations and faults stop beginning.
    pub until: Span,
    /// How many keys they work on, at least 1. Default: 5.
    #[serde(default = "Workload::default_keys")]
    pub keys: u32,
    /// How many of the operations are reads. Default: half.
    #[serde(default = "Workload::default_reads")]
    pub reads: Ratio,
    /// How long a client tries before it gives an operation up as unknown. Default: 5 s.
    #[serde(default = "Workload::default_patience")]
    pub patience: Span,
    /// What the clients do, spelled out: these operations and no others, in order of `at`. Default: they draw
    /// their operations, by `rate`, `keys` and `reads`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<Vec<PlannedOperation>>,
}

/// One operation of one client.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedOperation {
    /// When it begins, or when the client's operation before it has ended.
    pub at: Time,
    /// The client, `c1` or another.
    pub client: String,
    /// What it does.
    pub invoke: Operation,
}

/// What a client has learnt of the operation that it began last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Completion {
    /// A read: the value, 0 if there is none. An addition: the sum.
    Value(u64),
    /// It took effect.
    Done,
    /// A compare-and-swap: whether the value was as expected.
    Swapped(bool),
    /// It has not happened, and never will.
    Failed,
    /// Nobody knows: it takes effect at any time, or never.
    Unknown,
}

/// An operation on a register.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Operation {
    /// Tells the value.
    Read {
        /// Which register.
        key: u32,
    },
    /// Sets the value.
    Write {
        /// Which register.
        key: u32,
        /// To what.
        value: u64,
    },
    /// Sets the value if it is as expected.
    Cas {
        /// Which register.
        key: u32,
        /// The value that is expected.
        from: u64,
        /// The value after that.
        to: u64,
    },
    /// Adds to the value.
    Add {
        /// Which register.
        key: u32,
        /// How much.
        delta: u64,
    },
}

impl Operation {
    /// The register that it is about.
    pub const fn key(&self) -> u32 {
        match self {
            Operation::Read { key }
            | Operation::Write { key, .. }
            | Operation::Cas { key, .. }
            | Operation::Add { key, .. } => *key,
        }
    }
}

impl Workload {
    fn default_clients() -> u16 {
        3
    }

    fn default_keys() -> u32 {
        5
    }

    pub(crate) fn default_reads() -> Ratio {
        Ratio::new(1, 2).expect("a half")
    }

    fn default_patience() -> Span {
        Span::secs(5)
    }

    /// The defaults, until then.
    pub fn until(until: Span) -> Workload {
        Workload {
            clients: Workload::default_clients(),
            rate: None,
            until,
            keys: Workload::default_keys(),
            reads: Workload::default_reads(),
            patience: Workload::default_patience(),
            operations: None,
        }
    }
}

/// After the workload: progress is required.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settle {
    /// Which faults end. Default: true, all of them.
    #[serde(default)]
    pub heal: Heal,
    /// How long it may take.
    pub within: Span,
}

/// Which faults end when a run settles. None begins any more.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum Heal {
    /// Written `true`. Partitions heal, the dead restart, sleepers wake, loss and duplication stop.
    #[default]
    #[serde(rename = "true")]
    Everything,
    /// Written `false`. All stays as it is, and progress is required all the same, unless it is impossible.
    #[serde(rename = "false")]
    Nothing,
    /// Written `Core(["n1", "n2", "n3"])`. Of these nodes and of the links between them all is healed, the rest
    /// stays as it is; and they must make progress.
    Core(Vec<String>),
}

/// `true` and `false` without quotes, in JSON too.
impl Serialize for Heal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Heal::Everything => serializer.serialize_bool(true),
            Heal::Nothing => serializer.serialize_bool(false),
            Heal::Core(names) => serializer.serialize_newtype_variant("Heal", 2, "Core", names),
        }
    }
}

/// When a run is given up as inconclusive.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// After so many steps. Default: 100 million.
    #[serde(default = "Limits::default_steps")]
    pub steps: u64,
    /// After so much virtual time. Default: 10 hours.
    #[serde(default = "Limits::default_virtual_time")]
    pub virtual_time: Span,
}

impl Limits {
    fn default_steps() -> u64 {
        100_000_000
    }

    fn default_virtual_time() -> Span {
        Span::secs(36_000)
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { steps: Limits::default_steps(), virtual_time: Limits::default_virtual_time() }
    }
}
