//! What is replicated of locks on leases: the keys and leases of etcd, and who stands where in which queue.

use super::Config;
use super::command::{Answer, Key, Write};
use super::rules::Rules;
use crate::kernel::time::{Span, Time};
use crate::protocols::lock::claim::{ClaimId, LockId};
use crate::servers::etcd::bytes::{Bytes, KeyRange};
use crate::servers::etcd::error::Error;
use crate::servers::etcd::lessor::{Lease, Settings};
use crate::servers::etcd::request::{Compare, CompareResult, DeleteRange, Op, Put, Range, Target, Txn};
use crate::servers::etcd::state::{Applied, Command, Reply, State};
use crate::servers::etcd::store::{Event, EventKind};
use std::collections::BTreeMap;

/// The state of the service.
#[derive(Clone, Debug)]
pub struct Machine {
    /// As etcd keeps it.
    pub etcd: State,
    /// The same keys, by lock and by the revision at which they were created. So it costs O(log n) to find who is ahead
    /// of a key, where etcd looks at all of them.
    queues: BTreeMap<(LockId, i64), Key>,
    /// When each of them was created: the event of a removal does not say so.
    created: BTreeMap<Key, i64>,
    /// How many keys each lease has in the queues.
    owned: BTreeMap<i64, usize>,
    /// A key that has outlived its lease, if there ever was one.
    orphan: Option<Key>,
    expires_at_apply: bool,
    /// The time of this server's own clock, which only its leader looks at.
    now: Time,
}

impl Machine {
    /// No leases, no keys.
    pub fn new(config: &Config, rules: &Rules) -> Machine {
        let checkpoints = (rules.checkpoints)(config.checkpoints);
        let mut etcd = State::new(Settings { checkpoints, ..Settings::default() });
        let expires_at_apply = (rules.expires_at_apply)();
        if expires_at_apply {
            etcd.lessor.promote(Time::ZERO, Span::ZERO);
        }
        let (queues, created, owned) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Machine { etcd, queues, created, owned, orphan: None, expires_at_apply, now: Time::ZERO }
    }

    /// What time it is by the server's own monotonic clock.
    pub fn tell_time(&mut self, now: Time) {
        self.now = now;
    }

    /// What time it was said to be.
    pub fn now(&self) -> Time {
        self.now
    }

    /// What goes into a snapshot: nobody knows from it when a lease runs out. Source: `lease.lessor.initAndRecover`, which reads how
    /// long each lives.
    pub fn replicated(&self) -> Machine {
        let mut machine = Machine { now: Time::ZERO, ..self.clone() };
        if !self.expires_at_apply {
            machine.etcd.lessor.demote();
        }
        machine
    }

    /// Takes over what is in a snapshot.
    pub fn restore(&mut self, whole: &Machine) {
        let now = self.now;
        self.clone_from(whole);
        self.now = now;
    }

    /// A key that has outlived its lease.
    pub fn orphan(&self) -> Option<Key> {
        self.orphan
    }

    /// The first key of a lock: whose it is has the lock.
    pub fn first(&self, lock: LockId) -> Option<Key> {
        self.queues.range((lock, i64::MIN)..=(lock, i64::MAX)).next().map(|(_, key)| *key)
    }

    /// The claims that hold locks since these events: of a key that came, if it is the first; of one that went, who is it now.
    pub fn keepers(&self, events: &[Event]) -> impl Iterator<Item = (LockId, ClaimId)> {
        events.iter().filter_map(|event| {
            let key = Key::parse(&event.kv.key)?;
            let first = self.first(key.lock)?;
            (event.kind == EventKind::Delete || first == key).then_some((first.lock, first.claim))
        })
    }

    /// Applies a command, and tells what has changed.
    pub fn apply(&mut self, write: &Write) -> (Answer, Vec<Event>) {
        let mut events = Vec::new();
        if self.expires_at_apply {
            for id in self.etcd.lessor.due(self.now, usize::MAX) {
                events
                    .extend(self.carry_out(&Command::Revoke { id }).map(|applied| applied.events).unwrap_or_default());
            }
        }
        let answer = match write {
            Write::Grant { lease, ttl } => match self.carry_out(&Command::Grant { id: *lease, ttl: *ttl }) {
                Ok(Applied { reply: Reply::Grant { ttl, .. }, .. }) => Answer::Lives(ttl),
                Ok(_) | Err(_) => Answer::NoLease,
            },
            Write::Join(key) => match self.carry_out(&join(key)) {
                Ok(applied) => {
                    events.extend(applied.events);
                    self.place(key)
                }
                Err(_) => Answer::NoLease,
            },
            Write::Look(key) => self.place(key),
            Write::Leave(key) => {
                let keys = KeyRange::one(key.name());
                let gone = self.carry_out(&Command::DeleteRange(DeleteRange { keys, ..DeleteRange::default() }));
                let removed = gone.map(|applied| applied.events).unwrap_or_default();
                let was_there = !removed.is_empty();
                events.extend(removed);
                Answer::Gone(was_there)
            }
            Write::Revoke { lease } => match self.carry_out(&Command::Revoke { id: *lease }) {
                Ok(applied) => {
                    events.extend(applied.events);
                    Answer::Done
                }
                Err(_) => Answer::NoLease,
            },
            Write::Checkpoint { lease, remaining } => {
                let checkpoint = crate::servers::etcd::primary::Checkpoint { id: *lease, remaining: *remaining };
                let noted = self.carry_out(&Command::Checkpoint(vec![checkpoint]));
                let lives = self.etcd.lessor.lease(*lease).map_or(0, Lease::ttl);
                noted.map_or(Answer::NoLease, |_| Answer::Lives(lives))
            }
        };
        self.compact();
        (answer, events)
    }

    /// Forgets old revisions now and then, on all servers alike.
    fn compact(&mut self) {
        let revision = self.etcd.store.revision() - REVISIONS_KEPT;
        if revision >= self.etcd.store.compacted() + REVISIONS_KEPT {
            self.etcd.store.compact(revision).expect("it is past, and later than the last");
        }
    }

    /// Lets etcd do it, and keeps the queues as its keys are.
    fn carry_out(&mut self, command: &Command) -> Result<Applied, Error> {
        let applied = self.etcd.apply(self.now, command)?;
        for event in &applied.events {
            let Some(key) = Key::parse(&event.kv.key) else { continue };
            match event.kind {
                EventKind::Put => {
                    self.queues.insert((key.lock, event.kv.create), key);
                    self.created.insert(key, event.kv.create);
                    *self.owned.entry(key.lease).or_default() += 1;
                }
                EventKind::Delete => self.dequeue(&key),
            }
        }
        if let Command::Revoke { id } = command
            && self.owned.contains_key(id)
        {
            self.orphan = self.queues.values().find(|key| key.lease == *id).copied();
        }
        Ok(applied)
    }

    fn dequeue(&mut self, key: &Key) {
        let Some(created) = self.created.remove(key) else { return };
        self.queues.remove(&(key.lock, created));
        if let Some(count) = self.owned.get_mut(&key.lease) {
            *count -= 1;
            if *count == 0 {
                self.owned.remove(&key.lease);
            }
        }
    }

    fn place(&self, key: &Key) -> Answer {
        let revision = self.etcd.store.revision();
        let name = Bytes::from(key.name());
        let Some(mine) = self.etcd.store.get(&name).map(|kv| kv.create) else {
            return Answer::Place { mine: None, ahead: None, revision };
        };
        let ahead = self.queues.range((key.lock, i64::MIN)..(key.lock, mine)).next_back().map(|(_, key)| *key);
        let first = ahead.and_then(|_| self.first(key.lock));
        Answer::Place { mine: Some(mine), ahead: first.zip(ahead), revision }
    }
}

/// So many revisions can be read or watched from, and at most twice as many are kept.
const REVISIONS_KEPT: i64 = 1_000;

/// The recipe's transaction: put the key if it was never created, else look at it.
fn join(key: &Key) -> Command {
    let name = Bytes::from(key.name());
    let absent = Compare { keys: KeyRange::one(name.clone()), target: Target::Create(0), result: CompareResult::Equal };
    let put = Put { key: name.clone(), lease: key.lease, ..Put::default() };
    let get = Range { keys: KeyRange::one(name), ..Range::default() };
    Command::Txn(Txn { compare: vec![absent], success: vec![Op::Put(put)], failure: vec![Op::Range(get)] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::lock::kind::Kind;
    use crate::systems::{self, BuiltIn, lock::lock_plan};

    #[test]
    fn a_snapshot_says_how_long_a_lease_lives_but_not_until_when() {
        let text = "(squall: 1, system: Lock(kind: Lease()), workload: (until: \"1s\"))";
        let scenario = systems::parse::<BuiltIn>("it.ron", text).unwrap_or_else(|wrong| panic!("{wrong}"));
        let plan = lock_plan(&systems::plan(&scenario, "it", 0));
        let Kind::Lease(config) = &plan.system.kind else { panic!("another kind") };
        let server = |at: Span| {
            let mut machine = Machine::new(config, &Rules::SOUND);
            machine.tell_time(Time::ZERO + at);
            machine
        };
        let (mut leader, mut other) = (server(Span::secs(9)), server(Span::secs(4)));
        leader.etcd.lessor.promote(leader.now(), Span::ZERO);
        leader.apply(&Write::Grant { lease: 7, ttl: 5 });
        assert_eq!(leader.etcd.lessor.expiry(7), Some(Time::ZERO + Span::secs(14)));
        other.restore(&leader.replicated());
        assert_eq!(other.etcd.lessor.lease(7).map(|lease| lease.remaining()), Some(5));
        assert_eq!((other.etcd.lessor.expiry(7), other.now()), (None, Time::ZERO + Span::secs(4)));
    }
}
