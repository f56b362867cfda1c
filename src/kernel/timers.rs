//! Timers as deadlines: re-arming overwrites a number, it does not touch the queue.
//!
//! A timer has at most one useful entry in the queue. When that entry surfaces before the
//! deadline it is pushed again with the deadline and the ticket of the arming, so that timers
//! fire in exactly the order they would if every arming had pushed an entry of its own.

use super::queue::{Queue, Ticket};
use super::time::Time;

/// The deadlines of all timers of a world, by dense number.
#[derive(Clone, Debug)]
pub struct Deadlines {
    slots: Vec<Deadline>,
}

#[derive(Clone, Copy, Debug)]
struct Deadline {
    /// When and in which order the timer fires; `None` while it is not armed.
    due: Option<(Time, Ticket)>,
    /// The entry in the queue that speaks for this timer.
    queued: Option<(Time, Ticket)>,
}

impl Deadlines {
    /// Room for so many timers, none armed.
    pub fn with_slots(count: usize) -> Deadlines {
        Deadlines { slots: vec![Deadline { due: None, queued: None }; count] }
    }

    /// Sets the deadline, replacing an earlier one.
    #[inline]
    pub fn arm<T>(&mut self, queue: &mut Queue<T>, timer: u32, due: Time) {
        let due = (due, queue.ticket());
        let slot = &mut self.slots[timer as usize];
        slot.due = Some(due);
        // An entry that lies behind the new deadline would surface too late.
        if slot.queued.is_none_or(|queued| due < queued) {
            slot.queued = Some(due);
            queue.push_mark(due.0, due.1, timer);
        }
    }

    /// Takes the deadline away.
    #[inline]
    pub fn disarm(&mut self, timer: u32) {
        self.slots[timer as usize].due = None;
    }

    /// When the timer is due, if it is armed.
    pub fn due(&self, timer: u32) -> Option<Time> {
        self.slots[timer as usize].due.map(|due| due.0)
    }

    /// To be told of every mark that comes out of the queue. Answers whether the timer fires
    /// now; it is then no longer armed.
    #[inline]
    pub fn surfaced<T>(&mut self, queue: &mut Queue<T>, timer: u32, entry: (Time, Ticket)) -> bool {
        let slot = &mut self.slots[timer as usize];
        if slot.queued != Some(entry) {
            return false;
        }
        if slot.due == Some(entry) {
            (slot.due, slot.queued) = (None, None);
            return true;
        }
        slot.queued = slot.due;
        if let Some((time, ticket)) = slot.due {
            queue.push_mark(time, ticket, timer);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::queue::Popped;
    use super::*;

    /// Against the twin that pushes an entry for every arming and ignores the stale ones.
    #[test]
    fn deadlines_fire_when_and_in_the_order_that_eager_arming_would() {
        let mut state = 1_u64;
        let mut draw = move |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % n
        };
        for _ in 0..100 {
            let (mut queue, mut deadlines) = (Queue::<()>::with_capacity(0), Deadlines::with_slots(8));
            let mut eager = Queue::<(u32, u64)>::with_capacity(0);
            let mut armed = [None; 8];
            let (mut fired, mut expected) = (Vec::new(), Vec::new());
            let mut now = Time::ZERO;
            for arming in 0..400 {
                let timer = draw(8) as u32;
                if draw(5) == 0 {
                    deadlines.disarm(timer);
                    armed[timer as usize] = None;
                } else {
                    let due = Time::from_ns(now.ns() + draw(30));
                    deadlines.arm(&mut queue, timer, due);
                    eager.push(due, (timer, arming));
                    armed[timer as usize] = Some(arming);
                }
                now = Time::from_ns(now.ns() + draw(6));
                while queue.next_time().is_some_and(|next| next <= now) {
                    let (time, ticket, Popped::Mark(timer)) = queue.pop().expect("peeked") else { panic!() };
                    if deadlines.surfaced(&mut queue, timer, (time, ticket)) {
                        fired.push((time, timer));
                    }
                }
                while eager.next_time().is_some_and(|next| next <= now) {
                    let (time, _, Popped::Item(place)) = eager.pop().expect("peeked") else { panic!() };
                    let (timer, arming) = eager.take(place);
                    if armed[timer as usize] == Some(arming) {
                        armed[timer as usize] = None;
                        expected.push((time, timer));
                    }
                }
            }
            assert_eq!(fired, expected);
            assert!(queue.len() <= 16, "re-arming must not fill the queue: {}", queue.len());
        }
    }
}
