//! What a transaction does to the tree.

use super::{Session, Tree, TtlNodes, below};
use crate::kernel::map::Map;
use crate::servers::zookeeper::error::Error;
use crate::servers::zookeeper::operation::{Change, ChangeKind, Mode, Operation, Outcome, Reply, Stamp, Transaction};
use crate::servers::zookeeper::path;
use crate::servers::zookeeper::znode::{Owner, Znode};
use std::sync::Arc;

/// The longest time to live: 40 bits.
const TTL_MS_MAX: i64 = (1 << 40) - 1;

impl Tree {
    /// Performs a transaction. Each operation costs O(log n), closing a session that for each of its nodes.
    ///
    /// A transaction that is refused leaves the tree as it was, but for [`Tree::last`].
    ///
    /// # Panics
    ///
    /// If the zxid is not higher than the last one.
    pub fn apply(&mut self, stamp: Stamp, transaction: &Transaction) -> Outcome {
        assert!(stamp.zxid > self.last, "zxid {:?} after {:?}", stamp.zxid, self.last);
        self.last = stamp.zxid;
        let mut changes = Vec::new();
        let reply = match transaction {
            Transaction::OpenSession { timeout_ms } => {
                self.open_session(stamp, *timeout_ms);
                Ok(Reply::Done)
            }
            Transaction::CloseSession => {
                self.close_session(stamp, &mut changes);
                Ok(Reply::Done)
            }
            Transaction::One(operation) => self.perform(stamp, operation, &mut changes),
            Transaction::Multi(operations) => Ok(Reply::Multi(self.perform_all(stamp, operations, &mut changes))),
            Transaction::DeleteContainer { path } => self.delete_container(stamp, path, &mut changes),
        };
        assert!(reply.is_ok() || changes.is_empty(), "{reply:?} after {changes:?}");
        Outcome { reply, changes }
    }

    /// Opens a session; one that is open keeps what it owns.
    fn open_session(&mut self, stamp: Stamp, timeout_ms: u64) {
        let ephemerals = self.sessions.remove(&stamp.session).map_or(Map::new(), |session| session.ephemerals);
        self.sessions.insert(stamp.session, Session { timeout_ms, ephemerals });
    }

    fn close_session(&mut self, stamp: Stamp, changes: &mut Vec<Change>) {
        let Some(session) = self.sessions.remove(&stamp.session) else { return };
        for path in session.ephemerals.keys() {
            self.remove(stamp, path, |_| Ok(()), changes).expect("what a session owns is in the tree");
        }
    }

    fn perform(&mut self, stamp: Stamp, operation: &Operation, changes: &mut Vec<Change>) -> Result<Reply, Error> {
        match operation {
            Operation::Create { path, data, mode } => self.create(stamp, path, data, *mode, changes),
            Operation::Delete { path, version } => self.delete(stamp, path, *version, changes),
            Operation::Set { path, data, version } => self.set(stamp, path, data, *version, changes),
            Operation::Check { path, version } => self.check(stamp, path, *version),
        }
    }

    /// Performs all of the operations, or none.
    fn perform_all(
        &mut self,
        stamp: Stamp,
        operations: &[Operation],
        changes: &mut Vec<Change>,
    ) -> Vec<Result<Reply, Error>> {
        let before = self.clone();
        let mut results = Vec::with_capacity(operations.len());
        for (place, operation) in operations.iter().enumerate() {
            let result = self.perform(stamp, operation, changes);
            let failed = result.is_err();
            results.push(result);
            if failed {
                *self = before;
                changes.clear();
                results[..place].fill(Err(Error::RolledBack));
                results.resize(operations.len(), Err(Error::RuntimeInconsistency));
                break;
            }
        }
        results
    }

    /// The order of the refusals is the server's: what is asked for, the session, the parent, the path.
    fn create(
        &mut self,
        stamp: Stamp,
        asked: &Arc<str>,
        data: &Arc<[u8]>,
        mode: Mode,
        changes: &mut Vec<Change>,
    ) -> Result<Reply, Error> {
        let owner = self.owner(stamp, mode)?;
        self.demand_session(stamp)?;
        let (parent, _) = path::split(asked)?;
        let parent = below(&mut self.root, parent).ok_or(Error::NoNode)?;
        let number = parent.created;
        let path = if mode.is_sequential() { Arc::from(format!("{asked}{number:010}")) } else { asked.clone() };
        path::validate(&path)?;
        // The root is the only one without a name, and always there.
        let (_, name) = path::split(&path)?;
        if name.is_empty() || parent.children.contains(name) {
            return Err(Error::NodeExists);
        }
        if matches!(parent.owner, Owner::Session(_)) {
            return Err(Error::NoChildrenForEphemerals);
        }
        let node = Znode::new(stamp.zxid, stamp.time_ms, data.clone(), owner);
        let stat = node.stat();
        parent.children.insert(Arc::from(name), node);
        // At the end of its range the counter stays as it is, and so does the zxid beside it.
        if let Some(created) = parent.created.checked_add(1) {
            parent.created = created;
            parent.pzxid = stamp.zxid;
        }
        match owner {
            Owner::Session(owner) => {
                let session = self.sessions.get_mut(&owner).expect("it was demanded");
                session.ephemerals.insert(path.clone(), ());
            }
            Owner::Container | Owner::Ttl { .. } => {
                self.mortals.insert(path.clone(), ());
            }
            Owner::Nobody => {}
        }
        changes.push(Change { kind: ChangeKind::Created, path: path.clone() });
        Ok(Reply::Created { path, stat })
    }

    fn delete(
        &mut self,
        stamp: Stamp,
        path: &str,
        version: Option<i32>,
        changes: &mut Vec<Change>,
    ) -> Result<Reply, Error> {
        self.demand_session(stamp)?;
        path::split(path)?;
        if path::is_special(path) {
            return Err(Error::BadArguments);
        }
        let allows = |node: &Znode| {
            demand_version(node, version)?;
            if node.children.is_empty() { Ok(()) } else { Err(Error::NotEmpty) }
        };
        self.remove(stamp, path, allows, changes)
    }

    /// Plain nodes can be deleted so too, ephemeral ones cannot (`OpCode.deleteContainer`).
    fn delete_container(&mut self, stamp: Stamp, path: &str, changes: &mut Vec<Change>) -> Result<Reply, Error> {
        path::split(path)?;
        if path::is_special(path) {
            return Err(Error::BadArguments);
        }
        let allows = |node: &Znode| match node.owner {
            _ if !node.children.is_empty() => Err(Error::NotEmpty),
            Owner::Session(_) => Err(Error::BadVersion),
            Owner::Nobody | Owner::Container | Owner::Ttl { .. } => Ok(()),
        };
        self.remove(stamp, path, allows, changes)
    }

    fn set(
        &mut self,
        stamp: Stamp,
        path: &Arc<str>,
        data: &Arc<[u8]>,
        version: Option<i32>,
        changes: &mut Vec<Change>,
    ) -> Result<Reply, Error> {
        self.check(stamp, path, version)?;
        let node = self.node_mut(path).expect("its version was looked at");
        node.data = data.clone();
        node.version = node.version.wrapping_add(1);
        node.mzxid = stamp.zxid;
        node.mtime_ms = stamp.time_ms;
        changes.push(Change { kind: ChangeKind::Data, path: path.clone() });
        Ok(Reply::Set(node.stat()))
    }

    fn check(&self, stamp: Stamp, path: &str, version: Option<i32>) -> Result<Reply, Error> {
        self.demand_session(stamp)?;
        path::validate(path)?;
        demand_version(self.node(path)?, version)?;
        Ok(Reply::Done)
    }

    /// Whose a node of this mode will be.
    fn owner(&self, stamp: Stamp, mode: Mode) -> Result<Owner, Error> {
        match mode {
            Mode::Persistent { .. } => Ok(Owner::Nobody),
            Mode::Ephemeral { .. } => Ok(Owner::Session(stamp.session)),
            Mode::Container => Ok(Owner::Container),
            Mode::Ttl { .. } if self.ttl_nodes == TtlNodes::Refused => Err(Error::Unimplemented),
            Mode::Ttl { ttl_ms, .. } => match u64::try_from(ttl_ms) {
                Ok(ttl_ms @ 1..) if ttl_ms <= TTL_MS_MAX as u64 => Ok(Owner::Ttl { ttl_ms }),
                Ok(_) | Err(_) => Err(Error::BadArguments),
            },
        }
    }

    fn demand_session(&self, stamp: Stamp) -> Result<(), Error> {
        if self.is_open(stamp.session) { Ok(()) } else { Err(Error::SessionExpired) }
    }

    /// Takes a node out of the tree that allows it; it must have no children.
    fn remove(
        &mut self,
        stamp: Stamp,
        path: &str,
        allows: impl Fn(&Znode) -> Result<(), Error>,
        changes: &mut Vec<Change>,
    ) -> Result<Reply, Error> {
        let (parent, name) = path::split(path)?;
        let parent = below(&mut self.root, parent).ok_or(Error::NoNode)?;
        allows(parent.children.get(name).ok_or(Error::NoNode)?)?;
        let node = parent.children.remove(name).expect("it was looked at");
        assert!(node.children.is_empty(), "{path} has {} children", node.children.len());
        parent.pzxid = stamp.zxid;
        match node.owner {
            Owner::Session(owner) => {
                // A session that is being closed has been taken out.
                if let Some(session) = self.sessions.get_mut(&owner) {
                    session.ephemerals.remove(path);
                }
            }
            Owner::Container | Owner::Ttl { .. } => {
                self.mortals.remove(path);
            }
            Owner::Nobody => {}
        }
        changes.push(Change { kind: ChangeKind::Deleted, path: Arc::from(path) });
        Ok(Reply::Done)
    }
}

fn demand_version(node: &Znode, version: Option<i32>) -> Result<(), Error> {
    if version.is_none_or(|version| version == node.version) { Ok(()) } else { Err(Error::BadVersion) }
}
