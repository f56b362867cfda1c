//! What must hold of the ring as a whole: of the group that decides all that must hold of Raft, and what its clients see.

use super::config::Config;
use super::epoch::Epoch;
use super::message::{Outcome, Record, Write};
use super::metadata::Metadata;
use super::node::{Fact, Node};
use super::oracle::{GOALS, RingOracle};
use super::server::Server;
use super::store::Wish;
use crate::environment::plan;
use crate::oracle::spec::{Oracle, Spec, Touch, Verdict, View, Violation};
use crate::protocol::{NodeId, Order};
use crate::protocols::raft::core::Core;
use crate::protocols::raft::message;
use crate::protocols::raft::oracle::{self as raft, CoreOracle, Replicated};
use std::sync::Arc;

impl Replicated for Node {
    type Machine = Metadata;

    #[inline]
    fn core(&self) -> Option<&Core<Metadata>> {
        self.server().and_then(Server::core)
    }

    #[inline]
    fn raft_record(record: &Record) -> Option<&message::Record<Metadata>> {
        record.raft()
    }
}

impl Spec for Node {
    type Oracles = RingOracles;

    fn oracles(config: &Arc<Config>) -> RingOracles {
        RingOracles { config: config.clone(), core: CoreOracle::of(config.raft.servers), ring: RingOracle::new(config) }
    }

    /// Of a server: whether it is down, in which phase it is, whether it is behind, and whether it is a member.
    fn sketch(oracles: &RingOracles, view: &View<Node>, node: NodeId) -> u64 {
        let Some(state) = view.state(node) else { return 1 };
        let Some(server) = state.server() else { return 0 };
        let (shelf, latest) = (server.shelf(), oracles.ring.epoch());
        let epoch = shelf.topology().epoch();
        let is_behind = u64::from(epoch.number < latest.number);
        let is_member = u64::from(shelf.topology().current().is_of(node, shelf.identity()));
        let has_hints = u64::from(!shelf.store().hints.is_empty());
        2 + (epoch.phase as u64 | is_behind << 2 | is_member << 3 | has_hints << 4)
    }

    fn standing(&self) -> String {
        // What clients do their facts say.
        self.server().map_or(String::new(), Server::standing)
    }

    fn invoked(fact: &Fact) -> Option<plan::Operation> {
        let Fact::Invoked { key, write, .. } = fact else { return None };
        let key = *key;
        Some(match write {
            None => plan::Operation::Read { key },
            Some(Write { value }) => plan::Operation::Write { key, value: value.unwrap_or(0) },
        })
    }

    fn completed(fact: &Fact) -> Option<plan::Completion> {
        match fact {
            Fact::Returned { outcome: Outcome::Found(cell), .. } => {
                Some(plan::Completion::Value(cell.and_then(|cell| cell.value).unwrap_or(0)))
            }
            Fact::Returned { outcome: Outcome::Stored(_), .. } => Some(plan::Completion::Done),
            Fact::Returned { outcome: Outcome::Refused, .. } | Fact::Failed { .. } => Some(plan::Completion::Failed),
            Fact::Returned { outcome: Outcome::Unknown, .. } | Fact::GaveUp { .. } => Some(plan::Completion::Unknown),
            _ => None,
        }
    }
}

/// What a scenario's operation asks of the ring: nothing of a read, else what to write; to write 0 is to delete. `None` if
/// it has no such operation.
pub fn planned(operation: plan::Operation) -> Option<Option<Write>> {
    match operation {
        plan::Operation::Read { .. } => Some(None),
        plan::Operation::Write { value, .. } => Some(Some(Write { value: (value != 0).then_some(value) })),
        plan::Operation::Cas { .. } | plan::Operation::Add { .. } => None,
    }
}

/// All oracles of the ring.
#[derive(Clone, Debug)]
pub struct RingOracles {
    config: Arc<Config>,
    core: CoreOracle,
    ring: RingOracle,
}

impl Oracle<Node> for RingOracles {
    fn on_fact(&mut self, view: &View<Node>, node: NodeId, fact: &Fact) -> Verdict {
        self.ring.on_fact(view, node, fact)
    }

    fn after_step(&mut self, view: &View<Node>, node: NodeId, touch: Touch) -> Verdict {
        if node.number() >= self.config.servers {
            return Ok(());
        }
        if node.number() < self.config.raft.servers {
            self.core.after_step(view, node, touch)?;
        }
        self.ring.after_step(view, node, touch)
    }

    fn on_weather(&mut self, view: &View<Node>) {
        self.core.on_weather(view);
    }

    fn on_order(&mut self, view: &View<Node>, node: NodeId, order: Order) -> Verdict {
        self.ring.on_order(view, node, order)
    }

    fn on_calm(&mut self, view: &View<Node>) {
        self.ring.on_calm(view.now);
    }

    fn is_settled(&self, _: &View<Node>) -> bool {
        self.ring.is_settled()
    }

    fn pending(&self, view: &View<Node>) -> Violation {
        let undone = self.too_few(view).and_then(|_| self.ring.undone(view));
        undone.unwrap_or_else(|| self.ring.pending())
    }

    /// The ring comes to rest when those of its servers that are fit for work reach each other, and are enough. Where they
    /// reach each other and are too few, what those who are left could do must be done all the same.
    fn excuse(&self, view: &View<Node>) -> Option<String> {
        self.disturbed(view).or_else(|| self.too_few(view).filter(|_| self.ring.undone(view).is_none()))
    }

    fn goals(&self) -> Vec<(&'static str, u64)> {
        let of_ring = GOALS.into_iter().zip(*self.ring.goals());
        of_ring.chain(raft::GOALS.into_iter().zip(self.core.goals())).collect()
    }

    fn goal_count(&self, goal: usize) -> u64 {
        let of_core = || self.core.goals()[goal - GOALS.len()];
        self.ring.goals().get(goal).copied().unwrap_or_else(of_core)
    }

    fn stats(&self) -> Vec<(&'static str, u64)> {
        self.ring.stats()
    }
}

impl RingOracles {
    /// Why those who are up cannot work with each other.
    fn disturbed(&self, view: &View<Node>) -> Option<String> {
        let is_able = |node: &NodeId| view.host(*node).is_able();
        let impaired = self.config.servers().find(|node| view.state(*node).is_some() && !is_able(node));
        if let Some(node) = impaired {
            return Some(format!("{node:?} is up, but not fit for work, and nobody knows"));
        }
        let clients = (0..self.config.clients).map(|place| NodeId::new(self.config.servers + place));
        let nodes: Vec<NodeId> = self.config.servers().filter(is_able).chain(clients).collect();
        let is_cut =
            |(from, to): &(NodeId, NodeId)| from != to && !view.network.is_reliable(from.number(), to.number());
        let pairs = nodes.iter().flat_map(|from| nodes.iter().map(move |to| (*from, *to)));
        pairs
            .into_iter()
            .find(is_cut)
            .map(|(from, to)| format!("messages from {from:?} to {to:?} are disturbed, or too many of them are lost"))
    }

    /// What there is not enough of: a majority of those who decide, as many members as there are copies, and of every key a
    /// read quorum of its owners.
    fn too_few(&self, view: &View<Node>) -> Option<String> {
        let able: Vec<NodeId> = self.config.servers().filter(|node| view.host(*node).is_able()).collect();
        let decides = |node: &NodeId| view.state(*node).and_then(Node::core).is_some_and(|core| !core.is_outcast());
        let (deciders, group) =
            (able.iter().filter(|node| decides(node)).count(), usize::from(self.config.raft.servers));
        if deciders * 2 <= group {
            return Some(format!("only {deciders} of the {group} who decide can take part"));
        }
        let is_willing = |node: &&NodeId| {
            view.state(**node).and_then(Node::server).is_some_and(|server| server.shelf().wish() != Wish::Out)
        };
        // Whoever is a member stays, though it would go, where there would be too few.
        let can_stay = |node: &&NodeId| Epoch::find(&self.ring.epoch().next, **node).is_some();
        let can_be = |node: &&NodeId| can_stay(node) || is_willing(node) && !self.ring.is_replaced(view, **node);
        let members = able.iter().filter(can_be).count();
        if members < self.config.copies {
            return Some(format!(
                "only {members} servers that are fit for work are members or want to be, for {} copies",
                self.config.copies
            ));
        }
        let owners = self.ring.too_few(view)?;
        Some(format!("of the owners {owners:?} of some keys too few are fit for work"))
    }
}
