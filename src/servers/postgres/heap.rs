//! Tables as versions of rows: who made each, who took it away, and who has locked it.

use super::ast::{Expr, RowMode};
use super::value::{Type, Value};
use std::collections::BTreeMap;

/// The number of a table, never given twice.
pub(super) type TableId = u32;
/// The place of a version in its table: later ones have larger numbers, as if the table had no holes.
pub(super) type Tid = u64;
/// The number of a transaction, never given twice.
pub(super) type Xact = u64;
/// The number of a commit: the n-th transaction that committed.
pub(super) type Commit = u64;

/// Part of a transaction: which one, since which savepoint, by which of its statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) xact: Xact,
    pub(super) sub: u32,
    pub(super) command: u32,
}

/// Whose change it is: of a transaction that is open, or of one that committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamp {
    Open(Owner),
    Done(Commit),
}

/// That a version is no longer the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Removal {
    pub(super) by: Stamp,
    /// The version that took its place; None: the row was deleted.
    pub(super) next: Option<Tid>,
    /// As what it locks the row while its transaction is open.
    pub(super) mode: RowMode,
}

/// A lock on a version by an open transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowLock {
    pub(super) xact: Xact,
    pub(super) sub: u32,
    pub(super) mode: RowMode,
}

/// One version of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) row: Vec<Value>,
    pub(super) created: Stamp,
    /// The number of the transaction that made it, also after its commit.
    pub(super) creator: Xact,
    pub(super) removed: Option<Removal>,
    /// The number of the transaction that took it away, also after its commit.
    pub(super) remover: Xact,
    pub(super) locks: Vec<RowLock>,
}

/// What a statement sees: all commits up to one, and what its own transaction did before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Snapshot {
    pub(super) commit: Commit,
    pub(super) xact: Xact,
    pub(super) command: u32,
}

impl Snapshot {
    fn sees(&self, stamp: &Stamp) -> bool {
        match stamp {
            Stamp::Open(owner) => owner.xact == self.xact && owner.command < self.command,
            Stamp::Done(commit) => *commit <= self.commit,
        }
    }

    /// Whether a version is there for who has this snapshot.
    pub(super) fn is_visible(&self, version: &Version) -> bool {
        self.sees(&version.created) && !version.removed.is_some_and(|removal| self.sees(&removal.by))
    }

    /// Whether the making of a version is seen, whatever came after.
    pub(super) fn sees_creation(&self, version: &Version) -> bool {
        self.sees(&version.created)
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Type,
    pub(super) not_null: bool,
    pub(super) default: Option<Expr>,
}

/// A unique index over some columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) name: String,
    pub(super) columns: Vec<usize>,
    pub(super) unique: bool,
    pub(super) primary: bool,
    entries: BTreeMap<Vec<Value>, Vec<Tid>>,
}

/// A table with its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) id: TableId,
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    pub(super) checks: Vec<(String, Expr)>,
    pub(super) indexes: Vec<Index>,
    pub(super) versions: BTreeMap<Tid, Version>,
    next: Tid,
}

impl Index {
    fn key(&self, row: &[Value]) -> Vec<Value> {
        self.columns.iter().map(|column| row[*column].clone()).collect()
    }
}

impl Table {
    pub(super) fn new(id: TableId, name: String, columns: Vec<Column>, checks: Vec<(String, Expr)>) -> Self {
        Self { id, name, columns, checks, indexes: Vec::new(), versions: BTreeMap::new(), next: 1 }
    }

    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Adds an index, empty as yet: [`fill`](Self::fill) follows when there are rows.
    pub(super) fn add_index(&mut self, name: String, columns: Vec<usize>, unique: bool, primary: bool) {
        let index = Index { name, columns, unique, primary, entries: BTreeMap::new() };
        self.indexes.push(index);
        let last = self.indexes.len() - 1;
        for (tid, version) in &self.versions {
            let key = self.indexes[last].key(&version.row);
            self.indexes[last].entries.entry(key).or_default().push(*tid);
        }
    }

    /// Appends a version. O(log n).
    pub(super) fn append(&mut self, row: Vec<Value>, owner: Owner) -> Tid {
        assert_eq!(row.len(), self.columns.len(), "a row of {} has a value for each column", self.name);
        let tid = self.next;
        self.next += 1;
        for index in &mut self.indexes {
            let key = index.key(&row);
            index.entries.entry(key).or_default().push(tid);
        }
        let (created, creator) = (Stamp::Open(owner), owner.xact);
        self.versions.insert(tid, Version { row, created, creator, removed: None, remover: 0, locks: Vec::new() });
        tid
    }

    /// Takes all versions out at once.
    pub(super) fn empty(&mut self) {
        self.versions.clear();
        self.indexes.iter_mut().for_each(|index| index.entries.clear());
    }

    /// Takes a version out for good: nobody can see it any more. O(log n).
    pub(super) fn forget(&mut self, tid: Tid) {
        let Some(version) = self.versions.remove(&tid) else { return };
        for index in &mut self.indexes {
            let key = index.key(&version.row);
            if let Some(tids) = index.entries.get_mut(&key) {
                tids.retain(|other| *other != tid);
                if tids.is_empty() {
                    index.entries.remove(&key);
                }
            }
        }
    }

    /// All versions that have the same key in an index as `row`; none if a part of the key is NULL.
    pub(super) fn same_key(&self, index: usize, row: &[Value]) -> &[Tid] {
        let key = self.indexes[index].key(row);
        self.with_key(index, &key)
    }

    /// All versions with a key; none if a part of it is NULL.
    pub(super) fn with_key(&self, index: usize, key: &[Value]) -> &[Tid] {
        if key.iter().any(Value::is_null) {
            return &[];
        }
        self.indexes[index].entries.get(key).map_or(&[], Vec::as_slice)
    }

    /// Whether two versions differ in a column that a unique index has: such a change locks as a
    /// deletion does.
    pub(super) fn changes_key(&self, before: &[Value], after: &[Value]) -> bool {
        let mut keys = self.indexes.iter().filter(|index| index.unique).flat_map(|index| &index.columns);
        keys.any(|column| before[*column] != after[*column])
    }

    /// Whether a change touches no index, so that none of them gets a new entry ("heap-only").
    pub(super) fn is_heap_only(&self, before: &[Value], after: &[Value]) -> bool {
        let mut columns = self.indexes.iter().flat_map(|index| &index.columns);
        columns.all(|column| before[*column] == after[*column])
    }
}
