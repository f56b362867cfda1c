//! Commands that count in a string (t_string.c).

use super::call::Call;
use super::integer::required;
use super::reply::{Answer, Failure, OVERFLOW, Reply};
use super::value::Value;

pub(super) fn incr(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    add(call, words[1], 1)
}

pub(super) fn decr(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    add(call, words[1], -1)
}

pub(super) fn incrby(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    add(call, words[1], required(words[2])?)
}

pub(super) fn decrby(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let by = required(words[2])?.checked_neg().ok_or_else(|| Failure::err("decrement would overflow"))?;
    add(call, words[1], by)
}

/// A missing counter is 0. The time to live stays.
fn add(call: &mut Call<'_>, key: &[u8], by: i64) -> Answer {
    let old = match call.text(key)? {
        Some(text) => required(text)?,
        None => 0,
    };
    let sum = old.checked_add(by).ok_or(OVERFLOW)?;
    call.replace(key, Value::Text(sum.to_string().into_bytes()));
    Ok(Reply::Int(sum))
}
