//! Who waits for what at one server, and who is told when it happens.
//!
//! Watches are kept by the server that a session is connected to, are not replicated, and end with the
//! connection: a client sets them again when it has found another server.

use super::error::Error;
use super::operation::{Change, ChangeKind};
use super::path;
use super::tree::Tree;
use super::znode::{SessionId, Zxid};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The watches of one server.
///
/// Source: `WatchManager` of ZooKeeper 3.8.0, once for watches on a node and its data, and once for those on
/// its children.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Watches {
    data: Table,
    children: Table,
}

/// For how long and of what a watch tells. A session has one of a kind on a path: the last one set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WatchMode {
    /// Of the next event of its path.
    Standard,
    /// Of every event of its path, until it is removed.
    Persistent,
    /// Of every event of its path and of all below, but for changes of children, until it is removed.
    PersistentRecursive,
}

/// Which watches to remove.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WatchKind {
    /// Those on a node and its data.
    Data,
    /// Those on its children.
    Children,
    /// Both.
    Any,
}

/// What a watch tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// To whom.
    pub session: SessionId,
    /// What happened.
    pub kind: EventKind,
    /// To which node.
    pub path: Arc<str>,
}

/// What a watch can tell of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum EventKind {
    /// The node was created.
    Created,
    /// The node was deleted.
    Deleted,
    /// The data of the node was set.
    Changed,
    /// A child of the node was created or deleted.
    Child,
}

/// The watches that a client had when it lost its connection, and the last zxid that it has seen.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Remembered {
    /// The last zxid of which it had word.
    pub zxid: Zxid,
    /// Standard watches on the data of nodes that were there.
    pub data: Vec<Arc<str>>,
    /// Standard watches on nodes that were not there.
    pub exist: Vec<Arc<str>>,
    /// Standard watches on children.
    pub children: Vec<Arc<str>>,
    /// Persistent watches.
    pub persistent: Vec<Arc<str>>,
    /// Persistent recursive watches.
    pub recursive: Vec<Arc<str>>,
}

impl Watches {
    /// No watches.
    pub fn new() -> Watches {
        Watches::default()
    }

    /// How many watches there are.
    pub fn count(&self) -> usize {
        self.data.count() + self.children.count()
    }

    /// Sets a standard watch on a node and its data, or on a node that is not there yet.
    pub fn watch_data(&mut self, session: SessionId, path: &Arc<str>) {
        self.data.add(session, path, WatchMode::Standard);
    }

    /// Sets a standard watch on the children of a node.
    pub fn watch_children(&mut self, session: SessionId, path: &Arc<str>) {
        self.children.add(session, path, WatchMode::Standard);
    }

    /// Sets a watch of this mode on a node, its data and its children, whether it is there or not (`addWatch`).
    pub fn add(&mut self, session: SessionId, path: &Arc<str>, mode: WatchMode) {
        self.data.add(session, path, mode);
        self.children.add(session, path, mode);
    }

    /// Removes watches of a session on a path.
    ///
    /// # Errors
    ///
    /// [`Error::NoWatcher`] if there is none.
    pub fn remove(&mut self, session: SessionId, path: &str, kind: WatchKind) -> Result<(), Error> {
        let data = kind != WatchKind::Children && self.data.remove(session, path);
        let children = kind != WatchKind::Data && self.children.remove(session, path);
        if data || children { Ok(()) } else { Err(Error::NoWatcher) }
    }

    /// Forgets all watches of a session: its connection is gone.
    pub fn forget(&mut self, session: SessionId) {
        self.data.forget(session);
        self.children.forget(session);
    }

    /// Tells everyone who waits for this change, in the order in which a connection gets the words. Of several
    /// sessions that hear the same, the lower comes first (the real server has no definite order).
    ///
    /// A session that watches both the data and the children of a deleted node is told once.
    ///
    /// Source: `DataTree.createNode`, `deleteNode` and `setData`.
    pub fn fire(&mut self, change: &Change) -> Vec<Event> {
        let mut events = Vec::new();
        let mut tell = |sessions: &BTreeSet<SessionId>, kind, path: &Arc<str>| {
            events.extend(sessions.iter().map(|session| Event { session: *session, kind, path: path.clone() }));
        };
        let of_path = match change.kind {
            ChangeKind::Created => EventKind::Created,
            ChangeKind::Deleted => EventKind::Deleted,
            ChangeKind::Data => EventKind::Changed,
        };
        let told = self.data.trigger(&change.path, of_path);
        tell(&told, of_path, &change.path);
        if change.kind == ChangeKind::Deleted {
            let mut others = self.children.trigger(&change.path, of_path);
            others.retain(|session| !told.contains(session));
            tell(&others, of_path, &change.path);
        }
        if change.kind != ChangeKind::Data {
            let (parent, _) = path::split(&change.path).expect("a node has a parent");
            let parent = Arc::from(path::visible(parent));
            tell(&self.children.trigger(&parent, EventKind::Child), EventKind::Child, &parent);
        }
        events
    }

    /// Sets the watches again that a client had at another server, or tells at once what it has missed.
    ///
    /// A node that was deleted and created again is taken for changed, if it was watched for its data.
    ///
    /// Source: `DataTree.setWatches`.
    pub fn set_again(&mut self, tree: &Tree, session: SessionId, remembered: &Remembered) -> Vec<Event> {
        let mut events = Vec::new();
        let mut tell = |kind, path: &Arc<str>| events.push(Event { session, kind, path: path.clone() });
        for path in &remembered.data {
            match tree.stat(path) {
                Err(_) => tell(EventKind::Deleted, path),
                Ok(stat) if stat.mzxid > remembered.zxid => tell(EventKind::Changed, path),
                Ok(_) => self.watch_data(session, path),
            }
        }
        for path in &remembered.exist {
            match tree.stat(path) {
                Ok(_) => tell(EventKind::Created, path),
                Err(_) => self.watch_data(session, path),
            }
        }
        for path in &remembered.children {
            match tree.stat(path) {
                Err(_) => tell(EventKind::Deleted, path),
                Ok(stat) if stat.pzxid > remembered.zxid => tell(EventKind::Child, path),
                Ok(_) => self.watch_children(session, path),
            }
        }
        remembered.persistent.iter().for_each(|path| self.add(session, path, WatchMode::Persistent));
        remembered.recursive.iter().for_each(|path| self.add(session, path, WatchMode::PersistentRecursive));
        events
    }
}

/// The watches of one kind: by path, and where each session has some.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
struct Table {
    by_path: BTreeMap<Arc<str>, BTreeMap<SessionId, WatchMode>>,
    by_session: BTreeMap<SessionId, BTreeSet<Arc<str>>>,
    /// How many are recursive: while there is none, nobody looks at ancestors.
    recursive: usize,
}

impl Table {
    fn count(&self) -> usize {
        self.by_session.values().map(BTreeSet::len).sum()
    }

    fn add(&mut self, session: SessionId, path: &Arc<str>, mode: WatchMode) {
        let old = self.by_path.entry(path.clone()).or_default().insert(session, mode);
        self.recursive += usize::from(mode == WatchMode::PersistentRecursive);
        self.recursive -= usize::from(old == Some(WatchMode::PersistentRecursive));
        self.by_session.entry(session).or_default().insert(path.clone());
    }

    /// Removes a watch, and says whether there was one.
    fn remove(&mut self, session: SessionId, path: &str) -> bool {
        let Some(watchers) = self.by_path.get_mut(path) else { return false };
        let Some(mode) = watchers.remove(&session) else { return false };
        if watchers.is_empty() {
            self.by_path.remove(path);
        }
        self.recursive -= usize::from(mode == WatchMode::PersistentRecursive);
        let paths = self.by_session.get_mut(&session).expect("who watches is in both indices");
        assert!(paths.remove(path), "{session:?} watches {path} in one index only");
        if paths.is_empty() {
            self.by_session.remove(&session);
        }
        true
    }

    fn forget(&mut self, session: SessionId) {
        for path in self.by_session.get(&session).cloned().unwrap_or_default() {
            self.remove(session, &path);
        }
    }

    /// Who is to be told that this has happened to this path. Standard watches that tell are used up.
    fn trigger(&mut self, path: &str, kind: EventKind) -> BTreeSet<SessionId> {
        let mut told = BTreeSet::new();
        let mut used_up = Vec::new();
        for (session, mode) in self.by_path.get(path).into_iter().flatten() {
            match mode {
                WatchMode::Standard => used_up.push(*session),
                WatchMode::Persistent => {}
                WatchMode::PersistentRecursive if kind == EventKind::Child => continue,
                WatchMode::PersistentRecursive => {}
            }
            told.insert(*session);
        }
        for session in used_up {
            self.remove(session, path);
        }
        if self.recursive > 0 && kind != EventKind::Child {
            for ancestor in path::ancestors(path).skip(1) {
                let watchers = self.by_path.get(ancestor).into_iter().flatten();
                let recursive = watchers.filter(|(_, mode)| **mode == WatchMode::PersistentRecursive);
                told.extend(recursive.map(|(session, _)| *session));
            }
        }
        told
    }
}

#[cfg(test)]
mod tests;
