//! When a fault begins that waits for a moment, whom it hits, and how long it lasts.

use squall::environment::disk::crash::Survival;
use squall::environment::distribution::Distribution;
use squall::environment::fault::{Direction, Fault, LinkSet, Moment, PlannedFault, Target, Trigger};
use squall::environment::plan::Plan;
use squall::kernel::digest::{Digest, Digestible};
use squall::kernel::time::{Span, Time};
use squall::oracle::spec::Indifferent;
use squall::protocol::{Cast, Found, Io, NodeId, Protocol};
use squall::trace::{Happening, Trace};
use squall::world::World;
use std::sync::Arc;

const MEMBERS: u16 = 3;

/// Its number is that of the beat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Number(u64);

impl Digestible for Number {
    fn digest(&self, digest: &mut Digest) {
        digest.word(self.0);
    }
}

/// Each 10 ms it writes two records, and tells the others when they are durable. The chief is who has had most beats; of several
/// the last of them.
#[derive(Clone, Debug)]
struct Scribe {
    beats: u64,
}

impl Protocol for Scribe {
    type Config = ();
    type Message = Number;
    type Timer = ();
    type Record = Number;
    type Fact = Number;

    fn cast(_: &()) -> Cast {
        Cast::members(MEMBERS)
    }

    fn boot(_: &(), _: NodeId, _: Found<'_, Number>, io: &mut Io<'_, Scribe>) -> Scribe {
        io.arm((), Span::ms(10));
        Scribe { beats: io.elapsed().ns() / 10_000_000 }
    }

    fn on_message(&mut self, _: NodeId, _: Number, _: &mut Io<'_, Scribe>) {}

    fn on_timer(&mut self, (): (), io: &mut Io<'_, Scribe>) {
        self.beats += 1;
        io.arm((), Span::ms(10));
        io.write(Number(2 * self.beats));
        io.write(Number(2 * self.beats + 1));
        io.sync();
        let me = io.me();
        let others = (0..MEMBERS).map(NodeId::new).filter(|node| *node != me);
        others.for_each(|other| io.send(other, Number(self.beats)));
        io.note(Number(self.beats));
    }

    fn role(&self, role: &str) -> Option<u64> {
        (role == "chief" || role == "scribe" && self.beats > 0).then_some(self.beats)
    }

    fn label(message: &Number) -> &'static str {
        if message.0 == 12 { "Twelfth" } else { "Other" }
    }

    fn fact_label(fact: &Number) -> &'static str {
        if fact.0 == 12 { "Twelfth" } else { "Other" }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Event {
    Crashed(u16),
    /// With so many records.
    Booted(u16, usize),
    Came(u16, u16, u64),
}

#[derive(Clone, Default)]
struct Diary(Vec<(Time, Event)>);

impl Trace<Scribe> for Diary {
    fn happened(&mut self, at: Time, what: &Happening<'_, Scribe>) {
        let event = match what {
            Happening::Crashed { node, .. } => Event::Crashed(node.number()),
            Happening::Booted { node, records, .. } => Event::Booted(node.number(), *records),
            Happening::Delivered { from, to, message } => Event::Came(from.number(), to.number(), message.0),
            _ => return,
        };
        self.0.push((at, event));
    }
}

fn at(ms: u64) -> Time {
    Time::ZERO + Span::ms(ms)
}

fn named(number: u16) -> Target {
    Target::Nodes(vec![format!("n{}", number + 1)])
}

/// A disk takes so long for a sync, and of what it has not synced a crash leaves so much.
fn played(sync: Span, unsynced: Survival, faults: Vec<PlannedFault>) -> Vec<(Time, Event)> {
    let mut plan = Plan::new((), 7, Span::secs(1));
    plan.network.latency = Distribution::Const(Span::ms(1));
    (plan.disk.sync, plan.disk.unsynced) = (Distribution::Const(sync), unsynced);
    plan.faults = faults;
    let mut world = World::<Scribe, _, _>::new(Arc::new(plan), Indifferent, Diary::default());
    world.start().expect("nobody judges");
    world.run_until(at(400), u64::MAX, |_, _| false).expect("nobody judges");
    world.trace().0.clone()
}

/// From 95 ms on the subject of such a moment is killed for 20 ms.
fn kill(moment: Moment, skip: u32, after: Span) -> PlannedFault {
    let when = Some(Trigger { moment, skip, after, lasts: Some(Span::ms(20)) });
    PlannedFault { when, ..PlannedFault::once(at(95), Fault::Kill { target: Target::Subject }) }
}

/// Who dies when, and with how many records it starts again and when.
fn deaths(story: &[(Time, Event)]) -> Vec<(u64, u16, u64, usize)> {
    let ms = |time: Time| time.ns() / 1_000_000;
    let died = story.iter().enumerate().filter_map(|(place, (time, event))| match event {
        Event::Crashed(node) => Some((place, ms(*time), *node)),
        _ => None,
    });
    let again = |place: usize, who: u16| {
        let booted = story[place..].iter().find_map(|(time, event)| match event {
            Event::Booted(node, records) if *node == who => Some((ms(*time), *records)),
            _ => None,
        });
        booted.expect("it starts again")
    };
    died.map(|(place, time, node)| {
        let (started, records) = again(place, node);
        (time, node, started, records)
    })
    .collect()
}

/// Nine beats leave eighteen records; the tenth is interrupted where the moment says.
#[test]
fn a_fault_at_an_operation_of_a_disk_comes_before_anything_else() {
    let sync = Span::ms(1);
    for (moment, survival, records, is_told) in [
        (Moment::Written, Survival::Everything, 19, false),
        (Moment::Syncing, Survival::Everything, 20, false),
        (Moment::Syncing, Survival::Nothing, 18, false),
        (Moment::Synced, Survival::Nothing, 20, true),
    ] {
        let story = played(sync, survival, vec![kill(moment.clone(), 0, Span::ZERO)]);
        let died = if moment == Moment::Synced { 101 } else { 100 };
        assert_eq!(deaths(&story), [(died, 0, died + 20, records)], "{moment:?}");
        let told = story.iter().any(|(_, event)| *event == Event::Came(0, 1, 10));
        assert_eq!(told, is_told, "{moment:?}");
    }
}

#[test]
fn moments_are_let_by_one_by_one_and_only_from_when_the_fault_waits() {
    let killed =
        |moment, skip| deaths(&played(Span::ms(1), Survival::Everything, vec![kill(moment, skip, Span::ZERO)]));
    assert_eq!(killed(Moment::Written, 3), [(100, 1, 120, 20)]);
    assert_eq!(killed(Moment::Written, 6), [(110, 0, 130, 21)]);
    assert_eq!(killed(Moment::Syncing, 2), [(100, 2, 120, 20)]);
    assert_eq!(killed(Moment::Fact("Twelfth".to_owned()), 1), [(121, 1, 141, 24)]);
    // n2 hears of it first, and then n3.
    assert_eq!(killed(Moment::Message("Twelfth".to_owned()), 1), [(122, 2, 142, 24)]);
}

#[test]
fn a_fault_that_waits_for_a_while_more_hits_whom_its_moment_was_about_and_lasts_as_long_as_it_should() {
    let late = kill(Moment::Written, 1, Span::ms(7));
    assert_eq!(deaths(&played(Span::ms(1), Survival::Everything, vec![late])), [(107, 0, 127, 20)]);
    let crashed = kill(Moment::Crashed, 0, Span::ms(5));
    let first = PlannedFault { until: Some(at(103)), ..PlannedFault::once(at(100), Fault::Kill { target: named(1) }) };
    let story = deaths(&played(Span::ms(1), Survival::Everything, vec![crashed, first.clone()]));
    assert_eq!(
        story.iter().map(|death| (death.0, death.1, death.2)).collect::<Vec<_>>(),
        [(100, 1, 103), (105, 1, 125)]
    );
    let started = kill(Moment::Started, 0, Span::ms(2));
    let story = deaths(&played(Span::ms(1), Survival::Everything, vec![started, first]));
    assert_eq!(
        story.iter().map(|death| (death.0, death.1, death.2)).collect::<Vec<_>>(),
        [(100, 1, 103), (105, 1, 125)]
    );
}

#[test]
fn a_disk_that_needs_no_time_syncs_all_the_same() {
    let story = played(Span::ZERO, Survival::Nothing, vec![kill(Moment::Synced, 1, Span::ZERO)]);
    assert_eq!(deaths(&story), [(100, 1, 120, 20)]);
}

/// A sync takes two and a half beats, so that one follows the other: they begin at 10, 35, 60, 85 and 110 ms.
#[test]
fn a_sync_that_follows_another_begins_like_any_other() {
    let story = played(Span::ms(25), Survival::Nothing, vec![kill(Moment::Syncing, 0, Span::ZERO)]);
    // What was written until 85 ms was to be durable at 110.
    assert_eq!(deaths(&story), [(110, 0, 130, 16)]);
}

/// The chief that is cut off stays so when another one is chief, and when other faults come and go.
#[test]
fn whom_a_fault_hits_is_said_when_it_begins() {
    let chief = || Target::Role("chief".to_owned());
    let cut = LinkSet::Isolate { target: chief(), direction: Direction::Both };
    let during = |from, until, inject| PlannedFault { until: Some(at(until)), ..PlannedFault::once(at(from), inject) };
    let faults = vec![
        // n3, and n2 as long as n3 is down.
        during(105, 305, Fault::Partition(cut)),
        during(155, 255, Fault::Kill { target: named(2) }),
        during(205, 235, Fault::Clog { over: Some(LinkSet::Links(Vec::new())) }),
    ];
    let story = played(Span::ms(1), Survival::Everything, faults);
    let came = |one: u16, other: u16, from: u64, until: u64| {
        let is_it = |(time, event): &&(Time, Event)| {
            matches!(event, Event::Came(a, b, _) if (*a, *b) == (one, other)) && (at(from)..at(until)).contains(time)
        };
        story.iter().filter(is_it).count()
    };
    assert_eq!((came(0, 1, 106, 305), came(1, 0, 106, 305)), (20, 20), "the others hear each other");
    assert_eq!([came(0, 2, 106, 305), came(1, 2, 106, 305), came(2, 0, 106, 305), came(2, 1, 106, 305)], [0; 4]);
    assert!(came(2, 0, 305, 400) > 5);
}

#[test]
fn who_holds_a_role_is_hit_with_all_others_who_do() {
    let until = |ms, inject| PlannedFault { until: Some(at(ms)), ..PlannedFault::once(at(105), inject) };
    let scribes = Target::Holders("scribe".to_owned());
    let story = played(Span::ms(1), Survival::Everything, vec![until(150, Fault::Kill { target: scribes })]);
    let died: Vec<_> = deaths(&story).iter().map(|death| (death.0, death.1, death.2)).collect();
    assert_eq!(died, [(105, 0, 150), (105, 1, 150), (105, 2, 150)]);
}

/// At 100 ms n1 writes for the first time since the fault waits.
#[test]
fn who_waits_begins_no_more_when_it_would_be_over_and_ends_when_it_must() {
    for (until, after, died) in
        [(107, 7, vec![]), (108, 7, vec![(107, 0, 108)]), (104, 0, vec![(100, 0, 104)]), (99, 0, vec![])]
    {
        let waits = PlannedFault { until: Some(at(until)), ..kill(Moment::Written, 0, Span::ms(after)) };
        let story = played(Span::ms(1), Survival::Everything, vec![waits]);
        let deaths: Vec<_> = deaths(&story).iter().map(|death| (death.0, death.1, death.2)).collect();
        assert_eq!(deaths, died, "until {until} ms, {after} ms after its moment");
    }
}
