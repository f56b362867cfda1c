//! How far a fault reaches: whom it hits sees only that change which the fault is about, and only while it lasts; its
//! dice, and the fates of its messages and syncs, are as they would be.
//!
//! The nodes send and write at each tick whatever they hear. A node's dice give a word a tick, which names what it sends
//! and writes then: the k-th word stands for the k-th message on each of its links, and for its k-th write.

use super::metronome::{Config, Fact, Metronome};
use squall::environment::disk::crash::Survival;
use squall::environment::distribution::Distribution;
use squall::environment::fault::{Command, Direction, Fault, KINDS, Kind, LinkSet, PlannedFault, Target};
use squall::environment::plan::{Clock, Plan};
use squall::environment::text::{ByteRate, Bytes, Offset};
use squall::kernel::chance::Ratio;
use squall::kernel::time::{Span, Time};
use squall::oracle::spec::Indifferent;
use squall::trace::{Happening, Trace};
use squall::world::World;
use std::collections::BTreeMap;
use std::sync::Arc;

/// When the fault begins and ends, in milliseconds: between two ticks, with no sync under way.
const BEGIN: u64 = 510;
const END: u64 = 910;

/// One tick of one node, in true time and by its clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Tick {
    word: u64,
    at: Time,
    now: Time,
    wall: Time,
}

/// What a listener hears.
#[derive(Clone, Default)]
struct Log {
    ticks: [Vec<Tick>; 4],
    /// By sender, receiver and word: when the copies arrived.
    arrivals: BTreeMap<(u16, u16, u64), Vec<Time>>,
    /// By node and word: when what was written then was durable.
    durable: BTreeMap<(u16, u64), Time>,
}

impl Trace<Metronome> for Log {
    fn happened(&mut self, at: Time, what: &Happening<'_, Metronome>) {
        match what {
            Happening::Delivered { from, to, message } => {
                self.arrivals.entry((from.number(), to.number(), **message)).or_default().push(at);
            }
            Happening::Noted { node, fact: Fact::Ticked { word, now, wall } } => {
                self.ticks[node.index()].push(Tick { word: *word, at, now: *now, wall: *wall });
            }
            Happening::Noted { node, fact: Fact::Durable { word } } => {
                self.durable.insert((node.number(), *word), at);
            }
            _ => {}
        }
    }
}

impl Log {
    fn words(&self, node: u16) -> Vec<u64> {
        self.ticks[usize::from(node)].iter().map(|tick| tick.word).collect()
    }

    /// How long the copies of a message took, the quickest first; none if it was lost.
    fn fate(&self, from: u16, to: u16, tick: &Tick) -> Vec<Span> {
        let arrivals = self.arrivals.get(&(from, to, tick.word));
        let mut latencies: Vec<Span> = arrivals.into_iter().flatten().map(|at| at.since(tick.at)).collect();
        latencies.sort_unstable();
        latencies
    }

    /// How long the syncs of a node took, in their order.
    fn syncs(&self, node: u16) -> Vec<Span> {
        let ticks = self.ticks[usize::from(node)].iter();
        ticks.filter_map(|tick| Some(self.durable.get(&(node, tick.word))?.since(tick.at))).collect()
    }
}

/// How what a fault hits may differ from what it would be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Change {
    /// It may not.
    Nothing,
    /// Some is missing, the rest is as it was.
    Less,
    /// Something is there that was not, the rest is as it was.
    More,
    /// It is all there, some of it later.
    Later,
}

impl Change {
    fn allows(self, before: &[Span], after: &[Span]) -> bool {
        match self {
            Change::Nothing => before == after,
            Change::Less => after.iter().all(|span| before.contains(span)) && after.len() <= before.len(),
            Change::More => before.iter().all(|span| after.contains(span)),
            Change::Later => {
                before.len() == after.len() && before.iter().zip(after).all(|(before, after)| before <= after)
            }
        }
    }
}

/// A fault that hits n3 or links from and to it, and what it may change there.
struct Case {
    inject: Fault,
    /// Messages that n3 sends, and those that it should get.
    sent: Change,
    got: Change,
    /// Its syncs: by their number, or by what was written.
    syncs: Change,
    /// Whether its ticks stay when they were.
    keeps_time: bool,
}

const HIT: u16 = 2;

fn n3() -> Target {
    Target::Nodes(vec!["n3".to_owned()])
}

fn links(direction: Direction) -> LinkSet {
    LinkSet::Isolate { target: n3(), direction }
}

fn on_links(inject: Fault, change: Change) -> Case {
    Case { inject, sent: change, got: Change::Nothing, syncs: Change::Nothing, keeps_time: true }
}

fn on_node(inject: Fault, got: Change, syncs: Change) -> Case {
    Case { inject, sent: Change::Nothing, got, syncs, keeps_time: false }
}

fn on_disk(inject: Fault, syncs: Change) -> Case {
    Case { inject, sent: Change::Nothing, got: Change::Nothing, syncs, keeps_time: true }
}

fn order(command: Command) -> Fault {
    Fault::Order { target: n3(), command }
}

/// At least one case of every kind.
fn cases() -> Vec<Case> {
    let (probability, over) = (Ratio::new(1, 3).expect("a third"), Some(links(Direction::Outgoing)));
    let extra = Distribution::Uniform { min: Span::ms(1), max: Span::ms(9) };
    let within = Span::ms(9);
    let bandwidth = Fault::Bandwidth { rate: ByteRate(20_000), queue: Bytes(1_000), over: over.clone() };
    let handling = Distribution::Uniform { min: Span::us(1), max: Span::ms(2) };
    vec![
        on_links(Fault::Partition(links(Direction::Outgoing)), Change::Less),
        Case {
            sent: Change::Nothing,
            got: Change::Less,
            ..on_links(Fault::Partition(links(Direction::Incoming)), Change::Less)
        },
        on_links(Fault::Clog { over: over.clone() }, Change::Later),
        on_links(Fault::Loss { probability, burst: 1, over: over.clone() }, Change::Less),
        on_links(Fault::Loss { probability, burst: 5, over: over.clone() }, Change::Less),
        on_links(Fault::Duplicate { probability, over: over.clone() }, Change::More),
        on_links(Fault::Delay { extra, over: over.clone() }, Change::Later),
        on_links(Fault::Reorder { probability, within, over: over.clone() }, Change::Later),
        on_links(Fault::Corrupt { probability, over }, Change::Less),
        on_links(bandwidth, Change::Later),
        on_links(Fault::Heal, Change::Nothing),
        on_node(Fault::Kill { target: n3() }, Change::Less, Change::Nothing),
        on_node(Fault::Wipe { target: n3() }, Change::Less, Change::Nothing),
        on_node(Fault::Destroy { target: n3() }, Change::Less, Change::Nothing),
        on_node(Fault::Pause { target: n3() }, Change::Later, Change::Later),
        on_node(Fault::SlowNode { target: n3(), handling }, Change::Later, Change::Nothing),
        on_node(Fault::ClockDrift { target: n3(), ppm: 90_000 }, Change::Nothing, Change::Nothing),
        on_node(Fault::ClockFreeze { target: n3() }, Change::Nothing, Change::Nothing),
        on_disk(Fault::ClockJump { target: n3(), by: Offset(777) }, Change::Nothing),
        on_disk(Fault::DiskSlow { extra, target: Some(n3()) }, Change::Later),
        on_disk(Fault::DiskStall { target: n3() }, Change::Later),
        on_disk(Fault::DiskError { target: n3(), write: probability, sync: Ratio::ZERO }, Change::Nothing),
        on_disk(Fault::DiskError { target: n3(), write: Ratio::ZERO, sync: probability }, Change::Less),
        on_disk(Fault::DiskFull { target: n3() }, Change::Nothing),
        on_disk(Fault::TornWrite { target: n3() }, Change::Nothing),
        on_disk(Fault::LostSync { target: n3() }, Change::Nothing),
        on_disk(Fault::BitRot { target: n3() }, Change::Nothing),
        on_disk(order(Command::Join), Change::Nothing),
        on_disk(order(Command::Leave), Change::Nothing),
        on_disk(order(Command::ReplaceMember { member: Target::Nodes(vec!["n1".to_owned()]) }), Change::Nothing),
        on_disk(order(Command::Reweigh { weight: 9 }), Change::Nothing),
        on_disk(order(Command::Rezone { zone: 9 }), Change::Nothing),
        on_disk(order(Command::Rebalance), Change::Nothing),
        on_disk(order(Command::TransferLeadership), Change::Nothing),
    ]
}

fn ms(ms: u64) -> Time {
    Time::ZERO + Span::ms(ms)
}

fn fault(from: u64, until: u64, inject: Fault) -> PlannedFault {
    PlannedFault { at: ms(from), when: None, until: Some(ms(until)), inject }
}

/// In both plans of a comparison the surroundings are those that the kind in question needs.
fn plan(mut faults: Vec<PlannedFault>, kind: Kind) -> Plan<Config> {
    let mut plan = Plan::new(Config::BUSY, 11, Span::secs(2));
    faults.sort_by_key(|fault| fault.at);
    plan.faults = faults;
    let often = Ratio::new(1, 20).expect("a twentieth");
    (plan.network.loss, plan.network.duplicate) = (often, often);
    // What is torn must be there, and what a lie was about must not.
    plan.disk.unsynced = if kind == Kind::LostSync { Survival::Nothing } else { Survival::Everything };
    plan.clocks =
        [(5, 300), (-9, -300), (70, 20), (0, 0)].map(|(offset_ns, drift_ppm)| Clock { offset_ns, drift_ppm }).to_vec();
    plan
}

/// Plays, and answers what was heard and how many faults of the kind have changed something.
fn played(faults: Vec<PlannedFault>, kind: Kind) -> (Log, u64) {
    let plan = plan(faults, kind);
    let end = plan.calm_from();
    let mut world = World::<Metronome, _, _>::new(Arc::new(plan), Indifferent, Log::default());
    world.start().expect("nobody judges");
    world.run_until(end, u64::MAX, |_, _| false).expect("nobody judges");
    (world.trace().clone(), world.fault_counts().changed[kind as usize])
}

/// Whatever was not hit is as it was.
fn assert_others_alike(before: &Log, after: &Log, kind: Kind) {
    for node in (0..4).filter(|node| *node != HIT) {
        assert_eq!(
            before.ticks[usize::from(node)],
            after.ticks[usize::from(node)],
            "{kind:?}: ticks and dice of #{node}"
        );
        assert_eq!(before.syncs(node), after.syncs(node), "{kind:?}: syncs of #{node}");
    }
    let others = |log: &Log| {
        let arrivals = log.arrivals.iter().filter(|((from, to, _), _)| *from != HIT && *to != HIT);
        arrivals.map(|(key, times)| (*key, times.clone())).collect::<BTreeMap<_, _>>()
    };
    let (before_others, after_others) = (others(before), others(after));
    assert!(before_others.len() > 500, "only {} messages", before_others.len());
    assert_eq!(before_others, after_others, "{kind:?}: messages between others");
    // Also whom it hits draws the same words, as many as it comes to draw.
    let (words, more) = (before.words(HIT), after.words(HIT));
    let common = words.len().min(more.len());
    assert!(common > 20, "{kind:?}: only {common} ticks");
    assert_eq!(words[..common], more[..common], "{kind:?}: dice of whom it hits");
}

/// Of what is hit, only what the fault is about has changed, and only while it lasts.
fn assert_hit(before: &Log, after: &Log, case: &Case) {
    let kind = case.inject.kind();
    if case.keeps_time {
        let times = |log: &Log| {
            log.ticks[usize::from(HIT)].iter().map(|tick| (tick.word, tick.at, tick.now)).collect::<Vec<_>>()
        };
        assert_eq!(times(before), times(after), "{kind:?}: ticks of whom it hits");
        let by = if let Fault::ClockJump { by, .. } = case.inject { by.0 as u64 } else { 0 };
        for (before, after) in before.ticks[usize::from(HIT)].iter().zip(&after.ticks[usize::from(HIT)]) {
            let ahead = if before.at >= ms(BEGIN) { by } else { 0 };
            assert_eq!(after.wall.ns(), before.wall.ns() + ahead, "{kind:?}: wall clock at {}", before.at);
        }
    }
    // A destroyed node never comes back.
    let end = if kind == Kind::Destroy { Time::NEVER } else { ms(END) };
    let mut compared = 0;
    for (from, to) in (0..4).flat_map(|from| (0..4).map(move |to| (from, to))) {
        if from == to || from != HIT && to != HIT {
            continue;
        }
        let change = if from == HIT { case.sent } else { case.got };
        let (ticks, more) = (&before.ticks[usize::from(from)], &after.ticks[usize::from(from)]);
        for (tick, other) in ticks.iter().zip(more) {
            // Messages take ten milliseconds at most; who was slow has a few to work off.
            let is_touched = other.at + Span::ms(12) >= ms(BEGIN) && other.at < end;
            let change = if is_touched { change } else { Change::Nothing };
            // What is on its way when the run ends has no fate yet.
            if tick.at.max(other.at) + Span::ms(60) > ms(2_000) {
                continue;
            }
            let (before, after) = (before.fate(from, to, tick), after.fate(from, to, other));
            assert!(
                change.allows(&before, &after),
                "{kind:?}, #{from} to #{to} at {}: {before:?} became {after:?}",
                tick.at
            );
            compared += 1;
        }
    }
    assert!(compared > 350, "{kind:?}: only {compared} messages");
    let (before_syncs, after_syncs) = (before.syncs(HIT), after.syncs(HIT));
    let common = before_syncs.len().min(after_syncs.len());
    assert!(common > 20, "{kind:?}: only {common} syncs");
    match case.syncs {
        Change::Nothing => assert_eq!(before_syncs[..common], after_syncs[..common], "{kind:?}: syncs of whom it hits"),
        // Syncs that come together count as one, and from then on the k-th sync is for a later write.
        Change::Later if kind == Kind::DiskStall => {
            let later = after.ticks[usize::from(HIT)].iter().filter(|tick| tick.at > ms(END)).count();
            let tail = &after_syncs[after_syncs.len() + 1 - later..];
            assert!(tail.len() > 40 && before_syncs.windows(tail.len()).any(|syncs| syncs == tail), "{kind:?}: syncs");
        }
        change => {
            for (tick, other) in before.ticks[usize::from(HIT)].iter().zip(&after.ticks[usize::from(HIT)]) {
                let latency = |log: &Log, tick: &Tick| {
                    log.durable.get(&(HIT, tick.word)).map(|at| at.since(tick.at)).into_iter().collect::<Vec<_>>()
                };
                // What is under way when the run ends is not done.
                if tick.at.max(other.at) + Span::ms(20) > ms(2_000) {
                    continue;
                }
                let (before, after) = (latency(before, tick), latency(after, other));
                let change = if (ms(BEGIN - 3)..ms(END)).contains(&other.at) { change } else { Change::Nothing };
                assert!(change.allows(&before, &after), "{kind:?}: sync at {}: {before:?} became {after:?}", tick.at);
            }
        }
    }
}

#[test]
fn a_fault_more_changes_only_what_it_is_about_and_only_where_and_while_it_is() {
    let mut seen = [false; KINDS];
    for case in cases() {
        let kind = case.inject.kind();
        // Of what only a crash shows, the crash is in both plans; and of a heal, the partition that it heals.
        let mut faults = match kind {
            Kind::TornWrite | Kind::LostSync | Kind::BitRot => vec![fault(END, END + 50, Fault::Kill { target: n3() })],
            Kind::Heal => vec![fault(BEGIN - 50, END, Fault::Partition(links(Direction::Outgoing)))],
            _ => Vec::new(),
        };
        if kind == Kind::TornWrite {
            // n3's clock is 20 millionths fast; it ticks, writes, and dies before the sync is done.
            // The sync takes 100 us at least.
            faults = vec![PlannedFault { at: ms(800) + Span::us(34), ..fault(800, END, Fault::Kill { target: n3() }) }];
        }
        let (before, none) = played(faults.clone(), kind);
        assert_eq!(none, 0);
        faults.push(fault(BEGIN, END, case.inject.clone()));
        let (after, changed) = played(faults, kind);
        assert_eq!(changed, 1, "{kind:?} should change something");
        assert_others_alike(&before, &after, kind);
        if kind != Kind::Heal {
            assert_hit(&before, &after, &case);
        }
        seen[kind as usize] = true;
    }
    assert!(seen.iter().all(|seen| *seen), "some kind has no case: {seen:?}");
}

/// What a disk refuses for another reason is refused once; it does not re-roll what fails after that.
#[test]
fn a_full_disk_does_not_change_which_other_writes_fail() {
    let write = Ratio::new(1, 3).expect("a third");
    let error = fault(0, 2_000, Fault::DiskError { target: n3(), write, sync: Ratio::ZERO });
    let full = fault(BEGIN, END, Fault::DiskFull { target: n3() });
    let (before, _) = played(vec![error.clone()], Kind::DiskFull);
    let (after, changed) = played(vec![error, full], Kind::DiskFull);
    assert_eq!(changed, 1);
    let written = |log: &Log| {
        let ticks = log.ticks[usize::from(HIT)].iter().filter(|tick| !(ms(BEGIN)..ms(END)).contains(&tick.at));
        ticks.map(|tick| log.durable.contains_key(&(HIT, tick.word))).collect::<Vec<_>>()
    };
    let (before, after) = (written(&before), written(&after));
    assert!(before.iter().filter(|written| **written).count() > 30 && before.contains(&false));
    assert_eq!(before, after);
}
