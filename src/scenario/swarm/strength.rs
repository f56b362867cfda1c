//! What the faults of a swarm do, and how hard.

use super::super::inject::Inject;
use super::Storm;
use super::hand::{coin, distribution, share, sign, span, spread};
use super::schedule::Rhythm;
use crate::environment::distribution::Distribution;
use crate::environment::fault::Kind;
use crate::environment::text::{ByteRate, Bytes, Offset};
use crate::kernel::chance::Ratio;
use crate::kernel::rng::Dice;
use crate::kernel::time::Span;

/// How much of the load a server is told to take at most, in units of the system.
const WEIGHT_MAX: u64 = 64;

/// In so many zones servers are put.
const ZONES: u64 = 3;

impl Storm<'_> {
    /// What happens; `None` if there is nobody to whom it may.
    pub(super) fn inject(&self, kind: Kind, rhythm: &Rhythm, dice: &mut Dice) -> Option<Inject> {
        let (rough, waits) = (self.rough, rhythm.way.waits());
        Some(match kind {
            Kind::Partition => {
                let (shape, one_way) = self.shape(waits, dice);
                Inject::Partition { shape, one_way }
            }
            Kind::Clog if coin(5, dice) => Inject::Swizzle,
            Kind::Clog => Inject::Clog { over: self.over(waits, dice) },
            Kind::Loss => {
                let burst = if coin(8, dice) { 1 } else { spread(2, 30, dice) as u32 };
                let probability = share(5, rough.choose(50, 200, 600), dice);
                Inject::Loss { probability, burst, over: self.over(waits, dice) }
            }
            Kind::Duplicate => Inject::Duplicate {
                probability: share(5, rough.choose(50, 100, 500), dice),
                over: self.over(waits, dice),
            },
            Kind::Delay => Inject::Delay { extra: self.wait(dice), over: self.over(waits, dice) },
            Kind::Reorder => {
                let probability = share(10, rough.choose(100, 200, 500), dice);
                let within = span(Span::ms(1), self.roster.pace.times(rough.choose(1, 2, 4)), dice);
                Inject::Reorder { probability, within, over: self.over(waits, dice) }
            }
            Kind::Corrupt => {
                Inject::Corrupt { probability: share(5, rough.choose(20, 50, 300), dice), over: self.over(waits, dice) }
            }
            Kind::Bandwidth => {
                let rate = ByteRate(spread(rough.choose(100_000, 20_000, 2_000), 1_000_000, dice));
                let queue = Bytes(spread(rough.choose(16_000, 4_000, 1_000), 256_000, dice));
                Inject::Bandwidth { rate, queue, over: self.over(waits, dice) }
            }
            Kind::Kill => Inject::Kill { target: self.whom(waits, dice), restart_after: None },
            Kind::Wipe => Inject::Wipe { target: self.victims(dice)?, restart_after: None },
            Kind::Destroy => Inject::Destroy { target: self.victims(dice)? },
            Kind::Pause => Inject::Pause { target: self.whom(waits, dice) },
            Kind::SlowNode => {
                let handling = self.handling(dice);
                Inject::SlowNode { target: self.whom(waits, dice), handling }
            }
            Kind::ClockJump => {
                let most = rough.choose(Span::ms(100), Span::secs(1), Span::secs(3_600));
                let by = Offset(sign(dice) * span(Span::ms(1), most, dice).as_ns() as i64);
                Inject::ClockJump { target: self.whom(waits, dice), by }
            }
            Kind::ClockDrift => self.drift(rhythm, dice)?,
            Kind::ClockFreeze => Inject::ClockFreeze { target: self.whom(waits, dice) },
            Kind::DiskSlow => {
                let target = Some(self.whom(waits, dice)).filter(|_| coin(10, dice));
                Inject::DiskSlow { extra: self.wait(dice), target }
            }
            Kind::DiskStall => Inject::DiskStall { target: self.whom(waits, dice) },
            Kind::DiskError => {
                let (write, sync) = (share(10, 500, dice), share(10, 500, dice));
                let (write, sync) = match dice.below(3) {
                    0 => (write, Ratio::ZERO),
                    1 => (Ratio::ZERO, sync),
                    _ => (write, sync),
                };
                Inject::DiskError { target: self.whom(waits, dice), write, sync }
            }
            Kind::DiskFull => Inject::DiskFull { target: self.whom(waits, dice) },
            Kind::TornWrite => Inject::TornWrite { target: self.whom(waits, dice) },
            Kind::LostSync => Inject::LostSync { target: self.victims(dice)? },
            Kind::BitRot => Inject::BitRot { target: self.victims(dice)? },
            Kind::Join => Inject::Join { target: self.told(waits, dice) },
            Kind::Leave => Inject::Leave { target: self.told(waits, dice) },
            Kind::ReplaceMember => {
                let (gone, by) = self.pair(dice)?;
                Inject::ReplaceMember { target: gone, by }
            }
            Kind::Reweigh => {
                Inject::Reweigh { target: self.told(waits, dice), weight: spread(1, WEIGHT_MAX, dice) as u32 }
            }
            Kind::Rezone => Inject::Rezone { target: self.told(waits, dice), zone: dice.below(ZONES) as u16 },
            Kind::TransferLeadership => Inject::TransferLeadership { target: self.told(waits, dice) },
            Kind::Heal | Kind::Rebalance => return None,
        })
    }

    /// What keeps messages or syncs waiting: up to several timeouts.
    fn wait(&self, dice: &mut Dice) -> Distribution {
        let pace = self.roster.pace;
        let typical = span(Span::ns(pace.as_ns() / 50), pace.times(self.rough.choose(1, 2, 4)), dice);
        distribution(typical, pace.times(20), dice)
    }

    /// So little that a node gets on, though late: it handles hundreds of messages a second.
    fn handling(&self, dice: &mut Dice) -> Distribution {
        let pace = self.roster.pace;
        let most = Span::ns(pace.as_ns() / self.rough.choose(100, 100, 10));
        distribution(span(Span::ns(pace.as_ns() / 2_000), most, dice), pace, dice)
    }

    /// A clock that runs wrong for a while, or one that is being set right.
    fn drift(&self, rhythm: &Rhythm, dice: &mut Dice) -> Option<Inject> {
        let most = self.rough.choose(200, 500, 100_000).min(self.ppm_most);
        let (ppm, sign) = (spread(10, most, dice), sign(dice));
        let (is_slew, target) = (coin(5, dice), self.whom(rhythm.way.waits(), dice));
        if most < 10 {
            return None;
        }
        let gained = rhythm.lasts.max.as_ns() / 1_000_000 * ppm;
        Some(match is_slew && gained > 0 {
            true => Inject::ClockSlew { target, by: Offset(sign * gained as i64), ppm: ppm as u32 },
            false => Inject::ClockDrift { target, ppm: (sign * ppm as i64) as i32 },
        })
    }
}
