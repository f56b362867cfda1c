//! The weather of a link: what its settings and all that disturbs it come to.

use super::bandwidth::Bandwidth;
use super::burst::Burst;
use super::{Disturbance, LinkSetting};
use crate::environment::distribution::Distribution;
use crate::kernel::chance::Ratio;
use crate::kernel::time::Span;

/// What holds on all links of one class.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Weather {
    /// Whether disturbances hit it: both ends are members, and not both are spared.
    pub(super) exposed: bool,
    pub(super) latency: Distribution,
    /// What the link loses and doubles by itself.
    pub(super) usual_loss: Ratio,
    pub(super) usual_duplicate: Ratio,
    /// The same, together with what disturbances lose and double.
    pub(super) loss: Ratio,
    pub(super) duplicate: Ratio,
    pub(super) burst: Option<Burst>,
    pub(super) delays: Vec<Distribution>,
    pub(super) reorder: Option<Reorder>,
    pub(super) corrupt: Ratio,
    pub(super) bandwidth: Option<Bandwidth>,
}

/// How often a message is held up, and for how long at most.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Reorder {
    pub(super) probability: Ratio,
    pub(super) within: Span,
}

impl Weather {
    pub(super) fn new(exposed: bool, latency: Distribution, loss: Ratio, duplicate: Ratio) -> Weather {
        Weather {
            exposed,
            latency,
            usual_loss: loss,
            usual_duplicate: duplicate,
            loss,
            duplicate,
            burst: None,
            delays: Vec::new(),
            reorder: None,
            corrupt: Ratio::ZERO,
            bandwidth: None,
        }
    }

    /// Nothing but the latency.
    pub(super) fn quiet(exposed: bool, latency: Distribution) -> Weather {
        Weather::new(exposed, latency, Ratio::ZERO, Ratio::ZERO)
    }

    /// Whether there is nothing but this latency.
    pub(super) fn is_quiet(&self, latency: Distribution) -> bool {
        self.latency == latency
            && (self.usual_loss, self.usual_duplicate) == (Ratio::ZERO, Ratio::ZERO)
            && !self.is_disturbed()
    }

    /// The same with a setting of the link's own.
    pub(super) fn with(&self, setting: &LinkSetting) -> Weather {
        let latency = setting.latency.unwrap_or(self.latency);
        if !self.exposed {
            return Weather::quiet(false, latency);
        }
        let loss = setting.loss.unwrap_or(self.usual_loss);
        Weather::new(true, latency, loss, setting.duplicate.unwrap_or(self.usual_duplicate))
    }

    /// Whether a disturbance makes it worse than it is by itself.
    pub(super) fn is_disturbed(&self) -> bool {
        (self.loss, self.duplicate, self.corrupt) != (self.usual_loss, self.usual_duplicate, Ratio::ZERO)
            || self.burst.is_some()
            || !self.delays.is_empty()
            || self.reorder.is_some()
            || self.bandwidth.is_some()
    }

    /// Makes it worse. What never strikes changes nothing.
    pub(super) fn add(&mut self, disturbance: &Disturbance) {
        match *disturbance {
            Disturbance::Cut | Disturbance::Clog => unreachable!("a blocked link is no weather"),
            Disturbance::Loss { probability, .. } | Disturbance::Reorder { probability, .. }
                if probability.is_zero() => {}
            // Ratios are added with a rounding error. What is lost by itself must be lost all the same.
            Disturbance::Loss { probability, burst: 0 | 1 } => {
                self.loss = self.loss.or(probability).max(self.usual_loss);
            }
            Disturbance::Loss { probability, burst } => {
                let spells =
                    self.burst.map_or_else(|| Burst::new(probability, burst), |own| own.and(probability, burst));
                self.burst = Some(spells);
            }
            Disturbance::Duplicate { probability } => {
                self.duplicate = self.duplicate.or(probability).max(self.usual_duplicate);
            }
            Disturbance::Delay { extra } if extra.is_zero() => {}
            Disturbance::Delay { extra } => self.delays.push(extra),
            Disturbance::Reorder { within: Span::ZERO, .. } => {}
            Disturbance::Reorder { probability, within } => {
                self.reorder = self.reorder.max(Some(Reorder { probability, within }));
            }
            Disturbance::Corrupt { probability } => self.corrupt = self.corrupt.or(probability),
            Disturbance::Bandwidth { rate, queue } => {
                assert!(rate > 0, "a link without any bandwidth");
                let other = Bandwidth { rate, queue };
                self.bandwidth = Some(self.bandwidth.map_or(other, |own| own.and(other)));
            }
        }
    }
}
