//! What surrounds a swarm all the time, wherever the scenario leaves the default: links, disks, clocks.
//!
//! What is there all the time must let the system make progress: a message there and one back, and a sync, take less
//! than its shortest timeout most of the time.

use super::super::model::{Clocks, Scenario};
use super::super::network::{Network, Regions};
use super::super::roster::Roster;
use super::hand::{coin, distribution, one_of, share, span};
use super::{Part, Rough, dice};
use crate::environment::disk::crash::Survival;
use crate::environment::distribution::Distribution;
use crate::environment::plan::{Disk, LinkRule};
use crate::kernel::chance::Ratio;
use crate::kernel::rng::Dice;
use crate::kernel::time::Span;
use std::collections::BTreeMap;

/// The links.
pub(super) fn network(rough: Rough, given: &Network, roster: &Roster, seed: u64) -> Network {
    let mut network = given.clone();
    let usual = Network::default();
    if given.latency == usual.latency {
        network.latency = latency(rough, roster.pace, &mut dice(seed, Part::Latency));
    }
    if rough == Rough::Calm {
        return network;
    }
    if given.loss.is_zero() {
        network.loss = sometimes(rough.choose(10, 30, 80), &mut dice(seed, Part::Loss));
    }
    if given.duplicate.is_zero() {
        network.duplicate = sometimes(rough.choose(5, 20, 80), &mut dice(seed, Part::Duplicate));
    }
    if given.regions.is_none() && given.links.is_empty() {
        network.regions = regions(rough, roster, &mut dice(seed, Part::Regions));
        network.links = flaky_link(rough, roster, &mut dice(seed, Part::Links));
    }
    network
}

fn part(span: Span, share: u64) -> Span {
    Span::ns(span.as_ns() / share)
}

fn latency(rough: Rough, pace: Span, dice: &mut Dice) -> Distribution {
    let typical = span(part(pace, rough.choose(1_000, 30, 200)), part(pace, rough.choose(30, 8, 8)), dice);
    distribution(typical, pace.times(rough.choose(1, 2, 3)), dice)
}

/// A probability in half of the seeds, of up to so many thousandths.
fn sometimes(most: u64, dice: &mut Dice) -> Ratio {
    let probability = share(1, most, dice);
    if coin(8, dice) { probability } else { Ratio::ZERO }
}

/// Two or three places, and whoever falls into each.
fn regions(rough: Rough, roster: &Roster, dice: &mut Dice) -> Option<Regions> {
    if !coin(rough.choose(0, 8, 4), dice) || roster.crew.members.len() < 2 {
        return None;
    }
    let count = 2 + dice.below(2) as usize;
    let mut of: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (place, member) in dice.choose(roster.crew.members.len(), roster.crew.members.len()).into_iter().enumerate() {
        let region = ["east", "west", "north"][if place < count { place } else { dice.below(count as u64) as usize }];
        of.entry(region.to_owned()).or_default().push(roster.crew.members[member].clone());
    }
    let within = latency(Rough::Lan, roster.pace, dice);
    let between = latency(Rough::Wan, roster.pace, dice);
    Some(Regions { of, within: Some(within), between })
}

/// One link that is worse than the others.
fn flaky_link(rough: Rough, roster: &Roster, dice: &mut Dice) -> Vec<LinkRule> {
    if !coin(rough.choose(2, 4, 4), dice) || roster.crew.members.len() < 2 {
        return Vec::new();
    }
    let ends = dice.choose(roster.crew.members.len(), 2);
    let name = |end: usize| vec![roster.crew.members[ends[end]].clone()];
    let slow = latency(Rough::Wan, roster.pace, dice);
    let (is_slow, both_ways) = (coin(6, dice), coin(8, dice));
    vec![LinkRule {
        from: name(0),
        to: name(1),
        both_ways,
        latency: Some(slow).filter(|_| is_slow),
        loss: Some(share(50, 500, dice)).filter(|_| !is_slow),
        duplicate: None,
    }]
}

/// The disks.
pub(super) fn disk(rough: Rough, given: &Disk, pace: Span, seed: u64) -> Disk {
    let mut disk = given.clone();
    let usual = Disk::default();
    if given.sync == usual.sync {
        let dice = &mut dice(seed, Part::Sync);
        let typical = span(part(pace, 2_000), part(pace, rough.choose(50, 50, 15)), dice);
        disk.sync = distribution(typical, pace, dice);
    }
    if rough == Rough::Calm {
        return disk;
    }
    if given.unsynced == usual.unsynced {
        let all = [Survival::Prefix, Survival::Nothing, Survival::Everything, Survival::AnySubset];
        disk.unsynced = one_of(&all, &mut dice(seed, Part::Unsynced)).expect("there are some");
    }
    if given.torn.is_zero() {
        disk.torn = sometimes(rough.choose(100, 100, 1_000), &mut dice(seed, Part::Torn));
    }
    disk
}

/// The clocks. Who asks how wrong a clock may be is told the truth, if the scenario says nothing of it.
pub(super) fn clocks<S>(rough: Rough, scenario: &Scenario<S>, seed: u64) -> Clocks {
    let mut clocks = scenario.clocks.clone();
    let dice = &mut dice(seed, Part::Clocks);
    if !clocks.are_perfect() || !coin(12, dice) {
        return clocks;
    }
    clocks.offset = span(Span::us(100), rough.choose(Span::ms(10), Span::ms(100), Span::secs(10)), dice);
    clocks.drift_ppm = super::hand::spread(1, rough.choose(100, 300, 20_000), dice) as u32;
    if clocks.uncertainty == Span::ZERO {
        let within = scenario.settle.as_ref().map_or(Span::ZERO, |settle| settle.within);
        let run = scenario.workload.until.as_ns().saturating_add(within.as_ns());
        let drifted = u128::from(run) * u128::from(clocks.drift_ppm) / 1_000_000;
        clocks.uncertainty = clocks.offset + Span::us(drifted as u64 / 1_000 + 1);
    }
    clocks
}
