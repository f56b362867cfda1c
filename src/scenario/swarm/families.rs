//! Which kinds of faults a swarm has, and how often each is on.

use super::super::fault::FaultSpec;
use super::hand::coin;
use super::{Rough, Storm};
use crate::environment::fault::Kind;
use crate::kernel::rng::Dice;

/// A kind of fault, and in how many of sixteen seeds it is on.
pub(super) struct Family {
    pub(super) kind: Kind,
    lan: u64,
    wan: u64,
    hostile: u64,
}

const fn family(kind: Kind, lan: u64, wan: u64, hostile: u64) -> Family {
    Family { kind, lan, wan, hostile }
}

/// All but `Heal`, which is no trouble, and of the orders of an operator those that change members or
/// hand over the lead, for systems that like it. In a rack servers fail, on a continent links do; hostile is everything, what
/// takes the most away less often, since with it less else can happen.
pub(super) const FAMILIES: [Family; 29] = [
    family(Kind::Partition, 4, 8, 8),
    family(Kind::Clog, 2, 6, 8),
    family(Kind::Loss, 4, 8, 8),
    family(Kind::Duplicate, 4, 4, 8),
    family(Kind::Delay, 4, 8, 8),
    family(Kind::Reorder, 2, 4, 8),
    family(Kind::Corrupt, 1, 4, 8),
    family(Kind::Bandwidth, 1, 4, 8),
    family(Kind::Kill, 8, 4, 10),
    family(Kind::Wipe, 0, 0, 4),
    family(Kind::Destroy, 0, 0, 2),
    family(Kind::Pause, 6, 2, 8),
    family(Kind::SlowNode, 4, 2, 8),
    family(Kind::ClockJump, 2, 2, 8),
    family(Kind::ClockDrift, 2, 2, 8),
    family(Kind::ClockFreeze, 0, 0, 4),
    family(Kind::DiskSlow, 6, 2, 8),
    family(Kind::DiskStall, 2, 0, 8),
    family(Kind::DiskError, 1, 0, 4),
    family(Kind::DiskFull, 1, 0, 4),
    family(Kind::TornWrite, 2, 0, 8),
    family(Kind::LostSync, 0, 0, 4),
    family(Kind::BitRot, 0, 0, 4),
    family(Kind::Join, 0, 0, 10),
    family(Kind::Leave, 0, 0, 8),
    family(Kind::ReplaceMember, 0, 0, 6),
    family(Kind::Reweigh, 0, 0, 6),
    family(Kind::Rezone, 0, 0, 6),
    family(Kind::TransferLeadership, 0, 0, 8),
];

impl Family {
    /// Whether it is on. The first draw of its dice.
    pub(super) fn is_on(&self, rough: Rough, dice: &mut Dice) -> bool {
        let odds = rough.choose(self.lan, self.wan, self.hostile);
        coin(odds, dice) && rough != Rough::Calm
    }
}

impl Storm<'_> {
    /// The faults of one kind, as a scenario would have them: none, if there is nobody whom they may hit.
    pub(super) fn faults(&self, kind: Kind, dice: &mut Dice) -> Vec<FaultSpec> {
        let rhythm = self.rhythm(kind, dice);
        let Some(inject) = self.inject(kind, &rhythm, dice) else { return Vec::new() };
        self.scheduled(rhythm, inject, dice)
    }
}
