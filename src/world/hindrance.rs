//! What keeps a message or a timer from being handled when its time has come.

use super::{ANY_INCARNATION, Event, Held, World};
use crate::environment::fault::Kind;
use crate::kernel::time::Time;
use crate::oracle::spec::Oracle;
use crate::protocol::{NodeId, Protocol, Timer};
use crate::trace::Trace;

/// Why a message is not handled when it arrives.
pub(super) enum Hindrance {
    /// Its link is blocked, or whom it was sent to is no more.
    Stopped,
    Asleep,
    /// Its receiver is slow, and free only then.
    Busy(Time),
}

impl<P: Protocol, O: Oracle<P>, T: Trace<P>> World<P, O, T> {
    /// What keeps a message that arrives now from being handled now.
    #[cold]
    pub(super) fn hindrance(&mut self, from: NodeId, to: NodeId, incarnation: u32) -> Option<Hindrance> {
        // A crash takes along what a node has sent itself, and what is under way on its connections.
        let host = &self.view.hosts[to.index()];
        let stale = incarnation != ANY_INCARNATION && host.incarnation != incarnation;
        if host.state.is_none() || stale || self.view.network.is_blocked(from.number(), to.number()) {
            return Some(Hindrance::Stopped);
        }
        if host.asleep {
            return Some(Hindrance::Asleep);
        }
        let trouble = self.backstage[to.index()].trouble.as_mut();
        trouble.and_then(|trouble| trouble.busy_until(self.view.now, &self.table, to)).map(Hindrance::Busy)
    }

    /// Loses, holds or queues a message that cannot be handled now.
    #[cold]
    pub(super) fn hinder(
        &mut self,
        hindrance: Hindrance,
        from: NodeId,
        to: NodeId,
        incarnation: u32,
        message: P::Message,
    ) {
        match hindrance {
            Hindrance::Stopped => self.stop_message(from, to, incarnation, message),
            Hindrance::Asleep => self.hold(to, Held::Event(Event::Arrival { from, to, incarnation, message })),
            Hindrance::Busy(ready) => {
                // What has arrived waits in the memory of this incarnation, and dies with it.
                let incarnation = self.view.hosts[to.index()].incarnation;
                self.audit.bite(Kind::SlowNode, |active| active.hits(to));
                self.queue.push(ready, Event::Served { from, to, incarnation, message });
            }
        }
    }

    /// Whether a timer that is due fires now. If not, it waits.
    #[cold]
    pub(super) fn may_fire(&mut self, number: u32, node: NodeId, timer: P::Timer) -> bool {
        let place = node.index();
        if self.view.hosts[place].asleep {
            // It is due, and stays so: what its clock does from now on moves it no more.
            if let Some(trouble) = &mut self.backstage[place].trouble {
                trouble.is_due(timer.slot());
            }
            self.hold(node, Held::Timer(number));
            return false;
        }
        if let Some(trouble) = &mut self.backstage[place].trouble {
            if let Some(ready) = trouble.timer_busy_until(timer.slot(), self.view.now, &self.table, node) {
                self.audit.bite(Kind::SlowNode, |active| active.hits(node));
                self.deadlines.arm(&mut self.queue, number, ready);
                return false;
            }
            trouble.forget_timer(timer.slot());
        }
        true
    }
}
