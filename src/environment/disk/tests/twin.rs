//! A disk against its twin, which keeps for every single record what has become of it and finds everything
//! else by looking at all of them.

use super::super::books::Books;
use super::super::crash::{Lost, Survival};
use super::super::damage::{Damage, Found};
use super::super::*;
use crate::kernel::digest::mix;
use crate::kernel::rng::{Dice, Purpose};
use std::collections::BTreeMap;

/// A record that was written and not removed.
#[derive(Clone, Copy)]
struct Item {
    record: u64,
    /// The disk has said that it is durable.
    acknowledged: bool,
    /// Its place on the platter is taken, whatever is written there.
    fixed: bool,
    /// What is written there, or will be, is not the record.
    spoiled: bool,
    /// Its sync has failed.
    failed: bool,
    /// That it is spoiled has been found out.
    damaged: bool,
    /// Somebody had reason to rely on it: an honest sync, or a boot that has read it.
    relied: bool,
}

/// How a record ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    LostUnsynced,
    LostDurable,
    Cut,
    Wiped,
    Forgotten,
}

#[derive(Default)]
struct Twin {
    items: Vec<Item>,
    /// What is being overwritten, and from which place on.
    under: Option<(usize, Vec<Item>)>,
    syncing: Option<usize>,
    wanted: usize,
    written: u64,
    /// The newest record that stands for all before it, until these are forgotten or it is lost.
    checkpoint: Option<u64>,
    fates: BTreeMap<u64, Fate>,
    /// How many records came to each.
    ends: [u64; 5],
}

impl Twin {
    fn readable(&self) -> usize {
        self.items.iter().position(|item| item.damaged).unwrap_or(self.items.len())
    }

    fn visible(&self) -> &[Item] {
        &self.items[..self.readable()]
    }

    fn is_kept(&self, item: &Item) -> bool {
        !self.fates.contains_key(&item.record)
    }

    fn end(&mut self, record: u64, fate: Fate) {
        assert_eq!(self.fates.insert(record, fate), None, "record {record} has ended twice");
        self.ends[fate as usize] += 1;
    }

    fn write(&mut self, record: u64) {
        let (place, under) = (self.readable(), self.items.split_off(self.readable()));
        for item in &under {
            if self.is_kept(item) {
                self.end(item.record, Fate::Cut);
            }
        }
        if !under.is_empty() {
            self.under = Some((place, under));
        }
        self.written += 1;
        let new = Item {
            record,
            acknowledged: false,
            fixed: false,
            spoiled: false,
            failed: false,
            damaged: false,
            relied: false,
        };
        self.items.push(new);
    }

    fn write_checkpoint(&mut self, record: u64) {
        self.forget();
        self.write(record);
        self.checkpoint = Some(record);
    }

    /// Forgets what is before the newest checkpoint, if it is there and well.
    fn forget(&mut self) {
        let is_checkpoint = |item: &Item| Some(item.record) == self.checkpoint && item.fixed && !item.spoiled;
        let Some(place) = self.visible().iter().position(is_checkpoint) else { return };
        for item in self.items.drain(..place).collect::<Vec<_>>() {
            self.end(item.record, Fate::Forgotten);
        }
        self.checkpoint = None;
        self.wanted = self.wanted.saturating_sub(place);
        self.syncing = self.syncing.map(|upto| upto.saturating_sub(place));
        if let Some((under, _)) = &mut self.under {
            *under = under.saturating_sub(place);
        }
    }

    fn begin(&mut self) -> bool {
        let waits = self.visible().iter().take(self.wanted).any(|item| !item.acknowledged);
        if self.syncing.is_some() || !waits {
            return false;
        }
        self.syncing = Some(self.readable());
        true
    }

    fn ask(&mut self) -> bool {
        self.wanted = self.readable();
        self.begin()
    }

    fn acknowledge(&mut self, upto: usize, honest: bool) {
        for item in &mut self.items[..upto] {
            item.acknowledged = true;
            item.fixed |= honest;
            item.relied |= honest;
        }
    }

    fn complete(&mut self, honest: bool) -> bool {
        let upto = self.syncing.take().expect("a sync");
        self.acknowledge(upto, honest);
        self.begin()
    }

    fn spoil(&mut self, upto: usize) {
        self.items[..upto].iter_mut().filter(|item| !item.acknowledged).for_each(|item| {
            (item.spoiled, item.failed) = (true, true);
        });
        self.wanted = 0;
    }

    fn rot(&mut self, word: u64) -> bool {
        let readable = self.readable();
        let mut sound: Vec<_> = self.items[..readable].iter_mut().filter(|item| item.fixed && !item.spoiled).collect();
        let drawn = (u128::from(word) * sound.len() as u128) >> 64;
        sound.get_mut(drawn as usize).map(|item| item.spoiled = true).is_some()
    }

    fn crash(&mut self, word: u64, mode: Survival, torn: bool) -> Lost {
        let readable = self.readable();
        let volatile: Vec<usize> = (0..readable).filter(|place| !self.items[*place].fixed).collect();
        let prefix = (u128::from(word) * (volatile.len() as u128 + 1)) >> 64;
        let survives = |number: usize| match mode {
            Survival::Prefix => (number as u128) < prefix,
            Survival::Nothing => false,
            Survival::Everything => true,
            Survival::AnySubset => mix(word, number as u64) >> 63 == 1,
        };
        for (number, place) in volatile.iter().enumerate() {
            self.items[*place].spoiled |= !survives(number);
        }
        let last = (0..volatile.len()).rev().find(|number| survives(*number)).map(|number| volatile[number]);
        let mut tears = torn && last.is_some_and(|last| !self.items[last].spoiled);
        if tears {
            self.items[last.expect("a last one")].spoiled = true;
        }
        // Behind the last survivor nothing is there; if none survives, behind what was fixed.
        let mut gone = volatile.iter().filter(|place| last.is_none_or(|last| **place > last)).count();
        let mut behind = self.items.split_off(readable);
        if let Some((place, under)) = self.under.take()
            && self.items[place..].iter().all(|item| !item.fixed)
            && (readable - gone == place || self.items[place].spoiled)
        {
            // Nothing has overwritten it that can be read.
            (tears, gone, behind) = (false, readable - place, under);
            for item in &behind {
                if self.fates.get(&item.record) == Some(&Fate::Cut) {
                    self.fates.remove(&item.record);
                    self.ends[Fate::Cut as usize] -= 1;
                }
            }
        }
        let removed = self.items.split_off(readable - gone);
        let reached = |item: &&mut Item| Some(item.record) == self.checkpoint && !item.spoiled;
        self.items.iter_mut().filter(reached).for_each(|item| item.fixed = true);
        self.forget();
        self.checkpoint = None;
        let damaged: Vec<Item> = self.items.iter().filter(|item| item.spoiled).copied().collect();
        let mut lost = Lost { damaged: damaged.len(), torn: tears, ..Lost::default() };
        for item in damaged.iter().chain(&removed) {
            let (fate, count) = match item.acknowledged {
                true => (Fate::LostDurable, &mut lost.durable),
                false => (Fate::LostUnsynced, &mut lost.unsynced),
            };
            *count += 1;
            lost.pretended += usize::from(item.acknowledged && !item.fixed);
            self.end(item.record, fate);
        }
        self.items.extend(behind);
        self.find();
        lost
    }

    fn boot(&mut self) -> Found {
        self.forget();
        let rotten: Vec<u64> = self.visible().iter().filter(|item| item.spoiled).map(record_of).collect();
        rotten.into_iter().for_each(|record| self.end(record, Fate::LostDurable));
        self.find();
        self.found()
    }

    /// The memory is gone, and what is bad shows.
    fn find(&mut self) {
        self.items.iter_mut().for_each(|item| item.damaged |= item.spoiled);
        let readable = self.readable();
        for item in &mut self.items[..readable] {
            (item.acknowledged, item.fixed, item.relied) = (true, true, true);
        }
        (self.syncing, self.wanted) = (None, 0);
    }

    fn found(&self) -> Found {
        let readable = self.readable();
        let lost = self.items[readable..].iter().filter(|item| item.relied).count();
        let damage = match (self.items.len() - readable, lost) {
            (0, _) => None,
            (_, 0) => Some(Damage::Torn),
            (_, lost) => Some(Damage::Rotten { lost }),
        };
        Found { readable, damage }
    }

    fn wipe(&mut self) -> usize {
        let readable = self.readable();
        let mut durable = 0;
        for (place, item) in std::mem::take(&mut self.items).iter().enumerate() {
            if self.is_kept(item) {
                durable += usize::from(if place < readable { item.acknowledged } else { item.relied });
                self.end(item.record, Fate::Wiped);
            }
        }
        (self.syncing, self.wanted, self.under, self.checkpoint) = (None, 0, None, None);
        durable
    }

    fn books(&self) -> Books {
        let [lost_unsynced, lost_durable, cut, wiped, forgotten] = self.ends;
        Books {
            written: self.written,
            kept: self.items.iter().filter(|item| self.is_kept(item)).count() as u64,
            lost_unsynced,
            lost_durable,
            cut,
            wiped,
            forgotten,
        }
    }

    fn agrees_with(&self, disk: &Disk<u64>) {
        let visible = self.visible();
        assert!(disk.records().copied().eq(visible.iter().map(record_of)));
        let acknowledged = visible.iter().filter(|item| item.acknowledged).map(record_of);
        assert!(disk.durable().copied().eq(acknowledged));
        assert_eq!(disk.synced() - disk.first(), visible.iter().take_while(|item| item.acknowledged).count());
        assert_eq!(disk.solid() - disk.first(), visible.iter().take_while(|item| item.fixed && !item.spoiled).count());
        let is_sound = |item: &&Item| item.acknowledged && !item.failed;
        assert_eq!(disk.sound() - disk.first(), visible.iter().take_while(is_sound).count());
        assert_eq!(disk.is_clean(), visible.iter().all(|item| item.acknowledged));
        assert!(
            disk.on_platter()
                .map(|(record, damaged)| (*record, damaged))
                .eq(self.items.iter().map(|item| (item.record, item.damaged)))
        );
        assert_eq!(disk.found(), self.found());
        assert_eq!(disk.books(), self.books());
        assert!(disk.books().balance(), "{:?}", disk.books());
    }
}

fn record_of(item: &Item) -> u64 {
    item.record
}

/// What the histories went through, so that nobody believes in a test that met nothing.
#[derive(Default, Debug)]
struct Met {
    operations: u64,
    torn_in_mode: [u64; 4],
    damaged_in_mode: [u64; 4],
    durable_lost_in_mode: [u64; 4],
    torn_boots: u64,
    rotten_boots: u64,
    crashes_on_damage: u64,
    more_found_at_boot: u64,
    cut: u64,
    wiped: u64,
    forgotten: u64,
}

/// One disk's life of so many operations. What goes wrong with it, and how often, is drawn once a life.
fn live(dice: &mut Dice, operations: u64, met: &mut Met) {
    let (mut disk, mut twin) = (Disk::new(), Twin::default());
    let [lies, failures, rot, crashes, wipes] = [2, 2, 3, 4, 9].map(|rarity| dice.below(30) >> dice.below(rarity + 1));
    let latency = dice.below(4) > 0;
    let checkpoints = [3, 40, u64::MAX][dice.below(3) as usize];
    let burst = 1 + (dice.below(300) >> dice.below(9));
    let mut is_up = true;
    for _ in 0..operations {
        let mut chance = |part: u64| dice.below(100) < part;
        let (honest, fails, rots, dies, is_wiped) =
            (!chance(2 * lies), chance(failures), chance(rot * 3), chance(crashes / 2), chance(wipes / 12));
        if is_wiped {
            assert_eq!(disk.wipe(), twin.wipe());
            is_up = false;
        } else if rots {
            let word = dice.next();
            assert_eq!(disk.rot(word), twin.rot(word));
        } else if dies {
            let mode = dice.below(4) as usize;
            let survival = [Survival::Prefix, Survival::Nothing, Survival::Everything, Survival::AnySubset][mode];
            let (word, torn) = (dice.next(), dice.below(3) == 0);
            met.crashes_on_damage += u64::from(disk.found().damage.is_some());
            let lost = disk.crash(word, survival, torn);
            assert_eq!(lost, twin.crash(word, survival, torn));
            met.torn_in_mode[mode] += u64::from(lost.torn);
            met.damaged_in_mode[mode] += lost.damaged as u64;
            met.durable_lost_in_mode[mode] += lost.durable as u64;
            is_up = false;
        } else if !is_up {
            let before = disk.found();
            let found = disk.boot();
            assert_eq!(found, twin.boot());
            met.more_found_at_boot += u64::from(found != before);
            met.torn_boots += u64::from(found.damage == Some(Damage::Torn));
            met.rotten_boots += u64::from(matches!(found.damage, Some(Damage::Rotten { .. })));
            is_up = true;
        } else if dice.below(2) == 0 {
            for _ in 0..1 + dice.below(burst) {
                let record = twin.written;
                if dice.below(checkpoints) == 0 {
                    disk.write_checkpoint(record);
                    twin.write_checkpoint(record);
                } else {
                    disk.write(record);
                    twin.write(record);
                }
            }
        } else if fails {
            if let Some(upto) = twin.syncing.take() {
                disk.fail();
                twin.spoil(upto);
            } else {
                disk.fail_at_once();
                twin.spoil(twin.readable());
            }
        } else if !latency {
            disk.sync_at_once(honest);
            twin.acknowledge(twin.readable(), honest);
        } else if twin.syncing.is_some() && dice.below(2) == 0 {
            assert_eq!(disk.complete(honest), twin.complete(honest));
        } else {
            assert_eq!(disk.ask(), twin.ask());
        }
        met.operations += 1;
        twin.agrees_with(&disk);
    }
    met.cut += disk.books().cut;
    met.wiped += disk.books().wiped;
    met.forgotten += disk.books().forgotten;
}

#[test]
fn a_disk_agrees_with_its_twin_after_every_operation_and_its_books_balance() {
    let mut dice = Dice::new(1, Purpose::Disk, 0);
    let mut met = Met::default();
    for _ in 0..600 {
        live(&mut dice, 200, &mut met);
    }
    assert_eq!(met.operations, 120_000);
    // Where nothing unsynced survives, nothing tears.
    assert_eq!(met.torn_in_mode[1], 0);
    assert!([0, 2, 3].into_iter().all(|mode| met.torn_in_mode[mode] > 30), "{met:?}");
    assert!(met.damaged_in_mode.iter().chain(&met.durable_lost_in_mode).all(|count| *count > 100), "{met:?}");
    let boots = [met.torn_boots, met.rotten_boots, met.crashes_on_damage, met.more_found_at_boot];
    let rare = [met.cut, met.wiped, met.forgotten].into_iter().chain(boots);
    assert!(rare.into_iter().all(|count| count > 100), "{met:?}");
}

/// A healthy disk has no state of rare things, whatever ordinary life it has led.
#[test]
fn an_honest_life_leaves_nothing_behind_that_costs() {
    let mut dice = Dice::new(2, Purpose::Disk, 0);
    let mut disk = Disk::new();
    for number in 0..5_000_u64 {
        disk.write(number);
        match dice.below(4) {
            0 => disk.sync_at_once(true),
            1 => assert!(!disk.ask() || !disk.complete(true)),
            2 if dice.below(50) == 0 => {
                let modes = [Survival::Prefix, Survival::Nothing, Survival::Everything];
                disk.crash(dice.next(), modes[dice.below(3) as usize], false);
                assert_eq!(disk.boot(), Found { readable: disk.end(), damage: None });
            }
            _ => {}
        }
        assert!(disk.rare.is_none() && disk.solid() == disk.synced());
    }
    let books = disk.books();
    assert!(books.balance() && books.lost_unsynced > 10 && books.lost_durable == 0, "{books:?}");
    assert!(size_of::<Disk<u64>>() <= 112, "{} bytes a disk", size_of::<Disk<u64>>());
}
