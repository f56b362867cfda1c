//! A scenario: what runs, in what surroundings, under which faults, and what is expected of it.

use super::fault::FaultSpec;
use super::network::Network;
use super::swarm::Swarm;
use super::target::Who;
use crate::environment::plan::{Disk, Limits, Workload};
use crate::environment::text::Offset;
use crate::kernel::time::Span;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;

/// A scenario, resolved: what its file says, over what the files that it extends say, over the
/// defaults. `S` is the configuration of the system.
///
/// Written as RON it is a scenario file again, one that extends nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Scenario<S> {
    /// The version of the text form, 1.
    pub squall: u32,
    /// One line for a reader. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The seed that `squall run` plays if no other is asked for. Default: 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// What runs.
    pub system: S,
    /// Planted defects, by id. Default: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exhibits: Vec<String>,
    /// Every link. Default: a quiet local network.
    pub network: Network,
    /// Every disk. Default: a quick one.
    pub disk: Disk,
    /// How far clocks may be off. Default: not at all.
    pub clocks: Clocks,
    /// What the clients do, and how long.
    pub workload: Workload,
    /// What goes wrong. Default: nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultSpec>,
    /// Stretches of the workload, one after the other from its beginning, each with faults of its own. Default: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<Phase>,
    /// Each seed draws faults of many kinds and surroundings of its own, besides what is said here. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swarm: Option<Swarm>,
    /// What must come to be after the workload. Default: nothing is asked, the run ends there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settle: Option<Settle>,
    /// Goals that some seed of a sweep must reach, or it has tested nothing. Default: any goal of the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goals: Option<Vec<String>>,
    /// Whether the promises hold. Default: they do.
    pub expect: Expect,
    /// When a run is given up. Default: 100 million steps or 10 hours of virtual time.
    pub limits: Limits,
}

/// A stretch of the workload. The times of its faults are counted from its beginning; no fault begins or lasts
/// beyond its end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// One line for a reader. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// How long it is.
    pub lasts: Span,
    /// What goes wrong in it. Default: nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultSpec>,
}

/// After the workload: progress is required.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settle {
    /// Which faults end. Default: true, all of them.
    #[serde(default)]
    pub heal: Healing,
    /// How long it may take.
    pub within: Span,
}

/// Which faults end when a run settles. None begins any more.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum Healing {
    /// Written `true`. Partitions heal, the dead restart, sleepers wake, loss and duplication stop.
    #[default]
    #[serde(rename = "true")]
    Everything,
    /// Written `false`. All stays as it is, and progress is required all the same, unless it is impossible.
    #[serde(rename = "false")]
    Nothing,
    /// `Core(Majority)`: of so many members, drawn, and of the links between them all is healed; the rest
    /// stays as it is. They must make progress.
    Core(Who),
}

/// `true` and `false` without quotes, in JSON too.
impl Serialize for Healing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Healing::Everything => serializer.serialize_bool(true),
            Healing::Nothing => serializer.serialize_bool(false),
            Healing::Core(who) => serializer.serialize_newtype_variant("Healing", 2, "Core", who),
        }
    }
}

/// How far the members' clocks may be off. Each member draws its own error.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clocks {
    /// A wall clock is ahead or behind by at most this. At most 365 days. Default: 0.
    #[serde(default)]
    pub offset: Span,
    /// Both clocks of a member run fast or slow by at most so many millionths, below 1,000,000. Default: 0.
    #[serde(default)]
    pub drift_ppm: u32,
    /// By how much a node believes its wall clock to be wrong at most: the width of the interval that a protocol may
    /// ask for. Default: 0.
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    pub uncertainty: Span,
    /// Members whose clocks are not left to chance, by name. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes: BTreeMap<String, NodeClock>,
}

impl Clocks {
    /// Whether every clock is perfect.
    pub fn are_perfect(&self) -> bool {
        *self == Clocks { uncertainty: self.uncertainty, ..Clocks::default() }
    }
}

/// How far the clocks of one member are off, exactly.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeClock {
    /// The wall clock is ahead by so much, behind if negative: `"50ms"`, `"-50ms"`. At most 365 days. Default: drawn,
    /// as those of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<Offset>,
    /// Both clocks run fast by so many millionths, slow if negative. Between -1,000,000 and 1,000,000.
    pub drift_ppm: i32,
}

/// What a sweep of the scenario must find.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Expect {
    /// No seed breaks anything.
    #[default]
    Holds,
    /// Some seed breaks one of these invariants, and no seed breaks another. For protocols that are
    /// unsafe by design and for planted defects.
    Breaks(Vec<String>),
}
