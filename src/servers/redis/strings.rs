//! Commands about strings (t_string.c), but for those that count.

use super::call::Call;
use super::expiry::{Unit, deadline};
use super::integer::{ranks, required};
use super::reply::{Answer, Failure, Reply, SYNTAX};
use super::value::Value;

/// What may follow the value of SET, or the key of GETEX.
#[derive(Default, Debug)]
struct Options<'a> {
    presence: Option<Presence>,
    wants_old: bool,
    life: Life<'a>,
}

/// Whether the key must be there for SET to do something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Presence {
    /// NX
    Absent,
    /// XX
    Present,
}

/// What becomes of the time to live.
#[derive(Clone, Copy, Default, Debug)]
enum Life<'a> {
    #[default]
    Unsaid,
    /// KEEPTTL
    Kept,
    /// PERSIST
    Lasting,
    /// EX, PX, EXAT, PXAT
    Until(Unit, &'a [u8]),
}

/// Reads options (t_string.c, `parseExtendedStringArgumentsOrReply`). A later one of the same name wins; any other in the
/// same matter is a mistake.
fn options<'a>(words: &[&'a [u8]], is_set: bool) -> Result<Options<'a>, Failure> {
    let (mut options, mut rest) = (Options::default(), words);
    while let Some((word, after)) = rest.split_first() {
        rest = after;
        let (name, life) = (word.to_ascii_uppercase(), options.life);
        match name.as_slice() {
            b"NX" if is_set && options.presence != Some(Presence::Present) => options.presence = Some(Presence::Absent),
            b"XX" if is_set && options.presence != Some(Presence::Absent) => options.presence = Some(Presence::Present),
            b"GET" if is_set => options.wants_old = true,
            b"KEEPTTL" if is_set && matches!(life, Life::Unsaid | Life::Kept) => options.life = Life::Kept,
            b"PERSIST" if !is_set && matches!(life, Life::Unsaid | Life::Lasting) => options.life = Life::Lasting,
            _ => {
                let unit = Unit::named(&name).ok_or(SYNTAX)?;
                let is_free = match life {
                    Life::Unsaid => true,
                    Life::Until(other, _) => other == unit,
                    Life::Kept | Life::Lasting => false,
                };
                let (time, after) = rest.split_first().filter(|_| is_free).ok_or(SYNTAX)?;
                (options.life, rest) = (Life::Until(unit, time), after);
            }
        }
    }
    Ok(options)
}

pub(super) fn set(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let options = options(&words[3..], true)?;
    let (key, value) = (words[1], words[2]);
    let expires_ms = match options.life {
        Life::Until(unit, time) => Some(deadline(call, unit, time)?),
        Life::Unsaid | Life::Kept | Life::Lasting => None,
    };
    let old = match options.wants_old {
        true => Some(Reply::maybe(call.text(key)?.map(Vec::as_slice))),
        false => None,
    };
    let is_refused = match options.presence {
        Some(Presence::Absent) => call.exists(key),
        Some(Presence::Present) => !call.exists(key),
        None => false,
    };
    if is_refused {
        return Ok(old.unwrap_or(Reply::Nil));
    }
    let text = Value::Text(value.to_vec());
    match options.life {
        Life::Kept => call.replace(key, text),
        Life::Unsaid | Life::Lasting | Life::Until(..) => call.put(key, text),
    }
    if let Some(expires_ms) = expires_ms {
        put_deadline(call, key, value, expires_ms);
    } else if options.wants_old {
        let others: Vec<&[u8]> = words.iter().copied().filter(|word| !word.eq_ignore_ascii_case(b"get")).collect();
        call.send_instead(&[&[b"SET".as_slice(), key, value], others.get(3..).unwrap_or_default()].concat());
    }
    Ok(old.unwrap_or_else(Reply::ok))
}

/// Of a key that has just been put, says when it expires.
fn put_deadline(call: &mut Call<'_>, key: &[u8], value: &[u8], expires_ms: i64) {
    call.database_mut().expire(key, Some(expires_ms));
    call.send_instead(&[b"SET", key, value, b"PXAT", expires_ms.to_string().as_bytes()]);
}

pub(super) fn setnx(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let is_free = !call.exists(words[1]);
    if is_free {
        call.put(words[1], Value::Text(words[2].to_vec()));
    }
    Ok(Reply::flag(is_free))
}

pub(super) fn setex(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    set_until(call, words, Unit::Seconds)
}

pub(super) fn psetex(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    set_until(call, words, Unit::Milliseconds)
}

fn set_until(call: &mut Call<'_>, words: &[&[u8]], unit: Unit) -> Answer {
    let expires_ms = deadline(call, unit, words[2])?;
    call.put(words[1], Value::Text(words[3].to_vec()));
    put_deadline(call, words[1], words[3], expires_ms);
    Ok(Reply::ok())
}

pub(super) fn get(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    Ok(Reply::maybe(call.text(words[1])?.map(Vec::as_slice)))
}

pub(super) fn getset(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let old = get(call, words)?;
    call.put(words[1], Value::Text(words[2].to_vec()));
    call.send_instead(&[b"SET", words[1], words[2]]);
    Ok(old)
}

pub(super) fn getdel(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let old = get(call, words)?;
    if call.remove(words[1]) {
        call.send_instead(&[b"DEL", words[1]]);
    }
    Ok(old)
}

pub(super) fn getex(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let (key, options) = (words[1], options(&words[2..], false)?);
    let Some(text) = call.text(key)? else { return Ok(Reply::Nil) };
    let reply = Reply::bulk(text.clone());
    match options.life {
        Life::Until(unit, time) => {
            let expires_ms = deadline(call, unit, time)?;
            super::expiry::expire_at(call, key, expires_ms);
        }
        Life::Lasting => {
            super::expiry::make_last(call, key);
            if call.changes > 0 {
                call.send_instead(&[b"PERSIST", key]);
            }
        }
        Life::Unsaid | Life::Kept => {}
    }
    Ok(reply)
}

pub(super) fn append(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let text = call.text_mut(words[1])?;
    text.extend_from_slice(words[2]);
    let length = text.len();
    call.changed(words[1]);
    Ok(Reply::count(length))
}

pub(super) fn strlen(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    Ok(Reply::count(call.text(words[1])?.map_or(0, Vec::len)))
}

pub(super) fn getrange(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let (start, stop) = (required(words[2])?, required(words[3])?);
    let Some(text) = call.text(words[1])? else { return Ok(Reply::bulk("")) };
    if start < 0 && stop < 0 && start > stop {
        return Ok(Reply::bulk(""));
    }
    // Unlike the end of a list, an end before the first byte is the first byte.
    let last = i64::try_from(text.len()).expect("a length that fits");
    let stop = if stop < 0 { stop.saturating_add(last).max(0) } else { stop };
    Ok(Reply::bulk(&text[ranks(start, stop, text.len())]))
}

pub(super) fn setrange(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let (key, offset, value) = (words[1], required(words[2])?, words[3]);
    let Ok(offset) = usize::try_from(offset) else { return Err(Failure::err("offset is out of range")) };
    if value.is_empty() {
        return strlen(call, words);
    }
    call.text(key)?;
    if offset + value.len() > 512 * 1024 * 1024 {
        return Err(Failure::err("string exceeds maximum allowed size (proto-max-bulk-len)"));
    }
    let text = call.text_mut(key)?;
    text.resize(text.len().max(offset + value.len()), 0);
    text[offset..offset + value.len()].copy_from_slice(value);
    let length = text.len();
    call.changed(key);
    Ok(Reply::count(length))
}

pub(super) fn mget(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let one = |key: &&[u8]| match call.value(key) {
        Some(Value::Text(text)) => Reply::bulk(text.clone()),
        _ => Reply::Nil,
    };
    Ok(Reply::Array(words[1..].iter().map(one).collect()))
}

pub(super) fn mset(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    if words.len().is_multiple_of(2) {
        return Err(Failure::arity("mset"));
    }
    for pair in words[1..].chunks_exact(2) {
        call.put(pair[0], Value::Text(pair[1].to_vec()));
    }
    Ok(Reply::ok())
}

pub(super) fn msetnx(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    if words.len().is_multiple_of(2) {
        return Err(Failure::arity("msetnx"));
    }
    if words[1..].iter().step_by(2).any(|key| call.exists(key)) {
        return Ok(Reply::Int(0));
    }
    for pair in words[1..].chunks_exact(2) {
        call.put(pair[0], Value::Text(pair[1].to_vec()));
    }
    Ok(Reply::Int(1))
}
