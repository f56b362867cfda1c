//! A client of the replicated store: one operation at a time, tried until it is answered.
//!
//! It follows the hints of servers that do not lead, repeats itself under the same number, and in
//! the end gives up: then the outcome is unknown, for the operation may still take effect.

use super::kv::Command;
use super::node::{Fact, Message, Store, Timer};
use super::session::Request;
use crate::kernel::chance::Ratio;
use crate::kernel::time::{Span, Time};
use crate::oracle::linearizable::register::{Answer, Operation};
use crate::protocol::{Io, NodeId};
use std::collections::VecDeque;

/// What a client does.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// The servers are nodes 0 up to this.
    pub servers: u16,
    /// The mean time between the beginnings of two operations; zero: the next begins when one ends.
    pub interval: Span,
    /// When it stops beginning operations.
    pub until: Time,
    /// When it makes a fresh write and then a fresh read, to see whether the cluster serves.
    pub probe_at: Option<Time>,
    /// How many keys there are.
    pub keys: u32,
    /// How many of its operations are reads.
    pub reads: Ratio,
    /// How long it waits for an answer before it asks the next server.
    pub retry: Span,
    /// How long it tries before it gives up.
    pub patience: Span,
    /// It reads from any server, and asks only for the rest whom it takes for the leader.
    pub reads_anywhere: bool,
    /// See [`Rules::repeats_as`](super::rules::Rules::repeats_as).
    pub repeats_as: fn(u32) -> u32,
    /// It asks one server after the other, for most of them may not belong to the cluster.
    pub in_turn: bool,
}

/// The state of one client.
#[derive(Clone, Debug)]
pub struct Client {
    config: Config,
    /// Who is asked first.
    favourite: NodeId,
    sequence: u32,
    /// Its session: the how many-th it is, and the number of the command that opens it.
    session: u32,
    opened: u32,
    call: Option<Call>,
    probe: Probe,
    /// What it will do, if that is spelled out; the next operation first.
    script: Option<VecDeque<(Time, Command)>>,
}

/// The operation under way.
#[derive(Clone, Copy, Debug)]
struct Call {
    command: Command,
    begun: Time,
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
    pub fn boot(config: Config, script: Option<Vec<(Time, Command)>>, io: &mut Io<'_, Store>) -> Client {
        let favourite = NodeId::new(io.dice().below(u64::from(config.servers)) as u16);
        let script = script.map(VecDeque::from);
        let (call, probe) = (None, Probe::NotYet);
        let client = Client { config, favourite, sequence: 0, session: 0, opened: 1, call, probe, script };
        client.arm_next(io);
        if let Some(at) = config.probe_at {
            io.arm(Timer::Probe, at.since(io.elapsed()));
        }
        client
    }

    /// Waits for the beginning of the next operation.
    fn arm_next(&self, io: &mut Io<'_, Store>) {
        if let Some(script) = &self.script {
            if let Some((at, _)) = script.front() {
                io.arm(Timer::Next, at.since(io.elapsed()));
            }
            return;
        }
        let twice = self.config.interval.as_ns() * 2;
        let pause = Span::ns(io.dice().below(twice));
        if io.elapsed() + pause < self.config.until {
            io.arm(Timer::Next, pause);
        }
    }

    /// Handles a timer.
    pub fn on_timer(&mut self, timer: Timer, io: &mut Io<'_, Store>) {
        match timer {
            Timer::Next if self.call.is_none() => {
                let command = self.next(io);
                self.begin(command, io);
            }
            // The fresh operations have come in between; one at a time.
            Timer::Next => {}
            Timer::Retry => self.retry(io),
            Timer::Probe => {
                self.probe = Probe::Write;
                io.disarm(Timer::Next);
                if self.call.is_none() {
                    self.go_on(io);
                }
            }
            Timer::Election | Timer::Heartbeat => unreachable!("a client has no timers of a server"),
        }
    }

    /// What it does next.
    fn next(&mut self, io: &mut Io<'_, Store>) -> Command {
        match &mut self.script {
            Some(script) => script.pop_front().expect("the timer was armed for it").1,
            None => self.draw(io),
        }
    }

    fn draw(&self, io: &mut Io<'_, Store>) -> Command {
        let dice = io.dice();
        let key = dice.below(u64::from(self.config.keys)) as u32;
        if self.config.reads.hits(dice.next()) {
            return Command { key, operation: Operation::Read };
        }
        let value = self.value(io);
        let operation = match io.dice().below(4) {
            // What some client may have written lately, to let the exchange succeed sometimes.
            0 => Operation::Cas { from: value ^ (1 + io.dice().below(3)), to: value },
            1 => Operation::Add(value),
            _ => Operation::Write(value),
        };
        Command { key, operation }
    }

    /// A value that nobody else writes: who reads it knows where it comes from.
    fn value(&self, io: &Io<'_, Store>) -> u64 {
        u64::from(self.sequence + 1) << 16 | u64::from(io.me().number())
    }

    fn begin(&mut self, command: Command, io: &mut Io<'_, Store>) {
        assert!(self.call.is_none(), "an operation is under way");
        self.sequence += 1;
        self.call = Some(Call { command, begun: io.now() });
        io.note(Fact::Invoked { sequence: self.sequence, command });
        if self.config.reads_anywhere && command.operation == Operation::Read {
            self.turn_to_another(io);
        }
        self.ask(io);
    }

    fn ask(&mut self, io: &mut Io<'_, Store>) {
        let Some(Call { command, .. }) = self.call else { unreachable!("nothing to ask for") };
        let (client, sequence, session) = (io.me(), self.sequence, self.session);
        let request = Request { client, sequence, session, opens: sequence == self.opened, at_ms: 0, command };
        io.send(self.favourite, Message::Request(request));
        io.arm(Timer::Retry, self.config.retry);
    }

    /// No answer: the server may be down, or deposed, or the message lost. Whether the operation
    /// took effect cannot be known, so it is repeated under its number.
    fn retry(&mut self, io: &mut Io<'_, Store>) {
        let Some(call) = self.call else { return };
        if io.now().since(call.begun) >= self.config.patience {
            io.note(Fact::GaveUp { sequence: self.sequence });
            self.call = None;
            if self.sequence == self.opened {
                self.open_another_session();
            }
            self.repeat_probe();
            self.go_on(io);
            return;
        }
        self.sequence = (self.config.repeats_as)(self.sequence);
        self.turn_to_another(io);
        self.ask(io);
    }

    /// Whom it asks next: anybody, or one after the other where most servers may be of no use.
    fn turn_to_another(&mut self, io: &mut Io<'_, Store>) {
        let servers = self.config.servers;
        let next = if self.config.in_turn {
            (self.favourite.number() + 1) % servers
        } else {
            io.dice().below(u64::from(servers)) as u16
        };
        self.favourite = NodeId::new(next);
    }

    /// A server has the answer.
    pub fn on_reply(&mut self, sequence: u32, answer: Answer, io: &mut Io<'_, Store>) {
        let Some(Call { command, .. }) = self.call.filter(|_| sequence == self.sequence) else { return };
        io.note(Fact::Returned { sequence, answer });
        io.disarm(Timer::Retry);
        self.call = None;
        // A read may have been answered without the log, and then nobody has heard of the session.
        if command.operation == Operation::Read && sequence == self.opened {
            self.opened += 1;
        }
        self.go_on(io);
    }

    /// The session is over. Whether the command took effect before that cannot be known; the next one opens another session.
    pub fn on_expired(&mut self, sequence: u32, io: &mut Io<'_, Store>) {
        if self.call.is_none() || sequence != self.sequence {
            return;
        }
        io.note(Fact::GaveUp { sequence });
        io.disarm(Timer::Retry);
        self.call = None;
        self.open_another_session();
        self.repeat_probe();
        self.go_on(io);
    }

    /// A fresh operation that was not served is made again.
    fn repeat_probe(&mut self) {
        self.probe = match self.probe {
            Probe::Read => Probe::Write,
            Probe::Done => Probe::Read,
            Probe::NotYet | Probe::Write => self.probe,
        };
    }

    /// The next command opens a session, whatever has become of the latest one.
    fn open_another_session(&mut self) {
        (self.session, self.opened) = (self.session + 1, self.sequence + 1);
    }

    /// A server does not lead.
    pub fn on_redirect(&mut self, sequence: u32, leader: Option<NodeId>, io: &mut Io<'_, Store>) {
        if self.call.is_none() || sequence != self.sequence {
            return;
        }
        match leader {
            Some(leader) if leader != self.favourite => {
                self.favourite = leader;
                self.ask(io);
            }
            // An election is going on; asking everybody at once would not speed it up.
            Some(_) | None => io.arm(Timer::Retry, Span::ns(self.config.retry.as_ns() / 4)),
        }
    }

    fn go_on(&mut self, io: &mut Io<'_, Store>) {
        let key = io.dice().below(u64::from(self.config.keys)) as u32;
        match self.probe {
            Probe::NotYet if self.draws_at_once() && io.elapsed() < self.config.until => self.begin(self.draw(io), io),
            Probe::NotYet => self.arm_next(io),
            Probe::Write => {
                self.probe = Probe::Read;
                self.begin(Command { key, operation: Operation::Write(self.value(io)) }, io);
            }
            Probe::Read => {
                self.probe = Probe::Done;
                self.begin(Command { key, operation: Operation::Read }, io);
            }
            Probe::Done => {}
        }
    }

    fn draws_at_once(&self) -> bool {
        self.script.is_none() && self.config.interval == Span::ZERO
    }

    /// Whether an operation is under way, and since when by the client's clock.
    pub fn waiting_since(&self) -> Option<Time> {
        self.call.map(|call| call.begun)
    }
}
