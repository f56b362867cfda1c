//! Locks on leases, as etcd has them: keys that go with a lease, a queue in the order in which they were created, and
//! waiters that watch the key before their own.
//!
//! Sources: etcd 3.4, package `clientv3/concurrency` (called the recipe here) and package `lease`; the servers are those
//! of [`crate::servers::etcd`], replicated by Raft.

pub mod client;
pub mod command;
pub mod front;
pub mod machine;
pub mod rules;

use crate::kernel::time::Span;
use crate::protocols::raft::config;
use crate::servers::etcd::lessor::Checkpoints;

/// The settings of locks on leases.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// How long a lease lives that is not renewed, in seconds; etcd grants at least 2.
    pub ttl: i64,
    /// Which leases a leader tells the others of: how long they have still to live.
    pub checkpoints: Checkpoints,
    /// How long a client waits for an answer before it asks another server.
    pub patience: Span,
    /// Of the servers.
    pub raft: config::Config,
}

impl Config {
    /// How long a lease lives.
    pub const fn lifetime(&self) -> Span {
        Span::secs(self.ttl as u64)
    }
}
