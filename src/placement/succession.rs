//! A ring, and what becomes of it, change by change.

use super::ring::Ring;

/// A ring, the keys on it, and the rings that follow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Succession {
    /// How many copies a key has.
    pub copies: usize,
    /// Where the keys stand, in order.
    pub keys: Vec<u128>,
    /// The ring in the beginning.
    pub first: Ring,
    /// What follows, in order.
    pub turns: Vec<Turn>,
    /// What changes members, too, but cannot be told beforehand, or changes nothing: each in words, with the reason.
    pub left_out: Vec<String>,
}

/// A change of members.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Turn {
    /// When it is ordered.
    pub at_ns: u64,
    /// What is ordered: `join n7`.
    pub what: String,
    /// The ring after it.
    pub ring: Ring,
}
