//! The decisions of locks on a database.

/// How the row of a lock is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taking {
    /// By one statement that also says whose it must not be.
    Conditionally,
    /// By one statement, after another has shown that nobody has it.
    AfterALook,
}

/// Whose clock tells whether a row has expired.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Judge {
    /// That of the database, which is one for all.
    Database,
    /// That of the client that wants it.
    Client,
}

/// All decisions.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How a row is taken (the manual, section 13.2.1: a condition is evaluated again on the row as it is then).
    pub takes: fn() -> Taking,
    /// By whose clock it expires.
    pub judges: fn() -> Judge,
    /// Does a holder stop when its connection is gone, and what it held with it (the manual, section 13.3.5)?
    pub stops_when_cut: fn() -> bool,
    /// Does a client that gives a connection up tell the server, although a lock was held by it and a write may be on its way?
    pub closes_what_held: fn() -> bool,
}

impl Rules {
    /// Those of the manual.
    pub const SOUND: Rules = Rules {
        takes: || Taking::Conditionally,
        judges: || Judge::Database,
        stops_when_cut: || true,
        closes_what_held: || false,
    };
}
