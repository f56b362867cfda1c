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
}

impl<M: StateMachine> Sessions<M> {
    /// Around a machine to which nothing has been applied.
    pub fn new(machine: M, rules: &Rules) -> Sessions<M> {
        Sessions { machine, last: Vec::new(), fingerprint: 0, is_repetition: rules.is_repetition }
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

    fn fingerprint(&self) -> u64 {
        mix(self.fingerprint, self.machine.fingerprint())
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
}
