//! What must come to be when the faults are over.

use super::{Mirror, RingOracle};
use crate::kernel::time::{Span, Time};
use crate::oracle::spec::{View, Violation};
use crate::protocol::NodeId;
use crate::protocols::ring::cell::{Cell, Rank};
use crate::protocols::ring::epoch::{Epoch, Phase};
use crate::protocols::ring::message::Record;
use crate::protocols::ring::node::Node;
use crate::protocols::ring::server::Server;
use crate::protocols::ring::shelf::Shelf;
use crate::protocols::ring::store::Wish;
use crate::protocols::ring::topology::Topology;

/// What has come to be since the faults are over.
#[derive(Clone, Debug, Default)]
pub(super) struct Calm {
    /// When they were.
    pub(super) since: Time,
    /// By client, whether its fresh write and its fresh read were served.
    pub(super) served: Vec<(bool, bool)>,
    /// What is still to come, when it was last looked.
    pending: Vec<String>,
    looked: Option<Time>,
    /// What is broken if it does not come: that the ring comes to rest, or what must hold at rest.
    broken: &'static str,
    is_over: bool,
}

/// How often it is looked whether all is at rest: it takes long.
const LOOK_EVERY: Span = Span::ms(100);

/// So many times as long as said is a journal at rest at most, and never too long that is no longer than this: what Raft writes is counted by
/// terms and entries.
const JOURNALS: u64 = 3;
const SHORT: u64 = 64;

impl RingOracle {
    /// The faults have ended.
    pub fn on_calm(&mut self, now: Time) {
        let served = vec![(false, false); usize::from(self.config.clients)];
        self.calm = Some(Calm { since: now, served, broken: "ring.settles", ..Calm::default() });
    }

    /// Looks now and then whether all is at rest.
    pub(super) fn look(&mut self, view: &View<Node>) {
        let is_due = |calm: &Calm| !calm.is_over && calm.looked.is_none_or(|at| view.now.since(at) >= LOOK_EVERY);
        if !self.calm.as_ref().is_some_and(is_due) {
            return;
        }
        let (mut broken, mut pending) = ("ring.settles", self.restless(view));
        if pending.is_empty() {
            (broken, pending) = ("ring.owners-hold", self.unequal(view, self.reference.latest()).into_iter().collect());
        }
        if pending.is_empty() {
            (broken, pending) = ("ring.deletions-forgotten", self.unforgotten(view).into_iter().collect());
        }
        if pending.is_empty() {
            let found = self.unlike_their_keys(view).or_else(|| self.overlong(view));
            (broken, pending) = ("ring.settles", found.into_iter().collect());
        }
        if let Some(calm) = &mut self.calm {
            (calm.is_over, calm.broken) = (pending.is_empty(), broken);
            (calm.pending, calm.looked) = (pending, Some(view.now));
        }
    }

    /// Whether all that must come to be has.
    pub fn is_settled(&self) -> bool {
        self.calm.as_ref().is_some_and(|calm| calm.is_over)
    }

    /// What has not come to be.
    pub fn pending(&self) -> Violation {
        let Some(calm) = &self.calm else { return Violation::new("ring.settles", &[], "the faults last".to_owned()) };
        Violation::new(calm.broken, &[], calm.pending.join("; "))
    }

    /// What keeps the ring from being at rest.
    fn restless(&self, view: &View<Node>) -> Vec<String> {
        let mut pending = Vec::new();
        let Some(calm) = &self.calm else { return pending };
        let unserved = calm.served.iter().filter(|served| **served != (true, true)).count();
        if unserved > 0 {
            pending.push(format!("{unserved} clients have not been served a fresh write and a fresh read"));
        }
        let epoch = self.epoch();
        if epoch.phase != Phase::Settled {
            pending.push(format!("the change that is under way in epoch {} is not finished", epoch.number));
        }
        let wants_in = |node: &NodeId| {
            let server = view.state(*node).and_then(Node::server);
            server.is_some_and(|server| server.shelf().wish() != Wish::Out)
        };
        let replaced = self.replaced(view);
        let stayers = self.config.servers().filter(|node| wants_in(node) && !replaced.contains(node)).count();
        for node in self.config.servers() {
            let server = view.state(node).and_then(Node::server);
            if server.is_some_and(|server| !server.shelf().store().hints.is_empty()) {
                pending.push(format!("{node:?} keeps hints for others who are there"));
            }
            match server {
                // Whoever is gone for good must not be waited for.
                None if Epoch::find(&epoch.members, node).is_none() => {}
                None => pending.push(format!("{node:?} is down, and still a member")),
                Some(server) if server.shelf().epoch() != epoch.number => {
                    pending.push(format!("{node:?} is in epoch {}, not in {}", server.shelf().epoch(), epoch.number));
                }
                Some(_) if replaced.contains(&node) => {
                    if stayers >= self.config.copies && Epoch::find(&epoch.members, node).is_some() {
                        pending.push(format!("another takes the place of {node:?}, which is still a member"));
                    }
                }
                Some(server) => pending.extend(self.unmet(node, server, epoch, stayers)),
            }
        }
        pending
    }

    /// Whether another server has taken this one's place.
    pub fn is_replaced(&self, view: &View<Node>, node: NodeId) -> bool {
        self.replaced(view).contains(&node)
    }

    /// Whose places others have taken: these are not let in again.
    fn replaced(&self, view: &View<Node>) -> Vec<NodeId> {
        let wish = |node: NodeId| Some(view.state(node)?.server()?.shelf().wish());
        let instead_of = |wish| match wish {
            Wish::In { instead_of, .. } => instead_of,
            Wish::Out => None,
        };
        self.config.servers().filter_map(wish).filter_map(instead_of).collect()
    }

    /// The owners of some keys of whom too few are fit for work: to read the keys and copy them to others, or to finish a
    /// change.
    pub fn too_few(&self, view: &View<Node>) -> Option<Vec<NodeId>> {
        let (topology, config) = (self.reference.latest(), &self.config);
        let finishes = config.copies + 1 - config.read_quorum;
        // To say that it knows of the switch, an owner by the old list needs no copies.
        let lists = match topology.epoch().phase {
            Phase::Settled | Phase::Copying => vec![(topology.current(), config.read_quorum, true)],
            Phase::Switched => vec![(topology.current(), finishes, false), (topology.next(), config.read_quorum, true)],
        };
        let lost = lists.into_iter().find_map(|(placed, needed, with_its_disk)| {
            let is_able = |node: &NodeId| {
                let identity = self.mirrors[node.index()].store.identity;
                let member = Epoch::find(placed.members(), *node);
                member.is_some_and(|member| !with_its_disk || member.identity == identity) && view.host(*node).is_able()
            };
            placed.ranges().map(|(_, team)| team).find(|team| team.iter().filter(is_able).count() < needed)
        });
        lost.map(|team| team.iter().collect())
    }

    /// What a server wants that is not so.
    fn unmet(&self, node: NodeId, server: &Server, epoch: &Epoch, stayers: usize) -> Option<String> {
        let (member, shelf) = (Epoch::find(&epoch.members, node), server.shelf());
        let mirror = &self.mirrors[node.index()];
        if mirror.is_known() && mirror.store.wish != shelf.store().wish {
            return Some(format!("{node:?} wants something else than its disk says"));
        }
        match (shelf.wish(), member) {
            (Wish::In { instead_of: Some(other), .. }, Some(_)) if Epoch::find(&epoch.members, other).is_none() => {
                Some(format!("{node:?} has taken the place of {other:?}, and still keeps it out"))
            }
            (Wish::In { points, zone, .. }, Some(member)) => {
                let is_so = (member.points, member.zone, member.identity) == (points, zone, shelf.identity());
                (!is_so).then(|| format!("{node:?} is not the member that it wants to be"))
            }
            (Wish::In { .. }, None) => Some(format!("{node:?} wants to be a member and is none")),
            (Wish::Out, Some(_)) if stayers >= self.config.copies => Some(format!("{node:?} has not been let go")),
            (Wish::Out, Some(_) | None) => None,
        }
    }

    /// Somebody who still has deletions, all of which are known to all owners.
    fn unforgotten(&self, view: &View<Node>) -> Option<String> {
        self.config.pace.collect?;
        let has_some = |mirror: &Mirror| mirror.store.cells.values().any(Cell::is_tombstone);
        let mut up = self.config.servers().filter(|node| view.state(*node).is_some());
        let node = up.find(|node| has_some(&self.mirrors[node.index()]))?;
        Some(format!("{node:?} has not forgotten all that was deleted"))
    }

    /// A server whose journal has not begun anew for too long. Only a sync makes that durable, and at rest nobody asks for one.
    fn overlong(&self, view: &View<Node>) -> Option<String> {
        let most = (JOURNALS * self.config.limits.journal?).max(SHORT);
        let length = |node: NodeId| {
            let disk = &view.host(node).disk;
            let begins = |place: &usize| matches!(disk.record(*place), Some(Record::Checkpoint(_)));
            (disk.first()..disk.end()).rev().take_while(|place| !begins(place)).count() as u64
        };
        let up = self.config.servers().filter(|node| view.state(*node).is_some());
        let (node, length) = up.map(|node| (node, length(node))).find(|(_, length)| *length > most)?;
        Some(format!("{node:?} has written {length} records since its journal began anew, where {most} must be enough"))
    }

    /// A server whose sums are not those of the keys that it keeps: it would compare them with others for ever, or not see what
    /// it has missed.
    fn unlike_their_keys(&self, view: &View<Node>) -> Option<String> {
        let all = 0..self.config.keyspace.len();
        let sum = |node: NodeId| {
            let cells = &self.mirrors[node.index()].store.cells;
            cells.iter().fold(0u64, |sum, (rank, cell)| sum.wrapping_add(cell.hash_at(*rank)))
        };
        let is_unlike = |(node, shelf): &(NodeId, &Shelf)| shelf.sum(all.clone()) != sum(*node);
        let shelf = |node: NodeId| Some((node, view.state(node)?.server()?.shelf()));
        let (node, _) = self.config.servers().filter_map(shelf).find(is_unlike)?;
        Some(format!("{node:?} has other sums than those of the keys that it keeps"))
    }

    /// A key whose owners do not hold the same, or that others hold.
    fn unequal(&self, view: &View<Node>, topology: &Topology) -> Option<String> {
        let (placed, up) = (topology.current(), |node: &NodeId| view.state(*node).is_some());
        let cells = |node: NodeId| &self.mirrors[node.index()].store.cells;
        for node in self.config.servers().filter(up) {
            if let Some(rank) = cells(node).keys().find(|rank| !placed.team(**rank).has(node)) {
                return Some(format!("{node:?} holds the key of rank {}, of which it is no owner", rank.0));
            }
        }
        for (range, team) in placed.ranges() {
            let own = |node: NodeId| cells(node).range(Rank(range.start)..Rank(range.end));
            let Some(first) = team.iter().next() else { continue };
            if let Some(node) = team.iter().find(|node| up(node) && !own(*node).eq(own(first))) {
                let owners: Vec<NodeId> = team.iter().collect();
                return Some(format!(
                    "{node:?} does not hold what the others do of the keys of rank {}..{} of {owners:?}",
                    range.start, range.end
                ));
            }
        }
        None
    }
}
