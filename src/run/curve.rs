//! Whether more seeds would show anything new: the abstract states that a sweep has seen, and how many of them
//! only one seed has shown.
//!
//! Source: Good, "The population frequencies of species and the estimation of population parameters" (1953), with
//! seeds as samples: of N seeds, as many as show a state that no other shows, divided by N, is the chance that
//! the next seed shows a state that none has shown.

use super::seen::Seen;
use std::collections::BTreeMap;

/// A point is noted after so many seeds.
pub const BLOCK: u64 = 1_000;
/// At most so many points are kept: then every second one is left out.
const POINTS: usize = 2_000;

/// The states that a sweep has seen, seed after seed.
#[derive(Clone, Debug)]
pub struct Curve {
    /// By state: the seed that showed it first, and whether another one has, too.
    states: Seen<(u64, bool)>,
    /// By seed: how many states only it has shown, if any.
    singles: BTreeMap<u64, u32>,
    seeds: u64,
    seeds_since_new: u64,
    every: u64,
    points: Vec<u64>,
}

impl Curve {
    /// No seed yet.
    pub const fn new() -> Curve {
        Curve {
            states: Seen::new(),
            singles: BTreeMap::new(),
            seeds: 0,
            seeds_since_new: 0,
            every: BLOCK,
            points: Vec::new(),
        }
    }

    /// Adds the states of one seed, each once. Answers those that had been seen at most once before, in their
    /// order: all that must be kept to draw the same curve again, also together with other seeds.
    pub fn add(&mut self, seed: u64, states: &[u64]) -> Vec<u64> {
        let mut news = Vec::new();
        self.seeds += 1;
        self.seeds_since_new += 1;
        let mut own = 0;
        for state in states {
            let (seen, is_new) = self.states.entry(*state, (seed, false));
            if is_new {
                own += 1;
                news.push(*state);
            } else if !seen.1 {
                seen.1 = true;
                let first = seen.0;
                news.push(*state);
                self.is_shared(first);
            }
        }
        if own > 0 {
            self.singles.insert(seed, own);
            self.seeds_since_new = 0;
        }
        if self.seeds.is_multiple_of(self.every) {
            self.points.push(self.states.len() as u64);
            self.thin_out();
        }
        news
    }

    /// A state of this seed is no longer its own.
    fn is_shared(&mut self, seed: u64) {
        let own = self.singles.get_mut(&seed).expect("a state that was seen once belongs to a seed");
        *own -= 1;
        if *own == 0 {
            self.singles.remove(&seed);
        }
    }

    fn thin_out(&mut self) {
        if self.points.len() > POINTS {
            self.every *= 2;
            self.points = self.points.iter().skip(1).step_by(2).copied().collect();
        }
    }

    /// How many different states were seen.
    pub fn states(&self) -> u64 {
        self.states.len() as u64
    }

    /// How many seeds have shown a state that no other has shown, of how many seeds: the chance that the next
    /// seed shows something new is about their ratio.
    pub fn singular_seeds(&self) -> (u64, u64) {
        (self.singles.len() as u64, self.seeds)
    }

    /// How many seeds have come since the last one that showed something new.
    pub fn seeds_since_new(&self) -> u64 {
        self.seeds_since_new
    }

    /// After so many seeds, so many different states had been seen; at the end also the present.
    pub fn points(&self) -> Vec<(u64, u64)> {
        let mut points: Vec<(u64, u64)> =
            (1..).map(|place| place * self.every).zip(self.points.iter().copied()).collect();
        if self.seeds > 0 && points.last().is_none_or(|last| last.0 != self.seeds) {
            points.push((self.seeds, self.states()));
        }
        points
    }
}

impl Default for Curve {
    fn default() -> Curve {
        Curve::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(seed: u64) -> Vec<u64> {
        (0..20)
            .filter(|turn| (seed * 7 + turn) % 5 < 3)
            .map(|turn| (seed * turn) % 97 + 1)
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    /// How many seeds have a state that no other has, counted by looking at all.
    fn singular(seeds: u64) -> u64 {
        let is_own = |seed: u64, state: &u64| {
            (0..seeds).filter(|other| shown(*other).contains(state)).count() == 1 && shown(seed).contains(state)
        };
        (0..seeds).filter(|seed| shown(*seed).iter().any(|state| is_own(*seed, state))).count() as u64
    }

    #[test]
    fn the_chance_of_something_new_is_that_of_leaving_one_seed_out() {
        let mut curve = Curve::new();
        for seed in 0..40 {
            curve.add(seed, &shown(seed));
            assert_eq!(curve.singular_seeds(), (singular(seed + 1), seed + 1));
        }
    }

    #[test]
    fn what_is_kept_of_parts_makes_the_curve_of_the_whole() {
        let mut whole = Curve::new();
        let kept: Vec<Vec<u64>> = (0..40).map(|seed| whole.add(seed, &shown(seed))).collect();
        let part = |seeds: std::ops::Range<u64>| {
            let mut curve = Curve::new();
            seeds.map(|seed| curve.add(seed, &shown(seed))).collect::<Vec<_>>()
        };
        let parts: Vec<Vec<u64>> = [part(0..13), part(13..31), part(31..40)].concat();
        let mut again = Curve::new();
        for (seed, states) in (0..).zip(&parts) {
            assert_eq!(again.add(seed, states), kept[seed as usize]);
        }
        assert_eq!(again.singular_seeds(), whole.singular_seeds());
        assert_eq!(again.points(), whole.points());
    }
}
