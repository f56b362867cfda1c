//! What becomes of nodes on which several faults meet: small stories, each of which was once told wrongly.

use super::metronome::{Config, Fact, Metronome};
use squall::environment::distribution::Distribution;
use squall::environment::fault::{Direction, Fault, LinkSet, PlannedFault, Target};
use squall::environment::plan::{Heal, LinkRule, Plan};
use squall::kernel::chance::Ratio;
use squall::kernel::time::{Span, Time};
use squall::oracle::spec::Indifferent;
use squall::protocol::Afterwards;
use squall::trace::{Happening, Trace};
use squall::world::World;
use std::sync::Arc;

/// Remembers who ticked when, and who got a message when.
#[derive(Clone, Default)]
struct Diary {
    ticked: Vec<(u16, Time)>,
    durable: Vec<(u16, Time)>,
    got: Vec<(u16, Time)>,
    /// Who has got a message from whom when.
    links: Vec<((u16, u16), Time)>,
    /// Who has got a message from n1 when.
    came: Vec<(u16, Time)>,
    booted: Vec<(u16, Time, usize)>,
    disk_failed: Vec<(u16, Time)>,
}

impl Trace<Metronome> for Diary {
    fn happened(&mut self, at: Time, what: &Happening<'_, Metronome>) {
        match what {
            Happening::Noted { node, fact: Fact::Ticked { .. } } => self.ticked.push((node.number(), at)),
            Happening::Noted { node, fact: Fact::Durable { .. } } => self.durable.push((node.number(), at)),
            Happening::Delivered { from, to, .. } => {
                self.got.push((to.number(), at));
                self.links.push(((from.number(), to.number()), at));
                if from.number() == 0 {
                    self.came.push((to.number(), at));
                }
            }
            Happening::Booted { node, records, .. } => self.booted.push((node.number(), at, *records)),
            Happening::DiskFailed { node, .. } => self.disk_failed.push((node.number(), at)),
            _ => {}
        }
    }
}

/// How many of these fall into the given part of the run, in milliseconds.
fn count(events: &[(u16, Time)], who: u16, from: u64, until: u64) -> usize {
    let (from, until) = (at(from), at(until));
    events.iter().filter(|(node, time)| *node == who && (from..until).contains(time)).count()
}

fn at(ms: u64) -> Time {
    Time::ZERO + Span::ms(ms)
}

fn n1() -> Target {
    Target::Nodes(vec!["n1".to_owned()])
}

fn fault(from: u64, until: u64, inject: Fault) -> PlannedFault {
    PlannedFault { at: at(from), when: None, until: Some(at(until)), inject }
}

/// Two seconds of a metronome's life.
fn played(config: Config, faults: Vec<PlannedFault>) -> World<Metronome, Indifferent, Diary> {
    played_where(config, faults, |_| ())
}

/// The same in surroundings that are changed.
fn played_where(
    config: Config,
    faults: Vec<PlannedFault>,
    change: impl Fn(&mut Plan<Config>),
) -> World<Metronome, Indifferent, Diary> {
    let mut plan = Plan::new(config, 7, Span::secs(2));
    plan.faults = faults;
    change(&mut plan);
    let end = plan.calm_from();
    let mut world = World::new(Arc::new(plan), Indifferent, Diary::default());
    world.start().expect("nobody judges");
    world.run_until(end, u64::MAX, |_, _| false).expect("nobody judges");
    world
}

#[test]
fn a_slow_node_that_has_crashed_before_handles_what_it_gets() {
    let handling = Distribution::Const(Span::ms(1));
    let faults = vec![
        fault(100, 200, Fault::Kill { target: n1() }),
        fault(300, 1_900, Fault::SlowNode { target: n1(), handling }),
    ];
    let world = played(Config::BUSY, faults);
    // Three others tell it something every 20 ms.
    let got = count(&world.trace().got, 0, 400, 1_400);
    assert!((145..=155).contains(&got), "{got} messages in a second");
}

#[test]
fn a_node_that_slept_through_the_end_of_its_disks_trouble_is_started_again() {
    let faults = vec![
        fault(300, 700, Fault::DiskError { target: n1(), write: Ratio::ZERO, sync: Ratio::ONE }),
        // The sync that it asks for at 300 ms takes 100 us at least.
        PlannedFault {
            at: at(300) + Span::us(50),
            when: None,
            until: Some(at(1_000)),
            inject: Fault::Pause { target: n1() },
        },
    ];
    let world = played(Config { on_failure: Afterwards::Stop, ..Config::BUSY }, faults);
    let failed = world.trace().disk_failed.clone();
    assert_eq!(failed, [(0, at(1_000))], "it hears of the failure when it wakes");
    assert_eq!(count(&world.trace().ticked, 0, 1_000, 2_000), 49, "and is up again from then on");
}

#[test]
fn who_starts_when_all_is_healed_finds_its_disk_and_its_links_well() {
    let lost = Fault::Loss { probability: Ratio::ONE, burst: 1, over: None };
    let faults = [Fault::Kill { target: n1() }, Fault::DiskFull { target: n1() }, lost];
    let mut plan = Plan::new(Config { greets: true, sends: false, ..Config::BUSY }, 7, Span::ms(500));
    plan.faults = faults.into_iter().map(|fault| PlannedFault::once(at(100), fault)).collect();
    let (end, mut world) = (plan.calm_from(), World::new(Arc::new(plan), Indifferent, Diary::default()));
    world.start().expect("nobody judges");
    world.run_until(end, u64::MAX, |_, _| false).expect("nobody judges");
    world.calm(&Heal::Everything).expect("nobody judges");
    // Before anybody ticks again.
    world.run_until(at(519), u64::MAX, |_, _| false).expect("nobody judges");
    assert_eq!(world.trace().disk_failed, []);
    let greeted = (1..4).map(|node| count(&world.trace().got, node, 500, 520)).collect::<Vec<_>>();
    assert_eq!(greeted, [1, 1, 1]);
}

fn n1_to_n2() -> LinkSet {
    LinkSet::Links(vec![("n1".to_owned(), "n2".to_owned())])
}

/// Messages take 50 ms, and are sent each 20 ms.
fn far(plan: &mut Plan<Config>) {
    plan.network.latency = Distribution::Const(Span::ms(50));
}

#[test]
fn a_partition_takes_what_is_under_way_when_it_begins() {
    let cut = fault(105, 125, Fault::Partition(n1_to_n2()));
    let world = played_where(Config::BUSY, vec![cut], far);
    // That of 60 ms would come at 110. Those of 80 ms and 120 ms come after the cut is healed.
    let came = world.trace().came.iter().filter(|(to, _)| *to == 1).map(|(_, time)| *time);
    let came: Vec<Time> = came.take(5).collect();
    assert_eq!(came, [70, 90, 130, 150, 170].map(at));
}

#[test]
fn a_link_that_is_cut_twice_is_whole_when_both_partitions_are_over() {
    let around = LinkSet::Isolate { target: n1(), direction: Direction::Both };
    for (first, second) in [(n1_to_n2(), around.clone()), (around, n1_to_n2())] {
        let faults = vec![fault(200, 400, Fault::Partition(first)), fault(300, 600, Fault::Partition(second))];
        let world = played(Config::BUSY, faults);
        let came = |from, until| count(&world.trace().came, 1, from, until);
        assert_eq!((came(200, 600), came(0, 200) > 5, came(600, 700) > 3), (0, true, true));
    }
}

#[test]
fn who_is_kept_down_by_several_faults_starts_when_the_last_one_is_over() {
    let (kill, wipe) = (|| Fault::Kill { target: n1() }, || Fault::Wipe { target: n1() });
    let full = || Fault::DiskFull { target: n1() };
    let stops = Config { on_failure: Afterwards::Stop, ..Config::BUSY };
    for faults in [[kill(), wipe()], [wipe(), kill()], [full(), kill()], [kill(), full()], [full(), wipe()]] {
        let [first, second] = faults.clone();
        for (until, other) in [(500, 800), (800, 500)] {
            // Who is dead when its disk becomes full does not hear of it before it starts.
            if matches!(second, Fault::DiskFull { .. }) && until < other {
                continue;
            }
            let world = played(stops, vec![fault(200, until, first.clone()), fault(300, other, second.clone())]);
            let booted: Vec<Time> = world.trace().booted.iter().filter(|boot| boot.0 == 0).map(|boot| boot.1).collect();
            assert_eq!(booted, [at(0), at(800)], "{faults:?}");
        }
    }
}

#[test]
fn what_several_faults_do_to_a_disk_adds_up() {
    let slow = |ms| Fault::DiskSlow { extra: Distribution::Const(Span::ms(ms)), target: Some(n1()) };
    let faults = vec![fault(95, 1_500, slow(5)), fault(195, 295, slow(7)), fault(395, 495, slow(2))];
    let world = played_where(Config::BUSY, faults, |plan| plan.disk.sync = Distribution::Const(Span::ms(1)));
    let durable = &world.trace().durable;
    let took = |tick: u64, ms: u64| durable.contains(&(0, at(tick + ms)));
    assert!(took(80, 1) && took(100, 6) && took(200, 13) && took(300, 6) && took(400, 8) && took(500, 6));
    let error = |write, sync| Fault::DiskError { target: n1(), write, sync };
    let (never, rare) = (Ratio::ZERO, Ratio::new(1, 1 << 32).expect("a probability"));
    for (write, sync) in [(Ratio::ONE, never), (never, Ratio::ONE)] {
        let faults = vec![fault(100, 500, error(write, sync)), fault(200, 400, error(rare, rare))];
        let world = played(Config::BUSY, faults);
        assert_eq!(count(&world.trace().durable, 0, 102, 500), 0, "{write:?} {sync:?}");
        assert!(count(&world.trace().durable, 0, 502, 700) > 5);
    }
}

/// Of ten records that no sync has made durable, each crash leaves as many as it draws.
#[test]
fn no_two_crashes_are_alike() {
    let names = Target::Nodes((1..=4).map(|node| format!("n{node}")).collect());
    let mut faults = vec![fault(1, 2_000, Fault::DiskStall { target: names.clone() })];
    faults.extend((0..8).map(|turn| fault(211 + 220 * turn, 212 + 220 * turn, Fault::Kill { target: names.clone() })));
    let world = played(Config { sends: false, ..Config::BUSY }, faults);
    for node in 0..4 {
        let records: Vec<usize> =
            world.trace().booted.iter().filter(|boot| boot.0 == node).map(|boot| boot.2).collect();
        let mut kept: Vec<usize> = records.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(kept.len() == 8 && kept.iter().all(|kept| *kept <= 11), "#{node}: {kept:?}");
        kept.sort_unstable();
        kept.dedup();
        assert!(kept.len() > 3, "#{node}: only {kept:?} of ten");
    }
}

#[test]
fn a_heal_ends_every_partition_and_nothing_else() {
    let to_n3 = LinkSet::Links(vec![("n1".to_owned(), "n3".to_owned())]);
    let faults = vec![
        fault(200, 600, Fault::Clog { over: Some(n1_to_n2()) }),
        fault(200, 600, Fault::Partition(to_n3.clone())),
        fault(250, 650, Fault::Partition(to_n3)),
        PlannedFault::once(at(300), Fault::Heal),
    ];
    let world = played(Config::BUSY, faults);
    let came = |to, from, until| count(&world.trace().came, to, from, until);
    assert_eq!((came(1, 200, 600), came(1, 600, 601)), (0, 20), "what was held up comes when the clog ends");
    assert_eq!((came(2, 200, 300), came(2, 300, 700)), (0, 20), "who was cut off hears again");
}

#[test]
fn a_rule_of_links_holds_for_each_from_each_and_both_ways_if_it_says_so() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    for both_ways in [false, true] {
        let (from, to) = (names(&["n1", "n4"]), names(&["n2", "n3"]));
        let latency = Some(Distribution::Const(Span::ms(19)));
        let rule = LinkRule { from, to, both_ways, latency, loss: None, duplicate: None };
        let world = played_where(Config::BUSY, Vec::new(), |plan| {
            (plan.network.latency, plan.network.links) = (Distribution::Const(Span::ms(1)), vec![rule.clone()]);
        });
        // Of the ticks at 100 ms.
        let came = |who: u16, ms: u64| world.trace().got.iter().filter(|got| **got == (who, at(100 + ms))).count();
        assert_eq!([came(0, 1), came(0, 19)], if both_ways { [1, 2] } else { [3, 0] });
        assert_eq!([came(1, 1), came(1, 19)], [1, 2]);
    }
}

/// Whether a write fails hangs on how many there were before, in all lives of the node.
#[test]
fn a_disk_that_fails_now_and_then_does_so_otherwise_after_each_start() {
    let write = Ratio::new(1, 2).expect("a half");
    let mut faults = vec![fault(1, 2_000, Fault::DiskError { target: n1(), write, sync: Ratio::ZERO })];
    faults.extend((1..10).map(|turn| fault(200 * turn - 1, 200 * turn + 1, Fault::Kill { target: n1() })));
    let world = played(Config::BUSY, faults);
    let durable = |tick: u64| count(&world.trace().durable, 0, tick, tick + 10);
    let lives = (0..10).map(|life| (1..10).map(|tick| durable(200 * life + 20 * tick)).collect::<Vec<_>>());
    let lives: std::collections::BTreeSet<_> = lives.collect();
    assert!(lives.len() > 5, "{lives:?}");
}

/// n1 and n2 on one side, n3 and n4 on the other: which links are cut.
#[test]
fn those_on_one_side_of_a_partition_hear_each_other() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let (left, right) = (names(&["n1", "n2"]), names(&["n3", "n4"]));
    let split = |one_way| LinkSet::Split { from: left.clone(), to: right.clone(), one_way };
    let isolate = |direction| LinkSet::Isolate { target: Target::Nodes(left.clone()), direction };
    let is_left = |node: u16| node < 2;
    for (links, cuts_there, cuts_back) in [
        (split(false), true, true),
        (split(true), true, false),
        (isolate(Direction::Both), true, true),
        (isolate(Direction::Outgoing), true, false),
        (isolate(Direction::Incoming), false, true),
    ] {
        let world = played(Config::BUSY, vec![fault(200, 400, Fault::Partition(links.clone()))]);
        for (from, to) in (0..4).flat_map(|from| (0..4).map(move |to| (from, to))).filter(|(from, to)| from != to) {
            let during = |(link, time): &&((u16, u16), Time)| *link == (from, to) && (at(200)..at(400)).contains(time);
            let came = world.trace().links.iter().filter(during).count();
            let is_cut = is_left(from) != is_left(to) && if is_left(from) { cuts_there } else { cuts_back };
            assert_eq!(came, if is_cut { 0 } else { 10 }, "#{from} to #{to}, {links:?}");
        }
    }
}

/// What is under way from a node when it dies is the network's.
#[test]
fn what_a_node_has_sent_comes_although_it_has_died() {
    let world = played_where(Config::BUSY, vec![fault(105, 400, Fault::Kill { target: n1() })], far);
    let came: Vec<Time> = world.trace().came.iter().filter(|(to, _)| *to == 1).map(|(_, time)| *time).take(6).collect();
    assert_eq!(came, [70, 90, 110, 130, 150, 470].map(at));
}

/// While the second one lasts, each message takes 1 ms and not 30.
#[test]
fn of_two_faults_that_make_a_node_slow_the_later_one_holds() {
    let slow = |ms| Fault::SlowNode { target: n1(), handling: Distribution::Const(Span::ms(ms)) };
    let world =
        played(Config::BUSY, vec![fault(200, 205, slow(30)), fault(200, 400, slow(1)), fault(600, 900, slow(1))]);
    let got = |from, until| count(&world.trace().got, 0, from, until);
    assert_eq!((got(200, 400), got(600, 900)), (30, 45), "three others say something every 20 ms");
    let world = played(Config::BUSY, vec![fault(195, 600, slow(1)), fault(200, 400, slow(30))]);
    assert!(count(&world.trace().got, 0, 200, 400) < 7);
}
