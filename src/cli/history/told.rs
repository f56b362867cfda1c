//! What a check of a history came to, as text and as JSON.

use super::{History, Kind};
use crate::oracle::history::{Action, Call, Excerpt, Finding, Outcome, Part, Violation};
use crate::oracle::linearizable::Verdict;
use crate::report::number::counted;
use crate::report::style::{BAD, GOOD, UNSURE, styled};
use serde_json::{Value, json};

/// How many calls of a window are shown.
const ROWS: usize = 24;
/// How many signs of a value are shown.
const SIGNS: usize = 48;

/// One JSON object, the fields of the interface first.
pub(super) fn object(history: &History, finding: &Finding) -> String {
    let verdict = match finding.verdict {
        Verdict::Linearizable => json!(true),
        Verdict::NotLinearizable => json!(false),
        Verdict::Undecided => json!(null),
    };
    let first = finding.violation.as_ref().filter(|violation| violation.is_first);
    let index = json!(first.and_then(|violation| history.notes[violation.call].index));
    let model = match history.kind {
        Kind::Register => "register",
        Kind::Kv => "kv",
        Kind::List => "list",
    };
    let excerpt = finding.violation.as_ref().and_then(|violation| violation.excerpt.as_ref());
    let window = excerpt.map_or(Value::Null, |excerpt| window(history, excerpt));
    format!(
        r#"{{"linearizable":{verdict},"first_bad_index":{index},"model":"{model}","operations":{},"keys":{},"clients":{},"undecided_keys":{},"window":{window}}}"#,
        history.operations,
        history.keys.len(),
        history.clients,
        finding.undecided,
    )
}

/// The shortest window, as JSON: indices of events.
fn window(history: &History, excerpt: &Excerpt) -> Value {
    let index = |at: usize| {
        let ends = |call: usize| {
            let (call, note) = (&history.calls[call], &history.notes[call]);
            if call.invoked == at { Some(note.invoked) } else { note.index.filter(|_| call.returned == Some(at)) }
        };
        excerpt.calls.iter().find_map(|call| ends(*call))
    };
    let calls = excerpt.core.iter().map(|call| {
        let note = &history.notes[*call];
        let told = told(history, &history.calls[*call], true);
        json!({ "client": note.client, "invoked": note.invoked, "returned": note.index, "call": told })
    });
    json!({
        "from_index": index(excerpt.from),
        "upto_index": index(excerpt.upto),
        "is_whole": excerpt.is_whole,
        "is_shortest": excerpt.is_shortest,
        "open_calls": excerpt.calls.len(),
        "calls": calls.collect::<Vec<Value>>(),
    })
}

/// The verdict on one line; for a violation, what it is, and the shortest window that shows it.
pub(super) fn described(file: &str, history: &History, finding: &Finding) -> String {
    let word = match finding.verdict {
        Verdict::Linearizable => styled(GOOD, "linearizable"),
        Verdict::NotLinearizable => styled(BAD, "not linearizable"),
        Verdict::Undecided => styled(UNSURE, "undecided"),
    };
    let counts = [(history.operations, "operation"), (history.keys.len(), "key"), (history.clients, "client")];
    let counts = counts.map(|(number, noun)| counted(number as u64, noun)).join(", ");
    let mut text = format!("{word}  {file}  {counts}\n");
    if let Some(violation) = &finding.violation {
        text += &broken(history, violation);
    }
    if finding.undecided > 0 {
        text +=
            &format!("  the budget was spent on {}; --budget raises it\n", counted(finding.undecided as u64, "key"));
    }
    text
}

fn broken(history: &History, violation: &Violation) -> String {
    let (call, note) = (&history.calls[violation.call], &history.notes[violation.call]);
    let upto = note.upto.expect("it returned");
    let index = note.index.expect("it returned");
    let first = if violation.is_first { "first at" } else { "at" };
    let mut text = format!("  {first:<9} line {upto}, index {index}\n");
    if let [part] = &call.parts[..]
        && !history.keys[part.object].is_empty()
    {
        text += &format!("  {:<9} {}\n", "key", history.keys[part.object]);
    }
    text += &format!("  {:<9} client {}: {}\n", "what", note.client, told(history, call, call.parts.len() > 1));
    let value = |value: &Option<String>| {
        value.as_deref().map_or("a value that nobody saw".to_owned(), |value| short(history.kind, value))
    };
    let before: Vec<String> = violation
        .before
        .iter()
        .map(|objects| match &objects[..] {
            [(_, only)] => value(only),
            several => several
                .iter()
                .map(|(object, state)| format!("{}: {}", history.keys[*object], value(state)))
                .collect::<Vec<String>>()
                .join(", "),
        })
        .collect();
    if !before.is_empty() {
        text += &format!("  {:<9} {}\n", "before", before.join(" or "));
    }
    if history.failed_swaps > 0 {
        let swaps = counted(history.failed_swaps as u64, "compare-and-swap");
        text += &format!("  {:<9} {swaps} failed; what that means is for --failed-cas to say\n", "note");
    }
    match &violation.excerpt {
        Some(excerpt) => text + "\n" + &shown(history, excerpt, violation.call),
        None => text,
    }
}

/// The shortest window: first what it is, then its calls, or if there are many those that matter.
fn shown(history: &History, excerpt: &Excerpt, bad: usize) -> String {
    let (calls, notes) = (&history.calls, &history.notes);
    let from = excerpt.calls.iter().find(|call| calls[**call].invoked == excerpt.from).map(|call| notes[*call].from);
    let upto = notes[bad].upto.expect("it returned");
    let begins = match (excerpt.is_whole, from) {
        (false, Some(from)) => format!("lines {from} to {upto}"),
        (true, _) | (false, None) => format!("lines up to {upto}, with what each key holds at first"),
    };
    let shortest = if excerpt.is_shortest {
        "the shortest window that nothing explains"
    } else {
        "a window that nothing explains"
    };
    let is_inside = |call: &usize| {
        calls[*call].invoked >= excerpt.from && calls[*call].returned.is_some_and(|at| at <= excerpt.upto)
    };
    let inside = excerpt.calls.iter().filter(|call| is_inside(call)).count();
    let mut rows = if inside <= ROWS || excerpt.core.is_empty() {
        excerpt.calls.iter().copied().filter(is_inside).collect()
    } else {
        excerpt.core.clone()
    };
    let more = rows.len().saturating_sub(ROWS);
    rows.drain(..more);
    let others = excerpt.calls.len() - rows.len();
    let mut text = format!("  {:<9} {begins}: {shortest}\n\n", "window");
    text += &table(history, &rows, |call| match call {
        call if call == bad => '>',
        call if excerpt.core.contains(&call) => '*',
        _ => ' ',
    });
    if !excerpt.core.is_empty() {
        text += "\n  no order of the marked calls is right, whatever the others did";
        text += &if others > 0 { format!(", {others} more among them\n") } else { "\n".to_owned() };
    }
    text
}

/// A row for each call.
fn table(history: &History, calls: &[usize], mark: impl Fn(usize) -> char) -> String {
    let mut objects = calls.iter().flat_map(|call| &history.calls[*call].parts).map(|part| part.object);
    let first = objects.next();
    let with_keys = objects.any(|object| Some(object) != first);
    let mut rows = vec![["client", "call", "from line", "to line"].map(str::to_owned)];
    rows.extend(calls.iter().map(|number| {
        let (call, note) = (&history.calls[*number], &history.notes[*number]);
        let upto = note.upto.filter(|_| call.returned.is_some()).map_or("unknown".to_owned(), |upto| upto.to_string());
        [note.client.clone(), told(history, call, with_keys), note.from.to_string(), upto]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..4).map(width).collect();
    let marks = std::iter::once(' ').chain(calls.iter().map(|call| mark(*call)));
    let line = |(mark, row): (char, &[String; 4])| {
        let [client, call, from, upto] = row;
        format!("{mark} {client:<0$}  {call:<1$}  {from:>2$}  {upto:>3$}\n", widths[0], widths[1], widths[2], widths[3])
    };
    marks.zip(&rows).map(line).collect()
}

/// A call in words; `with_keys`: with the key of each of its parts.
fn told(history: &History, call: &Call, with_keys: bool) -> String {
    let part = |part: &Part| {
        let key = &history.keys[part.object];
        let name = if with_keys && !key.is_empty() { format!(" {key}") } else { String::new() };
        let value = |value: &str| short(history.kind, value);
        match (&part.action, &part.outcome) {
            (Action::Read, Outcome::Saw(seen)) => format!("read{name} {}", value(seen)),
            (Action::Read, _) => format!("read{name}"),
            (Action::Write(text), _) => format!("write{name} {}", value(text)),
            (Action::Cas { from, to }, Outcome::Differed) => {
                format!("cas{name} {} to {}: another value", value(from), value(to))
            }
            (Action::Cas { from, to }, _) => format!("cas{name} {} to {}", value(from), value(to)),
            (Action::Append(text), _) => format!("append{name} {}", value(text).trim_matches(['[', ']'])),
        }
    };
    call.parts.iter().map(part).collect::<Vec<String>>().join(", ")
}

/// A value on one line, and of a long one its end: that is where appends differ.
fn short(kind: Kind, value: &str) -> String {
    let value = match kind {
        Kind::List => &format!("[{}]", value.trim_end()),
        Kind::Register | Kind::Kv if value.is_empty() => "\"\"",
        Kind::Register | Kind::Kv => value,
    };
    let signs: Vec<char> = value.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    match signs.len().checked_sub(SIGNS) {
        None | Some(0) => signs.into_iter().collect(),
        Some(more) => format!("...{}", signs[more..].iter().collect::<String>()),
    }
}
