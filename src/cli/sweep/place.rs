//! Where the results of a sweep go.

use super::folder::MANIFEST;
use crate::cli::arguments::Sweep;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Where the results go if nobody says.
const OUT: &str = "squall-out";

/// The folder of one scenario: `--out`, with the scenario's name below it if there are several; else one of its
/// own, named by the time, or with `--resume` the latest of those.
pub(super) fn of(sweep: &Sweep, name: &str, is_only: bool) -> PathBuf {
    match &sweep.out {
        Some(out) if is_only => out.clone(),
        Some(out) => out.join(name),
        None => {
            let base = Path::new(OUT).join(name);
            sweep.resume.then(|| latest(&base)).flatten().unwrap_or_else(|| base.join(now()))
        }
    }
}

/// The folder that holds those of all scenarios.
pub(super) fn of_all<'a>(sweep: &Sweep, mut folders: impl Iterator<Item = &'a Path>) -> PathBuf {
    match (&sweep.out, folders.next(), folders.next()) {
        (Some(out), ..) => out.clone(),
        (None, Some(only), None) => only.to_owned(),
        (None, ..) => PathBuf::from(OUT),
    }
}

/// The folder of the sweep that was begun last.
fn latest(base: &Path) -> Option<PathBuf> {
    let folders = std::fs::read_dir(base).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    folders.filter(|folder| folder.join(MANIFEST).is_file()).max()
}

/// `2026-11-24T21-57-08.123Z`, in universal time; without colons, which some disks do not like.
#[expect(clippy::disallowed_methods, reason = "a folder of results is named by the time at which it was made")]
fn now() -> String {
    humantime::format_rfc3339_millis(SystemTime::now()).to_string().replace(':', "-")
}
