//! A primary and its replicas (replication.c): what the one sends, and what the others make of it.
//!
//! Nothing here waits or acknowledges: who wraps the model carries effects, late or not at all, and decides who is what.

use super::call::Call;
use super::keyspace::Database;
use super::reply::{Answer, Bytes, Failure, Reply};
use super::{Effect, Origin, Redis, Role};

/// The number under which a replica keeps the connection to its primary.
const PRIMARY_LINK: u64 = u64::MAX;

/// What is in the databases at one moment: what a file or a new replica gets.
#[derive(Clone, PartialEq, Debug)]
pub struct Snapshot {
    databases: Vec<Database>,
}

impl Redis {
    /// A server that keeps, from now on, what it would send to replicas.
    #[must_use]
    pub fn with_effects(mut self) -> Redis {
        self.effects.get_or_insert_default();
        self
    }

    /// What is to be sent to replicas since this was asked last, in order. A transaction with several effects stands
    /// between MULTI and EXEC. Times to live are absolute, whatever the client said.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        self.effects.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Carries out what the primary of this replica has sent. A replica trusts its primary in everything: it writes, and it does not
    /// look whether a key has expired.
    ///
    /// # Panics
    /// If this is not a replica.
    pub fn replicate(&mut self, now_ms: i64, effect: &Effect) -> Reply {
        assert!(!self.is_primary(), "effects go to replicas only");
        let words: Vec<&[u8]> = effect.command.iter().map(Vec::as_slice).collect();
        if self.is_queueing(PRIMARY_LINK) {
            // A transaction may go from one database to another.
            self.enqueue(PRIMARY_LINK, &[b"SELECT", effect.db.to_string().as_bytes()]);
        } else {
            self.clients.entry(PRIMARY_LINK).or_default().db = effect.db;
        }
        self.answer(now_ms, PRIMARY_LINK, Origin::Primary, &words).unwrap_or_else(Reply::from)
    }

    /// Whether this server leads or follows.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Makes this server a primary or a replica. Its keys stay as they are. Effects that were not taken are dropped with the role
    /// in which they were made.
    pub fn set_role(&mut self, role: Role) {
        if self.role != role {
            self.take_effects();
            self.disconnect(PRIMARY_LINK);
            self.role = role;
        }
    }

    /// What is in the databases now. Costs next to nothing.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { databases: self.databases.clone() }
    }

    /// Puts what was in the databases at some moment in place of what is in them: a primary starts from its file without the
    /// keys that have expired meanwhile, a replica takes what its primary sends as it is (rdb.c, `rdbLoadRio`). Clients
    /// who watch a key that goes or comes see it as changed.
    pub fn restore(&mut self, now_ms: i64, snapshot: &Snapshot) {
        let old = std::mem::replace(&mut self.databases, snapshot.databases.clone());
        let watched: Vec<(usize, Bytes)> = self.watchers.keys().cloned().collect();
        for (db, key) in watched {
            if old[db].get(&key).is_some() || self.databases[db].get(&key).is_some() {
                self.touch(db, &key);
            }
        }
        self.expire_due(now_ms);
        self.take_effects();
    }
}

/// No replica has told this server what it has: who wraps it knows better.
pub(super) fn wait(call: &mut Call<'_>, words: &[&[u8]]) -> Answer {
    if !call.server.is_primary() {
        return Err(Failure::err(
            "WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured to \
             be writable (which is not the default) writes to replicas are just local and are not propagated.",
        ));
    }
    super::integer::required(words[1])?;
    match super::integer::strict(words[2]) {
        None => Err(Failure::err("timeout is not an integer or out of range")),
        Some(timeout) if timeout < 0 => Err(Failure::err("timeout is negative")),
        Some(_) => Ok(Reply::Int(0)),
    }
}

/// Without offsets, and without addresses.
pub(super) fn role(call: &mut Call<'_>, _: &[&[u8]]) -> Answer {
    Ok(Reply::Array(match call.server.role {
        Role::Primary => vec![Reply::bulk("master"), Reply::Int(0), Reply::Array(Vec::new())],
        Role::Replica => {
            vec![Reply::bulk("slave"), Reply::bulk(""), Reply::Int(0), Reply::bulk("connected"), Reply::Int(0)]
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<&str> {
        line.split(' ').collect()
    }

    fn sent(redis: &mut Redis) -> Vec<String> {
        let line = |effect: Effect| {
            effect.command.iter().map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>().join(" ")
        };
        redis.take_effects().into_iter().map(line).collect()
    }

    #[test]
    fn what_is_sent_does_not_hang_on_when_it_comes() {
        let mut redis = Redis::new().with_effects();
        for (line, effects) in [
            ("SET a 1 PX 500", vec!["SET a 1 PXAT 1500"]),
            ("SET a 2 XX GET KEEPTTL", vec!["SET a 2 XX KEEPTTL"]),
            ("SET a 3 NX", vec![]),
            ("PEXPIRE a 700 GT", vec!["PEXPIREAT a 1700"]),
            ("GETEX a EX 1", vec!["PEXPIREAT a 2000"]),
            ("GETEX a PERSIST", vec!["PERSIST a"]),
            ("PEXPIRE a -1", vec!["DEL a"]),
            ("GETSET a x", vec!["SET a x"]),
            ("GETDEL a", vec!["DEL a"]),
            ("GETDEL a", vec![]),
            ("GET a", vec![]),
            ("INCR n", vec!["INCR n"]),
            (
                "EVAL return{redis.call('incr',KEYS[1]),redis.call('incr',KEYS[1])} 1 n",
                vec!["MULTI", "incr n", "incr n", "EXEC"],
            ),
            ("EVAL return(redis.call('pexpire',KEYS[1],ARGV[1])) 1 n 9", vec!["PEXPIREAT n 1009"]),
            ("ZADD q 1 a", vec!["ZADD q 1 a"]),
            ("ZADD q 1 a", vec![]),
            ("ZPOPMIN q", vec!["ZPOPMIN q"]),
        ] {
            let reply = redis.apply(1_000, 1, &words(line));
            assert!(!matches!(reply, Reply::Error(_)), "{line}: {reply:?}");
            assert_eq!(sent(&mut redis), effects, "{line}");
        }
        redis.apply(1_010, 1, &words("GET n"));
        assert_eq!(sent(&mut redis), ["DEL n"]);
    }

    #[test]
    fn a_transaction_is_sent_whole_and_carried_out_whole() {
        let (mut primary, mut replica) = (Redis::new().with_effects(), Redis::new());
        replica.set_role(Role::Replica);
        for line in ["MULTI", "SET a 1", "EVAL return(redis.call('set',KEYS[1],1,'PX',10)) 1 b", "EXEC"] {
            primary.apply(0, 1, &words(line));
        }
        let effects = primary.take_effects();
        assert_eq!(effects.len(), 4);
        for effect in &effects[..3] {
            replica.replicate(5_000, effect);
        }
        assert_eq!(replica.apply(5_000, 1, &words("DBSIZE")), Reply::Int(0));
        replica.replicate(5_000, &effects[3]);
        assert_eq!(replica.snapshot(), primary.snapshot());
    }

    #[test]
    fn a_replica_hides_what_has_expired_and_removes_it_when_told() {
        let mut replica = Redis::new();
        replica.set_role(Role::Replica);
        let effect =
            |line: &str| Effect { db: 0, command: words(line).iter().map(|word| word.as_bytes().to_vec()).collect() };
        replica.replicate(0, &effect("SET lock me PXAT 100"));
        assert_eq!(replica.apply(100, 1, &words("GET lock")), Reply::bulk("me"));
        assert_eq!(replica.apply(101, 1, &words("GET lock")), Reply::Nil);
        assert_eq!(replica.apply(101, 1, &words("PTTL lock")), Reply::Int(-2));
        assert_eq!((replica.expire_due(101), replica.apply(101, 1, &words("DBSIZE"))), (0, Reply::Int(1)));
        let refused = replica.apply(101, 1, &words("SET lock you NX"));
        assert_eq!(refused, Reply::Error("READONLY You can't write against a read only replica.".to_owned()));
        // For its primary the key is there until the primary removes it.
        assert_eq!(replica.replicate(101, &effect("SETNX lock you")), Reply::Int(0));
        replica.replicate(101, &effect("DEL lock"));
        assert_eq!(replica.apply(101, 1, &words("DBSIZE")), Reply::Int(0));
        replica.set_role(Role::Primary);
        assert!(replica.apply(101, 1, &words("SET lock you NX")).is_ok());
    }

    #[test]
    fn a_restart_brings_back_what_was_stored_but_for_what_has_expired() {
        let mut redis = Redis::new();
        redis.apply(0, 1, &words("INCR fence"));
        let stored = redis.snapshot();
        redis.apply(0, 1, &words("INCR fence"));
        redis.apply(0, 1, &words("SET lock me PX 10"));
        redis.apply(0, 2, &words("WATCH fence"));
        let later = redis.snapshot();
        redis.restore(0, &stored);
        assert_eq!(redis.apply(0, 1, &words("INCR fence")), Reply::Int(2));
        redis.restore(11, &later);
        assert_eq!(redis.apply(11, 1, &words("DBSIZE")), Reply::Int(1));
        redis.apply(11, 2, &words("MULTI"));
        assert_eq!(redis.apply(11, 2, &words("EXEC")), Reply::Nil);
    }
}
