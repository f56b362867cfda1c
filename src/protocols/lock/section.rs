//! What a client of a lock service is at: the locks that it takes together, and how far it is.

use super::claim::{Claim, LockId, Mode, Token};
use std::collections::VecDeque;

/// What is done under some locks.
#[derive(Clone, Debug)]
pub(super) struct Section {
    /// What is still to take, the next first.
    pub(super) wants: VecDeque<(LockId, Mode)>,
    /// The claim that is being made.
    pub(super) seeking: Option<Claim>,
    pub(super) held: Vec<Held>,
    /// How many claims are on their way out.
    pub(super) leaving: Vec<Claim>,
    /// How many accesses are still to come.
    pub(super) left: u32,
    /// By what right it makes the one that is on its way, or was the last.
    pub(super) writes: Option<Held>,
    pub(super) stage: Stage,
    /// Whether it is one of those that show that all locks can be had: nobody gives up.
    pub(super) probes: bool,
}

/// A claim that was granted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) claim: Claim,
    pub(super) token: Option<Token>,
    /// How often it was taken, itself included.
    pub(super) count: u32,
}

/// How far a section is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// It takes its locks.
    Seeking,
    /// It pauses before the next access.
    Pausing,
    /// It asks whether its tokens are still the latest.
    Comparing,
    /// It prepares the access.
    Preparing,
    /// It waits for the resource.
    Accessing,
    /// It waits until it shares what it held alone.
    Downgrading,
    /// It gives its locks back.
    Leaving,
}

impl Section {
    /// Whether a write is on its way under a lock that it holds.
    pub(super) fn is_writing(&self) -> bool {
        let holds = |write: Held| self.held.iter().any(|held| held.claim.id == write.claim.id);
        self.stage == Stage::Accessing && self.writes.is_some_and(holds)
    }

    /// What it is at, for a reader.
    pub(super) fn standing(&self) -> String {
        let held: Vec<String> = self.held.iter().map(Held::standing).collect();
        match (self.stage, held.is_empty()) {
            (Stage::Leaving, _) => "gives its locks back".to_owned(),
            (Stage::Seeking, true) => {
                format!("seeks {}", self.seeking.map_or("a lock".to_owned(), |claim| named(claim.lock)))
            }
            (_, true) => "holds nothing any more".to_owned(),
            (_, false) => format!("holds {}", held.join(" and ")),
        }
    }
}

impl Held {
    fn standing(&self) -> String {
        let shared = if self.claim.mode == Mode::Shared { ", shared" } else { "" };
        let token = self.token.map_or(String::new(), |token| format!(" with token {token}"));
        format!("{}{shared}{token}", named(self.claim.lock))
    }
}

fn named(LockId(number): LockId) -> String {
    format!("lock {number}")
}
