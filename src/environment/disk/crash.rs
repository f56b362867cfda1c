//! What a crash leaves of a disk.

use super::Disk;
use crate::kernel::chance::below;
use crate::kernel::digest::mix;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What becomes of the records that have not reached the platter when the power fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Survival {
    /// The oldest of them survive, any number from none to all: a disk that writes in order.
    #[default]
    Prefix,
    /// None survives.
    Nothing,
    /// All survive.
    Everything,
    /// Each survives or not by a coin of its own: a disk that reorders. Where one is missing before another that
    /// survives, a hole is left, which reads as damaged.
    AnySubset,
}

/// What a crash has taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Lost {
    /// How many records are gone or damaged that the disk had not acknowledged.
    pub unsynced: usize,
    /// How many are gone or damaged although it had: it had lied, or failed a sync before, or rotted.
    pub durable: usize,
    /// How many of these had not reached the platter: the disk had lied.
    pub pretended: usize,
    /// How many of them all are still there, but damaged.
    pub damaged: usize,
    /// Whether one of the damaged was torn: half written when the power failed.
    pub torn: bool,
}

impl<R: Clone> Disk<R> {
    /// Loses power, and with it everything in memory. Of what has not reached the platter survives what `mode` says,
    /// drawn by `word`; the last of it is half written if `torn`. What has reached it badly is found damaged now.
    ///
    /// What survives is durable from now on, and [`Disk::boot`] says what can be read of it.
    pub fn crash(&mut self, word: u64, mode: Survival, torn: bool) -> Lost {
        let volatile = self.end() - self.flushed;
        let survives = |number: usize| mix(word, number as u64) >> 63 == 1;
        let reached = match mode {
            Survival::Prefix => below(word, volatile as u64 + 1) as usize,
            Survival::Nothing => 0,
            Survival::Everything => volatile,
            Survival::AnySubset => (0..volatile).rev().find(|number| survives(*number)).map_or(0, |last| last + 1),
        };
        let end = self.flushed + reached;
        let mut damaged = self.take_bad();
        damaged.split_off(&end);
        if mode == Survival::AnySubset {
            damaged.extend((0..reached).filter(|number| !survives(*number)).map(|number| self.flushed + number));
        }
        let mut torn = torn && reached > 0 && damaged.insert(end - 1);
        let mut end = end;
        if let Some(place) = self.uncover(end, &damaged) {
            damaged.split_off(&place);
            (end, torn) = (place, false);
        }
        self.begin_at_checkpoint(end, &mut damaged);
        let lost = self.count_lost(end, &damaged, torn);
        if lost.unsynced + lost.durable > 0 {
            let ended = self.ended();
            ended.lost_unsynced += lost.unsynced as u64;
            ended.lost_durable += lost.durable as u64;
        }
        self.records.truncate(end - self.gone);
        self.set_aside(damaged);
        lost
    }

    fn count_lost(&self, end: usize, damaged: &BTreeSet<usize>, torn: bool) -> Lost {
        Lost {
            unsynced: self.end() - end.max(self.synced) + damaged.range(self.synced..).count(),
            durable: self.synced.saturating_sub(end) + damaged.range(..self.synced).count(),
            pretended: self.synced.saturating_sub(end) + damaged.range(self.flushed..self.synced).count(),
            damaged: damaged.len(),
            torn,
        }
    }
}

impl<R> Disk<R> {
    /// How many records it has acknowledged that it holds, readable or not.
    pub fn acknowledged(&self) -> usize {
        self.synced - self.first + self.rare.as_ref().map_or(0, |rare| rare.durable_behind())
    }

    /// A new, empty disk in its place. Answers how many durable records are gone with the old one.
    pub fn wipe(&mut self) -> usize {
        let durable = self.acknowledged();
        let kept = self.kept() as u64;
        self.ended().wiped += kept;
        *self = Disk { written: self.written, ended: self.ended.take(), ..Disk::new() };
        durable
    }
}
