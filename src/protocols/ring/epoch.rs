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

#[cfg(test)]
mod tests {
    use super::*;

    fn members(nodes: &[u16]) -> Arc<[Member]> {
        nodes.iter().map(|node| Member { node: NodeId::new(*node), identity: FOUNDER, points: 1, zone: 0 }).collect()
    }

    fn after(epoch: &Epoch, step: Step) -> Epoch {
        epoch.after(&step).unwrap_or_else(|| panic!("{step:?} cannot be taken in {epoch:?}"))
    }

    #[test]
    fn a_change_is_copied_switched_and_finished() {
        let (old, new) = (members(&[0, 1, 2]), members(&[0, 1, 2, 3]));
        let first = Epoch::first(old.clone());
        let copying = after(&first, Step::Target(new.clone()));
        assert_eq!((copying.number, copying.phase, copying.plan), (2, Phase::Copying, 2));
        assert_eq!((&copying.members, &copying.next), (&old, &new));
        let switched = after(&copying, Step::Switch);
        assert_eq!((switched.number, switched.phase, switched.plan), (3, Phase::Switched, 2));
        assert_eq!((&switched.members, &switched.next), (&old, &new));
        let settled = after(&switched, Step::Finish);
        assert_eq!((settled.number, settled.phase, settled.plan), (4, Phase::Settled, 2));
        assert_eq!((&settled.members, &settled.next), (&new, &new));
    }

    #[test]
    fn while_keys_are_copied_the_target_may_change_and_go_back() {
        let (old, new, other) = (members(&[0, 1]), members(&[0, 1, 2]), members(&[1, 3]));
        let copying = after(&Epoch::first(old.clone()), Step::Target(new));
        let elsewhere = after(&copying, Step::Target(other.clone()));
        assert_eq!((elsewhere.phase, elsewhere.plan, &elsewhere.next), (Phase::Copying, 3, &other));
        let back = after(&elsewhere, Step::Target(old.clone()));
        assert_eq!((back.phase, back.number, back.plan), (Phase::Settled, 4, 4));
        assert_eq!((&back.members, &back.next), (&old, &old));
    }

    #[test]
    fn other_steps_cannot_be_taken() {
        let (old, new) = (members(&[0, 1]), members(&[0, 1, 2]));
        let settled = Epoch::first(old.clone());
        let copying = after(&settled, Step::Target(new.clone()));
        let switched = after(&copying, Step::Switch);
        for (epoch, steps) in [
            (settled, vec![Step::Switch, Step::Finish]),
            (copying, vec![Step::Finish, Step::Clear]),
            (switched, vec![Step::Switch, Step::Clear, Step::Target(old), Step::Target(new)]),
        ] {
            for step in steps {
                assert_eq!(epoch.after(&step), None, "{step:?} in {epoch:?}");
            }
        }
    }

    #[test]
    fn only_the_epoch_after_a_clear_clears() {
        let first = Epoch::first(members(&[0, 1]));
        let clear = after(&first, Step::Clear);
        assert!(clear.clears && clear.phase == Phase::Settled && clear.number == 2);
        assert_eq!((&clear.members, clear.plan), (&first.members, first.plan));
        assert!(!after(&clear, Step::Target(members(&[0, 1, 2]))).clears);
        assert!(after(&clear, Step::Clear).clears);
    }

    #[test]
    fn some_who_would_go_stay_where_there_would_be_too_few() {
        let list = |wanted: &[u16], would_go: &[u16], copies| {
            Epoch::list(members(wanted).to_vec(), members(would_go).to_vec(), copies)
        };
        assert_eq!(list(&[0, 3], &[1, 2], 2), members(&[0, 3]));
        assert_eq!(list(&[0, 3], &[2, 1], 3), members(&[0, 2, 3]));
        assert_eq!(list(&[], &[1], 3), members(&[1]));
    }
}
