//! The decisions about sessions of clients that end.

use crate::kernel::time::Time;

/// All of them. [`SessionRules::SOUND`] has those of the thesis.
#[derive(Clone, Copy, Debug)]
pub struct SessionRules {
    /// The time by which a session ends, where `clock` is that of the log and `local` that of the server.
    pub clock: fn(clock: Time, local: Time) -> Time,
    /// May a command begin a session of which nothing is known? `opens` says that its client means it to.
    pub may_open: fn(opens: bool) -> bool,
}

impl SessionRules {
    /// The rules of the thesis.
    pub const SOUND: SessionRules = SessionRules { clock, may_open };
}

/// That of the log, so that all servers agree (thesis, section 6.3: "session expiry must be deterministic").
fn clock(clock: Time, _local: Time) -> Time {
    clock
}

/// Only the one that its client sends first: any other may have taken effect before, so it is
/// answered with an error (thesis, section 6.3).
fn may_open(opens: bool) -> bool {
    opens
}
