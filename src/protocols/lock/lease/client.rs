//! A client of locks on leases: one lease for all its keys, renewed as long as it lives.

use super::Config;
use super::command::{Answer, Key, Question, Write};
use super::front::happening;
use crate::kernel::time::{Span, Time};
use crate::protocol::NodeId;
use crate::protocols::lock::claim::{Claim, ClaimId};
use crate::protocols::lock::line::Line;
use crate::protocols::lock::message::{Call, Event, Reply, Request};
use crate::protocols::lock::recipe::{Desk, Due, News, Recipe};

/// The state of the recipe.
#[derive(Clone, Debug)]
pub struct Leased {
    config: Config,
    line: Line<Step>,
    lease: Option<Lease>,
    claims: Vec<Own>,
    /// The renewal that is not answered yet, and when it was asked for.
    renewal: Option<(Call, Time)>,
    /// Whom renewals are sent to.
    renewer: u16,
}

/// The lease under which all keys of this client stand.
#[derive(Clone, Copy, Debug)]
struct Lease {
    number: i64,
    /// Whether it was granted.
    granted: bool,
    /// When it was asked for, and when it must have run out, by the client's clock.
    asked: Time,
    until: Time,
}

/// What a question on the line is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    /// The lease of this number.
    Open(i64),
    /// That the lease before is no more.
    Close,
    /// To stand in the queue, or to see who is ahead.
    Stand(ClaimId, Key),
    /// To be there no more.
    Leave(ClaimId),
}

/// One claim.
#[derive(Clone, Copy, Debug)]
struct Own {
    claim: Claim,
    stage: Stage,
    /// Whether it is due that it watches again.
    beats: bool,
    /// The watch that the server has not confirmed yet.
    watch: Option<Call>,
    /// What has woken it, if it was woken and does not know yet whether its turn has come.
    woken_by: Option<u64>,
}

/// How far a claim is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It waits for the lease.
    Opening,
    /// It asks where its key stands.
    Standing(Key),
    /// It waits until that key is gone, seen last at this revision.
    Watching { mine: Key, token: i64, other: Key, seen: i64 },
    /// It has the lock.
    Holding(Key),
    /// It gives its key up.
    Leaving,
}

impl Leased {
    /// No lease, no claims.
    pub fn boot(config: &Config, desk: &mut Desk<'_, '_>) -> Leased {
        let line = Line::boot(config.raft.servers, config.patience, desk);
        let renewer = line.server().number();
        Leased { config: *config, line, lease: None, claims: Vec::new(), renewal: None, renewer }
    }

    /// The lease, once it is granted, and when it must have run out by the own clock.
    pub fn session(&self) -> Option<(u64, Time)> {
        self.lease.filter(|lease| lease.granted).map(|lease| (lease.number as u64, lease.until))
    }

    fn own(&mut self, id: ClaimId) -> Option<&mut Own> {
        self.claims.iter_mut().find(|own| own.claim.id == id)
    }

    fn third(&self) -> Span {
        Span::ns(self.config.lifetime().as_ns() / 3)
    }

    /// The lease, if it is granted and has not run out yet.
    fn open(&self, now: Time) -> Option<Lease> {
        self.lease.filter(|lease| lease.granted && now < lease.until)
    }

    /// Sends every claim that waits for a lease on its way, or asks for a lease.
    fn go_on(&mut self, desk: &mut Desk<'_, '_>) {
        let now = desk.io.now();
        let waits = self.claims.iter().any(|own| own.stage == Stage::Opening);
        if !waits {
            return;
        }
        let Some(lease) = self.open(now) else {
            if self.lease.is_none() {
                let number = (desk.random() >> 1 | 1) as i64;
                self.lease = Some(Lease { number, granted: false, asked: now, until: now });
                let grant = Write::Grant { lease: number, ttl: self.config.ttl };
                self.line.ask(Step::Open(number), Request::Lease(Question::Write(grant)), desk);
            }
            return;
        };
        for place in 0..self.claims.len() {
            let own = &mut self.claims[place];
            if own.stage == Stage::Opening {
                let key = Key { lock: own.claim.lock, claim: own.claim.id, lease: lease.number };
                own.stage = Stage::Standing(key);
                let step = Step::Stand(own.claim.id, key);
                self.line.ask(step, Request::Lease(Question::Write(Write::Join(key))), desk);
            }
        }
    }

    /// The lease is gone, and all keys with it.
    fn lose(&mut self, desk: &mut Desk<'_, '_>) {
        let lost = self.lease.take();
        self.renewal = None;
        self.line.forget(|step| *step != Step::Close);
        // It may live on at the servers. Its keys would stand in the way of those to come.
        if let Some(lease) = lost {
            let revoke = Write::Revoke { lease: lease.number };
            self.line.ask(Step::Close, Request::Lease(Question::Write(revoke)), desk);
        }
        let minds = (desk.config.rules.lease.minds_expiry)();
        self.claims.retain_mut(|own| match own.stage {
            Stage::Opening | Stage::Standing(_) | Stage::Watching { .. } => {
                (own.stage, own.woken_by) = (Stage::Opening, None);
                true
            }
            Stage::Holding(_) => {
                if minds {
                    desk.tell(News::Lost(own.claim.id));
                }
                !minds
            }
            Stage::Leaving => {
                desk.tell(News::Released(own.claim.id, false));
                false
            }
        });
        self.go_on(desk);
    }

    fn on_granted(&mut self, number: i64, answer: Answer, desk: &mut Desk<'_, '_>) {
        let Some(lease) = self.lease.as_mut().filter(|lease| lease.number == number) else { return };
        match answer {
            Answer::Lives(1..) => {
                (lease.granted, lease.until) = (true, lease.asked + self.config.lifetime());
                let left = lease.until.since(desk.io.now());
                desk.wake(left, Due::Lost(None));
                desk.wake(self.third(), Due::Renew(None));
                self.go_on(desk);
            }
            Answer::Lives(_) | Answer::NoLease | Answer::Place { .. } | Answer::Gone(_) | Answer::Done => {
                self.lose(desk)
            }
        }
    }

    fn on_place(&mut self, id: ClaimId, asked: Key, answer: Answer, desk: &mut Desk<'_, '_>) {
        let rules = desk.config.rules.lease;
        let Some(own) = self.own(id) else { return };
        if own.stage != Stage::Standing(asked) {
            return;
        }
        match answer {
            Answer::Place { mine: Some(token), ahead: None, .. } => {
                own.stage = Stage::Holding(asked);
                desk.tell(News::Granted(id, Some(token as u64)));
            }
            Answer::Place { mine: Some(token), ahead: Some((first, ahead)), revision } => {
                if let Some(by) = own.woken_by.take() {
                    desk.woken(&own.claim, by);
                }
                let watched = (rules.watches)(first.claim, ahead.claim);
                let other = if watched == ahead.claim { ahead } else { first };
                own.stage = Stage::Watching { mine: asked, token, other, seen: revision };
                self.watch(id, desk);
            }
            // The lease has run out meanwhile.
            Answer::Place { mine: None, .. } | Answer::NoLease => self.lose(desk),
            Answer::Lives(_) | Answer::Gone(_) | Answer::Done => unreachable!("no answer to this question"),
        }
    }

    /// Watches the key that is in the way, or goes on watching it as after a broken connection: from the same revision.
    fn watch(&mut self, id: ClaimId, desk: &mut Desk<'_, '_>) {
        let (server, third, patience) = (self.line.server(), self.third(), self.config.patience);
        let Some(own) = self.own(id) else { return };
        let Stage::Watching { other, seen, .. } = own.stage else { return };
        let from = (desk.config.rules.lease.watches_from)(seen);
        own.watch = Some(desk.ask(server, Request::Lease(Question::Watch { waiter: id, key: other, from }), patience));
        if !own.beats {
            own.beats = true;
            desk.wake(third, Due::Again(id));
        }
    }

    fn leave(&mut self, id: ClaimId, key: Option<Key>, desk: &mut Desk<'_, '_>) {
        let Some(key) = key else {
            self.claims.retain(|own| own.claim.id != id);
            desk.tell(News::Released(id, false));
            return;
        };
        if let Some(own) = self.own(id) {
            own.stage = Stage::Leaving;
        }
        self.line.ask(Step::Leave(id), Request::Lease(Question::Write(Write::Leave(key))), desk);
    }

    fn renew(&mut self, desk: &mut Desk<'_, '_>) {
        let now = desk.io.now();
        let Some(lease) = self.open(now) else { return };
        let renew = Request::Lease(Question::Renew { lease: lease.number });
        let call = desk.ask(NodeId::new(self.renewer), renew, self.config.patience);
        self.renewal = Some((call, now));
    }

    fn on_renewed(&mut self, asked: Time, reply: &Reply, desk: &mut Desk<'_, '_>) {
        self.renewal = None;
        match reply {
            Reply::Lease(Answer::Lives(1..)) => {
                let Some(lease) = &mut self.lease else { return };
                lease.until = asked + self.config.lifetime();
                let left = lease.until.since(desk.io.now());
                desk.wake(left, Due::Lost(None));
                desk.wake(self.third(), Due::Renew(None));
            }
            Reply::Lease(_) => self.lose(desk),
            // Nobody leads, so far as that server knows.
            Reply::Leaderless | Reply::Redis(_) | Reply::Database(_) | Reply::ZooKeeper(..) => self.try_another(desk),
        }
    }

    fn try_another(&mut self, desk: &mut Desk<'_, '_>) {
        self.renewer = (self.renewer + 1) % self.config.raft.servers;
        desk.wake(Span::ns(self.config.patience.as_ns() / 4), Due::Renew(None));
    }
}

impl Recipe for Leased {
    fn seek(&mut self, claim: Claim, desk: &mut Desk<'_, '_>) {
        self.claims.push(Own { claim, stage: Stage::Opening, beats: false, watch: None, woken_by: None });
        self.go_on(desk);
    }

    fn abandon(&mut self, claim: ClaimId, desk: &mut Desk<'_, '_>) {
        self.release(claim, desk);
    }

    fn release(&mut self, claim: ClaimId, desk: &mut Desk<'_, '_>) {
        let Some(own) = self.own(claim) else { return };
        let key = match own.stage {
            Stage::Opening => None,
            Stage::Standing(key) | Stage::Holding(key) | Stage::Watching { mine: key, .. } => Some(key),
            Stage::Leaving => return,
        };
        self.leave(claim, key, desk);
    }

    fn is_valid(&self, claim: ClaimId, now: Time) -> bool {
        let holds = |own: &Own| own.claim.id == claim && matches!(own.stage, Stage::Holding(_));
        self.open(now).is_some() && self.claims.iter().any(holds)
    }

    fn on_reply(&mut self, _: NodeId, call: Call, reply: Reply, desk: &mut Desk<'_, '_>) {
        if let Some((renewal, asked)) = self.renewal
            && renewal == call
        {
            self.on_renewed(asked, &reply, desk);
            return;
        }
        if let Some(own) = self.claims.iter_mut().find(|own| own.watch == Some(call)) {
            own.watch = None;
            return;
        }
        let Some(step) = self.line.answered(call, &reply, desk) else { return };
        let Reply::Lease(answer) = reply else { unreachable!("an answer of another kind of server") };
        match step {
            Step::Open(number) => self.on_granted(number, answer, desk),
            Step::Close => {}
            Step::Stand(id, key) => self.on_place(id, key, answer, desk),
            Step::Leave(id) => {
                let before = self.claims.len();
                self.claims.retain(|own| own.claim.id != id || own.stage != Stage::Leaving);
                if self.claims.len() < before {
                    desk.tell(News::Released(id, answer == Answer::Gone(true)));
                }
            }
        }
    }

    fn on_event(&mut self, _: NodeId, event: Event, desk: &mut Desk<'_, '_>) {
        let Event::KeyGone { waiter, key, revision } = event else {
            unreachable!("an event of another kind of server")
        };
        let looks_again = (desk.config.rules.lease.looks_again)();
        let Some(own) = self.own(waiter) else { return };
        let Stage::Watching { mine, token, other, .. } = own.stage else { return };
        // It may have watched another key at another server before; of the same claim too, which has then lost its lease
        // and stands in the queue anew: that this is so old says nothing of the key that it waits for now.
        if other != key {
            return;
        }
        own.woken_by = revision.map(|revision| happening(own.claim.lock, revision));
        if !looks_again {
            own.stage = Stage::Holding(mine);
            desk.tell(News::Granted(waiter, Some(token as u64)));
            return;
        }
        own.stage = Stage::Standing(mine);
        self.line.ask(Step::Stand(waiter, mine), Request::Lease(Question::Write(Write::Look(mine))), desk);
    }

    fn on_due(&mut self, due: Due, desk: &mut Desk<'_, '_>) {
        match due {
            Due::Unanswered(call) => {
                if self.renewal.is_some_and(|(renewal, _)| renewal == call) {
                    self.renewal = None;
                    self.renewer = (self.renewer + 1) % self.config.raft.servers;
                    self.renew(desk);
                } else if let Some(own) = self.claims.iter_mut().find(|own| own.watch == Some(call)) {
                    let id = own.claim.id;
                    own.watch = None;
                    self.line.turn_away();
                    self.watch(id, desk);
                } else {
                    self.line.unanswered(call, desk);
                }
            }
            Due::Renew(None) if self.renewal.is_none() => self.renew(desk),
            Due::Lost(None) => {
                let is_over = self.lease.is_some_and(|lease| lease.granted && desk.io.now() >= lease.until);
                if is_over {
                    self.lose(desk);
                }
            }
            Due::Again(id) => {
                if let Some(own) = self.own(id) {
                    own.beats = false;
                    self.watch(id, desk);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::rng::{Dice, Purpose};
    use crate::protocol::{Effects, Io};
    use crate::protocols::lock::agenda::Agenda;
    use crate::protocols::lock::claim::{LockId, Mode};
    use crate::protocols::lock::kind::Kind;
    use crate::systems::{self, BuiltIn, lock::lock_plan};

    const MINE: ClaimId = ClaimId(1);
    const OTHER: ClaimId = ClaimId(2);

    fn key(claim: ClaimId, lease: i64) -> Key {
        Key { lock: LockId(0), claim, lease }
    }

    /// What becomes of one that waits for this key and is told that one is gone.
    fn told(other: Key, gone: Key) -> Stage {
        let text = "(squall: 1, system: Lock(kind: Lease()), workload: (until: \"1s\"))";
        let scenario = systems::parse::<BuiltIn>("it.ron", text).unwrap_or_else(|wrong| panic!("{wrong}"));
        let plan = lock_plan(&systems::plan(&scenario, "it", 0));
        let Kind::Lease(config) = &plan.system.kind else { panic!("another kind") };
        let (me, now) = (NodeId::new(3), Time::ZERO);
        let (mut dice, mut effects) = (Dice::new(0, Purpose::Node, 3), Effects::new());
        let mut desk = Desk {
            io: &mut Io::new(me, now, now, &mut dice, &mut effects),
            config: &plan.system,
            agenda: &mut Agenda::default(),
            news: &mut Vec::new(),
            calls: &mut Call { started: now, number: 0 },
        };
        let mut client = Leased::boot(config, &mut desk);
        client.lease = Some(Lease { number: 7, granted: true, asked: now, until: now + config.lifetime() });
        client.claims.push(Own {
            claim: Claim { id: MINE, client: me, lock: LockId(0), mode: Mode::Exclusive },
            stage: Stage::Watching { mine: key(MINE, 7), token: 6, other, seen: 6 },
            beats: true,
            watch: None,
            woken_by: None,
        });
        let event = Event::KeyGone { waiter: MINE, key: gone, revision: Some(4) };
        client.on_event(NodeId::new(0), event, &mut desk);
        client.claims[0].stage
    }

    #[test]
    fn news_of_a_key_that_its_claim_had_under_an_earlier_lease_wakes_nobody() {
        let (earlier, now) = (key(OTHER, 8), key(OTHER, 9));
        assert!(matches!(told(now, earlier), Stage::Watching { other, .. } if other == now));
        assert_eq!(told(now, now), Stage::Standing(key(MINE, 7)));
    }
}
