//! What clients want: locks, and how they hold them.

use crate::kernel::digest::{Digest, Digestible};
use crate::protocol::NodeId;

/// One lock: a small number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LockId(pub u32);

/// One attempt of one client to hold one lock, told apart from all others by a random number of 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ClaimId(pub u64);

/// A number that grows from one holder of a lock to the next, if the service gives one.
pub type Token = u64;

/// How a lock is held.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Mode {
    /// By one alone.
    Exclusive,
    /// Together with others who share it.
    Shared,
}

impl Mode {
    /// Whether one may hold it like this and another one like that at the same time.
    pub const fn agrees_with(self, other: Mode) -> bool {
        matches!((self, other), (Mode::Shared, Mode::Shared))
    }
}

/// Who wants which lock, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claim {
    /// Which attempt.
    pub id: ClaimId,
    /// Whose.
    pub client: NodeId,
    /// What it is for.
    pub lock: LockId,
    /// How it will be held.
    pub mode: Mode,
}

impl Digestible for Claim {
    fn digest(&self, digest: &mut Digest) {
        digest.pair(self.id.0, u64::from(self.client.number()));
        digest.word(u64::from(self.lock.0) << 1 | u64::from(self.mode == Mode::Shared));
    }
}
