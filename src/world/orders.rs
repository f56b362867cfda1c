//! How a node hears what an operator orders.

use super::stop::Cause;
use super::{Event, Held, World};
use crate::environment::fault::{Command, Target};
use crate::oracle::spec::{Oracle, Touch, Verdict};
use crate::protocol::{Effects, NodeId, Order, Protocol};
use crate::trace::{Happening, Trace};

impl<P: Protocol, O: Oracle<P>, T: Trace<P>> World<P, O, T> {
    /// Gives an order to those who are up. Each hears it in a turn of its own, right after this step.
    pub(super) fn give_order(&mut self, fault: usize, command: &Command, hearers: &[NodeId]) {
        for (node, order) in self.orders(fault, command, hearers) {
            let host = &self.view.hosts[node.index()];
            if host.state.is_some() {
                let (incarnation, fault) = (host.incarnation, fault as u32);
                self.queue.push(self.view.now, Event::Ordered { node, incarnation, fault, order });
            }
        }
    }

    /// Who is told what.
    fn orders(&self, fault: usize, command: &Command, hearers: &[NodeId]) -> Vec<(NodeId, Order)> {
        let all = |order: Order| hearers.iter().map(|node| (*node, order)).collect();
        match command {
            Command::Join => all(Order::Join),
            Command::Leave => all(Order::Leave),
            Command::ReplaceMember { member } => self.replacements(fault, member, hearers),
            Command::Reweigh { weight } => all(Order::Reweigh(*weight)),
            Command::Rezone { zone } => all(Order::Rezone(*zone)),
            Command::Rebalance => all(Order::Rebalance),
            Command::TransferLeadership => all(Order::TransferLeadership),
        }
    }

    fn replacements(&self, fault: usize, member: &Target, hearers: &[NodeId]) -> Vec<(NodeId, Order)> {
        let replaced = self.nodes_of(member, fault);
        let pairs = hearers.iter().zip(replaced).filter(|(node, replaced)| *node != replaced);
        pairs.map(|(node, replaced)| (*node, Order::Replace(replaced))).collect()
    }

    /// A node hears an order: now, when it wakes, or never if it has died meanwhile.
    #[cold]
    pub(super) fn hear(&mut self, event: Event<P>, effects: &mut Effects<P>) -> Verdict {
        let Event::Ordered { node, incarnation, fault, order } = event else { unreachable!("it is an order") };
        let host = &self.view.hosts[node.index()];
        if host.state.is_none() || host.incarnation != incarnation {
            return Ok(());
        }
        if host.asleep {
            self.hold(node, Held::Event(event));
            return Ok(());
        }
        let (kind, mut means_something) = (self.plan.faults[fault as usize].inject.kind(), false);
        self.cause = Cause::Order(kind);
        self.trace.happened(self.view.now, &Happening::Ordered { node, order });
        // Also who dies in this very turn may have written down what it does about it.
        self.oracles.ordered(&self.view, node, order);
        let is_up = self.turn(node, effects, |state, io| means_something = state.on_order(order, io))?;
        if means_something {
            self.audit.obeyed(kind, fault as usize);
        }
        if !is_up {
            return Ok(());
        }
        self.judge(node, Touch::Handled)?;
        self.oracles.on_order(&self.view, node, order)
    }
}
