//! Whom a fault hits, and which links: names and roles become numbers.

use super::World;
use crate::environment::fault::{Direction, LinkSet, Target};
use crate::environment::network::LinkSetting;
use crate::environment::plan;
use crate::oracle::spec::Oracle;
use crate::protocol::{Cast, NodeId, Protocol};
use crate::trace::Trace;

/// The standing settings of links, one for each link that the plan's rules name.
///
/// # Panics
/// If a rule names somebody who does not take part: the loader of a plan checks its names.
pub(super) fn link_settings(network: &plan::Network, cast: &Cast) -> Vec<LinkSetting> {
    let number = |name: &String| find(cast, name).number();
    let mut settings = Vec::new();
    for rule in &network.links {
        for (from, to) in rule.from.iter().flat_map(|from| rule.to.iter().map(move |to| (from, to))) {
            let (from, to) = (number(from), number(to));
            let ways = [(from, to), (to, from)];
            for (from, to) in ways.into_iter().take(1 + usize::from(rule.both_ways)).filter(|(from, to)| from != to) {
                let plan::LinkRule { latency, loss, duplicate, .. } = *rule;
                settings.push(LinkSetting { from, to, latency, loss, duplicate });
            }
        }
    }
    settings
}

fn find(cast: &Cast, name: &str) -> NodeId {
    cast.find(name).unwrap_or_else(|| panic!("the plan names {name:?}, who does not take part"))
}

impl<P: Protocol, O: Oracle<P>, T: Trace<P>> World<P, O, T> {
    /// The members that a fault hits that begins now.
    ///
    /// # Panics
    /// If it names somebody who does not take part: the loader of a plan checks its names.
    pub(super) fn nodes_of(&self, target: &Target, fault: usize) -> Vec<NodeId> {
        let right =
            |role: &str, node: NodeId| self.view.hosts[node.index()].state.as_ref().and_then(|state| state.role(role));
        let members = (0..self.cast.member_count()).map(NodeId::new);
        match target {
            Target::Nodes(names) => names.iter().map(|name| find(&self.cast, name)).collect(),
            Target::Role(role) => {
                let best = members.filter_map(|node| right(role, node).map(|right| (right, node))).max();
                best.map(|(_, node)| node).into_iter().collect()
            }
            Target::Holders(role) => members.filter(|node| right(role, *node).is_some()).collect(),
            Target::Subject => {
                let is_member = |node: &NodeId| node.number() < self.cast.member_count();
                self.moments.subject(fault).filter(is_member).into_iter().collect()
            }
        }
    }

    /// The links that a fault hits that begins now.
    ///
    /// # Panics
    /// As [`World::nodes_of`].
    pub(super) fn links_of(&self, links: &LinkSet, fault: usize) -> Vec<(u16, u16)> {
        let number = |name: &String| find(&self.cast, name).number();
        match links {
            LinkSet::Links(links) => links.iter().map(|(from, to)| (number(from), number(to))).collect(),
            LinkSet::Split { from, to, one_way } => {
                let pairs = from.iter().flat_map(|from| to.iter().map(move |to| (from, to)));
                let there = pairs.map(|(from, to)| (number(from), number(to)));
                both_ways(there, Direction::Outgoing, !one_way)
            }
            LinkSet::Isolate { target, direction } => {
                let alone = self.nodes_of(target, fault);
                let others = (0..self.cast.member_count()).map(NodeId::new).filter(|node| !alone.contains(node));
                let pairs = others.flat_map(|other| alone.iter().map(move |node| (node.number(), other.number())));
                both_ways(pairs, *direction, *direction == Direction::Both)
            }
        }
    }
}

/// The given links, or those back, or both.
fn both_ways(there: impl Iterator<Item = (u16, u16)>, one: Direction, both: bool) -> Vec<(u16, u16)> {
    there
        .flat_map(|(from, to)| [(from, to, Direction::Outgoing), (to, from, Direction::Incoming)])
        .filter(|link| both || link.2 == one)
        .map(|(from, to, _)| (from, to))
        .collect()
}
