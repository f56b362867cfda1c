//! What clients ask for that changes nothing but their watches.

use super::error::Error;
use super::path;
use super::tree::Tree;
use super::watches::{WatchKind, WatchMode, Watches};
use super::znode::{SessionId, Stat};
use std::sync::Arc;

/// A question that the server of the session answers from its own replica, which may be behind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Query {
    /// What a node holds.
    Get {
        /// Which.
        path: Arc<str>,
        /// Whether to tell of the next change of the node. Nothing is watched if there is no such node.
        watch: bool,
    },
    /// Whether a node is there.
    Exists {
        /// Which.
        path: Arc<str>,
        /// Whether to tell of the next change of the node, or of its creation.
        watch: bool,
    },
    /// What children a node has.
    Children {
        /// Which.
        path: Arc<str>,
        /// Whether to tell of the next child that comes or goes, or of the end of the node. Nothing is watched
        /// if there is no such node.
        watch: bool,
    },
    /// How many nodes are below a node, at any depth. Costs O(that many).
    CountBelow {
        /// Which.
        path: Arc<str>,
    },
    /// What ephemeral nodes the session has. Costs O(how many it has).
    Ephemerals {
        /// With what their paths begin; not necessarily at a slash. "", blanks and "/" stand for all.
        prefix: Arc<str>,
    },
    /// Sets a watch, whether the node is there or not.
    AddWatch {
        /// On which node.
        path: Arc<str>,
        /// Of what and how long it tells.
        mode: WatchMode,
    },
    /// Removes the session's watches on a node.
    RemoveWatches {
        /// On which node.
        path: Arc<str>,
        /// Of which kind.
        kind: WatchKind,
    },
    /// Comes back when the server has caught up with what the leader had when it was asked: it is who embeds
    /// the tree that sees to this, by sending it the way of the changes.
    Sync {
        /// Of no consequence.
        path: Arc<str>,
    },
}

/// What a session is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It is done, and there is no more to say.
    Done,
    /// What a node holds.
    Data(Arc<[u8]>, Stat),
    /// The node is there.
    Stat(Stat),
    /// The names of the children, in their order.
    Children(Vec<Arc<str>>, Stat),
    /// How many there are.
    Count(usize),
    /// The paths, in their order.
    Ephemerals(Vec<Arc<str>>),
    /// The path that was given.
    Synced(Arc<str>),
}

/// Answers a question of a session, and sets or removes its watches.
///
/// Source: `FinalRequestProcessor`.
///
/// # Errors
///
/// [`Error::SessionExpired`] before all others. [`Error::NoNode`] of all that ask about one node, also of
/// [`Query::Exists`], whose watch is set all the same. [`Error::BadArguments`] of a zero character there.
/// [`Error::NoWatcher`] if there was no watch to remove.
pub fn answer(tree: &Tree, watches: &mut Watches, session: SessionId, query: &Query) -> Result<Answer, Error> {
    if !tree.is_open(session) {
        return Err(Error::SessionExpired);
    }
    match query {
        Query::Get { path, watch } => {
            let (data, stat) = tree.get(path)?;
            if *watch {
                watches.watch_data(session, path);
            }
            Ok(Answer::Data(data.clone(), stat))
        }
        Query::Exists { path, watch } => {
            if path.contains('\0') {
                return Err(Error::BadArguments);
            }
            if *watch {
                watches.watch_data(session, path);
            }
            Ok(Answer::Stat(tree.stat(path)?))
        }
        Query::Children { path, watch } => {
            let children = tree.children(path)?.cloned().collect();
            if *watch {
                watches.watch_children(session, path);
            }
            Ok(Answer::Children(children, tree.stat(path)?))
        }
        Query::CountBelow { path } => count_below(tree, path).map(Answer::Count),
        Query::Ephemerals { prefix } => {
            let all = matches!(prefix.trim(), "" | "/");
            let paths = tree.ephemerals(session).filter(|path| all || path.starts_with(prefix.as_ref()));
            Ok(Answer::Ephemerals(paths.cloned().collect()))
        }
        Query::AddWatch { path, mode } => {
            watches.add(session, path, *mode);
            Ok(Answer::Done)
        }
        Query::RemoveWatches { path, kind } => watches.remove(session, path, *kind).map(|()| Answer::Done),
        Query::Sync { path } => Ok(Answer::Synced(path.clone())),
    }
}

fn count_below(tree: &Tree, path: &str) -> Result<usize, Error> {
    let mut waiting = vec![path.to_owned()];
    tree.stat(path)?;
    let mut count = 0;
    while let Some(path) = waiting.pop() {
        let parent = path.strip_suffix('/').unwrap_or(&path);
        waiting.extend(tree.children(&path)?.map(|name| path::join(parent, name)));
        count += tree.stat(&path)?.num_children;
    }
    Ok(count)
}
