//! Locks on Redis: one server, keys with a time to live, and scripts that compare before they delete.
//!
//! Sources: the manual page "Distributed Locks with Redis" (redis-doc, called the manual here), and the commands' own pages.

pub mod client;
pub mod command;
pub mod failover;
pub mod redlock;
pub mod rules;
pub mod server;
pub mod sorted;
pub mod store;

use super::node::Lock;
use crate::kernel::time::{Span, Time};
use crate::protocol::Io;

pub use command::{Command, Record, Reply};

/// The settings of a lock on Redis.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// How long a key lives that nobody prolongs.
    pub ttl: Span,
    /// Whether holders prolong their keys, three times in a time to live.
    pub watchdog: bool,
    /// Whether a counter is raised with every grant, and comes along as token.
    pub tokens: bool,
    /// How many replicas must know of what a client has changed before it counts on it.
    pub wait: u16,
    /// What its server is told.
    pub hosting: Hosting,
    /// How long a client waits before it tries again, from and to.
    pub poll: (Span, Span),
    /// How long a client waits for an answer.
    pub patience: Span,
}

/// What a server of Redis is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hosting {
    /// By which clock keys expire.
    pub clock: Timepiece,
    /// What a restart leaves.
    pub persistence: Persistence,
    /// How long it answers nobody after a start; zero if it answers at once.
    pub delay: Span,
    /// Whether who has its key has the lock: so it is where there is one primary, and not where a majority decides.
    pub decides: bool,
}

/// A clock of a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Timepiece {
    /// The one that is set by hand and by other clocks: Redis expires keys by it.
    Wall,
    /// A wall clock that nobody sets: it only goes forwards, and a restart changes nothing.
    Monotonic,
    /// One that begins anew with every start. No server is set up for it.
    SinceStart,
}

impl Timepiece {
    /// What it shows.
    pub fn shows(self, io: &mut Io<'_, Lock>) -> Time {
        match self {
            Timepiece::Wall => io.wall(),
            Timepiece::Monotonic => io.elapsed(),
            Timepiece::SinceStart => io.now(),
        }
    }
}

/// What a server of Redis writes to its disk (redis.conf, `appendonly` and `appendfsync`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Persistence {
    /// Nothing.
    Nothing,
    /// All that changes, forced to the disk once a second.
    EverySecond,
    /// All that changes, before it is acknowledged.
    Always,
}
