//! Commands about ranges of a sorted set: by rank, by score and by bytes (t_zset.c).

use super::call::Call;
use super::double::Double;
use super::integer::{ranks, required};
use super::reply::{Answer, Bytes, Failure, Reply, SYNTAX};
use super::value::{SortedSet, Value};
use std::ops::Range;

/// An end of a range, and whether it belongs to it.
#[derive(Clone, PartialEq, Debug)]
struct Bound<T> {
    at: T,
    is_included: bool,
}

/// What a range is about.
#[derive(Clone, PartialEq, Debug)]
enum Span {
    Ranks(i64, i64),
    Scores(Bound<Double>, Bound<Double>),
    Bytes(Edge, Edge),
}

/// An end of a range by bytes.
#[derive(Clone, PartialEq, Debug)]
enum Edge {
    /// `-`, before everything
    Least,
    /// `+`, after everything
    Greatest,
    At(Bound<Bytes>),
}

/// How the ends of a range are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum By {
    Rank,
    Score,
    Bytes,
}

impl Span {
    fn read(by: By, least: &[u8], greatest: &[u8]) -> Result<Span, Failure> {
        match by {
            By::Rank => Ok(Span::Ranks(required(least)?, required(greatest)?)),
            By::Score => match (score(least), score(greatest)) {
                (Some(least), Some(greatest)) => Ok(Span::Scores(least, greatest)),
                _ => Err(Failure::err("min or max is not a float")),
            },
            By::Bytes => match (edge(least), edge(greatest)) {
                (Some(least), Some(greatest)) => Ok(Span::Bytes(least, greatest)),
                _ => Err(Failure::err("min or max not valid string range item")),
            },
        }
    }

    /// The ranks of what is in the range, counted from the least.
    fn ranks(&self, set: &SortedSet, is_reverse: bool) -> Range<usize> {
        let range = match self {
            Span::Ranks(start, stop) => {
                let range = ranks(*start, *stop, set.len());
                if is_reverse && !range.is_empty() { set.len() - range.end..set.len() - range.start } else { range }
            }
            Span::Scores(least, greatest) => {
                let from = set.count_while(|score, _| score < least.at || !least.is_included && score == least.at);
                let upto =
                    set.count_while(|score, _| score < greatest.at || greatest.is_included && score == greatest.at);
                from..upto
            }
            Span::Bytes(least, greatest) => by_bytes(set, least, greatest, is_reverse),
        };
        range.start..range.end.max(range.start)
    }
}

/// Where members lie between two edges. Where their scores differ, the order is not that of bytes, and the real server walks: from the
/// first member that one edge lets in, as long as the other does (t_zset.c, `zzlFirstInLexRange` and its kind).
fn by_bytes(set: &SortedSet, least: &Edge, greatest: &Edge, is_reverse: bool) -> Range<usize> {
    let is_low = |member: &[u8]| is_before(member, least);
    let is_high = |member: &[u8]| is_before_edge(greatest, member);
    let ends = (set.slice(0..1).pop(), set.slice(set.len().saturating_sub(1)..set.len()).pop());
    let (Some((first, low)), Some((last, high))) = ends else { return 0..0 };
    if is_low(&last) || is_high(&first) || least.is_beyond(greatest) {
        return 0..0;
    }
    if low == high {
        return set.count_while(|_, member| is_low(member))..set.count_while(|_, member| !is_high(member));
    }
    let all = set.slice(0..set.len());
    if is_reverse {
        let upto = all.iter().rposition(|(member, _)| !is_high(member)).map_or(0, |place| place + 1);
        let length = all[..upto].iter().rev().take_while(|(member, _)| !is_low(member)).count();
        return upto - length..upto;
    }
    let from = all.iter().position(|(member, _)| !is_low(member)).unwrap_or(all.len());
    let length = all[from..].iter().take_while(|(member, _)| !is_high(member)).count();
    from..from + length
}

impl Edge {
    /// Whether nothing can lie between this lower edge and that upper one.
    fn is_beyond(&self, upper: &Edge) -> bool {
        match (self, upper) {
            (Edge::Greatest, _) | (_, Edge::Least) => self != &Edge::Least && upper != &Edge::Greatest,
            (Edge::At(low), Edge::At(high)) => {
                low.at > high.at || low.at == high.at && !(low.is_included && high.is_included)
            }
            (Edge::Least, _) | (_, Edge::Greatest) => false,
        }
    }
}

fn score(text: &[u8]) -> Option<Bound<Double>> {
    match text.strip_prefix(b"(") {
        Some(open) => Double::bound(open).map(|at| Bound { at, is_included: false }),
        None => Double::bound(text).map(|at| Bound { at, is_included: true }),
    }
}

fn edge(text: &[u8]) -> Option<Edge> {
    match text {
        b"-" => Some(Edge::Least),
        b"+" => Some(Edge::Greatest),
        [b'(', at @ ..] => Some(Edge::At(Bound { at: at.to_vec(), is_included: false })),
        [b'[', at @ ..] => Some(Edge::At(Bound { at: at.to_vec(), is_included: true })),
        _ => None,
    }
}

/// Whether a member stands before what a lower edge lets in.
fn is_before(member: &[u8], edge: &Edge) -> bool {
    match edge {
        Edge::Least => false,
        Edge::Greatest => true,
        Edge::At(bound) => member < bound.at.as_slice() || !bound.is_included && member == bound.at,
    }
}

/// Whether an upper edge stands before a member, so that it is not let in.
fn is_before_edge(edge: &Edge, member: &[u8]) -> bool {
    match edge {
        Edge::Least => true,
        Edge::Greatest => false,
        Edge::At(bound) => member > bound.at.as_slice() || !bound.is_included && member == bound.at,
    }
}

/// What a command of the ZRANGE family asks for.
#[derive(Clone, Debug)]
struct Query {
    span: Span,
    is_reverse: bool,
    has_scores: bool,
    offset: i64,
    /// Negative for all.
    limit: i64,
}

/// Reads what follows the key (t_zset.c, `zrangeGenericCommand`). What a command's name already says cannot be said again.
fn query(words: &[&[u8]], said: (Option<By>, Option<bool>), is_stored: bool) -> Result<Query, Failure> {
    let (mut by, mut reverse) = said;
    let (mut has_scores, mut offset, mut limit) = (false, 0, -1);
    let mut rest = &words[2..];
    while let Some((word, after)) = rest.split_first() {
        rest = after;
        match (word.to_ascii_uppercase().as_slice(), after) {
            (b"WITHSCORES", _) if !is_stored => has_scores = true,
            (b"LIMIT", [first, second, after @ ..]) => {
                (offset, limit, rest) = (required(first)?, required(second)?, after);
            }
            (b"REV", _) if reverse.is_none() => reverse = Some(true),
            (b"BYLEX", _) if by.is_none() => by = Some(By::Bytes),
            (b"BYSCORE", _) if by.is_none() => by = Some(By::Score),
            _ => return Err(SYNTAX),
        }
    }
    let (by, is_reverse) = (by.unwrap_or(By::Rank), reverse.unwrap_or(false));
    if limit != -1 && by == By::Rank {
        return Err(Failure::err("syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"));
    }
    if has_scores && by == By::Bytes {
        return Err(Failure::err("syntax error, WITHSCORES not supported in combination with BYLEX"));
    }
    let (least, greatest) = if is_reverse && by != By::Rank { (words[1], words[0]) } else { (words[0], words[1]) };
    Ok(Query { span: Span::read(by, least, greatest)?, is_reverse, has_scores, offset, limit })
}

impl Query {
    /// What is found, in the order in which it was asked for.
    fn run(&self, set: &SortedSet) -> Vec<(Bytes, Double)> {
        let mut range = self.span.ranks(set, self.is_reverse);
        if !matches!(self.span, Span::Ranks(..)) {
            let Ok(offset) = usize::try_from(self.offset) else { return Vec::new() };
            let skipped = offset.min(range.len());
            let count = usize::try_from(self.limit).unwrap_or(usize::MAX).min(range.len() - skipped);
            range = match self.is_reverse {
                true => range.end - skipped - count..range.end - skipped,
                false => range.start + skipped..range.start + skipped + count,
            };
        }
        let mut found = set.slice(range);
        if self.is_reverse {
            found.reverse();
        }
        found
    }

    fn reply(&self, found: Vec<(Bytes, Double)>) -> Reply {
        let one = |(member, score): (Bytes, Double)| {
            let score = self.has_scores.then(|| Reply::bulk(score.text()));
            std::iter::once(Reply::bulk(member)).chain(score)
        };
        Reply::Array(found.into_iter().flat_map(one).collect())
    }
}

pub(super) fn zrange(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    range(call, words, (None, None))
}

pub(super) fn zrevrange(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    range(call, words, (Some(By::Rank), Some(true)))
}

pub(super) fn zrangebyscore(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    range(call, words, (Some(By::Score), Some(false)))
}

pub(super) fn zrevrangebyscore(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    range(call, words, (Some(By::Score), Some(true)))
}

pub(super) fn zrangebylex(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    range(call, words, (Some(By::Bytes), Some(false)))
}

pub(super) fn zrevrangebylex(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    range(call, words, (Some(By::Bytes), Some(true)))
}

fn range(call: &mut Call<'_>, words: &[&[u8]], said: (Option<By>, Option<bool>)) -> Answer {
    let query = query(&words[2..], said, false)?;
    let found = call.sorted(words[1])?.map(|set| query.run(set)).unwrap_or_default();
    Ok(query.reply(found))
}

pub(super) fn zrangestore(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let (to, from) = (words[1], words[2]);
    let query = query(&words[3..], (None, None), true)?;
    let found = call.sorted(from)?.map(|set| query.run(set)).unwrap_or_default();
    let count = found.len();
    let mut set = SortedSet::default();
    found.into_iter().for_each(|(member, score)| _ = set.put(&member, score));
    if count == 0 {
        call.remove(to);
    } else {
        call.put(to, Value::Sorted(set));
    }
    Ok(Reply::count(count))
}

pub(super) fn zcount(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    count(call, words, By::Score)
}

pub(super) fn zlexcount(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    count(call, words, By::Bytes)
}

fn count(call: &mut Call<'_>, words: &[&[u8]], by: By) -> Answer {
    let span = Span::read(by, words[2], words[3])?;
    Ok(Reply::count(call.sorted(words[1])?.map_or(0, |set| span.ranks(set, false).len())))
}

pub(super) fn zremrangebyrank(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    remove(call, words, By::Rank)
}

pub(super) fn zremrangebyscore(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    remove(call, words, By::Score)
}

pub(super) fn zremrangebylex(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    remove(call, words, By::Bytes)
}

fn remove(call: &mut Call<'_>, words: &[&[u8]], by: By) -> Answer {
    let span = Span::read(by, words[2], words[3])?;
    let Some(set) = call.sorted(words[1])? else { return Ok(Reply::Int(0)) };
    let found = set.slice(span.ranks(set, false));
    let set = call.sorted_mut(words[1])?;
    found.iter().for_each(|(member, _)| _ = set.remove(member));
    call.settle(words[1], !found.is_empty());
    Ok(Reply::count(found.len()))
}
