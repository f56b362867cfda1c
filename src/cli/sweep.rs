//! `squall sweep`: many seeds of each scenario.

#![expect(clippy::disallowed_methods, reason = "a sweep is timed, and may look for its shard in the environment")]

mod conduct;
pub(super) mod folder;
mod place;
mod progress;
pub(super) mod stored;

use super::arguments::{Detail, Format, Sweep};
use super::check::found;
use super::run::fault_line;
use super::set;
use super::shard::Shard;
use super::shell::quoted;
use super::signals::Signals;
use super::terminal::Terminal;
use super::{Exit, diagnostics, outputs};
use crate::report;
use crate::report::suite::Account;
use crate::run::sweep as engine;
use crate::run::tally::Tally;
use crate::scenario::load;
use crate::scenario::model::Scenario;
use crate::scenario::text;
use crate::systems::{self, System};
pub(super) use conduct::{CAPSULES, capsule_path};
use conduct::{Conduct, Stopped};
use folder::{Journal, MANIFEST, Manifest};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many seeds are played if nobody says.
const SEEDS: u64 = 1_000;

/// A scenario that is going to be swept.
struct Job<S> {
    file: PathBuf,
    name: String,
    scenario: Scenario<S>,
    folder: PathBuf,
}

pub(super) fn sweep<S: System>(sweep: &Sweep, detail: Detail, terminal: &mut Terminal) -> io::Result<Exit> {
    let signals = Signals::listen()?;
    let Some(jobs) = jobs::<S>(sweep, terminal) else { return Ok(Exit::Usage) };
    let width = jobs.iter().map(|job| job.name.chars().count()).max().unwrap_or(0);
    let deadline = sweep.time.map(|time| Instant::now() + time.0);
    let mut whole = Whole::default();
    let mut accounts = Vec::new();
    let count = jobs.len();
    let since = Instant::now();
    let folder = place::of_all(sweep, jobs.iter().map(|job| job.folder.as_path()));
    for (place, job) in jobs.into_iter().enumerate() {
        // Each scenario has its share of the time that is left.
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let share = left.map(|left| left / (count - place) as u32);
        let part = Part { sweep, detail, width, share, job: Arc::new(job), is_only: count == 1 };
        match part.play(&signals, terminal)? {
            None => return Ok(Exit::Usage),
            Some(end) => {
                whole.add(&end);
                accounts.push(end.account);
            }
        }
        if whole.is_over(sweep) {
            break;
        }
    }
    whole.counts.leave_out((count - accounts.len()) as u64);
    if sweep.format == Format::Human && (detail != Detail::Quiet || whole.is_unmet) {
        terminal.result(&format!("\n{}", whole.counts.summary(since.elapsed())))?;
        terminal.aside(&format!("results in {}\n", folder.display()));
    }
    sweep.outputs.write(&accounts, terminal)?;
    Ok(whole.exit(&signals))
}

/// All scenarios, or `None` after saying what is wrong with each file that is none.
fn jobs<S: System>(sweep: &Sweep, terminal: &mut Terminal) -> Option<Vec<Job<S>>> {
    let (files, mut mistakes) = found(&sweep.scenarios);
    let is_only = files.len() == 1;
    let mut jobs: Vec<Job<S>> = Vec::new();
    let mut of_one_name = None;
    for file in files {
        match set::load::<S>(&file, &sweep.settings.settings) {
            Ok(scenario) => {
                let name = load::name(&file);
                let folder = place::of(sweep, &name, is_only);
                if let Some(other) = jobs.iter().find(|job| job.name == name) {
                    of_one_name.get_or_insert_with(|| (other.file.clone(), file.clone(), name.clone()));
                }
                jobs.push(Job { name, file, scenario, folder });
            }
            Err(mistake) => mistakes.push(mistake),
        }
    }
    mistakes.dedup_by(|one, other| one.source == other.source && one.to_string() == other.to_string());
    mistakes.iter().for_each(|mistake| terminal.aside(&diagnostics::rendered(mistake)));
    if !mistakes.is_empty() {
        terminal.error("nothing was run, since not everything could be read");
        return None;
    }
    if let Some((one, other, name)) = of_one_name {
        let files = format!("{} and {}", one.display(), other.display());
        terminal.error(&format!("{files} are both named {name}, and would write to one folder; sweep one at a time"));
        return None;
    }
    Some(jobs)
}

/// The sweep of one scenario.
struct Part<'a, S> {
    sweep: &'a Sweep,
    detail: Detail,
    width: usize,
    share: Option<Duration>,
    job: Arc<Job<S>>,
    is_only: bool,
}

/// How the sweep of one scenario ended.
struct End {
    stopped: Option<Stopped>,
    account: Account,
    counts: report::tally::Sweeps,
    ran: u64,
    is_unmet: bool,
    is_doubtful: bool,
    had_bug: bool,
}

impl<S: System> Part<'_, S> {
    /// Plays it, or says why not and answers `None`.
    fn play(&self, signals: &Signals, terminal: &mut Terminal) -> io::Result<Option<End>> {
        let (asked, shard) = match self.seeds(terminal) {
            Ok(seeds) => seeds,
            Err(message) => {
                terminal.error(&message);
                return Ok(None);
            }
        };
        let seeds = shard.map_or(asked.clone(), |shard| shard.slice(&asked));
        let manifest = self.manifest(&asked, &seeds)?;
        let Some((journal, tally)) = self.open(&manifest, terminal)? else { return Ok(None) };
        let since = Instant::now();
        let regressions = stored::play::<S>(&self.job.file, shard, terminal);
        stored::write(&self.job.folder, &regressions)?;
        let next = seeds.start + tally.ran;
        let mut conduct = Conduct::new(self, &manifest, journal, tally, seeds.clone(), signals, terminal);
        let (options, job) = (self.options(), Arc::clone(&self.job));
        conduct.begin();
        if conduct.goes_on() {
            engine::sweep(next..seeds.end, options, conduct::play(job, self.sweep.check_determinism), &mut conduct);
        }
        let conducted = conduct.end()?;
        self.conclude(&manifest, seeds, conducted, &regressions, since.elapsed(), terminal).map(Some)
    }

    fn options(&self) -> engine::Options {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        engine::Options {
            jobs: self.sweep.jobs.map_or(cores, |jobs| usize::from(jobs.get())),
            run_timeout: self.sweep.run_timeout.map(|timeout| timeout.0),
        }
    }

    /// The seeds of the whole sweep, and which part of them is wanted.
    fn seeds(&self, terminal: &mut Terminal) -> Result<(Range<u64>, Option<Shard>), String> {
        let sweep = self.sweep;
        let from = sweep.from.map_or(0, |seed| seed.0);
        let is_open = sweep.time.is_some() || sweep.until_saturated.is_some();
        let asked = match (&sweep.seeds, sweep.count) {
            (Some(seeds), _) => seeds.0.clone(),
            (None, Some(count)) => {
                let too_far = || format!("{count} seeds from {from} on would go beyond the largest, {}", u64::MAX);
                from..from.checked_add(count).ok_or_else(too_far)?
            }
            (None, None) if is_open => from..u64::MAX,
            (None, None) => from..from.saturating_add(SEEDS),
        };
        if asked.is_empty() && from == u64::MAX {
            return Err(format!("a range of seeds ends before the last one; play it with: squall run --seed {from}"));
        }
        if asked.end == u64::MAX && sweep.shard.is_some() && is_open && sweep.seeds.is_none() {
            return Err(
                "a sweep without an end cannot be divided into shards; say which seeds: --seeds 0..1000000".to_owned()
            );
        }
        let environment = |name: &str| std::env::var(name).ok();
        let mut note = |note| terminal.aside(&format!("{note}\n"));
        let shard = sweep.shard.as_ref().map(|shard| shard.resolve(&environment, &mut note)).transpose()?;
        Ok((asked, shard))
    }

    fn manifest(&self, asked: &Range<u64>, seeds: &Range<u64>) -> io::Result<Manifest> {
        let Job { file, name, scenario, .. } = &*self.job;
        let goals = scenario.system.vocabulary().goals.into_iter().map(str::to_owned);
        Ok(Manifest {
            settings: self.sweep.settings.settings.iter().map(|setting| setting.written.clone()).collect(),
            fingerprint: folder::fingerprint(&text::written(scenario, 0)),
            asked: (asked.start, asked.end),
            seeds: vec![(seeds.start, seeds.end)],
            expect: scenario.expect.clone(),
            goals: goals.collect(),
            ..Manifest::here(name.clone(), scenario.system.name().to_owned(), file)?
        })
    }

    /// Opens the folder, new or, with `--resume`, where it was left.
    fn open(&self, manifest: &Manifest, terminal: &mut Terminal) -> io::Result<Option<(Journal, Tally)>> {
        let folder = &self.job.folder;
        if folder.join(MANIFEST).exists() {
            let refused = match Manifest::read(folder) {
                Err(mistake) => Some(mistake.to_string()),
                Ok(_) if !self.sweep.resume => {
                    Some("it holds a sweep already; go on with --resume, or choose another --out".to_owned())
                }
                Ok(before) => {
                    before.refusal(manifest).map(|why| format!("cannot go on: {why}; begin anew with another --out"))
                }
            };
            if let Some(why) = refused {
                terminal.error(&format!("{}: {why}", folder.display()));
                return Ok(None);
            }
        } else if Journal::is_in(folder) {
            // Its lines may be of any scenario: to go on after them would make one result of two.
            let why = format!("it holds a journal without the {MANIFEST} that says of what; choose another --out");
            terminal.error(&format!("{}: {why}", folder.display()));
            return Ok(None);
        } else {
            std::fs::create_dir_all(folder).map_err(|error| folder::at(folder, &error))?;
            if !manifest.claim(folder)? {
                terminal
                    .error(&format!("{}: another sweep has just begun here; choose another --out", folder.display()));
                return Ok(None);
            }
        }
        let mut tally = Tally::new(manifest.goals.iter().cloned());
        let mut next = manifest.seeds[0].0;
        let journal = Journal::open(folder, |mut entry| {
            if entry.seed != next {
                let message = format!(
                    "the journal has seed {} where {next} should be; begin anew with another --out",
                    entry.seed
                );
                return Err(folder::at(folder, &io::Error::new(io::ErrorKind::InvalidData, message)));
            }
            next += 1;
            tally.add(&mut entry);
            Ok(())
        })?;
        if tally.ran > 0 {
            terminal.aside(&format!("{}: goes on after {} seeds\n", self.job.name, report::number::count(tally.ran)));
        }
        Ok(Some((journal, tally)))
    }

    /// Writes every report, and tells of it.
    fn conclude(
        &self,
        manifest: &Manifest,
        seeds: Range<u64>,
        conducted: conduct::Conducted,
        regressions: &[report::sweep::Regression],
        wall: Duration,
        terminal: &mut Terminal,
    ) -> io::Result<End> {
        let conduct::Conducted { tally, stopped, had_bug, wrote } = conducted;
        wrote?;
        let upto = seeds.start + tally.ran;
        let is_open = manifest.asked.1 == u64::MAX;
        let expectation = systems::expectation(&self.job.scenario);
        let is_complete = upto == seeds.end || is_open && !matches!(stopped, Some(Stopped::Signal(_)));
        let result = report::sweep::Sweep {
            scenario: &self.job.name,
            expectation: &expectation,
            from: seeds.start,
            to: if is_open { upto } else { seeds.end },
            is_complete,
            is_part: self.sweep.shard.is_some() || !is_complete,
            tally: &tally,
            regressions,
        };
        let folder = &self.job.folder;
        if self.sweep.keep {
            self.keep(&result, terminal)?;
        }
        folder::replace(&folder.join("summary.json"), &(report::sweep::object("sweep", &result, None) + "\n"))?;
        let played = seeds.start..upto;
        let account = outputs::account(&result, manifest, std::slice::from_ref(&played));
        outputs::write_junit(folder, &account)?;
        match self.sweep.format {
            Format::Json => terminal.raw(&(report::sweep::object("sweep", &result, Some(wall)) + "\n"))?,
            Format::Human if self.detail == Detail::Quiet && result.is_expected() => {}
            Format::Human => {
                let asked = report::sweep::Asked {
                    commands: &|signature, seed| self.commands(signature, seed),
                    promise: &|invariant| S::catalogue().promise(invariant),
                    faults: &|seed| {
                        let plan = systems::plan(&self.job.scenario, &self.job.name, seed);
                        Some(plan.faults.iter().map(fault_line).collect())
                    },
                };
                let is_verbose = self.detail == Detail::Verbose;
                terminal.result(&report::sweep::lines(&result, Some(wall), self.width, is_verbose, asked))?;
            }
        }
        self.warn(&result, stopped, terminal);
        let mut counts = report::tally::Sweeps::default();
        counts.add(&result);
        let misses_goals = self.sweep.require_goals && (tally.ran > 0 && self.required_goals(&tally).next().is_some());
        Ok(End {
            stopped,
            account,
            counts,
            ran: tally.ran,
            is_unmet: misses_goals || self.is_unmet(&result),
            is_doubtful: tally.inconclusive > 0,
            had_bug,
        })
    }

    /// Stores the first run of each kind of failure that nobody expects beside the scenario, once.
    fn keep(&self, result: &report::sweep::Sweep<'_>, terminal: &mut Terminal) -> io::Result<()> {
        let folder = stored::folder(&self.job.file);
        for (name, group) in result.tally.strange(result.expectation) {
            let from = capsule_path(&self.job.folder, name, group.first_seed());
            let to = folder.join(format!("{name}{}", load::CAPSULE));
            if to.exists() || !from.exists() {
                continue;
            }
            std::fs::create_dir_all(&folder).map_err(|error| folder::at(&folder, &error))?;
            let text = std::fs::read_to_string(&from).map_err(|error| folder::at(&from, &error))?;
            folder::replace(&to, &text)?;
            terminal.aside(&format!("kept in {}, to be played first from now on\n", to.display()));
        }
        Ok(())
    }

    /// Whether something is not as expected. What has not broken yet may still break in another shard, or when
    /// the sweep goes on.
    fn is_unmet(&self, result: &report::sweep::Sweep<'_>) -> bool {
        let is_strange = result.tally.strange(result.expectation).next().is_some();
        let is_missing = result.tally.failed == 0 && result.tally.inconclusive == 0 && !result.is_part;
        match result.is_expected() {
            true => false,
            false if is_strange || result.tally.inconclusive == 0 && result.tally.failed > 0 => true,
            false => is_missing || result.regressions.iter().any(|stored| !result.tolerates(stored)),
        }
    }

    /// Goals that must be reached and were not: those that the scenario names; else one at least.
    fn required_goals<'t>(&self, tally: &'t Tally) -> impl Iterator<Item = &'t str> {
        let reached_any = tally.goals.values().any(|reached| reached.0 > 0);
        let required = self.job.scenario.goals.clone();
        tally.unreached().filter(move |goal| match &required {
            Some(required) => required.iter().any(|name| name == goal),
            None => !reached_any,
        })
    }

    fn warn(&self, result: &report::sweep::Sweep<'_>, stopped: Option<Stopped>, terminal: &mut Terminal) {
        let name = &self.job.name;
        let tally = result.tally;
        // What breaks early has not had the time to reach anything.
        if tally.passed > 0 {
            let unreached: Vec<&str> = self.required_goals(tally).collect();
            if !unreached.is_empty() {
                terminal.warning(&format!("{name}: no seed has reached {}", unreached.join(", ")));
            }
            let idle = tally.faults.iter().filter(|(_, faults)| faults.planned > 0 && faults.changed == 0);
            // A swarm may draw a kind that means nothing to this system; the scenario has not asked for it.
            let asked_for = is_spelled_out(&self.job.scenario);
            let idle = idle.filter(|(kind, _)| asked_for(kind));
            for (kind, faults) in idle {
                let (planned, fired) = (report::number::count(faults.planned), report::number::count(faults.fired));
                terminal.warning(&format!("{name}: {planned} faults of kind {kind} were planned, {fired} have begun, and none has changed anything"));
            }
        }
        if let Some(stopped) = stopped.filter(|stopped| *stopped != Stopped::Failures) {
            let asked = result.to - result.from;
            let told = match asked == tally.ran {
                true => report::number::counted(asked, "seed"),
                false => format!("{} of {}", report::number::count(tally.ran), report::number::counted(asked, "seed")),
            };
            terminal.aside(&format!("{name}: {stopped} after {told}\n"));
            if let Stopped::Signal(_) = stopped {
                terminal.aside(&format!("to go on: {}\n", self.resume_command()));
            }
        }
    }

    /// The commands that play one seed alone, and that make it small. One that had to be given up is played where that happens
    /// again.
    fn commands(&self, signature: &str, seed: u64) -> Vec<String> {
        let settings: Vec<String> =
            self.sweep.settings.settings.iter().map(|setting| setting.written.clone()).collect();
        let file = self.job.file.display().to_string();
        if let (true, Some(timeout)) = (signature.is_empty(), self.sweep.run_timeout) {
            let which = format!("--seeds {seed}..{} --run-timeout {timeout}", seed.saturating_add(1));
            return vec![command("sweep", &file, &which, &settings)];
        }
        commands(&file, seed, &settings, &capsule_path(&self.job.folder, signature, seed))
    }

    /// The command that goes on with this sweep: that of the user, with the folder.
    fn resume_command(&self) -> String {
        let words: Vec<String> =
            std::env::args().skip(1).filter(|word| word != "--resume").map(|word| quoted(&word)).collect();
        let out = match (&self.sweep.out, self.is_only) {
            (None, true) => format!(" --out {}", quoted(&self.job.folder.display().to_string())),
            (None, false) | (Some(_), _) => String::new(),
        };
        format!("squall {}{out} --resume", words.join(" "))
    }
}

/// The commands that tell what led to a failure and make it small, if it is stored, and that play its seed again.
pub(super) fn commands(file: &str, seed: u64, settings: &[String], capsule: &Path) -> Vec<String> {
    let stored = ["explain", "shrink"].into_iter().filter(|_| capsule.is_file());
    let about = stored.map(|verb| format!("squall {verb} {}", quoted(&capsule.display().to_string())));
    about.chain([run_command(file, seed, settings)]).collect()
}

/// The command that plays a seed again.
pub(super) fn run_command(file: &str, seed: u64, settings: &[String]) -> String {
    command("run", file, &format!("--seed {seed}"), settings)
}

/// A command that plays these seeds of a scenario.
fn command(verb: &str, file: &str, which: &str, settings: &[String]) -> String {
    let settings: String = settings.iter().map(|setting| format!(" --set {}", quoted(setting))).collect();
    format!("squall {verb} {} {which}{settings}", quoted(file))
}

/// All scenarios together.
#[derive(Default)]
struct Whole {
    counts: report::tally::Sweeps,
    ran: u64,
    is_unmet: bool,
    is_doubtful: bool,
    had_bug: bool,
    was_stopped: bool,
}

impl Whole {
    fn add(&mut self, end: &End) {
        self.counts.join(&end.counts);
        self.ran += end.ran;
        self.is_unmet |= end.is_unmet;
        self.is_doubtful |= end.is_doubtful;
        self.had_bug |= end.had_bug;
        self.was_stopped |= matches!(end.stopped, Some(Stopped::Signal(_)));
    }

    fn is_over(&self, sweep: &Sweep) -> bool {
        self.was_stopped || sweep.fail_fast && (self.is_unmet || self.had_bug)
    }

    fn exit(&self, signals: &Signals) -> Exit {
        match signals.heard() {
            Some(signal) if self.was_stopped => Exit::Signal(signal),
            _ if self.had_bug => Exit::Bug,
            _ if self.is_unmet => Exit::Unmet,
            _ if self.is_doubtful => Exit::Inconclusive,
            _ if self.ran == 0 => Exit::Nothing,
            _ => Exit::Done,
        }
    }
}

/// Whether faults of a kind stand in the scenario itself, or are only what its swarm draws.
fn is_spelled_out<S: System>(scenario: &Scenario<S>) -> impl Fn(&str) -> bool {
    let is_swarm = scenario.swarm.is_some();
    let without = Scenario { swarm: None, ..scenario.clone() };
    let plan = is_swarm.then(|| systems::plan(&without, "", 0));
    move |kind| plan.as_ref().is_none_or(|plan| plan.faults.iter().any(|fault| fault.inject.kind().name() == kind))
}
