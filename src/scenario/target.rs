//! Whom a fault hits and which links, as a scenario says it: by size, by shape, by role or by name.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Which links a fault hits. What is drawn here divides the servers; of other members each is on one of the sides, but
/// sees everybody in a ring or a set of links.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Shape {
    /// A random half, rounded down, against the rest.
    Halves,
    /// These members, together, against the rest.
    Isolate(Who),
    /// A random third, always less than a third, against the rest. Needs 4 members.
    MinorityThird,
    /// Every member sees a majority, and no two see the same. Needs 3 members. Source: Jepsen's
    /// nemesis `majorities-ring`.
    MajoritiesRing,
    /// Two random halves that do not see each other, and one member that sees both. Needs 3 members.
    Bridge,
    /// A random set of any size against the rest.
    Random,
    /// These members, by name, against those: `Split(["n1"], ["n2", "n3"])`. With `one_way`, only what the first
    /// send to the second is lost.
    Split(Vec<String>, Vec<String>),
    /// What is sent over these links, each from a member to another one: `Links([("n1", "n2")])`.
    Links(Vec<(String, String)>),
    /// What is sent from any of these members to any other of them: `Among(["n1", "n2"])`.
    Among(Vec<String>),
    /// All that these members send to the rest.
    Mute(Who),
    /// All that the rest send to these members.
    Deafen(Who),
}

/// Whom a fault hits. Sets are drawn anew each time, and of servers only: other members, such as clients that faults can
/// strike too, are hit by name and by role.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Who {
    /// Any one member.
    One,
    /// As many as can be missing while a majority remains: 2 of 5, 1 of 4.
    Minority,
    /// As few as make a majority: 3 of 5, 3 of 4.
    Majority,
    /// As many as can lie while two thirds are honest: 1 of 4, 2 of 7.
    MinorityThird,
    /// Every member.
    All,
    /// So many members.
    Random(u16),
    /// Whoever leads when the fault begins; the same as `Role("leader")`.
    Leader,
    /// These members, `Nodes(["n1", "n3"])`.
    Nodes(Vec<String>),
    /// Whoever holds this role when the fault begins.
    Role(String),
    /// Everybody who takes itself for the primary when the fault begins: of several leaders all.
    Primaries,
    /// Whoever holds the lock when the fault begins; the same as `Role("lock-holder")`.
    LockHolder,
    /// Whoever owns this key when the fault begins: `Owner("k7")`.
    Owner(String),
    /// The members in turn: each time the next one, from the first.
    InTurn,
    /// With `when`: the node that the moment is about.
    Subject,
}

impl Who {
    /// How many of so many members are hit; `None` for a role, of which nobody knows beforehand.
    pub fn size(&self, members: usize) -> Option<usize> {
        match self {
            Who::One => Some(1),
            Who::Minority => Some(members.saturating_sub(1) / 2),
            Who::Majority => Some(members / 2 + 1),
            Who::MinorityThird => Some(members.saturating_sub(1) / 3),
            Who::All => Some(members),
            Who::Random(count) => Some(usize::from(*count)),
            Who::Nodes(names) => Some(names.len()),
            Who::InTurn => Some(1),
            Who::Leader | Who::Role(_) | Who::Primaries | Who::LockHolder | Who::Owner(_) | Who::Subject => None,
        }
    }

    /// The role that is meant, if it is one.
    pub fn role(&self) -> Option<Cow<'_, str>> {
        match self {
            Who::Leader => Some("leader".into()),
            Who::LockHolder => Some("lock-holder".into()),
            Who::Primaries => Some("primary".into()),
            Who::Owner(key) => Some(format!("owner:{key}").into()),
            Who::Role(name) => Some(name.into()),
            Who::One
            | Who::Minority
            | Who::Majority
            | Who::MinorityThird
            | Who::All
            | Who::Random(_)
            | Who::Nodes(_)
            | Who::InTurn
            | Who::Subject => None,
        }
    }
}
