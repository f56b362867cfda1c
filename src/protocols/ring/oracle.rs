//! What must hold of the ring, checked by what changed.
//!
//! The oracle keeps the epochs as they were decided, what each disk would bring back, and of each key what was promised.
//! All that it asks of a key it asks when something of that key has changed: a copy, its owners, or a promise.

mod checkpoints;
mod clears;
mod detection;
mod kept;
mod keys;
mod members;
mod mirror;
mod orders;
mod reference;
mod remainder;
mod rest;
mod stored;
mod transfers;

use super::cell::Rank;
use super::config::Config;
use super::epoch::{Epoch, FOUNDER, Phase};
use super::message::Record;
use super::node::{Fact, Node};
use super::server::Server;
use crate::oracle::spec::{Touch, Verdict, View, Violation};
use crate::protocol::NodeId;
use crate::protocols::raft::core::Core;
use clears::Clears;
use detection::Detection;
use keys::Keys;
use members::Members;
use mirror::Mirror;
use orders::Wishes;
use reference::{Reference, holds, is_read_from};
use rest::Calm;
use std::sync::Arc;
use transfers::Transfers;

/// The invariants, with a sentence each.
pub const INVARIANTS: [(&str, &str); 28] = [
    (
        "ring.acknowledged-kept",
        "what was promised of a key is durable at so many owners that every read quorum sees it",
    ),
    ("ring.read-sees-acknowledged", "a read sees every write that was acknowledged before it began"),
    ("ring.reads-monotonic", "where reads are monotonic, no client reads less of a key than it has read before"),
    ("ring.write-after-acknowledged", "a write comes after every operation that was done before it began"),
    ("ring.linearizable", "where reads are atomic, every key is a register that is used by one client at a time"),
    ("ring.nothing-invented", "what is read or kept of a key was written to it by somebody"),
    ("ring.deleted-stays-deleted", "what was deleted does not come back, also after the deletion was forgotten"),
    ("ring.owners-only", "only owners of a key in their epoch, and those who come to own it, store it"),
    ("ring.owner-serves", "an owner of a key does not refuse it"),
    ("ring.owners-distinct", "a key has as many different owners as there are copies, in as many zones as can be"),
    ("ring.epoch-monotonic", "the epoch that a server is in never falls, not even over a restart"),
    (
        "ring.epoch-agreement",
        "all who are in an epoch mean the same by it, and it was decided, as one step from the one before it",
    ),
    ("ring.placement-agreement", "all who are in an epoch agree on the owners of every key, and send requests to them"),
    ("ring.balance", "nobody owns much more of the ring than its share"),
    (
        "ring.minimal-movement",
        "keys move to those who join and from those who leave, not between others; a restart goes on with it where it was",
    ),
    (
        "ring.left-by-readers",
        "owners are let go when nobody can read from them any more in the epoch before the switch",
    ),
    ("ring.missed-by-others", "nobody is taken for dead whom who leads alone has missed since it was heard of"),
    (
        "ring.missed-for-long",
        "who has missed a suspect has called it in vain for as long as it was asked to, and who leads gives it the time that it should have",
    ),
    ("ring.order-obeyed", "what a server wants to be changes by an order of an operator alone, in what that is about"),
    (
        "ring.members-as-wanted",
        "nobody is let in otherwise than it has wanted, nor let go who wants to stay, lives and is not replaced",
    ),
    ("ring.transfers-limited", "nobody fetches keys from more sources at a time, or sooner again, than it may"),
    ("ring.hints-limited", "nobody keeps more hints for others than it may"),
    (
        "ring.identity-kept",
        "a server that has not lost its disk is the member that it was, and decides with the others, if it did; one that has does not",
    ),
    ("ring.checkpoint-faithful", "a journal begins with all that the one before it says"),
    ("ring.clears-limited", "between two epochs that forget deletions is as much time as there should be"),
    ("ring.deletions-forgotten", "at rest nothing is kept of what was deleted, if deletions are ever forgotten"),
    ("ring.owners-hold", "at rest all owners of a key hold the same, and nobody else holds it"),
    (
        "ring.settles",
        "when the faults are over, the ring serves fresh writes and reads, changes end, hints are delivered, journals are short, and the replicas of all keys become equal",
    ),
];

/// Things that should happen sometimes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Goal {
    CopyingBegun,
    Switched,
    ChangeFinished,
    Retargeted,
    FetchBegun,
    FetchResumed,
    FetchKept,
    MemberSuspected,
    SuspectCleared,
    PresumedDead,
    HintLeft,
    HintDelivered,
    ReplicaMended,
    Cleared,
    DeletionForgotten,
    EpochRefused,
    DiskReplaced,
    OwnerCrashedInChange,
}

/// The names of the goals, in their order.
pub const GOALS: [&str; 18] = [
    "ring.copying-begun",
    "ring.switched",
    "ring.change-finished",
    "ring.change-retargeted",
    "ring.fetch-begun",
    "ring.fetch-resumed",
    "ring.fetch-kept",
    "ring.member-suspected",
    "ring.suspect-cleared",
    "ring.member-presumed-dead",
    "ring.hint-left",
    "ring.hint-delivered",
    "ring.replica-mended",
    "ring.epoch-cleared",
    "ring.deletion-forgotten",
    "ring.epoch-refused",
    "ring.disk-replaced",
    "ring.crash-in-change",
];

/// The oracle of the ring.
#[derive(Clone, Debug)]
pub struct RingOracle {
    config: Arc<Config>,
    reference: Reference,
    /// By server.
    mirrors: Vec<Mirror>,
    /// By server, the epoch that it was seen in.
    epochs: Vec<u64>,
    keys: Keys,
    detection: Detection,
    transfers: Transfers,
    wishes: Wishes,
    members: Members,
    clears: Clears,
    calm: Option<Calm>,
    goals: [u64; GOALS.len()],
    /// How many copies of keys were moved.
    moved: u64,
}

fn violation(invariant: &'static str, nodes: &[NodeId], message: String) -> Verdict {
    Err(Box::new(Violation::new(invariant, nodes, message)))
}

impl RingOracle {
    /// For one run.
    pub fn new(config: &Arc<Config>) -> RingOracle {
        let servers = usize::from(config.servers);
        RingOracle {
            config: config.clone(),
            reference: Reference::new(config),
            mirrors: vec![Mirror::new(); servers],
            epochs: vec![1; servers],
            keys: Keys::new(config),
            detection: Detection::new(config),
            transfers: Transfers::new(config),
            wishes: Wishes::new(servers),
            members: Members::new(servers),
            clears: Clears::new(config),
            calm: None,
            goals: [0; GOALS.len()],
            moved: 0,
        }
    }

    /// How often each of [`GOALS`] was reached.
    pub fn goals(&self) -> &[u64; GOALS.len()] {
        &self.goals
    }

    /// Figures about the run.
    pub fn stats(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("epochs", self.reference.latest().epoch().number),
            ("members", self.reference.latest().epoch().members.len() as u64),
            ("operations_returned", self.keys.returned),
            ("operations_unknown", self.keys.unknown),
            ("operations_failed", self.keys.failed),
            ("copies_moved", self.moved),
            ("keys_undecided", self.keys.undecided()),
        ]
    }

    /// The epoch that was decided last.
    pub fn epoch(&self) -> &Arc<Epoch> {
        self.reference.latest().epoch()
    }

    fn reach(&mut self, goal: Goal) {
        self.goals[goal as usize] += 1;
    }

    /// Somebody tells something.
    ///
    /// # Errors
    /// The broken invariant.
    pub fn on_fact(&mut self, view: &View<Node>, node: NodeId, fact: &Fact) -> Verdict {
        let client = || usize::from(node.number() - self.config.servers);
        match fact {
            Fact::Invoked { key, rank, write, .. } => {
                self.keys.invoked(client(), (*key, *rank), *write, view.now, self.calm.is_some());
            }
            Fact::Returned { outcome, .. } => {
                let client = client();
                let (call, more) = self.keys.returned(client, node, *outcome)?;
                if let Some(served) = self.calm.as_mut().and_then(|calm| calm.served.get_mut(client))
                    && call.is_fresh
                {
                    *served = (served.0 || !call.reads(), served.1 || call.reads());
                }
                if more.is_some() {
                    self.check_kept(call.rank)?;
                }
            }
            Fact::Failed { .. } => self.keys.failed(client(), node)?,
            Fact::GaveUp { .. } => self.keys.gave_up(client()),
            Fact::Routed { rank, epoch, reads, team } => {
                self.reference.check_route(node, *rank, *epoch, *reads, *team)?;
            }
            Fact::Refused { rank, epoch, reads } => self.check_refused(node, *rank, *epoch, *reads)?,
            Fact::EpochRefused { .. } => self.reach(Goal::EpochRefused),
            Fact::Adopted { .. } => {}
            Fact::FetchAsked { source, at } => self.transfers.check_asked(node, *source, *at)?,
            Fact::Stored { rank, cell, epoch } => self.check_written(*rank, cell, *epoch)?,
            Fact::FetchBegun { plan, keys, kept } => {
                self.reach(if *kept > 0 { Goal::FetchKept } else { Goal::FetchBegun });
                self.check_fetch(view, node, *plan, *keys)?;
            }
            Fact::HintLeft { .. } => self.reach(Goal::HintLeft),
            Fact::HintDelivered { .. } => self.reach(Goal::HintDelivered),
            Fact::Mended { .. } => self.reach(Goal::ReplicaMended),
            Fact::Forgot { .. } => self.reach(Goal::DeletionForgotten),
            Fact::Suspected(suspect) => {
                self.reach(Goal::MemberSuspected);
                self.detection.suspected(view, node, *suspect)?;
            }
            Fact::Passed(suspect) => self.detection.suspected(view, node, *suspect)?,
            Fact::Cleared { node: suspect } => {
                self.reach(Goal::SuspectCleared);
                self.detection.cleared(view, node, *suspect);
            }
            Fact::Missed { node: suspect, by, ticket } => {
                self.detection.missed(view, node, (*by, *suspect), *ticket)?;
            }
            Fact::Heard { node: other } => self.detection.heard(view, node, *other),
            Fact::Presumed { dead } => {
                self.reach(Goal::PresumedDead);
                self.members.presumed(*dead);
                self.detection.check_presumed(view, node, *dead)?;
            }
            Fact::Decided { epoch } => self.follow(view, node, epoch)?,
        }
        Ok(())
    }

    /// A server was touched.
    ///
    /// # Errors
    /// The broken invariant.
    pub fn after_step(&mut self, view: &View<Node>, node: NodeId, touch: Touch) -> Verdict {
        let server = view.state(node).and_then(Node::server);
        match server.and_then(Server::core).is_some_and(Core::is_leader) {
            true => self.detection.leads(view, node),
            false if node.index() < self.mirrors.len() => self.detection.leads_no_more(node),
            false => {}
        }
        if let Some(metadata) = server.and_then(Server::core).map(|core| core.machine()) {
            for topology in metadata.since(self.epoch().number) {
                self.follow(view, node, topology.epoch())?;
            }
        }
        match touch {
            Touch::Booted => {
                if self.mirrors[node.index()].accept_loss(&view.host(node).disk) {
                    self.reach(Goal::DiskReplaced);
                }
                let is_halfway = |server: &Server| {
                    let fetched = &server.shelf().store().fetched;
                    fetched.plan == self.epoch().plan && fetched.from.values().any(|ranges| !ranges.is_empty())
                };
                if self.epoch().phase == Phase::Copying && server.is_some_and(is_halfway) {
                    self.reach(Goal::FetchResumed);
                }
            }
            Touch::Crashed { .. } => {
                self.transfers.crashed(node);
                if self.epoch().phase != Phase::Settled {
                    self.reach(Goal::OwnerCrashedInChange);
                }
            }
            Touch::Handled | Touch::Synced => {}
        }
        self.fold(view, node)?;
        self.members.look(node, server.map(Server::shelf), &self.mirrors[node.index()]);
        if let Some(server) = server {
            self.check_server(view, node, server, touch)?;
            self.check_wish(node, server, touch)?;
        }
        self.look(view);
        Ok(())
    }

    /// One of the group has applied an epoch. It may die before the step is over, but what it has told others holds.
    fn follow(&mut self, view: &View<Node>, node: NodeId, epoch: &Arc<Epoch>) -> Verdict {
        if self.reference.follow(node, epoch)? { self.on_decided(view) } else { Ok(()) }
    }

    /// An epoch was decided.
    fn on_decided(&mut self, view: &View<Node>) -> Verdict {
        let epoch = self.epoch().clone();
        if let Some(before) = self.reference.at(epoch.number - 1) {
            self.members.check_decided(before.epoch(), &epoch)?;
        }
        match epoch.phase {
            Phase::Copying if epoch.plan == epoch.number => {
                let was = self.reference.at(epoch.number - 1).map(|topology| topology.epoch().phase);
                self.reach(if was == Some(Phase::Copying) { Goal::Retargeted } else { Goal::CopyingBegun });
            }
            Phase::Switched => {
                self.reach(Goal::Switched);
                return self.check_switch();
            }
            Phase::Settled if epoch.clears => {
                self.reach(Goal::Cleared);
                return self.clears.decided(view, epoch.number);
            }
            Phase::Settled => {
                self.reach(Goal::ChangeFinished);
                let before = self.reference.at(epoch.number - 1);
                if let Some(before) = before.filter(|before| before.epoch().phase == Phase::Switched) {
                    return self.check_finish(before);
                }
            }
            Phase::Copying => {}
        }
        Ok(())
    }

    /// A server fetches what it comes to own, and nothing else, and goes on where it was when it starts again.
    fn check_fetch(&self, view: &View<Node>, node: NodeId, plan: u64, keys: u64) -> Verdict {
        let mirror = &self.mirrors[node.index()];
        let Some(decided) = self.reference.at(plan).filter(|_| mirror.is_known()) else { return Ok(()) };
        let host = view.host(node);
        if mirror.has_planned_before(plan, host.incarnation) && !mirror.has_lost(&host.disk) {
            let message = format!(
                "{node:?} begins anew to fetch for the plan of epoch {plan}, of which its disk says how far it is"
            );
            return violation("ring.minimal-movement", &[node], message);
        }
        let gains = decided.gains(node, mirror.store.identity);
        let least: u64 = gains.iter().map(|(range, _)| u64::from(range.end - range.start)).sum();
        if keys <= least {
            return Ok(());
        }
        let message = format!("{node:?} fetches {keys} keys for the plan of epoch {plan}, of which it gains {least}");
        violation("ring.minimal-movement", &[node], message)
    }

    /// A server refuses a key: it must not be its own.
    fn check_refused(&self, node: NodeId, rank: Rank, epoch: u64, reads: bool) -> Verdict {
        let (Some(decided), identity) = (self.reference.at(epoch), self.mirrors[node.index()].store.identity) else {
            return Ok(());
        };
        let is_owner =
            if reads { is_read_from(decided, rank, node, identity) } else { holds(decided, rank, node, identity) };
        if !is_owner {
            return Ok(());
        }
        let message =
            format!("{node:?} refuses the key of rank {} in epoch {epoch}, and it is one of its owners", rank.0);
        violation("ring.owner-serves", &[node], message)
    }

    /// Takes in what has become durable.
    fn fold(&mut self, view: &View<Node>, node: NodeId) -> Verdict {
        let (disk, life) = (&view.host(node).disk, view.host(node).incarnation);
        while let Some(news) = self.mirrors[node.index()].next(disk, life) {
            match news.record {
                Record::Cell(rank, cell) => self.check_stored(node, *rank, cell, news.before)?,
                Record::Forget(rank, version) => {
                    self.check_forgotten(node, *rank, *version, news.before)?;
                    let (epoch, key) = (self.mirrors[node.index()].store.epoch(), self.keys.key(*rank));
                    if key.forgotten < Some(*version) {
                        (key.forgotten, key.forgotten_in) = (Some(*version), epoch);
                    }
                }
                Record::Purge(ranges) => {
                    let store = &self.mirrors[node.index()].store;
                    let gone: Vec<Rank> = ranges
                        .iter()
                        .flat_map(|range| store.cells.range(Rank(range.start)..Rank(range.end)))
                        .map(|(rank, _)| *rank)
                        .collect();
                    self.mirrors[node.index()].purge(news.record);
                    gone.into_iter().try_for_each(|rank| self.check_kept(rank))?;
                }
                Record::Checkpoint(checkpoint) => self.check_checkpoint(node, &checkpoint.store, news.skips)?,
                Record::Hint { .. } => {
                    let (count, most) = (self.mirrors[node.index()].store.hints.len(), self.config.limits.hints);
                    if count > most {
                        let message = format!("{node:?} keeps {count} hints for others, where {most} are allowed");
                        return violation("ring.hints-limited", &[node], message);
                    }
                }
                Record::Identity(_)
                    if view.step > 0 && self.mirrors[node.index()].is_member_of(&self.config.first, node) =>
                {
                    self.reach(Goal::DiskReplaced);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A server is in the epoch that was decided, and goes on only.
    fn check_server(&mut self, view: &View<Node>, node: NodeId, server: &Server, touch: Touch) -> Verdict {
        let (own, seen) = (server.shelf().topology(), self.epochs[node.index()]);
        let number = own.epoch().number;
        let durable = self.mirrors[node.index()].store.epoch();
        let least = if touch == Touch::Booted { durable } else { seen };
        if number < least && server.shelf().identity() == self.mirrors[node.index()].store.identity {
            let message = format!("{node:?} was in epoch {least} and is in epoch {number}");
            return violation("ring.epoch-monotonic", &[node], message);
        }
        if touch == Touch::Booted {
            self.check_identity(view, node, server)?;
        }
        if number != seen || touch == Touch::Booted {
            self.epochs[node.index()] = number;
            self.reference.check_adopted(node, own)?;
        }
        Ok(())
    }

    /// A server that starts with the disk that it had is who it was, and one of those who decide, if it was.
    fn check_identity(&self, view: &View<Node>, node: NodeId, server: &Server) -> Verdict {
        let mirror = &self.mirrors[node.index()];
        if mirror.is_known() && server.shelf().identity() != mirror.store.identity {
            let message = format!("{node:?} starts again with its disk, and takes itself for another member");
            return violation("ring.identity-kept", &[node], message);
        }
        let has_first_disk = mirror.is_known() && mirror.store.identity == FOUNDER;
        let decides = server.core().is_some_and(|core| !core.is_outcast());
        if decides && server.shelf().identity() != FOUNDER {
            let message =
                format!("{node:?} starts with another disk than its first, and takes part in what is decided");
            return violation("ring.identity-kept", &[node], message);
        }
        if node.number() < self.config.raft.servers && !decides && (view.host(node).incarnation == 0 || has_first_disk)
        {
            let message = format!("{node:?} starts with its first disk, and takes no part in what is decided");
            return violation("ring.identity-kept", &[node], message);
        }
        Ok(())
    }
}
