//! The database of a server: its tables, and the statements that locks are made of.

use super::command::{Answer, OnRow, Record, Statement as Said, Stay};
use super::{Asking, Config, ConnectedConfig, Hold, Way};
use crate::protocols::lock::claim::{ClaimId, LockId, Mode};
use crate::servers::postgres::{self, Outcome, Reply, SessionId, Statement, Value};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// The session of whoever needs no connection for long. Those of connections have higher numbers.
pub const SHORT: SessionId = SessionId(0);

/// PostgreSQL with what locks need.
#[derive(Clone, Debug)]
pub struct Store {
    postgres: postgres::Server,
    hold: Option<Hold>,
    texts: Arc<Texts>,
    /// The rows that transactions lock, and that are there already.
    rows: BTreeSet<LockId>,
    /// What was answered to statements that had waited, and was not taken from here yet.
    resumed: VecDeque<(SessionId, Reply)>,
}

/// What time it is at the server, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// By the clock that only goes forwards.
    pub monotonic: u64,
    /// How far the clock of `now()` is ahead of it.
    pub ahead: i64,
}

/// All statements, read once.
#[derive(Debug)]
struct Texts {
    /// By whose clock: that of the database, or `$4`.
    take: [Statement; 2],
    seize: [Statement; 2],
    renew: [Statement; 2],
    look: Statement,
    free: Statement,
    put: Statement,
    keepers: Statement,
    /// The row that a transaction locks.
    row: Statement,
    begin: Statement,
    commit: Statement,
    rollback: Statement,
    /// By mode: alone, and shared.
    lock: [Statement; 2],
    unlock: [Statement; 2],
    lock_timeout: Statement,
    token: Statement,
    set_token: Statement,
}

/// The tables. `locks` is of rows that expire, `rows` of rows that are locked, `tokens` is for what is held by connections.
const SCHEMA: &str = "
    CREATE TABLE locks (name bigint PRIMARY KEY, owner bigint, token bigint NOT NULL, expires timestamptz NOT NULL);
    CREATE TABLE rows (name bigint PRIMARY KEY);
    CREATE SEQUENCE tokens;
";

fn parsed(text: &str) -> Statement {
    Statement::parse(text).unwrap_or_else(|error| panic!("{text} is SQL: {error:?}"))
}

/// A statement for both clocks.
fn by_clock(text: impl Fn(&str) -> String) -> [Statement; 2] {
    [parsed(&text("now()")), parsed(&text("$4"))]
}

impl Texts {
    fn of(way: Way) -> Texts {
        let held = match way {
            // Nobody says these.
            Way::Row(_) => [parsed("SELECT 1"), parsed("SELECT 1")],
            Way::Connected(ConnectedConfig { hold: Hold::RowLock, asking, .. }) => {
                let how = match asking {
                    Asking::Waiting => "",
                    Asking::Trying => " NOWAIT",
                    Asking::Skipping => " SKIP LOCKED",
                };
                ["UPDATE", "SHARE"].map(|mode| parsed(&format!("SELECT name FROM rows WHERE name = $1 FOR {mode}{how}")))
            }
            Way::Connected(ConnectedConfig { hold: Hold::Advisory, asking, .. }) => {
                let how = match asking {
                    Asking::Waiting => "pg_advisory_lock",
                    Asking::Trying | Asking::Skipping => "pg_try_advisory_lock",
                };
                ["", "_shared"].map(|mode| parsed(&format!("SELECT {how}{mode}($1)")))
            }
        };
        let lock_timeout_ms = match way {
            Way::Row(_) => 0,
            Way::Connected(way) => way.lock_timeout_ms,
        };
        let insert = |now: &str| format!("INSERT INTO locks (name, owner, token, expires) VALUES ($1, $2, 1, {now} + $3)");
        let update = "UPDATE SET owner = EXCLUDED.owner, token = locks.token + 1, expires = EXCLUDED.expires";
        let row = "RETURNING token, expires, owner";
        Texts {
            take: by_clock(|now| {
                let free = format!("locks.owner IS NULL OR locks.expires <= {now}");
                format!("{} ON CONFLICT (name) DO {update} WHERE {free} {row}", insert(now))
            }),
            seize: by_clock(|now| format!("{} ON CONFLICT (name) DO {update} {row}", insert(now))),
            renew: by_clock(|now| {
                format!("UPDATE locks SET expires = {now} + $3 WHERE name = $1 AND owner = $2 AND expires > {now} {row}")
            }),
            look: parsed("SELECT name FROM locks WHERE name = $1 AND owner IS NOT NULL AND expires > now()"),
            free: parsed(&format!("UPDATE locks SET owner = NULL WHERE name = $1 AND owner = $2 {row}")),
            put: parsed(
                "INSERT INTO locks (name, owner, token, expires) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (name) DO UPDATE SET owner = EXCLUDED.owner, token = EXCLUDED.token, expires = EXCLUDED.expires",
            ),
            keepers: parsed("SELECT name, owner FROM locks WHERE owner IS NOT NULL AND expires > now() ORDER BY name"),
            row: parsed("INSERT INTO rows (name) VALUES ($1)"),
            begin: parsed("BEGIN"),
            commit: parsed("COMMIT"),
            rollback: parsed("ROLLBACK"),
            lock: held,
            unlock: ["", "_shared"].map(|mode| parsed(&format!("SELECT pg_advisory_unlock{mode}($1)"))),
            lock_timeout: parsed(&format!("SET lock_timeout = {lock_timeout_ms}")),
            token: parsed("SELECT nextval('tokens')"),
            set_token: parsed("SELECT setval('tokens', $1)"),
        }
    }
}

impl Store {
    /// A database with what a disk holds.
    pub fn boot<'a>(config: &Config, now: Now, records: impl Iterator<Item = &'a Record>) -> Store {
        let hold = match config.way {
            Way::Row(_) => None,
            Way::Connected(way) => Some(way.hold),
        };
        let (rows, resumed) = (BTreeSet::new(), VecDeque::new());
        let postgres = postgres::Server::new(postgres::Config::default());
        let mut store = Store { postgres, hold, texts: Arc::new(Texts::of(config.way)), rows, resumed };
        let texts = store.texts.clone();
        store.short(now, &parsed(SCHEMA), &[]);
        for record in records {
            match *record {
                Record::Row { lock, owner, token, expires_us } => {
                    let owner = owner.map_or(Value::Null, of_claim);
                    store.short(now, &texts.put, &[of_lock(lock), owner, Value::Int(token), Value::Timestamp(expires_us)]);
                }
                Record::Sequence(last) => {
                    store.short(now, &texts.set_token, &[Value::Int(last)]);
                }
            }
        }
        store
    }

    /// Carries a statement out.
    fn execute(&mut self, now: Now, session: SessionId, statement: &Statement, parameters: &[Value]) -> Outcome {
        self.postgres.set_clock(now.ahead);
        let answer = self.postgres.execute(now.monotonic, session, statement, parameters);
        self.resumed.extend(answer.resumed);
        answer.outcome
    }

    /// Carries a statement out that waits for nobody: its rows.
    fn short(&mut self, now: Now, statement: &Statement, parameters: &[Value]) -> Vec<Vec<Value>> {
        match self.execute(now, SHORT, statement, parameters) {
            Outcome::Reply(Reply::Rows { rows, .. }) => rows,
            Outcome::Reply(Reply::Count(_) | Reply::Done(_)) => Vec::new(),
            outcome => unreachable!("a statement of this protocol is well formed and waits for nobody: {outcome:?}"),
        }
    }

    /// Does something with the row of a lock. What it is then, if it has changed.
    pub fn on_row(&mut self, now: Now, lock: LockId, what: &OnRow) -> (Answer, Option<Record>) {
        let texts = self.texts.clone();
        let rows = match what {
            OnRow::Take(stay) => self.stay(now, &texts.take, lock, stay),
            OnRow::Seize(stay) => self.stay(now, &texts.seize, lock, stay),
            OnRow::Renew(stay) => self.stay(now, &texts.renew, lock, stay),
            OnRow::Free { owner } => self.short(now, &texts.free, &[of_lock(lock), of_claim(*owner)]),
            OnRow::Look => {
                let rows = self.short(now, &texts.look, &[of_lock(lock)]);
                return (if rows.is_empty() { Answer::Free } else { Answer::Busy }, None);
            }
        };
        let row = rows.first().map(|row| row.as_slice());
        let changed = row.map(|row| match row {
            [Value::Int(token), Value::Timestamp(expires_us), owner] => (*token, *expires_us, to_claim(owner)),
            row => unreachable!("the columns are a counter, a time and an owner: {row:?}"),
        });
        let answer = match (what, changed) {
            (OnRow::Take(_) | OnRow::Seize(_), Some((token, ..))) => Answer::Had(token),
            (OnRow::Take(_) | OnRow::Seize(_), None) => Answer::Busy,
            (OnRow::Renew(_) | OnRow::Free { .. } | OnRow::Look, changed) => Answer::Done(changed.is_some()),
        };
        (answer, changed.map(|(token, expires_us, owner)| Record::Row { lock, owner, token, expires_us }))
    }

    fn stay(&mut self, now: Now, by_clock: &[Statement; 2], lock: LockId, stay: &Stay) -> Vec<Vec<Value>> {
        let ttl = Value::Interval(stay.ttl_us as i64);
        let [by_database, by_client] = by_clock;
        match stay.now_us {
            None => self.short(now, by_database, &[of_lock(lock), of_claim(stay.owner), ttl]),
            Some(now_us) => {
                let its = Value::Timestamp(now_us);
                self.short(now, by_client, &[of_lock(lock), of_claim(stay.owner), ttl, its])
            }
        }
    }

    /// Who has which lock by its row, in the order of locks.
    pub fn keepers(&mut self, now: Now) -> Vec<(LockId, ClaimId)> {
        let texts = self.texts.clone();
        let rows = self.short(now, &texts.keepers, &[]);
        rows.iter()
            .map(|row| match row.as_slice() {
                [Value::Int(lock), owner] => (LockId(*lock as u32), to_claim(owner).expect("a row that has one")),
                row => unreachable!("the columns are a lock and an owner: {row:?}"),
            })
            .collect()
    }

    /// Somebody connects.
    pub fn open(&mut self, now: Now, session: SessionId) {
        let texts = self.texts.clone();
        self.execute(now, session, &texts.lock_timeout, &[]);
    }

    /// A connection is no more.
    pub fn close(&mut self, now: Now, session: SessionId) {
        self.postgres.set_clock(now.ahead);
        let resumed = self.postgres.disconnect(now.monotonic, session);
        self.resumed.extend(resumed);
    }

    /// Lets time pass.
    pub fn advance(&mut self, now: Now) {
        let resumed = self.postgres.advance(now.monotonic);
        self.resumed.extend(resumed);
    }

    /// When time should pass next, in nanoseconds by the clock that only goes forwards.
    pub fn next_timer(&self) -> Option<u64> {
        self.postgres.next_timer()
    }

    /// The next of those that had waited and were answered.
    pub fn next_resumed(&mut self) -> Option<(SessionId, Reply)> {
        self.resumed.pop_front()
    }

    /// Carries out what was said on a connection; `None` if it waits.
    pub fn say(&mut self, now: Now, session: SessionId, lock: LockId, said: Said) -> Option<Answer> {
        let texts = self.texts.clone();
        let (statement, key) = match (said, self.hold) {
            (Said::Lock(mode), hold) => {
                if hold == Some(Hold::RowLock) {
                    // The rows of all locks have been there from the beginning.
                    if self.rows.insert(lock) {
                        self.short(now, &texts.row, &[of_lock(lock)]);
                    }
                    self.execute(now, session, &texts.begin, &[]);
                }
                (&texts.lock[place(mode)], Some(of_lock(lock)))
            }
            (Said::Token, _) => (&texts.token, None),
            (Said::Unlock(_), Some(Hold::RowLock)) => (&texts.commit, None),
            (Said::Unlock(mode), Some(Hold::Advisory) | None) => (&texts.unlock[place(mode)], Some(of_lock(lock))),
        };
        match self.execute(now, session, statement, key.as_slice()) {
            Outcome::Blocked => None,
            Outcome::Reply(reply) => Some(self.understood(now, session, said, &reply)),
        }
    }

    /// What a reply to a statement means.
    pub fn understood(&mut self, now: Now, session: SessionId, said: Said, reply: &Reply) -> Answer {
        let first = match reply {
            Reply::Rows { rows, .. } => rows.first().and_then(|row| row.first()),
            Reply::Count(_) | Reply::Done(_) => Some(&Value::Void),
            // There is no lock to be had now, or not in this order.
            Reply::Error(error) if matches!(error.code, "55P03" | "40P01") => None,
            Reply::Error(error) => unreachable!("a statement of this protocol is well formed: {error:?}"),
        };
        match (said, first) {
            (Said::Lock(_), None | Some(Value::Bool(false))) => {
                if self.hold == Some(Hold::RowLock) {
                    let texts = self.texts.clone();
                    self.execute(now, session, &texts.rollback, &[]);
                }
                Answer::Busy
            }
            (Said::Lock(_), Some(_)) => Answer::Had(0),
            (Said::Token, Some(Value::Int(token))) => Answer::Token(*token),
            (Said::Unlock(_), first) => Answer::Done(first != Some(&Value::Bool(false))),
            (Said::Token, first) => unreachable!("a sequence gives numbers, not {first:?}"),
        }
    }
}

fn place(mode: Mode) -> usize {
    match mode {
        Mode::Exclusive => 0,
        Mode::Shared => 1,
    }
}

fn of_lock(lock: LockId) -> Value {
    Value::Int(lock.0.into())
}

/// The 64 bits of a claim as a `bigint`, which has a sign.
fn of_claim(claim: ClaimId) -> Value {
    Value::Int(claim.0 as i64)
}

fn to_claim(value: &Value) -> Option<ClaimId> {
    match value {
        Value::Int(claim) => Some(ClaimId(*claim as u64)),
        _ => None,
    }
}
