//! Every command that the server knows: its name, how many words it has, and who carries it out.

use super::call::Call;
use super::reply::{Answer, Failure};
use super::{
    algebra, connection, counters, expiry, hashes, keys, lists, ranges, replication, script, sets, sorted, strings,
    transactions,
};

/// A command.
#[derive(Debug)]
pub(super) struct Command {
    /// In lower case.
    pub(super) name: &'static str,
    /// How many words it has, its name counted; if negative, at least so many.
    arity: isize,
    pub(super) kind: Kind,
    /// Whether scripts may call it.
    pub(super) is_for_scripts: bool,
    /// Whether it is carried out, not queued, in a transaction.
    pub(super) is_immediate: bool,
    pub(super) run: fn(&mut Call<'_>, &[&[u8]]) -> Answer,
}

/// What a command does to keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Read,
    Write,
    /// It is not about keys.
    Other,
}

type Run = fn(&mut Call<'_>, &[&[u8]]) -> Answer;

impl Command {
    pub(super) fn takes(&self, words: usize) -> bool {
        fits(self.arity, words)
    }
}

const fn read(name: &'static str, arity: isize, run: Run) -> Command {
    Command { name, arity, kind: Kind::Read, is_for_scripts: true, is_immediate: false, run }
}

const fn write(name: &'static str, arity: isize, run: Run) -> Command {
    Command { name, arity, kind: Kind::Write, is_for_scripts: true, is_immediate: false, run }
}

const fn blocking(name: &'static str, arity: isize, run: Run) -> Command {
    Command { name, arity, kind: Kind::Write, is_for_scripts: false, is_immediate: false, run }
}

const fn other(name: &'static str, arity: isize, run: Run) -> Command {
    Command { name, arity, kind: Kind::Other, is_for_scripts: true, is_immediate: false, run }
}

const fn private(name: &'static str, arity: isize, run: Run) -> Command {
    Command { name, arity, kind: Kind::Other, is_for_scripts: false, is_immediate: false, run }
}

const fn immediate(name: &'static str, arity: isize, run: Run) -> Command {
    Command { name, arity, kind: Kind::Other, is_for_scripts: false, is_immediate: true, run }
}

/// The command of that name, in whichever case.
pub(super) fn find(name: &[u8]) -> Option<&'static Command> {
    let name = name.to_ascii_lowercase();
    let place = COMMANDS.binary_search_by(|command| command.name.as_bytes().cmp(&name)).ok()?;
    Some(&COMMANDS[place])
}

/// The command that a client says.
///
/// # Errors
/// If there is none of that name, or if it has more or fewer words.
pub(super) fn command(words: &[&[u8]]) -> Result<&'static Command, Failure> {
    let command = find(words[0]).ok_or_else(|| unknown(words))?;
    if !command.takes(words.len()) {
        return Err(Failure::arity(command.name));
    }
    wrong_subcommand(command, words).map_or(Ok(command), Err)
}

/// What is said of a command that is not known (server.c, `commandCheckExistence`).
fn unknown(words: &[&[u8]]) -> Failure {
    let mut beginning = String::new();
    for word in &words[1..] {
        if beginning.len() >= 128 {
            break;
        }
        let room = 128 - beginning.len();
        beginning += &format!("'{}' ", String::from_utf8_lossy(&word[..word.len().min(room)]));
    }
    let name = String::from_utf8_lossy(&words[0][..words[0].len().min(128)]);
    Failure::err(format_args!("unknown command '{name}', with args beginning with: {beginning}"))
}

/// What is wrong with the second word of a command that has such, or with what follows it.
fn wrong_subcommand(command: &Command, words: &[&[u8]]) -> Option<Failure> {
    let mut own = SUBCOMMANDS.iter().filter(|(of, ..)| *of == command.name).peekable();
    own.peek()?;
    let found = own.find(|(_, name, _)| words[1].eq_ignore_ascii_case(name.as_bytes()));
    let Some((of, name, arity)) = found else { return Some(unknown_subcommand(words)) };
    (!fits(*arity, words.len())).then(|| Failure::arity(&format!("{of}|{name}")))
}

/// Second words, and how many words there are then, as the commands' own.
const SUBCOMMANDS: &[(&str, &str, isize)] = &[
    ("client", "getname", 2),
    ("client", "id", 2),
    ("client", "setname", 3),
    ("object", "encoding", 3),
    ("object", "freq", 3),
    ("object", "idletime", 3),
    ("object", "refcount", 3),
    ("script", "exists", -3),
    ("script", "flush", -2),
    ("script", "kill", 2),
    ("script", "load", 3),
];

fn fits(arity: isize, words: usize) -> bool {
    if arity < 0 { words >= arity.unsigned_abs() } else { words == arity.unsigned_abs() }
}

/// What is said of a second word that is not known.
fn unknown_subcommand(words: &[&[u8]]) -> Failure {
    let name = String::from_utf8_lossy(words[0]).to_uppercase();
    let subcommand = String::from_utf8_lossy(&words[1][..words[1].len().min(128)]);
    Failure::err(format_args!("unknown subcommand '{subcommand}'. Try {name} HELP."))
}

/// By name.
const COMMANDS: &[Command] = &[
    write("append", 3, strings::append),
    private("auth", -2, connection::auth),
    blocking("blmove", 6, lists::blmove),
    blocking("blpop", -3, lists::blpop),
    blocking("brpop", -3, lists::brpop),
    blocking("brpoplpush", 4, lists::brpoplpush),
    blocking("bzpopmax", -3, sorted::bzpopmax),
    blocking("bzpopmin", -3, sorted::bzpopmin),
    private("client", -2, connection::client),
    write("copy", -3, keys::copy),
    read("dbsize", 1, keys::dbsize),
    write("decr", 2, counters::decr),
    write("decrby", 3, counters::decrby),
    write("del", -2, keys::del),
    immediate("discard", 1, transactions::discard),
    other("echo", 2, keys::echo),
    private("eval", -3, script::eval),
    private("eval_ro", -3, script::eval_ro),
    private("evalsha", -3, script::evalsha),
    private("evalsha_ro", -3, script::evalsha_ro),
    immediate("exec", 1, transactions::exec),
    read("exists", -2, keys::exists),
    write("expire", -3, expiry::expire),
    write("expireat", -3, expiry::expireat),
    read("expiretime", 2, expiry::expiretime),
    write("flushall", -1, keys::flushall),
    write("flushdb", -1, keys::flushdb),
    read("get", 2, strings::get),
    write("getdel", 2, strings::getdel),
    write("getex", -2, strings::getex),
    read("getrange", 4, strings::getrange),
    write("getset", 3, strings::getset),
    write("hdel", -3, hashes::hdel),
    read("hexists", 3, hashes::hexists),
    read("hget", 3, hashes::hget),
    read("hgetall", 2, hashes::hgetall),
    write("hincrby", 4, hashes::hincrby),
    write("hincrbyfloat", 4, hashes::hincrbyfloat),
    read("hkeys", 2, hashes::hkeys),
    read("hlen", 2, hashes::hlen),
    read("hmget", -3, hashes::hmget),
    write("hmset", -4, hashes::hmset),
    write("hset", -4, hashes::hset),
    write("hsetnx", 4, hashes::hsetnx),
    read("hstrlen", 3, hashes::hstrlen),
    read("hvals", 2, hashes::hvals),
    write("incr", 2, counters::incr),
    write("incrby", 3, counters::incrby),
    write("incrbyfloat", 3, counters::incrbyfloat),
    read("keys", 2, keys::keys),
    read("lindex", 3, lists::lindex),
    write("linsert", 5, lists::linsert),
    read("llen", 2, lists::llen),
    write("lmove", 5, lists::lmove),
    write("lpop", -2, lists::lpop),
    read("lpos", -3, lists::lpos),
    write("lpush", -3, lists::lpush),
    write("lpushx", -3, lists::lpushx),
    read("lrange", 4, lists::lrange),
    write("lrem", 4, lists::lrem),
    write("lset", 4, lists::lset),
    write("ltrim", 4, lists::ltrim),
    read("mget", -2, strings::mget),
    write("move", 3, keys::shift),
    write("mset", -3, strings::mset),
    write("msetnx", -3, strings::msetnx),
    immediate("multi", 1, transactions::multi),
    other("object", -2, connection::object),
    write("persist", 2, expiry::persist),
    write("pexpire", -3, expiry::pexpire),
    write("pexpireat", -3, expiry::pexpireat),
    read("pexpiretime", 2, expiry::pexpiretime),
    other("ping", -1, keys::ping),
    write("psetex", 4, strings::psetex),
    read("pttl", 2, expiry::pttl),
    other("publish", 3, connection::publish),
    immediate("quit", -1, connection::quit),
    read("randomkey", 1, keys::randomkey),
    write("rename", 3, keys::rename),
    write("renamenx", 3, keys::renamenx),
    immediate("reset", 1, connection::reset),
    private("role", 1, replication::role),
    write("rpop", -2, lists::rpop),
    write("rpoplpush", 3, lists::rpoplpush),
    write("rpush", -3, lists::rpush),
    write("rpushx", -3, lists::rpushx),
    write("sadd", -3, sets::sadd),
    read("scan", -2, keys::scan),
    read("scard", 2, sets::scard),
    private("script", -2, script::script),
    read("sdiff", -2, algebra::sdiff),
    write("sdiffstore", -3, algebra::sdiffstore),
    other("select", 2, keys::select),
    write("set", -3, strings::set),
    write("setex", 4, strings::setex),
    write("setnx", 3, strings::setnx),
    write("setrange", 4, strings::setrange),
    read("sinter", -2, algebra::sinter),
    read("sintercard", -3, algebra::sintercard),
    write("sinterstore", -3, algebra::sinterstore),
    read("sismember", 3, sets::sismember),
    read("smembers", 2, sets::smembers),
    read("smismember", -3, sets::smismember),
    write("smove", 4, sets::smove),
    write("spop", -2, sets::spop),
    read("srandmember", -2, sets::srandmember),
    write("srem", -3, sets::srem),
    read("strlen", 2, strings::strlen),
    read("substr", 4, strings::getrange),
    read("sunion", -2, algebra::sunion),
    write("sunionstore", -3, algebra::sunionstore),
    write("swapdb", 3, keys::swapdb),
    other("time", 1, keys::time),
    read("touch", -2, keys::exists),
    read("ttl", 2, expiry::ttl),
    read("type", 2, keys::kind),
    write("unlink", -2, keys::del),
    private("unwatch", 1, transactions::unwatch),
    private("wait", 3, replication::wait),
    immediate("watch", -2, transactions::watch),
    write("zadd", -4, sorted::zadd),
    read("zcard", 2, sorted::zcard),
    read("zcount", 4, ranges::zcount),
    read("zdiff", -3, algebra::zdiff),
    write("zdiffstore", -4, algebra::zdiffstore),
    write("zincrby", 4, sorted::zincrby),
    read("zinter", -3, algebra::zinter),
    read("zintercard", -3, algebra::zintercard),
    write("zinterstore", -4, algebra::zinterstore),
    read("zlexcount", 4, ranges::zlexcount),
    write("zmpop", -4, sorted::zmpop),
    read("zmscore", -3, sorted::zmscore),
    write("zpopmax", -2, sorted::zpopmax),
    write("zpopmin", -2, sorted::zpopmin),
    read("zrange", -4, ranges::zrange),
    read("zrangebylex", -4, ranges::zrangebylex),
    read("zrangebyscore", -4, ranges::zrangebyscore),
    write("zrangestore", -5, ranges::zrangestore),
    read("zrank", 3, sorted::zrank),
    write("zrem", -3, sorted::zrem),
    write("zremrangebylex", 4, ranges::zremrangebylex),
    write("zremrangebyrank", 4, ranges::zremrangebyrank),
    write("zremrangebyscore", 4, ranges::zremrangebyscore),
    read("zrevrange", -4, ranges::zrevrange),
    read("zrevrangebylex", -4, ranges::zrevrangebylex),
    read("zrevrangebyscore", -4, ranges::zrevrangebyscore),
    read("zrevrank", 3, sorted::zrevrank),
    read("zscore", 3, sorted::zscore),
    read("zunion", -3, algebra::zunion),
    write("zunionstore", -4, algebra::zunionstore),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_stand_in_order_so_that_each_is_found() {
        for command in COMMANDS {
            let found = find(command.name.to_ascii_uppercase().as_bytes()).expect("it is found");
            assert_eq!(found.name, command.name);
        }
    }
}
