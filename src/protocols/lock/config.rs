//! What all nodes are told.

use super::claim::{LockId, Mode};
use super::kind::Kind;
use super::rules::Rules;
use crate::kernel::chance::Ratio;
use crate::kernel::time::{Span, Time};
use crate::protocol::NodeId;

/// One run of a lock service, with those who use it.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which service, and its own settings.
    pub kind: Kind,
    /// How many servers it has, from 1.
    pub servers: u16,
    /// How many clients.
    pub clients: u16,
    /// What they do.
    pub client: ClientConfig,
    /// What each does and when, in order, if that is spelled out.
    pub scripts: Option<Vec<Vec<Planned>>>,
    /// Whether the guarded resource looks at tokens.
    pub fencing: Fencing,
    /// The decisions, each replaceable by a planted defect.
    pub rules: Rules,
}

/// One section of one client, spelled out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Planned {
    /// When it begins, or when the one before it has ended.
    pub at: Time,
    /// The lock.
    pub lock: LockId,
    /// How it is held.
    pub mode: Mode,
}

/// Whether the guarded resource looks at tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fencing {
    /// It takes whatever it is told.
    Unchecked,
    /// It refuses whoever comes with a lower token than it has seen. Source: Kleppmann, "How to do distributed locking",
    /// 2016.
    Checked,
}

/// What clients do.
#[derive(Clone, Copy, Debug)]
pub struct ClientConfig {
    /// How long a client thinks between two sections, on average.
    pub think: Span,
    /// How long it holds what it has taken, from and to.
    pub hold: (Span, Span),
    /// How long it tries to take a lock before it gives up.
    pub patience: Span,
    /// How many locks there are; at least 1.
    pub locks: u32,
    /// How many of them a section takes at most, one after the other; at least 1.
    pub together: u32,
    /// Whether it takes them in the order of their numbers.
    pub ordered: bool,
    /// How many of the claims are shared.
    pub shared: Ratio,
    /// How often a client that holds a lock alone goes on with sharing it, if the service can do that.
    pub downgrade: Ratio,
    /// How often a client takes a lock that it holds once more, and gives it back in between.
    pub reentrance: Ratio,
    /// How often a section writes to the resource; at least 1.
    pub accesses: u32,
    /// Whether a client looks, before each access, whether by its own clock it can still hold the lock.
    pub checks: bool,
    /// How long it works between that look and the access, from and to.
    pub work: (Span, Span),
    /// How long it waits for an answer before it asks again.
    pub retry: Span,
    /// When clients stop beginning sections.
    pub until: Time,
    /// When each takes locks once more, to see whether all can be had.
    pub probe_at: Option<Time>,
}

impl Config {
    /// The node that the locks guard.
    pub fn resource(&self) -> NodeId {
        NodeId::new(self.servers + self.clients)
    }

    /// The locks that the client of this place, from 0, takes once more in the end, and how: each is taken by somebody, and
    /// everybody takes one. Where locks are shared, each is also shared by whoever has taken it alone.
    pub fn probed_by(&self, place: usize) -> impl Iterator<Item = (LockId, Mode)> + use<> {
        let (locks, clients) = (self.client.locks, self.clients as usize);
        let first = place as u32 % locks;
        let further = (place as u32..locks).step_by(clients.max(1)).filter(move |lock| *lock != first);
        let modes = if self.client.shared.is_zero() { 1 } else { 2 };
        let probed =
            move |lock| [Mode::Exclusive, Mode::Shared].into_iter().take(modes).map(move |mode| (LockId(lock), mode));
        std::iter::once(first).chain(further).flat_map(probed)
    }
}
