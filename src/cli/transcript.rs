//! `squall check-transcript`: does our model of a server answer as a recorded real one did?

mod etcd;
mod form;
mod postgres;
mod redis;
mod tally;
mod zookeeper;

use super::Exit;
use super::arguments::{Detail, Format};
use super::terminal::Terminal;
use crate::report::number::counted;
use crate::report::style::{BAD, GOOD, styled};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;

/// Play a recorded conversation with a real server against our model of it
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  squall check-transcript --server redis recorded.json
  squall check-transcript --server redis random.jsonl --format json | jq .different

Exit codes:
  0    the model gave every recorded reply
  100  it gave another
  2    wrong usage, or a file that is no transcript of that server")]
pub(super) struct CheckTranscript {
    /// What was recorded
    #[arg(long, value_name = "SERVER", env = "SQUALL_SERVER", hide_env = true)]
    server: Server,

    /// The transcript: a document of named scenarios, or random sequences, one a line; - is standard input
    file: PathBuf,

    /// How to write the results
    #[arg(long, env = "SQUALL_FORMAT", default_value = "human", hide_env = true)]
    format: Format,
}

/// The servers that there are models of.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Server {
    /// etcd 3.4
    Etcd,
    /// PostgreSQL 15
    Postgres,
    /// Redis 7.0
    Redis,
    /// ZooKeeper 3.8
    Zookeeper,
}

/// What became of a transcript: how many replies there were, how many of them differed, and the first of those.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Tally {
    /// Replies that were compared.
    pub(super) replies: u64,
    /// Those that differed.
    pub(super) different: u64,
    /// The first of those that differed.
    pub(super) first: Option<Difference>,
}

/// A reply that is not the recorded one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Difference {
    /// Where it stands: the scenario's name or the seed, and the step's number, from 0.
    pub(super) place: String,
    /// What was asked.
    pub(super) sent: String,
    /// What the real server had answered.
    pub(super) expected: String,
    /// What the model answered.
    pub(super) answered: String,
}

/// Why a transcript cannot be played: a form that is not understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refusal {
    /// Where it stands; empty if it is about the whole text.
    pub(super) place: String,
    /// What is wrong.
    pub(super) message: String,
}

pub(super) fn check(check: &CheckTranscript, detail: Detail, terminal: &mut Terminal) -> io::Result<Exit> {
    let file = check.file.display().to_string();
    let text = match text_of(check) {
        Ok(text) => text,
        Err(error) => return refuse(&format!("{file}: {error}"), check.format, terminal),
    };
    let played = match check.server {
        Server::Etcd => etcd::play(&text),
        Server::Postgres => postgres::play(&text),
        Server::Redis => redis::play(&text),
        Server::Zookeeper => zookeeper::play(&text),
    };
    match played {
        Ok(tally) => tell(&file, &tally, check.format, detail, terminal),
        Err(Refusal { place, message }) => {
            let place = if place.is_empty() { file } else { format!("{file}: {place}") };
            refuse(&format!("{place}: {message}"), check.format, terminal)
        }
    }
}

/// The text of the file, `-` being standard input.
fn text_of(check: &CheckTranscript) -> io::Result<String> {
    if check.file.as_os_str() != "-" {
        return fs::read_to_string(&check.file);
    }
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text)?;
    Ok(text)
}

fn refuse(message: &str, format: Format, terminal: &mut Terminal) -> io::Result<Exit> {
    match format {
        Format::Human => terminal.error(message),
        Format::Json => terminal.raw(&format!("{}\n", json!({ "error": message })))?,
    }
    Ok(Exit::Usage)
}

fn tell(file: &str, tally: &Tally, format: Format, detail: Detail, terminal: &mut Terminal) -> io::Result<Exit> {
    let exit = if tally.different == 0 { Exit::Done } else { Exit::Unmet };
    match format {
        Format::Json => terminal.raw(&(summary(tally) + "\n"))?,
        Format::Human if tally.different == 0 && detail == Detail::Quiet => {}
        Format::Human => terminal.result(&described(file, tally))?,
    }
    Ok(exit)
}

/// The tally as one JSON object, its fields in the order of the interface.
fn summary(tally: &Tally) -> String {
    let first = tally.first.as_ref().map_or(Value::Null, |first| {
        json!({ "place": first.place, "sent": first.sent, "expected": first.expected, "answered": first.answered })
    });
    format!(r#"{{"replies":{},"different":{},"first":{first}}}"#, tally.replies, tally.different)
}

fn described(file: &str, tally: &Tally) -> String {
    let answers = counted(tally.replies, "answer");
    let Some(first) = &tally.first else {
        return format!("{}  {file}  {answers}, all as recorded\n", styled(GOOD, "ok"));
    };
    format!(
        "{}  {file}  {} of {answers} differ; the first:\n  at        {}\n  sent      {}\n  expected  {}\n  answered  {}\n",
        styled(BAD, "differs"),
        tally.different,
        first.place,
        first.sent,
        first.expected,
        first.answered,
    )
}
