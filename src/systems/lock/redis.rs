//! Locks on Redis as a scenario names them.

use super::{KindRules, KindSettings};
use crate::environment::text::SpanRange;
use crate::kernel::time::Span;
use crate::protocols::lock::kind::Kind;
use crate::protocols::lock::redis::{Config, Hosting, Persistence, Timepiece};
use crate::scenario::diagnostic::Complaint;
use crate::scenario::model::Scenario;
use crate::systems::BuiltIn;
use serde::{Deserialize, Serialize};

/// What a scenario says of one server of Redis.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisSettings {
    /// How long a lock lives that nobody prolongs. Default: 1 s.
    #[serde(default = "RedisSettings::default_ttl")]
    pub ttl: Span,
    /// Whether holders prolong their locks. Default: no.
    #[serde(default)]
    pub watchdog: bool,
    /// Whether every grant raises a counter that comes along as token. Default: no.
    #[serde(default)]
    pub tokens: bool,
    /// By which clock the server expires locks. Default: `Wall`, as the real one.
    #[serde(default)]
    pub clock: ClockSetting,
    /// What a restart leaves. Default: `Nothing`.
    #[serde(default)]
    pub persistence: PersistenceSetting,
    /// How long a client waits before it tries again. Default: 20 ms to 60 ms.
    #[serde(default = "RedisSettings::default_poll")]
    pub poll: SpanRange,
    /// How long a client waits for an answer. Default: 200 ms.
    #[serde(default = "RedisSettings::default_timeout")]
    pub timeout: Span,
}

/// A clock of a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum ClockSetting {
    /// The one that is set by hand and by other clocks.
    #[default]
    Wall,
    /// A wall clock that nobody sets: it only goes forwards, and a restart changes nothing.
    Monotonic,
}

/// What a server writes to its disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum PersistenceSetting {
    /// Nothing.
    #[default]
    Nothing,
    /// All that changes, forced to the disk once a second.
    EverySecond,
    /// All that changes, before it is acknowledged.
    Always,
}

impl ClockSetting {
    pub(super) fn timepiece(self) -> Timepiece {
        match self {
            ClockSetting::Wall => Timepiece::Wall,
            ClockSetting::Monotonic => Timepiece::Monotonic,
        }
    }
}

impl PersistenceSetting {
    pub(super) fn persistence(self) -> Persistence {
        match self {
            PersistenceSetting::Nothing => Persistence::Nothing,
            PersistenceSetting::EverySecond => Persistence::EverySecond,
            PersistenceSetting::Always => Persistence::Always,
        }
    }
}

impl RedisSettings {
    pub(super) fn default_ttl() -> Span {
        Span::secs(1)
    }

    pub(super) fn default_poll() -> SpanRange {
        SpanRange { min: Span::ms(20), max: Span::ms(60) }
    }

    pub(super) fn default_timeout() -> Span {
        Span::ms(200)
    }
}

impl KindRules for RedisSettings {
    fn kind(&self) -> Kind {
        Kind::Redis(Config {
            ttl: self.ttl,
            watchdog: self.watchdog,
            tokens: self.tokens,
            wait: 0,
            hosting: Hosting {
                clock: self.clock.timepiece(),
                persistence: self.persistence.persistence(),
                delay: Span::ZERO,
                decides: true,
            },
            poll: (self.poll.min, self.poll.max),
            patience: self.timeout,
        })
    }

    fn servers(&self) -> u16 {
        1
    }

    fn has_tokens(&self) -> bool {
        self.tokens
    }

    fn lifetime(&self) -> Option<Span> {
        Some(self.ttl)
    }

    fn prolongs(&self) -> bool {
        self.watchdog
    }

    fn pace(&self) -> Span {
        self.timeout.min(self.ttl)
    }

    fn patience(&self) -> Span {
        self.timeout
    }

    fn complaints(&self, scenario: &Scenario<BuiltIn>) -> Vec<Complaint> {
        time_to_live(self.ttl, scenario).into_iter().chain(polling(self.poll)).collect()
    }

    fn simpler(&self) -> Vec<KindSettings> {
        [
            RedisSettings { watchdog: false, ..self.clone() },
            RedisSettings { persistence: PersistenceSetting::Nothing, ..self.clone() },
            RedisSettings { poll: RedisSettings::default_poll(), ..self.clone() },
        ]
        .map(KindSettings::Redis)
        .into()
    }
}

/// A time to live in which nothing can be done.
pub(super) fn time_to_live(ttl: Span, scenario: &Scenario<BuiltIn>) -> Option<Complaint> {
    let round_trip = scenario.network.latency.least().times(2);
    if !ttl.as_ns().is_multiple_of(1_000_000) || ttl.is_zero() {
        let message = format!("a time to live of {ttl} is not a whole number of milliseconds");
        return Some(Complaint::at("system.kind.ttl", message, "write for example \"1s\""));
    }
    (ttl <= round_trip).then(|| {
        Complaint::at(
            "system.kind.ttl",
            format!("a lock lives {ttl}, and is gone before its holder knows of it: a round trip takes at least {round_trip}"),
            "raise it to many round trips",
        )
    })
}

/// Clients that ask without a pause.
pub(super) fn polling(poll: SpanRange) -> Option<Complaint> {
    poll.max.is_zero().then(|| {
        let message = "clients that wait for nothing before they ask again never let time pass";
        Complaint::at("system.kind.poll", message, "write for example (\"20ms\", \"60ms\")")
    })
}
