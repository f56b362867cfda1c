//! A client of the ring: one operation at a time, at whichever server it likes.
//!
//! A read that nobody answers is asked of another server. A write is not: nobody knows whether it was done, and done
//! twice it could undo what somebody else has written in between. Only one that was refused is asked again.
//! For the same reason a question must arrive once: clients' links are sound, and double nothing.

use super::cell::{OperationId, Rank};
use super::config::Keyspace;
use super::message::{Message, Outcome, Write};
use super::node::{Fact, Node, Timer};
use crate::kernel::chance::Ratio;
use crate::kernel::time::{Span, Time};
use crate::protocol::{Io, NodeId};
use std::collections::VecDeque;
use std::sync::Arc;

/// What clients do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// The servers are nodes 0 up to this.
    pub servers: u16,
    /// The mean time between the beginnings of two operations; zero: the next begins when one ends.
    pub interval: Span,
    /// When clients stop beginning operations.
    pub until: Time,
    /// When each makes a fresh write and then a fresh read, to see whether the ring serves.
    pub probe_at: Option<Time>,
    /// How many of the operations are reads.
    pub reads: Ratio,
    /// How many of the writes delete.
    pub deletes: Ratio,
    /// How many of the operations are on the first key.
    pub hot: Ratio,
    /// How long a client waits for an answer.
    pub wait: Span,
    /// How long it tries a read, or a write that is refused.
    pub patience: Span,
}

/// One operation, spelled out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Planned {
    /// When it begins, or when the one before it has ended.
    pub at: Time,
    /// The key.
    pub key: u32,
    /// What to write, if it is a write.
    pub write: Option<Write>,
}

/// The state of one client.
#[derive(Clone, Debug)]
pub struct Client {
    config: Config,
    keyspace: Arc<Keyspace>,
    serial: u32,
    call: Option<Call>,
    probe: Probe,
    /// What it will do, if that is spelled out; the next operation first.
    script: Option<VecDeque<Planned>>,
}

#[derive(Clone, Copy, Debug)]
struct Call {
    id: OperationId,
    rank: Rank,
    write: Option<Write>,
    begun: Time,
    /// It was refused, so it is asked again.
    refused: bool,
}

/// How far the fresh operations are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Probe {
    NotYet,
    Write,
    Read,
    Done,
}

impl Client {
    /// Starts a client. With a `script` it does what stands there, else what it draws.
    pub fn boot(
        config: Config,
        keyspace: &Arc<Keyspace>,
        script: Option<Vec<Planned>>,
        io: &mut Io<'_, Node>,
    ) -> Client {
        let (keyspace, script) = (keyspace.clone(), script.map(VecDeque::from));
        let client = Client { config, keyspace, serial: 0, call: None, probe: Probe::NotYet, script };
        client.arm_next(io);
        client
    }

    /// Waits for the next operation: of those that are spelled out or drawn, or a fresh one.
    fn arm_next(&self, io: &mut Io<'_, Node>) {
        let probe = self.config.probe_at.filter(|_| self.probe == Probe::NotYet);
        let next = match &self.script {
            Some(script) => script.front().map(|planned| planned.at.max(io.elapsed())),
            None => {
                let twice = self.config.interval.as_ns() * 2;
                let at = io.elapsed() + Span::ns(io.dice().below(twice.max(1)));
                (at < self.config.until).then_some(at)
            }
        };
        if let Some(at) = next.or(probe) {
            io.arm(Timer::Next, at.since(io.elapsed()));
        }
    }

    /// Handles a timer.
    pub fn on_timer(&mut self, timer: Timer, io: &mut Io<'_, Node>) {
        match timer {
            Timer::Next => self.go_on(io),
            Timer::Retry => self.on_silence(io),
            _ => unreachable!("a timer of a server"),
        }
    }

    fn go_on(&mut self, io: &mut Io<'_, Node>) {
        let is_over = self.config.probe_at.is_some_and(|at| io.elapsed() >= at);
        match (self.probe, &mut self.script) {
            (Probe::NotYet, _) if is_over => {
                self.probe = Probe::Write;
                let key = self.key(io);
                let write = Some(Write { value: Some(self.value(io)) });
                self.begin(key, write, io);
            }
            (Probe::NotYet, Some(script)) => {
                if let Some(planned) = script.pop_front() {
                    self.begin(planned.key, planned.write, io);
                }
            }
            (Probe::NotYet, None) => {
                let (key, write) = self.draw(io);
                self.begin(key, write, io);
            }
            (Probe::Write, _) => {
                self.probe = Probe::Read;
                let key = self.key(io);
                self.begin(key, None, io);
            }
            (Probe::Read, _) => self.probe = Probe::Done,
            (Probe::Done, _) => {}
        }
    }

    fn key(&self, io: &mut Io<'_, Node>) -> u32 {
        io.dice().below(u64::from(self.keyspace.len())) as u32
    }

    fn draw(&self, io: &mut Io<'_, Node>) -> (u32, Option<Write>) {
        let key = if self.config.hot.hits(io.dice().next()) { 0 } else { self.key(io) };
        if self.config.reads.hits(io.dice().next()) {
            return (key, None);
        }
        let deletes = self.config.deletes.hits(io.dice().next());
        (key, Some(Write { value: (!deletes).then(|| self.value(io)) }))
    }

    /// A value that nobody else writes: who reads it knows where it comes from.
    fn value(&self, io: &Io<'_, Node>) -> u64 {
        u64::from(self.serial + 1) << 16 | u64::from(io.me().number())
    }

    fn begin(&mut self, key: u32, write: Option<Write>, io: &mut Io<'_, Node>) {
        self.serial += 1;
        let id = OperationId { client: io.me(), serial: self.serial };
        let rank = self.keyspace.rank(key);
        self.call = Some(Call { id, rank, write, begun: io.now(), refused: false });
        io.note(Fact::Invoked { id, key, rank, write });
        self.ask(io);
    }

    fn ask(&mut self, io: &mut Io<'_, Node>) {
        let Some(call) = &mut self.call else { unreachable!("nothing to ask for") };
        call.refused = false;
        let server = NodeId::new(io.dice().below(u64::from(self.config.servers)) as u16);
        io.send(server, Message::Ask { id: call.id, rank: call.rank, write: call.write });
        io.arm(Timer::Retry, self.config.wait);
    }

    /// Nobody has answered, or it was refused a moment ago.
    fn on_silence(&mut self, io: &mut Io<'_, Node>) {
        let Some(call) = self.call else { return };
        let can_repeat = call.refused || call.write.is_none();
        if can_repeat && io.now().since(call.begun) < self.config.patience {
            self.ask(io);
        } else {
            self.end(if call.refused { Fact::Failed { id: call.id } } else { Fact::GaveUp { id: call.id } }, io);
        }
    }

    /// A server answers.
    pub fn on_answer(&mut self, id: OperationId, outcome: Outcome, io: &mut Io<'_, Node>) {
        let Some(call) = self.call.as_mut().filter(|call| call.id == id && !call.refused) else { return };
        match outcome {
            Outcome::Found(_) | Outcome::Stored(_) => self.end(Fact::Returned { id, outcome }, io),
            Outcome::Unknown => self.end(Fact::GaveUp { id }, io),
            Outcome::Refused => {
                call.refused = true;
                io.arm(Timer::Retry, Span::ns(self.config.wait.as_ns() / 16));
            }
        }
    }

    fn end(&mut self, fact: Fact, io: &mut Io<'_, Node>) {
        let is_served = matches!(fact, Fact::Returned { .. });
        io.note(fact);
        io.disarm(Timer::Retry);
        self.call = None;
        // A fresh operation is made until it is served.
        self.probe = match (self.probe, is_served) {
            (Probe::Read, false) => Probe::Write,
            (Probe::Write, false) => Probe::NotYet,
            (probe, _) => probe,
        };
        match self.probe {
            Probe::NotYet if self.config.interval > Span::ZERO || self.script.is_some() => self.arm_next(io),
            Probe::NotYet if io.elapsed() >= self.config.until => self.arm_next(io),
            Probe::NotYet | Probe::Write | Probe::Read | Probe::Done => self.go_on(io),
        }
    }
}
