//! Who takes part in a system, and what is known of it before it runs.

use crate::environment::fault::Kind;
use crate::kernel::time::Span;

/// What must be known of a system to draw a plan.
#[derive(Clone, Copy, Debug)]
pub struct Roster<'a> {
    /// The nodes that faults can hit.
    pub members: &'a [String],
    /// The roles that a swarm may aim at.
    pub roles: &'a [&'a str],
    /// The goals that a swarm may wait for.
    pub goals: &'a [&'a str],
    /// The kinds of messages that a swarm may wait for.
    pub messages: &'a [&'a str],
    /// The kinds of faults that the system does not claim to survive, so that a swarm has none of them.
    pub spares: &'a [Kind],
    /// In what time links and disks must usually answer, or the system makes no progress: its shortest timeout.
    pub pace: Span,
}

impl<'a> Roster<'a> {
    /// These members, of a system of which nothing else is known.
    pub const fn of(members: &'a [String]) -> Roster<'a> {
        Roster { members, roles: &[], goals: &[], messages: &[], spares: &[], pace: Span::ms(150) }
    }
}
