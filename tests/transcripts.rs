//! Models of servers answer as recorded real ones did, and the program notices when they do not.
//!
//! The transcripts were recorded from real servers on one machine; `tests/transcripts/` has excerpts.

mod program;

use program::{Said, squall};
use serde_json::{Value, json};
use std::fs;

/// The servers, and what there is of each.
const RECORDED: [(&str, &str); 11] = [
    ("postgres", "postgres.json"),
    ("postgres", "postgres.jsonl"),
    ("postgres", "postgres-more.json"),
    ("redis", "redis.json"),
    ("redis", "redis.jsonl"),
    ("redis", "redis-commands.jsonl"),
    ("redis", "redis-scripts.json"),
    ("etcd", "etcd.json"),
    ("etcd", "etcd.jsonl"),
    ("zookeeper", "zookeeper.json"),
    ("zookeeper", "zookeeper.jsonl"),
];

fn recorded(file: &str) -> String {
    program::recorded("transcripts", file)
}

/// A new file with this text, by its path.
fn file(name: &str, text: &str) -> String {
    program::file("transcripts", name, text.as_bytes())
}

fn check(server: &str, file: &str) -> (Said, Value) {
    let said = squall(&["check-transcript", "--server", server, file, "--format", "json"]);
    let last = said.out.lines().last().unwrap_or_else(|| panic!("{file}: {said:?}"));
    let last = serde_json::from_str(last).unwrap_or_else(|error| panic!("{file}: {error}: {said:?}"));
    (said, last)
}

#[test]
fn every_recorded_reply_is_given() {
    for (server, file) in RECORDED {
        let (said, last) = check(server, &recorded(file));
        assert!(last["first"].is_null() && last["different"] == 0, "{file}: {last:#}");
        assert!(last["replies"].as_u64().is_some_and(|replies| replies > 50), "{file}: {last}");
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{file}");
    }
}

/// The places of all replies in a transcript.
fn replies<'a>(value: &'a mut Value, found: &mut Vec<&'a mut Value>) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| replies(value, found)),
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == "reply" { found.push(value) } else { replies(value, found) }
            }
        }
        _ => {}
    }
}

#[test]
fn one_changed_reply_is_noticed_wherever_it_stands() {
    for (server, name) in RECORDED {
        let text = fs::read_to_string(recorded(name)).expect("a transcript");
        let lines: Vec<Value> = match serde_json::from_str(&text) {
            Ok(document) => vec![document],
            Err(_) => text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect(),
        };
        let count = {
            let (mut lines, mut found) = (lines.clone(), Vec::new());
            lines.iter_mut().for_each(|line| replies(line, &mut found));
            found.len()
        };
        for changed in [0, count / 2, count - 1] {
            let (mut lines, mut found) = (lines.clone(), Vec::new());
            lines.iter_mut().for_each(|line| replies(line, &mut found));
            *found[changed] = json!({ "t": "bulk", "v": "never said" });
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let (said, last) = check(server, &file(&format!("changed-{name}"), &text));
            assert_eq!((said.code, last["different"].as_u64()), (Some(100), Some(1)), "{name}, reply {changed}");
            let place = last["first"]["place"].as_str().expect("a place");
            assert!(place.contains("step "), "{place}");
            assert!(last["first"]["expected"].as_str().expect("a reply").contains("never said"), "{last}");
        }
    }
}

#[test]
fn people_are_told_the_first_difference() {
    let text = r#"{"seed": 3, "steps": [{"client": 0, "cmd": ["INCR", "n"], "reply": {"t": "int", "v": 7}}]}"#;
    let said = squall(&["check-transcript", "--server", "redis", &file("told.jsonl", text)]);
    assert_eq!((said.code, said.err.as_str()), (Some(100), ""));
    for part in ["1 of 1 answer differ", "seed 3, step 0", "INCR n", r#"{"t":"int","v":7}"#, r#"{"t":"int","v":1}"#] {
        assert!(said.out.contains(part), "{part} is not in\n{}", said.out);
    }
}

#[test]
fn what_is_no_transcript_is_refused_with_its_place() {
    let step = |step: &str| format!("{{\"seed\": 1, \"steps\": [{step}]}}");
    for (text, part) in [
        (String::new(), "nothing is in it"),
        ("{".to_owned(), "not JSON"),
        ("[1]".to_owned(), "neither `scenarios`"),
        ("{\"scenarios\": [{\"name\": \"a\"}]}".to_owned(), "scenario \"a\": `steps` is missing"),
        (step("7"), "seed 1, step 0: no object"),
        (step("{\"cmd\": [\"GET\", \"a\"], \"reply\": {}}"), "neither `client` nor `wait_ms` is there"),
        (step("{\"client\": 0, \"reply\": {}}"), "`cmd` is missing"),
        (step("{\"client\": 0, \"cmd\": [], \"reply\": {}}"), "`cmd` is no list of words"),
        (step("{\"client\": 0, \"cmd\": [\"PING\"]}"), "`reply` is missing"),
        (step("{\"wait_ms\": \"soon\"}"), "`wait_ms` is no whole number"),
        (step("{\"event\": \"flood\"}"), "is no known event"),
    ] {
        let said = squall(&["check-transcript", "--server", "redis", &file("wrong.json", &text)]);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{text}");
        assert!(said.err.contains(part) && said.err.contains("wrong.json"), "{part} is not in\n{}", said.err);
    }
    let said = squall(&["check-transcript", "--server", "redis", "/nowhere"]);
    assert!(said.code == Some(2) && said.err.contains("/nowhere"), "{said:?}");
}
