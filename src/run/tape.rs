//! Listeners that also remember what they heard, until somebody takes it from them.

use super::storyteller::Storyteller;
use super::watch::{Call, Told};
use crate::kernel::time::Time;
use crate::oracle::spec::Spec;
use crate::protocol::{Damage, DiskFailure, NodeId};
use crate::trace::{Fingerprint, Happening, Trace};

/// Somebody who listens to a run, keeps its fingerprint, and may have a tape.
pub trait Listener<P: Spec>: Trace<P> {
    /// The fingerprint so far.
    fn fingerprint(&self) -> &Fingerprint;

    /// What was heard since the tape was last emptied.
    fn tape(&mut self) -> Option<&mut Tape> {
        None
    }

    /// If it tells each step as a whole.
    fn storyteller(&mut self) -> Option<&mut Storyteller> {
        None
    }
}

impl<P: Spec> Listener<P> for Fingerprint {
    fn fingerprint(&self) -> &Fingerprint {
        self
    }
}

/// Remembers the digest after each event, in words what it was, and what clients did.
#[derive(Clone, Debug)]
pub struct Tape {
    fingerprint: Fingerprint,
    with_words: bool,
    /// The events.
    pub told: Vec<Told>,
    /// When, which client, and what it began or learnt.
    pub calls: Vec<(Time, NodeId, Call)>,
}

impl Tape {
    /// An empty tape.
    pub fn new(with_words: bool) -> Tape {
        Tape { fingerprint: Fingerprint::default(), with_words, told: Vec::new(), calls: Vec::new() }
    }
}

impl<P: Spec> Listener<P> for Tape {
    fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    fn tape(&mut self) -> Option<&mut Tape> {
        Some(self)
    }
}

impl<P: Spec> Trace<P> for Tape {
    fn happened(&mut self, at: Time, what: &Happening<'_, P>) {
        self.fingerprint.happened(at, what);
        if let Happening::Noted { node, fact } = what {
            let call = P::invoked(fact).map(Call::Begins).or_else(|| P::completed(fact).map(Call::Ends));
            self.calls.extend(call.map(|call| (at, *node, call)));
        }
        let words = if self.with_words { words(what) } else { String::new() };
        self.told.push(Told { at, digest: self.fingerprint.digest().value(), words });
    }
}

/// One event, with nodes as `#3`.
fn words<P: Spec>(what: &Happening<'_, P>) -> String {
    match what {
        Happening::Sent { from, to, message } => format!("{from:?} sends to {to:?}: {message:?}"),
        Happening::Delivered { from, to, message } => format!("{from:?} -> {to:?}: {message:?}"),
        Happening::Dropped { from, to, message } => format!("{from:?} -> {to:?} lost: {message:?}"),
        Happening::Garbled { from, to, message } => format!("{from:?} -> {to:?} damaged: {message:?}"),
        Happening::Fired { node, timer } => format!("{node:?} timer {timer:?}"),
        Happening::Ordered { node, order } => format!("{node:?} is told to {order}"),
        Happening::Synced { node, records: 1 } => format!("{node:?} synced, 1 record is durable"),
        Happening::Synced { node, records } => format!("{node:?} synced, {records} records are durable"),
        Happening::Noted { node, fact } => format!("{node:?} notes {fact:?}"),
        Happening::Booted { node, records, damage } => {
            format!("{node:?} starts with {}{}", counted(*records), missing(*damage))
        }
        Happening::DiskFailed { node, failure: DiskFailure::Write } => format!("{node:?} cannot write"),
        Happening::DiskFailed { node, failure: DiskFailure::Full } => format!("{node:?} finds its disk full"),
        Happening::DiskFailed { node, failure: DiskFailure::Sync } => format!("{node:?} cannot sync"),
        Happening::Crashed { node, lost } => format!("{node:?} dies and loses {}", counted(*lost)),
        Happening::Began { fault, .. } => format!("fault begins: {fault}"),
        Happening::Ended { fault, .. } => format!("fault ends: {fault}"),
        Happening::Calmed => "the faults are over".to_owned(),
    }
}

/// What a node could not read when it started.
pub(super) fn missing(damage: Option<Damage>) -> String {
    match damage {
        None => String::new(),
        Some(Damage::Torn) => ", one more is torn".to_owned(),
        Some(Damage::Rotten { lost }) => format!(", {lost} more cannot be read"),
        Some(Damage::Replaced) => " on a new disk".to_owned(),
    }
}

/// So many records.
pub(super) fn counted(records: usize) -> String {
    let plural = if records == 1 { "" } else { "s" };
    format!("{records} record{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::raft::node::Store;

    #[test]
    fn a_start_tells_what_could_be_read_and_what_could_not() {
        let told = |records, damage| words::<Store>(&Happening::Booted { node: NodeId::new(0), records, damage });
        assert_eq!(told(0, None), "#0 starts with 0 records");
        assert_eq!(told(1, Some(Damage::Torn)), "#0 starts with 1 record, one more is torn");
        assert_eq!(told(2, Some(Damage::Rotten { lost: 3 })), "#0 starts with 2 records, 3 more cannot be read");
        assert_eq!(told(0, Some(Damage::Replaced)), "#0 starts with 0 records on a new disk");
    }
}
