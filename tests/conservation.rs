//! Nothing is lost from the books: in storms of every kind of fault, each message and each record is accounted for
//! after every step.

mod probe;

use probe::{EVERY, Probe, Recorded, Recorder, Setup, counts, link, node};
use squall::environment::disk::crash::Survival;
use squall::environment::distribution::Distribution;
use squall::environment::fault::{KINDS, Kind, LinkSet, PlannedFault};
use squall::environment::network::Traffic;
use squall::environment::plan::{Heal, Plan};
use squall::kernel::rng::{Dice, Purpose};
use squall::kernel::time::{Span, Time};
use squall::oracle::spec::{Host, Indifferent};
use squall::world::{Pause, World};
use std::sync::Arc;

const MEMBERS: u16 = 5;
const STORMS: u64 = 24;
const FAULTS: usize = 48;

/// Everybody sends to everybody, also to itself, and every kind of fault strikes twice.
fn storm(seed: u64) -> Plan<Setup> {
    let mut dice = Dice::new(seed, Purpose::Faults, 0);
    let everybody = (0..MEMBERS).flat_map(|from| (0..MEMBERS).map(move |to| (from, to))).collect();
    let setup = Setup {
        beat: Some(Span::us(6_500)),
        links: everybody,
        reads_wall: true,
        has_checksums: dice.below(2) == 0,
        goes_on: dice.below(2) == 0,
        ..Setup::ring(MEMBERS)
    };
    let mut plan = Plan::new(setup, seed, Span::ms(400));
    plan.network.loss = probe::ratio(1, 50);
    plan.network.duplicate = probe::ratio(1, 20);
    plan.disk.sync = match dice.below(4) {
        0 => Distribution::ZERO,
        _ => Distribution::Uniform { min: Span::us(100), max: Span::ms(5) },
    };
    plan.disk.unsynced =
        [Survival::Prefix, Survival::Nothing, Survival::Everything, Survival::AnySubset][(seed % 4) as usize];
    plan.disk.torn = probe::ratio(1, 10);
    plan.faults = (0..FAULTS).map(|number| strike(EVERY[number % KINDS], &mut dice)).collect();
    plan.faults.sort_by_key(|fault| fault.at);
    plan
}

fn strike(kind: Kind, dice: &mut Dice) -> PlannedFault {
    let mut draw = |bound: u64| dice.below(bound);
    let (from, to) = (draw(u64::from(MEMBERS)) as u16, draw(u64::from(MEMBERS)) as u16);
    let mine = match draw(2) {
        0 => link(from, to),
        _ => LinkSet::Isolate { target: node(from), direction: Default::default() },
    };
    // Who is destroyed takes part no more, so that comes late.
    let earliest = if kind == Kind::Destroy { 350 } else { 0 };
    let at = Time::ZERO + Span::ms(earliest) + Span::ns(draw(Span::ms(400 - earliest).as_ns()));
    let until = Some(at + Span::us(1 + draw(100_000)));
    PlannedFault { at, when: None, until, inject: probe::fault(kind, node(from), mine, 1 + draw(4)) }
}

/// `sent` + `doubled` = `delivered` + `dropped` + `corrupted` + what is in flight; and every disk likewise.
fn check_books(world: &Recorded) {
    let Traffic { sent, doubled, delivered, dropped, corrupted, .. } = world.traffic();
    let in_flight = world.in_flight();
    assert_eq!(
        sent + doubled,
        delivered + dropped + corrupted + in_flight,
        "at {}: {:?}, {in_flight} in flight",
        world.now(),
        world.traffic()
    );
    let balances = |host: &Host<Probe>| host.disk.books().balance();
    assert!(world.view().hosts.iter().all(balances), "at {}", world.now());
}

/// Plays until then, one step at a time.
fn play_until(world: &mut Recorded, until: Time) {
    while world.run_until(until, world.steps() + 1, |_, _| false).expect("nobody judges") != Pause::TimeIsUp {
        check_books(world);
    }
    check_books(world);
}

#[test]
fn every_message_and_every_record_is_accounted_for_after_every_step() {
    let (mut changed, mut sum, mut steps) = ([0; KINDS], Traffic::default(), 0);
    for seed in 0..STORMS {
        let plan = storm(seed);
        let calm = plan.calm_from();
        let mut world = World::new(Arc::new(plan), Indifferent, Recorder::default());
        world.start().expect("nobody judges");
        check_books(&world);
        play_until(&mut world, calm);
        let heal = match seed % 3 {
            0 => Heal::Nothing,
            1 => Heal::Core(vec!["n1".to_owned(), "n2".to_owned(), "n4".to_owned()]),
            _ => Heal::Everything,
        };
        world.calm(&heal).expect("nobody judges");
        check_books(&world);
        play_until(&mut world, calm + Span::ms(50));
        for (changed, kind) in changed.iter_mut().zip(EVERY) {
            *changed += counts(&world, kind)[2];
        }
        steps += world.steps();
        let traffic = world.traffic();
        sum.doubled += traffic.doubled;
        sum.dropped += traffic.dropped;
        sum.corrupted += traffic.corrupted;
        sum.garbled += traffic.garbled;
    }
    // Otherwise all this would have shown little.
    assert!(steps > 20_000, "only {steps} steps");
    for (changed, kind) in changed.into_iter().zip(EVERY) {
        assert!(changed > 0, "no {} has changed anything", kind.name());
    }
    let Traffic { doubled, dropped, corrupted, garbled, .. } = sum;
    assert!([doubled, dropped, corrupted, garbled].iter().all(|count| *count > 100), "{sum:?}");
}
