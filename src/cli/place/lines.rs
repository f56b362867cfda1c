//! What `squall place` writes: a line a key, many lines at once.

use super::super::arguments::Format;
use super::super::terminal::Terminal;
use crate::placement::method::Node;
use serde_json::Value;
use std::fmt::Write;
use std::io;

/// So many bytes are written at once.
const CHUNK: usize = 1 << 16;

/// Lines that are collected and written.
pub(super) struct Lines<'a> {
    format: Format,
    /// The end of a line for each node.
    owners: Vec<Vec<u8>>,
    waiting: Vec<u8>,
    terminal: &'a mut Terminal,
}

impl<'a> Lines<'a> {
    pub(super) fn new(format: Format, nodes: &[Node], terminal: &'a mut Terminal) -> Lines<'a> {
        let owner = |node: &Node| match format {
            Format::Human => [b"\t", node.name.as_slice(), b"\n"].concat(),
            Format::Json => format!(",{}}}\n", field("owner", &node.name)).into_bytes(),
        };
        let owners = nodes.iter().map(owner).collect();
        Lines { format, owners, waiting: Vec::with_capacity(CHUNK), terminal }
    }

    /// Adds the line of a key and its owner, which is the place of a node.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn add(&mut self, key: &[u8], owner: u16) -> io::Result<()> {
        match self.format {
            Format::Human => self.waiting.extend_from_slice(key),
            Format::Json => {
                self.waiting.push(b'{');
                self.waiting.extend_from_slice(field("key", key).as_bytes());
            }
        }
        self.waiting.extend_from_slice(&self.owners[usize::from(owner)]);
        if self.waiting.len() >= CHUNK { self.flush() } else { Ok(()) }
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.terminal.bytes(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }
}

/// A field of a JSON object. Where the bytes are no UTF-8, a field more has them in hexadecimal, for the text cannot.
fn field(name: &str, bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut field = format!("\"{name}\":{}", Value::from(text.as_ref()));
    if std::str::from_utf8(bytes).is_err() {
        write!(field, ",\"{name}_hex\":\"").expect("text takes text");
        bytes.iter().for_each(|byte| write!(field, "{byte:02x}").expect("text takes text"));
        field.push('"');
    }
    field
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn bytes_that_are_no_text_are_there_in_hexadecimal() {
        assert_eq!(field("key", b"a\"\t"), r#""key":"a\"\t""#);
        assert_eq!(field("key", b"a\xff"), "\"key\":\"a\u{fffd}\",\"key_hex\":\"61ff\"");
    }
}
