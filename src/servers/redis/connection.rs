//! Commands about the connection, and what a server says of itself (networking.c, object.c, config.c).

use super::call::Call;
use super::integer;
use super::reply::{Answer, Failure, Reply};
use super::value::{Hash, Set, SortedSet, Value};

/// Nobody listens: there are no subscriptions.
pub(super) fn publish(_: &mut Call<'_>, _: &[&[u8]]) -> Answer {
    Ok(Reply::Int(0))
}

/// The connection is as new.
pub(super) fn reset(call: &mut Call<'_>, _: &[&[u8]]) -> Answer {
    call.server.disconnect(call.client);
    Ok(Reply::Status("RESET".to_owned()))
}

pub(super) fn quit(call: &mut Call<'_>, _: &[&[u8]]) -> Answer {
    call.server.disconnect(call.client);
    Ok(Reply::ok())
}

/// There is one user, who needs no password.
pub(super) fn auth(_: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    match words.len() {
        2 => Err(Failure::err(
            "AUTH <password> called without any password configured for the default user. Are you sure your \
             configuration is correct?",
        )),
        3 if words[1] == b"default" => Ok(Reply::ok()),
        3 => Err(Failure("WRONGPASS invalid username-password pair or user is disabled.".into())),
        _ => Err(super::reply::SYNTAX),
    }
}

pub(super) fn client(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let known = call.server.clients.entry(call.client).or_default();
    match (words[1].to_ascii_lowercase().as_slice(), &words[2..]) {
        (b"id", []) => Ok(Reply::Int(i64::try_from(call.client).unwrap_or(i64::MAX))),
        (b"getname", []) if known.name.is_empty() => Ok(Reply::Nil),
        (b"getname", []) => Ok(Reply::bulk(known.name.clone())),
        (b"setname", [name]) => {
            if !name.iter().all(|byte| (b'!'..=b'~').contains(byte)) {
                return Err(Failure::err("Client names cannot contain spaces, newlines or special characters."));
            }
            known.name = name.to_vec();
            Ok(Reply::ok())
        }
        _ => Err(super::reply::SYNTAX),
    }
}

pub(super) fn object(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    let Some(value) = call.value(words[2]) else { return Ok(Reply::Nil) };
    match words[1].to_ascii_lowercase().as_slice() {
        b"encoding" => Ok(Reply::bulk(encoding(value))),
        b"refcount" => Ok(Reply::Int(1)),
        b"idletime" => Ok(Reply::Int(0)),
        _ => Err(Failure::err(
            "An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between \
             policies at runtime LRU and LFU data will take some time to adjust.",
        )),
    }
}

/// How the real server would keep a value that has only grown.
fn encoding(value: &Value) -> &'static str {
    let is_short = |text: &Vec<u8>| text.len() <= 64;
    match value {
        Value::Text(text) if integer::strict(text).is_some() => "int",
        Value::Text(text) if text.len() <= 44 => "embstr",
        Value::Text(_) => "raw",
        Value::Sorted(sorted) if sorted.len() <= 128 && members(sorted).iter().all(is_short) => "listpack",
        Value::Sorted(_) => "skiplist",
        Value::Hash(hash) if hash.len() <= 512 && is_compact(hash) => "listpack",
        Value::Hash(_) => "hashtable",
        Value::Set(set) if set.len() <= 512 && is_of_integers(set) => "intset",
        Value::Set(_) => "hashtable",
        Value::List(_) => "quicklist",
    }
}

fn members(sorted: &SortedSet) -> Vec<Vec<u8>> {
    sorted.slice(0..sorted.len()).into_iter().map(|(member, _)| member).collect()
}

fn is_compact(hash: &Hash) -> bool {
    hash.all().iter().all(|(field, value)| field.len() <= 64 && value.len() <= 64)
}

fn is_of_integers(set: &Set) -> bool {
    set.all().iter().all(|member| integer::strict(member).is_some())
}
