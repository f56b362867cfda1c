//! The settings of a session: what SET changes and SHOW tells. Source: manual, chapter 20.

use super::ast::Isolation;
use super::error::Error;
use std::collections::BTreeMap;

/// The settings that the model obeys, and the texts of the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    /// Milliseconds; 0 is never.
    pub(super) lock_timeout: u64,
    pub(super) statement_timeout: u64,
    pub(super) idle_in_transaction: u64,
    pub(super) idle_session: u64,
    pub(super) deadlock_timeout: u64,
    pub(super) isolation: Isolation,
    pub(super) read_only: bool,
    /// Everything that was set as text, with the model's own left out.
    others: BTreeMap<String, String>,
}

/// Settings that a client may set and that change nothing here.
const PASSIVE: &[&str] = &[
    "application_name",
    "client_encoding",
    "client_min_messages",
    "datestyle",
    "enable_seqscan",
    "enable_indexscan",
    "enable_bitmapscan",
    "enable_indexonlyscan",
    "extra_float_digits",
    "search_path",
    "synchronous_commit",
    "timezone",
    "work_mem",
    "log_lock_waits",
    "log_statement",
    "log_min_messages",
    "session_replication_role",
    "jit",
    "role",
    "intervalstyle",
    "bytea_output",
    "default_transaction_deferrable",
    "transaction_deferrable",
    "row_security",
    "standard_conforming_strings",
    "enable_hashjoin",
    "enable_sort",
    "enable_nestloop",
    "plan_cache_mode",
    "xmloption",
    "tcp_keepalives_idle",
    "tcp_keepalives_interval",
    "tcp_keepalives_count",
    "tcp_user_timeout",
    "client_connection_check_interval",
    "max_parallel_workers_per_gather",
    "maintenance_work_mem",
    "temp_buffers",
];

/// Settings that only tell.
const FIXED: &[(&str, &str)] = &[
    ("server_version", "15.18 (Debian 15.18-0+deb12u1)"),
    ("server_version_num", "150018"),
    ("max_connections", "100"),
    ("server_encoding", "UTF8"),
    ("max_locks_per_transaction", "64"),
    ("max_pred_locks_per_transaction", "64"),
];

/// What others have when nobody has set them.
const DEFAULTS: &[(&str, &str)] = &[
    ("application_name", ""),
    ("client_encoding", "UTF8"),
    ("client_min_messages", "notice"),
    ("datestyle", "ISO, MDY"),
    ("search_path", "\"$user\", public"),
    ("synchronous_commit", "on"),
    ("timezone", "Etc/UTC"),
    ("standard_conforming_strings", "on"),
    ("transaction_deferrable", "off"),
    ("default_transaction_deferrable", "off"),
    ("work_mem", "4MB"),
    ("intervalstyle", "postgres"),
    ("role", "none"),
];

impl Settings {
    pub(super) fn new(deadlock_timeout: u64) -> Self {
        Self {
            lock_timeout: 0,
            statement_timeout: 0,
            idle_in_transaction: 0,
            idle_session: 0,
            deadlock_timeout,
            isolation: Isolation::ReadCommitted,
            read_only: false,
            others: BTreeMap::new(),
        }
    }

    /// The time-out of a name, to be read or changed.
    fn time(&mut self, name: &str) -> Option<&mut u64> {
        Some(match name {
            "lock_timeout" => &mut self.lock_timeout,
            "statement_timeout" => &mut self.statement_timeout,
            "idle_in_transaction_session_timeout" => &mut self.idle_in_transaction,
            "idle_session_timeout" => &mut self.idle_session,
            "deadlock_timeout" => &mut self.deadlock_timeout,
            _ => return None,
        })
    }

    /// Sets one; None is the default.
    ///
    /// # Errors
    ///
    /// 42704 for an unknown name, 22023 for a value that does not fit, 55P02 for one that cannot be changed.
    pub(super) fn set(&mut self, name: &str, value: Option<&str>, defaults: &Self) -> Result<(), Error> {
        let unfit = |value: &str| Error::new("22023", format!("invalid value for parameter \"{name}\": \"{value}\""));
        if let Some(slot) = self.time(name) {
            let least = u64::from(name == "deadlock_timeout");
            let value = match value {
                Some(value) => {
                    let time = milliseconds(value).ok_or_else(|| unfit(value))?;
                    let time = u64::try_from(time).ok().filter(|time| (least..=2_147_483_647).contains(time));
                    let says = format!(
                        "{value} ms is outside the valid range for parameter \"{name}\" ({least} .. 2147483647)"
                    );
                    time.ok_or_else(|| Error::new("22023", says))?
                }
                None => *defaults.clone().time(name).expect("the same name"),
            };
            *slot = value;
            return Ok(());
        }
        match name {
            "default_transaction_isolation" => {
                self.isolation = match value {
                    Some(value) => isolation(value).ok_or_else(|| unfit(value))?,
                    None => defaults.isolation,
                };
            }
            "default_transaction_read_only" => {
                self.read_only = match value {
                    Some(value) => switch(value)
                        .ok_or_else(|| Error::new("22023", format!("parameter \"{name}\" requires a Boolean value")))?,
                    None => defaults.read_only,
                };
            }
            _ if FIXED.iter().any(|(fixed, _)| *fixed == name) => {
                return Err(Error::new("55P02", format!("parameter \"{name}\" cannot be changed")));
            }
            _ if PASSIVE.contains(&name) || name.contains('.') => {
                match value {
                    Some(value) => self.others.insert(name.to_owned(), value.to_owned()),
                    None => self.others.remove(name),
                };
            }
            _ => return Err(unknown(name)),
        }
        Ok(())
    }

    /// The value of a setting, as SHOW tells it.
    pub(super) fn show(&self, name: &str) -> Result<String, Error> {
        if let Some(time) = self.clone().time(name) {
            return Ok(time_text(*time));
        }
        let pair =
            |list: &[(&str, &str)]| list.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        match name {
            "default_transaction_isolation" => return Ok(isolation_text(self.isolation).to_owned()),
            "default_transaction_read_only" => return Ok(if self.read_only { "on" } else { "off" }.to_owned()),
            _ => {}
        }
        let found = self.others.get(name).cloned().or_else(|| pair(FIXED)).or_else(|| pair(DEFAULTS));
        let passive = || PASSIVE.contains(&name).then(|| "on".to_owned());
        found.or_else(passive).ok_or_else(|| unknown(name))
    }
}

fn unknown(name: &str) -> Error {
    Error::new("42704", format!("unrecognized configuration parameter \"{name}\""))
}

pub(super) fn switch(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" | "t" | "y" => Some(true),
        "off" | "false" | "no" | "0" | "f" | "n" => Some(false),
        _ => None,
    }
}

pub(super) fn isolation(value: &str) -> Option<Isolation> {
    Some(match value.to_ascii_lowercase().as_str() {
        "read committed" | "read uncommitted" => Isolation::ReadCommitted,
        "repeatable read" => Isolation::RepeatableRead,
        "serializable" => Isolation::Serializable,
        _ => return None,
    })
}

pub(super) fn isolation_text(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::ReadCommitted => "read committed",
        Isolation::RepeatableRead => "repeatable read",
        Isolation::Serializable => "serializable",
    }
}

/// Milliseconds of `5s`, `400ms`, `1.5 min` or a bare number. Manual, section 20.1.1.
fn milliseconds(text: &str) -> Option<i64> {
    let text = text.trim();
    let split = text.find(|sign: char| sign.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = (text[..split].trim(), &text[split..]);
    let micros: i64 = match unit {
        "us" => 1,
        "" | "ms" => 1_000,
        "s" => 1_000_000,
        "min" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        _ => return None,
    };
    let number = super::decimal::Decimal::parse(number)?.times(&super::decimal::Decimal::from(micros))?;
    number.over(&super::decimal::Decimal::from(1_000))?.round(0).whole()
}

/// The largest unit that gives a whole number.
fn time_text(time: u64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms")];
    let fits = units.iter().find(|(unit, _)| time != 0 && time.is_multiple_of(*unit));
    fits.map_or("0".to_owned(), |(unit, name)| format!("{}{name}", time / unit))
}
