//! The lock that etcd's own client makes of keys: its requests, and what to read from their answers.
//!
//! Each contender puts a key of its own under a common prefix, with its lease. The key that was created first holds,
//! and everybody else waits for the one just before its own to go. Source: `clientv3/concurrency` of etcd 3.4.

use super::bytes::{Bytes, KeyRange};
use super::request::{Compare, CompareResult, DeleteRange, KeyValue, Op, OpReply, Put, Range, RangeReply};
use super::request::{SortOrder, SortTarget, Target, Txn, TxnReply};
use super::watchers::Watch;

/// One contender for a lock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contender {
    prefix: Bytes,
    key: Bytes,
    lease: i64,
}

/// How a contender stands after it has entered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// The revision at which its key was created. It rises from one holder to the next, whatever fails in between:
    /// it can serve as a fencing token.
    pub token: i64,
    /// Whether its key is the oldest: it holds the lock as long as its lease lives.
    pub holds: bool,
}

impl Contender {
    /// The contender that goes by `lease`, for the lock `name`. A lease has one key: it cannot contend twice.
    pub fn new(name: &str, lease: i64) -> Contender {
        let prefix = Bytes::from(format!("{name}/"));
        Contender { key: Bytes::from(format!("{prefix}{lease:x}")), prefix, lease }
    }

    /// Its key.
    pub fn key(&self) -> &Bytes {
        &self.key
    }

    /// Enters, unless it is in already, and looks who is first.
    pub fn enter(&self) -> Txn {
        let put = Put { key: self.key.clone(), lease: self.lease, ..Put::default() };
        let get = Range { keys: KeyRange::one(self.key.clone()), ..Range::default() };
        Txn {
            compare: vec![self.created_at(0)],
            success: vec![Op::Put(put), Op::Range(self.created(SortOrder::Ascend))],
            failure: vec![Op::Range(get), Op::Range(self.created(SortOrder::Ascend))],
        }
    }

    /// What the answer to [`enter`](Contender::enter) says; nothing if it is no answer to it.
    pub fn standing(reply: &TxnReply) -> Option<Standing> {
        let [mine, OpReply::Range(first)] = &reply.responses[..] else { return None };
        let token = match mine {
            OpReply::Put(put) => put.revision,
            OpReply::Range(range) => range.kvs.first()?.create,
            OpReply::DeleteRange(_) | OpReply::Txn(_) => return None,
        };
        Some(Standing { token, holds: first.kvs.first().is_none_or(|kv| kv.create == token) })
    }

    /// Asks for the one just before: the newest key that was there before this contender's. To be asked again when
    /// that one is gone, for it may have given up while others still wait before it.
    pub fn ahead(&self, token: i64) -> Range {
        Range { max_create: token - 1, ..self.created(SortOrder::Descend) }
    }

    /// How to wait for the one before, if the answer to [`ahead`](Contender::ahead) has any: from the revision of that
    /// answer on, so that nothing is missed in between. If there is none, it is this contender's turn, but its own
    /// key may be gone by now: see [`still`](Contender::still).
    pub fn wait(reply: &RangeReply) -> Option<Watch> {
        let KeyValue { key, .. } = reply.kvs.first()?;
        Some(Watch { keys: KeyRange::one(key.clone()), start: reply.revision, no_put: true, ..Watch::default() })
    }

    /// Holds as long as the contender's key is the one that it entered with. To be compared when the wait is over, and
    /// in each transaction that the lock shall guard.
    pub fn still(&self, token: i64) -> Compare {
        self.created_at(token)
    }

    /// Leaves.
    pub fn leave(&self) -> DeleteRange {
        DeleteRange { keys: KeyRange::one(self.key.clone()), prev_kv: false }
    }

    fn created_at(&self, revision: i64) -> Compare {
        let (keys, target) = (KeyRange::one(self.key.clone()), Target::Create(revision));
        Compare { keys, target, result: CompareResult::Equal }
    }

    /// The oldest or the newest key of all contenders.
    fn created(&self, order: SortOrder) -> Range {
        let keys = KeyRange::prefix(self.prefix.clone());
        Range { keys, target: SortTarget::Create, order, limit: 1, ..Range::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::Time;
    use crate::servers::etcd::server::Server;
    use crate::servers::etcd::state::{Command, Reply};
    use crate::servers::etcd::store::EventKind;
    use crate::servers::etcd::watchers::Told;

    fn call(server: &mut Server, command: Command) -> Reply {
        server.call(Time::ZERO, &command).expect("it is accepted")
    }

    fn enter(server: &mut Server, contender: &Contender) -> Standing {
        let Reply::Txn(reply) = call(server, Command::Txn(contender.enter())) else {
            panic!("no answer to a transaction")
        };
        Contender::standing(&reply).expect("an answer to an entry")
    }

    /// What a contender waits for, if there is anybody before it.
    fn wait(server: &mut Server, contender: &Contender, token: i64) -> Option<Watch> {
        Contender::wait(&server.range(Time::ZERO, &contender.ahead(token)).expect("it can be read"))
    }

    #[test]
    fn each_waits_for_the_one_before_and_tokens_rise() {
        let mut server = Server::default();
        let contenders = [0x193, 0x191, 0x192].map(|lease| Contender::new("lock", lease));
        let tokens = contenders.each_ref().map(|contender| {
            call(&mut server, Command::Grant { id: contender.lease, ttl: 60 });
            enter(&mut server, contender).token
        });
        assert_eq!((contenders[0].key().to_string(), tokens), ("lock/193".to_owned(), [2, 3, 4]));
        assert_eq!(enter(&mut server, &contenders[0]), Standing { token: 2, holds: true });
        assert_eq!(enter(&mut server, &contenders[2]), Standing { token: 4, holds: false });
        assert_eq!(wait(&mut server, &contenders[0], tokens[0]), None);
        let watch = wait(&mut server, &contenders[2], tokens[2]).expect("the second is before the third");
        assert_eq!(watch.keys, KeyRange::one("lock/191"));
        server.watch(Time::ZERO, 1, watch);
        server.take_told();

        // The second gives up: the third hears of it, and now waits for the first.
        call(&mut server, Command::Revoke { id: 0x191 });
        let told = server.take_told();
        let [(1, Told::Changed(changes))] = &told[..] else { panic!("{told:?}") };
        assert_eq!(changes[0].event.kind, EventKind::Delete);
        let watch = wait(&mut server, &contenders[2], tokens[2]).expect("the first holds");
        assert_eq!(watch.keys, KeyRange::one("lock/193"));
        call(&mut server, Command::DeleteRange(contenders[0].leave()));
        assert_eq!(wait(&mut server, &contenders[2], tokens[2]), None);
        assert!(enter(&mut server, &contenders[2]).holds);
    }

    /// The turn comes, but the lease has run out while waiting: only a look at the own key tells.
    #[test]
    fn a_turn_that_comes_too_late_is_no_turn() {
        let mut server = Server::default();
        let contender = Contender::new("lock", 7);
        call(&mut server, Command::Grant { id: 7, ttl: 60 });
        let Standing { token, .. } = enter(&mut server, &contender);
        let check = |server: &mut Server| {
            let compare = vec![contender.still(token)];
            let reply = call(server, Command::Txn(Txn { compare, ..Txn::default() }));
            matches!(reply, Reply::Txn(TxnReply { succeeded: true, .. }))
        };
        assert!(check(&mut server));
        call(&mut server, Command::Revoke { id: 7 });
        assert_eq!(wait(&mut server, &contender, token), None);
        assert!(!check(&mut server));
        call(&mut server, Command::Grant { id: 7, ttl: 60 });
        assert!(enter(&mut server, &contender).token > token);
        assert!(!check(&mut server), "it is another entry");
    }
}
