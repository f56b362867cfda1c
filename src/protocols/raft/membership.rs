//! Who belongs to a cluster, and which of its servers decide.

use crate::kernel::digest::{Digest, Digestible};
use crate::protocol::NodeId;
use std::fmt;
use std::ops::{BitAnd, BitOr, Sub};

/// A set of servers, of which there are at most 64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Servers(u64);

impl Servers {
    /// Nobody.
    pub const NONE: Servers = Servers(0);

    /// Those with the numbers below `count`.
    ///
    /// # Panics
    /// If there are more than 64.
    pub fn first(count: u16) -> Servers {
        assert!(count <= 64, "a set of {count} servers");
        Servers(if count == 64 { u64::MAX } else { (1 << count) - 1 })
    }

    /// This one alone.
    #[inline]
    pub fn one(server: NodeId) -> Servers {
        Servers(1 << server.number())
    }

    /// Whether there is nobody.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many there are.
    #[inline]
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether this one is among them.
    #[inline]
    pub fn has(self, server: NodeId) -> bool {
        server.number() < 64 && self.0 >> server.number() & 1 == 1
    }

    /// With this one.
    #[inline]
    #[must_use]
    pub fn with(self, server: NodeId) -> Servers {
        self | Servers::one(server)
    }

    /// Without this one.
    #[inline]
    #[must_use]
    pub fn without(self, server: NodeId) -> Servers {
        self - Servers::one(server)
    }

    /// Each of them, by number.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = NodeId> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let next = (rest != 0).then(|| NodeId::new(rest.trailing_zeros() as u16));
            rest &= rest.wrapping_sub(1);
            next
        })
    }
}

impl BitAnd for Servers {
    type Output = Servers;

    #[inline]
    fn bitand(self, other: Servers) -> Servers {
        Servers(self.0 & other.0)
    }
}

impl BitOr for Servers {
    type Output = Servers;

    #[inline]
    fn bitor(self, other: Servers) -> Servers {
        Servers(self.0 | other.0)
    }
}

impl Sub for Servers {
    type Output = Servers;

    #[inline]
    fn sub(self, other: Servers) -> Servers {
        Servers(self.0 & !other.0)
    }
}

impl FromIterator<NodeId> for Servers {
    fn from_iter<I: IntoIterator<Item = NodeId>>(servers: I) -> Servers {
        servers.into_iter().fold(Servers::NONE, Servers::with)
    }
}

/// By number, whether it is among them. Without branches: where servers answer in any order, nobody could guess them.
impl FromIterator<bool> for Servers {
    #[inline]
    fn from_iter<I: IntoIterator<Item = bool>>(is_in: I) -> Servers {
        Servers(is_in.into_iter().zip(0..64).fold(0, |set, (is_in, server)| set | u64::from(is_in) << server))
    }
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() { f.write_str("nobody") } else { f.debug_set().entries(self.iter()).finish() }
    }
}

/// Who belongs to the cluster, as an entry of the log says (thesis, chapter 4).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Configuration {
    /// Those who vote and are counted.
    pub voters: Servers,
    /// The voters before, as long as both must agree (paper, section 6: joint consensus); else nobody.
    pub outgoing: Servers,
    /// Those who are sent the log and do not vote (thesis, section 4.2.1: non-voting members).
    pub learners: Servers,
}

impl Configuration {
    /// These voters and nobody else.
    pub const fn of(voters: Servers) -> Configuration {
        Configuration { voters, outgoing: Servers::NONE, learners: Servers::NONE }
    }

    /// Whether the old and the new voters must both agree.
    #[inline]
    pub fn is_joint(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Everybody who is sent the log.
    #[inline]
    pub fn members(&self) -> Servers {
        self.voters | self.outgoing | self.learners
    }

    /// Whether this server has a vote in it.
    #[inline]
    pub fn may_vote(&self, server: NodeId) -> bool {
        (self.voters | self.outgoing).has(server)
    }

    /// The configuration after this one in which these vote and those learn: at once if one voter comes or goes, by way
    /// of a joint one if there are more, or if `always_joint`.
    #[must_use]
    pub fn towards(&self, voters: Servers, learners: Servers, always_joint: bool) -> Configuration {
        let differing = ((voters - self.voters) | (self.voters - voters)).len();
        let joint = differing > 1 || (differing == 1 && always_joint);
        Configuration { voters, outgoing: if joint { self.voters } else { Servers::NONE }, learners }
    }

    /// The same when the old voters are let go.
    #[must_use]
    pub fn left(&self) -> Configuration {
        Configuration { outgoing: Servers::NONE, ..*self }
    }
}

impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "voters {:?}", self.voters)?;
        if self.is_joint() {
            write!(f, " with {:?}", self.outgoing)?;
        }
        if self.learners.is_empty() { Ok(()) } else { write!(f, " learners {:?}", self.learners) }
    }
}

impl Digestible for Configuration {
    fn digest(&self, digest: &mut Digest) {
        digest.pair(self.voters.0, self.outgoing.0);
        digest.word(self.learners.0);
    }
}

/// What a server asks for on its own behalf.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// To become a voter.
    Join,
    /// To belong to the cluster no longer.
    Leave,
    /// To become a voter in the place of this one.
    Replace(NodeId),
}

impl Digestible for Wish {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Wish::Join => digest.word(0),
            Wish::Leave => digest.word(1),
            Wish::Replace(server) => digest.word(2 << 8 | u64::from(server.number())),
        }
    }
}

/// What is decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Who leads.
    Election,
    /// That an entry is committed, or that a leader still leads.
    Replication,
}

/// Which groups of voters decide. Any two that elect must share a server, and so must one that elects and one that
/// commits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quorums {
    /// More than half.
    Majority,
    /// So many, and fewer for one decision the more for the other. Source: Howard, Malkhi and Spiegelman, "Flexible Paxos: Quorum
    /// Intersection Revisited", OPODIS 2016.
    Flexible {
        /// To elect.
        election: u16,
        /// To commit.
        replication: u16,
    },
    /// More than half of all votes, of which a server may have several or none: by its number. Source: Gifford, "Weighted Voting for
    /// Replicated Data", SOSP 1979.
    Weighted([u8; WEIGHTED_MAX]),
}

/// The most servers that can have votes of different weight.
pub const WEIGHTED_MAX: usize = 16;

impl Quorums {
    /// How many votes a server has.
    #[inline]
    pub fn weight(&self, server: NodeId) -> usize {
        match self {
            Quorums::Majority | Quorums::Flexible { .. } => 1,
            Quorums::Weighted(weights) => weights.get(server.index()).map_or(0, |weight| usize::from(*weight)),
        }
    }

    /// How many votes all these have together.
    #[inline]
    pub fn votes(&self, servers: Servers) -> usize {
        match self {
            Quorums::Majority | Quorums::Flexible { .. } => servers.len(),
            Quorums::Weighted(_) => servers.iter().map(|server| self.weight(server)).sum(),
        }
    }

    /// How many votes of these voters decide; `majority` says what more than half is.
    #[inline]
    pub fn needed(&self, decision: Decision, voters: Servers, majority: fn(usize) -> usize) -> usize {
        match (self, decision) {
            (Quorums::Flexible { election, .. }, Decision::Election) => usize::from(*election),
            (Quorums::Flexible { replication, .. }, Decision::Replication) => usize::from(*replication),
            (Quorums::Majority | Quorums::Weighted(_), _) => majority(self.votes(voters)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(numbers: &[u16]) -> Servers {
        numbers.iter().map(|number| NodeId::new(*number)).collect()
    }

    #[test]
    fn a_set_is_a_set() {
        assert_eq!(Servers::first(3), set(&[2, 0, 1, 1]));
        assert_eq!(Servers::first(64).len(), 64);
        assert_eq!(((set(&[1, 5]) | set(&[2])) - set(&[5])) & set(&[1, 2, 5]), set(&[1, 2]));
        assert!(set(&[63]).has(NodeId::new(63)) && !set(&[63]).has(NodeId::new(64)));
        assert!(set(&[4, 1, 60]).iter().eq([1, 4, 60].map(NodeId::new)));
    }

    #[test]
    fn one_voter_changes_at_once_and_two_by_way_of_both() {
        let old = Configuration::of(set(&[0, 1, 2]));
        assert!(!old.towards(set(&[0, 1, 2, 3]), Servers::NONE, false).is_joint());
        assert!(!old.towards(set(&[0, 1, 2]), set(&[3]), true).is_joint());
        assert!(old.towards(set(&[0, 1]), Servers::NONE, true).is_joint());
        let swap = old.towards(set(&[0, 1, 3]), Servers::NONE, false);
        assert_eq!((swap.outgoing, swap.left()), (old.voters, Configuration::of(set(&[0, 1, 3]))));
    }

    #[test]
    fn votes_are_counted_by_weight() {
        let mut weights = [0; WEIGHTED_MAX];
        weights[..3].copy_from_slice(&[3, 1, 1]);
        let quorums = Quorums::Weighted(weights);
        assert_eq!(quorums.votes(set(&[0, 1, 2, 9])), 5);
        assert_eq!(quorums.needed(Decision::Election, set(&[0, 1, 2]), |votes| votes / 2 + 1), 3);
        let flexible = Quorums::Flexible { election: 4, replication: 2 };
        assert_eq!(flexible.needed(Decision::Replication, set(&[0, 1, 2, 3, 4]), |_| unreachable!()), 2);
    }
}
