//! SELECT, VALUES, INSERT, UPDATE and DELETE.

use super::super::ast::{
    Body, Command, Conflict, Cte, Delete, Expr, From, Insert, Locking, Order, Patience, Query, RowMode, Select,
    SetOperation, Source, Target, Update,
};
use super::super::error::Error;
use super::super::value::{Type, Value};
use super::Parser;

impl Parser {
    /// Whether a query begins here, perhaps after parentheses.
    pub(super) fn is_query(&self) -> bool {
        let mut ahead = 0;
        while self.is_sign(ahead, "(") {
            ahead += 1;
        }
        ["select", "values", "with", "table"].iter().any(|word| self.is_word(ahead, word))
    }

    /// A query with all that may stand around it.
    pub(super) fn query(&mut self) -> Result<Query, Error> {
        let with = self.with()?;
        let mut query = self.query_after_with()?;
        query.with.splice(0..0, with);
        Ok(query)
    }

    /// `WITH name AS (statement), ...`, or nothing.
    pub(super) fn with(&mut self) -> Result<Vec<Cte>, Error> {
        if !self.word("with") {
            return Ok(Vec::new());
        }
        if self.word("recursive") {
            return Err(Error::unsupported("recursive queries are not in the model"));
        }
        self.list(|parser| {
            let name = parser.name()?;
            let columns = if parser.is_sign(0, "(") { parser.in_parentheses(Self::name)? } else { Vec::new() };
            parser.expect_word("as")?;
            if !parser.words(&["not", "materialized"]) {
                parser.word("materialized");
            }
            parser.expect("(")?;
            parser.enter()?;
            let command = Box::new(parser.command()?);
            parser.leave();
            parser.expect(")")?;
            Ok(Cte { name, columns, command })
        })
    }

    pub(super) fn query_after_with(&mut self) -> Result<Query, Error> {
        let mut query = self.body()?;
        loop {
            let operation = if self.words(&["union", "all"]) {
                SetOperation::UnionAll
            } else if self.word("union") {
                SetOperation::Union
            } else if self.word("intersect") {
                SetOperation::Intersect
            } else if self.word("except") {
                SetOperation::Except
            } else {
                break;
            };
            let right = self.body()?;
            query.bodies.extend(right.bodies.into_iter().map(|(_, body)| (operation, body)));
        }
        self.tail(&mut query)?;
        Ok(query)
    }

    fn body(&mut self) -> Result<Query, Error> {
        if self.sign("(") {
            self.enter()?;
            let query = self.query()?;
            self.leave();
            self.expect(")")?;
            return Ok(query);
        }
        let body = if self.word("values") {
            Body::Values(self.list(|parser| parser.in_parentheses(Self::expression))?)
        } else if self.word("table") {
            let source = Source::Table(self.table_name()?);
            let from = From { source, alias: None, columns: Vec::new(), left: false, on: None };
            let all = Target { expr: Expr::Star(None), alias: None };
            Body::Select(Select { targets: vec![all], from: vec![from], ..Select::default() })
        } else {
            self.expect_word("select")?;
            Body::Select(self.select()?)
        };
        Ok(Query { bodies: vec![(SetOperation::UnionAll, body)], ..Query::default() })
    }

    /// ORDER BY, LIMIT, OFFSET, FETCH and FOR, in any order that the server takes.
    fn tail(&mut self, query: &mut Query) -> Result<(), Error> {
        if self.words(&["order", "by"]) {
            query.order = self.list(Self::order)?;
        }
        loop {
            if self.word("limit") {
                query.limit = if self.word("all") { None } else { Some(self.expression()?) };
            } else if self.word("offset") {
                query.offset = Some(self.expression()?);
                let _ = self.word("rows") || self.word("row");
            } else if self.word("fetch") {
                if !self.word("first") {
                    self.expect_word("next")?;
                }
                let one = Expr::Literal(Value::Int(1), Type::Int4);
                let counted = !(self.is_word(0, "row") || self.is_word(0, "rows"));
                query.limit = Some(if counted { self.expression()? } else { one });
                if !self.word("rows") {
                    self.expect_word("row")?;
                }
                self.expect_word("only")?;
            } else if self.word("for") {
                query.locking.push(self.locking()?);
            } else {
                return Ok(());
            }
        }
    }

    fn order(&mut self) -> Result<Order, Error> {
        let expr = self.expression()?;
        let descending = self.word("desc");
        if !descending {
            self.word("asc");
        }
        let nulls_first =
            if self.words(&["nulls", "first"]) { true } else { !self.words(&["nulls", "last"]) && descending };
        Ok(Order { expr, descending, nulls_first })
    }

    fn locking(&mut self) -> Result<Locking, Error> {
        let mode = if self.word("update") {
            RowMode::Update
        } else if self.words(&["no", "key", "update"]) {
            RowMode::NoKeyUpdate
        } else if self.word("share") {
            RowMode::Share
        } else if self.words(&["key", "share"]) {
            RowMode::KeyShare
        } else {
            return Err(self.unexpected());
        };
        let of = if self.word("of") { self.list(Self::name)? } else { Vec::new() };
        let patience = if self.word("nowait") {
            Patience::NoWait
        } else if self.words(&["skip", "locked"]) {
            Patience::SkipLocked
        } else {
            Patience::Wait
        };
        Ok(Locking { mode, of, patience })
    }

    fn select(&mut self) -> Result<Select, Error> {
        let distinct = self.word("distinct");
        if !distinct {
            self.word("all");
        }
        let empty = ["from", "where", "for", "limit", "order"].iter().any(|word| self.is_word(0, word));
        let at_end = self.peek().is_none() || self.is_sign(0, ")") || self.is_sign(0, ";");
        let targets = if empty || at_end { Vec::new() } else { self.list(Self::target)? };
        let from = if self.word("from") { self.from()? } else { Vec::new() };
        let condition = self.condition()?;
        let group = if self.words(&["group", "by"]) { self.list(Self::expression)? } else { Vec::new() };
        let having = if self.word("having") { Some(self.expression()?) } else { None };
        Ok(Select { distinct, targets, from, condition, group, having })
    }

    fn condition(&mut self) -> Result<Option<Expr>, Error> {
        if self.word("where") { Ok(Some(self.expression()?)) } else { Ok(None) }
    }

    fn target(&mut self) -> Result<Target, Error> {
        let expr = self.expression()?;
        let alias = if self.word("as") { Some(self.label()?) } else { self.name().ok() };
        Ok(Target { expr, alias })
    }

    fn returning(&mut self) -> Result<Vec<Target>, Error> {
        if self.word("returning") { self.list(Self::target) } else { Ok(Vec::new()) }
    }

    fn from(&mut self) -> Result<Vec<From>, Error> {
        let mut all = vec![self.source()?];
        loop {
            let (left, cross) = if self.sign(",") || self.words(&["cross", "join"]) {
                (false, true)
            } else if self.words(&["left", "outer", "join"]) || self.words(&["left", "join"]) {
                (true, false)
            } else if self.words(&["inner", "join"]) || self.word("join") {
                (false, false)
            } else {
                return Ok(all);
            };
            let mut next = self.source()?;
            next.left = left;
            if !cross && self.word("using") {
                let columns = self.in_parentheses(Self::name)?;
                let name = |from: &From| from.alias.clone();
                let (before, here) = (all.last().and_then(name), name(&next));
                let pair = |column: &String| {
                    let side =
                        |table: &Option<String>| Box::new(Expr::Column { table: table.clone(), name: column.clone() });
                    Expr::Binary("=", side(&before), side(&here))
                };
                next.on = columns.iter().map(pair).reduce(|left, right| Expr::And(Box::new(left), Box::new(right)));
            } else if !cross {
                self.expect_word("on")?;
                next.on = Some(self.expression()?);
            }
            all.push(next);
        }
    }

    fn source(&mut self) -> Result<From, Error> {
        self.word("lateral");
        let (source, name) = if self.is_sign(0, "(") {
            self.expect("(")?;
            self.enter()?;
            let query = self.query()?;
            self.leave();
            self.expect(")")?;
            (Source::Query(query), None)
        } else {
            self.word("only");
            let name = self.table_name()?;
            if self.is_sign(0, "(") {
                (Source::Call(self.call(name.clone())?), Some(name))
            } else {
                (Source::Table(name.clone()), Some(name))
            }
        };
        let alias = if self.word("as") { Some(self.label()?) } else { self.alias() };
        let columns =
            if alias.is_some() && self.is_sign(0, "(") { self.in_parentheses(Self::name)? } else { Vec::new() };
        Ok(From { source, alias: alias.or(name), columns, left: false, on: None })
    }

    /// A name that follows a table without AS, unless a clause begins with it.
    fn alias(&mut self) -> Option<String> {
        let clause = ["set", "for", "nowait", "skip"].iter().any(|word| self.is_word(0, word));
        if clause { None } else { self.name().ok() }
    }

    pub(super) fn insert(&mut self, with: Vec<Cte>) -> Result<Command, Error> {
        self.expect_word("into")?;
        let table = self.table_name()?;
        let alias = if self.word("as") { Some(self.name()?) } else { None };
        let columns =
            if self.is_sign(0, "(") && !self.is_query() { self.in_parentheses(Self::name)? } else { Vec::new() };
        let _ = self.words(&["overriding", "system", "value"]) || self.words(&["overriding", "user", "value"]);
        let rows = if self.words(&["default", "values"]) { None } else { Some(self.query()?) };
        let conflict = if self.words(&["on", "conflict"]) { Some(self.conflict()?) } else { None };
        let returning = self.returning()?;
        Ok(Command::Insert(Insert { with, table, alias, columns, rows, conflict, returning }))
    }

    fn conflict(&mut self) -> Result<Conflict, Error> {
        let mut constraint = None;
        let columns = if self.is_sign(0, "(") {
            self.in_parentheses(Self::name)?
        } else {
            if self.words(&["on", "constraint"]) {
                constraint = Some(self.name()?);
            }
            Vec::new()
        };
        self.expect_word("do")?;
        if self.word("nothing") {
            return Ok(Conflict { columns, constraint, update: None });
        }
        self.expect_word("update")?;
        self.expect_word("set")?;
        let set = self.assignments()?;
        let condition = self.condition()?;
        if columns.is_empty() && constraint.is_none() {
            let says = "ON CONFLICT DO UPDATE requires inference specification or constraint name";
            return Err(Error::new("42601", says));
        }
        Ok(Conflict { columns, constraint, update: Some((set, condition)) })
    }

    /// `a = 1, (b, c) = (2, 3)`.
    fn assignments(&mut self) -> Result<Vec<(String, Expr)>, Error> {
        let all = self.list(|parser| {
            if parser.is_sign(0, "(") {
                let names = parser.in_parentheses(Self::name)?;
                parser.expect("=")?;
                let row = match parser.expression()? {
                    Expr::Row(row) => row,
                    one => vec![one],
                };
                if names.len() != row.len() {
                    return Err(Error::new("42601", "number of columns does not match number of values"));
                }
                return Ok(names.into_iter().zip(row).collect());
            }
            let mut name = parser.label()?;
            while parser.sign(".") {
                name = parser.label()?;
            }
            parser.expect("=")?;
            Ok(vec![(name, parser.expression()?)])
        })?;
        Ok(all.into_iter().flatten().collect())
    }

    pub(super) fn update(&mut self, with: Vec<Cte>) -> Result<Command, Error> {
        self.word("only");
        let table = self.table_name()?;
        let alias = if self.word("as") { Some(self.name()?) } else { self.alias() };
        self.expect_word("set")?;
        let set = self.assignments()?;
        let from = if self.word("from") { self.from()? } else { Vec::new() };
        let condition = self.condition()?;
        let returning = self.returning()?;
        Ok(Command::Update(Update { with, table, alias, set, from, condition, returning }))
    }

    pub(super) fn delete(&mut self, with: Vec<Cte>) -> Result<Command, Error> {
        self.expect_word("from")?;
        self.word("only");
        let table = self.table_name()?;
        let alias = if self.word("as") { Some(self.name()?) } else { self.alias() };
        let using = if self.word("using") { self.from()? } else { Vec::new() };
        let condition = self.condition()?;
        let returning = self.returning()?;
        Ok(Command::Delete(Delete { with, table, alias, using, condition, returning }))
    }
}
