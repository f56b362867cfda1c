//! What can go wrong, as a scenario says it, and whom it hits.

use super::target::{Shape, Who};
use crate::environment::distribution::Distribution;
use crate::environment::fault::Kind;
use crate::environment::text::{ByteRate, Bytes, Offset, SpanRange};
use crate::kernel::chance::Ratio;
use crate::kernel::time::Span;
use serde::{Deserialize, Serialize};

/// What happens.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Inject {
    /// Links between members are cut while it lasts.
    Partition {
        /// Which links.
        shape: Shape,
        /// Each cut link loses the messages of one direction only; which one, is drawn, but `Split` says it.
        /// Default: false.
        #[serde(default)]
        one_way: bool,
    },
    /// Messages between members are held while it lasts, and arrive at its end.
    Clog {
        /// Which links. Default: all between members.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        over: Option<Shape>,
    },
    /// Random members are clogged one after the other, and unclogged in another order: all within `lasts`.
    /// Source: FoundationDB's swizzle-clogging.
    Swizzle,
    /// More messages between members are lost while it lasts.
    Loss {
        /// The additional probability.
        probability: Ratio,
        /// How many messages in a row are lost on average, once one is. Default: 1, each loss stands alone.
        #[serde(default = "alone", skip_serializing_if = "is_alone")]
        burst: u32,
        /// Which links. Default: all between members.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        over: Option<Shape>,
    },
    /// More messages between members arrive twice while it lasts.
    Duplicate {
        /// The additional probability.
        probability: Ratio,
        /// Which links. Default: all between members.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        over: Option<Shape>,
    },
    /// Messages between members take longer while it lasts.
    Delay {
        /// The additional latency.
        extra: Distribution,
        /// Which links. Default: all between members.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        over: Option<Shape>,
    },
    /// Some messages between members are overtaken by later ones while it lasts.
    Reorder {
        /// How often one is held back.
        probability: Ratio,
        /// It is held back for anything up to this.
        within: Span,
        /// Which links. Default: all between members.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        over: Option<Shape>,
    },
    /// Some messages between members are damaged on their way while it lasts. A checksum drops them.
    Corrupt {
        /// How often.
        probability: Ratio,
        /// Which links. Default: all between members.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        over: Option<Shape>,
    },
    /// Links between members carry no more than this while it lasts; messages queue, and what does not fit is lost.
    Bandwidth {
        /// How much each link carries.
        rate: ByteRate,
        /// How much may wait at each link. Default: 64 KiB.
        #[serde(default = "queue")]
        queue: Bytes,
        /// Which links. Default: all between members.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        over: Option<Shape>,
    },
    /// Members lose their volatile state, and what their disks had not synced.
    Kill {
        /// Who dies.
        target: Who,
        /// How long they stay dead, drawn from the range; until the run settles, if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        restart_after: Option<SpanRange>,
    },
    /// Members die and lose their disks, too.
    Wipe {
        /// Who loses everything.
        target: Who,
        /// How long they stay dead, drawn from the range; until the run settles, if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        restart_after: Option<SpanRange>,
    },
    /// Members are gone for good, with their disks: no healing brings them back.
    Destroy {
        /// Who is lost.
        target: Who,
    },
    /// Members do nothing while it lasts, then catch up.
    Pause {
        /// Who sleeps.
        target: Who,
    },
    /// Each message and each timer takes members some time to handle while it lasts; the next one waits.
    SlowNode {
        /// Who is slow.
        target: Who,
        /// How long one takes.
        handling: Distribution,
    },
    /// Wall clocks are set forwards or back, once.
    ClockJump {
        /// Whose.
        target: Who,
        /// By how much; back, if negative.
        by: Offset,
    },
    /// Both clocks of members run faster or slower than they did while it lasts.
    ClockDrift {
        /// Whose.
        target: Who,
        /// By so many millionths more, less if negative.
        ppm: i32,
    },
    /// Both clocks of members stand still while it lasts, and with them all timers.
    ClockFreeze {
        /// Whose.
        target: Who,
    },
    /// Clocks of members are corrected gently: they run faster or slower until they have gained or lost so much.
    ClockSlew {
        /// Whose.
        target: Who,
        /// How much they gain; lose, if negative.
        by: Offset,
        /// By so many millionths they run faster or slower meanwhile. Default: 500, as those of Unix do.
        #[serde(default = "slew")]
        ppm: u32,
    },
    /// Syncs take longer while it lasts.
    DiskSlow {
        /// The additional latency.
        extra: Distribution,
        /// Whose disks. Default: those of all members.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<Who>,
    },
    /// No sync completes while it lasts; then those that are due do.
    DiskStall {
        /// Whose disks.
        target: Who,
    },
    /// Writes or syncs fail while it lasts, and the node is told.
    DiskError {
        /// Whose disks.
        target: Who,
        /// How often a write fails. Default: never.
        #[serde(default = "never", skip_serializing_if = "Ratio::is_zero")]
        write: Ratio,
        /// How often a sync fails. Default: never.
        #[serde(default = "never", skip_serializing_if = "Ratio::is_zero")]
        sync: Ratio,
    },
    /// There is no room for another record while it lasts: every write fails, and the node is told.
    DiskFull {
        /// Whose disks.
        target: Who,
    },
    /// While it lasts, a crash leaves the last record that was not synced half written.
    TornWrite {
        /// Whose disks.
        target: Who,
    },
    /// While it lasts, syncs are acknowledged and make nothing durable.
    LostSync {
        /// Whose disks.
        target: Who,
    },
    /// One durable record becomes unreadable. The next start finds it.
    BitRot {
        /// On whose disks.
        target: Who,
    },
    /// Every partition ends, at once.
    Heal,
    /// Members are told to join the system. Of all orders: who is down does not hear it.
    Join {
        /// Who is told.
        target: Who,
    },
    /// Members are told to leave the system in an orderly way.
    Leave {
        /// Who is told.
        target: Who,
    },
    /// Members are told to take the places of others that are gone.
    ReplaceMember {
        /// Who is replaced.
        target: Who,
        /// Who is told: the first replaces the first, and so on.
        by: Who,
    },
    /// Members are told to take more of the load, or less.
    Reweigh {
        /// Who is told.
        target: Who,
        /// How much they take, in units of the system.
        weight: u32,
    },
    /// Members are told that they stand in another zone.
    Rezone {
        /// Who is told.
        target: Who,
        /// The number of the zone.
        zone: u16,
    },
    /// Members are told to look after balance.
    Rebalance {
        /// Who is told.
        target: Who,
    },
    /// Members are told to lead: whoever leads lets them.
    TransferLeadership {
        /// Who is told.
        target: Who,
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

fn queue() -> Bytes {
    Bytes(64 << 10)
}

fn slew() -> u32 {
    500
}

impl Inject {
    /// Which links it hits, if it says so.
    pub const fn shape(&self) -> Option<&Shape> {
        match self {
            Inject::Partition { shape, .. } => Some(shape),
            Inject::Clog { over }
            | Inject::Loss { over, .. }
            | Inject::Duplicate { over, .. }
            | Inject::Delay { over, .. }
            | Inject::Reorder { over, .. }
            | Inject::Corrupt { over, .. }
            | Inject::Bandwidth { over, .. } => over.as_ref(),
            _ => None,
        }
    }

    /// Whom it hits, if it says so.
    pub const fn target(&self) -> Option<&Who> {
        match self {
            Inject::Kill { target, .. }
            | Inject::Wipe { target, .. }
            | Inject::Destroy { target }
            | Inject::Pause { target }
            | Inject::SlowNode { target, .. }
            | Inject::ClockJump { target, .. }
            | Inject::ClockDrift { target, .. }
            | Inject::ClockFreeze { target }
            | Inject::ClockSlew { target, .. }
            | Inject::DiskStall { target }
            | Inject::DiskError { target, .. }
            | Inject::DiskFull { target }
            | Inject::TornWrite { target }
            | Inject::LostSync { target }
            | Inject::BitRot { target }
            | Inject::Join { target }
            | Inject::Leave { target }
            | Inject::ReplaceMember { target, .. }
            | Inject::Reweigh { target, .. }
            | Inject::Rezone { target, .. }
            | Inject::Rebalance { target }
            | Inject::TransferLeadership { target } => Some(target),
            Inject::DiskSlow { target, .. } => target.as_ref(),
            _ => None,
        }
    }

    /// Which order it is, if it is one.
    pub const fn order(&self) -> Option<Kind> {
        Some(match self {
            Inject::Join { .. } => Kind::Join,
            Inject::Leave { .. } => Kind::Leave,
            Inject::ReplaceMember { .. } => Kind::ReplaceMember,
            Inject::Reweigh { .. } => Kind::Reweigh,
            Inject::Rezone { .. } => Kind::Rezone,
            Inject::Rebalance { .. } => Kind::Rebalance,
            Inject::TransferLeadership { .. } => Kind::TransferLeadership,
            _ => return None,
        })
    }

    /// What says how long it lasts.
    pub const fn duration(&self) -> Duration {
        match self {
            Inject::Kill { restart_after, .. } | Inject::Wipe { restart_after, .. } => {
                Duration::Restart(*restart_after)
            }
            Inject::Heal | Inject::ClockJump { .. } | Inject::Destroy { .. } | Inject::BitRot { .. } => Duration::None,
            _ if self.order().is_some() => Duration::None,
            Inject::ClockSlew { by, ppm, .. } => {
                let length = by.0.unsigned_abs() as u128 * 1_000_000 / if *ppm == 0 { 1 } else { *ppm as u128 };
                Duration::Exactly(Span::ns(if length > u64::MAX as u128 { u64::MAX } else { length as u64 }))
            }
            _ => Duration::Lasts,
        }
    }
}

/// What says how long a fault lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Duration {
    /// It happens at once and has no length.
    None,
    /// `restart_after`, inside it.
    Restart(Option<SpanRange>),
    /// It follows from what it does.
    Exactly(Span),
    /// `lasts` or `until`, beside it.
    Lasts,
}
