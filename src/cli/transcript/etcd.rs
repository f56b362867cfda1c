//! Plays a transcript of etcd against the model of it.

mod fields;
mod reply;
mod request;
mod settle;

use super::form::{self, Part};
use super::{Refusal, Tally};
use crate::kernel::time::{Span, Time};
use crate::servers::etcd::error::Error;
use crate::servers::etcd::lessor::Renewal;
use crate::servers::etcd::server::{LOOK_EVERY, Server};
use crate::servers::etcd::state::{Command, Reply};
use fields::Fields;
use serde_json::{Value, json};

/// How long a request takes. A time to live is told in whole seconds, rounded down: it is below what was granted as
/// soon as any time has passed.
const REQUEST: Span = Span::ms(1);

/// Plays all scenarios, or all lines, each on a new server.
///
/// # Errors
/// A form that is not understood, with its place.
pub(super) fn play(text: &str) -> Result<Tally, Refusal> {
    let mut tally = Tally::default();
    for part in form::parts(text)? {
        play_part(&part, &mut tally)?;
    }
    Ok(tally)
}

fn play_part(part: &Part, tally: &mut Tally) -> Result<(), Refusal> {
    let mut player = Player::default();
    for (number, step) in part.steps.iter().enumerate() {
        let played = player.step(step).map_err(|message| Refusal::at(&part.place, number, message))?;
        if let Some((sent, expected, mut answered)) = played {
            settle::settle(&expected, &mut answered);
            tally.compare(&part.place, number, &sent, &expected, &answered);
        }
    }
    Ok(())
}

#[derive(Default)]
struct Player {
    server: Server,
    now: Time,
    /// The names of the watchers; the server knows them by their places.
    watchers: Vec<String>,
    events: Vec<Value>,
}

/// What was sent, what the real server had answered, and what the model answered.
type Played = (String, Value, Value);

impl Player {
    fn step(&mut self, step: &Value) -> Result<Option<Played>, String> {
        let mut fields = Fields::of(step)?;
        if fields.value(&["wait_ms"]).is_some() {
            let wait = fields.number(&["wait_ms"])?;
            let wait = u64::try_from(wait).map_err(|_| format!("`wait_ms` is {wait}, expected no less than 0"))?;
            fields.finish()?;
            self.now += Span::ms(wait);
            self.hear();
            return Ok(None);
        }
        if fields.value(&["events"]).is_some() {
            let mut expected = fields.list(&["events"])?.to_vec();
            fields.finish()?;
            settle::sort_events(&mut expected);
            self.hear();
            let mut answered = std::mem::take(&mut self.events);
            settle::sort_events(&mut answered);
            return Ok(Some(("events".to_owned(), Value::from(expected), Value::from(answered))));
        }
        let expected = fields.needed(&["reply"])?.clone();
        let answered = self.operation(&mut fields, &expected)?;
        fields.finish()?;
        let mut sent = step.clone();
        sent.as_object_mut().expect("its fields were read").remove("reply");
        Ok(Some((sent.to_string(), expected, answered)))
    }

    fn operation(&mut self, fields: &mut Fields<'_>, expected: &Value) -> Result<Value, String> {
        self.now += REQUEST;
        match fields.text(&["op"])? {
            "put" => {
                let put = request::put(fields)?;
                Ok(self.call(&Command::Put(put)))
            }
            "get" => {
                let answer = self.server.range(self.now, &request::range(fields)?);
                Ok(answer.map_or_else(reply::error, |answer| reply::range(&answer)))
            }
            "delete" => {
                let delete = request::delete(fields)?;
                Ok(self.call(&Command::DeleteRange(delete)))
            }
            "txn" => {
                let txn = request::txn(fields)?;
                Ok(self.call(&Command::Txn(txn)))
            }
            "compact" => {
                let revision = request::compaction(fields)?;
                fields.flag(&["physical"])?;
                Ok(self.call(&Command::Compact { revision }))
            }
            "grant" => {
                let ttl = fields.number(&["ttl"])?;
                let id = match fields.number_or_zero(&["id"])? {
                    // The server chose one.
                    0 => expected.get("id").and_then(Value::as_i64).unwrap_or(0),
                    id => id,
                };
                Ok(self.call(&Command::Grant { id, ttl }))
            }
            "revoke" => {
                let id = fields.number(&["id"])?;
                Ok(self.call(&Command::Revoke { id }))
            }
            "keepalive" => {
                let id = fields.number(&["id"])?;
                Ok(self.keep_alive(id))
            }
            "timetolive" => {
                let answer = self.server.time_to_live(self.now, fields.number(&["id"])?);
                Ok(reply::time_to_live(answer))
            }
            "leases" => {
                let mut leases = self.server.leases(self.now);
                leases.sort_unstable();
                Ok(json!({ "leases": leases }))
            }
            "watch" => self.watch(fields),
            "cancel" => {
                let name = fields.text(&["id"])?;
                let found = self.watchers.iter().rposition(|watcher| watcher == name);
                let place = found.ok_or_else(|| format!("nobody watches as \"{name}\""))?;
                let canceled = self.server.cancel(self.now, number(place));
                Ok(json!({ "ok": canceled }))
            }
            other => Err(format!("\"{other}\" is no operation of etcd")),
        }
    }

    fn call(&mut self, command: &Command) -> Value {
        match (command, self.server.call(self.now, command)) {
            (_, Err(error)) => reply::error(error),
            (Command::Put(request), Ok(Reply::Put(answer))) => reply::put(request, &answer),
            (Command::DeleteRange(request), Ok(Reply::DeleteRange(answer))) => reply::delete(request, &answer),
            (Command::Txn(request), Ok(Reply::Txn(answer))) => reply::txn(request, &answer),
            (_, Ok(Reply::Grant { id, ttl, .. })) => json!({ "id": id, "ttl": ttl }),
            (_, Ok(Reply::Compact { revision } | Reply::Revoke { revision })) => {
                json!({ "rev": reply::counted(revision) })
            }
            (_, Ok(_)) => unreachable!("an answer is of the kind of its command"),
        }
    }

    /// Renews a lease. If it has run out, the answer comes when the server has ended it.
    fn keep_alive(&mut self, id: i64) -> Value {
        loop {
            match self.server.keep_alive(self.now, id) {
                Ok(Renewal::Renewed { ttl, .. }) => return json!({ "ttl": ttl }),
                Ok(Renewal::Ending) => self.now += LOOK_EVERY,
                Err(Error::LeaseNotFound) => return json!({ "ttl": 0 }),
                Err(error) => return reply::error(error),
            }
        }
    }

    fn watch(&mut self, fields: &mut Fields<'_>) -> Result<Value, String> {
        self.watchers.push(fields.text(&["id"])?.to_owned());
        let watch = request::watch(fields)?;
        self.server.watch(self.now, number(self.watchers.len() - 1), watch);
        Ok(json!({ "ok": true }))
    }

    /// Takes note of what watchers were told until now.
    fn hear(&mut self) {
        self.server.advance(self.now);
        for (watcher, told) in self.server.take_told() {
            let place = usize::try_from(watcher).expect("the place of a watcher");
            self.events.extend(reply::told(&self.watchers[place], &told));
        }
    }
}

fn number(place: usize) -> i64 {
    i64::try_from(place).expect("a place fits")
}
