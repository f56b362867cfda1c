//! A node's own clocks, as seen from true time.
//!
//! The monotonic clock starts anywhere when its node starts, as one does that counts from the start of a machine:
//! what two nodes read says nothing when compared, nor what a node read before it was started again. It may run
//! fast or slow and stand still, but it never jumps and never runs back while the node is up. The wall clock ticks
//! as it does, from true time at the beginning on with an offset, and jumps when the offset changes.
//!
//! Between two changes of its rate a clock is a straight line, so all arithmetic is exact: a change gains or
//! loses no fraction of a nanosecond, and a timer fires at the first true nanosecond at which the node's
//! monotonic clock has reached the deadline.
//!
//! ```
//! use squall::environment::clock::Clock;
//! use squall::kernel::time::{Span, Time};
//!
//! let (start, mut clock) = (Time::ZERO, Clock::TRUE);
//! let deadline = clock.deadline(start, Span::ms(100));
//! // After 40 ms the clock begins to run at half its pace: the other 60 ms take 120.
//! let slowed = start + Span::ms(40);
//! clock.set_rate(slowed, 500_000);
//! assert_eq!(clock.when(slowed, deadline), Some(start + Span::ms(160)));
//! ```

use super::plan;
use crate::kernel::time::{Span, Time};

const MILLION: u128 = 1_000_000;

/// The clocks of one node.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Local nanoseconds in a true millisecond.
    rate: u64,
    /// When the rate was last changed, and how much had ticked by then: nanoseconds, and millionths of one.
    since: Time,
    ticked: Time,
    millionths: u32,
    /// What the monotonic clock shows beyond what has ticked, in [`Clock::GRAIN`].
    ahead: u32,
    offset_ns: i64,
}

impl Clock {
    /// The rate of a clock that is neither fast nor slow: local nanoseconds in a true millisecond.
    pub const TRUE_RATE: u64 = MILLION as u64;

    /// The step, in nanoseconds, in which [`Clock::start`] moves a monotonic clock: 2^18, a quarter of a millisecond.
    pub const GRAIN: u64 = 1 << 18;

    /// A clock that shows true time, and was started with it.
    pub const TRUE: Clock =
        Clock { rate: Clock::TRUE_RATE, since: Time::ZERO, ticked: Time::ZERO, millionths: 0, ahead: 0, offset_ns: 0 };

    /// The clock of a plan.
    ///
    /// # Panics
    /// If the drift would stop or reverse the clock.
    pub fn new(plan: plan::Clock) -> Clock {
        let rate = i64::from(plan.drift_ppm) + Clock::TRUE_RATE as i64;
        assert!(rate > 0, "a clock cannot drift by {} ppm", plan.drift_ppm);
        let mut clock = Clock { offset_ns: plan.offset_ns, ..Clock::TRUE };
        clock.set_rate(Time::ZERO, rate as u64);
        clock
    }

    /// How long the clock has run at a true instant, by itself, since the beginning of the run: rounded down;
    /// [`Time::NEVER`] if it is beyond that. Of two instants the difference is what has passed for the node, whether or
    /// not it was started again in between. The instant must not lie before the last change of the rate.
    #[inline]
    pub fn ticked(&self, now: Time) -> Time {
        if self.ticks_with_truth() {
            return now;
        }
        whole(self.reading(now))
    }

    /// What the monotonic clock shows at a true instant; [`Time::NEVER`] if it is beyond that.
    #[inline]
    pub fn monotonic(&self, now: Time) -> Time {
        Time::from_ns(self.ticked(now).ns().saturating_add(self.ahead().as_ns()))
    }

    /// The node starts: from now on its monotonic clock shows more than what has ticked since the run began, by `ahead` times
    /// [`Clock::GRAIN`], at most thirteen days.
    #[inline]
    pub fn start(&mut self, ahead: u32) {
        self.ahead = ahead;
    }

    /// How much more the monotonic clock shows than what has ticked.
    #[inline]
    pub fn ahead(&self) -> Span {
        Span::ns(u64::from(self.ahead) * Clock::GRAIN)
    }

    /// What the wall clock shows at a true instant; never before zero.
    #[inline]
    pub fn wall(&self, now: Time) -> Time {
        let ticked = self.ticked(now);
        if self.offset_ns == 0 {
            return ticked;
        }
        Time::from_ns(ticked.ns().saturating_add_signed(self.offset_ns))
    }

    /// Whether the wall clock shows true time and the monotonic clock ticks with it, as long as nobody changes them.
    #[inline]
    pub fn is_true(&self) -> bool {
        self.ticks_with_truth() && self.offset_ns == 0
    }

    /// Whether it has ticked as much as true time, and will go on to. Not kept: a clock is to be small.
    #[inline]
    fn ticks_with_truth(&self) -> bool {
        self.rate == Clock::TRUE_RATE && self.ticked == self.since && self.millionths == 0
    }

    /// How fast both clocks run: local nanoseconds in a true millisecond; zero if they stand still.
    pub fn rate(&self) -> u64 {
        self.rate
    }

    /// From now on both clocks run at this rate: [`Clock::TRUE_RATE`] plus the drift in millionths, zero to stand
    /// still. What they show now does not change, down to the fraction of a nanosecond.
    ///
    /// # Panics
    /// If the rate was changed later than `now` already.
    pub fn set_rate(&mut self, now: Time, rate: u64) {
        let reading = self.reading(now);
        (self.ticked, self.millionths) = (whole(reading), (reading % MILLION) as u32);
        self.since = now;
        self.rate = rate;
    }

    /// The wall clock jumps, backwards if negative. The monotonic clock and its timers do not notice.
    pub fn jump(&mut self, by_ns: i64) {
        self.offset_ns = self.offset_ns.saturating_add(by_ns);
    }

    /// How much will have ticked when a timer is due that is armed now and waits for `span`.
    #[inline]
    pub fn deadline(&self, now: Time, span: Span) -> Time {
        Time::from_ns(self.ticked(now).ns().saturating_add(span.as_ns()))
    }

    /// The first true instant from `now` on at which at least `deadline` has ticked, if the clock goes on
    /// as it does now. `None` if it never does: it stands still, or takes longer than time can count.
    #[inline]
    pub fn when(&self, now: Time, deadline: Time) -> Option<Time> {
        if self.ticks_with_truth() {
            return Some(now.max(deadline));
        }
        let missing = (u128::from(deadline.ns()) * MILLION).saturating_sub(self.ticked_before());
        if missing == 0 {
            return Some(now);
        }
        if self.rate == 0 {
            return None;
        }
        let elapsed = u64::try_from(missing.div_ceil(u128::from(self.rate))).ok()?;
        Some(Time::from_ns(self.since.ns().checked_add(elapsed)?).max(now))
    }

    /// When a timer fires that is armed now and waits for `span`, if the clock goes on as it does now.
    #[inline]
    pub fn after(&self, now: Time, span: Span) -> Option<Time> {
        self.when(now, self.deadline(now, span))
    }

    /// How much has ticked, in millionths of a nanosecond.
    #[inline]
    fn reading(&self, now: Time) -> u128 {
        assert!(self.since <= now, "a clock that has changed at {} was asked about {now}", self.since);
        // Two numbers of 64 bits multiply to at most 128. Only the sum can be too large, centuries from now.
        let elapsed = u128::from(now.ns() - self.since.ns());
        self.ticked_before().saturating_add(elapsed * u128::from(self.rate))
    }

    /// How much had ticked when its rate was last changed, in millionths of a nanosecond.
    #[inline]
    fn ticked_before(&self) -> u128 {
        u128::from(self.ticked.ns()) * MILLION + u128::from(self.millionths)
    }
}

/// The whole nanoseconds of a reading; [`Time::NEVER`] if they are more than time can count.
#[inline]
fn whole(reading: u128) -> Time {
    Time::from_ns(u64::try_from(reading / MILLION).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
