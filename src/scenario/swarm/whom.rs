//! Whom the faults of a swarm hit, and which links.

use super::super::target::{Shape, Who};
use super::hand::{coin, one_of, some, weighted};
use super::{Rough, Storm};
use crate::kernel::rng::Dice;

impl Storm<'_> {
    /// Members, most often one; in a hostile world sometimes so many that no majority is left for a while.
    pub(super) fn whom(&self, waits: bool, dice: &mut Dice) -> Who {
        let count = self.roster.crew.servers;
        let role = one_of(self.roster.roles, dice)
            .map(|role| if role == "leader" { Who::Leader } else { Who::Role(role.to_owned()) });
        let mut all = vec![(4, Who::One), (1, Who::InTurn)];
        all.extend(role.map(|role| (4, role)));
        if waits {
            all.push((6, Who::Subject));
        }
        if self.rough != Rough::Lan {
            all.push((2, Who::Minority));
        }
        if self.rough == Rough::Hostile {
            all.extend([(2, Who::Majority), (1, Who::All)]);
        }
        if !self.roster.crew.others().is_empty() {
            all.push((4, Who::Nodes(some(self.roster.crew.others(), 1, dice))));
        }
        all.retain(|(_, who)| who.size(count) != Some(0));
        weighted(all, dice).expect("one can always be hit")
    }

    /// A server that an operator tells something, seldom several.
    pub(super) fn told(&self, waits: bool, dice: &mut Dice) -> Who {
        let mut all = vec![(6, Who::One), (2, Who::InTurn), (1, Who::Minority)];
        if waits {
            all.push((3, Who::Subject));
        }
        all.retain(|(_, who)| who.size(self.roster.crew.servers) != Some(0));
        weighted(all, dice).expect("one can always be told")
    }

    /// Two servers.
    pub(super) fn pair(&self, dice: &mut Dice) -> Option<(Who, Who)> {
        let servers = self.roster.crew.servers();
        if servers.len() < 2 {
            return None;
        }
        let pair = dice.choose(servers.len(), 2);
        let name = |place: usize| Who::Nodes(vec![servers[pair[place]].clone()]);
        Some((name(0), name(1)))
    }

    /// As [`Storm::whom`], but somebody is left whom the target can be cut off from.
    fn apart(&self, waits: bool, dice: &mut Dice) -> Who {
        let (who, crew) = (self.whom(waits, dice), self.roster.crew);
        if who.size(crew.servers) == Some(crew.members.len()) { Who::One } else { who }
    }

    /// Some of those who may lose their disks.
    pub(super) fn victims(&self, dice: &mut Dice) -> Option<Who> {
        let count = 1 + dice.below(self.victims.len() as u64) as usize;
        Some(Who::Nodes(some(self.victims, count, dice))).filter(|_| !self.victims.is_empty())
    }

    /// Links, and whether one direction is enough.
    pub(super) fn shape(&self, waits: bool, dice: &mut Dice) -> (Shape, bool) {
        let count = self.roster.crew.servers;
        let (alone, mute, deaf) = (self.apart(waits, dice), self.apart(waits, dice), self.apart(waits, dice));
        let mut all = vec![(4, Shape::Isolate(alone)), (1, Shape::Mute(mute)), (1, Shape::Deafen(deaf))];
        if count >= 2 {
            all.extend([(2, Shape::Halves), (1, Shape::Random)]);
        }
        if count >= 3 {
            all.extend([(1, Shape::Bridge), (2, Shape::MajoritiesRing)]);
        }
        if count >= 4 {
            all.push((1, Shape::MinorityThird));
        }
        all.extend(self.region(dice).map(|region| (8, region)));
        let shape = weighted(all, dice).expect("there is always a way to part two");
        let says_it = matches!(shape, Shape::Mute(_) | Shape::Deafen(_));
        (shape, coin(4, dice) && !says_it)
    }

    /// A region against all who are not in it.
    fn region(&self, dice: &mut Dice) -> Option<Shape> {
        let regions: Vec<&Vec<String>> = self.regions?.of.values().collect();
        let region = one_of(&regions, dice)?;
        let rest: Vec<String> =
            self.roster.crew.members.iter().filter(|member| !region.contains(member)).cloned().collect();
        Some(Shape::Split(region.clone(), rest))
            .filter(|shape| !matches!(shape, Shape::Split(_, rest) if rest.is_empty()))
    }

    /// All links, or those of a shape.
    pub(super) fn over(&self, waits: bool, dice: &mut Dice) -> Option<Shape> {
        let (shape, _) = self.shape(waits, dice);
        Some(shape).filter(|_| coin(8, dice))
    }
}
