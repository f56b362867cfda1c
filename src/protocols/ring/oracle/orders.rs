//! What an order of an operator may change of what a server wants: what it is about.

use super::{RingOracle, violation};
use crate::oracle::spec::Verdict;
use crate::protocol::{NodeId, Order};
use crate::protocols::ring::store::Wish;

/// What a server wants to be as a member: its points, its zone, and whose place it takes.
type Place = (u32, u16, Option<NodeId>);

impl RingOracle {
    /// A server was told something about its place in the ring.
    pub(super) fn check_order(&self, node: NodeId, order: Order, before: Wish, after: Wish) -> Verdict {
        let usual = (self.config.points, self.config.zones[node.index()], None);
        if obeys(order, place(before), place(after), usual) {
            return Ok(());
        }
        let message = format!("{node:?} was told to {order}, wanted {before:?} and wants {after:?} now");
        violation("ring.order-obeyed", &[node], message)
    }
}

fn place(wish: Wish) -> Option<Place> {
    match wish {
        Wish::Out => None,
        Wish::In { points, zone, instead_of } => Some((points, zone, instead_of)),
    }
}

fn obeys(order: Order, before: Option<Place>, after: Option<Place>, usual: Place) -> bool {
    let was = before.unwrap_or(usual);
    match order {
        Order::Leave => after.is_none(),
        Order::Join => after == Some(was),
        Order::Replace(other) => after == Some((was.0, was.1, Some(other))),
        Order::Reweigh(points) => before.is_some() && after == Some((points, was.1, was.2)),
        Order::Rezone(zone) => before.is_some() && after == Some((was.0, zone, was.2)),
        Order::Rebalance | Order::TransferLeadership => after == before,
    }
}
