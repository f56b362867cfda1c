//! RON text cut into tokens, comments left out.

use super::locate::Flaw;
use std::ops::Range;

/// A piece of text that has a meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Token {
    /// `(`, `[` or `{`.
    Open(char),
    /// `)`, `]` or `}`.
    Close(char),
    /// `,`.
    Comma,
    /// `:`.
    Colon,
    /// A name.
    Word,
    /// Text in quotes, a number, or anything else.
    Other,
}

/// The tokens of a text, and the first quote or comment that does not end.
pub(super) fn tokens(text: &str) -> (Vec<(Token, Range<usize>)>, Option<Flaw>) {
    let mut found = Vec::new();
    let mut at = attributes(text);
    // If quotes are odd, the first that spans lines is probably the one that was not closed.
    let mut spanning = None;
    while let Some(sign) = text[at..].chars().next() {
        let rest = &text[at..];
        if sign.is_whitespace() {
            at += sign.len_utf8();
            continue;
        }
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        if rest.starts_with("/*") {
            match comment(rest) {
                Some(length) => at += length,
                None => return (found, Some(Flaw::OpenComment(at..at + 2))),
            }
            continue;
        }
        let (token, length) = match sign {
            '(' | '[' | '{' => (Token::Open(sign), 1),
            ')' | ']' | '}' => (Token::Close(sign), 1),
            ',' => (Token::Comma, 1),
            ':' => (Token::Colon, 1),
            _ => match quoted(rest) {
                Some(Some(length)) => {
                    if rest[..length].contains('\n') {
                        spanning.get_or_insert(at);
                    }
                    (Token::Other, length)
                }
                Some(None) => {
                    let from = spanning.unwrap_or(at);
                    let line = text[from..].find('\n').unwrap_or(text.len() - from);
                    return (found, Some(Flaw::OpenText(from..from + line)));
                }
                None => word(rest),
            },
        };
        found.push((token, at..at + length));
        at += length;
    }
    (found, None)
}

/// Where the text begins after `#![enable(...)]`.
fn attributes(text: &str) -> usize {
    let mut at = 0;
    loop {
        let trimmed = text[at..].trim_start();
        match trimmed.starts_with("#!").then(|| trimmed.find(']')).flatten() {
            Some(end) => at = text.len() - trimmed.len() + end + 1,
            None => return at,
        }
    }
}

/// The length of the comment that begins here, comments inside it included.
fn comment(rest: &str) -> Option<usize> {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// The length of the string or character that begins here; `Some(None)` if it does not end.
fn quoted(rest: &str) -> Option<Option<usize>> {
    let prefix = rest.find(|c| !matches!(c, 'b' | 'r')).filter(|prefix| *prefix <= 2)?;
    let body = &rest[prefix..];
    if rest[..prefix].ends_with('r') {
        let hashes = body.find(|c| c != '#')?;
        let closing = format!("\"{}", &body[..hashes]);
        let inside = body[hashes..].strip_prefix('"')?;
        return Some(inside.find(&closing).map(|end| prefix + hashes + 1 + end + closing.len()));
    }
    let quote = body.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut escaped = false;
    for (offset, sign) in body.char_indices().skip(1) {
        match sign {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if sign == quote => return Some(Some(prefix + offset + 1)),
            // No character is longer than its line, so what comes after is not lost.
            '\n' if quote == '\'' => return Some(None),
            _ => {}
        }
    }
    Some(None)
}

/// A name, a number or a piece of nonsense.
fn word(rest: &str) -> (Token, usize) {
    let body = rest.strip_prefix("r#").unwrap_or(rest);
    let length = body
        .find(|c: char| {
            c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '{' | '}' | ',' | ':' | '"' | '\'' | '=')
        })
        .map(|length| body[..length].find("//").or(body[..length].find("/*")).unwrap_or(length))
        .unwrap_or(body.len());
    let token = match body.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        true => Token::Word,
        false => Token::Other,
    };
    (token, (rest.len() - body.len() + length).max(rest.chars().next().map_or(1, char::len_utf8)))
}
