//! A recorded history is judged as other checkers judge it, in every form, and what is no history is refused.
//!
//! `tests/history/` has histories of an etcd cluster and of a key-value server, converted from the test data of Porcupine
//! (MIT licence), whose verdicts they are.

mod program;

use program::squall;
use serde_json::{Value, json};
use std::fs;

#[path = "history/bad.rs"]
mod bad;
#[path = "history/random.rs"]
mod random;
#[path = "history/txn.rs"]
mod txn;

/// The histories, and the index of the first event that nothing explains.
const RECORDED: [(&str, Option<u64>); 4] =
    [("register-bad.jsonl", Some(35)), ("register-ok.jsonl", None), ("kv-bad.jsonl", Some(59)), ("kv-ok.jsonl", None)];

fn recorded(file: &str) -> String {
    program::recorded("history", file)
}

/// A new file with this text, by its path.
fn file(name: &str, text: &[u8]) -> String {
    program::file("history", name, text)
}

fn judged(file: &str, words: &[&str]) -> Value {
    let said = squall(&[&["check-history", file, "--format", "json"], words].concat());
    let last = said.out.lines().last().unwrap_or_else(|| panic!("{file}: {said:?}"));
    let last: Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{file}: {error}: {said:?}"));
    let code = match &last["linearizable"] {
        Value::Bool(true) => 0,
        Value::Bool(false) => 100,
        _ => 3,
    };
    assert_eq!((said.code, said.err.as_str()), (Some(code), ""), "{file}: {last}");
    last
}

/// An event as Jepsen writes it.
fn edn(event: &Value, is_tuple: bool) -> String {
    let plain = |value: &Value| value.to_string().replace("null", "nil").replace(',', " ");
    let value = match (&event["key"], &event["value"]) {
        (Value::Null, value) => plain(value),
        (key, value) if is_tuple => format!("[{} {}]", plain(key), plain(value)),
        (_, value) => plain(value),
    };
    let key = if is_tuple || event["key"].is_null() { String::new() } else { format!(", :key {}", event["key"]) };
    let word = |name: &str| event[name].as_str().expect("a word").to_owned();
    format!("{{:process {}, :type :{}, :f :{}, :value {value}{key}}}", event["process"], word("type"), word("f"))
}

#[test]
fn every_recorded_history_is_judged_as_by_others_in_every_form() {
    for (name, first) in RECORDED {
        let path = recorded(name);
        let plain = judged(&path, &[]);
        assert_eq!(
            (&plain["linearizable"], &plain["first_bad_index"]),
            (&json!(first.is_none()), &json!(first)),
            "{name}"
        );
        let text = fs::read_to_string(&path).expect("a history");
        let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        for is_tuple in [false, true] {
            let lines: Vec<String> = events.iter().map(|event| edn(event, is_tuple)).collect();
            let nemesis = "{:process :nemesis, :type :info, :f :start, :value nil}";
            let vector = format!("[{}]", lines.join("\n "));
            let twin = judged(&file(&format!("{name}.edn"), lines.join("\n").as_bytes()), &[]);
            assert_eq!(twin, plain, "{name}");
            assert_eq!(judged(&file(&format!("{name}.vector.edn"), vector.as_bytes()), &[]), plain, "{name}");
            let disturbed = judged(&file(&format!("{name}.nemesis.edn"), (lines.join("\n") + nemesis).as_bytes()), &[]);
            assert_eq!(disturbed, plain, "{name}");
        }
        let array = serde_json::to_string_pretty(&events).expect("JSON");
        assert_eq!(judged(&file(&format!("{name}.json"), array.as_bytes()), &[]), plain, "{name}");
    }
}

fn event(process: u64, kind: &str, f: &str, value: Value) -> String {
    json!({"process": process, "type": kind, "f": f, "value": value}).to_string() + "\n"
}

#[test]
fn what_a_failed_swap_means_decides() {
    let wrote = event(0, "invoke", "write", json!(1)) + &event(0, "ok", "write", json!(1));
    let swap = event(1, "invoke", "cas", json!([1, 2])) + &event(1, "fail", "cas", json!([1, 2]));
    let path = file("failed-cas.jsonl", (wrote + &swap).as_bytes());
    assert_eq!(judged(&path, &[])["first_bad_index"], 3);
    assert_eq!(judged(&path, &["--failed-cas", "other-value"])["linearizable"], false);
    assert_eq!(judged(&path, &["--failed-cas", "not-applied"])["linearizable"], true);
}

#[test]
fn the_initial_value_is_what_is_said() {
    let read = |value: Value| event(0, "invoke", "read", json!(null)) + &event(0, "ok", "read", value);
    let path = file("initial.jsonl", read(json!(7)).as_bytes());
    assert_eq!(judged(&path, &[])["linearizable"], false);
    assert_eq!(judged(&path, &["--initial", "7"])["linearizable"], true);
    let word = file("word.jsonl", read(json!("a")).as_bytes());
    assert_eq!(judged(&word, &["--initial", "a"])["linearizable"], true);
    assert_eq!(judged(&word, &["--initial", "a", "--model", "kv"])["linearizable"], true);
    assert_eq!(judged(&word, &["--model", "kv"])["linearizable"], false);
}

#[test]
fn what_is_unknown_may_happen_late_or_never_and_what_failed_does_not() {
    let write = |end: &str| {
        event(0, "invoke", "write", json!(1))
            + &if end.is_empty() { String::new() } else { event(0, end, "write", json!(1)) }
    };
    let read = |value: Value| event(1, "invoke", "read", json!(null)) + &event(1, "ok", "read", value);
    for (end, seen, linearizable) in [
        ("info", vec![json!(null), json!(1)], true),
        ("", vec![json!(null), json!(1)], true),
        ("", vec![json!(1), json!(null)], false),
        ("ok", vec![json!(null)], false),
        ("fail", vec![json!(null)], true),
        ("fail", vec![json!(1)], false),
    ] {
        let text = write(end) + &seen.iter().cloned().map(read).collect::<String>();
        let path = file("unknown.jsonl", text.as_bytes());
        assert_eq!(judged(&path, &[])["linearizable"], linearizable, "{text}");
    }
}

#[test]
fn a_violation_is_told_with_the_calls_around_it() {
    let said = squall(&["check-history", &recorded("register-bad.jsonl"), "--color", "never"]);
    for part in [
        "not linearizable",
        "1 key",
        "first at  line 36, index 35",
        "shortest window",
        "from line",
        "\n> ",
        "--failed-cas",
    ] {
        assert!(said.out.contains(part), "{part} is not in\n{}", said.out);
    }
    let said = squall(&["check-history", &recorded("kv-bad.jsonl"), "--color", "never"]);
    assert!(said.out.contains("key       "), "{}", said.out);
    assert_eq!(squall(&["check-history", &recorded("kv-ok.jsonl"), "-q"]).out, "");
}

#[test]
fn what_is_no_history_is_refused_with_its_place() {
    let invoke = event(0, "invoke", "read", json!(null));
    for (text, place, part) in [
        (String::new(), " ", "nothing is in it"),
        (invoke.clone() + "{\"process\":0,", "2:13: ", "not JSON"),
        (invoke.clone() + "7\n", "2: ", "no event"),
        (invoke.clone() + &invoke, "2: ", "asks before its call of line 1 is over"),
        (event(0, "ok", "read", json!(1)), "1: ", "asked for nothing"),
        (invoke.clone() + &event(0, "ok", "write", json!(1)), "2: ", "something else in line 1"),
        (event(0, "done", "read", json!(1)), "1: ", "no type done"),
        (event(0, "invoke", "pop", json!(1)), "1: ", "no f pop"),
        (event(0, "invoke", "cas", json!(1)), "1: ", "write [from, to]"),
        ("{\"type\":\"invoke\"}".to_owned(), "1: ", "no process"),
        ("{:process 0, :type :invoke\n :f}".to_owned(), "2:4: ", "`f` has no value"),
        ("[{:process 0, :type :invoke, :f :read, :value nil}".to_owned(), "1:51: ", "close it with ]"),
        ("\u{1f}nonsense".to_owned(), "1: ", "no event"),
    ] {
        let path = file("wrong", text.as_bytes());
        let said = squall(&["check-history", &path]);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{text}: {said:?}");
        assert!(said.err.contains(&format!("{path}:{place}")) && said.err.contains(part), "{text}: {}", said.err);
    }
    for bytes in [&b"\x1f\x8b\x08"[..], b"\xff\xfe\n", b"\n\x80"] {
        assert_eq!(squall(&["check-history", &file("wrong", bytes)]).code, Some(2));
    }
    let said = squall(&["check-history", &recorded("kv-ok.jsonl"), "--model", "register"]);
    assert!(said.code == Some(2) && said.err.contains("say --model kv"), "{said:?}");
    assert_eq!(squall(&["check-history", "/nowhere"]).code, Some(2));
}
