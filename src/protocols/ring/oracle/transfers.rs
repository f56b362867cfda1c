//! That nobody fetches faster than it may.

use super::violation;
use crate::kernel::time::{Span, Time};
use crate::oracle::spec::Verdict;
use crate::protocol::NodeId;
use crate::protocols::ring::config::Config;
use std::collections::VecDeque;

/// Who was asked lately, by whom.
#[derive(Clone, Debug)]
pub(super) struct Transfers {
    throttle: Span,
    /// From how many sources somebody fetches at a time.
    limit: usize,
    /// By server, whom it has asked, and when by its own clock. A disk that takes its time can hold a question back, so
    /// that it comes after later ones.
    asked: Vec<VecDeque<(Time, NodeId)>>,
}

/// So many questions are looked at, at least, for one that was held back.
const HELD_BACK: usize = 64;

impl Transfers {
    pub(super) fn new(config: &Config) -> Transfers {
        let asked = vec![VecDeque::new(); usize::from(config.servers)];
        Transfers { throttle: config.pace.throttle, limit: config.limits.transfers, asked }
    }

    /// A server has died, and will not know whom it has asked before.
    pub(super) fn crashed(&mut self, node: NodeId) {
        self.asked[node.index()].clear();
    }

    /// A server asks for keys that it comes to own: in the time between two batches so many sources at most, each once.
    pub(super) fn check_asked(&mut self, node: NodeId, source: NodeId, at: Time) -> Verdict {
        let (asked, throttle) = (&mut self.asked[node.index()], self.throttle);
        let near = |other: Time| at.since(other).max(other.since(at)) < throttle;
        let (mut count, mut is_again) = (1, false);
        for (_, other) in asked.iter().filter(|(other, _)| near(*other)) {
            (count, is_again) = (count + 1, is_again || *other == source);
        }
        asked.push_back((at, source));
        if asked.len() > HELD_BACK.max(2 * self.limit) {
            asked.pop_front();
        }
        if !is_again && count <= self.limit {
            return Ok(());
        }
        let message = format!(
            "{node:?} asks {source:?} for keys, and has asked within {throttle} for {} batches, where {} may be, each of another source",
            count, self.limit
        );
        violation("ring.transfers-limited", &[node, source], message)
    }
}
