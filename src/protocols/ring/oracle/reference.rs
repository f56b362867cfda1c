//! The epochs as the group has decided them, whose every key is in each, and whether the servers agree.

use crate::oracle::spec::{Verdict, Violation};
use crate::protocol::NodeId;
use crate::protocols::ring::cell::Rank;
use crate::protocols::ring::config::Config;
use crate::protocols::ring::epoch::{Epoch, Identity, Member, Phase};
use crate::protocols::ring::rules::Rules;
use crate::protocols::ring::topology::{Placed, Team, Topology};
use std::collections::BTreeSet;
use std::sync::Arc;

/// In a space of so many bits hardly any points coincide, which would give to one what is the share of another.
const ROOMY: u8 = 64;

/// What everybody should know.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    /// With sound rules, but for those that say where points are: of these no place is wrong in itself.
    config: Arc<Config>,
    /// By epoch, from the first on.
    topologies: Vec<Topology>,
    /// How many epochs have been looked at as some server has worked them out.
    witnessed: usize,
    /// What was found right last.
    right: Option<Topology>,
}

fn violation(invariant: &'static str, nodes: &[NodeId], message: String) -> Verdict {
    Err(Box::new(Violation::new(invariant, nodes, message)))
}

/// Whether a step leads from one epoch to the next: see the module [`epoch`](crate::protocols::ring::epoch).
fn is_step(before: &Epoch, epoch: &Epoch) -> bool {
    let (stays, is_settled) = (epoch.members == before.members, epoch.next == epoch.members);
    let is_same_plan = (&epoch.next, epoch.plan) == (&before.next, before.plan);
    let is_new_plan = stays && epoch.plan == epoch.number;
    let is_step = match (before.phase, epoch.phase) {
        (Phase::Settled, Phase::Settled) => stays && is_settled && (is_new_plan || is_same_plan && epoch.clears),
        // The plan is given up.
        (Phase::Copying, Phase::Settled) => is_new_plan && is_settled,
        (Phase::Settled | Phase::Copying, Phase::Copying) => is_new_plan && !is_settled,
        (Phase::Copying, Phase::Switched) => stays && is_same_plan,
        (Phase::Switched, Phase::Settled) => is_settled && is_same_plan,
        (Phase::Settled, Phase::Switched) | (Phase::Switched, Phase::Copying | Phase::Switched) => false,
    };
    // Keys that are being copied could bring back what is forgotten.
    let may_clear = (before.phase, epoch.phase) == (Phase::Settled, Phase::Settled) && !is_new_plan;
    is_step && (may_clear || !epoch.clears)
}

/// By whom keys are read, as the manual says it, and not as servers work it out.
pub(super) fn readers(topology: &Topology) -> &Placed {
    if topology.epoch().phase == Phase::Switched { topology.next() } else { topology.current() }
}

/// By whom they are written: by the next owners, too, until a change is over.
pub(super) fn writers(topology: &Topology) -> impl Iterator<Item = &Placed> {
    let next = (topology.epoch().phase != Phase::Settled).then(|| topology.next());
    std::iter::once(topology.current()).chain(next)
}

/// Whether a node with this disk is one of those who own a key by this list.
fn owns(placed: &Placed, rank: Rank, node: NodeId, identity: Identity) -> bool {
    Epoch::find(placed.members(), node).is_some_and(|member| member.identity == identity) && placed.team(rank).has(node)
}

/// Whether a node with this disk is read from for a key.
pub(super) fn is_read_from(topology: &Topology, rank: Rank, node: NodeId, identity: Identity) -> bool {
    owns(readers(topology), rank, node, identity)
}

/// Whether a node with this disk owns a key, or comes to own it.
pub(super) fn holds(topology: &Topology, rank: Rank, node: NodeId, identity: Identity) -> bool {
    writers(topology).any(|placed| owns(placed, rank, node, identity))
}

impl Reference {
    pub(super) fn new(config: &Arc<Config>) -> Reference {
        let mut rules = Rules::SOUND;
        rules.placement.point = config.rules.placement.point;
        rules.placement.points_stay = config.rules.placement.points_stay;
        let config = Arc::new(Config { rules, ..Config::clone(config) });
        let first = Topology::at(&config.first, &config);
        Reference { config, topologies: vec![first], witnessed: 0, right: None }
    }

    /// The latest epoch.
    pub(super) fn latest(&self) -> &Topology {
        self.topologies.last().unwrap_or_else(|| unreachable!("there is a first epoch"))
    }

    pub(super) fn at(&self, epoch: u64) -> Option<&Topology> {
        self.topologies.get((epoch as usize).checked_sub(1)?)
    }

    /// Takes in an epoch that one of the group has applied. Answers whether it is new.
    pub(super) fn follow(&mut self, node: NodeId, epoch: &Arc<Epoch>) -> Result<bool, Box<Violation>> {
        if let Some(known) = self.at(epoch.number) {
            let is_same = known.epoch() == epoch;
            let message = || format!("{node:?} decides an epoch {} that was decided otherwise", epoch.number);
            return if is_same {
                Ok(false)
            } else {
                violation("ring.epoch-agreement", &[node], message()).map(|()| false)
            };
        }
        if !is_step(self.latest().epoch(), epoch) {
            let before = self.latest().epoch();
            let message = format!(
                "{node:?} decides an epoch {} ({:?}) after one that is {:?}, and no step leads from there to it",
                epoch.number, epoch.phase, before.phase
            );
            return violation("ring.epoch-agreement", &[node], message).map(|()| false);
        }
        // What servers make of the ring that they have must be what whoever comes anew makes.
        let next = self.latest().afresh(epoch, &self.config);
        self.topologies.push(next);
        Ok(true)
    }

    /// A server is in an epoch: it is the one that was decided, and it has worked out the same owners as everybody.
    pub(super) fn check_adopted(&mut self, node: NodeId, own: &Topology) -> Verdict {
        let number = own.epoch().number;
        let Some(decided) = self.at(number).filter(|decided| decided.epoch() == own.epoch()) else {
            let message = format!("{node:?} is in an epoch {number} that was never decided");
            return violation("ring.epoch-agreement", &[node], message);
        };
        let same = |one: &Placed, other: &Placed| one.members() == other.members() && one.ring() == other.ring();
        // Most servers share what was worked out where the epoch was decided.
        let is_known =
            self.right.as_ref().is_some_and(|right| right.epoch().number == number && right.is_shared_with(own));
        let is_same = is_known || (same(decided.current(), own.current()) && same(decided.next(), own.next()));
        let is_of = |placed: &Placed, members: &Arc<[Member]>| placed.members() == members;
        let is_same = is_same && is_of(own.current(), &own.epoch().members) && is_of(own.next(), &own.epoch().next);
        if self.witnessed < number as usize {
            self.witnessed = number as usize;
            self.check_zones(node, own.next())?;
            if self.config.bits >= ROOMY {
                self.check_balance(node, own.next())?;
            }
            self.check_movement(node, own)?;
        }
        if is_same {
            self.right = Some(own.clone());
            return Ok(());
        }
        let message =
            format!("{node:?} has worked out other owners for epoch {number} than its members and the settings give");
        violation("ring.placement-agreement", &[node], message)
    }

    /// The copies of a key are spread over as many zones as there can be.
    fn check_zones(&self, node: NodeId, placed: &Placed) -> Verdict {
        let zone = |node: NodeId| Epoch::find(placed.members(), node).map(|member| member.zone);
        let all: BTreeSet<u16> = placed.members().iter().map(|member| member.zone).collect();
        let least = all.len().min(self.config.copies);
        for (range, team) in placed.ranges() {
            let zones: BTreeSet<u16> = team.iter().filter_map(zone).collect();
            if zones.len() < least {
                let owners: Vec<NodeId> = team.iter().collect();
                let message = format!(
                    "{node:?} puts the keys of rank {}..{} to {owners:?}: {} zones, of {least} that there could be",
                    range.start,
                    range.end,
                    zones.len()
                );
                return violation("ring.owners-distinct", &owners, message);
            }
        }
        Ok(())
    }

    /// Nobody owns much more than its share.
    fn check_balance(&self, node: NodeId, placed: &Placed) -> Verdict {
        let members = placed.members();
        let points: u64 = members.iter().map(|member| u64::from(member.points)).sum();
        for (id, load) in placed.ring().loads() {
            let Some(own) = Epoch::find(members, NodeId::new(id)).map(|member| u64::from(member.points)) else {
                continue;
            };
            // In millionths of the ring. The deviation of a share that n random points cut is one n-th root of it; few points
            // have a long tail.
            let (share, load) = (own * 1_000_000 / points.max(1), load.scaled(1_000_000) as u64);
            let tail = if own < 8 { share * 24 / own.max(1) } else { 0 };
            let most = share + share * 6 / own.isqrt().max(1) + tail;
            if load > most {
                let message = format!(
                    "{node:?} gives #{id} {load} millionths of the ring, and its {own} of {points} points are {share}"
                );
                return violation("ring.balance", &[node], message);
            }
        }
        Ok(())
    }

    /// Keys move to those who join and from those who leave, not between others.
    fn check_movement(&self, node: NodeId, own: &Topology) -> Verdict {
        if own.epoch().phase == Phase::Settled || !self.is_plain(own.epoch()) {
            return Ok(());
        }
        let (old, new) = (&own.epoch().members, &own.epoch().next);
        let (mut moved, mut least) = (0u64, 0u64);
        own.in_both(|range, now, later| {
            let count = u64::from(range.end - range.start);
            let gained = later.iter().filter(|node| !now.has(*node)).count() as u64;
            let joined = later.iter().filter(|node| Epoch::find(old, *node).is_none()).count() as u64;
            let left = now.iter().filter(|node| Epoch::find(new, *node).is_none()).count() as u64;
            moved += gained * count;
            least += gained.min(joined + left) * count;
        });
        if moved > least {
            let message = format!(
                "{node:?} moves {moved} copies of keys for epoch {}, and {least} must move",
                own.epoch().number
            );
            return violation("ring.minimal-movement", &[node], message);
        }
        Ok(())
    }

    /// Whether a change is made of those who join and those who leave alone, with zones out of the way.
    fn is_plain(&self, epoch: &Epoch) -> bool {
        let same = |member: &Member| {
            Epoch::find(&epoch.next, member.node)
                .is_none_or(|next| (next.points, next.zone) == (member.points, member.zone))
        };
        let zone = epoch.members.first().map(|member| member.zone);
        let is_one_zone = epoch.members.iter().chain(&*epoch.next).all(|member| Some(member.zone) == zone);
        epoch.members.iter().all(same) && is_one_zone
    }

    /// A request goes to whom it should.
    pub(super) fn check_route(&self, node: NodeId, rank: Rank, epoch: u64, reads: bool, team: Team) -> Verdict {
        let Some(decided) = self.at(epoch) else { return Ok(()) };
        let nodes: Vec<NodeId> = team.iter().collect();
        let is_twice = (1..nodes.len()).any(|place| nodes[..place].contains(&nodes[place]));
        if is_twice || nodes.len() < self.config.copies {
            let message = format!(
                "{node:?} sends a request for the key of rank {} to {nodes:?}: these are not {} different nodes",
                rank.0, self.config.copies
            );
            return violation("ring.owners-distinct", &[node], message);
        }
        let is_right = if reads {
            readers(decided).team(rank) == team
        } else {
            writers(decided).any(|placed| placed.team(rank) == team)
        };
        if is_right {
            return Ok(());
        }
        let message = format!(
            "{node:?} sends a request for the key of rank {} to {nodes:?} in epoch {epoch}, whose owners are {:?}",
            rank.0,
            readers(decided).team(rank).iter().collect::<Vec<_>>()
        );
        violation("ring.placement-agreement", &[node], message)
    }
}
