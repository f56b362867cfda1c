//! Stored runs beside a scenario: `storm.capsules/` beside `storm.ron`. What was broken once is played first.

use super::folder::{at, replace};
use crate::cli::shard::Shard;
use crate::cli::terminal::Terminal;
use crate::environment::plan::ENGINE;
use crate::report::json;
use crate::report::sweep::{Regression, RegressionState};
use crate::scenario::load::is_capsule;
use crate::systems::{self, System};
use std::io;
use std::path::{Path, PathBuf};

const STORED: &str = "stored.json";

/// Plays all stored runs of a scenario.
pub(super) fn play<S: System>(scenario: &Path, shard: Option<Shard>, terminal: &mut Terminal) -> Vec<Regression> {
    if shard.is_some_and(|shard| !shard.is_first()) {
        // One shard is enough.
        return Vec::new();
    }
    let files = files(&folder(scenario));
    files.iter().map(|file| regression::<S>(file, terminal)).collect()
}

/// Where the stored runs of a scenario are.
pub(super) fn folder(scenario: &Path) -> PathBuf {
    scenario.with_extension("capsules")
}

/// Keeps what stored runs came to, in a folder of results.
pub(in crate::cli) fn write(folder: &Path, regressions: &[Regression]) -> io::Result<()> {
    match regressions {
        [] => Ok(()),
        _ => replace(&folder.join(STORED), &(json::object(&regressions) + "\n")),
    }
}

/// What stored runs came to, as it was kept in a folder of results.
pub(in crate::cli) fn read(folder: &Path) -> io::Result<Vec<Regression>> {
    let path = folder.join(STORED);
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| at(&path, &io::Error::other(error))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(at(&path, &error)),
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_capsule(path)).collect();
    files.sort();
    files
}

fn regression<S: System>(file: &Path, terminal: &mut Terminal) -> Regression {
    let capsule = file.display().to_string();
    let told = |state, invariant: &str, remark: String| Regression {
        capsule: capsule.clone(),
        state,
        invariant: invariant.to_owned(),
        remark,
    };
    let stored = match systems::load_capsule::<S>(file) {
        Ok(stored) => stored,
        Err(mistake) => {
            terminal.warning(&format!("{mistake}"));
            return told(RegressionState::Stale, "", format!("stale: {}", mistake.message));
        }
    };
    let broke = &stored.broke.invariant;
    if stored.plan.engine != ENGINE {
        let why = format!("stale: it was made by engine {}, this is engine {ENGINE}", stored.plan.engine);
        terminal.warning(&format!("{capsule}: {why}"));
        return told(RegressionState::Stale, broke, why);
    }
    match S::play(&stored.plan).violation() {
        None => told(RegressionState::Passes, broke, format!("{broke} holds now")),
        Some(violated) if violated.invariant == *broke => {
            told(RegressionState::Breaks, broke, format!("{broke} breaks, as when it was stored"))
        }
        Some(violated) => told(
            RegressionState::Differs,
            &violated.invariant,
            format!("{} breaks, and not {broke}", violated.invariant),
        ),
    }
}
