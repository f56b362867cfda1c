//! Locks on one relational database, PostgreSQL: rows with an owner and an expiry, row locks of open transactions, and
//! advisory locks of sessions.
//!
//! Source: the manual of PostgreSQL 15 (called the manual here), sections 13.3 (explicit locking) and 20.3 (connections).
//! The server is that of [`crate::servers::postgres`].

pub mod command;
pub mod connected;
pub mod connections;
pub mod row;
pub mod rules;
pub mod server;
mod statements;
pub mod store;

use super::claim::{Claim, ClaimId};
use super::message::{Call, Event, Reply};
use super::recipe::{Desk, Due, Recipe};
use super::redis::Timepiece;
use crate::kernel::time::{Span, Time};
use crate::protocol::NodeId;

/// The settings of a lock on a database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// How locks are made of what the database has.
    pub way: Way,
    /// The clock that `now()` of the database looks at.
    pub clock: Timepiece,
    /// How long a client waits before it tries again, from and to.
    pub poll: (Span, Span),
    /// How long a client waits for an answer.
    pub patience: Span,
}

/// How locks are made of what a database has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// A row for each lock, with its owner and when it expires.
    Row(RowConfig),
    /// Something that is held as long as a connection lasts.
    Connected(ConnectedConfig),
}

/// The settings of rows that expire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RowConfig {
    /// How long a lock lives that nobody prolongs.
    pub ttl: Span,
    /// Whether holders prolong their locks, three times in a time to live.
    pub watchdog: bool,
    /// Whether the row's counter, raised with every grant, is the token.
    pub tokens: bool,
}

/// The settings of what a connection holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectedConfig {
    /// What it holds.
    pub hold: Hold,
    /// How it is asked for.
    pub asking: Asking,
    /// How long the server lets it wait, in milliseconds; 0 is for ever (setting `lock_timeout`).
    pub lock_timeout_ms: u64,
    /// How tokens are drawn from a sequence, if they are.
    pub tokens: Option<Drawing>,
    /// After how long a silence the server ends a connection.
    pub server_keepalive: Span,
    /// After how long a silence the client does.
    pub client_keepalive: Span,
}

/// How a token is drawn from a sequence, once the lock is had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Drawing {
    /// On the connection that holds the lock: in the transaction that is open there, or else in one by itself.
    Alongside,
    /// On another connection, in a transaction by itself that has a number, so that its commit waits for the disk.
    Apart,
}

/// What a connection can hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hold {
    /// The lock of a row, in an open transaction.
    RowLock,
    /// An advisory lock of the session.
    Advisory,
}

/// How a lock is asked for that another may hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asking {
    /// The server answers when it is had.
    Waiting,
    /// The server says at once if it is not to be had: `NOWAIT`, or the functions whose names begin with `pg_try`.
    Trying,
    /// The server gives no row if it is locked: `SKIP LOCKED`.
    Skipping,
}

/// A client of locks on a database, whichever way.
#[derive(Clone, Debug)]
pub enum Recipes {
    /// With rows that expire.
    Row(row::Rows),
    /// With what a connection holds.
    Connected(connected::Connected),
}

impl Recipes {
    /// No claims yet.
    pub fn boot(config: &Config, rules: &rules::Rules) -> Recipes {
        match config.way {
            Way::Row(way) => Recipes::Row(row::Rows::boot(config, way)),
            Way::Connected(way) => Recipes::Connected(connected::Connected::boot(config, way, rules)),
        }
    }

    fn recipe(&mut self) -> &mut dyn Recipe {
        match self {
            Recipes::Row(recipe) => recipe,
            Recipes::Connected(recipe) => recipe,
        }
    }
}

impl Recipe for Recipes {
    fn seek(&mut self, claim: Claim, desk: &mut Desk<'_, '_>) {
        self.recipe().seek(claim, desk);
    }

    fn abandon(&mut self, claim: ClaimId, desk: &mut Desk<'_, '_>) {
        self.recipe().abandon(claim, desk);
    }

    fn release(&mut self, claim: ClaimId, desk: &mut Desk<'_, '_>) {
        self.recipe().release(claim, desk);
    }

    fn downgrade(&mut self, claim: ClaimId, desk: &mut Desk<'_, '_>) -> bool {
        self.recipe().downgrade(claim, desk)
    }

    fn is_valid(&self, claim: ClaimId, now: Time) -> bool {
        match self {
            Recipes::Row(recipe) => recipe.is_valid(claim, now),
            Recipes::Connected(recipe) => recipe.is_valid(claim, now),
        }
    }

    fn on_reply(&mut self, from: NodeId, call: Call, reply: Reply, desk: &mut Desk<'_, '_>) {
        self.recipe().on_reply(from, call, reply, desk);
    }

    fn on_event(&mut self, from: NodeId, event: Event, desk: &mut Desk<'_, '_>) {
        self.recipe().on_event(from, event, desk);
    }

    fn on_due(&mut self, due: Due, desk: &mut Desk<'_, '_>) {
        self.recipe().on_due(due, desk);
    }
}
