//! ZooKeeper 3.8 as values.

pub mod error;
mod map;
pub mod operation;
pub mod path;
pub mod query;
pub mod sessions;
pub mod tree;
pub mod watches;
pub mod znode;
