//! The commands that locks on Redis consist of, as messages; and the words in which a server is told them.

use super::{failover::Position, sorted};
use crate::kernel::digest::{Digest, Digestible};
use crate::protocols::lock::claim::{ClaimId, LockId};
use crate::servers::redis;

/// What a client asks. Times to live are in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// `SET lock owner NX PX ttl`
    Acquire {
        /// The key.
        lock: LockId,
        /// Its value, if there is none.
        owner: ClaimId,
        /// How long it lives.
        ttl: u64,
    },
    /// A script: the same, and `INCR fence` if that succeeds, whose value it gives back.
    AcquireToken {
        /// The key.
        lock: LockId,
        /// Its value, if there is none.
        owner: ClaimId,
        /// How long it lives.
        ttl: u64,
    },
    /// `SETNX lock owner`
    SetIfAbsent {
        /// The key.
        lock: LockId,
        /// Its value, if there is none.
        owner: ClaimId,
    },
    /// `PEXPIRE lock ttl`
    Expire {
        /// The key.
        lock: LockId,
        /// How long it lives.
        ttl: u64,
    },
    /// A script: `DEL lock` if its value is still this.
    CompareDelete {
        /// The key.
        lock: LockId,
        /// What its value should be.
        owner: ClaimId,
    },
    /// A script: `PEXPIRE lock ttl` if its value is still this.
    CompareExpire {
        /// The key.
        lock: LockId,
        /// What its value should be.
        owner: ClaimId,
        /// How long it lives.
        ttl: u64,
    },
    /// A script: the same, and `SET lock owner NX PX ttl` if there is none.
    ExtendOrAcquire {
        /// The key.
        lock: LockId,
        /// What its value should be.
        owner: ClaimId,
        /// How long it lives.
        ttl: u64,
    },
    /// `INCR fence`
    Count {
        /// Whose counter.
        lock: LockId,
    },
    /// `GET fence`
    Counted {
        /// Whose counter.
        lock: LockId,
    },
    /// `WAIT replicas timeout`: how many replicas have all that this client has changed.
    Wait {
        /// What it has changed.
        lock: LockId,
        /// Who has the lock, if that is what so many replicas must know.
        owner: Option<ClaimId>,
        /// How many should have it.
        replicas: u16,
        /// For how long it waits for them, in milliseconds.
        timeout: u64,
    },
    /// One on a lock that is a sorted set.
    Sorted(sorted::Command),
    /// `GET lock`
    Get {
        /// The key.
        lock: LockId,
    },
    /// `DEL lock`
    Delete {
        /// The key.
        lock: LockId,
    },
}

/// What a server answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reply {
    /// There is no such value, or the condition does not hold.
    Nil,
    /// It is done.
    Ok,
    /// A number: how many keys there were, or a counter.
    Int(i64),
    /// The owner that is in the key.
    Owner(ClaimId),
    /// It is no primary, and takes no writes.
    ReadOnly,
}

/// What one command of a client has changed, as replicas are told: all or nothing.
pub type Change = Vec<redis::Effect>;

/// What a server writes to its disk.
#[derive(Clone, Debug)]
pub enum Record {
    /// What has changed.
    Change(Change),
    /// Everything, as it was taken from a primary or became the beginning of a reign.
    Whole(Position, redis::Snapshot),
    /// What a server has promised, and takes along over a restart.
    Promise {
        /// The highest reign that it has heard of: it votes in later ones only.
        epoch: u64,
        /// Nobody of an earlier reign than this one has a say any more.
        pledged: u64,
    },
}

/// The name of a lock's key.
pub fn key(lock: LockId) -> String {
    format!("lock-{}", lock.0)
}

/// The name of the counter that a lock's tokens come from.
pub fn fence(lock: LockId) -> String {
    format!("fence-{}", lock.0)
}

/// An owner as a value.
pub fn value(owner: ClaimId) -> String {
    format!("{:016x}", owner.0)
}

/// Their names, as [`Command::label`] has them, but for those on sorted sets.
pub const MESSAGES: [&str; 11] = [
    "Acquire",
    "SetIfAbsent",
    "Expire",
    "CompareDelete",
    "CompareExpire",
    "ExtendOrAcquire",
    "Count",
    "Counted",
    "Wait",
    "Get",
    "Delete",
];

impl Command {
    /// Its name.
    pub const fn label(&self) -> &'static str {
        match self {
            Command::Acquire { .. } | Command::AcquireToken { .. } => "Acquire",
            Command::SetIfAbsent { .. } => "SetIfAbsent",
            Command::Expire { .. } => "Expire",
            Command::CompareDelete { .. } => "CompareDelete",
            Command::CompareExpire { .. } => "CompareExpire",
            Command::ExtendOrAcquire { .. } => "ExtendOrAcquire",
            Command::Count { .. } => "Count",
            Command::Counted { .. } => "Counted",
            Command::Wait { .. } => "Wait",
            Command::Sorted(command) => command.label(),
            Command::Get { .. } => "Get",
            Command::Delete { .. } => "Delete",
        }
    }

    /// Which lock it is about.
    pub const fn lock(&self) -> LockId {
        match self {
            Command::Acquire { lock, .. }
            | Command::AcquireToken { lock, .. }
            | Command::SetIfAbsent { lock, .. }
            | Command::Expire { lock, .. }
            | Command::CompareDelete { lock, .. }
            | Command::CompareExpire { lock, .. }
            | Command::ExtendOrAcquire { lock, .. }
            | Command::Count { lock }
            | Command::Counted { lock }
            | Command::Wait { lock, .. }
            | Command::Get { lock }
            | Command::Delete { lock } => *lock,
            Command::Sorted(command) => command.lock(),
        }
    }

    /// Whom it makes the owner, if it succeeds.
    pub const fn acquires(&self) -> Option<ClaimId> {
        match self {
            Command::Acquire { owner, .. }
            | Command::AcquireToken { owner, .. }
            | Command::SetIfAbsent { owner, .. } => Some(*owner),
            Command::Sorted(command) => command.acquires(),
            Command::Expire { .. }
            | Command::CompareDelete { .. }
            | Command::CompareExpire { .. }
            | Command::ExtendOrAcquire { .. }
            | Command::Count { .. }
            | Command::Counted { .. }
            | Command::Wait { .. }
            | Command::Get { .. }
            | Command::Delete { .. } => None,
        }
    }

    /// Carries it out, at this time of the server in milliseconds.
    pub fn apply(&self, redis: &mut redis::Redis, now_ms: i64) -> Reply {
        if let Command::Sorted(command) = self {
            return command.apply(redis, now_ms);
        }
        let key = key(self.lock());
        let mut tell = |words: &[&str]| understood(redis.apply(now_ms, 0, words));
        match self {
            Command::Acquire { owner, ttl, .. } => tell(&["SET", &key, &value(*owner), "NX", "PX", &ttl.to_string()]),
            Command::AcquireToken { lock, owner, ttl } => {
                match tell(&["SET", &key, &value(*owner), "NX", "PX", &ttl.to_string()]) {
                    Reply::Ok => tell(&["INCR", &fence(*lock)]),
                    refused => refused,
                }
            }
            Command::SetIfAbsent { owner, .. } => tell(&["SETNX", &key, &value(*owner)]),
            Command::Expire { ttl, .. } => tell(&["PEXPIRE", &key, &ttl.to_string()]),
            Command::CompareDelete { owner, .. } => match tell(&["GET", &key]) {
                Reply::Owner(found) if found == *owner => tell(&["DEL", &key]),
                _ => Reply::Int(0),
            },
            Command::CompareExpire { owner, ttl, .. } => match tell(&["GET", &key]) {
                Reply::Owner(found) if found == *owner => tell(&["PEXPIRE", &key, &ttl.to_string()]),
                _ => Reply::Int(0),
            },
            Command::ExtendOrAcquire { owner, ttl, .. } => match tell(&["GET", &key]) {
                Reply::Owner(found) if found == *owner => tell(&["PEXPIRE", &key, &ttl.to_string()]),
                Reply::Nil => match tell(&["SET", &key, &value(*owner), "NX", "PX", &ttl.to_string()]) {
                    Reply::Ok => Reply::Int(1),
                    refused => refused,
                },
                _ => Reply::Int(0),
            },
            Command::Count { lock } => tell(&["INCR", &fence(*lock)]),
            Command::Counted { lock } => match redis.apply(now_ms, 0, &["GET", &fence(*lock)]) {
                redis::Reply::Bulk(count) => Reply::Int(number(&count)),
                redis::Reply::Nil => Reply::Nil,
                other => unreachable!("a counter is a number: {other:?}"),
            },
            // Of a server that has no replicas.
            Command::Wait { .. } => Reply::Int(0),
            Command::Sorted(_) => unreachable!("it has its own words"),
            Command::Get { .. } => tell(&["GET", &key]),
            Command::Delete { .. } => tell(&["DEL", &key]),
        }
    }
}

fn number(text: &[u8]) -> i64 {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).expect("a counter is a decimal number")
}

/// A reply of the server, in the few forms that there are here.
pub(super) fn understood(reply: redis::Reply) -> Reply {
    match reply {
        redis::Reply::Status(_) => Reply::Ok,
        redis::Reply::Nil => Reply::Nil,
        redis::Reply::Int(number) => Reply::Int(number),
        redis::Reply::Bulk(bytes) => {
            let text = std::str::from_utf8(&bytes).expect("a value of this protocol is text");
            Reply::Owner(ClaimId(u64::from_str_radix(text, 16).expect("and a hexadecimal number")))
        }
        redis::Reply::Error(text) if text.starts_with("READONLY") => Reply::ReadOnly,
        redis::Reply::Error(text) => unreachable!("a command of this protocol is well formed: {text}"),
        redis::Reply::Array(_) => unreachable!("no command of this protocol is answered by a list"),
    }
}

impl Digestible for Command {
    fn digest(&self, digest: &mut Digest) {
        let (kind, owner, ttl) = match self {
            Command::Acquire { owner, ttl, .. } => (1, owner.0, *ttl),
            Command::AcquireToken { owner, ttl, .. } => (2, owner.0, *ttl),
            Command::SetIfAbsent { owner, .. } => (3, owner.0, 0),
            Command::Expire { ttl, .. } => (4, 0, *ttl),
            Command::CompareDelete { owner, .. } => (5, owner.0, 0),
            Command::CompareExpire { owner, ttl, .. } => (6, owner.0, *ttl),
            Command::ExtendOrAcquire { owner, ttl, .. } => (9, owner.0, *ttl),
            Command::Count { .. } => (10, 0, 0),
            Command::Counted { .. } => (11, 0, 0),
            Command::Wait { owner, replicas, timeout, .. } => {
                (12, owner.map_or(0, |owner| owner.0), timeout << 16 | u64::from(*replicas))
            }
            Command::Sorted(command) => return command.digest(digest),
            Command::Get { .. } => (7, 0, 0),
            Command::Delete { .. } => (8, 0, 0),
        };
        digest.pair(kind << 32 | u64::from(self.lock().0), owner);
        digest.word(ttl);
    }
}

impl Digestible for Reply {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Reply::Nil => digest.word(1),
            Reply::Ok => digest.word(2),
            Reply::Int(number) => digest.pair(3, *number as u64),
            Reply::Owner(owner) => digest.pair(4, owner.0),
            Reply::ReadOnly => digest.word(5),
        }
    }
}
