//! Queries: their sources, results, order and locks.

use super::super::ast::{self, Expr, Order, Query, Target};
use super::super::error::Error;
use super::super::heap::{Table, TableId};
use super::super::plan::{Body, Grouping, Join, Node, OrderKey, Plan, RowLocking, Select, Source, SourceKind};
use super::super::value::{Type, Value};
use super::{Binder, Name, Scope, With, coerced, result_name, view};

/// Results, and the name and type of each.
pub(super) type Bound = (Vec<Node>, Vec<(String, Type)>);

impl Binder<'_> {
    /// A query within the queries that are being bound.
    pub(super) fn query(&mut self, query: &Query) -> Result<Plan, Error> {
        let id = self.number();
        let known = self.with.len();
        let with = self.with(&query.with)?;
        let mut plan = Plan {
            id,
            correlated: false,
            with,
            bodies: Vec::new(),
            order: Vec::new(),
            limit: None,
            offset: None,
            locking: Vec::new(),
            columns: Vec::new(),
        };
        let single = query.bodies.len() == 1;
        if !query.locking.is_empty() {
            refuse_locking(query)?;
        }
        for (operation, body) in &query.bodies {
            let (bound, columns) = self.within(Scope::default(), |binder| {
                let bound = match body {
                    ast::Body::Values(rows) => binder.values(rows)?,
                    ast::Body::Select(select) => {
                        let (bound, columns, order) = binder.select(select, query, single)?;
                        plan.order.extend(order);
                        if single {
                            plan.locking = binder.locking(query, select, &bound.join)?;
                        }
                        (Body::Select(bound), columns)
                    }
                };
                plan.correlated |= binder.scope().outer;
                Ok(bound)
            })?;
            if plan.columns.is_empty() {
                plan.columns = columns;
            } else if plan.columns.len() != columns.len() {
                return Err(Error::new("42601", "each UNION query must have the same number of columns"));
            }
            plan.bodies.push((*operation, bound));
        }
        if !single || !matches!(query.bodies.first(), Some((_, ast::Body::Select(_)))) {
            plan.order = query.order.iter().map(|order| by_name(order, &plan.columns)).collect::<Result<_, _>>()?;
        }
        plan.limit = self.bound(query.limit.as_ref(), "LIMIT")?;
        plan.offset = self.bound(query.offset.as_ref(), "OFFSET")?;
        self.with.truncate(known);
        Ok(plan)
    }

    /// The statements of a WITH; their names are known until the list is cut back.
    pub(super) fn with(&mut self, all: &[ast::Cte]) -> Result<Vec<(usize, Box<super::super::plan::Action>)>, Error> {
        let mut bound = Vec::new();
        for cte in all {
            let action = self.action(&cte.command)?;
            let mut columns = action.columns().to_vec();
            for (column, name) in columns.iter_mut().zip(&cte.columns) {
                column.0.clone_from(name);
            }
            let number = self.number();
            self.with.push(With { name: cte.name.clone(), number, columns });
            bound.push((number, Box::new(action)));
        }
        Ok(bound)
    }

    fn bound(&mut self, expr: Option<&Expr>, clause: &str) -> Result<Option<Node>, Error> {
        let Some(expr) = expr else { return Ok(None) };
        self.within(Scope::default(), |binder| {
            let (node, kind) = binder.expression(expr)?;
            if kind != Type::Unknown && !kind.is_number() {
                let says = format!("argument of {clause} must be type bigint, not type {}", kind.name());
                return Err(Error::new("42804", says));
            }
            Ok(Some(coerced(node, kind, Type::Int8)?))
        })
    }

    fn values(&mut self, rows: &[Vec<Expr>]) -> Result<(Body, Vec<(String, Type)>), Error> {
        let width = rows.first().map_or(0, Vec::len);
        if rows.iter().any(|row| row.len() != width) {
            return Err(Error::new("42601", "VALUES lists must all be the same length"));
        }
        let mut kinds = vec![Type::Unknown; width];
        let mut bound: Vec<Vec<(Node, Type)>> = Vec::new();
        for row in rows {
            let row = row.iter().map(|expr| self.expression(expr)).collect::<Result<Vec<_>, _>>()?;
            for (kind, (_, found)) in kinds.iter_mut().zip(&row) {
                *kind = super::common(*kind, *found).ok_or_else(|| {
                    let says = format!("VALUES types {} and {} cannot be matched", kind.name(), found.name());
                    Error::new("42804", says)
                })?;
            }
            bound.push(row);
        }
        let one = |row: Vec<(Node, Type)>| {
            let cast = row.into_iter().zip(&kinds).map(|((node, from), to)| coerced(node, from, *to));
            cast.collect::<Result<Vec<_>, _>>()
        };
        let rows = bound.into_iter().map(one).collect::<Result<_, _>>()?;
        let columns = kinds.iter().enumerate().map(|(at, kind)| (format!("column{}", at + 1), *kind)).collect();
        Ok((Body::Values(rows), columns))
    }

    #[expect(clippy::type_complexity, reason = "three results of one pass")]
    fn select(
        &mut self,
        select: &ast::Select,
        query: &Query,
        single: bool,
    ) -> Result<(Select, Vec<(String, Type)>, Vec<OrderKey>), Error> {
        let mut join = self.sources(&select.from)?;
        join.condition = select.condition.as_ref().map(|expr| self.condition(expr, "WHERE")).transpose()?;
        let order: Vec<usize> = (0..join.sources.len()).collect();
        self.lookups(&mut join, &order);
        let targets = self.stars(&select.targets)?;
        let expanded = ast::Select { targets, ..select.clone() };
        let grouping = self.groups(&expanded, query)?;
        let grouping = match grouping {
            Some((groups, keys)) => {
                let calls = groups.calls.clone();
                self.scope().groups = Some(groups);
                let having = expanded.having.as_ref().map(|expr| self.condition(expr, "HAVING")).transpose()?;
                Some(Grouping { keys, calls, having })
            }
            None => None,
        };
        let (nodes, columns) = self.targets(&expanded.targets)?;
        let mut keys = Vec::new();
        for order in query.order.iter().filter(|_| single) {
            let expr = by_number(&order.expr, &expanded.targets, "ORDER BY")?;
            let named = match &order.expr {
                Expr::Column { table: None, name } => columns.iter().position(|(column, _)| column == name),
                _ => None,
            };
            let node = match (expr, named) {
                (None, Some(at)) => nodes[at].clone(),
                (expr, _) => self.expression(expr.unwrap_or(&order.expr))?.0,
            };
            keys.push(OrderKey { node, descending: order.descending, nulls_first: order.nulls_first });
        }
        Ok((Select { join, grouping, targets: nodes, distinct: select.distinct }, columns, keys))
    }

    /// Results with their names and types.
    pub(super) fn targets(&mut self, targets: &[Target]) -> Result<Bound, Error> {
        let (mut nodes, mut columns) = (Vec::new(), Vec::new());
        for target in targets {
            let (node, kind) = self.expression(&target.expr)?;
            let kind = if kind == Type::Unknown { Type::Text } else { kind };
            columns.push((target.alias.clone().unwrap_or_else(|| result_name(&target.expr)), kind));
            nodes.push(node);
        }
        Ok((nodes, columns))
    }

    /// Results with the columns for which `*` stands.
    pub(super) fn stars(&mut self, targets: &[Target]) -> Result<Vec<Target>, Error> {
        let mut all = Vec::new();
        for target in targets {
            let Expr::Star(table) = &target.expr else {
                all.push(target.clone());
                continue;
            };
            let before = all.len();
            let wanted = |name: &&Name| name.starred && (table.is_none() || name.table == *table);
            for Name { table, name, .. } in self.scope().names.iter().filter(wanted) {
                all.push(Target { expr: Expr::Column { table: table.clone(), name: name.clone() }, alias: None });
            }
            match table {
                Some(table) if all.len() == before => {
                    return Err(Error::new("42P01", format!("missing FROM-clause entry for table \"{table}\"")));
                }
                None if all.len() == before => {
                    return Err(Error::new("42601", "SELECT * with no tables specified is not valid"));
                }
                _ => {}
            }
        }
        Ok(all)
    }

    /// Puts the columns of sources into the scope, side by side.
    pub(super) fn sources(&mut self, from: &[ast::From]) -> Result<Join, Error> {
        let mut join = Join::default();
        for one in from {
            self.source(one, &mut join)?;
        }
        Ok(join)
    }

    fn source(&mut self, from: &ast::From, join: &mut Join) -> Result<(), Error> {
        let (kind, mut columns) = match &from.source {
            ast::Source::Table(name) => self.relation(name)?,
            ast::Source::Query(query) => {
                let plan = self.query(query)?;
                let columns = plan.columns.clone();
                (SourceKind::Plan(Box::new(plan)), columns)
            }
            ast::Source::Call(call) => {
                let (node, kind) = self.expression(call)?;
                let name = from.alias.clone().unwrap_or_else(|| result_name(call));
                (SourceKind::Call(node), vec![(name, kind)])
            }
        };
        for (column, name) in columns.iter_mut().zip(&from.columns) {
            column.0.clone_from(name);
        }
        self.add_source(join, kind, from.alias.as_deref(), columns)?;
        let on = from.on.as_ref().map(|expr| self.condition(expr, "JOIN/ON")).transpose()?;
        let source = join.sources.last_mut().expect("just added");
        (source.left, source.on) = (from.left, on);
        Ok(())
    }

    /// Adds a source whose columns are known.
    pub(super) fn add_source(
        &mut self,
        join: &mut Join,
        kind: SourceKind,
        alias: Option<&str>,
        columns: Vec<(String, Type)>,
    ) -> Result<(), Error> {
        let first = self.scope().width;
        let width = columns.len();
        let taken = |name: &Name| alias.is_some() && name.table.as_deref() == alias;
        if self.scope().names.iter().any(taken) {
            let alias = alias.unwrap_or_default();
            return Err(Error::new("42712", format!("table name \"{alias}\" specified more than once")));
        }
        for (at, (name, kind)) in columns.into_iter().enumerate() {
            let table = alias.map(str::to_owned);
            self.scope().names.push(Name { table, name, kind, at: first + at, starred: true });
        }
        self.scope().width += width;
        join.sources.push(Source { kind, first, width, left: false, on: None, lookup: None });
        join.width = self.scope().width;
        Ok(())
    }

    fn relation(&mut self, name: &str) -> Result<(SourceKind, Vec<(String, Type)>), Error> {
        if let Some(with) = self.with.iter().rev().find(|with| with.name == name) {
            return Ok((SourceKind::With(with.number), with.columns.clone()));
        }
        if let Some((view, columns)) = view(name) {
            let columns = columns.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
            return Ok((SourceKind::View(view), columns));
        }
        let table = self.catalogue.table(name, self.xact)?;
        Ok((SourceKind::Table(table.id), columns_of(table)))
    }

    fn locking(&mut self, query: &Query, select: &ast::Select, join: &Join) -> Result<Vec<RowLocking>, Error> {
        let mut all: Vec<RowLocking> = Vec::new();
        for locking in &query.locking {
            for name in &locking.of {
                if !select.from.iter().any(|from| from.alias.as_ref() == Some(name)) {
                    let says = format!("relation \"{name}\" in FOR UPDATE clause not found in FROM clause");
                    return Err(Error::new("42P01", says));
                }
            }
            for (at, (source, from)) in join.sources.iter().zip(&select.from).enumerate() {
                let named = from.alias.as_ref().is_some_and(|alias| locking.of.contains(alias));
                if !matches!(source.kind, SourceKind::Table(_)) || !(locking.of.is_empty() || named) {
                    continue;
                }
                match all.iter_mut().find(|other| other.source == at) {
                    Some(other) => {
                        other.mode = other.mode.max(locking.mode);
                        other.patience = stricter(other.patience, locking.patience);
                    }
                    None => all.push(RowLocking { source: at, mode: locking.mode, patience: locking.patience }),
                }
            }
        }
        Ok(all)
    }

    /// Finds, for each table, the unique index whose whole key the condition fixes by what is known
    /// before the table's turn. Sources have their turns in `order`.
    pub(super) fn lookups(&self, join: &mut Join, order: &[usize]) {
        let mut conjuncts = Vec::new();
        join.condition.iter().for_each(|node| split(node, &mut conjuncts));
        let mut found = Vec::new();
        for (turn, at) in order.iter().enumerate() {
            let source = &join.sources[*at];
            let SourceKind::Table(table) = source.kind else { continue };
            let mut mine = conjuncts.clone();
            source.on.iter().for_each(|node| split(node, &mut mine));
            let known = |column: usize| {
                order[..turn].iter().any(|before| {
                    let other = &join.sources[*before];
                    (other.first..other.first + other.width).contains(&column)
                })
            };
            if !source.left {
                found.push((*at, self.lookup(table, source.first, &mine, &known)));
            }
        }
        for (at, lookup) in found {
            join.sources[at].lookup = lookup;
        }
    }

    fn lookup(
        &self,
        table: TableId,
        first: usize,
        conjuncts: &[&Node],
        known: &dyn Fn(usize) -> bool,
    ) -> Option<(usize, Vec<Vec<Node>>)> {
        let indexes = &self.catalogue.by_id(table)?.indexes;
        indexes.iter().enumerate().filter(|(_, index)| index.unique).find_map(|(at, index)| {
            if let [column] = index.columns.as_slice() {
                let list = conjuncts.iter().find_map(|node| match node {
                    Node::In { of, list, negated: false } if is_column(of, first + column) => {
                        list.iter().all(|item| item.is_known(known)).then(|| list.clone())
                    }
                    _ => None,
                });
                if let Some(list) = list {
                    return Some((at, list.into_iter().map(|item| vec![item]).collect()));
                }
            }
            let fixed = |column: &usize| {
                conjuncts.iter().find_map(|node| match node {
                    Node::Compare("=", left, right) if is_column(left, first + column) => {
                        right.is_known(known).then(|| right.as_ref().clone())
                    }
                    Node::Compare("=", left, right) if is_column(right, first + column) => {
                        left.is_known(known).then(|| left.as_ref().clone())
                    }
                    _ => None,
                })
            };
            let key: Option<Vec<Node>> = index.columns.iter().map(fixed).collect();
            Some((at, vec![key?]))
        })
    }
}

/// The columns of a table.
pub(super) fn columns_of(table: &Table) -> Vec<(String, Type)> {
    table.columns.iter().map(|column| (column.name.clone(), column.kind)).collect()
}

fn is_column(node: &Node, at: usize) -> bool {
    *node == Node::Column { depth: 0, at }
}

/// The parts of a condition that all have to hold.
fn split<'n>(node: &'n Node, all: &mut Vec<&'n Node>) {
    match node {
        Node::And(left, right) => {
            split(left, all);
            split(right, all);
        }
        node => all.push(node),
    }
}

fn stricter(one: ast::Patience, two: ast::Patience) -> ast::Patience {
    use ast::Patience::{NoWait, SkipLocked, Wait};
    match (one, two) {
        (NoWait, _) | (_, NoWait) => NoWait,
        (SkipLocked, _) | (_, SkipLocked) => SkipLocked,
        (Wait, Wait) => Wait,
    }
}

/// The result that a number in GROUP BY or ORDER BY means. None: it is no number.
pub(super) fn by_number<'t>(expr: &Expr, targets: &'t [Target], clause: &str) -> Result<Option<&'t Expr>, Error> {
    match expr {
        Expr::Literal(Value::Int(number), _) => {
            let at = usize::try_from(*number).ok().and_then(|number| number.checked_sub(1));
            let none = || Error::new("42P10", format!("{clause} position {number} is not in select list"));
            let target = at.and_then(|at| targets.get(at)).ok_or_else(none)?;
            Ok(Some(&target.expr))
        }
        Expr::Literal(Value::Text(_), _) => Err(Error::new("42601", format!("non-integer constant in {clause}"))),
        _ => Ok(None),
    }
}

/// A key of ORDER BY over the results of joined bodies.
fn by_name(order: &Order, columns: &[(String, Type)]) -> Result<OrderKey, Error> {
    let at = match &order.expr {
        Expr::Literal(Value::Int(number), _) => usize::try_from(*number).ok().and_then(|number| number.checked_sub(1)),
        Expr::Column { table: None, name } => columns.iter().position(|(column, _)| column == name),
        _ => None,
    };
    let at = at.filter(|at| *at < columns.len());
    let at = at.ok_or_else(|| Error::new("42703", "ORDER BY names no result of the query"))?;
    let node = Node::Column { depth: 0, at };
    Ok(OrderKey { node, descending: order.descending, nulls_first: order.nulls_first })
}

/// FOR UPDATE goes with plain rows of tables only (CheckSelectLocking).
fn refuse_locking(query: &Query) -> Result<(), Error> {
    let mode = match query.locking.first().map(|locking| locking.mode) {
        Some(ast::RowMode::Update) | None => "FOR UPDATE",
        Some(ast::RowMode::NoKeyUpdate) => "FOR NO KEY UPDATE",
        Some(ast::RowMode::Share) => "FOR SHARE",
        Some(ast::RowMode::KeyShare) => "FOR KEY SHARE",
    };
    let refuse = |with: &str| Err(Error::unsupported(format!("{mode} is not allowed with {with}")));
    if query.bodies.len() > 1 {
        return refuse("UNION/INTERSECT/EXCEPT");
    }
    match query.bodies.first() {
        Some((_, ast::Body::Values(_))) => Err(Error::unsupported(format!("{mode} cannot be applied to VALUES"))),
        Some((_, ast::Body::Select(select))) => {
            if select.distinct {
                refuse("DISTINCT clause")
            } else if !select.group.is_empty() {
                refuse("GROUP BY clause")
            } else if select.having.is_some() {
                refuse("HAVING clause")
            } else if !super::aggregate::calls(select, query).is_empty() {
                refuse("aggregate functions")
            } else {
                Ok(())
            }
        }
        None => Ok(()),
    }
}
