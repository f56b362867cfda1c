//! Client sessions: a command that is repeated takes effect once (thesis, section 6.3).
//!
//! The table of sessions is part of the replicated state: whichever server leads next knows what
//! has been done, and answers a repetition with the answer of the first time.

use super::core::StateMachine;
use super::rules::Rules;
use crate::kernel::digest::{Digest, Digestible, mix};
use crate::protocol::NodeId;

/// A command with its client's name and number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request<C> {
    /// Who asks.
    pub client: NodeId,
    /// Counts the client's commands, from 1. A client has one command under way at a time.
    pub sequence: u32,
    /// What it asks for.
    pub command: C,
}

impl<C: Digestible> Digestible for Request<C> {
    fn digest(&self, digest: &mut Digest) {
        digest.word(u64::from(self.client.number()) << 32 | u64::from(self.sequence));
        self.command.digest(digest);
    }
}

/// A state machine that remembers the last answer to every client.
#[derive(Clone, Debug)]
pub struct Sessions<M: StateMachine> {
    machine: M,
    /// By client.
    last: Vec<Option<(u32, M::Reply)>>,
    fingerprint: u64,
    /// [`Rules::is_repetition`].
    is_repetition: fn(u32, u32) -> bool,
    /// Whether the table is part of a snapshot.
    is_kept: fn() -> bool,
}

/// A piece of the state: of the table, or of the machine inside.
#[derive(Clone, Debug)]
pub enum Part<M: StateMachine> {
    /// The last number of some clients, from the one of this number on, and the answer to it.
    Sessions(usize, Vec<Option<(u32, M::Reply)>>),
    /// Of the machine.
    Machine(M::Part),
}

impl<M: StateMachine> Digestible for Part<M> {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Part::Sessions(first, sessions) => {
                digest.word(*first as u64);
                let number = |session: &Option<(u32, M::Reply)>| session.as_ref().map_or(0, |session| session.0);
                sessions.iter().for_each(|session| digest.word(u64::from(number(session))));
            }
            Part::Machine(part) => part.digest(digest),
        }
    }
}

impl<M: StateMachine> Sessions<M> {
    /// Around a machine to which nothing has been applied.
    pub fn new(machine: M, rules: &Rules) -> Sessions<M> {
        let is_kept = rules.compact.has_sessions;
        Sessions { machine, last: Vec::new(), fingerprint: 0, is_repetition: rules.is_repetition, is_kept }
    }

    /// The number of the latest command of a client that was applied, and the answer to it.
    pub fn latest(&self, client: NodeId) -> Option<&(u32, M::Reply)> {
        self.last.get(client.index()).and_then(Option::as_ref)
    }

    /// The machine inside.
    pub fn machine(&self) -> &M {
        &self.machine
    }
}

impl<M: StateMachine> StateMachine for Sessions<M> {
    type Command = Request<M::Command>;
    /// `None` if the client has gone on to a later command: nobody waits for this answer.
    type Reply = Option<M::Reply>;
    type Part = Part<M>;

    fn apply(&mut self, request: &Request<M::Command>) -> Option<M::Reply> {
        let client = request.client.index();
        if self.last.len() <= client {
            self.last.resize(client + 1, None);
        }
        if let Some((last, reply)) = &self.last[client]
            && (self.is_repetition)(request.sequence, *last)
        {
            return (request.sequence == *last).then(|| reply.clone());
        }
        let reply = self.machine.apply(&request.command);
        let before = self.last[client].as_ref().map_or(0, |(sequence, _)| u64::from(*sequence));
        self.fingerprint ^= mix(client as u64, before) ^ mix(client as u64, u64::from(request.sequence));
        self.last[client] = Some((request.sequence, reply.clone()));
        Some(reply)
    }

    fn size(request: &Request<M::Command>) -> usize {
        8 + M::size(&request.command)
    }

    fn fingerprint(&self) -> u64 {
        mix(self.fingerprint, self.machine.fingerprint())
    }

    fn parts(&self, size: usize) -> Vec<Part<M>> {
        let kept = if (self.is_kept)() { self.last.as_slice() } else { &[] };
        let sessions = kept.chunks(size).enumerate();
        let sessions = sessions.map(|(number, sessions)| Part::Sessions(number * size, sessions.to_vec()));
        let machine = self.machine.parts(size).into_iter().map(Part::Machine);
        sessions.chain(machine).collect()
    }

    fn restore(&mut self, parts: &[Part<M>]) {
        (self.last, self.fingerprint) = (Vec::new(), 0);
        let mut machine = Vec::new();
        for part in parts {
            match part {
                Part::Sessions(_, sessions) => self.last.extend_from_slice(sessions),
                Part::Machine(part) => machine.push(part.clone()),
            }
        }
        for (client, last) in self.last.iter().enumerate() {
            if let Some((sequence, _)) = last {
                self.fingerprint ^= mix(client as u64, 0) ^ mix(client as u64, u64::from(*sequence));
            }
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
        let mut sessions = Sessions::new(Store::default(), &Rules::SOUND);
        let add = |sequence| Request {
            client: NodeId::new(7),
            sequence,
            command: Command { key: 1, operation: Operation::Add(5) },
        };
        assert_eq!(sessions.apply(&add(1)), Some(Answer::Value(5)));
        let fingerprint = sessions.fingerprint();
        assert_eq!(sessions.apply(&add(1)), Some(Answer::Value(5)));
        assert_eq!(sessions.fingerprint(), fingerprint);
        assert_eq!(sessions.apply(&add(2)), Some(Answer::Value(10)));
        assert_eq!(sessions.apply(&add(1)), None);
    }

    #[test]
    fn what_its_parts_restore_is_the_same_state() {
        let mut sessions = Sessions::new(Store::default(), &Rules::SOUND);
        for client in [3, 7, 1, 7] {
            let key = u32::from(client) * 3;
            let command = Command { key, operation: Operation::Add(u64::from(client)) };
            sessions.apply(&Request { client: NodeId::new(client), sequence: key, command });
        }
        for size in [1, 4, 100] {
            let (parts, mut restored) = (sessions.parts(size), Sessions::new(Store::default(), &Rules::SOUND));
            restored.restore(&parts);
            assert_eq!(restored.fingerprint(), sessions.fingerprint());
            assert_eq!(format!("{:?}", restored.parts(9)), format!("{:?}", sessions.parts(9)));
            assert!(parts.len() >= 30 / size);
        }
    }
}
