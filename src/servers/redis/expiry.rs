//! Times to live (expire.c): what commands say of them, and keys whose time has passed.

use super::call::Call;
use super::integer::required;
use super::reply::{Answer, Failure, Reply};
use super::{Effect, Redis};

/// In what a time is given, and from when on it counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    /// EX
    Seconds,
    /// PX
    Milliseconds,
    /// EXAT
    UnixSeconds,
    /// PXAT
    UnixMilliseconds,
}

impl Unit {
    /// The unit of an option, which is in upper case.
    pub(super) fn named(name: &[u8]) -> Option<Unit> {
        match name {
            b"EX" => Some(Unit::Seconds),
            b"PX" => Some(Unit::Milliseconds),
            b"EXAT" => Some(Unit::UnixSeconds),
            b"PXAT" => Some(Unit::UnixMilliseconds),
            _ => None,
        }
    }

    fn is_seconds(self) -> bool {
        matches!(self, Unit::Seconds | Unit::UnixSeconds)
    }

    fn is_relative(self) -> bool {
        matches!(self, Unit::Seconds | Unit::Milliseconds)
    }

    /// As Unix milliseconds, if these fit.
    fn absolute(self, time: i64, now_ms: i64) -> Option<i64> {
        let milliseconds = if self.is_seconds() { time.checked_mul(1000)? } else { time };
        if self.is_relative() { milliseconds.checked_add(now_ms) } else { Some(milliseconds) }
    }
}

/// The time of SET and its kind, which must be positive (t_string.c, `getExpireMillisecondsOrReply`).
pub(super) fn deadline(call: &Call<'_>, unit: Unit, time: &[u8]) -> Result<i64, Failure> {
    let time = required(time)?;
    let absolute = unit.absolute(time, call.now_ms).filter(|absolute| time > 0 && *absolute > 0);
    absolute.ok_or_else(|| Failure::expire_time(call.name))
}

/// Gives a key that is there a time, or removes it if that has come; whether it is still there.
pub(super) fn expire_at(call: &mut Call<'_>, key: &[u8], expires_ms: i64) -> bool {
    if expires_ms <= call.now_ms && call.server.is_primary() {
        call.remove(key);
        call.send_instead(&[b"DEL", key]);
        return false;
    }
    call.database_mut().expire(key, Some(expires_ms));
    call.changed(key);
    call.send_instead(&[b"PEXPIREAT", key, expires_ms.to_string().as_bytes()]);
    true
}

/// Takes the time to live away; whether there was one.
pub(super) fn make_last(call: &mut Call<'_>, key: &[u8]) -> bool {
    let is_mortal = call.entry(key).is_some_and(|entry| entry.expires_ms.is_some());
    if is_mortal {
        call.database_mut().expire(key, None);
        call.changed(key);
    }
    is_mortal
}

pub(super) fn expire(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    expire_in(call, words, Unit::Seconds)
}

pub(super) fn pexpire(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    expire_in(call, words, Unit::Milliseconds)
}

pub(super) fn expireat(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    expire_in(call, words, Unit::UnixSeconds)
}

pub(super) fn pexpireat(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    expire_in(call, words, Unit::UnixMilliseconds)
}

/// When the new time counts.
#[derive(Clone, Copy, Default, Debug)]
struct Conditions {
    is_lasting: bool,
    is_mortal: bool,
    is_later: bool,
    is_earlier: bool,
}

fn conditions(words: &[&[u8]]) -> Result<Conditions, Failure> {
    let mut found = Conditions::default();
    for word in words {
        match word.to_ascii_uppercase().as_slice() {
            b"NX" => found.is_lasting = true,
            b"XX" => found.is_mortal = true,
            b"GT" => found.is_later = true,
            b"LT" => found.is_earlier = true,
            _ => return Err(Failure::err(format_args!("Unsupported option {}", String::from_utf8_lossy(word)))),
        }
    }
    if found.is_lasting && (found.is_mortal || found.is_later || found.is_earlier) {
        return Err(Failure::err("NX and XX, GT or LT options at the same time are not compatible"));
    }
    if found.is_later && found.is_earlier {
        return Err(Failure::err("GT and LT options at the same time are not compatible"));
    }
    Ok(found)
}

impl Conditions {
    /// Whether the new time counts. A key that lasts expires after all others.
    fn allow(self, old: Option<i64>, new: i64) -> bool {
        !(self.is_lasting && old.is_some()
            || self.is_mortal && old.is_none()
            || self.is_later && old.is_none_or(|old| new <= old)
            || self.is_earlier && old.is_some_and(|old| new >= old))
    }
}

fn expire_in(call: &mut Call<'_>, words: &[&[u8]], unit: Unit) -> Answer {
    let conditions = conditions(&words[3..])?;
    let (key, time) = (words[1], required(words[2])?);
    let expires_ms = unit.absolute(time, call.now_ms).ok_or_else(|| Failure::expire_time(call.name))?;
    let Some(entry) = call.entry(key) else { return Ok(Reply::Int(0)) };
    if !conditions.allow(entry.expires_ms, expires_ms) {
        return Ok(Reply::Int(0));
    }
    expire_at(call, key, expires_ms);
    Ok(Reply::Int(1))
}

pub(super) fn persist(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    Ok(Reply::flag(make_last(call, words[1])))
}

pub(super) fn ttl(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    Ok(life(call, words[1], |expires_ms, now_ms| (left(expires_ms, now_ms) + 500) / 1000))
}

pub(super) fn pttl(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    Ok(life(call, words[1], left))
}

pub(super) fn expiretime(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    Ok(life(call, words[1], |expires_ms, _| expires_ms.saturating_add(500) / 1000))
}

pub(super) fn pexpiretime(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    Ok(life(call, words[1], |expires_ms, _| expires_ms))
}

fn left(expires_ms: i64, now_ms: i64) -> i64 {
    expires_ms.saturating_sub(now_ms).clamp(0, i64::MAX - 500)
}

/// -2 if there is no key, -1 if it lasts.
fn life(call: &mut Call<'_>, key: &[u8], told: impl Fn(i64, i64) -> i64) -> Reply {
    let now_ms = call.now_ms;
    let Some(entry) = call.entry(key) else { return Reply::Int(-2) };
    Reply::Int(entry.expires_ms.map_or(-1, |expires_ms| told(expires_ms, now_ms)))
}

impl Redis {
    /// When the next key expires, in Unix milliseconds: it is gone once this time has passed. None if all keys last.
    #[must_use]
    pub fn next_expiry(&self) -> Option<i64> {
        self.databases.iter().filter_map(|database| Some(database.next()?.0)).min()
    }

    /// Removes every key whose time has passed, as a primary does in the background ten times a second, and says how
    /// many they were. A replica waits for its primary to say so, and removes none.
    pub fn expire_due(&mut self, now_ms: i64) -> usize {
        if !self.is_primary() {
            return 0;
        }
        let mut count = 0;
        for db in 0..self.databases.len() {
            while let Some((expires_ms, key)) = self.databases[db].next().filter(|(expires_ms, _)| now_ms > *expires_ms)
            {
                debug_assert!(expires_ms < now_ms);
                let key = key.clone();
                self.remove_expired(db, &key);
                count += 1;
            }
        }
        count
    }

    /// Removes a key whose time has passed, and tells replicas (db.c, `deleteExpiredKeyAndPropagate`).
    pub(super) fn remove_expired(&mut self, db: usize, key: &[u8]) {
        self.databases[db].remove(key);
        self.touch(db, key);
        if let Some(effects) = &mut self.effects {
            effects.push(Effect { db, command: vec![b"DEL".to_vec(), key.to_vec()] });
        }
    }
}
