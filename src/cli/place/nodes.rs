//! The nodes of `squall place`: from a list on the command line, or from a file.

use super::{Place, natural};
use crate::placement::method::Node;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

/// The largest weight in a list: what is larger is likely to be a port.
const LISTED_WEIGHT_MAX: u32 = 1_000;

/// What to say when names in a list are the same.
pub(super) const CURE_OF_SAME_NAMES: &str =
    "; in --nodes the last colon begins a weight, so a name with a port needs one: host:80:1";

/// The nodes, in their order. `is_input_taken`: keys come from standard input.
///
/// # Errors
/// What is wrong with them, where, and what to do.
pub(super) fn read(place: &Place, is_input_taken: bool) -> Result<Vec<Node>, String> {
    match (&place.nodes, &place.nodes_from) {
        (Some(_), Some(_)) => Err("nodes are named twice, by --nodes and by --nodes-from; leave one out".to_owned()),
        (Some(list), None) => listed(list.as_encoded_bytes()),
        (None, Some(file)) if file.as_os_str() == "-" && is_input_taken => {
            Err("standard input cannot be both the nodes and the keys; put one of them into a file".to_owned())
        }
        (None, Some(file)) => {
            let text = text_of(file).map_err(|error| format!("{}: {error}", file.display()))?;
            lined(&text, &file.display().to_string())
        }
        (None, None) => Ok(Vec::new()),
    }
}

/// Whether the nodes are a list in which there are colons.
pub(super) fn has_colons(place: &Place) -> bool {
    place.nodes.as_ref().is_some_and(|list| list.as_encoded_bytes().contains(&b':'))
}

fn text_of(file: &Path) -> io::Result<Vec<u8>> {
    if file.as_os_str() != "-" {
        return fs::read(file);
    }
    let mut text = Vec::new();
    io::stdin().lock().read_to_end(&mut text)?;
    Ok(text)
}

/// The nodes of a list with commas.
fn listed(list: &[u8]) -> Result<Vec<Node>, String> {
    if list.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let node = |entry: &[u8]| {
        let text = String::from_utf8_lossy(entry).into_owned();
        let (name, weight) = match entry.iter().rposition(|byte| *byte == b':') {
            None => (entry, 1),
            Some(colon) => {
                let weight = String::from_utf8_lossy(&entry[colon + 1..]).into_owned();
                let name = String::from_utf8_lossy(&entry[..colon]).into_owned();
                let cure = format!(
                    "if it belongs to the name, write {text}:1; if it is a weight, put \"{name} {weight}\" into a file \
                     for --nodes-from"
                );
                let weight = match natural(&weight) {
                    Some(weight) if weight <= LISTED_WEIGHT_MAX => weight,
                    Some(_) => {
                        return Err(format!(
                            "--nodes: the weight {weight} of {name:?} is above {LISTED_WEIGHT_MAX}: {cure}"
                        ));
                    }
                    None if is_number(&weight) => {
                        return Err(format!("--nodes: the weight {weight} of {name:?} is too large: {cure}"));
                    }
                    None => {
                        return Err(format!(
                            "--nodes: what follows the last colon of {text:?} is no weight, a whole number; if it belongs \
                             to the name, write {text}:1"
                        ));
                    }
                };
                (entry[..colon].trim_ascii_end(), weight)
            }
        };
        if name.is_empty() {
            return Err(format!(
                "--nodes: a node has no name: {text:?} between commas; write a name, or leave the comma out"
            ));
        }
        Ok(Node { name: name.to_vec(), weight })
    };
    list.split(|byte| *byte == b',').map(|entry| node(entry.trim_ascii())).collect()
}

/// The nodes of a text, a line a node.
fn lined(text: &[u8], file: &str) -> Result<Vec<Node>, String> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let lines = (1_u64..).zip(text.split(|byte| *byte == b'\n')).map(|(number, line)| (number, line.trim_ascii()));
    let node = |(number, line): (u64, &[u8])| {
        let Some(blank) = line.iter().rposition(u8::is_ascii_whitespace) else {
            return Ok(Node::new(line));
        };
        let (name, weight) = (line[..blank].trim_ascii_end(), String::from_utf8_lossy(&line[blank + 1..]));
        match natural(&weight) {
            Some(weight) => Ok(Node { name: name.to_vec(), weight }),
            None if is_number(&weight) => {
                Err(format!("{file}:{number}: the weight {weight} is too large; {} is the limit", u32::MAX))
            }
            None => {
                let line = String::from_utf8_lossy(line);
                Err(format!(
                    "{file}:{number}: what follows the last blank of {line:?} is no weight, a whole number; if it belongs to \
                     the name, write {:?}",
                    format!("{line} 1")
                ))
            }
        }
    };
    lines.filter(|(_, line)| !line.is_empty()).map(node).collect()
}

/// Whether it is a number, however large.
fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{Node, lined, listed};

    fn node(name: &str, weight: u32) -> Node {
        Node { name: name.into(), weight }
    }

    #[test]
    fn a_list_has_names_and_weights() {
        let nodes = |list: &str| listed(list.as_bytes());
        assert_eq!(nodes("a,b:2,c:0"), Ok(vec![node("a", 1), node("b", 2), node("c", 0)]));
        assert_eq!(nodes("127.0.0.1:11211:1, [::1]:80:7"), Ok(vec![node("127.0.0.1:11211", 1), node("[::1]:80", 7)]));
        assert_eq!(nodes("a b,ä"), Ok(vec![node("a b", 1), node("ä", 1)]));
        assert_eq!(listed(b"\xff:3"), Ok(vec![Node { name: vec![0xff], weight: 3 }]));
        assert_eq!(nodes(" "), Ok(vec![]));
        for (list, part) in [
            ("127.0.0.1:11211", "write 127.0.0.1:11211:1"),
            ("a:99999999999", "too large"),
            ("a:b", "write a:b:1"),
            ("a:", "write a::1"),
            ("a:-1", "no weight"),
            ("a:+1", "no weight"),
            ("a:1.5", "whole number"),
            ("a,,b", "leave the comma out"),
            ("a,", "leave the comma out"),
            (":3", "no name"),
        ] {
            let refusal = nodes(list).expect_err(list);
            assert!(refusal.contains(part), "{part} is not in {refusal}");
        }
    }

    #[test]
    fn a_file_has_a_line_a_node() {
        let nodes = |text: &str| lined(text.as_bytes(), "nodes");
        let expected = vec![node("127.0.0.1:11211", 1), node("a,b", 70_000), node("my node", 2), node("#c", 1)];
        assert_eq!(nodes("127.0.0.1:11211\r\na,b 70000\n\n  \n my node\t2 \n#c"), Ok(expected.clone()));
        assert_eq!(nodes("\u{feff}127.0.0.1:11211\na,b\t70000\nmy node 2\n#c\n"), Ok(expected));
        assert_eq!(nodes("\n"), Ok(vec![]));
        assert_eq!(
            nodes("a\nmy node").expect_err("no weight"),
            "nodes:2: what follows the last blank of \"my node\" is no \
            weight, a whole number; if it belongs to the name, write \"my node 1\""
        );
        assert!(nodes("a 4294967296").expect_err("too large").contains("nodes:1: the weight 4294967296 is too large"));
    }
}
