//! Swarm testing: each seed draws which kinds of faults there are and how strong they are.
//!
//! A seed that has everything at once rarely gets far: faults hide each other. One that lacks half of the kinds, at
//! random, comes to states that the mixture never reaches. Source: Groce et al., "Swarm Testing", ISSTA 2012.
//!
//! A swarm is a writer of scenarios: what it draws are surroundings and faults as a file has them, and from these the
//! plan is drawn like any other. Each kind of fault has dice of its own, so that one more or less leaves the others
//! as they were; so has each part of the surroundings.

mod families;
mod hand;
mod schedule;
mod strength;
mod surroundings;
mod whom;

use super::fault::FaultSpec;
use super::inject::Inject;
use super::model::{Clocks, Healing, Scenario, Settle};
use super::network::{Network, Regions};
use super::roster::Roster;
use super::target::Who;
use crate::environment::fault::Kind;
use crate::environment::plan::Disk;
use crate::kernel::rng::{Dice, Purpose};
use crate::kernel::time::Span;
use families::FAMILIES;
use serde::{Deserialize, Serialize, Serializer};

/// How rough it may become.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub enum Swarm {
    /// Written `true`: the seed draws one of the others, too; of eight seeds one is calm, two are of a rack, two of a
    /// continent, three are hostile.
    #[serde(rename = "true")]
    Any,
    /// Nothing goes wrong, but no two seeds have the same links, disks and clocks.
    Calm,
    /// A rack: quick links that are rarely lost, single servers that fail.
    Lan,
    /// A continent: slow links with long tails, partitions of regions.
    Wan,
    /// Everything at once, as bad as a system may survive.
    Hostile,
}

/// `true` without quotes, in JSON too.
impl Serialize for Swarm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Swarm::Any => serializer.serialize_bool(true),
            Swarm::Calm => serializer.serialize_unit_variant("Swarm", 1, "Calm"),
            Swarm::Lan => serializer.serialize_unit_variant("Swarm", 2, "Lan"),
            Swarm::Wan => serializer.serialize_unit_variant("Swarm", 3, "Wan"),
            Swarm::Hostile => serializer.serialize_unit_variant("Swarm", 4, "Hostile"),
        }
    }
}

/// A preset that is decided upon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Rough {
    Calm,
    Lan,
    Wan,
    Hostile,
}

impl Rough {
    fn of(swarm: Swarm, seed: u64) -> Rough {
        match swarm {
            Swarm::Calm => Rough::Calm,
            Swarm::Lan => Rough::Lan,
            Swarm::Wan => Rough::Wan,
            Swarm::Hostile => Rough::Hostile,
            Swarm::Any => match dice(seed, Part::Preset).below(8) {
                0 => Rough::Calm,
                1 | 2 => Rough::Lan,
                3 | 4 => Rough::Wan,
                _ => Rough::Hostile,
            },
        }
    }

    /// Of three values that of this preset; a calm one is as quick as a rack.
    fn choose<T>(self, lan: T, wan: T, hostile: T) -> T {
        match self {
            Rough::Calm | Rough::Lan => lan,
            Rough::Wan => wan,
            Rough::Hostile => hostile,
        }
    }
}

/// What has dice of its own, besides the kinds of faults.
#[derive(Clone, Copy)]
#[repr(u64)]
enum Part {
    Preset = 100,
    Victims,
    Settling,
    Latency,
    Loss,
    Duplicate,
    Regions,
    Links,
    Sync,
    Unsynced,
    Torn,
    Clocks,
}

/// No fault that a file spells out has dice of this number or a larger one.
const SWARM: u64 = 1 << 62;

fn dice(seed: u64, part: Part) -> Dice {
    Dice::new(seed, Purpose::Faults, SWARM + part as u64)
}

fn dice_of(seed: u64, kind: Kind) -> Dice {
    Dice::new(seed, Purpose::Faults, SWARM + kind as u64)
}

/// What a seed has drawn: a part of a scenario.
pub(super) struct Drawn {
    pub(super) network: Network,
    pub(super) disk: Disk,
    pub(super) clocks: Clocks,
    pub(super) settle: Option<Settle>,
    /// The faults of each kind that is on, with the dice that say when and whom.
    pub(super) families: Vec<(Dice, Vec<FaultSpec>)>,
}

/// What the faults of a swarm are made for.
struct Storm<'a> {
    rough: Rough,
    roster: &'a Roster<'a>,
    /// How long the workload is.
    length: Span,
    /// The members that may lose what is on their disks: so few that a majority keeps all.
    victims: &'a [String],
    regions: Option<&'a Regions>,
    /// A clock may become slower by so many millionths at most.
    ppm_most: u64,
}

/// The surroundings and faults of a seed, where the scenario leaves them open.
pub(super) fn draw<S>(swarm: Swarm, scenario: &Scenario<S>, roster: &Roster, seed: u64) -> Drawn {
    let rough = Rough::of(swarm, seed);
    let victims = victims(roster.crew.servers(), seed);
    let network = surroundings::network(rough, &scenario.network, roster, seed);
    let clocks = surroundings::clocks(rough, scenario, seed);
    let mut disk = surroundings::disk(rough, &scenario.disk, roster.pace, seed);
    let storm = Storm {
        rough,
        roster,
        length: scenario.workload.until,
        victims: &victims,
        regions: network.regions.as_ref(),
        ppm_most: ppm_most(&clocks),
    };
    let mut families: Vec<(Kind, Dice, Vec<FaultSpec>)> = Vec::new();
    let may_be = |kind: Kind| !roster.spares.contains(&kind) && (roster.churn.contains(&kind) || !kind.is_order());
    for family in FAMILIES.iter().filter(|family| may_be(family.kind)) {
        let mut dice = dice_of(seed, family.kind);
        let specs = if family.is_on(rough, &mut dice) { storm.faults(family.kind, &mut dice) } else { Vec::new() };
        if !specs.is_empty() {
            families.push((family.kind, dice, specs));
        }
    }
    if disk.recoverable {
        families.retain(|family| family.0 != Kind::LostSync);
    }
    let is_on = |kind: Kind| families.iter().any(|family| family.0 == kind);
    // From a sync that lied nothing can be recovered, so nobody may promise it.
    let spelled_out = scenario.faults.iter().chain(scenario.phases.iter().flat_map(|phase| &phase.faults));
    let is_lied_to =
        is_on(Kind::LostSync) || spelled_out.into_iter().any(|spec| matches!(spec.inject, Inject::LostSync { .. }));
    disk.recoverable |= !is_lied_to && [Kind::Wipe, Kind::Destroy, Kind::BitRot].into_iter().any(is_on);
    let settle = scenario.settle.as_ref().map(|settle| settling(rough, settle, roster.crew.servers(), &victims, seed));
    let families = families.into_iter().map(|(_, dice, specs)| (dice, specs)).collect();
    Drawn { network, disk, clocks, settle, families }
}

/// Whoever loses a disk is one of these, whatever the kind of the loss: two kinds that hit two minorities would
/// together hit a majority.
fn victims(members: &[String], seed: u64) -> Vec<String> {
    let most = members.len().saturating_sub(1) / 2;
    let mut dice = dice(seed, Part::Victims);
    let count = dice.below(most as u64) as usize + usize::from(most > 0);
    hand::some(members, count, &mut dice)
}

/// How much slower a clock may become that is slow already.
fn ppm_most(clocks: &Clocks) -> u64 {
    let slowest = clocks.nodes.values().map(|clock| clock.drift_ppm.unsigned_abs()).max().unwrap_or(0);
    u64::from(1_000_000_u32.saturating_sub(slowest.max(clocks.drift_ppm))) / 4
}

/// Of eight seeds that heal everything, one heals a core only: as few as make a majority, or more, and nobody who is
/// gone for good. The others stay as they are, and must not keep the core from making progress.
fn settling(rough: Rough, settle: &Settle, members: &[String], victims: &[String], seed: u64) -> Settle {
    let mut dice = dice(seed, Part::Settling);
    if rough == Rough::Calm || settle.heal != Healing::Everything || dice.below(8) > 0 {
        return settle.clone();
    }
    let fit: Vec<String> = members.iter().filter(|member| !victims.contains(member)).cloned().collect();
    let least = members.len() / 2 + 1;
    let count = least + dice.below((fit.len() - least) as u64 + 1) as usize;
    let core = hand::some(&fit, count, &mut dice);
    Settle { heal: Healing::Core(Who::Nodes(core)), within: settle.within }
}
