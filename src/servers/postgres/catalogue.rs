//! Which tables and sequences there are, and for whom.

use super::error::Error;
use super::heap::{Table, TableId, Xact};
use std::collections::BTreeMap;

/// A name of a table, which an open transaction may have made or taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    id: TableId,
    created: Option<Xact>,
    dropped: Option<Xact>,
}

/// A sequence. It does not take part in transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sequence {
    pub(super) last: i64,
    pub(super) called: bool,
    pub(super) increment: i64,
}

/// All tables and sequences.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Catalogue {
    tables: BTreeMap<TableId, Table>,
    names: BTreeMap<String, Vec<Entry>>,
    pub(super) sequences: BTreeMap<String, Sequence>,
    next: TableId,
}

impl Catalogue {
    /// The table that a name means for a transaction.
    pub(super) fn table(&self, name: &str, xact: Xact) -> Result<&Table, Error> {
        let none = || Error::new("42P01", format!("relation \"{name}\" does not exist"));
        let id = self.entry(name, xact).ok_or_else(none)?.id;
        Ok(&self.tables[&id])
    }

    fn entry(&self, name: &str, xact: Xact) -> Option<Entry> {
        let is_there = |entry: &&Entry| {
            entry.created.is_none_or(|created| created == xact) && entry.dropped.is_none_or(|dropped| dropped != xact)
        };
        self.names.get(name)?.iter().find(is_there).copied()
    }

    /// The open transaction that has made a table of this name which is not there yet for others.
    pub(super) fn creator(&self, name: &str, xact: Xact) -> Option<Xact> {
        self.names.get(name)?.iter().filter_map(|entry| entry.created).find(|created| *created != xact)
    }

    pub(super) fn by_id(&self, id: TableId) -> Option<&Table> {
        self.tables.get(&id)
    }

    pub(super) fn by_id_mut(&mut self, id: TableId) -> Option<&mut Table> {
        self.tables.get_mut(&id)
    }

    pub(super) fn new_id(&mut self) -> TableId {
        self.next += 1;
        self.next
    }

    /// All tables, in the order of their numbers.
    pub(super) fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.values()
    }

    /// Adds a table that only its transaction sees as yet.
    pub(super) fn create(&mut self, table: Table, xact: Xact) {
        let entry = Entry { id: table.id, created: Some(xact), dropped: None };
        self.names.entry(table.name.clone()).or_default().push(entry);
        self.tables.insert(table.id, table);
    }

    /// Takes a table away for its transaction.
    pub(super) fn mark_dropped(&mut self, id: TableId, xact: Option<Xact>) {
        let name = self.tables[&id].name.clone();
        let entries = self.names.get_mut(&name).into_iter().flatten();
        entries.filter(|entry| entry.id == id).for_each(|entry| entry.dropped = xact);
    }

    /// The transaction that made a table has committed.
    pub(super) fn keep(&mut self, id: TableId) {
        let Some(table) = self.tables.get(&id) else { return };
        let entries = self.names.get_mut(&table.name).into_iter().flatten();
        entries.filter(|entry| entry.id == id).for_each(|entry| entry.created = None);
    }

    /// Puts the rows of a table back as they were.
    pub(super) fn replace(&mut self, table: Table) {
        self.tables.insert(table.id, table);
    }

    /// Forgets a table.
    pub(super) fn remove(&mut self, id: TableId) {
        let Some(table) = self.tables.remove(&id) else { return };
        if let Some(entries) = self.names.get_mut(&table.name) {
            entries.retain(|entry| entry.id != id);
            if entries.is_empty() {
                self.names.remove(&table.name);
            }
        }
    }
}
