//! What must come to be even where the ring cannot come to rest. Too many disks may be lost to decide on epochs, or to copy all
//! keys; those who are left can still tell each other what was decided, serve the keys of which enough owners are left, and
//! make their copies equal.

use super::RingOracle;
use super::reference::{holds, readers, writers};
use crate::kernel::time::Span;
use crate::oracle::spec::{View, Violation};
use crate::protocol::NodeId;
use crate::protocols::ring::cell::{Cell, Rank};
use crate::protocols::ring::epoch::{Epoch, Phase};
use crate::protocols::ring::node::Node;
use crate::protocols::ring::shelf::Shelf;
use crate::protocols::ring::topology::{Placed, Team, Topology};
use std::collections::{BTreeMap, BTreeSet};

/// So often each server has told its epoch to every other by chance, before all of them must know the latest.
const GOSSIPS: u64 = 10;

/// So often each server has compared what it has with every other, before they must have the same.
const COMPARISONS: u64 = 4;

/// So often a client has had to wait for an answer of a server that is fit for work, before one of the clients must have had one.
const ATTEMPTS: u64 = 10;

/// The servers that are fit for work.
type Able<'a> = [(NodeId, &'a Shelf)];

impl RingOracle {
    /// What those who are fit for work could have done since the faults are over, and have not. They must reach each other.
    pub fn undone(&self, view: &View<Node>) -> Option<Violation> {
        let since = self.calm.as_ref()?.since;
        let has_time = |every: Span, times: u64| view.now.since(since).as_ns() / times.max(1) >= every.as_ns();
        let servers = u64::from(self.config.servers);
        let shelf = |node: NodeId| Some((node, view.state(node)?.server()?.shelf()));
        let able: Vec<(NodeId, &Shelf)> =
            self.config.servers().filter(|node| view.host(*node).is_able()).filter_map(shelf).collect();
        let latest = able.iter().map(|(_, shelf)| shelf.epoch()).max()?;
        if !has_time(self.config.pace.gossip, GOSSIPS * servers) {
            return None;
        }
        if let Some((node, shelf)) = able.iter().find(|(_, shelf)| shelf.epoch() != latest) {
            let message =
                format!("{node:?} is in epoch {}, and others that it hears of are in {latest}", shelf.epoch());
            return Some(Violation::new("ring.settles", &[*node], message));
        }
        let topology = self.reference.at(latest)?;
        let attempts = ATTEMPTS * servers.div_ceil(able.len() as u64);
        if has_time(self.config.client.wait, attempts) && self.serves_nobody() && self.can_serve(topology, &able) {
            let message =
                "no client has been served a fresh write and a fresh read, and of every key enough owners are left";
            return Some(Violation::new("ring.settles", &[], message));
        }
        let every = self.config.pace.anti_entropy?;
        if !has_time(every, COMPARISONS * servers) {
            return None;
        }
        let compared = Span::ns(every.as_ns() * COMPARISONS * servers) + self.config.pace.patience;
        let is_old = |rank: Rank| view.now.since(self.keys.keys[rank.0 as usize].asked) >= compared;
        self.different(topology, &able, is_old).or_else(|| self.strange(topology, &able))
    }

    fn serves_nobody(&self) -> bool {
        let served = self.calm.iter().flat_map(|calm| &calm.served);
        served.clone().count() > 0 && served.into_iter().all(|served| *served != (true, true))
    }

    /// Whether every key can be read and written.
    fn can_serve(&self, topology: &Topology, able: &Able<'_>) -> bool {
        let has = |placed: &Placed, quorum: usize, counts: &dyn Fn(NodeId) -> bool| {
            placed.ranges().all(|(_, team)| left(team, placed, able).filter(|node| counts(*node)).count() >= quorum)
        };
        has(readers(topology), self.config.read_quorum, &|_| true)
            && writers(topology)
                .all(|placed| has(placed, self.config.write_quorum, &|node| topology.is_same_in(placed, node)))
    }

    /// Owners of a key who do not have the same, though nobody has written it since they must have compared: whoever is not served
    /// writes again and again. Who has forgotten a deletion may be ahead of others.
    fn different(&self, topology: &Topology, able: &Able<'_>, is_old: impl Fn(Rank) -> bool) -> Option<Violation> {
        let placed = readers(topology);
        let hints = able.iter().flat_map(|(_, shelf)| shelf.store().hints.values());
        let missed: BTreeSet<Rank> = hints.map(|(_, rank, _)| *rank).collect();
        let value = |node: NodeId, rank: Rank| self.mirrors[node.index()].store.get(rank);
        let kept = |node: NodeId, rank: Rank| value(node, rank).filter(|cell| !cell.is_tombstone());
        let is_same = |one: NodeId, other: NodeId, rank: Rank| {
            kept(one, rank) == kept(other, rank) || value(one, rank) == value(other, rank)
        };
        for (range, team) in placed.ranges() {
            let owners: Vec<NodeId> = left(team, placed, able).collect();
            let Some((first, others)) = owners.split_first() else { continue };
            let old = range.map(Rank).filter(|rank| is_old(*rank) && !missed.contains(rank));
            for rank in old {
                if let Some(other) = others.iter().find(|node| !is_same(*first, **node, rank)) {
                    let message = format!(
                        "{first:?} and {other:?} are left of the owners of the key of rank {}, and do not hold the same",
                        rank.0
                    );
                    return Some(Violation::new("ring.owners-hold", &[*first, *other], message));
                }
            }
        }
        None
    }

    /// Somebody who holds what it does not own, where no change is under way.
    fn strange(&self, topology: &Topology, able: &Able<'_>) -> Option<Violation> {
        if topology.epoch().phase != Phase::Settled {
            return None;
        }
        let strange = |(node, shelf): &(NodeId, &Shelf)| {
            let is_strange = |rank: &&Rank| !holds(topology, **rank, *node, shelf.identity());
            let cells: &BTreeMap<Rank, Cell> = &self.mirrors[node.index()].store.cells;
            Some((*node, *cells.keys().find(is_strange)?))
        };
        let (node, rank) = able.iter().find_map(strange)?;
        let message = format!("{node:?} holds the key of rank {}, of which it is no owner", rank.0);
        Some(Violation::new("ring.owners-hold", &[node], message))
    }
}

/// Those of a team who are fit for work and have the disks that a list of members says.
fn left<'a>(team: Team, placed: &'a Placed, able: &'a Able<'_>) -> impl Iterator<Item = NodeId> + 'a {
    let identity = |node: NodeId| Epoch::find(placed.members(), node).map(|member| member.identity);
    let is_left = move |node: &NodeId| {
        able.iter().any(|(other, shelf)| other == node && identity(*node) == Some(shelf.identity()))
    };
    team.iter().filter(is_left)
}
