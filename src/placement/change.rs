//! Members come and go, or change their weights and zones: what the others have stays where it is.

use super::ring::{BadRing, Member, Ring};
use super::rules::Tie;
use super::scatter::{scattered, spots};

impl Ring {
    /// Takes a member in; if there is one of its id, instead of that.
    ///
    /// Only the points of this member are made; the others make room for them. With sound rules the result is the ring
    /// that is made of the same members from nothing.
    ///
    /// # Errors
    /// If another member has its name, or there are too many points. Then nothing has changed.
    pub fn insert(&mut self, member: Member) -> Result<(), BadRing> {
        let others = || self.members.iter().filter(|other| other.id != member.id);
        if others().any(|other| other.name == member.name) {
            return Err(BadRing::SameName(member.name));
        }
        let count = others().chain([&member]).map(|member| u64::from(member.points)).sum();
        if count > u64::from(u32::MAX) {
            return Err(BadRing::TooManyPoints(count));
        }
        let place = match self.members.binary_search_by_key(&member.id, |other| other.id) {
            Ok(place) => {
                let old = std::mem::replace(&mut self.members[place], member);
                let Member { name, points, .. } = &self.members[place];
                if (&old.name, old.points) == (name, *points) {
                    self.count();
                    return Ok(());
                }
                self.give_up(old.id);
                place
            }
            Err(place) => {
                self.members.insert(place, member);
                place
            }
        };
        self.count();
        self.take_up(place);
        Ok(())
    }

    /// Removes the member of this id, if there is one.
    pub fn remove(&mut self, id: u16) {
        let Ok(place) = self.members.binary_search_by_key(&id, |member| member.id) else { return };
        self.members.remove(place);
        self.count();
        self.give_up(id);
    }

    /// This ring with a member in it, as [`Ring::insert`] takes it in.
    ///
    /// # Errors
    /// Those of `insert`.
    pub fn with(&self, member: Member) -> Result<Ring, BadRing> {
        let mut ring = self.clone();
        ring.insert(member)?;
        Ok(ring)
    }

    /// This ring without the member of this id.
    #[must_use]
    pub fn without(&self, id: u16) -> Ring {
        let mut ring = self.clone();
        ring.remove(id);
        ring
    }

    /// Removes the points of a member.
    fn give_up(&mut self, id: u16) {
        if !(self.rules.points_stay)() {
            return self.scatter();
        }
        let places: Vec<usize> = (0..self.points.len()).filter(|place| self.points.nodes()[*place] == id).collect();
        self.points.remove(self.space, &places);
    }

    /// Makes the points of the member at this place, which has none.
    fn take_up(&mut self, place: usize) {
        if !(self.rules.points_stay)() {
            return self.scatter();
        }
        let member = &self.members[place];
        let stand = |spot| self.space.position((self.rules.point)(&spot));
        let mut positions: Vec<u128> = spots(member, place, self.members.len()).map(stand).collect();
        positions.sort_unstable();
        if (self.rules.settles_ties_by)() == Tie::LastInserted {
            positions.dedup();
            let covered = positions.iter().flat_map(|position| self.run(*position)).collect::<Vec<usize>>();
            self.points.remove(self.space, &covered);
        }
        let member = &self.members[place];
        let before = |position| {
            let is_before = |place: &usize| self.name_at(*place) < member.name.as_slice();
            let run = self.run(position);
            run.clone().find(|place| !is_before(place)).unwrap_or(run.end)
        };
        let points: Vec<(usize, u128)> = positions.iter().map(|position| (before(*position), *position)).collect();
        self.points.insert(self.space, member.id, &points);
    }

    /// The places of the points at a position.
    fn run(&self, position: u128) -> std::ops::Range<usize> {
        self.points.not_below(position)..self.points.above(position)
    }

    /// The name of the member of a point.
    fn name_at(&self, place: usize) -> &[u8] {
        &self.member(self.points.nodes()[place]).expect("a point of a member").name
    }

    /// Makes all points anew.
    fn scatter(&mut self) {
        self.points = scattered(self.space, &self.rules, &self.members).expect("members that were looked at");
    }
}
