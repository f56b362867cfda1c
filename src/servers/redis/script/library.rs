//! The functions that scripts find (Lua 5.1, lbaselib.c and lmathlib.c; Redis's own are in `redis`).

mod base;
mod mathematics;
mod patterns;
mod redis;
mod tables;
mod texts;

use super::machine::{Machine, Thrown};
use super::value::{Lua, Table};

pub(super) use base::written;
pub(super) use redis::reply_of;

/// What comes of a function.
type Results = Result<Vec<Lua>, Thrown>;

/// A call of a function of the library.
#[derive(Debug)]
struct Invocation<'m, 'a, 'b> {
    machine: &'m mut Machine<'a, 'b>,
    name: &'static str,
    arguments: Vec<Lua>,
    line: usize,
}

type Run = fn(&mut Invocation<'_, '_, '_>) -> Results;

/// A library and its functions; the first has no name and is always there.
const LIBRARIES: [(&str, &[(&str, Run)]); 5] = [
    ("", base::FUNCTIONS),
    ("string", texts::FUNCTIONS),
    ("table", tables::FUNCTIONS),
    ("math", mathematics::FUNCTIONS),
    ("redis", redis::FUNCTIONS),
];

/// How many functions a library may have, so that each has a number.
const STRIDE: usize = 100;

/// Makes the table of all global names, and gives back its number.
pub(super) fn globals(machine: &mut Machine<'_, '_>) -> usize {
    let mut globals = Table::default();
    for (number, (library, functions)) in LIBRARIES.iter().enumerate() {
        let mut table = Table::default();
        for (place, (name, _)) in functions.iter().enumerate() {
            let into = if library.is_empty() { &mut globals } else { &mut table };
            into.set_field(name, Lua::Native(number * STRIDE + place));
        }
        match *library {
            "redis" => redis::constants(&mut table),
            "math" => mathematics::constants(&mut table),
            _ => {}
        }
        if !library.is_empty() {
            table.is_fixed = true;
            let table = machine.new_table(table);
            globals.set_field(library, Lua::Table(table));
        }
    }
    globals.set_field("_VERSION", Lua::text(b"Lua 5.1"));
    globals.is_fixed = true;
    let number = machine.new_table(globals);
    machine.table_mut(number).set_field("_G", Lua::Table(number));
    number
}

/// The table of the functions about strings.
pub(super) fn strings(machine: &Machine<'_, '_>) -> usize {
    match machine.table(machine.globals).field("string") {
        Lua::Table(table) => table,
        _ => unreachable!("nobody can change it"),
    }
}

/// Calls a function of the library by its number.
pub(super) fn run(machine: &mut Machine<'_, '_>, native: usize, arguments: Vec<Lua>, line: usize) -> Results {
    let (name, run) = LIBRARIES[native / STRIDE].1[native % STRIDE];
    run(&mut Invocation { machine, name, arguments, line })
}

impl Invocation<'_, '_, '_> {
    fn get(&self, place: usize) -> &Lua {
        self.arguments.get(place).unwrap_or(&Lua::Nil)
    }

    fn error(&self, message: impl std::fmt::Display) -> Thrown {
        self.machine.error(self.line, message)
    }

    /// An error about an argument, which count from 0 (lauxlib.c, `luaL_argerror`).
    fn wrong_argument(&self, place: usize, message: impl std::fmt::Display) -> Thrown {
        self.error(format_args!("bad argument #{} to '{}' ({message})", place + 1, self.name))
    }

    fn wrong_kind(&self, place: usize, expected: &str) -> Thrown {
        let found = self.arguments.get(place).map_or("no value", Lua::kind);
        self.wrong_argument(place, format_args!("{expected} expected, got {found}"))
    }

    fn any(&self, place: usize) -> Result<&Lua, Thrown> {
        self.arguments.get(place).ok_or_else(|| self.wrong_argument(place, "value expected"))
    }

    fn table(&self, place: usize) -> Result<usize, Thrown> {
        match self.get(place) {
            Lua::Table(table) => Ok(*table),
            _ => Err(self.wrong_kind(place, "table")),
        }
    }

    fn number(&self, place: usize) -> Result<super::super::double::Double, Thrown> {
        self.get(place).number().ok_or_else(|| self.wrong_kind(place, "number"))
    }

    fn int(&self, place: usize) -> Result<i64, Thrown> {
        self.number(place).map(super::super::double::Double::to_int)
    }

    /// An integer, or this if there is none.
    fn int_or(&self, place: usize, otherwise: i64) -> Result<i64, Thrown> {
        if *self.get(place) == Lua::Nil { Ok(otherwise) } else { self.int(place) }
    }

    fn bytes(&self, place: usize) -> Result<std::sync::Arc<[u8]>, Thrown> {
        self.get(place).bytes().ok_or_else(|| self.wrong_kind(place, "string"))
    }
}

/// One value.
fn single(value: Lua) -> Results {
    Ok(vec![value])
}
