//! Locks on a database as a scenario names them.

use super::redis::{ClockSetting, polling, time_to_live};
use super::{KindRules, KindSettings};
use crate::environment::text::SpanRange;
use crate::kernel::time::Span;
use crate::protocols::lock::database::{Asking, Config, ConnectedConfig, Drawing, Hold, RowConfig, Way};
use crate::protocols::lock::kind::Kind;
use crate::scenario::diagnostic::Complaint;
use crate::scenario::locate::PathStep;
use crate::scenario::model::Scenario;
use crate::systems::BuiltIn;
use serde::{Deserialize, Serialize};

/// What a scenario says of one server of PostgreSQL.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// What a lock is.
    pub way: WaySettings,
    /// The clock of `now()`. Default: `Wall`, as the real one.
    #[serde(default)]
    pub clock: ClockSetting,
    /// How long a client waits before it tries again. Default: 20 ms to 60 ms.
    #[serde(default = "DatabaseSettings::default_poll")]
    pub poll: SpanRange,
    /// How long a client waits for an answer. Default: 200 ms.
    #[serde(default = "DatabaseSettings::default_timeout")]
    pub timeout: Span,
}

/// What a lock is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum WaySettings {
    /// A row with an owner and an expiry, taken by one conditional statement.
    Row(RowSettings),
    /// The lock of a row in an open transaction: `SELECT .. FOR UPDATE`, or `FOR SHARE`.
    RowLock(ConnectedSettings),
    /// An advisory lock of a session: `pg_advisory_lock` and its kin.
    Advisory(ConnectedSettings),
}

/// What a scenario says of rows that expire.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowSettings {
    /// How long a lock lives that nobody prolongs. Default: 1 s.
    #[serde(default = "RowSettings::default_ttl")]
    pub ttl: Span,
    /// Whether holders prolong their locks. Default: no.
    #[serde(default)]
    pub watchdog: bool,
    /// Whether the row's counter, which every grant raises, comes along as token. Default: yes.
    #[serde(default = "RowSettings::default_tokens")]
    pub tokens: bool,
}

/// What a scenario says of locks that a connection holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectedSettings {
    /// What happens if another has the lock. Default: `Wait`.
    #[serde(default)]
    pub asks: AskSetting,
    /// How long the server lets a client wait for a lock, in whole milliseconds. Default: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_timeout: Option<Span>,
    /// Whether locks can be shared: the workload's `reads` say how many are. Default: no.
    #[serde(default)]
    pub shared: bool,
    /// Whether each holder draws a token from a sequence. Default: no.
    #[serde(default)]
    pub tokens: bool,
    /// Where it draws it. Default: `Alongside`.
    #[serde(default, skip_serializing_if = "DrawSetting::is_default")]
    pub draws: DrawSetting,
    /// After how long a silence the server takes a connection for broken. Default: 1 s.
    #[serde(default = "ConnectedSettings::default_keepalive")]
    pub keepalive: Span,
    /// After how long a silence the client does. Default: as the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_keepalive: Option<Span>,
}

/// What happens if another has the lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum AskSetting {
    /// The client stands in the server's queue.
    #[default]
    Wait,
    /// It is told so and tries again: `NOWAIT`, `pg_try_advisory_lock`.
    Try,
    /// It gets no row and tries again: `SKIP LOCKED`.
    Skip,
}

/// Where a token is drawn, once the lock is had.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum DrawSetting {
    /// On the connection that holds the lock. Of a row lock that is in the transaction that is open there: what it gives
    /// is durable only once that has ended. Else it is in a transaction by itself.
    #[default]
    Alongside,
    /// On another connection, in a transaction by itself that waits for the disk before it is told:
    /// `SELECT nextval(..), pg_current_xact_id()`.
    Apart,
}

impl DrawSetting {
    fn is_default(&self) -> bool {
        *self == DrawSetting::Alongside
    }

    fn drawing(self) -> Drawing {
        match self {
            DrawSetting::Alongside => Drawing::Alongside,
            DrawSetting::Apart => Drawing::Apart,
        }
    }
}

impl DatabaseSettings {
    fn default_poll() -> SpanRange {
        SpanRange { min: Span::ms(20), max: Span::ms(60) }
    }

    fn default_timeout() -> Span {
        Span::ms(200)
    }

    fn connected(&self) -> Option<&ConnectedSettings> {
        match &self.way {
            WaySettings::Row(_) => None,
            WaySettings::RowLock(settings) | WaySettings::Advisory(settings) => Some(settings),
        }
    }
}

impl RowSettings {
    fn default_ttl() -> Span {
        Span::secs(1)
    }

    fn default_tokens() -> bool {
        true
    }

    fn complaints(&self, scenario: &Scenario<BuiltIn>) -> Vec<Complaint> {
        let mut complaint = time_to_live(self.ttl, scenario);
        if let Some(complaint) = &mut complaint {
            complaint.path.insert(2, PathStep::Field("way".to_owned()));
        }
        complaint.into_iter().collect()
    }
}

impl ConnectedSettings {
    fn default_keepalive() -> Span {
        Span::secs(1)
    }

    fn client_keepalive(&self) -> Span {
        self.client_keepalive.unwrap_or(self.keepalive)
    }

    fn config(&self, hold: Hold) -> ConnectedConfig {
        ConnectedConfig {
            hold,
            asking: match self.asks {
                AskSetting::Wait => Asking::Waiting,
                AskSetting::Try => Asking::Trying,
                AskSetting::Skip => Asking::Skipping,
            },
            lock_timeout_ms: self.lock_timeout.map_or(0, |timeout| timeout.as_ns() / 1_000_000),
            tokens: self.tokens.then(|| self.draws.drawing()),
            server_keepalive: self.keepalive,
            client_keepalive: self.client_keepalive(),
        }
    }

    fn complaints(&self, scenario: &Scenario<BuiltIn>) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let round_trip = scenario.network.latency.least().times(2);
        let keepalives = [("keepalive", Some(self.keepalive)), ("client_keepalive", self.client_keepalive)];
        for (field, keepalive) in keepalives {
            let Some(keepalive) = keepalive.filter(|keepalive| *keepalive <= round_trip.times(2)) else { continue };
            complaints.push(Complaint::at(
                &format!("system.kind.way.{field}"),
                format!("every connection breaks: it may be silent for {keepalive}, and a round trip takes at least {round_trip}"),
                "raise it to many round trips",
            ));
        }
        if let Some(timeout) = self.lock_timeout {
            if timeout.is_zero() || !timeout.as_ns().is_multiple_of(1_000_000) {
                let message = format!("a lock_timeout of {timeout} is not a whole number of milliseconds, from 1");
                let help = "write for example \"500ms\", or remove it to wait for ever";
                complaints.push(Complaint::at("system.kind.way.lock_timeout", message, help));
            } else if self.asks != AskSetting::Wait {
                let message = "lock_timeout limits a wait, but these clients never wait at the server";
                complaints.push(Complaint::at(
                    "system.kind.way.lock_timeout",
                    message,
                    "remove it, or write asks: Wait",
                ));
            }
        }
        if !self.tokens && self.draws != DrawSetting::Alongside {
            let message = "nobody draws tokens, so it does not matter where";
            complaints.push(Complaint::at("system.kind.way.draws", message, "write tokens: true, or remove it"));
        }
        if self.shared && self.tokens {
            let message = "those who share a lock draw tokens in an order, and a resource that checks them would refuse all but the last";
            complaints.push(Complaint::at("system.kind.way.tokens", message, "remove tokens, or shared"));
        }
        complaints
    }
}

impl KindRules for DatabaseSettings {
    fn kind(&self) -> Kind {
        Kind::Database(Config {
            way: match &self.way {
                WaySettings::Row(RowSettings { ttl, watchdog, tokens }) => {
                    Way::Row(RowConfig { ttl: *ttl, watchdog: *watchdog, tokens: *tokens })
                }
                WaySettings::RowLock(settings) => Way::Connected(settings.config(Hold::RowLock)),
                WaySettings::Advisory(settings) => Way::Connected(settings.config(Hold::Advisory)),
            },
            clock: self.clock.timepiece(),
            poll: (self.poll.min, self.poll.max),
            patience: self.timeout,
        })
    }

    fn servers(&self) -> u16 {
        1
    }

    fn has_tokens(&self) -> bool {
        match &self.way {
            WaySettings::Row(settings) => settings.tokens,
            WaySettings::RowLock(settings) | WaySettings::Advisory(settings) => settings.tokens,
        }
    }

    fn can_share(&self) -> bool {
        self.connected().is_some_and(|settings| settings.shared)
    }

    fn lifetime(&self) -> Option<Span> {
        match &self.way {
            WaySettings::Row(settings) => Some(settings.ttl),
            WaySettings::RowLock(settings) | WaySettings::Advisory(settings) => Some(settings.keepalive),
        }
    }

    fn prolongs(&self) -> bool {
        match &self.way {
            WaySettings::Row(settings) => settings.watchdog,
            WaySettings::RowLock(_) | WaySettings::Advisory(_) => true,
        }
    }

    fn pace(&self) -> Span {
        let lives = match &self.way {
            WaySettings::Row(settings) => settings.ttl,
            WaySettings::RowLock(settings) | WaySettings::Advisory(settings) => {
                settings.keepalive.min(settings.client_keepalive())
            }
        };
        self.timeout.min(lives)
    }

    fn patience(&self) -> Span {
        self.timeout
    }

    fn complaints(&self, scenario: &Scenario<BuiltIn>) -> Vec<Complaint> {
        let mut complaints = match &self.way {
            WaySettings::Row(settings) => settings.complaints(scenario),
            WaySettings::RowLock(settings) | WaySettings::Advisory(settings) => settings.complaints(scenario),
        };
        match &self.way {
            WaySettings::Advisory(ConnectedSettings { asks: AskSetting::Skip, .. }) => {
                let message = "rows can be skipped, but advisory locks are of no rows";
                complaints.push(Complaint::at("system.kind.way.asks", message, "write Try"));
            }
            WaySettings::RowLock(settings) if settings.shared && downgrades(scenario) => {
                let message = "a transaction cannot give up the lock of a row for a weaker one before it ends";
                complaints.push(Complaint::at("system.downgrade", message, "remove it, or take Advisory"));
            }
            WaySettings::Row(_) | WaySettings::RowLock(_) | WaySettings::Advisory(_) => {}
        }
        complaints.extend(polling(self.poll));
        complaints
    }

    fn simpler(&self) -> Vec<KindSettings> {
        let mut ways = Vec::new();
        match &self.way {
            WaySettings::Row(settings) => {
                ways.push(WaySettings::Row(RowSettings { watchdog: false, ..settings.clone() }))
            }
            WaySettings::RowLock(settings) => ways.extend(settings.simpler().map(WaySettings::RowLock)),
            WaySettings::Advisory(settings) => ways.extend(settings.simpler().map(WaySettings::Advisory)),
        }
        let simpler = ways.into_iter().map(|way| DatabaseSettings { way, ..self.clone() });
        let simpler = simpler.chain([DatabaseSettings { poll: DatabaseSettings::default_poll(), ..self.clone() }]);
        simpler.map(KindSettings::Database).collect()
    }
}

impl ConnectedSettings {
    fn simpler(&self) -> impl Iterator<Item = ConnectedSettings> + use<> {
        [
            ConnectedSettings { shared: false, ..self.clone() },
            ConnectedSettings { asks: AskSetting::Wait, lock_timeout: None, ..self.clone() },
        ]
        .into_iter()
    }
}

/// Whether clients go on with sharing what they held alone.
fn downgrades(scenario: &Scenario<BuiltIn>) -> bool {
    match &scenario.system {
        BuiltIn::Lock(settings) => !settings.downgrade.is_zero(),
        BuiltIn::Raft(_) | BuiltIn::Ring(_) => false,
    }
}
