//! The decisions of locks on leases.

use crate::kernel::time::Span;
use crate::protocols::lock::claim::ClaimId;
use crate::servers::etcd::lessor::Checkpoints;

/// All decisions.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Does a waiter that is told that its turn has come look whether its own key is still there? Source: the recipe, `Mutex.Lock`.
    pub looks_again: fn() -> bool,
    /// Does a holder stop that finds that its lease is gone?
    pub minds_expiry: fn() -> bool,
    /// From which revision on a waiter watches, if it has seen the keys as they were at this one.
    pub watches_from: fn(seen: i64) -> i64,
    /// Whose key a waiter watches: that right before its own, not the first. Source: the recipe, `waitDeletes`.
    pub watches: fn(first: ClaimId, ahead: ClaimId) -> ClaimId,
    /// Does a leader of term `now` end a lease because one of `term` has said that it has run out?
    pub revoke_is_current: fn(term: u64, now: u64) -> bool,
    /// How much longer than its time a lease lives that a new leader takes over, if elections take so long at most. Source: etcd
    /// pull request 4778: until then its holder may have renewed it with the old one.
    pub extends: fn(election: Span) -> Span,
    /// Which leases a leader tells the others of, if that is set up: all, also those that it has found when it began
    /// to lead.
    pub checkpoints: fn(configured: Checkpoints) -> Checkpoints,
    /// Does every server end leases by its own clock when it applies something? (Thesis, section 6.3: never; what is
    /// replicated hangs on the log alone.)
    pub expires_at_apply: fn() -> bool,
}

impl Rules {
    /// Those of etcd.
    pub const SOUND: Rules = Rules {
        looks_again: || true,
        minds_expiry: || true,
        watches_from: |seen| seen + 1,
        watches: |_, ahead| ahead,
        revoke_is_current: |term, now| term == now,
        extends: |election| election,
        checkpoints: |configured| configured,
        expires_at_apply: || false,
    };
}
