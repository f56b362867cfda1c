//! Clocks against exact arithmetic: a twin that keeps every stretch of a clock's life and adds them up.

use super::*;
use crate::kernel::rng::{Dice, Purpose};
use crate::protocol::{Effects, Io, NodeId};
use crate::protocols::raft::node::Store;

const SECOND: u64 = 1_000_000_000;

fn at(ns: u64) -> Time {
    Time::from_ns(ns)
}

/// A clock as it was: from which true nanosecond on it ran at which rate.
#[derive(Default)]
struct Twin {
    stretches: Vec<(u64, u64)>,
}

impl Twin {
    /// The sum over all stretches, in millionths of a nanosecond: nothing is rounded.
    fn reading(&self, now: u64) -> u128 {
        let ends = self.stretches.iter().skip(1).map(|(begin, _)| *begin).chain([u64::MAX]);
        let sum = |((begin, rate), end): (&(u64, u64), u64)| {
            u128::from(now.min(end).saturating_sub(*begin)) * u128::from(*rate)
        };
        self.stretches.iter().zip(ends).map(sum).sum()
    }
}

fn drifting(drift_ppm: i32) -> Clock {
    Clock::new(plan::Clock { offset_ns: 0, drift_ppm })
}

/// A rate as a fault might set it: frozen, slow, true, slightly off, fast.
fn draw_rate(dice: &mut Dice) -> u64 {
    match dice.below(6) {
        0 => 0,
        1 => 1 + dice.below(1_000),
        2 => Clock::TRUE_RATE,
        3 => 999_500 + dice.below(1_001),
        4 => 1 + dice.below(2_000_000),
        _ => 1 + dice.below(1_000_000_000),
    }
}

#[test]
fn a_timer_fires_at_the_first_nanosecond_at_which_the_drifting_clock_is_there() {
    for drift_ppm in [-999_999, -500_000, -200, -1, 0, 1, 3, 500, 1_000_000, i32::MAX] {
        let clock = drifting(drift_ppm);
        for (now, span) in [(0, 1), (1, 1), (17, 300_000_000), (123_456_789_012, 150_000_001)] {
            let (now, span) = (at(now), Span::ns(span));
            let deadline = clock.monotonic(now) + span;
            let fires = clock.after(now, span).expect("a clock that runs");
            assert!(clock.monotonic(fires) >= deadline, "{drift_ppm} ppm: too early");
            let before = at(fires.ns() - 1);
            assert!(clock.monotonic(before) < deadline, "{drift_ppm} ppm: too late");
        }
    }
}

#[test]
fn a_wall_clock_is_off_by_its_offset() {
    let behind = Clock::new(plan::Clock { offset_ns: -5, drift_ppm: 0 });
    assert_eq!(behind.wall(at(12)), at(7));
    assert_eq!(behind.wall(at(3)), at(0));
}

#[test]
fn a_jump_moves_the_wall_clock_and_neither_the_monotonic_one_nor_its_timers() {
    let mut clock = drifting(200);
    let (now, armed) = (at(SECOND), at(SECOND / 2));
    let deadline = clock.deadline(armed, Span::secs(3));
    let before = (clock.monotonic(now), clock.when(now, deadline));
    for (jump, shows) in [(250, 1_000_200_250), (-500, 1_000_199_750), (i64::MIN, 0), (-1, 0), (i64::MIN, 0)] {
        clock.jump(jump);
        assert_eq!(clock.wall(now), at(shows), "after {jump}");
        assert_eq!((clock.monotonic(now), clock.when(now, deadline)), before);
    }
}

#[test]
fn an_interval_is_as_wide_as_claimed_and_holds_the_truth_only_within_the_bound() {
    // What a handler is told that believes its wall clock to be off by at most 7 ms.
    let interval = |clock: &Clock, now: Time| {
        let (mut dice, mut effects) = (Dice::new(0, Purpose::Node, 0), Effects::new());
        let io = Io::<Store>::new(NodeId::new(0), clock.monotonic(now), clock.wall(now), &mut dice, &mut effects);
        io.with_uncertainty(Span::ms(7)).wall_interval()
    };
    let holds = |clock: &Clock, now: Time| {
        let (earliest, latest) = interval(clock, now);
        earliest <= now && now <= latest
    };
    let mut clock = Clock::new(plan::Clock { offset_ns: 5_000_000, drift_ppm: 0 });
    let now = at(SECOND);
    assert_eq!(interval(&clock, now), (at(998_000_000), at(1_012_000_000)));
    assert!(holds(&clock, now));
    clock.jump(2_000_000);
    assert!(holds(&clock, now));
    clock.jump(1);
    assert!(!holds(&clock, now), "a clock that is off by more than it claims is a liar");
    // Before the beginning there is nothing.
    assert_eq!(interval(&Clock::TRUE, at(3)), (at(0), at(7_000_003)));
}

#[test]
fn a_frozen_clock_fires_nothing_until_it_thaws() {
    let mut clock = Clock::TRUE;
    let deadline = clock.deadline(at(0), Span::ns(100));
    clock.set_rate(at(40), 0);
    assert_eq!((clock.monotonic(at(40)), clock.monotonic(at(90))), (at(40), at(40)));
    assert_eq!(clock.when(at(50), deadline), None);
    assert_eq!(clock.after(at(50), Span::ns(1)), None);
    assert_eq!(clock.after(at(50), Span::ZERO), Some(at(50)), "what is due is due on a frozen clock, too");
    clock.set_rate(at(90), Clock::TRUE_RATE);
    assert_eq!(clock.when(at(90), deadline), Some(at(150)));
    assert_eq!(clock.monotonic(at(150)), at(100));
}

/// A clock is set right as it is done in practice: not by a jump, but by running slower for a while.
#[test]
fn a_slewed_clock_comes_back_to_the_truth_and_is_a_true_clock_again() {
    let mut clock = drifting(500);
    clock.set_rate(at(10 * SECOND), 999_500);
    assert_eq!(clock.monotonic(at(10 * SECOND)), at(10_005_000_000));
    assert_eq!(clock.monotonic(at(15 * SECOND)), at(15_002_500_000));
    clock.set_rate(at(20 * SECOND), Clock::TRUE_RATE);
    assert_eq!(clock.monotonic(at(25 * SECOND)), at(25 * SECOND));
    assert!(clock.ticks_with_truth(), "it costs no arithmetic any more");
}

#[test]
fn a_deadline_that_has_passed_is_due_now() {
    for rate in [0, 1, Clock::TRUE_RATE, 3_000_000] {
        let mut clock = Clock::TRUE;
        clock.set_rate(at(100), rate);
        assert_eq!(clock.when(at(120), at(100)), Some(at(120)), "at rate {rate}");
    }
    assert_eq!(Clock::TRUE.when(at(120), at(100)), Some(at(120)));
}

#[test]
fn what_time_cannot_count_never_comes() {
    let (long, mut slow) = (Span::ns(u64::MAX), Clock::TRUE);
    slow.set_rate(at(5), 1);
    assert_eq!(slow.when(at(5), slow.deadline(at(5), long)), None);
    let mut fast = Clock::TRUE;
    fast.set_rate(at(1), u64::MAX);
    assert_eq!(fast.monotonic(at(u64::MAX)), Time::NEVER);
    fast.set_rate(at(u64::MAX), u64::MAX);
    assert_eq!(fast.monotonic(at(u64::MAX)), Time::NEVER);
}

/// All changes of rate at all instants of a short life: the clock shows the exact sum, rounded down, at each.
#[test]
fn no_change_of_rate_gains_or_loses_a_fraction() {
    let rates = [0, 1, 333_333, 999_999, 1_000_000, 1_000_001, 1_700_000];
    for first in 0..9 {
        for second in first..9 {
            for (one, other) in rates.iter().flat_map(|one| rates.map(|other| (*one, other))) {
                let mut twin = Twin { stretches: vec![(0, Clock::TRUE_RATE), (first, one), (second, other)] };
                let mut clock = Clock::TRUE;
                clock.set_rate(at(first), one);
                clock.set_rate(at(second), other);
                // A change to the same rate is none, however often it comes.
                for now in second..second + 12 {
                    clock.set_rate(at(now), other);
                    assert_eq!(u128::from(clock.monotonic(at(now)).ns()), twin.reading(now) / MILLION);
                }
                twin.stretches.push((second + 12, one));
                clock.set_rate(at(second + 12), one);
                assert_eq!(clock.reading(at(second + 40)), twin.reading(second + 40));
            }
        }
    }
}

/// The same over lives of hours, with a hundred changes at arbitrary instants.
#[test]
fn a_long_life_of_changes_adds_up_exactly() {
    let mut dice = Dice::new(1, Purpose::Clocks, 0);
    for _ in 0..300 {
        let mut clock = Clock::TRUE;
        let mut twin = Twin { stretches: vec![(0, Clock::TRUE_RATE)] };
        let mut now = 0;
        for _ in 0..100 {
            now += dice.below(3_600 * SECOND / 10) >> dice.below(36);
            let rate = draw_rate(&mut dice);
            let before = clock.monotonic(at(now));
            clock.set_rate(at(now), rate);
            assert_eq!(clock.monotonic(at(now)), before, "a change is not a jump");
            twin.stretches.push((now, rate));
            let later = now + dice.below(SECOND);
            assert_eq!(u128::from(clock.monotonic(at(later)).ns()), twin.reading(later) / MILLION);
            assert!(clock.monotonic(at(later)) >= before, "a monotonic clock ran back");
        }
    }
}

/// A timer as a world keeps it: the local deadline, and the true instant that is asked for anew after each change.
/// Answers when it fires, if the clock then goes on for ever.
fn fires(changes: &[(u64, u64)], armed: u64, span: u64) -> Option<u64> {
    let mut clock = Clock::TRUE;
    let mut timer = None;
    let mut due = None;
    for (number, (now, rate)) in changes.iter().enumerate() {
        clock.set_rate(at(*now), *rate);
        let next = changes.get(number + 1).map_or(u64::MAX, |(begin, _)| *begin);
        if timer.is_none() && (*now..next).contains(&armed) {
            timer = Some(clock.deadline(at(armed), Span::ns(span)));
        }
        let Some(deadline) = timer else { continue };
        due = clock.when(at(armed.max(*now)), deadline).map(Time::ns);
        // What is due before the clock changes again has fired by then.
        if due.is_some_and(|due| due < next) {
            return due;
        }
    }
    due
}

/// By counting: the first nanosecond at which a clock, read exactly, shows the deadline; none up to `end`.
fn counted(changes: &[(u64, u64)], armed: u64, span: u64, end: u64) -> Option<u64> {
    let twin = Twin { stretches: changes.to_vec() };
    let deadline = (twin.reading(armed) / MILLION + u128::from(span)) * MILLION;
    (armed..end).find(|now| twin.reading(*now) >= deadline)
}

#[test]
fn a_timer_that_is_asked_for_anew_after_each_change_fires_when_counting_says() {
    let rates = [0, 400_000, 1_000_000, 1_000_001, 2_500_000];
    let mut fired = 0;
    for (first, second) in (0..6).flat_map(|first| (first..10).map(move |second| (first, second))) {
        for number in 0..rates.len().pow(3) {
            let rate = |place: u32| rates[number / rates.len().pow(place) % rates.len()];
            let changes = [(0, rate(0)), (first, rate(1)), (second, rate(2))];
            for (armed, span) in (0..8).flat_map(|armed| (0..8).map(move |span| (armed, span))) {
                let expected = counted(&changes, armed, span, 50);
                assert_eq!(fires(&changes, armed, span), expected, "{changes:?}, {span} ns from {armed} on");
                fired += u64::from(expected.is_some());
            }
        }
    }
    assert!(fired > 100_000, "only {fired} timers fired");
}

/// Where counting would take too long, the two readings around the instant are compared with the deadline.
#[test]
fn a_timer_of_a_long_life_fires_at_the_first_nanosecond_of_the_exact_reading() {
    let mut dice = Dice::new(2, Purpose::Clocks, 0);
    let (mut fired, mut waited, mut never) = (0, 0, 0);
    for _ in 0..5_000 {
        let mut changes = vec![(0, draw_rate(&mut dice))];
        for _ in 0..dice.below(8) {
            let last = changes[changes.len() - 1].0;
            changes.push((last + (dice.below(100 * SECOND) >> dice.below(30)), draw_rate(&mut dice)));
        }
        let armed = dice.below(60 * SECOND) >> dice.below(30);
        let span = dice.below(100 * SECOND) >> dice.below(30);
        let twin = Twin { stretches: changes.clone() };
        let deadline = (twin.reading(armed) / MILLION + u128::from(span)) * MILLION;
        match fires(&changes, armed, span) {
            Some(due) => {
                assert!(twin.reading(due) >= deadline, "{changes:?}: {due} is too early");
                assert!(due == armed || twin.reading(due - 1) < deadline, "{changes:?}: {due} is too late");
                fired += 1;
                waited += u64::from(changes.iter().any(|(begin, _)| (armed + 1..=due).contains(begin)));
            }
            None => {
                let (last, rate) = changes[changes.len() - 1];
                assert!(rate == 0 && twin.reading(last.max(armed)) < deadline, "{changes:?}: it should fire");
                never += 1;
            }
        }
    }
    assert!(fired > 3_000 && waited > 1_000 && never > 200, "{fired} fired, {waited} of them changed, {never} never");
}

#[test]
fn a_start_moves_the_monotonic_clock_and_nothing_else() {
    for mut clock in [Clock::TRUE, drifting(200)] {
        let now = at(SECOND);
        let deadline = clock.deadline(at(0), Span::secs(3));
        let before = (clock.ticked(now), clock.wall(now), clock.is_true(), clock.when(now, deadline));
        assert_eq!(clock.monotonic(now), clock.ticked(now), "a clock that was never started is that of the run");
        for ahead in [7, u32::MAX, 0] {
            clock.start(ahead);
            assert_eq!(clock.ahead(), Span::ns(u64::from(ahead) << 18));
            assert_eq!(clock.monotonic(now), clock.ticked(now) + clock.ahead());
            assert_eq!((clock.ticked(now), clock.wall(now), clock.is_true(), clock.when(now, deadline)), before);
        }
    }
}

/// Five hosts shall lie in one of the allocator's small blocks: a larger one takes a twentieth of a world's start.
#[test]
fn a_clock_is_small() {
    assert!(size_of::<Clock>() <= 40, "{} bytes a clock", size_of::<Clock>());
}
