//! When a server is suspected, taken for dead, and cleared.

use super::*;
use crate::protocols::ring::epoch::FOUNDER;
use crate::protocols::ring::store::Wish;
use crate::systems::ring::ring_plan;
use crate::systems::{self, BuiltIn};

const OTHER: NodeId = NodeId::new(3);

/// Of four servers, one of which is taken for dead after a second.
fn detector(witnesses: u16) -> Detector {
    let text = format!(
        "(squall: 1, system: Ring(nodes: 5, dead_after: \"1s\", witnesses: {witnesses}), workload: (until: \"1s\"))"
    );
    let scenario = systems::parse::<BuiltIn>("it.ron", &text).unwrap_or_else(|wrong| panic!("{wrong}"));
    Detector::new(&ring_plan(&systems::plan(&scenario, "it", 0)).system, 1, at(0))
}

fn at(ms: u64) -> Time {
    Time::ZERO + Span::ms(ms)
}

/// That it has been up for so long since its first start.
fn beat(ms: u64) -> Beat {
    Beat { starts: 1, up: Span::ms(ms), epoch: 1, identity: FOUNDER, wish: Wish::Out, fetched: 0, known: 0 }
}

/// Who is to be called, and for which suspicion.
fn suspects(detector: &mut Detector, ms: u64) -> Vec<Suspect> {
    detector.suspects([OTHER].into_iter(), at(ms))
}

#[test]
fn one_is_suspected_after_half_of_its_time_out_and_dead_after_all_of_it_if_others_miss_it() {
    let mut detector = detector(2);
    assert!(suspects(&mut detector, 499).is_empty() && !detector.is_suspected(OTHER));
    let [suspect] = suspects(&mut detector, 500)[..] else { panic!("one") };
    assert!(suspect.is_new && suspect.patience == Span::ms(500) && detector.is_suspected(OTHER));
    let again = Suspect { is_new: false, ..suspect };
    assert_eq!(suspects(&mut detector, 700), [again], "the same suspicion");
    detector.on_missed(OTHER, suspect.ticket, NodeId::new(1));
    detector.on_missed(OTHER, suspect.ticket, NodeId::new(1));
    detector.on_missed(OTHER, suspect.ticket + 1, NodeId::new(2));
    assert!(!detector.is_dead(OTHER, at(9_000)), "one witness, twice, and one of another suspicion");
    detector.on_missed(OTHER, suspect.ticket, NodeId::new(2));
    assert!(!detector.is_dead(OTHER, at(999)) && detector.is_dead(OTHER, at(1_000)));
}

#[test]
fn what_others_have_heard_is_as_good_as_a_beat_but_clears_nobody() {
    let mut detector = detector(1);
    let ticket = suspects(&mut detector, 500)[0].ticket;
    detector.on_missed(OTHER, ticket, NodeId::new(1));
    let anew = detector.on_passed(OTHER, beat(800), at(900)).expect("it is suspected");
    assert!(!detector.is_dead(OTHER, at(5_000)), "who has missed it before does not count");
    detector.on_missed(OTHER, ticket, NodeId::new(1));
    assert!(!detector.is_dead(OTHER, at(5_000)), "not even if it says so only now");
    assert_eq!(suspects(&mut detector, 1_000), [anew]);
    detector.on_missed(OTHER, anew.ticket, NodeId::new(1));
    assert!(!detector.is_dead(OTHER, at(1_899)) && detector.is_dead(OTHER, at(1_900)));
    assert!(detector.is_suspected(OTHER) && detector.beat(OTHER) == Some(&beat(800)));
    assert!(!detector.on_beat(OTHER, beat(700), at(1_950)), "an older beat, held up, says nothing");
    assert!(detector.on_beat(OTHER, beat(1_900), at(1_960)) && !detector.is_suspected(OTHER));
}

#[test]
fn who_was_suspected_wrongly_has_more_time_until_it_has_been_steady_for_long() {
    let mut detector = detector(0);
    let mut ms = 0;
    // Half of a time-out of 1 s, 2 s, 4 s, and never more.
    for patience in [500, 1_000, 2_000, 2_000] {
        assert!(suspects(&mut detector, ms + patience - 1).is_empty(), "{patience}");
        assert_eq!(suspects(&mut detector, ms + patience)[0].patience, Span::ms(patience));
        assert!(detector.is_dead(OTHER, at(ms + 2 * patience)));
        ms += 2 * patience;
        assert!(detector.on_beat(OTHER, beat(ms), at(ms)));
    }
    for (steady, patience) in [(10_000, 1_000), (20_000, 500)] {
        assert!(!detector.on_beat(OTHER, beat(ms + steady), at(ms + steady)));
        assert!(suspects(&mut detector, ms + steady).is_empty());
        assert_eq!(half(detector.time_out(OTHER)), Span::ms(patience));
    }
}

#[test]
fn whoever_has_started_again_is_heard_however_short_it_has_been_up() {
    let mut detector = detector(0);
    assert!(!detector.on_beat(OTHER, beat(60_000), at(0)));
    suspects(&mut detector, 900);
    let again = Beat { starts: 2, ..beat(1) };
    assert!(detector.on_beat(OTHER, again, at(950)), "it is cleared");
    let held_up = Beat { fetched: 7, ..beat(60_100) };
    assert!(!detector.on_beat(OTHER, held_up, at(960)) && detector.beat(OTHER) == Some(&again));
}

#[test]
fn a_new_disk_counts_its_starts_anew_and_comes_after_the_first_one() {
    let (first, new) = (Beat { starts: 5, ..beat(60_000) }, Beat { identity: 77, ..beat(1) });
    assert!(new.is_as_late_as(&first) && !first.is_as_late_as(&new));
    // Of two that were drawn nobody can tell: the one that is in use will be heard again.
    let newer = Beat { identity: 78, ..beat(1) };
    assert!(newer.is_as_late_as(&new) && new.is_as_late_as(&newer));
}
