//! UPDATE and DELETE.

use super::super::ast::{Patience, RowMode};
use super::super::heap::{Removal, Stamp, TableId, Tid};
use super::super::plan::Change;
use super::super::serializable::Target;
use super::super::session::{Effect, Locked, Undo};
use super::super::value::Value;
use super::row::Claim;
use super::{Env, Execution, Results, Row, Stop};

impl Execution<'_> {
    pub(super) fn change(&mut self, change: &Change) -> Result<Results, Stop> {
        let (mut rows, mut count) = (Vec::new(), 0);
        let order: Vec<usize> = (1..change.join.sources.len()).chain([0]).collect();
        self.join_in(&change.join, &order, &Env::EMPTY, &mut |execution, row, tids| {
            let tid = tids[0].expect("the table that is changed is no outer side of a join");
            if let Some(row) = execution.change_one(change, tid, row)? {
                count += 1;
                if !change.returning.is_empty() {
                    rows.push(execution.values(&change.returning, &Env::EMPTY.inner(&row))?);
                }
            }
            Ok(true)
        })?;
        Ok(Results { rows, count })
    }

    /// Changes one row, or its last version, if that meets the condition too. Gives what RETURNING sees.
    fn change_one(&mut self, change: &Change, first: Tid, row: &[Value]) -> Result<Option<Row>, Stop> {
        let mark = self.pending.journal.at;
        if let Some(row) = self.recorded(|effect| match effect {
            Effect::Written(row) => Some(row.clone()),
            _ => None,
        }) {
            return Ok(row);
        }
        let written = self.change_last(change, first, row.to_vec())?;
        self.record(mark, Effect::Written(written.clone()));
        Ok(written)
    }

    fn change_last(&mut self, change: &Change, first: Tid, mut row: Row) -> Result<Option<Row>, Stop> {
        let (table, mut tid) = (change.table, first);
        loop {
            let new = self.new_row(change, &row)?;
            let mode = self.mode_of(change, tid, new.as_deref());
            match self.claim(table, tid, mode, Patience::Wait)? {
                Claim::Free => {
                    self.supersede(table, tid, new.as_deref())?;
                    if let Some(new) = new {
                        row[..new.len()].clone_from_slice(&new);
                    }
                    return Ok(Some(row));
                }
                Claim::Ours | Claim::Skipped => return Ok(None),
                Claim::Deleted => {
                    self.concurrent("delete")?;
                    return Ok(None);
                }
                Claim::Updated(next) => {
                    self.concurrent("update")?;
                    let mode = if change.set.is_some() { mode } else { RowMode::Update };
                    let Locked::At(last) = self.lock_row(table, next, mode, Patience::Wait)? else { return Ok(None) };
                    self.exchange(&change.join.sources[0], table, last, &mut row);
                    if !self.still(&change.join, &Env::EMPTY.inner(&row))? {
                        return Ok(None);
                    }
                    tid = last;
                }
            }
        }
    }

    /// The row as it is to be; None: it is to go.
    fn new_row(&mut self, change: &Change, row: &[Value]) -> Result<Option<Row>, Stop> {
        let Some(set) = &change.set else { return Ok(None) };
        let mut new = row[..change.join.sources[0].width].to_vec();
        for (column, node) in set {
            new[*column] = self.value(node, &Env::EMPTY.inner(row))?;
        }
        self.constrain(change.table, &new, &change.checks)?;
        Ok(Some(new))
    }

    fn mode_of(&self, change: &Change, tid: Tid, new: Option<&[Value]>) -> RowMode {
        let table = self.server.catalogue.by_id(change.table).expect("the table is locked");
        let before = table.versions.get(&tid).map(|version| &version.row);
        match (before, new) {
            (Some(before), Some(new)) if !table.changes_key(before, new) => RowMode::NoKeyUpdate,
            _ => RowMode::Update,
        }
    }

    /// Puts a new version, or none, in the place of one that is locked.
    pub(super) fn supersede(&mut self, table: TableId, tid: Tid, new: Option<&[Value]>) -> Result<(), Stop> {
        let found = self.server.catalogue.by_id(table).expect("the table is locked");
        let before = found.versions[&tid].row.clone();
        let (mut mode, mut targets) = (RowMode::Update, vec![Target::Tuple(table, tid)]);
        if let Some(new) = new {
            if !found.changes_key(&before, new) {
                mode = RowMode::NoKeyUpdate;
            }
            if !found.is_heap_only(&before, new) {
                targets.extend((0..found.indexes.len()).map(|index| Target::Index(table, index)));
            }
        }
        self.writes(&targets)?;
        if let (Some(new), RowMode::Update) = (new, mode) {
            self.check_unique(table, new, Some(tid))?;
        }
        let (owner, me) = (self.owner(), self.xact);
        let found = self.server.catalogue.by_id_mut(table).expect("the table is locked");
        let next = new.map(|new| found.append(new.to_vec(), owner));
        let version = found.versions.get_mut(&tid).expect("the version is locked");
        version.removed = Some(Removal { by: Stamp::Open(owner), next, mode });
        version.remover = me;
        // Weak locks of others, which did not stand in the way, hold for the new version too.
        let others: Vec<_> = version.locks.iter().filter(|lock| lock.xact != me).copied().collect();
        self.undo(Undo::Removed(table, tid));
        if let Some(next) = next {
            self.undo(Undo::Created(table, next));
            let found = self.server.catalogue.by_id_mut(table).and_then(|table| table.versions.get_mut(&next));
            found.expect("just made").locks.extend(&others);
            for lock in others {
                self.server.undo_of(lock.xact, lock.sub, Undo::Locked(table, next));
            }
        }
        Ok(())
    }
}
