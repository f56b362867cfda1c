//! The lock manager: who has which lock, who waits for it, and in what order they are let in.
//!
//! Source: `src/backend/storage/lmgr/lock.c` and `proc.c`; the table of modes: manual, section 13.3.

use super::SessionId;
use super::heap::{TableId, Tid, Xact};
use std::collections::{BTreeMap, VecDeque};

/// What can be locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tag {
    Relation(TableId),
    /// The end of a transaction, or of what it did since a savepoint: it holds this lock until then.
    Transaction(Xact, u32),
    /// The place at the head of those who wait for a row.
    Tuple(TableId, Tid),
    /// An advisory lock by one number of 64 bits.
    Advisory(i64),
    /// An advisory lock by two numbers of 32 bits; never the same as one of 64.
    AdvisoryPair(i32, i32),
}

/// A mode, 1 (ACCESS SHARE) to 8 (ACCESS EXCLUSIVE).
pub(super) type Mode = u8;
pub(super) const ACCESS_SHARE: Mode = 1;
pub(super) const ROW_SHARE: Mode = 2;
pub(super) const ROW_EXCLUSIVE: Mode = 3;
pub(super) const SHARE: Mode = 5;
pub(super) const EXCLUSIVE: Mode = 7;
pub(super) const ACCESS_EXCLUSIVE: Mode = 8;

/// The modes that conflict with each, as bits; bit n stands for mode n.
const CONFLICTS: [u16; 9] = [
    0,
    1 << 8,
    1 << 7 | 1 << 8,
    1 << 5 | 1 << 6 | 1 << 7 | 1 << 8,
    1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8,
    1 << 3 | 1 << 4 | 1 << 6 | 1 << 7 | 1 << 8,
    1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8,
    1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8,
    0x1fe,
];

/// How long a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Until it is unlocked or the session ends.
    Session,
    /// Until the transaction ends, or rolls back to a savepoint before this part of it.
    Transaction(u32),
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Granted,
    /// Only asked for without waiting.
    Refused,
    Queued,
    /// Waiting would close a circle of two: no need to wait for the timer.
    Deadlock,
}

/// One who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiter {
    pub(super) session: SessionId,
    pub(super) mode: Mode,
    scope: Scope,
}

/// A lock that somebody has or waits for.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Lock {
    /// How many sessions have each mode.
    granted: [u32; 9],
    /// How many wait for each mode.
    waiting: [u32; 9],
    /// The modes that each session has, as bits.
    pub(super) holders: BTreeMap<SessionId, u16>,
    pub(super) queue: VecDeque<Waiter>,
}

/// How often a session has a lock in one mode.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
struct Hold {
    session: u32,
    /// Parts of the transaction, with how often each took it.
    transaction: Vec<(u32, u32)>,
}

/// All locks of the server.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Locks {
    pub(super) locks: BTreeMap<Tag, Lock>,
    held: BTreeMap<SessionId, BTreeMap<(Tag, Mode), Hold>>,
    /// What each waiting session waits for.
    pub(super) waits: BTreeMap<SessionId, Tag>,
}

pub(super) fn conflicts(mode: Mode, held: u16) -> bool {
    CONFLICTS[usize::from(mode)] & held != 0
}

fn bits(counts: &[u32; 9]) -> u16 {
    counts.iter().enumerate().filter(|(_, count)| **count > 0).map(|(mode, _)| 1 << mode).sum()
}

impl Lock {
    /// The modes that others than this session have.
    fn held_by_others(&self, session: SessionId) -> u16 {
        let mine = self.holders.get(&session).copied().unwrap_or(0);
        let count = |mode: usize| self.granted[mode] - u32::from(mine >> mode & 1);
        (1..9).filter(|mode| count(*mode) > 0).map(|mode| 1 << mode).sum()
    }

    /// Where in the queue a session has to stand, which may already have some modes. `Err` says that
    /// it need not wait after all, or that it must not.
    fn place(&self, session: SessionId, mode: Mode) -> Result<usize, Answer> {
        let mine = self.holders.get(&session).copied().unwrap_or(0);
        let mut ahead = 0_u16;
        for (at, waiter) in self.queue.iter().enumerate().filter(|_| mine != 0) {
            // He waits for us: we must go before him (ProcSleep in proc.c).
            if conflicts(waiter.mode, mine) {
                let his = self.holders.get(&waiter.session).copied().unwrap_or(0);
                if conflicts(mode, his) {
                    return Err(Answer::Deadlock);
                }
                if !conflicts(mode, ahead) && !conflicts(mode, self.held_by_others(session)) {
                    return Err(Answer::Granted);
                }
                return Ok(at);
            }
            ahead |= 1 << waiter.mode;
        }
        Ok(self.queue.len())
    }

    fn is_idle(&self) -> bool {
        self.holders.is_empty() && self.queue.is_empty()
    }
}

impl Locks {
    /// Asks for a lock. Who has it in this mode already gets it once more.
    pub(super) fn acquire(&mut self, session: SessionId, tag: Tag, mode: Mode, scope: Scope, wait: bool) -> Answer {
        if self.has(session, tag, mode) {
            self.count(session, tag, mode, scope);
            return Answer::Granted;
        }
        let lock = self.locks.entry(tag).or_default();
        let queued = conflicts(mode, bits(&lock.waiting));
        let taken = conflicts(mode, lock.held_by_others(session));
        let place = match (queued || taken, wait) {
            (false, _) => Err(Answer::Granted),
            // Without waiting nobody goes before a queue either (LockAcquireExtended, dontWait).
            (true, false) => Err(Answer::Refused),
            (true, true) => lock.place(session, mode),
        };
        match place {
            Ok(at) => {
                lock.queue.insert(at, Waiter { session, mode, scope });
                lock.waiting[usize::from(mode)] += 1;
                self.waits.insert(session, tag);
                Answer::Queued
            }
            Err(Answer::Granted) => {
                self.grant(session, tag, mode, scope);
                Answer::Granted
            }
            Err(answer) => {
                self.tidy(tag);
                answer
            }
        }
    }

    /// Gives a lock to who is known to get it.
    pub(super) fn grant(&mut self, session: SessionId, tag: Tag, mode: Mode, scope: Scope) {
        if !self.has(session, tag, mode) {
            let lock = self.locks.entry(tag).or_default();
            lock.granted[usize::from(mode)] += 1;
            *lock.holders.entry(session).or_default() |= 1 << mode;
        }
        self.count(session, tag, mode, scope);
    }

    pub(super) fn has(&self, session: SessionId, tag: Tag, mode: Mode) -> bool {
        self.locks.get(&tag).and_then(|lock| lock.holders.get(&session)).is_some_and(|held| held >> mode & 1 == 1)
    }

    fn count(&mut self, session: SessionId, tag: Tag, mode: Mode, scope: Scope) {
        let hold = self.held.entry(session).or_default().entry((tag, mode)).or_default();
        match scope {
            Scope::Session => hold.session += 1,
            Scope::Transaction(sub) => match hold.transaction.last_mut() {
                Some((last, count)) if *last == sub => *count += 1,
                _ => hold.transaction.push((sub, 1)),
            },
        }
    }

    /// Gives up one hold that lasts as long as the session. None: there was none. Else: who got in.
    pub(super) fn unlock(&mut self, session: SessionId, tag: Tag, mode: Mode) -> Option<Vec<SessionId>> {
        let hold = self.held.get_mut(&session)?.get_mut(&(tag, mode))?;
        hold.session = hold.session.checked_sub(1)?;
        Some(self.settle(session, tag, mode))
    }

    /// Gives up one hold of the transaction.
    pub(super) fn unlock_transaction(&mut self, session: SessionId, tag: Tag, mode: Mode) -> Vec<SessionId> {
        let hold = self.held.get_mut(&session).and_then(|held| held.get_mut(&(tag, mode)));
        let Some((hold, count)) = hold.and_then(|hold| {
            let count = hold.transaction.last().map(|(_, count)| *count)?;
            Some((hold, count))
        }) else {
            return Vec::new();
        };
        if count == 1 {
            hold.transaction.pop();
        } else if let Some((_, count)) = hold.transaction.last_mut() {
            *count -= 1;
        }
        self.settle(session, tag, mode)
    }

    /// Gives up all advisory locks that last as long as the session.
    pub(super) fn unlock_all(&mut self, session: SessionId) -> Vec<SessionId> {
        self.release(session, |tag, hold| {
            if matches!(tag, Tag::Advisory(_) | Tag::AdvisoryPair(..)) {
                hold.session = 0;
            }
        })
    }

    /// Gives up what the transaction holds, from a part of it on: 0 is all.
    pub(super) fn release_transaction(&mut self, session: SessionId, from: u32) -> Vec<SessionId> {
        self.release(session, |_, hold| hold.transaction.retain(|(sub, _)| *sub < from))
    }

    /// Gives up everything.
    pub(super) fn release_all(&mut self, session: SessionId) -> Vec<SessionId> {
        self.release(session, |_, hold| *hold = Hold::default())
    }

    fn release(&mut self, session: SessionId, mut change: impl FnMut(Tag, &mut Hold)) -> Vec<SessionId> {
        let Some(held) = self.held.get_mut(&session) else { return Vec::new() };
        let mut free = Vec::new();
        for ((tag, mode), hold) in held.iter_mut() {
            change(*tag, hold);
            if hold.session == 0 && hold.transaction.is_empty() {
                free.push((*tag, *mode));
            }
        }
        free.into_iter().flat_map(|(tag, mode)| self.settle(session, tag, mode)).collect()
    }

    /// Frees a lock that is no longer held, and lets in who waits.
    fn settle(&mut self, session: SessionId, tag: Tag, mode: Mode) -> Vec<SessionId> {
        let Some(held) = self.held.get_mut(&session) else { return Vec::new() };
        let gone = held.get(&(tag, mode)).is_some_and(|hold| hold.session == 0 && hold.transaction.is_empty());
        if !gone {
            return Vec::new();
        }
        held.remove(&(tag, mode));
        if held.is_empty() {
            self.held.remove(&session);
        }
        if let Some(lock) = self.locks.get_mut(&tag) {
            lock.granted[usize::from(mode)] -= 1;
            let left = lock.holders.get(&session).copied().unwrap_or(0) & !(1 << mode);
            if left == 0 {
                lock.holders.remove(&session);
            } else {
                lock.holders.insert(session, left);
            }
        }
        self.wake(tag)
    }

    /// Takes a session out of the queue in which it stands. Says who got in because of that.
    pub(super) fn give_up(&mut self, session: SessionId) -> Vec<SessionId> {
        let Some(tag) = self.waits.remove(&session) else { return Vec::new() };
        let lock = self.locks.get_mut(&tag).expect("a lock that is waited for is there");
        let at = lock.queue.iter().position(|waiter| waiter.session == session).expect("a waiter stands in the queue");
        let waiter = lock.queue.remove(at).expect("the place is in the queue");
        lock.waiting[usize::from(waiter.mode)] -= 1;
        self.wake(tag)
    }

    /// Lets in all who need not wait any more, from the head of the queue (ProcLockWakeup).
    pub(super) fn wake(&mut self, tag: Tag) -> Vec<SessionId> {
        let mut woken = Vec::new();
        let Some(lock) = self.locks.get_mut(&tag) else { return woken };
        let (mut ahead, mut at) = (0_u16, 0);
        while at < lock.queue.len() {
            let blocked = ahead | bits(&lock.granted);
            // Nobody further back has a chance: the head alone is looked at when all want the same.
            if ahead != 0 && (1..9).all(|mode| lock.waiting[mode] == 0 || conflicts(mode as Mode, blocked)) {
                break;
            }
            let waiter = lock.queue[at];
            let free = !conflicts(waiter.mode, ahead) && !conflicts(waiter.mode, lock.held_by_others(waiter.session));
            if !free {
                ahead |= 1 << waiter.mode;
                at += 1;
                continue;
            }
            lock.queue.remove(at);
            lock.waiting[usize::from(waiter.mode)] -= 1;
            lock.granted[usize::from(waiter.mode)] += 1;
            *lock.holders.entry(waiter.session).or_default() |= 1 << waiter.mode;
            self.waits.remove(&waiter.session);
            let hold = self.held.entry(waiter.session).or_default().entry((tag, waiter.mode)).or_default();
            match waiter.scope {
                Scope::Session => hold.session += 1,
                Scope::Transaction(sub) => hold.transaction.push((sub, 1)),
            }
            woken.push(waiter.session);
        }
        self.tidy(tag);
        woken
    }

    fn tidy(&mut self, tag: Tag) {
        if self.locks.get(&tag).is_some_and(Lock::is_idle) {
            self.locks.remove(&tag);
        }
    }

    /// Everybody who has a lock in some mode, in the order of locks, sessions and modes.
    pub(super) fn granted(&self) -> impl Iterator<Item = (Tag, SessionId, Mode)> {
        self.locks.iter().flat_map(|(tag, lock)| {
            lock.holders.iter().flat_map(move |(session, held)| {
                (1..9).filter(move |mode| held >> mode & 1 == 1).map(move |mode| (*tag, *session, mode))
            })
        })
    }
}
