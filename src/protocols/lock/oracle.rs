//! What must hold of every lock service, judged by what the resource accepts and by true time, never by what clients
//! believe.

pub mod calm;
pub mod exclusion;
pub mod queue;
pub mod tokens;

use super::claim::{Claim, ClaimId, LockId, Mode};
use super::config::{Config, Fencing};
use super::node::Fact;
use crate::oracle::spec::{Verdict, Violation};
use crate::protocol::NodeId;
use exclusion::Exclusion;
use std::collections::VecDeque;
use tokens::Tokens;
use queue::Queue;

/// The invariants that this oracle knows, with a sentence each.
pub const INVARIANTS: [(&str, &str); 7] = [
    (
        "lock.mutual-exclusion",
        "between a claim's entering and its last write, the resource accepts no write of another that may not hold the lock beside it",
    ),
    ("lock.token-monotonic", "whoever begins to seek a lock after a token was given gets a higher one, and no two get the same"),
    ("lock.fenced", "a resource that checks tokens accepts none that is lower than one it has accepted before"),
    ("lock.release-kept", "a claim whose release was acknowledged never holds the lock again"),
    ("lock.herd", "where waiters stand in a queue, what happens to a lock wakes at most one that wants it alone"),
    ("lock.freed", "when the faults are over, every lock can be had again, whoever held it"),
    ("lock.served", "when the faults are over, everybody who waits for a lock that others get gets it too"),
];

/// Things that should happen sometimes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Goal {
    /// A client has entered.
    Acquired,
    /// A client seeks a lock that somebody else is in.
    Contended,
    /// Two share a lock.
    Shared,
    /// A client has gone on with sharing.
    Downgraded,
    /// A client has taken a lock that it held.
    Reentered,
    /// A client has waited long enough.
    GivenUp,
    /// A client was told that it has lost its lock.
    Lost,
    /// A client has crashed: it works no more, and wants nothing any more. O(claims of that client).
    pub fn on_crash(&mut self, client: NodeId) {
        let mut was_inside = false;
        for claim in std::mem::take(self.live(client)) {
            let book = self.book(claim.lock);
            let before = book.inside.len();
            book.inside.retain(|other| other.id != claim.id);
            was_inside |= book.inside.len() < before;
            book.queue.gone(claim.id);
            book.tokens.forget(claim.id);
        }
        if was_inside {
            self.reach(Goal::HolderCrashed);
        }
    }
}
