//! A node's own clocks, as seen from true time.
//!
//! The monotonic clock starts at zero with the run and drifts; the wall clock is the same with
//! an offset. All arithmetic is exact: a timer fires at the first true nanosecond at which the
//! node's monotonic clock has reached the deadline.

use super::plan;
use crate::kernel::time::{Span, Time};

const MILLION: u128 = 1_000_000;

/// The clocks of one node.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Local nanoseconds in a true millisecond.
    rate: u64,
    offset_ns: i64,
}

impl Clock {
    /// A clock that shows true time.
    pub const TRUE: Clock = Clock { rate: MILLION as u64, offset_ns: 0 };

    /// The clock of a plan.
    ///
    /// # Panics
    /// If the drift would stop or reverse the clock.
    pub fn new(plan: plan::Clock) -> Clock {
        let rate = i64::from(plan.drift_ppm) + MILLION as i64;
        assert!(rate > 0, "a clock cannot drift by {} ppm", plan.drift_ppm);
        Clock { rate: rate as u64, offset_ns: plan.offset_ns }
    }

    /// What the monotonic clock shows at a true instant.
    #[inline]
    pub fn monotonic(&self, now: Time) -> Time {
        if self.rate == MILLION as u64 {
            return now;
        }
        Time::from_ns((u128::from(now.ns()) * u128::from(self.rate) / MILLION) as u64)
    }

    /// What the wall clock shows at a true instant; never before zero.
    #[inline]
    pub fn wall(&self, now: Time) -> Time {
        let monotonic = self.monotonic(now);
        if self.offset_ns == 0 {
            return monotonic;
        }
        Time::from_ns(monotonic.ns().saturating_add_signed(self.offset_ns))
    }

    /// The first true instant at which the monotonic clock shows at least `span` more than at `now`.
    #[inline]
    pub fn after(&self, now: Time, span: Span) -> Time {
        if self.rate == MILLION as u64 {
            return now + span;
        }
        let local = u128::from((self.monotonic(now) + span).ns());
        Time::from_ns((local * MILLION).div_ceil(u128::from(self.rate)) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_fires_at_the_first_nanosecond_at_which_the_drifting_clock_is_there() {
        for drift_ppm in [-999_999, -500_000, -200, -1, 0, 1, 3, 500, 1_000_000] {
            let clock = Clock::new(plan::Clock { offset_ns: 0, drift_ppm });
            for (now, span) in [(0, 1), (1, 1), (17, 300_000_000), (123_456_789_012, 150_000_001)] {
                let (now, span) = (Time::from_ns(now), Span::ns(span));
                let deadline = clock.monotonic(now) + span;
                let fires = clock.after(now, span);
                assert!(clock.monotonic(fires) >= deadline, "{drift_ppm} ppm: too early");
                let before = Time::from_ns(fires.ns() - 1);
                assert!(clock.monotonic(before) < deadline, "{drift_ppm} ppm: too late");
            }
        }
    }

    #[test]
    fn a_wall_clock_is_off_by_its_offset() {
        let behind = Clock::new(plan::Clock { offset_ns: -5, drift_ppm: 0 });
        assert_eq!(behind.wall(Time::from_ns(12)), Time::from_ns(7));
        assert_eq!(behind.wall(Time::from_ns(3)), Time::ZERO);
    }
}
