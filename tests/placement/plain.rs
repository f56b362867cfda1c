//! A ring by its definition, slowly: every question is answered by looking at all points.

use squall::placement::hash;
use squall::placement::ring::Member;

/// Points in order: where they stand, and whose they are.
pub(crate) struct Plain<'a> {
    members: &'a [Member],
    points: Vec<(u128, &'a Member)>,
}

impl Plain<'_> {
    pub(crate) fn new(members: &[Member], bits: u8) -> Plain<'_> {
        let point = |member: &Member, index| hash::point(&member.name, index) >> (128 - bits);
        let all = members.iter().flat_map(|member| (0..member.points).map(move |index| (point(member, index), member)));
        let mut points: Vec<(u128, &Member)> = all.collect();
        points.sort_by(|one, other| (one.0, &one.1.name).cmp(&(other.0, &other.1.name)));
        Plain { members, points }
    }

    /// Whose a position is, and who has the copies: first one of each zone, then the others, all in the order in which
    /// they are met.
    pub(crate) fn preference(&self, position: u128, count: usize) -> Vec<u16> {
        let start = self.points.iter().filter(|point| point.0 < position).count();
        let mut met: Vec<&Member> = Vec::new();
        for step in 0..self.points.len() {
            let member = self.points[(start + step) % self.points.len()].1;
            if !met.contains(&member) {
                met.push(member);
            }
        }
        let is_first_of_zone = |place: &usize| {
            let zone = met[*place].zone;
            zone.is_none() || met[..*place].iter().all(|other| other.zone != zone)
        };
        let (first, rest): (Vec<usize>, Vec<usize>) = (0..met.len()).partition(is_first_of_zone);
        first.into_iter().chain(rest).take(count).map(|place| met[place].id).collect()
    }

    pub(crate) fn has_points(&self) -> bool {
        self.members.iter().any(|member| member.points > 0)
    }
}
