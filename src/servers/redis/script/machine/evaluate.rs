//! Expressions: from the tree to values.

use super::super::super::double::Double;
use super::super::library;
use super::super::syntax::{Expression, Item, Operator};
use super::super::value::{Key, Lua, Table};
use super::{Frame, Machine, Thrown};
use std::cmp::Ordering;

impl Machine<'_, '_> {
    /// So many values: the last expression gives as many as it has, what is missing is nil.
    pub(super) fn values(
        &mut self,
        expressions: &[Expression],
        frame: &mut Frame,
        count: usize,
    ) -> Result<Vec<Lua>, Thrown> {
        let mut values = self.all(expressions, frame)?;
        values.resize(count, Lua::Nil);
        Ok(values)
    }

    /// All values: the last expression gives as many as it has.
    pub(super) fn all(&mut self, expressions: &[Expression], frame: &mut Frame) -> Result<Vec<Lua>, Thrown> {
        let Some((last, others)) = expressions.split_last() else { return Ok(Vec::new()) };
        let mut values = Vec::with_capacity(expressions.len());
        for expression in others {
            values.push(self.one(expression, frame)?);
        }
        values.extend(self.many(last, frame)?);
        Ok(values)
    }

    /// As many values as an expression has.
    pub(super) fn many(&mut self, expression: &Expression, frame: &mut Frame) -> Result<Vec<Lua>, Thrown> {
        match expression {
            Expression::Rest => Ok(frame.rest.clone()),
            Expression::Call { function, arguments, line } => {
                let callee = self.one(function, frame)?;
                let arguments = self.all(arguments, frame)?;
                self.invoke(&callee, arguments, *line, Some(function))
            }
            Expression::Method { object, name, arguments, line } => {
                let owner = self.one(object, frame)?;
                let method = self.index(&owner, &Lua::text(name), object, *line)?;
                let mut all = vec![owner];
                all.extend(self.all(arguments, frame)?);
                self.invoke(&method, all, *line, Some(expression))
            }
            _ => Ok(vec![self.one(expression, frame)?]),
        }
    }

    /// One value.
    pub(super) fn one(&mut self, expression: &Expression, frame: &mut Frame) -> Result<Lua, Thrown> {
        self.depth += 1;
        let result = self.evaluated(expression, frame);
        self.depth -= 1;
        result
    }

    fn evaluated(&mut self, expression: &Expression, frame: &mut Frame) -> Result<Lua, Thrown> {
        match expression {
            Expression::Nil => Ok(Lua::Nil),
            Expression::Bool(is_true) => Ok(Lua::Bool(*is_true)),
            Expression::Number(number) => Ok(Lua::Number(*number)),
            Expression::Text(text) => Ok(Lua::text(text)),
            Expression::Rest => Ok(frame.rest.first().cloned().unwrap_or(Lua::Nil)),
            Expression::Local { slot, .. } => Ok(self.cells[self.cell(*slot, frame)].clone()),
            Expression::Global { name, line } => self.global(name, *line),
            Expression::Index { of, key, line } => {
                let (table, key) = (self.one(of, frame)?, self.one(key, frame)?);
                self.index(&table, &key, of, *line)
            }
            Expression::Call { .. } | Expression::Method { .. } => {
                Ok(self.many(expression, frame)?.into_iter().next().unwrap_or(Lua::Nil))
            }
            Expression::Function(function) => Ok(self.closure(*function, frame)),
            Expression::Not(of) => Ok(Lua::Bool(!self.one(of, frame)?.is_true())),
            Expression::Minus(of, line) => {
                let value = self.one(of, frame)?;
                let number =
                    value.number().ok_or_else(|| self.wrong_kind("perform arithmetic on", &value, Some(of), *line))?;
                Ok(Lua::Number(number.negated()))
            }
            Expression::Length(of, line) => match self.one(of, frame)? {
                Lua::Text(text) => Ok(Lua::int(i64::try_from(text.len()).unwrap_or(i64::MAX))),
                Lua::Table(table) => Ok(Lua::int(i64::try_from(self.table(table).len()).unwrap_or(i64::MAX))),
                other => Err(self.wrong_kind("get length of", &other, Some(of), *line)),
            },
            Expression::And(left, right) => {
                let value = self.one(left, frame)?;
                if value.is_true() { self.one(right, frame) } else { Ok(value) }
            }
            Expression::Or(left, right) => {
                let value = self.one(left, frame)?;
                if value.is_true() { Ok(value) } else { self.one(right, frame) }
            }
            Expression::Binary { .. } => self.binary(expression, frame),
            Expression::Table(items, line) => self.constructed(items, *line, frame),
            Expression::One(of) => self.one(of, frame),
        }
    }

    fn global(&self, name: &[u8], line: usize) -> Result<Lua, Thrown> {
        let key = Key::of(&Lua::text(name)).expect("a string is a key");
        match self.table(self.globals).get(&key) {
            Lua::Nil => {
                let name = String::from_utf8_lossy(name);
                Err(self.error(line, format_args!("Script attempted to access nonexistent global variable '{name}'")))
            }
            value => Ok(value),
        }
    }

    fn index(&mut self, table: &Lua, key: &Lua, of: &Expression, line: usize) -> Result<Lua, Thrown> {
        let table = match table {
            Lua::Table(table) => *table,
            // Strings have the functions of the library as fields.
            Lua::Text(_) => library::strings(self),
            other => return Err(self.wrong_kind("index", other, Some(of), line)),
        };
        match (Key::of(key), key) {
            (Some(_), Lua::Text(name)) if table == self.globals => self.global(name, line),
            (Some(key), _) => Ok(self.table(table).get(&key)),
            (None, _) => Ok(Lua::Nil),
        }
    }

    fn constructed(&mut self, items: &[Item], line: usize, frame: &mut Frame) -> Result<Lua, Thrown> {
        let (mut list, mut keyed) = (Vec::new(), Vec::new());
        for (place, item) in items.iter().enumerate() {
            match item {
                Item::Next(value) if place + 1 == items.len() => list.extend(self.many(value, frame)?),
                Item::Next(value) => list.push(self.one(value, frame)?),
                Item::Keyed(key, value) => {
                    let (key, value) = (self.one(key, frame)?, self.one(value, frame)?);
                    keyed.push((Key::of(&key).ok_or_else(|| self.error(line, "table index is nil"))?, value));
                }
            }
        }
        let mut table = Table::list(list);
        keyed.into_iter().for_each(|(key, value)| table.set(key, value));
        Ok(Lua::Table(self.new_table(table)))
    }

    fn binary(&mut self, expression: &Expression, frame: &mut Frame) -> Result<Lua, Thrown> {
        let Expression::Binary { operator, left, right, line } = expression else { unreachable!("a binary operation") };
        let (first, second) = (self.one(left, frame)?, self.one(right, frame)?);
        match operator {
            Operator::Equal => Ok(Lua::Bool(first == second && !is_nan(&first))),
            Operator::Unequal => Ok(Lua::Bool(first != second || is_nan(&first))),
            Operator::Less => self.order(&first, &second, *line).map(|order| Lua::Bool(order == Some(Ordering::Less))),
            Operator::LessEqual => {
                self.order(&first, &second, *line).map(|order| Lua::Bool(order.is_some_and(Ordering::is_le)))
            }
            Operator::Greater => {
                self.order(&second, &first, *line).map(|order| Lua::Bool(order == Some(Ordering::Less)))
            }
            Operator::GreaterEqual => {
                self.order(&second, &first, *line).map(|order| Lua::Bool(order.is_some_and(Ordering::is_le)))
            }
            Operator::Concat => match (first.bytes(), second.bytes()) {
                (Some(one), Some(other)) => Ok(Lua::text(&[&*one, &*other].concat())),
                (None, _) => Err(self.wrong_kind("concatenate", &first, Some(left), *line)),
                (_, None) => Err(self.wrong_kind("concatenate", &second, Some(right), *line)),
            },
            Operator::Add
            | Operator::Subtract
            | Operator::Multiply
            | Operator::Divide
            | Operator::Modulo
            | Operator::Power => match (first.number(), second.number()) {
                (Some(one), Some(other)) => self.arithmetic(*operator, one, other, *line).map(Lua::Number),
                (None, _) => Err(self.wrong_kind("perform arithmetic on", &first, Some(left), *line)),
                (_, None) => Err(self.wrong_kind("perform arithmetic on", &second, Some(right), *line)),
            },
        }
    }

    fn arithmetic(&self, operator: Operator, one: Double, other: Double, line: usize) -> Result<Double, Thrown> {
        match operator {
            Operator::Add => Ok(one.plus(other)),
            Operator::Subtract => Ok(one.plus(other.negated())),
            Operator::Multiply => Ok(one.times(other)),
            Operator::Divide => Ok(one.over(other)),
            Operator::Modulo => Ok(one.modulo(other)),
            _ => one.power(other).ok_or_else(|| self.error(line, "only powers of whole numbers are modelled")),
        }
    }

    /// How two values stand to each other; none if one is NaN.
    pub(in super::super) fn order(&self, one: &Lua, other: &Lua, line: usize) -> Result<Option<Ordering>, Thrown> {
        match (one, other) {
            (Lua::Number(one), Lua::Number(other)) => Ok((!one.is_nan() && !other.is_nan()).then(|| one.cmp(other))),
            (Lua::Text(one), Lua::Text(other)) => Ok(Some(one.cmp(other))),
            _ if one.kind() == other.kind() => {
                Err(self.error(line, format_args!("attempt to compare two {} values", one.kind())))
            }
            _ => Err(self.error(line, format_args!("attempt to compare {} with {}", one.kind(), other.kind()))),
        }
    }

    /// What Lua says of an operation on a value that does not allow it.
    pub(super) fn wrong_kind(&self, what: &str, value: &Lua, expression: Option<&Expression>, line: usize) -> Thrown {
        let kind = value.kind();
        match expression.and_then(named) {
            Some(name) => self.error(line, format_args!("attempt to {what} {name} (a {kind} value)")),
            None => self.error(line, format_args!("attempt to {what} a {kind} value")),
        }
    }
}

fn is_nan(value: &Lua) -> bool {
    matches!(value, Lua::Number(number) if number.is_nan())
}

/// How Lua speaks of where a value comes from (ldebug.c, `getobjname`).
fn named(expression: &Expression) -> Option<String> {
    let quoted = |kind: &str, name: &[u8]| Some(format!("{kind} '{}'", String::from_utf8_lossy(name)));
    match expression {
        Expression::Local { name, is_upvalue, .. } => quoted(if *is_upvalue { "upvalue" } else { "local" }, name),
        Expression::Global { name, .. } => quoted("global", name),
        Expression::Index { key, .. } => match &**key {
            Expression::Text(name) => quoted("field", name),
            _ => quoted("field", b"?"),
        },
        Expression::Method { name, .. } => quoted("method", name),
        Expression::One(of) => named(of),
        _ => None,
    }
}
