//! Which link has which weather: links of one weather are a class.

use super::weather::Weather;
use super::{Disturbance, LinkSetting, Scope};
use crate::environment::distribution::Distribution;

/// The class of links that have a client at one end, unless they are set otherwise.
const OTHERS: u32 = 0;
/// The class of links between members, unless they are set or disturbed otherwise.
const MEMBERS: u32 = 1;

/// The weather of every directed link.
#[derive(Debug)]
pub(super) struct Map {
    members: u16,
    nodes: u16,
    /// The class of each link; empty while it is [`MEMBERS`] for all between members, and [`OTHERS`] for all others.
    classes: Vec<u32>,
    /// The weather of each class.
    pub(super) weathers: Vec<Weather>,
}

/// Into the memory that is there: a map is drawn anew whenever a fault begins or ends.
impl Clone for Map {
    fn clone(&self) -> Map {
        Map { classes: self.classes.clone(), weathers: self.weathers.clone(), ..*self }
    }

    fn clone_from(&mut self, other: &Map) {
        (self.members, self.nodes) = (other.members, other.nodes);
        self.classes.clone_from(&other.classes);
        self.weathers.clone_from(&other.weathers);
    }
}

impl Map {
    /// What holds as long as nothing disturbs it.
    pub(super) fn new(between_members: Weather, members: u16, nodes: u16, settings: &[LinkSetting]) -> Map {
        let others = Weather::quiet(false, between_members.latency);
        let mut map = Map { members, nodes, classes: Vec::new(), weathers: vec![others, between_members] };
        let mut last = MEMBERS as usize;
        for setting in settings {
            last = map.set(setting, last);
        }
        map
    }

    /// Sets one link. Neighbouring settings are often alike, so the class of the last one is tried first.
    fn set(&mut self, setting: &LinkSetting, last: usize) -> usize {
        let LinkSetting { from, to, .. } = *setting;
        assert!(from.max(to) < self.nodes, "a link from #{from} to #{to} among {} nodes", self.nodes);
        self.class_all();
        let link = self.link(from, to);
        let wanted = self.weathers[self.classes[link] as usize].with(setting);
        let tried = std::iter::once(last).chain(0..self.weathers.len());
        let class = tried.into_iter().find(|class| self.weathers[*class] == wanted).unwrap_or_else(|| {
            self.weathers.push(wanted);
            self.weathers.len() - 1
        });
        self.classes[link] = class as u32;
        class
    }

    /// The weather of a link.
    pub(super) fn weather(&self, from: u16, to: u16) -> &Weather {
        &self.weathers[self.class(self.link(from, to), from.max(to) < self.members)]
    }

    /// The class of a link, and so its place among the weathers.
    #[inline(always)]
    pub(super) fn class(&self, link: usize, between_members: bool) -> usize {
        if self.classes.is_empty() { usize::from(between_members) } else { self.classes[link] as usize }
    }

    /// Whether all links have this latency, and no other weather.
    pub(super) fn is_calm(&self, latency: Distribution) -> bool {
        self.weathers.iter().all(|weather| weather.is_quiet(latency))
    }

    /// Leaves nothing but the latencies.
    pub(super) fn heal(&mut self) {
        for weather in &mut self.weathers {
            *weather = Weather::quiet(weather.exposed, weather.latency);
        }
    }

    /// Leaves nothing but the latency between those that are spared, and no disturbance hits them.
    pub(super) fn spare(&mut self, spared: &[bool]) {
        let nodes: Vec<u16> = (0..self.members).filter(|node| spared.get(*node as usize) == Some(&true)).collect();
        let links = nodes.iter().flat_map(|from| nodes.iter().map(|to| (*from, *to)));
        let links: Vec<(u16, u16)> = links.filter(|(from, to)| from != to).collect();
        self.change(links.into_iter(), |weather| *weather = Weather::quiet(false, weather.latency));
    }

    /// Adds a disturbance to the weather of the links that it hits.
    pub(super) fn disturb(&mut self, disturbance: &Disturbance, scope: &Scope) {
        match scope {
            Scope::All => {
                let exposed = self.weathers.iter_mut().filter(|weather| weather.exposed);
                exposed.for_each(|weather| weather.add(disturbance));
            }
            Scope::Links(_) => self.change(scope.links(self.members), |weather| weather.add(disturbance)),
        }
    }

    /// Changes the weather of some links, where they are exposed, once each.
    fn change(&mut self, links: impl Iterator<Item = (u16, u16)>, change: impl Fn(&mut Weather)) {
        // To which class the links of a class go. Links of a class beyond these have gone there before.
        let mut moved: Vec<Option<u32>> = vec![None; self.weathers.len()];
        for (from, to) in links {
            self.class_all();
            let link = self.link(from, to);
            let class = self.classes[link] as usize;
            let Some(moved) = moved.get_mut(class).filter(|_| self.weathers[class].exposed) else { continue };
            self.classes[link] = *moved.get_or_insert_with(|| {
                let mut weather = self.weathers[class].clone();
                change(&mut weather);
                self.weathers.push(weather);
                self.weathers.len() as u32 - 1
            });
        }
    }

    /// Writes every link's class down.
    fn class_all(&mut self) {
        if !self.classes.is_empty() {
            return;
        }
        let (members, nodes) = (self.members as usize, self.nodes as usize);
        self.classes.resize(nodes * nodes, OTHERS);
        self.classes.chunks_mut(nodes).take(members).for_each(|row| row[..members].fill(MEMBERS));
    }

    fn link(&self, from: u16, to: u16) -> usize {
        from as usize * self.nodes as usize + to as usize
    }
}
