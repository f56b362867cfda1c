//! Consistent hashing with replicas: a key-value store whose members come and go, and lose nothing.
//!
//! Servers have copies of the keys whose owners they are on a ring. Any of them coordinates requests; a group of them decides,
//! by Raft, on epochs: who is a member, and how far a change is. [`epoch`] has the steps of a change, [`requests`] the
//! quorums, [`fetch`] the way of keys to their new owners, [`collect`] how deletions are forgotten; the decisions on which
//! it all rests are in [`rules`].
//!
//! Source: DeCandia et al., "Dynamo: Amazon's Highly Available Key-value Store", SOSP 2007; CEP-21, "Transactional Cluster
//! Metadata", of Apache Cassandra; Lamport, Malkhi and Zhou, "Vertical Paxos and Primary-Backup Replication", PODC 2009.

pub mod cell;
pub mod checkpoint;
pub mod client;
pub mod collect;
pub mod config;
pub mod coordinator;
pub mod detector;
mod entropy;
pub mod epoch;
pub mod exhibits;
pub mod fetch;
pub mod hints;
pub mod merkle;
pub mod message;
pub mod metadata;
pub mod node;
pub mod oracle;
mod ranges;
mod replica;
pub mod requests;
pub mod rules;
pub mod server;
pub mod shelf;
pub mod spec;
pub mod store;
pub mod topology;
pub mod witness;
