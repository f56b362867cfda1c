//! What goes wrong, as a scenario says it: when, how often and how long.

use super::inject::Inject;
use super::when::{CountRange, When};
use crate::environment::text::{Rate, SpanRange};
use crate::kernel::chance::Ratio;
use crate::kernel::time::{Span, Time};
use serde::{Deserialize, Serialize};

/// A fault and when it happens: once (`at`), again and again (`every`), by chance (`rate`), or at a moment of the
/// run (`when`). Exactly one of the four is given.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// It begins once, then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// With `at` and `when`: when it ends, if it has begun. With `every` and `rate`: none begins from then on; default
    /// is the end of the workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// One begins a period after `from`, and then each period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
    /// With `every`: each is early or late by at most this share of a period. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Ratio>,
    /// They begin independently of each other, so often on average (a Poisson process).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// It begins when this happens in the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// With `when`: it begins so long after the moment. Default: 0, at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Span>,
    /// With `when`: so many such moments pass by first, drawn from the range. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<CountRange>,
    /// With `when`: it begins at so many of the moments that follow, each time drawn anew. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// With `every` and `rate`: none begins before. With `when`: no moment counts before. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Time>,
    /// How long each lasts, drawn from the range. Without it and without `until`, a fault that began
    /// `at` an instant lasts until the workload ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<SpanRange>,
    /// What happens.
    pub inject: Inject,
}

/// When a fault happens, of the four ways the one that was chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Schedule {
    /// Once.
    Once {
        /// When it begins.
        at: Time,
        /// When it ends, if that is given.
        until: Option<Time>,
    },
    /// At regular intervals.
    Every {
        /// The interval.
        period: Span,
        /// The share of it by which one is early or late.
        jitter: Ratio,
        /// When the first interval begins.
        from: Time,
        /// None begins from then on.
        until: Time,
    },
    /// At moments of the run.
    Moments {
        /// How many times.
        times: u32,
        /// No moment counts before.
        from: Time,
    },
    /// By chance.
    Poisson {
        /// How often.
        rate: Rate,
        /// None begins before.
        from: Time,
        /// None begins from then on.
        until: Time,
    },
}

impl FaultSpec {
    /// This fault, once, at that instant.
    pub fn once(at: Time, inject: Inject) -> FaultSpec {
        FaultSpec {
            at: Some(at),
            until: None,
            every: None,
            jitter: None,
            rate: None,
            when: None,
            after: None,
            skip: None,
            times: None,
            from: None,
            lasts: None,
            inject,
        }
    }

    /// When it happens, in a workload that ends at `end`; `None` unless exactly one of `at`,
    /// `every`, `rate` and `when` is given.
    pub fn schedule(&self, end: Time) -> Option<Schedule> {
        let from = self.from.unwrap_or(Time::ZERO);
        let until = self.until.map_or(end, |until| until.min(end));
        match (self.at, self.every, self.rate, &self.when) {
            (Some(at), None, None, None) => Some(Schedule::Once { at, until: self.until }),
            (None, Some(period), None, None) => {
                Some(Schedule::Every { period, jitter: self.jitter.unwrap_or(Ratio::ZERO), from, until })
            }
            (None, None, Some(rate), None) => Some(Schedule::Poisson { rate, from, until }),
            (None, None, None, Some(_)) => Some(Schedule::Moments { times: self.times.unwrap_or(1), from }),
            _ => None,
        }
    }
}
