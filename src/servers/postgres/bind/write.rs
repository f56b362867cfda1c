//! INSERT, UPDATE and DELETE.

use super::super::ast::{self, Command, Expr, Target};
use super::super::error::Error;
use super::super::heap::Table;
use super::super::plan::{Action, Body, Change, Conflict, Insert, Join, Node, SourceKind};
use super::super::value::{Type, Value};
use super::query::columns_of;
use super::{Binder, Name, Scope};

impl<'a> Binder<'a> {
    /// A statement that reads or writes rows.
    pub(in super::super) fn action(&mut self, command: &Command) -> Result<Action, Error> {
        Ok(match command {
            Command::Select(query) => Action::Select(self.query(query)?),
            Command::Insert(insert) => Action::Insert(self.insert(insert)?),
            Command::Update(update) => {
                let from = &update.from;
                let condition = update.condition.as_ref();
                let set = Some(update.set.as_slice());
                self.change(
                    &update.with,
                    (&update.table, update.alias.as_deref()),
                    set,
                    from,
                    condition,
                    &update.returning,
                )?
            }
            Command::Delete(delete) => {
                let name = (delete.table.as_str(), delete.alias.as_deref());
                self.change(&delete.with, name, None, &delete.using, delete.condition.as_ref(), &delete.returning)?
            }
            _ => return Err(Error::syntax("")),
        })
    }

    /// Looks at the defaults and checks of a table for mistakes.
    pub(in super::super) fn probe(&mut self, name: &str) -> Result<(), Error> {
        let table = self.table(name)?;
        self.defaults(table)?;
        self.checks(table).map(|_| ())
    }

    fn table(&self, name: &str) -> Result<&'a Table, Error> {
        self.catalogue.table(name, self.xact)
    }

    fn position(&self, table: &str, column: &str) -> Result<usize, Error> {
        let none = || Error::new("42703", format!("column \"{column}\" of relation \"{table}\" does not exist"));
        self.table(table)?.column(column).ok_or_else(none)
    }

    fn insert(&mut self, insert: &ast::Insert) -> Result<Insert, Error> {
        let known = self.with.len();
        let with = self.with(&insert.with)?;
        let table = self.table(&insert.table)?;
        let mut columns = Vec::new();
        for name in &insert.columns {
            let at = self.position(&insert.table, name)?;
            if columns.contains(&at) {
                return Err(Error::new("42701", format!("column \"{name}\" specified more than once")));
            }
            columns.push(at);
        }
        let (rows, default_cells) = match &insert.rows {
            Some(query) => {
                let (query, cells) = without_defaults(query);
                (Some(self.typed_rows(&query, table, &insert.columns)?), cells)
            }
            None => (None, Vec::new()),
        };
        if insert.columns.is_empty() {
            let width = rows.as_ref().map_or(0, |rows| rows.columns.len());
            columns = (0..width.min(table.columns.len())).collect();
        }
        let mut casts = Vec::new();
        if let Some(rows) = &rows {
            if rows.columns.len() > columns.len() {
                return Err(Error::new("42601", "INSERT has more expressions than target columns"));
            }
            if rows.columns.len() < columns.len() {
                return Err(Error::new("42601", "INSERT has more target columns than expressions"));
            }
            for ((_, from), at) in rows.columns.iter().zip(&columns) {
                let column = &table.columns[*at];
                // Only whether it may be done is of interest here.
                self.assigned(Node::Column { depth: 0, at: *at }, *from, column.kind, &column.name)?;
                casts.push((*from, column.kind));
            }
        }
        let defaults = self.defaults(table)?;
        let checks = self.checks(table)?;
        let alias = insert.alias.as_deref().unwrap_or(&insert.table);
        let conflict = insert.conflict.as_ref().map(|conflict| self.conflict(table, alias, conflict)).transpose()?;
        let (returning, columns_out) = self.within(scope_of(&[(alias, table)]), |binder| {
            let targets = binder.stars(&insert.returning)?;
            binder.targets(&targets)
        })?;
        self.with.truncate(known);
        let table = table.id;
        Ok(Insert {
            with,
            table,
            rows,
            columns,
            defaults,
            default_cells,
            casts,
            checks,
            conflict,
            returning,
            columns_out,
        })
    }

    /// The rows of an INSERT; bare literals in VALUES are read as the type of their column.
    fn typed_rows(
        &mut self,
        query: &ast::Query,
        table: &Table,
        names: &[String],
    ) -> Result<super::super::plan::Plan, Error> {
        let mut plan = self.query(query)?;
        let kind = |at: usize| match names.get(at) {
            Some(name) => table.column(name).map(|column| table.columns[column].kind),
            None if names.is_empty() => table.columns.get(at).map(|column| column.kind),
            None => None,
        };
        let columns: Vec<Type> = plan.columns.iter().map(|(_, kind)| *kind).collect();
        if let [(_, Body::Values(rows))] = plan.bodies.as_mut_slice() {
            for (at, from) in columns.iter().enumerate() {
                let Some(kind) = kind(at).filter(|_| *from == Type::Unknown) else { continue };
                for row in rows.iter_mut() {
                    if let Node::Const(value) = &row[at] {
                        row[at] = Node::Const(value.clone().cast(Type::Unknown, kind)?);
                    }
                }
                plan.columns[at].1 = kind;
            }
        } else if let [(_, Body::Select(select))] = plan.bodies.as_mut_slice() {
            for (at, target) in select.targets.iter_mut().enumerate() {
                // A bare literal among the results is still of no type.
                if let (Node::Const(value @ (Value::Text(_) | Value::Null)), Some(kind)) = (&*target, kind(at)) {
                    *target = Node::Const(value.clone().cast(Type::Unknown, kind)?);
                    plan.columns[at].1 = kind;
                }
            }
        }
        Ok(plan)
    }

    fn defaults(&mut self, table: &Table) -> Result<Vec<Node>, Error> {
        let one = |column: &super::super::heap::Column| match &column.default {
            Some(expr) => self.constant(expr, column.kind),
            None => Ok(Node::Const(Value::Null)),
        };
        table.columns.iter().map(one).collect()
    }

    fn checks(&mut self, table: &Table) -> Result<Vec<(String, Node)>, Error> {
        self.within(scope_of(&[(&table.name, table)]), |binder| {
            let one = |(name, expr): &(String, Expr)| Ok((name.clone(), binder.condition(expr, "CHECK")?));
            table.checks.iter().map(one).collect()
        })
    }

    fn conflict(&mut self, table: &Table, alias: &str, conflict: &ast::Conflict) -> Result<Conflict, Error> {
        let mut wanted = Vec::new();
        for name in &conflict.columns {
            let none = || Error::new("42703", format!("column \"{name}\" does not exist"));
            wanted.push(table.column(name).ok_or_else(none)?);
        }
        wanted.sort_unstable();
        let fits = |columns: &[usize]| {
            let mut columns = columns.to_vec();
            columns.sort_unstable();
            columns == wanted
        };
        let index = if let Some(name) = &conflict.constraint {
            let found = table.indexes.iter().position(|index| index.unique && index.name == *name);
            let none =
                || Error::new("42704", format!("constraint \"{name}\" for table \"{}\" does not exist", table.name));
            Some(found.ok_or_else(none)?)
        } else if wanted.is_empty() {
            None
        } else {
            let found = table.indexes.iter().position(|index| index.unique && fits(&index.columns));
            let says = "there is no unique or exclusion constraint matching the ON CONFLICT specification";
            Some(found.ok_or_else(|| Error::new("42P10", says))?)
        };
        let Some((set, condition)) = &conflict.update else { return Ok(Conflict { index, update: None }) };
        let update = self.within(scope_of(&[(alias, table), ("excluded", table)]), |binder| {
            let set = binder.set(table, set)?;
            let condition = condition.as_ref().map(|expr| binder.condition(expr, "WHERE")).transpose()?;
            Ok((set, condition))
        })?;
        Ok(Conflict { index, update: Some(update) })
    }

    fn set(&mut self, table: &Table, set: &[(String, Expr)]) -> Result<Vec<(usize, Node)>, Error> {
        let mut all: Vec<(usize, Node)> = Vec::new();
        for (name, expr) in set {
            let none =
                || Error::new("42703", format!("column \"{name}\" of relation \"{}\" does not exist", table.name));
            let at = table.column(name).ok_or_else(none)?;
            if all.iter().any(|(other, _)| *other == at) {
                return Err(Error::new("42601", format!("multiple assignments to same column \"{name}\"")));
            }
            let column = &table.columns[at];
            let node = if *expr == Expr::Default {
                match &column.default {
                    Some(default) => self.constant(default, column.kind)?,
                    None => Node::Const(Value::Null),
                }
            } else {
                let (node, from) = self.expression(expr)?;
                self.assigned(node, from, column.kind, name)?
            };
            all.push((at, node));
        }
        Ok(all)
    }

    fn change(
        &mut self,
        with: &[ast::Cte],
        (name, alias): (&str, Option<&str>),
        set: Option<&[(String, Expr)]>,
        from: &[ast::From],
        condition: Option<&Expr>,
        returning: &[Target],
    ) -> Result<Action, Error> {
        let known = self.with.len();
        let with = self.with(with)?;
        let table = self.table(name)?;
        let checks = self.checks(table)?;
        let bound = self.within(Scope::default(), |binder| {
            let mut join = Join::default();
            let kind = SourceKind::Table(table.id);
            binder.add_source(&mut join, kind, Some(alias.unwrap_or(name)), columns_of(table))?;
            let others = binder.sources(from)?;
            join.sources.extend(others.sources);
            join.width = binder.scope().width;
            join.condition = condition.map(|expr| binder.condition(expr, "WHERE")).transpose()?;
            // The table that is changed comes last, so that its keys are known by then.
            let order: Vec<usize> = (1..join.sources.len()).chain([0]).collect();
            binder.lookups(&mut join, &order);
            let set = set.map(|set| binder.set(table, set)).transpose()?;
            let targets = binder.stars(returning)?;
            let (returning, columns_out) = binder.targets(&targets)?;
            Ok((join, set, returning, columns_out))
        })?;
        self.with.truncate(known);
        let (join, set, returning, columns_out) = bound;
        Ok(Action::Change(Change { with, table: table.id, join, set, checks, returning, columns_out }))
    }
}

/// The columns of tables side by side, of which `*` means the first table's.
fn scope_of(tables: &[(&str, &Table)]) -> Scope {
    let mut scope = Scope::default();
    for (turn, (alias, table)) in tables.iter().enumerate() {
        for column in &table.columns {
            let (name, kind, at) = (column.name.clone(), column.kind, scope.width);
            scope.names.push(Name { table: Some((*alias).to_owned()), name, kind, at, starred: turn == 0 });
            scope.width += 1;
        }
    }
    scope
}

/// VALUES with NULL wherever it says DEFAULT, and where that was.
fn without_defaults(query: &ast::Query) -> (ast::Query, Vec<(usize, usize)>) {
    let (mut query, mut cells) = (query.clone(), Vec::new());
    for (_, body) in &mut query.bodies {
        let ast::Body::Values(rows) = body else { continue };
        for (row, values) in rows.iter_mut().enumerate() {
            for (column, value) in values.iter_mut().enumerate().filter(|(_, value)| **value == Expr::Default) {
                *value = Expr::Literal(Value::Null, Type::Unknown);
                cells.push((row, column));
            }
        }
    }
    (query, cells)
}
