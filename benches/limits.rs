//! How close squall comes to a bare event loop, and whether a step's cost stays flat.
//!
//! Every row is a ratio of two things measured in turn in this one process: the median over the
//! rounds of the ratios, and the least nanoseconds a unit of both. Absolute figures of two
//! calls cannot be compared on a shared machine; ratios of one call can.
//!
//! `cargo bench --bench limits -- [W1 W2 W3 W4 links fates storms flat locks placement ring histories seeds] [FOLDER]`;
//! `histories` reads recorded ones from a folder that has a `verdicts.json`, if one is named.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, missing_docs, reason = "a bench reads the clock")]

mod workloads;

use squall::environment::distribution::Distribution;
use squall::environment::network::{Disturbance, Network, Scope};
use squall::environment::plan::{self, Plan};
use squall::kernel::chance::Ratio;
use squall::kernel::rng::Table;
use squall::kernel::time::{Span, Time};
use squall::oracle::history::{EFFORT, check};
use squall::oracle::linearizable::Verdict;
use squall::oracle::spec::Indifferent;
use squall::placement::movement::Movement;
use squall::placement::ring::{Member, Ring, Settings};
use squall::systems::{self, BuiltIn, System};
use squall::trace::{Fingerprint, Mute};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;
use workloads::histories::{crowds, recorded};
use workloads::{churn, echo, raft};

const ROUNDS: usize = 9;
const DELIVERIES: u64 = 2_000_000;
const FAR: Span = Span::secs(100_000);

/// Something to measure: its name and what it does; it answers how many units it did.
struct Row<'a>(&'a str, &'a dyn Fn() -> u64);

fn main() {
    let words = std::env::args().skip(1).filter(|name| !name.starts_with('-'));
    let (folders, wanted): (Vec<String>, Vec<String>) = words.partition(|word| Path::new(word).is_dir());
    if let [word, place] = &wanted[..]
        && word == "crowd"
    {
        return crowd(place.parse().expect("a number"));
    }
    let histories = || histories(folders.first().map(Path::new));
    let sections: [(&str, &dyn Fn()); 13] = [
        ("W1", &echo_storm),
        ("W2", &timer_churn),
        ("W3", &raft_oracles),
        ("W4", &starting),
        ("links", &many_links),
        ("fates", &fates),
        ("storms", &storms),
        ("flat", &flatness),
        ("locks", &locks),
        ("placement", &placement),
        ("ring", &ring),
        ("histories", &histories),
        ("seeds", &seeds),
    ];
    for (name, section) in sections {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            section();
        }
    }
}

/// Measures rows in turn; the first is what the others are compared with.
fn compare(title: &str, unit: &str, rows: &[Row<'_>]) {
    println!("\n{title}");
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); rows.len()];
    for round in 0..=ROUNDS {
        for (row, times) in rows.iter().zip(&mut times) {
            let start = Instant::now();
            let units = black_box((row.1)());
            let nanoseconds = start.elapsed().as_nanos() as f64 / units as f64;
            // The first round warms up.
            if round > 0 {
                times.push(nanoseconds);
            }
        }
    }
    for (row, own) in rows.iter().zip(&times) {
        let mut ratios: Vec<f64> = own.iter().zip(&times[0]).map(|(own, first)| own / first).collect();
        ratios.sort_by(f64::total_cmp);
        let least = own.iter().copied().fold(f64::MAX, f64::min);
        println!("  {:44} {least:>9.1} ns/{unit}   {:>5.2}x", row.0, ratios[ratios.len() / 2]);
    }
}

fn echo_storm() {
    let plan = echo::plan(1, 5, 64);
    let far = Time::ZERO + FAR;
    compare(
        "W1 echo storm: 5 nodes, 64 messages in flight each",
        "delivery",
        &[
            Row("bare loop, the same queue and dice", &|| {
                black_box(echo::bare(1, 5, 64, far, DELIVERIES));
                DELIVERIES
            }),
            Row("bare loop, std BinaryHeap of events", &|| {
                black_box(echo::bare_std(1, 5, 64, DELIVERIES));
                DELIVERIES
            }),
            Row("squall: digest, faults, a check each step", &|| {
                echo::squall(&plan, echo::Counting::new(5), Fingerprint::default(), far, DELIVERIES).steps()
            }),
            Row("squall without digest and checks", &|| {
                echo::squall(&plan, Indifferent, Mute, far, DELIVERIES).steps()
            }),
        ],
    );
}

fn timer_churn() {
    let plan = churn::plan(1, 1_000);
    compare(
        "W2 timer churn: 1,000 nodes, a beat of 50 ms re-arms a timer",
        "re-arm",
        &[
            Row("bare loop, the same deadlines", &|| {
                black_box(churn::bare(1, 1_000, DELIVERIES));
                DELIVERIES
            }),
            Row("squall: digest, faults, a check each step", &|| {
                black_box(churn::squall(&plan, DELIVERIES).steps());
                DELIVERIES
            }),
        ],
    );
}

fn raft_oracles() {
    let until = Span::secs(60);
    let disks = Distribution::Uniform { min: Span::us(100), max: Span::ms(2) };
    let (plan, slow) = (raft::plan(1, until, Distribution::ZERO, 0), raft::plan(1, until, disks, 0));
    let whole = raft::whole_plan(1, until);
    compare(
        "W3 Raft: 5 servers, 10 closed-loop clients, 60 virtual seconds",
        "message",
        &[
            Row("oracles and digest off", &|| raft::squall(&plan, Indifferent, Mute, until).traffic().sent),
            Row("every oracle and the digest on", &|| {
                raft::squall(&plan, raft::oracles(&plan), Fingerprint::default(), until).traffic().sent
            }),
            Row("the same with snapshots, leases, spares and sessions that end", &|| {
                raft::squall(&whole, raft::oracles(&whole), Fingerprint::default(), until).traffic().sent
            }),
            Row("every oracle and the digest on, disks of 0.1 to 2 ms", &|| {
                raft::squall(&slow, raft::oracles(&slow), Fingerprint::default(), until).traffic().sent
            }),
        ],
    );
}

fn starting() {
    const WORLDS: u64 = 20_000;
    // Whoever starts a world has just made its plan. So these are few enough to be in the processor's cache.
    const PLANS: u64 = 200;
    let until = Time::ZERO + Span::ms(10);
    let echoes: Vec<_> = (0..PLANS).map(|seed| echo::plan(seed, 5, 1)).collect();
    let rafts: Vec<_> = (0..PLANS).map(|seed| raft::plan(seed, Span::secs(1), Distribution::ZERO, 0)).collect();
    compare(
        "W4 starting a world: 5 nodes, 10 virtual ms, drop it",
        "world",
        &[
            Row("bare loop, one message each", &|| {
                (0..WORLDS).for_each(|seed| {
                    black_box(echo::bare(seed % PLANS, 5, 1, until, u64::MAX));
                });
                WORLDS
            }),
            Row("squall, echo", &|| {
                let play = |plan| echo::squall(plan, echo::Counting::new(5), Fingerprint::default(), until, u64::MAX);
                echoes.iter().cycle().take(WORLDS as usize).for_each(|plan| drop(black_box(play(plan))));
                WORLDS
            }),
            Row("squall, Raft with every oracle, only started", &|| {
                let play = |plan| raft::squall(plan, raft::oracles(plan), Fingerprint::default(), Span::ZERO);
                rafts.iter().cycle().take(WORLDS as usize / 10).for_each(|plan| drop(black_box(play(plan))));
                WORLDS / 10
            }),
        ],
    );
}

/// As many messages in flight among few nodes as among many, so that the queues are alike.
fn many_links() {
    let (few, many) = (echo::plan(1, 5, 200), echo::plan(1, 1_000, 1));
    let far = Time::ZERO + FAR;
    let play =
        |plan, nodes| echo::squall(plan, echo::Counting::new(nodes), Fingerprint::default(), far, DELIVERIES).steps();
    compare(
        "Echo storm with many links: 1,000 messages in flight",
        "delivery",
        &[
            Row("5 nodes, 20 links", &|| play(&few, 5)),
            Row("1,000 nodes, 999,000 links", &|| play(&many, 1_000)),
            Row("bare loop, 5 nodes", &|| {
                black_box(echo::bare(1, 5, 200, far, DELIVERIES));
                DELIVERIES
            }),
            Row("bare loop, 1,000 nodes", &|| {
                black_box(echo::bare(1, 1_000, 1, far, DELIVERIES));
                DELIVERIES
            }),
        ],
    );
}

/// What it costs to draw fates, one sender after the other, each to its next neighbour.
fn fates() {
    let percent = Ratio::new(1, 100).expect("a probability");
    let extra = Distribution::LogNormal { median: Span::ms(1), p99: Span::ms(50) };
    let families = [
        Disturbance::Loss { probability: percent, burst: 1 },
        Disturbance::Loss { probability: percent, burst: 5 },
        Disturbance::Duplicate { probability: percent },
        Disturbance::Delay { extra },
        Disturbance::Reorder { probability: percent, within: Span::ms(50) },
        Disturbance::Corrupt { probability: percent },
        Disturbance::Bandwidth { rate: 1_000_000_000, queue: 1_000_000 },
    ];
    let network = |active: &[(Disturbance, Scope)]| {
        let mut network = Network::new(&plan::Network::default(), Table::new(1), 5, 5, &[]);
        network.disturb(true, active, None);
        network
    };
    let draw = |mut network: Network| {
        for number in 0..DELIVERIES {
            let from = (number % 5) as u16;
            black_box(network.fate(from, (from + 1) % 5, Time::from_ns(number * 1_000), || 100));
        }
        DELIVERIES
    };
    let all: Vec<_> = families.map(|family| (family, Scope::All)).to_vec();
    let elsewhere: Vec<_> = families.map(|family| (family, Scope::Links(vec![(3, 1)]))).to_vec();
    let titles: Vec<String> = families.iter().map(|family| format!("{family:?}").chars().take(40).collect()).collect();
    let (calm, stormy, elsewhere) = (network(&[]), network(&all), network(&elsewhere));
    let alone: Vec<Network> = all.iter().map(|one| network(std::slice::from_ref(one))).collect();
    let plays: Vec<Box<dyn Fn() -> u64>> = [calm, elsewhere]
        .into_iter()
        .chain(alone)
        .chain([stormy])
        .map(|network| Box::new(move || draw(network.clone())) as Box<dyn Fn() -> u64>)
        .collect();
    let names = ["nothing", "everything, but on another link"].into_iter().chain(titles.iter().map(String::as_str));
    let rows: Vec<Row<'_>> =
        names.chain(["everything"]).zip(&plays).map(|(name, play)| Row(name, play.as_ref())).collect();
    compare("What disturbances cost: the fate of a message between 5 nodes", "fate", &rows);
}

/// Whole runs of Raft with every oracle, in surroundings that each seed draws: what an event costs.
fn storms() {
    const SEEDS: u64 = 150;
    let plans = |preset: &str| -> Vec<Plan<BuiltIn>> {
        let text = format!(
            "(squall: 1, title: \"{preset}\", system: Raft(nodes: 5), workload: (clients: 4, rate: \"15/s\", until: \"10s\"), \
             swarm: {preset}, settle: (heal: true, within: \"20s\"), expect: Holds)"
        );
        let scenario = systems::parse::<BuiltIn>(preset, &text).unwrap_or_else(|wrong| panic!("{wrong:?}"));
        (0..SEEDS).map(|seed| systems::plan(&scenario, preset, seed)).collect()
    };
    let (calm, lan, wan, hostile) = (plans("Calm"), plans("Lan"), plans("Wan"), plans("Hostile"));
    let play = |plans: &[Plan<BuiltIn>]| plans.iter().map(|plan| BuiltIn::play(plan).events).sum();
    compare(
        "The whole environment: Raft in swarms, every oracle and the digest on",
        "event",
        &[
            Row("calm", &|| play(&calm)),
            Row("lan", &|| play(&lan)),
            Row("wan", &|| play(&wan)),
            Row("hostile", &|| play(&hostile)),
        ],
    );
}

fn flatness() {
    let steps_of = |seconds: u64, idle: u16| {
        let until = Span::secs(seconds);
        let plan = raft::plan(1, until, Distribution::ZERO, idle);
        move || raft::squall(&plan, raft::oracles(&plan), Fingerprint::default(), until).steps()
    };
    let (short, busy) = (steps_of(60, 0), steps_of(60, 1_000));
    compare(
        "A step's cost with idle nodes: 5 servers and 10 clients",
        "step",
        &[Row("alone", &short), Row("beside 1,000 idle nodes", &busy)],
    );
    println!("\nA step's cost along one run: all oracles and the digest on");
    let plan = raft::plan(1, Span::secs(3_000), Distribution::ZERO, 0);
    let mut world = squall::world::World::new(plan.clone(), raft::oracles(&plan), Fingerprint::default());
    world.start().expect("a sound start");
    let mut first = None;
    for until in [3, 6, 10, 100, 1_000, 2_500] {
        let (start, steps) = (Instant::now(), world.steps());
        world.run_until(Time::ZERO + Span::secs(until), u64::MAX, |_, _| false).expect("a sound run");
        let cost = start.elapsed().as_nanos() as f64 / (world.steps() - steps) as f64;
        let first = *first.get_or_insert(cost);
        let committed = squall::oracle::spec::Oracle::stats(world.oracles())[0].1;
        println!("  up to {until:>5} s, {committed:>9} entries {cost:>15.1} ns/step   {:>5.2}x", cost / first);
    }
}

/// What an event costs where many clients want one lock, and where a service has many locks.
fn locks() {
    for kind in ["Redis()", "Lease()", "ZooKeeper()"] {
        let few = contention(kind, 5, 1);
        let crowd = contention(kind, 1_000, 1);
        let many = contention(kind, 5, 10_000);
        let play = |plan: &Plan<BuiltIn>| BuiltIn::play(plan).events;
        compare(
            &format!("Locks, {kind}: clients that wait as long as it takes"),
            "event",
            &[
                Row("5 clients, 1 lock", &|| play(&few)),
                Row("1,000 clients, 1 lock", &|| play(&crowd)),
                Row("5 clients, 10,000 locks", &|| play(&many)),
            ],
        );
    }
}

fn contention(kind: &str, clients: u16, locks: u32) -> Plan<BuiltIn> {
    let text = format!(
        r#"(squall: 1, system: Lock(kind: {kind}, locks: {locks}, hold: ("1ms", "3ms")),
            workload: (clients: {clients}, rate: "5/s", until: "20s", patience: "1h"))"#
    );
    let scenario = systems::parse("locks.ron", &text).unwrap_or_else(|mistake| panic!("{mistake}"));
    systems::plan(&scenario, "locks", 1)
}

/// A ring of 1,000 nodes with 1,000 points each: how long it takes to build, to ask and to change.
fn placement() {
    const NODES: u16 = 1_000;
    let member = |id: u16| Member::new(id, format!("node{id:04}"), 1_000);
    let timed = |what: &str, work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        println!("  {what:44} {:>9.2} ms", start.elapsed().as_nanos() as f64 / 1e6);
    };
    println!("\nA ring of 1,000 nodes with 1,000 points each");
    let build = || Ring::new(Settings::default(), (0..NODES).map(member).collect()).expect("a ring");
    let mut ring = build();
    timed("built from nothing", &mut || drop(black_box(build())));
    for round in 1..=3 {
        println!("  round {round}");
        timed("a join", &mut || ring.insert(member(NODES)).expect("a ring"));
        timed("a leave", &mut || ring.remove(NODES));
        timed("a join, the ring before kept", &mut || drop(black_box(ring.with(member(NODES)))));
    }
    let larger = ring.with(member(NODES)).expect("a ring");
    timed("what moves, of 3 copies", &mut || drop(black_box(Movement::between(&ring, &larger, 3))));
    let keys: Vec<String> = (0..1_000_000).map(|key| format!("key-{key}")).collect();
    timed("1,000,000 keys placed", &mut || {
        each(&keys, |key| ring.owner(ring.position(key)));
    });
    let positions: Vec<u128> = keys.iter().map(|key| ring.position(key)).collect();
    let (points, nodes) = (ring.points().positions(), ring.points().nodes());
    let bare = |position: &u128| nodes[points.partition_point(|point| point < position) % points.len()];
    let listed = || {
        let mut list = Vec::new();
        each(&positions, |position| ring.preference(*position, 3, black_box(&mut list)))
    };
    compare(
        "Whose a position is, in that ring",
        "position",
        &[
            Row("bare binary search", &|| each(&positions, bare)),
            Row("owner", &|| each(&positions, |position| ring.owner(*position))),
            Row("preference list of 3", &listed),
        ],
    );
    compare("Where a key stands", "key", &[Row("MD5", &|| each(&keys, |key| ring.position(key)))]);
}

/// What an event costs while a server joins a ring that is in use, of 5 members and of 100, each with 1,000 points: all
/// oracles and the digest on.
fn ring() {
    let (few, many) = (joined(5, 100_000), joined(100, 100_000));
    let small = joined(5, 1_000);
    let play = |plan: &Plan<BuiltIn>| BuiltIn::play(plan).events;
    compare(
        "A ring that a server joins under load",
        "event",
        &[
            Row("5 members, 100,000 keys", &|| play(&few)),
            Row("100 members, 100,000 keys", &|| play(&many)),
            Row("5 members, 1,000 keys", &|| play(&small)),
        ],
    );
}

fn joined(members: u16, keys: u32) -> Plan<BuiltIn> {
    let (nodes, spare) = (members + 1, format!("n{}", members + 1));
    let text = format!(
        r#"(squall: 1, system: Ring(nodes: {nodes}, founders: {members}, points: 1000, beat: "1s", gossip: "2s", dead_after: "10s"),
            workload: (clients: 200, rate: "200/s", until: "20s", keys: {keys}, reads: 0.2),
            faults: [(at: "10s", inject: Join(target: Nodes(["{spare}"])))])"#
    );
    let scenario = systems::parse("ring.ron", &text).unwrap_or_else(|mistake| panic!("{mistake}"));
    systems::plan(&scenario, "ring", 1)
}

/// How long it takes to judge a history: recorded ones beside Porcupine, as recorded with them, and crowds at one object.
fn histories(folder: Option<&Path>) {
    println!("\nHistories: recorded, the median of {ROUNDS} beside Porcupine's");
    let mut classes: BTreeMap<String, (usize, f64, f64, f64)> = BTreeMap::new();
    for history in folder.map(recorded).unwrap_or_default() {
        let judge = || check(&history.calls, history.initial, EFFORT).verdict == Verdict::Linearizable;
        let time = || {
            let start = Instant::now();
            assert_eq!(black_box(judge()), history.is_linearizable, "{}", history.name);
            start.elapsed().as_nanos() as f64 / 1e6
        };
        let mut times: Vec<f64> = (0..ROUNDS).map(|_| time()).collect();
        times.sort_by(f64::total_cmp);
        let (own, other) = (times[ROUNDS / 2], history.porcupine);
        let class = history.name.split(['/', '-']).take(2).map(|part| part.split('_').next().unwrap_or(part));
        let verdict = if history.is_linearizable { "linearizable" } else { "not" };
        let class = classes.entry(format!("{}, {verdict}", class.collect::<Vec<_>>().join(" "))).or_default();
        *class = (class.0 + 1, class.1 + own, class.2 + other, class.3.max(own / other));
    }
    for (class, (files, own, other, worst)) in classes {
        let ratio = own / other;
        println!(
            "  {files:>3} {class:28} {own:>9.3} ms, Porcupine {other:>9.3} ms   {ratio:>5.2}x, the worst {worst:>5.2}x"
        );
    }
    println!("\nHistories: 10,000 calls of 50 clients at one object, and hostile ones, each in a process of its own");
    let program = std::env::current_exe().expect("this program");
    for place in 0..crowds().len() {
        let place = place.to_string();
        let status = std::process::Command::new(&program).args(["crowd", &place]).status();
        assert!(status.is_ok_and(|status| status.success()), "the process for crowd {place} failed");
    }
}

fn crowd(place: usize) {
    let (what, make) = &crowds()[place];
    let calls = make();
    let memory = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak.and_then(|peak| peak.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1024.0
    };
    let (before, start) = (memory(), Instant::now());
    let finding = check(&calls, "", EFFORT);
    let took = start.elapsed().as_secs_f64() * 1e3;
    let what = format!("{what}{}", if place.is_multiple_of(2) { "" } else { ", broken" });
    let verdict = format!("{:?}", finding.verdict);
    let memory = memory() - before;
    println!("  {what:42} {:>6} calls  {verdict:16} {took:>8.1} ms, {memory:>6.1} MB beside the history", calls.len());
}

/// Does something with each thing; answers how many there were.
fn each<T, U>(things: &[T], mut work: impl FnMut(&T) -> U) -> u64 {
    things.iter().for_each(|thing| {
        black_box(work(thing));
    });
    things.len() as u64
}

fn seeds() {
    let path = Path::new("scenarios/raft/storm.ron");
    let Ok(scenario) = systems::load::<BuiltIn>(path) else {
        println!("\n{} is not here: run this from the project's folder", path.display());
        return;
    };
    let start = Instant::now();
    let outcomes = (0..10_000).map(|seed| BuiltIn::play(&systems::plan(&scenario, "raft/storm", seed)));
    let steps: u64 = outcomes.map(|outcome| outcome.steps).sum();
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "\n10,000 seeds of raft/storm: {seconds:.1} s on one thread, {:.1} M steps/s",
        steps as f64 / seconds / 1e6
    );
}
