//! The lock service as a protocol: servers, clients, and the resource that the locks guard.

use super::agenda::Agenda;
use super::claim::{Claim, ClaimId, LockId, Token};
use super::client::Client;
use super::config::Config;
use super::ensemble::Ensemble;
use super::ensemble::machine::Machine;
use super::kind::AnyServer;
use super::message::{Message, Record};
use super::recipe::Due;
use super::redis::failover;
use super::resource::Resource;
use super::service::Office;
use crate::kernel::digest::{Digest, Digestible};
use crate::protocol::{self, Afterwards, Cast, DiskFailure, Found, Io, NodeId, Protocol};
use crate::protocols::raft::core::{Alarm, Core};
use std::sync::Arc;

/// One node.
#[derive(Clone, Debug)]
pub enum Lock {
    /// Of the service.
    Server(Box<Server>),
    /// Somebody who wants locks.
    Client(Box<Client>),
    /// What they guard.
    Resource(Box<Resource>),
}

/// A server, of whatever kind.
#[derive(Clone, Debug)]
pub struct Server {
    config: Arc<Config>,
    agenda: Agenda<Due>,
    service: AnyServer,
}

/// A timer of any node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Timer {
    /// The next thing on the agenda.
    Agenda,
    /// Of a server of an ensemble: see [`Alarm::Election`].
    Election,
    /// Of a server of an ensemble: see [`Alarm::Heartbeat`].
    Heartbeat,
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
    const ALL: &'static [Timer] = &[Timer::Agenda, Timer::Election, Timer::Heartbeat];

    #[inline]
    fn slot(self) -> usize {
        self as usize
    }
}

/// The kinds of facts.
pub const FACTS: [&str; 14] = [
    "Sought",
    "Entered",
    "Reentered",
    "Working",
    "Downgraded",
    "Left",
    "GaveUp",
    "Released",
    "Woken",
    "Accepted",
    "Refused",
    "Kept",
    "Denied",
    "RanOut",
];

/// What nodes tell the oracles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fact {
    /// Of a client: it tries to take a lock.
    Sought {
        /// The claim.
        claim: Claim,
    },
    /// Of a client: it has it, so it believes.
    Entered {
        /// The claim.
        claim: Claim,
        /// The token that came with it.
        token: Option<Token>,
    },
    /// Of a client: it takes a lock that it holds once more.
    Reentered {
        /// The claim.
        claim: Claim,
    },
    /// Of a client: it has looked whether it may, and is about to write to what the lock guards.
    Working {
        /// The claim.
        claim: Claim,
    },
    /// Of a client: it shares from now on what it held alone.
    Downgraded {
        /// The claim, shared.
        claim: Claim,
    },
    /// Of a client: it works no more under this lock.
    Left {
        /// The claim.
        claim: Claim,
        /// Whether it had to: it was told that it has lost it.
        lost: bool,
    },
    /// Of a client: it has waited long enough.
    GaveUp {
        /// The claim.
        claim: Claim,
    },
    /// Of a client: the claim is gone.
    Released {
        /// The claim.
        claim: Claim,
        /// Whether the service has said so; else it must have expired.
        acknowledged: bool,
    },
    /// Of a client: it was woken by what has happened to the lock, and has to wait on.
    Woken {
        /// The claim.
        claim: Claim,
        /// What has happened, by number.
        by: u64,
    },
    /// Of the resource: it has taken a write.
    Accepted {
        /// By what right.
        claim: Claim,
        /// The token that came with it.
        token: Option<Token>,
    },
    /// Of the resource: it has refused a write for its token.
    Refused {
        /// By what right.
        claim: Claim,
        /// The token that came with it.
        token: Option<Token>,
    },
    /// Of a server that decides: for all it knows, this claim holds this lock from now on.
    Kept {
        /// The lock.
        lock: LockId,
        /// The claim.
        claim: ClaimId,
        /// The place in the log of what has made it so, from 1, or the reign of a primary whose clients wait for others; 0
        /// from a server that decides alone.
        index: u64,
    },
    /// Of a server that leads: it says to whoever asks that this session, or this lease, is no more.
    Denied {
        /// Its number.
        session: u64,
    },
    /// Of a server that leads: it finds that the time of this session, or this lease, is over.
    RanOut {
        /// Its number.
        session: u64,
    },
}

impl Digestible for Fact {
    fn digest(&self, digest: &mut Digest) {
        let (kind, claim, word) = match self {
            Fact::Sought { claim } => (1, claim, 0),
            Fact::Entered { claim, token } => (2, claim, token.map_or(0, |token| token + 1)),
            Fact::Reentered { claim } => (3, claim, 0),
            Fact::Working { claim } => (4, claim, 0),
            Fact::Downgraded { claim } => (5, claim, 0),
            Fact::Left { claim, lost } => (6, claim, u64::from(*lost)),
            Fact::GaveUp { claim } => (7, claim, 0),
            Fact::Released { claim, acknowledged } => (8, claim, u64::from(*acknowledged)),
            Fact::Woken { claim, by } => (9, claim, *by),
            Fact::Accepted { claim, token } => (10, claim, token.map_or(0, |token| token + 1)),
            Fact::Refused { claim, token } => (11, claim, token.map_or(0, |token| token + 1)),
            Fact::Kept { lock, claim, index } => {
                digest.pair(12 << 32 | u64::from(lock.0), claim.0);
                if *index > 0 {
                    digest.word(*index);
                }
                return;
            }
            Fact::Denied { session } => {
                digest.pair(13 << 32, *session);
                return;
            }
            Fact::RanOut { session } => {
                digest.pair(14 << 32, *session);
                return;
            }
        };
        digest.pair(kind, word);
        claim.digest(digest);
    }
}

impl Server {
    fn boot(config: &Arc<Config>, disk: Found<'_, Record>, io: &mut Io<'_, Lock>) -> Server {
        let mut agenda = Agenda::default();
        let service = AnyServer::boot(config, disk, &mut Office { io, config, agenda: &mut agenda });
        Server { config: config.clone(), agenda, service }
    }

    fn office<'a, 'b>(&'a mut self, io: &'a mut Io<'b, Lock>) -> (&'a mut AnyServer, Office<'a, 'b>) {
        (&mut self.service, Office { io, config: &self.config, agenda: &mut self.agenda })
    }

    fn on_message(&mut self, from: NodeId, message: Message, io: &mut Io<'_, Lock>) {
        let (server, mut office) = self.office(io);
        match message {
            Message::Raft(message) => ensemble(server).on_raft(from, message, &mut office),
            Message::Request(call, request) => server.service().on_request(from, call, request, &mut office),
            Message::Peer(peer) => server.service().on_peer(from, peer, &mut office),
            Message::Reply(..) | Message::Event(_) | Message::Access(_) | Message::Accessed { .. } => {
                unreachable!("a message for others")
            }
        }
    }

    fn on_timer(&mut self, timer: Timer, io: &mut Io<'_, Lock>) {
        let alarm = match timer {
            Timer::Agenda => {
                self.agenda.fired();
                while let Some(due) = self.agenda.next(io) {
                    let (server, mut office) = self.office(io);
                    server.service().on_due(due, &mut office);
                }
                return;
            }
            Timer::Election => Alarm::Election,
            Timer::Heartbeat => Alarm::Heartbeat,
        };
        let (server, mut office) = self.office(io);
        ensemble(server).on_alarm(alarm, &mut office);
    }

    fn on_disk_failure(&mut self, failure: DiskFailure, io: &mut Io<'_, Lock>) -> Afterwards {
        let (server, mut office) = self.office(io);
        match server.ensemble_mut() {
            Some(server) => server.on_disk_failure(failure, &mut office),
            None => Afterwards::Stop,
        }
    }
}

/// A server that is told something that only those of an ensemble are told.
fn ensemble(server: &mut AnyServer) -> &mut Ensemble {
    server.ensemble_mut().unwrap_or_else(|| unreachable!("this server replicates nothing by Raft"))
}

impl Server {
    /// What it is, for a reader.
    pub fn standing(&self) -> String {
        self.service.standing()
    }
}

impl Lock {
    /// The server of Redis in this node, if it is one of several.
    pub fn failover(&self) -> Option<&failover::Server> {
        match self {
            Lock::Server(server) => server.service.failover(),
            Lock::Client(_) | Lock::Resource(_) => None,
        }
    }

    /// The server of Raft in this node, if there is one.
    pub fn core(&self) -> Option<&Core<Machine>> {
        match self {
            Lock::Server(server) => server.service.ensemble().map(Ensemble::core),
            Lock::Client(_) | Lock::Resource(_) => None,
        }
    }
}

impl Protocol for Lock {
    type Config = Arc<Config>;
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Fact = Fact;

    fn cast(config: &Arc<Config>) -> Cast {
        Cast::members(config.servers).exposing("c", config.clients).exposing("r", 1)
    }

    fn boot(config: &Arc<Config>, me: NodeId, disk: Found<'_, Record>, io: &mut Io<'_, Lock>) -> Lock {
        if me.number() < config.servers {
            return Lock::Server(Box::new(Server::boot(config, disk, io)));
        }
        if me == config.resource() {
            return Lock::Resource(Box::new(Resource::boot(config, disk)));
        }
        let place = (me.number() - config.servers) as usize;
        let script = config.scripts.as_ref().map(|scripts| scripts.get(place).cloned().unwrap_or_default());
        Lock::Client(Box::new(Client::boot(config, script, io)))
    }

    fn on_message(&mut self, from: NodeId, message: Message, io: &mut Io<'_, Lock>) {
        match (self, message) {
            (Lock::Server(server), message) => server.on_message(from, message, io),
            (Lock::Client(client), Message::Reply(call, reply)) => client.on_reply(from, call, reply, io),
            (Lock::Client(client), Message::Event(event)) => client.on_event(from, event, io),
            (Lock::Client(client), Message::Accessed { serial, accepted }) => client.on_accessed(serial, accepted, io),
            (Lock::Resource(resource), Message::Access(access)) => resource.on_access(from, access, io),
            (Lock::Client(_) | Lock::Resource(_), message) => unreachable!("a message for others: {}", message.label()),
        }
    }

    fn on_timer(&mut self, timer: Timer, io: &mut Io<'_, Lock>) {
        match (self, timer) {
            (Lock::Server(server), timer) => server.on_timer(timer, io),
            (Lock::Client(client), Timer::Agenda) => client.on_timer(io),
            (Lock::Client(_) | Lock::Resource(_), timer) => unreachable!("only a server waits for {timer:?}"),
        }
    }

    fn on_disk_failure(&mut self, failure: DiskFailure, io: &mut Io<'_, Lock>) -> Afterwards {
        match self {
            Lock::Server(server) => server.on_disk_failure(failure, io),
            Lock::Client(_) | Lock::Resource(_) => Afterwards::Stop,
        }
    }

    fn role(&self, role: &str) -> Option<u64> {
        match (self, role) {
            (Lock::Server(server), role) => server.service.role(role),
            (Lock::Client(client), "lock-holder") => client.holds_since(),
            (Lock::Client(_) | Lock::Resource(_), _) => None,
        }
    }

    /// All but Raft, which makes do with datagrams, is spoken over TCP.
    fn is_connected(message: &Message) -> bool {
        !matches!(message, Message::Raft(_))
    }

    #[inline]
    fn label(message: &Message) -> &'static str {
        message.label()
    }

    fn fact_label(fact: &Fact) -> &'static str {
        let place = match fact {
            Fact::Sought { .. } => 0,
            Fact::Entered { .. } => 1,
            Fact::Reentered { .. } => 2,
            Fact::Working { .. } => 3,
            Fact::Downgraded { .. } => 4,
            Fact::Left { .. } => 5,
            Fact::GaveUp { .. } => 6,
            Fact::Released { .. } => 7,
            Fact::Woken { .. } => 8,
            Fact::Accepted { .. } => 9,
            Fact::Refused { .. } => 10,
            Fact::Kept { .. } => 11,
            Fact::Denied { .. } => 12,
            Fact::RanOut { .. } => 13,
        };
        FACTS[place]
    }
}
