//! That nobody fetches faster than it may.

use super::violation;
use crate::kernel::time::{Span, Time};
use crate::oracle::spec::Verdict;
use crate::protocol::NodeId;
use crate::protocols::ring::config::Config;

/// Who was asked lately, by whom.
#[derive(Clone, Debug)]
pub(super) struct Transfers {
    throttle: Span,
    /// From how many sources somebody fetches at a time.
    limit: usize,
    /// By server, whom it has asked, and when by its own clock.
    asked: Vec<Vec<(Time, NodeId)>>,
}

impl Transfers {
    pub(super) fn new(config: &Config) -> Transfers {
        let asked = vec![Vec::new(); usize::from(config.servers)];
        Transfers { throttle: config.pace.throttle, limit: config.limits.transfers, asked }
    }

    /// A server has started again, and does not know whom it has asked before.
    pub(super) fn booted(&mut self, node: NodeId) {
        self.asked[node.index()].clear();
    }

    /// A server asks for keys that it comes to own: in the time between two batches so many sources at most, each once.
    pub(super) fn check_asked(&mut self, node: NodeId, source: NodeId, at: Time) -> Verdict {
        let (asked, throttle) = (&mut self.asked[node.index()], self.throttle);
        asked.retain(|(before, _)| at.since(*before) < throttle);
        let is_again = asked.iter().any(|(_, other)| *other == source);
        asked.push((at, source));
        if !is_again && asked.len() <= self.limit {
            return Ok(());
        }
        let message = format!(
            "{node:?} asks {source:?} for keys, and has asked within {throttle} for {} batches, where {} may be, each of another source",
            asked.len(),
            self.limit
        );
        violation("ring.transfers-limited", &[node, source], message)
    }
}
