//! A client of locks on one Redis: a server that stands alone, or whichever of several is the primary.

use super::Config;
use super::command::{Command, Reply};
use super::rules::{Counting, Giving, Taking};
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
    /// The place of the server that was the primary when it was asked last.
    primary: usize,
    /// Who compares its tokens, and the call.
    comparing: Option<(Call, ClaimId, Token)>,
}

/// One claim.
#[derive(Clone, Copy, Debug)]
struct Own {
    claim: Claim,
    stage: Stage,
    /// The call that is not answered yet, and the place of the server.
    call: Option<(Call, usize)>,
    /// Who was asked last, by place. How many replicas have a change only the primary can say that has made it.
    server: usize,
    /// When the command was sent that makes, or made, its key live so long.
    asked: Time,
    /// When its key must have expired, by the client's clock, if the server's runs alike.
    until: Time,
    /// What came with it.
    token: Option<Token>,
}

/// How far a claim is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It asks for the lock.
    Taking,
    /// It has the key, which lives for ever until it says otherwise.
    Limiting,
    /// It has the key, and raises the counter.
    Counting,
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
    /// The primary has done it; how many replicas know?
    Confirming(What),
}

/// What a primary has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum What {
    Taken,
    Prolonged,
    Given,
}

impl Single {
    /// No claims yet.
    pub fn boot(config: &Config) -> Single {
        Single { config: *config, claims: Vec::new(), primary: 0, comparing: None }
    }

    fn place(&self, id: ClaimId) -> Option<usize> {
        self.claims.iter().position(|own| own.claim.id == id)
    }

    fn asking(&self, call: Call) -> Option<usize> {
        self.claims.iter().position(|own| own.call.is_some_and(|(own, _)| own == call))
    }

    fn ttl(&self) -> u64 {
        self.config.ttl.as_ns() / 1_000_000
    }

    /// How many replicas must know of a change.
    fn wanted(&self, desk: &Desk<'_, '_>) -> u16 {
        (desk.config.rules.redis.waits_for)(self.config.wait)
    }

    /// Asks the server for what the claim is about at this stage.
    fn ask(&mut self, place: usize, stage: Stage, desk: &mut Desk<'_, '_>) {
        let (ttl, rules, replicas) = (self.ttl(), desk.config.rules.redis, self.wanted(desk));
        let own = &mut self.claims[place];
        let Claim { id: owner, lock, .. } = own.claim;
        let tokens_at_once = self.config.tokens && (rules.counts)() != Counting::Afterwards;
        let command = match stage {
            Stage::Taking if (rules.takes)() == Taking::InTwoSteps => Command::SetIfAbsent { lock, owner },
            Stage::Taking if tokens_at_once => Command::AcquireToken { lock, owner, ttl },
            Stage::Taking => Command::Acquire { lock, owner, ttl },
            Stage::Limiting => Command::Expire { lock, ttl },
            Stage::Counting => Command::Count { lock },
            Stage::Holding | Stage::Forgotten => Command::CompareExpire { lock, owner, ttl },
            Stage::Looking => Command::Get { lock },
            Stage::Giving if (rules.gives)() != Giving::Compared => Command::Delete { lock },
            Stage::Giving | Stage::Clearing => Command::CompareDelete { lock, owner },
            Stage::Confirming(what) => {
                let owner = (what != What::Given).then_some(owner);
                let timeout = self.config.patience.as_ns() / 2_000_000;
                Command::Wait { lock, owner, replicas, timeout }
            }
            Stage::Waiting => unreachable!("it asks for nothing while it waits"),
        };
        let now = desk.io.now();
        (own.stage, own.asked) = match stage {
            Stage::Confirming(_) | Stage::Counting => (stage, own.asked),
            _ => (stage, now),
        };
        if matches!(stage, Stage::Taking | Stage::Limiting) {
            own.until = now + self.config.ttl;
        }
        if !matches!(stage, Stage::Confirming(_)) {
            own.server = self.primary;
        }
        let call = desk.ask(desk.server(own.server), Request::Redis(command), self.config.patience);
        own.call = Some((call, own.server));
    }

    /// Looks for the primary elsewhere, if it was still believed to be this one.
    fn doubt(&mut self, server: usize, desk: &Desk<'_, '_>) {
        if self.primary == server {
            self.primary = (server + 1) % usize::from(desk.config.servers);
        }
    }

    /// The primary has set the key.
    fn taken(&mut self, place: usize, token: Option<Token>, desk: &mut Desk<'_, '_>) {
        self.claims[place].token = token;
        match self.wanted(desk) {
            0 => self.confirmed(place, desk),
            _ => self.ask(place, Stage::Confirming(What::Taken), desk),
        }
    }

    /// So many replicas as should have the key do.
    fn confirmed(&mut self, place: usize, desk: &mut Desk<'_, '_>) {
        let counts_now = (desk.config.rules.redis.counts)() == Counting::Afterwards;
        if self.config.tokens && counts_now {
            self.ask(place, Stage::Counting, desk);
        } else {
            self.granted(place, desk);
        }
    }

    /// The key is the claim's.
    fn granted(&mut self, place: usize, desk: &mut Desk<'_, '_>) {
        let own = &mut self.claims[place];
        if desk.io.now() >= own.until {
            // So late that somebody else may have it already.
            self.ask(place, Stage::Clearing, desk);
            return;
        }
        own.stage = Stage::Holding;
        let (id, token) = (own.claim.id, own.token);
        if self.config.watchdog {
            desk.wake(self.third(), Due::Renew(Some(id)));
        }
        desk.tell(News::Granted(id, token));
    }

    /// It has been told how many replicas have what it has changed.
    fn counted(&mut self, place: usize, what: What, replicas: u16, desk: &mut Desk<'_, '_>) {
        let is_safe = (desk.config.rules.redis.confirms)(self.wanted(desk), replicas);
        match (what, is_safe) {
            (What::Taken, true) => self.confirmed(place, desk),
            (What::Taken, false) => self.ask(place, Stage::Clearing, desk),
            (What::Prolonged, true) => self.prolonged(place, desk),
            (What::Prolonged, false) => {
                self.claims[place].stage = Stage::Holding;
                desk.wake(self.third(), Due::Renew(Some(self.claims[place].claim.id)));
            }
            (What::Given, is_safe) => self.gone(place, is_safe, desk),
        }
    }

    fn prolonged(&mut self, place: usize, desk: &mut Desk<'_, '_>) {
        let own = &mut self.claims[place];
        own.stage = Stage::Holding;
        own.until = own.asked + self.config.ttl;
        let id = own.claim.id;
        desk.wake(self.third(), Due::Renew(Some(id)));
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

    /// The server has answered what the claim asked at this stage.
    fn on_answer(&mut self, place: usize, reply: Reply, desk: &mut Desk<'_, '_>) {
        let own = self.claims[place];
        let id = own.claim.id;
        match (own.stage, reply) {
            (Stage::Taking, Reply::Ok) => self.taken(place, None, desk),
            (Stage::Taking, Reply::Int(1..)) if (desk.config.rules.redis.takes)() == Taking::InTwoSteps => {
                self.ask(place, Stage::Limiting, desk);
            }
            (Stage::Taking, Reply::Int(token @ 1..)) => self.taken(place, Some(token as Token), desk),
            (Stage::Limiting, Reply::Int(1..)) => self.taken(place, None, desk),
            (Stage::Counting, Reply::Int(token @ 1..)) => {
                self.claims[place].token = Some(token as Token);
                self.granted(place, desk);
            }
            (Stage::Counting, _) => self.ask(place, Stage::Clearing, desk),
            (Stage::Taking | Stage::Limiting | Stage::Clearing, _) => self.wait(place, desk),
            (Stage::Holding, Reply::Int(1..)) => match self.wanted(desk) {
                0 => self.prolonged(place, desk),
                _ => self.ask(place, Stage::Confirming(What::Prolonged), desk),
            },
            (Stage::Holding, _) => {
                self.claims.remove(place);
                desk.tell(News::Lost(id));
            }
            (Stage::Looking, Reply::Owner(owner)) if owner == id => self.ask(place, Stage::Giving, desk),
            (Stage::Looking, _) => self.gone(place, false, desk),
            (Stage::Giving, Reply::Int(1..)) if self.wanted(desk) > 0 => {
                self.ask(place, Stage::Confirming(What::Given), desk);
            }
            (Stage::Giving, reply) => self.gone(place, matches!(reply, Reply::Int(1..)), desk),
            (Stage::Forgotten, Reply::Ok | Reply::Int(1..)) => desk.wake(self.third(), Due::Renew(Some(id))),
            (Stage::Forgotten, _) => drop(self.claims.remove(place)),
            (Stage::Confirming(what), Reply::Int(replicas)) => self.counted(place, what, replicas as u16, desk),
            (Stage::Confirming(what), _) => self.counted(place, what, 0, desk),
            (Stage::Waiting, _) => unreachable!("it asks for nothing while it waits"),
        }
    }

    /// Nobody has answered what the claim asked at this stage.
    fn on_silence(&mut self, place: usize, desk: &mut Desk<'_, '_>) {
        let own = self.claims[place];
        match own.stage {
            Stage::Taking | Stage::Limiting | Stage::Counting | Stage::Clearing => {
                self.ask(place, Stage::Clearing, desk);
            }
            Stage::Holding | Stage::Forgotten => {
                self.claims[place].call = None;
                if (desk.config.rules.redis.renews_after_silence)() {
                    self.ask(place, own.stage, desk);
                }
            }
            Stage::Confirming(what) => {
                self.claims[place].call = None;
                self.counted(place, what, 0, desk);
            }
            // It expires by itself, and whoever is cut off cannot do more.
            Stage::Looking | Stage::Giving if desk.io.now() >= own.until => self.gone(place, false, desk),
            Stage::Looking | Stage::Giving => self.ask(place, own.stage, desk),
            Stage::Waiting => unreachable!("it asks for nothing while it waits"),
        }
    }
}

impl Recipe for Single {
    fn seek(&mut self, claim: Claim, desk: &mut Desk<'_, '_>) {
        let now = desk.io.now();
        let (stage, server) = (Stage::Taking, self.primary);
        self.claims.push(Own { claim, stage, call: None, server, asked: now, until: now, token: None });
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
        let stage =
            if (desk.config.rules.redis.gives)() == Giving::AfterALook { Stage::Looking } else { Stage::Giving };
        self.ask(place, stage, desk);
    }

    fn compare(&mut self, claim: ClaimId, desk: &mut Desk<'_, '_>) -> bool {
        let Some(place) = self.place(claim) else { return false };
        let Own { claim, token: Some(token), .. } = self.claims[place] else { return false };
        let request = Request::Redis(Command::Counted { lock: claim.lock });
        let call = desk.ask(desk.server(self.primary), request, self.config.patience);
        self.comparing = Some((call, claim.id, token));
        true
    }

    fn is_valid(&self, claim: ClaimId, now: Time) -> bool {
        self.place(claim).is_some_and(|place| now < self.claims[place].until)
    }

    fn on_reply(&mut self, from: NodeId, call: Call, reply: message::Reply, desk: &mut Desk<'_, '_>) {
        let message::Reply::Redis(reply) = reply else { unreachable!("a reply of another kind of server") };
        if let Some((_, claim, token)) = self.comparing.take_if(|(comparing, ..)| *comparing == call) {
            desk.tell(News::Compared(claim, reply == Reply::Int(token as i64)));
            return;
        }
        let Some(place) = self.asking(call) else { return };
        if reply != Reply::ReadOnly {
            self.claims[place].call = None;
            self.on_answer(place, reply, desk);
            return;
        }
        self.doubt(from.index(), desk);
        // Whoever has the lock, or may have it, asks elsewhere once this call is over.
        if self.claims[place].stage == Stage::Taking {
            self.claims[place].call = None;
            self.wait(place, desk);
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
                if let Some((_, claim, _)) = self.comparing.take_if(|(comparing, ..)| *comparing == call) {
                    desk.tell(News::Compared(claim, false));
                    return;
                }
                let Some(place) = self.asking(call) else { return };
                if let Some((_, server)) = self.claims[place].call {
                    self.doubt(server, desk);
                }
                self.on_silence(place, desk);
            }
            _ => {}
        }
    }
}
