//! Servers that replicate what they know by Raft, as ZooKeeper's and etcd's do.
//!
//! What is common to both stands here: the way of a question to the leader and of its answer back; what is replicated is in
//! [`machine`]. What else a server knows, such as who watches what, and when something expires, is in its [`Front`].

pub mod machine;

use super::message::{Call, Message, Peer, Record, Reply, Request};
use super::node::Fact;
use super::recipe::Due;
use super::rules::EnsembleRules;
use super::service::{Office, Service};
use super::{lease, zookeeper};
use crate::kernel::time::{Span, Time};
use crate::protocol::{Afterwards, DiskFailure, Found, NodeId};
use crate::protocols::raft::config;
use crate::protocols::raft::core::{Alarm, Core};
use crate::protocols::raft::message;
use machine::{Asked, Command, Done, Machine, Replica, Through, What};
use std::collections::BTreeSet;

/// The kinds of messages between its servers, but for those of Raft.
pub const MESSAGES: [&str; 3] = ["Forward", "Pass", "Passed"];

/// What a server knows that is not replicated.
pub trait Front {
    /// A client asks: what to do about it.
    fn take(
        &mut self,
        from: NodeId,
        call: Call,
        request: Request,
        see: &mut Seen<'_>,
        office: &mut Office<'_, '_>,
    ) -> Taken;

    /// A command has been applied.
    fn applied(&mut self, command: &Command, done: &Done, see: &mut Seen<'_>, office: &mut Office<'_, '_>);

    /// What is replicated is that of a snapshot now, and what has happened up to there was not told one by one.
    fn restored(&mut self, see: &mut Seen<'_>, office: &mut Office<'_, '_>);

    /// It leads now, or does so no more.
    fn leads(&mut self, see: &mut Seen<'_>, office: &mut Office<'_, '_>);

    /// It is time to look after what expires. What is to be proposed.
    fn on_beat(&mut self, see: &mut Seen<'_>, office: &mut Office<'_, '_>) -> Vec<Proposal>;

    /// What this server, which leads, answers to a question that it does not bring into the log. Default: it brings in all.
    fn refuses(
        &mut self,
        _asked: &Asked,
        _what: &What,
        _see: &Seen<'_>,
        _office: &mut Office<'_, '_>,
    ) -> Option<Reply> {
        None
    }

    /// Whether this server, which leads, brings into the log what another one has sent.
    fn proposes(&self, proposal: &Proposal, see: &mut Seen<'_>, office: &mut Office<'_, '_>) -> bool;
}

/// What a server proposes on its own account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Proposal {
    /// The command.
    pub what: What,
    /// The term in which it led, if it proposes that because it led.
    pub term: Option<u64>,
}

/// The front of a server, by the kind of service.
#[derive(Clone, Debug)]
enum AnyFront {
    /// Of leases.
    Lease(Box<lease::front::Front>),
    /// Of ZooKeeper.
    ZooKeeper(Box<zookeeper::front::Front>),
}

impl AnyFront {
    fn front(&mut self) -> &mut dyn Front {
        match self {
            AnyFront::Lease(front) => front.as_mut(),
            AnyFront::ZooKeeper(front) => front.as_mut(),
        }
    }
}

/// What a front is shown of its server.
pub struct Seen<'a> {
    /// What is replicated, as far as it was applied here.
    pub machine: &'a mut Machine,
    /// Whether this server leads, and has applied all that was committed before.
    pub leads: bool,
    /// Paper: currentTerm.
    pub term: u64,
    /// Who leads, for all that is known.
    pub leader: Option<NodeId>,
}

/// What is done about a question.
#[derive(Clone, PartialEq, Debug)]
pub enum Taken {
    /// This is the answer, at once.
    Answered(Reply),
    /// It becomes a command, if it still counts on its connection, and is answered when that is applied here.
    Proposed(What, Option<Through>),
    /// Only the leader can answer.
    Passed,
    /// Only the leader can answer, and is asked this.
    PassedAs(Request),
    /// There will be no answer, or later.
    Silent,
}

/// The state of a server.
#[derive(Clone, Debug)]
pub struct Ensemble {
    core: Core<Machine>,
    front: AnyFront,
    /// How often it looks after what expires.
    look_every: Span,
    /// The questions that are answered when they are applied here.
    pending: BTreeSet<(NodeId, Call)>,
    /// Whether it has led after the last turn.
    led: bool,
    rules: EnsembleRules,
}

/// How often a server of leases looks after what expires.
const LOOK_EVERY: Span = Span::ms(500);

/// So many questions of one client wait at a server at most: those of a client that has gone elsewhere are forgotten.
const PENDING: usize = 64;

impl Ensemble {
    /// Starts a server with what its disk holds.
    fn boot(
        raft: &config::Config,
        replica: Replica,
        (front, look_every): (AnyFront, Span),
        disk: Found<'_, Record>,
        office: &mut Office<'_, '_>,
    ) -> Ensemble {
        let records: Vec<message::Record<Machine>> = disk.records.iter().filter_map(Record::raft).cloned().collect();
        let found = Found { records: &records, damage: disk.damage };
        let machine = Machine::new(replica, &office.config.rules.ensemble);
        let core = Core::boot(*raft, machine, found, office.io);
        office.wake(look_every, Due::Beat);
        Ensemble { core, front, look_every, pending: BTreeSet::new(), led: false, rules: office.config.rules.ensemble }
    }

    /// Starts a server of leases.
    pub fn of_leases(config: &lease::Config, disk: Found<'_, Record>, office: &mut Office<'_, '_>) -> Ensemble {
        let machine = lease::machine::Machine::new(config, &office.config.rules.lease);
        let front = AnyFront::Lease(Box::new(lease::front::Front::new(*config)));
        Ensemble::boot(&config.raft, Replica::Lease(Box::new(machine)), (front, LOOK_EVERY), disk, office)
    }

    /// Starts a server of ZooKeeper.
    pub fn of_zookeeper(config: &zookeeper::Config, disk: Found<'_, Record>, office: &mut Office<'_, '_>) -> Ensemble {
        let machine = zookeeper::machine::Machine::new();
        let front = AnyFront::ZooKeeper(Box::new(zookeeper::front::Front::new(*config)));
        Ensemble::boot(&config.raft, Replica::ZooKeeper(Box::new(machine)), (front, config.tick), disk, office)
    }

    /// The server of Raft in it.
    pub fn core(&self) -> &Core<Machine> {
        &self.core
    }

    /// Whether it leads, and has applied something of its own term: then it knows all that was committed before.
    fn is_ready(&self) -> bool {
        let has_caught_up = self.core.log().term_at(self.core.applied()) == Some(self.core.term());
        self.core.is_leader() && (self.rules.speaks)(has_caught_up)
    }

    fn front(&mut self) -> (&mut dyn Front, Seen<'_>) {
        let (leads, term, leader) = (self.is_ready(), self.core.term(), self.core.leader());
        (self.front.front(), Seen { machine: self.core.machine_mut(), leads, term, leader })
    }

    /// A message of Raft.
    pub fn on_raft(&mut self, from: NodeId, message: message::Message<Machine>, office: &mut Office<'_, '_>) {
        self.core.compact(office.io);
        let before = self.core.applied();
        self.core.on_message(from, message, office.io);
        if self.core.applied() > before {
            let (front, mut see) = self.front();
            front.restored(&mut see, office);
        }
        self.go_on(office);
    }

    /// A timer of Raft.
    pub fn on_alarm(&mut self, alarm: Alarm, office: &mut Office<'_, '_>) {
        self.core.on_alarm(alarm, office.io);
        self.go_on(office);
    }

    /// The refusal of a write or a sync.
    pub fn on_disk_failure(&mut self, failure: DiskFailure, office: &mut Office<'_, '_>) -> Afterwards {
        self.core.on_disk_failure(failure, office.io)
    }

    /// Brings a command into the log, or to whoever can. What to answer, if that is known at once.
    fn submit(&mut self, asked: Option<Asked>, proposal: Proposal, office: &mut Office<'_, '_>) -> Result<(), Reply> {
        if self.core.is_leader() {
            return self.propose(asked, proposal.what, office);
        }
        let leader = self.core.leader().ok_or(Reply::Leaderless)?;
        office.peer(leader, Peer::Forward { asked, proposal });
        Ok(())
    }

    /// Brings a command into the log of this server. What to answer, if it does not come in.
    fn propose(&mut self, asked: Option<Asked>, what: What, office: &mut Office<'_, '_>) -> Result<(), Reply> {
        let (front, see) = self.front();
        if let Some(refusal) = asked.as_ref().and_then(|asked| front.refuses(asked, &what, &see, office)) {
            return Err(refusal);
        }
        if self.core.propose(Command { asked, what }, office.io) { Ok(()) } else { Err(Reply::Leaderless) }
    }

    /// Applies what is committed, tells who waits for it, and sees whether it leads.
    fn go_on(&mut self, office: &mut Office<'_, '_>) {
        let now = office.io.now();
        self.core.machine_mut().service.tell_time(now);
        while let Some(applied) = self.core.apply_next() {
            let (front, mut see) = self.front();
            front.applied(&applied.command, &applied.reply, &mut see, office);
            if see.leads {
                let keepers = see.machine.service.keepers(&applied.reply.changes);
                for (lock, claim) in keepers {
                    office.io.note(Fact::Kept { lock, claim, index: self.core.applied() });
                }
            }
            let Some(Asked { client, call, .. }) = applied.command.asked else { continue };
            if self.pending.remove(&(client, call))
                && let Some(reply) = applied.reply.reply
            {
                office.reply(client, call, reply);
            }
        }
        if self.led != self.is_ready() {
            self.led = self.is_ready();
            let (front, mut see) = self.front();
            front.leads(&mut see, office);
        }
    }

    /// Lets the leader answer a question.
    fn pass(leader: Option<NodeId>, (client, call): (NodeId, Call), request: Request, office: &mut Office<'_, '_>) {
        match leader.filter(|leader| *leader != office.io.me()) {
            Some(leader) => office.peer(leader, Peer::Pass { client, call, request }),
            None => office.reply(client, call, Reply::Leaderless),
        }
    }

    /// Waits for a question to be applied here.
    fn wait_for(&mut self, client: NodeId, call: Call) {
        self.pending.insert((client, call));
        let first = (client, Call { started: Time::ZERO, number: 0 });
        if self.pending.range(first..=(client, call)).count() > PENDING {
            let oldest = self.pending.range(first..).next().copied();
            oldest.map(|oldest| self.pending.remove(&oldest));
        }
    }
}

impl Service for Ensemble {
    fn on_request(&mut self, from: NodeId, call: Call, request: Request, office: &mut Office<'_, '_>) {
        let (front, mut see) = self.front();
        see.machine.service.tell_time(office.io.now());
        let leader = see.leader;
        match front.take(from, call, request.clone(), &mut see, office) {
            Taken::Answered(reply) => office.reply(from, call, reply),
            Taken::Proposed(what, through) => {
                self.wait_for(from, call);
                let asked = Asked { client: from, call, through };
                if let Err(reply) = self.submit(Some(asked), Proposal { what, term: None }, office) {
                    office.reply(from, call, reply);
                }
            }
            Taken::Passed => {
                // The leader may answer, or bring it into the log.
                self.wait_for(from, call);
                Ensemble::pass(leader, (from, call), request, office);
            }
            Taken::PassedAs(request) => Ensemble::pass(leader, (from, call), request, office),
            Taken::Silent => {}
        }
        self.go_on(office);
    }

    fn on_peer(&mut self, from: NodeId, peer: Peer, office: &mut Office<'_, '_>) {
        // What is decided for somebody who has asked through another server is decided now, too.
        self.core.machine_mut().service.tell_time(office.io.now());
        match peer {
            Peer::Redis(_) => unreachable!("a message of another kind of server"),
            Peer::Forward { asked, proposal } => {
                let (front, mut see) = self.front();
                if front.proposes(&proposal, &mut see, office)
                    && let Err(reply) = self.propose(asked, proposal.what, office)
                    && let Some(Asked { client, call, through: Some(_) }) = asked
                {
                    office.peer(from, Peer::Passed { client, call, reply });
                }
            }
            Peer::Pass { client, call, request } if self.core.is_leader() => {
                let (front, mut see) = self.front();
                let reply = match front.take(client, call, request, &mut see, office) {
                    Taken::Answered(reply) => Some(reply),
                    // The other one answers when it is applied there.
                    Taken::Proposed(what, through) => {
                        self.propose(Some(Asked { client, call, through }), what, office).err()
                    }
                    Taken::Passed | Taken::PassedAs(_) | Taken::Silent => None,
                };
                if let Some(reply) = reply {
                    office.peer(from, Peer::Passed { client, call, reply });
                }
            }
            // The client may reach this server only.
            Peer::Passed { client, call, reply } => {
                self.pending.remove(&(client, call));
                office.reply(client, call, reply);
            }
            Peer::Pass { .. } => {}
        }
        self.go_on(office);
    }

    fn on_due(&mut self, _: Due, office: &mut Office<'_, '_>) {
        let (front, mut see) = self.front();
        see.machine.service.tell_time(office.io.now());
        let mut proposals = front.on_beat(&mut see, office);
        // One that leads again is no better judge of what it has found in an earlier term than another leader.
        if self.core.is_leader() {
            let (front, mut see) = self.front();
            proposals.retain(|proposal| front.proposes(proposal, &mut see, office));
        }
        for proposal in proposals {
            // What nobody has asked for is found again, if it comes to nothing.
            let _ = self.submit(None, proposal, office);
        }
        office.wake(self.look_every, Due::Beat);
        self.go_on(office);
    }

    fn role(&self, role: &str) -> Option<u64> {
        (matches!(role, "leader" | "primary") && self.core.is_leader()).then(|| self.core.term())
    }
}

impl Record {
    /// What Raft wrote, if it is of Raft.
    pub fn raft(&self) -> Option<&message::Record<Machine>> {
        match self {
            Record::Raft(record) => Some(record),
            Record::Mark(..) | Record::Redis(_) | Record::Database(_) => None,
        }
    }
}

impl From<message::Record<Machine>> for Record {
    fn from(record: message::Record<Machine>) -> Record {
        Record::Raft(record)
    }
}

impl From<message::Message<Machine>> for Message {
    fn from(message: message::Message<Machine>) -> Message {
        Message::Raft(message)
    }
}
