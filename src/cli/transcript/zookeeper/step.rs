//! The steps of a conversation with ZooKeeper, as they are written down.

use serde::Deserialize;
use serde_json::Value;

/// One step of a conversation.
pub(super) enum Step {
    /// Time passes.
    Wait { wait_ms: u64 },
    /// What the watches have told since the last such step.
    Events { events: Vec<Value> },
    /// A session asks, and is answered.
    Ask { session: u64, asked: Asked, reply: Value },
}

/// What a session can ask.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(super) enum Asked {
    /// Connects; also done by whatever a session asks first.
    Open,
    /// Ends the session.
    Close,
    /// Is not heard of any more; the session is still there.
    Die,
    /// Connects again, with the session of before.
    #[serde(alias = "reconnect")]
    Reattach,
    Create(Create),
    /// Also answered by a stat.
    Create2(Create),
    Delete(Delete),
    Set(Set),
    Get(Read),
    Exists(Read),
    #[serde(alias = "get_children")]
    Children(Read),
    Multi {
        ops: Vec<Part>,
    },
    Sync {
        path: String,
    },
    AddWatch {
        path: String,
        mode: Mode,
    },
    RemoveWatches {
        path: String,
    },
}

/// A part of a multi.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(super) enum Part {
    Create(Create),
    Delete(Delete),
    #[serde(alias = "set_data")]
    Set(Set),
    Check(Check),
}

#[derive(Deserialize)]
pub(super) struct Create {
    pub(super) path: String,
    #[serde(default)]
    pub(super) data: Option<String>,
    #[serde(default)]
    pub(super) ephemeral: bool,
    #[serde(default)]
    pub(super) sequence: bool,
    #[serde(default)]
    pub(super) container: bool,
    #[serde(default, alias = "ttl")]
    pub(super) ttl_ms: Option<i64>,
}

#[derive(Deserialize)]
pub(super) struct Delete {
    pub(super) path: String,
    #[serde(default)]
    pub(super) version: Option<i32>,
}

#[derive(Deserialize)]
pub(super) struct Set {
    pub(super) path: String,
    #[serde(default)]
    pub(super) data: Option<String>,
    #[serde(default)]
    pub(super) version: Option<i32>,
}

#[derive(Deserialize)]
pub(super) struct Check {
    pub(super) path: String,
    #[serde(default)]
    pub(super) version: Option<i32>,
}

#[derive(Deserialize)]
pub(super) struct Read {
    pub(super) path: String,
    #[serde(default)]
    pub(super) watch: bool,
}

/// How long a watch lasts.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    #[serde(alias = "PERSISTENT")]
    Persistent,
    #[serde(alias = "PERSISTENT_RECURSIVE")]
    PersistentRecursive,
}

impl Step {
    /// Reads a step.
    ///
    /// # Errors
    ///
    /// What is not understood: a form that is none of the three, an operation that is not known, a field that
    /// is missing or of the wrong kind.
    pub(super) fn read(step: &Value) -> Result<Step, String> {
        let Value::Object(fields) = step else { return Err(format!("no object: {step}")) };
        if let Some(wait) = fields.get("wait_ms") {
            let wait_ms = wait.as_u64().ok_or("`wait_ms` is no whole number")?;
            return Ok(Step::Wait { wait_ms });
        }
        if let Some(events) = fields.get("events") {
            let events = events.as_array().ok_or("`events` is no list")?;
            return Ok(Step::Events { events: events.clone() });
        }
        let field = |name: &str| fields.get(name).ok_or_else(|| format!("field `{name}` is missing"));
        let session = field("session")?.as_u64().ok_or("`session` is no whole number")?;
        field("op")?;
        let asked = Asked::deserialize(step).map_err(|error| error.to_string())?;
        Ok(Step::Ask { session, asked, reply: field("reply")?.clone() })
    }
}
