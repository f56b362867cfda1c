//! Which of two plans is simpler. Plans that break the same invariant are compared by this alone, so shrinking ends.

use crate::environment::distribution::Distribution;
use crate::environment::fault::{Command, Direction, Fault, LinkSet, Target, Trigger};
use crate::environment::plan::{Clock, Disk, Operation, Plan};
use crate::kernel::chance::Ratio;
use crate::run::outcome::Outcome;

/// How much a reader has to take in, what counts most first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Weight {
    /// What is known before it is played.
    pub(super) burden: Burden,
    /// How many events it has, and a fifth more if one must know a seed.
    events: u64,
    /// How hard it is to read.
    roughness: u64,
    /// How long it is, in virtual time.
    virtual_ns: u64,
    /// When its workload ends, in virtual time.
    until_ns: u64,
    seed: u64,
}

/// How many things there are that need a reason.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Burden {
    /// Faults, weather that is bad all the time, and operations; all of them, if they are not spelled out. Settling
    /// counts for several: it heals faults and has operations of its own.
    needs: u64,
    /// Planted defects, members and clients.
    cast: u64,
    /// How restless the surroundings are, less the times that the system was made simpler.
    unrest: i64,
}

/// Operations that are drawn are more than any list of them.
const DRAWN: u64 = 1 << 32;

/// Settling is worth so many faults and operations.
const SETTLING: u64 = 4;

impl Burden {
    /// Of a plan with so many members, whose system was made simpler so many times.
    pub(super) fn of<S>(plan: &Plan<S>, members: usize, simplified: i64) -> Burden {
        let workload = &plan.workload;
        let operations = match &workload.operations {
            Some(operations) => operations.len() as u64,
            None if workload.clients == 0 => 0,
            None => DRAWN,
        };
        let network = &plan.network;
        let rains =
            u64::from(!network.loss.is_zero()) + u64::from(!network.duplicate.is_zero()) + network.links.len() as u64;
        let is_off = |clock: &Clock| *clock != Clock::default();
        let clocks = plan.clocks.iter().filter(|clock| is_off(clock)).count() as i64;
        Burden {
            needs: plan.faults.len() as u64 + rains + operations + SETTLING * u64::from(plan.settle.is_some()),
            cast: plan.exhibits.len() as u64 + members as u64 + u64::from(workload.clients),
            unrest: restless(&network.latency) + restless(&plan.disk.sync) + oddities(plan) + clocks - simplified,
        }
    }
}

/// How many settings of the disks and clocks are not as usual, and how restless single links are.
fn oddities<S>(plan: &Plan<S>) -> i64 {
    let Disk { unsynced, torn, .. } = plan.disk;
    let odd = [unsynced != Disk::default().unsynced, !torn.is_zero(), !plan.clock_uncertainty.is_zero()];
    let links = plan.network.links.iter().filter_map(|rule| rule.latency.as_ref()).map(restless);
    odd.into_iter().filter(|odd| *odd).count() as i64 + links.sum::<i64>()
}

fn restless(distribution: &Distribution) -> i64 {
    match distribution {
        Distribution::Const(_) => 0,
        Distribution::Uniform { .. } => 2,
        Distribution::Exp { .. } | Distribution::LogNormal { .. } => 3,
        Distribution::Bimodal { .. } => 4,
    }
}

impl Weight {
    /// Of a plan that was played to this outcome.
    pub(super) fn of<S>(plan: &Plan<S>, burden: Burden, outcome: &Outcome) -> Weight {
        let seed = if plan.seed == 0 { 0 } else { outcome.events };
        Weight {
            burden,
            events: 5 * outcome.events + seed,
            roughness: roughness(plan),
            virtual_ns: outcome.virtual_ns,
            until_ns: plan.workload.until.as_ns(),
            seed: plan.seed,
        }
    }
}

/// How many signs it takes, roughly, to write what differs between candidates.
fn roughness<S>(plan: &Plan<S>) -> u64 {
    let faults = plan.faults.iter().map(|fault| {
        digits(fault.at.ns())
            + fault.until.map_or(0, |until| 1 + digits(until.ns()))
            + fault.when.as_ref().map_or(0, trigger_roughness)
            + fault_roughness(&fault.inject)
    });
    let operations = plan.workload.operations.iter().flatten().map(|planned| {
        digits(planned.at.ns())
            + match planned.invoke {
                Operation::Read { key } => digits(u64::from(key)),
                Operation::Write { key, value } => 1 + digits(u64::from(key)) + digits(value),
                Operation::Add { key, delta } => 2 + digits(u64::from(key)) + digits(delta),
                Operation::Cas { key, from, to } => 3 + digits(u64::from(key)) + digits(from) + digits(to),
            }
    });
    let surroundings = [&plan.network.latency, &plan.disk.sync].map(drawn).iter().sum::<u64>();
    let rains = chance(plan.network.loss) + chance(plan.network.duplicate);
    let links = plan.network.links.iter().map(|rule| {
        (rule.from.len() + rule.to.len()) as u64
            + u64::from(rule.both_ways)
            + rule.latency.as_ref().map_or(0, drawn)
            + rule.loss.map_or(0, |loss| 1 + chance(loss))
            + rule.duplicate.map_or(0, |duplicate| 1 + chance(duplicate))
    });
    let settle = plan.settle.as_ref().map_or(0, |settle| digits(settle.within.as_ns()));
    let workload = u64::from(plan.workload.keys);
    faults.chain(operations).sum::<u64>() + links.sum::<u64>() + surroundings + rains + settle + workload
}

fn fault_roughness(fault: &Fault) -> u64 {
    let strength = match fault {
        Fault::Loss { probability, burst, .. } => chance(*probability) + 3 * u64::from(*burst > 1),
        Fault::Duplicate { probability, .. } | Fault::Corrupt { probability, .. } => chance(*probability),
        Fault::Reorder { probability, within, .. } => 2 + chance(*probability) + digits(within.as_ns()),
        Fault::Delay { extra, .. } | Fault::DiskSlow { extra, .. } | Fault::SlowNode { handling: extra, .. } => {
            drawn(extra)
        }
        Fault::Bandwidth { rate, queue, .. } => 2 + digits(rate.0) + digits(queue.0),
        Fault::DiskError { write, sync, .. } => chance(*write) + chance(*sync),
        Fault::ClockJump { by, .. } => digits(by.0.unsigned_abs()),
        Fault::ClockDrift { ppm, .. } => digits(u64::from(ppm.unsigned_abs())),
        Fault::Order { command, .. } => match command {
            Command::ReplaceMember { member } => 1 + target_roughness(member),
            Command::Reweigh { weight } => 1 + digits(u64::from(*weight)),
            Command::Rezone { zone } => 1 + digits(u64::from(*zone)),
            Command::Join | Command::Leave | Command::Rebalance | Command::TransferLeadership => 0,
        },
        // Held messages, lost disks and the like take more words than messages and memories that are lost.
        Fault::Clog { .. } | Fault::Wipe { .. } | Fault::Destroy { .. } => 2,
        Fault::Partition(_)
        | Fault::Kill { .. }
        | Fault::Pause { .. }
        | Fault::ClockFreeze { .. }
        | Fault::DiskStall { .. }
        | Fault::DiskFull { .. }
        | Fault::TornWrite { .. }
        | Fault::LostSync { .. }
        | Fault::BitRot { .. }
        | Fault::Heal => 0,
    };
    strength + fault.links().map_or(0, links_roughness) + fault.target().map_or(0, target_roughness)
}

fn links_roughness(links: &LinkSet) -> u64 {
    match links {
        LinkSet::Isolate { target, direction } => target_roughness(target) + u64::from(*direction != Direction::Both),
        LinkSet::Split { from, to, one_way } => (from.len() + to.len() + 1) as u64 + u64::from(*one_way),
        LinkSet::Links(links) => 2 + 3 * links.len() as u64,
    }
}

fn target_roughness(target: &Target) -> u64 {
    match target {
        Target::Role(_) => 1,
        Target::Subject | Target::Holders(_) => 2,
        Target::Nodes(names) => 1 + names.len() as u64,
    }
}

fn trigger_roughness(trigger: &Trigger) -> u64 {
    // Whoever reads it counts the moments that pass by.
    5 + u64::from(trigger.skip)
        + digits(trigger.after.as_ns())
        + trigger.lasts.map_or(0, |lasts| 1 + digits(lasts.as_ns()))
}

fn drawn(distribution: &Distribution) -> u64 {
    match distribution {
        Distribution::Const(span) => digits(span.as_ns()),
        Distribution::Uniform { min, max } => 2 + digits(min.as_ns()) + digits(max.as_ns()),
        Distribution::Exp { min, mean } => 4 + digits(min.as_ns()) + digits(mean.as_ns()),
        Distribution::LogNormal { median, p99 } => 4 + digits(median.as_ns()) + digits(p99.as_ns()),
        Distribution::Bimodal { fast, slow, p } => {
            6 + [fast.min, fast.max, slow.min, slow.max].map(|span| digits(span.as_ns())).iter().sum::<u64>()
                + chance(*p)
        }
    }
}

/// Never and always are the easiest to grasp.
fn chance(ratio: Ratio) -> u64 {
    match (ratio.part(), ratio.whole()) {
        (0, _) => 0,
        (1, 1) => 1,
        (part, whole) => 1 + digits(part) + digits(whole),
    }
}

/// How many digits a number has before its zeros.
fn digits(mut number: u64) -> u64 {
    while number > 0 && number.is_multiple_of(10) {
        number /= 10;
    }
    number.checked_ilog10().map_or(0, |digits| u64::from(digits) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::fault::PlannedFault;
    use crate::kernel::time::{Span, Time};

    #[test]
    fn round_numbers_are_light() {
        assert_eq!([0, 7, 1_000_000, 1_200, 1_234_567].map(digits), [0, 1, 1, 2, 7]);
        let half = Ratio::new(1, 2).expect("a half");
        assert_eq!([Ratio::ZERO, Ratio::new(1, 1).expect("always"), half].map(chance), [0, 1, 3]);
    }

    #[test]
    fn a_fault_less_outweighs_everything_that_its_plan_may_look_like() {
        let calm = Plan::new((), 3, Span::secs(1));
        let mut stormy = calm.clone();
        stormy.faults.push(PlannedFault::once(Time::ZERO, Fault::Heal));
        stormy.disk.sync = Distribution::ZERO;
        assert!(Burden::of(&calm, 9, 0) < Burden::of(&stormy, 1, 100));
        let mut told = calm.clone();
        told.workload.operations = Some(Vec::new());
        assert!(Burden::of(&told, 3, 0) < Burden::of(&calm, 3, 0));
    }
}
