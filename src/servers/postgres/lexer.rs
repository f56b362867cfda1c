//! Text to tokens. Source: manual, section 4.1.

use super::error::Error;

/// A word of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name or keyword, in lower case.
    Word(String),
    /// A name in double quotes, as written.
    Quoted(String),
    /// A text in quotes.
    Text(String),
    /// A number, as written.
    Number(String),
    /// `$1` is 1.
    Parameter(usize),
    /// An operator or a sign.
    Sign(&'static str),
}

/// Operators and signs, the longer before those that they begin with.
const SIGNS: &[&str] = &[
    "::", "<=", ">=", "<>", "!=", "||", "(", ")", "[", "]", ",", ";", ".", "+", "-", "*", "/", "%", "<", ">", "=", ":",
    "^", "~", "&", "|", "#", "@", "!", "?",
];

/// Splits a text into tokens, and each token's text for error messages.
///
/// # Errors
///
/// 42601, where a quote or a comment does not end or a sign is none.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, String)>, Error> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = skip(rest)?;
        let Some(first) = rest.chars().next() else { return Ok(found) };
        let (token, length) = token(rest, first)?;
        found.push((token, rest[..length].to_owned()));
        rest = &rest[length..];
    }
}

/// What stands after blanks and comments.
fn skip(mut rest: &str) -> Result<&str, Error> {
    loop {
        let trimmed = rest.trim_start();
        if let Some(comment) = trimmed.strip_prefix("--") {
            rest = comment.find('\n').map_or("", |at| &comment[at..]);
        } else if let Some(comment) = trimmed.strip_prefix("/*") {
            let end = comment.find("*/");
            rest = &comment[end.ok_or_else(|| Error::new("42601", "unterminated /* comment"))? + 2..];
        } else {
            return Ok(trimmed);
        }
    }
}

/// The token at the beginning of `rest`, and how long it is.
fn token(rest: &str, first: char) -> Result<(Token, usize), Error> {
    match first {
        '\'' => {
            let (text, length) = quoted(rest, '\'', false)?;
            Ok((Token::Text(text), length))
        }
        'e' | 'E' if rest[1..].starts_with('\'') => {
            let (text, length) = quoted(&rest[1..], '\'', true)?;
            Ok((Token::Text(text), length + 1))
        }
        '"' => {
            let (text, length) = quoted(rest, '"', false)?;
            Ok((Token::Quoted(text), length))
        }
        '$' => dollar(rest),
        _ if first.is_ascii_digit() || first == '.' && rest[1..].starts_with(|next: char| next.is_ascii_digit()) => {
            let length = number(rest);
            Ok((Token::Number(rest[..length].to_owned()), length))
        }
        _ if first.is_alphabetic() || first == '_' => {
            let is_part = |sign: char| sign.is_alphanumeric() || sign == '_' || sign == '$';
            let length = rest.find(|sign| !is_part(sign)).unwrap_or(rest.len());
            Ok((Token::Word(rest[..length].to_lowercase()), length))
        }
        _ => {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
            sign.map(|sign| (Token::Sign(sign), sign.len())).ok_or_else(|| Error::syntax(&first.to_string()))
        }
    }
}

/// A text between quotes, in which a doubled quote stands for one; and its length with the quotes.
fn quoted(rest: &str, quote: char, escapes: bool) -> Result<(String, usize), Error> {
    let mut text = String::new();
    let mut signs = rest.char_indices().skip(1).peekable();
    while let Some((at, sign)) = signs.next() {
        if sign == quote {
            if signs.peek().is_none_or(|(_, next)| *next != quote) {
                return Ok((text, at + 1));
            }
            signs.next();
        } else if escapes && sign == '\\' {
            let Some((_, escaped)) = signs.next() else { break };
            text.push(match escaped {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                other => other,
            });
            continue;
        }
        text.push(sign);
    }
    let what = if quote == '"' { "identifier" } else { "string" };
    Err(Error::new("42601", format!("unterminated quoted {what} at or near \"{rest}\"")))
}

/// `$1`, or a text in dollar quotes.
fn dollar(rest: &str) -> Result<(Token, usize), Error> {
    let digits = rest[1..].find(|sign: char| !sign.is_ascii_digit()).unwrap_or(rest.len() - 1);
    if digits > 0 {
        let index = rest[1..=digits].parse().map_err(|_| Error::syntax(rest))?;
        return Ok((Token::Parameter(index), digits + 1));
    }
    let close = rest[1..].find('$').ok_or_else(|| Error::syntax("$"))? + 2;
    let tag = &rest[..close];
    let body = &rest[close..];
    let unclosed = || Error::new("42601", format!("unterminated dollar-quoted string at or near \"{rest}\""));
    let end = body.find(tag).ok_or_else(unclosed)?;
    Ok((Token::Text(body[..end].to_owned()), close + end + tag.len()))
}

/// How long the number at the beginning of `rest` is.
fn number(rest: &str) -> usize {
    let digits =
        |from: usize| rest[from..].find(|sign: char| !sign.is_ascii_digit()).map_or(rest.len(), |length| from + length);
    let mut end = digits(0);
    if rest[end..].starts_with('.') {
        end = digits(end + 1);
    }
    if rest[end..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
        let after = digits(end + 1 + sign);
        if after > end + 1 + sign {
            end = after;
        }
    }
    end
}
