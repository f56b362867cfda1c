//! Does a waiting session wait for itself? Source: `src/backend/storage/lmgr/deadlock.c`.

use super::SessionId;
use super::lock::{Locks, Tag, conflicts};
use std::collections::{BTreeMap, BTreeSet};

/// That one who waits should stand before another in a queue.
type Swap = (Tag, SessionId, SessionId);

/// Whether `session` is part of a circle of waiters that no reordering of a queue breaks.
///
/// A circle that rests on the order of a queue alone is broken by letting one go before the other: the
/// queues are then reordered, and the second part of the answer says who got in.
pub(super) fn check(locks: &mut Locks, session: SessionId) -> Result<Vec<SessionId>, ()> {
    if !locks.waits.get(&session).is_some_and(|tag| leads_back(locks, *tag)) {
        return Ok(Vec::new());
    }
    let mut swaps = Vec::new();
    if !resolve(locks, session, &mut swaps, 0) {
        return Err(());
    }
    let mut woken = Vec::new();
    for (tag, ..) in &swaps {
        woken.extend(locks.wake(*tag));
    }
    Ok(woken)
}

/// Whether a holder of a lock waits, perhaps by way of others, for the lock itself. Without that there is no
/// circle, however long the queues are: who stands in one waits for those ahead and for the holders only.
fn leads_back(locks: &Locks, start: Tag) -> bool {
    let (mut seen, mut work) = (BTreeSet::from([start]), vec![start]);
    while let Some(tag) = work.pop() {
        for holder in locks.locks[&tag].holders.keys() {
            match locks.waits.get(holder) {
                Some(next) if *next == start => return true,
                Some(next) if seen.insert(*next) => work.push(*next),
                _ => {}
            }
        }
    }
    false
}

/// Reorders queues until there is no circle. False: impossible.
fn resolve(locks: &mut Locks, session: SessionId, swaps: &mut Vec<Swap>, depth: usize) -> bool {
    let Some(soft) = circle(locks, session) else { return true };
    if depth > 8 {
        return false;
    }
    for swap in soft {
        let before = locks.clone();
        if reorder(locks, swap) {
            swaps.push(swap);
            let all_free = swaps
                .clone()
                .iter()
                .all(|(_, one, other)| circle(locks, *one).is_none() && circle(locks, *other).is_none());
            if all_free && resolve(locks, session, swaps, depth + 1) {
                return true;
            }
            swaps.pop();
        }
        *locks = before;
    }
    false
}

fn reorder(locks: &mut Locks, (tag, waiter, blocker): Swap) -> bool {
    let Some(lock) = locks.locks.get_mut(&tag) else { return false };
    let place = |session: SessionId| lock.queue.iter().position(|waiter| waiter.session == session);
    let (Some(from), Some(to)) = (place(waiter), place(blocker)) else { return false };
    if from < to {
        return false;
    }
    let moved = lock.queue.remove(from).expect("the place is in the queue");
    lock.queue.insert(to, moved);
    true
}

/// The soft edges of a circle through `start`: those that rest on the order of a queue. None: no circle.
fn circle(locks: &Locks, start: SessionId) -> Option<Vec<Swap>> {
    let mut visited = BTreeSet::new();
    let mut explored = BTreeMap::new();
    let mut path = Vec::new();
    walk(locks, start, &mut visited, &mut explored, &mut path).then_some(path)
}

/// Whether some way leads from `at` to `start`. The soft edges of the way are put into `path`.
///
/// Every queue is gone through once for each mode that is wished for in it.
fn walk(
    locks: &Locks,
    start: SessionId,
    visited: &mut BTreeSet<SessionId>,
    explored: &mut BTreeMap<(Tag, u8), usize>,
    path: &mut Vec<Swap>,
) -> bool {
    // What is still to be looked at: who, his place if it is known, the edge to him, and how long the path was there.
    let mut work = vec![(start, None, None::<Swap>, 0_usize)];
    while let Some((session, known, edge, length)) = work.pop() {
        path.truncate(length);
        path.extend(edge);
        if session == start && !visited.is_empty() {
            return true;
        }
        if !visited.insert(session) {
            continue;
        }
        let Some(tag) = locks.waits.get(&session) else { continue };
        let lock = &locks.locks[tag];
        let find = || lock.queue.iter().position(|waiter| waiter.session == session);
        // Who was reached through another queue than the one he stands in has to be looked for.
        let known = known.filter(|place: &usize| lock.queue.get(*place).is_some_and(|one| one.session == session));
        let place = known.or_else(find).expect("a waiter stands in the queue");
        let mode = lock.queue[place].mode;
        let length = path.len();
        let from = explored.get(&(*tag, mode)).copied();
        for (at, waiter) in lock.queue.iter().enumerate().take(place).skip(from.unwrap_or(0)) {
            if conflicts(mode, 1 << waiter.mode) {
                work.push((waiter.session, Some(at), Some((*tag, session, waiter.session)), length));
            }
        }
        explored.insert((*tag, mode), from.unwrap_or(0).max(place));
        for (holder, held) in lock.holders.iter().filter(|_| from.is_none() || session == start) {
            if *holder != session && conflicts(mode, *held) {
                work.push((*holder, None, None, length));
            }
        }
    }
    false
}
