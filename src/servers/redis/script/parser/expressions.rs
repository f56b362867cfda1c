//! Expressions: operators by how tightly they bind, fields, calls, tables.

use super::super::lexer::{Token, Wrong};
use super::super::syntax::{Expression, Item, Operator};
use super::Parser;

/// How tightly a minus, a `not` and a `#` bind.
const UNARY: u8 = 8;

impl Parser {
    pub(super) fn expressions(&mut self) -> Result<Vec<Expression>, Wrong> {
        let mut found = vec![self.expression()?];
        while self.accept(",") {
            found.push(self.expression()?);
        }
        Ok(found)
    }

    pub(super) fn expression(&mut self) -> Result<Expression, Wrong> {
        self.operation(0)
    }

    /// An expression of operators that bind tighter than that.
    fn operation(&mut self, limit: u8) -> Result<Expression, Wrong> {
        self.deeper(|parser| {
            let mut left = parser.unary()?;
            while let Token::Mark(mark) = *parser.peek()
                && let Some((own, inner)) = priority(mark)
                && own > limit
            {
                parser.at += 1;
                let right = Box::new(parser.operation(inner)?);
                let (of, line) = (Box::new(left), parser.last_line());
                left = match mark {
                    "and" => Expression::And(of, right),
                    "or" => Expression::Or(of, right),
                    _ => Expression::Binary { operator: operator(mark), left: of, right, line },
                };
            }
            Ok(left)
        })
    }

    fn unary(&mut self) -> Result<Expression, Wrong> {
        let Token::Mark(mark @ ("not" | "-" | "#")) = *self.peek() else { return self.simple() };
        self.at += 1;
        let of = Box::new(self.operation(UNARY)?);
        Ok(match mark {
            "not" => Expression::Not(of),
            "-" => Expression::Minus(of, self.last_line()),
            _ => Expression::Length(of, self.last_line()),
        })
    }

    fn simple(&mut self) -> Result<Expression, Wrong> {
        let simple = match self.peek().clone() {
            Token::Number(number) => Expression::Number(number),
            Token::Text(text) => Expression::Text(text),
            Token::Mark("nil") => Expression::Nil,
            Token::Mark("true") => Expression::Bool(true),
            Token::Mark("false") => Expression::Bool(false),
            Token::Mark("...") if self.scope().is_open => Expression::Rest,
            Token::Mark("...") => return Err(self.wrong("cannot use '...' outside a vararg function")),
            Token::Mark("{") => return self.table(),
            Token::Mark("function") => {
                let line = self.line();
                self.at += 1;
                return Ok(Expression::Function(self.function(false, line)?));
            }
            Token::Name(_) | Token::Mark(_) | Token::Stray(_) | Token::End => return self.suffixed(),
        };
        self.at += 1;
        Ok(simple)
    }

    /// A variable or something in parentheses, with fields and calls behind it.
    pub(super) fn suffixed(&mut self) -> Result<Expression, Wrong> {
        let line = self.line();
        let mut found = match self.peek() {
            Token::Name(_) => {
                let name = self.name()?;
                self.variable(name, line)
            }
            Token::Mark("(") => {
                self.at += 1;
                let inner = self.expression()?;
                self.expect_end(")", "(", line)?;
                Expression::One(Box::new(inner))
            }
            _ => return Err(self.wrong("unexpected symbol")),
        };
        loop {
            let of = Box::new(found);
            found = match self.peek() {
                Token::Mark(".") => {
                    self.at += 1;
                    let key = Box::new(Expression::Text(self.name()?));
                    Expression::Index { of, key, line: self.last_line() }
                }
                Token::Mark("[") => {
                    self.at += 1;
                    let key = Box::new(self.expression()?);
                    self.expect("]")?;
                    Expression::Index { of, key, line: self.last_line() }
                }
                Token::Mark(":") => {
                    self.at += 1;
                    let name = self.name()?;
                    let (arguments, line) = self.arguments()?;
                    Expression::Method { object: of, name, arguments, line }
                }
                Token::Mark("(" | "{") | Token::Text(_) => {
                    let (arguments, line) = self.arguments()?;
                    Expression::Call { function: of, arguments, line }
                }
                _ => return Ok(*of),
            };
        }
    }

    fn arguments(&mut self) -> Result<(Vec<Expression>, usize), Wrong> {
        let line = self.line();
        match self.peek().clone() {
            Token::Text(text) => {
                self.at += 1;
                Ok((vec![Expression::Text(text)], line))
            }
            Token::Mark("{") => Ok((vec![self.table()?], line)),
            Token::Mark("(") => {
                if line != self.last_line() {
                    return Err(self.wrong("ambiguous syntax (function call x new statement)"));
                }
                self.at += 1;
                let arguments = if self.is(")") { Vec::new() } else { self.expressions()? };
                self.expect_end(")", "(", line)?;
                Ok((arguments, line))
            }
            _ => Err(self.wrong("function arguments expected")),
        }
    }

    fn table(&mut self) -> Result<Expression, Wrong> {
        let (line, mut items) = (self.line(), Vec::new());
        self.expect("{")?;
        while !self.is("}") {
            let is_named = matches!(&self.tokens[self.at + 1..], [next, ..] if next.token == Token::Mark("="));
            let item = if matches!(self.peek(), Token::Name(_)) && is_named {
                let key = Expression::Text(self.name()?);
                self.at += 1;
                Item::Keyed(key, self.expression()?)
            } else if self.accept("[") {
                let key = self.expression()?;
                self.expect("]")?;
                self.expect("=")?;
                Item::Keyed(key, self.expression()?)
            } else {
                Item::Next(self.expression()?)
            };
            items.push(item);
            if !self.accept(",") && !self.accept(";") {
                break;
            }
        }
        self.expect_end("}", "{", line)?;
        Ok(Expression::Table(items, line))
    }
}

/// How tightly an operator binds to its left, and what stands to its right.
fn priority(mark: &str) -> Option<(u8, u8)> {
    match mark {
        "or" => Some((1, 1)),
        "and" => Some((2, 2)),
        "<" | ">" | "<=" | ">=" | "~=" | "==" => Some((3, 3)),
        ".." => Some((5, 4)),
        "+" | "-" => Some((6, 6)),
        "*" | "/" | "%" => Some((7, 7)),
        "^" => Some((10, 9)),
        _ => None,
    }
}

fn operator(mark: &str) -> Operator {
    match mark {
        "+" => Operator::Add,
        "-" => Operator::Subtract,
        "*" => Operator::Multiply,
        "/" => Operator::Divide,
        "%" => Operator::Modulo,
        "^" => Operator::Power,
        ".." => Operator::Concat,
        "==" => Operator::Equal,
        "~=" => Operator::Unequal,
        "<" => Operator::Less,
        "<=" => Operator::LessEqual,
        ">" => Operator::Greater,
        ">=" => Operator::GreaterEqual,
        _ => unreachable!("only what has a priority is an operator"),
    }
}
