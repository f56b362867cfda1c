//! Why a world stops: the time has come, or a promise is broken, by a step of some kind.

use crate::environment::fault::Kind;
use crate::kernel::time::Time;
use crate::oracle::spec::Violation;
use crate::protocol::Timer;

/// Why [`World::run_until`](super::World::run_until) came back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pause {
    /// The time has come.
    TimeIsUp,
    /// The condition that was asked for holds.
    Reached,
    /// The limit of steps is spent.
    OutOfSteps,
}

/// A broken promise, with its moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// What is broken.
    pub violation: Violation,
    /// When, in true time.
    pub at: Time,
    /// At which step.
    pub step: u64,
    /// What kind of step that was: `message AppendEntries`, `timer Election`, `order join`, `crash`.
    pub during: String,
}

/// What the step that is being taken is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cause<T> {
    Message(&'static str),
    Timer(T),
    Order(Kind),
    Sync,
    Crash,
    Start,
    End,
}

impl<T: Timer> Cause<T> {
    pub(super) fn told(self) -> String {
        match self {
            Cause::Message("") => "message".to_owned(),
            Cause::Message(label) => format!("message {label}"),
            Cause::Timer(timer) => format!("timer {timer:?}"),
            Cause::Order(kind) => format!("order {}", kind.name()),
            Cause::Sync => "sync".to_owned(),
            Cause::Crash => "crash".to_owned(),
            Cause::Start => "start".to_owned(),
            Cause::End => "end".to_owned(),
        }
    }
}
