//! When a violation became inevitable: copies of the run are played on from many moments with other dice, and it is
//! counted how many of them break the same, about as soon.

use super::outcome::{Verdict, Violated};
use super::watch::{Forks, Watch};
use crate::kernel::time::{Span, Time};
use std::collections::BTreeMap;

/// How likely the violation was at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// So many steps were taken.
    pub step: u64,
    /// When that was.
    pub at: Time,
    /// How many copies broke the same invariant, at the latest [`GRACE`] after the run did.
    pub broke: u32,
    /// How many copies were played.
    pub copies: u32,
}

impl Moment {
    /// Whether every copy broke it.
    pub fn is_certain(&self) -> bool {
        self.broke == self.copies
    }
}

/// A copy has so much longer to break the same: what is decided may take a little more with other dice. What breaks much later breaks
/// for another reason.
pub const GRACE: Span = Span::secs(1);

/// How the likelihood grew.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Likelihood {
    /// In the order of time; the last is the step that broke it, which is certain.
    pub moments: Vec<Moment>,
    /// Whether all was played that should be; else somebody has stopped it.
    pub is_whole: bool,
}

/// At first the run is cut into so many pieces of equal length, and in each round the piece in which most was decided.
const PIECES: u64 = 8;
/// So often a piece is cut again: 8^8 steps are more than a run has in which anybody looks for a moment.
const ROUNDS: usize = 8;

/// How the likelihood grew. `play` plays the run. `copies`: how many there are of each moment. `goes_on` is asked after each of them; if
/// it says no, the moments are answered of which all copies were played.
pub fn likelihood(
    violated: &Violated,
    copies: u32,
    play: &dyn Fn(&mut dyn Watch),
    goes_on: &mut dyn FnMut() -> bool,
) -> Likelihood {
    let end = Moment { step: violated.step, at: Time::from_ns(violated.time_ns), broke: copies, copies };
    let mut survey = Survey {
        invariant: &violated.invariant,
        until: end.at + GRACE,
        copies,
        steps: cuts(0, end.step),
        moments: BTreeMap::new(),
        goes_on,
        is_over: false,
    };
    survey.steps.insert(0, 0);
    for _ in 0..ROUNDS {
        play(&mut survey);
        let Some((before, after)) = steepest(&survey.known(end)) else { break };
        survey.steps = cuts(before.step, after.step);
        if survey.steps.is_empty() || survey.is_over {
            break;
        }
    }
    Likelihood { moments: survey.known(end), is_whole: !survey.is_over }
}

/// The steps between two, which are not among them, at which the distance is cut into pieces.
fn cuts(from: u64, to: u64) -> Vec<u64> {
    let mut steps: Vec<u64> = (1..PIECES).map(|piece| from + (to - from) * piece / PIECES).collect();
    steps.dedup();
    steps.retain(|step| *step > from && *step < to);
    steps
}

/// The two neighbours between which the likelihood grew most; of several the last. `None` if it nowhere grew by a fifth of the copies:
/// of the 40 that are played if nothing else is said, eight more are seldom chance.
pub fn steepest(moments: &[Moment]) -> Option<(Moment, Moment)> {
    let is_steep = |before: &Moment, after: &Moment| after.broke >= before.broke + after.copies.div_ceil(5);
    let pairs = moments.iter().zip(moments.iter().skip(1)).filter(|(before, after)| is_steep(before, after));
    pairs.max_by_key(|(before, after)| after.broke - before.broke).map(|(before, after)| (*before, *after))
}

/// The first moment from which on every copy broke the same.
pub fn inevitable(moments: &[Moment]) -> Option<Moment> {
    moments.iter().rev().take_while(|moment| moment.is_certain()).last().copied()
}

struct Survey<'a> {
    invariant: &'a str,
    /// Until when a copy may break it.
    until: Time,
    copies: u32,
    /// The moments that are to be looked at next.
    steps: Vec<u64>,
    /// By step.
    moments: BTreeMap<u64, Moment>,
    goes_on: &'a mut dyn FnMut() -> bool,
    is_over: bool,
}

impl Survey<'_> {
    /// The moments of which all copies were played, and the end.
    fn known(&self, end: Moment) -> Vec<Moment> {
        let whole = self.moments.values().copied().filter(|moment| moment.copies == self.copies);
        whole.chain([end]).collect()
    }
}

impl Watch for Survey<'_> {
    fn forks(&self) -> Forks {
        Forks { steps: self.steps.clone(), copies: self.copies, until: self.until }
    }

    fn forked(&mut self, step: u64, at: Time, verdict: &Verdict) -> bool {
        let moment = self.moments.entry(step).or_insert(Moment { step, at, broke: 0, copies: 0 });
        moment.copies += 1;
        let is_same = |found: &Violated| found.invariant == self.invariant && found.time_ns <= self.until.ns();
        moment.broke += u32::from(matches!(verdict, Verdict::Violation(found) if is_same(found)));
        self.is_over |= !(self.goes_on)();
        !self.is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(step: u64, broke: u32) -> Moment {
        Moment { step, at: Time::ZERO, broke, copies: 10 }
    }

    #[test]
    fn it_is_inevitable_from_where_all_that_follow_are_certain() {
        let moments = [moment(0, 1), moment(5, 10), moment(6, 9), moment(8, 10), moment(9, 10)];
        assert_eq!(inevitable(&moments), Some(moment(8, 10)));
        assert_eq!(steepest(&moments), Some((moment(0, 1), moment(5, 10))));
        assert_eq!(inevitable(&[moment(0, 3)]), None);
    }

    #[test]
    fn the_decisive_step_is_found_among_many() {
        let violated = Violated {
            invariant: "it".to_owned(),
            time_ns: 0,
            step: 10_000,
            during: String::new(),
            nodes: Vec::new(),
            message: String::new(),
        };
        // Before step 6,789 one copy in four breaks it, from there on all.
        let play = |watch: &mut dyn Watch| {
            let Forks { steps, copies, .. } = watch.forks();
            for step in steps.into_iter().rev() {
                for copy in 0..copies {
                    let broken = step >= 6_789 || copy % 4 == 0;
                    let verdict = if broken { Verdict::Violation(violated.clone()) } else { Verdict::Pass };
                    watch.forked(step, Time::ZERO, &verdict);
                }
            }
        };
        let Likelihood { moments, is_whole } = likelihood(&violated, 8, &play, &mut || true);
        assert!(is_whole);
        let (before, after) = steepest(&moments).expect("several");
        assert_eq!((before.step, before.broke, after.step, after.broke), (6_788, 2, 6_789, 8));
        assert_eq!(inevitable(&moments).expect("the end at least").step, 6_789);
    }
}
