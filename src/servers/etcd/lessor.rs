//! Leases: keys that go together when their owner is no longer heard of.

use super::bytes::Bytes;
use super::error::Error;
use super::primary::{Checkpoint, Primary};
use crate::kernel::time::{Span, Time};
use std::collections::{BTreeMap, BTreeSet};

/// The longest time to live that is granted, in seconds. Source: `lease.MaxLeaseTTL`.
pub const TTL_MAX: i64 = 9_000_000_000;

/// How leases are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The shortest time to live that is granted, in seconds: one and a half election timeouts, rounded up. 2 with
    /// the server's own settings.
    pub ttl_min: i64,
    /// Whether it is replicated how long a lease has still to live, so that a new leader does not begin anew.
    pub checkpoints: Checkpoints,
}

/// Which leases have checkpoints: notes to all members of how long they have still to live. The server's interval is
/// 5 minutes; a lease that has no longer than the interval to live needs none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Checkpoints {
    /// None: each new leader gives all leases their whole time again. The server's own setting.
    Never,
    /// Those that this leader has granted or made a checkpoint of: a new leader plans none for those that it finds,
    /// and so they live from the last checkpoint anew at each change of leaders. Etcd 3.4 does so if they are on.
    OfGranted(Span),
    /// All. Later versions of etcd do so.
    OfAll(Span),
}

impl Checkpoints {
    /// The interval, if there are any.
    pub(super) fn every(self) -> Option<Span> {
        match self {
            Checkpoints::Never => None,
            Checkpoints::OfGranted(every) | Checkpoints::OfAll(every) => Some(every),
        }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { ttl_min: 2, checkpoints: Checkpoints::Never }
    }
}

/// A lease, as every member knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lease {
    ttl: i64,
    remaining: i64,
    keys: BTreeSet<Bytes>,
}

impl Lease {
    /// How long it lives after it was renewed, in seconds.
    pub fn ttl(&self) -> i64 {
        self.ttl
    }

    /// How long it had still to live at the last checkpoint, in seconds; the whole of it if there was none.
    pub fn remaining(&self) -> i64 {
        if self.remaining > 0 { self.remaining } else { self.ttl }
    }

    /// The keys that go with it, in their order.
    pub fn keys(&self) -> &BTreeSet<Bytes> {
        &self.keys
    }
}

/// What is known of a lease's time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimeToLive {
    /// Whole seconds that it has still to live; less than one second is 0.
    pub ttl: i64,
    /// Seconds that it lives after it was renewed.
    pub granted: i64,
    /// The keys that go with it.
    pub keys: BTreeSet<Bytes>,
}

/// What becomes of a request to renew a lease.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Renewal {
    /// It lives so many seconds from now. If `forget` is said, a checkpoint of 0 is to be proposed, so that no later
    /// leader goes by the older one.
    Renewed {
        /// Seconds.
        ttl: i64,
        /// Whether a checkpoint is to be undone.
        forget: bool,
    },
    /// It has run out, and its end is on the way: the answer waits until it is revoked, and is 0 then; or until this
    /// member no longer leads.
    Ending,
}

/// The leases of a member: those that are granted, which all members agree on, and when they run out, which only
/// the leader decides, by its own monotonic clock. Each operation costs O(log n). Source: package `lease` of etcd 3.4.
#[derive(Clone, PartialEq, Debug)]
pub struct Lessor {
    settings: Settings,
    leases: BTreeMap<i64, Lease>,
    holders: BTreeMap<Bytes, i64>,
    primary: Option<Primary>,
}

impl Lessor {
    /// No leases, on a member that does not lead.
    pub fn new(settings: Settings) -> Lessor {
        Lessor { settings, leases: BTreeMap::new(), holders: BTreeMap::new(), primary: None }
    }

    /// All leases by their ids.
    pub fn leases(&self) -> impl Iterator<Item = (i64, &Lease)> {
        self.leases.iter().map(|(id, lease)| (*id, lease))
    }

    /// The lease with this id.
    pub fn lease(&self, id: i64) -> Option<&Lease> {
        self.leases.get(&id)
    }

    /// Whether this member decides when leases run out.
    pub fn is_primary(&self) -> bool {
        self.primary.is_some()
    }

    /// Makes a lease that runs out `ttl` seconds from now, or after the shortest time that is granted if that is
    /// longer. Answers with the seconds.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseNotFound`] for the id 0, [`Error::LeaseTtlTooLarge`], [`Error::LeaseExists`].
    pub fn grant(&mut self, now: Time, id: i64, ttl: i64) -> Result<i64, Error> {
        if id == 0 {
            return Err(Error::LeaseNotFound);
        }
        if ttl > TTL_MAX {
            return Err(Error::LeaseTtlTooLarge);
        }
        if self.leases.contains_key(&id) {
            return Err(Error::LeaseExists);
        }
        let ttl = ttl.max(self.settings.ttl_min);
        let lease = Lease { ttl, remaining: 0, keys: BTreeSet::new() };
        if let Some(primary) = &mut self.primary {
            primary.expect(id, now + seconds(ttl));
            primary.schedule(id, &lease, now);
        }
        self.leases.insert(id, lease);
        Ok(ttl)
    }

    /// The ids of all leases: the one that runs out first comes first.
    pub fn by_expiry(&self) -> Vec<i64> {
        let Some(primary) = &self.primary else { return self.leases.keys().copied().collect() };
        let mut ids: Vec<i64> = self.leases.keys().copied().collect();
        ids.sort_by_key(|id| primary.expiry(*id));
        ids
    }

    /// Renews a lease: it lives its whole time again.
    ///
    /// # Errors
    ///
    /// [`Error::NotPrimary`] if another member leads, [`Error::LeaseNotFound`]. The client is answered a time to live
    /// of 0 for a lease that is not there.
    pub fn renew(&mut self, now: Time, id: i64) -> Result<Renewal, Error> {
        let primary = self.primary.as_mut().ok_or(Error::NotPrimary)?;
        let lease = self.leases.get(&id).ok_or(Error::LeaseNotFound)?;
        if primary.expiry(id) <= now {
            return Ok(Renewal::Ending);
        }
        primary.expect(id, now + seconds(lease.ttl));
        Ok(Renewal::Renewed { ttl: lease.ttl, forget: lease.remaining > 0 })
    }

    /// When a lease runs out; `None` on a member that does not lead, or if there is no such lease.
    pub fn expiry(&self, id: i64) -> Option<Time> {
        let primary = self.primary.as_ref().filter(|_| self.leases.contains_key(&id))?;
        Some(primary.expiry(id))
    }

    /// How long a lease has still to live, and its keys.
    ///
    /// # Errors
    ///
    /// [`Error::NotPrimary`] if another member leads, [`Error::LeaseNotFound`]. The client is answered a time to live
    /// of -1 for a lease that is not there.
    pub fn time_to_live(&self, now: Time, id: i64) -> Result<TimeToLive, Error> {
        let primary = self.primary.as_ref().ok_or(Error::NotPrimary)?;
        let lease = self.leases.get(&id).ok_or(Error::LeaseNotFound)?;
        let expiry = primary.expiry(id);
        let left = i64::try_from(expiry.since(now).as_ns() / 1_000_000_000).expect("seconds of a u64 of nanoseconds");
        let over = i64::try_from(now.since(expiry).as_ns() / 1_000_000_000).expect("seconds of a u64 of nanoseconds");
        Ok(TimeToLive { ttl: left - over, granted: lease.ttl, keys: lease.keys.clone() })
    }

    /// Removes a lease, whose keys are removed already.
    pub(super) fn remove(&mut self, id: i64) {
        let lease = self.leases.remove(&id).expect("the lease was looked up");
        assert!(lease.keys.is_empty(), "lease {id} goes before its keys {:?}", lease.keys);
        if let Some(primary) = &mut self.primary {
            primary.forget(id);
        }
    }

    /// The lease that a key goes with; 0 for none.
    pub fn lease_of(&self, key: &[u8]) -> i64 {
        self.holders.get(key).copied().unwrap_or(0)
    }

    /// Lets a key go with a lease and with no other. A lease of 0 is none.
    pub(super) fn attach(&mut self, key: &Bytes, id: i64) {
        self.detach(key);
        if id == 0 {
            return;
        }
        let lease = self.leases.get_mut(&id).expect("the lease was looked up before");
        lease.keys.insert(key.clone());
        self.holders.insert(key.clone(), id);
    }

    /// Lets a key go with no lease.
    pub(super) fn detach(&mut self, key: &Bytes) {
        if let Some(id) = self.holders.remove(key) {
            let lease = self.leases.get_mut(&id).expect("a key is held by a lease that is there");
            assert!(lease.keys.remove(key), "{key:?} is not among the keys of lease {id}");
        }
    }

    /// Begins to decide when leases run out: each lives what it had to live at its last checkpoint, and `extend`
    /// longer, since it is unknown when it was last renewed. The server takes one election timeout.
    ///
    /// From 1,000 leases on, those that would run out in the same second are spread.
    pub fn promote(&mut self, now: Time, extend: Span) {
        self.primary = Some(Primary::new(&self.leases, self.settings.checkpoints, now, extend));
    }

    /// Stops to decide: another member leads.
    pub fn demote(&mut self) {
        self.primary = None;
    }

    /// When [`due`](Lessor::due) may have something to say; never for a member that does not lead.
    pub fn next_due(&self) -> Option<Time> {
        self.primary.as_ref()?.next_due()
    }

    /// At most `limit` leases that have run out: their end is to be proposed. A lease that is still there three
    /// seconds later is told again. The server looks twice a second, for 500 leases. Its proposal names the lease only:
    /// a deposed leader's, if it comes to be applied, ends a lease that was renewed elsewhere.
    pub fn due(&mut self, now: Time, limit: usize) -> Vec<i64> {
        self.primary.as_mut().map(|primary| primary.due(now, limit)).unwrap_or_default()
    }

    /// At most `limit` checkpoints that are to be proposed. The server looks twice a second, for 1,000 of them.
    pub fn due_checkpoints(&mut self, now: Time, limit: usize) -> Vec<Checkpoint> {
        let leases = &self.leases;
        self.primary.as_mut().map(|primary| primary.due_checkpoints(leases, now, limit)).unwrap_or_default()
    }

    /// Takes note that a lease, if it is there, has `remaining` seconds still to live; with 0 its whole time.
    pub(super) fn checkpoint(&mut self, now: Time, checkpoint: Checkpoint) {
        let Some(lease) = self.leases.get_mut(&checkpoint.id) else { return };
        lease.remaining = checkpoint.remaining;
        if let Some(primary) = &mut self.primary {
            primary.schedule(checkpoint.id, lease, now);
        }
    }
}

/// A time to live that was granted, as a span.
pub(super) fn seconds(ttl: i64) -> Span {
    Span::secs(u64::try_from(ttl).expect("a granted time to live is positive"))
}
