//! What the values of events say: keys, what is asked, what is answered.

use super::entry::{Action, Entry};
use super::{Kind, Mistake};
use crate::oracle::history::{self, Outcome};
use serde_json::Value;

/// One thing that a client asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Asked {
    pub(super) key: String,
    pub(super) action: history::Action,
}

/// How the values of a history are to be read.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) kind: Kind,
    /// The initial value, as the calls have values.
    pub(super) initial: String,
    /// Whether values are of the form `[key value]`.
    is_keyed: bool,
}

impl Reader {
    /// # Errors
    /// If nothing of that kind can be at first what `initial` says.
    pub(super) fn new(entries: &[Entry], kind: Option<Kind>, initial: Option<&str>) -> Result<Reader, Mistake> {
        let clients = || entries.iter().filter(|entry| entry.client.is_some());
        let is_keyed = clients().all(is_keyed);
        let of_lists = |entry: &Entry| {
            let parts = parts(inner(entry, is_keyed)).into_iter().flatten();
            entry.action == Action::Txn && parts.into_iter().any(|part| part.f == "append")
        };
        let kind = kind.unwrap_or_else(|| match () {
            () if clients().any(of_lists) => Kind::List,
            () if clients().any(|entry| entry.is_textual) => Kind::Kv,
            () => Kind::Register,
        });
        let initial = match (kind, initial) {
            (Kind::Kv, initial) => initial.unwrap_or_default().to_owned(),
            (kind, None | Some("nil")) => text(kind, &Value::Null).expect("nothing is a value"),
            (kind, Some(initial)) => {
                let value = serde_json::from_str(initial).unwrap_or_else(|_| Value::from(initial));
                text(kind, &value).map_err(|(message, cure)| Mistake::new(0, format!("--initial: {message}"), cure))?
            }
        };
        Ok(Reader { kind, initial, is_keyed })
    }

    /// What an invocation asks for.
    ///
    /// # Errors
    /// If the value is not what it must be.
    pub(super) fn asked(&self, entry: &Entry) -> Result<Vec<Asked>, Mistake> {
        let (key, value) = (self.key(entry), inner(entry, self.is_keyed));
        if entry.action == Action::Txn {
            let one = |part: Part<'_>| {
                let action = self.action(entry.line, part.action(entry.line)?, part.value)?;
                Ok(Asked { key: part.key_in(&key), action })
            };
            return parts_of(entry, value)?.into_iter().map(one).collect();
        }
        Ok(vec![Asked { key, action: self.action(entry.line, entry.action, value)? }])
    }

    /// What a call has answered that is completed by this event. What was asked for in line `from` must be there again.
    ///
    /// # Errors
    /// If the value is not what it must be.
    pub(super) fn outcomes(&self, entry: &Entry, asked: &[Asked], from: usize) -> Result<Vec<Outcome>, Mistake> {
        let value = inner(entry, self.is_keyed);
        if entry.action != Action::Txn {
            let Asked { action, .. } = &asked[0];
            return Ok(vec![self.outcome(entry.line, action, value)?]);
        }
        let answered = parts_of(entry, value)?;
        let key = self.key(entry);
        let is_same = |(part, asked): (&Part<'_>, &Asked)| {
            let is_alike = match (part.action(entry.line), &asked.action) {
                (Ok(Action::Read), history::Action::Read) => true,
                (Ok(action), asked) => self.action(entry.line, action, part.value).is_ok_and(|action| action == *asked),
                (Err(_), _) => false,
            };
            is_alike && asked.key == part.key_in(&key)
        };
        if answered.len() != asked.len() || !answered.iter().zip(asked).all(is_same) {
            return Err(Mistake::new(
                entry.line,
                format!("this is not the transaction of line {from}"),
                "give the completion what its invocation asks for, with what was read",
            ));
        }
        answered.iter().zip(asked).map(|(part, asked)| self.outcome(entry.line, &asked.action, part.value)).collect()
    }

    fn key(&self, entry: &Entry) -> String {
        let key = match entry.value.as_ref().filter(|_| self.is_keyed) {
            Some(Value::Array(values)) => values.first(),
            _ => entry.key.as_ref(),
        };
        key.map(name).unwrap_or_default()
    }

    fn action(&self, line: usize, action: Action, value: Option<&Value>) -> Result<history::Action, Mistake> {
        let wrong = |message: &str, cure: &str| Err(Mistake::new(line, message, cure));
        match (action, value) {
            (Action::Read, _) => Ok(history::Action::Read),
            (Action::Write, Some(value)) => Ok(history::Action::Write(self.text(line, value)?)),
            (Action::Append, Some(_)) if self.kind == Kind::Register => {
                wrong("nothing is appended to a register", "say --model kv, or --model list")
            }
            (Action::Append, Some(value)) if self.kind == Kind::List => Ok(history::Action::Append(element(value))),
            (Action::Append, Some(value)) => Ok(history::Action::Append(self.text(line, value)?)),
            (Action::Cas, Some(Value::Array(values))) if values.len() == 2 => {
                Ok(history::Action::Cas { from: self.text(line, &values[0])?, to: self.text(line, &values[1])? })
            }
            (Action::Cas, _) => wrong("a compare-and-swap has two values", "write [from, to] as its value"),
            (Action::Write | Action::Append, None) => wrong("the event has no value", "say what was written"),
            (Action::Txn | Action::Foreign, _) => unreachable!("only what is done to one object is read here"),
        }
    }

    fn outcome(&self, line: usize, action: &history::Action, value: Option<&Value>) -> Result<Outcome, Mistake> {
        match (action, value) {
            (history::Action::Read, Some(value)) => Ok(Outcome::Saw(self.text(line, value)?)),
            (history::Action::Read, None) => {
                Err(Mistake::new(line, "the event has no value", "say what was read, or null"))
            }
            _ => Ok(Outcome::Done),
        }
    }

    fn text(&self, line: usize, value: &Value) -> Result<String, Mistake> {
        text(self.kind, value).map_err(|(message, cure)| Mistake::new(line, message, cure))
    }
}

/// A part of a transaction: what is done to which object.
struct Part<'a> {
    f: &'a str,
    key: &'a Value,
    value: Option<&'a Value>,
}

impl Part<'_> {
    /// The name of the object, in a history whose transactions may have a key themselves.
    fn key_in(&self, outer: &str) -> String {
        if outer.is_empty() { name(self.key) } else { format!("{outer} {}", name(self.key)) }
    }

    fn action(&self, line: usize) -> Result<Action, Mistake> {
        match self.f {
            "r" | "read" => Ok(Action::Read),
            "w" | "write" => Ok(Action::Write),
            "append" => Ok(Action::Append),
            "cas" => Ok(Action::Cas),
            other => Err(Mistake::new(
                line,
                format!("a transaction has no part {other}"),
                "a part is [\"r\", key, null], [\"w\", key, value], [\"append\", key, value] or [\"cas\", key, [from, to]]",
            )),
        }
    }
}

/// The parts of a transaction, if the value is one.
fn parts(value: Option<&Value>) -> Option<Vec<Part<'_>>> {
    value?.as_array()?.iter().map(part_of).collect()
}

fn part_of(value: &Value) -> Option<Part<'_>> {
    match value.as_array()?.as_slice() {
        [Value::String(f), key, rest @ ..] if rest.len() < 2 => {
            Some(Part { f: f.strip_prefix(':').unwrap_or(f), key, value: rest.first() })
        }
        _ => None,
    }
}

fn parts_of<'a>(entry: &Entry, value: Option<&'a Value>) -> Result<Vec<Part<'a>>, Mistake> {
    parts(value).filter(|parts| !parts.is_empty()).ok_or_else(|| {
        Mistake::new(
            entry.line,
            "the value is no transaction",
            "write a list of its parts, for example [[\"r\", \"x\", null], [\"w\", \"y\", 1]]",
        )
    })
}

/// Whether the value may be a key and a value.
fn is_keyed(entry: &Entry) -> bool {
    let pair = |value: &Value| value.as_array().is_some_and(|pair| pair.len() == 2);
    let Some(Value::Array(values)) = entry.value.as_ref().filter(|value| entry.key.is_none() && pair(value)) else {
        return false;
    };
    match entry.action {
        Action::Cas => pair(&values[1]),
        Action::Txn => !values[0].is_array() && parts(Some(&values[1])).is_some(),
        _ => true,
    }
}

/// The value, without its key.
fn inner(entry: &Entry, is_keyed: bool) -> Option<&Value> {
    match entry.value.as_ref() {
        Some(Value::Array(values)) if is_keyed => values.get(1),
        value => value,
    }
}

fn name(key: &Value) -> String {
    key.as_str().map_or_else(|| key.to_string(), str::to_owned)
}

/// What an object holds, as a text: of a register, JSON; of a kv, the text itself; of a list, its elements, each with its
/// end. `null` is no text, and an empty list.
fn text(kind: Kind, value: &Value) -> Result<String, (String, &'static str)> {
    match (kind, value) {
        (Kind::Register, value) => Ok(value.to_string()),
        (Kind::Kv | Kind::List, Value::Null) => Ok(String::new()),
        (Kind::Kv, Value::String(text)) => Ok(text.clone()),
        (Kind::Kv, value) => Ok(value.to_string()),
        (Kind::List, Value::Array(elements)) => Ok(elements.iter().map(element).collect()),
        (Kind::List, value) => Err((format!("{value} is no list"), "write a list, for example [1, 2]")),
    }
}

/// An element of a list. JSON shows where it ends, a blank that no number goes on.
fn element(value: &Value) -> String {
    format!("{value} ")
}
