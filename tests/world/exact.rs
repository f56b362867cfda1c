//! The clock of one node, computed a second time, from the plan alone: the sum of its straight pieces, in millionths of a
//! nanosecond, whose pace follows from the faults. Nothing of the world's own arithmetic is asked.

use squall::environment::fault::{Fault, PlannedFault, Target};
use squall::environment::plan::Plan;
use squall::environment::text::Offset;

/// How many parts make a nanosecond, and how many millionths a sound pace.
const MILLION: u128 = 1_000_000;

/// From one true nanosecond to another.
pub(crate) type Stretch = (u64, u64);

/// Whether an instant lies in it.
pub(crate) fn holds((from, until): Stretch, at: u64) -> bool {
    (from..until).contains(&at)
}

/// The node of this number, as a plan names it.
pub(crate) fn named(node: u16) -> Target {
    Target::Nodes(vec![format!("n{}", node + 1)])
}

/// The faults that name this node and no other, each with its stretch.
pub(crate) fn faults_of(plan: &Plan<()>, node: u16) -> impl Iterator<Item = (Stretch, &Fault)> {
    let mine = move |fault: &&PlannedFault| fault.inject.target() == Some(&named(node));
    let end = |fault: &PlannedFault| fault.until.map_or(u64::MAX, |until| until.ns());
    plan.faults.iter().filter(mine).map(move |fault| ((fault.at.ns(), end(fault)), &fault.inject))
}

/// One clock.
pub(crate) struct Exact {
    standing_ppm: i64,
    drifts: Vec<(Stretch, i64)>,
    freezes: Vec<Stretch>,
    /// From which true nanosecond on the wall clock was ahead by so much.
    offsets: Vec<(u64, i128)>,
}

impl Exact {
    /// The clock of this node.
    pub(crate) fn of(plan: &Plan<()>, node: u16) -> Exact {
        let own = plan.clocks.get(usize::from(node)).copied().unwrap_or_default();
        let offsets = vec![(0, i128::from(own.offset_ns))];
        let mut exact = Exact { standing_ppm: own.drift_ppm.into(), drifts: Vec::new(), freezes: Vec::new(), offsets };
        for (stretch, fault) in faults_of(plan, node) {
            match fault {
                Fault::ClockDrift { ppm, .. } => exact.drifts.push((stretch, i64::from(*ppm))),
                Fault::ClockFreeze { .. } => exact.freezes.push(stretch),
                Fault::ClockJump { by: Offset(by), .. } => {
                    let ahead = exact.offsets[exact.offsets.len() - 1].1;
                    exact.offsets.push((stretch.0, ahead + i128::from(*by)));
                }
                _ => {}
            }
        }
        exact
    }

    /// What the monotonic clock shows, in millionths of a nanosecond.
    pub(crate) fn reading(&self, now: u64) -> u128 {
        let stretches = self.freezes.iter().chain(self.drifts.iter().map(|(stretch, _)| stretch));
        let mut turns: Vec<u64> =
            stretches.flat_map(|(from, until)| [*from, *until]).filter(|turn| *turn < now).collect();
        turns.extend([0, now]);
        turns.sort_unstable();
        let pieces = turns.windows(2).map(|piece| u128::from(piece[1] - piece[0]) * u128::from(self.pace(piece[0])));
        pieces.sum()
    }

    /// How fast it runs from this instant on, in millionths. Slower than standing still is standing still.
    fn pace(&self, from: u64) -> u64 {
        if self.freezes.iter().any(|stretch| holds(*stretch, from)) {
            return 0;
        }
        let drifts = self.drifts.iter().filter(|(stretch, _)| holds(*stretch, from)).map(|(_, ppm)| ppm);
        (1_000_000 + self.standing_ppm + drifts.sum::<i64>()).max(0) as u64
    }

    /// What the monotonic clock shows, in whole nanoseconds.
    pub(crate) fn monotonic(&self, now: u64) -> u128 {
        self.reading(now) / MILLION
    }

    /// What the wall clock shows; it never shows a time before zero.
    pub(crate) fn wall(&self, now: u64) -> i128 {
        let ahead = self.offsets.iter().rev().find(|(from, _)| *from <= now).expect("one from zero on").1;
        (self.monotonic(now) as i128 + ahead).max(0)
    }
}
