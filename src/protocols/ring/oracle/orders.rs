//! What a server wants to be: it changes by an order of an operator, in what that order is about, or once the server has taken
//! the place of another.

use super::{RingOracle, violation};
use crate::oracle::spec::{Touch, Verdict, View};
use crate::protocol::{NodeId, Order};
use crate::protocols::ring::epoch::{Epoch, FOUNDER, Phase};
use crate::protocols::ring::node::Node;
use crate::protocols::ring::server::Server;
use crate::protocols::ring::shelf::Shelf;
use crate::protocols::ring::store::Wish;

/// What a server wants to be as a member: its points, its zone, and whose place it takes.
type Place = (u32, u16, Option<NodeId>);

/// What the servers have been told to be.
#[derive(Clone, Debug)]
pub(super) struct Wishes {
    /// By server, before the last step in which it was touched and after it; nothing, where it was told nothing.
    told: Vec<(Option<Wish>, Option<Wish>)>,
    /// Whose has changed in the last step, without its having taken anybody's place: it must be told in that step.
    changed: Option<NodeId>,
}

impl Wishes {
    /// Of so many servers.
    pub(super) fn new(servers: usize) -> Wishes {
        Wishes { told: vec![(None, None); servers], changed: None }
    }
}

impl RingOracle {
    /// A server was touched. An order that it has heard is told afterwards.
    pub(super) fn check_wish(&mut self, node: NodeId, server: &Server, touch: Touch) -> Verdict {
        if let Some(other) = self.wishes.changed.take() {
            let (before, after) = self.wishes.told[other.index()];
            let message = format!("{other:?} was told nothing, wanted {before:?} and wants {after:?} now");
            return violation("ring.order-obeyed", &[other], message);
        }
        self.check_untold(node, server.shelf())?;
        let told = &mut self.wishes.told[node.index()];
        let (before, after) = (told.1, server.shelf().store().wish);
        *told = (before, after);
        // Of what it was told, what was not durable is lost with a crash.
        if touch == Touch::Booted || before == after {
            return Ok(());
        }
        let Some(before) = before.map(place) else { return Ok(()) };
        if after.map(place) != Some(taken(before, node, server.shelf())) {
            self.wishes.changed = Some(node);
        }
        Ok(())
    }

    /// Who was told nothing is what it was in the beginning; with another disk, what it is by the epoch that it is in, and once it is
    /// a member in a ring that has settled it keeps that this is what it wants.
    fn check_untold(&self, node: NodeId, shelf: &Shelf) -> Verdict {
        let (epoch, identity) = (shelf.topology().epoch(), shelf.identity());
        if shelf.store().wish.is_some() {
            return Ok(());
        }
        let list = if identity == FOUNDER { &self.config.first.next } else { &epoch.next };
        let expected = Epoch::find(list, node).map(|member| (member.points, member.zone, None));
        let is_settled = epoch.phase == Phase::Settled && shelf.topology().current().is_of(node, identity);
        if place(shelf.wish()) == expected && (identity == FOUNDER || !is_settled) {
            return Ok(());
        }
        let message = format!(
            "{node:?} was told nothing, is {expected:?} in epoch {}, and wants {:?}",
            epoch.number,
            shelf.wish()
        );
        violation("ring.order-obeyed", &[node], message)
    }

    /// A server has heard an order.
    ///
    /// # Errors
    /// `ring.order-obeyed`.
    pub fn on_order(&mut self, view: &View<Node>, node: NodeId, order: Order) -> Verdict {
        self.wishes.changed = None;
        let Some(server) = view.state(node).and_then(Node::server) else { return Ok(()) };
        let (shelf, (before, _)) = (server.shelf(), self.wishes.told[node.index()]);
        let (before, after) = (shelf.wish_if_told(before), shelf.wish());
        let usual = (self.config.points, self.config.zones[node.index()], None);
        let wanted = obeyed(order, place(before), usual);
        if place(after) == wanted || place(after) == taken(wanted, node, shelf) {
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

/// What a server wants after an order, who has wanted `before`.
fn obeyed(order: Order, before: Option<Place>, usual: Place) -> Option<Place> {
    let was = before.unwrap_or(usual);
    match order {
        Order::Leave => None,
        Order::Join => Some(was),
        Order::Replace(other) => Some((was.0, was.1, Some(other))),
        // Who is no member has neither, and nobody can be a member without points.
        Order::Reweigh(points) if points > 0 => before.map(|was| (points, was.1, was.2)),
        Order::Rezone(zone) => before.map(|was| (was.0, zone, was.2)),
        Order::Reweigh(_) | Order::Rebalance | Order::TransferLeadership => before,
    }
}

/// What a server wants by now that has wanted this: is it a member in a ring that has settled, and the one whose place it takes
/// is none, it takes nobody's.
fn taken(wanted: Option<Place>, node: NodeId, shelf: &Shelf) -> Option<Place> {
    let (placed, epoch) = (shelf.topology().current(), shelf.topology().epoch());
    let is_done = |other: NodeId| {
        epoch.phase == Phase::Settled
            && placed.is_of(node, shelf.identity())
            && Epoch::find(&epoch.members, other).is_none()
    };
    wanted.map(|(points, zone, instead_of)| (points, zone, instead_of.filter(|other| !is_done(*other))))
}
