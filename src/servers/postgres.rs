//! PostgreSQL 15, as far as locks are built on it: rows, transactions, advisory locks, time-outs.
//!
//! ```
//! use squall::servers::postgres::{Config, Outcome, Reply, Server, SessionId, Statement, Value};
//!
//! let (one, two) = (SessionId(1), SessionId(2));
//! let mut server = Server::new(Config::default());
//! let lock = Statement::parse("SELECT pg_advisory_lock($1)").expect("SQL");
//! let unlock = Statement::parse("SELECT pg_advisory_unlock($1)").expect("SQL");
//! let key = [Value::Int(42)];
//!
//! server.execute(0, one, &lock, &key);
//! assert_eq!(server.execute(0, two, &lock, &key).outcome, Outcome::Blocked);
//! // Who frees a lock hands out the replies of those who waited for it.
//! let answer = server.execute(0, one, &unlock, &key);
//! assert_eq!(answer.resumed.len(), 1);
//! assert_eq!(answer.resumed[0].0, two);
//! ```

mod ast;
mod bind;
mod catalogue;
mod command;
mod deadlock;
mod decimal;
mod definition;
mod error;
mod execution;
mod function;
mod hash;
mod heap;
mod lexer;
mod lock;
mod moment;
mod parser;
mod plan;
mod process;
mod serializable;
mod server;
mod session;
mod settings;
#[cfg(test)]
mod tests;
mod transaction;
mod value;

pub use decimal::Decimal;
pub use error::Error;
pub use server::Server;
pub use value::{Type, Value};

use std::sync::Arc;

/// The number of a connection, chosen by whoever connects. It is not the server's process id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionId(pub u32);

/// What the server's administrator has set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How long a session waits for a lock before it looks for a deadlock, in milliseconds. At least 1.
    pub deadlock_timeout_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { deadlock_timeout_ms: 1_000 }
    }
}

/// A text that has been read, to be run any number of times. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    text: String,
    commands: Arc<Vec<ast::Command>>,
}

/// What comes of a call, for the session that called and for others.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// For the statement of the call.
    pub outcome: Outcome,
    /// For statements that had been waiting, in the order in which they went on.
    pub resumed: Vec<(SessionId, Reply)>,
}

/// What comes of a statement at once.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It is done, or has failed.
    Reply(Reply),
    /// It waits: a later call hands out its reply.
    Blocked,
}

/// What a client is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// The rows of a query; `count` is there for INSERT, UPDATE and DELETE with RETURNING.
    Rows {
        /// The names of the columns.
        columns: Vec<String>,
        /// The rows, in order.
        rows: Vec<Vec<Value>>,
        /// How many rows were changed.
        count: Option<u64>,
    },
    /// How many rows an INSERT, UPDATE or DELETE without RETURNING has changed.
    Count(u64),
    /// Anything else is done; the text is the command's tag.
    Done(&'static str),
    /// It has failed.
    Error(Error),
}
