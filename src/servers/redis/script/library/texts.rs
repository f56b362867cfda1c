//! `string`: what does not search by patterns (lstrlib.c).

use super::super::super::integer;
use super::super::machine::Thrown;
use super::super::value::Lua;
use super::base::written;
use super::{Invocation, Results, Run, patterns, single};

pub(super) const FUNCTIONS: &[(&str, Run)] = &[
    ("byte", byte),
    ("char", char),
    ("find", patterns::find),
    ("format", format),
    ("gsub", patterns::gsub),
    ("len", len),
    ("lower", |call| single(Lua::text(&call.bytes(0)?.to_ascii_lowercase()))),
    ("match", patterns::matched),
    ("rep", rep),
    ("reverse", reverse),
    ("sub", sub),
    ("upper", |call| single(Lua::text(&call.bytes(0)?.to_ascii_uppercase()))),
];

fn len(call: &mut Invocation<'_, '_, '_>) -> Results {
    single(Lua::int(i64::try_from(call.bytes(0)?.len()).unwrap_or(i64::MAX)))
}

fn byte(call: &mut Invocation<'_, '_, '_>) -> Results {
    let (text, from) = (call.bytes(0)?, call.int_or(1, 1)?);
    let upto = call.int_or(2, from)?;
    let part = &text[range(from, upto, text.len())];
    Ok(part.iter().map(|byte| Lua::int(i64::from(*byte))).collect())
}

/// The bytes from one place to another, both included and counted from 1, or from the end if negative.
fn range(from: i64, upto: i64, length: usize) -> std::ops::Range<usize> {
    let from = if from > 0 { from - 1 } else { from };
    let from = if from < 0 { from.max(-i64::try_from(length).unwrap_or(i64::MAX)) } else { from };
    let upto = if upto > 0 { upto - 1 } else { upto };
    // Place 0 at the end is before the first byte.
    if upto == 0 && from >= 0 && length == 0 { 0..0 } else { integer::ranks(from, upto, length) }
}

fn sub(call: &mut Invocation<'_, '_, '_>) -> Results {
    let (text, from, upto) = (call.bytes(0)?, call.int_or(1, 1)?, call.int_or(2, -1)?);
    if upto == 0 {
        return single(Lua::text(b""));
    }
    single(Lua::text(&text[range(from, upto, text.len())]))
}

fn char(call: &mut Invocation<'_, '_, '_>) -> Results {
    let mut text = Vec::new();
    for place in 0..call.arguments.len() {
        text.push(u8::try_from(call.int(place)?).map_err(|_| call.wrong_argument(place, "invalid value"))?);
    }
    single(Lua::text(&text))
}

fn rep(call: &mut Invocation<'_, '_, '_>) -> Results {
    let (text, times) = (call.bytes(0)?, usize::try_from(call.int(1)?).unwrap_or(0));
    if text.len().saturating_mul(times) > 512 * 1024 * 1024 {
        return Err(call.error("not enough memory"));
    }
    single(Lua::text(&text.repeat(times)))
}

fn reverse(call: &mut Invocation<'_, '_, '_>) -> Results {
    let mut text = call.bytes(0)?.to_vec();
    text.reverse();
    single(Lua::text(&text))
}

fn format(call: &mut Invocation<'_, '_, '_>) -> Results {
    let (pattern, mut text, mut argument) = (call.bytes(0)?, Vec::new(), 0);
    let mut rest = pattern.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            text.push(byte);
            continue;
        }
        let mut directive = Vec::new();
        while let Some(byte) = rest.next_if(|byte| b"-+ #0123456789.".contains(byte)) {
            directive.push(byte);
        }
        let Some(kind) = rest.next() else { return Err(call.error("invalid option '%' to 'format'")) };
        if kind == b'%' {
            text.push(b'%');
            continue;
        }
        argument += 1;
        text.extend(directed(call, &directive, kind, argument)?);
    }
    single(Lua::text(&text))
}

/// One argument as its directive says.
fn directed(call: &Invocation<'_, '_, '_>, directive: &[u8], kind: u8, place: usize) -> Result<Vec<u8>, Thrown> {
    let directive = String::from_utf8_lossy(directive);
    let (flags_and_width, precision) =
        directive.split_once('.').map_or((&*directive, None), |(width, digits)| (width, Some(digits)));
    let width = flags_and_width.trim_start_matches(['-', '+', ' ', '#', '0']);
    let flags = &flags_and_width[..flags_and_width.len() - width.len()];
    let precision: Option<usize> = precision.map(|digits| digits.parse().unwrap_or(0));
    let plain: Vec<u8> = match kind {
        b'd' | b'i' => call.int(place)?.to_string().into_bytes(),
        b'u' => call.int(place)?.cast_unsigned().to_string().into_bytes(),
        b'x' => format!("{:x}", call.int(place)?).into_bytes(),
        b'X' => format!("{:X}", call.int(place)?).into_bytes(),
        b'c' => vec![u8::try_from(call.int(place)?).unwrap_or(b'?')],
        b'f' => call.number(place)?.fixed(precision.unwrap_or(6)).into_bytes(),
        b'g' => call.number(place)?.digits(precision.unwrap_or(6)).into_bytes(),
        b'q' => quoted(&call.bytes(place)?),
        b's' => {
            let text = written(call.any(place)?);
            if text.starts_with(b"table")
                || text.starts_with(b"function")
                || *call.get(place) == Lua::Nil
                || matches!(call.get(place), Lua::Bool(_))
            {
                call.bytes(place)?;
            }
            text[..text.len().min(precision.unwrap_or(usize::MAX))].to_vec()
        }
        other => return Err(call.error(format_args!("invalid option '%{}' to 'format'", char::from(other)))),
    };
    let signed = if flags.contains('+') && !plain.starts_with(b"-") && b"dif".contains(&kind) {
        [b"+", plain.as_slice()].concat()
    } else {
        plain
    };
    let missing = width.parse::<usize>().unwrap_or(0).min(99).saturating_sub(signed.len());
    Ok(match () {
        () if flags.contains('-') => [signed, vec![b' '; missing]].concat(),
        () if flags.contains('0') && kind != b's' => {
            let sign = usize::from(signed.starts_with(b"-") || signed.starts_with(b"+"));
            [&signed[..sign], &vec![b'0'; missing], &signed[sign..]].concat()
        }
        () => [vec![b' '; missing], signed].concat(),
    })
}

/// A text as a script would have to spell it.
fn quoted(text: &[u8]) -> Vec<u8> {
    let spelled = |byte: &u8| match byte {
        b'"' | b'\\' | b'\n' => vec![b'\\', *byte],
        b'\r' => b"\\r".to_vec(),
        0 => b"\\000".to_vec(),
        _ => vec![*byte],
    };
    [b"\"".to_vec(), text.iter().flat_map(spelled).collect(), b"\"".to_vec()].concat()
}
