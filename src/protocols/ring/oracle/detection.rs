//! Who may be taken for dead: whom as many others have missed as must, each for as long as it must, since it is suspected or
//! was heard of last.

use super::violation;
use crate::kernel::time::{Span, Time};
use crate::oracle::spec::{Verdict, View};
use crate::protocol::NodeId;
use crate::protocols::ring::config::Config;
use crate::protocols::ring::detector::{STEADY, Suspect};
use crate::protocols::ring::message::Ticket;
use crate::protocols::ring::node::Node;
use std::collections::{BTreeMap, BTreeSet};

/// Who has missed whom.
#[derive(Clone, Debug)]
pub(super) struct Detection {
    needed: usize,
    /// How many servers there are.
    servers: u16,
    /// For how long must be called in vain, at least.
    patience_min: Span,
    /// By who leads and suspect.
    doubts: BTreeMap<(NodeId, NodeId), Doubt>,
    /// By who leads and whom it has heard of without help, when it did so last, by its own clock.
    cleared: BTreeMap<(NodeId, NodeId), Time>,
    /// For how long after that a time-out is doubled, at least.
    doubled_for: Span,
    /// By who leads, since when, by its own clock.
    leads: BTreeMap<NodeId, Time>,
    /// By who calls for others and whom it calls, when it was answered last, by its own clock.
    heard: BTreeMap<(NodeId, NodeId), Time>,
}

/// So many times the time of others has a suspect at most that was often suspected wrongly.
const DOUBLED_MOST: u64 = 4;

/// A suspicion.
#[derive(Clone, Debug)]
struct Doubt {
    ticket: Ticket,
    /// How long a witness must have called in vain.
    patience: Span,
    /// How much each server's own clock had ticked when it began, by node.
    began: Vec<Time>,
    /// How long nothing must be heard of it from then on: it may have been silent for a while before, unless it was heard of just
    /// then.
    silence: Span,
    /// Who has called in vain since then.
    missed_by: BTreeSet<NodeId>,
}

fn clock(view: &View<Node>, node: NodeId) -> Time {
    view.host(node).clock.ticked(view.now)
}

/// Takes out what is noted of one who leads.
fn forget<T>(notes: &mut BTreeMap<(NodeId, NodeId), T>, by: NodeId) {
    let own = (by, NodeId::new(0))..=(by, NodeId::new(u16::MAX));
    while let Some((known, _)) = notes.range(own.clone()).next() {
        let known = *known;
        notes.remove(&known);
    }
}

impl Detection {
    /// Of one run.
    pub(super) fn new(config: &Config) -> Detection {
        let Config { servers, witnesses: needed, pace, .. } = *config;
        let (patience_min, doubled_for) = (Span::ns(pace.dead_after.as_ns() / 2), pace.dead_after.times(STEADY));
        let (doubts, cleared, leads, heard) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Detection { needed, servers, patience_min, doubts, cleared, doubled_for, leads, heard }
    }

    /// Somebody who leads begins to suspect a server, or does so anew since it has heard of it through another. O(servers).
    pub(super) fn suspected(&mut self, view: &View<Node>, by: NodeId, suspect: Suspect) -> Verdict {
        let Suspect { node, ticket, patience, is_new } = suspect;
        let is_doubled = |at: &Time| clock(view, by).since(*at) < self.doubled_for;
        let doublings = u64::from(self.cleared.get(&(by, node)).is_some_and(is_doubled));
        let least = self.patience_min.times(1 + doublings);
        if patience < least {
            let message = format!("{by:?} has {node:?} called for {patience}, and it may be silent for {least} then");
            return violation("ring.missed-for-long", &[by, node], message);
        }
        let most = match self.cleared.contains_key(&(by, node)) {
            true => self.patience_min.times(DOUBLED_MOST),
            false => self.patience_min,
        };
        if patience > most {
            let message = format!("{by:?} has {node:?} called for {patience}, and {most} must be enough");
            return violation("ring.missed-for-long", &[by, node], message);
        }
        // Of a beat that it has heard nobody tells, but before it led it has listened to nobody.
        let led_for = self.leads.get(&by).map(|since| clock(view, by).since(*since));
        if let Some(led_for) = led_for.filter(|led_for| is_new && *led_for < patience) {
            let message = format!(
                "{by:?} suspects {node:?}, and has led for {led_for}, where it must have heard nothing for {patience}"
            );
            return violation("ring.missed-for-long", &[by, node], message);
        }
        let silence = if is_new { Span::ZERO } else { patience.times(2) };
        let began = (0..self.servers).map(|server| clock(view, NodeId::new(server))).collect();
        self.doubts.insert((by, node), Doubt { ticket, patience, began, silence, missed_by: BTreeSet::new() });
        Ok(())
    }

    /// It has heard of it without help.
    pub(super) fn cleared(&mut self, view: &View<Node>, by: NodeId, node: NodeId) {
        self.doubts.remove(&(by, node));
        self.cleared.insert((by, node), clock(view, by));
    }

    /// It leads. O(log n).
    pub(super) fn leads(&mut self, view: &View<Node>, by: NodeId) {
        self.leads.entry(by).or_insert_with(|| clock(view, by));
    }

    /// It does not lead, and if it did: nothing of what it has suspected counts when it leads again. O(log n), and O(its
    /// suspicions) then.
    pub(super) fn leads_no_more(&mut self, by: NodeId) {
        forget(&mut self.doubts, by);
        forget(&mut self.cleared, by);
        self.leads.remove(&by);
    }

    /// Somebody has called it, or had before, and is answered.
    pub(super) fn heard(&mut self, view: &View<Node>, witness: NodeId, node: NodeId) {
        self.heard.insert((witness, node), clock(view, witness));
    }

    /// Somebody else has called it in vain.
    pub(super) fn missed(
        &mut self,
        view: &View<Node>,
        witness: NodeId,
        (by, node): (NodeId, NodeId),
        ticket: Ticket,
    ) -> Verdict {
        let doubt = self.doubts.get_mut(&(by, node)).filter(|doubt| doubt.ticket == ticket);
        let Some(Doubt { patience, began, missed_by, .. }) = doubt else { return Ok(()) };
        missed_by.insert(witness);
        let since = self.heard.get(&(witness, node)).copied().unwrap_or(Time::ZERO).max(began[witness.index()]);
        let for_so_long = clock(view, witness).since(since);
        if for_so_long >= *patience {
            return Ok(());
        }
        let message = format!(
            "{witness:?} says that it has called {node:?} in vain for {patience}, and was asked to, or answered, {for_so_long} ago"
        );
        violation("ring.missed-for-long", &[witness, node], message)
    }

    /// It is taken for dead.
    pub(super) fn check_presumed(&self, view: &View<Node>, by: NodeId, dead: NodeId) -> Verdict {
        let doubt = self.doubts.get(&(by, dead));
        let silent_for = doubt.map(|doubt| (clock(view, by).since(doubt.began[by.index()]), doubt.silence));
        if let Some((silent_for, least)) = silent_for.filter(|(silent_for, least)| silent_for < least) {
            let message = format!(
                "{by:?} takes {dead:?} for dead, of which it has heard {silent_for} ago, and {least} must be over"
            );
            return violation("ring.missed-for-long", &[by, dead], message);
        }
        let witnesses: Vec<NodeId> = doubt.into_iter().flat_map(|doubt| &doubt.missed_by).copied().collect();
        let others = witnesses.iter().filter(|witness| **witness != by && **witness != dead).count();
        if doubt.is_some() && others >= self.needed {
            return Ok(());
        }
        let message = format!(
            "{by:?} takes {dead:?} for dead, whom {} others have missed besides since it was heard of, where {} must: {witnesses:?}",
            others, self.needed
        );
        violation("ring.missed-by-others", &[by, dead], message)
    }
}
