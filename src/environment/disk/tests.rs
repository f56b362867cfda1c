//! The story of each fault of a disk.

use super::crash::Survival;
use super::*;

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
        let mut disk = Disk::new();
        "ab".chars().for_each(|record| disk.write(record));
        disk.sync_at_once(true);
        "cd".chars().for_each(|record| disk.write(record));
        assert_eq!(disk.crash(word, Survival::Prefix, false).unsynced, 4 - kept.len());
        assert_eq!(disk.records().from(0).collect::<String>(), kept);
        assert!(disk.is_clean());
    }
}
