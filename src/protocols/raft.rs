//! Raft: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (extended
//! version, 2014), called the paper here; and Ongaro's thesis (2014).
//!
//! The core is generic over the replicated state machine and sans-I/O, so that other protocols embed
//! it. [`node`] makes it a protocol of its own: a replicated key-value store with clients.

pub mod client;
pub mod config;
pub mod core;
pub mod exhibits;
pub mod kv;
pub mod log;
pub mod membership;
pub mod message;
pub mod node;
pub mod oracle;
pub mod rules;
pub mod server;
pub mod session;
pub mod snapshot;
pub mod spec;
