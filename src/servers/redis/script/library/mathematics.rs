//! `math`: what is the same on every machine (lmathlib.c).

use super::super::super::double::Double;
use super::super::value::{Lua, Table};
use super::{Invocation, Results, Run, single};
use std::cmp::Ordering;

pub(super) const FUNCTIONS: &[(&str, Run)] = &[
    ("abs", |call| one(call, |number| if number < Double::ZERO { number.negated() } else { number })),
    ("ceil", |call| one(call, Double::ceiling)),
    ("floor", |call| one(call, Double::floor)),
    ("fmod", fmod),
    ("max", |call| most(call, Ordering::Greater)),
    ("min", |call| most(call, Ordering::Less)),
    ("pow", pow),
    ("sqrt", |call| one(call, Double::root)),
];

pub(super) fn constants(table: &mut Table) {
    table.set_field("huge", Lua::Number(Double::INFINITE));
    table.set_field("pi", Lua::Number(Double::PI));
}

fn one(call: &mut Invocation<'_, '_, '_>, of: fn(Double) -> Double) -> Results {
    single(Lua::Number(of(call.number(0)?)))
}

fn fmod(call: &mut Invocation<'_, '_, '_>) -> Results {
    let (number, divisor) = (call.number(0)?, call.number(1)?);
    // Unlike `%`, with the sign of the number.
    let positive = |number: Double| if number < Double::ZERO { number.negated() } else { number };
    let left = positive(number).modulo(positive(divisor));
    single(Lua::Number(if number < Double::ZERO { left.negated() } else { left }))
}

fn pow(call: &mut Invocation<'_, '_, '_>) -> Results {
    let power = call.number(0)?.power(call.number(1)?);
    single(Lua::Number(power.ok_or_else(|| call.error("only powers of whole numbers are modelled"))?))
}

fn most(call: &mut Invocation<'_, '_, '_>, wanted: Ordering) -> Results {
    let mut best = call.number(0)?;
    for place in 1..call.arguments.len() {
        let number = call.number(place)?;
        if number.cmp(&best) == wanted {
            best = number;
        }
    }
    single(Lua::Number(best))
}
