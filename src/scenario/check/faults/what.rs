//! What a fault does: strengths that change nothing or cannot be.

use super::super::super::inject::Inject;
use super::super::super::target::Shape;
use super::super::{STANDSTILL_PPM, distribution};
use super::{One, is_everybody};
use crate::environment::distribution::Distribution;
use crate::kernel::chance::Ratio;
use crate::kernel::time::Span;

/// How many bytes a message has, if its protocol does not say it.
const MESSAGE: u64 = 100;

impl One<'_> {
    /// Whom it hits, and how hard.
    pub(super) fn what(&mut self) {
        if let Some(target) = self.spec.inject.target() {
            self.who(target, "inject.target");
        }
        if let Some(shape) = self.spec.inject.shape() {
            let field = if matches!(self.spec.inject, Inject::Partition { .. }) { "shape" } else { "over" };
            self.shape(shape, &format!("inject.{field}"));
        }
        match &self.spec.inject {
            Inject::Partition { shape, one_way } => self.one_way(shape, *one_way),
            Inject::Loss { probability, burst, .. } => {
                self.probability(*probability);
                if *burst == 0 {
                    let cure = "write 1, where each loss stands alone, or more";
                    self.complain("inject.burst", "no loss can be part of a burst of 0 messages", cure);
                }
            }
            Inject::Duplicate { probability, .. } | Inject::Corrupt { probability, .. } => {
                self.probability(*probability)
            }
            Inject::Reorder { probability, within, .. } => {
                self.probability(*probability);
                if *within == Span::ZERO {
                    let message = "a message that is held back for 0s is overtaken by none";
                    self.complain("inject.within", message, "write for example \"50ms\"");
                }
                self.too_long(*within, "inject.within");
            }
            Inject::Delay { extra, .. } | Inject::DiskSlow { extra, .. } => {
                self.spans(extra, "extra", "a delay of 0s changes nothing");
            }
            Inject::SlowNode { handling, .. } => {
                self.spans(handling, "handling", "what takes 0s to handle is not slow");
            }
            Inject::Bandwidth { rate, queue, .. } => self.bandwidth(rate.0, queue.0),
            Inject::DiskError { write, sync, .. } => {
                if write.is_zero() && sync.is_zero() {
                    let cure = "add for example `sync: \"10%\"` or `write: \"1%\"`";
                    self.complain("inject", "neither writes nor syncs fail, so nothing changes", cure);
                }
            }
            Inject::Destroy { target } => {
                if is_everybody(target, self.crew) {
                    let what = if self.crew.others().is_empty() { "members" } else { "servers" };
                    let message = format!("all {what} are gone for good, so nothing can happen any more");
                    self.complain("inject.target", message, "name fewer, or use Wipe, after which they restart");
                }
            }
            Inject::ClockJump { by, .. } => self.clock_jump(by.0),
            Inject::ClockDrift { ppm, .. } => self.clock_drift(i64::from(*ppm), "inject.ppm"),
            Inject::ClockSlew { by, ppm, .. } => self.clock_slew(by.0, *ppm),
            Inject::Clog { .. }
            | Inject::Swizzle
            | Inject::Kill { .. }
            | Inject::Wipe { .. }
            | Inject::Pause { .. }
            | Inject::ClockFreeze { .. }
            | Inject::DiskStall { .. }
            | Inject::DiskFull { .. }
            | Inject::TornWrite { .. }
            | Inject::LostSync { .. }
            | Inject::BitRot { .. }
            | Inject::Heal
            | Inject::Join { .. }
            | Inject::Leave { .. }
            | Inject::ReplaceMember { .. }
            | Inject::Reweigh { .. }
            | Inject::Rezone { .. }
            | Inject::Rebalance { .. }
            | Inject::TransferLeadership { .. } => {}
        }
    }

    fn one_way(&mut self, shape: &Shape, one_way: bool) {
        if one_way && matches!(shape, Shape::Links(_) | Shape::Mute(_) | Shape::Deafen(_) | Shape::Among(_)) {
            self.complain(
                "inject.one_way",
                "`one_way` has no say here: the shape itself says which direction is lost",
                "remove it",
            );
        }
    }

    fn probability(&mut self, probability: Ratio) {
        if probability.is_zero() {
            self.complain("inject.probability", "a probability of 0% changes nothing", "write for example \"5%\"");
        }
    }

    /// A distribution that makes something longer.
    fn spans(&mut self, spans: &Distribution, field: &str, nothing: &str) {
        distribution(spans, &format!("{}.inject.{field}", self.place), self.found);
        if *spans == Distribution::ZERO {
            self.complain(&format!("inject.{field}"), nothing, "write for example Const(\"50ms\")");
        }
    }

    fn bandwidth(&mut self, rate: u64, queue: u64) {
        if rate == 0 {
            self.complain(
                "inject.rate",
                "a link of 0B/s carries nothing",
                "write for example \"100KB/s\", or use Clog",
            );
        }
        if queue < MESSAGE {
            let message = format!("a queue of {queue}B has no room for a message, which has about {MESSAGE}B");
            self.complain("inject.queue", message, "write for example \"64KiB\"");
        }
    }

    fn clock_jump(&mut self, by: i64) {
        if by == 0 {
            self.complain("inject.by", "a clock that jumps by 0s stays where it is", "write for example \"-2s\"");
        }
        self.too_long(Span::ns(by.unsigned_abs()), "inject.by");
    }

    /// A clock must go on, also one that was slow before.
    fn clock_drift(&mut self, ppm: i64, field: &str) {
        let limit = i64::from(STANDSTILL_PPM);
        if ppm == 0 {
            return self.complain(field, "a drift of 0 ppm changes nothing", "write for example 500 or -500");
        }
        let drawn = -i64::from(self.clocks.drift_ppm);
        let slowest = self.clocks.nodes.values().map(|clock| i64::from(clock.drift_ppm)).min().unwrap_or(0).min(drawn);
        if ppm <= -limit {
            let message = "a clock that is slower by 1,000,000 millionths or more stands still";
            self.complain(field, message, "write more than -1_000_000, or use ClockFreeze");
        } else if ppm + slowest <= -limit && slowest > -limit {
            let message = format!("a clock that is slow by {} ppm already and by {} more stands still", -slowest, -ppm);
            self.complain(field, message, "write more, or change `clocks`");
        }
    }

    fn clock_slew(&mut self, by: i64, ppm: u32) {
        if by == 0 {
            let message = "a clock that is corrected by 0s stays as it is";
            self.complain("inject.by", message, "write for example \"10ms\" or \"-10ms\"");
        }
        if ppm == 0 {
            let message = "at 0 ppm a clock never gains or loses anything";
            self.complain("inject.ppm", message, "write for example 500");
        } else if ppm >= STANDSTILL_PPM {
            let message = format!("a correction by {ppm} ppm is none: real ones take a few hundred");
            self.complain("inject.ppm", message, "write less than 1_000_000, or use ClockJump");
        } else if by < 0 {
            self.clock_drift(-i64::from(ppm), "inject.ppm");
        }
    }
}
