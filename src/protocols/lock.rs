//! Distributed locks: a service, clients that contend for its locks, and a resource that the locks guard.
//!
//! What is common to all kinds stands here: the [`client`] that takes locks and works under them, the [`resource`] with
//! its fencing, the oracles. A kind brings a [`recipe`] for its clients and a [`service`] for its servers; [`kind`] names
//! them all.

pub mod agenda;
pub mod claim;
pub mod client;
pub mod config;
pub mod database;
pub mod ensemble;
pub mod exhibits;
pub mod kind;
pub mod lease;
pub mod line;
pub mod message;
pub mod node;
pub mod oracle;
pub mod recipe;
pub mod redis;
pub mod resource;
pub mod rules;
mod section;
pub mod service;
pub mod spec;
pub mod zookeeper;
