//! What clients of a database ask, what they are answered, and what the server writes to its disk.

use crate::kernel::digest::{Digest, Digestible};
use crate::kernel::time::Time;
use crate::protocols::lock::claim::{ClaimId, LockId, Mode};

/// A connection, by a number that the server has drawn: it is never another's, also after a restart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Connection(pub u64);

/// What a client asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// Something about the row of a lock, in a transaction of its own.
    Row(LockId, OnRow),
    /// `SELECT nextval(..), pg_current_xact_id()`, in a transaction of its own and on no connection that holds anything
    Draw,
    /// To be connected.
    Open,
    /// To be heard, and to hear the server.
    Beat {
        /// The connection.
        connection: Connection,
        /// When it was asked, by the client's clock.
        sent: Time,
    },
    /// To be connected no more.
    Close {
        /// The connection.
        connection: Connection,
    },
    /// To carry out a statement, after all that was asked before on this connection.
    Say {
        /// The connection.
        connection: Connection,
        /// For which claim.
        claim: ClaimId,
        /// On which lock.
        lock: LockId,
        /// What.
        statement: Statement,
    },
}

/// What is done with the row of a lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnRow {
    /// `INSERT .. ON CONFLICT DO UPDATE .. WHERE` nobody has it `RETURNING token`
    Take(Stay),
    /// `SELECT`: whether nobody has it
    Look,
    /// `UPDATE .. RETURNING token`, whosever it is
    Seize(Stay),
    /// `UPDATE .. SET expires = .. WHERE owner = ..` and it has not expired
    Renew(Stay),
    /// `UPDATE .. SET owner = NULL WHERE owner = ..`
    Free {
        /// Whose it should be.
        owner: ClaimId,
    },
}

/// Who has a lock, and how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stay {
    /// Who.
    pub owner: ClaimId,
    /// How long, in microseconds.
    pub ttl_us: u64,
    /// What time it is by the client's wall clock in microseconds, if that and not `now()` stands in the statement.
    pub now_us: Option<i64>,
}

/// What is said on a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Statement {
    /// `BEGIN; SELECT .. FOR UPDATE` or `FOR SHARE`; or `SELECT pg_advisory_lock(..)`
    Lock(Mode),
    /// `SELECT nextval(..)`
    Token,
    /// `COMMIT`, or `SELECT pg_advisory_unlock(..)`
    Unlock(Mode),
}

/// What a client is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The lock is the claim's; the row's counter, if there is one.
    Had(i64),
    /// It is not to be had now.
    Busy,
    /// It could be had, a moment ago.
    Free,
    /// It is done; whether there was something to do.
    Done(bool),
    /// The next number of the sequence.
    Token(i64),
    /// There is a connection.
    Opened(Connection),
    /// The connection lasts.
    Alive {
        /// Which.
        connection: Connection,
        /// When the client has asked, by its clock.
        sent: Time,
    },
    /// There is no such connection, or no more.
    Closed(Connection),
}

/// What a server writes to its disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Record {
    /// The row of a lock as it is now.
    Row {
        /// Which lock.
        lock: LockId,
        /// Who has it, if anybody.
        owner: Option<ClaimId>,
        /// Its counter.
        token: i64,
        /// When it expires, in microseconds by the clock of `now()`.
        expires_us: i64,
    },
    /// The number after which the sequence goes on if there is no later record: it is ahead of those that were given.
    Sequence(i64),
}

/// The names of those on rows, as [`Command::label`] has them.
pub const ON_ROWS: [&str; 5] = ["Take", "Look", "Seize", "Renew", "Free"];

/// The names of those on connections, and that of what a server tells unasked.
pub const ON_CONNECTIONS: [&str; 8] = ["Draw", "Open", "Beat", "Close", "Lock", "Token", "Unlock", "Disconnected"];

impl Command {
    /// What it asks for.
    pub const fn label(&self) -> &'static str {
        match self {
            Command::Row(_, OnRow::Take(_)) => "Take",
            Command::Row(_, OnRow::Look) => "Look",
            Command::Row(_, OnRow::Seize(_)) => "Seize",
            Command::Row(_, OnRow::Renew(_)) => "Renew",
            Command::Row(_, OnRow::Free { .. }) => "Free",
            Command::Draw => "Draw",
            Command::Open => "Open",
            Command::Beat { .. } => "Beat",
            Command::Close { .. } => "Close",
            Command::Say { statement: Statement::Lock(_), .. } => "Lock",
            Command::Say { statement: Statement::Token, .. } => "Token",
            Command::Say { statement: Statement::Unlock(_), .. } => "Unlock",
        }
    }
}

impl Digestible for Stay {
    fn digest(&self, digest: &mut Digest) {
        digest.pair(self.owner.0, self.ttl_us);
        digest.word(self.now_us.map_or(0, |now| now as u64 + 1));
    }
}

impl Digestible for Command {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Command::Row(lock, on_row) => {
                let (kind, stay) = match on_row {
                    OnRow::Take(stay) => (1, Some(stay)),
                    OnRow::Look => (2, None),
                    OnRow::Seize(stay) => (3, Some(stay)),
                    OnRow::Renew(stay) => (4, Some(stay)),
                    OnRow::Free { owner } => {
                        digest.word(owner.0);
                        (5, None)
                    }
                };
                digest.word(kind << 32 | u64::from(lock.0));
                if let Some(stay) = stay {
                    stay.digest(digest);
                }
            }
            Command::Open => digest.word(6),
            Command::Beat { connection, sent } => {
                digest.pair(7, connection.0);
                digest.word(sent.ns());
            }
            Command::Close { connection } => digest.pair(8, connection.0),
            Command::Say { connection, claim, lock, statement } => {
                let (kind, shared) = match statement {
                    Statement::Lock(mode) => (9, *mode == Mode::Shared),
                    Statement::Token => (10, false),
                    Statement::Unlock(mode) => (11, *mode == Mode::Shared),
                };
                digest.pair(kind << 1 | u64::from(shared), connection.0);
                digest.pair(u64::from(lock.0), claim.0);
            }
            Command::Draw => digest.word(12),
        }
    }
}

impl Digestible for Answer {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Answer::Had(token) => digest.pair(1, *token as u64),
            Answer::Busy => digest.word(2),
            Answer::Free => digest.word(3),
            Answer::Done(did) => digest.pair(4, u64::from(*did)),
            Answer::Token(token) => digest.pair(5, *token as u64),
            Answer::Opened(connection) => digest.pair(6, connection.0),
            Answer::Alive { connection, sent } => {
                digest.pair(7, connection.0);
                digest.word(sent.ns());
            }
            Answer::Closed(connection) => digest.pair(8, connection.0),
        }
    }
}
