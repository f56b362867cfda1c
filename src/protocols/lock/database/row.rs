//! A client of locks that are rows with an owner and an expiry.

use super::command::{Answer, Command, OnRow, Stay};
use super::rules::{Judge, Taking};
use super::{Config, RowConfig};
use crate::kernel::chance::within;
use crate::kernel::time::{Span, Time};
use crate::protocol::NodeId;
use crate::protocols::lock::claim::{Claim, ClaimId};
use crate::protocols::lock::message::{Call, Reply, Request};
use crate::protocols::lock::recipe::{Desk, Due, News, Recipe};

/// The state of the recipe: its claims, few at a time.
#[derive(Clone, Debug)]
pub struct Rows {
    config: Config,
    way: RowConfig,
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
    /// When its row must have expired, by the client's clock, if the database's runs alike.
    until: Time,
}

/// How far a claim is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It looks whether somebody has the row.
    Looking,
    /// It asks for the row.
    Taking,
    /// Nobody knows whether it has the row: away with it, and on from the beginning.
    Clearing,
    /// It waits until it tries again.
    Waiting,
    /// It has the lock.
    Holding,
    /// It gives the lock back, or up.
    Giving,
}

impl Rows {
    /// No claims yet.
    pub fn boot(config: &Config, way: RowConfig) -> Rows {
        Rows { config: *config, way, claims: Vec::new() }
    }

    fn place(&self, id: ClaimId) -> Option<usize> {
        self.claims.iter().position(|own| own.claim.id == id)
    }

    fn asking(&self, call: Call) -> Option<usize> {
        self.claims.iter().position(|own| own.call == Some(call))
    }

    /// Asks the server for what the claim is about at this stage.
    fn ask(&mut self, place: usize, stage: Stage, desk: &mut Desk<'_, '_>) {
        let rules = desk.config.rules.database;
        let own = &mut self.claims[place];
        let Claim { id: owner, lock, .. } = own.claim;
        let now_us = match (rules.judges)() {
            Judge::Database => None,
            Judge::Client => Some((desk.io.wall().ns() / 1_000) as i64),
        };
        let stay = Stay { owner, ttl_us: self.way.ttl.as_ns() / 1_000, now_us };
        let what = match stage {
            Stage::Looking => OnRow::Look,
            Stage::Taking if (rules.takes)() == Taking::AfterALook => OnRow::Seize(stay),
            Stage::Taking => OnRow::Take(stay),
            Stage::Holding => OnRow::Renew(stay),
            Stage::Giving | Stage::Clearing => OnRow::Free { owner },
            Stage::Waiting => unreachable!("it asks for nothing while it waits"),
        };
        (own.stage, own.asked) = (stage, desk.io.now());
        if stage == Stage::Taking {
            own.until = own.asked + self.way.ttl;
        }
        own.call = Some(desk.ask(NodeId::new(0), Request::Database(Command::Row(lock, what)), self.config.patience));
    }

    /// Tries to get the row.
    fn begin(&mut self, place: usize, desk: &mut Desk<'_, '_>) {
        let stage = match (desk.config.rules.database.takes)() {
            Taking::Conditionally => Stage::Taking,
            Taking::AfterALook => Stage::Looking,
        };
        self.ask(place, stage, desk);
    }

    /// The row is the claim's.
    fn granted(&mut self, place: usize, counter: i64, desk: &mut Desk<'_, '_>) {
        let own = &mut self.claims[place];
        if desk.io.now() >= own.until {
            // So late that somebody else may have it already.
            self.ask(place, Stage::Clearing, desk);
            return;
        }
        own.stage = Stage::Holding;
        let id = own.claim.id;
        if self.way.watchdog {
            desk.wake(self.third(), Due::Renew(Some(id)));
        }
        desk.tell(News::Granted(id, self.way.tokens.then_some(counter as u64)));
    }

    fn third(&self) -> Span {
        Span::ns(self.way.ttl.as_ns() / 3)
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

    fn on_unanswered(&mut self, place: usize, desk: &mut Desk<'_, '_>) {
        let own = self.claims[place];
        match own.stage {
            Stage::Looking | Stage::Holding => self.ask(place, own.stage, desk),
            Stage::Taking | Stage::Clearing => self.ask(place, Stage::Clearing, desk),
            // It expires by itself, and whoever is cut off cannot do more.
            Stage::Giving if desk.io.now() >= own.until => self.gone(place, false, desk),
            Stage::Giving => self.ask(place, own.stage, desk),
            Stage::Waiting => unreachable!("it asks for nothing while it waits"),
        }
    }
}

impl Recipe for Rows {
    fn seek(&mut self, claim: Claim, desk: &mut Desk<'_, '_>) {
        let now = desk.io.now();
        self.claims.push(Own { claim, stage: Stage::Waiting, call: None, asked: now, until: now });
        self.begin(self.claims.len() - 1, desk);
    }

    fn abandon(&mut self, claim: ClaimId, desk: &mut Desk<'_, '_>) {
        self.release(claim, desk);
    }

    fn release(&mut self, claim: ClaimId, desk: &mut Desk<'_, '_>) {
        let Some(place) = self.place(claim) else { return };
        self.ask(place, Stage::Giving, desk);
    }

    fn is_valid(&self, claim: ClaimId, now: Time) -> bool {
        self.place(claim).is_some_and(|place| now < self.claims[place].until)
    }

    fn on_reply(&mut self, _: NodeId, call: Call, reply: Reply, desk: &mut Desk<'_, '_>) {
        let Reply::Database(answer) = reply else { unreachable!("a reply of another kind of server") };
        let Some(place) = self.asking(call) else { return };
        let own = &mut self.claims[place];
        own.call = None;
        let id = own.claim.id;
        match (own.stage, answer) {
            (Stage::Looking, Answer::Free) => self.ask(place, Stage::Taking, desk),
            (Stage::Taking, Answer::Had(counter)) => self.granted(place, counter, desk),
            (Stage::Looking | Stage::Taking | Stage::Clearing, _) => self.wait(place, desk),
            (Stage::Holding, Answer::Done(true)) => {
                own.until = own.asked + self.way.ttl;
                desk.wake(self.third(), Due::Renew(Some(id)));
            }
            (Stage::Holding, _) => {
                self.claims.remove(place);
                desk.tell(News::Lost(id));
            }
            (Stage::Giving, answer) => self.gone(place, answer == Answer::Done(true), desk),
            (Stage::Waiting, _) => unreachable!("it asks for nothing while it waits"),
        }
    }

    fn on_due(&mut self, due: Due, desk: &mut Desk<'_, '_>) {
        match due {
            Due::Again(claim) => {
                let Some(place) = self.place(claim) else { return };
                if self.claims[place].stage == Stage::Waiting {
                    self.begin(place, desk);
                }
            }
            Due::Renew(Some(claim)) => {
                let Some(place) = self.place(claim) else { return };
                let Own { stage, call, .. } = self.claims[place];
                if stage == Stage::Holding && call.is_none() {
                    self.ask(place, stage, desk);
                }
            }
            Due::Unanswered(call) => {
                if let Some(place) = self.asking(call) {
                    self.on_unanswered(place, desk);
                }
            }
            Due::Next
            | Due::Step(_)
            | Due::Access(_)
            | Due::Patience(_)
            | Due::Probe
            | Due::Renew(None)
            | Due::Lost(_)
            | Due::Expiry
            | Due::Beat => {}
        }
    }
}
