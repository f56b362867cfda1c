//! `squall merge`: the shards of a sweep, put together again.
//!
//! The entries of all folders are folded in the order of their seeds, as the sweep of the whole range would have
//! done; so the result is the same to the last bit, in whatever order and grouping the folders are given.

mod source;

use super::arguments::{Detail, Format, Merge};
use super::shell::quoted;
use super::sweep::folder::{self, Journal, MANIFEST, Manifest};
use super::sweep::{capsule_path, commands, stored};
use super::terminal::Terminal;
use super::{Exit, diagnostics, outputs};
use crate::report;
use crate::report::number::counted;
use crate::report::suite::Account;
use crate::run::entry::{Entry, Judged};
use crate::run::outcome::Expectation;
use crate::run::tally::Tally;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::model::Expect;
use source::{Source, Together};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) fn merge(merge: &Merge, detail: Detail, terminal: &mut Terminal) -> io::Result<Exit> {
    let scenarios = match scenarios(&merge.folders) {
        Ok(scenarios) => scenarios,
        Err(mistake) => {
            terminal.aside(&diagnostics::rendered(&mistake));
            return Ok(Exit::Usage);
        }
    };
    let is_only = scenarios.len() == 1;
    let width = scenarios.keys().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut worst = Exit::Done;
    let mut accounts = Vec::new();
    for (name, sources) in scenarios {
        let out = merge.out.as_ref().map(|out| if is_only { out.clone() } else { out.join(&name) });
        let part = Part { merge, detail, width, out, sources };
        let exit = part.merge(&mut accounts, terminal)?;
        if rank(exit) > rank(worst) {
            worst = exit;
        }
    }
    merge.outputs.write(&accounts, terminal)?;
    Ok(worst)
}

/// Of several endings, the one that the program ends with.
fn rank(exit: Exit) -> u8 {
    match exit {
        Exit::Done => 0,
        Exit::Nothing => 1,
        Exit::Inconclusive => 2,
        Exit::Unmet => 3,
        Exit::Usage | Exit::Trouble | Exit::Bug | Exit::Signal(_) => 4,
    }
}

/// The folders of every scenario, by its name; within it in the order of their seeds.
fn scenarios(folders: &[PathBuf]) -> Result<BTreeMap<String, Vec<Source>>, Diagnostic> {
    let mut found: BTreeMap<String, Vec<Source>> = BTreeMap::new();
    for folder in folders {
        let mut here = Vec::new();
        gather(folder, &mut here)?;
        if here.is_empty() {
            let cure = "name a folder that squall sweep or squall merge has written";
            return Err(Diagnostic::without_place(
                &folder.display().to_string(),
                format!("there is no {MANIFEST} in it"),
                cure,
            ));
        }
        for folder in here {
            let manifest = Manifest::read(&folder)?;
            found.entry(manifest.scenario.clone()).or_default().push(Source { folder, manifest });
        }
    }
    for sources in found.values_mut() {
        sources.sort_by(|one, other| (&one.manifest.seeds, &one.folder).cmp(&(&other.manifest.seeds, &other.folder)));
        sources.dedup_by(|one, other| one.folder == other.folder);
    }
    Ok(found)
}

/// The folders with a manifest, at or below this one.
fn gather(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Diagnostic> {
    if folder.join(MANIFEST).is_file() {
        found.push(folder.to_owned());
        return Ok(());
    }
    let refused = |error: io::Error| {
        let cure = "look for a typing error in the path";
        Diagnostic::without_place(&folder.display().to_string(), format!("this cannot be read: {error}"), cure)
    };
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        if path.is_dir() && !path.is_symlink() {
            folders.push(path);
        }
    }
    folders.sort();
    folders.iter().try_for_each(|folder| gather(folder, found))
}

/// One scenario's folders.
struct Part<'a> {
    merge: &'a Merge,
    detail: Detail,
    width: usize,
    out: Option<PathBuf>,
    sources: Vec<Source>,
}

impl Part<'_> {
    fn merge(&self, accounts: &mut Vec<Account>, terminal: &mut Terminal) -> io::Result<Exit> {
        if let Some(why) = self.refusal(terminal) {
            terminal.error(&why);
            return Ok(Exit::Usage);
        }
        let first = &self.sources[0].manifest;
        let mut tally = Tally::new(first.goals.iter().cloned());
        let mut journal = self.out.as_ref().map(|out| new_journal(out)).transpose()?;
        let mut covered: Vec<(u64, u64)> = Vec::new();
        for next in Together::new(&self.sources)? {
            let mut entry = match next? {
                Ok(entry) => entry,
                Err(clash) => {
                    terminal.error(&format!("{}: {clash}", first.scenario));
                    return Ok(Exit::Inconclusive);
                }
            };
            match covered.last_mut() {
                Some(last) if last.1 == entry.seed => last.1 += 1,
                Some(_) | None => covered.push((entry.seed, entry.seed + 1)),
            }
            tally.add(&mut entry);
            journal.as_mut().map_or(Ok(()), |journal| journal.add(&entry))?;
        }
        if let Some(journal) = &mut journal {
            journal.flush()?;
        }
        self.conclude(&tally, covered, accounts, terminal)
    }

    /// Why the folders do not belong together, or cannot be merged there.
    fn refusal(&self, terminal: &mut Terminal) -> Option<String> {
        let first = &self.sources[0];
        for other in &self.sources[1..] {
            let [one, two] = [&first.manifest, &other.manifest];
            let same = [
                ("scenario, or other settings", one.fingerprint == two.fingerprint && one.expect == two.expect),
                ("engine", one.engine == two.engine),
                ("version of squall", one.version == two.version),
            ];
            if let Some((what, _)) = same.iter().find(|(_, is_same)| !is_same) {
                let [one, two] = [&first.folder, &other.folder].map(|folder| folder.display().to_string());
                return Some(format!(
                    "{one} and {two} are not of one sweep: each has another {what}; merge what belongs together"
                ));
            }
            if one.binary != two.binary {
                let [one, two] = [&first.folder, &other.folder].map(|folder| folder.display().to_string());
                terminal.warning(&format!("{one} and {two} come from programs that are not the same to the last bit"));
            }
        }
        let out = self.out.as_ref().filter(|out| out.join(MANIFEST).exists())?;
        Some(format!("{}: it holds a sweep already; choose another --out", out.display()))
    }

    /// The seeds that were asked for, all folders together.
    fn asked(&self, covered: &[(u64, u64)]) -> (u64, u64) {
        let from = self.sources.iter().map(|source| source.manifest.asked.0).min().unwrap_or(0);
        let ends = self.sources.iter().map(|source| source.manifest.asked.1).filter(|end| *end < u64::MAX);
        (from, ends.chain(covered.last().map(|last| last.1)).max().unwrap_or(from))
    }

    fn conclude(
        &self,
        tally: &Tally,
        covered: Vec<(u64, u64)>,
        accounts: &mut Vec<Account>,
        terminal: &mut Terminal,
    ) -> io::Result<Exit> {
        let manifest = &self.sources[0].manifest;
        let asked = self.asked(&covered);
        let gaps = gaps(asked, &covered);
        let expectation = match &manifest.expect {
            Expect::Holds => Expectation::Holds,
            Expect::Breaks(invariants) => Expectation::Breaks(invariants),
        };
        let regressions = self.regressions()?;
        let result = report::sweep::Sweep {
            scenario: &manifest.scenario,
            expectation: &expectation,
            from: asked.0,
            to: asked.1,
            is_complete: gaps.is_empty(),
            is_part: !gaps.is_empty(),
            tally,
            regressions: &regressions,
        };
        let played: Vec<_> = covered.iter().map(|(from, to)| *from..*to).collect();
        let account = outputs::account(&result, manifest, &played);
        if let Some(out) = &self.out {
            outputs::write_junit(out, &account)?;
            self.copy_capsules(tally, out)?;
            stored::write(out, &regressions)?;
            folder::replace(&out.join("summary.json"), &(report::sweep::object("sweep", &result, None) + "\n"))?;
            Manifest { asked, seeds: covered, ..manifest.clone() }.write(out)?;
        }
        match self.merge.format {
            Format::Json => terminal.raw(&(report::sweep::object("merge", &result, Some(Duration::ZERO)) + "\n"))?,
            Format::Human if self.detail == Detail::Quiet && result.is_expected() => {}
            Format::Human => {
                let folder = self.out.as_ref().unwrap_or(&self.sources[0].folder);
                let commands = |signature: &str, seed| {
                    commands(&manifest.file, seed, &manifest.settings, &capsule_path(folder, signature, seed))
                };
                // Shards are merged without their systems.
                let asked = report::sweep::Asked { commands: &commands, promise: &|_| None, faults: &|_| None };
                let is_verbose = self.detail == Detail::Verbose;
                terminal.result(&report::sweep::lines(&result, None, self.width, is_verbose, asked))?;
            }
        }
        accounts.push(account);
        self.tell_gaps(&gaps, terminal);
        Ok(match (result.is_expected(), tally.inconclusive) {
            _ if tally.ran == 0 => Exit::Nothing,
            (false, _) if result.is_undecided() => Exit::Inconclusive,
            (false, 0) => Exit::Unmet,
            (false, _) if tally.strange(&expectation).next().is_some() => Exit::Unmet,
            (false, _) => Exit::Inconclusive,
            (true, _) if !gaps.is_empty() => Exit::Inconclusive,
            (true, _) => Exit::Done,
        })
    }

    fn tell_gaps(&self, gaps: &[(u64, u64)], terminal: &mut Terminal) {
        let manifest = &self.sources[0].manifest;
        for (from, to) in gaps {
            let settings: String =
                manifest.settings.iter().map(|setting| format!(" --set {}", quoted(setting))).collect();
            terminal.warning(&format!(
                "{}: {} missing, from {from} to before {to}; play what is missing with",
                manifest.scenario,
                counted(to - from, "seed")
            ));
            terminal.aside(&format!(
                "  squall sweep {}{settings} --seeds {from}..{to} --out seeds-{from}-{to}\n",
                quoted(&manifest.file)
            ));
        }
    }

    /// The first runs of each signature are stored in some of the folders.
    fn copy_capsules(&self, tally: &Tally, out: &Path) -> io::Result<()> {
        for (name, group) in &tally.groups {
            for seed in group.seeds.iter().take(super::sweep::CAPSULES as usize) {
                let to = capsule_path(out, name, *seed);
                let from = self.sources.iter().map(|source| capsule_path(&source.folder, name, *seed));
                // A sweep that was killed may have been about to store it.
                let Some(from) = from.into_iter().find(|from| from.is_file()) else { continue };
                std::fs::create_dir_all(to.parent().expect("a folder of the group"))
                    .map_err(|error| folder::at(&to, &error))?;
                let text = std::fs::read_to_string(&from).map_err(|error| folder::at(&from, &error))?;
                folder::replace(&to, &text)?;
            }
        }
        Ok(())
    }

    /// What stored runs came to is known to the folder that played them.
    fn regressions(&self) -> io::Result<Vec<report::sweep::Regression>> {
        let mut all: Vec<report::sweep::Regression> = Vec::new();
        for source in &self.sources {
            for regression in stored::read(&source.folder)? {
                if !all.contains(&regression) {
                    all.push(regression);
                }
            }
        }
        all.sort_by(|one, other| one.capsule.cmp(&other.capsule));
        Ok(all)
    }
}

fn new_journal(out: &Path) -> io::Result<Journal> {
    std::fs::create_dir_all(out).map_err(|error| folder::at(out, &error))?;
    Journal::create(out)
}

/// What of a range is not covered.
fn gaps(asked: (u64, u64), covered: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let ends = covered.iter().map(|range| range.1);
    let begins = covered.iter().map(|range| range.0).chain([asked.1]);
    std::iter::once(asked.0).chain(ends).zip(begins).filter(|(from, to)| from < to).collect()
}

/// Two entries of one seed: they are the same run, or determinism is broken.
fn united(mut one: Entry, other: Entry) -> Result<Entry, String> {
    let has_verdict = |entry: &Entry| !matches!(entry.verdict, Judged::Inconclusive(_));
    if has_verdict(&one) && has_verdict(&other) && (&one.digest, &one.verdict) != (&other.digest, &other.verdict) {
        return Err(format!(
            "seed {} was played twice, and the digests are {} and {}: one of the runs was not deterministic, or not of this program",
            one.seed, one.digest, other.digest
        ));
    }
    let mut states = [std::mem::take(&mut one.states), other.states.clone()].concat();
    states.sort_unstable();
    states.dedup();
    let kept = if has_verdict(&other) && !has_verdict(&one) { other } else { one };
    Ok(Entry { states, ..kept })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_what_nobody_has_played() {
        assert_eq!(gaps((0, 10), &[(0, 10)]), []);
        assert_eq!(gaps((0, 10), &[(2, 4), (6, 9)]), [(0, 2), (4, 6), (9, 10)]);
        assert_eq!(gaps((0, 10), &[]), [(0, 10)]);
    }

    #[test]
    fn one_seed_has_one_run() {
        let entry = |digest: &str, states: &[u64]| Entry {
            digest: digest.to_owned(),
            verdict: Judged::Pass,
            states: states.to_vec(),
            ..Entry::without_outcome(7, String::new())
        };
        let same = united(entry("ab", &[1, 5]), entry("ab", &[3, 5])).expect("one run");
        assert_eq!(same, entry("ab", &[1, 3, 5]));
        assert!(united(entry("ab", &[]), entry("cd", &[])).is_err());
        let late = Entry::without_outcome(7, "too slow".to_owned());
        assert_eq!(united(late.clone(), entry("ab", &[1])), Ok(entry("ab", &[1])));
        assert_eq!(united(entry("ab", &[1]), late), Ok(entry("ab", &[1])));
    }
}
