//! What each statement does: transaction control and settings here, rows and tables elsewhere.

use super::ast::{Command, Modes, RowMode};
use super::bind::Binder;
use super::error::Error;
use super::execution::{Execution, Results, Stop};
use super::heap::TableId;
use super::lock::{ACCESS_SHARE, Mode, ROW_EXCLUSIVE, ROW_SHARE};
use super::plan::{Action, Join, Node, Plan, SourceKind};
use super::server::Server;
use super::session::Pending;
use super::settings;
use super::value::{Type, Value};
use super::{Reply, SessionId};
use std::sync::Arc;

impl Server {
    /// Runs the statement of a text at which it stands.
    pub(super) fn step(&mut self, id: SessionId, pending: &mut Pending) -> Result<Reply, Stop> {
        let commands = Arc::clone(&pending.commands);
        let command = &commands[pending.at];
        // Several statements of one text are a transaction of their own.
        let alone = commands.len() == 1;
        self.one(id, pending, command, alone)
    }

    fn one(&mut self, id: SessionId, pending: &mut Pending, command: &Command, alone: bool) -> Result<Reply, Stop> {
        let open = self.session(id).transaction.as_ref();
        let (explicit, failed) = open.map_or((false, false), |open| (open.explicit, open.failed));
        let ends = matches!(command, Command::Commit { .. } | Command::Rollback { .. } | Command::RollbackTo(_));
        if failed && !ends {
            return Err(Stop::Error(Error::failed_transaction()));
        }
        let in_block = explicit || !alone;
        let outside = |what: &str| {
            Err(Stop::Error(Error::new("25P01", format!("{what} can only be used in transaction blocks"))))
        };
        match command {
            Command::Begin(modes) => {
                self.begin(id, true);
                self.set_modes(id, *modes)?;
                return Ok(Reply::Done("BEGIN"));
            }
            Command::Commit { chain } => return Ok(self.end_block(id, explicit, failed, true, *chain)?),
            Command::Rollback { chain } => return Ok(self.end_block(id, explicit, failed, false, *chain)?),
            Command::Savepoint(_) if !in_block => return outside("SAVEPOINT"),
            Command::Release(_) if !in_block => return outside("RELEASE SAVEPOINT"),
            Command::RollbackTo(_) if !in_block => return outside("ROLLBACK TO SAVEPOINT"),
            Command::LockTable { .. } if !in_block => return outside("LOCK TABLE"),
            _ => {}
        }
        self.begin(id, false);
        let reply = match command {
            Command::Savepoint(name) => {
                self.savepoint(id, name.clone());
                Reply::Done("SAVEPOINT")
            }
            Command::Release(name) => {
                self.release_savepoint(id, name)?;
                Reply::Done("RELEASE")
            }
            Command::RollbackTo(name) => {
                self.roll_back_to(id, name)?;
                Reply::Done("ROLLBACK")
            }
            Command::SetTransaction(modes) => {
                // Outside of a block it is a warning, and nothing happens.
                if in_block {
                    self.set_modes(id, *modes)?;
                }
                Reply::Done("SET")
            }
            Command::SetCharacteristics(modes) => {
                self.set_characteristics(id, *modes)?;
                Reply::Done("SET")
            }
            Command::Set { name, value, local } => {
                self.set_or_mode(id, name, value.clone(), *local, in_block)?;
                Reply::Done("SET")
            }
            Command::Reset(name) => {
                match name {
                    Some(name) => self.set(id, name, None, false)?,
                    None => self.reset_all(id),
                }
                Reply::Done("RESET")
            }
            Command::DiscardAll if in_block => {
                let says = "DISCARD ALL cannot run inside a transaction block";
                return Err(Stop::Error(Error::new("25001", says)));
            }
            Command::DiscardAll => {
                self.reset_all(id);
                let woken = self.locks.unlock_all(id);
                self.woken(woken);
                self.session_mut(id).prepared.clear();
                Reply::Done("DISCARD ALL")
            }
            Command::Show(name) => {
                let value = self.show(id, name)?;
                Reply::Rows { columns: vec![name.clone()], rows: vec![vec![Value::Text(value)]], count: None }
            }
            Command::Prepare { name, command } => {
                if self.session(id).prepared.contains_key(name) {
                    let says = format!("prepared statement \"{name}\" already exists");
                    return Err(Stop::Error(Error::new("42P05", says)));
                }
                self.session_mut(id).prepared.insert(name.clone(), command.as_ref().clone());
                Reply::Done("PREPARE")
            }
            Command::Execute { name, arguments } => return self.execute_prepared(id, pending, name, arguments),
            Command::Deallocate(name) => {
                match name {
                    Some(name) if self.session_mut(id).prepared.remove(name).is_none() => {
                        let says = format!("prepared statement \"{name}\" does not exist");
                        return Err(Stop::Error(Error::new("26000", says)));
                    }
                    Some(_) => {}
                    None => self.session_mut(id).prepared.clear(),
                }
                Reply::Done("DEALLOCATE")
            }
            Command::Nothing(tag) => Reply::Done(tag),
            Command::Select(_) | Command::Insert(_) | Command::Update(_) | Command::Delete(_) => {
                self.rows(id, pending, command)?
            }
            _ => self.define(id, pending, command)?,
        };
        self.transaction_mut(id).command += 1;
        Ok(reply)
    }

    /// COMMIT and ROLLBACK. Outside of a block they are a warning.
    fn end_block(
        &mut self,
        id: SessionId,
        explicit: bool,
        failed: bool,
        commit: bool,
        chain: bool,
    ) -> Result<Reply, Error> {
        let tag = if commit && !failed { "COMMIT" } else { "ROLLBACK" };
        if chain && !explicit {
            let says = format!(
                "{} AND CHAIN can only be used in transaction blocks",
                if commit { "COMMIT" } else { "ROLLBACK" }
            );
            return Err(Error::new("25P01", says));
        }
        let Some(transaction) = &self.session(id).transaction else { return Ok(Reply::Done(tag)) };
        let modes = Modes {
            isolation: Some(transaction.isolation),
            read_only: Some(transaction.read_only),
            deferrable: Some(transaction.deferrable),
        };
        if commit && !failed {
            if let Err(error) = self.commit(id) {
                self.roll_back(id);
                return Err(error);
            }
        } else {
            self.roll_back(id);
        }
        if chain {
            self.begin(id, true);
            self.set_modes(id, modes)?;
        }
        Ok(Reply::Done(tag))
    }

    /// Runs a statement of rows: first the locks of its tables, then its snapshot, then the rows.
    pub(super) fn rows(&mut self, id: SessionId, pending: &mut Pending, command: &Command) -> Result<Reply, Stop> {
        self.fix_snapshot(id);
        let xact = self.transaction(id).xact;
        let action = Binder::new(&self.catalogue, xact, &pending.parameters).action(command)?;
        self.refuse_writing(id, &action)?;
        let mut tables = Vec::new();
        of_action(&action, &mut tables);
        let mut execution = Execution::new(self, id, pending);
        for (table, mode) in tables {
            execution.lock_table(table, mode, true)?;
        }
        let Results { rows, count } = execution.run(&action)?;
        let columns: Vec<String> = action.columns().iter().map(|(name, _)| name.clone()).collect();
        Ok(match (&action, columns.is_empty()) {
            (Action::Select(_), _) => Reply::Rows { columns, rows, count: None },
            (_, true) => Reply::Count(count),
            (_, false) => Reply::Rows { columns, rows, count: Some(count) },
        })
    }

    fn refuse_writing(&self, id: SessionId, action: &Action) -> Result<(), Error> {
        if !self.transaction(id).read_only {
            return Ok(());
        }
        let what = match action {
            Action::Select(plan) if !plan.locking.is_empty() => match plan.locking[0].mode {
                RowMode::Update => "SELECT FOR UPDATE",
                RowMode::NoKeyUpdate => "SELECT FOR NO KEY UPDATE",
                RowMode::Share => "SELECT FOR SHARE",
                RowMode::KeyShare => "SELECT FOR KEY SHARE",
            },
            Action::Select(_) if action.with().iter().all(|(_, with)| matches!(**with, Action::Select(_))) => {
                return Ok(());
            }
            Action::Select(_) => "SELECT",
            Action::Insert(_) => "INSERT",
            Action::Change(change) if change.set.is_some() => "UPDATE",
            Action::Change(_) => "DELETE",
        };
        Err(Error::new("25006", format!("cannot execute {what} in a read-only transaction")))
    }

    fn execute_prepared(
        &mut self,
        id: SessionId,
        pending: &mut Pending,
        name: &str,
        arguments: &[super::ast::Expr],
    ) -> Result<Reply, Stop> {
        let none = || Error::new("26000", format!("prepared statement \"{name}\" does not exist"));
        let command = self.session(id).prepared.get(name).cloned().ok_or_else(none)?;
        let xact = self.transaction(id).xact;
        let mut values = Vec::new();
        for argument in arguments {
            let node = Binder::new(&self.catalogue, xact, &[]).constant(argument, Type::Unknown)?;
            match node {
                Node::Const(value) => values.push(value),
                _ => return Err(Stop::Error(Error::unsupported("arguments of EXECUTE are literals in the model"))),
            }
        }
        let outer = std::mem::replace(&mut pending.parameters, values);
        let reply = self.one(id, pending, &command, true);
        pending.parameters = outer;
        reply
    }

    /// SET, of which some names are modes of the transaction.
    fn set_or_mode(
        &mut self,
        id: SessionId,
        name: &str,
        value: Option<String>,
        local: bool,
        in_block: bool,
    ) -> Result<(), Error> {
        if local && !in_block {
            // A warning; but the value is looked at.
            let deadlock = self.config.deadlock_timeout_ms;
            return self.session(id).settings.clone().set(name, value.as_deref(), &settings::Settings::new(deadlock));
        }
        let mode = match (name, &value) {
            ("transaction_isolation", Some(value)) => {
                let unfit = || Error::new("22023", format!("invalid value for parameter \"{name}\": \"{value}\""));
                Modes { isolation: Some(settings::isolation(value).ok_or_else(unfit)?), ..Modes::default() }
            }
            ("transaction_read_only", Some(value)) => {
                let unfit = || Error::new("22023", format!("parameter \"{name}\" requires a Boolean value"));
                Modes { read_only: Some(settings::switch(value).ok_or_else(unfit)?), ..Modes::default() }
            }
            _ => return self.set(id, name, value, local),
        };
        self.set_modes(id, mode)
    }

    /// Changes a setting, for the rest of the transaction (`local`) or of the session.
    pub(super) fn set(&mut self, id: SessionId, name: &str, value: Option<String>, local: bool) -> Result<(), Error> {
        let defaults = settings::Settings::new(self.config.deadlock_timeout_ms);
        let session = self.session_mut(id);
        let before = session.settings.clone();
        session.settings.set(name, value.as_deref(), &defaults)?;
        if let Some(transaction) = &mut session.transaction {
            transaction.saved_settings.get_or_insert(before);
            if !local {
                transaction.kept_settings.push((name.to_owned(), value));
            }
        }
        Ok(())
    }

    /// A setting that outlives its transaction.
    pub(super) fn keep_setting(&mut self, id: SessionId, name: &str, value: Option<&str>) {
        let defaults = settings::Settings::new(self.config.deadlock_timeout_ms);
        let set = self.session_mut(id).settings.set(name, value, &defaults);
        assert!(set.is_ok(), "a setting that was accepted is accepted again");
    }

    fn reset_all(&mut self, id: SessionId) {
        self.session_mut(id).settings = settings::Settings::new(self.config.deadlock_timeout_ms);
        if let Some(transaction) = &mut self.session_mut(id).transaction {
            transaction.saved_settings = None;
        }
    }

    fn set_characteristics(&mut self, id: SessionId, modes: Modes) -> Result<(), Error> {
        if let Some(isolation) = modes.isolation {
            let text = settings::isolation_text(isolation).to_owned();
            self.set(id, "default_transaction_isolation", Some(text), false)?;
        }
        if let Some(read_only) = modes.read_only {
            let text = if read_only { "on" } else { "off" }.to_owned();
            self.set(id, "default_transaction_read_only", Some(text), false)?;
        }
        Ok(())
    }

    pub(super) fn show(&self, id: SessionId, name: &str) -> Result<String, Error> {
        let session = self.session(id);
        let open = session.transaction.as_ref();
        match name {
            "transaction_isolation" => {
                let isolation = open.map_or(session.settings.isolation, |open| open.isolation);
                Ok(settings::isolation_text(isolation).to_owned())
            }
            "transaction_read_only" => {
                let read_only = open.map_or(session.settings.read_only, |open| open.read_only);
                Ok(if read_only { "on" } else { "off" }.to_owned())
            }
            _ => session.settings.show(name),
        }
    }
}

/// The tables of a statement, each with the mode in which it is locked.
fn of_action(action: &Action, tables: &mut Vec<(TableId, Mode)>) {
    for (_, with) in action.with() {
        of_action(with, tables);
    }
    match action {
        Action::Select(plan) => of_plan(plan, tables),
        Action::Insert(insert) => {
            tables.push((insert.table, ROW_EXCLUSIVE));
            insert.rows.iter().for_each(|plan| of_plan(plan, tables));
            insert.returning.iter().for_each(|node| of_node(node, tables));
            if let Some((set, condition)) = insert.conflict.as_ref().and_then(|conflict| conflict.update.as_ref()) {
                set.iter().map(|(_, node)| node).chain(condition).for_each(|node| of_node(node, tables));
            }
        }
        Action::Change(change) => {
            tables.push((change.table, ROW_EXCLUSIVE));
            // The table that is changed is locked already.
            of_join(&change.join, &[0], ACCESS_SHARE, tables);
            change.set.iter().flatten().for_each(|(_, node)| of_node(node, tables));
            change.returning.iter().for_each(|node| of_node(node, tables));
        }
    }
}

fn of_plan(plan: &Plan, tables: &mut Vec<(TableId, Mode)>) {
    for (_, with) in &plan.with {
        of_action(with, tables);
    }
    for (_, body) in &plan.bodies {
        match body {
            super::plan::Body::Values(rows) => rows.iter().flatten().for_each(|node| of_node(node, tables)),
            super::plan::Body::Select(select) => {
                for locking in &plan.locking {
                    if let SourceKind::Table(table) = select.join.sources[locking.source].kind {
                        tables.push((table, ROW_SHARE));
                    }
                }
                let locked: Vec<usize> = plan.locking.iter().map(|locking| locking.source).collect();
                of_join(&select.join, &locked, ACCESS_SHARE, tables);
                select.targets.iter().for_each(|node| of_node(node, tables));
                for call in select.grouping.iter().flat_map(|grouping| &grouping.calls) {
                    call.argument.iter().chain(&call.filter).for_each(|node| of_node(node, tables));
                }
            }
        }
    }
}

fn of_join(join: &Join, except: &[usize], mode: Mode, tables: &mut Vec<(TableId, Mode)>) {
    for (at, source) in join.sources.iter().enumerate() {
        match &source.kind {
            SourceKind::Table(table) if !except.contains(&at) => tables.push((*table, mode)),
            SourceKind::Plan(plan) => of_plan(plan, tables),
            SourceKind::Call(node) => of_node(node, tables),
            SourceKind::Table(_) | SourceKind::View(_) | SourceKind::With(_) => {}
        }
        source.on.iter().for_each(|node| of_node(node, tables));
    }
    join.condition.iter().for_each(|node| of_node(node, tables));
}

fn of_node(node: &Node, tables: &mut Vec<(TableId, Mode)>) {
    node.each_plan(&mut |plan| of_plan(plan, tables));
}
