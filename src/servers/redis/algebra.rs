//! Unions, intersections and differences of sets and sorted sets (t_zset.c, `zunionInterDiffGenericCommand`; t_set.c).

use super::call::Call;
use super::double::Double;
use super::integer::required;
use super::reply::{Answer, Bytes, Failure, Reply, SYNTAX, WRONG_TYPE};
use super::value::{Set, SortedSet, Value};
use std::collections::BTreeMap;

/// How several sets become one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Union,
    Intersection,
    Difference,
}

/// How several scores of a member become one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Aggregate {
    Sum,
    Least,
    Greatest,
}

impl Aggregate {
    fn of(self, one: Double, other: Double) -> Double {
        match self {
            // Infinities that cancel each other out come to nothing.
            Aggregate::Sum => Some(one.plus(other)).filter(|sum| !sum.is_nan()).unwrap_or(Double::ZERO),
            Aggregate::Least => one.min(other),
            Aggregate::Greatest => one.max(other),
        }
    }
}

type Scores = BTreeMap<Bytes, Double>;

pub(super) fn zunion(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    sorted(call, words, Kind::Union, None)
}

pub(super) fn zinter(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    sorted(call, words, Kind::Intersection, None)
}

pub(super) fn zdiff(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    sorted(call, words, Kind::Difference, None)
}

pub(super) fn zunionstore(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    sorted(call, &words[1..], Kind::Union, Some(words[1]))
}

pub(super) fn zinterstore(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    sorted(call, &words[1..], Kind::Intersection, Some(words[1]))
}

pub(super) fn zdiffstore(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    sorted(call, &words[1..], Kind::Difference, Some(words[1]))
}

fn sorted(call: &mut Call<'_>, words: &[&[u8]], kind: Kind, to: Option<&[u8]>) -> Answer {
    let (keys, rest) = keys(call.name, &words[1..])?;
    let mut sources = Vec::new();
    for key in keys {
        sources.push(scores(call, key)?);
    }
    let (mut weights, mut aggregate, mut has_scores) = (vec![Double::from_int(1); keys.len()], Aggregate::Sum, false);
    let mut rest = rest;
    while let Some((word, after)) = rest.split_first() {
        rest = after;
        match word.to_ascii_uppercase().as_slice() {
            b"WEIGHTS" if kind != Kind::Difference && after.len() >= keys.len() => {
                for (weight, text) in weights.iter_mut().zip(after) {
                    *weight = Double::score(text).ok_or_else(|| Failure::err("weight value is not a float"))?;
                }
                rest = &after[keys.len()..];
            }
            b"AGGREGATE" if kind != Kind::Difference && !after.is_empty() => {
                aggregate = match after[0].to_ascii_uppercase().as_slice() {
                    b"SUM" => Aggregate::Sum,
                    b"MIN" => Aggregate::Least,
                    b"MAX" => Aggregate::Greatest,
                    _ => return Err(SYNTAX),
                };
                rest = &after[1..];
            }
            b"WITHSCORES" if to.is_none() => has_scores = true,
            _ => return Err(SYNTAX),
        }
    }
    let result = combined(sources, &weights, kind, aggregate);
    let mut set = SortedSet::default();
    result.iter().for_each(|(member, score)| _ = set.put(member, *score));
    let Some(to) = to else {
        let one = |(member, score): (Bytes, Double)| {
            std::iter::once(Reply::bulk(member)).chain(has_scores.then(|| Reply::bulk(score.text())))
        };
        return Ok(Reply::Array(set.slice(0..set.len()).into_iter().flat_map(one).collect()));
    };
    let count = set.len();
    if count == 0 {
        call.remove(to);
    } else {
        call.put(to, Value::Sorted(set));
    }
    Ok(Reply::count(count))
}

/// Keys, and what follows them.
type Split<'a> = (&'a [&'a [u8]], &'a [&'a [u8]]);

/// The keys after their number, and what follows them.
fn keys<'a>(name: &str, words: &'a [&'a [u8]]) -> Result<Split<'a>, Failure> {
    let count = required(words[0])?;
    if count < 1 {
        return Err(Failure::err(format_args!("at least 1 input key is needed for '{name}' command")));
    }
    let count = usize::try_from(count).expect("not negative");
    words[1..].split_at_checked(count).ok_or(SYNTAX)
}

/// Members of a sorted set, or of a set, where each counts 1.
fn scores(call: &mut Call<'_>, key: &[u8]) -> Result<Scores, Failure> {
    match call.value(key) {
        None => Ok(Scores::new()),
        Some(Value::Sorted(set)) => Ok(set.slice(0..set.len()).into_iter().collect()),
        Some(Value::Set(set)) => Ok(set.all().into_iter().map(|member| (member, Double::from_int(1))).collect()),
        Some(_) => Err(WRONG_TYPE),
    }
}

fn combined(sources: Vec<Scores>, weights: &[Double], kind: Kind, aggregate: Aggregate) -> Scores {
    let weighted = |score: Double, weight: Double| {
        Some(score.times(weight)).filter(|score| !score.is_nan()).unwrap_or(Double::ZERO)
    };
    let mut sources = sources.into_iter().zip(weights);
    let Some((first, weight)) = sources.next() else { return Scores::new() };
    let mut result: Scores = first.into_iter().map(|(member, score)| (member, weighted(score, *weight))).collect();
    for (source, weight) in sources {
        match kind {
            Kind::Union => {
                for (member, score) in source {
                    let score = weighted(score, *weight);
                    result.entry(member).and_modify(|old| *old = aggregate.of(*old, score)).or_insert(score);
                }
            }
            Kind::Intersection => {
                result.retain(|member, old| {
                    let found = source.get(member).map(|score| weighted(*score, *weight));
                    *old = found.map_or(*old, |score| aggregate.of(*old, score));
                    found.is_some()
                });
            }
            Kind::Difference => result.retain(|member, _| !source.contains_key(member)),
        }
    }
    result
}

pub(super) fn zintercard(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let mut sources = Vec::new();
    let (keys, rest) = keys(call.name, &words[1..])?;
    for key in keys {
        sources.push(scores(call, key)?);
    }
    let limit = limit(rest)?;
    let weights = vec![Double::from_int(1); keys.len()];
    let count = combined(sources, &weights, Kind::Intersection, Aggregate::Sum).len();
    Ok(Reply::count(count.min(limit)))
}

pub(super) fn sintercard(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let (keys, rest) = counted_keys(&words[1..])?;
    let limit = limit(rest)?;
    let count = plain(call, keys, Kind::Intersection)?.len();
    Ok(Reply::count(count.min(limit)))
}

fn counted_keys<'a>(words: &'a [&'a [u8]]) -> Result<Split<'a>, Failure> {
    let count = required(words[0]).ok().and_then(|count| usize::try_from(count).ok()).filter(|count| *count > 0);
    let count = count.ok_or_else(|| Failure::err("numkeys should be greater than 0"))?;
    let too_many = || Failure::err("Number of keys can't be greater than number of args");
    words[1..].split_at_checked(count).ok_or_else(too_many)
}

/// How much is counted; 0 is everything.
fn limit(words: &[&[u8]]) -> Result<usize, Failure> {
    match words {
        [] => Ok(usize::MAX),
        [word, limit] if word.eq_ignore_ascii_case(b"limit") => {
            let negative = || Failure::err("LIMIT can't be negative");
            let limit = required(limit).ok().and_then(|limit| usize::try_from(limit).ok()).ok_or_else(negative)?;
            Ok(if limit == 0 { usize::MAX } else { limit })
        }
        _ => Err(SYNTAX),
    }
}

pub(super) fn sinter(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    listed(call, words, Kind::Intersection)
}

pub(super) fn sunion(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    listed(call, words, Kind::Union)
}

pub(super) fn sdiff(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    listed(call, words, Kind::Difference)
}

fn listed(call: &mut Call<'_>, words: &[&[u8]], kind: Kind) -> Answer {
    Ok(Reply::Array(plain(call, &words[1..], kind)?.all().into_iter().map(Reply::Bulk).collect()))
}

pub(super) fn sinterstore(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    stored(call, words, Kind::Intersection)
}

pub(super) fn sunionstore(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    stored(call, words, Kind::Union)
}

pub(super) fn sdiffstore(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    stored(call, words, Kind::Difference)
}

fn stored(call: &mut Call<'_>, words: &[&[u8]], kind: Kind) -> Answer {
    let set = plain(call, &words[2..], kind)?;
    let count = set.len();
    if count == 0 {
        call.remove(words[1]);
    } else {
        call.put(words[1], Value::Set(set));
    }
    Ok(Reply::count(count))
}

fn plain(call: &mut Call<'_>, keys: &[&[u8]], kind: Kind) -> Result<Set, Failure> {
    let mut sources = Vec::new();
    for key in keys {
        sources.push(
            call.set(key)?.map(Set::all).unwrap_or_default().into_iter().map(|member| (member, Double::ZERO)).collect(),
        );
    }
    let weights = vec![Double::from_int(1); keys.len()];
    let mut set = Set::default();
    combined(sources, &weights, kind, Aggregate::Sum).keys().for_each(|member| _ = set.put(member));
    Ok(set)
}
