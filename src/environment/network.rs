//! What becomes of a message between two nodes: delayed, lost, doubled, or cut off.
//!
//! The fate of the k-th message on a directed link hangs on (seed, link, k) and on nothing
//! else; messages overtake each other because every one draws its own latency. Nothing here
//! ever walks over links: cuts are bits, a row for each sender.

use super::distribution::Distribution;
use super::plan;
use crate::kernel::chance::Ratio;
use crate::kernel::digest::mix;
use crate::kernel::rng::{Purpose, Table};
use crate::kernel::time::Span;

/// The links between the nodes of one world.
#[derive(Clone, Debug)]
pub struct Network {
    /// Nodes below this number are members; faults strike the links between them.
    members: u16,
    nodes: u16,
    latency: Distribution,
    loss: Ratio,
    duplicate: Ratio,
    extra: Distribution,
    /// Whether messages between members are lost, doubled or delayed at all.
    stormy: bool,
    table: Table,
    /// How many messages each link has carried. Zeroed memory that nobody touches costs nothing.
    carried: Vec<u32>,
    /// A bit for each directed link that is cut; empty while none is.
    cuts: Vec<u64>,
}

/// What happens to one message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fate {
    /// When it arrives, counted from now; `None` if it is lost.
    pub arrives: Option<Span>,
    /// When a second copy arrives, if there is one.
    pub again: Option<Span>,
}

/// Messages between different nodes, counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Traffic {
    /// Sent by a node.
    pub sent: u64,
    /// Copies that the network made.
    pub doubled: u64,
    /// Handled by a receiver.
    pub delivered: u64,
    /// Lost, cut off, or come to a node that is down.
    pub dropped: u64,
}

impl Network {
    /// A whole network between `nodes` nodes, of which the first `members` can be struck by faults.
    pub fn new(plan: &plan::Network, table: Table, members: u16, nodes: u16) -> Network {
        let mut network = Network {
            members,
            nodes,
            latency: plan.latency,
            loss: Ratio::ZERO,
            duplicate: Ratio::ZERO,
            extra: Distribution::ZERO,
            stormy: false,
            table,
            carried: vec![0; nodes as usize * nodes as usize],
            cuts: Vec::new(),
        };
        network.set_weather(plan.loss, plan.duplicate, Distribution::ZERO);
        network
    }

    /// Draws the fate of the next message from one node to another.
    #[inline(always)]
    pub fn fate(&mut self, from: u16, to: u16) -> Fate {
        let ordinal = self.count(from, to);
        let link = u64::from(from) << 16 | u64::from(to);
        let word = self.table.word(Purpose::Network, link, ordinal);
        let arrives = self.latency.sample(word);
        if self.stormy && from < self.members && to < self.members {
            return self.strike(word, arrives);
        }
        Fate { arrives: Some(arrives), again: None }
    }

    /// The fate of a message between members, where faults may strike. Each kind of fault has a
    /// word of its own, derived from the message's, so that one does not re-roll another.
    fn strike(&self, word: u64, arrives: Span) -> Fate {
        let mut fate = Fate { arrives: Some(arrives + self.extra.sample(mix(word, 1))), again: None };
        if !self.duplicate.is_zero() && self.duplicate.hits(mix(word, 2)) {
            fate.again = Some(self.latency.sample(mix(word, 3)) + self.extra.sample(mix(word, 4)));
        }
        if !self.loss.is_zero() {
            if self.loss.hits(mix(word, 5)) {
                fate.arrives = None;
            }
            if self.loss.hits(mix(word, 6)) {
                fate.again = None;
            }
        }
        fate
    }

    #[inline]
    fn count(&mut self, from: u16, to: u16) -> u64 {
        let link = self.bit(from, to);
        let count = &mut self.carried[link];
        *count += 1;
        u64::from(*count)
    }

    /// Whether messages from one node to another are cut off now.
    #[inline]
    pub fn is_cut(&self, from: u16, to: u16) -> bool {
        if self.cuts.is_empty() {
            return false;
        }
        let bit = self.bit(from, to);
        self.cuts[bit / 64] >> (bit % 64) & 1 == 1
    }

    #[inline]
    fn bit(&self, from: u16, to: u16) -> usize {
        from as usize * self.nodes as usize + to as usize
    }

    /// Makes exactly these directed links the ones that are cut.
    pub fn set_cuts(&mut self, links: impl Iterator<Item = (u16, u16)>) {
        self.cuts.clear();
        for (from, to) in links {
            if self.cuts.is_empty() {
                self.cuts.resize((self.nodes as usize * self.nodes as usize).div_ceil(64), 0);
            }
            let bit = self.bit(from, to);
            self.cuts[bit / 64] |= 1 << (bit % 64);
        }
    }

    /// Whether any link is cut.
    pub fn is_whole(&self) -> bool {
        self.cuts.is_empty()
    }

    /// Sets what holds between members from now on.
    pub fn set_weather(&mut self, loss: Ratio, duplicate: Ratio, extra: Distribution) {
        (self.loss, self.duplicate, self.extra) = (loss, duplicate, extra);
        self.stormy = !(loss.is_zero() && duplicate.is_zero() && extra.is_zero());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::Span;

    fn network(loss: u64, duplicate: u64) -> Network {
        let percent = |part| Ratio::new(part, 100).expect("a probability");
        let latency = Distribution::Uniform { min: Span::ms(1), max: Span::ms(10) };
        let plan = plan::Network { latency, loss: percent(loss), duplicate: percent(duplicate) };
        Network::new(&plan, Table::new(11), 3, 4)
    }

    #[test]
    fn loss_and_duplication_come_at_their_rates_and_spare_clients() {
        let mut network = network(10, 20);
        let fates: Vec<Fate> = (0..100_000).map(|_| network.fate(0, 1)).collect();
        let lost = fates.iter().filter(|fate| fate.arrives.is_none()).count();
        let doubled = fates.iter().filter(|fate| fate.again.is_some()).count();
        assert!(lost.abs_diff(10_000) < 500, "{lost} lost");
        // A fifth is doubled, a tenth of the copies is lost.
        assert!(doubled.abs_diff(18_000) < 650, "{doubled} doubled");
        assert!((0..1_000).all(|_| network.fate(3, 0).arrives.is_some()));
    }

    #[test]
    fn switching_one_fault_on_leaves_the_draws_of_the_others_alone() {
        let (mut calm, mut lossy, mut doubling) = (network(0, 0), network(30, 0), network(0, 30));
        for _ in 0..1_000 {
            let (calm, lossy, doubling) = (calm.fate(1, 2), lossy.fate(1, 2), doubling.fate(1, 2));
            assert_eq!(calm.arrives, doubling.arrives);
            assert!(lossy.arrives.is_none() || lossy.arrives == calm.arrives);
        }
    }

    #[test]
    fn a_message_more_on_one_link_does_not_touch_another() {
        let (mut one, mut other) = (network(5, 5), network(5, 5));
        (0..7).for_each(|_| assert!(one.fate(0, 1).arrives != Some(Span::ZERO)));
        assert!((0..100).all(|_| one.fate(1, 0) == other.fate(1, 0)));
    }

    #[test]
    fn cuts_are_directed_and_heal() {
        let mut network = network(0, 0);
        network.set_cuts([(0, 1)].into_iter());
        assert!(network.is_cut(0, 1) && !network.is_cut(1, 0) && !network.is_whole());
        network.set_cuts(std::iter::empty());
        assert!(!network.is_cut(0, 1) && network.is_whole());
    }
}
