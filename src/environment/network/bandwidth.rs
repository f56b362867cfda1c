//! Links that carry one message at a time: who comes later waits, and who finds too many waiting is dropped.

use crate::kernel::chance::LONGEST;
use crate::kernel::time::{Span, Time};

/// How much a link carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Bandwidth {
    /// Bytes a second.
    pub(super) rate: u64,
    /// How many bytes may wait.
    pub(super) queue: u64,
}

impl Bandwidth {
    /// The narrower one.
    pub(super) fn and(self, other: Bandwidth) -> Bandwidth {
        if (other.rate, other.queue) < (self.rate, self.queue) { other } else { self }
    }
}

const SECOND: u128 = 1_000_000_000;

/// Until when each link is busy. No memory before the first message that takes time.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    busy_until: Vec<u64>,
}

impl Lines {
    /// Queues a message of so many bytes on one link of `count`. Answers how long it takes to leave; `None` if
    /// it is dropped. What has left is under way, and no longer waits.
    pub(super) fn enter(
        &mut self,
        bandwidth: Bandwidth,
        link: usize,
        count: usize,
        now: Time,
        size: u64,
    ) -> Option<Span> {
        if self.busy_until.is_empty() {
            self.busy_until.resize(count, 0);
        }
        let busy_until = &mut self.busy_until[link];
        let wait = busy_until.saturating_sub(now.ns());
        // Both sides in billionths of a byte.
        if u128::from(wait) * u128::from(bandwidth.rate) > u128::from(bandwidth.queue) * SECOND {
            return None;
        }
        let service = (u128::from(size) * SECOND).div_ceil(u128::from(bandwidth.rate));
        let leaves = (u128::from(wait) + service).min(u128::from(LONGEST.as_ns())) as u64;
        *busy_until = now.ns().saturating_add(leaves);
        Some(Span::ns(leaves))
    }
}
