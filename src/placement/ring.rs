//! A ring: the points of its members on a circle of hashes, and whose a position is.

use super::measure::Space;
use super::points::Points;
use super::rules::Rules;
use super::scatter;
use std::fmt;

/// Who has points on a ring.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// A small number, different from those of the others.
    pub id: u16,
    /// Its name, from which its points are made. No other has it.
    pub name: Vec<u8>,
    /// How many points it has: its weight. With none it owns nothing.
    pub points: u32,
    /// Where it stands: copies are spread over zones first. `None`: in a zone of its own.
    pub zone: Option<u16>,
}

impl Member {
    /// A member in a zone of its own.
    pub fn new(id: u16, name: impl Into<Vec<u8>>, points: u32) -> Member {
        Member { id, name: name.into(), points, zone: None }
    }

    /// The same in this zone.
    #[must_use]
    pub fn in_zone(self, zone: u16) -> Member {
        Member { zone: Some(zone), ..self }
    }
}

/// How a ring is built.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How many bits a position has, 1 to 128: the highest of a hash. In a small space points coincide, and keys stand
    /// exactly where points do. Default 128: all of MD5.
    pub bits: u8,
    /// Its decisions. Default: the sound ones.
    pub rules: Rules,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { bits: 128, rules: Rules::SOUND }
    }
}

/// Why there is no such ring.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BadRing {
    /// A position has 1 to 128 bits, not so many.
    Bits(u8),
    /// Two members have this id.
    SameId(u16),
    /// Two members have this name.
    SameName(Vec<u8>),
    /// There would be so many points: 2^32 or more.
    TooManyPoints(u64),
}

impl fmt::Display for BadRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadRing::Bits(bits) => write!(f, "a position of {bits} bits; it has 1 to 128"),
            BadRing::SameId(id) => write!(f, "two members have the id {id}; give each its own"),
            BadRing::SameName(name) => {
                write!(f, "two members have the name {:?}; give each its own", String::from_utf8_lossy(name))
            }
            BadRing::TooManyPoints(count) => write!(f, "{count} points; a ring has fewer than 2^32"),
        }
    }
}

impl std::error::Error for BadRing {}

/// Points of members on a circle of hashes.
///
/// A position is a number of [`Settings::bits`] bits; [`Ring::position`] says that of a key. With sound rules a ring hangs
/// on its members alone, not on the order in which they came.
#[derive(Clone, Debug)]
pub struct Ring {
    pub(super) space: Space,
    pub(super) rules: Rules,
    /// In the order of their ids.
    pub(super) members: Vec<Member>,
    pub(super) points: Points,
    /// The zones of the members by their ids.
    zones: Vec<Option<u16>>,
    /// How many members have points.
    homes: usize,
    /// In how many zones these are, a member without a zone being in one of its own.
    zone_count: usize,
}

/// Two rings are equal if they have the same members and points. Rules are not compared.
impl PartialEq for Ring {
    fn eq(&self, other: &Ring) -> bool {
        self.space == other.space && self.members == other.members && self.points == other.points
    }
}

impl Eq for Ring {}

impl Ring {
    /// The ring of these members, in any order.
    ///
    /// # Errors
    /// If ids or names are not different, or a number is out of its range.
    pub fn new(settings: Settings, members: Vec<Member>) -> Result<Ring, BadRing> {
        let Settings { bits, rules } = settings;
        let space = Space::new(bits).ok_or(BadRing::Bits(bits))?;
        let points = scatter::scattered(space, &rules, &members)?;
        Ok(Ring::of(space, rules, members, points))
    }

    /// Members that are known to be different, and their points.
    pub(super) fn of(space: Space, rules: Rules, members: Vec<Member>, points: Points) -> Ring {
        let mut ring = Ring { space, rules, members, points, zones: Vec::new(), homes: 0, zone_count: 0 };
        ring.members.sort_unstable_by_key(|member| member.id);
        ring.count();
        ring
    }

    /// Counts anew what hangs on the members.
    pub(super) fn count(&mut self) {
        self.zones.clear();
        self.zones.resize(self.members.last().map_or(0, |member| usize::from(member.id) + 1), None);
        let homes: Vec<&Member> = self.members.iter().filter(|member| member.points > 0).collect();
        homes.iter().for_each(|member| self.zones[usize::from(member.id)] = member.zone);
        let mut shared: Vec<u16> = homes.iter().filter_map(|member| member.zone).collect();
        shared.sort_unstable();
        shared.dedup();
        self.zone_count = shared.len() + homes.iter().filter(|member| member.zone.is_none()).count();
        self.homes = homes.len();
    }

    /// The circle on which it is.
    pub fn space(&self) -> Space {
        self.space
    }

    /// Its members, in the order of their ids.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The member of this id.
    pub fn member(&self, id: u16) -> Option<&Member> {
        self.members.binary_search_by_key(&id, |member| member.id).ok().map(|place| &self.members[place])
    }

    /// Its points.
    pub fn points(&self) -> &Points {
        &self.points
    }

    /// Where a key stands.
    pub fn position(&self, key: impl AsRef<[u8]>) -> u128 {
        self.space.position((self.rules.key)(key.as_ref()))
    }

    /// Whose a position is: the id of the member; `None` if there are no points.
    ///
    /// # Panics
    /// If the position is not in the ring's space.
    #[inline]
    pub fn owner(&self, position: u128) -> Option<u16> {
        self.first(position).map(|place| self.points.nodes()[place])
    }

    /// Who holds the copies of what stands at a position, the owner first: up to `count` different members, fewer only
    /// if there are fewer that have points. They replace what is in `list`.
    ///
    /// They are met clockwise from the position on. First those are taken whose zone has no copy yet, until every
    /// zone has one; then, from the start again, those that were passed over.
    /// Source: Dynamo, section 4.3; zones as in Cassandra's `NetworkTopologyStrategy`.
    ///
    /// # Panics
    /// If the position is not in the ring's space.
    pub fn preference(&self, position: u128, count: usize, list: &mut Vec<u16>) {
        list.clear();
        if let Some(place) = self.first(position) {
            self.walk(place, count, list);
        }
    }

    /// The place of the point to which a position belongs.
    #[inline]
    pub(super) fn first(&self, position: u128) -> Option<usize> {
        assert!(position <= self.space.last(), "the position {position} has more than {} bits", self.space.bits());
        if self.points.is_empty() {
            return None;
        }
        (self.rules.wrap)((self.rules.search)(&self.points, position), self.points.len())
    }

    /// The preference list of what belongs to the point at this place.
    pub(super) fn walk(&self, start: usize, count: usize, list: &mut Vec<u16>) {
        list.clear();
        let count = count.min(self.homes);
        let zones = count.min(self.zone_count);
        self.take(start, zones, list, |ring, node, list| {
            let zone = ring.zones[usize::from(node)];
            zone.is_some() && list.iter().any(|other| ring.zones[usize::from(*other)] == zone)
        });
        if zones < count {
            self.take(start, count, list, |_, _, _| false);
        }
    }

    /// Takes nodes clockwise from a point on, until there are `upto`.
    fn take(&self, start: usize, upto: usize, list: &mut Vec<u16>, is_left_out: fn(&Ring, u16, &[u16]) -> bool) {
        let nodes = self.points.nodes();
        let onwards = nodes[start..].iter().map(|node| (*node, false));
        for (node, has_wrapped) in onwards.chain(nodes[..start].iter().map(|node| (*node, true))) {
            if list.len() >= upto {
                return;
            }
            if !(self.rules.is_passed_over)(node, list, has_wrapped) && !is_left_out(self, node, list) {
                list.push(node);
            }
        }
    }
}
