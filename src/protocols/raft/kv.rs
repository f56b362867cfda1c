//! The replicated state machine that comes with Raft: registers by key.

use super::core::StateMachine;
use crate::kernel::digest::{Digest, Digestible, mix};
use crate::oracle::linearizable::Model;
use crate::oracle::linearizable::register::{Answer, Operation, Register};

/// An operation on one key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Command {
    /// Which register. Keys are small numbers: the store has room up to the largest.
    pub key: u32,
    /// What to do with it.
    pub operation: Operation,
}

impl Digestible for Command {
    fn digest(&self, digest: &mut Digest) {
        let (kind, first, second) = match self.operation {
            Operation::Read => (0, 0, 0),
            Operation::Write(value) => (1, value, 0),
            Operation::Cas { from, to } => (2, from, to),
            Operation::Add(delta) => (3, delta, 0),
        };
        digest.pair(u64::from(self.key) << 8 | kind, first);
        digest.word(second);
    }
}

impl Digestible for Answer {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Answer::Value(value) => digest.pair(0, *value),
            Answer::Done => digest.word(1),
            Answer::Swapped(swapped) => digest.pair(2, u64::from(*swapped)),
        }
    }
}

/// The registers, all 0 at first.
#[derive(Clone, Debug, Default)]
pub struct Store {
    values: Vec<u64>,
    fingerprint: u64,
}

impl Store {
    /// What a read of this key answers.
    pub fn read(&self, key: u32) -> Answer {
        Answer::Value(self.values.get(key as usize).copied().unwrap_or(0))
    }
}

impl StateMachine for Store {
    type Command = Command;
    type Reply = Answer;
    type Part = Part;

    fn apply(&mut self, command: &Command) -> Answer {
        let key = command.key as usize;
        if self.values.len() <= key {
            self.values.resize(key + 1, 0);
        }
        let value = &mut self.values[key];
        let before = *value;
        let answer = Register::apply(value, &command.operation);
        if *value != before {
            self.fingerprint ^= mix(u64::from(command.key), before) ^ mix(u64::from(command.key), *value);
        }
        answer
    }

    fn size(command: &Command) -> usize {
        match command.operation {
            Operation::Read => 8,
            Operation::Write(_) | Operation::Add(_) => 16,
            Operation::Cas { .. } => 24,
        }
    }

    fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    fn parts(&self, size: usize) -> Vec<Part> {
        let parts = |(number, values): (usize, &[u64])| Part { first: (number * size) as u32, values: values.to_vec() };
        // An empty state is a state, too.
        let none = self.values.is_empty().then(|| Part { first: 0, values: Vec::new() });
        self.values.chunks(size).enumerate().map(parts).chain(none).collect()
    }

    fn restore(&mut self, parts: &[Part]) {
        *self = Store::default();
        for Part { first, values } in parts {
            for (key, value) in (*first..).zip(values) {
                self.apply(&Command { key, operation: Operation::Write(*value) });
            }
        }
    }
}

/// The values of some keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// The first of them.
    pub first: u32,
    /// Its value, and those of the keys after it.
    pub values: Vec<u64>,
}

impl Digestible for Part {
    fn digest(&self, digest: &mut Digest) {
        digest.word(u64::from(self.first));
        self.values.iter().for_each(|value| digest.word(*value));
    }
}
