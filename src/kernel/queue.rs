//! Pending events ordered by (time, ticket).
//!
//! Equal times come out in the order of their tickets, that is first in, first out. What is
//! sifted is one integer of 16 bytes, `time (64) | ticket (40) | slot (24)`; the payload lies
//! still in a slab. The heap has four children a node and keeps siblings in one cache line.

use super::time::Time;

/// A place in the order of events that happen at one instant: smaller comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Ticket(u64);

/// What comes out of the queue.
#[derive(PartialEq, Eq, Debug)]
#[must_use = "a payload lies in the queue until it is taken"]
pub enum Popped {
    /// A payload that was pushed, to be taken with [`Queue::take`].
    Item(Place),
    /// A bare number that was pushed with [`Queue::push_mark`].
    Mark(u32),
}

/// Where a payload lies whose turn has come.
#[derive(PartialEq, Eq, Debug)]
pub struct Place(u32);

/// A queue of payloads and bare marks.
#[derive(Clone, Debug)]
pub struct Queue<T> {
    heap: Heap,
    slab: Slab<T>,
    tickets: u64,
}

const SLOT_BITS: u32 = 24;
const TICKET_BITS: u32 = 40;
/// The upper half of the slots are marks; so there may be 8,388,608 payloads and as many marks.
const MARK: u32 = 1 << (SLOT_BITS - 1);
/// How many payloads may be pending.
pub const ROOM: usize = MARK as usize;

impl<T> Queue<T> {
    /// An empty queue with room for `capacity` events.
    pub fn with_capacity(capacity: usize) -> Queue<T> {
        Queue { heap: Heap::with_capacity(capacity), slab: Slab::with_capacity(capacity), tickets: 0 }
    }

    /// The next ticket: later than all before.
    ///
    /// # Panics
    /// After 2^40 tickets.
    #[inline]
    pub fn ticket(&mut self) -> Ticket {
        let ticket = self.tickets;
        assert!(ticket < 1 << TICKET_BITS, "the queue has handed out all its tickets");
        self.tickets += 1;
        Ticket(ticket)
    }

    /// Whether a payload has found no room.
    pub fn is_full(&self) -> bool {
        self.slab.slots.len() > ROOM
    }

    /// Adds a payload, after everything that is already there for that time.
    ///
    /// # Panics
    /// With 2^23 payloads pending.
    #[inline(always)]
    pub fn push(&mut self, time: Time, item: T) {
        self.push_with(time, || item);
    }

    /// The same, for a payload that is made where it will lie.
    ///
    /// # Panics
    /// With 2^23 payloads pending.
    #[inline(always)]
    pub fn push_with(&mut self, time: Time, make: impl FnOnce() -> T) {
        let slot = self.slab.put(make);
        assert!(slot < MARK, "more than {MARK} pending events");
        let ticket = self.ticket();
        self.heap.push(key(time, ticket, slot));
    }

    /// Adds a bare mark with a ticket drawn earlier.
    ///
    /// # Panics
    /// If `mark` is 2^23 or more.
    #[inline]
    pub fn push_mark(&mut self, time: Time, ticket: Ticket, mark: u32) {
        assert!(mark < MARK, "mark {mark} does not fit");
        self.heap.push(key(time, ticket, mark | MARK));
    }

    /// Takes the earliest event. A payload stays where it is until it is known what to do with it: a large one is
    /// moved once then, and not from hand to hand.
    #[inline(always)]
    pub fn pop(&mut self) -> Option<(Time, Ticket, Popped)> {
        let key = self.heap.pop()?;
        let slot = key as u32 & ((1 << SLOT_BITS) - 1);
        let ticket = Ticket(key as u64 >> SLOT_BITS);
        let popped = if slot < MARK { Popped::Item(Place(slot)) } else { Popped::Mark(slot - MARK) };
        Some((Time::from_ns((key >> 64) as u64), ticket, popped))
    }

    /// The payload of an event that has come out.
    ///
    /// # Panics
    /// With a place of another queue, if nothing lies there.
    #[inline(always)]
    pub fn at(&self, place: &Place) -> &T {
        self.slab.at(place.0)
    }

    /// Takes the payload of an event that has come out.
    ///
    /// # Panics
    /// With a place of another queue, if nothing lies there.
    #[inline(always)]
    pub fn take(&mut self, place: Place) -> T {
        self.slab.take(place.0)
    }

    /// The time of the earliest event.
    #[inline]
    pub fn next_time(&mut self) -> Option<Time> {
        self.heap.peek().map(|key| Time::from_ns((key >> 64) as u64))
    }

    /// How many events are pending.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The payloads that are pending, in no meaningful order.
    pub fn items(&self) -> impl Iterator<Item = &T> {
        self.slab.slots.iter().filter_map(|slot| match slot {
            Slot::Taken(item) => Some(item),
            Slot::Free(_) => None,
        })
    }
}

#[inline]
fn key(time: Time, ticket: Ticket, slot: u32) -> u128 {
    (u128::from(time.ns()) << 64) | u128::from((ticket.0 << SLOT_BITS) | u64::from(slot))
}

/// Payloads at fixed places; free places form a list through the slab itself.
#[derive(Clone, Debug)]
struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: u32,
}

#[derive(Clone, Debug)]
enum Slot<T> {
    Taken(T),
    Free(u32),
}

const NONE_FREE: u32 = u32::MAX;

impl<T> Slab<T> {
    fn with_capacity(capacity: usize) -> Slab<T> {
        Slab { slots: Vec::with_capacity(capacity), free: NONE_FREE }
    }

    /// The payload is made when nothing can fail any more: then it need not be made elsewhere and moved.
    #[inline(always)]
    fn put(&mut self, make: impl FnOnce() -> T) -> u32 {
        if self.free == NONE_FREE {
            self.grow();
        }
        let place = self.free;
        let slot = &mut self.slots[place as usize];
        match slot {
            Slot::Free(next) => self.free = *next,
            Slot::Taken(_) => unreachable!("a taken place in the list of free ones"),
        }
        // What was there has nothing to drop.
        std::mem::forget(std::mem::replace(slot, Slot::Taken(make())));
        place
    }

    #[cold]
    fn grow(&mut self) {
        self.free = self.slots.len() as u32;
        self.slots.push(Slot::Free(NONE_FREE));
    }

    #[inline(always)]
    fn at(&self, place: u32) -> &T {
        match &self.slots[place as usize] {
            Slot::Taken(item) => item,
            Slot::Free(_) => unreachable!("place {place} is free"),
        }
    }

    #[inline(always)]
    fn take(&mut self, place: u32) -> T {
        match std::mem::replace(&mut self.slots[place as usize], Slot::Free(self.free)) {
            Slot::Taken(item) => {
                self.free = place;
                item
            }
            Slot::Free(_) => unreachable!("place {place} was taken twice"),
        }
    }
}

/// A heap of keys, smallest first, four children a node.
///
/// Positions count keys in `lines`; the root is at position 3, the last of line 0. The four
/// children of position `p` fill line `p - 2`, so a sift touches one cache line a level.
/// Places without a key hold the largest key: the least of four siblings needs no bounds test.
///
/// Taking the least leaves a hole at the root, which the next push fills in one downward pass:
/// a handler that takes one event and adds one pays for one sift, not two.
#[derive(Clone, Debug)]
struct Heap {
    lines: Vec<Line>,
    /// Position after the last key.
    end: usize,
    hole: bool,
}

#[repr(align(64))]
#[derive(Clone, Copy, Debug)]
struct Line([u128; 4]);

const EMPTY: Line = Line([u128::MAX; 4]);
const ROOT: usize = 3;

impl Heap {
    fn with_capacity(capacity: usize) -> Heap {
        let mut lines = Vec::with_capacity(capacity / 4 + 2);
        lines.push(EMPTY);
        Heap { lines, end: ROOT, hole: false }
    }

    fn len(&self) -> usize {
        self.end - ROOT - usize::from(self.hole)
    }

    #[inline]
    fn push(&mut self, key: u128) {
        if self.hole {
            self.hole = false;
            self.sift_down(key);
        } else {
            if self.end == 4 * self.lines.len() {
                self.lines.push(EMPTY);
            }
            self.end += 1;
            self.sift_up(self.end - 1, key);
        }
    }

    #[inline(always)]
    fn peek(&mut self) -> Option<u128> {
        if self.hole {
            self.close_hole();
        }
        (self.end > ROOT).then(|| self.lines[0].0[ROOT])
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<u128> {
        let least = self.peek()?;
        self.hole = true;
        Some(least)
    }

    /// Moves the last key into the hole.
    fn close_hole(&mut self) {
        self.hole = false;
        self.end -= 1;
        let place = &mut self.lines[self.end / 4].0[self.end % 4];
        let last = std::mem::replace(place, u128::MAX);
        if self.end > ROOT {
            self.sift_down(last);
        }
    }

    #[inline]
    fn sift_up(&mut self, mut position: usize, key: u128) {
        while position > ROOT {
            let parent = position / 4 + 2;
            let above = self.lines[parent / 4].0[parent % 4];
            if above <= key {
                break;
            }
            self.lines[position / 4].0[position % 4] = above;
            position = parent;
        }
        self.lines[position / 4].0[position % 4] = key;
    }

    /// Puts `key` in the place of the root.
    #[inline]
    fn sift_down(&mut self, key: u128) {
        let lines = &mut self.lines[..];
        let (mut line, mut place) = (ROOT / 4, ROOT % 4);
        let mut below = ROOT - 2;
        while let Some(children) = lines.get(below) {
            let (least_place, least) = least_of(&children.0);
            if least >= key {
                break;
            }
            lines[line].0[place % 4] = least;
            (line, place) = (below, least_place);
            below = 4 * line + place - 2;
        }
        lines[line].0[place % 4] = key;
    }
}

/// The least of four keys and where it is. Their times nearly always tell, in half as many words; that
/// compiles to conditional moves.
#[inline]
fn least_of(keys: &[u128; 4]) -> (usize, u128) {
    let [a, b, c, d] = keys.map(|key| (key >> 64) as u64);
    let (left, left_place) = if b < a { (b, 1) } else { (a, 0) };
    let (right, right_place) = if d < c { (d, 3) } else { (c, 2) };
    if a == b || c == d || left == right {
        return least_by_ticket(keys);
    }
    let place = if right < left { right_place } else { left_place };
    (place, keys[place])
}

/// The same, for keys of one time.
#[cold]
fn least_by_ticket(keys: &[u128; 4]) -> (usize, u128) {
    let place = (0..4).min_by_key(|place| keys[*place]).expect("four keys");
    (place, keys[place])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    /// The next payload, or mark, and its time.
    fn pop<T>(queue: &mut Queue<T>) -> Option<(u64, Result<T, u32>)> {
        let (time, _, popped) = queue.pop()?;
        let popped = match popped {
            Popped::Item(place) => Ok(queue.take(place)),
            Popped::Mark(mark) => Err(mark),
        };
        Some((time.ns(), popped))
    }

    /// The standard library's heap is the twin: same pushes and pops, same answers.
    #[test]
    fn the_heap_agrees_with_the_standard_one() {
        let mut state = 7_u64;
        let mut draw = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        };
        for round in 0..200 {
            let mut queue = Queue::with_capacity(0);
            let mut twin = BinaryHeap::new();
            for ordinal in 0..500_u64 {
                if draw() % 100 < 40 + round / 10 {
                    let time = draw() % 50;
                    queue.push(Time::from_ns(time), ordinal);
                    twin.push(Reverse((time, ordinal)));
                } else if draw() % 4 == 0 {
                    let next = twin.peek().map(|Reverse((time, _))| Time::from_ns(*time));
                    assert_eq!(queue.next_time(), next);
                } else {
                    let ours = pop(&mut queue);
                    let theirs = twin.pop().map(|Reverse((time, item))| (time, Ok(item)));
                    assert_eq!(ours, theirs);
                }
                assert_eq!(queue.len(), twin.len());
            }
        }
    }

    #[test]
    fn equal_times_come_out_first_in_first_out_marks_by_their_ticket() {
        let mut queue = Queue::with_capacity(4);
        let early = queue.ticket();
        queue.push(Time::from_ns(5), 'a');
        queue.push(Time::from_ns(5), 'b');
        queue.push_mark(Time::from_ns(5), early, 9);
        let order: Vec<_> = std::iter::from_fn(|| pop(&mut queue)).collect();
        assert_eq!(order, [(5, Err(9)), (5, Ok('a')), (5, Ok('b'))]);
    }
}
