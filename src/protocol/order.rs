//! What an operator orders a node to do.

use super::NodeId;
use crate::kernel::digest::{Digest, Digestible};
use std::fmt;

/// An order of an operator, as the node hears it: see [`Protocol::on_order`](super::Protocol::on_order). What it means
/// is up to the protocol. An order is no promise that it is carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// This node asks to become a member.
    Join,
    /// This node asks to leave in an orderly way: it hands over first what it holds.
    Leave,
    /// This node asks to take the place of that one, which is gone.
    Replace(NodeId),
    /// From now on this node takes so much of the load, in units of the protocol.
    Reweigh(u32),
    /// This node stands in another zone from now on, the one of this number.
    Rezone(u16),
    /// This node looks after balance: who has too much gives some of it to who has too little.
    Rebalance,
    /// Whoever leads lets this node lead.
    TransferLeadership,
}

impl Order {
    /// Its place among the orders, and what it is about.
    const fn numbers(self) -> (u64, u64) {
        match self {
            Order::Join => (0, 0),
            Order::Leave => (1, 0),
            Order::Replace(node) => (2, node.number() as u64),
            Order::Reweigh(weight) => (3, weight as u64),
            Order::Rezone(zone) => (4, zone as u64),
            Order::Rebalance => (5, 0),
            Order::TransferLeadership => (6, 0),
        }
    }
}

impl Digestible for Order {
    fn digest(&self, digest: &mut Digest) {
        let (place, operand) = self.numbers();
        digest.word(place << 32 | operand);
    }
}

/// What the node is told to do, with nodes as `#3`: `join`, `take the place of #3`.
impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Order::Join => f.write_str("join"),
            Order::Leave => f.write_str("leave"),
            Order::Replace(node) => write!(f, "take the place of {node:?}"),
            Order::Reweigh(weight) => write!(f, "take a load of {weight}"),
            Order::Rezone(zone) => write!(f, "stand in zone {zone}"),
            Order::Rebalance => f.write_str("rebalance"),
            Order::TransferLeadership => f.write_str("lead"),
        }
    }
}
