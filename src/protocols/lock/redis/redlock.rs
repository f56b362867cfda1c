//! Redlock: a client that takes a lock on a majority of servers that know nothing of each other.
//!
//! Source: the manual page "Distributed Locks with Redis", "The Redlock Algorithm" (called the manual here).

use super::Hosting;
use super::command::{Command, Reply};
use super::rules::Extending;
use crate::kernel::chance::within;
use crate::kernel::time::{Span, Time};
use crate::protocol::NodeId;
use crate::protocols::lock::claim::{Claim, ClaimId};
use crate::protocols::lock::message::{self, Call, Request};
use crate::protocols::lock::recipe::{Desk, Due, News, Recipe};

/// The settings of Redlock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// How long a key lives that nobody prolongs.
    pub ttl: Span,
    /// How far the clocks of clients and servers may come apart in that time.
    pub drift: Span,
    /// Whether holders prolong their keys, three times in a time to live.
    pub watchdog: bool,
    /// In which order servers are asked.
    pub order: Order,
    /// What its servers are told.
    pub hosting: Hosting,
    /// How long a client waits before it tries again, from and to.
    pub poll: (Span, Span),
    /// How long it waits for the answer of one server.
    pub patience: Span,
}

/// In which order servers are asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// All at once.
    Parallel,
    /// Each when the one before it has answered, or has not for too long.
    Sequence,
}

/// The state of the recipe: its claims, few at a time.
#[derive(Clone, Debug)]
pub struct Redlock {
    config: Config,
    claims: Vec<Own>,
}

/// One claim.
#[derive(Clone, Debug)]
struct Own {
    claim: Claim,
    stage: Stage,
    /// When this stage began, before any server was asked.
    began: Time,
    /// What each server was asked at this stage, by its place.
    asked: Vec<Asked>,
    /// How long it can be held, by the client's clock.
    until: Time,
    /// When all its keys must have expired, by the client's clock.
    expires: Time,
}

/// How far a claim is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It asks all servers for the lock.
    Taking,
    /// It waits until it tries again.
    Waiting,
    /// It has the lock.
    Holding,
    /// It has the lock, and prolongs it.
    Prolonging,
    /// It gives the lock back, or up.
    Giving,
    /// A majority has heard that; the rest has still to.
    Given,
}

/// What one server was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asked {
    NotYet,
    Open(Call),
    /// It has done it.
    Done,
    /// It has not, or says nothing.
    Refused,
}

impl Redlock {
    /// No claims yet.
    pub fn boot(config: &Config) -> Redlock {
        Redlock { config: *config, claims: Vec::new() }
    }

    fn place(&self, id: ClaimId) -> Option<usize> {
        self.claims.iter().position(|own| own.claim.id == id)
    }

    /// The claim and the server of a call that is open.
    fn asking(&self, call: Call) -> Option<(usize, usize)> {
        let of = |own: &Own| own.asked.iter().position(|asked| *asked == Asked::Open(call));
        self.claims.iter().enumerate().find_map(|(place, own)| Some((place, of(own)?)))
    }

    /// What is asked at this stage.
    fn command(&self, place: usize, desk: &Desk<'_, '_>) -> Command {
        let ttl = self.config.ttl.as_ns() / 1_000_000;
        let Own { claim: Claim { id: owner, lock, .. }, stage, .. } = self.claims[place];
        match stage {
            Stage::Taking => Command::Acquire { lock, owner, ttl },
            Stage::Holding | Stage::Prolonging => match (desk.config.rules.redis.redlock.extends)() {
                Extending::Compared => Command::CompareExpire { lock, owner, ttl },
                Extending::Recreating => Command::ExtendOrAcquire { lock, owner, ttl },
            },
            Stage::Waiting | Stage::Giving | Stage::Given => Command::CompareDelete { lock, owner },
        }
    }

    /// Begins a stage at which servers are asked.
    fn begin(&mut self, place: usize, stage: Stage, desk: &mut Desk<'_, '_>) {
        let (now, servers) = (desk.io.now(), usize::from(desk.config.servers));
        let own = &mut self.claims[place];
        (own.stage, own.began) = (stage, now);
        own.asked = vec![Asked::NotYet; servers];
        if matches!(stage, Stage::Taking | Stage::Prolonging) {
            own.expires = now + self.config.ttl;
        }
        match (self.config.order, stage) {
            (Order::Sequence, Stage::Taking | Stage::Prolonging) => self.ask(place, 0, desk),
            _ => (0..servers).for_each(|server| self.ask(place, server, desk)),
        }
    }

    fn ask(&mut self, place: usize, server: usize, desk: &mut Desk<'_, '_>) {
        let command = self.command(place, desk);
        let call = desk.ask(desk.server(server), Request::Redis(command), self.config.patience);
        self.claims[place].asked[server] = Asked::Open(call);
    }

    /// A server has answered, or will not any more.
    fn heard(&mut self, place: usize, server: usize, asked: Asked, desk: &mut Desk<'_, '_>) {
        let own = &mut self.claims[place];
        own.asked[server] = asked;
        let count = |what: fn(&Asked) -> bool| own.asked.iter().filter(|asked| what(asked)).count();
        let done = count(|asked| *asked == Asked::Done);
        let open = count(|asked| matches!(asked, Asked::NotYet | Asked::Open(_)));
        let quorum = (desk.config.rules.redis.redlock.quorum)(own.asked.len());
        let next = own.asked.iter().position(|asked| *asked == Asked::NotYet);
        match own.stage {
            Stage::Taking | Stage::Prolonging => {
                let has_all = self.config.order == Order::Parallel || open == 0;
                if done >= quorum && has_all {
                    self.has_quorum(place, desk);
                } else if done + open < quorum {
                    self.has_failed(place, desk);
                } else if let Some(next) = next {
                    self.ask(place, next, desk);
                }
            }
            Stage::Giving | Stage::Given => self.has_given(place, done, open, quorum, desk),
            // Too late: that is decided.
            Stage::Waiting | Stage::Holding => {}
        }
    }

    /// A majority has its key: "if and only if the client was able to acquire the lock in the majority of the
    /// instances, and the total time elapsed to acquire the lock is less than lock validity time".
    fn has_quorum(&mut self, place: usize, desk: &mut Desk<'_, '_>) {
        let Config { ttl, drift, watchdog, .. } = self.config;
        let now = desk.io.now();
        let own = &mut self.claims[place];
        let validity = (desk.config.rules.redis.redlock.validity)(ttl, now.since(own.began), drift);
        if validity.is_zero() {
            self.has_failed(place, desk);
            return;
        }
        own.until = now + validity;
        let (id, was) = (own.claim.id, std::mem::replace(&mut own.stage, Stage::Holding));
        if watchdog {
            desk.wake(Span::ns(ttl.as_ns() / 3), Due::Renew(Some(id)));
        }
        if was == Stage::Taking {
            desk.tell(News::Granted(id, None));
        }
    }

    /// No majority can have it any more, or not for long enough.
    fn has_failed(&mut self, place: usize, desk: &mut Desk<'_, '_>) {
        let own = &mut self.claims[place];
        let id = own.claim.id;
        if own.stage == Stage::Prolonging {
            own.stage = Stage::Holding;
            desk.wake(self.config.patience, Due::Renew(Some(id)));
            return;
        }
        // "It will try to unlock all the instances (even the instances it believed it was not able to lock)."
        own.stage = Stage::Waiting;
        self.unlock_all(place, desk);
        let (shortest, longest) = self.config.poll;
        let pause = within(desk.random(), shortest, longest);
        desk.wake(pause, Due::Again(id));
    }

    fn unlock_all(&mut self, place: usize, desk: &mut Desk<'_, '_>) {
        let Claim { id: owner, lock, .. } = self.claims[place].claim;
        for server in 0..usize::from(desk.config.servers) {
            desk.ask_only(desk.server(server), Request::Redis(Command::CompareDelete { lock, owner }));
        }
    }

    /// So many servers have deleted its key.
    fn has_given(&mut self, place: usize, done: usize, open: usize, quorum: usize, desk: &mut Desk<'_, '_>) {
        let own = &mut self.claims[place];
        let answered = own.asked.len() - open;
        if own.stage == Stage::Giving && answered >= quorum {
            own.stage = Stage::Given;
            desk.tell(News::Released(own.claim.id, done >= quorum));
        }
        if open == 0 {
            self.claims.remove(place);
        }
    }
}

impl Recipe for Redlock {
    fn seek(&mut self, claim: Claim, desk: &mut Desk<'_, '_>) {
        let now = desk.io.now();
        let asked = Vec::new();
        self.claims.push(Own { claim, stage: Stage::Taking, began: now, asked, until: now, expires: now });
        self.begin(self.claims.len() - 1, Stage::Taking, desk);
    }

    fn abandon(&mut self, claim: ClaimId, desk: &mut Desk<'_, '_>) {
        self.release(claim, desk);
    }

    fn release(&mut self, claim: ClaimId, desk: &mut Desk<'_, '_>) {
        if let Some(place) = self.place(claim) {
            self.begin(place, Stage::Giving, desk);
        }
    }

    fn is_valid(&self, claim: ClaimId, now: Time) -> bool {
        self.place(claim).is_some_and(|place| now < self.claims[place].until)
    }

    fn on_reply(&mut self, _: NodeId, call: Call, reply: message::Reply, desk: &mut Desk<'_, '_>) {
        let message::Reply::Redis(reply) = reply else { unreachable!("a reply of another kind of server") };
        let Some((place, server)) = self.asking(call) else { return };
        let is_done = matches!(reply, Reply::Ok | Reply::Int(1..));
        self.heard(place, server, if is_done { Asked::Done } else { Asked::Refused }, desk);
    }

    fn on_due(&mut self, due: Due, desk: &mut Desk<'_, '_>) {
        match due {
            Due::Again(claim) => {
                let Some(place) = self.place(claim) else { return };
                if self.claims[place].stage == Stage::Waiting {
                    self.begin(place, Stage::Taking, desk);
                }
            }
            Due::Renew(Some(claim)) => {
                let Some(place) = self.place(claim) else { return };
                let own = &self.claims[place];
                if own.stage != Stage::Holding {
                    return;
                }
                let is_over = desk.io.now() >= own.until;
                if is_over && (desk.config.rules.redis.redlock.extends)() == Extending::Compared {
                    self.unlock_all(place, desk);
                    self.claims.remove(place);
                    desk.tell(News::Lost(claim));
                } else {
                    self.begin(place, Stage::Prolonging, desk);
                }
            }
            Due::Unanswered(call) => {
                let Some((place, server)) = self.asking(call) else { return };
                let own = &self.claims[place];
                // Its key is still there, perhaps, and in the way of others.
                if matches!(own.stage, Stage::Giving | Stage::Given) && desk.io.now() < own.expires {
                    self.ask(place, server, desk);
                } else {
                    self.heard(place, server, Asked::Refused, desk);
                }
            }
            _ => {}
        }
    }
}
