//! What the surroundings of a test say: three variables, and the test's name.

#![expect(clippy::disallowed_methods, reason = "a test is told by variables what to play, and which test it is")]

use crate::scenario::seed::{Seed, Seeds};
use std::ops::Range;
use std::str::FromStr;
use std::thread;

/// The value of a variable; an empty one counts as none.
///
/// # Panics
/// If it makes no sense, with its name and a cure.
#[track_caller]
fn variable<V>(name: &str, read: impl FnOnce(&str) -> Result<V, String>) -> Option<V> {
    let text = std::env::var_os(name)?.to_string_lossy().into_owned();
    if text.trim().is_empty() {
        return None;
    }
    match read(text.trim()) {
        Ok(value) => Some(value),
        Err(cure) => panic!("the variable {name} is {text:?}; {cure}"),
    }
}

/// The seeds to play, where the test itself says these.
#[track_caller]
pub(super) fn seeds(own: Range<u64>) -> Range<u64> {
    let one = variable("SQUALL_SEED", |text| {
        let Seed(seed) = Seed::from_str(text)?;
        let end = seed.checked_add(1).ok_or("a test cannot play the very last seed")?;
        Ok(seed..end)
    });
    one.or_else(|| variable("SQUALL_SEEDS", |text| range(text, own.start))).unwrap_or(own)
}

/// `A..B`, or how many from `start` on.
fn range(text: &str, start: u64) -> Result<Range<u64>, String> {
    if text.contains("..") {
        return Seeds::from_str(text).map(|Seeds(seeds)| seeds);
    }
    match Seed::from_str(text) {
        Ok(Seed(0)) => Err("no seed would be played; write how many: 1000, or which: 0..1000".to_owned()),
        Ok(Seed(count)) => Ok(start..start.saturating_add(count)),
        Err(_) => Err("write how many: 1000, or which: 0..1000".to_owned()),
    }
}

/// How many threads play, where the test itself says this.
#[track_caller]
pub(super) fn jobs(own: Option<usize>) -> usize {
    let read = |text: &str| {
        let jobs = text.parse().ok().filter(|jobs| *jobs > 0);
        jobs.ok_or_else(|| "write a number of threads, at least 1".to_owned())
    };
    let usual = || thread::available_parallelism().map_or(1, usize::from);
    variable("SQUALL_JOBS", read).or(own).unwrap_or_else(usual).max(1)
}

/// The name of the test that runs on this thread, if it is one: threads of tests are named for them.
pub(super) fn test_name() -> Option<String> {
    thread::current().name().filter(|name| *name != "main").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_range_or_a_number_of_them() {
        assert_eq!(range("5..8", 100), Ok(5..8));
        assert_eq!(range("0x10..1_000", 0), Ok(16..1_000));
        assert_eq!(range("50", 100), Ok(100..150));
        for (text, part) in
            [("8..8", "there is no seed from 8"), ("0", "no seed would"), ("a..b", "write 42"), ("-1", "1000")]
        {
            assert!(range(text, 0).expect_err(text).contains(part), "{text}");
        }
    }
}
