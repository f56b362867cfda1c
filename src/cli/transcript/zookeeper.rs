//! Conversations with ZooKeeper: some sessions of one server, of which one may die.
//!
//! The recorded sessions spoke through the client kazoo, with a fresh node as `/`.

mod player;
mod step;

use super::{Refusal, Tally, form};
use player::Player;
use serde_json::{Value, json};
use step::Step;

/// Plays all parts of a transcript, each from the beginning.
pub(super) fn play(text: &str) -> Result<Tally, Refusal> {
    let mut tally = Tally::default();
    for part in form::parts(text)? {
        let timeout_ms = match part.settings.get("session_timeout_ms") {
            None => player::TIMEOUT_MS,
            Some(timeout) => timeout
                .as_u64()
                .ok_or_else(|| Refusal::of(part.place.as_str(), "`session_timeout_ms` is no whole number"))?,
        };
        let mut player = Player::new(timeout_ms);
        for (number, step) in part.steps.iter().enumerate() {
            let refuse = |message| Refusal::at(&part.place, number, message);
            match Step::read(step).map_err(refuse)? {
                Step::Wait { wait_ms } => player.wait(wait_ms).map_err(refuse)?,
                Step::Events { events } => {
                    let (expected, told) = (sorted(events), sorted(player.events()));
                    tally.compare(&part.place, number, "the events since", &expected, &told);
                }
                Step::Ask { session, asked, reply } => {
                    let answered = player.ask(session, &asked);
                    tally.compare(&part.place, number, &sent(step), &reply, &answered);
                }
            }
        }
    }
    Ok(tally)
}

/// What was asked, as it stands in the transcript.
fn sent(step: &Value) -> String {
    let mut sent = step.clone();
    if let Value::Object(fields) = &mut sent {
        fields.remove("reply");
    }
    sent.to_string()
}

/// Watches of several sessions tell in no definite order.
fn sorted(mut events: Vec<Value>) -> Value {
    events.sort_by_cached_key(Value::to_string);
    json!(events)
}

#[cfg(test)]
mod tests {
    use super::play;
    use serde_json::{Value, json};

    /// Plays steps of one part, and gives back what was answered to the last one.
    fn last(steps: &[Value]) -> String {
        let mut steps = steps.to_vec();
        let last = steps.last_mut().expect("a step").as_object_mut().expect("an object");
        let reply = if last.contains_key("events") { "events" } else { "reply" };
        last.insert(reply.to_owned(), json!(["not this"]));
        let text = json!({ "scenarios": [{ "name": "a", "session_timeout_ms": 600, "steps": steps }] }).to_string();
        let tally = play(&text).expect("it is understood");
        assert_eq!(tally.different, 1, "{tally:?}");
        tally.first.expect("a difference").answered
    }

    fn step(session: u64, op: &str, path: &str) -> Value {
        json!({ "session": session, "op": op, "path": path, "watch": true, "ephemeral": true, "reply": null })
    }

    /// The steps with the replies that they get.
    fn answered(steps: &[Value]) -> Vec<Value> {
        let mut so_far: Vec<Value> = Vec::new();
        for step in steps {
            so_far.push(step.clone());
            if step.get("op").is_some() {
                let reply = serde_json::from_str(&last(&so_far)).expect("JSON");
                so_far.last_mut().expect("a step")["reply"] = reply;
            }
        }
        so_far
    }

    #[test]
    fn who_dies_expires_after_a_timeout_and_up_to_a_tick() {
        let held = [step(0, "create", "/lock"), step(1, "exists", "/lock"), step(0, "die", "/")];
        let after = |wait_ms: u64, then: Value| {
            let steps = answered(&held);
            last(&[&steps[..], &[json!({ "wait_ms": wait_ms }), then]].concat())
        };
        assert_eq!(after(799, json!({ "events": [] })), "[]");
        assert_eq!(after(800, json!({ "events": [] })), r#"[{"path":"/lock","session":1,"type":"DELETED"}]"#);
        assert_eq!(after(799, step(0, "reattach", "/")), r#"{"ok":true}"#);
        assert_eq!(after(800, step(0, "reattach", "/")), r#"{"error":"SessionExpired"}"#);
        assert_eq!(after(60_000, step(1, "create", "/lock")), r#"{"path":"/lock"}"#);
    }

    #[test]
    fn paths_are_as_the_client_makes_them() {
        for (path, sequence, expected) in [
            ("/a/", false, "/a"),
            ("a", false, "/a"),
            ("//a", false, "/a"),
            ("/", true, "/0000000000"),
            ("/n-", true, "/n-0000000000"),
        ] {
            let create = json!({ "session": 0, "op": "create", "path": path, "sequence": sequence, "reply": null });
            assert_eq!(last(&[create]), json!({ "path": expected }).to_string(), "{path}");
        }
        assert_eq!(last(&[step(0, "create", "/")]), r#"{"error":"NodeExists"}"#);
        assert_eq!(last(&[step(0, "sync", "/")]), r#"{"path":"/"}"#);
    }

    #[test]
    fn what_is_not_understood_has_its_place() {
        for (step, message) in [
            (json!(7), "no object: 7"),
            (json!({ "op": "get" }), "field `session` is missing"),
            (json!({ "session": 0, "reply": 1 }), "field `op` is missing"),
            (json!({ "session": 0, "op": "lock", "reply": 1 }), "unknown variant `lock`"),
            (json!({ "session": 0, "op": "get", "reply": 1 }), "missing field `path`"),
            (json!({ "session": 0, "op": "get", "path": "/a" }), "field `reply` is missing"),
            (json!({ "wait_ms": -1 }), "`wait_ms` is no whole number"),
            (json!({ "wait_ms": u64::MAX }), "`wait_ms` is too long"),
            (json!({ "events": {} }), "`events` is no list"),
        ] {
            let text = json!({ "seed": 3, "steps": [{ "events": [] }, step] }).to_string();
            let refusal = play(&text).expect_err("it is refused");
            assert_eq!(refusal.place, "seed 3, step 1");
            assert!(refusal.message.contains(message), "{refusal:?}");
        }
    }
}
