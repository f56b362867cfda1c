//! What a swarm draws with: integers whose every order of magnitude is as likely, in few digits.

use crate::environment::distribution::Distribution;
use crate::environment::text::SpanRange;
use crate::kernel::chance::Ratio;
use crate::kernel::rng::Dice;
use crate::kernel::time::Span;

/// Whether it happens, so many times in sixteen.
pub(super) fn coin(sixteenths: u64, dice: &mut Dice) -> bool {
    dice.below(16) < sixteenths
}

/// From `least`, at least 1, to `most`: `least` doubled a random number of times, and a part of once more.
pub(super) fn spread(least: u64, most: u64, dice: &mut Dice) -> u64 {
    let least = least.max(1);
    let doublings = (most / least).max(1).ilog2();
    let base = least << dice.below(u64::from(doublings) + 1);
    rounded(base + dice.below(base + 1)).clamp(least, most.max(least))
}

/// A span from `least` to `most`, as [`spread`], in whole microseconds.
pub(super) fn span(least: Span, most: Span, dice: &mut Dice) -> Span {
    Span::us(spread(least.as_ns() / 1_000, most.as_ns() / 1_000, dice))
}

/// A probability from so many thousandths to so many.
pub(super) fn share(least: u64, most: u64, dice: &mut Dice) -> Ratio {
    Ratio::new(spread(least, most, dice).min(1_000), 1_000).expect("a part of a thousand")
}

/// One or the other direction.
pub(super) fn sign(dice: &mut Dice) -> i64 {
    if dice.below(2) == 0 { 1 } else { -1 }
}

/// One of several.
pub(super) fn one_of<T: Clone>(all: &[T], dice: &mut Dice) -> Option<T> {
    all.get(dice.below(all.len() as u64) as usize).cloned()
}

/// One of several, each as likely as its weight says.
pub(super) fn weighted<T>(all: Vec<(u64, T)>, dice: &mut Dice) -> Option<T> {
    let mut ticket = dice.below(all.iter().map(|(weight, _)| weight).sum());
    all.into_iter().find_map(|(weight, what)| match ticket.checked_sub(weight) {
        Some(rest) => {
            ticket = rest;
            None
        }
        None => Some(what),
    })
}

/// So many of them, in their order.
pub(super) fn some(all: &[String], count: usize, dice: &mut Dice) -> Vec<String> {
    let mut chosen = dice.choose(all.len(), count);
    chosen.sort_unstable();
    chosen.into_iter().map(|place| all[place].clone()).collect()
}

/// A distribution of any kind around a typical span, of which few draws are above `tail`.
pub(super) fn distribution(typical: Span, tail: Span, dice: &mut Dice) -> Distribution {
    let typical = typical.max(Span::us(1));
    let part = |share: u64| Span::us((typical.as_ns() / 1_000 / share).max(1));
    let (kind, word) = (dice.below(5), dice.below(4) + 2);
    match kind {
        0 => Distribution::Const(typical),
        1 => Distribution::Uniform { min: part(word), max: typical.times(2) },
        2 => Distribution::Exp { min: part(word), mean: typical },
        3 => Distribution::LogNormal { median: typical, p99: typical.times(2 * word).min(tail).max(typical) },
        _ => Distribution::Bimodal {
            fast: SpanRange { min: part(word), max: typical },
            slow: SpanRange { min: typical, max: typical.times(word * word).min(tail).max(typical) },
            p: Ratio::new(word, 100).expect("a few per cent"),
        },
    }
}

/// The two first digits, and zeros.
fn rounded(number: u64) -> u64 {
    let scale = 10_u64.pow(number.max(1).ilog10().saturating_sub(1));
    number / scale * scale
}
