//! What clients of ZooKeeper's locks ask and what they are answered.
//!
//! A client that wants to know where it stands asks the real server for all children of the lock, and picks the two that
//! matter. Here the server picks them, by the order that the client names.

use crate::kernel::digest::{Digest, Digestible};
use crate::protocols::lock::claim::{ClaimId, LockId};
use crate::protocols::lock::message::Call;
use crate::servers::zookeeper::znode::{SessionId, Zxid};
use std::sync::Arc;

/// What a node stands for. Of equal number, the first comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Sort {
    /// To hold a lock that cannot be shared.
    Lock,
    /// To hold a lock alone that can be shared.
    Write,
    /// To share it.
    Read,
}

impl Sort {
    const ALL: [Sort; 3] = [Sort::Lock, Sort::Write, Sort::Read];

    /// As it stands in names.
    pub const fn word(self) -> &'static str {
        match self {
            Sort::Lock => "lock",
            Sort::Write => "write",
            Sort::Read => "read",
        }
    }
}

/// A node in the queue of a lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Node {
    /// The lock.
    pub lock: LockId,
    /// Whose it is.
    pub claim: ClaimId,
    /// What it stands for.
    pub sort: Sort,
    /// Its number in the queue.
    pub number: u32,
}

impl Node {
    /// Where its lock is in the tree.
    pub fn parent(lock: LockId) -> String {
        format!("/lock-{}", lock.0)
    }

    /// Its path without the number.
    pub fn stem(lock: LockId, claim: ClaimId, sort: Sort) -> String {
        format!("/lock-{}/{:016x}-{}-", lock.0, claim.0, sort.word())
    }

    /// Its path.
    pub fn path(&self) -> Arc<str> {
        Arc::from(format!("{}{:010}", Node::stem(self.lock, self.claim, self.sort), self.number))
    }

    /// The node of this path; `None` if it is not of a queue.
    pub fn parse(path: &str) -> Option<Node> {
        let (lock, rest) = path.strip_prefix("/lock-")?.split_once('/')?;
        let mut parts = rest.split('-');
        let (claim, word, number) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Node {
            lock: LockId(lock.parse().ok()?),
            claim: ClaimId(u64::from_str_radix(claim, 16).ok()?),
            sort: Sort::ALL.into_iter().find(|sort| sort.word() == word)?,
            number: number.parse().ok()?,
        })
    }
}

/// In which order a client takes the nodes of a queue to stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// By their numbers.
    Number,
    /// By their names, which begin with what their clients have chosen.
    Name,
}

/// What goes through the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Write {
    /// Open a session.
    Open {
        /// Its time-out in milliseconds, negotiated.
        timeout_ms: u64,
    },
    /// End a session.
    Close {
        /// Which.
        session: SessionId,
    },
    /// Create an ephemeral node.
    Create {
        /// Whose it is.
        session: SessionId,
        /// In which queue.
        lock: LockId,
        /// For which claim.
        claim: ClaimId,
        /// What for.
        sort: Sort,
        /// Its number, if it does not get the next one.
        number: Option<u32>,
    },
    /// Delete a node.
    Delete {
        /// On whose behalf.
        session: SessionId,
        /// Which.
        node: Node,
    },
    /// Change nothing: whoever is answered has caught up.
    Sync {
        /// On whose behalf.
        session: SessionId,
    },
}

/// What a client asks. All but the first four belong to a connection, which is known by the call that has made it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Question {
    /// To bring this into the log: to open or end a session.
    Outside(Write),
    /// To be connected with this server.
    Attach {
        /// In which session.
        session: SessionId,
        /// The last change of which the client has had word.
        seen: Zxid,
        /// What it watches.
        watches: Vec<Node>,
    },
    /// Of a server to its leader: a client comes back with its session.
    Reattach {
        /// Which.
        session: SessionId,
        /// What has made its connection.
        made: Call,
    },
    /// Of a server to its leader: a client has been heard.
    Touch {
        /// Its session.
        session: SessionId,
        /// How many events the server has sent on this connection.
        events: u32,
    },
    /// To let the session live its whole time again.
    Beat(Call),
    /// To bring this into the log.
    Write(Call, Write),
    /// For all nodes of a claim.
    Find(Call, LockId, ClaimId),
    /// Where a node stands.
    Look(Call, Node, Order),
    /// Whether a node is there, and then to be told when it is gone. As Curator asks, with `getData`: `exists` would leave a
    /// watch behind where there is no node.
    Exists(Call, Node),
}

/// What it is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The session is open.
    Opened {
        /// Its number.
        session: SessionId,
        /// Its time-out in milliseconds.
        timeout_ms: u64,
    },
    /// The client is connected; its session lives its whole time again.
    Attached,
    /// The session lives its whole time again.
    Alive {
        /// How many events were sent on this connection.
        events: u32,
    },
    /// The session is no more.
    Expired,
    /// The server is behind what the client has seen, and sends it away.
    Behind,
    /// There is no such connection.
    Disconnected,
    /// The node was created, or was there already.
    Created(Node),
    /// The nodes of a claim, by name, and whose they are.
    Found(Vec<(Node, SessionId)>),
    /// Where a node stands.
    Place {
        /// Whether it is there.
        is_there: bool,
        /// The first node of the queue and the one that it waits for, if it does.
        ahead: Option<(Node, Node)>,
    },
    /// Whether the node is there.
    Exists(bool),
    /// The node is gone; whether it was there.
    Gone(bool),
    /// It is done.
    Done,
}

/// Their names, as [`Question::label`] has them, and that of what a server tells unasked.
pub const MESSAGES: [&str; 10] =
    ["Open", "Close", "Create", "Delete", "Sync", "Attach", "Beat", "GetChildren", "GetData", "NodeGone"];

impl Question {
    /// What it asks for.
    pub const fn label(&self) -> &'static str {
        match self {
            Question::Outside(write) | Question::Write(_, write) => match write {
                Write::Open { .. } => "Open",
                Write::Close { .. } => "Close",
                Write::Create { .. } => "Create",
                Write::Delete { .. } => "Delete",
                Write::Sync { .. } => "Sync",
            },
            Question::Attach { .. } | Question::Reattach { .. } => "Attach",
            Question::Touch { .. } | Question::Beat(_) => "Beat",
            Question::Find(..) | Question::Look(..) => "GetChildren",
            Question::Exists(..) => "GetData",
        }
    }
}

impl Write {
    /// Whose it is, if it belongs to a session that is open.
    pub const fn session(&self) -> Option<SessionId> {
        match self {
            Write::Open { .. } => None,
            Write::Close { session }
            | Write::Create { session, .. }
            | Write::Delete { session, .. }
            | Write::Sync { session } => Some(*session),
        }
    }
}

impl Digestible for Node {
    fn digest(&self, digest: &mut Digest) {
        digest.pair(u64::from(self.lock.0) << 32 | u64::from(self.number), self.claim.0);
        digest.word(self.sort as u64);
    }
}

impl Digestible for Write {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Write::Open { timeout_ms } => digest.pair(1, *timeout_ms),
            Write::Close { session } => digest.pair(2, session.0),
            Write::Create { session, lock, claim, sort, number } => {
                digest.pair(3 << 32 | u64::from(lock.0), claim.0);
                digest.pair(*sort as u64, session.0);
                digest.word(number.map_or(0, |number| u64::from(number) + 1));
            }
            Write::Delete { session, node } => {
                digest.pair(4, session.0);
                node.digest(digest);
            }
            Write::Sync { session } => digest.pair(5, session.0),
        }
    }
}

impl Digestible for Question {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Question::Outside(write) => write.digest(digest),
            Question::Attach { session, seen, watches } => {
                digest.pair(11, session.0);
                digest.pair(seen.0, watches.len() as u64);
                watches.iter().for_each(|node| node.digest(digest));
            }
            Question::Reattach { session, made } => {
                digest.pair(12, session.0);
                made.digest(digest);
            }
            Question::Touch { session, events } => digest.pair(13 << 32 | u64::from(*events), session.0),
            Question::Beat(connection) => {
                digest.word(14);
                connection.digest(digest);
            }
            Question::Write(connection, write) => {
                connection.digest(digest);
                write.digest(digest);
            }
            Question::Find(connection, lock, claim) => {
                connection.digest(digest);
                digest.pair(15 << 32 | u64::from(lock.0), claim.0);
            }
            Question::Look(connection, node, order) => {
                connection.digest(digest);
                digest.pair(16, *order as u64);
                node.digest(digest);
            }
            Question::Exists(connection, node) => {
                connection.digest(digest);
                digest.word(17);
                node.digest(digest);
            }
        }
    }
}

impl Digestible for Answer {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Answer::Opened { session, timeout_ms } => digest.pair(1 << 32 | *timeout_ms, session.0),
            Answer::Attached => digest.word(2),
            Answer::Alive { events } => digest.pair(3, u64::from(*events)),
            Answer::Expired => digest.word(4),
            Answer::Behind => digest.word(5),
            Answer::Disconnected => digest.word(6),
            Answer::Created(node) => {
                digest.word(7);
                node.digest(digest);
            }
            Answer::Found(nodes) => {
                digest.pair(8, nodes.len() as u64);
                nodes.iter().for_each(|(node, session)| {
                    digest.word(session.0);
                    node.digest(digest);
                });
            }
            Answer::Place { is_there, ahead } => {
                digest.pair(9, u64::from(*is_there));
                if let Some((first, ahead)) = ahead {
                    first.digest(digest);
                    ahead.digest(digest);
                }
            }
            Answer::Exists(is_there) => digest.pair(10, u64::from(*is_there)),
            Answer::Gone(was_there) => digest.pair(11, u64::from(*was_there)),
            Answer::Done => digest.word(12),
        }
    }
}
