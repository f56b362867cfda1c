//! From a script to its tree, or to the complaint that Lua 5.1 has (lparser.c).

mod expressions;

use super::super::reply::Bytes;
use super::lexer::{Placed, Token, Wrong, tokens, wrong};
use super::syntax::{Block, Chunk, Expression, Function, Slot, Statement};

/// How deep expressions and blocks may stand in each other (luaconf.h, `LUAI_MAXCCALLS`).
const DEPTH_MAX: usize = 200;

pub(super) fn parse(script: &[u8]) -> Result<Chunk, Wrong> {
    let outermost = Scope { locals: Vec::new(), is_open: true, loops: 0 };
    let mut parser =
        Parser { tokens: tokens(script)?, at: 0, functions: Vec::new(), scopes: vec![outermost], slots: 0, depth: 0 };
    let body = parser.block()?;
    match parser.peek() {
        Token::End => Ok(Chunk { body, functions: parser.functions }),
        _ => Err(parser.wrong("'<eof>' expected")),
    }
}

/// A function that is being read.
struct Scope {
    locals: Vec<(Bytes, Slot)>,
    is_open: bool,
    /// In how many loops the parser is.
    loops: usize,
}

struct Parser {
    tokens: Vec<Placed>,
    at: usize,
    functions: Vec<Function>,
    scopes: Vec<Scope>,
    slots: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].token
    }

    fn line(&self) -> usize {
        self.tokens[self.at].line
    }

    /// The line of the word before.
    fn last_line(&self) -> usize {
        self.tokens[self.at.saturating_sub(1)].line
    }

    fn is(&self, mark: &str) -> bool {
        matches!(self.peek(), Token::Mark(found) if *found == mark)
    }

    fn accept(&mut self, mark: &str) -> bool {
        let is_there = self.is(mark);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, mark: &str) -> Result<(), Wrong> {
        if self.accept(mark) { Ok(()) } else { Err(self.wrong(&format!("'{mark}' expected"))) }
    }

    /// The end of what began at that line.
    fn expect_end(&mut self, mark: &str, opening: &str, line: usize) -> Result<(), Wrong> {
        if line == self.line() {
            return self.expect(mark);
        }
        match self.accept(mark) {
            true => Ok(()),
            false => Err(self.wrong(&format!("'{mark}' expected (to close '{opening}' at line {line})"))),
        }
    }

    fn wrong(&self, message: &str) -> Wrong {
        wrong(message, &self.tokens[self.at].spelling, self.line())
    }

    fn name(&mut self) -> Result<Bytes, Wrong> {
        let Token::Name(name) = self.peek() else { return Err(self.wrong("'<name>' expected")) };
        let name = name.clone();
        self.at += 1;
        Ok(name)
    }

    fn scope(&mut self) -> &mut Scope {
        self.scopes.last_mut().expect("there is always one")
    }

    fn declare(&mut self, name: Bytes) -> Slot {
        let slot = self.slots;
        self.slots += 1;
        self.scope().locals.push((name, slot));
        slot
    }

    fn variable(&self, name: Bytes, line: usize) -> Expression {
        for (up, scope) in self.scopes.iter().rev().enumerate() {
            if let Some((_, slot)) = scope.locals.iter().rev().find(|(local, _)| *local == name) {
                return Expression::Local { slot: *slot, name, is_upvalue: up > 0 };
            }
        }
        Expression::Global { name, line }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Parser) -> Result<T, Wrong>) -> Result<T, Wrong> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.wrong("chunk has too many syntax levels"));
        }
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Statements up to a word that ends them. What they declare ends with them.
    fn block(&mut self) -> Result<Block, Wrong> {
        let declared = self.scope().locals.len();
        let block = self.open_block()?;
        self.scope().locals.truncate(declared);
        Ok(block)
    }

    fn open_block(&mut self) -> Result<Block, Wrong> {
        self.deeper(|parser| {
            let mut block = Vec::new();
            loop {
                let is_end = ["end", "else", "elseif", "until"].iter().any(|mark| parser.is(mark));
                if is_end || *parser.peek() == Token::End {
                    return Ok(block);
                }
                let statement = parser.statement()?;
                let is_last = matches!(statement, Statement::Return(_) | Statement::Break);
                block.push(statement);
                parser.accept(";");
                if is_last {
                    return Ok(block);
                }
            }
        })
    }

    fn loop_body(&mut self) -> Result<Block, Wrong> {
        self.scope().loops += 1;
        let body = self.block()?;
        self.scope().loops -= 1;
        Ok(body)
    }

    fn statement(&mut self) -> Result<Statement, Wrong> {
        let line = self.line();
        let Token::Mark(mark) = *self.peek() else { return self.simple_statement() };
        match mark {
            "if" => self.conditional(line),
            "while" => {
                self.at += 1;
                let condition = self.expression()?;
                self.expect("do")?;
                let body = self.loop_body()?;
                self.expect_end("end", "while", line)?;
                Ok(Statement::While(condition, body))
            }
            "do" => {
                self.at += 1;
                let body = self.block()?;
                self.expect_end("end", "do", line)?;
                Ok(Statement::Do(body))
            }
            "for" => self.for_loop(line),
            "repeat" => {
                self.at += 1;
                let declared = self.scope().locals.len();
                self.scope().loops += 1;
                let body = self.open_block()?;
                self.scope().loops -= 1;
                self.expect_end("until", "repeat", line)?;
                // The condition sees what the body has declared.
                let condition = self.expression()?;
                self.scope().locals.truncate(declared);
                Ok(Statement::Repeat(body, condition))
            }
            "function" => {
                self.at += 1;
                let mut target = self.name().map(|name| self.variable(name, line))?;
                let mut has_self = false;
                while !has_self && (self.is(".") || self.is(":")) {
                    has_self = self.is(":");
                    self.at += 1;
                    let key = Box::new(Expression::Text(self.name()?));
                    target = Expression::Index { of: Box::new(target), key, line };
                }
                let function = Expression::Function(self.function(has_self, line)?);
                Ok(Statement::Assign(vec![target], vec![function]))
            }
            "local" => self.local(),
            "return" => {
                self.at += 1;
                let ends = ["end", "else", "elseif", "until", ";"];
                let is_empty = ends.iter().any(|mark| self.is(mark)) || *self.peek() == Token::End;
                Ok(Statement::Return(if is_empty { Vec::new() } else { self.expressions()? }))
            }
            "break" => {
                self.at += 1;
                if self.scope().loops == 0 { Err(self.wrong("no loop to break")) } else { Ok(Statement::Break) }
            }
            _ => self.simple_statement(),
        }
    }

    fn conditional(&mut self, line: usize) -> Result<Statement, Wrong> {
        let (mut branches, mut otherwise) = (Vec::new(), Vec::new());
        loop {
            self.at += 1;
            let condition = self.expression()?;
            self.expect("then")?;
            branches.push((condition, self.block()?));
            if !self.is("elseif") {
                break;
            }
        }
        if self.accept("else") {
            otherwise = self.block()?;
        }
        self.expect_end("end", "if", line)?;
        Ok(Statement::If(branches, otherwise))
    }

    fn for_loop(&mut self, line: usize) -> Result<Statement, Wrong> {
        self.at += 1;
        let first = self.name()?;
        let declared = self.scope().locals.len();
        let statement = if self.accept("=") {
            let from = self.expression()?;
            self.expect(",")?;
            let upto = self.expression()?;
            let step = if self.accept(",") { Some(self.expression()?) } else { None };
            self.expect("do")?;
            let slot = self.declare(first);
            Statement::Count { slot, from, upto, step, body: self.loop_body()?, line }
        } else if self.is(",") || self.is("in") {
            let mut names = vec![first];
            while self.accept(",") {
                names.push(self.name()?);
            }
            self.expect("in")?;
            let values = self.expressions()?;
            self.expect("do")?;
            let slots = names.into_iter().map(|name| self.declare(name)).collect();
            Statement::Each { slots, values, body: self.loop_body()?, line }
        } else {
            return Err(self.wrong("'=' or 'in' expected"));
        };
        self.scope().locals.truncate(declared);
        self.expect_end("end", "for", line)?;
        Ok(statement)
    }

    fn local(&mut self) -> Result<Statement, Wrong> {
        self.at += 1;
        if self.accept("function") {
            let name = self.name()?;
            let slot = self.declare(name);
            let line = self.line();
            return Ok(Statement::LocalFunction(slot, self.function(false, line)?));
        }
        let mut names = vec![self.name()?];
        while self.accept(",") {
            names.push(self.name()?);
        }
        let values = if self.accept("=") { self.expressions()? } else { Vec::new() };
        Ok(Statement::Local(names.into_iter().map(|name| self.declare(name)).collect(), values))
    }

    /// A call or an assignment.
    fn simple_statement(&mut self) -> Result<Statement, Wrong> {
        let first = self.suffixed()?;
        if matches!(first, Expression::Call { .. } | Expression::Method { .. }) {
            return Ok(Statement::Call(first));
        }
        let mut targets = vec![first];
        loop {
            let is_target = |target: &Expression| {
                matches!(target, Expression::Local { .. } | Expression::Global { .. } | Expression::Index { .. })
            };
            if !targets.last().is_some_and(is_target) {
                return Err(self.wrong("syntax error"));
            }
            if !self.accept(",") {
                break;
            }
            targets.push(self.suffixed()?);
        }
        self.expect("=")?;
        Ok(Statement::Assign(targets, self.expressions()?))
    }

    /// Parameters and body; the number of the function.
    fn function(&mut self, has_self: bool, line: usize) -> Result<usize, Wrong> {
        self.scopes.push(Scope { locals: Vec::new(), is_open: false, loops: 0 });
        let mut parameters = Vec::new();
        if has_self {
            parameters.push(self.declare(b"self".to_vec()));
        }
        self.expect("(")?;
        while !self.is(")") {
            if self.accept("...") {
                self.scope().is_open = true;
                break;
            }
            if !matches!(self.peek(), Token::Name(_)) {
                return Err(self.wrong("<name> or '...' expected"));
            }
            let name = self.name()?;
            parameters.push(self.declare(name));
            if !self.accept(",") {
                break;
            }
        }
        self.expect(")")?;
        let body = self.block()?;
        self.expect_end("end", "function", line)?;
        let scope = self.scopes.pop().expect("it has just been put there");
        self.functions.push(Function { parameters, is_open: scope.is_open, body });
        Ok(self.functions.len() - 1)
    }
}
