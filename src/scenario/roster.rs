//! Who takes part in a system, and what is known of it before it runs.

use crate::environment::fault::Kind;
use crate::kernel::time::Span;

/// Whom faults can hit.
#[derive(Clone, Copy, Debug)]
pub struct Crew<'a> {
    /// By name. First the servers, then others, such as clients.
    pub members: &'a [String],
    /// How many are servers. Of them sizes and shapes speak: a minority, halves.
    pub servers: usize,
}

impl<'a> Crew<'a> {
    /// All of these, servers one and all.
    pub const fn of(members: &'a [String]) -> Crew<'a> {
        Crew { members, servers: members.len() }
    }

    /// The servers.
    pub fn servers(self) -> &'a [String] {
        &self.members[..self.servers]
    }

    /// The other members.
    pub fn others(self) -> &'a [String] {
        &self.members[self.servers..]
    }
}

/// The names that mean something in one system.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Vocabulary {
    /// What may break.
    pub invariants: Vec<&'static str>,
    /// What should happen sometimes, and what faults can wait for.
    pub goals: Vec<&'static str>,
    /// The roles that faults can aim at; `"owner"` stands for the owner of any key.
    pub roles: Vec<&'static str>,
    /// The kinds of facts that faults can wait for.
    pub facts: Vec<&'static str>,
    /// The kinds of messages that faults can wait for.
    pub messages: Vec<&'static str>,
}

/// What must be known of a system to draw a plan.
#[derive(Clone, Copy, Debug)]
pub struct Roster<'a> {
    /// The nodes that faults can hit.
    pub crew: Crew<'a>,
    /// The roles that a swarm may aim at.
    pub roles: &'a [&'a str],
    /// The goals that a swarm may wait for.
    pub goals: &'a [&'a str],
    /// The kinds of messages that a swarm may wait for.
    pub messages: &'a [&'a str],
    /// The kinds of faults that the system does not claim to survive, so that a swarm has none of them.
    pub spares: &'a [Kind],
    /// The orders that a swarm gives.
    pub churn: &'a [Kind],
    /// In what time links and disks must usually answer, or the system makes no progress: its shortest timeout.
    pub pace: Span,
}

impl<'a> Roster<'a> {
    /// These members, of a system of which nothing else is known.
    pub const fn of(members: &'a [String]) -> Roster<'a> {
        let crew = Crew::of(members);
        Roster { crew, roles: &[], goals: &[], messages: &[], spares: &[], churn: &[], pace: Span::ms(150) }
    }
}
