//! EVAL and its kind: scripts in Lua 5.1 (eval.c, script.c).
//!
//! All of the language is there but metatables. Of the library there are no `gmatch`, `loadstring`, `cjson`, `cmsgpack`, `bit`
//! and `struct`, and no `%b` and `%f` in patterns.

mod lexer;
mod library;
mod machine;
mod parser;
mod syntax;
mod value;

use super::call::Call;
use super::integer::required;
use super::reply::{Answer, Bytes, Failure, Reply};
use super::sha1;
use machine::{Machine, Thrown};
use std::sync::Arc;
use syntax::Chunk;
use value::{Lua, Table};

/// A script that the server keeps.
#[derive(Clone, Debug)]
pub(super) struct Script {
    text: Bytes,
    chunk: Chunk,
}

impl PartialEq for Script {
    fn eq(&self, other: &Script) -> bool {
        self.text == other.text
    }
}

const NO_SCRIPT: Failure = Failure(std::borrow::Cow::Borrowed("NOSCRIPT No matching script. Please use EVAL."));

pub(super) fn eval(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    by_text(call, words, false)
}

pub(super) fn eval_ro(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    by_text(call, words, true)
}

pub(super) fn evalsha(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    by_name(call, words, false)
}

pub(super) fn evalsha_ro(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    by_name(call, words, true)
}

fn by_text(call: &mut Call<'_>, words: &[&[u8]], is_read_only: bool) -> Answer {
    let keys = keys(words)?;
    let name = learn(call, words[1])?;
    run(call, &name, words, keys, is_read_only)
}

fn by_name(call: &mut Call<'_>, words: &[&[u8]], is_read_only: bool) -> Answer {
    if words[1].len() != 40 {
        return Err(NO_SCRIPT);
    }
    let keys = keys(words)?;
    let name = String::from_utf8_lossy(words[1]).to_ascii_lowercase();
    if !call.server.scripts.contains_key(&name) {
        return Err(NO_SCRIPT);
    }
    run(call, &name, words, keys, is_read_only)
}

/// How many of the words are keys.
fn keys(words: &[&[u8]]) -> Result<usize, Failure> {
    let count = required(words[2])?;
    if count > i64::try_from(words.len()).expect("a count that fits") - 3 {
        return Err(Failure::err("Number of keys can't be greater than number of args"));
    }
    usize::try_from(count).map_err(|_| Failure::err("Number of keys can't be negative"))
}

/// Keeps a script that can be understood under its digest.
fn learn(call: &mut Call<'_>, text: &[u8]) -> Result<String, Failure> {
    let name = sha1::hexadecimal(text);
    if !call.server.scripts.contains_key(&name) {
        let wrong = |wrong| Failure::err(format_args!("Error compiling script (new function): {wrong}"));
        let chunk = parser::parse(text).map_err(wrong)?;
        call.server.scripts.insert(name.clone(), Arc::new(Script { text: text.to_vec(), chunk }));
    }
    Ok(name)
}

fn run(call: &mut Call<'_>, name: &str, words: &[&[u8]], keys: usize, is_read_only: bool) -> Answer {
    let script = Arc::clone(&call.server.scripts[name]);
    let (db, from) = (call.db(), call.server.effects.as_ref().map_or(0, Vec::len));
    let answer = {
        let mut machine = Machine::new(&script.chunk, call, is_read_only);
        for (list, words) in [("KEYS", &words[3..3 + keys]), ("ARGV", &words[3 + keys..])] {
            let table = machine.new_table(Table::list(words.iter().map(|word| Lua::text(word)).collect()));
            let globals = machine.globals;
            machine.table_mut(globals).set_field(list, Lua::Table(table));
        }
        match machine.run() {
            Ok(values) => Ok(library::reply_of(&machine, values.first().unwrap_or(&Lua::Nil), 0)),
            Err(thrown) => Err(told(&machine, &thrown, name)),
        }
    };
    // What a script selects ends with it.
    call.server.clients.entry(call.client).or_default().db = db;
    call.server.wrap_effects(from);
    answer
}

/// What a client hears of an error that nobody caught (script_lua.c, `luaCallFunction`).
fn told(machine: &Machine<'_, '_>, thrown: &Thrown, name: &str) -> Failure {
    let message: Bytes = match &thrown.value {
        Lua::Table(table) => {
            let error = machine.table(*table).field("err").bytes();
            error.map_or(b"(null)".to_vec(), |error| error.strip_prefix(b"-").unwrap_or(&error).to_vec())
        }
        other => [b"ERR ".as_slice(), &library::written(other)].concat(),
    };
    let message = String::from_utf8_lossy(&message).replace(['\r', '\n'], " ");
    Failure(format!("{message} script: {name}, on @user_script:{}.", thrown.line).into())
}

pub(super) fn script(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    match words[1].to_ascii_lowercase().as_slice() {
        b"load" => learn(call, words[2]).map(Reply::bulk),
        b"exists" => {
            let is_known =
                |name: &&[u8]| call.server.scripts.contains_key(&String::from_utf8_lossy(name).to_ascii_lowercase());
            Ok(Reply::Array(words[2..].iter().map(|name| Reply::flag(is_known(name))).collect()))
        }
        b"flush" => {
            let is_known = match words[2..] {
                [] => true,
                [word] => word.eq_ignore_ascii_case(b"sync") || word.eq_ignore_ascii_case(b"async"),
                _ => false,
            };
            if !is_known {
                return Err(Failure::err("SCRIPT FLUSH only support SYNC|ASYNC option"));
            }
            call.server.scripts.clear();
            Ok(Reply::ok())
        }
        b"kill" => Err(Failure("NOTBUSY No scripts in execution right now.".into())),
        _ => Err(super::reply::SYNTAX),
    }
}
