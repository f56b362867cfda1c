//! Plays the transcripts of Redis.

use super::form::{Part, parts};
use super::{Refusal, Tally};
use crate::servers::redis::{Redis, Reply};
use serde_json::{Map, Value, json};

/// What the server's clock says when a part begins, in Unix milliseconds: any time will do.
const START_MS: i64 = 1_700_000_000_000;

/// Deletes the key if its value is the argument.
const COMPARE_AND_DELETE: &str =
    "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('del',KEYS[1]) else return 0 end";

/// Gives the key so many milliseconds to live if its value is the argument.
const COMPARE_AND_EXPIRE: &str =
    "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('pexpire',KEYS[1],ARGV[2]) else return 0 end";

pub(super) fn play(text: &str) -> Result<Tally, Refusal> {
    let mut tally = Tally::default();
    for part in parts(text)? {
        play_part(&part, &mut tally)?;
    }
    Ok(tally)
}

/// Each part meets an empty server. Between two waits no time passes.
fn play_part(part: &Part, tally: &mut Tally) -> Result<(), Refusal> {
    let (mut redis, mut now_ms) = (Redis::new(), START_MS);
    for (number, step) in part.steps.iter().enumerate() {
        let refusal = |message: &str| Refusal::at(&part.place, number, message);
        let step = step.as_object().ok_or_else(|| refusal("no object"))?;
        if let Some(wait) = step.get("wait_ms") {
            let wait =
                wait.as_i64().filter(|wait| *wait >= 0).ok_or_else(|| refusal("`wait_ms` is no whole number"))?;
            now_ms = now_ms.checked_add(wait).ok_or_else(|| refusal("`wait_ms` is too long"))?;
            redis.expire_due(now_ms);
        } else if let Some(event) = step.get("event") {
            match event.as_str() {
                Some("disconnect") => redis.disconnect(client(step).map_err(|message| refusal(&message))?),
                // What was recorded was recorded without persistence.
                Some("restart") => redis = Redis::new(),
                _ => return Err(refusal(&format!("{event} is no known event"))),
            }
        } else {
            let client = client(step).map_err(|message| refusal(&message))?;
            let words = words(step, "cmd").map_err(|message| refusal(&message))?;
            let expected = step.get("reply").ok_or_else(|| refusal("`reply` is missing"))?;
            let reply =
                redis.apply(now_ms, client, &spelled_out(&words, &part.settings).map_err(|message| refusal(&message))?);
            tally.compare(&part.place, number, &words.join(" "), expected, &value(&reply));
        }
    }
    Ok(())
}

fn client(step: &Map<String, Value>) -> Result<u64, String> {
    let client = step.get("client").ok_or("neither `client` nor `wait_ms` is there")?;
    client.as_u64().ok_or_else(|| format!("client {client} is no number"))
}

fn words(step: &Map<String, Value>, field: &str) -> Result<Vec<String>, String> {
    let words = step.get(field).ok_or_else(|| format!("`{field}` is missing"))?;
    let words =
        words.as_array().filter(|words| !words.is_empty()).ok_or_else(|| format!("`{field}` is no list of words"))?;
    let word = |word: &Value| match word {
        Value::String(word) => Ok(word.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(format!("{word} is no word of a command")),
    };
    words.iter().map(word).collect()
}

/// The command that the server was sent: CAD and CAE stand for two scripts.
fn spelled_out(words: &[String], settings: &Map<String, Value>) -> Result<Vec<String>, String> {
    let script = |name: &str, usual: &str| {
        let own = settings.get("scripts").and_then(|scripts| scripts.get(name)).and_then(Value::as_str);
        own.unwrap_or(usual).to_owned()
    };
    let script = match words[0].as_str() {
        "CAD" => script("CAD", COMPARE_AND_DELETE),
        "CAE" => script("CAE", COMPARE_AND_EXPIRE),
        _ => return Ok(words.to_vec()),
    };
    let [_, key, arguments @ ..] = words else { return Err(format!("{} without a key", words[0])) };
    let eval = ["EVAL".to_owned(), script, "1".to_owned(), key.clone()];
    Ok([&eval, arguments].concat())
}

/// A reply as transcripts write it.
pub(in super::super) fn value(reply: &Reply) -> Value {
    match reply {
        Reply::Status(status) => json!({ "t": "status", "v": status }),
        Reply::Error(error) => json!({ "t": "error", "v": error }),
        Reply::Int(int) => json!({ "t": "int", "v": int }),
        Reply::Nil => json!({ "t": "nil" }),
        Reply::Bulk(bytes) => json!({ "t": "bulk", "v": String::from_utf8_lossy(bytes) }),
        Reply::Array(replies) => json!({ "t": "array", "v": replies.iter().map(value).collect::<Vec<Value>>() }),
    }
}
