//! Hears what comes of the seeds of one scenario: counts it, keeps its journal, stores what failed, and decides
//! whether the sweep goes on.

#![expect(clippy::disallowed_methods, reason = "a sweep may have a deadline in real time")]

use super::folder::{self, Journal, Manifest};
use super::progress::Progress;
use super::{Job, Part};
use crate::cli::signals::Signals;
use crate::cli::terminal::Terminal;
use crate::run::capsule::Capsule;
use crate::run::entry::{Entry, Judged};
use crate::run::outcome::Expectation;
use crate::run::signature::Signature;
use crate::run::sweep::{Conductor, Ended, Flow, Permit};
use crate::run::tally::Tally;
use crate::run::twice::{Share, again};
use crate::run::watch::{Closeness, Watch};
use crate::scenario::{load, text};
use crate::systems::{self, System};
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Of each signature, so many runs are stored.
pub(in crate::cli) const CAPSULES: u64 = 3;

/// Why a sweep ended before its last seed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stopped {
    /// It was asked to end.
    Signal(u8),
    /// Its time is over.
    Time,
    /// There were enough failures.
    Failures,
    /// The last so many seeds have shown nothing new.
    Saturated(u64),
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stopped::Signal(15) => f.write_str("terminated"),
            Stopped::Signal(_) => f.write_str("interrupted"),
            Stopped::Time => f.write_str("its time was over"),
            Stopped::Failures => f.write_str("ended, with as many failures as were asked for,"),
            Stopped::Saturated(seeds) => write!(f, "ended, since {seeds} seeds have shown no new state,"),
        }
    }
}

/// Plays one seed, or twice if it is among those whose determinism is checked, and keeps what the sweep needs of it.
pub(super) fn play<S: System>(
    job: Arc<Job<S>>,
    twice: Option<Share>,
) -> impl Fn(u64, &Permit) -> Entry + Send + Sync + 'static {
    move |seed, permit| {
        let plan = systems::plan(&job.scenario, &job.name, seed);
        let mut watcher = Watcher { permit, states: Vec::new() };
        let outcome = S::play_watched(&plan, &mut watcher);
        if !twice.is_some_and(|share| share.takes(seed)) {
            return Entry::of(outcome, watcher.states);
        }
        match again(outcome, &|watch| S::play_watched(&plan, watch), &|| permit.holds()) {
            Ok(outcome) => Entry::of(outcome, watcher.states),
            Err(difference) => Entry::without_outcome(seed, difference.summary()),
        }
    }
}

struct Watcher<'a> {
    permit: &'a Permit,
    states: Vec<u64>,
}

impl Watch for Watcher<'_> {
    fn closeness(&self) -> Closeness {
        Closeness::States
    }

    fn goes_on(&mut self) -> bool {
        self.permit.holds()
    }

    fn states(&mut self, states: Vec<u64>) {
        self.states = states;
    }
}

/// The conductor of one scenario's sweep.
pub(super) struct Conduct<'a, S> {
    part: &'a Part<'a, S>,
    expectation: Expectation<'a>,
    journal: Journal,
    tally: Tally,
    seeds: Range<u64>,
    signals: &'a Signals,
    terminal: &'a mut Terminal,
    progress: Progress,
    deadline: Option<Instant>,
    stopped: Option<Stopped>,
    had_bug: bool,
    wrote: io::Result<()>,
}

/// What is left when a sweep is over.
pub(super) struct Conducted {
    pub(super) tally: Tally,
    pub(super) stopped: Option<Stopped>,
    pub(super) had_bug: bool,
    /// Whether everything could be written.
    pub(super) wrote: io::Result<()>,
}

impl<'a, S: System> Conduct<'a, S> {
    pub(super) fn new(
        part: &'a Part<'a, S>,
        manifest: &Manifest,
        journal: Journal,
        tally: Tally,
        seeds: Range<u64>,
        signals: &'a Signals,
        terminal: &'a mut Terminal,
    ) -> Conduct<'a, S> {
        let is_open = manifest.asked.1 == u64::MAX;
        let length = if is_open { None } else { Some(seeds.end - seeds.start) };
        let progress = Progress::new(&part.job.name, length, tally.ran, part.share, part.sweep.format, part.detail);
        Conduct {
            part,
            expectation: systems::expectation(&part.job.scenario),
            journal,
            tally,
            seeds,
            signals,
            terminal,
            progress,
            deadline: part.share.map(|share| Instant::now() + share),
            stopped: None,
            had_bug: false,
            wrote: Ok(()),
        }
    }

    /// Stores what had failed before, if that was not done yet when the sweep was left.
    pub(super) fn begin(&mut self) {
        let mut missing = Vec::new();
        for (name, group) in &self.tally.groups {
            let stored = group.seeds.iter().take(CAPSULES as usize);
            let is_missing = |seed: &&u64| !capsule_path(&self.part.job.folder, name, **seed).exists();
            missing.extend(stored.filter(is_missing).map(|seed| (name.clone(), *seed)));
        }
        self.wrote = missing.iter().try_for_each(|(name, seed)| self.store(name, *seed));
        self.stopped = self.stops_after_a_seed();
    }

    /// Whether there is anything left to play.
    pub(super) fn goes_on(&self) -> bool {
        self.stopped.is_none() && self.wrote.is_ok()
    }

    /// Writes what is still to be written.
    pub(super) fn end(mut self) -> io::Result<Conducted> {
        self.progress.clear();
        let wrote = self.wrote.and_then(|()| self.journal.flush());
        // All seeds are there: what would have stopped it did not.
        let is_whole = self.seeds.start + self.tally.ran == self.seeds.end;
        let stopped = self.stopped.filter(|_| !is_whole);
        Ok(Conducted { tally: self.tally, stopped, had_bug: self.had_bug, wrote })
    }

    fn keep(&mut self, entry: &mut Entry) -> io::Result<()> {
        self.tally.add(entry);
        self.journal.add(entry)?;
        if let Judged::Violation(violated) = &entry.verdict {
            let name = Signature::of(violated).name();
            if self.tally.groups[&name].count <= CAPSULES {
                // The journal is ahead of the capsules: a capsule that is missing is made when the sweep goes on.
                self.journal.flush()?;
                self.store(&name, entry.seed)?;
            }
        }
        Ok(())
    }

    /// Stores the whole plan of a run that failed.
    fn store(&self, name: &str, seed: u64) -> io::Result<()> {
        let job = &self.part.job;
        let plan = systems::plan(&job.scenario, &job.name, seed);
        let (outcome, trail) = systems::record(&plan);
        let Some(capsule) = Capsule::of(&plan, &outcome, trail) else { return Ok(()) };
        let path = capsule_path(&job.folder, name, seed);
        let folder = path.parent().expect("a folder of the group");
        std::fs::create_dir_all(folder).map_err(|error| folder::at(folder, &error))?;
        folder::replace(&path, &(text::written(&capsule, 3) + "\n"))
    }

    fn stops_after_a_seed(&self) -> Option<Stopped> {
        let sweep = self.part.sweep;
        let enough = sweep.max_fail.is_some_and(|most| self.tally.failed >= most.get());
        let is_unmet = || self.tally.inconclusive > 0 || self.tally.strange(&self.expectation).next().is_some();
        if enough || sweep.fail_fast && is_unmet() {
            return Some(Stopped::Failures);
        }
        let quiet = self.tally.curve.seeds_since_new();
        sweep.until_saturated.filter(|seeds| quiet >= seeds.get()).map(|seeds| Stopped::Saturated(seeds.get()))
    }
}

/// Where a run of a signature is stored.
pub(in crate::cli) fn capsule_path(folder: &Path, signature: &str, seed: u64) -> std::path::PathBuf {
    folder.join("failures").join(signature).join(format!("{seed}{}", load::CAPSULE))
}

impl<S: System> Conductor<Entry> for Conduct<'_, S> {
    fn took(&mut self, seed: u64, ended: Ended<Entry>) -> Flow {
        let mut entry = match ended {
            Ended::Played(entry) => entry,
            Ended::TimedOut => {
                let timeout = self.part.sweep.run_timeout.expect("only who has a time can be late");
                Entry::without_outcome(seed, format!("it took longer than {timeout}"))
            }
            Ended::Bug(why) => {
                self.had_bug = true;
                Entry::without_outcome(seed, format!("a bug of squall: {why}"))
            }
        };
        if let Err(error) = self.keep(&mut entry) {
            self.wrote = Err(error);
            return Flow::Stop;
        }
        if self.stopped.is_none() {
            self.stopped = self.stops_after_a_seed();
            if self.stopped.is_some() {
                return Flow::Stop;
            }
        }
        Flow::GoOn
    }

    fn tick(&mut self, _begun: u64) -> Flow {
        if let Err(error) = self.journal.flush() {
            self.wrote = Err(error);
            return Flow::Stop;
        }
        self.progress.tick(&self.tally, self.terminal);
        let is_late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        match self.signals.heard() {
            Some(signal) => self.stopped = self.stopped.or(Some(Stopped::Signal(signal))),
            None if is_late => self.stopped = self.stopped.or(Some(Stopped::Time)),
            None => return Flow::GoOn,
        }
        Flow::Finish
    }
}
