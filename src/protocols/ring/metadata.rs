//! What the coordinators of the ring replicate by Raft: the epochs, each decided by comparing with the one before it.

use super::config::Config;
use super::epoch::{Epoch, Step};
use super::topology::Topology;
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

/// All epochs that ever were, with what everybody owns in them.
#[derive(Clone, Debug)]
pub struct Metadata {
    history: Vec<Topology>,
    config: Arc<Config>,
    fingerprint: u64,
}

impl Metadata {
    /// The first epoch.
    pub fn new(config: &Arc<Config>) -> Metadata {
        Metadata { history: vec![Topology::first(config)], config: config.clone(), fingerprint: 0 }
    }

    /// The latest epoch.
    pub fn latest(&self) -> &Arc<Epoch> {
        self.last().epoch()
    }

    fn last(&self) -> &Topology {
        self.history.last().unwrap_or_else(|| unreachable!("there is a first epoch"))
    }

    /// All epochs after this one, in order.
    pub fn since(&self, number: u64) -> &[Topology] {
        &self.history[(number as usize).min(self.history.len())..]
    }
}

impl StateMachine for Metadata {
    type Command = Command;
    /// Whether the step was taken.
    type Reply = bool;
    type Part = Whole<Metadata>;

    fn apply(&mut self, command: &Command) -> bool {
        if !(self.config.rules.may_follow)(command.from, self.latest().number) {
            return false;
        }
        let Some(epoch) = self.latest().after(&command.step) else { return false };
        let mut digest = Digest::new();
        digest.word(self.fingerprint);
        epoch.digest(&mut digest);
        self.fingerprint = digest.low();
        let next = self.last().after(&Arc::new(epoch), &self.config);
        self.history.push(next);
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
