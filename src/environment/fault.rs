//! What can go wrong, and whom it hits: a closed set, spelled out in a plan.

use super::distribution::Distribution;
use crate::kernel::chance::Ratio;
use crate::kernel::time::Time;
use serde::{Deserialize, Serialize};

/// One fault of a plan, with its start and its end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedFault {
    /// When it begins.
    pub at: Time,
    /// When it ends; never, if absent: then only settling ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// What happens.
    pub inject: Fault,
}

/// What goes wrong. While it lasts, or at its start, as each says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Fault {
    /// Messages over the cut links are lost while it lasts, also those already under way.
    Partition(Cut),
    /// Volatile state and armed timers are gone at the start; the disk keeps what was synced and
    /// a drawn prefix of the rest. The end restarts the nodes.
    Kill {
        /// Who dies.
        target: Target,
    },
    /// The nodes do nothing while it lasts; then everything that waited for them happens, in order.
    Pause {
        /// Who sleeps.
        target: Target,
    },
    /// More messages are lost while it lasts, on every link between members.
    Loss {
        /// The additional probability.
        probability: Ratio,
    },
    /// More messages arrive twice while it lasts, on every link between members.
    Duplicate {
        /// The additional probability.
        probability: Ratio,
    },
    /// Messages take longer while it lasts, on every link between members.
    Delay {
        /// The additional latency.
        extra: Distribution,
    },
    /// Syncs take longer while it lasts, on every node.
    DiskSlow {
        /// The additional latency.
        extra: Distribution,
    },
    /// Every partition ends at the start.
    Heal,
}

/// The names under which faults are counted in outcomes, one a variant of [`Fault`].
pub const FAULT_NAMES: [&str; 8] = ["partition", "kill", "pause", "loss", "duplicate", "delay", "disk-slow", "heal"];

impl Fault {
    /// Where the name of this kind stands in [`FAULT_NAMES`].
    pub const fn kind(&self) -> usize {
        match self {
            Fault::Partition(_) => 0,
            Fault::Kill { .. } => 1,
            Fault::Pause { .. } => 2,
            Fault::Loss { .. } => 3,
            Fault::Duplicate { .. } => 4,
            Fault::Delay { .. } => 5,
            Fault::DiskSlow { .. } => 6,
            Fault::Heal => 7,
        }
    }
}

/// Which links a partition cuts. Links to clients are never cut: a client that reaches both
/// sides sees most of what a divided cluster says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Cut {
    /// All links from one side to the other.
    Split {
        /// One side, by name.
        from: Vec<String>,
        /// The other side, by name.
        to: Vec<String>,
        /// Only messages from `from` to `to` are lost, not those back.
        #[serde(default)]
        one_way: bool,
    },
    /// These directed links.
    Links(Vec<(String, String)>),
    /// All links between the target and the other members, as they are when the fault begins.
    Isolate {
        /// Who is alone.
        target: Target,
        /// Which of its messages are lost.
        #[serde(default)]
        direction: Direction,
    },
}

/// Which messages of an isolated node are lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Direction {
    /// Those it sends and those it should get.
    #[default]
    Both,
    /// Those it sends.
    Outgoing,
    /// Those it should get.
    Incoming,
}

/// Whom a fault hits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Target {
    /// These nodes, by name.
    Nodes(Vec<String>),
    /// Whoever holds a role when the fault begins, `"leader"` for example; of several the one that
    /// holds it by the best right. Nobody, if nobody does.
    Role(String),
}
