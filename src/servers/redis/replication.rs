//! What a primary tells its replicas and its append-only file, and how that is carried out again (replication.c).

use super::{Effect, Origin, Redis, Role};

/// The connection over which a primary feeds this server.
const FEED: u64 = u64::MAX;

impl Redis {
    /// The same server, which keeps what replicas must be sent until it is taken.
    #[must_use]
    pub fn with_effects(self) -> Redis {
        Redis { effects: Some(Vec::new()), ..self }
    }

    /// What has changed since this was asked last, in order. Nothing, if it is not kept.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        self.effects.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Carries out what a primary has sent, or what was written down before a restart. It is not an effect again.
    pub fn restore(&mut self, now_ms: i64, effect: &Effect) {
        let kept = self.effects.take();
        self.clients.entry(FEED).or_default().db = effect.db;
        let words: Vec<&[u8]> = effect.command.iter().map(Vec::as_slice).collect();
        let answer = self.answer(now_ms, FEED, Origin::Primary, &words);
        debug_assert!(answer.is_ok(), "a primary has sent what it could not carry out itself");
        self.effects = kept;
    }

    /// Makes it lead or follow.
    pub fn set_role(&mut self, role: Role) {
        self.role = role;
    }
}
