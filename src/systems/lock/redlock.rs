//! Redlock as a scenario names it.

use super::redis::{ClockSetting, PersistenceSetting, RedisSettings, polling, time_to_live};
use super::{KindRules, KindSettings, SERVERS_MAX};
use crate::environment::text::SpanRange;
use crate::kernel::chance::Ratio;
use crate::kernel::time::Span;
use crate::protocols::lock::kind::Kind;
use crate::protocols::lock::redis::Hosting;
use crate::protocols::lock::redis::redlock::{Config, Order};
use crate::scenario::diagnostic::Complaint;
use crate::scenario::model::Scenario;
use crate::systems::BuiltIn;
use serde::{Deserialize, Serialize};

/// What a scenario says of Redlock: several servers of Redis that know nothing of each other, of which a majority must
/// have a key. It gives no tokens.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedlockSettings {
    /// How many servers there are, from 3. Default: 5.
    #[serde(default = "RedlockSettings::default_servers")]
    pub servers: u16,
    /// How long a lock lives that nobody prolongs. Default: 1 s.
    #[serde(default = "RedisSettings::default_ttl")]
    pub ttl: Span,
    /// How far clocks may come apart, as a share of the time to live; 2 ms are added. Default: 1%.
    #[serde(default = "RedlockSettings::default_drift")]
    pub drift_factor: Ratio,
    /// Whether holders prolong their locks. Default: no.
    #[serde(default)]
    pub watchdog: bool,
    /// In which order a client asks servers. Default: `Parallel`.
    #[serde(default)]
    pub order: OrderSetting,
    /// By which clock servers expire locks. Default: `Wall`, as the real ones.
    #[serde(default)]
    pub clock: ClockSetting,
    /// What a restart leaves. Default: `Nothing`.
    #[serde(default)]
    pub persistence: PersistenceSetting,
    /// Whether a server that has started answers nobody for a time to live. Default: no.
    #[serde(default)]
    pub delayed_restart: bool,
    /// How long a client waits before it tries again. Default: 20 ms to 60 ms.
    #[serde(default = "RedisSettings::default_poll")]
    pub poll: SpanRange,
    /// How long a client waits for the answer of one server. Default: 50 ms.
    #[serde(default = "RedlockSettings::default_timeout")]
    pub timeout: Span,
}

/// In which order a client asks servers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum OrderSetting {
    /// All at once.
    #[default]
    Parallel,
    /// One after the other.
    Sequence,
}

impl RedlockSettings {
    fn default_servers() -> u16 {
        5
    }

    fn default_drift() -> Ratio {
        Ratio::new(1, 100).expect("it is less than one")
    }

    fn default_timeout() -> Span {
        Span::ms(50)
    }

    /// How far clocks may come apart in a time to live. Source: redlock-rb and those that follow it add 2 ms, "to
    /// account for Redis expires precision".
    fn drift(&self) -> Span {
        let (part, whole) = (u128::from(self.drift_factor.part()), u128::from(self.drift_factor.whole()));
        let share = u128::from(self.ttl.as_ns()) * part / whole;
        Span::ns(share as u64) + Span::ms(2)
    }
}

impl KindRules for RedlockSettings {
    fn kind(&self) -> Kind {
        Kind::Redlock(Config {
            ttl: self.ttl,
            drift: self.drift(),
            watchdog: self.watchdog,
            order: match self.order {
                OrderSetting::Parallel => Order::Parallel,
                OrderSetting::Sequence => Order::Sequence,
            },
            hosting: Hosting {
                clock: self.clock.timepiece(),
                persistence: self.persistence.persistence(),
                delay: if self.delayed_restart { self.ttl } else { Span::ZERO },
                decides: false,
            },
            poll: (self.poll.min, self.poll.max),
            patience: self.timeout,
        })
    }

    fn servers(&self) -> u16 {
        self.servers
    }

    fn has_tokens(&self) -> bool {
        false
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
        let mut complaints: Vec<Complaint> =
            time_to_live(self.ttl, scenario).into_iter().chain(polling(self.poll)).collect();
        if self.servers < 3 {
            let message = match self.servers {
                0 => "there is no server that could give a lock".to_owned(),
                count => format!("with {count} of {count} servers as majority, none may be missing"),
            };
            complaints.push(Complaint::at("system.kind.servers", message, "write 5, or another odd number from 3"));
        } else if self.servers > SERVERS_MAX {
            let message = format!("nobody asks {} servers for each lock", self.servers);
            complaints.push(Complaint::at("system.kind.servers", message, format!("write {SERVERS_MAX} or less")));
        }
        let (drift, least) = (self.drift(), scenario.network.latency.least().times(2));
        if complaints.is_empty() && self.ttl <= drift + least {
            complaints.push(Complaint::at(
                "system.kind.drift_factor",
                format!(
                    "nothing is left of a time to live of {}: {drift} for drift, and {least} for a round trip",
                    self.ttl
                ),
                "lower it to 1%, or raise system.kind.ttl",
            ));
        }
        complaints
    }

    fn simpler(&self) -> Vec<KindSettings> {
        [
            RedlockSettings { servers: 3, ..self.clone() },
            RedlockSettings { watchdog: false, ..self.clone() },
            RedlockSettings { order: OrderSetting::Parallel, ..self.clone() },
            RedlockSettings { persistence: PersistenceSetting::Nothing, ..self.clone() },
            RedlockSettings { delayed_restart: false, ..self.clone() },
            RedlockSettings { poll: RedisSettings::default_poll(), ..self.clone() },
        ]
        .map(KindSettings::Redlock)
        .into()
    }
}
