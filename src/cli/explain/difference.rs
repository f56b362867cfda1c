//! `--diff`: another run, and where it parts from the one that is explained.

use crate::cli::arguments::Settings;
use crate::cli::seed::Seed;
use crate::cli::subject::{Refusal, Source, Subject};
use crate::scenario::load;
use crate::systems::System;
use similar::TextDiff;
use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

/// Which run.
#[derive(Clone, Debug)]
pub(super) enum Other {
    /// Of the same scenario, with this seed.
    Seed(Seed),
    /// Of this capsule, or of this scenario and the same seed.
    File(PathBuf),
}

impl FromStr for Other {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Other, Infallible> {
        Ok(text.parse().map_or_else(|_| Other::File(PathBuf::from(text)), Other::Seed))
    }
}

impl Other {
    /// Reads it and plays it, whatever it comes to.
    pub(super) fn read<S: System>(&self, subject: &Subject, source: &Source<S>) -> Result<Source<S>, Refusal> {
        let (file, seed, settings) = match self {
            Other::Seed(_) if load::is_capsule(&subject.file) => {
                let file = subject.file.display();
                return Err(Refusal::Usage(format!(
                    "--diff: {file} is a capsule, and has one seed; name another file"
                )));
            }
            Other::Seed(seed) => (subject.file.clone(), Some(*seed), subject.settings.settings.clone()),
            Other::File(file) if load::is_capsule(file) => (file.clone(), None, Vec::new()),
            Other::File(file) => (file.clone(), Some(Seed(source.plan.seed)), Vec::new()),
        };
        Subject { file, seed, settings: Settings { settings } }.read()
    }
}

/// The lines of two plans that are not the same, with one line around them.
pub(super) fn of_plans(one: &str, other: &str) -> String {
    let difference = TextDiff::from_lines(one, other);
    difference.unified_diff().context_radius(1).header("this plan", "the other").to_string()
}
