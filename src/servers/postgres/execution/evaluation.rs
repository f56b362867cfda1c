//! The values of expressions, with SQL's three-valued logic.

use super::super::decimal::Decimal;
use super::super::error::Error;
use super::super::plan::Node;
use super::super::value::{Type, Value};
use super::{Env, Execution, Stop};
use std::cmp::Ordering;

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        _ => None,
    }
}

fn logical(value: Option<bool>) -> Value {
    value.map_or(Value::Null, Value::Bool)
}

impl Execution<'_> {
    /// Whether a condition holds; NULL does not.
    pub(super) fn holds(&mut self, node: Option<&Node>, env: &Env<'_>) -> Result<bool, Stop> {
        match node {
            Some(node) => Ok(self.value(node, env)? == Value::Bool(true)),
            None => Ok(true),
        }
    }

    pub(super) fn values(&mut self, nodes: &[Node], env: &Env<'_>) -> Result<Vec<Value>, Stop> {
        nodes.iter().map(|node| self.value(node, env)).collect()
    }

    pub(super) fn value(&mut self, node: &Node, env: &Env<'_>) -> Result<Value, Stop> {
        Ok(match node {
            Node::Const(value) => value.clone(),
            Node::Column { depth, at } => env.column(*depth, *at).clone(),
            Node::Negative(of) => match self.value(of, env)? {
                Value::Int(value) => {
                    Value::Int(value.checked_neg().ok_or_else(|| Error::new("22003", "bigint out of range"))?)
                }
                Value::Numeric(value) => Value::Numeric(value.negated()),
                Value::Interval(value) => Value::Interval(-value),
                _ => Value::Null,
            },
            Node::Arithmetic(operator, kind, left, right) => {
                let (left, right) = (self.value(left, env)?, self.value(right, env)?);
                arithmetic(operator, *kind, &left, &right)?
            }
            Node::Concat(left, right) => {
                let (left, right) = (self.value(left, env)?, self.value(right, env)?);
                match (left.to_text(), right.to_text()) {
                    (Some(left), Some(right)) => Value::Text(left + &right),
                    _ => Value::Null,
                }
            }
            Node::Compare(operator, left, right) => {
                let (left, right) = (self.value(left, env)?, self.value(right, env)?);
                compare(operator, &left, &right)
            }
            Node::And(left, right) => match truth(&self.value(left, env)?) {
                Some(false) => Value::Bool(false),
                left => match (left, truth(&self.value(right, env)?)) {
                    (_, Some(false)) => Value::Bool(false),
                    (Some(true), Some(true)) => Value::Bool(true),
                    _ => Value::Null,
                },
            },
            Node::Or(left, right) => match truth(&self.value(left, env)?) {
                Some(true) => Value::Bool(true),
                left => match (left, truth(&self.value(right, env)?)) {
                    (_, Some(true)) => Value::Bool(true),
                    (Some(false), Some(false)) => Value::Bool(false),
                    _ => Value::Null,
                },
            },
            Node::Not(of) => logical(truth(&self.value(of, env)?).map(|value| !value)),
            Node::IsNull(of, negated) => Value::Bool(self.value(of, env)?.is_null() != *negated),
            Node::IsTruth { of, truth: wanted, negated } => {
                Value::Bool((truth(&self.value(of, env)?) == *wanted) != *negated)
            }
            Node::Distinct { left, right, negated } => {
                let (left, right) = (self.value(left, env)?, self.value(right, env)?);
                Value::Bool((left.cmp(&right) != Ordering::Equal) != *negated)
            }
            Node::In { of, list, negated } => {
                let of = self.value(of, env)?;
                let mut found = Some(false);
                for item in list {
                    let item = self.value(item, env)?;
                    match truth(&compare("=", &of, &item)) {
                        Some(true) => {
                            found = Some(true);
                            break;
                        }
                        Some(false) => {}
                        None => found = None,
                    }
                }
                logical(found.map(|found| found != *negated))
            }
            Node::InPlan { of, plan, negated } => {
                let of = self.value(of, env)?;
                let rows = self.remembered(plan, env, None)?;
                let matches = |row: &Vec<Value>| truth(&compare("=", &of, &row[0]));
                let found = if rows.iter().any(|row| matches(row) == Some(true)) {
                    Some(true)
                } else if rows.iter().all(|row| matches(row) == Some(false)) {
                    Some(false)
                } else {
                    None
                };
                logical(found.map(|found| found != *negated))
            }
            Node::Any { of, array } => {
                let of = self.value(of, env)?;
                match self.value(array, env)? {
                    Value::Array(items) => Value::Bool(items.iter().any(|item| of.cmp(item) == Ordering::Equal)),
                    _ => Value::Null,
                }
            }
            Node::Like { of, pattern, negated, caseless } => match (self.value(of, env)?, self.value(pattern, env)?) {
                (Value::Text(mut text), Value::Text(mut pattern)) => {
                    if *caseless {
                        (text, pattern) = (text.to_lowercase(), pattern.to_lowercase());
                    }
                    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
                    Value::Bool(like(&text, &pattern) != *negated)
                }
                _ => Value::Null,
            },
            Node::Array(items) => Value::Array(self.values(items, env)?),
            Node::Exists(plan) => Value::Bool(!self.remembered(plan, env, Some(1))?.is_empty()),
            Node::Scalar(plan) => {
                let mut rows = self.remembered(plan, env, Some(2))?;
                if rows.len() > 1 {
                    let says = "more than one row returned by a subquery used as an expression";
                    return Err(Stop::Error(Error::new("21000", says)));
                }
                rows.pop().map_or(Value::Null, |mut row| row.remove(0))
            }
            Node::Case { arms, otherwise } => {
                for (when, then) in arms {
                    if self.holds(Some(when), env)? {
                        return self.value(then, env);
                    }
                }
                self.value(otherwise, env)?
            }
            Node::Cast(of, from, to) => self.value(of, env)?.cast(*from, *to)?,
            Node::Call(function, arguments) => self.call(*function, arguments, env)?,
        })
    }
}

/// A comparison, which is NULL when one side is.
pub(super) fn compare(operator: &str, left: &Value, right: &Value) -> Value {
    if left.is_null() || right.is_null() {
        return Value::Null;
    }
    let order = left.compare(right);
    Value::Bool(match operator {
        "=" => order == Ordering::Equal,
        "<>" => order != Ordering::Equal,
        "<" => order == Ordering::Less,
        "<=" => order != Ordering::Greater,
        ">" => order == Ordering::Greater,
        _ => order != Ordering::Less,
    })
}

fn arithmetic(operator: &str, kind: Type, left: &Value, right: &Value) -> Result<Value, Error> {
    let by_zero = || Error::new("22012", "division by zero");
    match (left, right) {
        (Value::Null, _) | (_, Value::Null) => Ok(Value::Null),
        (Value::Int(left), Value::Int(right)) if kind != Type::Numeric => {
            if *right == 0 && matches!(operator, "/" | "%") {
                return Err(by_zero());
            }
            let result = match operator {
                "+" => left.checked_add(*right),
                "-" => left.checked_sub(*right),
                "*" => left.checked_mul(*right),
                "/" => left.checked_div(*right),
                "%" => Some(left.wrapping_rem(*right)),
                "&" => Some(left & right),
                "|" => Some(left | right),
                _ => Some(left ^ right),
            };
            let fits = |value: &i64| kind == Type::Int8 || i32::try_from(*value).is_ok();
            let out = || Error::new("22003", format!("{} out of range", kind.name()));
            Ok(Value::Int(result.filter(fits).ok_or_else(out)?))
        }
        (Value::Timestamp(left), Value::Timestamp(right)) => Ok(Value::Interval(left - right)),
        (Value::Timestamp(at), Value::Interval(span)) | (Value::Interval(span), Value::Timestamp(at)) => {
            Ok(Value::Timestamp(if operator == "+" { at + span } else { at - span }))
        }
        (Value::Interval(left), Value::Interval(right)) => {
            Ok(Value::Interval(if operator == "+" { left + right } else { left - right }))
        }
        _ => {
            let out = || Error::new("22003", "value overflows numeric format");
            let span = |value: &Value| match value {
                Value::Interval(micros) => Some(Decimal::from(*micros)),
                value => value.to_decimal(),
            };
            let (Some(left), Some(right)) = (span(left), span(right)) else { return Err(out()) };
            let result = match operator {
                "+" => left.add(&right),
                "-" => left.add(&right.negated()),
                "*" => left.times(&right),
                "/" => Some(left.over(&right).ok_or_else(by_zero)?),
                _ => Some(left.remainder(&right).ok_or_else(by_zero)?),
            };
            let result = result.ok_or_else(out)?;
            if kind == Type::Interval {
                return Ok(Value::Interval(result.round(0).whole().ok_or_else(out)?));
            }
            Ok(Value::Numeric(result))
        }
    }
}

/// `%` is any text, `_` any sign, and a backslash takes the next sign as it is.
fn like(text: &[char], pattern: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('%', rest)) => (0..=text.len()).any(|from| like(&text[from..], rest)),
        Some(('_', rest)) => text.split_first().is_some_and(|(_, text)| like(text, rest)),
        Some(('\\', rest)) if !rest.is_empty() => text.first() == rest.first() && like(&text[1..], &rest[1..]),
        Some((sign, rest)) => text.first() == Some(sign) && like(&text[1..], rest),
    }
}
