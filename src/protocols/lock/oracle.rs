//! What must hold of every lock service, judged by what the resource accepts and by true time, never by what clients
//! believe.

pub mod calm;
pub mod exclusion;
pub mod grace;
pub mod queue;
pub mod reigns;
pub mod replicas;
pub mod sessions;
pub mod tokens;

use super::claim::{Claim, ClaimId, LockId, Mode, Token};
use super::config::{Config, Fencing};
use super::node::Fact;
use crate::oracle::spec::{Verdict, Violation};
use crate::protocol::NodeId;
use exclusion::Exclusion;
use queue::Queue;
use std::collections::VecDeque;
use tokens::Tokens;

/// The invariants that this oracle knows, with a sentence each.
pub const INVARIANTS: [(&str, &str); 15] = [
    (
        "lock.mutual-exclusion",
        "between a claim's entering and its last write, the resource accepts no write of another that may not hold the lock beside it",
    ),
    (
        "lock.token-monotonic",
        "whoever begins to seek a lock after a token was given gets a higher one, and no two get the same",
    ),
    ("lock.fenced", "a resource that checks tokens accepts none that is lower than one it has accepted before"),
    ("lock.release-kept", "a claim whose release was acknowledged never holds the lock again"),
    ("lock.one-primary", "no two servers of Redis are primaries of the same reign: whoever votes does so once in it"),
    (
        "lock.votes-durable",
        "whoever reigns has the votes of a majority of the servers of Redis, on whose disks they are",
    ),
    ("lock.position-monotonic", "a server of Redis goes on in what a primary tells, never back"),
    (
        "lock.replicas-agree",
        "servers of Redis that have as much of what the same primary has told have the same keys, and servers that have applied as much of a log the same sessions or leases",
    ),
    (
        "lock.acknowledged-durable",
        "what a replica of Redis has acknowledged is on its disk, if servers wait for their disks",
    ),
    ("lock.ephemeral-owned", "what belongs to a session or a lease is gone when that has ended"),
    (
        "lock.told-expired",
        "who leads ends by itself no session or lease that has not run out, and nobody is told that one is no more that has not, or of which whoever says so has not heard yet, and others have",
    ),
    (
        "lock.takeover-grace",
        "a session or a lease that a new leader takes over has its time from then on, a lease an election timeout more",
    ),
    (
        "lock.herd",
        "where waiters stand in a queue, what happens to a lock wakes at most one in vain of those that want it alone",
    ),
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
    /// A client has crashed inside.
    HolderCrashed,
    /// A client has entered although somebody who has not left cannot share with it.
    Overtaken,
    /// The resource has refused a write for its token.
    FencedOff,
}

/// The names of the goals, in their order.
pub const GOALS: [&str; 10] = [
    "lock.acquired",
    "lock.contended",
    "lock.shared",
    "lock.downgraded",
    "lock.reentered",
    "lock.given-up",
    "lock.lost",
    "lock.holder-crashed",
    "lock.overtaken",
    "lock.fenced-off",
];

/// How many of the latest claims of a lock are remembered one by one.
const REMEMBERED: usize = 64;

/// What is known of one lock.
#[derive(Clone, Debug, Default)]
struct Book {
    exclusion: Exclusion,
    tokens: Tokens,
    queue: Queue,
    /// Who is inside by what it believes, crashed ones not counted.
    inside: Vec<Claim>,
    /// The latest claims whose release was acknowledged, and how far the log had been applied by then, or which reign was
    /// over.
    released: VecDeque<(Claim, u64)>,
    /// What has woken waiters in vain last, and those of them that want the lock alone.
    woken: (u64, Vec<ClaimId>),
}

/// Everything about locks; what else must hold of a service is in its own oracles.
#[derive(Clone, Debug)]
pub struct LockOracle {
    is_fenced: bool,
    books: Vec<Book>,
    /// Of each client, the claims that it makes or holds.
    live: Vec<Vec<Claim>>,
    servers: u16,
    /// Counts facts: of two that happened one after the other, the later has the higher number.
    ordinal: u64,
    goals: [u64; GOALS.len()],
    wakeups: u64,
    overtakes: u64,
}

impl LockOracle {
    /// Nothing has happened yet.
    pub fn new(config: &Config) -> LockOracle {
        LockOracle {
            is_fenced: config.fencing == Fencing::Checked,
            books: vec![Book::default(); config.client.locks as usize],
            live: vec![Vec::new(); config.clients as usize],
            servers: config.servers,
            ordinal: 0,
            goals: [0; GOALS.len()],
            wakeups: 0,
            overtakes: 0,
        }
    }

    fn reach(&mut self, goal: Goal) {
        self.goals[goal as usize] += 1;
    }

    /// How often each goal was reached.
    pub fn goals(&self) -> [u64; GOALS.len()] {
        self.goals
    }

    /// Figures: how often waiters were woken in vain, and how often somebody got a lock before the one who had waited longest.
    pub fn costs(&self) -> [(&'static str, u64); 2] {
        [("wakeups_in_vain", self.wakeups), ("overtakes", self.overtakes)]
    }

    fn live(&mut self, client: NodeId) -> &mut Vec<Claim> {
        &mut self.live[(client.number() - self.servers) as usize]
    }

    fn book(&mut self, lock: LockId) -> &mut Book {
        // A plan that was made smaller may still name more locks than there are.
        let place = lock.0 as usize;
        if self.books.len() <= place {
            self.books.resize(place + 1, Book::default());
        }
        &mut self.books[place]
    }

    /// A node has told a fact. Servers that replicate a log have applied it up to `applied`, those that are furthest; where
    /// primaries follow each other, all reigns up to that one are over.
    ///
    /// # Errors
    /// The broken invariant.
    pub fn on_fact(&mut self, node: NodeId, fact: &Fact, applied: u64) -> Verdict {
        self.ordinal += 1;
        let ordinal = self.ordinal;
        match fact {
            Fact::Sought { claim } => self.on_sought(*claim),
            Fact::Entered { claim, token } => self.on_entered(*claim, *token)?,
            Fact::Reentered { .. } => self.reach(Goal::Reentered),
            Fact::Working { .. } => {}
            Fact::Downgraded { claim } => {
                let inside = &mut self.book(claim.lock).inside;
                inside.iter_mut().filter(|other| other.id == claim.id).for_each(|held| held.mode = Mode::Shared);
                self.reach(Goal::Downgraded);
            }
            Fact::Left { claim, lost } => {
                self.book(claim.lock).inside.retain(|other| other.id != claim.id);
                if *lost {
                    self.live(claim.client).retain(|other| other.id != claim.id);
                    self.reach(Goal::Lost);
                }
            }
            Fact::GaveUp { claim } => {
                self.book(claim.lock).queue.gone(claim.id);
                self.reach(Goal::GivenUp);
            }
            Fact::Released { claim, acknowledged } => self.on_released(*claim, acknowledged.then_some(applied)),
            Fact::Woken { claim, by } => self.on_woken(*claim, *by)?,
            Fact::Accepted { claim, token } => {
                let (is_fenced, book) = (self.is_fenced, self.book(claim.lock));
                if is_fenced {
                    book.tokens.accepted(claim, *token)?;
                }
                book.exclusion.accepted(claim, ordinal, is_fenced)?;
            }
            Fact::Refused { .. } => self.reach(Goal::FencedOff),
            Fact::Denied { .. } | Fact::RanOut { .. } => {}
            Fact::Kept { lock, claim, index } => {
                // A server that lags behind, or hears late that it has long been right, speaks of what was before; so does
                // a primary that is none any more, and answers only now who has waited in its reign.
                let is_later = |upto: u64| *index == 0 || *index > upto;
                let gone = self.book(*lock).released.iter().find(|(gone, upto)| gone.id == *claim && is_later(*upto));
                if let Some((Claim { client, .. }, _)) = gone {
                    let message = format!(
                        "{node:?} takes lock {} for held under a claim of {client:?} whose release was acknowledged",
                        lock.0
                    );
                    return Err(Box::new(Violation::new("lock.release-kept", &[node, *client], message)));
                }
            }
        }
        Ok(())
    }

    fn on_sought(&mut self, claim: Claim) {
        let ordinal = self.ordinal;
        let book = self.book(claim.lock);
        book.tokens.sought(claim.id);
        book.queue.joined(claim.id, ordinal);
        if !book.inside.is_empty() {
            self.reach(Goal::Contended);
        }
        self.live(claim.client).push(claim);
    }

    fn on_entered(&mut self, claim: Claim, token: Option<Token>) -> Verdict {
        let ordinal = self.ordinal;
        let book = self.book(claim.lock);
        book.tokens.entered(&claim, token)?;
        book.exclusion.entered(&claim, ordinal);
        let overtakes = book.queue.entered(claim.id);
        let shares = book.inside.iter().any(|other| other.mode.agrees_with(claim.mode));
        let overtaken = book.inside.iter().any(|other| !other.mode.agrees_with(claim.mode));
        book.inside.push(claim);
        self.overtakes += u64::from(overtakes);
        self.reach(Goal::Acquired);
        if shares {
            self.reach(Goal::Shared);
        }
        if overtaken {
            self.reach(Goal::Overtaken);
        }
        Ok(())
    }

    fn on_released(&mut self, claim: Claim, acknowledged: Option<u64>) {
        let book = self.book(claim.lock);
        book.queue.gone(claim.id);
        book.tokens.forget(claim.id);
        if let Some(applied) = acknowledged {
            book.released.push_back((claim, applied));
            if book.released.len() > REMEMBERED {
                book.released.pop_front();
            }
        }
        self.live(claim.client).retain(|other| other.id != claim.id);
    }

    fn on_woken(&mut self, claim: Claim, by: u64) -> Verdict {
        self.wakeups += 1;
        if claim.mode == Mode::Shared {
            return Ok(());
        }
        let (last, woken) = &mut self.book(claim.lock).woken;
        if *last != by {
            (*last, *woken) = (by, Vec::new());
        }
        if !woken.contains(&claim.id) {
            woken.push(claim.id);
        }
        if woken.len() > 1 {
            let message = format!(
                "one thing that happened to lock {} has woken {} waiters that must wait on",
                claim.lock.0,
                woken.len()
            );
            return Err(Box::new(Violation::new("lock.herd", &[claim.client], message)));
        }
        Ok(())
    }

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
