//! ZooKeeper 3.8 in three values: a tree that is replicated, watches that each server keeps for its own
//! clients, and the leader's account of who is alive.
//!
//! A [`Tree`](tree::Tree) applies [transactions](operation::Transaction) in the order of a log. What they
//! change is handed to the [`Watches`](watches::Watches) of each server. [Questions](query::Query) are
//! answered by the server that a client is connected to, from its own tree. The
//! [`SessionTracker`](sessions::SessionTracker) says when a session has expired, so that its end is put into the log.
//!
//! ```
//! use squall::servers::zookeeper::operation::{Mode, Operation, Stamp, Transaction};
//! use squall::servers::zookeeper::query::{Query, answer};
//! use squall::servers::zookeeper::tree::{Tree, TtlNodes};
//! use squall::servers::zookeeper::watches::{EventKind, Watches};
//! use squall::servers::zookeeper::znode::{SessionId, Zxid};
//!
//! let (mut tree, mut watches) = (Tree::new(TtlNodes::Refused), Watches::new());
//! let (holder, waiter) = (SessionId(1), SessionId(2));
//! let mut events = Vec::new();
//! let mut apply = |tree: &mut Tree, watches: &mut Watches, session, transaction: &Transaction| {
//!     let stamp = Stamp { zxid: Zxid(tree.last().0 + 1), time_ms: 0, session };
//!     let outcome = tree.apply(stamp, transaction);
//!     events.extend(outcome.changes.iter().flat_map(|change| watches.fire(change)));
//!     outcome.reply
//! };
//! for session in [holder, waiter] {
//!     apply(&mut tree, &mut watches, session, &Transaction::OpenSession { timeout_ms: 600 }).expect("a session");
//! }
//! let mode = Mode::Ephemeral { sequential: false };
//! let lock = Operation::Create { path: "/lock".into(), data: Vec::new().into(), mode };
//! apply(&mut tree, &mut watches, holder, &Transaction::One(lock)).expect("the lock was free");
//!
//! let is_held = Query::Exists { path: "/lock".into(), watch: true };
//! assert!(answer(&tree, &mut watches, waiter, &is_held).is_ok());
//! apply(&mut tree, &mut watches, holder, &Transaction::CloseSession).expect("closing is never refused");
//! assert_eq!((events[0].session, events[0].kind), (waiter, EventKind::Deleted));
//! ```

pub mod error;
pub mod operation;
pub mod path;
pub mod query;
pub mod sessions;
pub mod tree;
pub mod watches;
pub mod znode;
