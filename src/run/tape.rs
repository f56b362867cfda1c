//! Listeners that also remember what they heard, until somebody takes it from them.

use super::watch::Told;
use crate::environment::plan::Operation;
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
    /// When, which client, and what it began to do.
    pub operations: Vec<(Time, NodeId, Operation)>,
}

impl Tape {
    /// An empty tape.
    pub fn new(with_words: bool) -> Tape {
        Tape { fingerprint: Fingerprint::default(), with_words, told: Vec::new(), operations: Vec::new() }
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
        if let Happening::Noted { node, fact } = what
            && let Some(operation) = P::invoked(fact)
        {
            self.operations.push((at, *node, operation));
        }
        let words = if self.with_words { words(what) } else { String::new() };
        self.told.push(Told { at, digest: self.fingerprint.digest().value(), words });
    }
}

/// One event, with nodes as `#3`.
fn words<P: Spec>(what: &Happening<'_, P>) -> String {
    match what {
        Happening::Delivered { from, to, message } => format!("{from:?} -> {to:?}: {message:?}"),
        Happening::Dropped { from, to, message } => format!("{from:?} -> {to:?} lost: {message:?}"),
        Happening::Fired { node, timer } => format!("{node:?} timer {timer:?}"),
        Happening::Synced { node, records } => format!("{node:?} synced, {records} records are durable"),
        Happening::Noted { node, fact } => format!("{node:?} notes {fact:?}"),
        Happening::Booted { node, records, damage } => {
            let missing = match damage {
                None => String::new(),
                Some(Damage::Torn) => ", the last one torn".to_owned(),
                Some(Damage::Rotten { lost }) => format!(", {lost} more cannot be read"),
                Some(Damage::Replaced) => " on a new disk".to_owned(),
            };
            format!("{node:?} starts with {records} records{missing}")
        }
        Happening::DiskFailed { node, failure: DiskFailure::Write } => format!("{node:?} cannot write"),
        Happening::DiskFailed { node, failure: DiskFailure::Full } => format!("{node:?} finds its disk full"),
        Happening::DiskFailed { node, failure: DiskFailure::Sync } => format!("{node:?} cannot sync"),
        Happening::Crashed { node, lost } => format!("{node:?} dies and loses {lost} records"),
        Happening::Began { fault, .. } => format!("fault begins: {fault}"),
        Happening::Ended { fault, .. } => format!("fault ends: {fault}"),
        Happening::Calmed => "the faults are over".to_owned(),
    }
}
