//! The decisions of consistent hashing on which ownership rests, one small function each, with its source. A planted
//! defect replaces one of them.

use super::hash;
use super::points::Points;

/// A point of a member, before it has a position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spot<'a> {
    /// The member's name.
    pub name: &'a [u8],
    /// The number of the point among those of the member, from 0.
    pub index: u32,
    /// How many points the member has.
    pub points: u32,
    /// The place of the member among all, in the order of their ids, from 0.
    pub place: u32,
    /// How many members there are.
    pub members: u32,
}

/// What becomes of points of different members at the same position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tie {
    /// All stay, in the order of the members' names: whoever builds the ring, in whatever order, has the same.
    ByName,
    /// Only the one that was inserted last stays.
    LastInserted,
}

/// All decisions. [`Rules::SOUND`] has those of the literature.
///
/// Source, where nothing else is said: Karger et al., "Consistent Hashing and Random Trees", STOC 1997; DeCandia et al.,
/// "Dynamo", SOSP 2007, section 4.2.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The hash of a key, of 128 bits.
    pub key: fn(key: &[u8]) -> u128,
    /// The hash of a point, of 128 bits.
    pub point: fn(spot: &Spot<'_>) -> u128,
    /// Do the points of the other members stay where they are, when one joins or leaves?
    pub points_stay: fn() -> bool,
    /// What becomes of points at the same position.
    pub settles_ties_by: fn() -> Tie,
    /// The place of the point to which a position belongs; the number of points for the first one, beyond the last.
    pub search: fn(points: &Points, position: u128) -> usize,
    /// The place of a point, where a search has ended at `place` of `count` points.
    pub wrap: fn(place: usize, count: usize) -> Option<usize>,
    /// Is a node passed over that has a point, when these have been chosen before? `has_wrapped` says whether the walk
    /// has come past the last point.
    pub is_passed_over: fn(node: u16, chosen: &[u16], has_wrapped: bool) -> bool,
}

impl Rules {
    /// Those of the literature, with MD5.
    pub const SOUND: Rules = Rules {
        key: hash::key,
        point,
        points_stay: || true,
        settles_ties_by: || Tie::ByName,
        search: successor,
        wrap: first_after_last,
        is_passed_over,
    };

    /// Those of ketama: points and keys at words of 32 bits.
    pub const KETAMA: Rules =
        Rules { key: hash::ketama_key, point: |spot| hash::ketama_point(spot.name, spot.index), ..Rules::SOUND };
}

impl Default for Rules {
    fn default() -> Rules {
        Rules::SOUND
    }
}

/// A point hangs on its member and its number alone: so other members that come and go do not move it.
fn point(spot: &Spot<'_>) -> u128 {
    hash::point(spot.name, spot.index)
}

/// The first point not below: a point owns what lies between its predecessor, exclusive, and itself, inclusive.
fn successor(points: &Points, position: u128) -> usize {
    points.not_below(position)
}

/// Beyond the last point the circle begins anew.
fn first_after_last(place: usize, count: usize) -> Option<usize> {
    Some(if place == count { 0 } else { place })
}

/// A second copy on the same node is none: the preference list skips points so as to contain only distinct physical
/// nodes (Dynamo, section 4.3).
fn is_passed_over(node: u16, chosen: &[u16], _has_wrapped: bool) -> bool {
    chosen.contains(&node)
}
