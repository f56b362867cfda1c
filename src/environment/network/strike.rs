//! The fate of a message on a link that has a weather.
//!
//! Each kind of misfortune has a word of its own, derived from the message's, so that one does not
//! re-roll another: a network that also loses messages delays the others as before.

use super::fate::{Fate, Mark, Marks};
use super::weather::Weather;
use super::{Network, current};
use crate::environment::distribution::Distribution;
use crate::kernel::chance::{LONGEST, Ratio, within};
use crate::kernel::digest::mix;
use crate::kernel::time::{Span, Time};

/// What a word is for. The latency of the first copy is drawn by the message's word itself.
#[derive(Clone, Copy)]
enum For {
    Extra = 1,
    Duplicate = 2,
    AgainLatency = 3,
    AgainExtra = 4,
    Loss = 5,
    AgainLoss = 6,
    Spell = 7,
    Holdup = 8,
    AgainHoldup = 9,
    Corrupt = 10,
    Garbage = 11,
}

#[inline]
fn word_for(word: u64, purpose: For) -> u64 {
    mix(word, purpose as u64)
}

/// Whether it strikes. What never does need not be asked.
#[inline]
fn strikes(ratio: Ratio, word: u64, purpose: For) -> bool {
    !ratio.is_zero() && ratio.hits(word_for(word, purpose))
}

/// Which copies of a message come through.
#[derive(Clone, Copy)]
struct Copies {
    first: bool,
    again: bool,
}

impl Copies {
    /// Both rates decide by a threshold on a word, so that what a lower rate loses, a higher one loses too.
    #[inline]
    fn at(loss: Ratio, duplicate: Ratio, word: u64) -> Copies {
        Copies {
            first: !strikes(loss, word, For::Loss),
            again: strikes(duplicate, word, For::Duplicate) && !strikes(loss, word, For::AgainLoss),
        }
    }
}

impl Network {
    /// Draws the fate of a message of this word and this size, on a link of this class.
    pub(super) fn strike(&mut self, class: usize, link: usize, word: u64, now: Time, size: u64) -> Fate {
        let (weather, count) = (&current(&self.maps).weathers[class], self.carried.len());
        let usual = Copies::at(weather.usual_loss, weather.usual_duplicate, word);
        let mut copies = Copies::at(weather.loss, weather.duplicate, word);
        let mut marks = Marks::NONE;
        // A message enters the line before anything else befalls it; what is lost takes its time, too.
        let queued = match weather.bandwidth {
            None => Some(Span::ZERO),
            Some(bandwidth) => self.lines.enter(bandwidth, link, count, now, size),
        };
        // All copies of a message are on the link at once, so a spell takes all or none.
        let spell =
            weather.burst.is_some_and(|burst| self.spells.step(&burst, link, count, word_for(word, For::Spell)));
        if spell || queued.is_none() {
            copies = Copies { first: false, again: false };
        }
        let missing = usual.first && !copies.first || usual.again && !copies.again;
        marks.put(Mark::Lost, missing && queued.is_some());
        marks.put(Mark::Overflowed, missing && queued.is_none());
        marks.put(Mark::Doubled, copies.again && !usual.again);
        let queued = queued.unwrap_or(Span::ZERO);
        marks.put(Mark::Throttled, (copies.first || copies.again) && queued > Span::ZERO);
        let arrives = copies.first.then(|| {
            let took = sum(queued, weather.latency.sample(word));
            weather.hold(took, word_for(word, For::Extra), word_for(word, For::Holdup), &mut marks)
        });
        let again = copies.again.then(|| {
            let took = sum(queued, weather.latency.sample(word_for(word, For::AgainLatency)));
            weather.hold(took, word_for(word, For::AgainExtra), word_for(word, For::AgainHoldup), &mut marks)
        });
        let damaged = copies.first && strikes(weather.corrupt, word, For::Corrupt);
        marks.put(Mark::Garbled, damaged);
        Fate { arrives, again, garbled: damaged.then(|| word_for(word, For::Garbage)), marks }
    }
}

impl Weather {
    /// How long a copy takes that would take so long without delays and hold-ups.
    #[inline]
    fn hold(&self, took: Span, extra: u64, holdup: u64, marks: &mut Marks) -> Span {
        let delayed = sum(took, delay(&self.delays, extra));
        marks.put(Mark::Delayed, delayed > took);
        let Some(reorder) = self.reorder.filter(|reorder| reorder.probability.hits(holdup)) else { return delayed };
        marks.put(Mark::Reordered, true);
        sum(delayed, within(mix(holdup, 1), Span::ns(1), reorder.within))
    }
}

/// All extra latencies together.
#[inline]
fn delay(delays: &[Distribution], word: u64) -> Span {
    let Some((first, rest)) = delays.split_first() else { return Span::ZERO };
    let further = rest.iter().zip(1..).map(|(extra, place)| extra.sample(mix(word, place)));
    further.fold(first.sample(word), sum)
}

/// Two spans together; so long at most that it can be added to any time of a run.
#[inline]
fn sum(one: Span, other: Span) -> Span {
    Span::ns(one.as_ns().saturating_add(other.as_ns()).min(LONGEST.as_ns()))
}
