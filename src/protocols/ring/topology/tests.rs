//! Topologies against what a reader of their definition says, key by key: random lists of members in small spaces.

use super::*;
use crate::kernel::digest::mix;
use crate::protocols::ring::epoch::Step;
use crate::systems::ring::ring_plan;
use crate::systems::{self, BuiltIn};

const SERVERS: u16 = 8;

fn config(bits: u8, keys: u32, copies: u16) -> Arc<Config> {
    let text = format!(
        "(squall: 1, system: Ring(nodes: {SERVERS}, bits: {bits}, copies: {copies}, read_quorum: 1, write_quorum: 1,
          reads: Eventual), workload: (until: \"1s\", keys: {keys}))"
    );
    let scenario = systems::parse::<BuiltIn>("it.ron", &text).unwrap_or_else(|wrong| panic!("{wrong}"));
    ring_plan(&systems::plan(&scenario, "it", 0)).system.clone()
}

/// Small numbers, drawn one after the other.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = mix(self.0, 0x5eed);
        (self.0 >> 17) % bound
    }

    /// Some servers, at least one, with few points, in few zones, with one of two disks.
    fn members(&mut self) -> Arc<[Member]> {
        let sure = self.below(u64::from(SERVERS)) as u16;
        let mut members = Vec::new();
        for node in 0..SERVERS {
            if node == sure || self.below(2) == 0 {
                let (points, zone) = (1 + self.below(5) as u32, self.below(3) as u16);
                members.push(Member { node: NodeId::new(node), identity: self.below(4) / 3, points, zone });
            }
        }
        members.into()
    }

    fn epoch(&mut self) -> Arc<Epoch> {
        let (members, phase) = (self.members(), self.below(3));
        let (phase, next) = match phase {
            0 => (Phase::Settled, members.clone()),
            1 => (Phase::Copying, self.members()),
            _ => (Phase::Switched, self.members()),
        };
        Arc::new(Epoch { number: 7, phase, members, next, plan: 6, clears: false })
    }
}

/// Topologies to look at, each with what all nodes are told.
fn topologies() -> Vec<(Topology, Arc<Config>)> {
    let mut all = Vec::new();
    for (bits, keys, copies) in [(4, 10, 1), (4, 40, 3), (6, 64, 2), (8, 100, 3), (8, 3, 4), (128, 50, 3)] {
        let (config, mut draw) = (config(bits, keys, copies), Draw(u64::from(bits) << 8 | u64::from(copies)));
        all.extend((0..60).map(|_| (Topology::at(&draw.epoch(), &config), config.clone())));
    }
    all
}

fn ranks(config: &Config) -> impl Iterator<Item = Rank> + use<> {
    (0..config.keyspace.len()).map(Rank)
}

/// The ranks in ranges that are in order, apart, and not empty.
fn in_ranges(ranges: &[Range<u32>]) -> Vec<Rank> {
    assert!(ranges.iter().all(|range| !range.is_empty()), "an empty range in {ranges:?}");
    assert!(ranges.is_sorted_by(|one, other| one.end <= other.start), "{ranges:?} overlap");
    ranges.iter().cloned().flatten().map(Rank).collect()
}

/// All nodes, each with both disks.
fn everybody() -> impl Iterator<Item = (NodeId, Identity)> {
    (0..SERVERS).flat_map(|node| [0, 1].map(|identity| (NodeId::new(node), identity)))
}

#[test]
fn the_ranges_of_a_list_say_of_every_key_what_its_position_says() {
    for (topology, config) in topologies() {
        for placed in [topology.current(), topology.next()] {
            let ranges: Vec<(Range<u32>, Team)> = placed.ranges().collect();
            let only: Vec<Range<u32>> = ranges.iter().map(|(range, _)| range.clone()).collect();
            assert_eq!(in_ranges(&only), ranks(&config).collect::<Vec<Rank>>(), "all keys, each once");
            assert!(ranges.windows(2).all(|pair| pair[0].1 != pair[1].1), "neighbours with the same owners");
            for rank in ranks(&config) {
                let team = placed.team(rank);
                assert_eq!(team, placed.route(rank, &config));
                assert_eq!(team.len(), config.copies.min(placed.members().len()));
                assert!(team.iter().all(|node| Epoch::find(placed.members(), node).is_some()));
                let (_, found) = ranges.iter().find(|(range, _)| range.contains(&rank.0)).expect("a range");
                assert_eq!(*found, team);
            }
        }
    }
}

#[test]
fn a_list_that_follows_from_another_is_the_list_worked_out_anew() {
    for (topology, config) in topologies() {
        let mut draw = Draw(topology.epoch().members.len() as u64);
        let later = draw.epoch();
        for (followed, epoch) in
            [(topology.clone(), topology.epoch().clone()), (topology.after(&later, &config), later)]
        {
            for (placed, members) in [(followed.current(), &epoch.members), (followed.next(), &epoch.next)] {
                let anew = Placed::new(members, &config);
                assert_eq!((placed.members(), &placed.runs), (anew.members(), &anew.runs));
                assert_eq!(placed.ring(), anew.ring());
            }
        }
    }
}

#[test]
fn what_a_node_gains_is_what_it_comes_to_own_and_has_not() {
    let mut gained = 0;
    for (topology, config) in topologies() {
        for (node, identity) in everybody() {
            let gains = topology.gains(node, identity);
            let ranges: Vec<Range<u32>> = gains.iter().map(|(range, _)| range.clone()).collect();
            let found = in_ranges(&ranges);
            let is_gained = |rank: &Rank| {
                let owns = |placed: &Placed| placed.is_of(node, identity) && placed.route(*rank, &config).has(node);
                topology.epoch().phase != Phase::Settled && owns(topology.next()) && !owns(topology.current())
            };
            assert_eq!(
                found,
                ranks(&config).filter(is_gained).collect::<Vec<Rank>>(),
                "{node:?} {:?}",
                topology.epoch()
            );
            for (range, team) in gains {
                range.for_each(|rank| assert_eq!(team, topology.current().route(Rank(rank), &config)));
            }
            gained += found.len();
        }
    }
    assert!(gained > 1_000, "only {gained} keys were gained: nothing was tested");
}

#[test]
fn what_is_strange_to_a_node_is_what_neither_list_gives_it() {
    for (topology, config) in topologies() {
        for (node, identity) in everybody() {
            let strange = topology.strange_to(node, identity);
            assert!(strange.windows(2).all(|pair| pair[0].end < pair[1].start), "neighbours are one range");
            let owns =
                |rank: &Rank, placed: &Placed| placed.is_of(node, identity) && placed.route(*rank, &config).has(node);
            let is_strange = |rank: &Rank| !owns(rank, topology.current()) && !owns(rank, topology.next());
            assert_eq!(in_ranges(&strange), ranks(&config).filter(is_strange).collect::<Vec<Rank>>());
            for rank in ranks(&config) {
                assert_eq!(topology.holds(rank, node, identity), topology.writers().any(|placed| owns(&rank, placed)));
                assert_eq!(topology.is_read_from(rank, node, identity), owns(&rank, topology.readers()));
            }
        }
    }
}

#[test]
fn every_key_is_in_one_range_of_both_lists() {
    for (topology, config) in topologies() {
        let mut seen = Vec::new();
        topology.in_both(|range, now, later| {
            for rank in range.clone().map(Rank) {
                assert_eq!(
                    (now, later),
                    (topology.current().route(rank, &config), topology.next().route(rank, &config))
                );
            }
            seen.push(range);
        });
        assert_eq!(in_ranges(&seen), ranks(&config).collect::<Vec<Rank>>());
    }
}

#[test]
fn what_two_nodes_share_is_what_both_are_read_from() {
    for (topology, config) in topologies() {
        for node in (0..SERVERS).map(NodeId::new) {
            let shared = topology.shared_with(node);
            assert!(shared.is_sorted_by(|one, other| one.0 < other.0), "each peer once, in order");
            assert!(shared.iter().all(|(_, ranges)| !ranges.is_empty()));
            for peer in (0..SERVERS).map(NodeId::new).filter(|peer| *peer != node) {
                let both = |rank: &Rank| {
                    let team = topology.readers().route(*rank, &config);
                    team.has(node) && team.has(peer)
                };
                let found =
                    shared.iter().find(|(other, _)| *other == peer).map_or(&[][..], |(_, ranges)| ranges.as_slice());
                assert_eq!(in_ranges(found), ranks(&config).filter(both).collect::<Vec<Rank>>());
            }
        }
    }
}

/// The heart of it: of two epochs that can be in use at the same time, each is read by a list that the other writes by.
#[test]
fn neighbouring_epochs_read_by_a_list_that_the_other_writes_by() {
    let config = config(8, 20, 3);
    let mut seen = [0; 3];
    for seed in 0..50 {
        let mut draw = Draw(seed);
        let mut topology = Topology::at(&Arc::new(Epoch::first(draw.members())), &config);
        for _ in 0..40 {
            let step = match draw.below(5) {
                0 => Step::Target(draw.members()),
                1 => Step::Target(topology.epoch().members.clone()),
                2 => Step::Switch,
                3 => Step::Finish,
                _ => Step::Clear,
            };
            let Some(epoch) = topology.epoch().after(&step) else { continue };
            let next = topology.after(&Arc::new(epoch), &config);
            for (one, other) in [(&topology, &next), (&next, &topology)] {
                let is_written = other.writers().any(|placed| placed.members() == one.readers().members());
                assert!(is_written, "{step:?}: {:?} beside {:?}", one.epoch(), other.epoch());
            }
            seen[next.epoch().phase as usize] += 1;
            topology = next;
        }
    }
    assert!(seen.iter().all(|count| *count > 50), "{seen:?}");
}

/// What was fetched for a plan counts for the next one where a read quorum of the next owners has everything that a write
/// quorum of the owners by the plan before has: asked of every write that could have been acknowledged in between.
#[test]
fn what_counts_for_the_next_plan_misses_no_write_in_between() {
    let (mut kept, mut given_up) = (0, 0);
    for (bits, keys, copies, write_quorum) in [(8, 60, 3, 2), (8, 60, 4, 3), (6, 40, 2, 2), (8, 60, 5, 3)] {
        let (config, mut draw) = (config(bits, keys, copies), Draw(u64::from(bits) << 20 | u64::from(copies)));
        for _ in 0..80 {
            let (members, plans) = (draw.members(), [draw.members(), draw.members()]);
            let epoch = |number: u64, next: &Arc<[Member]>| {
                let (members, next) = (members.clone(), next.clone());
                Arc::new(Epoch { number, phase: Phase::Copying, members, next, plan: number, clears: false })
            };
            let before = Topology::at(&epoch(2, &plans[0]), &config);
            let after = before.after(&epoch(3, &plans[1]), &config);
            // Who keeps what it has fetched by the plan before, and who has what it owns from before either.
            let keeps: Vec<(NodeId, Identity, Ranges)> = everybody()
                .map(|(node, disk)| (node, disk, after.kept(&before, node, disk, |is_covered| is_covered)))
                .collect();
            for rank in ranks(&config) {
                let range = rank.0..rank.0 + 1;
                let disk = |placed: &Placed, node| Epoch::find(placed.members(), node).map(|member| member.identity);
                let later: Vec<(NodeId, Identity)> =
                    after.next.team(rank).iter().filter_map(|node| Some((node, disk(&after.next, node)?))).collect();
                let gains = |(node, identity): &(NodeId, Identity)| {
                    let ranges: Ranges = after.gains(*node, *identity).into_iter().map(|(range, _)| range).collect();
                    ranges.has(&range)
                };
                let has_kept = |(node, identity): &(NodeId, Identity)| {
                    keeps.iter().any(|(other, disk, ranges)| (other, disk) == (node, identity) && ranges.has(&range))
                };
                assert!(later.iter().all(|owner| !has_kept(owner) || gains(owner)), "only what is gained is kept");
                if !later.iter().any(has_kept) {
                    given_up += later.iter().filter(|owner| gains(owner)).count();
                    continue;
                }
                kept += 1;
                // The writes that most of them miss are those that others have had.
                let planned: Vec<(NodeId, Identity)> =
                    before.next.team(rank).iter().filter_map(|node| Some((node, disk(&before.next, node)?))).collect();
                let may_miss = |owner: &&(NodeId, Identity)| !gains(owner) || has_kept(owner);
                let had = later.iter().filter(may_miss).filter(|owner| planned.contains(owner)).count();
                let strangers = later.iter().filter(may_miss).count() - had;
                let most_missed = strangers + had.min(planned.len().saturating_sub(write_quorum));
                assert!(
                    most_missed <= planned.len().saturating_sub(write_quorum),
                    "{rank:?} of {after:?} after {before:?}"
                );
            }
        }
    }
    assert!(kept > 500 && given_up > 500, "{kept} kept, {given_up} given up");
}
