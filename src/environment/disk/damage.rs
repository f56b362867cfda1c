//! Records that cannot be read any more, and what a boot makes of them.
//!
//! A record goes bad on the platter while the node has it in memory and does not notice: bits rot, or a sync
//! failed and was believed to have been mended. When the memory is gone, it is found damaged. A log is read up
//! to the first damaged record: that one and all behind it are set aside. They stay on the platter, and every
//! boot finds them again, until the node writes, which it does where its readable records end, and something of that
//! outlives a crash: what was to be overwritten and was not is still there.

use super::Disk;
use crate::kernel::chance::below;
use std::collections::BTreeSet;
use std::ops::Range;

/// What a boot has read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// How many records, from the oldest on: all of [`Disk::records`].
    pub readable: usize,
    /// What is wrong with the next one, if there is one.
    pub damage: Option<Damage>,
}

/// What the first record that cannot be read says about the others. To tell a crash from corruption a log needs to
/// know how far it was durable. Source: Alagappan et al., "Protocol-Aware Recovery for Consensus-Based Storage",
/// FAST 2018.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Damage {
    /// It lies behind everything that was durable: a crash has interrupted an append that nobody relies on.
    Torn,
    /// It was durable.
    Rotten {
        /// How many records were durable and cannot be read any more: those before which none is damaged.
        lost: usize,
    },
}

/// What is wrong with a disk; for most of them nothing ever is.
#[derive(Clone, Debug)]
pub(super) struct Rare<R> {
    /// Which of the readable records are in memory, but not on the platter, and will not get there.
    bad: BTreeSet<usize>,
    /// Which of them a failed sync has left behind. Bits that rot are nobody's to know before a boot.
    spoilt: BTreeSet<usize>,
    /// What lies behind the readable records since the last crash, each with whether it is damaged. The first is.
    /// While there is any, all readable records have reached the platter.
    behind: Vec<(R, bool)>,
    /// How many of those behind were durable once: the first so many.
    lost: usize,
    /// What lay behind when the node began to write there: it is gone when something of that has reached the platter.
    under: Option<Under<R>>,
}

/// What is being overwritten.
#[derive(Clone, Debug)]
struct Under<R> {
    /// The number of the first record that was written over it.
    place: usize,
    behind: Vec<(R, bool)>,
    lost: usize,
}

impl<R> Default for Rare<R> {
    fn default() -> Rare<R> {
        Rare { bad: BTreeSet::new(), spoilt: BTreeSet::new(), behind: Vec::new(), lost: 0, under: None }
    }
}

impl<R> Rare<R> {
    pub(super) fn first_bad(&self) -> Option<usize> {
        self.bad.first().copied()
    }

    pub(super) fn first_spoilt(&self) -> Option<usize> {
        self.spoilt.first().copied()
    }

    pub(super) fn spoil(&mut self, places: Range<usize>) {
        self.spoilt.extend(places.clone());
        self.bad.extend(places);
    }

    pub(super) fn is_bad(&self, place: usize) -> bool {
        self.bad.contains(&place)
    }

    /// What was before this place is needed no more.
    pub(super) fn forget_before(&mut self, place: usize) {
        self.bad = self.bad.split_off(&place);
        self.spoilt = self.spoilt.split_off(&place);
    }

    /// How many records are sound although they lie behind a damaged one.
    pub(super) fn sound_behind(&self) -> usize {
        self.behind.iter().filter(|(_, damaged)| !damaged).count()
    }

    /// How many of those were durable.
    pub(super) fn durable_behind(&self) -> usize {
        self.behind[..self.lost].iter().filter(|(_, damaged)| !damaged).count()
    }
}

impl<R> Disk<R> {
    /// What the last boot has read, as long as nothing has been written since.
    pub fn found(&self) -> Found {
        let damage = self.rare.as_ref().filter(|rare| !rare.behind.is_empty()).map(|rare| match rare.lost {
            0 => Damage::Torn,
            lost => Damage::Rotten { lost },
        });
        Found { readable: self.end() - self.first, damage }
    }

    /// Everything on the platter, oldest first, each with whether it is damaged: what somebody reads who does not
    /// look at checksums. To be asked between a crash and the first write after it.
    pub fn on_platter(&self) -> impl Iterator<Item = (&R, bool)> {
        let behind = self.rare.iter().flat_map(|rare| &rare.behind).map(|(record, damaged)| (record, *damaged));
        self.records().map(|record| (record, false)).chain(behind)
    }

    /// Bits rot in one of the records that have reached the platter, drawn by `word`; `false` if no sound one has.
    /// A node that is up has the record in memory and does not notice before its next boot.
    pub fn rot(&mut self, word: u64) -> bool {
        let (first, flushed) = (self.first, self.flushed);
        let bad = &mut self.rare().bad;
        let sound = flushed - first - bad.range(..flushed).count();
        if sound == 0 {
            return false;
        }
        let mut place = first + below(word, sound as u64) as usize;
        for earlier in bad.iter() {
            place += usize::from(*earlier <= place);
        }
        assert!(place < flushed && bad.insert(place), "record {place} of {flushed} was not sound");
        true
    }

    /// Overwrites what is damaged, and all behind it.
    #[cold]
    pub(super) fn cut(&mut self) {
        let place = self.end();
        let Some(rare) = &mut self.rare else { return };
        if !rare.behind.is_empty() {
            let cut = rare.sound_behind() as u64;
            let (behind, lost) = (std::mem::take(&mut rare.behind), std::mem::take(&mut rare.lost));
            rare.under = Some(Under { place, behind, lost });
            self.ended.get_or_insert_default().cut += cut;
        }
        if rare.bad.is_empty() && rare.under.is_none() {
            self.rare = None;
        }
    }

    /// After a crash of which so many records are left, and these of them damaged: where records are that nothing readable
    /// has overwritten. If there is such a place they lie behind it again, and what was written there is gone.
    pub(super) fn uncover(&mut self, end: usize, damaged: &BTreeSet<usize>) -> Option<usize> {
        let rare = self.rare.as_mut()?;
        let Under { place, behind, lost } = rare.under.take()?;
        if self.flushed > place || (end > place && !damaged.contains(&place)) {
            return None;
        }
        (rare.behind, rare.lost) = (behind, lost);
        let uncovered = rare.sound_behind() as u64;
        self.ended().cut -= uncovered;
        Some(place)
    }

    /// The records that are bad on the platter, to be found damaged now.
    pub(super) fn take_bad(&mut self) -> BTreeSet<usize> {
        let Some(rare) = &mut self.rare else { return BTreeSet::new() };
        rare.spoilt.clear();
        std::mem::take(&mut rare.bad)
    }
}

impl<R: Clone> Disk<R> {
    /// Reads the platter, after a crash or for the first time. What has rotted since the crash is found, too.
    ///
    /// # Panics
    /// If something is in memory only: there was no crash.
    pub fn boot(&mut self) -> Found {
        let (flushed, end) = (self.flushed, self.end());
        assert!(flushed == end, "a boot reads {end} records, but only {flushed} have reached the platter");
        assert!(self.checkpoint == self.first, "a crash forgets what lies before a checkpoint");
        if self.rare.is_some() {
            let bad = self.take_bad();
            if !bad.is_empty() {
                self.ended().lost_durable += bad.len() as u64;
                self.set_aside(bad);
            }
        }
        self.found()
    }

    /// Nothing is in memory only, and these places are damaged: the first of them ends what can be read.
    pub(super) fn set_aside(&mut self, damaged: BTreeSet<usize>) {
        // Whoever boots relies on what it reads: all of that is durable, if it was not before.
        let durable = self.flushed;
        if let Some(first) = damaged.first().copied() {
            let aside = self.from(first).cloned().enumerate();
            let aside: Vec<_> = aside.map(|(number, record)| (record, damaged.contains(&(first + number)))).collect();
            self.records.truncate(first - self.gone);
            let rare = self.rare();
            // While something lies behind, nothing is volatile: the old places behind go on where the new ones end.
            assert!(rare.behind.is_empty() || first < durable, "{first} of {durable} is damaged, with more behind");
            rare.behind.splice(..0, aside);
            rare.lost = (durable + rare.lost).saturating_sub(first);
        }
        let end = self.end();
        (self.synced, self.flushed, self.syncing, self.wanted) = (end, end, None, 0);
        self.forget();
    }
}
