//! Locks on ZooKeeper: ephemeral sequential nodes, a queue in the order of their numbers, and waiters that watch the
//! node before their own.
//!
//! Sources: "ZooKeeper Recipes and Solutions", sections "Locks" and "Shared Locks" (called the recipes here), and
//! "ZooKeeper Programmer's Guide", sections "Sessions" and "Watches" (called the guide). The servers are those of
//! [`crate::servers::zookeeper`], replicated by Raft.

pub mod client;
pub mod command;
pub mod front;
pub mod machine;
pub mod rules;
pub mod session;

use crate::kernel::time::Span;
use crate::protocols::raft::config;

/// The settings of locks on ZooKeeper.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// How long a session lives of which nothing is heard; from 2 to 20 ticks.
    pub session_timeout: Span,
    /// How often the leader looks for sessions that have expired.
    pub tick: Span,
    /// How long a client waits for an answer before it takes its connection for broken.
    pub patience: Span,
    /// Whether locks can be shared.
    pub shared: bool,
    /// Of the servers.
    pub raft: config::Config,
}
