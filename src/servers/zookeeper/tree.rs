//! The replicated state: the tree of nodes, and the sessions.
//!
//! Servers that apply the same transactions with the same stamps have the same tree and give the same replies.

mod apply;
#[cfg(test)]
mod tests;

use super::error::Error;
use super::znode::{Owner, SessionId, Stat, Znode, Zxid};
use crate::kernel::map::Map;
use std::sync::Arc;

/// The nodes and the sessions, as of some zxid. A clone is a snapshot, and costs O(1).
///
/// Source: `DataTree` and `PrepRequestProcessor` of ZooKeeper 3.8. There are no access lists and no quotas.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tree {
    last: Zxid,
    ttl_nodes: TtlNodes,
    root: Znode,
    /// The sessions that are open, with what they own.
    sessions: Map<SessionId, Session>,
    /// The containers and the nodes with a time to live.
    mortals: Map<Arc<str>, ()>,
}

/// Whether the server lets nodes have a time to live (its property `extendedTypesEnabled`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TtlNodes {
    /// They are refused as [`Error::Unimplemented`]. The server's default.
    Refused,
    /// They are allowed.
    Allowed,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Session {
    timeout_ms: u64,
    ephemerals: Map<Arc<str>, ()>,
}

impl Tree {
    /// What a new server begins with: the root, and the nodes for the server's own use.
    pub fn new(ttl_nodes: TtlNodes) -> Tree {
        let node = || Znode::new(Zxid(0), 0, Arc::from([]), Owner::Nobody);
        let (mut root, mut own) = (node(), node());
        for name in ["config", "quota"] {
            own.children.insert(Arc::from(name), node());
        }
        root.children.insert(Arc::from("zookeeper"), own);
        Tree { last: Zxid(0), ttl_nodes, root, sessions: Map::new(), mortals: Map::new() }
    }

    /// The number of the last transaction.
    pub fn last(&self) -> Zxid {
        self.last
    }

    /// What a node holds, and what it is like.
    ///
    /// # Errors
    ///
    /// [`Error::NoNode`]; a malformed path is not told from a missing node.
    pub fn get(&self, path: &str) -> Result<(&Arc<[u8]>, Stat), Error> {
        let node = self.node(path)?;
        Ok((&node.data, node.stat()))
    }

    /// What a node is like.
    ///
    /// # Errors
    ///
    /// [`Error::NoNode`].
    pub fn stat(&self, path: &str) -> Result<Stat, Error> {
        Ok(self.node(path)?.stat())
    }

    /// The names of a node's children in their order (the real server has no definite order).
    ///
    /// # Errors
    ///
    /// [`Error::NoNode`].
    pub fn children(&self, path: &str) -> Result<impl Iterator<Item = &Arc<str>>, Error> {
        Ok(self.node(path)?.children.keys())
    }

    /// The paths of the ephemeral nodes of a session, in their order.
    pub fn ephemerals(&self, session: SessionId) -> impl Iterator<Item = &Arc<str>> {
        self.sessions.get(&session).into_iter().flat_map(|session| session.ephemerals.keys())
    }

    /// The open sessions with their time-outs in milliseconds, in order: those that a new leader tracks.
    pub fn sessions(&self) -> impl Iterator<Item = (SessionId, u64)> {
        self.sessions.iter().map(|(id, session)| (*id, session.timeout_ms))
    }

    /// Whether a session is open.
    pub fn is_open(&self, session: SessionId) -> bool {
        self.sessions.get(&session).is_some()
    }

    /// The containers that have had children and have none any more, and the nodes whose time to live is over
    /// at this time of the leader's wall clock. The leader looks for them every minute, and asks for a
    /// [`DeleteContainer`] of each. Costs O(how many nodes are of these kinds).
    ///
    /// Source: `ContainerManager.getCandidates`.
    ///
    /// [`DeleteContainer`]: super::operation::Transaction::DeleteContainer
    pub fn overdue(&self, now_ms: u64) -> impl Iterator<Item = &Arc<str>> {
        self.mortals.keys().filter(move |path| {
            let node = self.node(path).expect("a node of the index is in the tree");
            node.children.is_empty()
                && match node.owner {
                    Owner::Container => node.created > 0,
                    Owner::Ttl { ttl_ms } => now_ms.saturating_sub(node.mtime_ms) > ttl_ms,
                    Owner::Nobody | Owner::Session(_) => unreachable!("{path} is not of the index's kinds"),
                }
        })
    }

    fn node(&self, path: &str) -> Result<&Znode, Error> {
        let mut names = names(path).ok_or(Error::NoNode)?;
        names.try_fold(&self.root, |node, name| node.children.get(name)).ok_or(Error::NoNode)
    }

    fn node_mut(&mut self, path: &str) -> Option<&mut Znode> {
        below(&mut self.root, path)
    }
}

/// The node at a path from this root.
fn below<'a>(root: &'a mut Znode, path: &str) -> Option<&'a mut Znode> {
    names(path)?.try_fold(root, |node, name| node.children.get_mut(name))
}

/// The names on the way from the root to a path, which are none if it is the root itself, "/" or "". `None` if a path
/// does not begin with a slash, so that nothing is there.
fn names(path: &str) -> Option<impl Iterator<Item = &str>> {
    let names = if path == "/" { "" } else { path };
    let below = if names.is_empty() { None } else { Some(names.strip_prefix('/')?.split('/')) };
    Some(below.into_iter().flatten())
}
