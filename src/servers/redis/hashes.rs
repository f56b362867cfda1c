//! Commands about hashes (t_hash.c).

use super::call::Call;
use super::counters::add_float;
use super::extended::Extended;
use super::integer::{required, strict};
use super::reply::{Answer, Bytes, Failure, OVERFLOW, Reply};
use super::value::Hash;

pub(super) fn hset(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    put(call, words).map(Reply::count)
}

pub(super) fn hmset(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    put(call, words).map(|_| Reply::ok())
}

/// How many fields are new.
fn put(call: &mut Call<'_>, words: &[&[u8]]) -> Result<usize, Failure> {
    if words.len() % 2 == 1 {
        return Err(Failure::arity(call.name));
    }
    let hash = call.hash_mut(words[1])?;
    let added = words[2..].chunks_exact(2).filter(|pair| hash.put(pair[0], pair[1].to_vec())).count();
    call.changed(words[1]);
    Ok(added)
}

pub(super) fn hsetnx(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    if call.hash(words[1])?.is_some_and(|hash| hash.get(words[2]).is_some()) {
        return Ok(Reply::Int(0));
    }
    call.hash_mut(words[1])?.put(words[2], words[3].to_vec());
    call.changed(words[1]);
    Ok(Reply::Int(1))
}

pub(super) fn hget(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    Ok(Reply::maybe(call.hash(words[1])?.and_then(|hash| hash.get(words[2])).map(Vec::as_slice)))
}

pub(super) fn hmget(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let hash = call.hash(words[1])?;
    let value = |field: &&[u8]| hash?.get(field).map(Vec::as_slice);
    Ok(Reply::Array(words[2..].iter().map(|field| Reply::maybe(value(field))).collect()))
}

pub(super) fn hgetall(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    list(call, words[1], |field, value| vec![field, value])
}

pub(super) fn hkeys(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    list(call, words[1], |field, _| vec![field])
}

pub(super) fn hvals(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    list(call, words[1], |_, value| vec![value])
}

fn list<'a>(call: &'a mut Call<'_>, key: &[u8], part: impl Fn(&'a Bytes, &'a Bytes) -> Vec<&'a Bytes>) -> Answer {
    let all = call.hash(key)?.map(Hash::all).unwrap_or_default();
    let parts = all.into_iter().flat_map(|(field, value)| part(field, value));
    Ok(Reply::Array(parts.map(|part| Reply::bulk(part.clone())).collect()))
}

pub(super) fn hdel(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    if call.hash(words[1])?.is_none() {
        return Ok(Reply::Int(0));
    }
    let hash = call.hash_mut(words[1])?;
    let removed = words[2..].iter().filter(|field| hash.remove(field)).count();
    call.settle(words[1], removed > 0);
    Ok(Reply::count(removed))
}

pub(super) fn hexists(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    Ok(Reply::flag(call.hash(words[1])?.is_some_and(|hash| hash.get(words[2]).is_some())))
}

pub(super) fn hlen(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    Ok(Reply::count(call.hash(words[1])?.map_or(0, Hash::len)))
}

pub(super) fn hstrlen(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    Ok(Reply::count(call.hash(words[1])?.and_then(|hash| hash.get(words[2])).map_or(0, Vec::len)))
}

pub(super) fn hincrby(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let (key, field, by) = (words[1], words[2], required(words[3])?);
    let old = match call.hash(key)?.and_then(|hash| hash.get(field)) {
        Some(text) => strict(text).ok_or_else(|| Failure::err("hash value is not an integer"))?,
        None => 0,
    };
    let sum = old.checked_add(by).ok_or(OVERFLOW)?;
    call.hash_mut(key)?.put(field, sum.to_string().into_bytes());
    call.changed(key);
    Ok(Reply::Int(sum))
}

pub(super) fn hincrbyfloat(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let (key, field) = (words[1], words[2]);
    // Whether the sum can be made is asked before the hash is looked at.
    add_float(Extended::read(b"0").expect("a number"), words[3])?;
    let old = call.hash(key)?.and_then(|hash| hash.get(field)).cloned().unwrap_or_else(|| b"0".to_vec());
    let old = Extended::read(&old).ok_or_else(|| Failure::err("hash value is not a float"))?;
    let sum = add_float(old, words[3])?;
    call.hash_mut(key)?.put(field, sum.clone());
    call.changed(key);
    call.send_instead(&[b"HSET", key, field, &sum]);
    Ok(Reply::Bulk(sum))
}
