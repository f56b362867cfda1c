//! The replicated store as a protocol: servers that embed the core, and clients.

use super::client::{self, Client};
use super::config;
use super::core::Alarm;
use super::kv;
use super::message::{self, Record};
use super::server::Server;
use super::session::{self, Request, Sessions};
use crate::kernel::digest::{Digest, Digestible};
use crate::kernel::time::{Span, Time};
use crate::oracle::linearizable::register::Answer;
use crate::protocol::{self, Afterwards, Cast, DiskFailure, Found, Io, NodeId, Order, Protocol};

/// What is replicated: registers, with sessions.
pub type Machine = Sessions<kv::Store>;

/// What a command in the log says.
pub type Command = Request<kv::Command>;

/// One node of the replicated store.
#[derive(Clone, Debug)]
pub enum Store {
    /// A server of Raft.
    Server(Box<Server>),
    /// Somebody who uses it.
    Client(Client),
}

/// What all nodes are told.
#[derive(Clone, Debug)]
pub struct Config {
    /// For servers.
    pub raft: config::Config,
    /// For clients.
    pub client: client::Config,
    /// How many clients.
    pub clients: u16,
    /// Clients read from any server, not only from the leader. Without effect if reads stand in the log.
    pub follower_reads: bool,
    /// Whose word counts in judging a run.
    pub judge: Judge,
    /// How long the session of a client lasts that does not use it; for ever, if not said.
    pub session_lifetime: Option<Span>,
    /// What each client does and when, in order, if that is spelled out.
    pub scripts: Option<Vec<Vec<(Time, kv::Command)>>>,
    /// How many nodes there are that do nothing: they must cost nothing.
    pub idle: u16,
}

/// Whose word counts in judging a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Judge {
    /// Everybody's: what servers hold and do is looked at after every step, besides what clients see.
    #[default]
    All,
    /// Only that of clients: their answers, and whether they are served in the end.
    Clients,
}

/// A message of the replicated store.
#[derive(Clone, Debug)]
pub enum Message {
    /// Between servers.
    Raft(message::Message<Machine>),
    /// From a client: please do this.
    Request(Command),
    /// To a client: this is the answer.
    Reply {
        /// The number of the request.
        sequence: u32,
        /// What the store answered.
        answer: Answer,
    },
    /// To a client: its session is over, and so nobody knows what has become of its request.
    Expired {
        /// The number of the request.
        sequence: u32,
    },
    /// To a client: ask the leader.
    Redirect {
        /// The number of the request.
        sequence: u32,
        /// Who leads, if the server knows.
        leader: Option<NodeId>,
    },
}

impl From<message::Message<Machine>> for Message {
    #[inline]
    fn from(message: message::Message<Machine>) -> Message {
        Message::Raft(message)
    }
}

impl Digestible for Message {
    #[inline]
    fn digest(&self, digest: &mut Digest) {
        match self {
            Message::Raft(message) => message.digest(digest),
            Message::Request(request) => request.digest(digest),
            Message::Reply { sequence, answer } => {
                digest.pair(6 << 8, u64::from(*sequence));
                answer.digest(digest);
            }
            Message::Expired { sequence } => digest.pair(14 << 8, u64::from(*sequence)),
            Message::Redirect { sequence, leader } => {
                digest.pair(7 << 8, u64::from(*sequence));
                digest.word(leader.map_or(0, |leader| 1 + u64::from(leader.number())));
            }
        }
    }
}

/// A timer of a server or a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Timer {
    /// Of a server: see [`Alarm::Election`].
    Election,
    /// Of a server: see [`Alarm::Heartbeat`].
    Heartbeat,
    /// Of a client: the next operation begins.
    Next,
    /// Of a client: no answer yet.
    Retry,
    /// Of a client: the fresh operations begin.
    Probe,
}

impl From<Alarm> for Timer {
    #[inline]
    fn from(alarm: Alarm) -> Timer {
        match alarm {
            Alarm::Election => Timer::Election,
            Alarm::Heartbeat => Timer::Heartbeat,
        }
    }
}

impl protocol::Timer for Timer {
    const ALL: &'static [Timer] = &[Timer::Election, Timer::Heartbeat, Timer::Next, Timer::Retry, Timer::Probe];

    #[inline]
    fn slot(self) -> usize {
        self as usize
    }
}

/// The kinds of messages that are not of Raft, as [`Protocol::label`] names them.
pub const MESSAGES: [&str; 4] = ["Request", "Reply", "Redirect", "Expired"];

/// The kinds of facts.
pub const FACTS: [&str; 3] = ["Invoked", "Returned", "GaveUp"];

/// What a client tells the oracles about its operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fact {
    /// It has begun.
    Invoked {
        /// Its number.
        sequence: u32,
        /// What it does.
        command: kv::Command,
    },
    /// It has been answered.
    Returned {
        /// Its number.
        sequence: u32,
        /// The answer.
        answer: Answer,
    },
    /// It will not be waited for: it may take effect at any time, or never.
    GaveUp {
        /// Its number.
        sequence: u32,
    },
}

impl Digestible for Fact {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Fact::Invoked { sequence, command } => {
                digest.pair(1, u64::from(*sequence));
                command.digest(digest);
            }
            Fact::Returned { sequence, answer } => {
                digest.pair(2, u64::from(*sequence));
                answer.digest(digest);
            }
            Fact::GaveUp { sequence } => digest.pair(3, u64::from(*sequence)),
        }
    }
}

impl Protocol for Store {
    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Record = Record<Machine>;
    type Fact = Fact;

    fn cast(config: &Config) -> Cast {
        Cast::members(config.raft.all()).and("c", config.clients).and("idle", config.idle)
    }

    fn boot(config: &Config, me: NodeId, disk: Found<'_, Record<Machine>>, io: &mut Io<'_, Store>) -> Store {
        let servers = config.raft.all();
        if me.number() < servers {
            return Store::Server(Box::new(Server::boot(config, disk, io)));
        }
        let idle = me.number() >= servers + config.clients;
        // The first client is the one who makes the fresh operations.
        let probe_at = config.client.probe_at.filter(|_| me.number() == servers);
        let until = if idle { io.elapsed() } else { config.client.until };
        let place = (me.number() - servers) as usize;
        let script = config.scripts.as_ref().map(|scripts| scripts.get(place).cloned().unwrap_or_default());
        Store::Client(Client::boot(client::Config { probe_at, until, ..config.client }, script, io))
    }

    fn on_message(&mut self, from: NodeId, message: Message, io: &mut Io<'_, Store>) {
        match self {
            Store::Server(server) => match message {
                Message::Raft(message) => server.on_raft(from, message, io),
                Message::Request(request) => server.on_request(request, io),
                Message::Reply { .. } | Message::Expired { .. } | Message::Redirect { .. } => {
                    unreachable!("a message for a client")
                }
            },
            Store::Client(client) => match message {
                Message::Reply { sequence, answer } => client.on_reply(sequence, answer, io),
                Message::Expired { sequence } => client.on_expired(sequence, io),
                Message::Redirect { sequence, leader } => client.on_redirect(sequence, leader, io),
                Message::Raft(_) | Message::Request(_) => unreachable!("a message for a server"),
            },
        }
    }

    fn on_timer(&mut self, timer: Timer, io: &mut Io<'_, Store>) {
        match (self, timer) {
            (Store::Server(server), Timer::Election) => server.on_alarm(Alarm::Election, io),
            (Store::Server(server), Timer::Heartbeat) => server.on_alarm(Alarm::Heartbeat, io),
            (Store::Server(_), timer) => unreachable!("a server has no timer {timer:?}"),
            (Store::Client(client), timer) => client.on_timer(timer, io),
        }
    }

    fn on_order(&mut self, order: Order, io: &mut Io<'_, Store>) -> bool {
        match self {
            Store::Server(server) => server.on_order(order, io),
            Store::Client(_) => false,
        }
    }

    fn on_disk_failure(&mut self, failure: DiskFailure, io: &mut Io<'_, Store>) -> Afterwards {
        match self {
            Store::Server(server) => server.on_disk_failure(failure, io),
            Store::Client(_) => unreachable!("a client has nothing on disk"),
        }
    }

    fn role(&self, role: &str) -> Option<u64> {
        match self {
            Store::Server(server) => server.role(role),
            Store::Client(_) => None,
        }
    }

    #[inline]
    fn label(message: &Message) -> &'static str {
        match message {
            Message::Raft(message) => message.label(),
            Message::Request(_) => "Request",
            Message::Reply { .. } => "Reply",
            Message::Expired { .. } => "Expired",
            Message::Redirect { .. } => "Redirect",
        }
    }

    fn fact_label(fact: &Fact) -> &'static str {
        match fact {
            Fact::Invoked { .. } => "Invoked",
            Fact::Returned { .. } => "Returned",
            Fact::GaveUp { .. } => "GaveUp",
        }
    }

    #[inline]
    fn is_checkpoint(record: &message::Record<Machine>) -> bool {
        matches!(record, message::Record::Checkpoint(_))
    }

    /// A header, and so much for each entry.
    fn size(message: &Message) -> u64 {
        match message {
            Message::Raft(message::Message::AppendEntries { entries, .. }) => 64 + 48 * entries.len() as u64,
            Message::Raft(message::Message::InstallSnapshot { fragment, .. }) => match &fragment.part {
                session::Part::Clock(_) => 64,
                session::Part::Sessions(_, sessions) => 64 + 16 * sessions.len() as u64,
                session::Part::Machine(part) => 64 + 8 * part.values.len() as u64,
            },
            Message::Raft(_)
            | Message::Request(_)
            | Message::Reply { .. }
            | Message::Expired { .. }
            | Message::Redirect { .. } => 64,
        }
    }

    fn garble_message(config: &Config, message: &Message, word: u64) -> Option<Message> {
        match message {
            Message::Raft(message) if !(config.raft.rules.checks_messages)() => {
                Some(Message::Raft(message.garbled(word)))
            }
            Message::Raft(_)
            | Message::Request(_)
            | Message::Reply { .. }
            | Message::Expired { .. }
            | Message::Redirect { .. } => None,
        }
    }

    fn garble_record(config: &Config, record: &Record<Machine>, word: u64) -> Option<Record<Machine>> {
        (!(config.raft.rules.checks_records)()).then(|| record.garbled(word))
    }
}
