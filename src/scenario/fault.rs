//! What goes wrong, as a scenario says it: when, how often, how long, and whom it hits.

use crate::environment::distribution::Distribution;
use crate::environment::text::{Rate, SpanRange};
use crate::kernel::chance::Ratio;
use crate::kernel::time::{Span, Time};
use serde::{Deserialize, Serialize};

/// A fault and when it happens: once (`at`), again and again (`every`), or by chance (`rate`).
/// Exactly one of the three is given.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// It begins once, then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// With `at`: when it ends. With `every` and `rate`: none begins from then on; default is the
    /// end of the workload.
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
    /// With `every` and `rate`: none begins before. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Time>,
    /// How long each lasts, drawn from the range. Without it and without `until`, a fault that began
    /// `at` an instant lasts until the workload ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<SpanRange>,
    /// What happens.
    pub inject: Inject,
}

/// When a fault happens, of the three ways the one that was chosen.
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
        FaultSpec { at: Some(at), until: None, every: None, jitter: None, rate: None, from: None, lasts: None, inject }
    }

    /// When it happens, in a workload that ends at `end`; `None` unless exactly one of `at`,
    /// `every` and `rate` is given.
    pub fn schedule(&self, end: Time) -> Option<Schedule> {
        let from = self.from.unwrap_or(Time::ZERO);
        let until = self.until.map_or(end, |until| until.min(end));
        match (self.at, self.every, self.rate) {
            (Some(at), None, None) => Some(Schedule::Once { at, until: self.until }),
            (None, Some(period), None) => {
                Some(Schedule::Every { period, jitter: self.jitter.unwrap_or(Ratio::ZERO), from, until })
            }
            (None, None, Some(rate)) => Some(Schedule::Poisson { rate, from, until }),
            _ => None,
        }
    }
}

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
    /// Members lose their volatile state, and what their disks had not synced.
    Kill {
        /// Who dies.
        target: Who,
        /// How long they stay dead, drawn from the range; until the run settles, if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        restart_after: Option<SpanRange>,
    },
    /// Members do nothing while it lasts, then catch up.
    Pause {
        /// Who sleeps.
        target: Who,
    },
    /// More messages between members are lost while it lasts.
    Loss {
        /// The additional probability.
        probability: Ratio,
    },
    /// More messages between members arrive twice while it lasts.
    Duplicate {
        /// The additional probability.
        probability: Ratio,
    },
    /// Messages between members take longer while it lasts.
    Delay {
        /// The additional latency.
        extra: Distribution,
    },
    /// Syncs take longer while it lasts, on every member.
    DiskSlow {
        /// The additional latency.
        extra: Distribution,
    },
    /// Every partition ends, at once.
    Heal,
}

/// Which links a partition cuts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Shape {
    /// A random half, rounded down, against the rest.
    Halves,
    /// These members, together, against the rest.
    Isolate(Who),
    /// A random third, always less than a third, against the rest. Needs 4 members.
    MinorityThird,
    /// Every member sees a majority, and no two see the same. Needs 3 members. Source: Jepsen's
    /// nemesis `majorities-ring`.
    MajoritiesRing,
    /// Two random halves that do not see each other, and one member that sees both. Needs 3 members.
    Bridge,
    /// A random set of any size against the rest.
    Random,
    /// These members, by name, against those: `Split(["n1"], ["n2", "n3"])`. With `one_way`, only what the first
    /// send to the second is lost.
    Split(Vec<String>, Vec<String>),
    /// What is sent over these links, each from a member to another one: `Links([("n1", "n2")])`.
    Links(Vec<(String, String)>),
    /// All that these members send to the rest.
    Mute(Who),
    /// All that the rest send to these members.
    Deafen(Who),
}

/// Whom a fault hits. Sets are drawn anew each time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Who {
    /// Any one member.
    One,
    /// As many as can be missing while a majority remains: 2 of 5, 1 of 4.
    Minority,
    /// As few as make a majority: 3 of 5, 3 of 4.
    Majority,
    /// As many as can lie while two thirds are honest: 1 of 4, 2 of 7.
    MinorityThird,
    /// Every member.
    All,
    /// So many members.
    Random(u16),
    /// Whoever leads when the fault begins; the same as `Role("leader")`.
    Leader,
    /// These members, `Nodes(["n1", "n3"])`.
    Nodes(Vec<String>),
    /// Whoever holds this role when the fault begins.
    Role(String),
}

impl Who {
    /// How many of so many members are hit; `None` for a role, of which nobody knows beforehand.
    pub fn size(&self, members: usize) -> Option<usize> {
        match self {
            Who::One => Some(1),
            Who::Minority => Some(members.saturating_sub(1) / 2),
            Who::Majority => Some(members / 2 + 1),
            Who::MinorityThird => Some(members.saturating_sub(1) / 3),
            Who::All => Some(members),
            Who::Random(count) => Some(usize::from(*count)),
            Who::Nodes(names) => Some(names.len()),
            Who::Leader | Who::Role(_) => None,
        }
    }

    /// The role that is meant, if it is one.
    pub fn role(&self) -> Option<&str> {
        match self {
            Who::Leader => Some("leader"),
            Who::Role(name) => Some(name),
            Who::One
            | Who::Minority
            | Who::Majority
            | Who::MinorityThird
            | Who::All
            | Who::Random(_)
            | Who::Nodes(_) => None,
        }
    }
}
