//! What nodes of a lock service tell each other, and what they keep on disk.

use super::claim::ClaimId;
use super::claim::{Claim, LockId, Token};
use super::ensemble::Proposal;
use super::ensemble::machine::{Asked, Command, Machine};
use super::{database, lease, redis, zookeeper};
use crate::kernel::digest::{Digest, Digestible};
use crate::kernel::time::Time;
use crate::protocol::NodeId;
use crate::protocols::raft::message as raft;
use crate::servers::zookeeper::znode::Zxid;

/// One question of a client: its place among all that this client has asked since it started, and when that was. A later
/// one is greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Call {
    /// When in the run the client started, as its own clock ticks.
    pub started: Time,
    /// Counts its questions since.
    pub number: u32,
}

/// What clients ask servers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// A command of Redis.
    Redis(redis::Command),
    /// A question about leases and their keys.
    Lease(lease::command::Question),
    /// A question about ZooKeeper's sessions and nodes.
    ZooKeeper(zookeeper::command::Question),
    /// A command for a database.
    Database(database::command::Command),
}

/// What servers answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// A reply of Redis.
    Redis(redis::Reply),
    /// An answer about leases and their keys.
    Lease(lease::command::Answer),
    /// An answer about ZooKeeper's sessions and nodes, and the last change of which the server knew; 0 if it does not say.
    ZooKeeper(zookeeper::command::Answer, Zxid),
    /// An answer of a database.
    Database(database::command::Answer),
    /// Of an ensemble: nobody leads, as far as the server knows.
    Leaderless,
}

/// What servers tell clients unasked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Of leases: a key that was watched is gone.
    KeyGone {
        /// Who has watched it.
        waiter: ClaimId,
        /// The key. A claim whose lease was lost has another one, under a new lease.
        key: lease::command::Key,
        /// The revision at which it was removed; `None` if it is too long ago to know.
        revision: Option<i64>,
    },
    /// Of ZooKeeper: a node that was watched is gone.
    NodeGone {
        /// On which connection: the call that has made it.
        connection: Call,
        /// Counts the events on that connection, from 1.
        number: u32,
        /// The node.
        node: zookeeper::command::Node,
        /// The last change of which the server knew.
        zxid: Zxid,
    },
    /// Of a database: it has ended a connection, and what that held is free.
    Disconnected(database::command::Connection),
}

/// What servers tell each other.
#[derive(Clone, PartialEq, Debug)]
pub enum Peer {
    /// Between a primary of Redis and its replicas.
    Redis(redis::failover::message::Peer),
    /// Of an ensemble, to its leader: to be brought into the log.
    Forward {
        /// Whose question it is and which, if it is one.
        asked: Option<Asked>,
        /// What it does.
        proposal: Proposal,
    },
    /// Of an ensemble, to its leader: to be answered by it.
    Pass {
        /// Who asks.
        client: NodeId,
        /// Which question.
        call: Call,
        /// What.
        request: Request,
    },
    /// Of an ensemble, from its leader: the answer.
    Passed {
        /// Who has asked.
        client: NodeId,
        /// Which question.
        call: Call,
        /// What it is answered.
        reply: Reply,
    },
}

/// A write to what a lock guards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// By what right.
    pub claim: Claim,
    /// The token that came with the lock, if one did.
    pub token: Option<Token>,
    /// When in the run the client started, as its own clock ticks.
    pub started: Time,
    /// Counts its accesses since.
    pub serial: u64,
}

/// A message.
#[derive(Clone, Debug)]
pub enum Message {
    /// Between servers of an ensemble.
    Raft(raft::Message<Machine>),
    /// From a client to a server.
    Request(Call, Request),
    /// The answer.
    Reply(Call, Reply),
    /// From a server to a client, unasked.
    Event(Event),
    /// Between servers.
    Peer(Peer),
    /// From a client to the resource.
    Access(Access),
    /// The answer: whether it was taken.
    Accessed {
        /// Of which access.
        serial: u64,
        /// Whether the resource has accepted it.
        accepted: bool,
    },
}

impl Message {
    /// What kind of message it is.
    pub fn label(&self) -> &'static str {
        match self {
            Message::Raft(message) => message.label(),
            Message::Request(_, Request::Redis(command)) => command.label(),
            Message::Request(_, Request::Lease(question)) => question.label(),
            Message::Request(_, Request::ZooKeeper(question)) => question.label(),
            Message::Request(_, Request::Database(command)) => command.label(),
            Message::Reply(..) => "Reply",
            Message::Event(Event::KeyGone { .. }) => "KeyGone",
            Message::Event(Event::NodeGone { .. }) => "NodeGone",
            Message::Peer(Peer::Redis(peer)) => peer.label(),
            Message::Event(Event::Disconnected(_)) => "Disconnected",
            Message::Peer(Peer::Forward { .. }) => "Forward",
            Message::Peer(Peer::Pass { .. }) => "Pass",
            Message::Peer(Peer::Passed { .. }) => "Passed",
            Message::Access(_) => "Access",
            Message::Accessed { .. } => "Accessed",
        }
    }
}

/// The kinds of messages that every service has.
pub const MESSAGES: [&str; 3] = ["Reply", "Access", "Accessed"];

impl Digestible for Call {
    fn digest(&self, digest: &mut Digest) {
        digest.pair(self.started.ns(), u64::from(self.number));
    }
}

impl Digestible for Request {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Request::Redis(command) => command.digest(digest),
            Request::Lease(question) => question.digest(digest),
            Request::ZooKeeper(question) => question.digest(digest),
            Request::Database(command) => {
                digest.word(8);
                command.digest(digest);
            }
        }
    }
}

impl Digestible for Reply {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Reply::Redis(reply) => reply.digest(digest),
            Reply::Lease(answer) => answer.digest(digest),
            Reply::ZooKeeper(answer, zxid) => {
                digest.word(zxid.0);
                answer.digest(digest);
            }
            Reply::Database(answer) => {
                digest.word(8);
                answer.digest(digest);
            }
            Reply::Leaderless => digest.word(0),
        }
    }
}

impl Digestible for Peer {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Peer::Redis(peer) => peer.digest(digest),
            Peer::Forward { asked, proposal } => {
                digest.word(proposal.term.map_or(0, |term| term + 1));
                Command { asked: *asked, what: proposal.what }.digest(digest);
            }
            Peer::Pass { client, call, request } => {
                digest.word(u64::from(client.number()));
                call.digest(digest);
                request.digest(digest);
            }
            Peer::Passed { client, call, reply } => {
                digest.pair(1 << 32, u64::from(client.number()));
                call.digest(digest);
                reply.digest(digest);
            }
        }
    }
}

impl Digestible for Message {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Message::Raft(message) => message.digest(digest),
            Message::Request(call, request) => {
                digest.word(1);
                call.digest(digest);
                request.digest(digest);
            }
            Message::Reply(call, reply) => {
                digest.word(2);
                call.digest(digest);
                reply.digest(digest);
            }
            Message::Event(Event::KeyGone { waiter, key, revision }) => {
                digest.pair(3, waiter.0);
                key.digest(digest);
                digest.word(revision.map_or(0, |revision| revision as u64));
            }
            Message::Event(Event::NodeGone { connection, number, node, zxid }) => {
                digest.pair(8 << 32 | u64::from(*number), zxid.0);
                connection.digest(digest);
                node.digest(digest);
            }
            Message::Event(Event::Disconnected(connection)) => digest.pair(7, connection.0),
            Message::Peer(peer) => {
                digest.word(4);
                peer.digest(digest);
            }
            Message::Access(Access { claim, token, started, serial }) => {
                digest.pair(5, *serial);
                digest.pair(started.ns(), token.map_or(0, |token| token + 1));
                claim.digest(digest);
            }
            Message::Accessed { serial, accepted } => digest.pair(6 << 1 | u64::from(*accepted), *serial),
        }
    }
}

/// What a node keeps on disk.
#[derive(Clone, Debug)]
pub enum Record {
    /// Of the resource: the highest token that it has seen for a lock.
    Mark(LockId, Token),
    /// Of a server of Redis.
    Redis(redis::Record),
    /// Of a server of an ensemble.
    Raft(raft::Record<Machine>),
    /// Of a database.
    Database(database::command::Record),
}
