//! What faults have really done: each kind counts what it has planned, begun, and changed.

use crate::environment::fault::{KINDS, Kind, PlannedFault};
use crate::environment::network::Scope;
use crate::protocol::NodeId;

/// The account of one run; a plan without faults needs none.
#[derive(Clone, Debug)]
pub(super) struct Audit {
    account: Option<Box<Account>>,
}

#[derive(Clone, Debug)]
struct Account {
    counts: FaultCounts,
    /// By kind, the faults that have begun and not changed anything yet.
    idle: [Vec<Fired>; KINDS],
}

/// How many faults of each kind did what, by [`Kind`]. Each kind says of its own what it takes to have changed
/// something; what would have happened anyway never does.
///
/// A fault of links has, when it has lost, held, doubled, delayed or damaged a message; one that loses or cuts off, a
/// message that would have come through. A kill has, when its node was up, or stays down longer for it; a wipe also,
/// when durable records are gone. A pause or a slow node has, when something had to wait. Clocks that drift or stand
/// still have, when a timer was moved, or armed meanwhile and fires at another time for it; they and jumps also, when
/// the wall clock is looked at after they began. A disk has, when a sync was late or refused, a write refused, a record
/// torn, or a record lost in a crash that a lying disk had acknowledged. What has rotted shows when a boot reads it. A
/// heal has, when a link was cut. An order has, when it means something to one who hears it.
///
/// A fault that finds nobody to hit has begun and changed nothing; so has one that spares its victims because the
/// plan wants the disks [recoverable](crate::environment::plan::Disk::recoverable).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FaultCounts {
    /// The plan has so many.
    pub planned: [u64; KINDS],
    /// So many have begun.
    pub fired: [u64; KINDS],
    /// So many have changed something: a message was really lost, a timer really late.
    pub changed: [u64; KINDS],
    /// So much was changed by all of them: messages, timers, records, nodes.
    pub effects: [u64; KINDS],
}

/// What a plan without faults comes to.
const NOTHING: FaultCounts =
    FaultCounts { planned: [0; KINDS], fired: [0; KINDS], changed: [0; KINDS], effects: [0; KINDS] };

/// A fault that has begun, and whom or what it hits.
#[derive(Clone, Debug)]
pub(super) struct Fired {
    pub(super) number: usize,
    pub(super) victims: Vec<NodeId>,
    pub(super) scope: Option<Scope>,
    pub(super) is_over: bool,
}

impl Fired {
    /// Whether it hits this node.
    pub(super) fn hits(&self, node: NodeId) -> bool {
        self.victims.contains(&node)
    }

    /// Whether it hits this link.
    pub(super) fn covers(&self, from: NodeId, to: NodeId) -> bool {
        match &self.scope {
            None => false,
            Some(Scope::All) => true,
            Some(Scope::Links(links)) => links.contains(&(from.number(), to.number())),
        }
    }
}

impl Audit {
    pub(super) fn new(faults: &[PlannedFault]) -> Audit {
        if faults.is_empty() {
            return Audit { account: None };
        }
        let mut counts = NOTHING;
        faults.iter().for_each(|fault| counts.planned[fault.inject.kind() as usize] += 1);
        Audit { account: Some(Box::new(Account { counts, idle: [const { Vec::new() }; KINDS] })) }
    }

    pub(super) fn counts(&self) -> &FaultCounts {
        self.account.as_ref().map_or(&NOTHING, |account| &account.counts)
    }

    /// A fault has begun.
    pub(super) fn fired(&mut self, kind: Kind, fired: Fired) {
        let account = self.account.as_mut().expect("a plan with this fault");
        account.counts.fired[kind as usize] += 1;
        account.idle[kind as usize].push(fired);
    }

    /// A fault is over: what happens from now on is not its doing, unless its kind shows late.
    pub(super) fn over(&mut self, kind: Kind, number: usize) {
        if let Some(fired) = self.idle(kind).iter_mut().find(|fired| fired.number == number) {
            fired.is_over = true;
        }
    }

    /// What happens to this node is not the doing of those faults of a kind, or not any more.
    pub(super) fn acquit(&mut self, kind: Kind, node: NodeId, whom: impl Fn(&Fired) -> bool) {
        let acquitted = self.idle(kind).iter_mut().filter(|fired| whom(fired));
        acquitted.for_each(|fired| fired.victims.retain(|victim| *victim != node));
    }

    fn idle(&mut self, kind: Kind) -> &mut [Fired] {
        self.account.as_mut().map_or(&mut [], |account| &mut account.idle[kind as usize])
    }

    /// Faults of a kind that are going on have changed something, those of them that did.
    #[inline]
    pub(super) fn bite(&mut self, kind: Kind, did: impl Fn(&Fired) -> bool) {
        if let Some(account) = &mut self.account {
            account.counts.effects[kind as usize] += 1;
            account.settle(kind, |fired| !fired.is_over && did(fired));
        }
    }

    /// The order with this number means something to one who has heard it; who slept may have heard it late.
    pub(super) fn obeyed(&mut self, kind: Kind, number: usize) {
        let account = self.account.as_mut().expect("a plan with this order");
        account.counts.effects[kind as usize] += 1;
        account.settle(kind, |fired| fired.number == number);
    }

    /// Faults of a kind that shows late have changed something: those of them that did, over or not. Nothing, if
    /// there was none.
    #[inline]
    pub(super) fn bite_past(&mut self, kind: Kind, did: impl Fn(&Fired) -> bool) {
        if let Some(account) = &mut self.account
            && account.counts.fired[kind as usize] > 0
        {
            let did_one = account.settle(kind, did);
            account.counts.effects[kind as usize] += u64::from(did_one);
        }
    }
}

impl Account {
    /// Answers whether there was one.
    fn settle(&mut self, kind: Kind, did: impl Fn(&Fired) -> bool) -> bool {
        let idle = &mut self.idle[kind as usize];
        let before = idle.len();
        idle.retain(|fired| !did(fired));
        self.counts.changed[kind as usize] += (before - idle.len()) as u64;
        before > idle.len()
    }
}
