//! Nothing comes from nowhere and nothing vanishes: whatever goes wrong, after every step each message that was sent is
//! delivered, dropped, damaged or still under way, and each record that was written is kept or accounted for.
//!
//! What is under way is counted one by one; what went where, the world counts as it happens.

use super::metronome::{Config, Metronome};
use squall::environment::distribution::Distribution;
use squall::environment::fault::{Command, Direction, FAULT_NAMES, Fault, KINDS, LinkSet, PlannedFault, Target};
use squall::environment::plan::{Heal, Plan};
use squall::environment::text::{ByteRate, Bytes, Offset};
use squall::kernel::chance::Ratio;
use squall::kernel::rng::{Dice, Purpose};
use squall::kernel::time::{Span, Time};
use squall::oracle::spec::{Indifferent, Oracle, Spec};
use squall::protocol::{Afterwards, NodeId, Protocol};
use squall::protocols::raft::node::Store;
use squall::systems::raft::raft_plan;
use squall::systems::{self, BuiltIn};
use squall::trace::{Happening, Trace};
use squall::world::{Pause, World};
use std::sync::Arc;

/// Counts what it hears of messages between different nodes.
#[derive(Clone, Copy, Default)]
struct Heard {
    delivered: u64,
}

impl<P: Protocol> Trace<P> for Heard {
    fn happened(&mut self, _: Time, what: &Happening<'_, P>) {
        if let Happening::Delivered { from, to, .. } = what {
            self.delivered += u64::from(from != to);
        }
    }
}

fn check<P: Protocol, O: Oracle<P>>(world: &World<P, O, Heard>, what: &str) {
    let (traffic, in_flight, at) = (world.traffic(), world.in_flight(), world.now());
    let gone = traffic.delivered + traffic.dropped + traffic.corrupted;
    assert_eq!(traffic.sent + traffic.doubled, gone + in_flight, "{what} at {at}: {traffic:?}, {in_flight} in flight");
    assert_eq!(traffic.delivered, world.trace().delivered, "{what} at {at}: {traffic:?}");
    for (number, host) in world.view().hosts.iter().enumerate() {
        let books = host.disk.books();
        assert!(books.balance(), "{what} at {at}: {:?} has {books:?}", NodeId::new(number as u16));
        let readable = host.disk.records().count() as u64;
        assert!(readable <= books.kept, "{what} at {at}: {readable} readable records of {books:?}");
    }
}

/// Plays until then and looks at the books after every step.
fn play<P: Protocol, O: Oracle<P>>(world: &mut World<P, O, Heard>, until: Time, what: &str) {
    loop {
        let pause = world.run_until(until, u64::MAX, |_, _| true);
        check(world, what);
        match pause.unwrap_or_else(|failure| panic!("{what}: {failure:?}")) {
            Pause::TimeIsUp => return,
            Pause::Reached => {}
            Pause::OutOfSteps => unreachable!("there is no limit"),
        }
    }
}

/// Through the storm and the calm after it. Answers how many faults of each kind have changed something.
fn play_through<P: Protocol, O: Oracle<P>>(plan: &Arc<Plan<P::Config>>, oracles: O, what: &str) -> [u64; KINDS] {
    let mut world = World::<P, O, Heard>::new(Arc::clone(plan), oracles, Heard::default());
    world.start().unwrap_or_else(|failure| panic!("{what}: {failure:?}"));
    check(&world, what);
    play(&mut world, plan.calm_from(), what);
    if let Some(settle) = &plan.settle {
        world.calm(&settle.heal).unwrap_or_else(|failure| panic!("{what}: {failure:?}"));
        check(&world, what);
        play(&mut world, plan.calm_from() + settle.within, what);
    }
    let counts = world.fault_counts();
    for (kind, name) in FAULT_NAMES.iter().enumerate() {
        let (planned, fired, changed) = (counts.planned[kind], counts.fired[kind], counts.changed[kind]);
        assert!(planned >= fired && fired >= changed, "{what}, {name}: {counts:?}");
    }
    counts.changed
}

fn add(sums: &mut [u64; KINDS], more: [u64; KINDS]) {
    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

fn assert_all_seen(changed: &[u64; KINDS]) {
    let unseen: Vec<&str> = (0..KINDS).filter(|kind| changed[*kind] == 0).map(|kind| FAULT_NAMES[kind]).collect();
    assert!(unseen.is_empty(), "no fault of {unseen:?} has changed anything, so nothing was shown of them");
}

#[test]
fn the_books_balance_after_every_step_of_a_hostile_swarm() {
    let text =
        "(squall: 1, system: Raft(nodes: 5), workload: (until: \"4s\"), settle: (within: \"2s\"), swarm: Hostile)";
    let scenario = systems::parse::<BuiltIn>("swarm.ron", text).unwrap_or_else(|wrong| panic!("{wrong}"));
    let mut changed = [0; KINDS];
    for seed in 0..60 {
        let plan = raft_plan(&systems::plan(&scenario, "swarm", seed));
        add(&mut changed, play_through::<Store, _>(&plan, Store::oracles(&plan.system), &format!("seed {seed}")));
    }
    let seen = changed.iter().filter(|count| **count > 0).count();
    assert!(seen >= 18, "only {seen} kinds have changed anything: {changed:?}");
}

fn ratio(part: u64, whole: u64) -> Ratio {
    Ratio::new(part, whole).expect("a probability")
}

/// Some fault of this number of kind, on somebody.
fn draw_fault(kind: usize, dice: &mut Dice) -> Fault {
    let name = |number: u64| format!("n{}", number + 1);
    let target = Target::Nodes(vec![name(dice.below(4))]);
    let links = match dice.below(3) {
        0 => LinkSet::Links(vec![(name(dice.below(4)), name(dice.below(4)))]),
        1 => LinkSet::Isolate { target: target.clone(), direction: Direction::Both },
        _ => LinkSet::Split { from: vec![name(0), name(1)], to: vec![name(2), name(3)], one_way: dice.below(2) == 0 },
    };
    let over = (dice.below(3) > 0).then(|| links.clone());
    let often = ratio(1 + dice.below(5), 10);
    let some = Distribution::Uniform { min: Span::ZERO, max: Span::ms(1 + dice.below(60)) };
    match kind {
        0 => Fault::Partition(links),
        1 => Fault::Kill { target },
        2 => Fault::Pause { target },
        3 => Fault::Loss { probability: often, burst: 1 + dice.below(4) as u32, over },
        4 => Fault::Duplicate { probability: often, over },
        5 => Fault::Delay { extra: some, over },
        6 => Fault::DiskSlow { extra: some, target: (dice.below(2) == 0).then_some(target) },
        7 => Fault::Heal,
        8 => Fault::Clog { over },
        9 => Fault::Reorder { probability: often, within: Span::ms(50), over },
        10 => Fault::Corrupt { probability: often, over },
        11 => Fault::Bandwidth { rate: ByteRate(2_000 + dice.below(20_000)), queue: Bytes(dice.below(500)), over },
        12 => Fault::Wipe { target },
        13 => Fault::Destroy { target },
        14 => Fault::SlowNode { target, handling: some },
        15 => Fault::ClockJump { target, by: Offset(dice.below(2_000_000_000) as i64 - 1_000_000_000) },
        16 => Fault::ClockDrift { target, ppm: dice.below(1_000_000) as i32 - 500_000 },
        17 => Fault::ClockFreeze { target },
        18 => Fault::DiskStall { target },
        19 => Fault::DiskError { target, write: often, sync: ratio(1, 4) },
        20 => Fault::DiskFull { target },
        21 => Fault::TornWrite { target },
        22 => Fault::LostSync { target },
        23 => Fault::BitRot { target },
        24 => Fault::Order { target, command: Command::Join },
        25 => Fault::Order { target, command: Command::Leave },
        26 => {
            let member = Target::Nodes(vec![name(dice.below(4))]);
            Fault::Order { target, command: Command::ReplaceMember { member } }
        }
        27 => Fault::Order { target, command: Command::Reweigh { weight: dice.below(100) as u32 } },
        28 => Fault::Order { target, command: Command::Rezone { zone: dice.below(4) as u16 } },
        29 => Fault::Order { target, command: Command::Rebalance },
        30 => Fault::Order { target, command: Command::TransferLeadership },
        _ => unreachable!("there are {KINDS} kinds"),
    }
}

/// Of every kind several, all at once, for a part of the run each: on clogged links messages wait for sleepers that
/// crash, and the slow die with full hands.
fn storm(seed: u64) -> Plan<Config> {
    let mut dice = Dice::new(seed, Purpose::Faults, 0);
    let config = Config {
        has_checksums: dice.below(2) == 0,
        on_failure: if dice.below(2) == 0 { Afterwards::Stop } else { Afterwards::GoOn },
        period: Span::ms(5),
        ..Config::BUSY
    };
    let mut plan = Plan::new(config, seed, Span::secs(2));
    (plan.network.loss, plan.network.duplicate) = (ratio(1, 50), ratio(1, 20));
    for kind in (0..KINDS).filter(|kind| *kind != 13 || seed.is_multiple_of(5)) {
        for _ in 0..1 + dice.below(3) {
            let at = Time::from_ns(dice.below(1_900_000_000));
            let until = (dice.below(8) > 0).then(|| at + Span::ms(1 + dice.below(300)));
            let inject = draw_fault(kind, &mut dice);
            plan.faults.push(PlannedFault { at, when: None, until, inject });
        }
    }
    plan.faults.sort_by_key(|fault| fault.at);
    plan
}

#[test]
fn the_books_balance_after_every_step_of_storms_of_all_kinds_and_nothing_is_left_on_the_way() {
    let mut changed = [0; KINDS];
    for seed in 0..60 {
        let plan = Arc::new(storm(seed));
        let what = format!("storm {seed}");
        let mut world = World::<Metronome, _, _>::new(Arc::clone(&plan), Indifferent, Heard::default());
        world.start().expect("nobody judges");
        play(&mut world, plan.calm_from(), &what);
        world.calm(&Heal::Everything).expect("nobody judges");
        check(&world, &what);
        // Who was frozen is behind its time, and who was slow has a long queue to work off.
        play(&mut world, plan.calm_from() + Span::secs(120), &what);
        assert_eq!(world.in_flight(), 0, "{what}: all has arrived or is lost");
        let traffic = world.traffic();
        assert!(traffic.sent > 1_000 && traffic.delivered > 300, "{what}: {traffic:?}");
        add(&mut changed, world.fault_counts().changed);
    }
    assert_all_seen(&changed);
}
