//! `redis`: how scripts call commands, and what becomes of replies on both ways (script_lua.c).

use super::super::super::double::Double;
use super::super::super::reply::{Failure, READ_ONLY, Reply};
use super::super::super::table::{self, Kind};
use super::super::super::{Origin, sha1};
use super::super::machine::{Machine, Thrown};
use super::super::value::{Lua, Table};
use super::{Invocation, Results, Run, single};

pub(super) const FUNCTIONS: &[(&str, Run)] = &[
    ("acl_check_cmd", |_| single(Lua::Bool(true))),
    ("breakpoint", |_| single(Lua::Bool(false))),
    ("call", |call| command(call, true)),
    ("debug", |_| Ok(Vec::new())),
    ("error_reply", error_reply),
    ("log", log),
    ("pcall", |call| command(call, false)),
    ("replicate_commands", |_| single(Lua::Bool(true))),
    ("set_repl", |_| Ok(Vec::new())),
    ("setresp", setresp),
    ("sha1hex", sha1hex),
    ("status_reply", status_reply),
];

pub(super) fn constants(table: &mut Table) {
    let numbers = [
        ("LOG_DEBUG", 0),
        ("LOG_VERBOSE", 1),
        ("LOG_NOTICE", 2),
        ("LOG_WARNING", 3),
        ("REPL_NONE", 0),
        ("REPL_AOF", 1),
        ("REPL_REPLICA", 2),
        ("REPL_SLAVE", 2),
        ("REPL_ALL", 3),
        ("REDIS_VERSION_NUM", 0x0007_000f),
    ];
    for (name, number) in numbers {
        table.set_field(name, Lua::int(number));
    }
    table.set_field("REDIS_VERSION", Lua::text(b"7.0.15"));
}

/// `redis.call` throws what goes wrong, `redis.pcall` gives it back.
fn command(call: &mut Invocation<'_, '_, '_>, throws: bool) -> Results {
    let reply = match words(call) {
        Ok(words) => carry_out(call.machine, &words).unwrap_or_else(Reply::from),
        Err(failure) => Reply::from(failure),
    };
    let is_error = matches!(reply, Reply::Error(_));
    let value = value_of(call.machine, reply);
    if is_error && throws { Err(Thrown { value, line: call.line }) } else { single(value) }
}

fn words(call: &Invocation<'_, '_, '_>) -> Result<Vec<Vec<u8>>, Failure> {
    if call.arguments.is_empty() {
        return Err(Failure::err("Please specify at least one argument for this redis lib call"));
    }
    let word = |value: &Lua| match value {
        // All digits, not the fourteen of other texts.
        Lua::Number(number) => Ok(number.text()),
        Lua::Text(text) => Ok(text.to_vec()),
        _ => Err(Failure::err("Lua redis lib command arguments must be strings or integers")),
    };
    call.arguments.iter().map(word).collect()
}

/// A command of a script (script.c, `scriptCall`).
fn carry_out(machine: &mut Machine<'_, '_>, words: &[Vec<u8>]) -> Result<Reply, Failure> {
    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    let command = table::find(words[0]).ok_or_else(|| Failure::err("Unknown Redis command called from script"))?;
    if !command.takes(words.len()) {
        return Err(Failure::err("Wrong number of args calling Redis command from script"));
    }
    if !command.is_for_scripts {
        return Err(Failure::err("This Redis command is not allowed from script"));
    }
    let call = &mut *machine.call;
    if command.kind == Kind::Write {
        if machine.is_read_only {
            return Err(Failure::err("Write commands are not allowed from read-only scripts."));
        }
        if !call.server.is_primary() && call.origin == Origin::Client {
            return Err(READ_ONLY);
        }
    }
    call.server.execute(call.now_ms, call.client, call.origin, command, &words)
}

/// A reply as scripts see it.
pub(in super::super) fn value_of(machine: &mut Machine<'_, '_>, reply: Reply) -> Lua {
    let mut marked = |name: &str, text: String| {
        let mut table = Table::default();
        table.set_field(name, Lua::text(text.as_bytes()));
        Lua::Table(machine.new_table(table))
    };
    match reply {
        Reply::Status(status) => marked("ok", status),
        Reply::Error(error) => marked("err", error),
        Reply::Int(int) => Lua::int(int),
        Reply::Nil => Lua::Bool(false),
        Reply::Bulk(bytes) => Lua::text(&bytes),
        Reply::Array(replies) => {
            let values = replies.into_iter().map(|reply| value_of(machine, reply)).collect();
            Lua::Table(machine.new_table(Table::list(values)))
        }
    }
}

/// How deep replies may stand in each other.
const DEPTH_MAX: usize = 100;

/// What a script returns, as a reply.
pub(in super::super) fn reply_of(machine: &Machine<'_, '_>, value: &Lua, depth: usize) -> Reply {
    if depth > DEPTH_MAX {
        return Reply::from(Failure::err("reached lua stack limit"));
    }
    let table = match value {
        Lua::Text(text) => return Reply::bulk(&**text),
        Lua::Bool(true) => return Reply::Int(1),
        Lua::Number(number) => return Reply::Int(Double::to_int(*number)),
        Lua::Table(table) => machine.table(*table),
        Lua::Nil | Lua::Bool(false) | Lua::Closure(_) | Lua::Native(_) => return Reply::Nil,
    };
    let one_line = |text: &[u8]| String::from_utf8_lossy(text).replace(['\r', '\n'], " ");
    if let Lua::Text(error) = table.field("err") {
        return Reply::Error(one_line(error.strip_prefix(b"-").unwrap_or(&error)));
    }
    if let Lua::Text(status) = table.field("ok") {
        return Reply::Status(one_line(&status));
    }
    let elements = (1..).map(|index| table.at(index)).take_while(|element| *element != Lua::Nil);
    Reply::Array(elements.map(|element| reply_of(machine, &element, depth + 1)).collect())
}

/// An error of the server's own functions, which has no place in front.
fn plain_error(call: &mut Invocation<'_, '_, '_>, message: &str) -> Thrown {
    let value = value_of(call.machine, Reply::from(Failure::err(message)));
    Thrown { value, line: call.line }
}

fn marked_reply(call: &mut Invocation<'_, '_, '_>, mark: &str, text: &[u8]) -> Results {
    let mut table = Table::default();
    table.set_field(mark, Lua::text(text));
    single(Lua::Table(call.machine.new_table(table)))
}

fn only_text(call: &Invocation<'_, '_, '_>) -> Option<std::sync::Arc<[u8]>> {
    match call.arguments.as_slice() {
        [Lua::Text(text)] => Some(std::sync::Arc::clone(text)),
        _ => None,
    }
}

const WRONG_ARGUMENTS: &[u8] = b"ERR wrong number or type of arguments";

/// A text of one word gets the code ERR.
fn error_reply(call: &mut Invocation<'_, '_, '_>) -> Results {
    let Some(text) = only_text(call) else { return marked_reply(call, "err", WRONG_ARGUMENTS) };
    let text = text.strip_prefix(b"-").unwrap_or(&text);
    let has_code = text.contains(&b' ');
    let whole = if has_code { text.to_vec() } else { [b"ERR ", text].concat() };
    marked_reply(call, "err", &whole)
}

fn status_reply(call: &mut Invocation<'_, '_, '_>) -> Results {
    match only_text(call) {
        Some(text) => marked_reply(call, "ok", &text),
        None => marked_reply(call, "err", WRONG_ARGUMENTS),
    }
}

fn sha1hex(call: &mut Invocation<'_, '_, '_>) -> Results {
    match call.arguments.as_slice() {
        [one] => single(Lua::text(sha1::hexadecimal(&one.bytes().unwrap_or_default()).as_bytes())),
        _ => Err(plain_error(call, "wrong number of arguments")),
    }
}

fn setresp(call: &mut Invocation<'_, '_, '_>) -> Results {
    match call.arguments.as_slice() {
        [one] if matches!(one.number().map(Double::to_int), Some(2 | 3)) => Ok(Vec::new()),
        [_] => Err(plain_error(call, "RESP version must be 2 or 3.")),
        _ => Err(plain_error(call, "redis.setresp() requires one argument.")),
    }
}

fn log(call: &mut Invocation<'_, '_, '_>) -> Results {
    if call.arguments.len() < 2 {
        return Err(plain_error(call, "redis.log() requires two arguments or more."));
    }
    match call.get(0) {
        Lua::Number(level) if (0..=3).contains(&level.to_int()) => Ok(Vec::new()),
        Lua::Number(_) => Err(plain_error(call, "Invalid debug level.")),
        _ => Err(plain_error(call, "First argument must be a number (log level).")),
    }
}
