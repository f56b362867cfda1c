//! What clients ask for that changes the tree, and what they are told.

use super::error::Error;
use super::znode::{SessionId, Stat, Zxid};
use std::sync::Arc;

/// The place of a transaction in the log: who embeds a tree gives it, and all replicas the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// Higher than that of every transaction before.
    pub zxid: Zxid,
    /// The leader's wall clock in milliseconds; it may go backwards.
    pub time_ms: u64,
    /// On whose behalf; [`SessionId`] 0 for the server's own.
    pub session: SessionId,
}

/// What kind of node to create. Source: `CreateMode`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// It lives until it is deleted.
    Persistent {
        /// Whether the server adds a number to the name.
        sequential: bool,
    },
    /// It lives until the session ends, and has no children.
    Ephemeral {
        /// Whether the server adds a number to the name.
        sequential: bool,
    },
    /// It lives until it has had children and has none any more.
    Container,
    /// It lives until it has had no children and no change of its data for so long.
    Ttl {
        /// In milliseconds; the server allows 1 to 2^40 - 1.
        ttl_ms: i64,
        /// Whether the server adds a number to the name.
        sequential: bool,
    },
}

impl Mode {
    /// Whether the server adds a number to the name.
    pub(super) fn is_sequential(self) -> bool {
        match self {
            Mode::Persistent { sequential } | Mode::Ephemeral { sequential } | Mode::Ttl { sequential, .. } => {
                sequential
            }
            Mode::Container => false,
        }
    }
}

/// One change of one node; by itself, or in a multi.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Creates a node. Answered by its path and its stat (`create2`; a plain `create` tells the path only).
    Create {
        /// Where; for a sequential node without the number.
        path: Arc<str>,
        /// What it holds at first.
        data: Arc<[u8]>,
        /// What kind of node.
        mode: Mode,
    },
    /// Deletes a node that has no children.
    Delete {
        /// Which.
        path: Arc<str>,
        /// The version that it must have; `None` (-1 on the wire) for any.
        version: Option<i32>,
    },
    /// Sets the data of a node. Answered by its stat.
    Set {
        /// Which.
        path: Arc<str>,
        /// What it holds from now on.
        data: Arc<[u8]>,
        /// The version that it must have; `None` (-1 on the wire) for any.
        version: Option<i32>,
    },
    /// Demands a version.
    Check {
        /// Of which node.
        path: Arc<str>,
        /// The version that it must have; `None` (-1 on the wire) for any.
        version: Option<i32>,
    },
}

/// What stands in the log between two zxids.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Transaction {
    /// Opens the session of the stamp.
    OpenSession {
        /// The negotiated time-out.
        timeout_ms: u64,
    },
    /// Ends the session of the stamp, and deletes its ephemeral nodes in the order of their paths (the real
    /// server has no definite order). Never refused.
    CloseSession,
    /// One operation.
    One(Operation),
    /// All of these or none. Answered by a result for each.
    Multi(Arc<[Operation]>),
    /// Deletes a container or another node whose time is over: what [`Tree::overdue`] names. Asked for by
    /// the leader, not by a session.
    ///
    /// [`Tree::overdue`]: super::tree::Tree::overdue
    DeleteContainer {
        /// Which.
        path: Arc<str>,
    },
}

/// What a session is told about a change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// It is done, and there is no more to say.
    Done,
    /// The node was created.
    Created {
        /// Its path, with the number if it is sequential.
        path: Arc<str>,
        /// What it is like.
        stat: Stat,
    },
    /// The data was set, and this is the node now.
    Set(Stat),
    /// What became of each operation of a multi. If one failed, those before it are [`Error::RolledBack`]
    /// and those after it [`Error::RuntimeInconsistency`].
    Multi(Vec<Result<Reply, Error>>),
}

/// What happened to a node: what watches wait for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// To which node.
    pub path: Arc<str>,
}

/// What can happen to a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChangeKind {
    /// It was created.
    Created,
    /// It was deleted.
    Deleted,
    /// Its data was set.
    Data,
}

/// What came of a transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// What the session is told.
    pub reply: Result<Reply, Error>,
    /// What happened to which node, in order: to be handed to the watches of every server.
    pub changes: Vec<Change>,
}
