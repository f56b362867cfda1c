//! The server: its sessions, its clock, and whose turn it is.

use super::ast::Command;
use super::catalogue::Catalogue;
use super::deadlock;
use super::error::Error;
use super::execution::Stop;
use super::heap::{Commit, TableId, Tid, Xact};
use super::lock::{Locks, Tag};
use super::parser;
use super::serializable::Serials;
use super::session::{Journal, Pending, Session, Timer};
use super::settings::Settings;
use super::value::Value;
use super::{Answer, Config, Outcome, Reply, SessionId, Statement};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A PostgreSQL server, reduced to what locks are built on.
///
/// Time is the server's own, in nanoseconds, and never runs backwards: an earlier time is taken for the latest
/// that was told. Timers go by it. `now()` and its kin go by a clock that can be set, see
/// [`set_clock`](Self::set_clock). A statement costs no time. Every call first lets the timers go off that are due by then.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    pub(super) config: Config,
    now: u64,
    /// How far the clock of `now()` is ahead of it, in nanoseconds.
    ahead: i64,
    pub(super) catalogue: Catalogue,
    pub(super) locks: Locks,
    pub(super) serials: Serials,
    /// By the server's own numbers, in the order in which they connected.
    pub(super) sessions: BTreeMap<SessionId, Session>,
    /// The server's own number of each client's session.
    clients: BTreeMap<SessionId, SessionId>,
    next_session: u32,
    /// The sessions of open transactions.
    pub(super) active: BTreeMap<Xact, SessionId>,
    /// How many use the snapshot after each commit.
    pub(super) snapshots: BTreeMap<Commit, u32>,
    /// Versions that a commit has put out of date, oldest first.
    pub(super) dead: VecDeque<(Commit, TableId, Tid)>,
    pub(super) commits: Commit,
    pub(super) next_xact: Xact,
    timers: BTreeMap<(u64, u64), (SessionId, Timer)>,
    next_timer: u64,
    next_pid: i64,
    /// Sessions whose statement may go on.
    ready: VecDeque<SessionId>,
    /// What was answered to statements that had been waiting.
    resumed: Vec<(SessionId, Reply)>,
    /// Why sessions were ended that do not know of it yet.
    ended: BTreeMap<SessionId, Error>,
}

/// Nanoseconds in a millisecond.
const MILLISECOND: u64 = 1_000_000;

impl Server {
    /// An empty server.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            now: 0,
            ahead: 0,
            catalogue: Catalogue::default(),
            locks: Locks::default(),
            serials: Serials::default(),
            sessions: BTreeMap::new(),
            clients: BTreeMap::new(),
            next_session: 0,
            active: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            dead: VecDeque::new(),
            commits: 0,
            next_xact: 700,
            timers: BTreeMap::new(),
            next_timer: 0,
            next_pid: 1000,
            ready: VecDeque::new(),
            resumed: Vec::new(),
            ended: BTreeMap::new(),
        }
    }

    /// Runs a statement of a session, which begins with its first statement. `now_ns` is the time in nanoseconds.
    ///
    /// Where a statement of the session waits still, this one is refused with 08P01, as a client's library does.
    pub fn execute(&mut self, now_ns: u64, session: SessionId, statement: &Statement, parameters: &[Value]) -> Answer {
        self.pass(now_ns);
        let outcome = match self.start(session, statement, parameters) {
            Some(reply) => Outcome::Reply(reply),
            None => Outcome::Blocked,
        };
        self.drain();
        self.answer(session, outcome)
    }

    /// Reads and runs a text. One that is not understood fails the session's transaction.
    pub fn query(&mut self, now_ns: u64, session: SessionId, text: &str) -> Answer {
        match Statement::parse(text) {
            Ok(statement) => self.execute(now_ns, session, &statement, &[]),
            Err(error) => {
                self.pass(now_ns);
                let reply = self.refuse(session, error);
                self.drain();
                self.answer(session, Outcome::Reply(reply))
            }
        }
    }

    /// The connection of a session is gone: its transaction is rolled back, and all its locks are free. Gives
    /// the replies to the statements that could go on because of that.
    ///
    /// A statement that waits does not notice: it keeps its place, and has its effect when its turn comes. Only
    /// then the session ends (`client_connection_check_interval` is 0).
    pub fn disconnect(&mut self, now_ns: u64, session: SessionId) -> Vec<(SessionId, Reply)> {
        self.pass(now_ns);
        if let Some(id) = self.clients.remove(&session) {
            let left = self.session_mut(id);
            left.client = None;
            if left.pending.is_none() {
                self.end(id);
            }
        }
        self.ended.remove(&session);
        self.drain();
        std::mem::take(&mut self.resumed)
    }

    /// Lets time pass: timers that are due go off. Gives the replies to the statements that they ended.
    pub fn advance(&mut self, now_ns: u64) -> Vec<(SessionId, Reply)> {
        self.pass(now_ns);
        std::mem::take(&mut self.resumed)
    }

    /// When the next timer goes off, in nanoseconds.
    pub fn next_timer(&self) -> Option<u64> {
        self.timers.keys().next().map(|(at, _)| *at)
    }

    /// Whether a statement of the session waits.
    pub fn is_blocked(&self, session: SessionId) -> bool {
        self.clients.get(&session).is_some_and(|id| self.waits(*id))
    }

    pub(super) fn waits(&self, id: SessionId) -> bool {
        self.sessions.get(&id).is_some_and(|session| session.pending.is_some())
    }

    /// The sessions that are connected, in the order of their numbers.
    pub fn connected(&self) -> impl Iterator<Item = SessionId> {
        self.clients.keys().copied()
    }

    fn answer(&mut self, session: SessionId, outcome: Outcome) -> Answer {
        let mut resumed = std::mem::take(&mut self.resumed);
        // What a statement of this very call came to is its answer.
        let own = resumed.iter().position(|(other, _)| *other == session);
        match (own, &outcome) {
            (Some(at), Outcome::Blocked) => Answer { outcome: Outcome::Reply(resumed.remove(at).1), resumed },
            _ => Answer { outcome, resumed },
        }
    }

    pub(super) fn now(&self) -> u64 {
        self.now
    }

    /// Sets the clock that `now()` and its kin look at: so many nanoseconds ahead of the server's time, or behind it.
    /// Until this is called, it goes with that.
    pub fn set_clock(&mut self, ahead_ns: i64) {
        self.ahead = ahead_ns;
    }

    /// What the clock shows that can be set, at this time of the server, in microseconds.
    pub(super) fn clock(&self, now_ns: u64) -> i64 {
        i64::try_from(now_ns.saturating_add_signed(self.ahead) / 1_000).unwrap_or(i64::MAX)
    }

    pub(super) fn sessions(&self) -> impl Iterator<Item = (&SessionId, &Session)> {
        self.sessions.iter()
    }

    pub(super) fn session(&self, session: SessionId) -> &Session {
        self.sessions.get(&session).expect("the session is connected")
    }

    pub(super) fn session_mut(&mut self, session: SessionId) -> &mut Session {
        self.sessions.get_mut(&session).expect("the session is connected")
    }

    pub(super) fn pid(&self, session: SessionId) -> i64 {
        self.session(session).pid
    }

    pub(super) fn by_pid(&self, pid: i64) -> Option<SessionId> {
        self.sessions.iter().find(|(_, session)| session.pid == pid).map(|(id, _)| *id)
    }

    /// The session of a client, which begins now if it has none.
    fn connect(&mut self, client: SessionId) -> SessionId {
        if let Some(id) = self.clients.get(&client) {
            return *id;
        }
        self.next_session += 1;
        let id = SessionId(self.next_session);
        self.clients.insert(client, id);
        self.next_pid += 1;
        let session = Session {
            client: Some(client),
            pid: self.next_pid,
            settings: Settings::new(self.config.deadlock_timeout_ms),
            transaction: None,
            pending: None,
            prepared: BTreeMap::new(),
            sequences: BTreeMap::new(),
            last_sequence: None,
            timers: BTreeMap::new(),
            began: self.now,
            query: String::new(),
            query_began: self.now,
            changed: self.now,
        };
        self.sessions.insert(id, session);
        id
    }

    fn start(&mut self, client: SessionId, statement: &Statement, parameters: &[Value]) -> Option<Reply> {
        if let Some(error) = self.ended.remove(&client) {
            return Some(Reply::Error(error));
        }
        let id = self.connect(client);
        if self.waits(id) {
            return Some(Reply::Error(Error::new("08P01", "another command is already in progress")));
        }
        self.disarm(id, &[Timer::IdleInTransaction, Timer::IdleSession]);
        let now = self.now;
        let session = self.session_mut(id);
        session.query.clone_from(&statement.text);
        (session.query_began, session.changed) = (now, now);
        session.pending = Some(Pending {
            commands: Arc::clone(&statement.commands),
            at: 0,
            parameters: parameters.to_vec(),
            snapshot: None,
            journal: Journal::default(),
            began: now,
            granted: None,
            waiting: None,
            slept: false,
            cancelled: None,
        });
        let timeout = session.settings.statement_timeout;
        if timeout > 0 {
            self.arm(id, Timer::Statement, now + timeout * MILLISECOND);
        }
        self.proceed(id)
    }

    /// A text that could not be read.
    fn refuse(&mut self, client: SessionId, error: Error) -> Reply {
        if let Some(error) = self.ended.remove(&client) {
            return Reply::Error(error);
        }
        let id = self.connect(client);
        if self.waits(id) {
            return Reply::Error(Error::new("08P01", "another command is already in progress"));
        }
        self.fail(id);
        Reply::Error(error)
    }

    /// Goes on with the text of a session until it is done, fails or waits (None).
    fn proceed(&mut self, id: SessionId) -> Option<Reply> {
        let mut pending = self.session_mut(id).pending.take().expect("a statement to go on with");
        self.disarm(id, &[Timer::Deadlock, Timer::Lock, Timer::Sleep]);
        pending.waiting = None;
        let mut reply = Reply::Done("");
        loop {
            let result = match (pending.cancelled.take(), pending.commands.get(pending.at)) {
                (Some(error), _) => Err(Stop::Error(error)),
                (None, Some(_)) => self.step(id, &mut pending),
                // The texts' last statement ends the transaction, unless BEGIN has opened it.
                (None, None) => match self.finish_implicit(id) {
                    Ok(()) => break,
                    Err(error) => Err(Stop::Error(error)),
                },
            };
            match result {
                Ok(done) => {
                    reply = done;
                    self.forget_snapshot(&mut pending);
                    pending.at += 1;
                    pending.journal = Journal::default();
                }
                Err(Stop::Wait) => {
                    let is_lock = pending.waiting.is_some();
                    self.session_mut(id).pending = Some(pending);
                    if is_lock {
                        self.arm_for_lock(id);
                    }
                    return None;
                }
                Err(Stop::Error(error)) => {
                    self.forget_snapshot(&mut pending);
                    if error.fatal {
                        self.end(id);
                        return Some(Reply::Error(error));
                    }
                    self.fail(id);
                    reply = Reply::Error(error);
                    break;
                }
            }
        }
        self.rest(id);
        Some(reply)
    }

    /// The session waits for its client.
    fn rest(&mut self, id: SessionId) {
        self.disarm(id, &[Timer::Statement]);
        let now = self.now;
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.changed = now;
        if session.client.is_none() {
            self.end(id);
            return;
        }
        let (timer, timeout) = match session.transaction {
            Some(_) => (Timer::IdleInTransaction, session.settings.idle_in_transaction),
            None => (Timer::IdleSession, session.settings.idle_session),
        };
        if timeout > 0 {
            self.arm(id, timer, now + timeout * MILLISECOND);
        }
    }

    fn arm_for_lock(&mut self, id: SessionId) {
        let (deadlock, lock) = {
            let settings = &self.session(id).settings;
            (settings.deadlock_timeout, settings.lock_timeout)
        };
        self.arm(id, Timer::Deadlock, self.now + deadlock * MILLISECOND);
        if lock > 0 {
            self.arm(id, Timer::Lock, self.now + lock * MILLISECOND);
        }
    }

    fn arm(&mut self, id: SessionId, timer: Timer, at: u64) {
        self.disarm(id, &[timer]);
        self.next_timer += 1;
        let key = (at, self.next_timer);
        self.timers.insert(key, (id, timer));
        self.session_mut(id).timers.insert(timer, key);
    }

    fn disarm(&mut self, id: SessionId, timers: &[Timer]) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        for timer in timers {
            if let Some(key) = session.timers.remove(timer) {
                self.timers.remove(&key);
            }
        }
    }

    pub(super) fn sleep(&mut self, id: SessionId, nanos: u64) {
        self.arm(id, Timer::Sleep, self.now.saturating_add(nanos));
    }

    /// Lets the timers go off until a time, each at its own.
    fn pass(&mut self, until: u64) {
        while let Some((key, (id, timer))) = self.timers.first_key_value().map(|(key, value)| (*key, *value)) {
            if key.0 > until {
                break;
            }
            self.now = self.now.max(key.0);
            self.timers.remove(&key);
            self.session_mut(id).timers.remove(&timer);
            self.on_timer(id, timer);
            self.drain();
        }
        self.now = self.now.max(until);
    }

    fn on_timer(&mut self, id: SessionId, timer: Timer) {
        match timer {
            Timer::Deadlock => match deadlock::check(&mut self.locks, id) {
                Ok(woken) => self.woken(woken),
                Err(()) => self.cancel(id, Error::new("40P01", "deadlock detected")),
            },
            Timer::Lock => self.cancel(id, Error::new("55P03", "canceling statement due to lock timeout")),
            Timer::Statement => self.cancel(id, Error::new("57014", "canceling statement due to statement timeout")),
            Timer::Sleep => {
                if let Some(pending) = &mut self.session_mut(id).pending {
                    pending.slept = true;
                    self.ready.push_back(id);
                }
            }
            Timer::IdleInTransaction => {
                let says = "terminating connection due to idle-in-transaction timeout";
                self.expel(id, Error::fatal("25P03", says));
            }
            Timer::IdleSession => {
                self.expel(id, Error::fatal("57P05", "terminating connection due to idle-session timeout"));
            }
        }
    }

    /// Ends the statement for which a session waits.
    pub(super) fn cancel(&mut self, id: SessionId, error: Error) {
        let Some(pending) = &mut self.session_mut(id).pending else { return };
        // It may have got its lock in this very moment; then it is on its way.
        pending.cancelled = Some(error);
        let woken = self.locks.give_up(id);
        self.woken(woken);
        if !self.ready.contains(&id) {
            self.ready.push_back(id);
        }
    }

    /// Ends an idle session, whose client will hear of it when it speaks next.
    pub(super) fn expel(&mut self, id: SessionId, error: Error) {
        let client = self.session(id).client;
        self.end(id);
        self.ended.extend(client.map(|client| (client, error)));
    }

    /// Those who have just got a lock go on in this order.
    pub(super) fn woken(&mut self, sessions: Vec<SessionId>) {
        for id in sessions {
            let Some(pending) = self.sessions.get_mut(&id).and_then(|session| session.pending.as_mut()) else {
                continue;
            };
            let granted = pending.waiting.take();
            if let Some((tag @ Tag::Transaction(..), mode)) = granted {
                // Nobody keeps the lock of a transaction that has ended.
                let next = self.locks.unlock_transaction(id, tag, mode);
                assert!(next.is_empty(), "who waits for the end of a transaction waits with all others");
            } else {
                pending.granted = granted;
            }
            self.ready.push_back(id);
        }
    }

    /// Lets all go on that can.
    fn drain(&mut self) {
        while let Some(id) = self.ready.pop_front() {
            if !self.waits(id) || self.locks.waits.contains_key(&id) {
                continue;
            }
            let client = self.session(id).client;
            if let Some(reply) = self.proceed(id) {
                self.resumed.extend(client.map(|client| (client, reply)));
            }
        }
    }

    /// Ends a session with all that it has.
    fn end(&mut self, id: SessionId) {
        if !self.sessions.contains_key(&id) {
            return;
        }
        let timers: Vec<Timer> = self.session(id).timers.keys().copied().collect();
        self.disarm(id, &timers);
        if let Some(mut pending) = self.session_mut(id).pending.take() {
            self.forget_snapshot(&mut pending);
        }
        let woken = self.locks.give_up(id);
        self.woken(woken);
        self.roll_back(id);
        let woken = self.locks.release_all(id);
        self.woken(woken);
        let gone = self.sessions.remove(&id);
        if let Some(client) = gone.and_then(|session| session.client) {
            self.clients.remove(&client);
        }
    }
}

impl Statement {
    /// Reads a text, of one statement or several; `$1` stands for the first parameter.
    ///
    /// # Errors
    ///
    /// 42601, when it is not understood.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let commands: Vec<Command> = parser::parse(text)?;
        Ok(Self { text: text.to_owned(), commands: Arc::new(commands) })
    }
}
