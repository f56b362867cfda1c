//! MULTI, EXEC and WATCH (multi.c).

use super::call::Call;
use super::reply::{ABORTED, Answer, Bytes, Failure, Reply};
use super::{Effect, Origin, Redis, table};
use std::collections::BTreeMap;

/// Where a client stands with its transaction.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct Transaction {
    /// What EXEC will carry out; none before MULTI.
    queue: Option<Vec<Vec<Bytes>>>,
    /// Whether a command could not be queued.
    is_broken: bool,
    /// Whether a watched key has changed.
    is_stale: bool,
    /// What is watched; and whether it had expired, and was not yet removed, when that began.
    watched: BTreeMap<(usize, Bytes), bool>,
}

pub(super) fn multi(call: &mut Call<'_>, _: &[&[u8]]) -> Answer {
    let transaction = call.transaction();
    if transaction.queue.is_some() {
        return Err(Failure::err("MULTI calls can not be nested"));
    }
    transaction.queue = Some(Vec::new());
    Ok(Reply::ok())
}

pub(super) fn discard(call: &mut Call<'_>, _: &[&[u8]]) -> Answer {
    if call.transaction().queue.is_none() {
        return Err(Failure::err("DISCARD without MULTI"));
    }
    call.server.discard(call.client);
    Ok(Reply::ok())
}

pub(super) fn watch(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    if call.transaction().queue.is_some() {
        return Err(Failure::err("WATCH inside MULTI is not allowed"));
    }
    if call.transaction().is_stale {
        return Ok(Reply::ok());
    }
    for key in &words[1..] {
        let (watched, client, now_ms) = ((call.db(), key.to_vec()), call.client, call.now_ms);
        let had_expired = call.database().get(key).is_some_and(|entry| entry.is_expired(now_ms));
        call.transaction().watched.entry(watched.clone()).or_insert(had_expired);
        call.server.watchers.entry(watched).or_default().insert(client);
    }
    Ok(Reply::ok())
}

pub(super) fn unwatch(call: &mut Call<'_>, _: &[&[u8]]) -> Answer {
    call.server.unwatch(call.client);
    Ok(Reply::ok())
}

pub(super) fn exec(call: &mut Call<'_>, _: &[&[u8]]) -> Answer {
    if call.transaction().queue.is_none() {
        return Err(Failure::err("EXEC without MULTI"));
    }
    let (client, now_ms, origin) = (call.client, call.now_ms, call.origin);
    let is_stale = call.server.watches_expired(client, now_ms) || call.transaction().is_stale;
    let is_broken = call.transaction().is_broken;
    let queue = call.transaction().queue.take().unwrap_or_default();
    call.server.discard(client);
    if is_broken {
        return Err(ABORTED);
    }
    if is_stale {
        return Ok(Reply::Nil);
    }
    let from = call.server.effects.as_ref().map_or(0, Vec::len);
    let replies = queue.iter().map(|words| call.server.carry_out(now_ms, client, origin, words)).collect();
    call.server.wrap_effects(from);
    Ok(Reply::Array(replies))
}

impl Call<'_> {
    fn transaction(&mut self) -> &mut Transaction {
        &mut self.server.clients.entry(self.client).or_default().transaction
    }
}

impl Redis {
    pub(super) fn is_queueing(&self, client: u64) -> bool {
        self.clients.get(&client).is_some_and(|client| client.transaction.queue.is_some())
    }

    pub(super) fn enqueue(&mut self, client: u64, words: &[&[u8]]) {
        let queue = self.clients.get_mut(&client).and_then(|client| client.transaction.queue.as_mut());
        queue.expect("a transaction").push(words.iter().map(|word| word.to_vec()).collect());
    }

    /// Notes that a command was refused before it was queued or carried out (server.c, `rejectCommand`).
    pub(super) fn refuse(&mut self, client: u64, name: &[u8], failure: Failure) -> Failure {
        let is_exec = name.eq_ignore_ascii_case(b"exec");
        if is_exec {
            self.discard(client);
            let reason = failure.0.strip_prefix("ERR ").unwrap_or(&failure.0);
            return Failure(format!("EXECABORT Transaction discarded because of: {reason}").into());
        }
        if let Some(client) = self.clients.get_mut(&client)
            && client.transaction.queue.is_some()
        {
            client.transaction.is_broken = true;
        }
        failure
    }

    /// Carries out what was queued.
    fn carry_out(&mut self, now_ms: i64, client: u64, origin: Origin, words: &[Bytes]) -> Reply {
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        let command = table::find(words[0]).expect("only what is known is queued");
        self.execute(now_ms, client, origin, command, &words).unwrap_or_else(Reply::from)
    }

    /// Ends a transaction, whatever came of it.
    fn discard(&mut self, client: u64) {
        self.unwatch(client);
        if let Some(client) = self.clients.get_mut(&client) {
            client.transaction = Transaction::default();
        }
    }

    /// Watches nothing any more.
    pub(super) fn unwatch(&mut self, number: u64) {
        let Some(client) = self.clients.get_mut(&number) else { return };
        client.transaction.is_stale = false;
        for watched in std::mem::take(&mut client.transaction.watched).into_keys() {
            if let Some(watchers) = self.watchers.get_mut(&watched) {
                watchers.remove(&number);
                if watchers.is_empty() {
                    self.watchers.remove(&watched);
                }
            }
        }
    }

    /// Whether something watched has expired meanwhile and was not yet removed (multi.c, `isWatchedKeyExpired`).
    fn watches_expired(&self, client: u64, now_ms: i64) -> bool {
        let Some(client) = self.clients.get(&client) else { return false };
        client.transaction.watched.iter().any(|((db, key), had_expired)| {
            !had_expired && self.databases[*db].get(key).is_some_and(|entry| entry.is_expired(now_ms))
        })
    }

    /// Tells those who watch a key that it has changed (multi.c, `touchWatchedKey`).
    pub(super) fn touch(&mut self, db: usize, key: &[u8]) {
        // Most servers have nobody who watches, and then no key is copied.
        if self.watchers.is_empty() {
            return;
        }
        let watched = (db, key.to_vec());
        let Some(watchers) = self.watchers.get(&watched) else { return };
        let is_gone = self.databases[db].get(key).is_none();
        for number in watchers {
            let transaction = &mut self.clients.get_mut(number).expect("a client who watches").transaction;
            let had_expired = transaction.watched.get_mut(&watched).expect("a key that is watched");
            // A key that had expired already and is now removed has not changed.
            if *had_expired && is_gone {
                *had_expired = false;
            } else {
                transaction.is_stale = true;
            }
        }
    }

    /// Puts MULTI and EXEC around the effects from this place on, if there are several, so that a replica has all or none.
    pub(super) fn wrap_effects(&mut self, from: usize) {
        let Some(effects) = &mut self.effects else { return };
        // What a script in a transaction has done is part of the transaction.
        let marks = [b"MULTI".as_slice(), b"EXEC"];
        let parts = effects.split_off(from).into_iter();
        effects.extend(parts.filter(|part| !marks.contains(&part.command[0].as_slice())));
        if effects.len() > from + 1 {
            let word = |word: &str, db| Effect { db, command: vec![word.as_bytes().to_vec()] };
            let (first, last) = (effects[from].db, effects[effects.len() - 1].db);
            effects.insert(from, word("MULTI", first));
            effects.push(word("EXEC", last));
        }
    }
}
