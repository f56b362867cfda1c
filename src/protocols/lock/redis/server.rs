//! A server of Redis, with its clock and its disk.

use super::command;
use super::{Config, Persistence, Timepiece};
use crate::kernel::time::Span;
use crate::protocol::{Found, NodeId};
use crate::protocols::lock::claim::{ClaimId, LockId};
use crate::protocols::lock::message::{self, Call, Reply, Request};
use crate::protocols::lock::node::Fact;
use crate::protocols::lock::recipe::Due;
use crate::protocols::lock::service::{Connections, Office, Service};
use crate::servers::redis::{Redis, Reply as Answer};

/// How often what was written is forced to the disk, if not before each acknowledgement.
const FORCED_EVERY: Span = Span::secs(1);

/// The state of a server.
#[derive(Clone, Debug)]
pub struct Server {
    config: Config,
    redis: Redis,
    connections: Connections,
}

impl Server {
    /// Starts a server with what its disk holds.
    pub fn boot(config: &Config, disk: Found<'_, message::Record>, office: &mut Office<'_, '_>) -> Server {
        let mut redis = Redis::new();
        for record in disk.records {
            let message::Record::Redis(record) = record else { unreachable!("a record of another kind of server") };
            let _ = record; // TEMP restore
        }
        let mut server = Server { config: *config, redis, connections: Connections::default() };
        server.tell_keepers(office);
        if config.persistence == Persistence::EverySecond {
            office.wake(FORCED_EVERY, Due::Beat);
        }
        server
    }

    /// Its own time in milliseconds.
    fn now_ms(&self, office: &mut Office<'_, '_>) -> i64 {
        let time = match (office.config.rules.redis.expires_by)(self.config.clock) {
            Timepiece::Wall => office.io.wall(),
            Timepiece::Monotonic => office.io.now(),
        };
        (time.ns() / 1_000_000) as i64
    }

    /// Tells the oracles who holds what, after a restart.
    fn tell_keepers(&mut self, office: &mut Office<'_, '_>) {
        let now = self.now_ms(office);
        let Answer::Array(keys) = self.redis.apply(now, 0, &["KEYS", "lock-*"]) else { return };
        for key in keys {
            let Answer::Bulk(key) = key else { continue };
            let Answer::Bulk(owner) = self.redis.apply(now, 0, &[b"GET".as_slice(), &key]) else { continue };
            if let (Some(lock), Some(claim)) = (lock_of(&key), owner_of(&owner)) {
                office.io.note(Fact::Kept { lock, claim });
            }
        }
    }

    /// Writes down what has changed.
    fn keep(&mut self, office: &mut Office<'_, '_>) {
        let effects: Vec<crate::servers::redis::Effect> = Vec::new(); // TEMP take_effects
        if self.config.persistence == Persistence::Nothing {
            return;
        }
        effects.into_iter().for_each(|effect| office.io.write(message::Record::Redis(effect.command)));
        if self.config.persistence == Persistence::Always {
            office.io.sync();
        }
    }
}

fn lock_of(key: &[u8]) -> Option<LockId> {
    std::str::from_utf8(key).ok()?.strip_prefix("lock-")?.parse().ok().map(LockId)
}

fn owner_of(value: &[u8]) -> Option<ClaimId> {
    u64::from_str_radix(std::str::from_utf8(value).ok()?, 16).ok().map(ClaimId)
}

impl Service for Server {
    fn on_request(&mut self, from: NodeId, call: Call, request: Request, office: &mut Office<'_, '_>) {
        let Request::Redis(command) = request else { unreachable!("a command for another kind of server") };
        if !self.connections.admits(from, call) {
            return;
        }
        let now = self.now_ms(office);
        let reply = command.apply(&mut self.redis, now);
        self.keep(office);
        if let Some(claim) = command.acquires()
            && matches!(reply, command::Reply::Ok | command::Reply::Int(1..))
        {
            office.io.note(Fact::Kept { lock: command.lock(), claim });
        }
        office.reply(from, call, Reply::Redis(reply));
    }

    fn on_due(&mut self, _: Due, office: &mut Office<'_, '_>) {
        office.io.sync();
        office.wake(FORCED_EVERY, Due::Beat);
    }

    fn role(&self, role: &str) -> Option<u64> {
        (role == "primary").then_some(0)
    }
}
