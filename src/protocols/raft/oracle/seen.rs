//! What the oracle saw of a server when it last looked, and whether anything is different now.

use super::{or_none, violation};
use crate::kernel::time::{Span, Time};
use crate::oracle::spec::Violation;
use crate::protocol::NodeId;
use crate::protocols::raft::core::{Core, Progress, Role, StateMachine};
use crate::protocols::raft::membership::{Configuration, Servers, Wish};
use crate::protocols::raft::message::Campaign;

/// What the oracle saw of one server.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) term: u64,
    pub(super) vote: Option<NodeId>,
    /// The term it leads or led last; 0 if it never did.
    pub(super) led: u64,
    pub(super) leads: bool,
    pub(super) last: u64,
    pub(super) chain: u64,
    pub(super) commit: u64,
    pub(super) applied: u64,
    /// The log is known to hold what is committed, up to here.
    pub(super) agreed: u64,
    /// Term and vote when the disk was last clean: a crash cannot take these.
    pub(super) kept: (u64, Option<NodeId>),
    /// Of a leader, by server.
    pub(super) match_index: Vec<u64>,
    /// Up to where the log is compacted away, and up to where there is a snapshot.
    pub(super) base: u64,
    pub(super) snapshot: u64,
    /// Whom it has told to campaign, and in which term.
    pub(super) told: Option<(u64, NodeId)>,
    /// It campaigns in its term because a leader has told it to.
    pub(super) is_sent: bool,
    /// It asks for pre-votes.
    pub(super) asks: bool,
    /// Something has kept it from its work since it started: it may not have got to what came long ago.
    pub(super) lags: bool,
    /// If it leads and what it can hear is no quorum.
    pub(super) deaf: Option<Deaf>,
    /// When links changed last it had heard no quorum for longer than this, and led on.
    pub(super) overstayed: Option<Span>,
    /// What it was ordered to ask for.
    pub(super) wish: Option<Wish>,
}

/// A leader that hears no quorum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deaf {
    pub(super) term: u64,
    pub(super) configuration: Configuration,
    /// Since when, in true time, and by its own clock.
    pub(super) since: Time,
    pub(super) by_clock: Time,
}

impl Seen {
    /// Whether nothing of what is looked at differs from what was seen last.
    #[inline]
    pub(super) fn is_as_before<M: StateMachine>(&self, core: &Core<M>) -> bool {
        let log = core.log();
        // What changes most often stands first.
        let same = core.commit() == self.commit
            && core.applied() == self.applied
            && log.last_index() == self.last
            && log.chain() == self.chain
            && log.base().index == self.base
            && core.term() == self.term
            && core.vote() == self.vote
            && (core.wish().is_none() & self.wish.is_none() || core.wish() == self.wish);
        same && match core.role() {
            Role::Leader(leadership) => {
                self.leads && self.led == core.term() && !self.has_learned(&leadership.progress) && self.has_told(core)
            }
            Role::PreCandidate { .. } => !self.leads & self.asks,
            Role::Follower | Role::Candidate { .. } | Role::Outcast => !self.leads & !self.asks,
        }
    }

    /// Whether a leader knows something else than before about any log, or what cannot be.
    #[inline]
    fn has_learned(&self, progress: &[Progress]) -> bool {
        let pairs = progress.iter().zip(&self.match_index);
        pairs.fold(false, |learned, (progress, known)| {
            learned | (progress.match_index != *known) | (progress.next_index <= *known)
        })
    }

    /// About whose logs a leader knows something else than before, or what cannot be.
    #[inline]
    pub(super) fn learned(&self, progress: &[Progress]) -> Servers {
        let pairs = progress.iter().zip(&self.match_index);
        pairs.map(|(progress, known)| (progress.match_index != *known) | (progress.next_index <= *known)).collect()
    }

    /// Whether a leader has told nobody to campaign since.
    #[inline]
    pub(super) fn has_told<M: StateMachine>(&self, core: &Core<M>) -> bool {
        core.handed_to().is_none_or(|told| self.told == Some(told))
    }

    /// Terms grow; in one term the vote goes from nobody to somebody and stays there. Answers whether the server has begun to
    /// campaign because a leader has told it to.
    #[inline]
    pub(super) fn check_term<M: StateMachine>(&mut self, node: NodeId, core: &Core<M>) -> Result<bool, Box<Violation>> {
        if (core.term(), core.vote()) == (self.term, self.vote) {
            return Ok(false);
        }
        if core.term() < self.term {
            return violation("raft.term-monotonic", &[node], || {
                format!("{node:?} went back from term {} to term {}", self.term, core.term())
            });
        }
        if core.term() == self.term && self.vote.is_some() {
            return violation("raft.vote-monotonic", &[node], || {
                let (before, now) = (or_none(self.vote), or_none(core.vote()));
                format!("{node:?} changed its vote in term {} from {before} to {now}", self.term)
            });
        }
        (self.term, self.vote) = (core.term(), core.vote());
        self.is_sent = matches!(core.role(), Role::Candidate { campaign: Campaign::Transfer, .. });
        Ok(self.is_sent)
    }
}
