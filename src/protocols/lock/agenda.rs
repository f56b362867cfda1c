//! Many deadlines of one node behind its one timer.

use super::node::{Lock, Timer};
use crate::kernel::time::{Span, Time};
use crate::protocol::Io;
use std::collections::BTreeMap;

/// What a node waits for, by its monotonic clock. Nothing is ever taken off: whoever is told that a time has come looks
/// whether it still matters.
#[derive(Clone, Debug)]
pub struct Agenda<D> {
    dues: BTreeMap<(Time, u64), D>,
    /// How many have ever been put down: of equal times the first comes first.
    ordinal: u64,
    /// For when the timer is armed.
    armed: Option<Time>,
}

impl<D> Default for Agenda<D> {
    fn default() -> Agenda<D> {
        Agenda { dues: BTreeMap::new(), ordinal: 0, armed: None }
    }
}

impl<D> Agenda<D> {
    /// Puts down what is due after this time. O(log n).
    pub fn put(&mut self, after: Span, due: D, io: &mut Io<'_, Lock>) {
        self.dues.insert((io.now() + after, self.ordinal), due);
        self.ordinal += 1;
        self.arm(io);
    }

    /// The next that is due by now. Once there is none, the timer is armed for what comes later.
    pub fn next(&mut self, io: &mut Io<'_, Lock>) -> Option<D> {
        let first = self.dues.first_entry()?;
        if first.key().0 > io.now() {
            self.arm(io);
            return None;
        }
        Some(first.remove())
    }

    /// The timer has fired.
    pub fn fired(&mut self) {
        self.armed = None;
    }

    fn arm(&mut self, io: &mut Io<'_, Lock>) {
        let Some(((at, _), _)) = self.dues.first_key_value() else { return };
        if self.armed != Some(*at) {
            self.armed = Some(*at);
            io.arm(Timer::Agenda, at.since(io.now()));
        }
    }
}
