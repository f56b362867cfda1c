//! What is done to several keys at one instant, in JSON and as Jepsen writes it.

use super::{file, judged};
use crate::program::squall;
use serde_json::{Value, json};
use std::panic::Location;

/// Transactions one after the other or over each other: who, whether it begins, and the parts.
fn lines(events: &[(u64, &str, Value)]) -> String {
    let line = |(process, kind, value): &(u64, &str, Value)| {
        json!({"process": process, "type": kind, "f": "txn", "value": value}).to_string() + "\n"
    };
    events.iter().map(line).collect()
}

/// The same as EDN.
fn edn(events: &[(u64, &str, Value)]) -> String {
    fn plain(value: &Value) -> String {
        match value {
            Value::Null => "nil".to_owned(),
            Value::String(word) => format!(":{word}"),
            Value::Array(values) => format!("[{}]", values.iter().map(plain).collect::<Vec<_>>().join(" ")),
            other => other.to_string(),
        }
    }
    let line = |(process, kind, value): &(u64, &str, Value)| {
        format!("{{:process {process}, :type :{kind}, :f :txn, :value {}}}\n", plain(value))
    };
    events.iter().map(line).collect()
}

/// Both forms are judged alike, with this index of the first bad event.
#[track_caller]
fn check(events: &[(u64, &str, Value)], words: &[&str], first: Option<u64>) -> Value {
    let name = format!("txn-{}", Location::caller().line());
    let told = judged(&file(&format!("{name}.jsonl"), lines(events).as_bytes()), words);
    assert_eq!(
        (&told["linearizable"], &told["first_bad_index"]),
        (&json!(first.is_none()), &json!(first)),
        "{events:?}"
    );
    let mut twin = judged(&file(&format!("{name}.edn"), edn(events).as_bytes()), words);
    if first.is_some() {
        // The calls are told in other words.
        twin["window"]["calls"] = told["window"]["calls"].clone();
    }
    assert_eq!(twin["window"], told["window"]);
    assert_eq!(twin["first_bad_index"], told["first_bad_index"]);
    told
}

#[test]
fn two_keys_are_read_at_one_instant() {
    let write = json!([["w", "x", 1], ["w", "y", 1]]);
    let read = |x: Value, y: Value| json!([["r", "x", x], ["r", "y", y]]);
    let nothing = read(Value::Null, Value::Null);
    let history = |first: Value, second: Value| {
        [
            (0, "invoke", write.clone()),
            (1, "invoke", nothing.clone()),
            (1, "ok", first),
            (1, "invoke", nothing.clone()),
            (1, "ok", second),
            (0, "ok", write.clone()),
        ]
    };
    let (old, new) = (read(json!(null), json!(null)), read(json!(1), json!(1)));
    check(&history(old.clone(), new.clone()), &[], None);
    check(&history(new.clone(), new.clone()), &[], None);
    // Half of it, or new and then old again.
    check(&history(read(json!(1), json!(null)), new.clone()), &[], Some(2));
    let told = check(&history(new, old), &[], Some(4));
    assert_eq!(told["model"], "register");
    assert_eq!(told["keys"], 2);
    assert_eq!(told["window"]["from_index"], 1);
    assert_eq!(told["window"]["upto_index"], 4);
}

#[test]
fn each_key_by_itself_may_be_right_and_both_together_wrong() {
    let pair = |one: [Value; 3], other: [Value; 3]| json!([one, other]);
    let r = |key: &str, value: Value| [json!("r"), json!(key), value];
    let w = |key: &str| [json!("w"), json!(key), json!(1)];
    // Two that each read what the other has not yet written: write skew.
    let events = [
        (0, "invoke", pair(r("x", json!(null)), w("y"))),
        (1, "invoke", pair(r("y", json!(null)), w("x"))),
        (0, "ok", pair(r("x", json!(null)), w("y"))),
        (1, "ok", pair(r("y", json!(null)), w("x"))),
    ];
    check(&events, &[], Some(3));
}

#[test]
fn lists_are_appended_to_and_read_whole() {
    let append = |key: u64, value: u64| json!([["append", key, value]]);
    let read = |value: Value| json!([["r", 7, value]]);
    let events = |seen: Value| {
        [
            (0, "invoke", append(7, 1)),
            (0, "ok", append(7, 1)),
            (1, "invoke", append(7, 12)),
            (1, "ok", append(7, 12)),
            (0, "invoke", read(json!(null))),
            (0, "ok", read(seen)),
        ]
    };
    let told = check(&events(json!([1, 12])), &[], None);
    assert_eq!(told["model"], "list");
    for wrong in [json!([12, 1]), json!([1]), json!(null), json!([1, 1, 2]), json!([11, 2])] {
        check(&events(wrong), &[], Some(5));
    }
    check(&events(json!([5, 1, 12])), &["--initial", "[5]"], None);
    let said =
        squall(&["check-history", &file("list.jsonl", lines(&events(json!([12]))).as_bytes()), "--color", "never"]);
    assert!(said.out.contains("read [12]"), "{}", said.out);
    // The second append could be in the list or not: the first is what is missing.
    assert!(said.out.contains("* 0       append 1 ") && said.out.contains("  1       append 12"), "{}", said.out);
}

#[test]
fn keys_are_one_object_only_if_they_are_used_together() {
    let once = |key: u64, value: u64| json!([["w", key, value]]);
    let mut events = Vec::new();
    for key in 0..40 {
        events.extend([(key, "invoke", once(key, 1)), (key, "ok", once(key, 1))]);
    }
    // Forty writes at once would be too much for one object, and are not for forty.
    let open = (100..140).map(|process| (process, "invoke", once(process - 100, 2)));
    events.extend(open.collect::<Vec<_>>());
    for key in 0..40 {
        let read = |value: Value| json!([["r", key, value]]);
        events.extend([(key, "invoke", read(json!(null))), (key, "ok", read(json!(1 + key % 2)))]);
    }
    check(&events, &["--budget", "4096"], None);
}

#[test]
fn a_transaction_may_come_with_a_key_and_beside_plain_calls() {
    let told = |text: &str| judged(&file("mixed.edn", text.as_bytes()), &[]);
    let keyed = "{:process 0 :type :invoke :f :txn :value [1 [[:w :x 1] [:w :y 1]]]}\n\
                 {:process 0 :type :ok :f :txn :value [1 [[:w :x 1] [:w :y 1]]]}\n\
                 {:process 0 :type :invoke :f :txn :value [2 [[:r :x nil] [:r :y nil]]]}\n\
                 {:process 0 :type :ok :f :txn :value [2 [[:r :x nil] [:r :y nil]]]}\n";
    assert_eq!((&told(keyed)["linearizable"], &told(keyed)["keys"]), (&json!(true), &json!(4)));
    let plain = "{:process 0 :type :invoke :f :txn :value [[:w :x 1] [:w :y 1]]}\n\
                 {:process 0 :type :info :f :txn :value [[:w :x 1] [:w :y 1]]}\n\
                 {:process 1 :type :invoke :f :read :key :x :value nil}\n\
                 {:process 1 :type :ok :f :read :key :x :value 1}\n\
                 {:process 1 :type :invoke :f :read :key :y :value nil}\n\
                 {:process 1 :type :ok :f :read :key :y :value nil}\n";
    assert_eq!(told(plain)["first_bad_index"], 5, "what was half seen has happened");
}
