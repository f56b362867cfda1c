//! Sessions that speak to a model of the server as those of the recording spoke to the real one.

use super::step::{self, Asked, Create, Part};
use crate::servers::zookeeper::error::Error;
use crate::servers::zookeeper::operation::{Mode, Operation, Reply, Stamp, Transaction};
use crate::servers::zookeeper::query::{Answer, Query, answer};
use crate::servers::zookeeper::sessions::{SessionTracker, password_of};
use crate::servers::zookeeper::tree::{Tree, TtlNodes};
use crate::servers::zookeeper::watches::{Event, EventKind, WatchKind, WatchMode, Watches};
use crate::servers::zookeeper::znode::{SessionId, Stat, Zxid};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The time-out that sessions ask for where a transcript says nothing, in milliseconds.
pub(super) const TIMEOUT_MS: u64 = 10_000;

/// The tick of the recorded server.
const TICK_MS: u64 = 200;

/// The node that clients see as `/`.
const ROOT: &str = "/run";

/// Who made that node.
const KEEPER: SessionId = SessionId(u64::MAX);

/// The only server.
const SERVER: u64 = 1;

/// Later than any conversation.
const END_MS: u64 = 1 << 50;

/// A server, and the sessions that are spoken of by their numbers.
pub(super) struct Player {
    tree: Tree,
    watches: Watches,
    tracker: SessionTracker,
    now_ms: u64,
    timeout_ms: u64,
    sessions: BTreeMap<u64, Session>,
    /// Which number a session had, also of those that are gone.
    numbers: BTreeMap<SessionId, u64>,
    /// The session that is told, and what.
    told: Vec<(SessionId, Value)>,
}

#[derive(Clone, Copy)]
struct Session {
    id: SessionId,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Connected,
    /// Nothing is heard of the client any more.
    Dead,
    Closed,
}

impl Player {
    pub(super) fn new(timeout_ms: u64) -> Player {
        let mut player = Player {
            tree: Tree::new(TtlNodes::Refused),
            watches: Watches::new(),
            tracker: SessionTracker::new(TICK_MS),
            now_ms: 0,
            timeout_ms,
            sessions: BTreeMap::new(),
            numbers: BTreeMap::new(),
            told: Vec::new(),
        };
        player.apply(KEEPER, &Transaction::OpenSession { timeout_ms }).expect("a session");
        let mode = Mode::Persistent { sequential: false };
        let root = Operation::Create { path: Arc::from(ROOT), data: Arc::from([]), mode };
        player.apply(KEEPER, &Transaction::One(root)).expect("a node of its own");
        player
    }

    /// Lets time pass. Sessions that are connected are heard of all the while.
    pub(super) fn wait(&mut self, wait_ms: u64) -> Result<(), String> {
        let end_ms = self.now_ms.checked_add(wait_ms).filter(|end| *end < END_MS).ok_or("`wait_ms` is too long")?;
        while let Some(at_ms) = self.next_expiry_ms().filter(|at| *at <= end_ms) {
            self.be_heard(at_ms);
            for session in self.tracker.expire(at_ms) {
                self.close(session);
            }
        }
        self.be_heard(end_ms);
        Ok(())
    }

    /// When the first of the dead expires.
    fn next_expiry_ms(&self) -> Option<u64> {
        let is_dead = |id| self.sessions.values().any(|session| session.id == id && session.state == State::Dead);
        self.tracker.iter().filter(|(id, _)| is_dead(*id)).map(|(_, at_ms)| at_ms).min()
    }

    fn be_heard(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        for session in self.sessions.values().filter(|session| session.state == State::Connected) {
            self.tracker.touch(now_ms, session.id).expect("a session that is heard of lives");
        }
    }

    /// What the watches have told since this was asked last.
    pub(super) fn events(&mut self) -> Vec<Value> {
        self.told.drain(..).map(|(_, event)| event).collect()
    }

    /// A session asks. One that is new connects first.
    pub(super) fn ask(&mut self, number: u64, asked: &Asked) -> Value {
        let session = self.sessions.get(&number).copied().unwrap_or_else(|| self.open(number));
        match (session.state, asked) {
            (State::Connected, Asked::Open) => done(),
            (State::Dead | State::Closed, Asked::Open) => {
                self.open(number);
                done()
            }
            (State::Dead, Asked::Reattach) => self.reattach(number, session.id),
            (State::Closed, Asked::Close) => done(),
            (State::Closed, _) => failure("ConnectionClosed"),
            (State::Dead, _) => failure("ConnectionLoss"),
            (State::Connected, Asked::Close) => {
                self.close(session.id);
                self.leave(number, Session { state: State::Closed, ..session })
            }
            (State::Connected, Asked::Die) => {
                self.watches.forget(session.id);
                self.leave(number, Session { state: State::Dead, ..session })
            }
            (State::Connected, Asked::Reattach) => done(),
            (State::Connected, asked) => self.answer(session.id, asked),
        }
    }

    fn open(&mut self, number: u64) -> Session {
        let id = SessionId(u64::try_from(self.numbers.len()).expect("not many") + 1);
        self.numbers.insert(id, number);
        let timeout_ms = self.tracker.negotiate(self.timeout_ms);
        self.tracker.open(self.now_ms, id, timeout_ms, SERVER);
        self.apply(id, &Transaction::OpenSession { timeout_ms }).expect("a session");
        let session = Session { id, state: State::Connected };
        self.sessions.insert(number, session);
        session
    }

    fn reattach(&mut self, number: u64, id: SessionId) -> Value {
        match self.tracker.reattach(self.now_ms, id, password_of(id), self.timeout_ms, SERVER) {
            Ok(_) => {
                self.sessions.insert(number, Session { id, state: State::Connected });
                done()
            }
            Err(error) => failure(error.name()),
        }
    }

    /// A client is there no more; nobody asks it any more what it was told.
    fn leave(&mut self, number: u64, session: Session) -> Value {
        self.told.retain(|(told, _)| *told != session.id);
        self.sessions.insert(number, session);
        done()
    }

    /// The end of a session. Its own watches may tell, but it does not listen any more.
    fn close(&mut self, id: SessionId) {
        self.watches.forget(id);
        self.tracker.begin_closing(id);
        self.apply(id, &Transaction::CloseSession).expect("closing is never refused");
        self.tracker.remove(id);
    }

    fn apply(&mut self, session: SessionId, transaction: &Transaction) -> Result<Reply, Error> {
        let zxid = Zxid(self.tree.last().0 + 1);
        let outcome = self.tree.apply(Stamp { zxid, time_ms: self.now_ms, session }, transaction);
        for event in outcome.changes.iter().flat_map(|change| self.watches.fire(change)) {
            self.told.push((event.session, told(&self.numbers, &event)));
        }
        outcome.reply
    }

    fn answer(&mut self, session: SessionId, asked: &Asked) -> Value {
        let transaction = match asked {
            Asked::Create(create) | Asked::Create2(create) => {
                Transaction::One(operation_of_create(create, full(&create.path, create.sequence)))
            }
            Asked::Delete(delete) => Transaction::One(operation_of_delete(delete)),
            Asked::Set(set) => Transaction::One(operation_of_set(set)),
            Asked::Multi { ops } => Transaction::Multi(ops.iter().map(operation).collect()),
            _ => return self.query(session, asked),
        };
        self.tracker.check(session, SERVER).expect("a session that is heard of lives");
        let result = self.apply(session, &transaction);
        self.told_of_change(result, matches!(asked, Asked::Create2(_)))
    }

    fn query(&mut self, session: SessionId, asked: &Asked) -> Value {
        let query = match asked {
            Asked::Get(read) => Query::Get { path: full(&read.path, false), watch: read.watch },
            Asked::Exists(read) => Query::Exists { path: full(&read.path, false), watch: read.watch },
            Asked::Children(read) => Query::Children { path: full(&read.path, false), watch: read.watch },
            Asked::Sync { path } => Query::Sync { path: full(path, false) },
            Asked::AddWatch { path, mode } => {
                let mode = match mode {
                    step::Mode::Persistent => WatchMode::Persistent,
                    step::Mode::PersistentRecursive => WatchMode::PersistentRecursive,
                };
                Query::AddWatch { path: full(path, false), mode }
            }
            Asked::RemoveWatches { path } => Query::RemoveWatches { path: full(path, false), kind: WatchKind::Any },
            _ => unreachable!("what is no question is not asked here"),
        };
        match answer(&self.tree, &mut self.watches, session, &query) {
            Ok(Answer::Done) => done(),
            Ok(Answer::Data(data, stat)) => {
                json!({ "data": String::from_utf8_lossy(&data), "stat": self.stat(&stat) })
            }
            Ok(Answer::Stat(stat)) => json!({ "stat": self.stat(&stat) }),
            Ok(Answer::Children(children, stat)) => {
                json!({ "children": children.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), "cversion": stat.cversion })
            }
            Ok(Answer::Synced(path)) => json!({ "path": seen(&path) }),
            Ok(answer @ (Answer::Count(_) | Answer::Ephemerals(_))) => unreachable!("{answer:?} was not asked for"),
            Err(Error::NoNode) if matches!(query, Query::Exists { .. }) => json!({ "stat": null }),
            Err(error) => failure(error.name()),
        }
    }

    fn told_of_change(&self, result: Result<Reply, Error>, with_stat: bool) -> Value {
        match result {
            Ok(Reply::Done) => done(),
            Ok(Reply::Created { path, stat }) if with_stat => json!({ "path": seen(&path), "stat": self.stat(&stat) }),
            Ok(Reply::Created { path, .. }) => json!({ "path": seen(&path) }),
            Ok(Reply::Set(stat)) => json!({ "stat": self.stat(&stat) }),
            Ok(Reply::Multi(results)) => {
                let told = results.into_iter().map(|result| self.told_of_change(result, false));
                json!({ "results": told.collect::<Vec<_>>() })
            }
            Err(error) => failure(error.name()),
        }
    }

    fn stat(&self, stat: &Stat) -> Value {
        json!({
            "version": stat.version,
            "cversion": stat.cversion,
            "numChildren": stat.num_children,
            "dataLength": stat.data_length,
            "ephemeral": stat.ephemeral_owner.map(|owner| self.numbers.get(&owner)),
        })
    }
}

fn operation(part: &Part) -> Operation {
    match part {
        // In a multi the client leaves out the empty name at the end of a sequential node's path too.
        Part::Create(create) => operation_of_create(create, full(&create.path, false)),
        Part::Delete(delete) => operation_of_delete(delete),
        Part::Set(set) => operation_of_set(set),
        Part::Check(check) => Operation::Check { path: full(&check.path, false), version: demanded(check.version) },
    }
}

fn operation_of_create(create: &Create, path: Arc<str>) -> Operation {
    let sequential = create.sequence;
    let mode = match create.ttl_ms {
        Some(ttl_ms) => Mode::Ttl { ttl_ms, sequential },
        None if create.container => Mode::Container,
        None if create.ephemeral => Mode::Ephemeral { sequential },
        None => Mode::Persistent { sequential },
    };
    Operation::Create { path, data: bytes(create.data.as_deref()), mode }
}

fn operation_of_delete(delete: &step::Delete) -> Operation {
    Operation::Delete { path: full(&delete.path, false), version: demanded(delete.version) }
}

fn operation_of_set(set: &step::Set) -> Operation {
    Operation::Set { path: full(&set.path, false), data: bytes(set.data.as_deref()), version: demanded(set.version) }
}

/// -1 stands for any version.
fn demanded(version: Option<i32>) -> Option<i32> {
    version.filter(|version| *version != -1)
}

fn bytes(text: Option<&str>) -> Arc<[u8]> {
    Arc::from(text.unwrap_or_default().as_bytes())
}

/// A client's path as the server sees it. kazoo leaves out empty names, but for the last one of a sequential
/// node: that is all number.
fn full(path: &str, sequential: bool) -> Arc<str> {
    let names = path.split('/').filter(|name| !name.is_empty());
    let mut full = names.fold(ROOT.to_owned(), |full, name| full + "/" + name);
    if sequential && path.ends_with('/') {
        full.push('/');
    }
    Arc::from(full)
}

/// A path of the server as a client sees it: what follows the root, whether a slash comes first or not.
fn seen(path: &str) -> &str {
    match path.strip_prefix(ROOT) {
        Some("") => "/",
        Some(rest) => rest,
        None => path,
    }
}

fn told(numbers: &BTreeMap<SessionId, u64>, event: &Event) -> Value {
    let kind = match event.kind {
        EventKind::Created => "CREATED",
        EventKind::Deleted => "DELETED",
        EventKind::Changed => "CHANGED",
        EventKind::Child => "CHILD",
    };
    json!({ "session": numbers.get(&event.session), "type": kind, "path": seen(&event.path) })
}

fn done() -> Value {
    json!({ "ok": true })
}

fn failure(name: &str) -> Value {
    json!({ "error": name })
}
