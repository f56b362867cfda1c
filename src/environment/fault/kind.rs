//! The kinds of faults, by which they are counted and drawn.

use super::{Command, Fault};

/// How many kinds of faults there are.
pub const KINDS: usize = 31;

/// The names under which faults are counted in outcomes, one a variant of [`Fault`] and, of orders, of [`Command`].
pub const FAULT_NAMES: [&str; KINDS] = [
    "partition",
    "kill",
    "pause",
    "loss",
    "duplicate",
    "delay",
    "disk-slow",
    "heal",
    "clog",
    "reorder",
    "corrupt",
    "bandwidth",
    "wipe",
    "destroy",
    "slow-node",
    "clock-jump",
    "clock-drift",
    "clock-freeze",
    "disk-stall",
    "disk-error",
    "disk-full",
    "torn-write",
    "lost-sync",
    "bit-rot",
    "join",
    "leave",
    "replace-member",
    "reweigh",
    "rezone",
    "rebalance",
    "transfer-leadership",
];

/// Where the name of each kind stands in [`FAULT_NAMES`].
#[expect(missing_docs, reason = "each is the kind of the fault of its name")]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    Partition,
    Kill,
    Pause,
    Loss,
    Duplicate,
    Delay,
    DiskSlow,
    Heal,
    Clog,
    Reorder,
    Corrupt,
    Bandwidth,
    Wipe,
    Destroy,
    SlowNode,
    ClockJump,
    ClockDrift,
    ClockFreeze,
    DiskStall,
    DiskError,
    DiskFull,
    TornWrite,
    LostSync,
    BitRot,
    Join,
    Leave,
    ReplaceMember,
    Reweigh,
    Rezone,
    Rebalance,
    TransferLeadership,
}

const _: () = assert!(Kind::TransferLeadership as usize + 1 == KINDS, "every kind has a name");

impl Kind {
    /// Its name in outcomes.
    pub const fn name(self) -> &'static str {
        FAULT_NAMES[self as usize]
    }

    /// Whether it is an order of an operator.
    pub const fn is_order(self) -> bool {
        self as usize >= Kind::Join as usize
    }

    /// The orders.
    pub const ORDERS: [Kind; 7] = [
        Kind::Join,
        Kind::Leave,
        Kind::ReplaceMember,
        Kind::Reweigh,
        Kind::Rezone,
        Kind::Rebalance,
        Kind::TransferLeadership,
    ];
}

impl Fault {
    /// What kind of fault it is.
    pub const fn kind(&self) -> Kind {
        match self {
            Fault::Partition(_) => Kind::Partition,
            Fault::Clog { .. } => Kind::Clog,
            Fault::Loss { .. } => Kind::Loss,
            Fault::Duplicate { .. } => Kind::Duplicate,
            Fault::Delay { .. } => Kind::Delay,
            Fault::Reorder { .. } => Kind::Reorder,
            Fault::Corrupt { .. } => Kind::Corrupt,
            Fault::Bandwidth { .. } => Kind::Bandwidth,
            Fault::Kill { .. } => Kind::Kill,
            Fault::Wipe { .. } => Kind::Wipe,
            Fault::Destroy { .. } => Kind::Destroy,
            Fault::Pause { .. } => Kind::Pause,
            Fault::SlowNode { .. } => Kind::SlowNode,
            Fault::ClockJump { .. } => Kind::ClockJump,
            Fault::ClockDrift { .. } => Kind::ClockDrift,
            Fault::ClockFreeze { .. } => Kind::ClockFreeze,
            Fault::DiskSlow { .. } => Kind::DiskSlow,
            Fault::DiskStall { .. } => Kind::DiskStall,
            Fault::DiskError { .. } => Kind::DiskError,
            Fault::DiskFull { .. } => Kind::DiskFull,
            Fault::TornWrite { .. } => Kind::TornWrite,
            Fault::LostSync { .. } => Kind::LostSync,
            Fault::BitRot { .. } => Kind::BitRot,
            Fault::Heal => Kind::Heal,
            Fault::Order { command, .. } => match command {
                Command::Join => Kind::Join,
                Command::Leave => Kind::Leave,
                Command::ReplaceMember { .. } => Kind::ReplaceMember,
                Command::Reweigh { .. } => Kind::Reweigh,
                Command::Rezone { .. } => Kind::Rezone,
                Command::Rebalance => Kind::Rebalance,
                Command::TransferLeadership => Kind::TransferLeadership,
            },
        }
    }
}
