//! Whether a server goes on asking for what it was ordered to ask for, until it has it; and whether nothing else happens
//! than was ordered.

use super::elections::TOLD;
use super::{Common, Seen, violation};
use crate::oracle::spec::Verdict;
use crate::protocol::{NodeId, Order};
use crate::protocols::raft::core::{Core, StateMachine};
use crate::protocols::raft::membership::{Configuration, Servers, Wish};
use std::collections::BTreeMap;

/// What operators have ever ordered.
#[derive(Clone, Debug, Default)]
pub(super) struct Orders {
    /// Who was to come, and who was to go.
    join: Servers,
    leave: Servers,
    /// Who was to vote in whose place.
    replace: Vec<(NodeId, NodeId)>,
    /// Who was to lead, by the term in which it heard that. Of the latest terms.
    lead: BTreeMap<u64, Servers>,
}

impl Orders {
    /// A server has heard an order in this term.
    pub(super) fn note(&mut self, order: Order, node: NodeId, term: u64) {
        match order {
            Order::Join => self.join = self.join.with(node),
            Order::Leave => self.leave = self.leave.with(node),
            Order::Replace(old) if !self.replace.contains(&(node, old)) => self.replace.push((node, old)),
            Order::TransferLeadership => {
                let lead = self.lead.entry(term).or_default();
                *lead = lead.with(node);
                if self.lead.len() > TOLD {
                    self.lead.pop_first();
                }
            }
            Order::Replace(_) | Order::Reweigh(_) | Order::Rezone(_) | Order::Rebalance => {}
        }
    }

    /// In whose place a server was to vote.
    fn replaced_by(&self, node: NodeId) -> Servers {
        self.replace.iter().filter(|(new, _)| *new == node).map(|(_, old)| *old).collect()
    }

    /// Another configuration is committed.
    pub(super) fn check_change(&self, node: NodeId, before: &Configuration, after: &Configuration) -> Verdict {
        let voted = before.voters | before.outgoing;
        let comes = (after.voters - before.voters) | (after.members() - before.members());
        let goes = (voted - after.voters) | (before.members() - after.members());
        let may_come = |server: &NodeId| self.join.has(*server) || !self.replaced_by(*server).is_empty();
        let may_go = |server: &NodeId| {
            let makes_way = |(new, old): &(NodeId, NodeId)| old == server && after.voters.has(*new);
            self.leave.has(*server) || self.replace.iter().any(makes_way)
        };
        let one_too_many = |server: &NodeId| {
            let old = self.replaced_by(*server);
            after.voters.has(*server) && !self.join.has(*server) && !old.is_empty() && (old - after.voters).is_empty()
        };
        let (unasked, found) = match comes.iter().find(|server| !may_come(server)) {
            Some(server) => (server, "comes and was not ordered to"),
            None => match goes.iter().find(|server| !may_go(server)) {
                Some(server) => (server, "goes and was not ordered to, nor is it replaced"),
                None => match comes.iter().find(one_too_many) {
                    Some(server) => (server, "was ordered to vote in the place of another one, which votes still"),
                    None => return Ok(()),
                },
            },
        };
        violation("raft.as-ordered", &[node, unasked], || {
            format!("{node:?} commits {after:?} after {before:?}: {unasked:?} {found}")
        })
    }

    /// The leader of a term has told a server to campaign.
    pub(super) fn check_lead(&self, node: NodeId, to: NodeId, term: u64) -> Verdict {
        let is_forgotten =
            self.lead.len() == TOLD && self.lead.first_key_value().is_some_and(|(first, _)| term <= *first);
        if is_forgotten || self.lead.get(&term).is_some_and(|lead| lead.has(to)) {
            return Ok(());
        }
        violation("raft.as-ordered", &[node, to], || {
            format!("leader {node:?} hands over to {to:?}, which nobody has ordered to lead since term {term} began")
        })
    }
}

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
    /// The touched server asks for something else than before, or for nothing: then it has got it, by the latest configuration that
    /// it knows to be committed.
    pub(super) fn check_wish<M: StateMachine>(&self, seen: &mut Seen, node: NodeId, core: &Core<M>) -> Verdict {
        let before = std::mem::replace(&mut seen.wish, core.wish());
        let Some(wish) = before.filter(|_| core.wish().is_none()) else { return Ok(()) };
        let committed = self.in_force_at(core, core.commit());
        if is_granted(wish, node, &committed) {
            return Ok(());
        }
        violation("raft.order-kept", &[node], || {
            format!("{node:?} was ordered to ask for this, and asks no more: {wish:?}; committed are {committed:?}")
        })
    }
}
