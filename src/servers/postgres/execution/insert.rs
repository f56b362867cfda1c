//! INSERT, with what ON CONFLICT does instead.

use super::super::ast::{Patience, RowMode};
use super::super::error::Error;
use super::super::heap::{Removal, Stamp, TableId, Tid};
use super::super::plan::{Conflict, Insert};
use super::super::serializable::Target;
use super::super::session::{Effect, Undo};
use super::super::value::{Type, Value};
use super::row::Claim;
use super::{Env, Execution, Results, Row, Stop};

/// Whether a key is taken.
enum Taken {
    Free,
    /// By a row that is there.
    By(Tid),
}

impl Execution<'_> {
    pub(super) fn insert(&mut self, insert: &Insert) -> Result<Results, Stop> {
        let given = match &insert.rows {
            Some(plan) => self.rows(plan, &Env::EMPTY, None)?,
            None => vec![Vec::new()],
        };
        let (mut rows, mut count) = (Vec::new(), 0);
        for (turn, values) in given.into_iter().enumerate() {
            if let Some(row) = self.insert_one(insert, turn, values)? {
                count += 1;
                if !insert.returning.is_empty() {
                    rows.push(self.values(&insert.returning, &Env::EMPTY.inner(&row))?);
                }
            }
        }
        Ok(Results { rows, count })
    }

    fn insert_one(&mut self, insert: &Insert, turn: usize, values: Row) -> Result<Option<Row>, Stop> {
        let mark = self.pending.journal.at;
        if let Some(row) = self.recorded(|effect| match effect {
            Effect::Written(row) => Some(row.clone()),
            _ => None,
        }) {
            return Ok(row);
        }
        let mut row: Vec<Option<Value>> = vec![None; insert.defaults.len()];
        let places = insert.columns.iter().zip(&insert.casts).zip(values).enumerate();
        for (at, ((column, (from, to)), value)) in places {
            if !insert.default_cells.contains(&(turn, at)) {
                row[*column] = Some(if from == to { value } else { value.cast(*from, *to)? });
            }
        }
        let mut whole = Vec::new();
        for (value, default) in row.into_iter().zip(&insert.defaults) {
            whole.push(match value {
                Some(value) => value,
                None => self.value(default, &Env::EMPTY)?,
            });
        }
        self.constrain(insert.table, &whole, &insert.checks)?;
        let written = self.place(insert, whole)?;
        self.record(mark, Effect::Written(written.clone()));
        Ok(written)
    }

    /// Puts a row into its table, unless there is a conflict.
    fn place(&mut self, insert: &Insert, row: Row) -> Result<Option<Row>, Stop> {
        if let Some(conflict) = &insert.conflict {
            while let Some(tid) = self.conflicting(insert.table, &row, conflict.index)? {
                let Some((set, condition)) = &conflict.update else {
                    self.must_see(insert.table, tid)?;
                    return Ok(None);
                };
                // None: the row has gone in the meantime, so from the beginning.
                if let Some(updated) = self.update_instead(insert, conflict, tid, &row, set, condition.as_ref())? {
                    return Ok(updated);
                }
            }
        }
        let table = insert.table;
        let mut targets = vec![Target::Relation(table)];
        let count = self.server.catalogue.by_id(table).map_or(0, |table| table.indexes.len());
        targets.extend((0..count).map(|index| Target::Index(table, index)));
        self.writes(&targets)?;
        self.check_unique(table, &row, None)?;
        let owner = self.owner();
        let found = self.server.catalogue.by_id_mut(table).expect("the table is locked");
        let tid = found.append(row.clone(), owner);
        self.undo(Undo::Created(table, tid));
        Ok(Some(row))
    }

    /// What the columns and the checks of a table demand.
    pub(super) fn constrain(
        &mut self,
        table: TableId,
        row: &[Value],
        checks: &[(String, super::super::plan::Node)],
    ) -> Result<(), Stop> {
        let found = self.server.catalogue.by_id(table).expect("the table is locked");
        for (column, value) in found.columns.iter().zip(row) {
            if column.not_null && value.is_null() {
                let says = format!(
                    "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                    column.name, found.name
                );
                return Err(Stop::Error(Error::new("23502", says)));
            }
            assert!(
                column.kind != Type::Int4 || !matches!(value, Value::Int(value) if i32::try_from(*value).is_err()),
                "a value of column {} fits its type",
                column.name
            );
        }
        let name = found.name.clone();
        for (check, node) in checks {
            if self.value(node, &Env::EMPTY.inner(row))? == Value::Bool(false) {
                let says = format!("new row for relation \"{name}\" violates check constraint \"{check}\"");
                return Err(Stop::Error(Error::new("23514", says)));
            }
        }
        Ok(())
    }

    /// Sees to it that no other row has a key of this one, `except` itself.
    pub(super) fn check_unique(&mut self, table: TableId, row: &[Value], except: Option<Tid>) -> Result<(), Stop> {
        let found = self.server.catalogue.by_id(table).expect("the table is locked");
        let unique: Vec<(usize, String)> = found
            .indexes
            .iter()
            .enumerate()
            .filter(|(_, index)| index.unique)
            .map(|(at, index)| (at, index.name.clone()))
            .collect();
        for (index, name) in unique {
            if let Taken::By(_) = self.taken(table, index, row, except)? {
                let says = format!("duplicate key value violates unique constraint \"{name}\"");
                return Err(Stop::Error(Error::new("23505", says)));
            }
        }
        Ok(())
    }

    /// Whether a key is taken, once all who might decide it have (`_bt_check_unique`).
    fn taken(&mut self, table: TableId, index: usize, row: &[Value], except: Option<Tid>) -> Result<Taken, Stop> {
        let found = self.server.catalogue.by_id(table).expect("the table is locked");
        let mut wait = None;
        for tid in found.same_key(index, row).iter().filter(|tid| Some(**tid) != except) {
            let version = &found.versions[tid];
            let maker = match version.created {
                Stamp::Open(owner) if owner.xact != self.xact => Some(owner),
                _ => None,
            };
            let remover = match version.removed {
                Some(Removal { by: Stamp::Done(_), .. }) => continue,
                Some(Removal { by: Stamp::Open(owner), .. }) if owner.xact == self.xact => continue,
                Some(Removal { by: Stamp::Open(owner), .. }) => Some(owner),
                None => None,
            };
            match maker.or(remover) {
                Some(owner) => {
                    wait = Some((owner.xact, owner.sub));
                    break;
                }
                None => return Ok(Taken::By(*tid)),
            }
        }
        if let Some((xact, sub)) = wait {
            self.wait_for(xact, sub)?;
        }
        Ok(Taken::Free)
    }

    /// The row that stands in the way of one that is to be inserted ON CONFLICT.
    fn conflicting(&mut self, table: TableId, row: &[Value], index: Option<usize>) -> Result<Option<Tid>, Stop> {
        let count = self.server.catalogue.by_id(table).map_or(0, |table| table.indexes.len());
        for at in (0..count).filter(|at| index.is_none_or(|index| index == *at)) {
            let unique = self.server.catalogue.by_id(table).is_some_and(|table| table.indexes[at].unique);
            if !unique {
                continue;
            }
            if let Taken::By(tid) = self.taken(table, at, row, None)? {
                return Ok(Some(tid));
            }
        }
        Ok(None)
    }

    /// Above READ COMMITTED nothing may hang on a row that is not seen (ExecCheckTupleVisible).
    fn must_see(&self, table: TableId, tid: Tid) -> Result<(), Stop> {
        let version = self.version(table, tid).expect("a conflicting row is there");
        let mine = version.creator == self.xact;
        if mine || self.snapshot.sees_creation(version) { Ok(()) } else { self.concurrent("update") }
    }

    /// DO UPDATE. The outer None: try again; the inner: the condition did not hold.
    fn update_instead(
        &mut self,
        insert: &Insert,
        conflict: &Conflict,
        tid: Tid,
        row: &[Value],
        set: &[(usize, super::super::plan::Node)],
        condition: Option<&super::super::plan::Node>,
    ) -> Result<Option<Option<Row>>, Stop> {
        let table = insert.table;
        let version = self.version(table, tid).expect("a conflicting row is there");
        if matches!(version.created, Stamp::Open(owner) if owner == self.owner() || owner.xact == self.xact && owner.command == self.snapshot.command)
        {
            let says = "ON CONFLICT DO UPDATE command cannot affect row a second time";
            return Err(Stop::Error(Error::new("21000", says)));
        }
        let found = self.server.catalogue.by_id(table).expect("the table is locked");
        let keyed = |column: &usize| found.indexes.iter().any(|index| index.unique && index.columns.contains(column));
        let mode = if set.iter().any(|(column, _)| keyed(column)) { RowMode::Update } else { RowMode::NoKeyUpdate };
        match self.claim(table, tid, mode, Patience::Wait)? {
            Claim::Free => {}
            Claim::Updated(_) => {
                self.concurrent("update")?;
                return Ok(None);
            }
            Claim::Deleted | Claim::Skipped => {
                self.concurrent("delete")?;
                return Ok(None);
            }
            Claim::Ours => unreachable!("a row that this transaction removed is in nobody's way"),
        }
        self.must_see(table, tid)?;
        assert!(conflict.update.is_some(), "only DO UPDATE comes here");
        let there = self.version(table, tid).expect("locked").row.clone();
        let both: Row = there.iter().chain(row).cloned().collect();
        let env = Env::EMPTY;
        if !self.holds(condition, &env.inner(&both))? {
            return Ok(Some(None));
        }
        let mut new = there;
        for (column, node) in set {
            new[*column] = self.value(node, &env.inner(&both))?;
        }
        self.constrain(table, &new, &insert.checks)?;
        self.supersede(table, tid, Some(&new))?;
        Ok(Some(Some(new)))
    }
}
