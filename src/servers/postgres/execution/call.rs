//! Calls of functions.

use super::super::decimal::Decimal;
use super::super::error::Error;
use super::super::function::{Advisory, Function, Wish};
use super::super::hash;
use super::super::lock::{EXCLUSIVE, SHARE, Scope, Tag};
use super::super::plan::Node;
use super::super::session::Effect;
use super::super::value::Value;
use super::{Env, Execution, Stop};
use std::cmp::Ordering;

impl Execution<'_> {
    pub(super) fn call(&mut self, function: Function, nodes: &[Node], env: &Env<'_>) -> Result<Value, Stop> {
        if function == Function::Coalesce {
            for node in nodes {
                let value = self.value(node, env)?;
                if !value.is_null() {
                    return Ok(value);
                }
            }
            return Ok(Value::Null);
        }
        let arguments = self.values(nodes, env)?;
        if function.is_strict() && arguments.iter().any(Value::is_null) {
            return Ok(Value::Null);
        }
        if !function.is_volatile() {
            return self.plain(function, &arguments);
        }
        if let Some(value) = self.recorded(|effect| match effect {
            Effect::Value(value) => Some(value.clone()),
            _ => None,
        }) {
            return Ok(value);
        }
        let mark = self.pending.journal.at;
        let value = self.volatile(function, &arguments)?;
        self.record(mark, Effect::Value(value.clone()));
        Ok(value)
    }

    /// A function that does something, or gives something else each time.
    fn volatile(&mut self, function: Function, arguments: &[Value]) -> Result<Value, Stop> {
        let text = |at: usize| match arguments.get(at) {
            Some(Value::Text(text)) => text.clone(),
            _ => String::new(),
        };
        let number = |at: usize| match arguments.get(at) {
            Some(Value::Int(value)) => *value,
            _ => 0,
        };
        Ok(match function {
            Function::Advisory(advisory) => self.advisory(advisory, arguments)?,
            Function::UnlockAll => {
                let woken = self.server.locks.unlock_all(self.session);
                self.server.woken(woken);
                Value::Void
            }
            // It is always later than `now()`, if only by the least that can be told.
            Function::ClockTime => Value::Timestamp(self.server.clock(self.server.now()) + 1),
            Function::Sleep => {
                if self.pending.slept {
                    self.pending.slept = false;
                    return Ok(Value::Void);
                }
                let million = Decimal::from(1_000_000_000);
                let span = arguments[0].to_decimal().and_then(|time| time.times(&million)).map(|time| time.round(0));
                let span = span.and_then(|span| u64::try_from(span.whole()?).ok()).unwrap_or(0);
                if span == 0 {
                    return Ok(Value::Void);
                }
                self.server.sleep(self.session, span);
                return Err(Stop::Wait);
            }
            Function::Terminate => Value::Bool(self.server.terminate(self.session, number(0))?),
            Function::CancelBackend => Value::Bool(self.server.cancel_backend(self.session, number(0))?),
            Function::BlockingPids => {
                Value::Array(self.server.blocking_pids(number(0)).into_iter().map(Value::Int).collect())
            }
            Function::SetConfig => {
                let local = arguments.get(2) == Some(&Value::Bool(true));
                let value = Some(text(1));
                self.server.set(self.session, &text(0), value, local)?;
                Value::Text(self.server.show(self.session, &text(0))?)
            }
            Function::Nextval | Function::Setval => {
                if self.read_only {
                    let name = if function == Function::Nextval { "nextval" } else { "setval" };
                    let says = format!("cannot execute {name}() in a read-only transaction");
                    return Err(Stop::Error(Error::new("25006", says)));
                }
                let name = text(0);
                let called = arguments.get(2) != Some(&Value::Bool(false));
                let set = (function == Function::Setval).then(|| (number(1), called));
                Value::Int(self.server.next_value(self.session, &name, set)?)
            }
            _ => unreachable!("{function:?} is not volatile"),
        })
    }

    /// Manual, section 9.27.10.
    fn advisory(&mut self, advisory: Advisory, arguments: &[Value]) -> Result<Value, Stop> {
        let tag = match arguments {
            [Value::Int(key)] => Tag::Advisory(*key),
            [Value::Int(class), Value::Int(object)] => {
                let small = |value: i64| i32::try_from(value).expect("an integer of 32 bits by its type");
                Tag::AdvisoryPair(small(*class), small(*object))
            }
            _ => unreachable!("the forms of the function have one or two integers"),
        };
        let mode = if advisory.shared { SHARE } else { EXCLUSIVE };
        let scope = if advisory.transaction { Scope::Transaction(self.sub) } else { Scope::Session };
        Ok(match advisory.wish {
            Wish::Lock => {
                self.acquire(tag, mode, scope, true)?;
                Value::Void
            }
            Wish::Try => Value::Bool(self.acquire(tag, mode, scope, false)?),
            // A lock that is not held is a warning, and false.
            Wish::Unlock => match self.server.locks.unlock(self.session, tag, mode) {
                Some(woken) => {
                    self.server.woken(woken);
                    Value::Bool(true)
                }
                None => Value::Bool(false),
            },
        })
    }

    /// A function of its arguments, and of what does not change while the statement runs.
    fn plain(&mut self, function: Function, arguments: &[Value]) -> Result<Value, Stop> {
        let text = |at: usize| match arguments.get(at) {
            Some(Value::Text(text)) => text.as_str(),
            _ => "",
        };
        let number = |at: usize| match arguments.get(at) {
            Some(Value::Int(value)) => *value,
            _ => 0,
        };
        let decimal = |at: usize| arguments.get(at).and_then(Value::to_decimal).unwrap_or(Decimal::from(0));
        Ok(match function {
            Function::Now => Value::Timestamp(self.server.clock(self.server.transaction(self.session).began)),
            Function::StatementTime => Value::Timestamp(self.server.clock(self.pending.began)),
            Function::Extract => extract(text(0), &arguments[1])?,
            Function::ToTimestamp => {
                let micros = decimal(0).times(&Decimal::from(1_000_000)).and_then(|micros| micros.round(0).whole());
                Value::Timestamp(micros.ok_or_else(|| Error::new("22003", "timestamp out of range"))?)
            }
            Function::BackendPid => Value::Int(self.server.pid(self.session)),
            Function::CurrentSetting => match self.server.show(self.session, text(0)) {
                Ok(value) => Value::Text(value),
                Err(_) if arguments.get(1) == Some(&Value::Bool(true)) => Value::Null,
                Err(error) => return Err(Stop::Error(error)),
            },
            Function::Version => Value::Text("PostgreSQL 15.18 (Debian 15.18-0+deb12u1)".to_owned()),
            Function::User | Function::Database => Value::Text("postgres".to_owned()),
            Function::Hash => Value::Int(hash::text(text(0)).into()),
            Function::HashExtended => Value::Int(hash::text_extended(text(0), number(1))),
            Function::Length => Value::Int(i64::try_from(text(0).chars().count()).unwrap_or(i64::MAX)),
            Function::Lower => Value::Text(text(0).to_lowercase()),
            Function::Upper => Value::Text(text(0).to_uppercase()),
            Function::Left | Function::Right => Value::Text(part(function, text(0), number(1))),
            Function::Substring => {
                let (from, count) = (number(1), arguments.get(2).map(|_| number(2)));
                if count.is_some_and(|count| count < 0) {
                    return Err(Stop::Error(Error::new("22011", "negative substring length not allowed")));
                }
                let end = count.map_or(i64::MAX, |count| from.saturating_add(count));
                let within = |(at, _): &(usize, char)| i64::try_from(*at + 1).is_ok_and(|at| at >= from && at < end);
                Value::Text(text(0).chars().enumerate().filter(within).map(|(_, sign)| sign).collect())
            }
            Function::Replace => Value::Text(text(0).replace(text(1), text(2))),
            Function::Abs => match &arguments[0] {
                Value::Int(value) => Value::Int(value.abs()),
                value if value.compare(&Value::Int(0)) == Ordering::Less => Value::Numeric(decimal(0).negated()),
                value => value.clone(),
            },
            Function::Sign => match arguments[0].compare(&Value::Int(0)) {
                Ordering::Less => Value::Int(-1),
                Ordering::Equal => Value::Int(0),
                Ordering::Greater => Value::Int(1),
            },
            Function::Floor => Value::Numeric(decimal(0).floor()),
            Function::Ceil => Value::Numeric(decimal(0).negated().floor().negated()),
            Function::Round => Value::Numeric(decimal(0).round(u32::try_from(number(1)).unwrap_or(0))),
            Function::Trunc => Value::Numeric(decimal(0).trunc()),
            Function::Mod => match (&arguments[0], &arguments[1]) {
                (Value::Int(_), Value::Int(0)) => return Err(Error::new("22012", "division by zero").into()),
                (Value::Int(left), Value::Int(right)) => Value::Int(left.wrapping_rem(*right)),
                _ => {
                    let rest = decimal(0).remainder(&decimal(1));
                    Value::Numeric(rest.ok_or_else(|| Error::new("22012", "division by zero"))?)
                }
            },
            Function::Greatest | Function::Least => {
                let there = arguments.iter().filter(|value| !value.is_null());
                let found = if function == Function::Greatest { there.max() } else { there.min() };
                found.cloned().unwrap_or(Value::Null)
            }
            Function::NullIf if arguments[0].cmp(&arguments[1]) == Ordering::Equal => Value::Null,
            Function::NullIf => arguments[0].clone(),
            Function::Concat => Value::Text(arguments.iter().filter_map(Value::to_text).collect()),
            Function::Cardinality => match &arguments[0] {
                Value::Array(items) => Value::Int(i64::try_from(items.len()).unwrap_or(i64::MAX)),
                _ => Value::Null,
            },
            Function::Currval => Value::Int(self.server.current_value(self.session, Some(text(0)))?),
            Function::Lastval => Value::Int(self.server.current_value(self.session, None)?),
            Function::TransactionId => Value::Int(i64::try_from(self.xact).unwrap_or(i64::MAX)),
            Function::TransactionIdIfAssigned if self.server.transaction(self.session).wrote => {
                Value::Int(i64::try_from(self.xact).unwrap_or(i64::MAX))
            }
            Function::TransactionIdIfAssigned => Value::Null,
            Function::InRecovery => Value::Bool(false),
            Function::Series => Value::Array((number(0)..=number(1)).take(100_000).map(Value::Int).collect()),
            Function::Unnest => arguments[0].clone(),
            Function::Advisory(_)
            | Function::UnlockAll
            | Function::ClockTime
            | Function::Sleep
            | Function::Terminate
            | Function::CancelBackend
            | Function::BlockingPids
            | Function::SetConfig
            | Function::Nextval
            | Function::Setval
            | Function::Coalesce => unreachable!("{function:?} is called elsewhere"),
        })
    }
}

fn part(function: Function, text: &str, count: i64) -> String {
    let signs: Vec<char> = text.chars().collect();
    let all = signs.len();
    // A negative count leaves so many out, from the other end.
    let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX).min(all);
    let kept = if count < 0 { all - wanted } else { wanted };
    if function == Function::Left { signs[..kept].iter().collect() } else { signs[all - kept..].iter().collect() }
}

/// EXTRACT of a timestamp or an interval. Manual, section 9.9.1.
fn extract(field: &str, of: &Value) -> Result<Value, Error> {
    let micros = match of {
        Value::Timestamp(micros) | Value::Interval(micros) => *micros,
        _ => return Ok(Value::Null),
    };
    let in_minute = micros.rem_euclid(60_000_000);
    let found = match field.to_ascii_lowercase().as_str() {
        "epoch" => Decimal::new(micros.into(), 6),
        "microseconds" => Decimal::from(in_minute),
        "milliseconds" => Decimal::new(in_minute.into(), 3),
        "second" => Decimal::new(in_minute.into(), 6),
        "minute" => Decimal::from(micros.div_euclid(60_000_000).rem_euclid(60)),
        "hour" => Decimal::from(micros.div_euclid(3_600_000_000).rem_euclid(24)),
        _ => {
            let says = format!("unit \"{field}\" not recognized for type timestamp with time zone");
            return Err(Error::new("22023", says));
        }
    };
    Ok(Value::Numeric(found))
}
