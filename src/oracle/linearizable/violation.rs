//! What is said of a history that no sequential object explains.

use super::Model;
use std::fmt;

/// The event after which no sequential object explains the history.
#[derive(Clone, Debug)]
pub struct NotLinearizable<M: Model> {
    /// The operation that completed.
    pub operation: M::Operation,
    /// What it answered; `None` if it was reported not to have happened.
    pub answer: Option<M::Answer>,
    /// States the object may have been in before, at most eight, each once.
    pub states: Vec<M::State>,
    /// The operations that were pending beside it, oldest first.
    pub pending: Vec<Pending<M>>,
    /// The fewest of the latest operations that returned, this one the last, in the order of their invocations, that no
    /// order explains whatever the state was before them, and what they answered. Empty if they are too far apart.
    pub window: Vec<(M::Operation, M::Answer)>,
}

/// An operation that could still take effect.
#[derive(Clone, Debug)]
pub struct Pending<M: Model> {
    /// What was asked for.
    pub operation: M::Operation,
    /// Whether it will never return.
    pub unknown: bool,
}

impl<M: Model> fmt::Display for NotLinearizable<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.answer {
            Some(answer) => write!(f, "{:?} cannot have answered {answer:?}", self.operation)?,
            None => write!(f, "{:?} cannot have failed, its effect was seen", self.operation)?,
        }
        write!(f, "; the state before was ")?;
        for (place, state) in self.states.iter().enumerate() {
            write!(f, "{}{state:?}", if place == 0 { "" } else { " or " })?;
        }
        for (place, Pending { operation, unknown }) in self.pending.iter().enumerate() {
            write!(f, "{}{operation:?}", if place == 0 { "; still pending: " } else { ", " })?;
            write!(f, "{}", if *unknown { " (outcome unknown)" } else { "" })?;
        }
        for (place, (operation, answer)) in self.window.iter().enumerate() {
            let before = if place == 0 { "; whatever was before, no order explains " } else { ", " };
            write!(f, "{before}{operation:?} = {answer:?}")?;
        }
        Ok(())
    }
}
