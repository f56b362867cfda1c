//! What nodes of a lock service tell each other, and what they keep on disk.

use super::claim::{Claim, LockId, Token};
use super::redis;
use crate::kernel::digest::{Digest, Digestible};
use crate::kernel::time::Time;

/// One question of a client: its place among all that this client has asked since it started, and when that was. A later
/// one is greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Call {
    /// When the client started, by its own clock, which never runs back.
    pub started: Time,
    /// Counts its questions since.
    pub number: u32,
}

/// What clients ask servers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// A command of Redis.
    Redis(redis::Command),
}

/// What servers answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// A reply of Redis.
    Redis(redis::Reply),
}

/// What servers tell clients unasked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {}

/// What servers tell each other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Peer {}

/// A write to what a lock guards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// By what right.
    pub claim: Claim,
    /// The token that came with the lock, if one did.
    pub token: Option<Token>,
    /// When the client started, by its own clock.
    pub started: Time,
    /// Counts its accesses since.
    pub serial: u64,
}

/// A message.
#[derive(Clone, Debug)]
pub enum Message {
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
            Message::Request(_, Request::Redis(command)) => command.label(),
            Message::Reply(..) => "Reply",
            Message::Event(event) => match *event {},
            Message::Peer(peer) => match *peer {},
            Message::Access(_) => "Access",
            Message::Accessed { .. } => "Accessed",
        }
    }
}

/// The kinds of messages.
pub const MESSAGES: [&str; 19] = [
    "Reply",
    "Access",
    "Accessed",
    "Acquire",
    "SetIfAbsent",
    "Expire",
    "CompareDelete",
    "CompareExpire",
    "ExtendOrAcquire",
    "Count",
    "Counted",
    "Wait",
    "Get",
    "Delete",
    "Add",
    "AddOne",
    "Join",
    "Remove",
    "RemoveOne",
];

impl Digestible for Call {
    fn digest(&self, digest: &mut Digest) {
        digest.pair(self.started.ns(), u64::from(self.number));
    }
}

impl Digestible for Message {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Message::Request(call, request) => {
                digest.word(1);
                call.digest(digest);
                match request {
                    Request::Redis(command) => command.digest(digest),
                }
            }
            Message::Reply(call, reply) => {
                digest.word(2);
                call.digest(digest);
                match reply {
                    Reply::Redis(reply) => reply.digest(digest),
                }
            }
            Message::Event(event) => match *event {},
            Message::Peer(peer) => match *peer {},
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
}
