//! Tables, indexes and sequences: how they come and go; and LOCK TABLE.

use super::ast::{Command, CreateTable, Relation};
use super::bind::Binder;
use super::catalogue::Sequence;
use super::error::Error;
use super::execution::{Execution, Stop};
use super::heap::{Column, Stamp, Table, TableId};
use super::lock::{ACCESS_EXCLUSIVE, Mode, ROW_EXCLUSIVE, SHARE};
use super::server::Server;
use super::session::{Effect, Pending, Undo};
use super::value::{Type, Value};
use super::{Reply, SessionId};

impl Server {
    /// A statement about tables.
    pub(super) fn define(&mut self, id: SessionId, pending: &mut Pending, command: &Command) -> Result<Reply, Stop> {
        let read_only = self.transaction(id).read_only;
        let refuse = |what: &str| {
            Err(Stop::Error(Error::new("25006", format!("cannot execute {what} in a read-only transaction"))))
        };
        match command {
            Command::CreateTable(_) if read_only => refuse("CREATE TABLE"),
            Command::CreateTable(create) => self.create_table(id, pending, create),
            Command::CreateIndex { .. } if read_only => refuse("CREATE INDEX"),
            Command::CreateIndex { name, table, columns, unique, if_not_exists } => {
                let name = name.clone().unwrap_or_else(|| format!("{table}_{}_idx", columns.join("_")));
                self.create_index(id, pending, (name, table), columns, *unique, *if_not_exists)
            }
            Command::CreateSequence { name, if_not_exists, start, increment } => {
                if self.catalogue.sequences.contains_key(name) {
                    return exists(name, *if_not_exists, "CREATE SEQUENCE");
                }
                let sequence = Sequence { last: *start, called: false, increment: *increment };
                self.catalogue.sequences.insert(name.clone(), sequence);
                self.note(id, Undo::SequenceCreated(name.clone()));
                Ok(Reply::Done("CREATE SEQUENCE"))
            }
            Command::Drop { .. } if read_only => refuse("DROP"),
            Command::Drop { what, names, if_exists } => self.drop_all(id, pending, *what, names, *if_exists),
            Command::Truncate(_) if read_only => refuse("TRUNCATE TABLE"),
            Command::Truncate(names) => self.truncate(id, pending, names),
            Command::LockTable { mode, .. } if read_only && *mode > ROW_EXCLUSIVE => refuse("LOCK TABLE"),
            Command::LockTable { names, mode, nowait } => {
                for name in names {
                    self.lock_named(id, pending, name, *mode, !*nowait)?;
                }
                Ok(Reply::Done("LOCK TABLE"))
            }
            _ => unreachable!("{command:?} is run elsewhere"),
        }
    }

    /// Locks the table that a name means by the time the lock is there.
    fn lock_named(
        &mut self,
        id: SessionId,
        pending: &mut Pending,
        name: &str,
        mode: Mode,
        wait: bool,
    ) -> Result<TableId, Stop> {
        let xact = self.transaction(id).xact;
        let table = self.catalogue.table(name, xact)?.id;
        if !Execution::new(self, id, pending).lock_table(table, mode, wait)? {
            return Err(Stop::Error(Error::new("55P03", format!("could not obtain lock on relation \"{name}\""))));
        }
        Ok(table)
    }

    fn note(&mut self, id: SessionId, undo: Undo) {
        let transaction = self.transaction_mut(id);
        let sub = transaction.sub();
        transaction.wrote = true;
        transaction.undo.push((sub, undo));
    }

    fn create_table(&mut self, id: SessionId, pending: &mut Pending, create: &CreateTable) -> Result<Reply, Stop> {
        let xact = self.transaction(id).xact;
        if self.catalogue.table(&create.name, xact).is_ok() {
            if !pending.journal.effects.is_empty() {
                // Who has waited for another to make it fails on the catalogue's own key, IF NOT EXISTS or not.
                let says = "duplicate key value violates unique constraint \"pg_type_typname_nsp_index\"";
                return Err(Stop::Error(Error::new("23505", says)));
            }
            return exists(&create.name, create.if_not_exists, "CREATE TABLE");
        }
        if let Some(other) = self.catalogue.creator(&create.name, xact) {
            pending.journal.effects.push(Effect::Written(None));
            Execution::new(self, id, pending).wait_for(other, 0)?;
        }
        let mut columns: Vec<Column> = Vec::new();
        for column in &create.columns {
            let name = column.name.clone();
            if columns.iter().any(|other| other.name == name) {
                return Err(Stop::Error(Error::new("42701", format!("column \"{name}\" specified more than once"))));
            }
            let mut default = column.default.clone();
            if column.serial {
                let sequence = format!("{}_{name}_seq", create.name);
                let argument = super::ast::Expr::Literal(Value::Text(sequence.clone()), Type::Unknown);
                default = Some(super::ast::Expr::Call {
                    name: "nextval".to_owned(),
                    arguments: vec![argument],
                    star: false,
                    distinct: false,
                    filter: None,
                });
                let start = Sequence { last: 1, called: false, increment: 1 };
                self.catalogue.sequences.insert(sequence.clone(), start);
                self.note(id, Undo::SequenceCreated(sequence));
            }
            columns.push(Column { name, kind: column.kind, not_null: column.not_null, default });
        }
        let mut keys = Vec::new();
        for (name, names, primary) in &create.keys {
            let mut places = Vec::new();
            for column in names {
                let none = || Error::new("42703", format!("column \"{column}\" named in key does not exist"));
                let at = columns.iter().position(|other| other.name == *column).ok_or_else(none)?;
                columns[at].not_null |= primary;
                places.push(at);
            }
            if *primary && keys.iter().any(|(_, _, primary)| *primary) {
                let says = format!("multiple primary keys for table \"{}\" are not allowed", create.name);
                return Err(Stop::Error(Error::new("42P16", says)));
            }
            let given = || match primary {
                true => format!("{}_pkey", create.name),
                false => format!("{}_{}_key", create.name, names.join("_")),
            };
            keys.push((name.clone().unwrap_or_else(given), places, *primary));
        }
        let named = |(at, (name, check)): (usize, &(Option<String>, super::ast::Expr))| {
            let number = if at == 0 { String::new() } else { at.to_string() };
            (name.clone().unwrap_or_else(|| format!("{}_check{number}", create.name)), check.clone())
        };
        let checks = create.checks.iter().enumerate().map(named).collect();
        let mut table = Table::new(self.catalogue.new_id(), create.name.clone(), columns, checks);
        for (name, places, primary) in keys {
            table.add_index(name, places, true, primary);
        }
        let number = table.id;
        self.catalogue.create(table, xact);
        self.note(id, Undo::TableCreated(number));
        // The defaults and checks are looked at once, so that mistakes are told now.
        Binder::new(&self.catalogue, xact, &[]).probe(&create.name)?;
        Execution::new(self, id, pending).lock_table(number, ACCESS_EXCLUSIVE, true)?;
        Ok(Reply::Done("CREATE TABLE"))
    }

    fn create_index(
        &mut self,
        id: SessionId,
        pending: &mut Pending,
        (name, table): (String, &str),
        columns: &[String],
        unique: bool,
        if_not_exists: bool,
    ) -> Result<Reply, Stop> {
        let number = self.lock_named(id, pending, table, SHARE, true)?;
        if self.catalogue.tables().any(|table| table.indexes.iter().any(|index| index.name == name)) {
            return exists(&name, if_not_exists, "CREATE INDEX");
        }
        let found = self.catalogue.by_id_mut(number).expect("the table is locked");
        let mut places = Vec::new();
        for column in columns {
            let none = || Error::new("42703", format!("column \"{column}\" does not exist"));
            places.push(found.column(column).ok_or_else(none)?);
        }
        let before = found.clone();
        found.add_index(name.clone(), places, unique, false);
        let last = found.indexes.len() - 1;
        let there = |tid: &u64| found.versions[tid].removed.is_none_or(|removal| matches!(removal.by, Stamp::Open(_)));
        let mut rows = found.versions.iter().filter(|(tid, _)| there(tid));
        let double =
            rows.any(|(_, version)| found.same_key(last, &version.row).iter().filter(|tid| there(tid)).count() > 1);
        self.note(id, Undo::Replaced(Box::new(before)));
        if unique && double {
            return Err(Stop::Error(Error::new("23505", format!("could not create unique index \"{name}\""))));
        }
        Ok(Reply::Done("CREATE INDEX"))
    }

    fn drop_all(
        &mut self,
        id: SessionId,
        pending: &mut Pending,
        what: Relation,
        names: &[String],
        if_exists: bool,
    ) -> Result<Reply, Stop> {
        let xact = self.transaction(id).xact;
        for name in names {
            let none = |kind: &str| Error::new("42P01", format!("{kind} \"{name}\" does not exist"));
            match what {
                Relation::Table if self.catalogue.table(name, xact).is_ok() => {
                    let table = self.lock_named(id, pending, name, ACCESS_EXCLUSIVE, true)?;
                    self.catalogue.mark_dropped(table, Some(xact));
                    self.note(id, Undo::TableDropped(table));
                }
                Relation::Table if !if_exists => return Err(Stop::Error(none("table"))),
                Relation::Sequence => match self.catalogue.sequences.remove(name) {
                    Some(sequence) => self.note(id, Undo::SequenceDropped(name.clone(), sequence)),
                    None if !if_exists => return Err(Stop::Error(none("sequence"))),
                    None => {}
                },
                Relation::Index => {
                    let has = |table: &&Table| table.indexes.iter().any(|index| index.name == *name);
                    let table = self.catalogue.tables().find(has).map(|table| table.name.clone());
                    match table {
                        Some(table) => self.drop_index(id, pending, &table, name)?,
                        None if !if_exists => {
                            return Err(Stop::Error(Error::new("42704", format!("index \"{name}\" does not exist"))));
                        }
                        None => {}
                    }
                }
                Relation::Table => {}
            }
        }
        Ok(Reply::Done(match what {
            Relation::Table => "DROP TABLE",
            Relation::Index => "DROP INDEX",
            Relation::Sequence => "DROP SEQUENCE",
        }))
    }

    fn drop_index(&mut self, id: SessionId, pending: &mut Pending, table: &str, name: &str) -> Result<(), Stop> {
        let number = self.lock_named(id, pending, table, ACCESS_EXCLUSIVE, true)?;
        let found = self.catalogue.by_id_mut(number).expect("the table is locked");
        let before = found.clone();
        found.indexes.retain(|index| index.name != name);
        self.note(id, Undo::Replaced(Box::new(before)));
        Ok(())
    }

    /// Other than DELETE, it takes the rows away from every snapshot.
    fn truncate(&mut self, id: SessionId, pending: &mut Pending, names: &[String]) -> Result<Reply, Stop> {
        let mut tables = Vec::new();
        for name in names {
            tables.push(self.lock_named(id, pending, name, ACCESS_EXCLUSIVE, true)?);
        }
        for table in tables {
            let found = self.catalogue.by_id_mut(table).expect("the table is locked");
            let before = found.clone();
            found.empty();
            self.note(id, Undo::Replaced(Box::new(before)));
        }
        Ok(Reply::Done("TRUNCATE TABLE"))
    }

    /// `nextval`, or `setval` if a value is given.
    pub(super) fn next_value(&mut self, id: SessionId, name: &str, set: Option<(i64, bool)>) -> Result<i64, Error> {
        let none = || Error::new("42P01", format!("relation \"{name}\" does not exist"));
        let sequence = self.catalogue.sequences.get_mut(name).ok_or_else(none)?;
        if let Some((value, called)) = set {
            (sequence.last, sequence.called) = (value, called);
            return Ok(value);
        }
        if sequence.called {
            let limit = || Error::new("2200H", format!("nextval: reached maximum value of sequence \"{name}\""));
            sequence.last = sequence.last.checked_add(sequence.increment).ok_or_else(limit)?;
        }
        sequence.called = true;
        let value = sequence.last;
        let session = self.session_mut(id);
        session.sequences.insert(name.to_owned(), value);
        session.last_sequence = Some(name.to_owned());
        Ok(value)
    }

    /// `currval`, or `lastval` without a name.
    pub(super) fn current_value(&self, id: SessionId, name: Option<&str>) -> Result<i64, Error> {
        let session = self.session(id);
        match name.or(session.last_sequence.as_deref()) {
            Some(name) if !self.catalogue.sequences.contains_key(name) => {
                Err(Error::new("42P01", format!("relation \"{name}\" does not exist")))
            }
            Some(name) => {
                let says = format!("currval of sequence \"{name}\" is not yet defined in this session");
                session.sequences.get(name).copied().ok_or_else(|| Error::new("55000", says))
            }
            None => Err(Error::new("55000", "lastval is not yet defined in this session")),
        }
    }
}

fn exists(name: &str, fine: bool, tag: &'static str) -> Result<Reply, Stop> {
    if fine {
        Ok(Reply::Done(tag))
    } else {
        Err(Stop::Error(Error::new("42P07", format!("relation \"{name}\" already exists"))))
    }
}
