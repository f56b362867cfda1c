//! The points of members, made from nothing.

use super::measure::Space;
use super::points::Points;
use super::ring::{BadRing, Member};
use super::rules::{Rules, Spot, Tie};

/// The points of a member.
pub(super) fn spots(member: &Member, place: usize, members: usize) -> impl Iterator<Item = Spot<'_>> {
    let Member { name, points, .. } = member;
    let (place, members) = (place as u32, members as u32);
    (0..*points).map(move |index| Spot { name, index, points: *points, place, members })
}

/// The points of all members, inserted in the order of these.
pub(super) fn scattered(space: Space, rules: &Rules, members: &[Member]) -> Result<Points, BadRing> {
    check(members)?;
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

/// Whether there can be a ring of these members.
fn check(members: &[Member]) -> Result<(), BadRing> {
    let mut ids: Vec<u16> = members.iter().map(|member| member.id).collect();
    ids.sort_unstable();
    if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(BadRing::SameId(pair[0]));
    }
    let mut names: Vec<&[u8]> = members.iter().map(|member| member.name.as_slice()).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(BadRing::SameName(pair[0].to_vec()));
    }
    let points = members.iter().map(|member| u64::from(member.points)).sum();
    if points > u64::from(u32::MAX) {
        return Err(BadRing::TooManyPoints(points));
    }
    Ok(())
}
