//! Client sessions: a command that is repeated takes effect once (thesis, section 6.3).
//!
//! The table of sessions is part of the replicated state: whichever server leads next knows what
//! has been done, and answers a repetition with the answer of the first time. A session that is not used for long enough ends,
//! by a time that leaders write into the log, so that it ends for all servers at the same entry.

use super::core::StateMachine;
use super::rules::{Rules, SessionRules};
use crate::kernel::digest::{Digest, Digestible, mix};
use crate::kernel::time::{Span, Time};
use crate::protocol::NodeId;

/// A command with its client's name and number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request<C> {
    /// Who asks.
    pub client: NodeId,
    /// Counts the client's commands, from 1. A client has one command under way at a time.
    pub sequence: u32,
    /// Counts the client's sessions, from 0.
    pub session: u32,
    /// It is the first command of the session.
    pub opens: bool,
    /// What time it is by the log, in whole milliseconds, as the leader that takes the command in says; zero where sessions
    /// do not end.
    pub at_ms: u32,
    /// What it asks for.
    pub command: C,
}

impl<C: Digestible> Digestible for Request<C> {
    fn digest(&self, digest: &mut Digest) {
        digest.word(u64::from(self.client.number()) << 32 | u64::from(self.sequence));
        if self.at_ms > 0 {
            digest.pair(u64::from(self.at_ms), u64::from(self.session) << 1 | u64::from(self.opens));
        }
        self.command.digest(digest);
    }
}

/// What a command comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome<R> {
    /// It has taken effect, now or before, and this is the answer.
    Done(R),
    /// The client has gone on to a later command: nobody waits for this answer.
    Overtaken,
    /// The session is over, so that nobody knows whether it has taken effect before; it does not now.
    Expired,
}

/// What is remembered of a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session<R> {
    number: u32,
    sequence: u32,
    reply: R,
    /// When it was used last, by the time of the log.
    used: Time,
}

impl<R: Digestible> Session<R> {
    /// A word that stands for all that is remembered of this client.
    fn mark(&self, client: usize) -> u64 {
        let mut digest = Digest::new();
        digest.pair((client as u64) << 32 | u64::from(self.sequence), u64::from(self.number) << 48 ^ self.used.ns());
        self.reply.digest(&mut digest);
        digest.low()
    }
}

/// A state machine that remembers the last answer to every client, as long as its session lasts.
#[derive(Clone, Debug)]
pub struct Sessions<M: StateMachine> {
    machine: M,
    /// By client.
    last: Vec<Option<Session<M::Reply>>>,
    /// How long a session lasts that is not used; for ever, if not said.
    lifetime: Option<Span>,
    /// The time of the log: that of the latest command.
    clock: Time,
    /// What time it is by this server's own clock, which must mean nothing here.
    local: Time,
    fingerprint: u64,
    /// [`Rules::is_repetition`].
    is_repetition: fn(u32, u32) -> bool,
    /// Whether the table is part of a snapshot.
    is_kept: fn() -> bool,
    rules: SessionRules,
}

/// A piece of the state: of the table, or of the machine inside.
#[derive(Clone, Debug)]
pub enum Part<M: StateMachine> {
    /// The time of the log.
    Clock(Time),
    /// What is remembered of some clients, from the one of this number on.
    Sessions(usize, Vec<Option<Session<M::Reply>>>),
    /// Of the machine.
    Machine(M::Part),
}

impl<M: StateMachine> Digestible for Part<M> {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Part::Clock(clock) => digest.word(clock.ns()),
            Part::Sessions(first, sessions) => {
                digest.word(*first as u64);
                sessions.iter().for_each(|session| match session {
                    Some(session) => digest.pair(u64::from(session.sequence), session.used.ns()),
                    None => digest.word(0),
                });
            }
            Part::Machine(part) => part.digest(digest),
        }
    }
}

impl<M: StateMachine<Reply: Digestible>> Sessions<M> {
    /// Around a machine to which nothing has been applied. A session ends that is not used for `lifetime`.
    pub fn new(machine: M, lifetime: Option<Span>, rules: &Rules) -> Sessions<M> {
        let (is_repetition, is_kept) = (rules.is_repetition, rules.compact.has_sessions);
        let (last, clock, local) = (Vec::new(), Time::ZERO, Time::ZERO);
        Sessions { machine, last, lifetime, clock, local, fingerprint: 0, is_repetition, is_kept, rules: rules.session }
    }

    /// The number of the latest command of a client that was applied, and the answer to it.
    pub fn latest(&self, client: NodeId) -> Option<(u32, &M::Reply)> {
        let session = self.last.get(client.index())?.as_ref()?;
        Some((session.sequence, &session.reply))
    }

    /// The machine inside.
    pub fn machine(&self) -> &M {
        &self.machine
    }

    /// The time of the log, if sessions end by it.
    pub fn clock(&self) -> Option<Time> {
        self.lifetime.map(|_| self.clock)
    }

    /// What time it is by the server's own clock.
    pub fn tell_time(&mut self, local: Time) {
        self.local = local;
    }

    /// What has become of a command, if that is known already.
    fn before<C>(&mut self, request: &Request<C>) -> Option<Outcome<M::Reply>> {
        let client = request.client.index();
        if self.last.len() <= client {
            self.last.resize(client + 1, None);
        }
        let now = (self.rules.clock)(self.clock, self.local);
        let rules = &self.rules;
        let is_over = |session: &Session<M::Reply>| {
            self.lifetime.is_some_and(|lifetime| (rules.is_over)(now.since(session.used), lifetime))
        };
        match &mut self.last[client] {
            Some(session) if session.number == request.session && !is_over(session) => {
                if session.used != self.clock {
                    self.fingerprint ^= session.mark(client);
                    session.used = self.clock;
                    self.fingerprint ^= session.mark(client);
                }
                let is_repetition = (self.is_repetition)(request.sequence, session.sequence);
                is_repetition.then(|| match request.sequence == session.sequence {
                    true => Outcome::Done(session.reply.clone()),
                    false => Outcome::Overtaken,
                })
            }
            Some(session) if (rules.is_overtaken)(session.number, request.session) => Some(Outcome::Overtaken),
            // A command that opens a session does so once: when that is over, too.
            Some(session) if session.number == request.session => {
                (!(rules.may_open)(false)).then_some(Outcome::Expired)
            }
            Some(_) | None => {
                let may_open = self.lifetime.is_none() || (rules.may_open)(request.opens);
                (!may_open).then_some(Outcome::Expired)
            }
        }
    }
}

impl<M: StateMachine<Reply: Digestible>> StateMachine for Sessions<M> {
    type Command = Request<M::Command>;
    type Reply = Outcome<M::Reply>;
    type Part = Part<M>;

    fn apply(&mut self, request: &Request<M::Command>) -> Outcome<M::Reply> {
        self.clock = self.clock.max(Time::ZERO + Span::ms(u64::from(request.at_ms)));
        if let Some(outcome) = self.before(request) {
            return outcome;
        }
        let (client, number, sequence) = (request.client.index(), request.session, request.sequence);
        let reply = self.machine.apply(&request.command);
        let session = Session { number, sequence, reply: reply.clone(), used: self.clock };
        self.fingerprint ^= session.mark(client);
        if let Some(before) = self.last[client].replace(session) {
            self.fingerprint ^= before.mark(client);
        }
        Outcome::Done(reply)
    }

    fn size(request: &Request<M::Command>) -> usize {
        8 + M::size(&request.command)
    }

    fn fingerprint(&self) -> u64 {
        mix(self.fingerprint ^ self.clock.ns(), self.machine.fingerprint())
    }

    fn parts(&self, size: usize) -> Vec<Part<M>> {
        let kept = if (self.is_kept)() { self.last.as_slice() } else { &[] };
        let sessions = kept.chunks(size).enumerate();
        let sessions = sessions.map(|(number, sessions)| Part::Sessions(number * size, sessions.to_vec()));
        let machine = self.machine.parts(size).into_iter().map(Part::Machine);
        self.clock().map(Part::Clock).into_iter().chain(sessions).chain(machine).collect()
    }

    fn restore(&mut self, parts: &[Part<M>]) {
        (self.last, self.clock, self.fingerprint) = (Vec::new(), Time::ZERO, 0);
        let mut machine = Vec::new();
        for part in parts {
            match part {
                Part::Clock(clock) => self.clock = *clock,
                Part::Sessions(_, sessions) => self.last.extend_from_slice(sessions),
                Part::Machine(part) => machine.push(part.clone()),
            }
        }
        for (client, session) in self.last.iter().enumerate() {
            self.fingerprint ^= session.as_ref().map_or(0, |session| session.mark(client));
        }
        self.machine.restore(&machine);
    }
}

#[cfg(test)]
mod tests {
    use super::super::kv::{Command, Store};
    use super::*;
    use crate::oracle::linearizable::register::{Answer, Operation};

    #[test]
    fn a_repetition_has_the_first_answer_and_no_second_effect() {
        let mut sessions = Sessions::new(Store::default(), None, &Rules::SOUND);
        let add = |sequence| add(0, sequence, 0);
        assert_eq!(sessions.apply(&add(1)), Outcome::Done(Answer::Value(5)));
        let fingerprint = sessions.fingerprint();
        assert_eq!(sessions.apply(&add(1)), Outcome::Done(Answer::Value(5)));
        assert_eq!(sessions.fingerprint(), fingerprint);
        assert_eq!(sessions.apply(&add(2)), Outcome::Done(Answer::Value(10)));
        assert_eq!(sessions.apply(&add(1)), Outcome::Overtaken);
    }

    /// A request of client 7 to add 5, at so many milliseconds of the log; the first one of a session opens it.
    fn add(session: u32, sequence: u32, ms: u32) -> Request<Command> {
        let command = Command { key: 1, operation: Operation::Add(5) };
        let (client, opens) = (NodeId::new(7), sequence == 1 + 10 * session);
        Request { client, sequence, session, opens, at_ms: ms, command }
    }

    #[test]
    fn a_session_that_is_over_is_not_opened_again_by_its_own_commands() {
        let mut sessions = Sessions::new(Store::default(), Some(Span::ms(100)), &Rules::SOUND);
        let mut apply = |session, sequence, ms| sessions.apply(&add(session, sequence, ms));
        assert_eq!(apply(0, 2, 0), Outcome::Expired);
        assert_eq!(apply(0, 1, 50), Outcome::Done(Answer::Value(5)));
        assert_eq!(apply(0, 1, 150), Outcome::Done(Answer::Value(5)));
        assert_eq!([apply(0, 1, 251), apply(0, 2, 251)], [Outcome::Expired, Outcome::Expired]);
        assert_eq!([apply(1, 12, 252), apply(1, 11, 253)], [Outcome::Expired, Outcome::Done(Answer::Value(10))]);
        // The time of the log does not go back, whatever a leader says.
        assert_eq!([apply(1, 11, 20), apply(0, 1, 300)], [Outcome::Done(Answer::Value(10)), Outcome::Overtaken]);
    }

    #[test]
    fn what_its_parts_restore_is_the_same_state() {
        let mut sessions = Sessions::new(Store::default(), None, &Rules::SOUND);
        for client in [3, 7, 1, 7] {
            let key = u32::from(client) * 3;
            let command = Command { key, operation: Operation::Add(u64::from(client)) };
            sessions.apply(&Request { client: NodeId::new(client), sequence: key, command, ..add(0, 1, 0) });
        }
        for size in [1, 4, 100] {
            let (parts, mut restored) = (sessions.parts(size), Sessions::new(Store::default(), None, &Rules::SOUND));
            restored.restore(&parts);
            assert_eq!(restored.fingerprint(), sessions.fingerprint());
            assert_eq!(format!("{:?}", restored.parts(9)), format!("{:?}", sessions.parts(9)));
            assert!(parts.len() >= 30 / size);
        }
    }
}
