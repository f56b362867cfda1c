//! When an object is looked at and written over.

use super::uses::Use;
use super::{Action, Outcome};

/// When an object is looked at and written over.
#[derive(Clone, Debug)]
pub(super) struct Horizon {
    /// Invocations of calls that tell what the state was, in order, each with the earliest return of it and those behind it.
    observed: Vec<(usize, usize)>,
    last_observed: usize,
    /// Invocations of writes, in order, each with the latest return of it and those before it.
    written: Vec<(usize, usize)>,
}

impl Horizon {
    pub(super) fn of(uses: &[Use<'_>]) -> Horizon {
        let (mut observed, mut written, mut last_observed) = (Vec::new(), Vec::new(), 0);
        for call in uses {
            if !matches!(call.action, Action::Write(_) | Action::Append(_)) {
                last_observed = last_observed.max(call.returned.unwrap_or(0));
            }
            match (call.action, call.returned) {
                // Any state that nobody sees is another than expected.
                _ if *call.outcome == Outcome::Differed => {}
                (Action::Read | Action::Cas { .. }, Some(returned)) => observed.push((call.invoked, returned)),
                (Action::Write(_), returned) => written.push((call.invoked, returned.unwrap_or(usize::MAX))),
                (Action::Read | Action::Cas { .. }, None) | (Action::Append(_), _) => {}
            }
        }
        observed.sort_unstable();
        written.sort_unstable();
        let mut earliest = usize::MAX;
        for (_, returned) in observed.iter_mut().rev() {
            earliest = earliest.min(*returned);
            *returned = earliest;
        }
        let mut latest = 0;
        for (_, returned) in &mut written {
            latest = latest.max(*returned);
            *returned = latest;
        }
        Horizon { observed, last_observed, written }
    }

    pub(super) fn is_observed_after(&self, at: usize) -> bool {
        self.last_observed > at
    }

    /// Whether a call between these positions may leave a state that is never seen: nobody looks afterwards, or somebody
    /// may write over it before.
    pub(super) fn is_escape(&self, invoked: usize, returned: usize) -> bool {
        let Some((_, observed)) = self.observed.get(self.observed.partition_point(|(at, _)| *at < returned)) else {
            return true;
        };
        let before = self.written.partition_point(|(at, _)| at < observed);
        before > 0 && self.written[before - 1].1 > invoked
    }
}
