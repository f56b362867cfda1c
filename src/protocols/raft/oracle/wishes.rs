//! Whether a server goes on asking for what it was ordered to ask for, until it has it.

use super::{Common, Seen, violation};
use crate::oracle::spec::Verdict;
use crate::protocol::{NodeId, Order};
use crate::protocols::raft::core::{Core, StateMachine};
use crate::protocols::raft::membership::{Configuration, Wish};

/// Whether a server has what it asks for, if this says who belongs to the cluster.
pub fn is_granted(wish: Wish, server: NodeId, configuration: &Configuration) -> bool {
    match wish {
        Wish::Join | Wish::Replace(_) => configuration.voters.has(server),
        Wish::Leave => !configuration.members().has(server),
    }
}

/// A server was ordered to ask for something: it does, unless it has it, or takes no part.
///
/// # Errors
/// If it does not.
pub fn check_order<M: StateMachine>(order: Order, node: NodeId, core: &Core<M>) -> Verdict {
    let wish = match order {
        Order::Join => Wish::Join,
        Order::Leave => Wish::Leave,
        Order::Replace(other) => Wish::Replace(other),
        Order::TransferLeadership | Order::Reweigh(_) | Order::Rezone(_) | Order::Rebalance => return Ok(()),
    };
    if core.is_outcast() || core.wish() == Some(wish) || is_granted(wish, node, core.configuration()) {
        return Ok(());
    }
    violation("raft.order-kept", &[node], || {
        let asks = core.wish().map_or("nothing".to_owned(), |other| format!("{other:?}"));
        format!("{node:?} was ordered to ask for this: {wish:?}; it asks for {asks}")
    })
}

impl Common {
    /// The touched server asks for something else than before, or for nothing: then it has got it, by some configuration that has come into
    /// its log since, or it has lost the one by which it had not. `replaced` says that it has removed entries, or that a snapshot stands for them.
    pub(super) fn check_wish<M: StateMachine>(
        &self,
        seen: &mut Seen,
        replaced: bool,
        node: NodeId,
        core: &Core<M>,
    ) -> Verdict {
        if core.wish() == seen.wish {
            return Ok(());
        }
        let before = std::mem::replace(&mut seen.wish, core.wish());
        let since = std::mem::replace(&mut seen.wished_at, core.log().last_index());
        let Some(wish) = before.filter(|_| core.wish().is_none() && !replaced) else { return Ok(()) };
        let grants = |configuration: &Configuration| is_granted(wish, node, configuration);
        // A leader that is ordered to leave may be gone in the same step, whatever it was to ask for before.
        let is_gone = is_granted(Wish::Leave, node, core.configuration());
        if is_gone || grants(core.configuration()) || self.has_had(core, since, grants) {
            return Ok(());
        }
        violation("raft.order-kept", &[node], || {
            format!(
                "{node:?} was ordered to ask for this, and asks no more: {wish:?}; by its log there are {:?}",
                core.configuration()
            )
        })
    }
}
