//! `squall check-history`: is a recorded history linearizable?

mod edn;
mod entry;
mod form;
mod pair;
mod told;
mod values;

use super::Exit;
use super::arguments::{Detail, Format, at_least_one};
use super::terminal::Terminal;
use crate::oracle::history::{Call, EFFORT, check as decide};
use crate::oracle::linearizable::Verdict;
use clap::{Args, ValueEnum};
use flate2::read::MultiGzDecoder;
use serde_json::json;
use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::num::NonZeroU64;
use std::path::PathBuf;

/// Say whether a recorded history of concurrent clients is linearizable
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  squall check-history history.jsonl
  squall check-history store/latest/history.edn --initial 0 --failed-cas not-applied
  zcat kv.jsonl.gz | squall check-history - --model kv --format json | jq .first_bad_index

A history is an event a line, as JSON or as EDN, or one vector of them, and may be compressed with gzip. An event has \
process, type (invoke, ok, fail or info), f (read, write, cas, append; get and put are read and write), value, and \
where there is more than one object key, or a value of the form [key value]. What is done to several keys at one \
instant has the f txn, and as its value a list of parts, [[\"r\", \"x\", null], [\"w\", \"y\", 1]] or [[:r :x nil] [:append \
:y 1]]; the completion has the same parts, with what was read. Keys that are never used together are looked at apart.

Trap: fail says that a call did not happen, but some clients write it for a compare-and-swap that took place and saw \
another value. --failed-cas says which; the wrong one turns verdicts around.

Exit codes:
  0    linearizable
  100  not linearizable
  2    wrong usage, or a file that is no history
  3    the budget was spent before a verdict")]
pub(super) struct CheckHistory {
    /// What was recorded; - is standard input
    file: PathBuf,

    /// What each key holds [default: list if a txn appends, kv if anything is appended, put or got, else register]
    #[arg(long, env = "SQUALL_MODEL", hide_env = true)]
    model: Option<Kind>,

    /// What each key holds at first: for a register JSON or a word, for kv a text, for list JSON [default: null, no text, []]
    #[arg(long, value_name = "VALUE", env = "SQUALL_INITIAL", hide_env = true, allow_hyphen_values = true)]
    initial: Option<String>,

    /// What a compare-and-swap has done that is recorded as `fail`
    #[arg(long, env = "SQUALL_FAILED_CAS", default_value = "other-value", hide_env = true)]
    failed_cas: FailedCas,

    /// Give a key up after so many comparisons; some hundred million take a second
    #[arg(long, value_name = "N", env = "SQUALL_BUDGET", hide_env = true, value_parser = at_least_one)]
    budget: Option<NonZeroU64>,

    /// How to write the results
    #[arg(long, env = "SQUALL_FORMAT", default_value = "human", hide_env = true)]
    format: Format,
}

/// The objects that there are models of.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Kind {
    /// A value that is read, written, and compared and swapped
    Register,
    /// A text that is got, put, and appended to
    Kv,
    /// A list that is read, written, and appended to
    List,
}

/// What `fail` means for a compare-and-swap.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum FailedCas {
    /// It saw another value than it expected
    OtherValue,
    /// It did not happen; nothing is known of what it would have seen
    NotApplied,
}

/// A text that is no history: where, what is wrong, and what would be right.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Mistake {
    /// From 1; 0 if it is about the whole text.
    line: usize,
    /// From 1, in characters; 0 if it is about the whole line.
    column: usize,
    message: String,
    cure: String,
}

impl Mistake {
    fn new(line: usize, message: impl Into<String>, cure: impl Into<String>) -> Mistake {
        Mistake { line, column: 0, message: message.into(), cure: cure.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (0, _) => write!(f, " ")?,
            (line, 0) => write!(f, "{line}: ")?,
            (line, column) => write!(f, "{line}:{column}: ")?,
        }
        write!(f, "{}; {}", self.message, self.cure)
    }
}

/// A history, taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
struct History {
    kind: Kind,
    /// The initial value, as the calls have values.
    initial: String,
    calls: Vec<Call>,
    /// Of each call: who, and where it stands in the file.
    notes: Vec<Note>,
    /// The names of the objects; that of a single one may be empty.
    keys: Vec<String>,
    clients: usize,
    /// Invocations, whatever became of them.
    operations: usize,
    failed_swaps: usize,
}

/// What a call is in the file.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Note {
    client: String,
    /// The index of the invocation.
    invoked: u64,
    /// Lines of the invocation and of the completion, if there is one.
    from: usize,
    upto: Option<usize>,
    /// The index of the completion.
    index: Option<u64>,
}

pub(super) fn check(check: &CheckHistory, detail: Detail, terminal: &mut Terminal) -> io::Result<Exit> {
    let file = check.file.display().to_string();
    let history =
        text_of(check).and_then(|text| form::entries(&text)).and_then(|entries| pair::paired(&entries, check));
    let history = match history {
        Ok(history) => history,
        Err(mistake) => return refuse(&format!("{file}:{mistake}"), check.format, terminal),
    };
    let finding = decide(&history.calls, &history.initial, check.budget.map_or(EFFORT, NonZeroU64::get));
    let exit = match finding.verdict {
        Verdict::Linearizable => Exit::Done,
        Verdict::NotLinearizable => Exit::Unmet,
        Verdict::Undecided => Exit::Inconclusive,
    };
    match check.format {
        Format::Json => terminal.raw(&(told::object(&history, &finding) + "\n"))?,
        Format::Human if exit == Exit::Done && detail == Detail::Quiet => {}
        Format::Human => terminal.result(&told::described(&file, &history, &finding))?,
    }
    Ok(exit)
}

/// The text of the file, `-` being standard input, unpacked if it is packed.
fn text_of(check: &CheckHistory) -> Result<String, Mistake> {
    let unread =
        |error: io::Error| Mistake::new(0, error.to_string(), "name a file of events, or - for standard input");
    let mut bytes = Vec::new();
    if check.file.as_os_str() == "-" {
        io::stdin().lock().read_to_end(&mut bytes).map_err(unread)?;
    } else {
        bytes = fs::read(&check.file).map_err(unread)?;
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let packed = std::mem::take(&mut bytes);
        MultiGzDecoder::new(&packed[..]).read_to_end(&mut bytes).map_err(|error| {
            let message = format!("this cannot be unpacked: {error}");
            Mistake::new(0, message, "pack it again with gzip; the file may have been cut off")
        })?;
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let upto = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..upto].iter().filter(|byte| **byte == b'\n').count() + 1;
        Mistake::new(line, "this is not UTF-8", "a history is text, JSON or EDN, or that packed with gzip")
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

fn refuse(message: &str, format: Format, terminal: &mut Terminal) -> io::Result<Exit> {
    match format {
        Format::Human => terminal.error(message),
        Format::Json => terminal.raw(&format!("{}\n", json!({ "error": message })))?,
    }
    Ok(Exit::Usage)
}
