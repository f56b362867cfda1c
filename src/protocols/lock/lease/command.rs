//! What clients of leases ask and what they are answered.

use crate::kernel::digest::{Digest, Digestible};
use crate::protocols::lock::claim::{ClaimId, LockId};

/// A key in the queue of a lock: that of one claim under one lease.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Key {
    /// The lock.
    pub lock: LockId,
    /// Whose it is.
    pub claim: ClaimId,
    /// The lease that it goes with.
    pub lease: i64,
}

impl Key {
    /// As the servers know it.
    pub fn name(&self) -> String {
        format!("lock-{}/{:016x}-{:x}", self.lock.0, self.claim.0, self.lease)
    }

    /// The key of this name.
    pub fn parse(name: &[u8]) -> Option<Key> {
        let (lock, rest) = std::str::from_utf8(name).ok()?.strip_prefix("lock-")?.split_once('/')?;
        let (claim, lease) = rest.split_once('-')?;
        Some(Key {
            lock: LockId(lock.parse().ok()?),
            claim: ClaimId(u64::from_str_radix(claim, 16).ok()?),
            lease: i64::from_str_radix(lease, 16).ok()?,
        })
    }
}

/// What goes through the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Write {
    /// Make a lease of this number.
    Grant {
        /// Its number, chosen by the client.
        lease: i64,
        /// How long it shall live, in seconds.
        ttl: i64,
    },
    /// Create the key if it is not there, and say who is ahead of it.
    Join(Key),
    /// Say whether the key is there, and who is ahead of it.
    Look(Key),
    /// Remove the key.
    Leave(Key),
    /// End a lease.
    Revoke {
        /// Its number.
        lease: i64,
    },
    /// Take note of how long a lease has still to live.
    Checkpoint {
        /// Its number.
        lease: i64,
        /// Seconds.
        remaining: i64,
    },
}

/// What a client asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Question {
    /// To bring this into the log.
    Write(Write),
    /// To let a lease live its whole time again.
    Renew {
        /// Its number.
        lease: i64,
    },
    /// To be told when a key is removed.
    Watch {
        /// Who wants to know.
        waiter: ClaimId,
        /// The key.
        key: Key,
        /// From this revision on.
        from: i64,
    },
}

/// What it is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The lease lives so many seconds from when it was asked for; 0 if there is none.
    Lives(i64),
    /// There is no such lease.
    NoLease,
    /// Where the key stands.
    Place {
        /// The revision at which it was created, if it is there.
        mine: Option<i64>,
        /// The first key of the lock and the one right before this one, if there is one.
        ahead: Option<(Key, Key)>,
        /// The revision at which this was so.
        revision: i64,
    },
    /// The key is gone; whether it was there.
    Gone(bool),
    /// It is done.
    Done,
}

impl Digestible for Key {
    fn digest(&self, digest: &mut Digest) {
        digest.pair(u64::from(self.lock.0), self.claim.0);
        digest.word(self.lease as u64);
    }
}

impl Digestible for Write {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Write::Grant { lease, ttl } => digest.pair(1 << 32 | *ttl as u64, *lease as u64),
            Write::Join(key) => {
                digest.word(2);
                key.digest(digest);
            }
            Write::Look(key) => {
                digest.word(3);
                key.digest(digest);
            }
            Write::Leave(key) => {
                digest.word(4);
                key.digest(digest);
            }
            Write::Revoke { lease } => digest.pair(5, *lease as u64),
            Write::Checkpoint { lease, remaining } => digest.pair(6 << 32 | *remaining as u64, *lease as u64),
        }
    }
}

impl Digestible for Question {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Question::Write(write) => write.digest(digest),
            Question::Renew { lease } => digest.pair(7, *lease as u64),
            Question::Watch { waiter, key, from } => {
                digest.pair(8, waiter.0);
                digest.word(*from as u64);
                key.digest(digest);
            }
        }
    }
}

impl Digestible for Answer {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Answer::Lives(ttl) => digest.pair(1, *ttl as u64),
            Answer::NoLease => digest.word(2),
            Answer::Place { mine, ahead, revision } => {
                digest.pair(3, mine.unwrap_or(0) as u64);
                digest.word(*revision as u64);
                if let Some((first, ahead)) = ahead {
                    first.digest(digest);
                    ahead.digest(digest);
                }
            }
            Answer::Gone(was_there) => digest.pair(4, u64::from(*was_there)),
            Answer::Done => digest.word(5),
        }
    }
}

/// Their names, as [`Question::label`] has them, and that of what a server tells unasked.
pub const MESSAGES: [&str; 8] = ["Grant", "Join", "Look", "Leave", "Revoke", "Renew", "Watch", "KeyGone"];

impl Question {
    /// What it asks for.
    pub const fn label(&self) -> &'static str {
        match self {
            Question::Write(Write::Grant { .. }) => "Grant",
            Question::Write(Write::Join(_)) => "Join",
            Question::Write(Write::Look(_)) => "Look",
            Question::Write(Write::Leave(_)) => "Leave",
            Question::Write(Write::Revoke { .. } | Write::Checkpoint { .. }) => "Revoke",
            Question::Renew { .. } => "Renew",
            Question::Watch { .. } => "Watch",
        }
    }
}
