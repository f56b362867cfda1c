//! Whose a key is in an epoch, as one node has worked it out.

use super::cell::Rank;
use super::config::Config;
use super::epoch::{Epoch, Identity, Member, Phase};
use super::ranges::Ranges;
use crate::placement::ring::{self, Ring, Settings};
use crate::protocol::NodeId;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// The most copies of a key.
pub const COPIES_MAX: usize = 8;

/// Who has copies of a key, its first owner first.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Team {
    nodes: [u16; COPIES_MAX],
    len: u8,
}

impl Team {
    /// These nodes; of more than [`COPIES_MAX`] the first.
    pub fn of(list: &[u16]) -> Team {
        let len = list.len().min(COPIES_MAX);
        let mut nodes = [0; COPIES_MAX];
        nodes[..len].copy_from_slice(&list[..len]);
        Team { nodes, len: len as u8 }
    }

    /// The nodes, in order.
    pub fn iter(&self) -> impl Iterator<Item = NodeId> + use<> {
        let Team { nodes, len } = *self;
        nodes.into_iter().take(len.into()).map(NodeId::new)
    }

    /// How many.
    #[inline]
    pub fn len(&self) -> usize {
        self.len.into()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether this node is one of them.
    #[inline]
    pub fn has(&self, node: NodeId) -> bool {
        self.nodes[..self.len()].contains(&node.number())
    }
}

/// Keys in a row that have the same owners.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// The first rank after them.
    pub end: u32,
    /// Who owns them.
    pub team: Team,
}

/// A list of members, and what each owns.
#[derive(Clone, Debug)]
pub struct Placed {
    members: Arc<[Member]>,
    ring: Ring,
    /// They cover all keys.
    runs: Vec<Run>,
}

impl Placed {
    /// Works it out anew.
    pub fn new(members: &Arc<[Member]>, config: &Config) -> Placed {
        let settings = Settings { bits: config.bits, rules: config.rules.placement };
        let ring = Ring::new(settings, members.iter().map(|member| on_ring(member, config)).collect());
        Placed::of(members, ring.unwrap_or_else(|bad| panic!("{bad}")), config)
    }

    /// Works it out from another list: only what differs is done.
    fn from(&self, members: &Arc<[Member]>, config: &Config) -> Placed {
        let mut ring = self.ring.clone();
        let gone = self.members.iter().filter(|member| Epoch::find(members, member.node).is_none());
        gone.for_each(|member| ring.remove(member.node.number()));
        let looks = |member: &Member| (member.points, member.zone);
        let is_new = |member: &&Member| Epoch::find(&self.members, member.node).map(looks) != Some(looks(member));
        for member in members.iter().filter(is_new) {
            ring.insert(on_ring(member, config)).unwrap_or_else(|bad| panic!("{bad}"));
        }
        Placed::of(members, ring, config)
    }

    fn of(members: &Arc<[Member]>, ring: Ring, config: &Config) -> Placed {
        let keys = &config.keyspace;
        let mut runs: Vec<Run> = Vec::new();
        let mut list = Vec::new();
        let mut extend = |end: u32, list: &[u16]| {
            let (start, team) = (runs.last().map_or(0, |run| run.end), Team::of(list));
            match runs.last_mut().filter(|last| last.team == team) {
                Some(last) => last.end = end,
                None if end > start => runs.push(Run { end, team }),
                None => {}
            }
        };
        let mut first = None;
        for arc in ring.arcs() {
            ring.preference_of(&arc, config.copies, &mut list);
            let _ = first.get_or_insert_with(|| list.clone());
            extend(keys.upto(arc.end), &list);
        }
        // What lies beyond the last point belongs to the first.
        extend(keys.len(), &first.unwrap_or_default());
        Placed { members: members.clone(), ring, runs }
    }

    /// The members.
    pub fn members(&self) -> &Arc<[Member]> {
        &self.members
    }

    /// The ring.
    pub fn ring(&self) -> &Ring {
        &self.ring
    }

    /// Who owns a key, as its position says.
    pub fn route(&self, rank: Rank, config: &Config) -> Team {
        let mut list = Vec::with_capacity(COPIES_MAX);
        self.ring.preference(config.keyspace.position(rank), config.copies, &mut list);
        Team::of(&list)
    }

    /// Who owns a key, as the range says in which it lies. O(log n).
    pub fn team(&self, rank: Rank) -> Team {
        let place = self.runs.partition_point(|run| run.end <= rank.0);
        self.runs.get(place).map_or(Team::default(), |run| run.team)
    }

    /// The parts of a range, each with who owns it.
    fn teams_in(&self, range: Range<u32>) -> impl Iterator<Item = (Range<u32>, Team)> + '_ {
        let first = self.runs.partition_point(|run| run.end <= range.start);
        let (mut start, runs) = (range.start, &self.runs[first..]);
        runs.iter().map_while(move |run| {
            let part = start..run.end.min(range.end);
            start = run.end;
            (!part.is_empty()).then_some((part, run.team))
        })
    }

    /// All keys, in ranges that have the same owners.
    pub fn ranges(&self) -> impl Iterator<Item = (Range<u32>, Team)> + '_ {
        let starts = std::iter::once(0).chain(self.runs.iter().map(|run| run.end));
        starts.zip(&self.runs).map(|(start, run)| (start..run.end, run.team))
    }
}

fn on_ring(member: &Member, config: &Config) -> ring::Member {
    ring::Member::new(member.node.number(), config.name(member.node), member.points).in_zone(member.zone)
}

/// An epoch, and what everybody owns in it. A clone shares it.
#[derive(Clone)]
pub struct Topology {
    epoch: Arc<Epoch>,
    current: Arc<Placed>,
    next: Arc<Placed>,
}

impl Topology {
    /// That of the first epoch.
    pub fn first(config: &Config) -> Topology {
        config.founding.clone().unwrap_or_else(|| Topology::at(&config.first, config))
    }

    /// That of any epoch, worked out anew.
    pub fn at(epoch: &Arc<Epoch>, config: &Config) -> Topology {
        let current = Arc::new(Placed::new(&epoch.members, config));
        let next =
            if epoch.next == epoch.members { current.clone() } else { Arc::new(current.from(&epoch.next, config)) };
        Topology { epoch: epoch.clone(), current, next }
    }

    /// That of an epoch that comes after this one.
    #[must_use]
    pub fn after(&self, epoch: &Arc<Epoch>, config: &Config) -> Topology {
        self.followed_by(epoch, |members| self.current.from(members, config))
    }

    /// That of an epoch that comes after this one, of which every list of members that is new is worked out anew.
    #[must_use]
    pub fn afresh(&self, epoch: &Arc<Epoch>, config: &Config) -> Topology {
        self.followed_by(epoch, |members| Placed::new(members, config))
    }

    fn followed_by(&self, epoch: &Arc<Epoch>, placed: impl Fn(&Arc<[Member]>) -> Placed) -> Topology {
        let known = |members: &Arc<[Member]>| {
            let same = [&self.current, &self.next].into_iter().find(|placed| placed.members == *members);
            same.map_or_else(|| Arc::new(placed(members)), Arc::clone)
        };
        let current = known(&epoch.members);
        let next = if epoch.next == epoch.members { current.clone() } else { known(&epoch.next) };
        Topology { epoch: epoch.clone(), current, next }
    }

    /// The same owners as before, under another epoch.
    #[must_use]
    pub fn renamed(&self, epoch: &Arc<Epoch>) -> Topology {
        Topology { epoch: epoch.clone(), ..self.clone() }
    }

    /// Whether this is a clone of that one, under whatever epoch. O(1).
    pub fn is_shared_with(&self, other: &Topology) -> bool {
        Arc::ptr_eq(&self.current, &other.current) && Arc::ptr_eq(&self.next, &other.next)
    }

    /// The epoch.
    #[inline]
    pub fn epoch(&self) -> &Arc<Epoch> {
        &self.epoch
    }

    /// By the list of members.
    pub fn current(&self) -> &Placed {
        &self.current
    }

    /// By the list of members after the change.
    pub fn next(&self) -> &Placed {
        &self.next
    }

    /// By whom keys are read.
    pub fn readers(&self) -> &Placed {
        match self.epoch.phase {
            Phase::Settled | Phase::Copying => &self.current,
            Phase::Switched => &self.next,
        }
    }

    /// By whom they are written: a quorum of each.
    pub fn writers(&self) -> impl Iterator<Item = &Placed> {
        let next = (self.epoch.phase != Phase::Settled).then_some(&*self.next);
        std::iter::once(&*self.current).chain(next)
    }

    /// Whether a node that answers in this epoch has the disk that this list says: it may be another one in the other list.
    pub fn is_same_in(&self, placed: &Placed, node: NodeId) -> bool {
        let identity = |placed: &Placed| Epoch::find(&placed.members, node).map(|member| member.identity);
        identity(&self.next).is_none_or(|latest| identity(placed) == Some(latest))
    }

    /// Whether a node with this disk owns a key, or comes to own it.
    pub fn holds(&self, rank: Rank, node: NodeId, identity: Identity) -> bool {
        self.writers().any(|placed| placed.is_of(node, identity) && placed.team(rank).has(node))
    }

    /// Whether a node with this disk is read from for a key.
    pub fn is_read_from(&self, rank: Rank, node: NodeId, identity: Identity) -> bool {
        let placed = self.readers();
        placed.is_of(node, identity) && placed.team(rank).has(node)
    }

    /// The ranges of keys that a node with this disk has to fetch, each with those who own them now.
    pub fn gains(&self, node: NodeId, identity: Identity) -> Vec<(Range<u32>, Team)> {
        let mut gains = Vec::new();
        if self.epoch.phase == Phase::Settled || !self.next.is_of(node, identity) {
            return gains;
        }
        let had = self.current.is_of(node, identity);
        self.in_both(|range, now, later| {
            if later.has(node) && !(had && now.has(node)) {
                gains.push((range, now));
            }
        });
        gains
    }

    /// Of what a node with this disk has fetched by the plan `before`, which this one has replaced, what counts for this one.
    ///
    /// A write that was acknowledged in between has a write quorum of the next owners by the plan before. Who fetches anew
    /// fetches it, too. So a read quorum of the next owners by this plan sees it, if all others of these were owners by the
    /// plan before: that many of them can have missed it as can miss any write, and no more.
    pub fn kept(&self, before: &Topology, node: NodeId, identity: Identity, counts: fn(bool) -> bool) -> Ranges {
        let disk = |placed: &Placed, owner: NodeId| Epoch::find(&placed.members, owner).map(|member| member.identity);
        let had = self.current.is_of(node, identity);
        let gains_by_both = self.next.is_of(node, identity) && before.next.is_of(node, identity);
        let mut kept = Ranges::NONE;
        self.in_both(|range, now, later| {
            let is_gained = gains_by_both && later.has(node) && !(had && now.has(node));
            for (part, planned) in before.next.teams_in(range) {
                let stays = |owner: &NodeId| now.has(*owner) && disk(&self.current, *owner) == disk(&self.next, *owner);
                let was_planned =
                    |owner: NodeId| planned.has(owner) && disk(&self.current, owner) == disk(&before.next, owner);
                let is_covered = is_gained && planned.has(node) && later.iter().filter(stays).all(was_planned);
                if counts(is_covered) {
                    kept.add(part);
                }
            }
        });
        kept
    }

    /// Every range of keys with its owners by both lists.
    pub fn in_both(&self, mut see: impl FnMut(Range<u32>, Team, Team)) {
        let (mut now, mut later) = (self.current.runs.iter().peekable(), self.next.runs.iter().peekable());
        let mut start = 0;
        while let (Some(one), Some(other)) = (now.peek(), later.peek()) {
            let end = one.end.min(other.end);
            see(start..end, one.team, other.team);
            start = end;
            now.next_if(|run| run.end == end);
            later.next_if(|run| run.end == end);
        }
    }

    /// The ranges of keys that neither list gives to a node with this disk.
    pub fn strange_to(&self, node: NodeId, identity: Identity) -> Vec<Range<u32>> {
        let (had, has) = (self.current.is_of(node, identity), self.next.is_of(node, identity));
        let mut strange: Vec<Range<u32>> = Vec::new();
        self.in_both(|range, now, later| {
            if (had && now.has(node)) || (has && later.has(node)) {
                return;
            }
            match strange.last_mut().filter(|last| last.end == range.start) {
                Some(last) => last.end = range.end,
                None => strange.push(range),
            }
        });
        strange
    }

    /// The ranges of keys that two nodes hold by the list that is read, by those with whom `node` shares some.
    pub fn shared_with(&self, node: NodeId) -> Vec<(NodeId, Vec<Range<u32>>)> {
        let mut shared: Vec<(NodeId, Vec<Range<u32>>)> = Vec::new();
        for (range, team) in self.readers().ranges().filter(|(_, team)| team.has(node)) {
            for peer in team.iter().filter(|peer| *peer != node) {
                let place = shared.binary_search_by_key(&peer, |(peer, _)| *peer).unwrap_or_else(|place| {
                    shared.insert(place, (peer, Vec::new()));
                    place
                });
                let ranges = &mut shared[place].1;
                match ranges.last_mut().filter(|last| last.end == range.start) {
                    Some(last) => last.end = range.end,
                    None => ranges.push(range.clone()),
                }
            }
        }
        shared
    }
}

/// As the list of its nodes.
impl fmt::Debug for Team {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// What everybody owns follows from the epoch, and would be long.
impl fmt::Debug for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.epoch.fmt(f)
    }
}

impl Placed {
    /// Whether a node with this disk is one of its members.
    pub fn is_of(&self, node: NodeId, identity: Identity) -> bool {
        Epoch::find(&self.members, node).is_some_and(|member| member.identity == identity)
    }
}
