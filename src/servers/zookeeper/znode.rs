//! One node of the tree, and what the server tells about it.

use crate::kernel::map::Map;
use std::sync::Arc;

/// The number of a change: the leader's epoch in the upper half, a counter in the lower. 0 is before all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Zxid(pub u64);

/// A session. 0 is none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct SessionId(pub u64);

/// How long a node lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Owner {
    /// Until it is deleted.
    Nobody,
    /// Until this session ends.
    Session(SessionId),
    /// Until it has had children and has none any more.
    Container,
    /// Until it has had no children and no change of its data for so many milliseconds: 1 to 2^40 - 1.
    Ttl { ttl_ms: u64 },
}

/// What the server tells about a node. Source: `Stat` in `zookeeper.jute`; `aversion` is left out, since there
/// are no access lists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stat {
    /// The change that created it.
    pub czxid: Zxid,
    /// The change that last set its data; at first the one that created it.
    pub mzxid: Zxid,
    /// When it was created, in milliseconds of the leader's wall clock.
    pub ctime_ms: u64,
    /// When its data was last set; at first when it was created.
    pub mtime_ms: u64,
    /// How often its data has been set.
    pub version: i32,
    /// How often a child was created or deleted.
    pub cversion: i32,
    /// The session that it lives as long as; `None` (0 on the wire) if it is not ephemeral.
    pub ephemeral_owner: Option<SessionId>,
    /// The length of its data in bytes.
    pub data_length: usize,
    /// How many children it has.
    pub num_children: usize,
    /// The last change that created or deleted a child; at first the one that created the node.
    pub pzxid: Zxid,
}

/// One node of the tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Znode {
    pub(super) data: Arc<[u8]>,
    /// By name.
    pub(super) children: Map<Arc<str>, Znode>,
    pub(super) czxid: Zxid,
    pub(super) mzxid: Zxid,
    pub(super) pzxid: Zxid,
    pub(super) ctime_ms: u64,
    pub(super) mtime_ms: u64,
    pub(super) version: i32,
    /// How many children were ever created: the number of the next sequential one.
    pub(super) created: i32,
    pub(super) owner: Owner,
}

impl Znode {
    /// A node that was created just now.
    pub(super) fn new(zxid: Zxid, time_ms: u64, data: Arc<[u8]>, owner: Owner) -> Znode {
        Znode {
            data,
            children: Map::new(),
            czxid: zxid,
            mzxid: zxid,
            pzxid: zxid,
            ctime_ms: time_ms,
            mtime_ms: time_ms,
            version: 0,
            created: 0,
            owner,
        }
    }

    /// What the server tells about it.
    ///
    /// The changes among its children are not counted: they are worked out from the children ever created
    /// and those still there (`DataNode.copyStat`). The nodes that the server begins with count as never
    /// created, so `/` starts at -1.
    pub(super) fn stat(&self) -> Stat {
        let num_children = self.children.len();
        let still_there = i32::try_from(num_children).expect("fewer children than 2^31");
        Stat {
            czxid: self.czxid,
            mzxid: self.mzxid,
            ctime_ms: self.ctime_ms,
            mtime_ms: self.mtime_ms,
            version: self.version,
            cversion: self.created.wrapping_mul(2).wrapping_sub(still_there),
            ephemeral_owner: match self.owner {
                Owner::Session(session) => Some(session),
                // Nobody is told what the server keeps in this place for them.
                Owner::Nobody | Owner::Container | Owner::Ttl { .. } => None,
            },
            data_length: self.data.len(),
            num_children,
            pzxid: self.pzxid,
        }
    }
}
