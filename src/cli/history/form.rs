//! The forms of a history: a JSON object a line, EDN maps, or one vector of either.

use super::entry::Entry;
use super::{Mistake, edn};
use serde_json::Value;

/// The events of a history, in whichever form it is.
///
/// # Errors
/// If it is none, with the line that is wrong.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, Mistake> {
    let values = if is_lines_of_json(text) { lines(text)? } else { edn::values(text)? };
    if values.is_empty() {
        return Err(Mistake::new(
            0,
            "nothing is in it",
            "write an event a line, for example {\"process\":0,\"type\":\"invoke\",\"f\":\"read\",\"value\":null}",
        ));
    }
    values.iter().enumerate().map(|(number, (line, value))| Entry::of(number as u64, *line, value)).collect()
}

/// Whether the first event begins as one in JSON does: a brace, and then a quotation mark.
fn is_lines_of_json(text: &str) -> bool {
    text.trim_start().strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with('"'))
}

fn lines(text: &str) -> Result<Vec<(usize, Value)>, Mistake> {
    let full = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let value = |(number, line): (usize, &str)| match serde_json::from_str(line) {
        Ok(value) => Ok((number, value)),
        Err(error) => {
            // The library adds the place, in bytes, to what it says.
            let told = error.to_string();
            let what = told.rsplit_once(" at line ").map_or(told.as_str(), |(what, _)| what);
            let upto = line.floor_char_boundary(error.column().saturating_sub(1));
            let column = line[..upto].chars().count() + 1;
            let (message, cure) = match what {
                "recursion limit exceeded" => {
                    ("this is nested too deeply".to_owned(), "an event is an object of plain values")
                }
                what => (format!("this is not JSON: {what}"), "write one object a line"),
            };
            Err(Mistake { line: number, column, message, cure: cure.to_owned() })
        }
    };
    full.map(value).collect()
}
