//! Epochs of the ring: who is a member, and who becomes one.
//!
//! A change goes in steps, each an epoch of its own, so that of any two epochs that can be in use at the same time every
//! read quorum of the one meets every write quorum of the other:
//!
//! 1. *settled*: everything is read and written at the owners by one list of members, A.
//! 2. *copying*: written at a quorum by A and at one by the next list, B; read by A. Those who gain keys fetch them.
//! 3. *switched*: written at both; read by B.
//! 4. *settled* by B.
//!
//! Source: the same steps in CEP-21, "Transactional Cluster Metadata", of Apache Cassandra; joint quorums as in the thesis
//! of Ongaro, section 4.3.

use crate::kernel::digest::{Digest, Digestible};
use crate::protocol::NodeId;
use std::sync::Arc;

/// Tells a disk from another one. Who comes back with another disk is another member.
pub type Identity = u64;

/// The identity of those who are members from the beginning.
pub const FOUNDER: Identity = 0;

/// Somebody who owns keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member {
    /// Which node.
    pub node: NodeId,
    /// With which disk.
    pub identity: Identity,
    /// How many points it has on the ring, from 1.
    pub points: u32,
    /// Where it stands: what fails together.
    pub zone: u16,
}

/// How far a change is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// There is none.
    Settled,
    /// Those who gain keys fetch them.
    Copying,
    /// They are read from; those who lose keys still get all writes.
    Switched,
}

/// Who is a member, and who becomes one. The oldest is 1, and each next one follows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Epoch {
    /// Which.
    pub number: u64,
    /// How far the change is.
    pub phase: Phase,
    /// The members, by node.
    pub members: Arc<[Member]>,
    /// The members after the change; the same as `members` where there is none.
    pub next: Arc<[Member]>,
    /// The epoch in which `next` was decided.
    pub plan: u64,
    /// The epoch begins so that what was sent before it is refused: deletions that all owners know of can be forgotten.
    pub clears: bool,
}

/// A step to the next epoch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// These shall be the members. Where keys are being copied already, for another list.
    Target(Arc<[Member]>),
    /// Who gains keys has them.
    Switch,
    /// Nobody reads by the old list any more.
    Finish,
    /// Forget what is deleted.
    Clear,
}

impl Epoch {
    /// The first.
    pub fn first(founders: Arc<[Member]>) -> Epoch {
        let next = founders.clone();
        Epoch { number: 1, phase: Phase::Settled, members: founders, next, plan: 1, clears: false }
    }

    /// The member that this node is or becomes.
    pub fn find(list: &[Member], node: NodeId) -> Option<&Member> {
        list.binary_search_by_key(&node, |member| member.node).ok().map(|place| &list[place])
    }

    /// The members after a change: who is wanted, and of those who would go the first, if there would be fewer members than
    /// copies. So few cannot own anything.
    pub fn list(mut wanted: Vec<Member>, would_go: Vec<Member>, copies: usize) -> Arc<[Member]> {
        let missing = copies.saturating_sub(wanted.len());
        wanted.extend(would_go.into_iter().take(missing));
        wanted.sort_unstable_by_key(|member| member.node);
        wanted.into()
    }

    /// The epoch after this step; `None` if it cannot be taken now.
    pub fn after(&self, step: &Step) -> Option<Epoch> {
        let number = self.number + 1;
        let next = match (self.phase, step) {
            (Phase::Settled | Phase::Copying, Step::Target(target)) => {
                let settles = *target == self.members;
                let phase = if settles { Phase::Settled } else { Phase::Copying };
                Epoch { number, phase, next: target.clone(), plan: number, clears: false, ..self.clone() }
            }
            (Phase::Copying, Step::Switch) => Epoch { number, phase: Phase::Switched, clears: false, ..self.clone() },
            (Phase::Switched, Step::Finish) => {
                Epoch { number, phase: Phase::Settled, members: self.next.clone(), clears: false, ..self.clone() }
            }
            (Phase::Settled, Step::Clear) => Epoch { number, clears: true, ..self.clone() },
            (Phase::Settled, Step::Switch | Step::Finish)
            | (Phase::Copying, Step::Finish | Step::Clear)
            | (Phase::Switched, Step::Target(_) | Step::Switch | Step::Clear) => return None,
        };
        Some(next)
    }
}

impl Digestible for Member {
    fn digest(&self, digest: &mut Digest) {
        digest.pair(u64::from(self.node.number()) << 16 | u64::from(self.zone), u64::from(self.points));
        digest.word(self.identity);
    }
}

impl Digestible for Step {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Step::Target(members) => {
                digest.word(1);
                members.iter().for_each(|member| member.digest(digest));
            }
            Step::Switch => digest.word(2),
            Step::Finish => digest.word(3),
            Step::Clear => digest.word(4),
        }
    }
}

impl Digestible for Epoch {
    fn digest(&self, digest: &mut Digest) {
        digest.pair(self.number << 3 | (self.phase as u64) << 1 | u64::from(self.clears), self.plan);
        self.members.iter().chain(&*self.next).for_each(|member| member.digest(digest));
    }
}
