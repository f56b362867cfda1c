//! Commands about sets (t_set.c).

use super::call::Call;
use super::integer::{positive, required};
use super::reply::{Answer, Failure, Reply, SYNTAX};
use super::value::Set;

pub(super) fn sadd(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let set = call.set_mut(words[1])?;
    let added = words[2..].iter().filter(|member| set.put(member)).count();
    call.settle(words[1], added > 0);
    Ok(Reply::count(added))
}

pub(super) fn srem(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    if call.set(words[1])?.is_none() {
        return Ok(Reply::Int(0));
    }
    let set = call.set_mut(words[1])?;
    let removed = words[2..].iter().filter(|member| set.remove(member)).count();
    call.settle(words[1], removed > 0);
    Ok(Reply::count(removed))
}

pub(super) fn scard(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    Ok(Reply::count(call.set(words[1])?.map_or(0, Set::len)))
}

pub(super) fn sismember(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    Ok(Reply::flag(call.set(words[1])?.is_some_and(|set| set.contains(words[2]))))
}

pub(super) fn smismember(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let set = call.set(words[1])?;
    let one = |member: &&[u8]| Reply::flag(set.is_some_and(|set| set.contains(member)));
    Ok(Reply::Array(words[2..].iter().map(one).collect()))
}

pub(super) fn smembers(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let members = call.set(words[1])?.map(Set::all).unwrap_or_default();
    Ok(Reply::Array(members.into_iter().map(Reply::Bulk).collect()))
}

pub(super) fn spop(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let count = match words[2..] {
        [] => None,
        [count] => Some(positive(count)?),
        _ => return Err(SYNTAX),
    };
    if call.set(words[1])?.is_none() {
        return Ok(count.map_or(Reply::Nil, |_| Reply::Array(Vec::new())));
    }
    let set = call.set_mut(words[1])?;
    let mut taken = Vec::new();
    while taken.len() < count.unwrap_or(1)
        && let Some(member) = set.any()
    {
        set.remove(&member);
        taken.push(member);
    }
    call.settle(words[1], !taken.is_empty());
    let removal: Vec<&[u8]> =
        [b"SREM".as_slice(), words[1]].into_iter().chain(taken.iter().map(Vec::as_slice)).collect();
    call.send_instead(&removal);
    match count {
        None => Ok(taken.pop().map_or(Reply::Nil, Reply::Bulk)),
        Some(_) => Ok(Reply::Array(taken.into_iter().map(Reply::Bulk).collect())),
    }
}

/// A negative count lets members come again.
pub(super) fn srandmember(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let count = match words[2..] {
        [] => None,
        [count] => Some(required(count)?),
        _ => return Err(SYNTAX),
    };
    let members = call.set(words[1])?.map(Set::all).unwrap_or_default();
    let Some(count) = count else { return Ok(Reply::maybe(members.first().map(Vec::as_slice))) };
    if count < -(i64::MAX / 2) {
        return Err(Failure::err("value is out of range"));
    }
    let wanted = usize::try_from(count.unsigned_abs()).expect("64 bits");
    let chosen: Vec<Reply> = match count < 0 {
        true => members.iter().cycle().take(wanted).map(|member| Reply::bulk(member.clone())).collect(),
        false => members.iter().take(wanted).map(|member| Reply::bulk(member.clone())).collect(),
    };
    Ok(Reply::Array(chosen))
}

pub(super) fn smove(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let (from, to, member) = (words[1], words[2], words[3]);
    let is_there = match call.set(from)? {
        None => return Ok(Reply::Int(0)),
        Some(set) => set.contains(member),
    };
    call.set(to)?;
    if from == to || !is_there {
        return Ok(Reply::flag(is_there));
    }
    call.set_mut(from)?.remove(member);
    call.settle(from, true);
    let is_new = call.set_mut(to)?.put(member);
    call.settle(to, is_new);
    Ok(Reply::Int(1))
}
