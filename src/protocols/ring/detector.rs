//! Whom the leader of those who decide takes for dead.
//!
//! It hears of the servers by their beats. One that it has not heard of for half of its time-out is *suspected*: all others are
//! asked to call it. What it answers they pass on, which is as good as a beat: the suspicion begins anew, and who has missed it
//! before counts no more. It is *presumed dead* when its whole time-out is
//! over, and as many others as must witness it have called it in vain for half of it: so who is cut off from the leader
//! alone stays. A suspect that is heard of without help is *cleared*, and has twice the time from then on, up to four
//! times; it loses that again when it has not been suspected for long.
//!
//! All of it is kept in memory only: whoever leads next begins anew, and its suspicions have numbers that nobody has used before.
//!
//! Source: Das, Gupta and Motivala, "SWIM", DSN 2002, sections 3 and 4.2, on calling through others and on suspicion; Chandra and
//! Toueg, "Unreliable Failure Detectors for Reliable Distributed Systems", JACM 1996, section 6, on time-outs that grow.

use super::config::Config;
use super::message::{Beat, Ticket};
use crate::kernel::time::{Span, Time};
use crate::protocol::NodeId;
use std::sync::Arc;

/// Its state, by server.
#[derive(Clone, Debug)]
pub struct Detector {
    config: Arc<Config>,
    peers: Vec<Peer>,
    last: Ticket,
}

/// What is known of a server.
#[derive(Clone, Debug)]
struct Peer {
    /// When it was last heard of, by a beat or by one that was passed on; when the leader began to lead, if it never was.
    heard: Time,
    /// The last that it has said.
    beat: Option<Beat>,
    doubt: Option<Doubt>,
    /// How often its time-out was doubled.
    doublings: u32,
    /// Since when it is not suspected, or has lost a doubling.
    trusted: Time,
}

/// A suspicion.
#[derive(Clone, Debug)]
struct Doubt {
    /// Tells it from all others, also from those of earlier terms.
    ticket: Ticket,
    /// Who has called it in vain since it was last heard of.
    missed_by: Vec<NodeId>,
}

/// How often a time-out is doubled at most.
const DOUBLINGS_MAX: u32 = 2;

/// After so many time-outs without a suspicion a doubling is taken back.
pub const STEADY: u64 = 10;

/// Somebody to be called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Suspect {
    /// Who.
    pub node: NodeId,
    /// Which suspicion.
    pub ticket: Ticket,
    /// How long it must be called in vain.
    pub patience: Span,
    /// Whether it has just become one.
    pub is_new: bool,
}

impl Detector {
    /// Of one who begins to lead in this term.
    pub fn new(config: &Arc<Config>, term: u64, now: Time) -> Detector {
        let peer = Peer { heard: now, beat: None, doubt: None, doublings: 0, trusted: now };
        Detector { config: config.clone(), peers: vec![peer; usize::from(config.servers)], last: term << 32 }
    }

    /// The last that was heard of a server.
    pub fn beat(&self, node: NodeId) -> Option<&Beat> {
        self.peers[node.index()].beat.as_ref()
    }

    /// The last that was heard of each server of which anything was.
    pub fn beats(&self) -> impl Iterator<Item = &Beat> {
        self.peers.iter().filter_map(|peer| peer.beat.as_ref())
    }

    /// A server is alive, as it says itself. Answers whether that clears it.
    pub fn on_beat(&mut self, node: NodeId, beat: Beat, now: Time) -> bool {
        let (is_news, peer) = (self.config.rules.change.is_news, &mut self.peers[node.index()]);
        if !peer.hears(beat, now, is_news) || peer.doubt.take().is_none() {
            return false;
        }
        (peer.doublings, peer.trusted) = ((peer.doublings + 1).min(DOUBLINGS_MAX), now);
        true
    }

    /// A suspect is alive, as somebody says whom it has answered. The suspicion that begins then, unless a later beat is known.
    pub fn on_passed(&mut self, node: NodeId, beat: Beat, now: Time) -> Option<Suspect> {
        let patience = half(self.time_out(node));
        let (is_news, peer) = (self.config.rules.change.is_news, &mut self.peers[node.index()]);
        let doubt = if peer.hears(beat, now, is_news) { peer.doubt.as_mut()? } else { return None };
        self.last += 1;
        *doubt = Doubt { ticket: self.last, missed_by: Vec::new() };
        Some(Suspect { node, ticket: doubt.ticket, patience, is_new: false })
    }

    /// Somebody has called a suspect in vain.
    pub fn on_missed(&mut self, node: NodeId, ticket: Ticket, witness: NodeId) {
        let doubt = self.peers[node.index()].doubt.as_mut().filter(|doubt| doubt.ticket == ticket);
        if let Some(doubt) = doubt.filter(|doubt| !doubt.missed_by.contains(&witness)) {
            doubt.missed_by.push(witness);
        }
    }

    /// Who of these has to be called. To be asked again and again.
    pub fn suspects(&mut self, of: impl Iterator<Item = NodeId>, now: Time) -> Vec<Suspect> {
        let mut suspects = Vec::new();
        for node in of {
            let dead_after = self.config.pace.dead_after;
            let peer = &mut self.peers[node.index()];
            if peer.doubt.is_none() && peer.doublings > 0 && now.since(peer.trusted) >= dead_after.times(STEADY) {
                (peer.doublings, peer.trusted) = (peer.doublings - 1, now);
            }
            let patience = half(self.time_out(node));
            let peer = &mut self.peers[node.index()];
            let is_new = peer.doubt.is_none() && now.since(peer.heard) >= patience;
            if is_new {
                self.last += 1;
                peer.doubt = Some(Doubt { ticket: self.last, missed_by: Vec::new() });
            }
            if let Some(Doubt { ticket, .. }) = peer.doubt {
                suspects.push(Suspect { node, ticket, patience, is_new });
            }
        }
        suspects
    }

    /// Whether nothing is heard of a server but through others.
    pub fn is_suspected(&self, node: NodeId) -> bool {
        self.peers[node.index()].doubt.is_some()
    }

    /// Whether a server is taken for dead.
    pub fn is_dead(&self, node: NodeId, now: Time) -> bool {
        let peer = &self.peers[node.index()];
        let needed = if (self.config.rules.change.asks_others)() { self.config.witnesses } else { 0 };
        let is_missed = peer.doubt.as_ref().is_some_and(|doubt| doubt.missed_by.len() >= needed);
        is_missed && now.since(peer.heard) >= self.time_out(node)
    }

    fn time_out(&self, node: NodeId) -> Span {
        self.config.pace.dead_after.times(1 << self.peers[node.index()].doublings)
    }
}

impl Peer {
    /// Takes in a beat, unless it was held up and a later one is known.
    fn hears(&mut self, beat: Beat, now: Time, is_news: fn(&Beat, &Beat) -> bool) -> bool {
        let is_news = self.beat.as_ref().is_none_or(|known| is_news(&beat, known));
        if is_news {
            (self.heard, self.beat) = (now, Some(beat));
        }
        is_news
    }
}

fn half(span: Span) -> Span {
    Span::ns(span.as_ns() / 2)
}

#[cfg(test)]
mod tests;
