//! What is no history is refused with its place, what is wrong and what would be right; nothing panics.

use super::{event, file};
use crate::program::squall;
use serde_json::json;
use std::panic::Location;

/// The program refuses this text: in its message is the place, and these words.
#[track_caller]
fn refuses(text: &[u8], place: &str, parts: [&str; 2], words: &[&str]) {
    let path = file(&format!("bad-{}", Location::caller().line()), text);
    let said = squall(&[&["check-history", &path], words].concat());
    let shown = String::from_utf8_lossy(&text[..text.len().min(200)]);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{shown}: {said:?}");
    assert!(said.err.contains(&format!("{path}:{place}")), "{place} of {shown}: {}", said.err);
    for part in parts {
        assert!(said.err.contains(part), "{part} for {shown}: {}", said.err);
    }
    let said = squall(&[&["check-history", &path, "--format", "json"], words].concat());
    assert_eq!((said.code, said.err.as_str()), (Some(2), ""), "{said:?}");
    assert!(
        serde_json::from_str::<serde_json::Value>(&said.out).is_ok_and(|told| told["error"].is_string()),
        "{said:?}"
    );
}

#[test]
fn what_is_no_text_is_refused() {
    refuses(b"", " ", ["nothing is in it", "write an event a line"], &[]);
    refuses(b"\n \n", " ", ["nothing is in it", "write an event a line"], &[]);
    refuses(b"\x7fELF\x02\x01\x01\x00\xff", "1: ", ["not UTF-8", "JSON or EDN"], &[]);
    refuses(b"{}\n\n\x80", "3: ", ["not UTF-8", "JSON or EDN"], &[]);
    refuses(b"\xff\xfe{\x00", "1: ", ["not UTF-8", "JSON or EDN"], &[]);
    refuses(b"\0\0\0", "1: ", ["no event", "process, type"], &[]);
    refuses(b"\x1f\x8b\x08", " ", ["cannot be unpacked", "cut off"], &[]);
    let mut packed = flate2::read::GzEncoder::new(&b"{}\n"[..], flate2::Compression::fast());
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut packed, &mut bytes).expect("packed");
    refuses(&bytes, "1: ", ["no process", "process: 0"], &[]);
    for length in 2..bytes.len() {
        refuses(&bytes[..length], " ", ["cannot be unpacked", "cut off"], &[]);
    }
    let folder = env!("CARGO_TARGET_TMPDIR");
    for missing in [folder, "/nowhere/at/all"] {
        let said = squall(&["check-history", missing]);
        assert!(said.code == Some(2) && said.err.contains("name a file of events"), "{said:?}");
    }
}

#[test]
fn calls_that_cannot_be_are_refused() {
    let (asked, told) = (event(0, "invoke", "read", json!(null)), event(0, "ok", "read", json!(1)));
    refuses(
        (asked.clone() + &told + &told).as_bytes(),
        "3: ",
        ["asked for nothing, or its call is over", "type invoke"],
        &[],
    );
    refuses((told.clone() + &asked).as_bytes(), "1: ", ["asked for nothing", "type invoke"], &[]);
    refuses((asked.clone() + &asked).as_bytes(), "2: ", ["before its call of line 1 is over", "another client"], &[]);
    let other = event(0, "ok", "write", json!(1));
    refuses((asked.clone() + &other).as_bytes(), "2: ", ["something else in line 1", "the f of its invocation"], &[]);
    let silent = "{\"process\":0,\"type\":\"ok\",\"f\":\"read\"}\n";
    refuses((asked + silent).as_bytes(), "2: ", ["no value", "or null"], &[]);
}

#[test]
fn models_that_do_not_fit_are_refused() {
    let append = event(0, "invoke", "append", json!(1));
    let write = event(1, "invoke", "write", json!("a"));
    refuses(
        (write.clone() + &append).as_bytes(),
        "2: ",
        ["appended to a register", "--model kv"],
        &["--model", "register"],
    );
    refuses((append + &write).as_bytes(), "2: ", ["\"a\" is no list", "[1, 2]"], &["--model", "list"]);
    refuses(write.as_bytes(), " ", ["--initial: 5 is no list", "[1, 2]"], &["--model", "list", "--initial", "5"]);
    let said = squall(&["check-history", &file("bad", write.as_bytes()), "--model", "queue"]);
    assert!(said.code == Some(2) && said.err.contains("register, kv, list"), "{said:?}");
    for budget in ["0", "many"] {
        let said = squall(&["check-history", &file("bad", write.as_bytes()), "--budget", budget]);
        assert!(said.code == Some(2) && said.err.contains("--budget"), "{said:?}");
    }
}

#[test]
fn transactions_that_are_none_are_refused() {
    let asked = |value| event(0, "invoke", "txn", value);
    let plain = "a list of its parts";
    for value in [json!(null), json!([]), json!(7), json!(["r", "x", null]), json!([["r"]]), json!([["r", "x", 1, 2]])]
    {
        refuses(asked(value).as_bytes(), "1: ", ["no transaction", plain], &[]);
    }
    refuses(asked(json!([["pop", "x", 1]])).as_bytes(), "1: ", ["no part pop", "[\"w\", key, value]"], &[]);
    refuses(asked(json!([["w", "x"]])).as_bytes(), "1: ", ["no value", "what was written"], &[]);
    refuses(asked(json!([["cas", "x", 1]])).as_bytes(), "1: ", ["two values", "[from, to]"], &[]);
    let read = asked(json!([["r", "x", null], ["w", "y", 1]]));
    for other in [
        json!([["r", "x", null]]),
        json!([["w", "y", 1], ["r", "x", null]]),
        json!([["r", "z", null], ["w", "y", 1]]),
        json!([["r", "x", null], ["w", "y", 2]]),
        json!([["r", "x", null], ["append", "y", 1]]),
    ] {
        let text = read.clone() + &event(0, "ok", "txn", other);
        refuses(
            text.as_bytes(),
            "2: ",
            ["not the transaction of line 1", "what its invocation asks for"],
            &["--model", "kv"],
        );
    }
}

#[test]
fn numbers_that_lose_digits_are_refused() {
    let write = |number: &str| format!("{{\"process\":0,\"type\":\"invoke\",\"f\":\"write\",\"value\":{number}}}\n");
    for number in ["18446744073709551616", "-9223372036854775809", "1e300", "[1,[1e17]]", "{\"a\":1e17}"] {
        refuses(write(number).as_bytes(), "1: ", ["too large", "as texts"], &[]);
    }
    for number in ["1e999", "NaN", "-Infinity"] {
        refuses(write(number).as_bytes(), "1:", ["not JSON", "one object a line"], &[]);
    }
    let edn = |value: &str| format!("{{:process 0 :type :invoke :f :write :value {value}}}\n");
    refuses(edn("##NaN").as_bytes(), "1:", ["not the same as itself", "write nil"], &[]);
    refuses(edn("18446744073709551616").as_bytes(), "1: ", ["too large", "as texts"], &[]);
    for fine in [
        write("18446744073709551615"),
        write("-9223372036854775808"),
        write("0.1"),
        edn("##Inf"),
        edn("18446744073709551616N"),
    ] {
        let said = squall(&["check-history", &file("fine", fine.as_bytes())]);
        assert_eq!(said.code, Some(0), "{fine}: {said:?}");
    }
}

#[test]
fn what_is_nested_deeply_is_refused() {
    let deep = "[".repeat(200_000);
    let line = format!("{{\"process\":0,\"type\":\"invoke\",\"f\":\"write\",\"value\":{deep}");
    refuses(line.as_bytes(), "1:", ["nested too deeply", "plain values"], &[]);
    refuses(deep.as_bytes(), "1:", ["nested too deeply", "plain values"], &[]);
    refuses("{:a ".repeat(200_000).as_bytes(), "1:", ["nested too deeply", "plain values"], &[]);
    refuses("[#_".repeat(200_000).as_bytes(), "1:", ["nested too deeply", ""], &[]);
    refuses("#_".repeat(200_000).as_bytes(), "1:", ["ends too soon", ""], &[]);
}
