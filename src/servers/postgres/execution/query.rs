//! Queries: sources side by side, groups, order, limits and locks.

use super::super::ast::SetOperation;
use super::super::decimal::Decimal;
use super::super::error::Error;
use super::super::heap::{Snapshot, Stamp, TableId, Tid, Version};
use super::super::plan::{
    Aggregate, AggregateKind, Body, Grouping, Join, Node, OrderKey, Plan, Select, Source, SourceKind,
};
use super::super::serializable::Target;
use super::super::session::Locked;
use super::super::value::Value;
use super::{Env, Execution, Row, Stop};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Whether more rows are wanted.
pub(super) type More = bool;

/// What is done with each row of a join: its values, and the version of each table in it.
pub(super) type Sink<'s> = dyn FnMut(&mut Execution<'_>, &[Value], &[Option<Tid>]) -> Result<More, Stop> + 's;

/// What is done with each row of one source.
type OnRow<'s, E> = dyn FnMut(&mut E, &[Value], Option<Tid>) -> Result<More, Stop> + 's;

impl Execution<'_> {
    /// The rows of a query, at most so many.
    pub(super) fn rows(&mut self, plan: &Plan, env: &Env<'_>, most: Option<usize>) -> Result<Vec<Row>, Stop> {
        for (number, with) in &plan.with {
            if !self.memo.contains_key(number) {
                let results = self.action(with, env)?;
                self.memo.insert(*number, results.rows);
            }
        }
        let count = |value: Value, code: &'static str, clause: &str| match value {
            Value::Int(count) => {
                usize::try_from(count).map(Some).map_err(|_| Error::new(code, format!("{clause} must not be negative")))
            }
            _ => Ok(None),
        };
        let limit = match &plan.limit {
            Some(node) => count(self.value(node, env)?, "2201W", "LIMIT")?,
            None => None,
        };
        let offset = match &plan.offset {
            Some(node) => count(self.value(node, env)?, "2201X", "OFFSET")?.unwrap_or(0),
            None => 0,
        };
        let limit = match (limit, most) {
            (Some(limit), Some(most)) => Some(limit.min(most)),
            (limit, most) => limit.or(most),
        };
        if limit == Some(0) {
            return Ok(Vec::new());
        }
        let until = limit.map(|limit| limit.saturating_add(offset));
        let mut rows = match plan.bodies.as_slice() {
            [(_, Body::Select(select))] => self.select(plan, select, env, until)?,
            bodies => self.joined(plan, bodies, env)?,
        };
        rows.drain(..offset.min(rows.len()));
        rows.truncate(limit.unwrap_or(usize::MAX));
        Ok(rows)
    }

    /// VALUES, or several bodies.
    fn joined(&mut self, plan: &Plan, bodies: &[(SetOperation, Body)], env: &Env<'_>) -> Result<Vec<Row>, Stop> {
        let mut rows: Vec<Row> = Vec::new();
        for (turn, (operation, body)) in bodies.iter().enumerate() {
            let next = match body {
                Body::Values(values) => {
                    let env = env.inner(&[]);
                    values.iter().map(|row| self.values(row, &env)).collect::<Result<_, _>>()?
                }
                Body::Select(select) => {
                    let bare = Plan { order: Vec::new(), locking: Vec::new(), bodies: Vec::new(), ..plan.clone() };
                    self.select(&bare, select, env, None)?
                }
            };
            match operation {
                _ if turn == 0 => rows = next,
                SetOperation::UnionAll => rows.extend(next),
                SetOperation::Union => {
                    rows.extend(next);
                    rows = distinct(rows);
                }
                SetOperation::Intersect => rows = distinct(rows.into_iter().filter(|row| next.contains(row)).collect()),
                SetOperation::Except => rows = distinct(rows.into_iter().filter(|row| !next.contains(row)).collect()),
            }
        }
        self.ordered(&mut rows, &plan.order, env)?;
        Ok(rows)
    }

    fn ordered(&mut self, rows: &mut Vec<Row>, order: &[OrderKey], env: &Env<'_>) -> Result<(), Stop> {
        if order.is_empty() {
            return Ok(());
        }
        let mut keyed = Vec::new();
        for row in rows.drain(..) {
            keyed.push((self.keys(order, &env.inner(&row))?, row));
        }
        keyed.sort_by(|(left, _), (right, _)| compare_keys(order, left, right));
        rows.extend(keyed.into_iter().map(|(_, row)| row));
        Ok(())
    }

    fn keys(&mut self, order: &[OrderKey], env: &Env<'_>) -> Result<Row, Stop> {
        order.iter().map(|key| self.value(&key.node, env)).collect()
    }

    fn select(&mut self, plan: &Plan, select: &Select, env: &Env<'_>, until: Option<usize>) -> Result<Vec<Row>, Stop> {
        if let Some(grouping) = &select.grouping {
            let mut groups = self.groups(&select.join, grouping, env)?;
            self.ordered(&mut groups, &plan.order, env)?;
            let rows = groups.iter().map(|group| self.values(&select.targets, &env.inner(group)));
            let rows = rows.collect::<Result<Vec<_>, _>>()?;
            return Ok(if select.distinct { distinct(rows) } else { rows });
        }
        let enough = |rows: &[Row]| !select.distinct && until.is_some_and(|until| rows.len() >= until);
        let mut rows = Vec::new();
        if plan.order.is_empty() {
            self.join(&select.join, env, &mut |execution, row, tids| {
                rows.extend(execution.result(plan, select, env, row, tids)?);
                Ok(!enough(&rows))
            })?;
        } else {
            let mut found = Vec::new();
            self.join(&select.join, env, &mut |execution, row, tids| {
                let keys = execution.keys(&plan.order, &env.inner(row))?;
                found.push((keys, row.to_vec(), tids.to_vec()));
                Ok(true)
            })?;
            found.sort_by(|(left, ..), (right, ..)| compare_keys(&plan.order, left, right));
            for (_, row, tids) in found {
                if enough(&rows) {
                    break;
                }
                rows.extend(self.result(plan, select, env, &row, &tids)?);
            }
        }
        Ok(if select.distinct { distinct(rows) } else { rows })
    }

    /// Locks the rows that are to be locked, and gives the results. None: a row was skipped, or it does
    /// not meet the condition any more.
    fn result(
        &mut self,
        plan: &Plan,
        select: &Select,
        env: &Env<'_>,
        row: &[Value],
        tids: &[Option<Tid>],
    ) -> Result<Option<Row>, Stop> {
        let mut row = row.to_vec();
        let mut newer = false;
        for locking in &plan.locking {
            let source = &select.join.sources[locking.source];
            let (SourceKind::Table(table), Some(tid)) = (&source.kind, tids[locking.source]) else { continue };
            let found = match self.lock_row(*table, tid, locking.mode, locking.patience)? {
                Locked::At(found) => found,
                Locked::Gone | Locked::Skipped => return Ok(None),
            };
            if found != tid {
                newer = true;
                self.exchange(source, *table, found, &mut row);
            }
        }
        if newer && !self.still(&select.join, &env.inner(&row))? {
            return Ok(None);
        }
        self.values(&select.targets, &env.inner(&row)).map(Some)
    }

    /// Puts a later version of a row into a joined row.
    pub(super) fn exchange(&self, source: &Source, table: TableId, tid: Tid, row: &mut [Value]) {
        let version = self.version(table, tid).expect("a locked version is there");
        row[source.first..source.first + source.width].clone_from_slice(&version.row);
    }

    /// Whether a row meets the conditions under which it was found (EvalPlanQual).
    pub(super) fn still(&mut self, join: &Join, env: &Env<'_>) -> Result<bool, Stop> {
        for source in join.sources.iter().filter(|source| !source.left) {
            if !self.holds(source.on.as_ref(), env)? {
                return Ok(false);
            }
        }
        self.holds(join.condition.as_ref(), env)
    }

    /// Goes through the rows of a join, its sources in their order.
    pub(super) fn join(&mut self, join: &Join, env: &Env<'_>, sink: &mut Sink<'_>) -> Result<(), Stop> {
        let order: Vec<usize> = (0..join.sources.len()).collect();
        self.join_in(join, &order, env, sink)
    }

    /// Goes through the rows of a join, its sources in a given order.
    pub(super) fn join_in(
        &mut self,
        join: &Join,
        order: &[usize],
        env: &Env<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<(), Stop> {
        let mut row = vec![Value::Null; join.width];
        let mut tids = vec![None; join.sources.len()];
        self.nest(join, order, env, &mut row, &mut tids, sink).map(|_| ())
    }

    fn nest(
        &mut self,
        join: &Join,
        order: &[usize],
        env: &Env<'_>,
        row: &mut Row,
        tids: &mut Vec<Option<Tid>>,
        sink: &mut Sink<'_>,
    ) -> Result<More, Stop> {
        let Some((at, rest)) = order.split_first() else {
            let holds = self.holds(join.condition.as_ref(), &env.inner(row))?;
            return if holds { sink(self, row, tids) } else { Ok(true) };
        };
        let source = &join.sources[*at];
        let keyed = match (&source.kind, &source.lookup) {
            (SourceKind::Table(table), Some((index, keys))) => {
                Some(self.by_keys(*table, *index, keys, &env.inner(row))?)
            }
            _ => None,
        };
        let place = source.first..source.first + source.width;
        let mut matched = false;
        let mut on = |execution: &mut Self, values: &[Value], tid: Option<Tid>| {
            row[place.clone()].clone_from_slice(values);
            tids[*at] = tid;
            if !execution.holds(source.on.as_ref(), &env.inner(row))? {
                return Ok(true);
            }
            matched = true;
            execution.nest(join, rest, env, row, tids, sink)
        };
        let more = match &source.kind {
            SourceKind::Table(table) => {
                let mut from = 0;
                match keyed {
                    Some(tids) => self.found_by_key(*table, tids, &mut on)?,
                    None => loop {
                        self.has_read(Target::Relation(*table));
                        let Some((tid, values)) = self.next_visible(*table, from)? else { break true };
                        if !on(self, &values, Some(tid))? {
                            break false;
                        }
                        from = tid + 1;
                    },
                }
            }
            kind => {
                let mut more = true;
                for values in self.source_rows(kind, env)? {
                    more = on(self, &values, None)?;
                    if !more {
                        break;
                    }
                }
                more
            }
        };
        if source.left && !matched && more {
            row[source.first..source.first + source.width].fill(Value::Null);
            tids[*at] = None;
            return self.nest(join, rest, env, row, tids, sink);
        }
        Ok(more)
    }

    fn source_rows(&mut self, kind: &SourceKind, env: &Env<'_>) -> Result<Vec<Row>, Stop> {
        Ok(match kind {
            SourceKind::View(view) => self.view(*view),
            SourceKind::Plan(plan) => self.rows(plan, &env.inner(&[]), None)?,
            SourceKind::With(number) => self.memo.get(number).cloned().unwrap_or_default(),
            SourceKind::Call(node) => match self.value(node, &env.inner(&[]))? {
                Value::Array(items) => items.into_iter().map(|item| vec![item]).collect(),
                value => vec![vec![value]],
            },
            SourceKind::Table(_) => Vec::new(),
        })
    }

    /// The versions that a unique index has for some keys, in the order of the table.
    fn by_keys(
        &mut self,
        table: TableId,
        index: usize,
        keys: &[Vec<Node>],
        env: &Env<'_>,
    ) -> Result<BTreeSet<Tid>, Stop> {
        self.has_read(Target::Index(table, index));
        let mut tids = BTreeSet::new();
        for key in keys {
            let key = self.values(key, env)?;
            let found = self.server.catalogue.by_id(table).map(|table| table.with_key(index, &key));
            tids.extend(found.into_iter().flatten());
        }
        Ok(tids)
    }

    fn found_by_key(&mut self, table: TableId, tids: BTreeSet<Tid>, on: &mut OnRow<'_, Self>) -> Result<More, Stop> {
        for tid in tids {
            let Some(values) = self.visible(table, tid)? else { continue };
            self.has_read(Target::Tuple(table, tid));
            if !on(self, &values, Some(tid))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn visible(&mut self, table: TableId, tid: Tid) -> Result<Option<Row>, Stop> {
        let snapshot = self.snapshot;
        let Some(version) = self.version(table, tid) else { return Ok(None) };
        let missed = missed(&snapshot, version);
        let row = snapshot.is_visible(version).then(|| version.row.clone());
        self.has_missed(missed)?;
        Ok(row)
    }

    /// The first visible row from a place on.
    fn next_visible(&mut self, table: TableId, from: Tid) -> Result<Option<(Tid, Row)>, Stop> {
        let snapshot = self.snapshot;
        let mut writers = Vec::new();
        let mut found = None;
        let versions = self.server.catalogue.by_id(table).map(|table| table.versions.range(from..));
        for (tid, version) in versions.into_iter().flatten() {
            writers.extend(missed(&snapshot, version));
            if snapshot.is_visible(version) {
                found = Some((*tid, version.row.clone()));
                break;
            }
        }
        self.has_missed(writers)?;
        Ok(found)
    }

    fn has_missed(&mut self, writers: impl IntoIterator<Item = u64>) -> Result<(), Stop> {
        if !self.is_repeated() && self.server.serials.is_followed(self.xact) {
            for writer in writers {
                self.server.serials.missed(self.xact, writer)?;
            }
        }
        Ok(())
    }

    fn groups(&mut self, join: &Join, grouping: &Grouping, env: &Env<'_>) -> Result<Vec<Row>, Stop> {
        let mut groups: Vec<(Row, Vec<Vec<Value>>)> = Vec::new();
        if grouping.keys.is_empty() {
            groups.push((Vec::new(), vec![Vec::new(); grouping.calls.len()]));
        }
        let mut places: BTreeMap<Row, usize> = BTreeMap::new();
        self.join(join, env, &mut |execution, row, _| {
            let env = env.inner(row);
            let keys = execution.values(&grouping.keys, &env)?;
            let place = if keys.is_empty() { 0 } else { *places.entry(keys.clone()).or_insert(groups.len()) };
            if place == groups.len() {
                groups.push((keys, vec![Vec::new(); grouping.calls.len()]));
            }
            for (call, gathered) in grouping.calls.iter().zip(&mut groups[place].1) {
                if !execution.holds(call.filter.as_ref(), &env)? {
                    continue;
                }
                match &call.argument {
                    None => gathered.push(Value::Bool(true)),
                    Some(argument) => {
                        let value = execution.value(argument, &env)?;
                        if !value.is_null() {
                            gathered.push(value);
                        }
                    }
                }
            }
            Ok(true)
        })?;
        let mut rows = Vec::new();
        for (mut row, gathered) in groups {
            for (call, values) in grouping.calls.iter().zip(gathered) {
                row.push(aggregate(call, values)?);
            }
            if self.holds(grouping.having.as_ref(), &env.inner(&row))? {
                rows.push(row);
            }
        }
        Ok(rows)
    }
}

/// The transaction whose change to a version is not seen although it may be there by now.
fn missed(snapshot: &Snapshot, version: &Version) -> Option<u64> {
    if !snapshot.sees_creation(version) {
        return Some(version.creator);
    }
    let removal = version.removed?;
    let unseen = match removal.by {
        Stamp::Open(owner) => owner.xact != snapshot.xact,
        Stamp::Done(commit) => commit > snapshot.commit,
    };
    unseen.then_some(version.remover)
}

fn aggregate(call: &Aggregate, mut values: Vec<Value>) -> Result<Value, Error> {
    if call.distinct {
        values = values.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    }
    let count = i64::try_from(values.len()).unwrap_or(i64::MAX);
    if call.kind == AggregateKind::Count {
        return Ok(Value::Int(count));
    }
    let out = || Error::new("22003", "bigint out of range");
    let sum = |values: &[Value]| {
        let decimals = values.iter().filter_map(Value::to_decimal);
        decimals.into_iter().try_fold(Decimal::from(0), |sum, value| sum.add(&value)).ok_or_else(out)
    };
    if values.is_empty() {
        return Ok(Value::Null);
    }
    Ok(match call.kind {
        AggregateKind::Count => Value::Int(count),
        AggregateKind::Min => values.into_iter().min().unwrap_or(Value::Null),
        AggregateKind::Max => values.into_iter().max().unwrap_or(Value::Null),
        AggregateKind::Sum => {
            let whole = values.iter().all(|value| matches!(value, Value::Int(_)));
            let sum = sum(&values)?;
            // Of whole numbers it is whole; whether `bigint` or `numeric` shows nowhere but in its type.
            sum.whole().filter(|_| whole).map_or(Value::Numeric(sum), Value::Int)
        }
        AggregateKind::Average => Value::Numeric(sum(&values)?.over(&Decimal::from(count)).ok_or_else(out)?),
        AggregateKind::BoolAnd => Value::Bool(values.iter().all(|value| *value == Value::Bool(true))),
        AggregateKind::BoolOr => Value::Bool(values.contains(&Value::Bool(true))),
    })
}

fn compare_keys(order: &[OrderKey], left: &[Value], right: &[Value]) -> Ordering {
    for (key, (left, right)) in order.iter().zip(left.iter().zip(right)) {
        let found = match (left.is_null(), right.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => {
                if key.nulls_first {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (false, true) => {
                if key.nulls_first {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (false, false) if key.descending => right.compare(left),
            (false, false) => left.compare(right),
        };
        if found != Ordering::Equal {
            return found;
        }
    }
    Ordering::Equal
}

fn distinct(rows: Vec<Row>) -> Vec<Row> {
    let mut seen = BTreeSet::new();
    rows.into_iter().filter(|row| seen.insert(row.clone())).collect()
}
