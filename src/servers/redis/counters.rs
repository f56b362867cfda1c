//! Commands that count in a string (t_string.c).

use super::call::Call;
use super::extended::Extended;
use super::integer::required;
use super::reply::{Answer, Bytes, Failure, NOT_FLOAT, OVERFLOW, Reply};
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

pub(super) fn incrbyfloat(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let key = words[1];
    let old = match call.text(key)? {
        Some(text) => Extended::read(text).ok_or(NOT_FLOAT)?,
        None => Extended::read(b"0").expect("a number"),
    };
    let sum = add_float(old, words[2])?;
    call.replace(key, Value::Text(sum.clone()));
    call.send_instead(&[b"SET", key, &sum, b"KEEPTTL"]);
    Ok(Reply::Bulk(sum))
}

/// A sum of two long doubles as a text.
pub(super) fn add_float(old: Extended, by: &[u8]) -> Result<Bytes, Failure> {
    let infinite = || Failure::err("increment would produce NaN or Infinity");
    let name = by.strip_prefix(b"-").or_else(|| by.strip_prefix(b"+")).unwrap_or(by).to_ascii_lowercase();
    if matches!(name.as_slice(), b"inf" | b"infinity") {
        return Err(infinite());
    }
    let by = Extended::read(by).ok_or(NOT_FLOAT)?;
    // The real server goes on to 10^4932 and writes thousands of digits.
    old.plus(by).text().ok_or_else(infinite)
}
