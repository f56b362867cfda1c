//! `string.find`, `match` and `gsub`: what searches by patterns (lstrlib.c).

use super::super::machine::Thrown;
use super::super::value::{Key, Lua};
use super::{Invocation, Results, single};

/// How many captures a pattern may have, and how deep it may look ahead.
const CAPTURES_MAX: usize = 32;
const DEPTH_MAX: usize = 150;

/// A search in progress.
struct Search<'a> {
    text: &'a [u8],
    pattern: &'a [u8],
    captures: Vec<Capture>,
    depth: usize,
}

/// Where a capture begins, and how far it has come.
#[derive(Clone, Copy)]
struct Capture {
    from: usize,
    end: End,
}

#[derive(Clone, Copy)]
enum End {
    Open,
    /// `()`: only where it is.
    Position,
    At(usize),
}

/// What is wrong with a pattern.
type Fault = &'static str;

impl Search<'_> {
    /// Where a match that begins at `at` ends, with the pattern from `p` on.
    fn matched(&mut self, mut at: usize, mut p: usize) -> Result<Option<usize>, Fault> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("pattern too complex");
        }
        let result = loop {
            match self.pattern[p..] {
                [] => break Some(at),
                [b'(', b')', ..] => break self.capture(at, p + 2, End::Position)?,
                [b'(', ..] => break self.capture(at, p + 1, End::Open)?,
                [b')', ..] => break self.close(at, p + 1)?,
                [b'$'] => break (at == self.text.len()).then_some(at),
                [b'%', digit @ b'0'..=b'9', ..] => match self.back(at, digit)? {
                    Some(next) => {
                        (at, p) = (next, p + 2);
                        continue;
                    }
                    None => break None,
                },
                [b'%', b'b' | b'f', ..] => return Err("%b and %f are not modelled"),
                _ => {}
            }
            let item = self.class_end(p)?;
            let fits = self.text.get(at).is_some_and(|byte| self.fits(*byte, p, item));
            match self.pattern.get(item) {
                Some(b'?') => {
                    let longer = if fits { self.attempt(at + 1, item + 1)? } else { None };
                    match longer {
                        Some(end) => break Some(end),
                        None => p = item + 1,
                    }
                }
                Some(b'*') => break self.greedy(at, p, item, 0)?,
                Some(b'+') => break self.greedy(at, p, item, 1)?,
                Some(b'-') => break self.lazy(at, p, item)?,
                _ if fits => (at, p) = (at + 1, item),
                _ => break None,
            }
        };
        self.depth -= 1;
        Ok(result)
    }

    /// As `matched`; what was captured in vain is forgotten.
    fn attempt(&mut self, at: usize, p: usize) -> Result<Option<usize>, Fault> {
        let before = self.captures.clone();
        let result = self.matched(at, p)?;
        if result.is_none() {
            self.captures = before;
        }
        Ok(result)
    }

    fn greedy(&mut self, at: usize, p: usize, item: usize, least: usize) -> Result<Option<usize>, Fault> {
        let most = self.text[at..].iter().take_while(|byte| self.fits(**byte, p, item)).count();
        for count in (least..=most).rev() {
            if let Some(end) = self.attempt(at + count, item + 1)? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    fn lazy(&mut self, mut at: usize, p: usize, item: usize) -> Result<Option<usize>, Fault> {
        loop {
            if let Some(end) = self.attempt(at, item + 1)? {
                return Ok(Some(end));
            }
            if !self.text.get(at).is_some_and(|byte| self.fits(*byte, p, item)) {
                return Ok(None);
            }
            at += 1;
        }
    }

    fn capture(&mut self, at: usize, p: usize, end: End) -> Result<Option<usize>, Fault> {
        if self.captures.len() >= CAPTURES_MAX {
            return Err("too many captures");
        }
        self.captures.push(Capture { from: at, end });
        let result = self.matched(at, p)?;
        if result.is_none() {
            self.captures.pop();
        }
        Ok(result)
    }

    fn close(&mut self, at: usize, p: usize) -> Result<Option<usize>, Fault> {
        let open = self.captures.iter().rposition(|capture| matches!(capture.end, End::Open));
        let open = open.ok_or("invalid pattern capture")?;
        self.captures[open].end = End::At(at);
        let result = self.matched(at, p)?;
        if result.is_none() {
            self.captures[open].end = End::Open;
        }
        Ok(result)
    }

    /// What was captured must come again.
    fn back(&self, at: usize, digit: u8) -> Result<Option<usize>, Fault> {
        let capture = usize::from(digit).checked_sub(usize::from(b'1')).and_then(|place| self.captures.get(place));
        let Some(Capture { from, end: End::At(end) }) = capture else { return Err("invalid capture index") };
        let again = &self.text[*from..*end];
        Ok(self.text[at..].starts_with(again).then_some(at + again.len()))
    }

    /// Where the class that begins at `p` ends.
    fn class_end(&self, p: usize) -> Result<usize, Fault> {
        match self.pattern[p..] {
            [b'%'] => Err("malformed pattern (ends with '%')"),
            [b'%', ..] => Ok(p + 2),
            [b'[', ..] => {
                let mut end = p + 1 + usize::from(self.pattern.get(p + 1) == Some(&b'^'));
                // A bracket that comes first stands for itself.
                loop {
                    match self.pattern.get(end) {
                        None => return Err("malformed pattern (missing ']')"),
                        Some(b'%') => end += 2,
                        Some(_) => end += 1,
                    }
                    if self.pattern.get(end) == Some(&b']') {
                        return Ok(end + 1);
                    }
                }
            }
            _ => Ok(p + 1),
        }
    }

    fn fits(&self, byte: u8, p: usize, end: usize) -> bool {
        match self.pattern[p..end] {
            [b'.'] => true,
            [b'%', class] => is_of(byte, class),
            [b'[', ..] => in_set(byte, &self.pattern[p + 1..end - 1]),
            [plain] => plain == byte,
            _ => false,
        }
    }

    fn captured(&self) -> Result<Vec<Lua>, Fault> {
        let one = |capture: &Capture| match capture.end {
            End::At(end) => Ok(Lua::text(&self.text[capture.from..end])),
            End::Position => Ok(place(capture.from + 1)),
            End::Open => Err("unfinished capture"),
        };
        self.captures.iter().map(one).collect()
    }
}

fn place(place: usize) -> Lua {
    Lua::int(i64::try_from(place).unwrap_or(i64::MAX))
}

fn in_set(byte: u8, set: &[u8]) -> bool {
    let (is_negated, mut rest) = set.strip_prefix(b"^").map_or((false, set), |rest| (true, rest));
    let mut is_in = false;
    while !rest.is_empty() {
        rest = match rest {
            [b'%', class, after @ ..] => {
                is_in |= is_of(byte, *class);
                after
            }
            [low, b'-', high, after @ ..] => {
                is_in |= (*low..=*high).contains(&byte);
                after
            }
            [plain, after @ ..] => {
                is_in |= *plain == byte;
                after
            }
            [] => break,
        };
    }
    is_in != is_negated
}

/// Whether a byte is of a class; a capital letter is for those that are not, anything else for itself.
fn is_of(byte: u8, class: u8) -> bool {
    let is_member = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => byte.is_ascii_whitespace() || byte == 0x0b,
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return class == byte,
    };
    is_member != class.is_ascii_uppercase()
}

/// The first match from a place on: where it begins and ends, and what it captured.
fn first(text: &[u8], pattern: &[u8], start: usize) -> Result<Option<(usize, usize, Vec<Lua>)>, Fault> {
    let (is_anchored, pattern) = pattern.strip_prefix(b"^").map_or((false, pattern), |pattern| (true, pattern));
    let last = if is_anchored { start } else { text.len() };
    for from in start..=last {
        let mut search = Search { text, pattern, captures: Vec::new(), depth: 0 };
        if let Some(upto) = search.matched(from, 0)? {
            return Ok(Some((from, upto, search.captured()?)));
        }
    }
    Ok(None)
}

/// What was captured, or the whole match.
fn or_whole(captures: Vec<Lua>, whole: &[u8]) -> Vec<Lua> {
    if captures.is_empty() { vec![Lua::text(whole)] } else { captures }
}

/// Where to begin, from an argument that may count from the end.
fn start(call: &Invocation<'_, '_, '_>, length: usize) -> Result<usize, Thrown> {
    let (start, length) = (call.int_or(2, 1)?, i64::try_from(length).unwrap_or(i64::MAX));
    let start = if start < 0 { length.saturating_add(start).max(0) } else { (start - 1).clamp(0, length) };
    Ok(usize::try_from(start).expect("not negative"))
}

pub(super) fn find(call: &mut Invocation<'_, '_, '_>) -> Results {
    let (text, sought) = (call.bytes(0)?, call.bytes(1)?);
    let start = start(call, text.len())?;
    let is_pattern = sought.iter().any(|byte| b"^$*+?.([%-".contains(byte));
    if is_pattern && !call.get(3).is_true() {
        let Some((from, upto, captures)) = first(&text, &sought, start).map_err(|fault| call.error(fault))? else {
            return single(Lua::Nil);
        };
        return Ok([vec![place(from + 1), place(upto)], captures].concat());
    }
    let found = (start..=text.len()).find(|place| text[*place..].starts_with(&sought));
    Ok(found.map_or(vec![Lua::Nil], |found| vec![place(found + 1), place(found + sought.len())]))
}

pub(super) fn matched(call: &mut Invocation<'_, '_, '_>) -> Results {
    let (text, pattern) = (call.bytes(0)?, call.bytes(1)?);
    let found = first(&text, &pattern, start(call, text.len())?).map_err(|fault| call.error(fault))?;
    Ok(found.map_or(vec![Lua::Nil], |(from, upto, captures)| or_whole(captures, &text[from..upto])))
}

pub(super) fn gsub(call: &mut Invocation<'_, '_, '_>) -> Results {
    let (text, pattern) = (call.bytes(0)?, call.bytes(1)?);
    let most = usize::try_from(call.int_or(3, i64::MAX)?).unwrap_or(0);
    if !matches!(call.get(2), Lua::Text(_) | Lua::Number(_) | Lua::Table(_) | Lua::Closure(_) | Lua::Native(_)) {
        return Err(call.wrong_argument(2, "string/function/table expected"));
    }
    let (mut result, mut at, mut count) = (Vec::new(), 0, 0);
    while count < most {
        let Some((from, upto, captures)) = first(&text, &pattern, at).map_err(|fault| call.error(fault))? else {
            break;
        };
        result.extend_from_slice(&text[at..from]);
        count += 1;
        result.extend(replacement(call, &text[from..upto], or_whole(captures, &text[from..upto]))?);
        at = upto;
        if upto == from {
            // An empty match stands before the next byte.
            result.extend(text.get(at));
            at += 1;
        }
        if at > text.len() || pattern.starts_with(b"^") {
            break;
        }
    }
    result.extend_from_slice(text.get(at..).unwrap_or_default());
    Ok(vec![Lua::text(&result), place(count)])
}

/// What stands in the place of one match; the match itself if it is nil or false.
fn replacement(call: &mut Invocation<'_, '_, '_>, whole: &[u8], captures: Vec<Lua>) -> Result<Vec<u8>, Thrown> {
    let value = match call.get(2).clone() {
        Lua::Table(table) => match Key::of(&captures[0]) {
            Some(key) => call.machine.table(table).get(&key),
            None => Lua::Nil,
        },
        function @ (Lua::Closure(_) | Lua::Native(_)) => {
            let found = call.machine.invoke(&function, captures, 0, None)?;
            found.into_iter().next().unwrap_or(Lua::Nil)
        }
        text => return filled(call, &text.bytes().unwrap_or_default(), whole, &captures),
    };
    match value.bytes() {
        Some(bytes) => Ok(bytes.to_vec()),
        None if !value.is_true() => Ok(whole.to_vec()),
        None => Err(call.error(format_args!("invalid replacement value (a {})", value.kind()))),
    }
}

/// A text in which `%1` stands for a capture and `%0` for the match.
fn filled(call: &Invocation<'_, '_, '_>, text: &[u8], whole: &[u8], captures: &[Lua]) -> Result<Vec<u8>, Thrown> {
    let (mut result, mut rest) = (Vec::new(), text.iter());
    while let Some(byte) = rest.next() {
        match (byte, (*byte == b'%').then(|| rest.next()).flatten()) {
            (b'%', Some(b'0')) => result.extend_from_slice(whole),
            (b'%', Some(digit @ b'1'..=b'9')) => {
                let capture = captures.get(usize::from(digit - b'1')).and_then(Lua::bytes);
                result.extend_from_slice(&capture.ok_or_else(|| call.error("invalid capture index"))?);
            }
            (b'%', other) => result.extend(other),
            _ => result.push(*byte),
        }
    }
    Ok(result)
}
