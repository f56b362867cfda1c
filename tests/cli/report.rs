//! `squall report`: the forms in which a run is written, and what it refuses.

use super::harness::{BREAKS, HOLDS, file, objects, path, squall};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Writes a run in one form, and reads that.
fn written(name: &str, scenario: &str, form: &str, words: &[&str]) -> String {
    let scenario = file(name, scenario);
    let out = path(&Path::new(&scenario).with_file_name(format!("it.{form}")));
    let flag = format!("--{form}");
    let said = squall(&[&["report", &scenario, &flag, &out], words].concat());
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!((said.out.as_str(), said.err), ("", format!("written {out}\n")));
    fs::read_to_string(out).expect("it was written")
}

#[test]
fn a_trace_has_a_thread_for_each_node_and_an_arrow_for_each_message() {
    let trace: Value = serde_json::from_str(&written("report-trace", BREAKS, "perfetto", &[])).expect("JSON");
    let events = trace["traceEvents"].as_array().expect("events");
    let of = |phase: &str| events.iter().filter(move |event| event["ph"] == phase).collect::<Vec<_>>();
    let threads: Vec<&str> = of("M").iter().filter_map(|event| event["args"]["name"].as_str()).collect();
    assert!(["n1", "n2", "n3", "c1", "faults"].iter().all(|name| threads.contains(name)), "{threads:?}");
    let (sent, got) = (of("s"), of("f"));
    assert!(sent.len() > 10 && sent.len() == got.len());
    for (sent, got) in sent.iter().zip(&got) {
        assert_eq!(sent["id"], got["id"]);
        let is_to_itself = sent["tid"] == got["tid"];
        assert!(is_to_itself || sent["ts"].as_f64() < got["ts"].as_f64(), "{sent} {got}");
    }
    assert_eq!(of("i").len(), 1, "what broke");
    assert_eq!(of("b").len(), of("e").len());
    // Events of one thread do not overlap.
    let mut ends: BTreeMap<u64, f64> = BTreeMap::new();
    for event in of("X") {
        let (thread, at) = (event["tid"].as_u64().expect("a thread"), event["ts"].as_f64().expect("a time"));
        assert!(ends.get(&thread).is_none_or(|end| *end <= at + 1e-6), "{event}");
        ends.insert(thread, at + event["dur"].as_f64().expect("a length"));
    }
}

#[test]
fn a_log_has_vector_clocks() {
    let log = written("report-log", HOLDS, "shiviz", &["--turns", "0"]);
    let mut lines = log.lines().skip(2);
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut shared = 0;
    while let (Some(head), Some(_)) = (lines.next(), lines.next()) {
        let (host, clock) = head.split_once(' ').expect("a host and a clock");
        let clock: BTreeMap<String, u64> = serde_json::from_str(clock).expect("a clock");
        *counts.entry(host.to_owned()).or_default() += 1;
        // A node counts its own events, and has heard of no more of others than there were.
        assert_eq!(clock[host], counts[host], "{head}");
        assert!(clock.iter().all(|(other, count)| *count <= counts[other]), "{head}");
        shared += usize::from(clock.len() > 1);
    }
    assert!(counts.len() >= 4 && shared > 20, "{counts:?} {shared}");
}

#[test]
fn a_diagram_has_all_who_take_part_and_ends_with_what_broke() {
    let diagram = written("report-diagram", BREAKS, "mermaid", &[]);
    let lines: Vec<&str> = diagram.lines().map(str::trim).collect();
    assert_eq!(lines[1], "sequenceDiagram");
    assert!(lines.last().is_some_and(|line| line.starts_with("Note over ") && line.contains(" is broken: ")));
    let known = |name: &str| lines.contains(&format!("participant {name}").as_str());
    let arrows: Vec<(&str, &str)> = lines.iter().filter_map(|line| line.split_once(':')?.0.split_once("->>")).collect();
    assert!(!arrows.is_empty() && arrows.iter().all(|(from, to)| known(from) && known(to)), "{arrows:?}");
}

#[test]
fn a_history_is_what_its_checker_reads() {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    for (name, code) in [("raft/storm", 0), ("ring/quiet", 0), ("museum/stale-leader-read", 100)] {
        let scenario = path(&scenarios.join(name).with_extension("ron"));
        let out = path(&Path::new(&file("report-history", HOLDS)).with_file_name("it.jsonl"));
        let said = squall(&["report", &scenario, "--history", &out]);
        assert_eq!(said.code, Some(0), "{said:?}");
        let checked = squall(&["check-history", &out, "--initial", "0"]);
        assert_eq!(checked.code, Some(code), "{name}: {checked:?}");
    }
}

#[test]
fn one_object_says_what_was_written_where() {
    let scenario = file("report-json", BREAKS);
    let folder = Path::new(&scenario).with_file_name("new").join("folder");
    let files = ["svg", "html"].map(|form| path(&folder.join(form)));
    let words = ["report", &scenario, "--svg", &files[0], "--html", &files[1], "--format", "json", "--all"];
    let said = squall(&words);
    let [object] = &objects(&said.out)[..] else { panic!("{said:?}") };
    assert_eq!((&object["format"], &object["kind"]), (&"squall/1".into(), &"report".into()));
    assert_eq!(
        (&object["files"]["svg"], &object["files"]["html"]),
        (&files[0].as_str().into(), &files[1].as_str().into())
    );
    let [svg, html] = files.map(|file| fs::read_to_string(file).expect("it was written"));
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
    assert!(html.starts_with("<!DOCTYPE html>") && html.contains("<svg ") && html.contains("is broken"), "{html}");
    // Nothing comes from elsewhere.
    assert!(!html.contains("src=") && !html.contains("href=\"http"), "{html}");
}

#[test]
fn what_cannot_be_written_is_said_before_anything_is() {
    let scenario = file("report-refused", HOLDS);
    let folder = path(Path::new(&scenario).parent().expect("a folder"));
    let refused = |words: &[&str], why: &str| {
        let said = squall(&[&["report", &scenario], words].concat());
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{said:?}");
        assert!(said.err.contains(why), "{}", said.err);
    };
    refused(&[], "nothing is to be written; say --html FILE");
    refused(&["--svg", "-", "--mermaid", "-"], "standard output has room for one thing");
    refused(&["--svg", "-", "--format", "json"], "standard output has room for one thing");
    refused(&["--html", &folder], "is a folder; name a file in it");
    refused(&["--html", &format!("{folder}/new/")], "is a folder; name a file in it");
    let round =
        format!("{folder}/./{}", Path::new(&scenario).file_name().and_then(|name| name.to_str()).expect("a name"));
    refused(&["--mermaid", &round], "is what is to be reported; name another file");
    refused(&["--html", &format!("{folder}/it"), "--svg", &format!("{folder}/./it")], "is to be the html already");
    assert_eq!(fs::read_to_string(&scenario).expect("it is there"), HOLDS);
    let locks = path(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/lock/redlock-pause.ron"));
    let said = squall(&["report", &locks, "--history", "-"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("no client learns what became of a read or a write"), "{}", said.err);
}
