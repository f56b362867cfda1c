//! `squall run`: one run of each scenario.

#![expect(clippy::disallowed_methods, reason = "what a run costs is told in real time")]

mod player;
mod progress;

use super::arguments::{Detail, Format, Run};
use super::check::found;
use super::set;
use super::shell::quoted;
use super::signals::Signals;
use super::terminal::Terminal;
use super::{Exit, bug, diagnostics};
use crate::environment::fault::PlannedFault;
use crate::report::failure::{self, FaultLine};
use crate::report::json;
use crate::report::line::{details, line};
use crate::report::style::{BOLD, DIM, styled};
use crate::report::tally::Tally;
use crate::run::outcome::{Expectation, Outcome, Verdict};
use crate::run::twice::Difference;
use crate::scenario::load;
use crate::scenario::model::Scenario;
use crate::systems::{self, System};
use player::{News, Played, Player};
use progress::Progress;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often signals and progress are looked at.
const TICK: Duration = Duration::from_millis(50);
/// How long a run may go on after the program was asked to end.
const GRACE: Duration = Duration::from_secs(1);
/// So many failures are told in full; of the others the line must do.
const FAILURES: usize = 3;

/// A scenario that is going to run.
struct Job<S> {
    file: PathBuf,
    name: String,
    scenario: Scenario<S>,
    seed: u64,
}

pub(super) fn run<S: System>(run: &Run, detail: Detail, terminal: &mut Terminal) -> io::Result<Exit> {
    let signals = Signals::listen()?;
    let Some(jobs) = jobs::<S>(run, terminal) else {
        return Ok(Exit::Usage);
    };
    let mut session = Session {
        run,
        detail,
        width: jobs.iter().map(|job| job.name.chars().count()).max().unwrap_or(0),
        tally: Tally::of(jobs.len() as u64),
        failures: Vec::new(),
        jobs: Arc::new(jobs),
    };
    let since = Instant::now();
    let end = session.play(&signals, terminal)?;
    session.conclude(since.elapsed(), end, terminal)?;
    Ok(match end {
        End::Bug => Exit::Bug,
        End::Signal { .. } if session.tally.ran() == 0 && !session.began(end) => Exit::Nothing,
        End::Signal { signal, .. } => Exit::Signal(signal),
        End::Finished if session.tally.failed > 0 => Exit::Unmet,
        End::Finished if session.tally.inconclusive > 0 => Exit::Inconclusive,
        End::Finished => Exit::Done,
    })
}

/// All scenarios, or `None` after saying what is wrong with each file that is none.
fn jobs<S: System>(run: &Run, terminal: &mut Terminal) -> Option<Vec<Job<S>>> {
    let (files, mut mistakes) = found(&run.scenarios);
    let mut jobs = Vec::new();
    for file in files {
        match set::load::<S>(&file, &run.settings.settings) {
            Ok(scenario) => {
                let seed = run.seed.map(|seed| seed.0).or(scenario.seed).unwrap_or(0);
                jobs.push(Job { name: load::name(&file), file, scenario, seed });
            }
            Err(mistake) => mistakes.push(mistake),
        }
    }
    // A flag that fits no scenario is wrong once, not once a file.
    mistakes.dedup_by(|one, other| one.source == other.source && one.to_string() == other.to_string());
    for mistake in &mistakes {
        terminal.aside(&diagnostics::rendered(mistake));
    }
    if !mistakes.is_empty() {
        terminal.error("nothing was run, since not everything could be read");
    }
    mistakes.is_empty().then_some(jobs)
}

/// Why no more runs are played.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// All are over.
    Finished,
    /// A signal came, while a run was under way or not.
    Signal { signal: u8, was_running: bool },
    /// A bug of ours.
    Bug,
}

struct Session<'a, S> {
    run: &'a Run,
    detail: Detail,
    jobs: Arc<Vec<Job<S>>>,
    width: usize,
    tally: Tally,
    /// What did not go as expected, to be told at the end.
    failures: Vec<(usize, Outcome, Option<Box<Difference>>)>,
}

impl<S: System> Session<'_, S> {
    /// Plays one scenario after the other, and tells of each when it is over.
    fn play(&mut self, signals: &Signals, terminal: &mut Terminal) -> io::Result<End> {
        let player = Player::start(Arc::clone(&self.jobs), self.run.check_determinism);
        let mut progress = Progress::new(self.jobs.len(), self.run.format, self.detail, terminal);
        let mut asked_to_end: Option<(u8, Instant)> = None;
        let mut running = None;
        loop {
            let news = player.news(TICK);
            if let (None, Some(signal)) = (asked_to_end, signals.heard()) {
                player.stop();
                asked_to_end = Some((signal, Instant::now()));
            }
            match news {
                News::None => {}
                News::Began(index) => running = Some(index),
                News::Finished(index, played) => {
                    running = None;
                    progress.aside(|| self.tell(index, *played, terminal))?;
                }
                News::Over => {
                    progress.clear();
                    let end = |(signal, _)| End::Signal { signal, was_running: false };
                    return Ok(asked_to_end.filter(|_| self.tally.ran() < self.tally.asked).map_or(End::Finished, end));
                }
                News::Bug(index, payload) => {
                    progress.clear();
                    bug::tell(payload.as_ref(), terminal);
                    terminal.aside(&format!("- in this run: {}\n", self.command(index)));
                    return Ok(End::Bug);
                }
            }
            if let Some((signal, _)) = asked_to_end.filter(|(_, since)| since.elapsed() > GRACE) {
                progress.clear();
                return Ok(End::Signal { signal, was_running: running.is_some() });
            }
            progress.tick(self.tally.ran(), running.map(|index| self.jobs[index].name.as_str()), terminal);
        }
    }

    fn began(&self, end: End) -> bool {
        matches!(end, End::Signal { was_running: true, .. })
    }

    /// Tells of one run.
    fn tell(&mut self, index: usize, played: Played, terminal: &mut Terminal) -> io::Result<()> {
        let Played { outcome, wall, difference } = played;
        let scenario = &self.jobs[index].scenario;
        let expectation = systems::expectation(scenario);
        let is_met = outcome.meets(&expectation);
        self.tally.add(&outcome, &expectation);
        match self.run.format {
            Format::Json => {
                terminal.raw(&(json::run(&outcome, is_met, wall) + "\n"))?;
                if let Verdict::Inconclusive(why) = &outcome.verdict {
                    let why = difference.as_ref().map_or(why.clone(), ToString::to_string);
                    terminal.aside(&format!("{}: inconclusive: {why}\n", outcome.scenario));
                }
            }
            Format::Human if self.detail == Detail::Quiet && is_met => {}
            Format::Human => {
                let mut text = line(&outcome, &expectation, wall, self.width, terminal.width());
                if self.detail == Detail::Verbose {
                    text += &details(&outcome);
                    text += &failure::plan(&self.planned(index));
                    text += "\n";
                }
                terminal.result(&text)?;
            }
        }
        if !is_met && self.run.format == Format::Human {
            self.failures.push((index, outcome, difference));
        }
        Ok(())
    }

    /// The last screen: failures, the summary, and how to see each failure again.
    fn conclude(&self, wall: Duration, end: End, terminal: &mut Terminal) -> io::Result<()> {
        if let End::Signal { signal, .. } = end {
            let what = if signal == 15 { "terminated" } else { "interrupted" };
            let (ran, asked) = (self.tally.ran(), self.tally.asked);
            terminal.aside(&format!("{what} after {ran} of {asked} runs\n"));
        }
        if self.run.format == Format::Json || (self.detail == Detail::Quiet && self.failures.is_empty()) {
            return Ok(());
        }
        let mut text = String::new();
        for (index, outcome, difference) in self.failures.iter().take(FAILURES) {
            let promises = self.promises(*index, outcome);
            text += &format!("\n{}", failure::failure(outcome, &promises, &self.planned(*index)));
            text += &difference.as_ref().map_or(String::new(), |difference| format!("\n{}\n", difference.details()));
        }
        text += &format!("\n{}", self.tally.summary(wall));
        let broken = self.failures.iter().filter(|(_, outcome, _)| outcome.violation().is_some()).take(FAILURES);
        let led: Vec<String> = broken.map(|(index, ..)| self.about("explain", *index)).collect();
        if !led.is_empty() {
            text += &format!("\n{}\n{}\n", styled(DIM, "what led to it:"), led.join("\n"));
        }
        if !self.failures.is_empty() {
            text += &format!("\n{}\n", styled(DIM, "to see it again:"));
            for (index, ..) in &self.failures {
                text += &format!("{}\n", styled(BOLD, self.command(*index)));
            }
        }
        terminal.result(&text)
    }

    /// What was promised and broken, or what should have been broken and was not.
    fn promises(&self, index: usize, outcome: &Outcome) -> Vec<String> {
        match (outcome.violation(), systems::expectation(&self.jobs[index].scenario)) {
            (Some(violated), _) => S::catalogue().promise(&violated.invariant).map(str::to_owned).into_iter().collect(),
            (None, Expectation::Breaks(invariants)) => invariants.to_vec(),
            (None, Expectation::Holds) => Vec::new(),
        }
    }

    fn planned(&self, index: usize) -> Vec<FaultLine> {
        let job = &self.jobs[index];
        let plan = systems::plan(&job.scenario, &job.name, job.seed);
        plan.faults.iter().map(fault_line).collect()
    }

    /// The command that plays this run alone.
    fn command(&self, index: usize) -> String {
        let is_checked = self.run.check_determinism.is_some_and(|share| share.takes(self.jobs[index].seed));
        self.about("run", index) + if is_checked { " --check-determinism" } else { "" }
    }

    /// A command about this run alone.
    fn about(&self, verb: &str, index: usize) -> String {
        let file = quoted(&self.jobs[index].file.display().to_string());
        let settings = self.run.settings.words();
        format!("squall {verb} {file} --seed {}{settings}", self.jobs[index].seed)
    }
}

/// A fault for a reader.
pub(super) fn fault_line(fault: &PlannedFault) -> FaultLine {
    FaultLine {
        at_ns: fault.at.ns(),
        until_ns: fault.until.map(|until| until.ns()),
        waits_for: fault.when.as_ref().map(|trigger| match trigger.lasts {
            Some(lasts) => format!("{trigger}, lasts {lasts}"),
            None => trigger.to_string(),
        }),
        is_momentary: fault.inject.is_momentary(),
        what: fault.inject.to_string(),
    }
}
