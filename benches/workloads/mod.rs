//! The workloads of the benches, each for squall and as a bare loop.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "shared by several targets, each of which uses a part")]

pub mod churn;
pub mod echo;
pub mod histories;
pub mod raft;
