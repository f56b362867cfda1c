//! Each planted defect shows in what it breaks, and sound rings do not break it.

use super::dice::ring;
use squall::placement::defects;
use squall::placement::movement::Movement;
use squall::placement::ring::{Member, Ring, Settings};
use squall::placement::rules::Rules;

const SOUND: Settings = Settings { bits: 10, rules: Rules::SOUND };

fn planted(plant: impl Fn(&mut Rules)) -> Settings {
    let mut settings = SOUND;
    plant(&mut settings.rules);
    settings
}

/// Positions of which the owner differs.
fn differing(one: &Ring, other: &Ring) -> Vec<u128> {
    (0..=one.space().last()).filter(|position| one.owner(*position) != other.owner(*position)).collect()
}

#[test]
fn names_instead_of_hashes_give_all_to_one_node() {
    let settings = planted(|rules| rules.point = defects::name_instead_of_hash);
    let ring_of = |names: &[&str]| {
        let members = (0..).zip(names).map(|(id, name)| Member::new(id, *name, 8)).collect();
        Ring::new(settings, members).expect("a ring")
    };
    let owners = |ring: &Ring| (0..=1_023).map(|position| ring.owner(position)).collect::<Vec<_>>();
    assert_eq!(owners(&ring(settings, 5, 8)), vec![Some(0); 1_024], "no digest is above \"node1\"");
    // 0xcaf is 3247: its highest ten bits are 811. "Z" stands between 9 and a, "-" before 0.
    let named = ring_of(&["cafe", "Z", "-", "x"]);
    let mut distinct = named.points().positions().to_vec();
    distinct.dedup();
    assert_eq!(distinct, [0, 0xa << 6, 811, 1_023]);
    assert_eq!([0, 1, 641, 812].map(|position| named.owner(position)), [Some(2), Some(1), Some(0), Some(3)]);
}

#[test]
fn without_the_wrap_what_is_beyond_the_last_point_is_lost() {
    let sound = ring(SOUND, 3, 4);
    let beyond: Vec<u128> = (sound.points().positions()[11] + 1..=1_023).collect();
    assert!(!beyond.is_empty());
    let nobody = ring(planted(|rules| rules.wrap = defects::nobody_after_last), 3, 4);
    assert_eq!(differing(&sound, &nobody), beyond);
    assert!(beyond.iter().all(|position| nobody.owner(*position).is_none()));
    let last = ring(planted(|rules| rules.wrap = defects::last_after_last), 3, 4);
    let of_last = sound.points().nodes()[11];
    assert!(beyond.iter().all(|position| last.owner(*position) == Some(of_last)));
    assert_ne!(sound.points().nodes()[0], of_last, "or nobody would notice");
    assert_eq!(differing(&sound, &last), beyond);
}

#[test]
fn predecessors_are_not_successors() {
    let (sound, floor) = (ring(SOUND, 3, 4), ring(planted(|rules| rules.search = defects::predecessor), 3, 4));
    let (positions, nodes) = (sound.points().positions(), sound.points().nodes());
    assert_eq!(floor.owner(positions[5]), Some(nodes[5]), "at a point both agree");
    assert_eq!(floor.owner(positions[5] + 1), Some(nodes[5]));
    assert_eq!(floor.owner(0), Some(nodes[11]), "below the first point the last one has it");
    assert!(differing(&sound, &floor).len() > 300);
}

#[test]
fn a_boundary_that_is_off_by_one_shows_exactly_at_points() {
    let (sound, strict) = (ring(SOUND, 3, 4), ring(planted(|rules| rules.search = defects::strictly_above), 3, 4));
    let differing = differing(&sound, &strict);
    assert!(!differing.is_empty() && differing.iter().all(|position| sound.points().positions().contains(position)));
    // Ranges are handed over as ever: who looks a key up asks another node than the one that was sent it.
    let mut list = Vec::new();
    for position in differing {
        strict.preference_of(&strict.arc_of(position).expect("an arc"), 1, &mut list);
        assert_eq!(list, [sound.owner(position).expect("an owner")]);
    }
    let wide = |rules| ring(Settings { bits: 128, rules }, 3, 100);
    let (sound, strict) = (wide(Rules::SOUND), wide(planted(|rules| rules.search = defects::strictly_above).rules));
    let mut keys = (0..1_000).map(|key| sound.position(format!("key-{key}")));
    assert!(keys.all(|key| sound.owner(key) == strict.owner(key)), "on a large circle nobody notices");
}

#[test]
fn a_map_of_points_hangs_on_the_order_of_inserts() {
    let settings = planted(|rules| rules.settles_ties_by = defects::last_insert_wins);
    let members: Vec<Member> = (0..12).map(|id| Member::new(id, format!("node{id}"), 40)).collect();
    let reversed: Vec<Member> = members.iter().rev().cloned().collect();
    let new = |settings, members: &[Member]| Ring::new(settings, members.to_vec()).expect("a ring");
    assert_eq!(new(SOUND, &members), new(SOUND, &reversed));
    let (forth, back) = (new(settings, &members), new(settings, &reversed));
    assert!(forth.points().len() < 480, "points are dropped");
    assert_eq!(forth.points().positions(), back.points().positions());
    assert!(!differing(&forth, &back).is_empty());
    // One after the other is as all at once.
    let one_by_one = |members: &[Member]| {
        let start = Ring::new(settings, Vec::new()).expect("a ring");
        members.iter().fold(start, |ring, member| ring.with(member.clone()).expect("a ring"))
    };
    assert_eq!((one_by_one(&members), one_by_one(&reversed)), (forth.clone(), back.clone()));
    // Who leaves takes along what it had overwritten.
    let left = forth.without(11);
    assert!(left.points().len() < new(settings, &members[..11]).points().len());
}

#[test]
fn copies_on_one_node_are_not_told_from_copies_on_several() {
    let twins = |settings: Settings| {
        let (ring, mut list) = (ring(settings, 3, 8), Vec::new());
        let has_twins = |position: &u128| {
            ring.preference(*position, 3, &mut list);
            assert_eq!(list.len(), 3);
            (1..3).any(|place| list[..place].contains(&list[place]))
        };
        (0..=1_023).filter(has_twins).collect::<Vec<u128>>()
    };
    assert_eq!(twins(SOUND), []);
    let everywhere = twins(planted(|rules| rules.is_passed_over = defects::nobody_is_passed_over));
    let at_the_end = twins(planted(|rules| rules.is_passed_over = defects::forgotten_across_the_wrap));
    assert!(everywhere.len() > 500, "{}", everywhere.len());
    let last_points = ring(SOUND, 3, 8).points().positions()[16];
    assert!(!at_the_end.is_empty() && at_the_end.iter().all(|position| *position > last_points), "{at_the_end:?}");
}

#[test]
fn a_plan_from_nothing_moves_what_could_stay() {
    let moved = |settings: Settings| {
        let before = ring(settings, 9, 40);
        let after = before.with(Member::new(9, "node10", 40)).expect("a ring");
        assert_eq!(after, ring(settings, 10, 40), "even so it is the ring of its members");
        assert_eq!(after.without(9), before);
        Movement::between(&before, &after, 1).moved().scaled(1_000)
    };
    let wide = |plant: fn(&mut Rules)| moved(Settings { bits: 64, ..planted(plant) });
    // A tenth has to move.
    assert!((60..140).contains(&wide(|_| {})), "{}", wide(|_| {}));
    let modulo = wide(|rules| (rules.point, rules.points_stay) = (defects::slot_modulo_members, defects::points_move));
    let anew = wide(|rules| (rules.point, rules.points_stay) = (defects::planned_anew, defects::points_move));
    assert!(modulo > 700 && anew > 700, "{modulo} and {anew} in a thousand");
    let plant =
        |rules: &mut Rules| (rules.point, rules.points_stay) = (defects::slot_modulo_members, defects::points_move);
    let slots = ring(planted(plant), 4, 2);
    // The golden section of 1,024 is 632.866.
    let owner = |slot: u128| slots.owner((slot + 1) * 632_866 / 1_000 % 1_024);
    assert!((0..8).all(|slot| owner(slot) == Some(slot as u16 % 4)), "slot s belongs to member s modulo 4");
}

#[test]
fn points_in_a_row_give_all_that_a_member_owns_to_one_of_them() {
    let settings = Settings { bits: 128, ..planted(|rules| rules.point = defects::points_in_a_row) };
    let ring = ring(settings, 5, 16);
    let long = ring.arcs().filter(|arc| arc.length(ring.space()).scaled(1 << 16) > 1).count();
    assert_eq!((ring.points().len(), long), (80, 5), "a long arc for each member");
}

#[test]
fn one_who_stays_is_placed_anew_when_another_one_joins() {
    let settings = planted(|rules| {
        rules.point = defects::first_member_planned_anew;
        rules.points_stay = defects::points_move;
    });
    let old = ring(settings, 4, 8);
    let new = old.with(Member::new(9, "one more", 8)).expect("a ring");
    let of = |ring: &Ring, id: u16| {
        let points = ring.points();
        let own = points.positions().iter().zip(points.nodes()).filter(|(_, node)| **node == id);
        own.map(|(position, _)| *position).collect::<Vec<u128>>()
    };
    let ids: Vec<u16> = old.members().iter().map(|member| member.id).collect();
    let moved: Vec<u16> = ids.iter().copied().filter(|id| of(&old, *id) != of(&new, *id)).collect();
    assert_eq!(moved, ids[..1], "the first, and no other");
}
