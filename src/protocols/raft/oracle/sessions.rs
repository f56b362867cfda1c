//! When sessions of clients end: who must be remembered after what is committed, and how fast the time of the log goes by.

use super::{Replicated, violation};
use crate::kernel::time::{Span, Time};
use crate::oracle::spec::{Verdict, View};
use crate::protocol::NodeId;
use crate::protocols::raft::core::Core;
use crate::protocols::raft::node::{Command, Machine};
use std::ops::Range;

/// The sessions of all clients, as they must be after what is committed.
#[derive(Clone, Debug)]
pub struct SessionOracle {
    /// How long a session lasts that is not used.
    lifetime: Span,
    /// The time of the log: that of the latest command.
    clock: Time,
    /// By client, counted as nodes are.
    sessions: Vec<Option<Session>>,
    expired: u64,
    /// By server.
    offices: Vec<Office>,
}

/// What must be remembered of a client.
#[derive(Clone, Copy, Debug)]
struct Session {
    number: u32,
    /// Its latest command that was carried out.
    sequence: u32,
    /// By the time of the log.
    used: Time,
}

/// How a server keeps the time of the log in one term.
#[derive(Clone, Copy, Debug, Default)]
struct Office {
    term: u64,
    /// When it came to that term, by its own clock.
    came: Time,
    /// If it leads: where its log ended when it was looked at last.
    looked: Option<u64>,
    /// When it took in its latest command, by its own clock, and what it wrote down.
    wrote: Option<(Time, Time)>,
}

/// Times in the log are whole milliseconds.
const GRAIN: Span = Span::ms(1);

impl SessionOracle {
    /// For so many servers, and sessions that end when they are not used for so long.
    pub fn new(servers: u16, lifetime: Span) -> SessionOracle {
        let offices = vec![Office::default(); usize::from(servers)];
        SessionOracle { lifetime, clock: Time::ZERO, sessions: Vec::new(), expired: 0, offices }
    }

    /// How many commands so far came to nothing, for their session was over.
    pub fn expired(&self) -> u64 {
        self.expired
    }

    /// Looks at a server that was touched. `fresh` are the indexes that it has committed first.
    ///
    /// # Errors
    /// The broken invariant.
    pub fn after_step<P: Replicated<Machine = Machine>>(
        &mut self,
        view: &View<P>,
        node: NodeId,
        core: &Core<Machine>,
        fresh: Range<u64>,
    ) -> Verdict {
        for index in fresh.clone() {
            if let Some(request) = core.log().entry(index).and_then(|entry| entry.command()) {
                self.apply(request);
            }
        }
        // Where just this much is applied the table can be compared.
        if core.applied() + 1 == fresh.end {
            for index in fresh {
                if let Some(request) = core.log().entry(index).and_then(|entry| entry.command()) {
                    self.check_session(node, core, request)?;
                }
            }
        }
        self.check_time(view, node, core)
    }

    /// A command is committed. Its session is open if it was used lately enough; only the command that opens one opens it, and once.
    fn apply(&mut self, request: &Command) {
        self.clock = self.clock.max(time_of(request));
        let (number, sequence, used) = (request.session, request.sequence, self.clock);
        let client = request.client.index();
        if self.sessions.len() <= client {
            self.sessions.resize(client + 1, None);
        }
        match &mut self.sessions[client] {
            // Nobody waits for it any more.
            Some(session) if session.number > number => {}
            Some(session) if session.number == number && used.since(session.used) <= self.lifetime => {
                (session.sequence, session.used) = (session.sequence.max(sequence), used);
            }
            Some(session) if session.number == number => self.expired += 1,
            session if request.opens => *session = Some(Session { number, sequence, used }),
            _ => self.expired += 1,
        }
    }

    /// What the server remembers of the client of a command that it has just applied.
    fn check_session(&self, node: NodeId, core: &Core<Machine>, request: &Command) -> Verdict {
        let client = request.client;
        let known = self.sessions[client.index()];
        let latest = core.machine().latest(client).map(|(sequence, _)| sequence);
        if latest == known.map(|session| session.sequence) {
            return Ok(());
        }
        violation("raft.sessions-end", &[node, client], || {
            let said = |sequence: Option<u32>| sequence.map_or("none".to_owned(), |number| format!("number {number}"));
            format!(
                "{node:?} remembers {} as the latest command of {client:?} that was carried out; by the log, whose time is {}, and with a lifetime of {} it is {}",
                said(latest),
                self.clock.since(Time::ZERO),
                self.lifetime,
                said(known.map(|session| session.sequence))
            )
        })
    }

    /// A leader's commands carry a time that goes by its own clock, and begins where the log is: not before the time up to which it has
    /// applied it, and nowhere later than what is committed.
    fn check_time<P: Replicated<Machine = Machine>>(
        &mut self,
        view: &View<P>,
        node: NodeId,
        core: &Core<Machine>,
    ) -> Verdict {
        let now = || view.host(node).clock.ticked(view.now);
        let office = &mut self.offices[node.index()];
        if office.term != core.term() {
            *office = Office { term: core.term(), came: now(), looked: None, wrote: None };
        }
        if !core.is_leader() {
            return Ok(());
        }
        let last = core.log().last_index();
        let looked = *office.looked.get_or_insert(last);
        if looked == last {
            return Ok(());
        }
        office.looked = Some(last);
        for request in (looked + 1..=last).filter_map(|index| core.log().entry(index)?.command()) {
            let (at, now) = (time_of(request), now());
            let (least, most) = match office.wrote {
                // No turn both takes in a command and applies one.
                None => (core.machine().clock().unwrap_or(Time::ZERO), self.clock + now.since(office.came)),
                Some((then, wrote)) => (wrote + now.since(then), wrote + now.since(then) + GRAIN),
            };
            office.wrote = Some((now, at));
            if at + GRAIN < least || at > most {
                let zero = Time::ZERO;
                return violation("raft.log-time", &[node], || {
                    format!(
                        "leader {node:?} takes in a command at {} of the log; by its own clock that is between {} and {}",
                        at.since(zero),
                        least.since(zero),
                        most.since(zero)
                    )
                });
            }
        }
        Ok(())
    }
}

fn time_of(request: &Command) -> Time {
    Time::ZERO + Span::ms(u64::from(request.at_ms))
}
