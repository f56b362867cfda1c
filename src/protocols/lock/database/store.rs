//! The database of a server, and what it is told.

use super::command::{Answer, OnRow, Record, Statement as Said, Stay};
use super::statements::{SCHEMA, Statements, parsed};
use super::{Config, Hold, Way};
use crate::protocols::lock::claim::{ClaimId, LockId, Mode};
use crate::servers::postgres::{self, Outcome, Reply, SessionId, Statement, Value};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// The session of whoever needs no connection for long. Those of connections have higher numbers.
pub const SHORT: SessionId = SessionId(0);

/// PostgreSQL with what locks need.
#[derive(Clone, Debug)]
pub struct Store {
    postgres: postgres::Server,
    hold: Option<Hold>,
    statements: Arc<Statements>,
    /// The rows that transactions lock, and that are there already.
    rows: BTreeSet<LockId>,
    /// The last number of the sequence that a record covers.
    logged: i64,
    /// What was answered to statements that had waited, and was not taken from here yet.
    resumed: VecDeque<(SessionId, Reply)>,
}

/// A record of a sequence covers so many numbers that it will give (sequence.c, SEQ_LOG_VALS): after a crash they are
/// skipped.
const LOGGED_AHEAD: i64 = 32;

/// What time it is at the server, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// By the clock that only goes forwards.
    pub monotonic: u64,
    /// How far the clock of `now()` is ahead of it.
    pub ahead: i64,
}

impl Store {
    /// A database with what a disk holds.
    pub fn boot<'a>(config: &Config, now: Now, records: impl Iterator<Item = &'a Record>) -> Store {
        let hold = match config.way {
            Way::Row(_) => None,
            Way::Connected(way) => Some(way.hold),
        };
        let (rows, logged, resumed) = (BTreeSet::new(), 0, VecDeque::new());
        let postgres = postgres::Server::new(postgres::Config::default());
        let statements = Arc::new(Statements::of(config.way));
        let mut store = Store { postgres, hold, statements, rows, logged, resumed };
        let statements = store.statements.clone();
        store.short(now, &parsed(SCHEMA), &[]);
        for record in records {
            match *record {
                Record::Row { lock, owner, token, expires_us } => {
                    let owner = owner.map_or(Value::Null, of_claim);
                    store.short(
                        now,
                        &statements.put,
                        &[of_lock(lock), owner, Value::Int(token), Value::Timestamp(expires_us)],
                    );
                }
                Record::Sequence(upto) => {
                    store.short(now, &statements.set_token, &[Value::Int(upto)]);
                    store.logged = upto;
                }
            }
        }
        store
    }

    /// Carries a statement out.
    fn execute(&mut self, now: Now, session: SessionId, statement: &Statement, parameters: &[Value]) -> Outcome {
        self.postgres.set_clock(now.ahead);
        let answer = self.postgres.execute(now.monotonic, session, statement, parameters);
        self.resumed.extend(answer.resumed);
        answer.outcome
    }

    /// Carries a statement out that waits for nobody: its rows.
    fn short(&mut self, now: Now, statement: &Statement, parameters: &[Value]) -> Vec<Vec<Value>> {
        match self.execute(now, SHORT, statement, parameters) {
            Outcome::Reply(Reply::Rows { rows, .. }) => rows,
            Outcome::Reply(Reply::Count(_) | Reply::Done(_)) => Vec::new(),
            outcome => unreachable!("a statement of this protocol is well formed and waits for nobody: {outcome:?}"),
        }
    }

    /// Does something with the row of a lock. What it is then, if it has changed.
    pub fn on_row(&mut self, now: Now, lock: LockId, what: &OnRow) -> (Answer, Option<Record>) {
        let statements = self.statements.clone();
        let rows = match what {
            OnRow::Take(stay) => self.stay(now, &statements.take, lock, stay),
            OnRow::Seize(stay) => self.stay(now, &statements.seize, lock, stay),
            OnRow::Renew(stay) => self.stay(now, &statements.renew, lock, stay),
            OnRow::Free { owner } => self.short(now, &statements.free, &[of_lock(lock), of_claim(*owner)]),
            OnRow::Look => {
                let rows = self.short(now, &statements.look, &[of_lock(lock)]);
                return (if rows.is_empty() { Answer::Free } else { Answer::Busy }, None);
            }
        };
        let row = rows.first().map(|row| row.as_slice());
        let changed = row.map(|row| match row {
            [Value::Int(token), Value::Timestamp(expires_us), owner] => (*token, *expires_us, to_claim(owner)),
            row => unreachable!("the columns are a counter, a time and an owner: {row:?}"),
        });
        let answer = match (what, changed) {
            (OnRow::Take(_) | OnRow::Seize(_), Some((token, ..))) => Answer::Had(token),
            (OnRow::Take(_) | OnRow::Seize(_), None) => Answer::Busy,
            (OnRow::Renew(_) | OnRow::Free { .. } | OnRow::Look, changed) => Answer::Done(changed.is_some()),
        };
        (answer, changed.map(|(token, expires_us, owner)| Record::Row { lock, owner, token, expires_us }))
    }

    fn stay(&mut self, now: Now, by_clock: &[Statement; 2], lock: LockId, stay: &Stay) -> Vec<Vec<Value>> {
        let ttl = Value::Interval(stay.ttl_us as i64);
        let [by_database, by_client] = by_clock;
        match stay.now_us {
            None => self.short(now, by_database, &[of_lock(lock), of_claim(stay.owner), ttl]),
            Some(now_us) => {
                let its = Value::Timestamp(now_us);
                self.short(now, by_client, &[of_lock(lock), of_claim(stay.owner), ttl, its])
            }
        }
    }

    /// The sequence has given this number. Up to which a record must be written that covers it, if none does.
    pub fn log(&mut self, token: i64) -> Option<i64> {
        if token <= self.logged {
            return None;
        }
        self.logged = token + LOGGED_AHEAD;
        Some(self.logged)
    }

    /// The next number of the sequence, in a transaction by itself.
    pub fn draw(&mut self, now: Now) -> i64 {
        let statements = self.statements.clone();
        match self.short(now, &statements.draw, &[]).first().and_then(|row| row.first()) {
            Some(Value::Int(token)) => *token,
            first => unreachable!("a sequence gives numbers, not {first:?}"),
        }
    }

    /// Who has which lock by its row, in the order of locks.
    pub fn keepers(&mut self, now: Now) -> Vec<(LockId, ClaimId)> {
        let statements = self.statements.clone();
        let rows = self.short(now, &statements.keepers, &[]);
        rows.iter()
            .map(|row| match row.as_slice() {
                [Value::Int(lock), owner] => (LockId(*lock as u32), to_claim(owner).expect("a row that has one")),
                row => unreachable!("the columns are a lock and an owner: {row:?}"),
            })
            .collect()
    }

    /// Somebody connects.
    pub fn open(&mut self, now: Now, session: SessionId) {
        let statements = self.statements.clone();
        self.execute(now, session, &statements.lock_timeout, &[]);
    }

    /// A connection is no more.
    pub fn close(&mut self, now: Now, session: SessionId) {
        self.postgres.set_clock(now.ahead);
        let resumed = self.postgres.disconnect(now.monotonic, session);
        self.resumed.extend(resumed);
    }

    /// Lets time pass.
    pub fn advance(&mut self, now: Now) {
        let resumed = self.postgres.advance(now.monotonic);
        self.resumed.extend(resumed);
    }

    /// When time should pass next, in nanoseconds by the clock that only goes forwards.
    pub fn next_timer(&self) -> Option<u64> {
        self.postgres.next_timer()
    }

    /// The next of those that had waited and were answered.
    pub fn next_resumed(&mut self) -> Option<(SessionId, Reply)> {
        self.resumed.pop_front()
    }

    /// Carries out what was said on a connection; `None` if it waits.
    pub fn say(&mut self, now: Now, session: SessionId, lock: LockId, said: Said) -> Option<Answer> {
        let statements = self.statements.clone();
        let (statement, key) = match (said, self.hold) {
            (Said::Lock(mode), hold) => {
                if hold == Some(Hold::RowLock) {
                    // The rows of all locks have been there from the beginning.
                    if self.rows.insert(lock) {
                        self.short(now, &statements.row, &[of_lock(lock)]);
                    }
                    self.execute(now, session, &statements.begin, &[]);
                }
                (&statements.lock[place(mode)], Some(of_lock(lock)))
            }
            (Said::Token, _) => (&statements.token, None),
            (Said::Unlock(_), Some(Hold::RowLock)) => (&statements.commit, None),
            (Said::Unlock(mode), Some(Hold::Advisory) | None) => (&statements.unlock[place(mode)], Some(of_lock(lock))),
        };
        match self.execute(now, session, statement, key.as_slice()) {
            Outcome::Blocked => None,
            Outcome::Reply(reply) => Some(self.understood(now, session, said, &reply)),
        }
    }

    /// What a reply to a statement means.
    pub fn understood(&mut self, now: Now, session: SessionId, said: Said, reply: &Reply) -> Answer {
        let first = match reply {
            Reply::Rows { rows, .. } => rows.first().and_then(|row| row.first()),
            Reply::Count(_) | Reply::Done(_) => Some(&Value::Void),
            // There is no lock to be had now, or not in this order.
            Reply::Error(error) if matches!(error.code, "55P03" | "40P01") => None,
            Reply::Error(error) => unreachable!("a statement of this protocol is well formed: {error:?}"),
        };
        match (said, first) {
            (Said::Lock(_), None | Some(Value::Bool(false))) => {
                if self.hold == Some(Hold::RowLock) {
                    let statements = self.statements.clone();
                    self.execute(now, session, &statements.rollback, &[]);
                }
                Answer::Busy
            }
            (Said::Lock(_), Some(_)) => Answer::Had(0),
            (Said::Token, Some(Value::Int(token))) => Answer::Token(*token),
            (Said::Unlock(_), first) => Answer::Done(first != Some(&Value::Bool(false))),
            (Said::Token, first) => unreachable!("a sequence gives numbers, not {first:?}"),
        }
    }
}

fn place(mode: Mode) -> usize {
    match mode {
        Mode::Exclusive => 0,
        Mode::Shared => 1,
    }
}

fn of_lock(lock: LockId) -> Value {
    Value::Int(lock.0.into())
}

/// The 64 bits of a claim as a `bigint`, which has a sign.
fn of_claim(claim: ClaimId) -> Value {
    Value::Int(claim.0 as i64)
}

fn to_claim(value: &Value) -> Option<ClaimId> {
    match value {
        Value::Int(claim) => Some(ClaimId(*claim as u64)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Asking, ConnectedConfig, Drawing, RowConfig};
    use super::*;
    use crate::kernel::time::Span;
    use crate::protocols::lock::redis::Timepiece;

    const LOCK: LockId = LockId(7);
    const MINE: ClaimId = ClaimId(u64::MAX);
    const THEIRS: ClaimId = ClaimId(2);

    fn config(way: Way) -> Config {
        Config { way, clock: Timepiece::Wall, poll: (Span::ZERO, Span::ms(1)), patience: Span::ms(100) }
    }

    fn rows() -> Config {
        config(Way::Row(RowConfig { ttl: Span::secs(1), watchdog: false, tokens: true }))
    }

    fn connected(hold: Hold, asking: Asking) -> Config {
        let keepalive = Span::secs(1);
        config(Way::Connected(ConnectedConfig {
            hold,
            asking,
            lock_timeout_ms: 300,
            tokens: Some(Drawing::Alongside),
            server_keepalive: keepalive,
            client_keepalive: keepalive,
        }))
    }

    fn at_ms(ms: u64) -> Now {
        Now { monotonic: ms * 1_000_000, ahead: 0 }
    }

    fn second(owner: ClaimId) -> Stay {
        Stay { owner, ttl_us: 1_000_000, now_us: None }
    }

    #[test]
    fn a_row_is_had_by_one_until_it_expires_and_its_counter_grows() {
        let mut store = Store::boot(&rows(), at_ms(0), [].iter());
        let mut take = |ms, owner| store.on_row(at_ms(ms), LOCK, &OnRow::Take(second(owner))).0;
        assert_eq!(take(0, MINE), Answer::Had(1));
        assert_eq!(take(999, THEIRS), Answer::Busy);
        assert_eq!(take(1_000, THEIRS), Answer::Had(2));
        let mut renew = |ms, owner| store.on_row(at_ms(ms), LOCK, &OnRow::Renew(second(owner))).0;
        assert_eq!(renew(1_500, MINE), Answer::Done(false));
        assert_eq!(renew(1_500, THEIRS), Answer::Done(true));
        assert_eq!(renew(2_500, THEIRS), Answer::Done(false), "it has expired");
        let mut free = |owner| store.on_row(at_ms(2_400), LOCK, &OnRow::Free { owner }).0;
        assert_eq!(free(MINE), Answer::Done(false));
        assert_eq!(free(THEIRS), Answer::Done(true));
        assert_eq!(store.on_row(at_ms(2_400), LOCK, &OnRow::Look).0, Answer::Free);
    }

    #[test]
    fn a_row_expires_by_the_clock_that_can_be_set() {
        let mut store = Store::boot(&rows(), at_ms(0), [].iter());
        store.on_row(at_ms(0), LOCK, &OnRow::Take(second(MINE)));
        let set = Now { ahead: 10_000_000_000, ..at_ms(1) };
        assert_eq!(store.on_row(set, LOCK, &OnRow::Take(second(THEIRS))).0, Answer::Had(2));
        let back = Now { ahead: -10_000_000_000, ..at_ms(20_000) };
        assert_eq!(store.on_row(back, LOCK, &OnRow::Take(second(MINE))).0, Answer::Busy);
    }

    #[test]
    fn what_was_written_down_is_there_after_a_restart() {
        let mut store = Store::boot(&rows(), at_ms(0), [].iter());
        let mut records = Vec::new();
        for (lock, owner) in [(LockId(1), MINE), (LockId(2), THEIRS)] {
            records.extend(store.on_row(at_ms(0), lock, &OnRow::Take(second(owner))).1);
        }
        records.extend(store.on_row(at_ms(1), LockId(2), &OnRow::Free { owner: THEIRS }).1);
        let mut store = Store::boot(&rows(), at_ms(100), records.iter());
        assert_eq!(store.keepers(at_ms(100)), [(LockId(1), MINE)]);
        assert_eq!(store.on_row(at_ms(100), LockId(2), &OnRow::Take(second(MINE))).0, Answer::Had(2));
    }

    #[test]
    fn numbers_of_a_sequence_are_logged_ahead_and_skipped_after_a_crash() {
        let config = connected(Hold::Advisory, Asking::Waiting);
        let mut store = Store::boot(&config, at_ms(0), [].iter());
        assert_eq!(store.say(at_ms(0), SessionId(1), LOCK, Said::Token), Some(Answer::Token(1)));
        assert_eq!(store.log(1), Some(33));
        for token in 2..=33 {
            assert_eq!((store.draw(at_ms(0)), store.log(token)), (token, None), "the first record covers it");
        }
        assert_eq!((store.draw(at_ms(0)), store.log(34)), (34, Some(66)));
        let numbers = [Record::Sequence(33), Record::Sequence(66)];
        for (records, next) in [(&numbers[..1], 34), (&numbers[..], 67)] {
            let mut store = Store::boot(&config, at_ms(0), records.iter());
            assert_eq!((store.draw(at_ms(0)), store.log(next)), (next, Some(next + 32)));
        }
    }

    #[test]
    fn what_a_connection_holds_is_free_when_it_ends() {
        for hold in [Hold::RowLock, Hold::Advisory] {
            let mut store = Store::boot(&connected(hold, Asking::Waiting), at_ms(0), [].iter());
            let [one, two] = [SessionId(1), SessionId(2)];
            store.open(at_ms(0), one);
            store.open(at_ms(0), two);
            let alone = Said::Lock(Mode::Exclusive);
            assert_eq!(store.say(at_ms(0), one, LOCK, alone), Some(Answer::Had(0)));
            assert_eq!(store.say(at_ms(0), two, LOCK, alone), None);
            store.advance(at_ms(300));
            let (session, reply) = store.next_resumed().expect("it waits no longer than lock_timeout");
            assert_eq!((session, store.understood(at_ms(300), two, alone, &reply)), (two, Answer::Busy));
            assert_eq!(store.say(at_ms(300), two, LOCK, alone), None);
            store.close(at_ms(400), one);
            let (session, reply) = store.next_resumed().expect("it is free");
            assert_eq!((session, store.understood(at_ms(400), two, alone, &reply)), (two, Answer::Had(0)));
            assert_eq!(store.say(at_ms(400), two, LOCK, Said::Unlock(Mode::Exclusive)), Some(Answer::Done(true)));
        }
    }

    #[test]
    fn who_does_not_wait_is_told_so_at_once_and_sharers_agree() {
        let ways =
            [(Hold::RowLock, Asking::Trying), (Hold::RowLock, Asking::Skipping), (Hold::Advisory, Asking::Trying)];
        for (hold, asking) in ways {
            let mut store = Store::boot(&connected(hold, asking), at_ms(0), [].iter());
            let mut lock = |session, mode| store.say(at_ms(0), SessionId(session), LOCK, Said::Lock(mode));
            assert_eq!(lock(1, Mode::Shared), Some(Answer::Had(0)));
            assert_eq!(lock(2, Mode::Shared), Some(Answer::Had(0)));
            assert_eq!(lock(3, Mode::Exclusive), Some(Answer::Busy), "{hold:?} {asking:?}");
            assert_eq!(lock(3, Mode::Shared), Some(Answer::Had(0)), "it can ask again");
        }
    }
}
