//! Delta debugging of a list: large pieces are left out first, then smaller ones, down to single elements.
//! Source: Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002.

use super::SEEDS;
use super::lab::{Best, Lab};
use crate::environment::plan::Plan;
use std::fmt::Debug;
use std::ops::Range;

/// Leaves out as much of a list as can be. `length` tells how long it is, `leave_out` leaves out a piece.
pub(super) fn thin<S: Clone + Debug + Send + Sync>(
    lab: &mut Lab<'_, S>,
    mut best: Best<S>,
    length: impl Fn(&Plan<S>) -> usize,
    leave_out: impl Fn(&mut Plan<S>, Range<usize>),
) -> Best<S> {
    let mut size = length(&best.plan);
    while size > 0 {
        // From the end: what comes late is the likeliest to be superfluous.
        let mut end = length(&best.plan);
        while end > 0 {
            let pieces: Vec<Range<usize>> = pieces(end, size).collect();
            let candidates = pieces.iter().map(|piece| best.but(|plan| leave_out(plan, piece.clone()))).collect();
            match lab.first(&best, SEEDS, candidates) {
                Some((place, better)) => {
                    best = better;
                    end = pieces[place].start;
                }
                None => break,
            }
        }
        size = if size == 1 { 0 } else { size.div_ceil(2) };
    }
    best
}

/// Pieces of this size, from the end to the beginning; the last may be shorter.
fn pieces(end: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..end.div_ceil(size)).map(move |turn| {
        let upto = end - turn * size;
        upto.saturating_sub(size)..upto
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_everything_once_from_the_end() {
        assert_eq!(pieces(7, 3).collect::<Vec<_>>(), [4..7, 1..4, 0..1]);
        assert_eq!(pieces(2, 1).collect::<Vec<_>>(), [1..2, 0..1]);
    }
}
