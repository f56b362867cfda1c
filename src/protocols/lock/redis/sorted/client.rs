//! A client of locks that are sorted sets.

use super::{Command, Config, Variant};
use crate::kernel::chance::within;
use crate::kernel::time::Time;
use crate::protocol::NodeId;
use crate::protocols::lock::claim::{Claim, ClaimId};
use crate::protocols::lock::message::{self, Call, Request};
use crate::protocols::lock::recipe::{Desk, Due, News, Recipe};
use crate::protocols::lock::redis;

/// The state of the recipe: its claims, few at a time.
#[derive(Clone, Debug)]
pub struct Sorted {
    config: Config,
    claims: Vec<Own>,
}

/// One claim.
#[derive(Clone, Copy, Debug)]
struct Own {
    claim: Claim,
    stage: Stage,
    /// The call that is not answered yet.
    call: Option<Call>,
    /// When its member should be gone, by the client's clock.
    until: Time,
}

/// How far a claim is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It asks to be added.
    Taking,
    /// Nobody knows whether it was added: away with it, and on from the beginning.
    Clearing,
    /// It waits until it tries again.
    Waiting,
    /// It has the lock.
    Holding,
    /// It gives the lock back, or up.
    Giving,
    /// It gives up, and waits to hear whether it has the lock: a member that all share may be somebody else's.
    Quitting,
}

impl Sorted {
    /// No claims yet.
    pub fn boot(config: &Config) -> Sorted {
        Sorted { config: *config, claims: Vec::new() }
    }

    fn place(&self, id: ClaimId) -> Option<usize> {
        self.claims.iter().position(|own| own.claim.id == id)
    }

    fn asking(&self, call: Call) -> Option<usize> {
        self.claims.iter().position(|own| own.call == Some(call))
    }

    /// Asks the server for what the claim is about at this stage.
    fn ask(&mut self, place: usize, stage: Stage, desk: &mut Desk<'_, '_>) {
        let (Config { ttl, variant, patience, .. }, rules) = (self.config, desk.config.rules.redis.sorted);
        let Claim { id: member, lock, .. } = self.claims[place].claim;
        let command = match (stage, variant) {
            (Stage::Taking, Variant::Article | Variant::OneMember) => {
                let expires = ((desk.io.wall() + ttl).ns() / 1_000_000) as i64;
                match variant {
                    Variant::OneMember => Command::AddOne { lock, expires },
                    Variant::Article | Variant::Script => Command::Add { lock, member, expires },
                }
            }
            (Stage::Taking, Variant::Script) => {
                let (cleaning, admission) = ((rules.cleans)(), (rules.admits)());
                Command::Join { lock, member, ttl: ttl.as_ns() / 1_000_000, cleaning, admission }
            }
            (Stage::Clearing | Stage::Giving, Variant::OneMember) => Command::RemoveOne { lock },
            (Stage::Clearing | Stage::Giving, Variant::Article | Variant::Script) => Command::Remove { lock, member },
            (Stage::Waiting | Stage::Holding | Stage::Quitting, _) => unreachable!("it asks for nothing"),
        };
        let own = &mut self.claims[place];
        own.stage = stage;
        if stage == Stage::Taking {
            own.until = desk.io.now() + ttl;
        }
        own.call = Some(desk.ask(desk.server(0), Request::Redis(redis::Command::Sorted(command)), patience));
    }

    /// Tries again after a while.
    fn wait(&mut self, place: usize, desk: &mut Desk<'_, '_>) {
        let own = &mut self.claims[place];
        own.stage = Stage::Waiting;
        let (shortest, longest) = self.config.poll;
        let pause = within(desk.random(), shortest, longest);
        desk.wake(pause, Due::Again(own.claim.id));
    }

    /// The claim is gone.
    fn gone(&mut self, place: usize, acknowledged: bool, desk: &mut Desk<'_, '_>) {
        let own = self.claims.remove(place);
        desk.tell(News::Released(own.claim.id, acknowledged));
    }
}

impl Recipe for Sorted {
    fn seek(&mut self, claim: Claim, desk: &mut Desk<'_, '_>) {
        self.claims.push(Own { claim, stage: Stage::Taking, call: None, until: desk.io.now() });
        self.ask(self.claims.len() - 1, Stage::Taking, desk);
    }

    fn abandon(&mut self, claim: ClaimId, desk: &mut Desk<'_, '_>) {
        let Some(place) = self.place(claim) else { return };
        match (self.claims[place].stage, self.config.variant) {
            (Stage::Waiting, Variant::OneMember) => self.gone(place, false, desk),
            (Stage::Taking, Variant::OneMember) => self.claims[place].stage = Stage::Quitting,
            _ => self.ask(place, Stage::Giving, desk),
        }
    }

    fn release(&mut self, claim: ClaimId, desk: &mut Desk<'_, '_>) {
        if let Some(place) = self.place(claim) {
            self.ask(place, Stage::Giving, desk);
        }
    }

    fn is_valid(&self, claim: ClaimId, now: Time) -> bool {
        self.place(claim).is_some_and(|place| now < self.claims[place].until)
    }

    fn on_reply(&mut self, _: NodeId, call: Call, reply: message::Reply, desk: &mut Desk<'_, '_>) {
        let message::Reply::Redis(reply) = reply else { unreachable!("a reply of another kind of server") };
        let Some(place) = self.asking(call) else { return };
        let own = &mut self.claims[place];
        own.call = None;
        let is_done = matches!(reply, redis::Reply::Int(1..));
        match own.stage {
            Stage::Taking if is_done && desk.io.now() < own.until => {
                own.stage = Stage::Holding;
                desk.tell(News::Granted(own.claim.id, None));
            }
            Stage::Taking if is_done => self.ask(place, Stage::Clearing, desk),
            Stage::Taking | Stage::Clearing => self.wait(place, desk),
            Stage::Quitting if is_done => self.ask(place, Stage::Giving, desk),
            Stage::Quitting => self.gone(place, false, desk),
            Stage::Giving => self.gone(place, is_done, desk),
            Stage::Waiting | Stage::Holding => unreachable!("it asks for nothing"),
        }
    }

    fn on_due(&mut self, due: Due, desk: &mut Desk<'_, '_>) {
        match due {
            Due::Again(claim) => {
                let Some(place) = self.place(claim) else { return };
                if self.claims[place].stage == Stage::Waiting {
                    self.ask(place, Stage::Taking, desk);
                }
            }
            Due::Unanswered(call) => {
                let Some(place) = self.asking(call) else { return };
                match self.claims[place].stage {
                    Stage::Taking | Stage::Clearing => self.ask(place, Stage::Clearing, desk),
                    Stage::Giving | Stage::Quitting => self.ask(place, Stage::Giving, desk),
                    Stage::Waiting | Stage::Holding => unreachable!("it asks for nothing"),
                }
            }
            _ => {}
        }
    }
}
