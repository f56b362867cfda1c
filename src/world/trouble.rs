//! What is wrong with one node while faults last, and what that does to its timers and its disk.

use crate::environment::distribution::Distribution;
use crate::environment::fault::Kind;
use crate::kernel::chance::Ratio;
use crate::kernel::digest::mix;
use crate::kernel::rng::{Purpose, Table};
use crate::kernel::time::{Span, Time};
use crate::protocol::{DiskFailure, NodeId};

/// The troubles of one node.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble {
    /// How long everything takes it, if it is slow.
    pub(super) slow: Option<Distribution>,
    pub(super) disk: DiskTrouble,
    /// Its clocks run faster by so many millionths than they would.
    pub(super) drift_ppm: i64,
    pub(super) is_frozen: bool,
    /// A failing disk has made it stop: nobody but the end of that fault starts it again.
    pub(super) has_stopped: bool,
    /// Its disk was replaced, and nothing that it has written since has survived a crash.
    pub(super) is_disk_new: bool,
    /// It is gone for good.
    pub(super) is_destroyed: bool,
    /// It is being told of a failure of its disk.
    pub(super) is_failing: bool,
    /// A sync that was due while the disk stalled, and in which incarnation.
    pub(super) due_sync: Option<u32>,
    /// Until when it is at work.
    busy: Time,
    /// Timers that have fired and wait for it to have time, a bit for each.
    served: u64,
    /// When each timer is due by the node's own clock, if it is armed and not due yet.
    alarms: Vec<Option<Time>>,
    /// How many draws were made for it.
    handled: u32,
    writes: u32,
    syncs: u32,
    rots: u32,
}

/// The troubles of its disk.
#[derive(Clone, Debug)]
pub(super) struct DiskTrouble {
    pub(super) extra: Vec<Distribution>,
    pub(super) is_stalled: bool,
    pub(super) is_full: bool,
    pub(super) tears: bool,
    pub(super) lies: bool,
    pub(super) write_errors: Ratio,
    pub(super) sync_errors: Ratio,
}

impl Default for DiskTrouble {
    fn default() -> DiskTrouble {
        DiskTrouble {
            extra: Vec::new(),
            is_stalled: false,
            is_full: false,
            tears: false,
            lies: false,
            write_errors: Ratio::ZERO,
            sync_errors: Ratio::ZERO,
        }
    }
}

impl DiskTrouble {
    /// Whether syncs are done at their usual time, and do what they say.
    pub(super) fn syncs_well(&self) -> bool {
        self.extra.is_empty() && !self.is_stalled && !self.lies && self.sync_errors.is_zero()
    }

    /// Whether it may refuse something.
    pub(super) fn refuses(&self) -> bool {
        self.is_full || !self.write_errors.is_zero() || !self.sync_errors.is_zero()
    }
}

impl Trouble {
    /// Of a node with so many timers.
    ///
    /// # Panics
    /// With more than 64.
    pub(super) fn of(timers: usize) -> Trouble {
        assert!(timers <= 64, "a node has at most 64 timers, not {timers}");
        Trouble { alarms: vec![None; timers], ..Trouble::default() }
    }

    /// Forgets what faults do while they last. What they have done stays.
    pub(super) fn calm(&mut self) {
        (self.slow, self.disk, self.drift_ppm, self.is_frozen) = (None, DiskTrouble::default(), 0, false);
    }

    /// Whether it can keep its node from making progress.
    pub(super) fn impairs(&self) -> bool {
        let is_slow = self.slow.is_some() || !self.disk.extra.is_empty();
        is_slow || self.is_frozen || self.disk.is_stalled || self.disk.refuses() || self.is_destroyed
    }

    /// When a slow node will have handled what comes in now; `None` if it does so at once.
    pub(super) fn busy_until(&mut self, now: Time, table: &Table, node: NodeId) -> Option<Time> {
        let slow = self.slow?;
        self.handled += 1;
        let word = table.word(Purpose::Node, u64::from(node.number()), u64::from(self.handled));
        self.busy = self.busy.max(now) + slow.sample(word);
        Some(self.busy).filter(|ready| *ready > now)
    }

    /// The same for a timer that fires; of one that has waited already it is `None`.
    pub(super) fn timer_busy_until(&mut self, slot: usize, now: Time, table: &Table, node: NodeId) -> Option<Time> {
        if self.served >> slot & 1 == 1 {
            return None;
        }
        let ready = self.busy_until(now, table, node)?;
        self.forget_timer(slot);
        self.served |= 1 << slot;
        Some(ready)
    }

    /// A timer is armed and due then by the node's own clock.
    pub(super) fn armed(&mut self, slot: usize, deadline: Time) {
        self.forget_timer(slot);
        self.alarms[slot] = Some(deadline);
    }

    /// A timer is due by the node's own clock, but cannot fire yet.
    pub(super) fn is_due(&mut self, slot: usize) {
        self.alarms[slot] = None;
    }

    /// A timer is not armed any more.
    pub(super) fn forget_timer(&mut self, slot: usize) {
        self.served &= !(1 << slot);
        self.alarms[slot] = None;
    }

    /// Which kind of fault makes its clocks run otherwise than they would, if one does.
    pub(super) fn bends_clocks(&self) -> Option<Kind> {
        match (self.is_frozen, self.drift_ppm) {
            (true, _) => Some(Kind::ClockFreeze),
            (false, 0) => None,
            (false, _) => Some(Kind::ClockDrift),
        }
    }

    /// All timers that are armed and not due yet, and when they are due by the node's own clock.
    pub(super) fn alarms(&self) -> impl Iterator<Item = (usize, Time)> {
        self.alarms.iter().enumerate().filter_map(|(slot, alarm)| Some((slot, (*alarm)?)))
    }

    /// The node has died.
    pub(super) fn on_crash(&mut self) {
        self.served = 0;
        self.alarms.fill(None);
        self.due_sync = None;
        self.busy = Time::ZERO;
    }

    /// How much longer a sync takes.
    pub(super) fn extra_sync(&self, word: u64) -> Span {
        let draws = self.disk.extra.iter().zip(1..).map(|(extra, place)| extra.sample(mix(word, place)));
        draws.fold(Span::ZERO, |sum, extra| sum + extra)
    }

    /// Why a write fails now, if it does, and which kind of fault makes it fail.
    pub(super) fn refuses_write(&mut self, table: &Table, node: NodeId) -> Option<(DiskFailure, Kind)> {
        // Drawn also where there is no room: that must not re-roll the writes after it.
        let fails = fails(self.disk.write_errors, table, 2, node, &mut self.writes);
        if self.disk.is_full {
            return Some((DiskFailure::Full, Kind::DiskFull));
        }
        if fails {
            return Some((DiskFailure::Write, Kind::DiskError));
        }
        None
    }

    /// Which record rots next. The draw hangs on how often this disk has rotted, and not on which fault of the plan
    /// makes it: another fault more must not re-roll it.
    pub(super) fn next_rot(&mut self, table: &Table, node: NodeId) -> u64 {
        self.rots += 1;
        table.word(Purpose::Disk, 5 << 16 | u64::from(node.number()), u64::from(self.rots))
    }

    /// Whether a sync that is due fails.
    pub(super) fn refuses_sync(&mut self, table: &Table, node: NodeId) -> bool {
        fails(self.disk.sync_errors, table, 6, node, &mut self.syncs)
    }
}

/// Draws whether an operation of a disk fails. Writes and syncs count each for themselves, in a row of the table of
/// their own: that syncs may fail must not re-roll the writes.
fn fails(often: Ratio, table: &Table, row: u64, node: NodeId, count: &mut u32) -> bool {
    if often.is_zero() {
        return false;
    }
    *count += 1;
    often.hits(table.word(Purpose::Disk, row << 16 | u64::from(node.number()), u64::from(*count)))
}
