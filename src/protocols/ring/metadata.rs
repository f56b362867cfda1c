//! What the coordinators of the ring replicate by Raft: the epochs, each decided by comparing with the one before it.

use super::epoch::{Epoch, Step};
use super::rules::Rules;
use crate::kernel::digest::{Digest, Digestible};
use crate::protocols::raft::core::StateMachine;
use crate::protocols::raft::snapshot::Whole;
use std::sync::Arc;

/// A command in the log: a step from one epoch to the next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// The epoch that whoever proposes it has looked at.
    pub from: u64,
    /// What it has decided.
    pub step: Step,
}

impl Digestible for Command {
    fn digest(&self, digest: &mut Digest) {
        digest.word(self.from);
        self.step.digest(digest);
    }
}

/// All epochs that ever were.
#[derive(Clone, Debug)]
pub struct Metadata {
    history: Vec<Arc<Epoch>>,
    rules: Rules,
    fingerprint: u64,
}

impl Metadata {
    /// The first epoch.
    pub fn new(first: Arc<Epoch>, rules: Rules) -> Metadata {
        Metadata { history: vec![first], rules, fingerprint: 0 }
    }

    /// The latest epoch.
    pub fn latest(&self) -> &Arc<Epoch> {
        self.history.last().unwrap_or_else(|| unreachable!("there is a first epoch"))
    }

    /// All epochs after this one, in order.
    pub fn since(&self, number: u64) -> &[Arc<Epoch>] {
        &self.history[(number as usize).min(self.history.len())..]
    }
}

impl StateMachine for Metadata {
    type Command = Command;
    /// Whether the step was taken.
    type Reply = bool;
    type Part = Whole<Metadata>;

    fn apply(&mut self, command: &Command) -> bool {
        if !(self.rules.may_follow)(command.from, self.latest().number) {
            return false;
        }
        let Some(epoch) = self.latest().after(&command.step) else { return false };
        let mut digest = Digest::new();
        digest.word(self.fingerprint);
        epoch.digest(&mut digest);
        self.fingerprint = digest.low();
        self.history.push(Arc::new(epoch));
        true
    }

    fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    fn parts(&self, _: usize) -> Vec<Whole<Metadata>> {
        vec![Whole(self.clone())]
    }

    fn restore(&mut self, parts: &[Whole<Metadata>]) {
        if let [Whole(metadata)] = parts {
            self.clone_from(metadata);
        }
    }
}
