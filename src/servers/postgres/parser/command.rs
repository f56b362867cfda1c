//! Transaction control, settings and the choice between all statements.

use super::super::ast::{Command, Isolation, Modes, Relation};
use super::super::error::Error;
use super::super::lexer::Token;
use super::Parser;

/// The modes of LOCK TABLE, weakest first; a mode's number is its place, counted from 1.
const TABLE_MODES: [&[&str]; 8] = [
    &["access", "share"],
    &["row", "share"],
    &["row", "exclusive"],
    &["share", "update", "exclusive"],
    &["share"],
    &["share", "row", "exclusive"],
    &["exclusive"],
    &["access", "exclusive"],
];

impl Parser {
    pub(super) fn command(&mut self) -> Result<Command, Error> {
        let with = self.with()?;
        if !with.is_empty() || self.is_query() {
            if self.word("insert") {
                return self.insert(with);
            } else if self.word("update") {
                return self.update(with);
            } else if self.words(&["delete"]) {
                return self.delete(with);
            }
            let mut query = self.query_after_with()?;
            query.with.splice(0..0, with);
            return Ok(Command::Select(query));
        }
        let Some(Token::Word(word)) = self.peek().cloned() else { return Err(self.unexpected()) };
        let start = self.at;
        self.at += 1;
        match word.as_str() {
            "insert" => self.insert(with),
            "update" => self.update(with),
            "delete" => self.delete(with),
            "begin" => {
                self.noise();
                Ok(Command::Begin(self.modes()?))
            }
            "start" => {
                self.expect_word("transaction")?;
                Ok(Command::Begin(self.modes()?))
            }
            "commit" | "end" => {
                self.noise();
                Ok(Command::Commit { chain: self.chain()? })
            }
            "rollback" | "abort" => self.rollback(),
            "savepoint" => Ok(Command::Savepoint(self.name()?)),
            "release" => {
                self.word("savepoint");
                Ok(Command::Release(self.name()?))
            }
            "set" => self.set(),
            "show" => {
                let isolation = self.words(&["transaction", "isolation", "level"]);
                Ok(Command::Show(if isolation { "transaction_isolation".to_owned() } else { self.setting()? }))
            }
            "reset" => Ok(Command::Reset(if self.word("all") { None } else { Some(self.setting()?) })),
            "discard" => {
                self.expect_word("all")?;
                Ok(Command::DiscardAll)
            }
            "create" => self.create(),
            "drop" => self.drop_relation(),
            "truncate" => {
                self.word("table");
                Ok(Command::Truncate(self.list(Self::table_name)?))
            }
            "lock" => self.lock_table(),
            "prepare" => {
                let name = self.name()?;
                if self.is_sign(0, "(") {
                    self.in_parentheses(Self::type_name)?;
                }
                self.expect_word("as")?;
                self.enter()?;
                let command = Box::new(self.command()?);
                self.leave();
                Ok(Command::Prepare { name, command })
            }
            "execute" => {
                let name = self.name()?;
                let given = self.is_sign(0, "(");
                let arguments = if given { self.in_parentheses(Self::expression)? } else { Vec::new() };
                Ok(Command::Execute { name, arguments })
            }
            "deallocate" => {
                self.word("prepare");
                Ok(Command::Deallocate(if self.word("all") { None } else { Some(self.name()?) }))
            }
            "listen" | "unlisten" | "notify" | "analyze" | "vacuum" | "checkpoint" | "comment" => {
                while self.peek().is_some() && !self.is_sign(0, ";") {
                    self.at += 1;
                }
                Ok(Command::Nothing("OK"))
            }
            _ => {
                self.at = start;
                Err(self.unexpected())
            }
        }
    }

    fn noise(&mut self) {
        let _ = self.word("work") || self.word("transaction");
    }

    fn chain(&mut self) -> Result<bool, Error> {
        if !self.word("and") {
            return Ok(false);
        }
        let not = self.word("no");
        self.expect_word("chain")?;
        Ok(!not)
    }

    fn rollback(&mut self) -> Result<Command, Error> {
        self.noise();
        if self.word("to") {
            self.word("savepoint");
            return Ok(Command::RollbackTo(self.name()?));
        }
        Ok(Command::Rollback { chain: self.chain()? })
    }

    /// `ISOLATION LEVEL ..., READ ONLY, DEFERRABLE`, with or without commas.
    fn modes(&mut self) -> Result<Modes, Error> {
        let mut modes = Modes::default();
        loop {
            if self.words(&["isolation", "level"]) {
                modes.isolation = Some(if self.word("serializable") {
                    Isolation::Serializable
                } else if self.words(&["repeatable", "read"]) {
                    Isolation::RepeatableRead
                } else if self.words(&["read", "committed"]) || self.words(&["read", "uncommitted"]) {
                    Isolation::ReadCommitted
                } else {
                    return Err(self.unexpected());
                });
            } else if self.words(&["read", "only"]) {
                modes.read_only = Some(true);
            } else if self.words(&["read", "write"]) {
                modes.read_only = Some(false);
            } else if self.words(&["not", "deferrable"]) {
                modes.deferrable = Some(false);
            } else if self.word("deferrable") {
                modes.deferrable = Some(true);
            } else {
                return Ok(modes);
            }
            self.sign(",");
        }
    }

    /// A setting's name, which may have a point in it.
    fn setting(&mut self) -> Result<String, Error> {
        let mut name = self.label()?;
        while self.sign(".") {
            name = format!("{name}.{}", self.label()?);
        }
        Ok(name)
    }

    fn set(&mut self) -> Result<Command, Error> {
        let local = self.word("local");
        let session = !local && self.word("session");
        if session && self.words(&["characteristics", "as", "transaction"]) {
            return Ok(Command::SetCharacteristics(self.modes()?));
        }
        if self.word("transaction") {
            return Ok(Command::SetTransaction(self.modes()?));
        }
        if self.words(&["time", "zone"]) {
            let value = self.setting_value()?;
            return Ok(Command::Set { name: "timezone".to_owned(), value, local });
        }
        let name = self.setting()?;
        if !self.word("to") {
            self.expect("=")?;
        }
        let value = self.setting_value()?;
        Ok(Command::Set { name, value, local })
    }

    fn setting_value(&mut self) -> Result<Option<String>, Error> {
        if self.word("default") {
            return Ok(None);
        }
        let values = self.list(|parser| match parser.peek().cloned() {
            Some(Token::Text(text) | Token::Word(text) | Token::Quoted(text) | Token::Number(text)) => {
                parser.at += 1;
                Ok(text)
            }
            Some(Token::Sign("-" | "+")) => Ok(parser.integer()?.to_string()),
            _ => Err(parser.unexpected()),
        })?;
        Ok(Some(values.join(", ")))
    }

    fn drop_relation(&mut self) -> Result<Command, Error> {
        let what = if self.word("table") {
            Relation::Table
        } else if self.word("index") {
            Relation::Index
        } else if self.word("sequence") {
            Relation::Sequence
        } else {
            return Err(self.unexpected());
        };
        let if_exists = self.words(&["if", "exists"]);
        let names = self.list(Self::table_name)?;
        let _ = self.word("cascade") || self.word("restrict");
        Ok(Command::Drop { what, names, if_exists })
    }

    fn lock_table(&mut self) -> Result<Command, Error> {
        self.word("table");
        self.word("only");
        let names = self.list(Self::table_name)?;
        let mut mode = 8;
        if self.word("in") {
            let found = TABLE_MODES.iter().position(|words| {
                let all = words.iter().enumerate().all(|(ahead, word)| self.is_word(ahead, word));
                all && self.is_word(words.len(), "mode")
            });
            let found = found.ok_or_else(|| self.unexpected())?;
            self.at += TABLE_MODES[found].len() + 1;
            mode = u8::try_from(found + 1).unwrap_or(8);
        }
        Ok(Command::LockTable { names, mode, nowait: self.word("nowait") })
    }
}
