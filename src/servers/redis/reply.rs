//! What a server answers, and what it answers when something is wrong.

use std::borrow::Cow;
use std::fmt;

/// A string of Redis: any bytes.
pub type Bytes = Vec<u8>;

/// A reply in the types of RESP2.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// `+OK`
    Status(String),
    /// `-ERR ...`, without the minus, the code first.
    Error(String),
    /// `:1`
    Int(i64),
    /// A missing string or a missing array: RESP2 has a spelling for each, and nobody tells them apart.
    Nil,
    /// A string.
    Bulk(Bytes),
    /// Several replies.
    Array(Vec<Reply>),
}

impl Reply {
    /// `+OK`
    pub(super) fn ok() -> Reply {
        Reply::Status("OK".to_owned())
    }

    pub(super) fn count(count: usize) -> Reply {
        Reply::Int(i64::try_from(count).expect("a count that fits"))
    }

    pub(super) fn flag(is_so: bool) -> Reply {
        Reply::Int(i64::from(is_so))
    }

    pub(super) fn bulk(bytes: impl Into<Bytes>) -> Reply {
        Reply::Bulk(bytes.into())
    }

    /// A string, or nil.
    pub(super) fn maybe(bytes: Option<&[u8]>) -> Reply {
        bytes.map_or(Reply::Nil, |bytes| Reply::Bulk(bytes.to_vec()))
    }

    /// Whether it is `+OK`.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        matches!(self, Reply::Status(status) if status == "OK")
    }
}

/// What a command comes to.
pub(super) type Answer = Result<Reply, Failure>;

/// An error reply: its code, a space, and a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Failure(pub(super) Cow<'static, str>);

impl Failure {
    const fn fixed(text: &'static str) -> Failure {
        Failure(Cow::Borrowed(text))
    }

    /// An error with the code ERR. Line ends become spaces, since a reply has one line.
    pub(super) fn err(text: impl fmt::Display) -> Failure {
        Failure(Cow::Owned(format!("ERR {text}").replace(['\r', '\n'], " ")))
    }

    pub(super) fn expire_time(command: &str) -> Failure {
        Failure::err(format_args!("invalid expire time in '{command}' command"))
    }

    pub(super) fn arity(command: &str) -> Failure {
        Failure::err(format_args!("wrong number of arguments for '{command}' command"))
    }
}

impl From<Failure> for Reply {
    fn from(failure: Failure) -> Reply {
        Reply::Error(failure.0.into_owned())
    }
}

// The texts of server.c (`createSharedObjects`) and of the functions that they name.
pub(super) const WRONG_TYPE: Failure =
    Failure::fixed("WRONGTYPE Operation against a key holding the wrong kind of value");
pub(super) const SYNTAX: Failure = Failure::fixed("ERR syntax error");
pub(super) const NO_KEY: Failure = Failure::fixed("ERR no such key");
pub(super) const NOT_INTEGER: Failure = Failure::fixed("ERR value is not an integer or out of range");
pub(super) const NOT_FLOAT: Failure = Failure::fixed("ERR value is not a valid float");
pub(super) const OVERFLOW: Failure = Failure::fixed("ERR increment or decrement would overflow");
pub(super) const NOT_POSITIVE: Failure = Failure::fixed("ERR value is out of range, must be positive");
pub(super) const INDEX_RANGE: Failure = Failure::fixed("ERR index out of range");
pub(super) const DB_RANGE: Failure = Failure::fixed("ERR DB index is out of range");
pub(super) const READ_ONLY: Failure = Failure::fixed("READONLY You can't write against a read only replica.");
pub(super) const ABORTED: Failure = Failure::fixed("EXECABORT Transaction discarded because of previous errors.");
