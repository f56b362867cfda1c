//! What happens in a run, as typed values: the digest always, the story only when asked for.

use crate::environment::fault::Fault;
use crate::kernel::digest::{Digest, Digestible};
use crate::kernel::time::Time;
use crate::protocol::{Damage, DiskFailure, NodeId, Order, Protocol, Timer};

/// One thing that happened.
#[derive(Debug)]
pub enum Happening<'a, P: Protocol> {
    /// A message leaves its sender. Told to those only who [hear of it](Trace::HEARS_SENDING), and no part of the fingerprint:
    /// what becomes of the message is.
    Sent {
        /// Who sends it.
        from: NodeId,
        /// Who should get it.
        to: NodeId,
        /// What it says.
        message: &'a P::Message,
    },
    /// A message has reached its receiver, who handles it.
    Delivered {
        /// Who sent it.
        from: NodeId,
        /// Who got it.
        to: NodeId,
        /// What it says.
        message: &'a P::Message,
    },
    /// A message was lost, cut off, or came to a node that is down.
    Dropped {
        /// Who sent it.
        from: NodeId,
        /// Who should have got it.
        to: NodeId,
        /// What it says.
        message: &'a P::Message,
    },
    /// A message was damaged on its way, and its receiver will take it for what it has become.
    Garbled {
        /// Who sent it.
        from: NodeId,
        /// Who will get it.
        to: NodeId,
        /// What it said.
        message: &'a P::Message,
    },
    /// A timer has fired.
    Fired {
        /// Whose.
        node: NodeId,
        /// Which.
        timer: P::Timer,
    },
    /// A node hears an order of an operator.
    Ordered {
        /// Who.
        node: NodeId,
        /// What it is told to do.
        order: Order,
    },
    /// A node's records are durable now up to here.
    Synced {
        /// Whose.
        node: NodeId,
        /// Up to which number, from 0.
        records: usize,
    },
    /// A node has told a fact.
    Noted {
        /// Who.
        node: NodeId,
        /// What.
        fact: &'a P::Fact,
    },
    /// A node has started.
    Booted {
        /// Who.
        node: NodeId,
        /// How many records it found.
        records: usize,
        /// What it found to be damaged.
        damage: Option<Damage>,
    },
    /// A write or a sync has failed.
    DiskFailed {
        /// Whose.
        node: NodeId,
        /// Which.
        failure: DiskFailure,
    },
    /// A node has died.
    Crashed {
        /// Who.
        node: NodeId,
        /// How many of its records are lost.
        lost: usize,
    },
    /// A fault has begun.
    Began {
        /// Its place in the plan.
        number: usize,
        /// What it does.
        fault: &'a Fault,
    },
    /// A fault has ended.
    Ended {
        /// Its place in the plan.
        number: usize,
        /// What it did.
        fault: &'a Fault,
    },
    /// The faults are over.
    Calmed,
}

/// Somebody who listens to a run.
pub trait Trace<P: Protocol>: Clone {
    /// Whether it is told when a message is sent, which costs time, and not only what becomes of it.
    const HEARS_SENDING: bool = false;

    /// Something has happened.
    fn happened(&mut self, at: Time, what: &Happening<'_, P>);
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mute;

impl<P: Protocol> Trace<P> for Mute {
    #[inline]
    fn happened(&mut self, _: Time, _: &Happening<'_, P>) {}
}

/// Keeps the fingerprint of the run, and counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fingerprint {
    digest: Digest,
    events: u64,
}

impl Fingerprint {
    /// The digest of everything so far.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// How many things have happened.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// When, what and who in two words: they are folded at the price of one.
    #[inline]
    fn head(&mut self, at: Time, kind: u64, first: u64, second: u64) {
        self.digest.pair(at.ns(), kind << 56 | first << 32 | second);
    }
}

impl<P: Protocol> Trace<P> for Fingerprint {
    #[inline(always)]
    fn happened(&mut self, at: Time, what: &Happening<'_, P>) {
        if matches!(what, Happening::Sent { .. }) {
            return;
        }
        self.events = self.events.wrapping_add(1);
        let number = |node: &NodeId| u64::from(node.number());
        match what {
            Happening::Sent { .. } => {}
            Happening::Delivered { from, to, message } => {
                self.head(at, 1, number(from), number(to));
                message.digest(&mut self.digest);
            }
            Happening::Dropped { from, to, message } => {
                self.head(at, 2, number(from), number(to));
                message.digest(&mut self.digest);
            }
            Happening::Garbled { from, to, message } => {
                self.head(at, 15, number(from), number(to));
                message.digest(&mut self.digest);
            }
            Happening::Fired { node, timer } => self.head(at, 3, number(node), timer.slot() as u64),
            Happening::Ordered { node, order } => {
                self.head(at, 16, number(node), 0);
                order.digest(&mut self.digest);
            }
            Happening::Synced { node, records } => self.head(at, 4, number(node), *records as u64),
            Happening::Noted { node, fact } => {
                self.head(at, 5, number(node), 0);
                fact.digest(&mut self.digest);
            }
            Happening::Booted { node, records, damage } => {
                self.head(at, 6, number(node), *records as u64);
                match damage {
                    None => {}
                    Some(Damage::Torn) => self.head(at, 12, number(node), 0),
                    Some(Damage::Rotten { lost }) => self.head(at, 13, number(node), *lost as u64),
                    Some(Damage::Replaced) => self.head(at, 14, number(node), 0),
                }
            }
            Happening::DiskFailed { node, failure } => self.head(at, 11, number(node), *failure as u64),
            Happening::Crashed { node, lost } => self.head(at, 7, number(node), *lost as u64),
            Happening::Began { number, fault } => self.head(at, 8, fault.kind() as u64, *number as u64),
            Happening::Ended { number, fault } => self.head(at, 9, fault.kind() as u64, *number as u64),
            Happening::Calmed => self.head(at, 10, 0, 0),
        }
    }
}

/// Two listeners at once.
impl<P: Protocol, A: Trace<P>, B: Trace<P>> Trace<P> for (A, B) {
    const HEARS_SENDING: bool = A::HEARS_SENDING || B::HEARS_SENDING;

    fn happened(&mut self, at: Time, what: &Happening<'_, P>) {
        self.0.happened(at, what);
        self.1.happened(at, what);
    }
}
