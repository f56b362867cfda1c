//! The values of the server, their types, and how one becomes another.

use super::decimal::Decimal;
use super::error::Error;
use super::moment;
use std::cmp::Ordering;

/// A value of a column or an expression.
///
/// The order is that of an index: NULL last, numbers by size, texts by bytes (the `C` collation).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `boolean`.
    Bool(bool),
    /// `integer`, `bigint`, `oid` and the like.
    Int(i64),
    /// `numeric`; stands for `double precision` too, which the model does not have.
    Numeric(Decimal),
    /// `text` and its kin.
    Text(String),
    /// `timestamp with time zone`: microseconds since 1970.
    Timestamp(i64),
    /// `interval`: microseconds; a month has 30 days, a day 24 hours.
    Interval(i64),
    /// An array, of which the model has only what lists of process ids need.
    Array(Vec<Value>),
    /// What functions without a result give back: reads as an empty text.
    Void,
    /// NULL of any type.
    Null,
}

/// The types that an expression can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    /// A quoted literal, a NULL or a parameter whose type its surroundings decide.
    Unknown,
    /// `boolean`.
    Bool,
    /// `integer`, -2^31 to 2^31-1; `smallint` and `oid` are taken for it.
    Int4,
    /// `bigint`.
    Int8,
    /// `numeric`.
    Numeric,
    /// `text`.
    Text,
    /// `timestamp with time zone`.
    Timestamp,
    /// `interval`.
    Interval,
    /// An array of integers.
    Array,
    /// `void`.
    Void,
}

impl Type {
    /// The name that error messages use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Bool => "boolean",
            Self::Int4 => "integer",
            Self::Int8 => "bigint",
            Self::Numeric => "numeric",
            Self::Text => "text",
            Self::Timestamp => "timestamp with time zone",
            Self::Interval => "interval",
            Self::Array => "integer[]",
            Self::Void => "void",
        }
    }

    /// The type that a name in a statement means.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "bool" | "boolean" => Self::Bool,
            "int" | "int4" | "integer" | "smallint" | "int2" | "serial" | "oid" | "regclass" => Self::Int4,
            "bigint" | "int8" | "bigserial" | "xid8" => Self::Int8,
            "numeric" | "decimal" | "double" | "float" | "float8" | "real" | "float4" => Self::Numeric,
            "text" | "varchar" | "character" | "char" | "name" | "uuid" | "json" | "jsonb" => Self::Text,
            "timestamptz" | "timestamp" => Self::Timestamp,
            "interval" => Self::Interval,
            "void" => Self::Void,
            _ => return None,
        })
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Int4 | Self::Int8 | Self::Numeric)
    }
}

impl Value {
    /// Whether it is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The type that a parameter or a constant of this value has.
    pub(super) fn kind(&self) -> Type {
        match self {
            Self::Bool(_) => Type::Bool,
            Self::Int(value) if i32::try_from(*value).is_ok() => Type::Int4,
            Self::Int(_) => Type::Int8,
            Self::Numeric(_) => Type::Numeric,
            Self::Text(_) | Self::Null => Type::Unknown,
            Self::Timestamp(_) => Type::Timestamp,
            Self::Interval(_) => Type::Interval,
            Self::Array(_) => Type::Array,
            Self::Void => Type::Void,
        }
    }

    /// The text form, as a cast to `text` gives it. NULL has none.
    pub fn to_text(&self) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(value) => if *value { "true" } else { "false" }.to_owned(),
            Self::Int(value) => value.to_string(),
            Self::Numeric(value) => value.to_string(),
            Self::Text(value) => value.clone(),
            Self::Timestamp(micros) => moment::timestamp_text(*micros),
            Self::Interval(micros) => moment::interval_text(*micros),
            Self::Array(items) => {
                let items: Vec<String> = items.iter().filter_map(Self::to_text).collect();
                format!("{{{}}}", items.join(","))
            }
            Self::Void => String::new(),
        })
    }

    /// The number as a decimal, for mixed arithmetic.
    pub(super) fn to_decimal(&self) -> Option<Decimal> {
        match self {
            Self::Int(value) => Some(Decimal::from(*value)),
            Self::Numeric(value) => Some(value.clone()),
            _ => None,
        }
    }

    /// SQL comparison; neither side may be NULL, and both are of comparable types.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(left), Self::Bool(right)) => left.cmp(right),
            (Self::Int(left), Self::Int(right)) => left.cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            (Self::Timestamp(left), Self::Timestamp(right)) | (Self::Interval(left), Self::Interval(right)) => {
                left.cmp(right)
            }
            (Self::Array(left), Self::Array(right)) => left.cmp(right),
            _ => match (self.to_decimal(), other.to_decimal()) {
                (Some(left), Some(right)) => left.compare(&right),
                _ => self.rank().cmp(&other.rank()),
            },
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Bool(_) => 0,
            Self::Int(_) | Self::Numeric(_) => 1,
            Self::Text(_) => 2,
            Self::Timestamp(_) => 3,
            Self::Interval(_) => 4,
            Self::Array(_) => 5,
            Self::Void => 6,
            Self::Null => 7,
        }
    }

    /// Reads a literal as a value of the type.
    ///
    /// # Errors
    ///
    /// 22P02 and its kin, when the text is not one.
    pub(super) fn parse(text: &str, target: Type) -> Result<Self, Error> {
        let bad = || Error::new("22P02", format!("invalid input syntax for type {}: \"{text}\"", target.name()));
        let trimmed = text.trim();
        Ok(match target {
            Type::Unknown | Type::Text => Self::Text(text.to_owned()),
            Type::Void => Self::Void,
            Type::Bool => Self::Bool(boolean(trimmed).ok_or_else(bad)?),
            Type::Int4 | Type::Int8 => {
                let digits = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
                if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(bad());
                }
                let out =
                    || Error::new("22003", format!("value \"{text}\" is out of range for type {}", target.name()));
                let value: i64 = trimmed.parse().map_err(|_| out())?;
                if target == Type::Int4 && i32::try_from(value).is_err() {
                    return Err(out());
                }
                Self::Int(value)
            }
            Type::Numeric => Self::Numeric(Decimal::parse(trimmed).ok_or_else(bad)?),
            Type::Timestamp => Self::Timestamp(moment::parse_timestamp(trimmed).ok_or_else(|| {
                let says = format!("invalid input syntax for type timestamp with time zone: \"{text}\"");
                Error::new("22007", says)
            })?),
            Type::Interval => {
                Self::Interval(moment::parse_interval(trimmed).ok_or_else(|| {
                    Error::new("22007", format!("invalid input syntax for type interval: \"{text}\""))
                })?)
            }
            Type::Array => {
                let inner = trimmed
                    .strip_prefix('{')
                    .and_then(|rest| rest.strip_suffix('}'))
                    .ok_or_else(|| Error::new("22P02", format!("malformed array literal: \"{text}\"")))?;
                let items = inner.split(',').filter(|item| !item.is_empty());
                Self::Array(items.map(|item| Self::parse(item, Type::Int4)).collect::<Result<_, _>>()?)
            }
        })
    }

    /// Casts a value, as `CAST` or an assignment does once it is allowed.
    ///
    /// # Errors
    ///
    /// 22003 out of range, 22P02 not a literal of the type, 42846 no such cast.
    pub(super) fn cast(self, from: Type, to: Type) -> Result<Self, Error> {
        let none = || Error::new("42846", format!("cannot cast type {} to {}", from.name(), to.name()));
        Ok(match (self, to) {
            (Self::Null, _) => Self::Null,
            (value, Type::Unknown) => value,
            (Self::Text(text), _) => Self::parse(&text, to)?,
            (value, Type::Text) => value.to_text().map_or(Self::Null, Self::Text),
            (Self::Int(value), Type::Int4) => {
                Self::Int(i32::try_from(value).map_err(|_| Error::new("22003", "integer out of range"))?.into())
            }
            (Self::Int(value), Type::Int8) => Self::Int(value),
            (Self::Int(value), Type::Numeric) => Self::Numeric(Decimal::from(value)),
            (Self::Int(value), Type::Bool) => Self::Bool(value != 0),
            (Self::Bool(value), Type::Int4) => Self::Int(value.into()),
            (Self::Numeric(value), Type::Int4 | Type::Int8) => {
                let out = || Error::new("22003", format!("{} out of range", to.name()));
                let whole = value.round(0).whole().ok_or_else(out)?;
                return Self::Int(whole).cast(Type::Int8, to);
            }
            (value @ Self::Bool(_), Type::Bool)
            | (value @ Self::Numeric(_), Type::Numeric)
            | (value @ Self::Timestamp(_), Type::Timestamp)
            | (value @ Self::Interval(_), Type::Interval)
            | (value @ Self::Array(_), Type::Array)
            | (value @ Self::Void, Type::Void) => value,
            _ => return Err(none()),
        })
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.is_null(), other.is_null()) {
            (false, false) => self.compare(other),
            (left, right) => left.cmp(&right),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The literals of a boolean, which may be cut short where that leaves no doubt. Manual, section 8.6.
fn boolean(text: &str) -> Option<bool> {
    let text = text.to_ascii_lowercase();
    let begins = |word: &str, least: usize| text.len() >= least && word.starts_with(text.as_str());
    if begins("true", 1) || begins("yes", 1) || text == "on" || text == "1" {
        return Some(true);
    }
    let no = begins("false", 1) || begins("no", 1) || begins("off", 2) || text == "0";
    no.then_some(false)
}
