//! One event of a history: who, what, and whether it begins or ends.

use super::Mistake;
use serde_json::{Map, Number, Value};

/// One event.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Entry {
    pub(super) line: usize,
    /// What the event says of its index, else how many are before it.
    pub(super) index: u64,
    /// `None` if it is no client: whoever injects faults, for example.
    pub(super) client: Option<String>,
    pub(super) kind: Kind,
    pub(super) action: Action,
    /// Whether the word for that is one of those that are used for texts: get, put and append.
    pub(super) is_textual: bool,
    pub(super) key: Option<Value>,
    /// `None` if the event says nothing of a value.
    pub(super) value: Option<Value>,
}

/// What an event is in the life of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Invoke,
    Ok,
    Fail,
    Info,
}

/// What was asked for. `get` and `put` are other words for reads and writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Action {
    Read,
    Write,
    Cas,
    Append,
    /// Several of these at one instant.
    Txn,
    /// Of one who is no client.
    Foreign,
}

impl Entry {
    /// # Errors
    /// If the value is no event.
    pub(super) fn of(number: u64, line: usize, value: &Value) -> Result<Entry, Mistake> {
        let Value::Object(fields) = value else {
            return Err(Mistake::new(
                line,
                "this is no event",
                "an event is an object with process, type, f and value",
            ));
        };
        let index = fields.get("index").and_then(Value::as_u64).unwrap_or(number);
        let client = client(fields, line)?;
        let (kind, action) = match client {
            Some(_) => (kind(fields, line)?, action(fields, line)?),
            None => (Kind::Info, Action::Foreign),
        };
        if let Some(number) = ["key", "value"].into_iter().filter_map(|name| fields.get(name)).find_map(inexact) {
            let message = format!("{number} is too large to be told from its neighbours");
            return Err(Mistake::new(line, message, "write such numbers as texts"));
        }
        let key = fields.get("key").filter(|key| !key.is_null()).cloned();
        let f = fields.get("f").and_then(Value::as_str).unwrap_or_default();
        let is_textual = ["get", "put", "append"].contains(&f.strip_prefix(':').unwrap_or(f));
        Ok(Entry { line, index, client, kind, action, is_textual, key, value: fields.get("value").cloned() })
    }
}

/// A number in the value of which only some of the digits have been kept.
fn inexact(value: &Value) -> Option<&Number> {
    /// From here on not every whole number is one of floating point.
    const EXACT: f64 = (1_u64 << 53) as f64;
    match value {
        Value::Number(number) if number.is_f64() => {
            Some(number).filter(|number| number.as_f64() >= Some(EXACT) || number.as_f64() <= Some(-EXACT))
        }
        Value::Array(values) => values.iter().find_map(inexact),
        Value::Object(fields) => fields.values().find_map(inexact),
        Value::Number(_) | Value::Null | Value::Bool(_) | Value::String(_) => None,
    }
}

fn client(fields: &Map<String, Value>, line: usize) -> Result<Option<String>, Mistake> {
    match fields.get("process") {
        Some(Value::Number(number)) if number.as_i64().is_some_and(|number| number < 0) => Ok(None),
        Some(Value::String(name)) if name == "nemesis" || name.starts_with(':') => Ok(None),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(Value::String(name)) => Ok(Some(name.clone())),
        Some(other) => {
            Err(Mistake::new(line, format!("process {other} is neither a number nor a name"), "write process: 0"))
        }
        None => Err(Mistake::new(line, "the event has no process", "say which client it is of: process: 0")),
    }
}

/// A word, whether it is a text or a keyword.
fn word<'a>(fields: &'a Map<String, Value>, name: &str, line: usize, cure: &str) -> Result<&'a str, Mistake> {
    match fields.get(name) {
        Some(Value::String(word)) => Ok(word.strip_prefix(':').unwrap_or(word)),
        Some(other) => Err(Mistake::new(line, format!("{name} {other} is no word"), cure)),
        None => Err(Mistake::new(line, format!("the event has no {name}"), cure)),
    }
}

fn kind(fields: &Map<String, Value>, line: usize) -> Result<Kind, Mistake> {
    let cure = "type is invoke, ok, fail or info";
    match word(fields, "type", line, cure)? {
        "invoke" => Ok(Kind::Invoke),
        "ok" => Ok(Kind::Ok),
        "fail" => Ok(Kind::Fail),
        "info" => Ok(Kind::Info),
        other => Err(Mistake::new(line, format!("there is no type {other}"), cure)),
    }
}

fn action(fields: &Map<String, Value>, line: usize) -> Result<Action, Mistake> {
    let cure = "f is read, write, cas, get, put, append or txn";
    match word(fields, "f", line, cure)? {
        "read" | "get" => Ok(Action::Read),
        "write" | "put" => Ok(Action::Write),
        "cas" => Ok(Action::Cas),
        "append" => Ok(Action::Append),
        "txn" => Ok(Action::Txn),
        other => Err(Mistake::new(line, format!("there is no f {other}"), cure)),
    }
}
