//! Published defects of consistent hashing, each a function that replaces one of [`Rules`](super::rules::Rules).

use super::hash;
use super::points::Points;
use super::rules::{Spot, Tie};

/// For `point`: a node stands where its name does among the hexadecimal texts of hashes, not at its own hash: at the first
/// hash whose text is not below the name. Of names that begin with a letter after `f` the first owns everything.
pub fn name_instead_of_hash(spot: &Spot<'_>) -> u128 {
    let mut position = 0;
    for (place, byte) in spot.name.iter().take(32).enumerate() {
        let shift = 124 - 4 * place;
        position |= match byte {
            b'0'..=b'9' => u128::from(byte - b'0') << shift,
            b'a'..=b'f' => u128::from(byte - b'a' + 10) << shift,
            ..b'0' => return position,
            ..b'a' => return position | 10 << shift,
            _ => return position | u128::MAX >> (4 * place),
        };
    }
    position
}

/// For `wrap`: beyond the last point there is nobody.
pub fn nobody_after_last(place: usize, count: usize) -> Option<usize> {
    (place < count).then_some(place)
}

/// For `wrap`: what is beyond the last point belongs to it.
pub fn last_after_last(place: usize, count: usize) -> Option<usize> {
    Some(place.min(count - 1))
}

/// For `search`: the last point not above, counter-clockwise.
pub fn predecessor(points: &Points, position: u128) -> usize {
    points.above(position).checked_sub(1).unwrap_or(points.len() - 1)
}

/// For `search`: the first point above, so that what stands exactly at a point belongs to the next one.
pub fn strictly_above(points: &Points, position: u128) -> usize {
    points.above(position)
}

/// For `settles_ties_by`: a map from position to node, in which the last insert wins.
pub fn last_insert_wins() -> Tie {
    Tie::LastInserted
}

/// For `is_passed_over`: nobody is, so that two points of one node are two copies.
pub fn nobody_is_passed_over(_: u16, _: &[u16], _: bool) -> bool {
    false
}

/// For `is_passed_over`: beyond the last point those are forgotten that were chosen before it.
pub fn forgotten_across_the_wrap(node: u16, chosen: &[u16], has_wrapped: bool) -> bool {
    !has_wrapped && chosen.contains(&node)
}

/// For `point`, together with [`points_move`]: slots are dealt to the members in turn, so that slot s belongs to member s
/// modulo their number, and another number of members means another owner of nearly every slot. Slots stand evenly on the
/// circle, slot s at the s-th multiple of the golden section, however many there are.
pub fn slot_modulo_members(spot: &Spot<'_>) -> u128 {
    let slot = u128::from(spot.index) * u128::from(spot.members) + u128::from(spot.place);
    (slot + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}

/// For `point`, together with [`points_move`]: the number of members goes into the hash, so that each change is planned
/// anew from nothing.
pub fn planned_anew(spot: &Spot<'_>) -> u128 {
    hash::key(&[spot.name, format!("{}/{}", spot.index, spot.members).as_bytes()].concat())
}

/// For `point`, together with [`points_move`]: the number of members goes into the hash of the points of the first of them.
pub fn first_member_planned_anew(spot: &Spot<'_>) -> u128 {
    if spot.place == 0 { planned_anew(spot) } else { hash::point(spot.name, spot.index) }
}

/// For `point`: a member's points stand in a row, each a 2^16th of the circle before the last, so that all it owns is taken
/// from one neighbour.
pub fn points_in_a_row(spot: &Spot<'_>) -> u128 {
    hash::point(spot.name, 0).wrapping_sub(u128::from(spot.index) << 112)
}

/// For `points_stay`: they do not.
pub fn points_move() -> bool {
    false
}
