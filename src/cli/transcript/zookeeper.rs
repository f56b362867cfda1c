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
