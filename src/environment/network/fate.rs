//! What the network did to one message, and the books that are kept of all.

use crate::kernel::time::Span;

/// What happens to one message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fate {
    /// When it arrives, counted from now; `None` if it is lost.
    pub arrives: Option<Span>,
    /// When a second copy arrives, if there is one.
    pub again: Option<Span>,
    /// A random word if the first copy was damaged on its way. Never without `arrives`.
    pub garbled: Option<u64>,
    /// What disturbances have changed about it.
    pub marks: Marks,
}

impl Fate {
    /// It arrives, once, whole.
    #[inline(always)]
    pub(super) fn undisturbed(latency: Span) -> Fate {
        Fate { arrives: Some(latency), again: None, garbled: None, marks: Marks::NONE }
    }
}

/// One family of disturbances that has made a difference to a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Mark {
    /// A copy was lost that would have arrived.
    Lost,
    /// A copy arrives that there would not have been.
    Doubled,
    /// A copy arrives later, for an extra latency.
    Delayed,
    /// A copy arrives later, for it was held up to be overtaken.
    Reordered,
    /// The first copy arrives damaged.
    Garbled,
    /// A copy arrives later, for the link was busy or slow.
    Throttled,
    /// It was dropped, since too much was waiting for the link.
    Overflowed,
}

impl Mark {
    /// All of them, in the order of their numbers.
    pub const ALL: [Mark; 7] =
        [Mark::Lost, Mark::Doubled, Mark::Delayed, Mark::Reordered, Mark::Garbled, Mark::Throttled, Mark::Overflowed];
}

/// Which families of disturbances have made a difference to a message. What the standing weather did,
/// or would have done by itself, leaves no mark, nor does what happens to a copy that does not arrive.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Marks(u8);

impl Marks {
    /// No difference.
    pub const NONE: Marks = Marks(0);

    /// Whether no disturbance has made a difference.
    #[inline(always)]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this family has.
    pub const fn has(self, mark: Mark) -> bool {
        self.0 >> mark as u8 & 1 == 1
    }

    /// Those that have.
    pub fn iter(self) -> impl Iterator<Item = Mark> {
        Mark::ALL.into_iter().filter(move |mark| self.has(*mark))
    }

    /// Adds a mark, if there is reason to.
    #[inline]
    pub(super) fn put(&mut self, mark: Mark, reason: bool) {
        self.0 |= u8::from(reason) << mark as u8;
    }
}

/// Messages between different nodes, counted. At any time, `sent` + `doubled` = `delivered` + `dropped` +
/// `corrupted` + what is in flight.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Traffic {
    /// Sent by a node.
    pub sent: u64,
    /// Copies that the network made and that were not lost at once.
    pub doubled: u64,
    /// Handled by a receiver, also as garbage.
    pub delivered: u64,
    /// Lost, cut off, or come to a node that is down.
    pub dropped: u64,
    /// Arrived damaged and dropped by the receiver's checksum.
    pub corrupted: u64,
    /// Arrived damaged and handled all the same: among those delivered.
    pub garbled: u64,
}
