//! What a transcript leaves open: fields that not every recording has, measured times, and the order of events.

use serde_json::{Map, Value};

/// How far a time to live that is marked `approx_ttl` may be off, in seconds.
const TTL_TOLERANCE: i64 = 1;

/// Gives `answered` the form of `expected` in all that is left open. What differs afterwards is a difference.
pub(super) fn settle(expected: &Value, answered: &mut Value) {
    match (expected, answered) {
        (Value::Object(expected), Value::Object(answered)) => {
            settle_time(expected, answered);
            answered.retain(|name, value| expected.contains_key(name) || !is_left_out(name, value));
            for (name, value) in answered {
                if let Some(expected) = expected.get(name) {
                    settle(expected, value);
                }
            }
        }
        (Value::Array(expected), Value::Array(answered)) => {
            for (expected, answered) in expected.iter().zip(answered) {
                settle(expected, answered);
            }
        }
        _ => {}
    }
}

/// Whether a recording may lack such a field: one that says nothing, or the mark that a limit left some keys out.
fn is_left_out(name: &str, value: &Value) -> bool {
    match name {
        "more" => true,
        "prev" | "rev" => value.is_null() || value.as_array().is_some_and(Vec::is_empty),
        _ => false,
    }
}

fn settle_time(expected: &Map<String, Value>, answered: &mut Map<String, Value>) {
    let (Some(wanted), Some(ttl)) = (expected.get("ttl"), answered.get("ttl").and_then(Value::as_i64)) else {
        return;
    };
    let granted = answered.get("granted").and_then(Value::as_i64).unwrap_or(0);
    let is_about = *wanted == "about" && (0..=granted).contains(&ttl);
    let is_marked = expected.get("approx_ttl") == Some(&Value::Bool(true));
    let is_near = is_marked && wanted.as_i64().is_some_and(|wanted| (wanted - ttl).abs() <= TTL_TOLERANCE);
    if is_about || is_near {
        answered.insert("ttl".to_owned(), wanted.clone());
    }
    if is_marked {
        answered.insert("approx_ttl".to_owned(), Value::Bool(true));
    }
}

/// Puts events in the order of transcripts: by watcher. Changes of one revision, which come together, are put in the
/// order of their keys; revisions stay in the order in which they came.
pub(super) fn sort_events(events: &mut [Value]) {
    events.sort_by(|a, b| text(a, "watch").cmp(text(b, "watch")));
    let is_together = |a: &Value, b: &Value| a.get("watch") == b.get("watch") && a.get("mod") == b.get("mod");
    for together in events.chunk_by_mut(is_together) {
        together.sort_by(|a, b| (text(a, "key"), text(a, "type")).cmp(&(text(b, "key"), text(b, "type"))));
    }
}

fn text<'a>(event: &'a Value, field: &str) -> &'a str {
    event.get(field).and_then(Value::as_str).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_left_open_is_settled() {
        for (expected, answered, same) in [
            (json!({"rev": 1}), json!({"rev": 1, "prev": null}), true),
            (json!({"rev": 1}), json!({"rev": 1, "prev": {"key": "a"}}), false),
            (json!({"kvs": [], "count": 3}), json!({"kvs": [], "count": 3, "more": true}), true),
            (json!({"count": 3, "more": false}), json!({"count": 3, "more": true}), false),
            (json!({"ttl": 59, "granted": 60, "approx_ttl": true}), json!({"ttl": 58, "granted": 60}), true),
            (json!({"ttl": 59, "granted": 60, "approx_ttl": true}), json!({"ttl": 57, "granted": 60}), false),
            (json!({"ttl": 59, "granted": 60}), json!({"ttl": 58, "granted": 60}), false),
            (json!({"ttl": "about", "granted": 60}), json!({"ttl": 59, "granted": 60}), true),
            (json!({"ttl": "about", "granted": 60}), json!({"ttl": -1, "granted": 0}), false),
        ] {
            let mut settled = answered.clone();
            settle(&expected, &mut settled);
            assert_eq!(settled == expected, same, "{expected} {answered}");
        }
    }

    #[test]
    fn revisions_are_not_put_in_order() {
        let event = |watch: &str, key: &str, revision: i64| json!({"watch": watch, "key": key, "mod": revision});
        let mut events = vec![event("b", "x", 1), event("a", "z", 3), event("a", "y", 3), event("a", "x", 2)];
        sort_events(&mut events);
        assert_eq!(events, [event("a", "y", 3), event("a", "z", 3), event("a", "x", 2), event("b", "x", 1)]);
    }
}
