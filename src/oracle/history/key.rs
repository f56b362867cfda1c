//! What is done to one object, in numbers.

use super::horizon::Horizon;
use super::numbered::{Answer, OTHER, Operation};
use super::table::Table;
use super::uses::{Start, Use};
use super::{Action, Outcome};

/// One object in a stretch of a history.
#[derive(Clone, Debug)]
pub(super) struct Key<'a> {
    pub(super) table: Table<'a>,
    horizon: Horizon,
    /// Whether it may be of use that a value is another than somebody has asked for.
    differs: bool,
    /// Whether an append that may not have happened can be of use in making a value that nobody saw.
    spoil_unseen: bool,
    /// Whether a state that cannot be explained later is known to be one at once: a violation is then found before the
    /// event that makes it one.
    pub(super) is_farsighted: bool,
}

/// Something that is done to an object.
#[derive(Clone, Debug)]
pub(super) struct Deed {
    pub(super) operation: Operation,
    /// What it answered; `None` if it may have happened or not.
    pub(super) answer: Option<Answer>,
    /// Whether nobody could have noticed, should it not have happened.
    pub(super) is_idle: bool,
}

impl<'a> Key<'a> {
    /// `is_together`: whether something else may happen at the same instant, so that what could be left out by itself is
    /// done, since the other is of use.
    pub(super) fn of(uses: &[Use<'a>], start: Start<'a>, is_together: bool) -> Key<'a> {
        let table = Table::of(uses, start);
        let is_told = |call: &Use<'_>| *call.outcome == Outcome::Differed && call.returned.is_some();
        let spoil_unseen = is_together || uses.iter().any(is_told);
        let differs = spoil_unseen || table.has_appends();
        Key { table, horizon: Horizon::of(uses), differs, spoil_unseen, is_farsighted: false }
    }

    /// What a call does to the object; `None` if it cannot matter.
    pub(super) fn deed(&mut self, call: &Use<'_>) -> Option<Deed> {
        let ends = call.returned;
        let (operation, answer) = match (call.action, call.outcome) {
            (Action::Read, _) if ends.is_none() => return None,
            (Action::Read, Outcome::Saw(text)) => (Operation::Read, Answer::Holds(self.table.seen(text))),
            (Action::Read, Outcome::Done | Outcome::Differed | Outcome::Unknown) => return None,
            // Before it has returned nobody knows that it has changed nothing.
            (Action::Cas { from, .. }, Outcome::Differed) if ends.is_some() => {
                self.is_farsighted = true;
                (Operation::Differs(self.table.seen(from)), Answer::Differs(true))
            }
            (Action::Cas { from, to }, _) if from == to && ends.is_some() => {
                (Operation::Read, Answer::Holds(self.table.seen(from)))
            }
            (Action::Write(text), _) => (Operation::Write(self.table.state(text)), Answer::Written),
            (Action::Cas { from, to }, _) => {
                let (from, to) = (self.table.seen(from), self.table.state(to));
                (Operation::Move(self.table.swap(from, to)), Answer::Moved(true))
            }
            (Action::Append(text), _) if text.is_empty() => return None,
            (Action::Append(_), _) if !self.horizon.is_observed_after(call.invoked) => return None,
            (Action::Append(text), _) => {
                // One that may not have happened has only those to tell of its spoiling who look for another value.
                let is_escape = |returned| self.horizon.is_escape(call.invoked, returned);
                let spoils = ends.map_or(self.spoil_unseen, is_escape);
                self.is_farsighted |= ends.is_some() && !spoils;
                (Operation::Move(self.table.append(text, spoils)), Answer::Moved(true))
            }
        };
        let is_idle = match &operation {
            Operation::Read | Operation::Differs(_) => true,
            Operation::Write(to) => *to == OTHER && !self.differs,
            Operation::Move(step) => {
                !step.spoils && step.steps.iter().all(|(from, to)| from == to || *to == OTHER && !self.differs)
            }
        };
        Some(Deed { operation, answer: ends.map(|_| answer), is_idle })
    }
}
