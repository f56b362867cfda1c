//! A primary of Redis and its replicas as a scenario names them.

use super::redis::{ClockSetting, PersistenceSetting, RedisSettings, polling, time_to_live};
use super::{KindRules, KindSettings, SERVERS_MAX};
use crate::environment::text::SpanRange;
use crate::kernel::time::Span;
use crate::protocols::lock::kind::Kind;
use crate::protocols::lock::redis::failover::{Config, Promotion};
use crate::protocols::lock::redis::{self, Hosting};
use crate::scenario::diagnostic::Complaint;
use crate::scenario::model::Scenario;
use crate::systems::BuiltIn;
use serde::{Deserialize, Serialize};

/// What a scenario says of a primary of Redis and its replicas. The first server begins as primary.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisFailoverSettings {
    /// How many servers there are, from 3: a majority must agree that the primary is gone. Default: 3.
    #[serde(default = "RedisFailoverSettings::default_servers")]
    pub servers: u16,
    /// How long a lock lives that nobody prolongs. Default: 1 s.
    #[serde(default = "RedisSettings::default_ttl")]
    pub ttl: Span,
    /// Whether holders prolong their locks. Default: no.
    #[serde(default)]
    pub watchdog: bool,
    /// Whether every grant raises a counter that comes along as token. Default: no.
    #[serde(default)]
    pub tokens: bool,
    /// How many replicas must know of what a client has changed before it counts on it (`WAIT`). Default: 0.
    #[serde(default)]
    pub wait: u16,
    /// Which replica may take the place of a primary. Default: `First`.
    #[serde(default)]
    pub promotion: PromotionSetting,
    /// How long nobody must have heard of a primary before another takes its place. Default: 500 ms.
    #[serde(default = "RedisFailoverSettings::default_silence")]
    pub silence: Span,
    /// How often a primary speaks, if it has nothing to say. Default: 100 ms.
    #[serde(default = "RedisFailoverSettings::default_beat")]
    pub beat: Span,
    /// By which clock servers expire locks. Default: `Wall`, as the real ones.
    #[serde(default)]
    pub clock: ClockSetting,
    /// What a restart leaves. Default: `Nothing`.
    #[serde(default)]
    pub persistence: PersistenceSetting,
    /// How long a client waits before it tries again. Default: 20 ms to 60 ms.
    #[serde(default = "RedisSettings::default_poll")]
    pub poll: SpanRange,
    /// How long a client waits for an answer; for replicas it waits half of that. Default: 200 ms.
    #[serde(default = "RedisSettings::default_timeout")]
    pub timeout: Span,
}

/// Which replica may take the place of a primary.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum PromotionSetting {
    /// Whoever asks first.
    #[default]
    First,
    /// None that knows less than one who votes for it.
    Freshest,
}

impl RedisFailoverSettings {
    fn default_servers() -> u16 {
        3
    }

    fn default_silence() -> Span {
        Span::ms(500)
    }

    fn default_beat() -> Span {
        Span::ms(100)
    }
}

impl KindRules for RedisFailoverSettings {
    fn kind(&self) -> Kind {
        let client = redis::Config {
            ttl: self.ttl,
            watchdog: self.watchdog,
            tokens: self.tokens,
            wait: self.wait,
            hosting: Hosting {
                clock: self.clock.timepiece(),
                persistence: self.persistence.persistence(),
                delay: Span::ZERO,
                decides: true,
            },
            poll: (self.poll.min, self.poll.max),
            patience: self.timeout,
        };
        let promotion = match self.promotion {
            PromotionSetting::First => Promotion::First,
            PromotionSetting::Freshest => Promotion::Freshest,
        };
        Kind::RedisFailover(Config { client, beat: self.beat, silence: self.silence, promotion })
    }

    fn servers(&self) -> u16 {
        self.servers
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
        self.timeout.min(self.ttl).min(self.silence)
    }

    fn patience(&self) -> Span {
        self.timeout
    }

    fn complaints(&self, scenario: &Scenario<BuiltIn>) -> Vec<Complaint> {
        let mut complaints: Vec<Complaint> =
            time_to_live(self.ttl, scenario).into_iter().chain(polling(self.poll)).collect();
        let mut complain = |field: &str, message: String, cure| {
            complaints.push(Complaint::at(&format!("system.kind.{field}"), message, cure))
        };
        match self.servers {
            0 => complain("servers", "there is no server that could give a lock".to_owned(), "write 3"),
            1 => complain(
                "servers",
                "the primary has no replica that could take its place".to_owned(),
                "write 3, or take Redis for one server",
            ),
            2 => complain(
                "servers",
                "a majority of 2 servers is 2, so nobody can take the place of one".to_owned(),
                "write 3",
            ),
            3..=SERVERS_MAX => {}
            count => {
                complain("servers", format!("{count} servers cannot be simulated"), "write 64 or less; 3 is usual")
            }
        }
        let replicas = self.servers.saturating_sub(1);
        if self.wait > replicas {
            let message =
                format!("clients wait for {} replicas, and there are {replicas}: nobody ever gets a lock", self.wait);
            complain("wait", message, "lower it, or raise system.kind.servers");
        }
        if self.beat.is_zero() {
            complain(
                "beat",
                "a primary that speaks all the time never lets time pass".to_owned(),
                "write for example \"100ms\"",
            );
        }
        if self.silence <= self.beat {
            let message = format!("a primary is given up after {}, and speaks only each {}", self.silence, self.beat);
            complain("silence", message, "raise it to several times system.kind.beat");
        }
        complaints
    }

    fn simpler(&self) -> Vec<KindSettings> {
        [
            RedisFailoverSettings { servers: 3, wait: self.wait.min(2), ..self.clone() },
            RedisFailoverSettings { watchdog: false, ..self.clone() },
            RedisFailoverSettings { persistence: PersistenceSetting::Nothing, ..self.clone() },
            RedisFailoverSettings { poll: RedisSettings::default_poll(), ..self.clone() },
        ]
        .map(KindSettings::RedisFailover)
        .into()
    }
}
