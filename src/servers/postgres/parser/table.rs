//! CREATE TABLE, INDEX and SEQUENCE.

use super::super::ast::{ColumnDef, Command, CreateTable, Expr};
use super::super::error::Error;
use super::super::value::Type;
use super::Parser;

impl Parser {
    pub(super) fn create(&mut self) -> Result<Command, Error> {
        let _ = self.word("temp") || self.word("temporary") || self.word("unlogged");
        if self.word("table") {
            return self.create_table();
        }
        if self.word("sequence") {
            return self.create_sequence();
        }
        let unique = self.word("unique");
        self.expect_word("index")?;
        self.word("concurrently");
        let if_not_exists = self.if_not_exists();
        let name = if self.is_word(0, "on") { None } else { Some(self.name()?) };
        self.expect_word("on")?;
        let table = self.table_name()?;
        if self.word("using") {
            self.label()?;
        }
        let columns = self.in_parentheses(|parser| {
            let name = parser.name()?;
            let _ = parser.word("asc") || parser.word("desc");
            Ok(name)
        })?;
        if self.is_word(0, "where") {
            return Err(Error::unsupported("partial indexes are not in the model"));
        }
        Ok(Command::CreateIndex { name, table, columns, unique, if_not_exists })
    }

    fn if_not_exists(&mut self) -> bool {
        self.words(&["if", "not", "exists"])
    }

    fn create_sequence(&mut self) -> Result<Command, Error> {
        let if_not_exists = self.if_not_exists();
        let name = self.table_name()?;
        let (mut start, mut increment) = (1, 1);
        loop {
            if self.word("start") {
                self.word("with");
                start = self.integer()?;
            } else if self.word("increment") {
                self.word("by");
                increment = self.integer()?;
            } else if self.word("minvalue") || self.word("maxvalue") || self.word("cache") {
                self.integer()?;
            } else if self.word("as") {
                self.type_name()?;
            } else if !(self.words(&["no", "cycle"]) || self.word("cycle")) {
                return Ok(Command::CreateSequence { name, if_not_exists, start, increment });
            }
        }
    }

    fn create_table(&mut self) -> Result<Command, Error> {
        let if_not_exists = self.if_not_exists();
        let name = self.table_name()?;
        let (columns, keys, checks) = (Vec::new(), Vec::new(), Vec::new());
        let mut table = CreateTable { name, if_not_exists, columns, keys, checks };
        self.expect("(")?;
        if !self.is_sign(0, ")") {
            self.list(|parser| parser.element(&mut table))?;
        }
        self.expect(")")?;
        Ok(Command::CreateTable(table))
    }

    /// A column or a constraint of the table.
    fn element(&mut self, table: &mut CreateTable) -> Result<(), Error> {
        let name = if self.word("constraint") { Some(self.name()?) } else { None };
        if self.words(&["primary", "key"]) {
            let columns = self.in_parentheses(Self::name)?;
            table.keys.push((name, columns, true));
            return Ok(());
        }
        if self.word("unique") {
            let columns = self.in_parentheses(Self::name)?;
            table.keys.push((name, columns, false));
            return Ok(());
        }
        if self.word("check") {
            let check = self.check()?;
            table.checks.push((name, check));
            return Ok(());
        }
        let name = self.name()?;
        let serial = self.is_word(0, "serial") || self.is_word(0, "bigserial");
        let kind = self.type_name()?;
        let mut column = ColumnDef { name, kind, not_null: serial, default: None, serial };
        self.column_constraints(table, &mut column)?;
        table.columns.push(column);
        Ok(())
    }

    fn check(&mut self) -> Result<Expr, Error> {
        self.expect("(")?;
        let check = self.expression()?;
        self.expect(")")?;
        Ok(check)
    }

    fn column_constraints(&mut self, table: &mut CreateTable, column: &mut ColumnDef) -> Result<(), Error> {
        loop {
            let name = if self.word("constraint") { Some(self.name()?) } else { None };
            if self.words(&["primary", "key"]) {
                table.keys.push((name, vec![column.name.clone()], true));
            } else if self.word("unique") {
                table.keys.push((name, vec![column.name.clone()], false));
            } else if self.words(&["not", "null"]) {
                column.not_null = true;
            } else if self.word("null") {
            } else if self.word("default") {
                column.default = Some(self.expression()?);
            } else if self.word("check") {
                let name = name.unwrap_or_else(|| format!("{}_{}_check", table.name, column.name));
                table.checks.push((Some(name), self.check()?));
            } else if self.words(&["generated", "always", "as", "identity"])
                || self.words(&["generated", "by", "default", "as", "identity"])
            {
                (column.serial, column.not_null) = (true, true);
                column.kind = if column.kind == Type::Int4 { Type::Int4 } else { Type::Int8 };
            } else {
                return Ok(());
            }
        }
    }
}
