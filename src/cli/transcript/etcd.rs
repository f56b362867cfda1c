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

/// No transcript takes longer: a century.
const NEVER: Time = Time::from_ns(100 * 365 * 86_400 * 1_000_000_000);

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
            self.wait(fields.number(&["wait_ms"])?)?;
            fields.finish()?;
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

    /// Lets so many milliseconds pass.
    fn wait(&mut self, wait_ms: i64) -> Result<(), String> {
        let wait_ns = u64::try_from(wait_ms).ok().and_then(|ms| ms.checked_mul(1_000_000));
        let until = wait_ns.and_then(|ns| self.now.ns().checked_add(ns)).filter(|until| *until < NEVER.ns());
        self.now = Time::from_ns(
            until.ok_or_else(|| format!("`wait_ms` is {wait_ms}, expected 0 or more, less than a century"))?,
        );
        self.hear();
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(steps: &str) -> String {
        format!(r#"{{"scenarios": [{{"name": "a", "steps": [{steps}]}}]}}"#)
    }

    /// What the shared transcripts do not show, as a real server answered it.
    #[test]
    fn answers_are_those_of_a_real_server() {
        let steps = [
            r#"{"op": "put", "key": "a", "value": "x", "reply": {"rev": 1}}"#,
            r#"{"op": "watch", "id": "w", "key": "a", "from": 1, "prev_kv": true, "reply": {"ok": true}}"#,
            r#"{"op": "txn", "compare": [], "then": [{"op": "txn", "compare": [], "then": [{"op": "put", "key": "a", "value": "y"}], "else": []}, {"op": "txn", "compare": [], "then": [{"op": "delete", "key": "a"}], "else": []}], "reply": {"rev": 2, "succeeded": true, "responses": [{"succeeded": true, "responses": [{"rev": 2}]}, {"succeeded": true, "responses": [{"rev": 2, "deleted": 1}]}]}}"#,
            r#"{"events": [{"watch": "w", "type": "PUT", "key": "a", "value": "x", "mod": 1}, {"watch": "w", "type": "PUT", "key": "a", "value": "y", "mod": 2, "prev": {"key": "a", "value": "x", "create": 1, "mod": 1, "version": 1, "lease": 0}}, {"watch": "w", "type": "DELETE", "key": "a", "value": "", "mod": 2, "prev": {"key": "a", "value": "x", "create": 1, "mod": 1, "version": 1, "lease": 0}}]}"#,
            r#"{"op": "put", "key": "a", "value": "", "ignore_lease": true, "reply": {"error": "etcdserver: key not found"}}"#,
            r#"{"op": "put", "key": "a", "value": "x", "ignore_value": true, "reply": {"error": "etcdserver: value is provided"}}"#,
            r#"{"op": "compact", "rev": 2, "reply": {"rev": 2}}"#,
            r#"{"op": "compact", "rev": 2, "reply": {"error": "etcdserver: mvcc: required revision has been compacted"}}"#,
            r#"{"op": "watch", "id": "late", "key": "a", "from": 1, "reply": {"ok": true}}"#,
            r#"{"events": [{"watch": "late", "canceled": true, "compact": 2}]}"#,
            r#"{"op": "grant", "id": 5, "ttl": 9000000001, "reply": {"error": "etcdserver: too large lease TTL"}}"#,
            r#"{"op": "grant", "id": 5, "ttl": 2, "reply": {"id": 5, "ttl": 2}}"#,
            r#"{"op": "put", "key": "b", "lease": 5, "reply": {"rev": 3}}"#,
            r#"{"wait_ms": 2100}"#,
            r#"{"op": "keepalive", "id": 5, "reply": {"ttl": 0}}"#,
            r#"{"op": "get", "key": "b", "reply": {"rev": 4, "kvs": [], "count": 0, "more": false}}"#,
            r#"{"op": "leases", "reply": {"leases": []}}"#,
        ];
        let tally = play(&scenario(&steps.join(","))).expect("it is understood");
        assert_eq!((tally.replies, tally.first), (16, None));
    }

    #[test]
    fn another_answer_is_noticed_and_has_its_place() {
        let steps = r#"{"wait_ms": 5}, {"op": "put", "key": "a", "value": "x", "reply": {"rev": 2}}"#;
        let tally = play(&scenario(steps)).expect("it is understood");
        let first = tally.first.expect("a difference");
        assert_eq!((first.place.as_str(), first.answered.as_str()), ("scenario \"a\", step 1", r#"{"rev":1}"#));
    }

    #[test]
    fn what_is_not_understood_has_its_place() {
        for (steps, complaint) in [
            (r#"{"op": "jump", "reply": {}}"#, "\"jump\" is no operation of etcd"),
            (r#"{"op": "put", "reply": {}}"#, "`key` is missing"),
            (r#"{"op": "put", "key": "a"}"#, "`reply` is missing"),
            (r#"{"op": "put", "key": 7, "reply": {}}"#, "`key` is 7, expected a text"),
            (r#"{"op": "get", "key": "a", "prefx": true, "reply": {}}"#, "`prefx` is not known here"),
            (r#"{"op": "get", "key": "a", "limit": 1.5, "reply": {}}"#, "`limit` is 1.5, expected a whole number"),
            (r#"{"op": "get", "key": "a", "sort": "size", "reply": {}}"#, "`sort` is \"size\", expected"),
            (r#"{"op": "get", "key": "a", "prefix": true, "end": "b", "reply": {}}"#, "exclude each other"),
            (
                r#"{"op": "txn", "compare": [{"key": "a", "target": "mod", "result": "~", "v": 0}], "reply": {}}"#,
                "`result`",
            ),
            (r#"{"op": "txn", "then": [{"op": "grant"}], "reply": {}}"#, "no operation of a transaction"),
            (r#"{"op": "cancel", "id": "w", "reply": {}}"#, "nobody watches as \"w\""),
            (r#"{"wait_ms": -1}"#, "`wait_ms` is -1"),
            (r#"{"wait_ms": 9000000000000000000}"#, "less than a century"),
            ("7", "expected an object, found 7"),
        ] {
            let refusal = play(&scenario(steps)).expect_err(steps);
            let is_right = refusal.place == "scenario \"a\", step 0" && refusal.message.contains(complaint);
            assert!(is_right, "{steps}: {refusal:?}");
        }
    }
}
