//! Several registers, used together: a client reads or changes any of them at one instant.
//!
//! Keys that are never used together need no common object: a [`Register`] for each is
//! decided much sooner, since [`Effect::Overwrite`] says more of an operation than
//! [`Effect::Update`].

use super::register::{self, Register};
use super::{Effect, Model};
use std::collections::BTreeMap;

/// Registers by key, each of which holds a number. Those that nobody has written hold 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Registers;

impl Model for Registers {
    /// Those that do not hold 0.
    type State = BTreeMap<u32, u64>;
    /// What is done, one after the other at one instant, and to which key.
    type Operation = Vec<(u32, register::Operation)>;
    /// What each of them answers.
    type Answer = Vec<register::Answer>;

    fn apply(state: &mut BTreeMap<u32, u64>, operation: &Self::Operation) -> Self::Answer {
        let answer = |(key, operation): &(u32, register::Operation)| {
            let mut value = state.get(key).copied().unwrap_or(0);
            let answer = Register::apply(&mut value, operation);
            match value {
                0 => state.remove(key),
                _ => state.insert(*key, value),
            };
            answer
        };
        operation.iter().map(answer).collect()
    }

    fn effect(operation: &Self::Operation) -> Effect {
        let reads = operation.iter().all(|(_, operation)| Register::effect(operation) == Effect::Read);
        if reads { Effect::Read } else { Effect::Update }
    }
}
