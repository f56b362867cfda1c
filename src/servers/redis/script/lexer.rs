//! The words of a script (Lua 5.1, llex.c).

use super::super::double::Double;
use super::super::reply::Bytes;

/// A word.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Token {
    Name(Bytes),
    Text(Bytes),
    Number(Double),
    /// A keyword, an operator or a bracket.
    Mark(&'static str),
    /// A byte that stands for nothing.
    Stray(u8),
    End,
}

/// A word, its line, and how it stands in the script.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) line: usize,
    pub(super) spelling: String,
}

const KEYWORDS: [&str; 21] = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "if", "in", "local", "nil", "not", "or",
    "repeat", "return", "then", "true", "until", "while",
];

// Longer ones first.
const MARKS: [&str; 26] = [
    "...", "..", "==", "~=", "<=", ">=", "+", "-", "*", "/", "%", "^", "#", "<", ">", "=", "(", ")", "{", "}", "[",
    "]", ";", ":", ",", ".",
];

/// What is wrong with a script, with `near` and the word, and its line.
pub(super) type Wrong = String;

pub(super) fn wrong(message: &str, near: &str, line: usize) -> Wrong {
    format!("user_script:{line}: {message} near '{near}'")
}

/// All words, the end of the script last.
pub(super) fn tokens(script: &[u8]) -> Result<Vec<Placed>, Wrong> {
    let (mut lexer, mut found) = (Lexer { script, at: 0, line: 1 }, Vec::new());
    loop {
        lexer.skip()?;
        let from = lexer.at;
        let token = lexer.token()?;
        let spelling = match &token {
            Token::End => "<eof>".to_owned(),
            Token::Stray(byte) if byte.is_ascii_control() => format!("char({byte})"),
            _ => lossy(&script[from..lexer.at]),
        };
        let is_end = token == Token::End;
        found.push(Placed { token, line: lexer.line, spelling });
        if is_end {
            return Ok(found);
        }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

struct Lexer<'a> {
    script: &'a [u8],
    at: usize,
    line: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &[u8] {
        &self.script[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.script.get(self.at).copied()
    }

    /// Spaces and comments.
    fn skip(&mut self) -> Result<(), Wrong> {
        loop {
            match self.peek() {
                Some(b'\n') => {
                    self.line += 1;
                    self.at += 1;
                }
                Some(b' ' | b'\t' | b'\r' | 0x0b | 0x0c) => self.at += 1,
                Some(b'-') if self.rest().starts_with(b"--") => {
                    self.at += 2;
                    match self.long_level() {
                        Some(level) => _ = self.long(level, "unfinished long comment")?,
                        None => self.at += self.rest().iter().take_while(|byte| **byte != b'\n').count(),
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    fn token(&mut self) -> Result<Token, Wrong> {
        let Some(byte) = self.peek() else { return Ok(Token::End) };
        if byte.is_ascii_alphabetic() || byte == b'_' {
            let length = self.rest().iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
            let name = self.rest()[..length].to_vec();
            self.at += length;
            return Ok(match KEYWORDS.iter().find(|keyword| keyword.as_bytes() == name) {
                Some(keyword) => Token::Mark(keyword),
                None => Token::Name(name),
            });
        }
        if byte.is_ascii_digit() || byte == b'.' && self.rest().get(1).is_some_and(u8::is_ascii_digit) {
            return self.number();
        }
        if byte == b'"' || byte == b'\'' {
            return self.text(byte);
        }
        if let Some(level) = self.long_level() {
            return Ok(Token::Text(self.long(level, "unfinished long string")?));
        }
        match MARKS.iter().find(|mark| self.rest().starts_with(mark.as_bytes())) {
            Some(mark) => {
                self.at += mark.len();
                Ok(Token::Mark(mark))
            }
            None => {
                self.at += 1;
                Ok(Token::Stray(byte))
            }
        }
    }

    fn number(&mut self) -> Result<Token, Wrong> {
        let from = self.at;
        while let Some(byte) = self.peek() {
            let is_sign =
                matches!(byte, b'+' | b'-') && matches!(self.script[self.at - 1], b'e' | b'E') && self.at > from;
            if !(byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_') || is_sign) {
                break;
            }
            self.at += 1;
        }
        let spelling = &self.script[from..self.at];
        Double::scripted(spelling)
            .map(Token::Number)
            .ok_or_else(|| wrong("malformed number", &lossy(spelling), self.line))
    }

    fn text(&mut self, quote: u8) -> Result<Token, Wrong> {
        let from = self.at;
        self.at += 1;
        let mut text = Vec::new();
        loop {
            let Some(byte) = self.peek() else { return Err(wrong("unfinished string", "<eof>", self.line)) };
            self.at += 1;
            match byte {
                _ if byte == quote => return Ok(Token::Text(text)),
                b'\n' | b'\r' => {
                    return Err(wrong("unfinished string", &lossy(&self.script[from..self.at - 1]), self.line));
                }
                b'\\' => self.escape(&mut text)?,
                _ => text.push(byte),
            }
        }
    }

    fn escape(&mut self, text: &mut Bytes) -> Result<(), Wrong> {
        // At the end of the script the string is found unfinished.
        let Some(byte) = self.peek() else { return Ok(()) };
        if byte.is_ascii_digit() {
            let length = self.rest().iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
            let code = self.rest()[..length].iter().fold(0_u32, |code, digit| code * 10 + u32::from(digit - b'0'));
            self.at += length;
            let near = || lossy(&self.script[self.at - length - 1..self.at]);
            text.push(u8::try_from(code).map_err(|_| wrong("escape sequence too large", &near(), self.line))?);
            return Ok(());
        }
        self.at += 1;
        text.push(match byte {
            b'a' => 0x07,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 0x0b,
            b'\n' => {
                self.line += 1;
                b'\n'
            }
            _ => byte,
        });
        Ok(())
    }

    /// How many equal signs a long bracket has that begins here.
    fn long_level(&self) -> Option<usize> {
        let inner = self.rest().strip_prefix(b"[")?;
        let level = inner.iter().take_while(|byte| **byte == b'=').count();
        (inner.get(level) == Some(&b'[')).then_some(level)
    }

    fn long(&mut self, level: usize, unfinished: &str) -> Result<Bytes, Wrong> {
        self.at += level + 2;
        let end = [b"]".as_slice(), &vec![b'='; level], b"]"].concat();
        let length = self.rest().windows(end.len()).position(|window| window == end);
        let Some(length) = length else { return Err(wrong(unfinished, "<eof>", self.line)) };
        let text = self.rest()[..length].to_vec();
        self.at += length + end.len();
        self.line += text.iter().filter(|byte| **byte == b'\n').count();
        // A line end right after the bracket does not count.
        Ok(text.strip_prefix(b"\n").map_or(text.clone(), <[u8]>::to_vec))
    }
}
