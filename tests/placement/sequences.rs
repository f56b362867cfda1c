//! Members come, go and change in random order, on circles of all sizes: each ring is the one that is made from nothing,
//! and all that it says is what the definition says.

use super::dice::Dice;
use super::plain::Plain;
use squall::placement::arc::contains;
use squall::placement::measure::Measure;
use squall::placement::movement::Movement;
use squall::placement::ring::{BadRing, Member, Ring, Settings};

/// Some member: of few names that coincide in their points, with a weight that may be nothing, in one of few zones or in
/// none.
fn member(dice: &mut Dice, id: u16, points_max: usize, zones: usize) -> Member {
    let member = Member::new(id, format!("node{id}"), dice.below(points_max + 1) as u32);
    match dice.below(zones + 1) {
        0 => member,
        zone => member.in_zone(zone as u16),
    }
}

/// One of them joins, changes or leaves.
fn step(dice: &mut Dice, ring: &Ring, points_max: usize, zones: usize) -> Ring {
    let id = dice.below(14) as u16;
    match ring.member(id) {
        Some(_) if dice.below(2) == 0 => ring.without(id),
        Some(old) if dice.below(3) == 0 => {
            let zone = Some(dice.below(zones + 1) as u16);
            ring.with(Member { zone, ..old.clone() }).expect("the same with another zone")
        }
        _ => ring.with(member(dice, id, points_max, zones)).expect("a ring"),
    }
}

fn start(bits: u8) -> Ring {
    Ring::new(Settings { bits, ..Settings::default() }, Vec::new()).expect("an empty ring")
}

/// Positions to ask for: all of a small circle; of a large one the points, their neighbours and some others.
fn asked(dice: &mut Dice, ring: &Ring) -> Vec<u128> {
    let last = ring.space().last();
    if last < 1 << 10 {
        return (0..=last).collect();
    }
    let near = |point: &u128| [point.saturating_sub(1), *point, last.min(point + 1)];
    let points = ring.points().positions().iter().flat_map(near);
    points.chain((0..20).map(|_| ring.position(dice.next().to_string()))).chain([0, last]).collect()
}

#[test]
fn a_changed_ring_is_the_one_that_is_made_from_nothing() {
    for (seed, bits) in (0..).zip([1, 3, 6, 10, 13, 31, 32, 64, 127, 128].repeat(4)) {
        let (mut dice, mut ring) = (Dice(seed), start(bits));
        for _ in 0..40 {
            ring = step(&mut dice, &ring, 30, 3);
            let members = dice.shuffled(ring.members().to_vec());
            let settings = Settings { bits, ..Settings::default() };
            assert_eq!(ring, Ring::new(settings, members).expect("a ring"), "seed {seed}, {bits} bits");
        }
    }
}

#[test]
fn owners_and_preference_lists_are_those_of_the_definition() {
    for (seed, bits) in (0..).zip([2, 5, 8, 10, 32, 128]) {
        let (mut dice, mut ring, mut list) = (Dice(seed), start(bits), vec![99]);
        assert_eq!((ring.owner(0), ring.arc_of(0), ring.arcs().count()), (None, None, 0));
        for _ in 0..25 {
            ring = step(&mut dice, &ring, 12, 3);
            let plain = Plain::new(ring.members(), bits);
            for position in asked(&mut dice, &ring) {
                let everybody = plain.preference(position, usize::MAX);
                assert_eq!(ring.owner(position), everybody.first().copied());
                for count in [0, 1, 2, 3, 5, 20] {
                    ring.preference(position, count, &mut list);
                    assert_eq!(list, everybody[..count.min(everybody.len())], "seed {seed}, {count} at {position}");
                    if let Some(arc) = ring.arc_of(position) {
                        assert!(arc.contains(position));
                        let mut of_arc = Vec::new();
                        ring.preference_of(&arc, count, &mut of_arc);
                        assert_eq!(of_arc, list, "the arc says the same");
                    }
                }
            }
        }
    }
}

#[test]
fn arcs_are_the_circle_and_no_position_is_on_two_of_them() {
    for (seed, bits) in (0..).zip([1, 4, 8, 10, 128]) {
        let (mut dice, mut ring) = (Dice(seed), start(bits));
        for _ in 0..25 {
            ring = step(&mut dice, &ring, 5, 2);
            let arcs: Vec<_> = ring.arcs().collect();
            let has_points = Plain::new(ring.members(), bits).has_points();
            let whole = if has_points { Measure::ROUND } else { Measure::ZERO };
            assert_eq!(arcs.iter().map(|arc| arc.length(ring.space())).sum::<Measure>(), whole);
            assert_eq!(ring.loads().into_iter().map(|load| load.1).sum::<Measure>(), whole);
            let homes = ring.members().iter().filter(|member| member.points > 0).count() as u64;
            let copies = ring.loads_of(3).into_iter().map(|load| load.1).sum::<Measure>();
            assert_eq!(copies, Measure { rounds: homes.min(3), parts: 0 });
            for position in asked(&mut dice, &ring).into_iter().filter(|_| has_points) {
                let on: Vec<_> = arcs.iter().filter(|arc| arc.contains(position)).collect();
                assert_eq!(on, [&ring.arc_of(position).expect("an arc")], "{position}");
            }
        }
    }
}

#[test]
fn a_movement_is_where_lists_differ() {
    for (seed, bits) in (0..).zip([1, 4, 8, 10, 10, 128]) {
        let (mut dice, mut old) = (Dice(seed), start(bits));
        for turn in 0..25 {
            let mut new = step(&mut dice, &old, 8, 2);
            if turn % 3 == 0 {
                new = step(&mut dice, &new, 8, 2);
            }
            let count = 1 + dice.below(3);
            let movement = Movement::between(&old, &new, count);
            let mut positions = asked(&mut dice, &old);
            positions.extend(asked(&mut dice, &new));
            let (mut from, mut to) = (Vec::new(), Vec::new());
            for position in positions {
                old.preference(position, count, &mut from);
                new.preference(position, count, &mut to);
                let on: Vec<_> =
                    movement.changes.iter().filter(|change| contains(change.start, change.end, position)).collect();
                match on.as_slice() {
                    [] => assert_eq!(from, to, "nothing changes at {position}"),
                    [change] => {
                        assert_eq!((&change.from, &change.to), (&from, &to), "{position}");
                        assert_ne!(from, to);
                    }
                    more => panic!("{position} is in {} changes", more.len()),
                }
            }
            for pair in movement.changes.windows(2) {
                let is_one =
                    pair[0].end == pair[1].start && (&pair[0].from, &pair[0].to) == (&pair[1].from, &pair[1].to);
                assert!(!is_one, "neighbours that change alike are one");
            }
            let back = Movement::between(&new, &old, count);
            assert_eq!((movement.moved(), Movement::between(&old, &old, count).changes), (back.moved(), Vec::new()));
            old = new;
        }
    }
}

/// The minimal movement: whoever joins takes, whoever leaves gives, and nobody else's keys move.
#[test]
fn only_keys_of_the_node_that_changes_move() {
    for (seed, bits) in (0..).zip([6, 10, 128, 128]) {
        let (mut dice, mut ring) = (Dice(seed), start(bits));
        (0..9).for_each(|_| ring = step(&mut dice, &ring, 40, 0));
        let points = 1 + dice.below(60) as u32;
        let larger = ring.with(Member::new(40, "node1x", points)).expect("a ring");
        let heavier = larger.with(Member::new(40, "node1x", points + 5)).expect("a ring");
        for (before, after) in [(&ring, &larger), (&larger, &heavier)] {
            let movement = Movement::between(before, after, 1);
            assert!(movement.changes.iter().all(|change| change.to == [40]), "only the new node gains");
            let sets = Movement::between(before, after, 3);
            assert!(sets.changes.iter().all(|change| change.gains().all(|node| node == 40)));
            assert!(sets.changes.iter().all(|change| change.loses().count() <= 1), "a copy at a time");
            let held = |ring: &Ring| {
                ring.loads_of(3).into_iter().find(|load| load.0 == 40).map_or(Measure::ZERO, |load| load.1)
            };
            assert_eq!(sets.copied() + held(before), held(after), "what is sent is what it holds");
        }
        assert_eq!(heavier.without(40), ring);
    }
}

#[test]
fn members_that_cannot_be_together_are_refused() {
    let new =
        |bits, members| Ring::new(Settings { bits, ..Settings::default() }, members).map(|ring| ring.points().len());
    let (a, b) = (Member::new(0, "a", 4), Member::new(1, "b", 5));
    assert_eq!(new(8, vec![a.clone(), b.clone()]), Ok(9));
    assert_eq!(new(0, vec![]), Err(BadRing::Bits(0)));
    assert_eq!(new(129, vec![]), Err(BadRing::Bits(129)));
    assert_eq!(new(8, vec![a.clone(), Member::new(0, "c", 1)]), Err(BadRing::SameId(0)));
    assert_eq!(new(8, vec![a.clone(), Member::new(7, "a", 1)]), Err(BadRing::SameName(b"a".to_vec())));
    let many = Member::new(2, "many", u32::MAX);
    assert_eq!(new(8, vec![a.clone(), many.clone()]), Err(BadRing::TooManyPoints(u64::from(u32::MAX) + 4)));
    let mut ring = Ring::new(Settings::default(), vec![a, b]).expect("a ring");
    let before = ring.clone();
    assert_eq!(ring.insert(Member::new(7, "a", 1)), Err(BadRing::SameName(b"a".to_vec())));
    assert_eq!(ring.insert(many), Err(BadRing::TooManyPoints(u64::from(u32::MAX) + 9)));
    ring.remove(9);
    assert_eq!(ring, before, "what is refused changes nothing");
    ring.insert(Member::new(1, "c", 5)).expect("a member may change its name");
    assert_ne!(ring, before);
}
