//! Commands about single members of sorted sets (t_zset.c).

use super::call::Call;
use super::double::Double;
use super::integer::{positive, required};
use super::reply::{Answer, Failure, NOT_FLOAT, Reply, SYNTAX};
use super::value::SortedSet;

/// What may stand between the key and the first score of ZADD.
#[derive(Clone, Copy, Default, Debug)]
struct Options {
    only_new: bool,
    only_old: bool,
    only_greater: bool,
    only_less: bool,
    counts_changed: bool,
    adds_up: bool,
}

impl Options {
    /// Reads what is an option; the rest are scores and members.
    fn read<'a>(words: &'a [&'a [u8]]) -> (Options, &'a [&'a [u8]]) {
        let (mut options, mut rest) = (Options::default(), words);
        while let Some((word, after)) = rest.split_first() {
            match word.to_ascii_uppercase().as_slice() {
                b"NX" => options.only_new = true,
                b"XX" => options.only_old = true,
                b"GT" => options.only_greater = true,
                b"LT" => options.only_less = true,
                b"CH" => options.counts_changed = true,
                b"INCR" => options.adds_up = true,
                _ => break,
            }
            rest = after;
        }
        (options, rest)
    }

    fn contradiction(self, pairs: usize) -> Option<&'static str> {
        if self.only_new && self.only_old {
            return Some("XX and NX options at the same time are not compatible");
        }
        if self.only_new && (self.only_greater || self.only_less) || self.only_greater && self.only_less {
            return Some("GT, LT, and/or NX options at the same time are not compatible");
        }
        (self.adds_up && pairs > 1).then_some("INCR option supports a single increment-element pair")
    }
}

pub(super) fn zadd(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    add(call, words, false)
}

pub(super) fn zincrby(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    add(call, words, true)
}

fn add(call: &mut Call<'_>, words: &[&[u8]], adds_up: bool) -> Answer {
    let (key, (mut options, pairs)) = (words[1], Options::read(&words[2..]));
    options.adds_up |= adds_up;
    if pairs.is_empty() || pairs.len() % 2 == 1 {
        return Err(SYNTAX);
    }
    if let Some(contradiction) = options.contradiction(pairs.len() / 2) {
        return Err(Failure::err(contradiction));
    }
    let scores: Option<Vec<Double>> = pairs.iter().step_by(2).map(|score| Double::score(score)).collect();
    let scores = scores.ok_or(NOT_FLOAT)?;
    if call.sorted(key)?.is_none() && options.only_old {
        return Ok(if options.adds_up { Reply::Nil } else { Reply::Int(0) });
    }
    let set = call.sorted_mut(key)?;
    let (mut added, mut updated, mut last) = (0, 0, Ok(None));
    for (score, member) in scores.into_iter().zip(pairs.iter().skip(1).step_by(2)) {
        last = put(set, options, score, member);
        match &last {
            Ok(Some(Put { change: Change::Added, .. })) => added += 1,
            Ok(Some(Put { change: Change::Updated, .. })) => updated += 1,
            Ok(Some(Put { change: Change::Same, .. }) | None) => {}
            Err(_) => break,
        }
    }
    call.settle(key, added + updated > 0);
    match last? {
        Some(put) if options.adds_up => Ok(Reply::bulk(put.score.text())),
        None if options.adds_up => Ok(Reply::Nil),
        _ if options.counts_changed => Ok(Reply::Int(added + updated)),
        _ => Ok(Reply::Int(added)),
    }
}

/// What a member has come to.
#[derive(Clone, Copy, Debug)]
struct Put {
    score: Double,
    change: Change,
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Added,
    Updated,
    Same,
}

/// Gives one member its score, unless the options forbid it (t_zset.c, `zsetAdd`).
fn put(set: &mut SortedSet, options: Options, score: Double, member: &[u8]) -> Result<Option<Put>, Failure> {
    let Some(old) = set.score(member) else {
        if options.only_old {
            return Ok(None);
        }
        set.put(member, score);
        return Ok(Some(Put { score, change: Change::Added }));
    };
    if options.only_new {
        return Ok(None);
    }
    let score = if options.adds_up { old.plus(score) } else { score };
    if score.is_nan() {
        return Err(Failure::err("resulting score is not a number (NaN)"));
    }
    if options.only_less && score >= old || options.only_greater && score <= old {
        return Ok(None);
    }
    if score == old {
        return Ok(Some(Put { score, change: Change::Same }));
    }
    set.put(member, score);
    Ok(Some(Put { score, change: Change::Updated }))
}

pub(super) fn zrem(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    if call.sorted(words[1])?.is_none() {
        return Ok(Reply::Int(0));
    }
    let set = call.sorted_mut(words[1])?;
    let removed = words[2..].iter().filter(|member| set.remove(member).is_some()).count();
    call.settle(words[1], removed > 0);
    Ok(Reply::count(removed))
}

pub(super) fn zscore(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let score = call.sorted(words[1])?.and_then(|set| set.score(words[2]));
    Ok(score.map_or(Reply::Nil, |score| Reply::bulk(score.text())))
}

pub(super) fn zmscore(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let set = call.sorted(words[1])?;
    let score = |member: &&[u8]| set?.score(member);
    let reply = |member| score(member).map_or(Reply::Nil, |score| Reply::bulk(score.text()));
    Ok(Reply::Array(words[2..].iter().map(reply).collect()))
}

pub(super) fn zrank(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let rank = call.sorted(words[1])?.and_then(|set| set.rank(words[2]));
    Ok(rank.map_or(Reply::Nil, Reply::count))
}

pub(super) fn zrevrank(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let rank = call.sorted(words[1])?.and_then(|set| Some(set.len() - 1 - set.rank(words[2])?));
    Ok(rank.map_or(Reply::Nil, Reply::count))
}

pub(super) fn zcard(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    Ok(Reply::count(call.sorted(words[1])?.map_or(0, SortedSet::len)))
}

/// From which end members are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Least {
    First,
    Last,
}

pub(super) fn zpopmin(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    pop(call, words, Least::First)
}

pub(super) fn zpopmax(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    pop(call, words, Least::Last)
}

fn pop(call: &mut Call<'_>, words: &[&[u8]], which: Least) -> Answer {
    let count = match words[2..] {
        [] => 1,
        [count] => positive(count)?,
        _ => return Err(SYNTAX),
    };
    let taken = take(call, words[1], which, count)?;
    Ok(Reply::Array(
        taken.into_iter().flat_map(|(member, score)| [Reply::bulk(member), Reply::bulk(score.text())]).collect(),
    ))
}

/// Takes members away, and removes the key with the last of them.
fn take(call: &mut Call<'_>, key: &[u8], which: Least, count: usize) -> Result<Vec<(Vec<u8>, Double)>, Failure> {
    let Some(set) = call.sorted(key)? else { return Ok(Vec::new()) };
    let count = count.min(set.len());
    let mut taken = match which {
        Least::First => set.slice(0..count),
        Least::Last => set.slice(set.len() - count..set.len()),
    };
    if which == Least::Last {
        taken.reverse();
    }
    let set = call.sorted_mut(key)?;
    taken.iter().for_each(|(member, _)| _ = set.remove(member));
    call.settle(key, !taken.is_empty());
    Ok(taken)
}

pub(super) fn bzpopmin(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    pop_first(call, words, Least::First)
}

pub(super) fn bzpopmax(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    pop_first(call, words, Least::Last)
}

/// As in a transaction: it does not wait.
fn pop_first(call: &mut Call<'_>, words: &[&[u8]], which: Least) -> Answer {
    let (timeout, keys) = words[1..].split_last().expect("the table says so");
    super::lists::check_timeout(timeout)?;
    for key in keys {
        if let Some((member, score)) = take(call, key, which, 1)?.pop() {
            let name = if which == Least::First { b"ZPOPMIN" } else { b"ZPOPMAX" };
            call.send_instead(&[name, key]);
            return Ok(Reply::Array(vec![Reply::bulk(*key), Reply::bulk(member), Reply::bulk(score.text())]));
        }
    }
    Ok(Reply::Nil)
}

/// ZMPOP: of the first set that is not empty.
pub(super) fn zmpop(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let wrong = |name| Failure::err(format_args!("{name} should be greater than 0"));
    let numkeys = required(words[1]).ok().and_then(|count| usize::try_from(count).ok()).filter(|count| *count > 0);
    let numkeys = numkeys.ok_or_else(|| wrong("numkeys"))?;
    let (keys, rest) = words[2..].split_at_checked(numkeys).ok_or(SYNTAX)?;
    let (which, rest) = rest.split_first().ok_or(SYNTAX)?;
    let which = match which.to_ascii_uppercase().as_slice() {
        b"MIN" => Least::First,
        b"MAX" => Least::Last,
        _ => return Err(SYNTAX),
    };
    let count = match rest {
        [] => 1,
        [word, count] if word.eq_ignore_ascii_case(b"count") => {
            let count = required(count).ok().and_then(|count| usize::try_from(count).ok()).filter(|count| *count > 0);
            count.ok_or_else(|| wrong("count"))?
        }
        _ => return Err(SYNTAX),
    };
    for key in keys {
        let taken = take(call, key, which, count)?;
        if !taken.is_empty() {
            let name: &[u8] = if which == Least::First { b"ZPOPMIN" } else { b"ZPOPMAX" };
            call.send_instead(&[name, key, taken.len().to_string().as_bytes()]);
            let pair =
                |(member, score): (Vec<u8>, Double)| Reply::Array(vec![Reply::bulk(member), Reply::bulk(score.text())]);
            return Ok(Reply::Array(vec![Reply::bulk(*key), Reply::Array(taken.into_iter().map(pair).collect())]));
        }
    }
    Ok(Reply::Nil)
}
