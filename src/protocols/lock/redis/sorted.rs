//! Locks that are sorted sets: a member for each holder, its expiry as score.
//!
//! Source: Carlson, "Redis in Action", section 6.3, has semaphores of this kind, and says what is wrong with the simple ones.

pub mod client;

use super::Hosting;
use super::command::{Reply, understood};
use crate::kernel::digest::{Digest, Digestible};
use crate::kernel::time::Span;
use crate::protocols::lock::claim::{ClaimId, LockId};
use crate::servers::redis;

/// The settings of a lock that is a sorted set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// How long a member should live.
    pub ttl: Span,
    /// How it is done.
    pub variant: Variant,
    /// What its server is told.
    pub hosting: Hosting,
    /// How long a client waits before it tries again, from and to.
    pub poll: (Span, Span),
    /// How long a client waits for an answer.
    pub patience: Span,
}

/// How a set becomes a lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Variant {
    /// Each client adds a member of its own with its expiry as score, and has the lock if that was added.
    Article,
    /// All add the same member, and who was first has the lock until it removes it.
    OneMember,
    /// A script removes what has expired, and adds a member if there is no other.
    Script,
}

/// What a client asks. Times are in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// `ZADD set expires member`
    Add {
        /// The set.
        lock: LockId,
        /// The member.
        member: ClaimId,
        /// Its score: when it should be gone, by the client's clock.
        expires: i64,
    },
    /// `ZADD set NX expires holder`: the same member for everybody.
    AddOne {
        /// The set.
        lock: LockId,
        /// Its score.
        expires: i64,
    },
    /// A script: `ZREMRANGEBYSCORE set -inf (now`, and `ZADD set now+ttl member` if `ZCARD set` is then 0.
    Join {
        /// The set.
        lock: LockId,
        /// The member.
        member: ClaimId,
        /// How long it lives.
        ttl: u64,
        /// What is removed first.
        cleaning: Cleaning,
        /// Who gets in.
        admission: Admission,
    },
    /// `ZREM set member`
    Remove {
        /// The set.
        lock: LockId,
        /// The member.
        member: ClaimId,
    },
    /// `ZREM set holder`
    RemoveOne {
        /// The set.
        lock: LockId,
    },
}

/// What a script removes before it looks who is in the set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cleaning {
    /// Every member whose time has passed.
    Expired,
    /// Nothing.
    Nothing,
}

/// Whom a script lets in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// Who finds nobody there.
    Alone,
    /// Whose member was not there before: everybody.
    Added,
}

/// The member that stands for whoever holds the lock.
const HOLDER: &str = "holder";

/// The name of a lock's set.
fn set(lock: LockId) -> String {
    format!("set-{}", lock.0)
}

fn name(member: ClaimId) -> String {
    format!("{:016x}", member.0)
}

/// Their names, as [`Command::label`] has them.
pub const MESSAGES: [&str; 5] = ["Add", "AddOne", "Join", "Remove", "RemoveOne"];

impl Command {
    /// Its name.
    pub const fn label(&self) -> &'static str {
        match self {
            Command::Add { .. } => "Add",
            Command::AddOne { .. } => "AddOne",
            Command::Join { .. } => "Join",
            Command::Remove { .. } => "Remove",
            Command::RemoveOne { .. } => "RemoveOne",
        }
    }

    /// Which lock it is about.
    pub const fn lock(&self) -> LockId {
        match self {
            Command::Add { lock, .. }
            | Command::AddOne { lock, .. }
            | Command::Join { lock, .. }
            | Command::Remove { lock, .. }
            | Command::RemoveOne { lock } => *lock,
        }
    }

    /// Whom it makes the owner, if it succeeds.
    pub const fn acquires(&self) -> Option<ClaimId> {
        match self {
            Command::Add { member, .. } | Command::Join { member, .. } => Some(*member),
            Command::AddOne { .. } | Command::Remove { .. } | Command::RemoveOne { .. } => None,
        }
    }

    /// Carries it out, at this time of the server in milliseconds.
    pub fn apply(&self, redis: &mut redis::Redis, now_ms: i64) -> Reply {
        let set = set(self.lock());
        let mut tell = |words: &[&str]| understood(redis.apply(now_ms, 0, words));
        match self {
            Command::Add { member, expires, .. } => tell(&["ZADD", &set, &expires.to_string(), &name(*member)]),
            Command::AddOne { expires, .. } => tell(&["ZADD", &set, "NX", &expires.to_string(), HOLDER]),
            Command::Join { member, ttl, cleaning, admission, .. } => {
                if *cleaning == Cleaning::Expired {
                    tell(&["ZREMRANGEBYSCORE", &set, "-inf", &format!("({now_ms}")]);
                }
                if *admission == Admission::Alone && tell(&["ZCARD", &set]) != Reply::Int(0) {
                    return Reply::Int(0);
                }
                let expires = now_ms.saturating_add_unsigned(*ttl);
                tell(&["ZADD", &set, &expires.to_string(), &name(*member)])
            }
            Command::Remove { member, .. } => tell(&["ZREM", &set, &name(*member)]),
            Command::RemoveOne { .. } => tell(&["ZREM", &set, HOLDER]),
        }
    }
}

impl Digestible for Command {
    fn digest(&self, digest: &mut Digest) {
        let (kind, member, time) = match self {
            Command::Add { member, expires, .. } => (32, member.0, *expires as u64),
            Command::AddOne { expires, .. } => (33, 0, *expires as u64),
            Command::Join { member, ttl, cleaning, admission, .. } => {
                let how = u64::from(*cleaning == Cleaning::Expired) << 1 | u64::from(*admission == Admission::Alone);
                (34, member.0, ttl << 2 | how)
            }
            Command::Remove { member, .. } => (35, member.0, 0),
            Command::RemoveOne { .. } => (36, 0, 0),
        };
        digest.pair(kind << 32 | u64::from(self.lock().0), member);
        digest.word(time);
    }
}
