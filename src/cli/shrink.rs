//! `squall shrink`: from a run that breaks something to a small scenario that breaks the same.

#![expect(clippy::disallowed_methods, reason = "shrinking has a time limit, and what it costs is told in real time")]

mod progress;
mod story;
mod told;

use super::arguments::{Detail, Format, jobs};
use super::length::Length;
use super::shell::quoted;
use super::signals::Signals;
use super::subject::{Source, Subject, is_same_file};
use super::sweep::folder::{at, replace};
use super::terminal::Terminal;
use super::{Exit, bug};
use crate::run::capsule::Capsule;
use crate::run::shrink::{End, Needless, Options, Shrunk, Size, Status, needless};
use crate::scenario::load::{self, CAPSULE};
use crate::scenario::model::Expect;
use crate::scenario::text;
use crate::scenario::tidy::tidy;
use crate::scenario::undraw::undraw;
use crate::systems::subject::{self, Shrinkable};
use crate::systems::{self, System};
use clap::Args;
use clap::builder::FalseyValueParser;
use progress::Progress;
use std::fs;
use std::io;
use std::num::NonZeroU16;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use story::Story;

/// Find a smaller plan that breaks the same invariant
#[derive(Args, Debug)]
#[command(after_help = "\
What is left is written as a scenario that stands alone, with a comment that tells what happens, \
and as a capsule beside it. No single fault and no single operation of it can be left out.

Examples:
  squall shrink squall-out/raft/storm/failures/raft.log-matching-1a2b3c4d/42.capsule.ron
  squall shrink scenarios/museum/commit-index-regress.ron --seed 3 --verify
  squall shrink my.ron --seed 7 --time 5m --out small.ron

Exit codes:
  0         it was shrunk
  100       --verify found something needless
  1         input or output failed
  2         wrong usage, a bad file, or nothing breaks
  3         the run came to no verdict, or the capsule does not break what it says
  70        a bug of squall
  130, 143  interrupted, terminated, the best so far written")]
pub(super) struct Shrink {
    #[command(flatten)]
    pub(super) subject: Subject,

    /// Where to write the scenario [default: beside the capsule, or squall-out/shrunk/NAME.min.ron]
    #[arg(long, value_name = "FILE or DIR", env = "SQUALL_OUT", hide_env = true)]
    out: Option<PathBuf>,

    /// Prove that no single fault and no single operation can be left out
    #[arg(long, env = "SQUALL_VERIFY", value_parser = FalseyValueParser::new(), hide_env = true)]
    #[arg(action = clap::ArgAction::SetTrue)]
    verify: bool,

    /// How many threads try candidates [default: as many as there are processors]
    #[arg(short, long, value_name = "N", env = "SQUALL_JOBS", hide_env = true, value_parser = jobs)]
    jobs: Option<NonZeroU16>,

    /// Stop after so many plays; the same number gives the same result
    #[arg(long, value_name = "PLAYS", env = "SQUALL_BUDGET", hide_env = true)]
    budget: Option<u64>,

    /// Stop after this time [default: 30s, with --budget none]
    #[arg(long, value_name = "TIME", env = "SQUALL_TIME", hide_env = true, allow_hyphen_values = true)]
    time: Option<Length>,

    /// How to write the results
    #[arg(long, env = "SQUALL_FORMAT", default_value = "human", hide_env = true)]
    format: Format,
}

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
    let source = match wanted.subject.read_broken::<S>("shrink") {
        Ok(source) => source,
        Err(refusal) => return Ok(refusal.tell(terminal)),
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
    let Worked { shrunk, body, proof } = match played {
        Ok(worked) => worked,
        Err(payload) => {
            bug::tell(payload.as_ref(), terminal);
            return Ok(Exit::Bug);
        }
    };
    let wall = since.elapsed();
    let subject = Shrinkable::<S>::new();
    let report = Report {
        before: Size::counted(&source.plan, &source.outcome, &subject),
        after: Size::counted(&shrunk.plan, &shrunk.outcome, &subject),
        source: &source,
        shrunk: &shrunk,
        wall,
        proof,
        signal: signals.heard(),
        command: format!("squall run {}", quoted(&file.display().to_string())),
        capsule: PathBuf::from(file.display().to_string().trim_end_matches(".ron").to_owned() + CAPSULE),
        file,
    };
    write(&report, &body)?;
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

/// What came of it.
struct Worked<S> {
    shrunk: Shrunk<S>,
    /// The scenario's text, without the comment at its head.
    body: String,
    proof: Option<(u64, Vec<Needless>)>,
}

/// Shrinks, and proves that nothing more can go, if that is wanted.
fn work<S: System>(
    wanted: &Shrink,
    detail: Detail,
    source: &Source<S>,
    signals: &Signals,
    terminal: &mut Terminal,
) -> Worked<S> {
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
    let proof = |shrunk: &Shrunk<S>| needless(&shrunk.plan, &shrunk.outcome, &subject);
    let (mut body, mut tidied) = tidied(&shrunk, Tidiness::SameRun);
    if shrunk.end == End::Minimal && !proof(&tidied).1.is_empty() {
        // A default that makes no difference here may make one where something is left out.
        (body, tidied) = self::tidied(&shrunk, Tidiness::SamePlan);
    }
    let is_proof_wanted = wanted.verify && signals.heard().is_none();
    Worked { proof: is_proof_wanted.then(|| proof(&tidied)), shrunk: tidied, body }
}

/// What may be left out of a scenario's text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tidiness {
    /// What is the default anyway.
    SamePlan,
    /// Also what makes no difference to the run.
    SameRun,
}

/// The text of the scenario that comes to the same as a plan, and the plan that it draws.
fn tidied<S: System>(shrunk: &Shrunk<S>, tidiness: Tidiness) -> (String, Shrunk<S>) {
    let violated = shrunk.outcome.violation().expect("what is shrunk breaks something");
    let mut scenario = undraw(&shrunk.plan, &shrunk.plan.system.members(&shrunk.plan.workload));
    scenario.title = Some(story::title(&violated.message));
    scenario.expect = Expect::Breaks(vec![violated.invariant.clone()]);
    let drawn = |text: &str| {
        let read = systems::parse::<S>("shrunk", text).ok()?;
        let plan = systems::plan(&read, &shrunk.plan.scenario, shrunk.plan.seed);
        let needs_nothing_more = plan.faults.len() == shrunk.plan.faults.len()
            && plan.workload.operations == shrunk.plan.workload.operations
            && plan.settle == shrunk.plan.settle;
        let is_same = match tidiness {
            Tidiness::SamePlan => read == scenario,
            Tidiness::SameRun => {
                let is_told =
                    (&read.title, read.seed, &read.expect) == (&scenario.title, scenario.seed, &scenario.expect);
                is_told && needs_nothing_more
            }
        };
        is_same.then_some(plan)
    };
    let played = |text: &str| {
        let plan = drawn(text)?;
        let outcome = S::play(&plan);
        let is_same = outcome.digest == shrunk.outcome.digest && outcome.verdict == shrunk.outcome.verdict;
        is_same.then(|| Shrunk { plan, outcome, plays: shrunk.plays, end: shrunk.end })
    };
    let body = tidy(&scenario, |text| match tidiness {
        Tidiness::SamePlan => drawn(text).is_some(),
        Tidiness::SameRun => played(text).is_some(),
    });
    let tidied = played(&body).expect("a plan that is allowed can be written as a scenario that comes to the same");
    (body, tidied)
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Where the scenario goes.
fn target(wanted: &Shrink) -> Result<PathBuf, String> {
    let name =
        wanted.subject.file.file_name().map_or_else(|| "it".to_owned(), |name| name.to_string_lossy().into_owned());
    let stem = name.strip_suffix(CAPSULE).or(name.strip_suffix(".ron")).unwrap_or(&name);
    let usual = format!("{stem}.min.ron");
    match &wanted.out {
        Some(out) if load::is_capsule(out) => {
            Err(format!("{} is a capsule's name; name a scenario, the capsule is written beside it", out.display()))
        }
        Some(out) if out.is_dir() || out.as_os_str().to_string_lossy().ends_with(std::path::is_separator) => {
            Ok(out.join(usual))
        }
        Some(out) if is_foreign(out) => {
            Err(format!("{} is there already, and is no scenario; name another file", out.display()))
        }
        Some(out) if is_same_file(out, &wanted.subject.file) => {
            Err(format!("{} is what is to be shrunk; name another file", out.display()))
        }
        Some(out) => Ok(out.clone()),
        None if load::is_capsule(&wanted.subject.file) => Ok(wanted.subject.file.with_file_name(usual)),
        None => Ok(Path::new("squall-out/shrunk").join(usual)),
    }
}

/// Whether something else lies where a scenario is to be written.
fn is_foreign(out: &Path) -> bool {
    std::fs::read(out).is_ok_and(|text| !text.is_empty() && text::glimpse(&text, "system").is_none())
}

/// Writes the scenario with its story, and the capsule.
fn write<S: System>(report: &Report<'_, S>, body: &str) -> io::Result<()> {
    let mut plan = report.shrunk.plan.clone();
    plan.scenario = load::name(&report.file);
    let (outcome, trail) = systems::record(&plan);
    let capsule = Capsule::of(&plan, &outcome, trail).expect("what is shrunk breaks something");
    let catalogue = S::catalogue();
    let promise = catalogue.promise(&capsule.broke.invariant).unwrap_or_default();
    let head = Story { report, told: &subject::told(&plan), promise }.comment();
    replace(&report.capsule, &(text::written(&capsule, 3) + "\n"))?;
    replace(&report.file, &(head + body))
}
