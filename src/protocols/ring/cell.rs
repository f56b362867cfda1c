//! What is kept of a key: a value or the mark of its deletion, under a version.

use crate::kernel::digest::{Digest, Digestible, mix};
use crate::protocol::NodeId;

/// A key, by its place in the order of all keys' hashes: the keys of an arc of the ring have ranks in a row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Rank(pub u32);

/// A client's operation. No two have the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct OperationId {
    /// Who has begun it.
    pub client: NodeId,
    /// Of its operations which.
    pub serial: u32,
}

/// When a value was written: after all those with a lower one. The operation makes it unique, so that two writers who
/// choose the same counter still agree on who comes later. Source: Lynch and Shvartsman, "Robust emulation of shared
/// memory using dynamic quorum-acknowledged broadcasts", FTCS 1997.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Version {
    /// One more than the highest that the writer has seen.
    pub counter: u32,
    /// The write.
    pub by: OperationId,
}

/// A value under its version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cell {
    /// When it was written.
    pub version: Version,
    /// The value; `None` is a tombstone, the mark of a deletion.
    pub value: Option<u64>,
}

impl Cell {
    /// Whether this is newer than what is kept, if something is.
    #[inline]
    pub fn is_newer_than(&self, kept: Option<&Cell>) -> bool {
        kept.is_none_or(|kept| kept.version < self.version)
    }

    /// Whether it marks a deletion.
    #[inline]
    pub fn is_tombstone(&self) -> bool {
        self.value.is_none()
    }

    /// A word that stands for this cell at this key.
    #[inline]
    pub fn hash_at(&self, rank: Rank) -> u64 {
        let version = u64::from(self.version.counter) << 32 | u64::from(self.version.by.serial);
        mix(version, u64::from(self.version.by.client.number()) << 32 | u64::from(rank.0))
    }
}

impl Digestible for Cell {
    #[inline]
    fn digest(&self, digest: &mut Digest) {
        let Version { counter, by } = self.version;
        digest.pair(u64::from(counter) << 32 | u64::from(by.serial), u64::from(by.client.number()));
        digest.word(self.value.map_or(0, |value| value.wrapping_add(1)));
    }
}

/// Of two cells of one key the newer.
pub fn newer(one: Option<Cell>, other: Option<Cell>) -> Option<Cell> {
    match (one, other) {
        (Some(one), Some(other)) if one.version < other.version => Some(other),
        (None, other) => other,
        (one, _) => one,
    }
}
