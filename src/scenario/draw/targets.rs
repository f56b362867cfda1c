//! Whom a fault hits and which links it cuts: names instead of sizes and shapes.

use super::super::fault::{Inject, Shape, Who};
use crate::environment::fault::{Cut, Direction, Fault, Target};
use crate::kernel::rng::Dice;

/// The fault, with nothing left to chance but who holds a role when it begins.
pub(super) fn concrete(inject: &Inject, members: &[String], dice: &mut Dice) -> Fault {
    match inject {
        Inject::Partition { shape, one_way } => Fault::Partition(cut(shape, *one_way, members, dice)),
        Inject::Kill { target, .. } => Fault::Kill { target: whom(target, members, dice) },
        Inject::Pause { target } => Fault::Pause { target: whom(target, members, dice) },
        Inject::Loss { probability } => Fault::Loss { probability: *probability },
        Inject::Duplicate { probability } => Fault::Duplicate { probability: *probability },
        Inject::Delay { extra } => Fault::Delay { extra: *extra },
        Inject::DiskSlow { extra } => Fault::DiskSlow { extra: *extra },
        Inject::Heal => Fault::Heal,
    }
}

fn whom(who: &Who, members: &[String], dice: &mut Dice) -> Target {
    if let Some(role) = who.role() {
        return Target::Role(role.to_owned());
    }
    if let Who::Nodes(names) = who {
        return Target::Nodes(names.clone());
    }
    let size = who.size(members.len()).expect("all that is neither role nor names has a size");
    assert!(size <= members.len(), "{size} of {} members", members.len());
    Target::Nodes(some(members, size, dice).0)
}

fn cut(shape: &Shape, one_way: bool, members: &[String], dice: &mut Dice) -> Cut {
    let count = members.len();
    match shape {
        Shape::Isolate(who) => {
            let target = whom(who, members, dice);
            let direction = match (one_way, one_way && dice.below(2) == 0) {
                (false, _) => Direction::Both,
                (true, true) => Direction::Outgoing,
                (true, false) => Direction::Incoming,
            };
            Cut::Isolate { target, direction }
        }
        Shape::Halves => split(some(members, count / 2, dice), one_way, dice),
        Shape::MinorityThird => split(some(members, count.saturating_sub(1) / 3, dice), one_way, dice),
        Shape::Random => {
            let size = 1 + dice.below(count.saturating_sub(1) as u64) as usize;
            split(some(members, size, dice), one_way, dice)
        }
        Shape::Bridge => {
            let mut order = dice.choose(count, count);
            order.pop();
            let (left, right) = order.split_at(order.len() / 2);
            split((named(members, left), named(members, right)), one_way, dice)
        }
        Shape::MajoritiesRing => Cut::Links(ring(members, one_way, dice)),
        Shape::Split(from, to) => Cut::Split { from: from.clone(), to: to.clone(), one_way },
        Shape::Links(links) => Cut::Links(links.clone()),
        Shape::Mute(who) => Cut::Isolate { target: whom(who, members, dice), direction: Direction::Outgoing },
        Shape::Deafen(who) => Cut::Isolate { target: whom(who, members, dice), direction: Direction::Incoming },
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

fn split((left, right): (Vec<String>, Vec<String>), one_way: bool, dice: &mut Dice) -> Cut {
    let turned = one_way && dice.below(2) == 1;
    let (from, to) = if turned { (right, left) } else { (left, right) };
    Cut::Split { from, to, one_way }
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
