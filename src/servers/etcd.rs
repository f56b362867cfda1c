//! etcd 3.4: revisions, transactions, watches and leases.

mod apply;
pub mod bytes;
pub mod check;
pub mod error;
pub mod lessor;
pub mod primary;
mod ranges;
pub mod request;
pub mod server;
mod sort;
pub mod state;
pub mod store;
mod txn;
pub mod watchers;
