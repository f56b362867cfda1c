//! What can go wrong, and whom it hits: a closed set, spelled out in a plan.

mod command;
mod kind;

use super::distribution::Distribution;
use super::text::{ByteRate, Bytes, Offset};
use crate::kernel::chance::Ratio;
use crate::kernel::time::{Span, Time};
use serde::{Deserialize, Serialize};

pub use command::Command;
pub use kind::{FAULT_NAMES, KINDS, Kind};

/// One fault of a plan, with its start and its end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedFault {
    /// When it begins; with `when`, from when on moments count.
    pub at: Time,
    /// It does not begin `at` an instant, but at a moment of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Trigger>,
    /// When it ends; never, if absent: then only settling ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// What happens.
    pub inject: Fault,
}

impl PlannedFault {
    /// A fault that begins then and lasts.
    pub fn once(at: Time, inject: Fault) -> PlannedFault {
        PlannedFault { at, when: None, until: None, inject }
    }
}

/// A moment of the run that a fault waits for. Each fault begins at most once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Which kind of moment.
    pub moment: Moment,
    /// So many of them pass by first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skip: u32,
    /// The fault begins so long after the moment.
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    pub after: Span,
    /// It ends so long after it began; never, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Span>,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// A kind of moment. It is about one node, the [`Target::Subject`] of the faults that wait for it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Moment {
    /// A goal of the system is reached, again or for the first time: `"raft.leader-elected"`.
    Goal(String),
    /// A node notes a fact of this kind: `"Returned"`.
    Fact(String),
    /// A node has handled a message of this kind: `"AppendEntries"`.
    Message(String),
    /// A node writes a record: the fault comes between this operation of the disk and the next. Only a pause, like an order,
    /// waits for the end of the turn.
    Written,
    /// A sync begins: what was written is on its way to the disk. The fault comes before anything else or, if the sync follows
    /// another one, right after the step in which that ended.
    Syncing,
    /// A sync is done.
    Synced,
    /// A node starts, for the first time or again.
    Started,
    /// A node dies.
    Crashed,
}

/// What goes wrong. While it lasts, or at its start, as each says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Fault {
    /// Messages over these links are lost while it lasts, also those already under way.
    Partition(LinkSet),
    /// Messages over these links are held while it lasts, and arrive at its end.
    Clog {
        /// Which links; all between members, if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        over: Option<LinkSet>,
    },
    /// More messages are lost while it lasts.
    Loss {
        /// The additional probability.
        probability: Ratio,
        /// How many messages in a row are lost on average, once one is. Default: 1, each loss stands alone.
        #[serde(default = "alone", skip_serializing_if = "is_alone")]
        burst: u32,
        /// Which links; all between members, if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        over: Option<LinkSet>,
    },
    /// More messages arrive twice while it lasts.
    Duplicate {
        /// The additional probability.
        probability: Ratio,
        /// Which links; all between members, if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        over: Option<LinkSet>,
    },
    /// Messages take longer while it lasts.
    Delay {
        /// The additional latency.
        extra: Distribution,
        /// Which links; all between members, if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        over: Option<LinkSet>,
    },
    /// Some messages are overtaken by later ones while it lasts.
    Reorder {
        /// How often one is held back.
        probability: Ratio,
        /// It is held back for anything up to this.
        within: Span,
        /// Which links; all between members, if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        over: Option<LinkSet>,
    },
    /// Some messages are damaged on their way while it lasts. A receiver with a checksum drops them.
    Corrupt {
        /// How often.
        probability: Ratio,
        /// Which links; all between members, if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        over: Option<LinkSet>,
    },
    /// Links carry no more than this while it lasts; messages queue, and what does not fit the queue is lost.
    Bandwidth {
        /// How much each link carries.
        rate: ByteRate,
        /// How much may wait at each link.
        queue: Bytes,
        /// Which links; all between members, if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        over: Option<LinkSet>,
    },
    /// Volatile state and armed timers are gone at the start; the disk keeps what was synced and,
    /// of the rest, what [`Disk::unsynced`](super::plan::Disk::unsynced) says. The end restarts the nodes.
    Kill {
        /// Who dies.
        target: Target,
    },
    /// As `Kill`, and the disk is empty afterwards.
    Wipe {
        /// Who loses everything.
        target: Target,
    },
    /// The nodes are gone for good, with their disks: no end and no healing brings them back.
    Destroy {
        /// Who is lost.
        target: Target,
    },
    /// The nodes do nothing while it lasts; then everything that waited for them happens, in order.
    Pause {
        /// Who sleeps.
        target: Target,
    },
    /// Each message and each timer takes the nodes some time to handle while it lasts; the next one waits.
    SlowNode {
        /// Who is slow.
        target: Target,
        /// How long one takes.
        handling: Distribution,
    },
    /// The wall clock is set forwards or back, once, at the start.
    ClockJump {
        /// Whose clock.
        target: Target,
        /// By how much.
        by: Offset,
    },
    /// Both clocks run faster or slower than they did while it lasts.
    ClockDrift {
        /// Whose clocks.
        target: Target,
        /// By so many millionths more, less if negative.
        ppm: i32,
    },
    /// Both clocks stand still while it lasts, and with them all timers.
    ClockFreeze {
        /// Whose clocks.
        target: Target,
    },
    /// Syncs take longer while it lasts.
    DiskSlow {
        /// The additional latency.
        extra: Distribution,
        /// Whose disks; those of all members, if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<Target>,
    },
    /// No sync completes while it lasts; then those that are due do.
    DiskStall {
        /// Whose disks.
        target: Target,
    },
    /// Writes or syncs fail while it lasts, and the node is told.
    DiskError {
        /// Whose disks.
        target: Target,
        /// How often a write fails.
        #[serde(default = "never", skip_serializing_if = "Ratio::is_zero")]
        write: Ratio,
        /// How often a sync fails. What it should have made durable never will be.
        #[serde(default = "never", skip_serializing_if = "Ratio::is_zero")]
        sync: Ratio,
    },
    /// There is no room for another record while it lasts: every write fails, and the node is told.
    DiskFull {
        /// Whose disks.
        target: Target,
    },
    /// While it lasts, a crash leaves the last record that was not synced half written.
    TornWrite {
        /// Whose disks.
        target: Target,
    },
    /// While it lasts, syncs are acknowledged and make nothing durable. The next one after it does.
    LostSync {
        /// Whose disks.
        target: Target,
    },
    /// One durable record becomes unreadable at the start. The next boot finds it.
    BitRot {
        /// On whose disks.
        target: Target,
    },
    /// Every partition ends at the start.
    Heal,
    /// An operator orders nodes to do something, once, at the start. Who is down does not hear it.
    Order {
        /// Who is told.
        target: Target,
        /// What they are told to do.
        command: Command,
    },
}

fn alone() -> u32 {
    1
}

fn is_alone(burst: &u32) -> bool {
    *burst == 1
}

fn never() -> Ratio {
    Ratio::ZERO
}

/// The links of a fault, to be read or changed, as the fault is borrowed.
macro_rules! links_of {
    ($fault:expr, $borrowed:ident) => {
        match $fault {
            Fault::Partition(links) => Some(links),
            Fault::Clog { over }
            | Fault::Loss { over, .. }
            | Fault::Duplicate { over, .. }
            | Fault::Delay { over, .. }
            | Fault::Reorder { over, .. }
            | Fault::Corrupt { over, .. }
            | Fault::Bandwidth { over, .. } => over.$borrowed(),
            Fault::Kill { .. }
            | Fault::Wipe { .. }
            | Fault::Destroy { .. }
            | Fault::Pause { .. }
            | Fault::SlowNode { .. }
            | Fault::ClockJump { .. }
            | Fault::ClockDrift { .. }
            | Fault::ClockFreeze { .. }
            | Fault::DiskSlow { .. }
            | Fault::DiskStall { .. }
            | Fault::DiskError { .. }
            | Fault::DiskFull { .. }
            | Fault::TornWrite { .. }
            | Fault::LostSync { .. }
            | Fault::BitRot { .. }
            | Fault::Heal
            | Fault::Order { .. } => None,
        }
    };
}

/// The target of a fault, in the same way.
macro_rules! target_of {
    ($fault:expr, $borrowed:ident) => {
        match $fault {
            Fault::Kill { target }
            | Fault::Wipe { target }
            | Fault::Destroy { target }
            | Fault::Pause { target }
            | Fault::SlowNode { target, .. }
            | Fault::ClockJump { target, .. }
            | Fault::ClockDrift { target, .. }
            | Fault::ClockFreeze { target }
            | Fault::DiskStall { target }
            | Fault::DiskError { target, .. }
            | Fault::DiskFull { target }
            | Fault::TornWrite { target }
            | Fault::LostSync { target }
            | Fault::BitRot { target }
            | Fault::Order { target, .. } => Some(target),
            Fault::DiskSlow { target, .. } => target.$borrowed(),
            Fault::Partition(_)
            | Fault::Clog { .. }
            | Fault::Loss { .. }
            | Fault::Duplicate { .. }
            | Fault::Delay { .. }
            | Fault::Reorder { .. }
            | Fault::Corrupt { .. }
            | Fault::Bandwidth { .. }
            | Fault::Heal => None,
        }
    };
}

impl Fault {
    /// Whether it does all it does when it begins, and then is over.
    pub const fn is_momentary(&self) -> bool {
        matches!(self, Fault::ClockJump { .. } | Fault::BitRot { .. } | Fault::Heal | Fault::Order { .. })
    }

    /// Which links it hits, if it hits some and not all.
    pub const fn links(&self) -> Option<&LinkSet> {
        links_of!(self, as_ref)
    }

    /// Whom it hits, if it hits some and not all.
    pub const fn target(&self) -> Option<&Target> {
        target_of!(self, as_ref)
    }

    /// As [`Fault::links`], to change them.
    pub const fn links_mut(&mut self) -> Option<&mut LinkSet> {
        links_of!(self, as_mut)
    }

    /// As [`Fault::target`], to change it.
    pub const fn target_mut(&mut self) -> Option<&mut Target> {
        target_of!(self, as_mut)
    }
}

/// Which links a fault hits. Links to clients are never hit: a client that reaches both sides of a partition
/// sees most of what a divided cluster says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum LinkSet {
    /// All links from one side to the other.
    Split {
        /// One side, by name.
        from: Vec<String>,
        /// The other side, by name.
        to: Vec<String>,
        /// Only messages from `from` to `to`, not those back.
        #[serde(default)]
        one_way: bool,
    },
    /// These directed links.
    Links(Vec<(String, String)>),
    /// All links between the target and the other members, as they are when the fault begins.
    Isolate {
        /// Who is alone.
        target: Target,
        /// Which of its messages.
        #[serde(default)]
        direction: Direction,
    },
}

/// Which messages of an isolated node are hit.
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
    /// Everybody who holds a role when the fault begins.
    Holders(String),
    /// Whom the moment that the fault has waited for is about. Nobody, if that is no member.
    Subject,
}
