//! Whom a fault hits and which links it cuts: names instead of sizes and shapes.

use super::super::inject::Inject;
use super::super::roster::Crew;
use super::super::target::{Shape, Who};
use crate::environment::fault::{Command, Direction, Fault, LinkSet, PlannedFault, Target, Trigger};
use crate::kernel::rng::Dice;
use crate::kernel::time::{Span, Time};

/// One fault of those that one occurrence consists of.
pub(super) struct Piece {
    fault: Fault,
    /// When it begins and ends, as parts of the length of the whole in 2^16ths.
    part: (u64, u64),
}

/// The whole length, in the unit of [`Piece::part`].
const WHOLE: u64 = 1 << 16;

impl Piece {
    /// The fault of a plan: at an instant or at a moment, until then. `None` if it would be over before it begins.
    pub(super) fn planned(self, at: Time, when: Option<Trigger>, until: Option<Time>) -> Option<PlannedFault> {
        let Piece { fault: inject, part: (from, to) } = self;
        if (from, to) == (0, WHOLE) {
            return Some(PlannedFault { at, when, until, inject });
        }
        let share = |length: Span, part: u64| Span::ns(((u128::from(length.as_ns()) * u128::from(part)) >> 16) as u64);
        match when {
            Some(trigger) => {
                let whole = trigger.lasts.expect("a checked fault of several pieces has a length");
                let after = trigger.after + share(whole, from);
                let lasts = Some(share(whole, to - from));
                Some(PlannedFault { at, when: Some(Trigger { after, lasts, ..trigger }), until, inject })
            }
            None => {
                let whole = until.expect("a checked fault of several pieces has an end").since(at);
                let (from, to) = (at + share(whole, from), at + share(whole, to));
                (from < to).then_some(PlannedFault { at: from, when: None, until: Some(to), inject })
            }
        }
    }
}

/// The fault, with nothing left to chance but who holds a role when it begins. `turn` tells how often it has
/// happened before.
pub(super) fn pieces(inject: &Inject, crew: Crew<'_>, turn: usize, dice: &mut Dice) -> Vec<Piece> {
    match inject {
        Inject::Swizzle => swizzle(crew.servers(), dice),
        _ => vec![Piece { fault: concrete(inject, crew, turn, dice), part: (0, WHOLE) }],
    }
}

/// Some servers are cut short of messages one after the other in the first half, and get them again in another
/// order in the second.
fn swizzle(servers: &[String], dice: &mut Dice) -> Vec<Piece> {
    let count = 1 + dice.below(servers.len() as u64) as usize;
    let chosen = dice.choose(servers.len(), count);
    let ends = dice.choose(count, count);
    let half = WHOLE / 2;
    let step = |place: usize| half * place as u64 / count as u64;
    chosen
        .into_iter()
        .enumerate()
        .map(|(place, server)| {
            let target = Target::Nodes(vec![servers[server].clone()]);
            let over = Some(LinkSet::Isolate { target, direction: Direction::Both });
            Piece { fault: Fault::Clog { over }, part: (step(place), half + step(ends[place] + 1)) }
        })
        .collect()
}

pub(super) fn concrete(inject: &Inject, crew: Crew<'_>, turn: usize, dice: &mut Dice) -> Fault {
    let mut whom = |target: &Who| whom(target, crew, turn, dice);
    match inject {
        Inject::Kill { target, .. } => Fault::Kill { target: whom(target) },
        Inject::Wipe { target, .. } => Fault::Wipe { target: whom(target) },
        Inject::Destroy { target } => Fault::Destroy { target: whom(target) },
        Inject::Pause { target } => Fault::Pause { target: whom(target) },
        Inject::SlowNode { target, handling } => Fault::SlowNode { target: whom(target), handling: *handling },
        Inject::ClockJump { target, by } => Fault::ClockJump { target: whom(target), by: *by },
        Inject::ClockDrift { target, ppm } => Fault::ClockDrift { target: whom(target), ppm: *ppm },
        Inject::ClockFreeze { target } => Fault::ClockFreeze { target: whom(target) },
        Inject::ClockSlew { target, by, ppm } => {
            let ppm = *ppm as i32;
            Fault::ClockDrift { target: whom(target), ppm: if by.0 < 0 { -ppm } else { ppm } }
        }
        Inject::DiskSlow { extra, target } => Fault::DiskSlow { extra: *extra, target: target.as_ref().map(whom) },
        Inject::DiskStall { target } => Fault::DiskStall { target: whom(target) },
        Inject::DiskError { target, write, sync } => {
            Fault::DiskError { target: whom(target), write: *write, sync: *sync }
        }
        Inject::DiskFull { target } => Fault::DiskFull { target: whom(target) },
        Inject::TornWrite { target } => Fault::TornWrite { target: whom(target) },
        Inject::LostSync { target } => Fault::LostSync { target: whom(target) },
        Inject::BitRot { target } => Fault::BitRot { target: whom(target) },
        Inject::Heal => Fault::Heal,
        _ if inject.order().is_some() => order(inject, whom),
        _ => on_links(inject, crew, turn, dice),
    }
}

fn order(inject: &Inject, mut whom: impl FnMut(&Who) -> Target) -> Fault {
    let (target, command) = match inject {
        Inject::Join { target } => (target, Command::Join),
        Inject::Leave { target } => (target, Command::Leave),
        Inject::ReplaceMember { target, by } => (by, Command::ReplaceMember { member: whom(target) }),
        Inject::Reweigh { target, weight } => (target, Command::Reweigh { weight: *weight }),
        Inject::Rezone { target, zone } => (target, Command::Rezone { zone: *zone }),
        Inject::Rebalance { target } => (target, Command::Rebalance),
        Inject::TransferLeadership { target } => (target, Command::TransferLeadership),
        _ => unreachable!("{inject:?} is no order"),
    };
    Fault::Order { target: whom(target), command }
}

fn on_links(inject: &Inject, crew: Crew<'_>, turn: usize, dice: &mut Dice) -> Fault {
    let mut links = |over: &Option<Shape>| over.as_ref().map(|shape| cut(shape, false, crew, turn, dice));
    match inject {
        Inject::Partition { shape, one_way } => Fault::Partition(cut(shape, *one_way, crew, turn, dice)),
        Inject::Clog { over } => Fault::Clog { over: links(over) },
        Inject::Loss { probability, burst, over } => {
            Fault::Loss { probability: *probability, burst: *burst, over: links(over) }
        }
        Inject::Duplicate { probability, over } => Fault::Duplicate { probability: *probability, over: links(over) },
        Inject::Delay { extra, over } => Fault::Delay { extra: *extra, over: links(over) },
        Inject::Reorder { probability, within, over } => {
            Fault::Reorder { probability: *probability, within: *within, over: links(over) }
        }
        Inject::Corrupt { probability, over } => Fault::Corrupt { probability: *probability, over: links(over) },
        Inject::Bandwidth { rate, queue, over } => Fault::Bandwidth { rate: *rate, queue: *queue, over: links(over) },
        _ => unreachable!("{inject:?} does not hit links"),
    }
}

pub(super) fn whom(who: &Who, crew: Crew<'_>, turn: usize, dice: &mut Dice) -> Target {
    let servers = crew.servers();
    match who {
        Who::Primaries => return Target::Holders("primary".to_owned()),
        Who::Subject => return Target::Subject,
        Who::Nodes(names) => return Target::Nodes(names.clone()),
        Who::InTurn => return Target::Nodes(vec![servers[turn % servers.len()].clone()]),
        _ => {}
    }
    if let Some(role) = who.role() {
        return Target::Role(role.into_owned());
    }
    let size = who.size(servers.len()).expect("all that is neither role nor names has a size");
    assert!(size <= servers.len(), "{size} of {} servers", servers.len());
    Target::Nodes(some(servers, size, dice).0)
}

fn cut(shape: &Shape, one_way: bool, crew: Crew<'_>, turn: usize, dice: &mut Dice) -> LinkSet {
    let servers = crew.servers();
    let count = servers.len();
    match shape {
        Shape::Isolate(who) => {
            let target = whom(who, crew, turn, dice);
            let direction = match (one_way, one_way && dice.below(2) == 0) {
                (false, _) => Direction::Both,
                (true, true) => Direction::Outgoing,
                (true, false) => Direction::Incoming,
            };
            LinkSet::Isolate { target, direction }
        }
        Shape::Halves => split(some(servers, count / 2, dice), crew, one_way, dice),
        Shape::MinorityThird => split(some(servers, count.saturating_sub(1) / 3, dice), crew, one_way, dice),
        Shape::Random => {
            let size = 1 + dice.below(count.saturating_sub(1) as u64) as usize;
            split(some(servers, size, dice), crew, one_way, dice)
        }
        Shape::Bridge => {
            let mut order = dice.choose(count, count);
            order.pop();
            let (left, right) = order.split_at(order.len() / 2);
            split((named(servers, left), named(servers, right)), crew, one_way, dice)
        }
        Shape::MajoritiesRing => LinkSet::Links(ring(servers, one_way, dice)),
        Shape::Split(from, to) => LinkSet::Split { from: from.clone(), to: to.clone(), one_way },
        Shape::Among(names) => {
            let pairs = names.iter().flat_map(|from| names.iter().map(move |to| (from.clone(), to.clone())));
            LinkSet::Links(pairs.filter(|(from, to)| from != to).collect())
        }
        Shape::Links(links) => LinkSet::Links(links.clone()),
        Shape::Mute(who) => LinkSet::Isolate { target: whom(who, crew, turn, dice), direction: Direction::Outgoing },
        Shape::Deafen(who) => LinkSet::Isolate { target: whom(who, crew, turn, dice), direction: Direction::Incoming },
    }
}

/// A random set of this size, and the rest; both in the order of the members.
fn some(members: &[String], size: usize, dice: &mut Dice) -> (Vec<String>, Vec<String>) {
    let chosen = dice.choose(members.len(), size);
    let rest: Vec<usize> = (0..members.len()).filter(|member| !chosen.contains(member)).collect();
    (named(members, &chosen), named(members, &rest))
}

fn named(members: &[String], chosen: &[usize]) -> Vec<String> {
    let mut sorted = chosen.to_vec();
    sorted.sort_unstable();
    sorted.into_iter().map(|member| members[member].clone()).collect()
}

/// One side against the other. Who is no server is on either.
fn split((mut left, mut right): (Vec<String>, Vec<String>), crew: Crew<'_>, one_way: bool, dice: &mut Dice) -> LinkSet {
    for other in crew.others() {
        let side = if dice.below(2) == 0 { &mut left } else { &mut right };
        side.push(other.clone());
    }
    let turned = one_way && dice.below(2) == 1;
    let (from, to) = if turned { (right, left) } else { (left, right) };
    LinkSet::Split { from, to, one_way }
}

/// Every link between members that do not see each other, when the members stand in a ring in
/// random order and each sees as few as make a majority, itself included.
///
/// Seeing is mutual. That cannot always come out even: if the number of members and of those each
/// must see beside itself are both odd (3, 7, 11 members), one member sees one more.
fn ring(members: &[String], one_way: bool, dice: &mut Dice) -> Vec<(String, String)> {
    let count = members.len();
    let order = dice.choose(count, count);
    let mut cut = Vec::new();
    for left in 0..count {
        for right in left + 1..count {
            if see_each_other(left, right, count) {
                continue;
            }
            let (here, there) = (&members[order[left]], &members[order[right]]);
            // One coin a link: to lose all messages of one direction would be a split.
            let only = one_way.then(|| dice.below(2));
            if only != Some(1) {
                cut.push((here.clone(), there.clone()));
            }
            if only != Some(0) {
                cut.push((there.clone(), here.clone()));
            }
        }
    }
    cut.sort_unstable();
    cut
}

/// Whether two places of a ring of `count` see each other. `count` / 2 others must be seen: as many
/// neighbours on the one side as on the other, and if that leaves one over, somebody far away.
fn see_each_other(left: usize, right: usize, count: usize) -> bool {
    let steps = right - left;
    let distance = steps.min(count - steps);
    let others = count / 2;
    if distance <= others / 2 {
        return true;
    }
    // Even numbers have an opposite place. Odd ones do not: there, steps of `others` visit every
    // place once, and every second of these steps pairs them off, the first place twice.
    others % 2 == 1
        && distance == others
        && (count.is_multiple_of(2) || {
            let visit = |place: usize| (0..count).position(|turn| turn * others % count == place);
            let (earlier, later) = (visit(left).min(visit(right)), visit(left).max(visit(right)));
            match (earlier, later) {
                (Some(0), Some(turn)) if turn == count - 1 => true,
                (Some(turn), Some(next)) => next == turn + 1 && turn.is_multiple_of(2),
                _ => false,
            }
        })
}
