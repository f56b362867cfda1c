//! A server of the replicated store: the core, and what it owes to clients.

use super::config::Reads;
use super::core::{Alarm, Applied, Core};
use super::kv;
use super::message::{self, Record};
use super::node::{Command, Config, Machine, Message, Store};
use super::session::{Outcome, Request};
use crate::kernel::time::Time;
use crate::oracle::linearizable::register::Operation;
use crate::protocol::{Afterwards, DiskFailure, Found, Io, NodeId, Order};
use std::collections::BTreeMap;

/// The state of one server.
#[derive(Clone, Debug)]
pub struct Server {
    core: Core<Machine>,
    follower_reads: bool,
    /// By client, the read that it waits for: its number and the key.
    reads: BTreeMap<NodeId, (u32, u32)>,
    /// How many reads it has answered that spared the log.
    answered: u64,
    /// The term in which it leads, when it began to by its own clock, and what time it was by the log.
    office: (u64, Time, Time),
}

impl Server {
    /// Starts a server.
    pub fn boot(config: &Config, disk: Found<'_, Record<Machine>>, io: &mut Io<'_, Store>) -> Server {
        let machine = Machine::new(kv::Store::default(), config.session_lifetime, &config.raft.rules);
        let core = Core::boot(config.raft, machine, disk, io);
        let office = (0, Time::ZERO, Time::ZERO);
        Server { core, follower_reads: config.follower_reads, reads: BTreeMap::new(), answered: 0, office }
    }

    /// Handles a message from another server.
    #[inline]
    pub fn on_raft(&mut self, from: NodeId, message: message::Message<Machine>, io: &mut Io<'_, Store>) {
        self.core.compact(io);
        self.core.on_message(from, message, io);
        self.catch_up(io);
    }

    /// Handles a timer.
    pub fn on_alarm(&mut self, alarm: Alarm, io: &mut Io<'_, Store>) {
        self.core.on_alarm(alarm, io);
        // A leader that has nobody left to ask confirms with a heartbeat that it leads.
        self.answer_reads(io);
    }

    /// Handles an order of an operator.
    pub fn on_order(&mut self, order: Order, io: &mut Io<'_, Store>) -> bool {
        self.core.on_order(order, io)
    }

    /// Handles the refusal of a write or a sync.
    pub fn on_disk_failure(&mut self, failure: DiskFailure, io: &mut Io<'_, Store>) -> Afterwards {
        self.core.on_disk_failure(failure, io)
    }

    /// Handles the request of a client.
    pub fn on_request(&mut self, request: Command, io: &mut Io<'_, Store>) {
        let spares_log = request.command.operation == Operation::Read && self.core.config().reads != Reads::Log;
        let is_taken = if spares_log {
            self.on_read(&request, io)
        } else {
            // Only differences count here. A planted defect takes the time itself, and means a wall clock.
            let at_ms = self.time_of_log(io.elapsed());
            self.propose(Command { at_ms, ..request }, io)
        };
        if !is_taken {
            let leader = self.core.leader();
            io.send(request.client, Message::Redirect { sequence: request.sequence, leader });
        }
    }

    fn propose(&mut self, request: Command, io: &mut Io<'_, Store>) -> bool {
        let Request { client, sequence, .. } = request;
        if let Some((last, answer)) = self.core.machine().latest(client)
            && (self.core.config().rules.is_refused_as_repetition)(sequence, last)
            && self.core.is_leader()
        {
            if sequence == last {
                io.send(client, Message::Reply { sequence, answer: *answer });
            }
            return true;
        }
        self.core.propose(request, io)
    }

    /// The time that a leader writes into the log: it goes on from where that was when it began to lead, as fast as its own
    /// clock.
    fn time_of_log(&mut self, now: Time) -> u32 {
        // Who does not lead takes in nothing, and its term may yet become one in which it does.
        let Some(clock) = self.core.machine().clock().filter(|_| self.core.is_leader()) else { return 0 };
        if self.office.0 != self.core.term() {
            self.office = (self.core.term(), now, clock);
        }
        let (_, began, from) = self.office;
        ((self.core.config().rules.session.time_of_log)(from, began, now).ns() / 1_000_000) as u32
    }

    fn on_read(&mut self, request: &Command, io: &mut Io<'_, Store>) -> bool {
        if !self.follower_reads && !self.core.is_leader() {
            return false;
        }
        let token = u64::from(request.client.number()) << 32 | u64::from(request.sequence);
        let is_taken = self.core.prepare_read(token, io);
        if is_taken {
            self.reads.insert(request.client, (request.sequence, request.command.key));
            self.answer_reads(io);
        }
        is_taken
    }

    /// Applies what is committed, and answers. The leader of the day answers, whoever took the request.
    fn catch_up(&mut self, io: &mut Io<'_, Store>) {
        if self.core.applied() < self.core.commit() {
            // Read by a planted defect alone, which means a wall clock.
            self.core.machine_mut().tell_time(io.elapsed());
        }
        while let Some(Applied { command: Command { client, sequence, .. }, reply }) = self.core.apply_next() {
            let message = match reply {
                Outcome::Done(answer) => Message::Reply { sequence, answer },
                Outcome::Overtaken => continue,
                Outcome::Expired if (self.core.config().rules.session.tells_end)() => Message::Expired { sequence },
                Outcome::Expired => continue,
            };
            if self.core.is_leader() {
                io.send(client, message);
            }
        }
        if self.core.has_reads() {
            self.answer_reads(io);
        }
    }

    fn answer_reads(&mut self, io: &mut Io<'_, Store>) {
        while let Some(token) = self.core.next_read() {
            let (client, sequence) = (NodeId::new((token >> 32) as u16), token as u32);
            // A client that has asked for something else since does not wait for this.
            if let Some((_, key)) = self.reads.get(&client).filter(|read| read.0 == sequence) {
                self.answered += 1;
                io.send(client, Message::Reply { sequence, answer: self.core.machine().machine().read(*key) });
            }
        }
    }

    /// How many reads it has answered that spared the log, since it started.
    pub fn answered(&self) -> u64 {
        self.answered
    }

    /// By what right it holds a role.
    pub fn role(&self, role: &str) -> Option<u64> {
        (matches!(role, "leader" | "primary") && self.core.is_leader()).then(|| self.core.term())
    }

    /// The core.
    #[inline]
    pub fn core(&self) -> &Core<Machine> {
        &self.core
    }
}
