//! A listener who hears everything, and tells it turn by turn: who did what, and in which turn each message was sent.

use super::story::{Deed, Turn, What};
use super::tape::{Listener, counted, missing};
use crate::kernel::time::Time;
use crate::oracle::spec::{Spec, View};
use crate::protocol::{DiskFailure, NodeId};
use crate::trace::{Fingerprint, Happening, Trace};
use std::collections::{BTreeMap, VecDeque};

/// Sender, receiver, and what a message says.
type Letter = (usize, usize, String);

/// When messages of the same words were sent on one link.
#[derive(Clone, Debug, Default)]
struct Sendings {
    /// The turns in which those were sent that are still on their way, and the last that is not.
    under_way: VecDeque<u64>,
    last: Option<u64>,
}

/// So many messages are remembered that have all come, or more if more are under way.
const SENDINGS: usize = 1 << 17;

/// Listens to a run, and remembers everything that happens until somebody takes it.
#[derive(Clone, Debug, Default)]
pub struct Storyteller {
    fingerprint: Fingerprint,
    /// The number of the step that is being taken.
    step: u64,
    /// Those that nobody has taken yet, and how many were taken before.
    turns: Vec<Turn>,
    taken: u64,
    sendings: BTreeMap<Letter, Sendings>,
    /// By node, how it stood last.
    standings: Vec<String>,
}

impl Storyteller {
    /// What has happened since this was asked last. So many steps have been taken; looks how the nodes stand now.
    pub fn turns<P: Spec>(&mut self, steps: u64, view: &View<P>) -> Vec<Turn> {
        self.standings.resize(view.hosts.len(), String::new());
        // Found within a step, a violation ends the run before that step is counted.
        self.turns.iter_mut().for_each(|turn| turn.step = turn.step.min(steps));
        // Backwards: how a node stands is told after the last that happened to it.
        let mut seen = vec![false; view.hosts.len()];
        for turn in self.turns.iter_mut().rev() {
            let Some(node) = turn.node.filter(|node| !std::mem::replace(&mut seen[*node], true)) else { continue };
            let words = view.hosts[node].state.as_ref().map_or(String::new(), P::standing);
            if self.standings[node] != words {
                self.standings[node].clone_from(&words);
                // Who is down has no standing, and that it died is told.
                if !words.is_empty() {
                    turn.deeds.push(Deed { what: What::Becomes, words });
                }
            }
        }
        // Who remembers every message of a long run needs memory without end; a copy that comes so late has no sender then.
        if self.sendings.len() > SENDINGS {
            self.sendings.retain(|_, sendings| !sendings.under_way.is_empty());
        }
        self.step = steps + 1;
        self.taken += self.turns.len() as u64;
        std::mem::take(&mut self.turns)
    }

    /// In which turn this message was sent. Of several that say the same on one link the one that was sent first is taken for the
    /// one that comes first; what comes once more than it was sent was doubled.
    fn sent(&mut self, from: usize, to: usize, words: &str) -> Option<u64> {
        let sendings = self.sendings.get_mut(&(from, to, words.to_owned()))?;
        sendings.last = sendings.under_way.pop_front().or(sendings.last);
        sendings.last
    }

    /// Who does what.
    fn deed<P: Spec>(&mut self, what: &Happening<'_, P>) -> (Option<usize>, Deed) {
        let number = |node: &NodeId| node.index();
        let (what, node, words) = match what {
            Happening::Sent { from, to, message } => {
                (What::Sends { to: number(to) }, Some(number(from)), format!("{message:?}"))
            }
            Happening::Delivered { from, to, message } => {
                let (from, to, words) = (number(from), number(to), format!("{message:?}"));
                (What::Gets { from, sent: self.sent(from, to, &words) }, Some(to), words)
            }
            Happening::Dropped { from, to, message } => {
                let (from, to, words) = (number(from), number(to), format!("{message:?}"));
                (What::Misses { from, sent: self.sent(from, to, &words) }, Some(to), words)
            }
            Happening::Garbled { from, to, message } => {
                (What::Damaged { from: number(from) }, Some(number(to)), format!("{message:?}"))
            }
            Happening::Fired { node, timer } => (What::Fires, Some(number(node)), format!("{timer:?}")),
            Happening::Ordered { node, order } => (What::Hears, Some(number(node)), order.to_string()),
            Happening::Synced { node, records } => (What::Syncs, Some(number(node)), counted(*records)),
            Happening::Noted { node, fact } => (What::Notes, Some(number(node)), format!("{fact:?}")),
            Happening::Booted { node, records, damage } => {
                (What::Starts, Some(number(node)), counted(*records) + &missing(*damage))
            }
            Happening::DiskFailed { node, failure } => {
                let words = match failure {
                    DiskFailure::Write => "cannot write",
                    DiskFailure::Full => "finds its disk full",
                    DiskFailure::Sync => "cannot sync",
                };
                (What::Fails, Some(number(node)), words.to_owned())
            }
            Happening::Crashed { node, lost } => (What::Dies, Some(number(node)), counted(*lost)),
            Happening::Began { number, fault } => (What::Begins { fault: *number }, None, fault.to_string()),
            Happening::Ended { number, fault } => (What::Ends { fault: *number }, None, fault.to_string()),
            Happening::Calmed => (What::Calm, None, String::new()),
        };
        (node, Deed { what, words })
    }
}

impl<P: Spec> Listener<P> for Storyteller {
    fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    fn storyteller(&mut self) -> Option<&mut Storyteller> {
        Some(self)
    }
}

impl<P: Spec> Trace<P> for Storyteller {
    const HEARS_SENDING: bool = true;

    fn happened(&mut self, at: Time, what: &Happening<'_, P>) {
        self.fingerprint.happened(at, what);
        let (node, deed) = self.deed(what);
        // A message that is lost at once is told between two that its sender sends: that is still one turn.
        let is_mine = |turn: &Turn| node.is_some() && (turn.node, turn.at) == (node, at);
        let place = self.turns.iter().rposition(is_mine).unwrap_or_else(|| {
            self.turns.push(Turn { step: self.step, at, node, deeds: Vec::new() });
            self.turns.len() - 1
        });
        if let (What::Sends { to }, Some(from)) = (deed.what, node) {
            let letter = (from, to, deed.words.clone());
            self.sendings.entry(letter).or_default().under_way.push_back(self.taken + place as u64);
        }
        self.turns[place].deeds.push(deed);
    }
}
