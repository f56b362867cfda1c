//! What becomes of a message between two nodes: delayed, lost, doubled, damaged, or cut off.
//!
//! The fate of the k-th message on a directed link hangs on (seed, link, k), on the weather of that
//! link, and on nothing else; messages overtake each other because every one draws its own latency.
//! Links of one weather share a class, so that a message finds what holds for it in one step,
//! however many faults are active; while nothing is wrong anywhere it does not even look.

mod bandwidth;
mod bits;
mod burst;
mod disturbance;
mod fate;
mod map;
mod strike;
#[cfg(test)]
mod tests;
mod weather;

use super::distribution::Distribution;
use super::plan;
use crate::kernel::chance::Ratio;
use crate::kernel::rng::{Purpose, Table};
use crate::kernel::time::{Span, Time};
use bandwidth::Lines;
use bits::Bits;
use burst::Spells;
use map::Map;
use weather::Weather;

pub use disturbance::{Disturbance, LinkSetting, Scope};
pub use fate::{Fate, Mark, Marks, Traffic};

/// The links between the nodes of one world.
#[derive(Clone, Debug)]
pub struct Network {
    /// Nodes below this number are members; faults strike the links between them.
    members: u16,
    nodes: u16,
    latency: Distribution,
    /// Whether every link has this latency, and nothing else happens to messages.
    calm: bool,
    table: Table,
    /// How many messages each link has carried. Zeroed memory that nobody touches costs nothing.
    carried: Vec<u32>,
    /// The weather of every link. It is drawn when something first makes one differ from the others: in many a run nothing does.
    maps: Option<Maps>,
    /// In which links a spell of losses has set in.
    spells: Spells,
    /// Until when links of limited bandwidth are busy.
    lines: Lines,
    cuts: Bits,
    clogs: Bits,
    /// What is cut or clogged.
    blocked: Bits,
}

#[derive(Clone, Debug)]
struct Maps {
    /// What holds now.
    current: Map,
    /// What holds when nothing disturbs it.
    standing: Map,
}

impl Maps {
    fn of(standing: Map) -> Maps {
        Maps { current: standing.clone(), standing }
    }
}

impl Network {
    /// A whole network between `nodes` nodes, of which the first `members` can be struck by faults.
    /// Of several settings of a link the later ones win.
    ///
    /// # Panics
    /// If a setting names a node that there is not.
    pub fn new(plan: &plan::Network, table: Table, members: u16, nodes: u16, links: &[LinkSetting]) -> Network {
        let is_plain = links.is_empty() && plan.loss.is_zero() && plan.duplicate.is_zero();
        let between_members = || Weather::new(true, plan.latency, plan.loss, plan.duplicate);
        let maps = (!is_plain).then(|| Maps::of(Map::new(between_members(), members, nodes, links)));
        Network {
            members,
            nodes,
            latency: plan.latency,
            calm: maps.as_ref().is_none_or(|maps| maps.current.is_calm(plan.latency)),
            table,
            carried: vec![0; nodes as usize * nodes as usize],
            maps,
            spells: Spells::default(),
            lines: Lines::default(),
            cuts: Bits::default(),
            clogs: Bits::default(),
            blocked: Bits::default(),
        }
    }

    /// From now on what befalls messages is drawn from another table.
    pub fn reroll(&mut self, table: Table) {
        self.table = table;
    }

    /// How long the next message from one node to another takes, if there is nothing that could befall it. `None` if
    /// there is: then its fate is still to be drawn, by [`Network::fate`].
    #[inline(always)]
    pub fn latency_in_calm(&mut self, from: u16, to: u16) -> Option<Span> {
        if !self.calm {
            return None;
        }
        let word = self.next_word(from, to);
        Some(self.latency.sample(word))
    }

    /// Draws the fate of the next message from one node to another. Only a link of limited bandwidth
    /// asks how many bytes the message has.
    #[inline]
    pub fn fate(&mut self, from: u16, to: u16, now: Time, size: impl FnOnce() -> u64) -> Fate {
        let (link, word) = (self.link(from, to), self.next_word(from, to));
        if self.calm {
            return Fate::undisturbed(self.latency.sample(word));
        }
        let current = current(&self.maps);
        let class = current.class(link, from < self.members && to < self.members);
        let size = if current.weathers[class].bandwidth.is_some() { size() } else { 0 };
        self.strike(class, link, word, now, size)
    }

    /// Makes exactly these disturbances hold from now on. They only ever hold between different members; a
    /// scope may name other links, to no effect. What a link's spells of losses and its queue have come to
    /// outlasts the change, as long as any link still has some.
    ///
    /// Several of a kind on one link add up: of losses, duplications and corruptions each may strike, delays
    /// are added, and losses in bursts make one chain, with the longest of the bursts. Of reorderings
    /// the likeliest holds, of bandwidths the narrowest.
    ///
    /// With `standing` the network's own loss and duplication hold as well; without, they are off, and
    /// only what each link's latency is remains. Between two nodes that are both `spared`, by
    /// number, nothing of all this holds, nor any cut.
    ///
    /// # Panics
    /// If a bandwidth is zero.
    pub fn disturb(&mut self, standing: bool, active: &[(Disturbance, Scope)], spared: Option<&[bool]>) {
        let (members, nodes) = (self.members, self.nodes);
        let plain = || Maps::of(Map::new(Weather::quiet(true, self.latency), members, nodes, &[]));
        let maps = self.maps.get_or_insert_with(plain);
        maps.current.clone_from(&maps.standing);
        if !standing {
            maps.current.heal();
        }
        if let Some(spared) = spared {
            maps.current.spare(spared);
        }
        for (disturbance, scope) in active.iter().filter(|(disturbance, _)| !disturbance.blocks()) {
            maps.current.disturb(disturbance, scope);
        }
        self.calm = maps.current.is_calm(self.latency);
        if !maps.current.weathers.iter().any(|weather| weather.burst.is_some()) {
            self.spells = Spells::default();
        }
        if !maps.current.weathers.iter().any(|weather| weather.bandwidth.is_some()) {
            self.lines = Lines::default();
        }
        for bits in [&mut self.cuts, &mut self.clogs, &mut self.blocked] {
            bits.clear();
        }
        for (disturbance, scope) in active.iter().filter(|(disturbance, _)| disturbance.blocks()) {
            self.block(*disturbance == Disturbance::Cut, scope);
        }
    }

    /// Cuts the exposed links of a scope, or clogs them.
    fn block(&mut self, is_cut: bool, scope: &Scope) {
        let count = self.carried.len();
        for (from, to) in scope.links(self.members) {
            if self.weather(from, to).is_none_or(|weather| !weather.exposed) {
                continue;
            }
            let link = self.link(from, to);
            let bits = if is_cut { &mut self.cuts } else { &mut self.clogs };
            bits.set(link, count);
            self.blocked.set(link, count);
        }
    }

    /// Whether messages from one node to another are lost or held back now: [`Network::is_cut`] or
    /// [`Network::is_clogged`].
    #[inline]
    pub fn is_blocked(&self, from: u16, to: u16) -> bool {
        self.blocked.get(self.link(from, to))
    }

    /// Whether messages from one node to another are cut off now.
    pub fn is_cut(&self, from: u16, to: u16) -> bool {
        self.cuts.get(self.link(from, to))
    }

    /// Whether messages from one node to another are held back now. If the link is cut, too, they are lost.
    pub fn is_clogged(&self, from: u16, to: u16) -> bool {
        self.clogs.get(self.link(from, to))
    }

    /// Whether no fault hits messages from one node to another now. What the network loses by itself is no fault.
    pub fn is_well(&self, from: u16, to: u16) -> bool {
        !self.is_blocked(from, to) && !self.weather(from, to).is_some_and(Weather::is_disturbed)
    }

    /// Whether no fault hits messages from one node to another now, and the network itself loses at most one in five: what takes
    /// several messages in a row comes to an end over such a link.
    pub fn is_reliable(&self, from: u16, to: u16) -> bool {
        let loss = self.usual_loss(from, to);
        self.is_well(from, to) && 5 * loss.part() <= loss.whole()
    }

    /// How many of the messages from one node to another the network loses by itself.
    fn usual_loss(&self, from: u16, to: u16) -> Ratio {
        self.weather(from, to).map_or(Ratio::ZERO, |weather| weather.usual_loss)
    }

    fn weather(&self, from: u16, to: u16) -> Option<&Weather> {
        self.maps.as_ref().map(|maps| maps.current.weather(from, to))
    }

    /// Whether no link is cut.
    pub fn is_whole(&self) -> bool {
        self.cuts.is_clear()
    }

    /// The word of the next message on a link.
    #[inline(always)]
    fn next_word(&mut self, from: u16, to: u16) -> u64 {
        let link = self.link(from, to);
        let count = &mut self.carried[link];
        *count += 1;
        let row = u64::from(from) << 16 | u64::from(to);
        self.table.word(Purpose::Network, row, u64::from(*count))
    }

    #[inline(always)]
    fn link(&self, from: u16, to: u16) -> usize {
        from as usize * self.nodes as usize + to as usize
    }
}

/// What holds now in a network that is not calm.
#[inline(always)]
fn current(maps: &Option<Maps>) -> &Map {
    &maps.as_ref().expect("a map of the weather").current
}
