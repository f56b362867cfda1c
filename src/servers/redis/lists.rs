//! Commands about lists (t_list.c). Those that block do not wait: they answer as in a transaction.

use super::call::Call;
use super::double::Double;
use super::integer::{positive, ranks, required};
use super::reply::{Answer, Bytes, Failure, INDEX_RANGE, NO_KEY, Reply, SYNTAX};
use super::value::{End, List};

pub(super) fn lpush(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    push(call, words, End::Head, false)
}

pub(super) fn rpush(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    push(call, words, End::Tail, false)
}

pub(super) fn lpushx(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    push(call, words, End::Head, true)
}

pub(super) fn rpushx(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    push(call, words, End::Tail, true)
}

fn push(call: &mut Call<'_>, words: &[&[u8]], end: End, only_if_there: bool) -> Answer {
    if call.list(words[1])?.is_none() && only_if_there {
        return Ok(Reply::Int(0));
    }
    let list = call.list_mut(words[1])?;
    words[2..].iter().for_each(|element| list.push(end, element.to_vec()));
    let length = list.len();
    call.settle(words[1], true);
    Ok(Reply::count(length))
}

pub(super) fn lpop(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    pop(call, words, End::Head)
}

pub(super) fn rpop(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    pop(call, words, End::Tail)
}

fn pop(call: &mut Call<'_>, words: &[&[u8]], end: End) -> Answer {
    let count = match words[2..] {
        [] => None,
        [count] => Some(positive(count)?),
        _ => return Err(Failure::arity(call.name)),
    };
    if call.list(words[1])?.is_none() {
        return Ok(Reply::Nil);
    }
    let taken = take(call, words[1], end, count.unwrap_or(1))?;
    match count {
        None => Ok(taken.into_iter().next().map_or(Reply::Nil, Reply::Bulk)),
        Some(_) => Ok(Reply::Array(taken.into_iter().map(Reply::Bulk).collect())),
    }
}

/// Takes elements away, and removes the key with the last of them.
fn take(call: &mut Call<'_>, key: &[u8], end: End, count: usize) -> Result<Vec<Bytes>, Failure> {
    if call.list(key)?.is_none() {
        return Ok(Vec::new());
    }
    let list = call.list_mut(key)?;
    let taken: Vec<Bytes> = (0..count.min(list.len())).map_while(|_| list.pop(end)).collect();
    call.settle(key, !taken.is_empty());
    Ok(taken)
}

pub(super) fn blpop(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    pop_first(call, words, End::Head)
}

pub(super) fn brpop(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    pop_first(call, words, End::Tail)
}

fn pop_first(call: &mut Call<'_>, words: &[&[u8]], end: End) -> Answer {
    let (timeout, keys) = words[1..].split_last().expect("the table says so");
    check_timeout(timeout)?;
    for key in keys {
        if let Some(element) = take(call, key, end, 1)?.pop() {
            let name = if end == End::Head { b"LPOP" } else { b"RPOP" };
            call.send_instead(&[name, key]);
            return Ok(Reply::Array(vec![Reply::bulk(*key), Reply::Bulk(element)]));
        }
    }
    Ok(Reply::Nil)
}

/// How long a command would wait, in seconds (timeout.c, `getTimeoutFromObjectOrReply`).
pub(super) fn check_timeout(text: &[u8]) -> Result<(), Failure> {
    let timeout = Double::score(text).ok_or_else(|| Failure::err("timeout is not a float or out of range"))?;
    if timeout > Double::from_int(i64::MAX / 1000) {
        return Err(Failure::err("timeout is out of range"));
    }
    if timeout < Double::ZERO {
        return Err(Failure::err("timeout is negative"));
    }
    Ok(())
}

pub(super) fn llen(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    Ok(Reply::count(call.list(words[1])?.map_or(0, List::len)))
}

pub(super) fn lrange(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let (start, stop) = (required(words[2])?, required(words[3])?);
    let found = call.list(words[1])?.map(|list| list.slice(ranks(start, stop, list.len()))).unwrap_or_default();
    Ok(Reply::Array(found.into_iter().map(Reply::Bulk).collect()))
}

/// The place of an index that may count from the tail.
fn place(index: i64, length: usize) -> Option<usize> {
    let from_head = if index < 0 { index.checked_add(i64::try_from(length).ok()?)? } else { index };
    usize::try_from(from_head).ok().filter(|place| *place < length)
}

pub(super) fn lindex(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let Some(list) = call.list(words[1])? else { return Ok(Reply::Nil) };
    let found = place(required(words[2])?, list.len()).and_then(|place| list.get(place));
    Ok(Reply::maybe(found.map(Vec::as_slice)))
}

pub(super) fn lset(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let length = call.list(words[1])?.ok_or(NO_KEY)?.len();
    let place = place(required(words[2])?, length).ok_or(INDEX_RANGE)?;
    call.list_mut(words[1])?.set(place, words[3].to_vec());
    call.changed(words[1]);
    Ok(Reply::ok())
}

/// Removes so many equal elements: from the head, or from the tail if the count is negative, or all.
pub(super) fn lrem(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let count = required(words[2])?;
    let Some(list) = call.list(words[1])? else { return Ok(Reply::Int(0)) };
    let all = list.slice(0..list.len());
    let mut equal: Vec<usize> = (0..all.len()).filter(|place| all[*place] == words[3]).collect();
    if count < 0 {
        equal.reverse();
    }
    if count != 0 {
        equal.truncate(usize::try_from(count.unsigned_abs()).expect("64 bits"));
    }
    equal.sort_unstable();
    let list = call.list_mut(words[1])?;
    equal.iter().rev().for_each(|place| list.remove(*place));
    call.settle(words[1], !equal.is_empty());
    Ok(Reply::count(equal.len()))
}

pub(super) fn ltrim(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let (start, stop) = (required(words[2])?, required(words[3])?);
    let Some(length) = call.list(words[1])?.map(List::len) else { return Ok(Reply::ok()) };
    let kept = ranks(start, stop, length);
    take(call, words[1], End::Tail, length - kept.end)?;
    take(call, words[1], End::Head, kept.start.min(kept.end))?;
    call.changed(words[1]);
    Ok(Reply::ok())
}

pub(super) fn linsert(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let after = match words[2].to_ascii_lowercase().as_slice() {
        b"after" => 1,
        b"before" => 0,
        _ => return Err(SYNTAX),
    };
    let Some(list) = call.list(words[1])? else { return Ok(Reply::Int(0)) };
    let all = list.slice(0..list.len());
    let Some(pivot) = all.iter().position(|element| element == words[3]) else { return Ok(Reply::Int(-1)) };
    call.list_mut(words[1])?.insert(pivot + after, words[4].to_vec());
    call.changed(words[1]);
    Ok(Reply::count(all.len() + 1))
}

pub(super) fn rpoplpush(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    carry(call, words[1], words[2], End::Tail, End::Head)
}

pub(super) fn lmove(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let end = |word: &[u8]| match word.to_ascii_lowercase().as_slice() {
        b"left" => Ok(End::Head),
        b"right" => Ok(End::Tail),
        _ => Err(SYNTAX),
    };
    carry(call, words[1], words[2], end(words[3])?, end(words[4])?)
}

fn carry(call: &mut Call<'_>, from: &[u8], to: &[u8], out: End, into: End) -> Answer {
    if call.list(from)?.is_none() {
        return Ok(Reply::Nil);
    }
    call.list(to)?;
    let Some(element) = take(call, from, out, 1)?.pop() else { return Ok(Reply::Nil) };
    call.list_mut(to)?.push(into, element.clone());
    call.changed(to);
    Ok(Reply::Bulk(element))
}

pub(super) fn brpoplpush(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    check_timeout(words[3])?;
    let reply = carry(call, words[1], words[2], End::Tail, End::Head)?;
    call.send_instead(&[b"RPOPLPUSH", words[1], words[2]]);
    Ok(reply)
}

pub(super) fn blmove(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    check_timeout(words[5])?;
    let reply = lmove(call, words)?;
    call.send_instead(&[b"LMOVE", words[1], words[2], words[3], words[4]]);
    Ok(reply)
}

/// The place of an element; with COUNT, of so many of them, and of all for 0.
pub(super) fn lpos(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let (mut rank, mut count, mut most) = (1, None, 0);
    let mut rest = &words[3..];
    while let [name, value, after @ ..] = rest {
        match name.to_ascii_uppercase().as_slice() {
            b"RANK" => rank = required(value)?,
            b"COUNT" => {
                count = Some(
                    required(value)
                        .ok()
                        .and_then(|count| usize::try_from(count).ok())
                        .ok_or_else(|| Failure::err("COUNT can't be negative"))?,
                )
            }
            b"MAXLEN" => {
                most = required(value)
                    .ok()
                    .and_then(|most| usize::try_from(most).ok())
                    .ok_or_else(|| Failure::err("MAXLEN can't be negative"))?
            }
            _ => return Err(SYNTAX),
        }
        if rank == 0 {
            return Err(Failure::err(
                "RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from \
                 the end of the list",
            ));
        }
        rest = after;
    }
    if !rest.is_empty() {
        return Err(SYNTAX);
    }
    let all = call.list(words[1])?.map(|list| list.slice(0..list.len())).unwrap_or_default();
    let mut places: Vec<usize> = (0..all.len()).collect();
    if rank < 0 {
        places.reverse();
    }
    if most > 0 {
        places.truncate(most);
    }
    let skipped = usize::try_from(rank.unsigned_abs() - 1).unwrap_or(usize::MAX);
    let mut found = places.into_iter().filter(|place| all[*place] == words[2]).skip(skipped);
    match count {
        None => Ok(found.next().map_or(Reply::Nil, Reply::count)),
        Some(count) => {
            Ok(Reply::Array(found.take(if count == 0 { usize::MAX } else { count }).map(Reply::count).collect()))
        }
    }
}
