//! Some hands to try many things at once: the first in order that succeeds wins, whoever was first in time.

#![expect(
    clippy::disallowed_methods,
    reason = "candidates are tried on several threads; what comes of them is the same"
)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// Tries the items in order, several at a time, and answers what came of each up to the first success, which is the
/// last answer then. `None`: it was stopped before that was known.
///
/// `goes_on` is asked again and again, in the thread of the caller.
pub(super) fn until_one<T: Sync, R: Send>(
    hands: usize,
    items: &[T],
    attempt: impl Fn(&T) -> R + Sync,
    is_success: impl Fn(&R) -> bool + Sync,
    goes_on: &mut dyn FnMut() -> bool,
) -> Option<Vec<R>> {
    let (next, first, stopped) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX), AtomicBool::new(false));
    let work = |goes_on: &mut dyn FnMut() -> bool| {
        let mut own = Vec::new();
        loop {
            if !goes_on() {
                stopped.store(true, Ordering::Relaxed);
            }
            let place = next.fetch_add(1, Ordering::Relaxed);
            // What stands behind a success is of no interest.
            if place >= items.len() || place > first.load(Ordering::Relaxed) || stopped.load(Ordering::Relaxed) {
                return own;
            }
            let result = attempt(&items[place]);
            if is_success(&result) {
                first.fetch_min(place, Ordering::Relaxed);
            }
            own.push((place, result));
        }
    };
    let mut all = if hands.min(items.len()) < 2 {
        work(goes_on)
    } else {
        thread::scope(|scope| {
            let others: Vec<_> = (1..hands.min(items.len())).map(|_| scope.spawn(|| work(&mut || true))).collect();
            let mut all = work(goes_on);
            // A panic is a bug of ours, and goes on in the thread of the caller.
            all.extend(
                others.into_iter().flat_map(|other| other.join().unwrap_or_else(|bug| std::panic::resume_unwind(bug))),
            );
            all
        })
    };
    if stopped.load(Ordering::Relaxed) {
        return None;
    }
    all.sort_by_key(|(place, _)| *place);
    let upto = first.load(Ordering::Relaxed);
    Some(all.into_iter().take_while(|(place, _)| *place <= upto).map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_in_order_wins_with_any_number_of_hands() {
        let items: Vec<u64> = (0..1_000).collect();
        for hands in [1, 2, 5] {
            let mut asked = 0;
            let found = until_one(hands, &items, |item| item * 3, |triple| *triple >= 1_500, &mut || {
                asked += 1;
                true
            });
            assert_eq!(found.map(|all| (all.len(), all.last().copied())), Some((501, Some(1_500))));
            assert!(asked > 0);
            let none = until_one(hands, &items, |item| *item, |_| false, &mut || true);
            assert_eq!(none, Some(items.clone()));
            assert_eq!(until_one(hands, &items, |item| *item, |_| false, &mut || false), None);
        }
    }
}
