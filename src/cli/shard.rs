//! A part of a sweep: `--shard 2/3`.

use std::ops::Range;
use std::str::FromStr;

/// What `--shard` says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Wanted(Shard);

/// One of several parts of equal size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Shard {
    /// Which, from 1.
    index: u64,
    /// Of how many.
    count: u64,
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Wanted, String> {
        let (index, count) = text.split_once('/').ok_or("write i/n, for example 2/3")?;
        let number = |digits: &str| digits.parse::<u64>().map_err(|_| "write i/n, for example 2/3".to_owned());
        let (index, count) = (number(index)?, number(count)?);
        if index == 0 || index > count {
            return Err(format!("shards are counted from 1 to {count}"));
        }
        Ok(Wanted(Shard { index, count }))
    }
}

impl Wanted {
    /// The shard that is meant, as the surroundings say it. `note` is told what a reader may want to know.
    pub(super) fn resolve(
        &self,
        _environment: &dyn Fn(&str) -> Option<String>,
        _note: &mut dyn FnMut(String),
    ) -> Result<Shard, String> {
        Ok(self.0)
    }
}

impl Shard {
    /// Its seeds: those of all shards together are the whole range, and no two differ by more than one in size.
    pub(super) fn slice(&self, seeds: &Range<u64>) -> Range<u64> {
        let length = u128::from(seeds.end - seeds.start);
        let bound = |index: u64| seeds.start + (length * u128::from(index) / u128::from(self.count)) as u64;
        bound(self.index - 1)..bound(self.index)
    }

    /// Whether it is the first.
    pub(super) fn is_first(&self) -> bool {
        self.index == 1
    }
}
