//! Tokens to statements, by recursive descent.

mod command;
mod expression;
mod query;
mod table;

use super::ast::Command;
use super::error::Error;
use super::lexer::{Token, tokens};

/// Reads the statements of a text, which `;` separates.
///
/// # Errors
///
/// 42601 with the place, when it is not understood.
pub(super) fn parse(text: &str) -> Result<Vec<Command>, Error> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0, operators: 0 };
    let mut commands = Vec::new();
    loop {
        while parser.sign(";") {}
        if parser.at == parser.tokens.len() {
            return Ok(commands);
        }
        commands.push(parser.command()?);
        if parser.at < parser.tokens.len() && !parser.sign(";") {
            return Err(parser.unexpected());
        }
    }
}

/// A place in a list of tokens.
pub(super) struct Parser {
    tokens: Vec<(Token, String)>,
    at: usize,
    depth: usize,
    /// How many operators a statement has had so far.
    operators: usize,
}

/// Deepest nesting of expressions, so that a text cannot exhaust the stack.
const DEPTH_MAX: usize = 100;
/// Most operators in a text, for the same reason: a long chain of them is a deep tree.
const OPERATORS_MAX: usize = 1_000;

/// Words that cannot be the name of a column or a table without quotes. Manual, appendix C.
const RESERVED: &[&str] = &[
    "all",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "between",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "cross",
    "default",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "in",
    "inner",
    "intersect",
    "into",
    "is",
    "join",
    "left",
    "like",
    "limit",
    "natural",
    "not",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "primary",
    "references",
    "returning",
    "right",
    "select",
    "some",
    "table",
    "then",
    "to",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "when",
    "where",
    "window",
    "with",
];

impl Parser {
    /// Counts one more level of nesting, which [`leave`](Self::leave) takes back.
    fn enter(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err(Error::new("54001", "stack depth limit exceeded")) } else { Ok(()) }
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Counts one more operator.
    fn operator(&mut self) -> Result<(), Error> {
        self.operators += 1;
        if self.operators > OPERATORS_MAX { Err(Error::new("54001", "stack depth limit exceeded")) } else { Ok(()) }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    fn unexpected(&self) -> Error {
        Error::syntax(self.tokens.get(self.at).map_or("", |(_, text)| text))
    }

    /// Steps over a keyword, if it is the next token.
    fn word(&mut self, word: &str) -> bool {
        let found = self.is_word(0, word);
        self.at += usize::from(found);
        found
    }

    /// Steps over several keywords, if they are the next tokens.
    fn words(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(ahead, word)| self.is_word(ahead, word));
        self.at += if found { words.len() } else { 0 };
        found
    }

    fn is_word(&self, ahead: usize, word: &str) -> bool {
        matches!(self.tokens.get(self.at + ahead), Some((Token::Word(found), _)) if found == word)
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(0, sign);
        self.at += usize::from(found);
        found
    }

    fn is_sign(&self, ahead: usize, sign: &str) -> bool {
        matches!(self.tokens.get(self.at + ahead), Some((Token::Sign(found), _)) if *found == sign)
    }

    fn expect_word(&mut self, word: &str) -> Result<(), Error> {
        if self.word(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn expect(&mut self, sign: &str) -> Result<(), Error> {
        if self.sign(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// A name that is not reserved, or one in quotes.
    fn name(&mut self) -> Result<String, Error> {
        match self.peek() {
            Some(Token::Quoted(name)) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            Some(Token::Word(name)) if !RESERVED.contains(&name.as_str()) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Any word or name in quotes.
    fn label(&mut self) -> Result<String, Error> {
        match self.peek() {
            Some(Token::Quoted(name) | Token::Word(name)) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.unexpected()),
        }
    }

    /// `[schema.]table`; the schema is passed over.
    fn table_name(&mut self) -> Result<String, Error> {
        let mut name = self.name()?;
        while self.sign(".") {
            name = self.name()?;
        }
        Ok(name)
    }

    /// One thing or more, with commas between.
    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        let mut all = vec![one(self)?];
        while self.sign(",") {
            all.push(one(self)?);
        }
        Ok(all)
    }

    /// A list in parentheses.
    fn in_parentheses<T>(&mut self, one: impl FnMut(&mut Self) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        self.expect("(")?;
        let all = self.list(one)?;
        self.expect(")")?;
        Ok(all)
    }

    /// A whole number, perhaps negative.
    fn integer(&mut self) -> Result<i64, Error> {
        let negative = self.sign("-");
        match self.peek() {
            Some(Token::Number(text)) => {
                let value: i64 = text.parse().map_err(|_| self.unexpected())?;
                self.at += 1;
                Ok(if negative { -value } else { value })
            }
            _ => Err(self.unexpected()),
        }
    }
}
