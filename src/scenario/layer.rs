//! What one file says: every field may be missing, since a file that it extends may have it.

use super::fault::FaultSpec;
use super::model::{Clocks, Expect, Phase, Scenario, Settle};
use super::network::Network;
use super::swarm::Swarm;
use crate::environment::plan::{Disk, Limits, Workload};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The fields of one file, and of those that it extends.
#[derive(Deserialize)]
#[serde(rename = "Scenario", deny_unknown_fields, bound = "S: DeserializeOwned")]
pub(super) struct Layer<S> {
    /// Must be 1; checked before this is read.
    pub(super) squall: u32,
    #[serde(default)]
    pub(super) title: Option<String>,
    #[serde(default)]
    pub(super) seed: Option<u64>,
    #[serde(default)]
    pub(super) extends: Vec<String>,
    #[serde(default = "nothing")]
    pub(super) system: Option<S>,
    #[serde(default)]
    pub(super) exhibits: Option<Vec<String>>,
    #[serde(default)]
    pub(super) network: Option<Network>,
    #[serde(default)]
    pub(super) disk: Option<Disk>,
    #[serde(default)]
    pub(super) clocks: Option<Clocks>,
    #[serde(default)]
    pub(super) workload: Option<Workload>,
    #[serde(default)]
    pub(super) faults: Option<Vec<FaultSpec>>,
    #[serde(default)]
    pub(super) phases: Option<Vec<Phase>>,
    #[serde(default)]
    pub(super) swarm: Option<SwarmSwitch>,
    #[serde(default)]
    pub(super) settle: Option<Settle>,
    #[serde(default)]
    pub(super) goals: Option<Vec<String>>,
    #[serde(default)]
    pub(super) expect: Option<Expect>,
    #[serde(default)]
    pub(super) limits: Option<Limits>,
}

/// A swarm, or `false`: a file may take back what a file that it extends has switched on.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename = "Swarm")]
pub(super) enum SwarmSwitch {
    #[serde(rename = "false")]
    Off,
    #[serde(rename = "true")]
    Any,
    Calm,
    Lan,
    Wan,
    Hostile,
}

impl SwarmSwitch {
    fn on(self) -> Option<Swarm> {
        match self {
            SwarmSwitch::Off => None,
            SwarmSwitch::Any => Some(Swarm::Any),
            SwarmSwitch::Calm => Some(Swarm::Calm),
            SwarmSwitch::Lan => Some(Swarm::Lan),
            SwarmSwitch::Wan => Some(Swarm::Wan),
            SwarmSwitch::Hostile => Some(Swarm::Hostile),
        }
    }
}

fn nothing<S>() -> Option<S> {
    None
}

impl<S> Layer<S> {
    /// Takes over a field of a file that wins, by name: also when it says `None` there.
    pub(super) fn take(&mut self, over: &mut Layer<S>, field: &str) {
        match field {
            "title" => self.title = over.title.take(),
            "seed" => self.seed = over.seed.take(),
            "system" => self.system = over.system.take(),
            "exhibits" => self.exhibits = over.exhibits.take(),
            "network" => self.network = over.network.take(),
            "disk" => self.disk = over.disk.take(),
            "clocks" => self.clocks = over.clocks.take(),
            "workload" => self.workload = over.workload.take(),
            "faults" => self.faults = over.faults.take(),
            "phases" => self.phases = over.phases.take(),
            "swarm" => self.swarm = over.swarm.take(),
            "settle" => self.settle = over.settle.take(),
            "goals" => self.goals = over.goals.take(),
            "expect" => self.expect = over.expect.take(),
            "limits" => self.limits = over.limits.take(),
            _ => assert!(matches!(field, "squall" | "extends"), "field {field} is read but goes nowhere"),
        }
    }

    /// A layer that says nothing.
    pub(super) fn empty() -> Layer<S> {
        Layer {
            squall: super::load::FORMAT,
            title: None,
            seed: None,
            extends: Vec::new(),
            system: None,
            exhibits: None,
            network: None,
            disk: None,
            clocks: None,
            workload: None,
            faults: None,
            phases: None,
            swarm: None,
            settle: None,
            goals: None,
            expect: None,
            limits: None,
        }
    }

    /// The scenario.
    ///
    /// # Errors
    /// The name of a field that has no default and is missing.
    pub(super) fn resolve(self) -> Result<Scenario<S>, &'static str> {
        Ok(Scenario {
            squall: self.squall,
            title: self.title,
            seed: self.seed,
            system: self.system.ok_or("system")?,
            exhibits: self.exhibits.unwrap_or_default(),
            network: self.network.unwrap_or_default(),
            disk: self.disk.unwrap_or_default(),
            clocks: self.clocks.unwrap_or_default(),
            workload: self.workload.ok_or("workload")?,
            faults: self.faults.unwrap_or_default(),
            phases: self.phases.unwrap_or_default(),
            swarm: self.swarm.and_then(SwarmSwitch::on),
            settle: self.settle,
            goals: self.goals,
            expect: self.expect.unwrap_or_default(),
            limits: self.limits.unwrap_or_default(),
        })
    }
}
