//! The tables of a database, and the statements that locks are made of.

use super::{Asking, ConnectedConfig, Hold, Way};
use crate::servers::postgres::Statement;

/// All statements, read once.
#[derive(Debug)]
pub(super) struct Statements {
    /// By whose clock: that of the database, or `$4`.
    pub(super) take: [Statement; 2],
    pub(super) seize: [Statement; 2],
    pub(super) renew: [Statement; 2],
    pub(super) look: Statement,
    pub(super) free: Statement,
    pub(super) put: Statement,
    pub(super) keepers: Statement,
    /// The row that a transaction locks.
    pub(super) row: Statement,
    pub(super) begin: Statement,
    pub(super) commit: Statement,
    pub(super) rollback: Statement,
    /// By mode: alone, and shared.
    pub(super) lock: [Statement; 2],
    pub(super) unlock: [Statement; 2],
    pub(super) lock_timeout: Statement,
    pub(super) token: Statement,
    pub(super) draw: Statement,
    pub(super) set_token: Statement,
}

/// The tables. `locks` is of rows that expire, `rows` of rows that are locked, `tokens` is for what is held by connections.
pub(super) const SCHEMA: &str = "
    CREATE TABLE locks (name bigint PRIMARY KEY, owner bigint, token bigint NOT NULL, expires timestamptz NOT NULL);
    CREATE TABLE rows (name bigint PRIMARY KEY);
    CREATE SEQUENCE tokens;
";

/// A text of SQL.
///
/// # Panics
/// If it is none.
pub(super) fn parsed(text: &str) -> Statement {
    Statement::parse(text).unwrap_or_else(|error| panic!("{text} is SQL: {error:?}"))
}

/// A statement for both clocks.
fn by_clock(text: impl Fn(&str) -> String) -> [Statement; 2] {
    [parsed(&text("now()")), parsed(&text("$4"))]
}

impl Statements {
    /// Those for a way to lock.
    pub(super) fn of(way: Way) -> Statements {
        let held = match way {
            // Nobody says these.
            Way::Row(_) => [parsed("SELECT 1"), parsed("SELECT 1")],
            Way::Connected(ConnectedConfig { hold: Hold::RowLock, asking, .. }) => {
                let how = match asking {
                    Asking::Waiting => "",
                    Asking::Trying => " NOWAIT",
                    Asking::Skipping => " SKIP LOCKED",
                };
                ["UPDATE", "SHARE"]
                    .map(|mode| parsed(&format!("SELECT name FROM rows WHERE name = $1 FOR {mode}{how}")))
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
        let insert =
            |now: &str| format!("INSERT INTO locks (name, owner, token, expires) VALUES ($1, $2, 1, {now} + $3)");
        let update = "UPDATE SET owner = EXCLUDED.owner, token = locks.token + 1, expires = EXCLUDED.expires";
        let row = "RETURNING token, expires, owner";
        Statements {
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
            draw: parsed("SELECT nextval('tokens'), pg_current_xact_id()"),
            set_token: parsed("SELECT setval('tokens', $1)"),
        }
    }
}
