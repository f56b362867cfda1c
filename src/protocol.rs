//! The seam between a protocol and the world: what a node is told, and what it may do.
//!
//! A protocol is sans-I/O. Its handlers get a message or a timer and an [`Io`], change their own
//! state, and append [`Effect`]s to one ordered list. They see no other node, no true time, no
//! thread and no file; so the world around them can be any world, and the same one again.
//!
//! A node that keeps its promises whatever its disk and its clocks do:
//!
//! ```
//! use squall::environment::fault::{Fault, Moment, PlannedFault, Target, Trigger};
//! use squall::environment::plan::Plan;
//! use squall::kernel::time::{Span, Time};
//! use squall::oracle::spec::Indifferent;
//! use squall::protocol::{Afterwards, Cast, Damage, DiskFailure, Found, Io, NodeId, Nothing, Protocol};
//! use squall::{trace::Mute, world::World};
//! use std::sync::Arc;
//!
//! /// Enters every 10 ms that it is not earlier than this.
//! #[derive(Clone, Debug)]
//! struct Diary { entries: usize, refused: usize, is_incomplete: bool }
//!
//! impl Protocol for Diary {
//!     type Config = ();
//!     type Message = Nothing;
//!     type Timer = ();
//!     type Record = Time;
//!     type Fact = u64;
//!
//!     fn cast(_: &()) -> Cast {
//!         Cast::members(1)
//!     }
//!
//!     fn boot(_: &(), _: NodeId, disk: Found<'_, Time>, io: &mut Io<'_, Diary>) -> Diary {
//!         io.arm((), Span::ms(10));
//!         // What was torn was promised to nobody; what has rotted was.
//!         let is_incomplete = matches!(disk.damage, Some(Damage::Rotten { .. } | Damage::Replaced));
//!         Diary { entries: disk.records.len(), refused: 0, is_incomplete }
//!     }
//!
//!     fn on_message(&mut self, _: NodeId, message: Nothing, _: &mut Io<'_, Diary>) {
//!         match message {}
//!     }
//!
//!     fn on_timer(&mut self, (): (), io: &mut Io<'_, Diary>) {
//!         // Before the write: what a turn asks for after a write that fails never happens.
//!         io.arm((), Span::ms(10));
//!         let (earliest, _latest) = io.wall_interval();
//!         io.write(earliest);
//!         io.sync();
//!         self.entries += 1;
//!         io.note(self.entries as u64);
//!     }
//!
//!     fn on_disk_failure(&mut self, failure: DiskFailure, _: &mut Io<'_, Diary>) -> Afterwards {
//!         match failure {
//!             // It is not on the disk, but the turn has counted it.
//!             DiskFailure::Write | DiskFailure::Full => self.entries -= 1,
//!             // Nobody can say what is.
//!             DiskFailure::Sync => return Afterwards::Stop,
//!         }
//!         self.refused += 1;
//!         Afterwards::GoOn
//!     }
//!
//!     fn fact_label(_: &u64) -> &'static str {
//!         "Entered"
//!     }
//! }
//!
//! // From its fifth entry on there is no room for a tenth of a second.
//! let fifth = Moment::Fact("Entered".to_owned());
//! let fifth = Trigger { moment: fifth, skip: 4, after: Span::ZERO, lasts: Some(Span::ms(100)) };
//! let full = PlannedFault::once(Time::ZERO, Fault::DiskFull { target: Target::Subject });
//! let mut plan = Plan::new((), 0, Span::secs(1));
//! plan.clock_uncertainty = Span::ms(3);
//! plan.faults = vec![PlannedFault { when: Some(fifth), ..full }];
//! let mut world = World::<Diary, _, _>::new(Arc::new(plan), Indifferent, Mute);
//! world.start().expect("nobody judges");
//! world.run_until(Time::ZERO + Span::secs(1), u64::MAX, |_, _| false).expect("nobody judges");
//!
//! let host = &world.view().hosts[0];
//! let diary = host.state.as_ref().expect("it has gone on");
//! assert!(diary.refused >= 9 && !diary.is_incomplete);
//! assert_eq!(diary.entries, host.disk.records().count());
//! assert_eq!(host.disk.records().next(), Some(&(Time::ZERO + Span::ms(7))));
//! ```

mod cast;
pub(crate) mod effects;
mod order;

use crate::kernel::digest::{Digest, Digestible};
use crate::kernel::rng::Dice;
use crate::kernel::time::{Span, Time};
use std::fmt::Debug;

pub use cast::{Cast, NodeId};
pub use effects::{Effect, Effects};
pub use order::Order;

/// The timers of a node: typed, few, and each at most once armed.
pub trait Timer: Copy + Debug + 'static {
    /// Every timer a node may have, in the order of their slots.
    const ALL: &'static [Self];

    /// Where this timer stands in [`Timer::ALL`].
    fn slot(self) -> usize;
}

/// For protocols with one timer.
impl Timer for () {
    const ALL: &'static [()] = &[()];

    fn slot(self) -> usize {
        0
    }
}

/// For protocols without timers, records or facts: there is no value of this type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nothing {}

impl Timer for Nothing {
    const ALL: &'static [Nothing] = &[];

    fn slot(self) -> usize {
        match self {}
    }
}

impl Digestible for Nothing {
    fn digest(&self, _: &mut Digest) {
        match *self {}
    }
}

/// One node of a protocol; `Self` is its volatile state. Roles are an enum inside.
pub trait Protocol: Clone + Debug + Sized {
    /// What all nodes are told when they start.
    type Config: Clone + Debug;
    /// What nodes send each other.
    type Message: Clone + Debug + Digestible;
    /// What nodes wait for.
    type Timer: Timer;
    /// What nodes keep on disk.
    type Record: Clone + Debug;
    /// What a node tells the oracles that its state does not show: an operation has returned.
    type Fact: Clone + Debug + Digestible;

    /// Who takes part.
    fn cast(config: &Self::Config) -> Cast;

    /// The first start of a node and every restart: one code path.
    fn boot(config: &Self::Config, me: NodeId, disk: Found<'_, Self::Record>, io: &mut Io<'_, Self>) -> Self;

    /// A message has arrived.
    fn on_message(&mut self, from: NodeId, message: Self::Message, io: &mut Io<'_, Self>);

    /// A timer has fired. It is no longer armed.
    fn on_timer(&mut self, timer: Self::Timer, io: &mut Io<'_, Self>);

    /// An operator orders this node to do something. Answers whether that means something to it now; if not, it has done
    /// nothing. A node that is down hears no orders, and one that sleeps hears them when it wakes.
    fn on_order(&mut self, _order: Order, _io: &mut Io<'_, Self>) -> bool {
        false
    }

    /// A write or a sync of this node has failed. What the failed turn would have sent, armed or noted after it never
    /// happens, as after an error in a program that gives up its work; its own state is as the turn has left it.
    /// Usually nobody can say what is on the disk then, so the node stops, and is started again when the disk is well.
    /// The [example of this module](self) goes on when its disk is full.
    fn on_disk_failure(&mut self, _failure: DiskFailure, _io: &mut Io<'_, Self>) -> Afterwards {
        Afterwards::Stop
    }

    /// By what right this node holds a role now, so that a fault can aim at `"leader"`: of several
    /// that hold it, the one with the largest number is meant. `None` if it does not hold it. Whoever takes itself
    /// for the one that decides is a `"primary"`.
    fn role(&self, _role: &str) -> Option<u64> {
        None
    }

    /// What kind of message this is, for reports and to tell failures apart: `AppendEntries`.
    fn label(_message: &Self::Message) -> &'static str {
        ""
    }

    /// What kind of fact this is, so that a fault can wait for it: `Returned`.
    fn fact_label(_fact: &Self::Fact) -> &'static str {
        ""
    }

    /// Whether this message travels on a connection with its receiver, as over TCP: what was sent before the receiver
    /// last crashed does not arrive any more. Else it is a datagram, and arrives at whoever is there by then.
    fn is_connected(_message: &Self::Message) -> bool {
        false
    }

    /// Whether this record says all that those before it say: a boot that can read it reads from it on, and the others are
    /// forgotten.
    #[inline]
    fn is_checkpoint(_record: &Self::Record) -> bool {
        false
    }

    /// How many bytes a message takes on a link of limited bandwidth.
    fn size(_message: &Self::Message) -> u64 {
        100
    }

    /// What a receiver makes of a message that was damaged on its way: `None` if a checksum tells that it is, and it is
    /// dropped. `word` is random.
    fn garble_message(_config: &Self::Config, _message: &Self::Message, _word: u64) -> Option<Self::Message> {
        None
    }

    /// What a reader makes of a record that is damaged on the disk: `None` if a checksum tells that it is. Then
    /// reading ends there, see [`Found::damage`]. `word` is random.
    fn garble_record(_config: &Self::Config, _record: &Self::Record, _word: u64) -> Option<Self::Record> {
        None
    }
}

/// What a node finds on its disk when it starts.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a, R> {
    /// What can be read, oldest first; nothing at the first start.
    pub records: &'a [R],
    /// Why there is no more, if there was. A node finds it again at every start, until it writes.
    pub damage: Option<Damage>,
}

/// Records that cannot be read: the first of them, and all that came after it. To tell one that was torn from one that
/// has rotted is what a disk's own mark of the last sync is for. Source: Alagappan et al., "Protocol-Aware Recovery for Consensus-Based Storage",
/// FAST 2018, section 3.3.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Damage {
    /// It was never durable: a crash came while it was written. Nobody was promised anything.
    Torn,
    /// It had been durable, and so had some of what came after it.
    Rotten {
        /// How many durable records are lost.
        lost: usize,
    },
    /// All of them: this is another disk than the node had.
    Replaced,
}

/// What a disk refuses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DiskFailure {
    /// A write has failed; the record is not on the disk.
    Write,
    /// There is no room; the record is not on the disk.
    Full,
    /// A sync has failed. What it should have made durable never will be, also if the next one succeeds: the operating
    /// system takes it for written. Source: Rebello et al., "Can Applications Recover from fsync Failures?", USENIX
    /// ATC 2020.
    Sync,
}

/// What a node does after a failure of its disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Afterwards {
    /// It stops, as after a crash.
    Stop,
    /// It goes on.
    GoOn,
}

/// What a handler may use: its own clocks and dice, and the list of its effects.
pub struct Io<'a, P: Protocol> {
    me: NodeId,
    now: Time,
    ahead: Span,
    wall: Time,
    uncertainty: Span,
    has_read_wall: bool,
    dice: &'a mut Dice,
    effects: &'a mut Effects<P>,
}

impl<'a, P: Protocol> Io<'a, P> {
    /// An `Io` for one turn of one node: `now` and `wall` are its clocks. The world makes them; a
    /// test of a handler may make its own.
    #[inline]
    pub fn new(me: NodeId, now: Time, wall: Time, dice: &'a mut Dice, effects: &'a mut Effects<P>) -> Io<'a, P> {
        Io { me, now, ahead: Span::ZERO, wall, uncertainty: Span::ZERO, has_read_wall: false, dice, effects }
    }

    /// The same, of a node whose monotonic clock shows so much more than how long the run has lasted.
    #[inline]
    #[must_use]
    pub fn with_ahead(mut self, ahead: Span) -> Io<'a, P> {
        debug_assert!(self.now.ns() >= ahead.as_ns(), "a clock that is {ahead} ahead shows {}", self.now);
        self.ahead = ahead;
        self
    }

    /// The same, with a wall clock that is believed to be wrong by at most so much.
    #[inline]
    #[must_use]
    pub fn with_uncertainty(mut self, uncertainty: Span) -> Io<'a, P> {
        self.uncertainty = uncertainty;
        self
    }

    /// Whether the wall clock was looked at.
    #[inline]
    pub fn has_read_wall(&self) -> bool {
        self.has_read_wall
    }

    /// This node.
    #[inline]
    pub fn me(&self) -> NodeId {
        self.me
    }

    /// The node's monotonic clock: it drifts, but never jumps and never runs back while the node is up. It begins
    /// anywhere at each start, so only two readings of one node since it was started last can be compared. Source:
    /// clock_gettime(2) of Linux, CLOCK_MONOTONIC: "since some unspecified point in the past".
    #[inline]
    pub fn now(&self) -> Time {
        self.now
    }

    /// How long the run has lasted, as the node's monotonic clock has ticked; restarts change nothing. So a wall clock
    /// would go that is right at the beginning and that nobody ever sets: no real machine has one, and no server should decide by
    /// it. It is for clients that play a workload, which a plan tells when to begin and when to end.
    #[inline]
    pub fn elapsed(&self) -> Time {
        Time::from_ns(self.now.ns().saturating_sub(self.ahead.as_ns()))
    }

    /// The node's wall clock, which may be wrong by any amount.
    #[inline]
    pub fn wall(&mut self) -> Time {
        self.has_read_wall = true;
        self.wall
    }

    /// The earliest and the latest instant that the true time can be, if the wall clock is wrong by no more than it is
    /// believed to be; a fault can make it wrong by more. Source: Corbett et al., "Spanner", OSDI 2012, section 3.
    #[inline]
    pub fn wall_interval(&mut self) -> (Time, Time) {
        let wall = self.wall();
        let earliest = Time::from_ns(wall.ns().saturating_sub(self.uncertainty.as_ns()));
        (earliest, Time::from_ns(wall.ns().saturating_add(self.uncertainty.as_ns())))
    }

    /// The node's own dice.
    #[inline]
    pub fn dice(&mut self) -> &mut Dice {
        self.dice
    }

    /// Sends a message. It may arrive late, twice, never, or after the next one. A message to
    /// oneself arrives at once, but in a turn of its own, and not after a crash.
    #[inline]
    pub fn send(&mut self, to: NodeId, message: P::Message) {
        self.effects.put(Effect::Send { to, message });
    }

    /// Arms a timer, replacing an earlier arming.
    #[inline]
    pub fn arm(&mut self, timer: P::Timer, after: Span) {
        self.effects.put(Effect::Arm { timer, after });
    }

    /// Makes a timer not fire.
    #[inline]
    pub fn disarm(&mut self, timer: P::Timer) {
        self.effects.put(Effect::Disarm(timer));
    }

    /// Writes a record. A crash may lose it until a [`sync`](Io::sync) has completed.
    #[inline]
    pub fn write(&mut self, record: P::Record) {
        self.effects.put(Effect::Write(record));
    }

    /// A gate in the list of effects: what this turn sends or notes after it leaves when all that
    /// the node has written so far is durable. If the node dies first, it never leaves. Free
    /// when everything is durable already: call it before every promise, not only in turns that
    /// wrote. A promise made again while its first writing is still on the way is a promise too.
    #[inline]
    pub fn sync(&mut self) {
        self.effects.put(Effect::Sync);
    }

    /// Tells the oracles a fact.
    #[inline]
    pub fn note(&mut self, fact: P::Fact) {
        self.effects.put(Effect::Note(fact));
    }
}
