//! A protocol without a will of its own: what it does is set beforehand, and nobody answers anybody. So whatever
//! happens at one node or on one link hangs on its surroundings alone.

use squall::environment::distribution::Distribution;
use squall::environment::fault::{Command, Fault, KINDS, Kind, LinkSet, PlannedFault, Target};
use squall::environment::plan::Plan;
use squall::environment::text::{ByteRate, Bytes, Offset};
use squall::kernel::chance::Ratio;
use squall::kernel::digest::{Digest, Digestible};
use squall::kernel::time::{Span, Time};
use squall::oracle::spec::Indifferent;
use squall::protocol::{self, Afterwards, Cast, DiskFailure, Found, Io, NodeId, Order, Protocol};
use squall::trace::{Happening, Trace};
use squall::world::World;
use std::sync::Arc;

/// What every node does.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) members: u16,
    /// How often a node does all this; never, if absent, and then it has no timer either.
    pub(crate) beat: Option<Span>,
    /// Who sends to whom, a message a beat.
    pub(crate) links: Vec<(u16, u16)>,
    /// Whether each beat writes a record and syncs.
    pub(crate) writes: bool,
    /// Whether each beat looks at the wall clock.
    pub(crate) reads_wall: bool,
    /// Whether checksums tell what is damaged, messages and records.
    pub(crate) has_checksums: bool,
    /// Whether a node goes on when its disk fails.
    pub(crate) goes_on: bool,
}

impl Setup {
    /// So many members, each of which sends to the next one, writes and syncs every ten milliseconds.
    pub(crate) fn ring(members: u16) -> Setup {
        Setup {
            members,
            beat: Some(Span::ms(10)),
            links: (0..members).map(|from| (from, (from + 1) % members)).collect(),
            writes: true,
            reads_wall: false,
            has_checksums: true,
            goes_on: false,
        }
    }
}

/// The number of a message or a record: a node counts what it does in one life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Number(pub(crate) u64);

impl Digestible for Number {
    fn digest(&self, digest: &mut Digest) {
        digest.word(self.0);
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Timer {
    Beat,
}

impl protocol::Timer for Timer {
    const ALL: &'static [Timer] = &[Timer::Beat];

    fn slot(self) -> usize {
        self as usize
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Probe {
    setup: Setup,
    beats: u64,
}

impl Protocol for Probe {
    type Config = Setup;
    type Message = Number;
    type Timer = Timer;
    type Record = Number;
    /// So many records are durable.
    type Fact = Number;

    fn cast(setup: &Setup) -> Cast {
        Cast::members(setup.members)
    }

    fn boot(setup: &Setup, _: NodeId, _: Found<'_, Number>, io: &mut Io<'_, Probe>) -> Probe {
        if let Some(beat) = setup.beat {
            io.arm(Timer::Beat, beat);
        }
        Probe { setup: setup.clone(), beats: 0 }
    }

    fn on_message(&mut self, _: NodeId, _: Number, _: &mut Io<'_, Probe>) {}

    fn on_timer(&mut self, Timer::Beat: Timer, io: &mut Io<'_, Probe>) {
        self.beats += 1;
        io.arm(Timer::Beat, self.setup.beat.expect("a beat"));
        if self.setup.reads_wall {
            io.wall();
        }
        let me = io.me().number();
        for (_, to) in self.setup.links.iter().filter(|link| link.0 == me) {
            io.send(NodeId::new(*to), Number(self.beats));
        }
        if self.setup.writes {
            io.write(Number(self.beats));
            io.sync();
            io.note(Number(self.beats));
        }
    }

    /// Who never does anything cannot be told to do something.
    fn on_order(&mut self, _: Order, _: &mut Io<'_, Probe>) -> bool {
        self.setup.beat.is_some()
    }

    fn on_disk_failure(&mut self, _: DiskFailure, _: &mut Io<'_, Probe>) -> Afterwards {
        if self.setup.goes_on { Afterwards::GoOn } else { Afterwards::Stop }
    }

    fn garble_message(setup: &Setup, message: &Number, word: u64) -> Option<Number> {
        (!setup.has_checksums).then_some(Number(message.0 ^ word))
    }

    fn garble_record(setup: &Setup, record: &Number, word: u64) -> Option<Number> {
        (!setup.has_checksums).then_some(Number(record.0 ^ word))
    }
}

/// One thing that has happened, without what only this protocol knows.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Event {
    Delivered { from: u16, to: u16, number: u64 },
    Dropped { from: u16, to: u16, number: u64 },
    Fired { node: u16 },
    Ordered { node: u16, order: String },
    Synced { node: u16, records: usize },
    Noted { node: u16, number: u64 },
    Booted { node: u16, records: usize, damage: String },
    DiskFailed { node: u16, failure: String },
    Crashed { node: u16, lost: usize },
}

impl Event {
    /// Whom it concerns.
    pub(crate) fn nodes(&self) -> Vec<u16> {
        match self {
            Event::Delivered { from, to, .. } | Event::Dropped { from, to, .. } => vec![*from, *to],
            Event::Fired { node }
            | Event::Ordered { node, .. }
            | Event::Synced { node, .. }
            | Event::Noted { node, .. }
            | Event::Booted { node, .. }
            | Event::DiskFailed { node, .. }
            | Event::Crashed { node, .. } => vec![*node],
        }
    }
}

/// Keeps everything, but for the beginnings and ends of faults.
#[derive(Clone, Default, Debug)]
pub(crate) struct Recorder {
    pub(crate) events: Vec<(Time, Event)>,
}

impl Trace<Probe> for Recorder {
    fn happened(&mut self, at: Time, what: &Happening<'_, Probe>) {
        let event = match what {
            Happening::Sent { .. } => unreachable!("it does not hear of sending"),
            Happening::Delivered { from, to, message } => {
                Event::Delivered { from: from.number(), to: to.number(), number: message.0 }
            }
            Happening::Dropped { from, to, message } => {
                Event::Dropped { from: from.number(), to: to.number(), number: message.0 }
            }
            Happening::Fired { node, .. } => Event::Fired { node: node.number() },
            Happening::Ordered { node, order } => Event::Ordered { node: node.number(), order: order.to_string() },
            Happening::Synced { node, records } => Event::Synced { node: node.number(), records: *records },
            Happening::Noted { node, fact } => Event::Noted { node: node.number(), number: fact.0 },
            Happening::Booted { node, records, damage } => {
                Event::Booted { node: node.number(), records: *records, damage: format!("{damage:?}") }
            }
            Happening::DiskFailed { node, failure } => {
                Event::DiskFailed { node: node.number(), failure: format!("{failure:?}") }
            }
            Happening::Crashed { node, lost } => Event::Crashed { node: node.number(), lost: *lost },
            // What has become of it will be delivered.
            Happening::Garbled { .. } => return,
            Happening::Began { .. } | Happening::Ended { .. } | Happening::Calmed => return,
        };
        self.events.push((at, event));
    }
}

/// A world in which nothing has been judged, and everything recorded.
pub(crate) type Recorded = World<Probe, Indifferent, Recorder>;

/// A plan of one second; messages take one millisecond, and syncs too.
pub(crate) fn plan(setup: Setup, faults: Vec<PlannedFault>) -> Plan<Setup> {
    let mut plan = Plan::new(setup, 1, Span::secs(1));
    plan.network.latency = Distribution::Const(Span::ms(1));
    plan.disk.sync = Distribution::Const(Span::ms(1));
    plan.faults = faults;
    plan
}

/// Plays a plan to its end.
pub(crate) fn play(plan: Plan<Setup>) -> Recorded {
    let until = plan.calm_from();
    let mut world = World::new(Arc::new(plan), Indifferent, Recorder::default());
    world.start().expect("nobody judges");
    world.run_until(until, u64::MAX, |_, _| false).expect("nobody judges");
    world
}

pub(crate) fn at(ms: u64) -> Time {
    Time::ZERO + Span::ms(ms)
}

/// From one millisecond to another.
pub(crate) fn during(from: u64, until: u64, inject: Fault) -> PlannedFault {
    PlannedFault { until: Some(at(until)), ..PlannedFault::once(at(from), inject) }
}

/// The member with this number.
pub(crate) fn node(number: u16) -> Target {
    Target::Nodes(vec![name(number)])
}

pub(crate) fn link(from: u16, to: u16) -> LinkSet {
    LinkSet::Links(vec![(name(from), name(to))])
}

fn name(number: u16) -> String {
    format!("n{}", number + 1)
}

/// Every kind of fault.
pub(crate) const EVERY: [Kind; KINDS] = [
    Kind::Partition,
    Kind::Kill,
    Kind::Pause,
    Kind::Loss,
    Kind::Duplicate,
    Kind::Delay,
    Kind::DiskSlow,
    Kind::Heal,
    Kind::Clog,
    Kind::Reorder,
    Kind::Corrupt,
    Kind::Bandwidth,
    Kind::Wipe,
    Kind::Destroy,
    Kind::SlowNode,
    Kind::ClockJump,
    Kind::ClockDrift,
    Kind::ClockFreeze,
    Kind::DiskStall,
    Kind::DiskError,
    Kind::DiskFull,
    Kind::TornWrite,
    Kind::LostSync,
    Kind::BitRot,
    Kind::Join,
    Kind::Leave,
    Kind::ReplaceMember,
    Kind::Reweigh,
    Kind::Rezone,
    Kind::Rebalance,
    Kind::TransferLeadership,
];

/// A fault of this kind that hits this target or these links, weakly (1) to strongly (4).
pub(crate) fn fault(kind: Kind, target: Target, links: LinkSet, strength: u64) -> Fault {
    let probability = ratio(strength, 4);
    let slow = Distribution::Const(Span::ms(strength));
    let over = Some(links.clone());
    match kind {
        Kind::Partition => Fault::Partition(links),
        Kind::Clog => Fault::Clog { over },
        Kind::Loss => Fault::Loss { probability, burst: 1, over },
        Kind::Duplicate => Fault::Duplicate { probability, over },
        Kind::Delay => Fault::Delay { extra: slow, over },
        Kind::Reorder => Fault::Reorder { probability, within: Span::ms(5), over },
        Kind::Corrupt => Fault::Corrupt { probability, over },
        Kind::Bandwidth => Fault::Bandwidth { rate: ByteRate(200_000 / strength), queue: Bytes(1_000), over },
        Kind::Kill => Fault::Kill { target },
        Kind::Wipe => Fault::Wipe { target },
        Kind::Destroy => Fault::Destroy { target },
        Kind::Pause => Fault::Pause { target },
        Kind::SlowNode => Fault::SlowNode { target, handling: slow },
        Kind::ClockJump => Fault::ClockJump { target, by: Offset(-1_000_000 * strength as i64) },
        Kind::ClockDrift => Fault::ClockDrift { target, ppm: 50_000 * strength as i32 },
        Kind::ClockFreeze => Fault::ClockFreeze { target },
        Kind::DiskSlow => Fault::DiskSlow { extra: slow, target: Some(target) },
        Kind::DiskStall => Fault::DiskStall { target },
        Kind::DiskError => Fault::DiskError { target, write: probability, sync: probability },
        Kind::DiskFull => Fault::DiskFull { target },
        Kind::TornWrite => Fault::TornWrite { target },
        Kind::LostSync => Fault::LostSync { target },
        Kind::BitRot => Fault::BitRot { target },
        Kind::Heal => Fault::Heal,
        Kind::Join => Fault::Order { target, command: Command::Join },
        Kind::Leave => Fault::Order { target, command: Command::Leave },
        Kind::ReplaceMember => {
            let member = if target == node(0) { node(1) } else { node(0) };
            Fault::Order { target, command: Command::ReplaceMember { member } }
        }
        Kind::Reweigh => Fault::Order { target, command: Command::Reweigh { weight: strength as u32 } },
        Kind::Rezone => Fault::Order { target, command: Command::Rezone { zone: strength as u16 } },
        Kind::Rebalance => Fault::Order { target, command: Command::Rebalance },
        Kind::TransferLeadership => Fault::Order { target, command: Command::TransferLeadership },
    }
}

pub(crate) fn ratio(part: u64, whole: u64) -> Ratio {
    Ratio::new(part, whole).expect("a probability")
}

/// What faults of a kind have come to: planned, fired, changed, effects.
pub(crate) fn counts(world: &Recorded, kind: Kind) -> [u64; 4] {
    let counts = world.fault_counts();
    [&counts.planned, &counts.fired, &counts.changed, &counts.effects].map(|counts| counts[kind as usize])
}
