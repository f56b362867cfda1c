//! That deletions are not forgotten more often than they may be: each epoch that does so disturbs all requests.

use super::violation;
use crate::kernel::time::{Span, Time};
use crate::oracle::spec::{Verdict, View};
use crate::protocols::ring::config::Config;
use crate::protocols::ring::node::Node;

/// When deletions were forgotten last.
#[derive(Clone, Debug)]
pub(super) struct Clears {
    least: Option<Span>,
    /// By the clock of each of those who decide; when the run began, if that never was.
    last: Vec<Time>,
}

impl Clears {
    pub(super) fn new(config: &Config) -> Clears {
        Clears { least: config.pace.collect, last: vec![Time::ZERO; config.coordinators().count()] }
    }

    /// An epoch that clears was decided. By which clock, nobody says; so the one counts that has run most.
    pub(super) fn decided(&mut self, view: &View<Node>, number: u64) -> Verdict {
        let now: Vec<Time> = view.hosts.iter().take(self.last.len()).map(|host| host.clock.ticked(view.now)).collect();
        let last = std::mem::replace(&mut self.last, now);
        let most = self.last.iter().zip(last).map(|(now, last)| now.since(last)).max();
        let Some(least) = self.least else {
            let message = format!("epoch {number} forgets deletions, which are to be kept for ever");
            return violation("ring.clears-limited", &[], message);
        };
        match most.filter(|most| *most < least) {
            None => Ok(()),
            Some(most) => {
                let message = format!(
                    "epoch {number} forgets deletions {most} after the last that did, and {least} must be between"
                );
                violation("ring.clears-limited", &[], message)
            }
        }
    }
}
