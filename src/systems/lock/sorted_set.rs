//! Locks that are sorted sets of a Redis as a scenario names them.

use super::redis::{ClockSetting, PersistenceSetting, RedisSettings, polling, time_to_live};
use super::{KindRules, KindSettings};
use crate::environment::text::SpanRange;
use crate::kernel::time::Span;
use crate::protocols::lock::kind::Kind;
use crate::protocols::lock::redis::Hosting;
use crate::protocols::lock::redis::sorted::{Config, Variant};
use crate::scenario::diagnostic::Complaint;
use crate::scenario::model::Scenario;
use crate::systems::BuiltIn;
use serde::{Deserialize, Serialize};

/// What a scenario says of locks that are sorted sets of one server of Redis: a member for each holder, its expiry as
/// score.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SortedSetSettings {
    /// How a set becomes a lock. Default: `Article`.
    #[serde(default)]
    pub variant: VariantSetting,
    /// How long a member should live. Default: 1 s.
    #[serde(default = "RedisSettings::default_ttl")]
    pub ttl: Span,
    /// By which clock the server judges what has expired. Default: `Wall`, as the real one.
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

/// How a set becomes a lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum VariantSetting {
    /// Each client adds a member of its own with its expiry as score, and has the lock if that was added.
    #[default]
    Article,
    /// All add the same member, and who was first has the lock until it removes it.
    OneMember,
    /// A script removes what has expired, and adds a member if there is no other.
    Script,
}

impl KindRules for SortedSetSettings {
    fn kind(&self) -> Kind {
        Kind::SortedSet(Config {
            ttl: self.ttl,
            variant: match self.variant {
                VariantSetting::Article => Variant::Article,
                VariantSetting::OneMember => Variant::OneMember,
                VariantSetting::Script => Variant::Script,
            },
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
        false
    }

    fn lifetime(&self) -> Option<Span> {
        (self.variant == VariantSetting::Script).then_some(self.ttl)
    }

    fn prolongs(&self) -> bool {
        false
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
            SortedSetSettings { persistence: PersistenceSetting::Nothing, ..self.clone() },
            SortedSetSettings { poll: RedisSettings::default_poll(), ..self.clone() },
        ]
        .map(KindSettings::SortedSet)
        .into()
    }
}
