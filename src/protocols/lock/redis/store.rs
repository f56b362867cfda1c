//! What a server of Redis holds: its keys, by its own clock, and what of them is on its disk.

use super::command::{self, Change, Command};
use super::{Hosting, Persistence};
use crate::protocols::lock::claim::{ClaimId, LockId};
use crate::protocols::lock::message;
use crate::protocols::lock::node::Fact;
use crate::protocols::lock::service::Office;
use crate::servers::redis::{Redis, Reply as Answer, Role, Snapshot};

/// The keys of a server.
#[derive(Clone, Debug)]
pub struct Store {
    hosting: Hosting,
    redis: Redis,
}

impl Store {
    /// No keys.
    pub fn new(hosting: Hosting) -> Store {
        Store { hosting, redis: Redis::new().with_effects() }
    }

    /// Its own time in milliseconds.
    pub fn now_ms(&self, office: &mut Office<'_, '_>) -> i64 {
        let time = (office.config.rules.redis.expires_by)(self.hosting.clock).shows(office.io);
        (time.ns() / 1_000_000) as i64
    }

    /// Carries a command of a client out, and gives what it has changed.
    pub fn apply(&mut self, command: &Command, office: &mut Office<'_, '_>) -> (command::Reply, Change) {
        let now = self.now_ms(office);
        let reply = command.apply(&mut self.redis, now);
        (reply, self.redis.take_effects())
    }

    /// Carries out what a primary has sent.
    pub fn replicate(&mut self, change: &Change, office: &mut Office<'_, '_>) {
        let now = self.now_ms(office);
        for effect in change {
            let reply = self.redis.replicate(now, effect);
            assert!(!matches!(reply, Answer::Error(_)), "a primary has sent what it could not do itself: {reply:?}");
        }
    }

    /// Writes down what has changed, as far as its settings say; what follows in this turn waits until that is durable,
    /// if they say so.
    pub fn keep(&self, record: command::Record, office: &mut Office<'_, '_>) {
        if self.hosting.persistence == Persistence::Nothing {
            return;
        }
        office.io.write(message::Record::Redis(record));
        self.wait_for_disk(office);
    }

    /// Lets what follows in this turn wait until all that was written is durable, if its settings say so.
    pub fn wait_for_disk(&self, office: &mut Office<'_, '_>) {
        if self.hosting.persistence == Persistence::Always {
            office.io.sync();
        }
    }

    /// A copy of everything, for a replica. It costs next to nothing.
    pub fn whole(&self) -> Snapshot {
        self.redis.snapshot()
    }

    /// Takes a copy for its own.
    pub fn replace(&mut self, whole: &Snapshot, office: &mut Office<'_, '_>) {
        let now = self.now_ms(office);
        self.redis.restore(now, whole);
    }

    /// Makes it lead or follow.
    pub fn set_role(&mut self, role: Role) {
        self.redis.set_role(role);
    }

    /// Tells the oracles who holds what, after a restart or a promotion, and since when: see [`Fact::Kept`]. O(keys).
    pub fn tell_keepers(&mut self, index: u64, office: &mut Office<'_, '_>) {
        if !self.hosting.decides {
            return;
        }
        let now = self.now_ms(office);
        let Answer::Array(keys) = self.redis.apply(now, 0, &["KEYS", "lock-*"]) else { return };
        for key in keys {
            let Answer::Bulk(key) = key else { continue };
            let Answer::Bulk(owner) = self.redis.apply(now, 0, &[b"GET".as_slice(), &key]) else { continue };
            if let (Some(lock), Some(claim)) = (lock_of(&key), owner_of(&owner)) {
                office.io.note(Fact::Kept { lock, claim, index });
            }
        }
    }

    /// Tells the oracles if this was an acquisition that makes a claim the holder.
    pub fn tell_keeper(&self, command: &Command, reply: command::Reply, office: &mut Office<'_, '_>) {
        if self.hosting.decides
            && let Some(claim) = command.acquires()
            && matches!(reply, command::Reply::Ok | command::Reply::Int(1..))
        {
            office.io.note(Fact::Kept { lock: command.lock(), claim, index: 0 });
        }
    }
}

fn lock_of(key: &[u8]) -> Option<LockId> {
    std::str::from_utf8(key).ok()?.strip_prefix("lock-")?.parse().ok().map(LockId)
}

fn owner_of(value: &[u8]) -> Option<ClaimId> {
    u64::from_str_radix(std::str::from_utf8(value).ok()?, 16).ok().map(ClaimId)
}
