//! When leases run out: what the leader alone knows.

use super::lessor::{Checkpoints, Lease, seconds};
use crate::kernel::time::{Span, Time};
use std::collections::{BTreeMap, BTreeSet};

/// How long a proposed end is given before it is proposed again. Source: `expiredLeaseRetryInterval`.
const RETRY_AFTER: Span = Span::secs(3);
/// How many leases the server ends in a second at most. Source: `leaseRevokeRate`.
const REVOKE_RATE: usize = 1_000;

/// How long a lease has still to live, to be told to all members.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// The lease.
    pub id: i64,
    /// Seconds, rounded up; 0 to undo an earlier one.
    pub remaining: i64,
}

/// When a lease runs out, and when it is looked at next.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Deadline {
    expiry: Time,
    look: Time,
}

/// The deadlines of all leases, and the checkpoints to come.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Primary {
    deadlines: BTreeMap<i64, Deadline>,
    looks: BTreeSet<(Time, i64)>,
    settings: Checkpoints,
    checkpoints: BTreeSet<(Time, i64)>,
}

impl Primary {
    pub(super) fn new(leases: &BTreeMap<i64, Lease>, settings: Checkpoints, now: Time, extend: Span) -> Primary {
        let (deadlines, looks, checkpoints) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        let mut primary = Primary { deadlines, looks, settings, checkpoints };
        for (id, lease) in leases {
            primary.expect(*id, now + extend + seconds(lease.remaining()));
            if let Checkpoints::OfAll(_) = settings {
                primary.schedule(*id, lease, now);
            }
        }
        if leases.len() >= REVOKE_RATE {
            primary.spread(leases, now, extend);
        }
        primary
    }

    /// Lets leases that run out together run out one after the other, three quarters of [`REVOKE_RATE`] a second.
    fn spread(&mut self, leases: &BTreeMap<i64, Lease>, now: Time, extend: Span) {
        let per_second = (3 * REVOKE_RATE as u64) / 4;
        let order: Vec<(Time, i64)> = self.looks.iter().copied().collect();
        let mut base = order[0].0.since(now).as_ns();
        let mut window_end = base + Span::secs(1).as_ns();
        let mut expires = 0;
        for (expiry, id) in order {
            let remaining = expiry.since(now).as_ns();
            if remaining > window_end {
                (base, window_end, expires) = (remaining, remaining + Span::secs(1).as_ns(), 1);
                continue;
            }
            expires += 1;
            if expires <= per_second {
                continue;
            }
            // The server computes this with floats and may differ by a nanosecond.
            let delay = (Span::secs(1).as_ns() * expires / per_second).saturating_sub(remaining - base);
            window_end = base + delay;
            let lease = &leases[&id];
            self.expect(id, now + extend + Span::ns(delay) + seconds(lease.remaining()));
            self.schedule(id, lease, now);
        }
    }

    /// Sets when a lease runs out.
    pub(super) fn expect(&mut self, id: i64, expiry: Time) {
        self.forget(id);
        self.deadlines.insert(id, Deadline { expiry, look: expiry });
        self.looks.insert((expiry, id));
    }

    pub(super) fn forget(&mut self, id: i64) {
        if let Some(deadline) = self.deadlines.remove(&id) {
            assert!(self.looks.remove(&(deadline.look, id)), "lease {id} is looked at when its deadline says");
        }
    }

    /// When a lease runs out, which must be known.
    pub(super) fn expiry(&self, id: i64) -> Time {
        self.deadlines[&id].expiry
    }

    /// Plans a checkpoint for a lease that has longer to live than it takes till then.
    pub(super) fn schedule(&mut self, id: i64, lease: &Lease, now: Time) {
        if let Some(every) = self.settings.every()
            && seconds(lease.remaining()) > every
        {
            self.checkpoints.insert((now + every, id));
        }
    }

    pub(super) fn next_due(&self) -> Option<Time> {
        let look = self.looks.first().map(|(time, _)| *time);
        let checkpoint = self.checkpoints.first().map(|(time, _)| *time);
        look.into_iter().chain(checkpoint).min()
    }

    pub(super) fn due(&mut self, now: Time, limit: usize) -> Vec<i64> {
        let mut due = Vec::new();
        while due.len() < limit
            && let Some((look, id)) = self.looks.first().copied()
            && look <= now
        {
            self.looks.remove(&(look, id));
            let again = now + RETRY_AFTER;
            self.looks.insert((again, id));
            let deadline = self.deadlines.get_mut(&id).expect("only leases with a deadline are looked at");
            deadline.look = again;
            if deadline.expiry <= now {
                due.push(id);
            }
        }
        due
    }

    pub(super) fn due_checkpoints(
        &mut self,
        leases: &BTreeMap<i64, Lease>,
        now: Time,
        limit: usize,
    ) -> Vec<Checkpoint> {
        let mut due = Vec::new();
        while due.len() < limit
            && let Some((time, id)) = self.checkpoints.first().copied()
            && time <= now
        {
            self.checkpoints.remove(&(time, id));
            let Some(lease) = leases.get(&id) else { continue };
            let left = self.expiry(id).since(now).as_ns().div_ceil(1_000_000_000);
            let remaining = i64::try_from(left).expect("seconds of a u64 of nanoseconds");
            // One that has just been renewed needs none, nor does one that has run out.
            if remaining > 0 && remaining < lease.ttl() {
                due.push(Checkpoint { id, remaining });
            }
        }
        due
    }
}
