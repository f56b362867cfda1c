//! What an operator orders nodes to do, as a plan spells it out.

use super::Target;
use serde::{Deserialize, Serialize};

/// An order, for those whom a [`Fault::Order`](super::Fault::Order) is given to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Command {
    /// They ask to become members.
    Join,
    /// They ask to leave in an orderly way.
    Leave,
    /// They ask to take the places of others that are gone: the first of them that of the first one, and so on.
    /// Nobody takes its own place.
    ReplaceMember {
        /// Whose places.
        member: Target,
    },
    /// They take so much of the load from now on.
    Reweigh {
        /// How much, in units of the system.
        weight: u32,
    },
    /// They stand in another zone from now on.
    Rezone {
        /// The number of the zone.
        zone: u16,
    },
    /// They look after balance.
    Rebalance,
    /// Whoever leads lets them lead.
    TransferLeadership,
}
