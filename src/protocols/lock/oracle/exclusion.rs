//! Mutual exclusion of one lock.
//!
//! A claim's section begins when its client enters, by true time, and lasts until its last write that the resource accepts.
//! In it, the resource must have accepted no write of a claim that may not hold the lock at the same time. A resource that
//! checks tokens puts the claims in an order itself: there a section begins with its first accepted write, for until then
//! whoever was before may still write.

use super::REMEMBERED;
use crate::oracle::spec::{Verdict, Violation};
use crate::protocols::lock::claim::{Claim, ClaimId, Mode};
use std::collections::VecDeque;

/// What is known of the sections under one lock. Moments are ordinals of facts.
#[derive(Clone, Debug, Default)]
pub struct Exclusion {
    sections: VecDeque<Section>,
    /// The latest accepted writes under claims that exclude all others.
    alone: Latest,
    /// And under claims that are shared.
    shared: Latest,
}

/// The section of one claim.
#[derive(Clone, Copy, Debug)]
struct Section {
    claim: ClaimId,
    entered: u64,
    /// The first write that was accepted.
    began: Option<u64>,
}

/// The latest write of all, and the latest of another claim than that one's.
#[derive(Clone, Copy, Debug, Default)]
struct Latest {
    first: Option<(u64, Claim)>,
    second: Option<(u64, Claim)>,
}

impl Latest {
    fn put(&mut self, ordinal: u64, claim: Claim) {
        if self.first.is_some_and(|(_, other)| other.id != claim.id) {
            self.second = self.first;
        }
        self.first = Some((ordinal, claim));
    }

    /// The latest write of another claim.
    fn beside(&self, claim: ClaimId) -> Option<(u64, Claim)> {
        self.first.filter(|(_, other)| other.id != claim).or(self.second)
    }
}

impl Exclusion {
    /// A client has entered.
    pub fn entered(&mut self, claim: &Claim, ordinal: u64) {
        self.sections.push_back(Section { claim: claim.id, entered: ordinal, began: None });
        if self.sections.len() > REMEMBERED {
            self.sections.pop_front();
        }
    }

    /// The resource has accepted a write.
    ///
    /// # Errors
    /// `lock.mutual-exclusion`, if a write that excludes this claim lies in its section.
    pub fn accepted(&mut self, claim: &Claim, ordinal: u64, is_fenced: bool) -> Verdict {
        let section = self.sections.iter_mut().rev().find(|section| section.claim == claim.id);
        let since = match section {
            Some(section) => {
                let began = *section.began.get_or_insert(ordinal);
                if is_fenced { began } else { section.entered }
            }
            // So old that nobody remembers it.
            None if is_fenced => ordinal,
            None => 0,
        };
        let alone = self.alone.beside(claim.id);
        let shared = self.shared.beside(claim.id).filter(|_| claim.mode == Mode::Exclusive);
        let between = alone.into_iter().chain(shared).find(|(at, _)| *at > since);
        match claim.mode {
            Mode::Exclusive => self.alone.put(ordinal, *claim),
            Mode::Shared => self.shared.put(ordinal, *claim),
        }
        let Some((_, other)) = between else { return Ok(()) };
        let (mine, its) = (how(claim.mode), how(other.mode));
        let message = format!(
            "a write of {:?}, which holds lock {} {mine}, was accepted, and one of {:?}, which holds it {its}, after {:?} had entered",
            claim.client, claim.lock.0, other.client, claim.client
        );
        Err(Box::new(Violation::new("lock.mutual-exclusion", &[claim.client, other.client], message)))
    }
}

/// How it is held, in words.
pub(super) fn how(mode: Mode) -> &'static str {
    match mode {
        Mode::Exclusive => "alone",
        Mode::Shared => "with others",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::NodeId;
    use crate::protocols::lock::claim::LockId;

    fn claim(number: u64, mode: Mode) -> Claim {
        Claim { id: ClaimId(number), client: NodeId::new(number as u16), lock: LockId(0), mode }
    }

    /// What becomes of a story: `e1` claim 1 enters, `w1` a write of it is accepted. Claims from 5 on are shared.
    fn told(story: &str, is_fenced: bool) -> bool {
        let mut exclusion = Exclusion::default();
        story.split(' ').enumerate().all(|(place, word)| {
            let number = word[1..].parse().expect("a number");
            let claim = claim(number, if number < 5 { Mode::Exclusive } else { Mode::Shared });
            match &word[..1] {
                "e" => exclusion.entered(&claim, place as u64 + 1),
                _ => return exclusion.accepted(&claim, place as u64 + 1, is_fenced).is_ok(),
            }
            true
        })
    }

    #[test]
    fn a_write_of_another_in_a_section_breaks_it() {
        for (story, unfenced, fenced) in [
            ("e1 w1 w1 e2 w2 w2", true, true),
            ("e1 w1 e2 w2 w2", true, true),
            ("e1 w1 e2 w2 w1", false, false),
            ("e1 e2 w2 w1", false, true),
            ("e1 w1 e2 w1 w2", false, true),
            ("e1 e2 e3 w2 w3 w3", false, true),
            ("e1 e2 e3 w2 w3 w2", false, false),
            ("e5 e6 w5 w6 w5 w6", true, true),
            ("e5 w5 e1 w1 w5", false, false),
            ("e1 w1 e5 w5 w1", false, false),
            ("e5 w5 e6 w6 w5 e1 w1", true, true),
            ("w1 e2 w2 w1", false, true),
        ] {
            assert_eq!(told(story, false), unfenced, "{story}");
            assert_eq!(told(story, true), fenced, "{story}, with fencing");
        }
    }
}
