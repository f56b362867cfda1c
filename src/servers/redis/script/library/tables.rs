//! `table` (ltablib.c).

use super::super::machine::Thrown;
use super::super::value::{Key, Lua};
use super::{Invocation, Results, Run, single};
use std::cmp::Ordering;

pub(super) const FUNCTIONS: &[(&str, Run)] =
    &[("concat", concat), ("getn", getn), ("insert", insert), ("maxn", getn), ("remove", remove), ("sort", sort)];

fn getn(call: &mut Invocation<'_, '_, '_>) -> Results {
    single(Lua::int(length(call)?))
}

fn length(call: &Invocation<'_, '_, '_>) -> Result<i64, Thrown> {
    Ok(i64::try_from(call.machine.table(call.table(0)?).len()).unwrap_or(i64::MAX))
}

fn at(call: &Invocation<'_, '_, '_>, index: i64) -> Result<Lua, Thrown> {
    Ok(call.machine.table(call.table(0)?).get(&Key::of(&Lua::int(index)).expect("a number")))
}

fn concat(call: &mut Invocation<'_, '_, '_>) -> Results {
    call.table(0)?;
    let separator = if *call.get(1) == Lua::Nil { std::sync::Arc::from(b"".as_slice()) } else { call.bytes(1)? };
    let (from, upto) = (call.int_or(2, 1)?, call.int_or(3, length(call)?)?);
    let mut text = Vec::new();
    for index in from..=upto {
        let value = at(call, index)?;
        let Some(part) = value.bytes() else {
            let kind = value.kind();
            return Err(call.error(format_args!("invalid value ({kind}) at index {index} in table for 'concat'")));
        };
        text.extend_from_slice(&part);
        if index < upto {
            text.extend_from_slice(&separator);
        }
    }
    single(Lua::text(&text))
}

fn insert(call: &mut Invocation<'_, '_, '_>) -> Results {
    let (table, end) = (call.table(0)?, length(call)? + 1);
    let (at, value) = match call.arguments.len() {
        2 => (end, call.get(1).clone()),
        3 => (call.int(1)?, call.get(2).clone()),
        _ => return Err(call.error("wrong number of arguments to 'insert'")),
    };
    let place = usize::try_from(at - 1).unwrap_or(usize::MAX);
    let list = call.machine.table_mut(table).list_mut();
    if place < list.len() && value != Lua::Nil {
        list.insert(place, value);
    } else {
        call.machine.table_mut(table).set(Key::of(&Lua::int(at)).expect("a number"), value);
    }
    Ok(Vec::new())
}

fn remove(call: &mut Invocation<'_, '_, '_>) -> Results {
    let (table, end) = (call.table(0)?, length(call)?);
    let at = call.int_or(1, end)?;
    if !(1..=end).contains(&at) {
        return Ok(Vec::new());
    }
    let list = call.machine.table_mut(table).list_mut();
    let value = list.remove(usize::try_from(at - 1).expect("within the list"));
    while list.last() == Some(&Lua::Nil) {
        list.pop();
    }
    single(value)
}

/// Sorts by merging, so that an order that contradicts itself does no harm.
fn sort(call: &mut Invocation<'_, '_, '_>) -> Results {
    let table = call.table(0)?;
    let list = std::mem::take(call.machine.table_mut(table).list_mut());
    let sorted = merged(call, list)?;
    *call.machine.table_mut(table).list_mut() = sorted;
    Ok(Vec::new())
}

fn merged(call: &mut Invocation<'_, '_, '_>, mut list: Vec<Lua>) -> Result<Vec<Lua>, Thrown> {
    if list.len() < 2 {
        return Ok(list);
    }
    let second = list.split_off(list.len() / 2);
    let (first, second) = (merged(call, list)?, merged(call, second)?);
    let (mut whole, mut first, mut second) = (Vec::new(), first.into_iter().peekable(), second.into_iter().peekable());
    while let (Some(one), Some(other)) = (first.peek(), second.peek()) {
        let from = if is_less(call, other, one)? { &mut second } else { &mut first };
        whole.extend(from.next());
    }
    Ok(whole.into_iter().chain(first).chain(second).collect())
}

fn is_less(call: &mut Invocation<'_, '_, '_>, one: &Lua, other: &Lua) -> Result<bool, Thrown> {
    match call.get(1).clone() {
        Lua::Nil => match call.machine.order(one, other, 0) {
            Ok(order) => Ok(order == Some(Ordering::Less)),
            Err(thrown) => Err(Thrown { line: call.line, ..thrown }),
        },
        function => {
            let found = call.machine.invoke(&function, vec![one.clone(), other.clone()], call.line, None)?;
            Ok(found.first().is_some_and(Lua::is_true))
        }
    }
}
