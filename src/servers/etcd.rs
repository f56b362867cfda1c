//! etcd 3.4: keys with revisions, transactions, watches and leases.
//!
//! The parts stand by themselves, for a cluster whose members agree on a log: [`state`] is what every member has and
//! what a command of the log does to it, [`store`] its keys and [`lessor`] its leases; [`watchers`] are a member's own.
//! [`server`] puts them together for a single server. What a model does not do itself, since it has no clock and no
//! peers: its owner tells it the time, proposes the end of leases that are [due](lessor::Lessor::due), and says when it
//! leads.
//!
//! A fair lock: whoever waits puts a key of its own, with a lease. The oldest key holds, and its revision of creation
//! is the fencing token ([`contender`] has the requests of it).
//!
//! ```
//! use squall::kernel::time::{Span, Time};
//! use squall::servers::etcd::bytes::{Bytes, KeyRange};
//! use squall::servers::etcd::request::{Put, Range, SortOrder, SortTarget};
//! use squall::servers::etcd::server::Server;
//! use squall::servers::etcd::state::Command;
//!
//! let mut server = Server::default();
//! let start = Time::ZERO;
//! for (lease, owner) in [(7, "ann"), (8, "bob")] {
//!     server.call(start, &Command::Grant { id: lease, ttl: 5 * lease })?;
//!     let key = Bytes::from(format!("lock/{lease:x}"));
//!     server.call(start, &Command::Put(Put { key, value: owner.into(), lease, ..Put::default() }))?;
//! }
//! let oldest = Range {
//!     keys: KeyRange::prefix("lock/"),
//!     target: SortTarget::Create,
//!     order: SortOrder::Ascend,
//!     limit: 1,
//!     ..Range::default()
//! };
//! let holder = server.range(start, &oldest)?.kvs.remove(0);
//! assert_eq!((holder.value, holder.create), ("ann".into(), 2));
//! // Nobody hears of ann for 35 seconds, and her lease runs out.
//! let holder = server.range(start + Span::secs(36), &oldest)?.kvs.remove(0);
//! assert_eq!((holder.value, holder.create), ("bob".into(), 3));
//! # Ok::<(), squall::servers::etcd::error::Error>(())
//! ```

mod apply;
pub mod bytes;
pub mod check;
pub mod contender;
pub mod error;
pub mod ids;
pub mod lessor;
pub mod primary;
mod ranges;
pub mod request;
pub mod server;
mod sort;
pub mod state;
pub mod store;
#[cfg(test)]
mod tests;
mod txn;
pub mod watchers;
