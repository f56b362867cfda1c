//! A ring: the points of its members on a circle of hashes, and whose a position is.

use super::measure::Space;
use super::points::Points;
use super::rules::{Rules, Spot, Tie};
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
    space: Space,
    rules: Rules,
    /// In the order of their ids.
    members: Vec<Member>,
    points: Points,
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
        let points = scattered(space, &rules, &members)?;
        Ok(Ring::of(space, rules, members, points))
    }

    /// Members that are known to be different, and their points.
    fn of(space: Space, rules: Rules, mut members: Vec<Member>, points: Points) -> Ring {
        members.sort_unstable_by_key(|member| member.id);
        let mut zones = vec![None; members.last().map_or(0, |member| usize::from(member.id) + 1)];
        members.iter().for_each(|member| zones[usize::from(member.id)] = member.zone);
        let homes = || members.iter().filter(|member| member.points > 0);
        let mut shared: Vec<u16> = homes().filter_map(|member| member.zone).collect();
        shared.sort_unstable();
        shared.dedup();
        let zone_count = shared.len() + homes().filter(|member| member.zone.is_none()).count();
        let homes = homes().count();
        Ring { space, rules, members, points, zones, homes, zone_count }
    }

    /// The ring with this member in it; if there is one of its id, instead of that.
    ///
    /// What the others have does not move: only the points of this member are made. Cost: copying the others.
    ///
    /// # Errors
    /// If another member has its name, or there are too many points.
    pub fn with(&self, member: Member) -> Result<Ring, BadRing> {
        let mut members: Vec<Member> = self.members.iter().filter(|other| other.id != member.id).cloned().collect();
        let is_new = members.len() == self.members.len();
        members.push(member);
        let member = check(&members)?.clone();
        if !(self.rules.points_stay)() {
            let points = scattered(self.space, &self.rules, &members)?;
            return Ok(Ring::of(self.space, self.rules, members, points));
        }
        let rest = if is_new { None } else { Some(self.points.without(self.space, member.id)) };
        let points = self.joined(rest.as_ref().unwrap_or(&self.points), &member, members.len());
        Ok(Ring::of(self.space, self.rules, members, points))
    }

    /// The ring without the member of this id, if there is one.
    #[must_use]
    pub fn without(&self, id: u16) -> Ring {
        let members: Vec<Member> = self.members.iter().filter(|other| other.id != id).cloned().collect();
        let points = if (self.rules.points_stay)() {
            self.points.without(self.space, id)
        } else {
            scattered(self.space, &self.rules, &members).expect("fewer members than before")
        };
        Ring::of(self.space, self.rules, members, points)
    }

    /// These points, and those of a member that has none among them.
    fn joined(&self, points: &Points, member: &Member, members: usize) -> Points {
        let place = self.members.partition_point(|other| other.id < member.id);
        let mut positions: Vec<u128> = spots(member, place, members).map(|spot| self.stand(&spot)).collect();
        positions.sort_unstable();
        match (self.rules.settles_ties_by)() {
            Tie::ByName => points.with(self.space, member.id, &positions, |points, position| {
                let is_before = |place: usize| {
                    points.positions().get(place) == Some(&position) && self.name(points.nodes()[place]) < &member.name
                };
                let first = points.not_below(position);
                let place = (first..).find(|place| !is_before(*place)).expect("the points end");
                (place, place)
            }),
            Tie::LastInserted => {
                positions.dedup();
                points.with(self.space, member.id, &positions, |points, position| {
                    (points.not_below(position), points.above(position))
                })
            }
        }
    }

    fn stand(&self, spot: &Spot<'_>) -> u128 {
        self.space.position((self.rules.point)(spot))
    }

    fn name(&self, id: u16) -> &Vec<u8> {
        &self.member(id).expect("a point of a member").name
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
    fn first(&self, position: u128) -> Option<usize> {
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

/// The points of a member.
fn spots(member: &Member, place: usize, members: usize) -> impl Iterator<Item = Spot<'_>> {
    let Member { name, points, .. } = member;
    let (place, members) = (place as u32, members as u32);
    (0..*points).map(move |index| Spot { name, index, points: *points, place, members })
}

/// The points of all members, inserted in the order of these.
fn scattered(space: Space, rules: &Rules, members: &[Member]) -> Result<Points, BadRing> {
    if !members.is_empty() {
        check(members)?;
    }
    let mut by_id: Vec<usize> = (0..members.len()).collect();
    by_id.sort_unstable_by_key(|place| members[*place].id);
    let tie = (rules.settles_ties_by)();
    // At the same position the lower rank comes first.
    let mut ranks: Vec<usize> = (0..members.len()).collect();
    if tie == Tie::ByName {
        ranks.sort_unstable_by_key(|place| &members[*place].name);
    }
    let mut rank_of = vec![0; members.len()];
    ranks.iter().enumerate().for_each(|(rank, place)| rank_of[*place] = rank as u32);
    let mut found: Vec<(u128, u32)> = Vec::new();
    for (place, from) in by_id.iter().enumerate() {
        let hashes = spots(&members[*from], place, members.len()).map(|spot| (rules.point)(&spot));
        found.extend(hashes.map(|hash| (space.position(hash), rank_of[*from])));
    }
    found.sort_unstable();
    if tie == Tie::LastInserted {
        found.reverse();
        found.dedup_by_key(|point| point.0);
        found.reverse();
    }
    let nodes = found.iter().map(|point| members[ranks[point.1 as usize]].id).collect();
    Ok(Points::new(space, found.into_iter().map(|point| point.0).collect(), nodes))
}

/// Whether there can be a ring of these members; the last of them.
fn check(members: &[Member]) -> Result<&Member, BadRing> {
    let twice = |order: fn(&Member, &Member) -> std::cmp::Ordering| {
        let mut sorted: Vec<&Member> = members.iter().collect();
        sorted.sort_unstable_by(|one, other| order(one, other));
        sorted.windows(2).find(|pair| order(pair[0], pair[1]).is_eq()).map(|pair| pair[0])
    };
    if let Some(member) = twice(|one, other| one.id.cmp(&other.id)) {
        return Err(BadRing::SameId(member.id));
    }
    if let Some(member) = twice(|one, other| one.name.cmp(&other.name)) {
        return Err(BadRing::SameName(member.name.clone()));
    }
    let points = members.iter().map(|member| u64::from(member.points)).sum();
    if points > u64::from(u32::MAX) {
        return Err(BadRing::TooManyPoints(points));
    }
    Ok(members.last().expect("a member"))
}
