//! Losses in bursts: the chain of Gilbert and Elliott, one a link.
//!
//! A link is in a spell or not. Each message first decides whether the spell ends or one sets in,
//! and is lost if it finds itself in one. Source: E. N. Gilbert, "Capacity of a burst-noise channel",
//! Bell System Technical Journal 39 (1960), with a good state that loses nothing and a bad one that loses all.

use super::bits::Bits;
use crate::kernel::chance::Ratio;

/// How spells of losses come and go on a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Burst {
    /// How many messages are lost in the long run.
    probability: Ratio,
    /// How many messages in a row.
    length: u32,
    /// How likely a spell sets in with a message, and ends with one.
    enter: Ratio,
    leave: Ratio,
}

/// The unit of the two probabilities of change.
const WHOLE: u64 = 1 << 63;

impl Burst {
    /// Spells of `length` messages on average, more than 1, that lose `probability` of all.
    pub(super) fn new(probability: Ratio, length: u32) -> Burst {
        assert!(length > 1, "a burst of {length}");
        // In equilibrium as many spells set in as end: (1 - p) enter = p leave.
        let (lost, kept) = (probability.part(), probability.whole() - probability.part());
        let ratio = |part: u64, whole: u128| {
            let scaled = (u128::from(part) << 63).checked_div(whole).unwrap_or(u128::MAX);
            Ratio::new(scaled.min(u128::from(WHOLE)) as u64, WHOLE).expect("a probability")
        };
        let length_of_gaps = u128::from(kept) * u128::from(length);
        let (enter, leave) = if length_of_gaps >= u128::from(lost) {
            (ratio(lost, length_of_gaps), ratio(1, u128::from(length)))
        } else {
            // Spells follow each other at once, and must last longer to lose enough.
            (Ratio::ONE, ratio(kept, u128::from(lost)))
        };
        Burst { probability, length, enter, leave }
    }

    /// Both at once: one chain, as likely as either, as long as the longer.
    pub(super) fn and(self, probability: Ratio, length: u32) -> Burst {
        Burst::new(self.probability.or(probability), self.length.max(length))
    }
}

/// The links that are in a spell. Two bits a link, once one loses in bursts.
#[derive(Clone, Debug, Default)]
pub(super) struct Spells {
    /// Which links have carried a message since they lose in bursts.
    begun: Bits,
    /// Which are in a spell.
    bad: Bits,
}

impl Spells {
    /// Takes one step on one link of `count`, and answers whether the message is lost. The first step finds the
    /// chain in its equilibrium, so that a short fault loses as many as a long one.
    pub(super) fn step(&mut self, burst: &Burst, link: usize, count: usize, word: u64) -> bool {
        let bad = match (self.begun.get(link), self.bad.get(link)) {
            (false, _) => burst.probability.hits(word),
            (true, false) => burst.enter.hits(word),
            (true, true) => !burst.leave.hits(word),
        };
        self.begun.set(link, count);
        if bad {
            self.bad.set(link, count);
        } else {
            self.bad.unset(link);
        }
        bad
    }
}
