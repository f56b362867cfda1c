//! `squall shrink`: from a run that breaks something to a small scenario that breaks the same.

#![expect(clippy::disallowed_methods, reason = "shrinking has a time limit, and what it costs is told in real time")]

mod progress;
mod source;
mod story;
mod told;

use super::arguments::{Detail, Format, Shrink};
use super::shell::quoted;
use super::signals::Signals;
use super::sweep::folder::{at, replace};
use super::terminal::Terminal;
use super::{Exit, bug, diagnostics};
use crate::run::capsule::Capsule;
use crate::run::outcome::Outcome;
use crate::run::shrink::{Needless, Options, Shrunk, Size, Status, needless};
use crate::scenario::load::{self, CAPSULE};
use crate::scenario::model::{Expect, Scenario};
use crate::scenario::text;
use crate::scenario::tidy::tidy;
use crate::scenario::undraw::undraw;
use crate::systems::subject::{self, Shrinkable};
use crate::systems::{self, System};
use progress::Progress;
use source::{Refusal, Source};
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use story::Story;

/// How long it may take, unless something else is said.
const TIME: Duration = Duration::from_secs(30);

/// What was shrunk, how, and what is left.
struct Report<'a, S> {
    source: &'a Source<S>,
    shrunk: &'a Shrunk<S>,
    before: Size,
    after: Size,
    wall: Duration,
    /// With `--verify`: how many plays that took, and what was needless after all.
    proof: Option<(u64, Vec<Needless>)>,
    /// The signal that ended it.
    signal: Option<u8>,
    file: PathBuf,
    capsule: PathBuf,
    command: String,
}

pub(super) fn shrink<S: System>(wanted: &Shrink, detail: Detail, terminal: &mut Terminal) -> io::Result<Exit> {
    let signals = Signals::listen()?;
    let source = match source::read::<S>(wanted) {
        Ok(source) => source,
        Err(refusal) => return Ok(refuse(refusal, terminal)),
    };
    source.warnings.iter().for_each(|warning| terminal.warning(warning));
    let file = match target(wanted) {
        Ok(file) => file,
        Err(why) => {
            terminal.error(&why);
            return Ok(Exit::Usage);
        }
    };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Before the work: to learn after half a minute that nothing can be kept is no joy.
    fs::create_dir_all(folder).map_err(|error| at(folder, &error))?;
    let since = Instant::now();
    let played = catch_unwind(AssertUnwindSafe(|| work(wanted, detail, &source, &signals, terminal)));
    let (shrunk, proof) = match played {
        Ok(worked) => worked,
        Err(payload) => {
            bug::tell(payload.as_ref(), terminal);
            return Ok(Exit::Bug);
        }
    };
    let wall = since.elapsed();
    let subject = Shrinkable::<S>::new();
    let seed = if shrunk.plan.seed == 0 { String::new() } else { format!(" --seed {}", shrunk.plan.seed) };
    let report = Report {
        before: Size::counted(&source.plan, &source.outcome, &subject),
        after: Size::counted(&shrunk.plan, &shrunk.outcome, &subject),
        source: &source,
        shrunk: &shrunk,
        wall,
        proof,
        signal: signals.heard(),
        command: format!("squall run {}{seed}", quoted(&file.display().to_string())),
        capsule: PathBuf::from(file.display().to_string().trim_end_matches(".ron").to_owned() + CAPSULE),
        file,
    };
    write(&report)?;
    match wanted.format {
        Format::Json => terminal.raw(&(told::object(&report) + "\n"))?,
        Format::Human => terminal.result(&told::text(&report, detail))?,
    }
    Ok(match (report.signal, &report.proof) {
        (Some(signal), _) => Exit::Signal(signal),
        (None, Some((_, needless))) if !needless.is_empty() => Exit::Unmet,
        (None, _) => Exit::Done,
    })
}

fn refuse(refusal: Refusal, terminal: &mut Terminal) -> Exit {
    match refusal {
        Refusal::Mistake(mistake) => terminal.aside(&diagnostics::rendered(&mistake)),
        Refusal::Usage(why) => terminal.error(&why),
        Refusal::NoVerdict(why) => {
            terminal.error(&why);
            return Exit::Inconclusive;
        }
        Refusal::Bug(payload) => {
            bug::tell(payload.as_ref(), terminal);
            return Exit::Bug;
        }
    }
    Exit::Usage
}

/// Shrinks, and proves that nothing more can go, if that is wanted.
fn work<S: System>(
    wanted: &Shrink,
    detail: Detail,
    source: &Source<S>,
    signals: &Signals,
    terminal: &mut Terminal,
) -> (Shrunk<S>, Option<(u64, Vec<Needless>)>) {
    let since = Instant::now();
    let time = wanted.time.map(|length| length.0).or(wanted.budget.is_none().then_some(TIME));
    let jobs = wanted.jobs.map_or_else(processors, |jobs| usize::from(jobs.get()));
    let options = Options { jobs, plays: wanted.budget.unwrap_or(u64::MAX) };
    let mut progress = Progress::new(detail, wanted.format, time);
    let subject = Shrinkable::<S>::new();
    let mut onlooker = |status: &Status| {
        progress.tick(status, terminal);
        signals.heard().is_none() && time.is_none_or(|time| since.elapsed() < time)
    };
    let shrunk = crate::run::shrink::shrink(&source.plan, &source.outcome, &subject, options, &mut onlooker);
    progress.clear();
    let is_proof_wanted = wanted.verify && signals.heard().is_none();
    let proof = is_proof_wanted.then(|| needless(&shrunk.plan, &shrunk.outcome, &subject));
    (shrunk, proof)
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Where the scenario goes.
fn target(wanted: &Shrink) -> Result<PathBuf, String> {
    let name = wanted.file.file_name().map_or_else(|| "it".to_owned(), |name| name.to_string_lossy().into_owned());
    let stem = name.strip_suffix(CAPSULE).or(name.strip_suffix(".ron")).unwrap_or(&name);
    let usual = format!("{stem}.min.ron");
    match &wanted.out {
        Some(out) if load::is_capsule(out) => {
            Err(format!("{} is a capsule's name; name a scenario, the capsule is written beside it", out.display()))
        }
        Some(out) if out.is_dir() => Ok(out.join(usual)),
        Some(out) => Ok(out.clone()),
        None if load::is_capsule(&wanted.file) => Ok(wanted.file.with_file_name(usual)),
        None => Ok(Path::new("squall-out/shrunk").join(usual)),
    }
}

/// Writes the scenario with its story, and the capsule.
fn write<S: System>(report: &Report<'_, S>) -> io::Result<()> {
    let plan = &report.shrunk.plan;
    let violated = report.shrunk.outcome.violation().expect("what is shrunk breaks something");
    let mut scenario = undraw(plan, &plan.system.members());
    scenario.title = Some(story::title(&violated.message));
    scenario.expect = Expect::Breaks(vec![violated.invariant.clone()]);
    let read = |text: &str| systems::parse::<S>("shrunk", text).ok();
    let body = tidy(&scenario, read);
    let (plan, outcome, capsule) = drawn_again(&read(&body), report);
    assert_eq!(outcome.digest, report.shrunk.outcome.digest, "the scenario is another run than the plan");
    let told = subject::told(&plan);
    let catalogue = S::catalogue();
    let promise = catalogue.promise(&violated.invariant).unwrap_or_default();
    let head = Story { report, told: &told, promise }.comment();
    replace(&report.capsule, &capsule)?;
    replace(&report.file, &(head + &body))
}

/// What the scenario that is written comes to, and its capsule.
fn drawn_again<S: System>(
    scenario: &Option<Scenario<S>>,
    report: &Report<'_, S>,
) -> (crate::systems::PlanOf<S>, Outcome, String) {
    let scenario = scenario.as_ref().expect("a plan that is allowed can be written as a scenario");
    let plan = systems::plan(scenario, &load::name(&report.file), report.shrunk.plan.seed);
    let (outcome, trail) = systems::record(&plan);
    let capsule = Capsule::of(&plan, &outcome, trail).expect("the scenario breaks what its plan breaks");
    (plan, outcome, text::written(&capsule, 3) + "\n")
}
