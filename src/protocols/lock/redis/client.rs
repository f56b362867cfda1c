//! A client of locks on one server of Redis.

use super::Config;
use super::command::{Command, Reply};
use super::rules::{Giving, Taking};
use crate::kernel::chance::within;
use crate::kernel::time::{Span, Time};
use crate::protocol::NodeId;
use crate::protocols::lock::claim::{Claim, ClaimId, Token};
use crate::protocols::lock::message::{self, Call, Request};
use crate::protocols::lock::recipe::{Desk, Due, News, Recipe};

/// The state of the recipe: its claims, few at a time.
#[derive(Clone, Debug)]
pub struct Single {
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
    /// When that was made.
    asked: Time,
    /// When its key must have expired, by the client's clock, if the server's runs alike.
    until: Time,
}

/// How far a claim is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It asks for the lock.
    Taking,
    /// It has the key, which lives for ever until it says otherwise.
    Limiting,
    /// Nobody knows whether it has the key: away with it, and on from the beginning.
    Clearing,
    /// It waits until it tries again.
    Waiting,
    /// It has the lock.
    Holding,
    /// It looks whose the key is before it deletes it.
    Looking,
    /// It gives the lock back, or up.
    Giving,
    /// It has forgotten to: should it be granted, nobody will know.
    Forgotten,
}

impl Single {
    /// No claims yet.
    pub fn boot(config: &Config) -> Single {
        Single { config: *config, claims: Vec::new() }
    }

    fn place(&self, id: ClaimId) -> Option<usize> {
        self.claims.iter().position(|own| own.claim.id == id)
    }

    fn asking(&self, call: Call) -> Option<usize> {
        self.claims.iter().position(|own| own.call == Some(call))
    }

    fn ttl(&self) -> u64 {
        self.config.ttl.as_ns() / 1_000_000
    }

    /// Asks the server for what the claim is about at this stage.
    fn ask(&mut self, place: usize, stage: Stage, desk: &mut Desk<'_, '_>) {
        let (ttl, rules) = (self.ttl(), desk.config.rules.redis);
        let own = &mut self.claims[place];
        let Claim { id: owner, lock, .. } = own.claim;
        let command = match stage {
            Stage::Taking if (rules.takes)() == Taking::InTwoSteps => Command::SetIfAbsent { lock, owner },
            Stage::Taking if self.config.tokens => Command::AcquireToken { lock, owner, ttl },
            Stage::Taking => Command::Acquire { lock, owner, ttl },
            Stage::Limiting => Command::Expire { lock, ttl },
            Stage::Holding | Stage::Forgotten => Command::CompareExpire { lock, owner, ttl },
            Stage::Looking => Command::Get { lock },
            Stage::Giving if (rules.gives)() != Giving::Compared => Command::Delete { lock },
            Stage::Giving | Stage::Clearing => Command::CompareDelete { lock, owner },
            Stage::Waiting => unreachable!("it asks for nothing while it waits"),
        };
        (own.stage, own.asked) = (stage, desk.io.now());
        if matches!(stage, Stage::Taking | Stage::Limiting) {
            own.until = own.asked + self.config.ttl;
        }
        own.call = Some(desk.ask(NodeId::new(0), Request::Redis(command), self.config.patience));
    }

    /// The key is the claim's.
    fn granted(&mut self, place: usize, token: Option<Token>, desk: &mut Desk<'_, '_>) {
        let own = &mut self.claims[place];
        if desk.io.now() >= own.until {
            // So late that somebody else may have it already.
            self.ask(place, Stage::Clearing, desk);
            return;
        }
        own.stage = Stage::Holding;
        let id = own.claim.id;
        if self.config.watchdog {
            desk.wake(self.third(), Due::Renew(Some(id)));
        }
        desk.tell(News::Granted(id, token));
    }

    fn third(&self) -> Span {
        Span::ns(self.config.ttl.as_ns() / 3)
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

impl Recipe for Single {
    fn seek(&mut self, claim: Claim, desk: &mut Desk<'_, '_>) {
        let now = desk.io.now();
        self.claims.push(Own { claim, stage: Stage::Taking, call: None, asked: now, until: now });
        self.ask(self.claims.len() - 1, Stage::Taking, desk);
    }

    fn abandon(&mut self, claim: ClaimId, desk: &mut Desk<'_, '_>) {
        let Some(place) = self.place(claim) else { return };
        if (desk.config.rules.redis.withdraws)() {
            self.ask(place, Stage::Giving, desk);
            return;
        }
        self.claims[place].stage = Stage::Forgotten;
        desk.tell(News::Released(claim, false));
    }

    fn release(&mut self, claim: ClaimId, desk: &mut Desk<'_, '_>) {
        let Some(place) = self.place(claim) else { return };
        let stage = if (desk.config.rules.redis.gives)() == Giving::AfterALook { Stage::Looking } else { Stage::Giving };
        self.ask(place, stage, desk);
    }

    fn is_valid(&self, claim: ClaimId, now: Time) -> bool {
        self.place(claim).is_some_and(|place| now < self.claims[place].until)
    }

    fn on_reply(&mut self, _: NodeId, call: Call, reply: message::Reply, desk: &mut Desk<'_, '_>) {
        let message::Reply::Redis(reply) = reply else { unreachable!("a reply of another kind of server") };
        let Some(place) = self.asking(call) else { return };
        let own = &mut self.claims[place];
        own.call = None;
        let id = own.claim.id;
        match (own.stage, reply) {
            (Stage::Taking, Reply::Ok) => self.granted(place, None, desk),
            (Stage::Taking, Reply::Int(1..)) if (desk.config.rules.redis.takes)() == Taking::InTwoSteps => {
                self.ask(place, Stage::Limiting, desk);
            }
            (Stage::Taking, Reply::Int(token @ 1..)) => self.granted(place, Some(token as Token), desk),
            (Stage::Limiting, Reply::Int(1..)) => self.granted(place, None, desk),
            (Stage::Taking | Stage::Limiting | Stage::Clearing, _) => self.wait(place, desk),
            (Stage::Holding, Reply::Int(1..)) => {
                own.until = own.asked + self.config.ttl;
                desk.wake(self.third(), Due::Renew(Some(id)));
            }
            (Stage::Holding, _) => desk.tell(News::Lost(id)),
            (Stage::Looking, Reply::Owner(owner)) if owner == id => self.ask(place, Stage::Giving, desk),
            (Stage::Looking, _) => self.gone(place, false, desk),
            (Stage::Giving, reply) => self.gone(place, matches!(reply, Reply::Int(1..)), desk),
            (Stage::Forgotten, Reply::Ok | Reply::Int(1..)) => desk.wake(self.third(), Due::Renew(Some(id))),
            (Stage::Forgotten, _) => drop(self.claims.remove(place)),
            (Stage::Waiting, _) => unreachable!("it asks for nothing while it waits"),
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
            Due::Renew(Some(claim)) => {
                let Some(place) = self.place(claim) else { return };
                let Own { stage, call, .. } = self.claims[place];
                if matches!(stage, Stage::Holding | Stage::Forgotten) && call.is_none() {
                    self.ask(place, stage, desk);
                }
            }
            Due::Unanswered(call) => {
                let Some(place) = self.asking(call) else { return };
                let own = self.claims[place];
                match own.stage {
                    Stage::Taking | Stage::Limiting | Stage::Clearing => self.ask(place, Stage::Clearing, desk),
                    Stage::Holding | Stage::Forgotten => {
                        self.claims[place].call = None;
                        if (desk.config.rules.redis.renews_after_silence)() {
                            self.ask(place, own.stage, desk);
                        }
                    }
                    // It expires by itself, and whoever is cut off cannot do more.
                    Stage::Looking | Stage::Giving if desk.io.now() >= own.until => self.gone(place, false, desk),
                    Stage::Looking | Stage::Giving => self.ask(place, own.stage, desk),
                    Stage::Waiting => unreachable!("it asks for nothing while it waits"),
                }
            }
            _ => {}
        }
    }
}
