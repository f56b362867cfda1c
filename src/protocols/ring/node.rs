//! The ring as a protocol: servers, and clients.

use super::cell::{Cell, OperationId, Rank};
use super::client::Client;
use super::config::Config;
use super::detector::Suspect;
use super::epoch::Epoch;
use super::message::{Message, Outcome, Record, Ticket, Write};
use super::server::Server;
use super::topology::Team;
use crate::kernel::digest::{Digest, Digestible};
use crate::kernel::time::Time;
use crate::protocol::{self, Afterwards, Cast, DiskFailure, Found, Io, NodeId, Order, Protocol};
use crate::protocols::raft::core::Alarm;
use std::sync::Arc;

/// One node.
#[derive(Clone, Debug)]
pub enum Node {
    /// Somebody who has copies.
    Server(Box<Server>),
    /// Somebody who uses them.
    Client(Box<Client>),
}

/// A timer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Timer {
    /// Of one of those who decide: see [`Alarm::Election`].
    Election,
    /// Of one of those who decide: see [`Alarm::Heartbeat`].
    Heartbeat,
    /// Of one of those who decide, who leads: to look after the ring.
    Watch,
    /// Of a server: to say that it is alive.
    Beat,
    /// Of a server: to tell its epoch to somebody.
    Gossip,
    /// Of a server: to look after requests.
    Requests,
    /// Of a server: to fetch what it comes to own.
    Fetch,
    /// Of a server: to deliver hints.
    Hints,
    /// Of a server: to compare with another owner.
    AntiEntropy,
    /// Of a server: to see which deletions can be forgotten.
    Collect,
    /// Of a client: the next operation begins.
    Next,
    /// Of a client: no answer yet.
    Retry,
}

impl From<Alarm> for Timer {
    fn from(alarm: Alarm) -> Timer {
        match alarm {
            Alarm::Election => Timer::Election,
            Alarm::Heartbeat => Timer::Heartbeat,
        }
    }
}

impl protocol::Timer for Timer {
    const ALL: &'static [Timer] = &[
        Timer::Election,
        Timer::Heartbeat,
        Timer::Watch,
        Timer::Beat,
        Timer::Gossip,
        Timer::Requests,
        Timer::Fetch,
        Timer::Hints,
        Timer::AntiEntropy,
        Timer::Collect,
        Timer::Next,
        Timer::Retry,
    ];

    #[inline]
    fn slot(self) -> usize {
        self as usize
    }
}

/// What nodes tell the oracles.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// Of a client: an operation has begun.
    Invoked {
        /// Which.
        id: OperationId,
        /// On which key.
        key: u32,
        /// And its rank.
        rank: Rank,
        /// What it writes, if it does.
        write: Option<Write>,
    },
    /// Of a client: it has been answered.
    Returned {
        /// Which.
        id: OperationId,
        /// What has come of it.
        outcome: Outcome,
    },
    /// Of a client: it has not been done, and never will be.
    Failed {
        /// Which.
        id: OperationId,
    },
    /// Of a client: it will not be waited for; it may take effect at any time, or never.
    GaveUp {
        /// Which.
        id: OperationId,
    },
    /// Of a server: to these a request for this key goes.
    Routed {
        /// Which key.
        rank: Rank,
        /// In which epoch.
        epoch: u64,
        /// Whether it reads; else it writes.
        reads: bool,
        /// To whom.
        team: Team,
    },
    /// Of a server: it was asked for a key that is not its own.
    Refused {
        /// Which key.
        rank: Rank,
        /// In which epoch.
        epoch: u64,
        /// Whether it was read; else it was written.
        reads: bool,
    },
    /// Of a server: it has refused something that was said in another epoch.
    EpochRefused {
        /// In which.
        theirs: u64,
        /// In which it is itself.
        mine: u64,
    },
    /// Of a server: it is in this epoch now.
    Adopted {
        /// Which.
        epoch: u64,
    },
    /// Of a server: it begins to fetch what it comes to own.
    FetchBegun {
        /// By the plan of this epoch.
        plan: u64,
        /// So many keys, of which some may never have been written.
        keys: u64,
        /// So many that it has fetched for the plan before count for this one, from all sources together.
        kept: u64,
    },
    /// Of a server: it asks for keys that it comes to own.
    FetchAsked {
        /// Whom.
        source: NodeId,
        /// When, by its own clock that never runs back.
        at: Time,
    },
    /// Of a server: a write quorum of owners has this of a key, by each list of this epoch.
    Stored {
        /// Which key.
        rank: Rank,
        /// What.
        cell: Cell,
        /// In which epoch.
        epoch: u64,
    },
    /// Of a server: it has left a hint.
    HintLeft {
        /// For whom.
        target: NodeId,
    },
    /// Of a server: a hint has come to whom it is for.
    HintDelivered {
        /// To whom.
        target: NodeId,
    },
    /// Of a server: a replica was found out of date, and is mended.
    Mended {
        /// Of which key.
        rank: Rank,
    },
    /// Of a server: it has forgotten a deletion.
    Forgot {
        /// Of which key.
        rank: Rank,
    },
    /// Of one of those who decide: this epoch was decided.
    Decided {
        /// It.
        epoch: Arc<Epoch>,
    },
    /// Of one of those who decide: it has not heard of a member for too long.
    Presumed {
        /// Who must be dead.
        dead: NodeId,
    },
    /// Of one of those who decide: it asks others whether this server is alive.
    Suspected(Suspect),
    /// Of one of those who decide: it has heard of a suspect through another, and asks anew.
    Passed(Suspect),
    /// Of one of those who decide: it has heard of a suspect without help.
    Cleared {
        /// Of which.
        node: NodeId,
    },
    /// Of a server: it has called a suspect in vain, for as long as it should.
    Missed {
        /// Whom.
        node: NodeId,
        /// Who has asked.
        by: NodeId,
        /// For which suspicion.
        ticket: Ticket,
    },
    /// Of a server: one that it has called for somebody is alive.
    Heard {
        /// Which.
        node: NodeId,
    },
}

/// The kinds of facts.
pub const FACTS: [&str; 22] = [
    "Invoked",
    "Returned",
    "Failed",
    "GaveUp",
    "Routed",
    "Refused",
    "EpochRefused",
    "Adopted",
    "FetchBegun",
    "HintLeft",
    "HintDelivered",
    "Mended",
    "Forgot",
    "Presumed",
    "Decided",
    "Suspected",
    "Cleared",
    "Missed",
    "FetchAsked",
    "Stored",
    "Passed",
    "Heard",
];

impl Fact {
    fn place(&self) -> usize {
        match self {
            Fact::Invoked { .. } => 0,
            Fact::Returned { .. } => 1,
            Fact::Failed { .. } => 2,
            Fact::GaveUp { .. } => 3,
            Fact::Routed { .. } => 4,
            Fact::Refused { .. } => 5,
            Fact::EpochRefused { .. } => 6,
            Fact::Adopted { .. } => 7,
            Fact::FetchBegun { .. } => 8,
            Fact::HintLeft { .. } => 9,
            Fact::HintDelivered { .. } => 10,
            Fact::Mended { .. } => 11,
            Fact::Forgot { .. } => 12,
            Fact::Presumed { .. } => 13,
            Fact::Decided { .. } => 14,
            Fact::Suspected { .. } => 15,
            Fact::Cleared { .. } => 16,
            Fact::Missed { .. } => 17,
            Fact::FetchAsked { .. } => 18,
            Fact::Stored { .. } => 19,
            Fact::Passed(_) => 20,
            Fact::Heard { .. } => 21,
        }
    }
}

impl Digestible for Fact {
    fn digest(&self, digest: &mut Digest) {
        let (first, second) = match self {
            Fact::Invoked { id, key, write, .. } => {
                id.digest(digest);
                let value = write.map_or(0, |write| write.value.map_or(1, |value| value.wrapping_add(2)));
                (u64::from(*key), value)
            }
            Fact::Returned { id, outcome } => {
                id.digest(digest);
                match outcome {
                    Outcome::Found(None) => (0, 0),
                    Outcome::Found(Some(cell)) => (1, u64::from(cell.version.counter)),
                    Outcome::Stored(version) => (2, u64::from(version.counter)),
                    Outcome::Refused => (3, 0),
                    Outcome::Unknown => (4, 0),
                }
            }
            Fact::Failed { id } | Fact::GaveUp { id } => {
                id.digest(digest);
                (0, 0)
            }
            Fact::Routed { rank, epoch, reads, team } => {
                let nodes = team.iter().fold(0u64, |nodes, node| nodes << 8 ^ u64::from(node.number()));
                (u64::from(rank.0) << 1 | u64::from(*reads), *epoch << 40 ^ nodes)
            }
            Fact::Refused { rank, epoch, reads } => (u64::from(rank.0) << 1 | u64::from(*reads), *epoch),
            Fact::EpochRefused { theirs, mine } => (*theirs, *mine),
            Fact::Adopted { epoch } => (*epoch, 0),
            Fact::FetchBegun { plan, keys, kept } => (*plan, kept << 32 ^ *keys),
            Fact::FetchAsked { source, at } => (source.number().into(), at.ns()),
            Fact::Stored { rank, cell, epoch } => {
                cell.digest(digest);
                (rank.0.into(), *epoch)
            }
            Fact::HintLeft { target } | Fact::HintDelivered { target } => (target.number().into(), 0),
            Fact::Mended { rank } | Fact::Forgot { rank } => (rank.0.into(), 0),
            Fact::Presumed { dead: node } | Fact::Cleared { node } | Fact::Heard { node } => (node.number().into(), 0),
            Fact::Suspected(Suspect { node, ticket, .. }) | Fact::Passed(Suspect { node, ticket, .. }) => {
                (node.number().into(), *ticket)
            }
            Fact::Missed { node, by, ticket } => (u64::from(node.number()) << 16 | u64::from(by.number()), *ticket),
            Fact::Decided { epoch } => {
                epoch.digest(digest);
                (0, 0)
            }
        };
        digest.word(self.place() as u64);
        digest.pair(first, second);
    }
}

impl Node {
    /// The server in this node, if it is one.
    #[inline]
    pub fn server(&self) -> Option<&Server> {
        match self {
            Node::Server(server) => Some(server),
            Node::Client(_) => None,
        }
    }
}

impl Protocol for Node {
    type Config = Arc<Config>;
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Fact = Fact;

    fn cast(config: &Arc<Config>) -> Cast {
        Cast::members(config.servers).and("c", config.clients)
    }

    fn boot(config: &Arc<Config>, me: NodeId, disk: Found<'_, Record>, io: &mut Io<'_, Node>) -> Node {
        let Some(place) = me.number().checked_sub(config.servers) else {
            return Node::Server(Box::new(Server::boot(config, disk, io)));
        };
        let script = config.scripts.as_ref().map(|scripts| scripts.get(place as usize).cloned().unwrap_or_default());
        Node::Client(Box::new(Client::boot(config.client, &config.keyspace, script, io)))
    }

    fn on_message(&mut self, from: NodeId, message: Message, io: &mut Io<'_, Node>) {
        match (self, message) {
            (Node::Server(server), message) => server.on_message(from, message, io),
            (Node::Client(client), Message::Answer { id, outcome }) => client.on_answer(id, outcome, io),
            (Node::Client(_), message) => unreachable!("a message for a server: {}", message.label()),
        }
    }

    fn on_timer(&mut self, timer: Timer, io: &mut Io<'_, Node>) {
        match self {
            Node::Server(server) => server.on_timer(timer, io),
            Node::Client(client) => client.on_timer(timer, io),
        }
    }

    fn on_order(&mut self, order: Order, io: &mut Io<'_, Node>) -> bool {
        match self {
            Node::Server(server) => server.on_order(order, io),
            Node::Client(_) => false,
        }
    }

    fn on_disk_failure(&mut self, failure: DiskFailure, io: &mut Io<'_, Node>) -> Afterwards {
        match self {
            Node::Server(server) => server.on_disk_failure(failure, io),
            Node::Client(_) => Afterwards::Stop,
        }
    }

    fn role(&self, role: &str) -> Option<u64> {
        self.server().and_then(|server| server.role(role))
    }

    #[inline]
    fn label(message: &Message) -> &'static str {
        message.label()
    }

    fn fact_label(fact: &Fact) -> &'static str {
        FACTS[fact.place()]
    }

    #[inline]
    fn is_checkpoint(record: &Record) -> bool {
        matches!(record, Record::Checkpoint(_))
    }

    fn size(message: &Message) -> u64 {
        message.size()
    }
}
