//! Counting replies that are, and are not, as they were recorded.

use super::{Difference, Tally};
use serde_json::Value;

/// How far a number that was measured in real time may be off, in milliseconds.
const TOLERANCE_MS: f64 = 25.0;

impl Tally {
    /// Counts a reply, and whether it is the recorded one. Where the recorded one is marked `"approx": true`, numbers
    /// may be off by 25.
    ///
    /// `part` is a scenario's name or a seed as [`super::form::Part::place`] has it, `step` counts from 0.
    pub(super) fn compare(&mut self, part: &str, step: usize, sent: &str, expected: &Value, answered: &Value) {
        self.replies += 1;
        if is_alike(expected, answered, false) {
            return;
        }
        self.different += 1;
        self.first.get_or_insert_with(|| Difference {
            place: format!("{part}, step {step}"),
            sent: sent.to_owned(),
            expected: expected.to_string(),
            answered: answered.to_string(),
        });
    }
}

/// Whether two values are the same, but for the mark and what it allows.
fn is_alike(expected: &Value, answered: &Value, is_approximate: bool) -> bool {
    match (expected, answered) {
        (Value::Object(expected), Value::Object(answered)) => {
            let is_approximate = is_approximate || expected.get("approx") == Some(&Value::Bool(true));
            let is_field = |name: &&String| *name != "approx";
            let is_found = |name: &String| match (expected.get(name), answered.get(name)) {
                (Some(expected), Some(answered)) => is_alike(expected, answered, is_approximate),
                (Some(_), None) | (None, _) => false,
            };
            expected.keys().filter(is_field).eq(answered.keys().filter(is_field))
                && expected.keys().filter(is_field).all(is_found)
        }
        (Value::Array(expected), Value::Array(answered)) => {
            expected.len() == answered.len()
                && expected
                    .iter()
                    .zip(answered)
                    .all(|(expected, answered)| is_alike(expected, answered, is_approximate))
        }
        (Value::Number(left), Value::Number(right)) if is_approximate => match (left.as_f64(), right.as_f64()) {
            (Some(left), Some(right)) => (left - right).abs() <= TOLERANCE_MS,
            _ => left == right,
        },
        _ => expected == answered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_marked_numbers_may_be_off_and_only_by_a_little() {
        for (expected, answered, same) in [
            (json!({"t": "int", "v": 7}), json!({"t": "int", "v": 7}), true),
            (json!({"t": "int", "v": 7}), json!({"t": "int", "v": 8}), false),
            (json!({"t": "int", "v": 7, "approx": true}), json!({"t": "int", "v": 32}), true),
            (json!({"t": "int", "v": 7, "approx": true}), json!({"t": "int", "v": 33}), false),
            (json!({"t": "int", "v": 7, "approx": true}), json!({"t": "nil"}), false),
            (json!({"t": "int", "v": 7}), json!({"t": "int", "v": 7, "more": null}), false),
            (json!([1, 2]), json!([1]), false),
            (json!([{"v": 1}]), json!([{"v": 1}]), true),
        ] {
            assert_eq!(is_alike(&expected, &answered, false), same, "{expected} {answered}");
        }
    }

    #[test]
    fn the_first_difference_is_kept_and_all_are_counted() {
        let mut tally = Tally::default();
        for (step, answered) in [1, 2, 3].into_iter().enumerate() {
            tally.compare("seed 4", step, "INCR n", &json!(1), &json!(answered));
        }
        assert_eq!((tally.replies, tally.different), (3, 2));
        let first = tally.first.expect("a difference");
        assert_eq!((first.place.as_str(), first.answered.as_str()), ("seed 4, step 1", "2"));
    }
}
