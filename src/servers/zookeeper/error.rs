//! What the server refuses, and by which code.

use std::fmt;

/// Why a request was refused. Source: `KeeperException.Code` of ZooKeeper 3.8.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Error {
    /// An operation of a multi would have been done, but a later one failed. Its code on the wire is 0.
    RolledBack,
    /// An operation of a multi was not tried, since an earlier one had failed.
    RuntimeInconsistency,
    /// The server has no such operation, or has it switched off.
    Unimplemented,
    /// The path is malformed, or the time to live out of range.
    BadArguments,
    /// There is no such node, or no parent for a new one.
    NoNode,
    /// The version given is not the node's.
    BadVersion,
    /// The parent of the new node would be ephemeral.
    NoChildrenForEphemerals,
    /// There is such a node already.
    NodeExists,
    /// The node to delete has children.
    NotEmpty,
    /// The session has expired, was closed, or never was.
    SessionExpired,
    /// The session has moved to another server, which alone may speak for it.
    SessionMoved,
    /// There is no such watch to remove.
    NoWatcher,
}

impl Error {
    /// The number that stands in the reply's header.
    pub fn code(self) -> i32 {
        match self {
            Error::RolledBack => 0,
            Error::RuntimeInconsistency => -2,
            Error::Unimplemented => -6,
            Error::BadArguments => -8,
            Error::NoNode => -101,
            Error::BadVersion => -103,
            Error::NoChildrenForEphemerals => -108,
            Error::NodeExists => -110,
            Error::NotEmpty => -111,
            Error::SessionExpired => -112,
            Error::SessionMoved => -118,
            Error::NoWatcher => -121,
        }
    }

    /// The name, as clients spell it.
    pub fn name(self) -> &'static str {
        match self {
            Error::RolledBack => "RolledBack",
            Error::RuntimeInconsistency => "RuntimeInconsistency",
            Error::Unimplemented => "Unimplemented",
            Error::BadArguments => "BadArguments",
            Error::NoNode => "NoNode",
            Error::BadVersion => "BadVersion",
            Error::NoChildrenForEphemerals => "NoChildrenForEphemerals",
            Error::NodeExists => "NodeExists",
            Error::NotEmpty => "NotEmpty",
            Error::SessionExpired => "SessionExpired",
            Error::SessionMoved => "SessionMoved",
            Error::NoWatcher => "NoWatcher",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::error::Error for Error {}
