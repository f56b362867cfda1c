//! Commands about keys whatever they hold, and about the connection and the server (db.c, server.c).

use super::call::Call;
use super::glob;
use super::integer::{required, strict};
use super::reply::{Answer, DB_RANGE, Failure, NO_KEY, Reply, SYNTAX};
use super::{DATABASES, Redis};

pub(super) fn del(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    Ok(Reply::count(words[1..].iter().filter(|key| call.remove(key)).count()))
}

pub(super) fn exists(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    Ok(Reply::count(words[1..].iter().filter(|key| call.exists(key)).count()))
}

pub(super) fn kind(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let kind = call.value(words[1]).map_or("none", |value| value.kind());
    Ok(Reply::Status(kind.to_owned()))
}

pub(super) fn keys(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let now_ms = call.now_ms;
    let all = call.database().all();
    let found = all.filter(|(key, entry)| !entry.is_expired(now_ms) && glob::matches(words[1], key));
    Ok(Reply::Array(found.map(|(key, _)| Reply::bulk(key.clone())).collect()))
}

/// All keys at once: a cursor that has come to its end is 0.
pub(super) fn scan(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let text = std::str::from_utf8(words[1]).unwrap_or_default();
    text.parse::<u64>().map_err(|_| Failure::err("invalid cursor"))?;
    let (mut pattern, mut wanted) = (b"*".as_slice(), None);
    let mut rest = &words[2..];
    while let [name, value, after @ ..] = rest {
        match name.to_ascii_uppercase().as_slice() {
            b"MATCH" => pattern = value,
            b"COUNT" if required(value)? < 1 => return Err(SYNTAX),
            b"COUNT" => {}
            b"TYPE" => wanted = Some(value.to_ascii_lowercase()),
            _ => return Err(SYNTAX),
        }
        rest = after;
    }
    if !rest.is_empty() {
        return Err(SYNTAX);
    }
    let now_ms = call.now_ms;
    let all = call.database().all().filter(|(key, entry)| {
        let is_wanted = wanted.as_ref().is_none_or(|wanted| wanted == entry.value.kind().as_bytes());
        is_wanted && !entry.is_expired(now_ms) && glob::matches(pattern, key)
    });
    let found = all.map(|(key, _)| Reply::bulk(key.clone())).collect();
    Ok(Reply::Array(vec![Reply::bulk("0"), Reply::Array(found)]))
}

/// The first key by bytes: what a model without dice takes for a random one.
pub(super) fn randomkey(call: &mut Call<'_>, _: &[&[u8]]) -> Answer {
    let now_ms = call.now_ms;
    let first = call.database().all().find(|(_, entry)| !entry.is_expired(now_ms));
    Ok(first.map_or(Reply::Nil, |(key, _)| Reply::bulk(key.clone())))
}

/// Counts keys that have expired and are not yet removed, too.
pub(super) fn dbsize(call: &mut Call<'_>, _: &[&[u8]]) -> Answer {
    Ok(Reply::count(call.database().len()))
}

pub(super) fn rename(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    rename_to(call, words, false).map(|_| Reply::ok())
}

pub(super) fn renamenx(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    rename_to(call, words, true).map(Reply::flag)
}

/// Whether the key has a new name.
fn rename_to(call: &mut Call<'_>, words: &[&[u8]], only_if_free: bool) -> Result<bool, Failure> {
    let (from, to) = (words[1], words[2]);
    let Some(entry) = call.entry(from).cloned() else { return Err(NO_KEY) };
    if from == to {
        return Ok(!only_if_free);
    }
    if only_if_free && call.exists(to) {
        return Ok(false);
    }
    call.remove(from);
    call.put(to, entry.value);
    call.database_mut().expire(to, entry.expires_ms);
    Ok(true)
}

pub(super) fn copy(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let (from, to) = (words[1], words[2]);
    let (mut db, mut replaces, mut rest) = (call.db(), false, &words[3..]);
    while let Some((word, after)) = rest.split_first() {
        rest = after;
        if word.eq_ignore_ascii_case(b"replace") {
            replaces = true;
        } else if word.eq_ignore_ascii_case(b"db") && !rest.is_empty() {
            db = database_number(rest[0])?;
            rest = &rest[1..];
        } else {
            return Err(SYNTAX);
        }
    }
    if db == call.db() && from == to {
        return Err(Failure::err("source and destination objects are the same"));
    }
    let Some(entry) = call.entry(from).cloned() else { return Ok(Reply::Int(0)) };
    let is_done = within(call, db, |call| {
        if call.exists(to) && !replaces {
            return false;
        }
        call.put(to, entry.value.clone());
        call.database_mut().expire(to, entry.expires_ms);
        true
    });
    Ok(Reply::flag(is_done))
}

/// MOVE: to another database.
pub(super) fn shift(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let (key, db) = (words[1], database_number(words[2])?);
    if db == call.db() {
        return Err(Failure::err("source and destination objects are the same"));
    }
    let Some(entry) = call.entry(key).cloned() else { return Ok(Reply::Int(0)) };
    let is_done = within(call, db, |call| {
        if call.exists(key) {
            return false;
        }
        call.put(key, entry.value.clone());
        call.database_mut().expire(key, entry.expires_ms);
        true
    });
    if is_done {
        call.remove(key);
    }
    Ok(Reply::flag(is_done))
}

/// Does something with another database selected.
fn within<T>(call: &mut Call<'_>, db: usize, task: impl FnOnce(&mut Call<'_>) -> T) -> T {
    let home = std::mem::replace(&mut call.server.clients.entry(call.client).or_default().db, db);
    let result = task(call);
    call.server.clients.entry(call.client).or_default().db = home;
    result
}

fn database_number(text: &[u8]) -> Result<usize, Failure> {
    let number = required(text)?;
    if i32::try_from(number).is_err() {
        return Err(Failure::err("value is out of range, value must between -2147483648 and 2147483647"));
    }
    usize::try_from(number).ok().filter(|db| *db < DATABASES).ok_or(DB_RANGE)
}

pub(super) fn select(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let db = database_number(words[1])?;
    call.server.clients.entry(call.client).or_default().db = db;
    Ok(Reply::ok())
}

pub(super) fn swapdb(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let number = |text: &[u8], which: &str| {
        let number = strict(text).filter(|number| i32::try_from(*number).is_ok());
        number.ok_or_else(|| Failure::err(format_args!("invalid {which} DB index")))
    };
    let (one, other) = (number(words[1], "first")?, number(words[2], "second")?);
    let place = |number| usize::try_from(number).ok().filter(|db| *db < DATABASES).ok_or(DB_RANGE);
    let (one, other) = (place(one)?, place(other)?);
    call.server.databases.swap(one, other);
    for db in [one, other] {
        let watched = call.server.watchers.range((db, Vec::new())..(db + 1, Vec::new()));
        let keys: Vec<Vec<u8>> = watched.map(|((_, key), _)| key.clone()).collect();
        let is_there =
            |server: &Redis, key: &[u8]| [one, other].iter().any(|db| server.databases[*db].get(key).is_some());
        for key in keys.iter().filter(|key| is_there(call.server, key)).collect::<Vec<_>>() {
            call.server.touch(db, key);
        }
    }
    call.changes += 1;
    Ok(Reply::ok())
}

pub(super) fn flushall(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    flush(call, words, 0..DATABASES)
}

pub(super) fn flushdb(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let db = call.db();
    flush(call, words, db..db + 1)
}

fn flush(call: &mut Call<'_>, words: &[&[u8]], databases: std::ops::Range<usize>) -> Answer {
    let is_known = match words[1..] {
        [] => true,
        [word] => word.eq_ignore_ascii_case(b"sync") || word.eq_ignore_ascii_case(b"async"),
        _ => false,
    };
    if !is_known {
        return Err(SYNTAX);
    }
    for db in databases {
        let old = std::mem::take(&mut call.server.databases[db]);
        let watched = call.server.watchers.range((db, Vec::new())..(db + 1, Vec::new()));
        let keys: Vec<Vec<u8>> = watched.map(|((_, key), _)| key.clone()).collect();
        for key in keys.iter().filter(|key| old.get(key).is_some()) {
            call.server.touch(db, key);
        }
    }
    call.changes += 1;
    Ok(Reply::ok())
}

pub(super) fn ping(_: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    match words[1..] {
        [] => Ok(Reply::Status("PONG".to_owned())),
        [word] => Ok(Reply::bulk(word)),
        _ => Err(Failure::arity("ping")),
    }
}

pub(super) fn echo(_: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    Ok(Reply::bulk(words[1]))
}

/// Seconds, and the microseconds since.
pub(super) fn time(call: &mut Call<'_>, _: &[&[u8]]) -> Answer {
    let part = |number: i64| Reply::bulk(number.to_string());
    Ok(Reply::Array(vec![part(call.now_ms.div_euclid(1000)), part(call.now_ms.rem_euclid(1000) * 1000)]))
}
