//! Who takes part in a run.

use std::fmt::{self, Debug};

/// One node of a world: a small dense number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u16);

impl NodeId {
    /// The node with this number.
    pub const fn new(number: u16) -> NodeId {
        NodeId(number)
    }

    /// The number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The number, to index with.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// `#3`; with the cast at hand, [`Cast::name`] says it better.
impl Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Who takes part in a run: groups of nodes, numbered through. The first are the servers; they and the groups that are
/// exposed as they are make the members, whom faults can strike. The others (clients, observers) have sound machines
/// and sound links.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cast {
    groups: [(&'static str, u16); Cast::GROUPS],
    len: usize,
    /// How many of the groups are members.
    exposed: usize,
}

impl Cast {
    /// How many groups there may be.
    pub const GROUPS: usize = 4;

    /// `count` servers, named `n1`, `n2` and so on: members of whom a majority counts.
    pub const fn members(count: u16) -> Cast {
        let mut groups = [("", 0); Cast::GROUPS];
        groups[0] = ("n", count);
        Cast { groups, len: 1, exposed: 1 }
    }

    /// And `count` other members, named with this prefix: faults can strike them too.
    ///
    /// # Panics
    /// With more than [`Cast::GROUPS`] groups, and after [`Cast::and`].
    #[must_use]
    pub const fn exposing(mut self, prefix: &'static str, count: u16) -> Cast {
        assert!(self.len == self.exposed, "members stand before those whom faults cannot strike");
        self.exposed += 1;
        self.and(prefix, count)
    }

    /// And `count` others, named with this prefix.
    ///
    /// # Panics
    /// With more than [`Cast::GROUPS`] groups.
    #[must_use]
    pub const fn and(mut self, prefix: &'static str, count: u16) -> Cast {
        self.groups[self.len] = (prefix, count);
        self.len += 1;
        self
    }

    /// How many nodes are servers: those of whom a majority counts.
    pub const fn server_count(&self) -> u16 {
        self.groups[0].1
    }

    /// How many nodes faults can strike.
    pub fn member_count(&self) -> u16 {
        self.groups[..self.exposed].iter().map(|group| group.1).sum()
    }

    /// How many nodes there are.
    pub fn count(&self) -> u16 {
        self.groups.iter().map(|group| group.1).sum()
    }

    /// A node's name: its group's prefix and its place in the group, from 1.
    pub fn name(&self, node: NodeId) -> String {
        let mut place = node.0;
        for (prefix, count) in self.groups {
            if place < count {
                return format!("{prefix}{}", place + 1);
            }
            place -= count;
        }
        format!("{node:?}")
    }

    /// The node of this name.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        let mut before = 0;
        for (prefix, count) in &self.groups[..self.len] {
            let place = name.strip_prefix(prefix).and_then(|place| place.parse::<u16>().ok());
            if let Some(place) = place
                && (1..=*count).contains(&place)
            {
                return Some(NodeId(before + place - 1));
            }
            before += count;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_again() {
        let cast = Cast::members(5).and("c", 3);
        assert_eq!(cast.count(), 8);
        for number in 0..8 {
            let node = NodeId::new(number);
            assert_eq!(cast.find(&cast.name(node)), Some(node));
        }
        assert_eq!(cast.name(NodeId::new(5)), "c1");
        assert!(["n0", "n6", "c4", "x1", "", "n"].iter().all(|name| cast.find(name).is_none()));
    }

    #[test]
    fn faults_strike_the_servers_and_who_is_exposed() {
        let cast = Cast::members(3).exposing("c", 2).and("o", 4);
        assert_eq!((cast.server_count(), cast.member_count(), cast.count()), (3, 5, 9));
    }
}
