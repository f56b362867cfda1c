//! Clients that wait until enough replicas know what they have changed.
//!
//! Source: the manual page of WAIT: it answers with how many there are, enough or not, when its time is over.

use super::stream::Feed;
use crate::kernel::time::{Span, Time};
use crate::protocol::NodeId;
use crate::protocols::lock::claim::{ClaimId, LockId};
use crate::protocols::lock::message::{self, Call};
use crate::protocols::lock::node::Fact;
use crate::protocols::lock::recipe::Due;
use crate::protocols::lock::redis::command::Reply;
use crate::protocols::lock::service::Office;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A client that waits.
#[derive(Clone, Copy, Debug)]
pub struct Waiter {
    /// Who.
    pub client: NodeId,
    /// What it has asked.
    pub call: Call,
    /// Which lock that was about.
    pub lock: LockId,
    /// Who has it then, if somebody does.
    pub owner: Option<ClaimId>,
    /// Replicas must have all changes up to this one.
    pub offset: u64,
    /// So many of them. The same for all clients.
    pub replicas: u16,
}

/// All that wait.
#[derive(Clone, Debug)]
pub struct Waiters {
    /// The reign in which they do.
    reign: u64,
    /// Who has changed something about which lock in it. What a client has changed in an earlier one may be gone, also if it is
    /// the same server that reigns again.
    changed: BTreeSet<(NodeId, LockId)>,
    /// By what replicas must have, by client and by call: who takes several locks has several under way.
    waiting: BTreeMap<(u64, NodeId, Call), Waiter>,
    /// When each has waited long enough. All wait equally long, so the first to come is the first to go.
    ends: VecDeque<(Time, u64, NodeId, Call)>,
}

impl Waiters {
    /// Nobody waits yet in this reign.
    pub fn of(reign: u64) -> Waiters {
        Waiters { reign, changed: BTreeSet::new(), waiting: BTreeMap::new(), ends: VecDeque::new() }
    }

    /// A client has changed something. Whoever has not is told that nobody has it: a real primary that is deposed breaks its
    /// connections, and with them goes what WAIT is about.
    pub fn changed(&mut self, client: NodeId, lock: LockId) {
        self.changed.insert((client, lock));
    }

    /// A client begins to wait, or is answered at once. O(log n), and O(replicas).
    pub fn join(&mut self, waiter: Waiter, timeout: Span, feed: &Feed, office: &mut Office<'_, '_>) {
        let is_known = self.changed.contains(&(waiter.client, waiter.lock));
        let have = if is_known { feed.having(waiter.offset, office.io.me()) } else { 0 };
        if have >= waiter.replicas || !is_known {
            self.answer(&waiter, have, office);
            return;
        }
        self.waiting.insert((waiter.offset, waiter.client, waiter.call), waiter);
        self.ends.push_back((office.io.now() + timeout, waiter.offset, waiter.client, waiter.call));
        office.wake(timeout, Due::Expiry);
    }

    /// A replica has got further. O(log n) for each that is answered, and O(replicas).
    pub fn acknowledged(&mut self, feed: &Feed, office: &mut Office<'_, '_>) {
        let Some(first) = self.waiting.first_key_value().map(|(_, waiter)| *waiter) else { return };
        let Some(upto) = feed.had_by(first.replicas, office.io.me()) else { return };
        while let Some(entry) = self.waiting.first_entry().filter(|entry| entry.key().0 < upto) {
            let waiter = entry.remove();
            self.answer(&waiter, feed.having(waiter.offset, office.io.me()), office);
        }
    }

    /// Some have waited long enough.
    pub fn expire(&mut self, feed: &Feed, office: &mut Office<'_, '_>) {
        while let Some((_, offset, client, call)) = self.ends.front().copied().filter(|end| end.0 <= office.io.now()) {
            self.ends.pop_front();
            if let Some(waiter) = self.waiting.remove(&(offset, client, call)) {
                self.answer(&waiter, feed.having(offset, office.io.me()), office);
            }
        }
    }

    fn answer(&self, waiter: &Waiter, have: u16, office: &mut Office<'_, '_>) {
        if let Some(claim) = waiter.owner.filter(|_| have >= waiter.replicas) {
            office.io.note(Fact::Kept { lock: waiter.lock, claim, index: self.reign });
        }
        office.reply(waiter.client, waiter.call, message::Reply::Redis(Reply::Int(i64::from(have))));
    }
}
