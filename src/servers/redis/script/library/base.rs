//! The functions without a table: `type`, `pairs`, `pcall` and their like (lbaselib.c).

use super::super::super::double::Double;
use super::super::machine::{Machine, Thrown};
use super::super::value::{Key, Lua};
use super::{Invocation, Results, Run, single};

pub(super) const FUNCTIONS: &[(&str, Run)] = &[
    ("assert", assert),
    ("error", error),
    ("ipairs", ipairs),
    ("next", next),
    ("pairs", pairs),
    ("pcall", pcall),
    ("rawequal", rawequal),
    ("rawget", rawget),
    ("rawset", rawset),
    ("select", select),
    ("tonumber", tonumber),
    ("tostring", tostring),
    ("type", kind),
    ("unpack", unpack),
    ("xpcall", xpcall),
    // What `ipairs` gives a loop; it has no name.
    ("", step),
];

fn assert(call: &mut Invocation<'_, '_, '_>) -> Results {
    if call.any(0)?.is_true() {
        return Ok(std::mem::take(&mut call.arguments));
    }
    match call.arguments.get(1) {
        None => Err(call.error("assertion failed!")),
        Some(message) => match message.bytes() {
            Some(message) => Err(call.error(String::from_utf8_lossy(&message))),
            None => Err(call.wrong_kind(1, "string")),
        },
    }
}

fn error(call: &mut Invocation<'_, '_, '_>) -> Results {
    let level = call.int_or(1, 1)?;
    match call.get(0) {
        value @ (Lua::Text(_) | Lua::Number(_)) if level > 0 => {
            Err(call.error(String::from_utf8_lossy(&value.bytes().unwrap_or_default())))
        }
        value => Err(Thrown { value: value.clone(), line: call.line }),
    }
}

fn ipairs(call: &mut Invocation<'_, '_, '_>) -> Results {
    let table = Lua::Table(call.table(0)?);
    Ok(vec![Lua::Native(FUNCTIONS.len() - 1), table, Lua::int(0)])
}

fn step(call: &mut Invocation<'_, '_, '_>) -> Results {
    let index = call.int(1)? + 1;
    let value = call.machine.table(call.table(0)?).at(usize::try_from(index).unwrap_or(0));
    if value == Lua::Nil { Ok(Vec::new()) } else { Ok(vec![Lua::int(index), value]) }
}

fn pairs(call: &mut Invocation<'_, '_, '_>) -> Results {
    let table = Lua::Table(call.table(0)?);
    let next = FUNCTIONS.iter().position(|(name, _)| *name == "next").expect("it is there");
    Ok(vec![Lua::Native(next), table, Lua::Nil])
}

fn next(call: &mut Invocation<'_, '_, '_>) -> Results {
    let found = call.machine.table(call.table(0)?).next(Key::of(call.get(1)).as_ref());
    Ok(found.map_or(vec![Lua::Nil], |(key, value)| vec![key, value]))
}

/// Of an error of the server its text is left, as Redis has it (script_lua.c, `luaRedisPcall`).
fn pcall(call: &mut Invocation<'_, '_, '_>) -> Results {
    call.any(0)?;
    let mut arguments = std::mem::take(&mut call.arguments).into_iter();
    let function = arguments.next().expect("it has been asked for");
    match call.machine.invoke(&function, arguments.collect(), 0, None) {
        Ok(values) => Ok([vec![Lua::Bool(true)], values].concat()),
        Err(Thrown { value: Lua::Table(table), .. }) => {
            let error = call.machine.table(table).field("err");
            Ok(vec![Lua::Bool(false), if error == Lua::Nil { Lua::Table(table) } else { error }])
        }
        Err(thrown) => Ok(vec![Lua::Bool(false), thrown.value]),
    }
}

fn xpcall(call: &mut Invocation<'_, '_, '_>) -> Results {
    let (function, handler) = (call.get(0).clone(), call.get(1).clone());
    match call.machine.invoke(&function, Vec::new(), 0, None) {
        Ok(values) => Ok([vec![Lua::Bool(true)], values].concat()),
        Err(thrown) => {
            let values = call.machine.invoke(&handler, vec![thrown.value], call.line, None)?;
            Ok([vec![Lua::Bool(false)], values].concat())
        }
    }
}

fn rawequal(call: &mut Invocation<'_, '_, '_>) -> Results {
    single(Lua::Bool(call.any(0)? == call.any(1)?))
}

fn rawget(call: &mut Invocation<'_, '_, '_>) -> Results {
    let table = call.table(0)?;
    single(Key::of(call.any(1)?).map_or(Lua::Nil, |key| call.machine.table(table).get(&key)))
}

fn rawset(call: &mut Invocation<'_, '_, '_>) -> Results {
    let (table, value) = (call.table(0)?, call.get(2).clone());
    if call.machine.table(table).is_fixed {
        return Err(Thrown { value: Lua::text(b"Attempt to modify a readonly table"), line: call.line });
    }
    let key = Key::of(call.any(1)?).ok_or_else(|| call.error("table index is nil"))?;
    call.machine.table_mut(table).set(key, value);
    single(Lua::Table(table))
}

fn select(call: &mut Invocation<'_, '_, '_>) -> Results {
    let count = i64::try_from(call.arguments.len()).unwrap_or(i64::MAX) - 1;
    if matches!(call.get(0), Lua::Text(text) if text.starts_with(b"#")) {
        return single(Lua::int(count));
    }
    let index = call.int(0)?;
    let from = if index < 0 { count + index + 1 } else { index };
    match usize::try_from(from) {
        Ok(from @ 1..) => Ok(call.arguments.get(from..).unwrap_or_default().to_vec()),
        _ => Err(call.wrong_argument(0, "index out of range")),
    }
}

fn tonumber(call: &mut Invocation<'_, '_, '_>) -> Results {
    let base = call.int_or(1, 10)?;
    if base == 10 {
        return single(call.any(0)?.number().map_or(Lua::Nil, Lua::Number));
    }
    let text = call.bytes(0)?;
    let Some(radix) = u32::try_from(base).ok().filter(|base| (2..=36).contains(base)) else {
        return Err(call.wrong_argument(1, "base out of range"));
    };
    let text = String::from_utf8_lossy(&text);
    single(i64::from_str_radix(text.trim(), radix).map_or(Lua::Nil, Lua::int))
}

fn tostring(call: &mut Invocation<'_, '_, '_>) -> Results {
    let text = written(call.any(0)?);
    single(Lua::text(&text))
}

/// As `tostring` writes it. Addresses are small numbers, the same in each run.
pub(in super::super) fn written(value: &Lua) -> Vec<u8> {
    match value {
        Lua::Nil => b"nil".to_vec(),
        Lua::Bool(is_true) => is_true.to_string().into_bytes(),
        Lua::Number(_) | Lua::Text(_) => value.bytes().expect("a text").to_vec(),
        Lua::Table(address) => format!("table: {address:#x}").into_bytes(),
        Lua::Closure(address) => format!("function: {address:#x}").into_bytes(),
        Lua::Native(address) => format!("function: builtin: {address:#x}").into_bytes(),
    }
}

fn kind(call: &mut Invocation<'_, '_, '_>) -> Results {
    single(Lua::text(call.any(0)?.kind().as_bytes()))
}

fn unpack(call: &mut Invocation<'_, '_, '_>) -> Results {
    let table = call.table(0)?;
    let length = i64::try_from(call.machine.table(table).len()).unwrap_or(i64::MAX);
    let (from, upto) = (call.int_or(1, 1)?, call.int_or(2, length)?);
    if upto.saturating_sub(from) >= 8000 {
        return Err(call.error("too many results to unpack"));
    }
    let at = |index: i64| element(call.machine, table, index);
    Ok((from..=upto).map(at).collect())
}

fn element(machine: &Machine<'_, '_>, table: usize, index: i64) -> Lua {
    machine.table(table).get(&Key::Number(Double::from_int(index)))
}
