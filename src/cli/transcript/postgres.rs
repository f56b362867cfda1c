//! Plays the transcripts of PostgreSQL.

use super::form::{Part, parts};
use super::{Refusal, Tally};
use crate::servers::postgres::{Config, Outcome, Reply, Server, SessionId, Value as Sql};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What the server's clock says when a part begins, in nanoseconds since 1970: any time will do.
const START_NS: u64 = 1_700_000_000_000_000_000;
/// Nanoseconds in a millisecond.
const MS: u64 = 1_000_000;
/// How long the server that was recorded let a session wait before it looked for a deadlock.
const DEADLOCK_TIMEOUT_MS: u64 = 500;
/// How long a statement takes, so that the clock runs.
const STATEMENT_NS: u64 = 200_000;
/// A statement that takes longer was recorded as blocked. How long the recorder took to see that is not
/// known: what goes on by itself within this time is let pass.
const BLOCKED_MS: u64 = 1_000;
/// How long a reply was waited for that had to come.
const PATIENCE_MS: u64 = 20_000;
/// Who makes the table that every part finds.
const ADMINISTRATOR: SessionId = SessionId(u32::MAX);
/// The table that every part finds.
const TABLE: &str =
    "CREATE TABLE locks(name text primary key, owner text, token bigint not null default 0, expires_ms bigint)";

pub(super) fn play(text: &str) -> Result<Tally, Refusal> {
    let mut tally = Tally::default();
    for part in parts(text)? {
        Player::new(&part)?.play(&part, &mut tally)?;
    }
    Ok(tally)
}

/// A server that is played with, and the statements that wait.
struct Player {
    server: Server,
    now_ns: u64,
    /// The step of the statement for which each session waits.
    waiting: BTreeMap<SessionId, usize>,
    /// What came of statements that had been waiting, by their steps.
    late: BTreeMap<usize, Reply>,
}

impl Player {
    fn new(part: &Part) -> Result<Player, Refusal> {
        let deadlock_timeout_ms = match part.settings.get("deadlock_timeout_ms") {
            Some(value) => value
                .as_u64()
                .filter(|time| *time > 0)
                .ok_or_else(|| Refusal::of(&part.place, "`deadlock_timeout_ms` is no time"))?,
            None => DEADLOCK_TIMEOUT_MS,
        };
        let mut server = Server::new(Config { deadlock_timeout_ms });
        let answer = server.query(START_NS, ADMINISTRATOR, TABLE);
        assert_eq!(answer.outcome, Outcome::Reply(Reply::Done("CREATE TABLE")), "the table of the transcripts");
        server.disconnect(START_NS, ADMINISTRATOR);
        Ok(Player { server, now_ns: START_NS, waiting: BTreeMap::new(), late: BTreeMap::new() })
    }

    fn play(mut self, part: &Part, tally: &mut Tally) -> Result<(), Refusal> {
        for (number, step) in part.steps.iter().enumerate() {
            let refusal = |message: String| Refusal::at(&part.place, number, message);
            let step = step.as_object().ok_or_else(|| refusal("no object".to_owned()))?;
            if let Some(wait) = step.get("wait_ms") {
                let until = wait.as_u64().and_then(|wait| self.now_ns.checked_add(wait.checked_mul(MS)?));
                let until = until.ok_or_else(|| refusal("`wait_ms` is no whole number".to_owned()))?;
                self.pass(until);
                continue;
            }
            let session = session(step).map_err(refusal)?;
            if let Some(event) = step.get("event") {
                match event.as_str() {
                    Some("disconnect") => {
                        self.waiting.remove(&session);
                        let resumed = self.server.disconnect(self.now_ns, session);
                        self.keep(resumed);
                    }
                    Some("connect") => {}
                    _ => return Err(refusal(format!("{event} is no known event"))),
                }
            } else if let Some(resumes) = step.get("resumes") {
                let expected = step.get("reply").ok_or_else(|| refusal("`reply` is missing".to_owned()))?;
                let (of, sent) = resumed_step(part, resumes).map_err(refusal)?;
                self.wait_for(session, of, PATIENCE_MS);
                let answered = self.late.remove(&of).map_or_else(blocked, |reply| value(&reply, expected));
                tally.compare(&part.place, number, &format!("{sent} (of step {of})"), expected, &answered);
            } else {
                let sql =
                    step.get("sql").ok_or_else(|| refusal("none of `sql`, `event`, `resumes` is there".to_owned()))?;
                let sql = sql.as_str().ok_or_else(|| refusal("`sql` is no text".to_owned()))?;
                let expected = match (step.get("reply"), step.get("blocked")) {
                    (Some(reply), None) => reply.clone(),
                    (None, Some(Value::Bool(true))) => blocked(),
                    _ => return Err(refusal("neither `reply` nor `\"blocked\": true` is there".to_owned())),
                };
                let answered = self.send(session, number, sql, &expected);
                tally.compare(&part.place, number, sql, &expected, &answered);
            }
        }
        Ok(())
    }

    /// Sends a statement, and says how it would have been recorded.
    fn send(&mut self, session: SessionId, step: usize, sql: &str, expected: &Value) -> Value {
        self.now_ns += STATEMENT_NS;
        let answer = self.server.query(self.now_ns, session, sql);
        self.keep(answer.resumed);
        match answer.outcome {
            Outcome::Reply(reply) => return value(&reply, expected),
            Outcome::Blocked => _ = self.waiting.insert(session, step),
        }
        if *expected == blocked() {
            return blocked();
        }
        // What ends soon by itself was not recorded as blocked.
        self.wait_for(session, step, BLOCKED_MS);
        self.late.remove(&step).map_or_else(blocked, |reply| value(&reply, expected))
    }

    /// Lets time pass until a statement has its reply, but no longer than so many milliseconds.
    fn wait_for(&mut self, session: SessionId, step: usize, most_ms: u64) {
        let until = self.now_ns + most_ms * MS;
        while self.waiting.get(&session) == Some(&step) {
            match self.server.next_timer().filter(|next| *next <= until) {
                Some(next) => self.pass(next),
                None => return,
            }
        }
    }

    fn pass(&mut self, until: u64) {
        self.now_ns = self.now_ns.max(until);
        let resumed = self.server.advance(self.now_ns);
        self.keep(resumed);
    }

    fn keep(&mut self, resumed: Vec<(SessionId, Reply)>) {
        for (session, reply) in resumed {
            if let Some(step) = self.waiting.remove(&session) {
                self.late.insert(step, reply);
            }
        }
    }
}

fn session(step: &Map<String, Value>) -> Result<SessionId, String> {
    let session = step.get("session").ok_or("neither `session` nor `wait_ms` is there")?;
    let number = session.as_u64().and_then(|number| u32::try_from(number).ok());
    number.map(SessionId).filter(|id| *id != ADMINISTRATOR).ok_or_else(|| format!("session {session} is no number"))
}

/// The step that a `resumes` means, and its statement.
fn resumed_step<'p>(part: &'p Part, resumes: &Value) -> Result<(usize, &'p str), String> {
    let number = resumes.as_u64().and_then(|number| usize::try_from(number).ok());
    let number = number.ok_or_else(|| format!("`resumes` {resumes} is no number of a step"))?;
    let sql = part.steps.get(number).and_then(|step| step.get("sql")).and_then(Value::as_str);
    Ok((number, sql.ok_or_else(|| format!("step {number} is no statement that could resume"))?))
}

fn blocked() -> Value {
    json!({ "blocked": true })
}

/// A reply as transcripts write it. Numbers with a fraction are written as the recorded one is.
fn value(reply: &Reply, expected: &Value) -> Value {
    match reply {
        Reply::Rows { rows, count, .. } => {
            let cell = |row: usize, column: usize, cell: &Sql| {
                let wanted = expected.get("rows").and_then(|rows| rows.get(row)?.get(column));
                sql_value(cell, wanted)
            };
            let rows: Vec<Vec<Value>> = rows
                .iter()
                .enumerate()
                .map(|(row, cells)| cells.iter().enumerate().map(|(column, one)| cell(row, column, one)).collect())
                .collect();
            match count {
                Some(count) => json!({ "rows": rows, "count": count }),
                None => json!({ "rows": rows }),
            }
        }
        Reply::Count(count) => json!({ "count": count }),
        Reply::Done(_) => json!({ "ok": true }),
        Reply::Error(error) => json!({ "error": error.code, "name": error.name() }),
    }
}

fn sql_value(value: &Sql, wanted: Option<&Value>) -> Value {
    match value {
        Sql::Null => Value::Null,
        Sql::Bool(value) => json!(value),
        Sql::Int(value) if wanted.is_some_and(Value::is_string) => json!(value.to_string()),
        Sql::Int(value) if wanted.is_some_and(Value::is_f64) => json!(*value as f64),
        Sql::Int(value) => json!(value),
        Sql::Numeric(value) if wanted.is_some_and(Value::is_string) => json!(value.to_string()),
        Sql::Numeric(value) => match value.trunc().whole().filter(|_| *value == value.trunc().round(value.scale())) {
            Some(whole) if !wanted.is_some_and(Value::is_f64) => json!(whole),
            _ => value.to_string().parse::<f64>().map_or(Value::Null, |value| json!(value)),
        },
        Sql::Array(items) => items.iter().map(|item| sql_value(item, None)).collect(),
        Sql::Text(_) | Sql::Timestamp(_) | Sql::Interval(_) | Sql::Void => json!(value.to_text()),
    }
}
