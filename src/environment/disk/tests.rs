//! The story of each fault of a disk.

mod twin;

use super::books::Books;
use super::crash::{Lost, Survival};
use super::damage::{Damage, Found};
use super::*;

/// A disk with so much on the platter, and behind it so much that nobody has synced.
fn disk(durable: &str, unsynced: &str) -> Disk<char> {
    let mut disk = Disk::new();
    durable.chars().for_each(|record| disk.write(record));
    disk.sync_at_once(true);
    unsynced.chars().for_each(|record| disk.write(record));
    disk
}

fn readable(disk: &Disk<char>) -> String {
    disk.records().collect()
}

/// What somebody reads who does not look at checksums; damaged records as capitals.
fn platter(disk: &Disk<char>) -> String {
    let shown = |(record, damaged): (&char, bool)| if damaged { record.to_ascii_uppercase() } else { *record };
    disk.on_platter().map(shown).collect()
}

/// The word that draws `number` of `count`.
fn drawing(number: u64, count: u64) -> u64 {
    (u128::from(number) << 64).div_ceil(u128::from(count)) as u64
}

/// The same with a checkpoint, a capital, that has reached the platter or not.
fn with_checkpoint(is_durable: bool) -> Disk<char> {
    let mut disk = disk("abc", "d");
    disk.write_checkpoint('K');
    disk.write('e');
    if is_durable {
        disk.sync_at_once(true);
    }
    disk
}

#[test]
fn a_boot_reads_from_the_newest_checkpoint_on() {
    let mut disk = with_checkpoint(true);
    assert_eq!(
        (readable(&disk).as_str(), disk.first()),
        ("abcdKe", 0),
        "nothing is forgotten that somebody may look at"
    );
    disk.write('f');
    let lost = disk.crash(0, Survival::Nothing, false);
    assert_eq!(lost, Lost { unsynced: 1, ..Lost::default() });
    assert_eq!(disk.boot(), Found { readable: 2, damage: None });
    assert_eq!((readable(&disk).as_str(), disk.first(), disk.end()), ("Ke", 4, 6));
    assert_eq!((disk.record(3), disk.record(4)), (None, Some(&'K')));
    assert_eq!(disk.books(), Books { written: 7, kept: 2, lost_unsynced: 1, forgotten: 4, ..Books::default() });
}

#[test]
fn what_rots_before_a_checkpoint_harms_nobody() {
    let mut disk = with_checkpoint(true);
    assert!(disk.rot(drawing(1, 6)));
    assert_eq!(disk.crash(0, Survival::Nothing, false), Lost::default());
    assert_eq!((disk.boot().damage, readable(&disk).as_str()), (None, "Ke"));
}

#[test]
fn a_checkpoint_that_is_lost_or_torn_or_rotten_is_none() {
    let mut lost = with_checkpoint(false);
    lost.crash(0, Survival::Nothing, false);
    assert_eq!((lost.boot(), readable(&lost).as_str()), (Found { readable: 3, damage: None }, "abc"));
    let mut torn = disk("abc", "d");
    torn.write_checkpoint('K');
    torn.crash(0, Survival::Everything, true);
    assert_eq!((torn.boot().damage, readable(&torn).as_str()), (Some(Damage::Torn), "abcd"));
    let mut rotten = with_checkpoint(true);
    assert!(rotten.rot(drawing(4, 6)));
    rotten.crash(0, Survival::Nothing, false);
    assert_eq!((rotten.boot().damage, readable(&rotten).as_str()), (Some(Damage::Rotten { lost: 2 }), "abcd"));
}

#[test]
fn the_next_checkpoint_forgets_what_the_last_one_stands_for() {
    let mut disk = with_checkpoint(true);
    disk.write_checkpoint('L');
    assert_eq!((readable(&disk).as_str(), disk.first(), disk.synced()), ("KeL", 4, 6));
    disk.write_checkpoint('M');
    assert_eq!(disk.first(), 4, "L is not durable yet");
    disk.sync_at_once(true);
    disk.crash(0, Survival::Nothing, false);
    assert_eq!(readable(&disk), "M");
}

#[test]
fn who_asks_during_a_sync_gets_another_one_after_it() {
    let mut disk = Disk::new();
    disk.write('a');
    assert!(disk.ask());
    disk.write('b');
    assert!(!disk.ask());
    disk.write('c');
    assert!(disk.complete(true));
    assert!(disk.durable().eq(&['a']));
    assert!(!disk.complete(true));
    assert!(disk.durable().eq(&['a', 'b', 'c']));
    assert!(!disk.ask());
}

#[test]
fn a_crash_keeps_what_was_synced_and_a_prefix_of_the_rest() {
    for (word, kept) in [(0, "ab"), (u64::MAX / 2, "abc"), (u64::MAX, "abcd")] {
        let mut disk = disk("ab", "cd");
        let lost = disk.crash(word, Survival::Prefix, false);
        assert_eq!(lost, Lost { unsynced: 4 - kept.len(), ..Lost::default() });
        assert_eq!(readable(&disk), kept);
        assert!(disk.is_clean());
        assert_eq!(disk.boot(), Found { readable: kept.len(), damage: None });
    }
}

#[test]
fn the_unsynced_all_go_or_all_stay_if_the_mode_says_so() {
    for (mode, kept) in [(Survival::Nothing, "ab"), (Survival::Everything, "abcd")] {
        for word in [0, 1, u64::MAX / 3, u64::MAX] {
            let mut disk = disk("ab", "cd");
            assert_eq!(disk.crash(word, mode, false).unsynced, 4 - kept.len());
            assert_eq!((readable(&disk).as_str(), disk.is_clean()), (kept, true));
        }
    }
}

/// Each of the eight subsets of three records comes about equally often, and what lies behind a missing one is
/// not read.
#[test]
fn a_disk_that_reorders_keeps_any_subset_and_leaves_holes() {
    let mut seen = std::collections::BTreeMap::new();
    for number in 0..8_000_u64 {
        let mut disk = disk("a", "bcd");
        let word = crate::kernel::digest::mix(number, 1);
        let lost = disk.crash(word, Survival::AnySubset, false);
        let found = disk.boot();
        let platter = platter(&disk);
        assert_eq!(lost.unsynced, 3 - platter.chars().skip(1).filter(char::is_ascii_lowercase).count());
        assert_eq!((lost.durable, lost.torn), (0, false));
        assert_eq!(platter.find(char::is_uppercase), found.damage.map(|_| found.readable));
        assert!(found.damage.is_none_or(|damage| damage == Damage::Torn), "nobody was told that these are durable");
        *seen.entry(platter).or_insert(0_u64) += 1;
    }
    let subsets: Vec<&str> = seen.keys().map(String::as_str).collect();
    assert_eq!(subsets, ["a", "aBCd", "aBc", "aBcd", "ab", "abCd", "abc", "abcd"]);
    // A thousand each, give or take five standard deviations of 30.
    assert!(seen.values().all(|count| count.abs_diff(1_000) < 150), "{seen:?}");
}

#[test]
fn the_last_record_is_torn_if_it_was_not_synced() {
    let mut disk = disk("ab", "cd");
    let lost = disk.crash(0, Survival::Everything, true);
    assert_eq!(lost, Lost { unsynced: 1, damaged: 1, torn: true, ..Lost::default() });
    assert_eq!(platter(&disk), "abcD");
    assert_eq!(disk.boot(), Found { readable: 3, damage: Some(Damage::Torn) });
}

#[test]
fn what_was_synced_does_not_tear() {
    for (unsynced, mode) in [("", Survival::Everything), ("cd", Survival::Nothing)] {
        let mut disk = disk("ab", unsynced);
        let lost = disk.crash(u64::MAX, mode, true);
        assert!(!lost.torn && lost.damaged == 0, "{lost:?}");
        assert_eq!(disk.boot(), Found { readable: 2, damage: None });
    }
}

#[test]
fn a_lie_shows_in_a_crash_and_leaves_no_trace() {
    let mut disk = disk("ab", "cd");
    assert!(disk.ask());
    assert!(!disk.complete(false));
    assert!(disk.is_clean() && disk.synced() == 4, "the disk says that all is well");
    assert_eq!(disk.solid(), 2);
    disk.write('e');
    let lost = disk.crash(0, Survival::Nothing, false);
    assert_eq!(lost, Lost { unsynced: 1, durable: 2, pretended: 2, ..Lost::default() });
    assert_eq!(disk.boot(), Found { readable: 2, damage: None }, "the mark of the lie is gone, too");
}

#[test]
fn an_honest_sync_makes_true_what_an_earlier_lie_left_out() {
    let mut disk = disk("a", "b");
    disk.sync_at_once(false);
    disk.write('c');
    disk.sync_at_once(true);
    assert_eq!(disk.crash(0, Survival::Nothing, false), Lost::default());
    assert_eq!(readable(&disk), "abc");
}

/// A record that was torn behind a lie looks as if it had never been acknowledged: nobody can tell.
#[test]
fn a_lie_that_is_torn_looks_like_an_interrupted_append() {
    let mut disk = disk("a", "bc");
    disk.sync_at_once(false);
    let lost = disk.crash(0, Survival::Everything, true);
    assert_eq!(lost, Lost { unsynced: 0, durable: 1, pretended: 1, damaged: 1, torn: true });
    assert_eq!(disk.boot(), Found { readable: 2, damage: Some(Damage::Torn) });
}

/// The whole story of PostgreSQL's fsync: the first sync fails, the second succeeds, and the data is not there.
#[test]
fn a_sync_that_is_repeated_after_a_failure_succeeds_and_mends_nothing() {
    let mut disk = disk("a", "bc");
    assert!(disk.ask());
    disk.write('d');
    disk.fail();
    assert_eq!((disk.synced(), readable(&disk).as_str()), (1, "abcd"));
    assert!(disk.ask(), "what failed may be asked for again");
    assert!(!disk.complete(true));
    assert!(disk.is_clean() && readable(&disk) == "abcd", "in memory all is well");
    assert_eq!(disk.solid(), 1);
    let lost = disk.crash(0, Survival::Nothing, false);
    assert_eq!(lost, Lost { durable: 2, damaged: 2, ..Lost::default() });
    assert_eq!(platter(&disk), "aBCd");
    assert_eq!(disk.boot(), Found { readable: 1, damage: Some(Damage::Rotten { lost: 3 }) });
}

#[test]
fn what_failed_to_sync_and_was_never_acknowledged_is_an_interrupted_append() {
    let mut disk = disk("a", "bc");
    disk.fail_at_once();
    assert_eq!(disk.crash(0, Survival::Everything, false), Lost { unsynced: 2, damaged: 2, ..Lost::default() });
    assert_eq!(disk.boot(), Found { readable: 1, damage: Some(Damage::Torn) });
}

#[test]
fn a_failed_sync_is_not_followed_by_the_one_that_was_asked_for_meanwhile() {
    let mut disk = disk("", "a");
    assert!(disk.ask());
    disk.write('b');
    assert!(!disk.ask());
    disk.fail();
    disk.write('c');
    assert_eq!(disk.synced(), 0);
    assert!(disk.ask() && !disk.complete(true), "one for all three, and no more");
}

#[test]
fn rot_is_noticed_at_the_next_boot_and_not_before() {
    let mut disk = disk("abcd", "e");
    assert!(disk.rot(drawing(2, 4)));
    assert_eq!((readable(&disk).as_str(), disk.solid()), ("abcde", 2));
    disk.write('f');
    disk.sync_at_once(true);
    assert_eq!(readable(&disk), "abcdef", "a node that is up goes on writing behind it");
    assert_eq!(disk.crash(0, Survival::Prefix, false), Lost { durable: 1, damaged: 1, ..Lost::default() });
    assert_eq!(platter(&disk), "abCdef");
    assert_eq!(disk.boot(), Found { readable: 2, damage: Some(Damage::Rotten { lost: 4 }) });
}

#[test]
fn what_rots_while_the_node_is_down_is_found_when_it_starts() {
    let mut disk = disk("abc", "");
    disk.crash(0, Survival::Prefix, false);
    assert!(disk.rot(drawing(1, 3)));
    assert_eq!(disk.boot(), Found { readable: 1, damage: Some(Damage::Rotten { lost: 2 }) });
    // Every boot finds it again, and one more record can rot in front of it.
    assert_eq!(disk.crash(0, Survival::Prefix, false), Lost::default());
    assert!(disk.rot(0));
    assert_eq!(disk.boot(), Found { readable: 0, damage: Some(Damage::Rotten { lost: 3 }) });
    assert!(!disk.rot(0), "nothing is left to rot");
}

#[test]
fn what_was_to_be_overwritten_and_was_not_is_found_again() {
    for (mode, torn, found) in [
        (Survival::Nothing, false, Some(Damage::Rotten { lost: 2 })),
        (Survival::Everything, true, Some(Damage::Rotten { lost: 2 })),
        (Survival::Everything, false, None),
    ] {
        let mut disk = disk("abc", "");
        assert!(disk.rot(drawing(1, 3)));
        disk.crash(0, Survival::Prefix, false);
        assert_eq!(disk.boot(), Found { readable: 1, damage: Some(Damage::Rotten { lost: 2 }) });
        disk.write('d');
        disk.crash(0, mode, torn);
        assert_eq!(disk.boot().damage, found, "{mode:?}");
        assert_eq!(platter(&disk), if found.is_some() { "aBc" } else { "ad" });
    }
}

#[test]
fn each_sound_record_on_the_platter_rots_once_and_no_other() {
    let mut disk = disk("abcdefgh", "xyz");
    for left in (1..=8).rev() {
        assert!(disk.rot(drawing(left / 2, left)));
    }
    assert!(!disk.rot(0));
    disk.crash(0, Survival::Nothing, false);
    assert_eq!(platter(&disk), "ABCDEFGH");
}

/// A boot that reads a record which no sync has acknowledged relies on it: when that rots, it is no interrupted append.
#[test]
fn what_a_boot_has_read_was_durable() {
    let mut disk = disk("a", "bc");
    disk.crash(0, Survival::Everything, true);
    assert_eq!(disk.boot(), Found { readable: 2, damage: Some(Damage::Torn) });
    assert!(disk.rot(drawing(1, 2)));
    disk.crash(0, Survival::Prefix, false);
    assert_eq!(disk.boot(), Found { readable: 1, damage: Some(Damage::Rotten { lost: 1 }) });
}

#[test]
fn the_first_write_overwrites_what_is_damaged_and_all_behind_it() {
    let mut disk = disk("abcd", "");
    assert!(disk.rot(drawing(1, 4)));
    disk.crash(0, Survival::Prefix, false);
    disk.boot();
    assert_eq!(platter(&disk), "aBcd");
    disk.write('x');
    assert_eq!((platter(&disk).as_str(), disk.synced()), ("ax", 1));
    assert_eq!(disk.found().damage, None);
    assert_eq!(disk.books(), Books { written: 5, kept: 2, lost_durable: 1, cut: 2, ..Books::default() });
    // What was to take their place never reached the platter.
    disk.crash(0, Survival::Nothing, false);
    assert_eq!(disk.boot(), Found { readable: 1, damage: Some(Damage::Rotten { lost: 3 }) });
}

#[test]
fn whoever_looks_at_no_checksums_holds_what_it_took_and_what_lay_behind_is_gone() {
    let mut disk = disk("abcde", "");
    assert!(disk.rot(drawing(1, 5)));
    disk.crash(0, Survival::Nothing, false);
    assert_eq!(disk.boot(), Found { readable: 1, damage: Some(Damage::Rotten { lost: 4 }) });
    assert_eq!(platter(&disk), "aBcde");
    disk.misread(vec!['x', 'c']);
    assert_eq!((readable(&disk).as_str(), platter(&disk).as_str(), disk.solid()), ("axc", "axc", 3));
    // The damaged one was lost, the sound ones were cut; two were written anew.
    assert_eq!(disk.books(), Books { written: 7, kept: 3, lost_durable: 1, cut: 3, ..Books::default() });
    assert_eq!(disk.crash(0, Survival::Nothing, false), Lost::default());
    assert_eq!(disk.boot(), Found { readable: 3, damage: None });
}

#[test]
fn a_wipe_takes_everything_and_says_how_much_was_durable() {
    let mut disk = disk("abc", "d");
    assert_eq!(disk.wipe(), 3);
    assert_eq!(disk.books(), Books { written: 4, wiped: 4, ..Books::default() });
    assert_eq!(disk.boot(), Found { readable: 0, damage: None });
    // What is damaged was lost before; what is sound behind it, is lost now.
    "abc".chars().for_each(|record| disk.write(record));
    disk.sync_at_once(true);
    assert!(disk.rot(drawing(1, 3)));
    disk.crash(0, Survival::Prefix, false);
    assert_eq!(disk.wipe(), 2);
    assert!(disk.books().balance());
}

#[test]
#[should_panic(expected = "a boot reads 3 records, but only 2 have reached the platter")]
fn a_node_that_has_not_crashed_does_not_boot() {
    disk("ab", "c").boot();
}
