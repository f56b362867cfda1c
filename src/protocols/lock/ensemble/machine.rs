//! What an ensemble replicates: the state of its service, with at most one effect for each question of a client.

use crate::kernel::digest::{Digest, Digestible, mix};
use crate::kernel::time::{Span, Time};
use crate::protocol::NodeId;
use crate::protocols::lock::claim::{ClaimId, LockId};
use crate::protocols::lock::message::{Call, Reply};
use crate::protocols::lock::rules::EnsembleRules;
use crate::protocols::lock::{lease, zookeeper};
use crate::protocols::raft::core::StateMachine;
use crate::protocols::raft::snapshot::Whole;
use crate::servers::etcd::lessor::Lease;
use crate::servers::zookeeper::znode::SessionId;
use std::collections::BTreeMap;

/// A command in the log.
#[derive(Clone, Debug)]
pub struct Command {
    /// Whose question it is and which, if it is one; what servers decide among themselves is none.
    pub asked: Option<Asked>,
    /// What it does.
    pub what: What,
}

/// A question of a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    /// Who asks.
    pub client: NodeId,
    /// Which question.
    pub call: Call,
    /// The connection that it has come on, if it counts on that one only.
    pub through: Option<Through>,
}

/// A connection of a client with one of the servers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Through {
    /// The server.
    pub server: NodeId,
    /// The call that has made it.
    pub made: Call,
    /// The term in which it was made.
    pub term: u64,
}

impl Asked {
    /// Between whom what is asked stands in order.
    fn way(&self) -> (NodeId, Option<NodeId>) {
        (self.client, self.through.map(|through| through.server))
    }
}

/// What a command does, by the kind of service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// To leases and the keys that go with them.
    Lease(lease::command::Write),
    /// To the tree and the sessions of ZooKeeper.
    ZooKeeper(zookeeper::command::Write),
}

/// What applying a command comes to.
#[derive(Clone, PartialEq, Debug)]
pub struct Done {
    /// The answer to whoever has asked; `None` if they have asked something later since.
    pub reply: Option<Reply>,
    /// What watchers are told of.
    pub changes: Changes,
}

/// What has changed, by the kind of service.
#[derive(Clone, PartialEq, Debug)]
pub enum Changes {
    /// Nothing that somebody could watch.
    Nothing,
    /// Keys.
    Lease(Vec<crate::servers::etcd::store::Event>),
    /// Nodes, or perhaps only sessions.
    ZooKeeper(Vec<crate::servers::zookeeper::operation::Change>),
}

/// The replicated state of a service, by its kind.
#[derive(Clone, Debug)]
pub enum Replica {
    /// Leases.
    Lease(Box<lease::machine::Machine>),
    /// ZooKeeper's tree.
    ZooKeeper(Box<zookeeper::machine::Machine>),
}

impl Replica {
    /// That of leases.
    ///
    /// # Panics
    /// If the service is of another kind.
    pub fn lease(&self) -> &lease::machine::Machine {
        match self {
            Replica::Lease(machine) => machine,
            Replica::ZooKeeper(_) => unreachable!("no leases here"),
        }
    }

    /// The same, to be changed.
    ///
    /// # Panics
    /// If the service is of another kind.
    pub fn lease_mut(&mut self) -> &mut lease::machine::Machine {
        match self {
            Replica::Lease(machine) => machine,
            Replica::ZooKeeper(_) => unreachable!("no leases here"),
        }
    }

    /// That of ZooKeeper.
    ///
    /// # Panics
    /// If the service is of another kind.
    pub fn zookeeper(&self) -> &zookeeper::machine::Machine {
        match self {
            Replica::ZooKeeper(machine) => machine,
            Replica::Lease(_) => unreachable!("no ZooKeeper here"),
        }
    }

    /// What time it is by the server's own monotonic clock.
    pub(super) fn tell_time(&mut self, now: Time) {
        match self {
            Replica::Lease(machine) => machine.tell_time(now),
            // What is replicated of it knows no time.
            Replica::ZooKeeper(_) => {}
        }
    }

    /// What goes into a snapshot: nothing that only this server knows.
    fn replicated(&self) -> Replica {
        match self {
            Replica::Lease(machine) => Replica::Lease(Box::new(machine.replicated())),
            Replica::ZooKeeper(machine) => Replica::ZooKeeper(machine.clone()),
        }
    }

    /// Takes over what is in a snapshot.
    fn restore(&mut self, replica: &Replica) {
        match (self, replica) {
            (Replica::Lease(machine), Replica::Lease(whole)) => machine.restore(whole),
            (Replica::ZooKeeper(machine), Replica::ZooKeeper(whole)) => machine.clone_from(whole),
            (Replica::Lease(_), Replica::ZooKeeper(_)) | (Replica::ZooKeeper(_), Replica::Lease(_)) => {
                unreachable!("a snapshot of another kind of server")
            }
        }
    }

    fn apply(&mut self, what: &What) -> (Reply, Changes) {
        match (self, what) {
            (Replica::Lease(machine), What::Lease(write)) => {
                let (answer, events) = machine.apply(write);
                (Reply::Lease(answer), if events.is_empty() { Changes::Nothing } else { Changes::Lease(events) })
            }
            (Replica::ZooKeeper(machine), What::ZooKeeper(write)) => {
                let (answer, changes) = machine.apply(write);
                (Reply::ZooKeeper(answer, machine.tree.last()), Changes::ZooKeeper(changes))
            }
            (Replica::Lease(_), What::ZooKeeper(_)) | (Replica::ZooKeeper(_), What::Lease(_)) => {
                unreachable!("a command of another kind of server")
            }
        }
    }

    /// The claims that hold locks since these changes, for all that is known. O(log n) for each change.
    pub(super) fn keepers(&self, changes: &Changes) -> Vec<(LockId, ClaimId)> {
        match (self, changes) {
            (Replica::Lease(machine), Changes::Lease(events)) => machine.keepers(events).collect(),
            (Replica::ZooKeeper(machine), Changes::ZooKeeper(changes)) => machine.keepers(changes).collect(),
            (Replica::Lease(_) | Replica::ZooKeeper(_), _) => Vec::new(),
        }
    }

    /// Whether there is this session, or this lease. O(log n).
    pub fn knows(&self, session: u64) -> bool {
        match self {
            Replica::Lease(machine) => machine.etcd.lessor.lease(session as i64).is_some(),
            Replica::ZooKeeper(machine) => machine.tree.is_open(SessionId(session)),
        }
    }

    /// The sessions or leases, and how long each may still live if nobody has heard of it since. O(sessions).
    pub fn lifetimes(&self) -> Vec<(u64, Span)> {
        match self {
            Replica::Lease(machine) => {
                let lives = |(id, lease): (i64, &Lease)| (id as u64, Span::secs(lease.remaining() as u64));
                machine.etcd.lessor.leases().map(lives).collect()
            }
            Replica::ZooKeeper(machine) => {
                machine.tree.sessions().map(|(session, life_ms)| (session.0, Span::ms(life_ms))).collect()
            }
        }
    }

    /// When a lease runs out by the server's own clock, if this one leads; nothing is known of sessions here.
    pub fn expiry(&self, session: u64) -> Option<Time> {
        match self {
            Replica::Lease(machine) => machine.etcd.lessor.expiry(session as i64),
            Replica::ZooKeeper(_) => None,
        }
    }

    /// Which claim on which lock has something that has outlived its session, if there ever was one.
    pub fn orphan(&self) -> Option<(LockId, ClaimId)> {
        match self {
            Replica::Lease(machine) => machine.orphan().map(|key| (key.lock, key.claim)),
            Replica::ZooKeeper(machine) => machine.orphan().map(|node| (node.lock, node.claim)),
        }
    }
}

/// What is replicated.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The state of the service.
    pub service: Replica,
    /// By client and the server of its connection, if that matters, the last question that had its effect, and its answer.
    /// So it is with TCP from the client to its server and on to the leader: nothing comes twice, or after what was
    /// sent later. What comes through different servers stands in no order.
    last: BTreeMap<(NodeId, Option<NodeId>), (Call, Reply)>,
    /// Whether it has an effect once only, however often it arrives.
    is_once: bool,
    fingerprint: u64,
}

impl Machine {
    /// Nothing has been applied yet.
    pub(super) fn new(service: Replica, rules: &EnsembleRules) -> Machine {
        Machine { service, last: BTreeMap::new(), is_once: (rules.is_once)(), fingerprint: 0 }
    }

    /// What a question comes to that has had its effect, or whose client has asked something later since. O(log n).
    fn before(&self, asked: &Asked) -> Option<Done> {
        let (last, reply) = self.last.get(&asked.way()).filter(|_| self.is_once)?;
        match last.cmp(&asked.call) {
            std::cmp::Ordering::Less => None,
            std::cmp::Ordering::Equal => Some(Done { reply: Some(reply.clone()), changes: Changes::Nothing }),
            std::cmp::Ordering::Greater => Some(Done { reply: None, changes: Changes::Nothing }),
        }
    }
}

impl StateMachine for Machine {
    type Command = Command;
    type Reply = Done;
    type Part = Whole<Machine>;

    fn apply(&mut self, command: &Command) -> Done {
        if let Some(done) = command.asked.as_ref().and_then(|asked| self.before(asked)) {
            return done;
        }
        let (reply, changes) = self.service.apply(&command.what);
        let mut digest = Digest::new();
        command.digest(&mut digest);
        reply.digest(&mut digest);
        self.fingerprint = mix(self.fingerprint, digest.low());
        if let Some(asked) = command.asked {
            self.last.insert(asked.way(), (asked.call, reply.clone()));
        }
        Done { reply: Some(reply), changes }
    }

    fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    fn parts(&self, _: usize) -> Vec<Whole<Machine>> {
        vec![Whole(Machine { service: self.service.replicated(), last: self.last.clone(), ..*self })]
    }

    fn restore(&mut self, parts: &[Whole<Machine>]) {
        let [Whole(machine)] = parts else { unreachable!("a snapshot is in one piece") };
        self.service.restore(&machine.service);
        self.last.clone_from(&machine.last);
        self.fingerprint = machine.fingerprint;
    }
}

impl Digestible for Command {
    fn digest(&self, digest: &mut Digest) {
        match &self.asked {
            None => digest.word(0),
            Some(Asked { client, call, through }) => {
                digest.word(1 + u64::from(client.number()));
                call.digest(digest);
                if let Some(Through { server, made, term }) = through {
                    digest.pair(u64::from(server.number()), *term);
                    made.digest(digest);
                }
            }
        }
        match &self.what {
            What::Lease(write) => write.digest(digest),
            What::ZooKeeper(write) => write.digest(digest),
        }
    }
}
