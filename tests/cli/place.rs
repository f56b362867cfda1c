//! Keys in, owners out.

use super::harness::{Said, folder, objects, path, program, squall};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Stdio};

fn started(words: &[&str]) -> Child {
    let mut command = program();
    command.arg("place").args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("it starts")
}

/// What it says of these bytes on standard input.
fn fed(words: &[&str], input: &[u8]) -> (Vec<u8>, Option<i32>) {
    let mut child = started(words);
    let mut pipe = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || pipe.write_all(&input));
    let output = child.wait_with_output().expect("it ends");
    let _ = feeder.join().expect("it is written, unless nobody reads");
    (output.stdout, output.status.code())
}

fn place(words: &[&str]) -> Said {
    squall(&[["place"].as_slice(), words].concat())
}

#[test]
fn a_key_a_line_with_its_owner() {
    let said = place(&["--placement", "md5", "--nodes", "node1,node2,node3", "item1", "item2", "item5", ""]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert_eq!(said.out, "item1\tnode1\nitem2\tnode3\nitem5\tnode2\n\tnode1\n");
    let nodes = "127.0.0.1:11211:50,127.0.0.1:11212:100,127.0.0.1:11213:200";
    let said = place(&["--placement", "ketama", "--nodes", nodes, "key-0", "key-\"1\"", "--format", "json"]);
    let expected = r#"{"key":"key-0","owner":"127.0.0.1:11213"}"#;
    assert_eq!(said.out.lines().next(), Some(expected));
    assert_eq!(objects(&said.out)[1]["key"], "key-\"1\"");
    for way in ["rendezvous", "jump", "bounded-load"] {
        let said = place(&["--placement", way, "--nodes", "only", "a", "b"]);
        assert_eq!((said.code, said.out.as_str()), (Some(0), "a\tonly\nb\tonly\n"), "{}", said.err);
    }
    let bounded = ["--placement", "bounded-load", "--points", "1", "--epsilon", "0", "--nodes", "a,b,c", "1", "2", "3"];
    let mut owners: Vec<String> = place(&bounded).out.lines().map(|line| line[2..].to_owned()).collect();
    owners.sort();
    assert_eq!(owners, ["a", "b", "c"], "with an epsilon of 0 each takes its share");
}

#[test]
fn nodes_come_from_a_file_too() {
    let folder =
        folder("place-nodes", &[("nodes", "127.0.0.1:11211 50\r\n127.0.0.1:11212\t100\n\n127.0.0.1:11213 200\n")]);
    let file = path(&folder.join("nodes"));
    let of_file = place(&["--placement", "ketama", "--nodes-from", &file, "key-0", "key-1", "key-2"]);
    let nodes = "127.0.0.1:11211:50,127.0.0.1:11212:100,127.0.0.1:11213:200";
    let of_list = place(&["--placement", "ketama", "--nodes", nodes, "key-0", "key-1", "key-2"]);
    assert_eq!((of_file.code, of_file.out), (Some(0), of_list.out));
    let (out, code) = fed(&["--placement", "md5", "--nodes-from", "-", "key"], b"one 1");
    assert_eq!((out.as_slice(), code), (b"key\tone\n".as_slice(), Some(0)));
    let said = place(&["--placement", "md5", "--nodes-from", &path(&folder.join("none")), "key"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("none: No such file"), "{}", said.err);
}

#[test]
fn lines_of_standard_input_are_keys() {
    let words = ["--placement", "md5", "--nodes", "a", "-"];
    let (out, code) = fed(&words, b"x\r\n\n\xff y\tz\nlast");
    assert_eq!((out.as_slice(), code), (b"x\ta\n\ta\n\xff y\tz\ta\nlast\ta\n".as_slice(), Some(0)));
    assert_eq!(fed(&words, b""), (Vec::new(), Some(0)), "no keys, no lines");
    let (out, _) = fed(&["--placement", "md5", "--nodes", "a", "--format", "json", "-"], b"\xff");
    assert_eq!(out, "{\"key\":\"\u{fffd}\",\"key_hex\":\"ff\",\"owner\":\"a\"}\n".as_bytes());
    // As many lines as keys, and more than fit into any pipe, in the same order.
    let keys: Vec<String> = (0..100_000).map(|key| format!("key-{key}\n")).collect();
    for way in ["md5", "bounded-load"] {
        let (out, code) = fed(&["--placement", way, "--nodes", "a,b,c", "-"], keys.concat().as_bytes());
        let out = String::from_utf8(out).expect("text");
        assert_eq!((code, out.lines().count()), (Some(0), keys.len()));
        let mut pairs = out.lines().zip(&keys).map(|(line, key)| (line.split('\t').next(), key.trim_end()));
        assert!(pairs.all(|(said, key)| said == Some(key)));
    }
}

#[test]
fn who_asks_a_key_at_a_time_is_answered_at_once() {
    let mut child = started(&["--placement", "jump", "--nodes", "a", "-"]);
    let mut pipe = child.stdin.take().expect("a pipe");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    for key in ["one", "two"] {
        writeln!(pipe, "{key}").expect("it listens");
        let mut line = String::new();
        out.read_line(&mut line).expect("an answer");
        assert_eq!(line, format!("{key}\ta\n"));
    }
    drop(pipe);
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
#[cfg(unix)]
fn a_closed_pipe_ends_it_quietly() {
    use std::os::unix::process::ExitStatusExt;
    let mut child = started(&["--placement", "md5", "--nodes", "a,b", "-"]);
    let mut pipe = child.stdin.take().expect("a pipe");
    let feeder = std::thread::spawn(move || (0..).try_for_each(|key: u64| writeln!(pipe, "{key}")));
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    out.read_line(&mut String::new()).expect("a line");
    drop(out);
    let status = child.wait().expect("it ends");
    feeder.join().expect("it ends").expect_err("nobody reads any more");
    let mut err = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut err).expect("text");
    assert_eq!((status.signal(), err.as_str()), (Some(13), ""));
}

#[test]
fn what_makes_no_sense_is_refused_with_a_reason_and_a_cure() {
    let refusals: [(&[&str], &str); 21] = [
        (&["--placement", "md5", "--nodes", "a"], "<KEY>"),
        (&["--placement", "md5", "key"], "--nodes"),
        (&["--nodes", "a", "key"], "--placement"),
        (&["--placement", "crush", "--nodes", "a", "key"], "bounded-load"),
        (&["--placement", "md5", "--nodes", "", "key"], "name at least one"),
        (
            &["--placement", "md5", "--nodes", "a,b,a", "key"],
            "two nodes have the name \"a\"; each needs a name of its own\n",
        ),
        (&["--placement", "md5", "--nodes", "h:80,h:81", "key"], "host:80:1"),
        (&["--placement", "md5", "--nodes", "127.0.0.1:11211", "key"], "write 127.0.0.1:11211:1"),
        (&["--placement", "md5", "--nodes", "a:x", "key"], "write a:x:1"),
        (&["--placement", "md5", "--nodes", "a,,b", "key"], "leave the comma out"),
        (&["--placement", "md5", "--nodes", "a:0,b:0", "key"], "give one a weight of 1"),
        (&["--placement", "md5", "--nodes", "a", "--points", "0", "key"], "at least 1"),
        (&["--placement", "md5", "--nodes", "a", "--points", "99999999", "key"], "lower the points"),
        (&["--placement", "md5", "--nodes", "a", "--points", "few", "key"], "--points"),
        (&["--placement", "ketama", "--nodes", "a", "--points", "10", "key"], "but 12 is"),
        (&["--placement", "jump", "--nodes", "a:2,b", "key"], "jump hashing knows no weights"),
        (&["--placement", "jump", "--nodes", "a", "--points", "3", "key"], "leave --points out"),
        (&["--placement", "md5", "--nodes", "a", "--epsilon", "1/4", "key"], "leave --epsilon out"),
        (&["--placement", "bounded-load", "--nodes", "a", "--epsilon", "1/0", "key"], "write 1/4"),
        (&["--placement", "md5", "--nodes", "a", "key", "-"], "stands alone"),
        (&["--placement", "md5", "--nodes-from", "-", "-"], "put one of them into a file"),
    ];
    for (words, part) in refusals {
        let said = place(words);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{words:?}");
        assert!(said.err.contains(part), "{part} is not in\n{}", said.err);
    }
    let twice = place(&["--placement", "md5", "--nodes", "a", "--nodes-from", "b", "key"]);
    assert!(twice.code == Some(2) && twice.err.contains("leave one out"), "{twice:?}");
}

#[test]
fn a_flag_wins_over_the_variable_that_says_otherwise() {
    let with = |words: &[&str]| -> Said {
        let mut command = program();
        command.env("SQUALL_NODES_FROM", "/none").env("SQUALL_PLACEMENT", "jump").arg("place").args(words);
        command.output().expect("it starts").into()
    };
    assert_eq!(with(&["--nodes", "a", "key"]).out, "key\ta\n");
    assert!(with(&["key"]).err.contains("/none"));
}
