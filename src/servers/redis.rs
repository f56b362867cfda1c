//! A Redis 7.0 server as a pure value: a time and a command in, a reply out.
//!
//! Strings, sorted sets, hashes, sets and lists with expiry; transactions with WATCH; scripts; a primary that tells what
//! it would send to its replicas, and a replica that does not expire keys by itself. Not there: blocking commands,
//! streams, bitmaps, geography, subscriptions, persistence, access control, cluster.
//!
//! ```
//! use squall::servers::redis::{Redis, Reply};
//!
//! let mut redis = Redis::new();
//! let lock = [b"SET".as_slice(), b"lock", b"me", b"NX", b"PX", b"30000"];
//! assert_eq!(redis.apply(0, 1, &lock), Reply::Status("OK".to_owned()));
//! assert_eq!(redis.apply(30_000, 2, &lock), Reply::Nil);
//! assert_eq!(redis.apply(30_001, 2, &lock), Reply::Status("OK".to_owned()));
//! ```

mod algebra;
mod call;
mod connection;
mod counters;
mod double;
mod expiry;
mod extended;
mod glob;
mod hashes;
mod integer;
mod keys;
mod keyspace;
mod lists;
mod ranges;
mod replication;
mod reply;
mod script;
mod sets;
mod sha1;
mod sorted;
mod strings;
mod table;
#[cfg(test)]
mod tests;
mod transactions;
mod value;

pub use replication::Snapshot;
pub use reply::{Bytes, Reply};

use call::Call;
use keyspace::Database;
use reply::{Answer, READ_ONLY};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use table::{Command, Kind};

/// How many databases a server has, unless its configuration says otherwise.
const DATABASES: usize = 16;

/// A server: its databases, and what it knows of its clients.
///
/// A clone costs next to nothing, however many keys there are: what is in the databases is shared until it changes.
/// Iteration is in the order of the keys' bytes.
#[derive(Clone, PartialEq, Debug)]
pub struct Redis {
    databases: Vec<Database>,
    clients: BTreeMap<u64, Client>,
    /// Who watches a key.
    watchers: BTreeMap<(usize, Bytes), BTreeSet<u64>>,
    /// Scripts by their digests.
    scripts: BTreeMap<String, Arc<script::Script>>,
    role: Role,
    /// What replicas have not yet been sent, if that is kept at all.
    effects: Option<Vec<Effect>>,
}

/// Whether a server leads or follows.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Role {
    /// It takes writes and removes what has expired.
    #[default]
    Primary,
    /// It refuses writes of clients. It removes a key when its primary says so; until then an expired key is hidden
    /// from those who read.
    Replica,
}

/// A command that a primary sends to its replicas: one whose result does not hang on when it is carried out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Effect {
    /// The number of the database.
    pub db: usize,
    /// The command with its arguments.
    pub command: Vec<Bytes>,
}

/// Who sends a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Origin {
    /// A client.
    Client,
    /// The primary of this replica.
    Primary,
}

/// What the server knows of a connection.
#[derive(Clone, PartialEq, Default, Debug)]
struct Client {
    db: usize,
    /// What CLIENT SETNAME has said.
    name: Bytes,
    transaction: transactions::Transaction,
}

impl Default for Redis {
    fn default() -> Redis {
        Redis::new()
    }
}

impl Redis {
    /// An empty server, a primary that keeps no effects.
    #[must_use]
    pub fn new() -> Redis {
        Redis {
            databases: vec![Database::default(); DATABASES],
            clients: BTreeMap::new(),
            watchers: BTreeMap::new(),
            scripts: BTreeMap::new(),
            role: Role::Primary,
            effects: None,
        }
    }

    /// Carries a command out and gives the reply. `now_ms` is the server's Unix time in milliseconds; a client is whatever number its
    /// connection has, and is known from its first command on.
    pub fn apply<W: AsRef<[u8]>>(&mut self, now_ms: i64, client: u64, command: &[W]) -> Reply {
        let words: Vec<&[u8]> = command.iter().map(AsRef::as_ref).collect();
        self.clients.entry(client).or_default();
        self.answer(now_ms, client, Origin::Client, &words).unwrap_or_else(Reply::from)
    }

    /// Forgets a connection: what it watches, what it has queued, which database it uses.
    pub fn disconnect(&mut self, client: u64) {
        self.unwatch(client);
        self.clients.remove(&client);
    }

    fn is_primary(&self) -> bool {
        self.role == Role::Primary
    }

    /// What stands between a command and its execution (server.c, `processCommand`).
    fn answer(&mut self, now_ms: i64, client: u64, origin: Origin, words: &[&[u8]]) -> Answer {
        // The real server does not answer an empty command at all.
        let Some(name) = words.first() else { return Ok(Reply::Nil) };
        let command = match table::command(words) {
            Ok(command) => command,
            Err(failure) => return Err(self.refuse(client, name, failure)),
        };
        if origin == Origin::Client && !self.is_primary() && command.kind == Kind::Write {
            return Err(self.refuse(client, name, READ_ONLY));
        }
        if self.is_queueing(client) && !command.is_immediate {
            self.enqueue(client, words);
            return Ok(Reply::Status("QUEUED".to_owned()));
        }
        self.execute(now_ms, client, origin, command, words)
    }

    /// Carries out a command that may be carried out (server.c, `call`).
    fn execute(&mut self, now_ms: i64, client: u64, origin: Origin, command: &Command, words: &[&[u8]]) -> Answer {
        let name = command.name;
        let mut call = Call { server: self, now_ms, client, origin, name, changes: 0, instead: None };
        let answer = (command.run)(&mut call, words);
        let (db, changes, instead) = (call.db(), call.changes, call.instead.take());
        if changes > 0
            && let Some(effects) = &mut self.effects
        {
            let verbatim = || vec![words.iter().map(|word| word.to_vec()).collect()];
            let commands = instead.unwrap_or_else(verbatim);
            effects.extend(commands.into_iter().map(|command| Effect { db, command }));
        }
        answer
    }
}
