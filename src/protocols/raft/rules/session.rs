//! The decisions about sessions of clients that end.

use crate::kernel::time::{Span, Time};

/// All of them. [`SessionRules::SOUND`] has those of the thesis.
#[derive(Clone, Copy, Debug)]
pub struct SessionRules {
    /// The time by which a session ends, where `clock` is that of the log and `local` that of the server.
    pub clock: fn(clock: Time, local: Time) -> Time,
    /// The time that a leader writes into the log at `now`, which began to lead at `began`, both by its own clock, when it was `from` by the log.
    pub time_of_log: fn(from: Time, began: Time, now: Time) -> Time,
    /// Is a session over that was last used so long ago?
    pub is_over: fn(unused: Span, lifetime: Span) -> bool,
    /// Does a command of session `asked` mean nothing any more, when session `known` of its client is the latest?
    pub is_overtaken: fn(known: u32, asked: u32) -> bool,
    /// Is a client told that its session is over?
    pub tells_end: fn() -> bool,
    /// May a command begin a session of which nothing is known? `opens` says that its client means it to.
    pub may_open: fn(opens: bool) -> bool,
}

impl SessionRules {
    /// The rules of the thesis.
    pub const SOUND: SessionRules =
        SessionRules { clock, time_of_log, is_over, is_overtaken, tells_end: super::always, may_open };
}

/// That of the log, so that all servers agree (thesis, section 6.3: "session expiry must be deterministic").
fn clock(clock: Time, _local: Time) -> Time {
    clock
}

/// It goes on from where the log is: two clocks need not show the same, and what a log has seen does not come again
/// (thesis, section 6.3).
fn time_of_log(from: Time, began: Time, now: Time) -> Time {
    from + now.since(began)
}

/// If that is longer than its lifetime.
fn is_over(unused: Span, lifetime: Span) -> bool {
    unused > lifetime
}

/// Its client has begun a later one, and waits for nothing in an earlier one. It may have taken effect before.
fn is_overtaken(known: u32, asked: u32) -> bool {
    known > asked
}

/// Only the one that its client sends first: any other may have taken effect before, so it is
/// answered with an error (thesis, section 6.3).
fn may_open(opens: bool) -> bool {
    opens
}
