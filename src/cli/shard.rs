//! A part of a sweep: `--shard 2/3`, or `auto`, which asks whoever has started the program for its number.

mod engines;

use engines::{ENGINES, Engine};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// What `--shard` says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wanted {
    /// This one.
    This(Shard),
    /// The one that a batch or CI system has numbered, of so many, if that is said.
    Auto(Option<u64>),
}

/// One of several parts of equal size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Shard {
    /// Which, from 1.
    index: u64,
    /// Of how many.
    count: u64,
}

const USAGE: &str = "write i/n, for example 2/3, or auto, or auto/n";

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Wanted, String> {
        let number = |digits: &str| match digits.bytes().all(|digit| digit.is_ascii_digit()) {
            true => digits.parse::<u64>().map_err(|_| USAGE.to_owned()),
            false => Err(USAGE.to_owned()),
        };
        match text.split_once('/') {
            None if text == "auto" => Ok(Wanted::Auto(None)),
            None => Err(USAGE.to_owned()),
            Some(("auto", count)) => match number(count)? {
                0 => Err("there must be one shard at least".to_owned()),
                count => Ok(Wanted::Auto(Some(count))),
            },
            Some((index, count)) => Ok(Wanted::This(Shard::new(number(index)?, number(count)?)?)),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl Wanted {
    /// The shard that is meant, as the surroundings say it: `environment` gives the value of a variable. `note` is
    /// told what a reader may want to know.
    ///
    /// # Errors
    /// If a system is there that numbers its tasks, but has not numbered this one, or not in a way that makes
    /// sense. To take the whole range then would be the worst of answers: every task would do the work of all, and
    /// nobody would notice.
    pub(super) fn resolve(
        &self,
        environment: &dyn Fn(&str) -> Option<String>,
        note: &mut dyn FnMut(String),
    ) -> Result<Shard, String> {
        let wanted = match self {
            Wanted::This(shard) => return Ok(*shard),
            Wanted::Auto(wanted) => *wanted,
        };
        // A variable that is empty was not set; YAML makes it easy to write one.
        let environment = |name: &str| environment(name).filter(|value| !value.is_empty());
        let there: Vec<&Engine> = ENGINES.iter().filter(|engine| engine.is_there(&environment)).collect();
        let numbered: Vec<&Engine> = there.iter().copied().filter(|engine| engine.numbers(&environment)).collect();
        let Some(engine) = numbered.first() else {
            let Some(silent) = there.first() else {
                // There is only one process as far as anybody can tell.
                note("--shard auto: no batch or CI system is known here, so this is shard 1/1, the whole range".into());
                return Ok(Shard { index: 1, count: 1 });
            };
            return Err(silent.complaint(wanted));
        };
        let shard = engine.find(&environment, wanted)?;
        let others: Vec<&str> = numbered.iter().skip(1).map(|engine| engine.name).collect();
        let instead = match others.is_empty() {
            true => String::new(),
            false => format!(", not of {}: the innermost counts", others.join(" or ")),
        };
        note(format!("--shard auto: shard {shard}, by {} of {}{instead}", engine.index, engine.name));
        engine.acknowledge(&environment)?;
        Ok(shard)
    }
}

impl Shard {
    fn new(index: u64, count: u64) -> Result<Shard, String> {
        match (1..=count).contains(&index) {
            true => Ok(Shard { index, count }),
            false if count == 0 => Err("there must be one shard at least".to_owned()),
            false => Err(format!("shards are counted from 1 to {count}")),
        }
    }

    /// Its seeds: those of all shards together are the whole range, and no two differ by more than one in size.
    pub(super) fn slice(&self, seeds: &Range<u64>) -> Range<u64> {
        let length = u128::from(seeds.end.saturating_sub(seeds.start));
        let bound = |index: u64| seeds.start + (length * u128::from(index) / u128::from(self.count)) as u64;
        bound(self.index - 1)..bound(self.index)
    }

    /// Whether it is the first.
    pub(super) fn is_first(&self) -> bool {
        self.index == 1
    }
}

#[cfg(test)]
mod tests;
