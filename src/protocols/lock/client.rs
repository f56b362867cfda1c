//! A client of a lock service: it thinks, takes one lock or several, works on what they guard, and gives them back.
//!
//! What it knows of the service is in its recipe. What it believes counts for nothing: whether two were inside at the
//! same time is seen by what the resource accepts.

use super::agenda::Agenda;
use super::claim::{Claim, ClaimId, LockId, Mode};
use super::config::{Config, Planned};
use super::kind::AnyRecipe;
use super::message::{Access, Call, Event, Message, Reply};
use super::node::{Fact, Lock};
use super::recipe::{self, Desk, Due, News, Recipe};
use super::section::{Held, Section, Stage};
use crate::kernel::chance::within;
use crate::kernel::time::{Span, Time};
use crate::protocol::{Io, NodeId};
use std::collections::VecDeque;
use std::sync::Arc;

/// How long a client waits before it shows once more that all locks can be had.
const PROBES_EVERY: Span = Span::ms(500);

/// The state of one client.
#[derive(Clone, Debug)]
pub struct Client {
    config: Arc<Config>,
    recipe: AnyRecipe,
    agenda: Agenda<Due>,
    news: Vec<News>,
    /// The last one.
    calls: Call,
    /// What it will do, if that is spelled out; the next first.
    script: Option<VecDeque<Planned>>,
    section: Option<Section>,
    /// The locks that it has still to take to show that they can be had, and how, once it is time for that.
    probes: Option<VecDeque<(LockId, Mode)>>,
    /// Counts its accesses since it started.
    serial: u64,
    /// Counts the parts of sections, so that what was due in an earlier one does nothing.
    steps: u32,
}

impl Client {
    /// Starts a client. With a `script` it does what stands there, else what it draws.
    pub fn boot(config: &Arc<Config>, script: Option<Vec<Planned>>, io: &mut Io<'_, Lock>) -> Client {
        let mut calls = Call { started: io.elapsed(), number: 0 };
        let (mut agenda, mut news) = (Agenda::default(), Vec::new());
        let mut desk = Desk { io, config, agenda: &mut agenda, news: &mut news, calls: &mut calls };
        let recipe = recipe::boot(&mut desk);
        let mut client = Client {
            config: config.clone(),
            recipe,
            agenda,
            news,
            calls,
            script: script.map(VecDeque::from),
            section: None,
            probes: None,
            serial: 0,
            steps: 0,
        };
        client.rest(io);
        if let Some(at) = config.client.probe_at {
            client.agenda.put(at.since(io.elapsed()), Due::Probe, io);
        }
        client
    }

    /// By what right it holds a lock: the later the more.
    pub fn holds_since(&self) -> Option<u64> {
        let held = self.section.as_ref().is_some_and(|section| !section.held.is_empty());
        held.then(|| u64::from(self.steps))
    }

    /// The session or lease that it has, and when that must be over by its own clock.
    pub fn session(&self) -> Option<(u64, Time)> {
        self.recipe.session()
    }

    /// How many calls it has made since it started.
    pub fn calls(&self) -> u32 {
        self.calls.number
    }

    /// What it is at, for a reader.
    pub fn standing(&self) -> String {
        self.section.as_ref().map_or("rests".to_owned(), Section::standing)
    }

    /// What it does, as a small number: it rests, seeks, works, or leaves.
    pub fn doing(&self) -> u64 {
        match self.section.as_ref().map(|section| section.stage) {
            None => 0,
            Some(Stage::Seeking) => 1,
            Some(Stage::Pausing | Stage::Comparing | Stage::Preparing | Stage::Accessing | Stage::Downgrading) => 2,
            Some(Stage::Leaving) => 3,
        }
    }

    /// Lets the recipe do something, and hears what it has to say.
    fn with_recipe(&mut self, io: &mut Io<'_, Lock>, act: impl FnOnce(&mut dyn Recipe, &mut Desk<'_, '_>)) {
        let config = self.config.clone();
        let mut desk =
            Desk { io, config: &config, agenda: &mut self.agenda, news: &mut self.news, calls: &mut self.calls };
        act(self.recipe.recipe(), &mut desk);
        for news in std::mem::take(&mut self.news) {
            self.on_news(news, io);
        }
    }

    /// A server has answered.
    pub fn on_reply(&mut self, from: NodeId, call: Call, reply: Reply, io: &mut Io<'_, Lock>) {
        self.with_recipe(io, |recipe, desk| recipe.on_reply(from, call, reply, desk));
    }

    /// A server speaks unasked.
    pub fn on_event(&mut self, from: NodeId, event: Event, io: &mut Io<'_, Lock>) {
        self.with_recipe(io, |recipe, desk| recipe.on_event(from, event, desk));
    }

    /// The timer has fired.
    pub fn on_timer(&mut self, io: &mut Io<'_, Lock>) {
        self.agenda.fired();
        while let Some(due) = self.agenda.next(io) {
            match due {
                Due::Next => self.begin_next(io),
                Due::Step(step) if step == self.steps => self.on_step(io),
                Due::Step(_) => {}
                Due::Access(serial) => self.on_silence(serial, io),
                Due::Patience(claim) => self.on_patience(claim, io),
                Due::Probe => self.on_probe(io),
                Due::Unanswered(_) | Due::Again(_) | Due::Renew(_) | Due::Lost(_) | Due::Expiry | Due::Beat => {
                    self.with_recipe(io, |recipe, desk| recipe.on_due(due, desk));
                }
            }
        }
    }

    /// Thinks until the next section.
    fn rest(&mut self, io: &mut Io<'_, Lock>) {
        self.section = None;
        if let Some(probes) = &mut self.probes {
            match probes.pop_front() {
                Some(wanted) => self.begin(VecDeque::from([wanted]), true, io),
                // Its clock may have been fast, and the faults not yet over.
                None => self.agenda.put(PROBES_EVERY, Due::Probe, io),
            }
            return;
        }
        let pause = match &self.script {
            Some(script) => script.front().map(|planned| planned.at.since(io.elapsed())),
            None => {
                let twice = self.config.client.think.as_ns() * 2;
                let pause = Span::ns(io.dice().below(twice.max(1)));
                (io.elapsed() + pause < self.config.client.until).then_some(pause)
            }
        };
        if let Some(pause) = pause {
            self.agenda.put(pause, Due::Next, io);
        }
    }

    fn begin_next(&mut self, io: &mut Io<'_, Lock>) {
        // Those that show that all locks can be had may have come in between.
        if self.section.is_some() || self.probes.is_some() {
            return;
        }
        let wants = match &mut self.script {
            Some(script) => script.pop_front().map(|planned| (planned.lock, planned.mode)).into_iter().collect(),
            None => self.draw(io),
        };
        self.begin(wants, false, io);
    }

    /// Which locks the next section takes.
    fn draw(&self, io: &mut Io<'_, Lock>) -> VecDeque<(LockId, Mode)> {
        let wishes = &self.config.client;
        let dice = io.dice();
        let count = 1 + dice.below(u64::from(wishes.together.min(wishes.locks)));
        let mode = if wishes.shared.hits(dice.next()) { Mode::Shared } else { Mode::Exclusive };
        let mut locks = Vec::new();
        while (locks.len() as u64) < count {
            let lock = LockId(dice.below(u64::from(wishes.locks)) as u32);
            if !locks.contains(&lock) {
                locks.push(lock);
            }
        }
        if wishes.ordered {
            locks.sort();
        }
        locks.into_iter().map(|lock| (lock, mode)).collect()
    }

    fn begin(&mut self, wants: VecDeque<(LockId, Mode)>, probes: bool, io: &mut Io<'_, Lock>) {
        let left = self.config.client.accesses * wants.len() as u32;
        let (held, leaving) = (Vec::new(), Vec::new());
        let (seeking, writes, stage) = (None, None, Stage::Seeking);
        self.section = Some(Section { wants, seeking, held, leaving, left, writes, stage, probes });
        self.seek_next(io);
    }

    /// Makes the next claim, or goes to work.
    fn seek_next(&mut self, io: &mut Io<'_, Lock>) {
        let Some(section) = &mut self.section else { return };
        let Some((lock, mode)) = section.wants.pop_front() else {
            self.pause(io);
            return;
        };
        let claim = Claim { id: ClaimId(io.dice().next()), client: io.me(), lock, mode };
        section.seeking = Some(claim);
        let waits_for_ever = section.probes;
        io.note(Fact::Sought { claim });
        if !waits_for_ever {
            self.agenda.put(self.config.client.patience, Due::Patience(claim.id), io);
        }
        self.with_recipe(io, |recipe, desk| recipe.seek(claim, desk));
    }

    fn on_patience(&mut self, id: ClaimId, io: &mut Io<'_, Lock>) {
        let Some(section) = &mut self.section else { return };
        let Some(claim) = section.seeking.filter(|claim| claim.id == id) else { return };
        io.note(Fact::GaveUp { claim });
        self.leave(io);
    }

    fn on_news(&mut self, news: News, io: &mut Io<'_, Lock>) {
        let Some(section) = &mut self.section else { return };
        match news {
            News::Granted(id, token) => {
                let Some(claim) = section.seeking.take_if(|claim| claim.id == id) else { return };
                section.held.push(Held { claim, token, count: 1 });
                io.note(Fact::Entered { claim, token });
                self.seek_next(io);
            }
            News::Lost(id) => {
                let Some(place) = section.held.iter().position(|held| held.claim.id == id) else {
                    // Two were lost at once, and it was to be given back for the sake of the other.
                    self.released(id, false, io);
                    return;
                };
                let Held { claim, .. } = section.held.remove(place);
                io.note(Fact::Left { claim, lost: true });
                if section.is_writing() {
                    // Whoever has the other lock next must not find that write on its way: it is the last.
                    section.left = 1;
                } else {
                    self.leave(io);
                }
            }
            News::Released(id, acknowledged) => self.released(id, acknowledged, io),
            News::Downgraded(id) => {
                let Some(held) = section.held.iter_mut().find(|held| held.claim.id == id) else { return };
                held.claim.mode = Mode::Shared;
                io.note(Fact::Downgraded { claim: held.claim });
                if section.stage == Stage::Downgrading {
                    self.pause(io);
                }
            }
            News::Compared(id, is_latest) => {
                let waits = section.stage == Stage::Comparing && section.held.iter().any(|held| held.claim.id == id);
                match (waits, is_latest) {
                    (true, true) => self.work(io),
                    (true, false) => self.leave(io),
                    (false, _) => {}
                }
            }
        }
    }

    /// A claim that was on its way out is gone.
    fn released(&mut self, id: ClaimId, acknowledged: bool, io: &mut Io<'_, Lock>) {
        let Some(section) = &mut self.section else { return };
        let Some(place) = section.leaving.iter().position(|claim| claim.id == id) else { return };
        let claim = section.leaving.remove(place);
        io.note(Fact::Released { claim, acknowledged });
        if section.leaving.is_empty() && section.stage == Stage::Leaving {
            self.rest(io);
        }
    }

    /// Waits for the next part of the section.
    fn wait(&mut self, after: Span, stage: Stage, io: &mut Io<'_, Lock>) {
        let Some(section) = &mut self.section else { return };
        section.stage = stage;
        self.steps += 1;
        self.agenda.put(after, Due::Step(self.steps), io);
    }

    /// Waits before the next access, or leaves if that was the last.
    fn pause(&mut self, io: &mut Io<'_, Lock>) {
        let Some(section) = &self.section else { return };
        if section.left == 0 {
            self.leave(io);
            return;
        }
        let (shortest, longest) = self.config.client.hold;
        let all = within(io.dice().next(), shortest, longest);
        self.wait(Span::ns(all.as_ns() / u64::from(self.config.client.accesses)), Stage::Pausing, io);
    }

    fn on_step(&mut self, io: &mut Io<'_, Lock>) {
        match self.section.as_ref().map(|section| section.stage) {
            Some(Stage::Pausing) => self.prepare(io),
            Some(Stage::Preparing) => self.access(io),
            Some(Stage::Seeking | Stage::Comparing | Stage::Accessing | Stage::Downgrading | Stage::Leaving) | None => {
            }
        }
    }

    /// Looks whether it may go on, and prepares the next access.
    fn prepare(&mut self, io: &mut Io<'_, Lock>) {
        if self.may_go_on(io) && !self.turns(io) && !self.compares(io) {
            self.work(io);
        }
    }

    /// Asks for the latest token, if it is one of those that compare themselves. `true` if it waits for that then.
    fn compares(&mut self, io: &mut Io<'_, Lock>) -> bool {
        if !(self.config.rules.client.compares)() {
            return false;
        }
        let Some(section) = &mut self.section else { return true };
        let claim = section.held[section.left as usize % section.held.len()].claim;
        let mut goes = false;
        self.with_recipe(io, |recipe, desk| goes = recipe.compare(claim.id, desk));
        if let Some(section) = self.section.as_mut().filter(|_| goes) {
            section.stage = Stage::Comparing;
        }
        goes
    }

    /// Prepares the next access.
    fn work(&mut self, io: &mut Io<'_, Lock>) {
        let Some(section) = &self.section else { return };
        section.held.iter().for_each(|held| io.note(Fact::Working { claim: held.claim }));
        let (shortest, longest) = self.config.client.work;
        let work = within(io.dice().next(), shortest, longest);
        self.wait(work, Stage::Preparing, io);
    }

    /// Whether it holds all its locks, for all it knows.
    fn holds_all(&self, section: &Section, io: &Io<'_, Lock>) -> bool {
        let is_valid = |held: &Held| self.recipe.is_valid(held.claim.id, io.now());
        let goes_on = (self.config.rules.client.goes_on)(section.held.iter().all(is_valid));
        goes_on || !self.config.client.checks
    }

    /// The same; if not, it leaves.
    fn may_go_on(&mut self, io: &mut Io<'_, Lock>) -> bool {
        let Some(section) = &self.section else { return false };
        let goes_on = self.holds_all(section, io);
        if !goes_on {
            self.leave(io);
        }
        goes_on
    }

    /// Takes a lock once more, gives one back that it has twice, or shares one that it has alone. `true` if it waits for
    /// something then.
    fn turns(&mut self, io: &mut Io<'_, Lock>) -> bool {
        let wishes = self.config.client;
        let Some(section) = &mut self.section else { return false };
        if section.probes {
            return false;
        }
        let first = &mut section.held[0];
        if first.count > 1 {
            first.count -= 1;
            let claim = first.claim;
            if (self.config.rules.client.releases_at)(first.count) {
                self.with_recipe(io, |recipe, desk| recipe.release(claim.id, desk));
            }
        } else if !wishes.reentrance.is_zero() && wishes.reentrance.hits(io.dice().next()) {
            first.count += 1;
            io.note(Fact::Reentered { claim: first.claim });
        }
        let Some(Section { left, held, .. }) = &self.section else { return true };
        let claim = held[0].claim;
        let is_last = *left == held.len() as u32;
        if !is_last || claim.mode == Mode::Shared || !wishes.downgrade.hits(io.dice().next()) {
            return false;
        }
        let mut goes = false;
        self.with_recipe(io, |recipe, desk| goes = recipe.downgrade(claim.id, desk));
        if let Some(section) = self.section.as_mut().filter(|section| goes && section.stage == Stage::Pausing) {
            section.stage = Stage::Downgrading;
        }
        goes
    }

    /// Writes to what one of the locks guards: to each in turn.
    fn access(&mut self, io: &mut Io<'_, Lock>) {
        let Some(section) = &mut self.section else { return };
        section.stage = Stage::Accessing;
        section.writes = Some(section.held[section.left as usize % section.held.len()]);
        self.serial += 1;
        self.send_access(io);
    }

    fn send_access(&mut self, io: &mut Io<'_, Lock>) {
        let Some(Held { claim, token, .. }) = self.section.as_ref().and_then(|section| section.writes) else { return };
        let access = Access { claim, token, started: self.calls.started, serial: self.serial };
        io.send(self.config.resource(), Message::Access(access));
        self.agenda.put(self.config.client.retry, Due::Access(self.serial), io);
    }

    /// The resource says nothing: the message or its answer may be lost.
    fn on_silence(&mut self, serial: u64, io: &mut Io<'_, Lock>) {
        let Some(section) = self.section.as_ref().filter(|section| section.stage == Stage::Accessing) else { return };
        if serial != self.serial {
            return;
        }
        let is_valid = |held: Held| self.recipe.is_valid(held.claim.id, io.now());
        if !self.holds_all(section, io) && section.is_writing() && section.writes.is_some_and(is_valid) {
            // The lock by which it writes lasts, and another is over: whoever has the first one next must not find that write on its way.
            self.section.as_mut().expect("it is there").left = 1;
        } else if !self.may_go_on(io) {
            return;
        }
        self.send_access(io);
    }

    /// The resource has answered.
    pub fn on_accessed(&mut self, serial: u64, accepted: bool, io: &mut Io<'_, Lock>) {
        let Some(section) = &mut self.section else { return };
        if section.stage != Stage::Accessing || serial != self.serial {
            return;
        }
        if !accepted {
            self.leave(io);
            return;
        }
        section.left -= 1;
        self.pause(io);
    }

    /// Gives everything back, and what it has not got up.
    fn leave(&mut self, io: &mut Io<'_, Lock>) {
        let Some(section) = &mut self.section else { return };
        section.stage = Stage::Leaving;
        self.steps += 1;
        let abandoned = section.seeking.take();
        section.leaving.extend(abandoned);
        let mut releases = Vec::new();
        for Held { claim, .. } in section.held.drain(..).rev() {
            section.leaving.push(claim);
            releases.push(claim.id);
            io.note(Fact::Left { claim, lost: false });
        }
        self.with_recipe(io, |recipe, desk| {
            abandoned.iter().for_each(|claim| recipe.abandon(claim.id, desk));
            releases.iter().for_each(|id| recipe.release(*id, desk));
        });
        let is_left = |section: &Section| section.stage == Stage::Leaving && section.leaving.is_empty();
        if self.section.as_ref().is_some_and(is_left) {
            self.rest(io);
        }
    }

    /// All faults are over: every lock must be had again, and by everybody.
    fn on_probe(&mut self, io: &mut Io<'_, Lock>) {
        let place = usize::from(io.me().number() - self.config.servers);
        self.probes = Some(self.config.probed_by(place).collect());
        if self.section.is_none() {
            self.rest(io);
        }
    }
}
