//! The ring of a plan, and what becomes of it by the orders that the plan spells out, one after the other.

use super::super::BuiltIn;
use super::ring_plan;
use crate::environment::fault::{Command, Fault, Target};
use crate::environment::plan::Plan;
use crate::kernel::time::Time;
use crate::placement::succession::{Succession, Turn};
use crate::protocol::{NodeId, Order};
use crate::protocols::ring::cell::Rank;
use crate::protocols::ring::config::Config;
use crate::protocols::ring::epoch::{Epoch, FOUNDER, Member, Step};
use crate::protocols::ring::store::Wish;
use crate::protocols::ring::topology::Topology;
use std::sync::Arc;

/// Each order is taken as if everybody heard it, and the change were over before the next. Who is taken for dead is not
/// foreseen.
///
/// # Panics
/// If the plan is of another system.
pub(in crate::systems) fn succession(plan: &Plan<BuiltIn>) -> Succession {
    let planned = ring_plan(plan);
    let config = &planned.system;
    let mut topology = Topology::first(config);
    let mut wishes = Wishes::new(config);
    let keys = (0..config.keyspace.len()).map(|rank| config.keyspace.position(Rank(rank))).collect();
    let (mut turns, mut left_out) = (Vec::new(), Vec::new());
    let first = topology.current().ring().clone();
    let mut faults: Vec<_> = plan.faults.iter().collect();
    faults.sort_by_key(|fault| fault.at);
    for fault in faults {
        let Fault::Order { target, command } = &fault.inject else { continue };
        let said = |hearers: &[NodeId]| orders(config, command, hearers);
        let named = named(config, target).filter(|_| fault.when.is_none());
        let Some(orders) = named.and_then(|hearers| said(&hearers)) else {
            left_out.push(format!("{fault}: whom it concerns, or when, is known only in the run"));
            continue;
        };
        if orders.iter().all(|(_, order)| *order == Order::Rebalance) {
            continue;
        }
        orders.into_iter().for_each(|(node, order)| wishes.hear(node, order, config));
        let members = wishes.members(topology.epoch(), config);
        if members == topology.epoch().members {
            left_out.push(format!("{fault}: the members stay the same"));
            continue;
        }
        for step in [Step::Target(members), Step::Switch, Step::Finish] {
            let epoch = topology.epoch().after(&step).unwrap_or_else(|| unreachable!("no other change is under way"));
            topology = topology.after(&Arc::new(epoch), config);
        }
        let (at_ns, what) = (fault.at.since(Time::ZERO).as_ns(), fault.inject.to_string());
        turns.push(Turn { at_ns, what, ring: topology.current().ring().clone() });
    }
    Succession { copies: config.copies, keys, first, turns, left_out }
}

/// The nodes of a target, if it names them.
fn named(config: &Config, target: &Target) -> Option<Vec<NodeId>> {
    let Target::Nodes(names) = target else { return None };
    Some(names.iter().filter_map(|name| config.servers().find(|node| config.name(*node) == *name)).collect())
}

/// Who is told what; `None` if that cannot be said beforehand.
fn orders(config: &Config, command: &Command, hearers: &[NodeId]) -> Option<Vec<(NodeId, Order)>> {
    let all = |order: Order| Some(hearers.iter().map(|node| (*node, order)).collect());
    match command {
        Command::Join => all(Order::Join),
        Command::Leave => all(Order::Leave),
        Command::ReplaceMember { member } => {
            let pairs = hearers.iter().copied().zip(named(config, member)?);
            Some(pairs.filter(|(node, old)| node != old).map(|(node, old)| (node, Order::Replace(old))).collect())
        }
        Command::Reweigh { weight } => all(Order::Reweigh(*weight)),
        Command::Rezone { zone } => all(Order::Rezone(*zone)),
        Command::Rebalance => all(Order::Rebalance),
        Command::TransferLeadership => None,
    }
}

/// What each server wants to be.
struct Wishes(Vec<Wish>);

impl Wishes {
    fn new(config: &Config) -> Wishes {
        let wish = |node| match Epoch::find(&config.first.members, node) {
            Some(Member { points, zone, .. }) => Wish::In { points: *points, zone: *zone, instead_of: None },
            None => Wish::Out,
        };
        Wishes(config.servers().map(wish).collect())
    }

    fn hear(&mut self, node: NodeId, order: Order, config: &Config) {
        let wish = &mut self.0[node.index()];
        *wish = wish.after(order, (config.points, config.zones[node.index()])).unwrap_or(*wish);
    }

    /// The members that come of it.
    fn members(&self, latest: &Epoch, config: &Config) -> Arc<[Member]> {
        let wishes = || config.servers().zip(&self.0);
        let is_replaced = |node: NodeId| {
            wishes().any(|(_, wish)| matches!(wish, Wish::In { instead_of: Some(other), .. } if *other == node))
        };
        let mut wanted = Vec::new();
        for (node, wish) in wishes().filter(|(node, _)| !is_replaced(*node)) {
            if let Wish::In { points, zone, .. } = *wish {
                wanted.push(Member { node, identity: FOUNDER, points, zone });
            }
        }
        let is_gone = |member: &&Member| Epoch::find(&wanted, member.node).is_none();
        let would_go = latest.members.iter().filter(is_gone).copied().collect();
        Epoch::list(wanted, would_go, config.copies)
    }
}
