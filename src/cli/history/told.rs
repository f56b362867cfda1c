//! What a check of a history came to, as text and as JSON.

use super::{History, Kind};
use crate::oracle::history::{Action, Call, Finding, Outcome, Violation};
use crate::oracle::linearizable::Verdict;
use crate::report::number::counted;
use crate::report::style::{BAD, GOOD, UNSURE, styled};
use serde_json::json;

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
    };
    format!(
        r#"{{"linearizable":{verdict},"first_bad_index":{index},"model":"{model}","operations":{},"keys":{},"clients":{},"undecided_keys":{}}}"#,
        history.operations,
        history.keys.len(),
        history.clients,
        finding.undecided,
    )
}

/// The verdict on one line; for a violation, what it is, and the calls around it.
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
    let key = &history.keys[call.object];
    if history.keys.len() > 1 || !key.is_empty() {
        text += &format!("  {:<9} {key}\n", "key");
    }
    text += &format!("  {:<9} client {}: {}\n", "what", note.client, told(call));
    let before: Vec<String> = violation
        .before
        .iter()
        .map(|value| value.as_deref().map_or("a value that nobody saw".to_owned(), short))
        .collect();
    if !before.is_empty() {
        text += &format!("  {:<9} {}\n", "before", before.join(" or "));
    }
    if history.failed_swaps > 0 {
        let swaps = counted(history.failed_swaps as u64, "compare-and-swap");
        text += &format!("  {:<9} {swaps} failed; what that means is for --failed-cas to say\n", "note");
    }
    text + "\n" + &table(history, violation.call)
}

/// The calls that were open together with the one that is not explained, and those that returned last before it was invoked.
fn table(history: &History, bad: usize) -> String {
    let (calls, notes) = (&history.calls, &history.notes);
    let end = calls[bad].returned.expect("it returned");
    let same = |call: &Call| call.object == calls[bad].object && call.invoked < end;
    let ends = |number: usize| calls[number].returned.unwrap_or(usize::MAX);
    let mut window: Vec<usize> = (0..calls.len()).filter(|number| same(&calls[*number])).collect();
    // Those that ended long ago are told by the value before.
    window.sort_by_key(|number| std::cmp::Reverse(ends(*number)));
    let open = window.iter().filter(|number| ends(**number) > calls[bad].invoked).count();
    window.truncate((open + 3).min(ROWS));
    if !window.contains(&bad) {
        window.push(bad);
    }
    window.sort_by_key(|number| calls[*number].invoked);
    let mut rows = vec![["client", "call", "from line", "to line"].map(str::to_owned)];
    rows.extend(window.iter().map(|number| {
        let note = &notes[*number];
        let upto = match (calls[*number].returned, note.upto) {
            (Some(_), Some(upto)) => upto.to_string(),
            _ => "unknown".to_owned(),
        };
        [note.client.clone(), told(&calls[*number]), note.from.to_string(), upto]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..4).map(width).collect();
    let marks = std::iter::once(' ').chain(window.iter().map(|number| if *number == bad { '>' } else { ' ' }));
    let line = |(mark, row): (char, &[String; 4])| {
        let [client, call, from, upto] = row;
        format!("{mark} {client:<0$}  {call:<1$}  {from:>2$}  {upto:>3$}\n", widths[0], widths[1], widths[2], widths[3])
    };
    marks.zip(&rows).map(line).collect()
}

fn told(call: &Call) -> String {
    match (&call.action, &call.outcome) {
        (Action::Read, Outcome::Saw(value)) => format!("read {}", short(value)),
        (Action::Read, _) => "read".to_owned(),
        (Action::Write(value), _) => format!("write {}", short(value)),
        (Action::Cas { from, to }, Outcome::Differed) => format!("cas {} to {}: another value", short(from), short(to)),
        (Action::Cas { from, to }, _) => format!("cas {} to {}", short(from), short(to)),
        (Action::Append(value), _) => format!("append {}", short(value)),
    }
}

/// A value on one line, and of a long one its end: that is where appends differ.
fn short(value: &str) -> String {
    let value = if value.is_empty() { "\"\"" } else { value };
    let signs: Vec<char> = value.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    match signs.len().checked_sub(SIGNS) {
        None | Some(0) => signs.into_iter().collect(),
        Some(more) => format!("...{}", signs[more..].iter().collect::<String>()),
    }
}
