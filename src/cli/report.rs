//! `squall report`: one run as a page, a picture, a trace, a diagram, a log or a history.

use super::Exit;
use super::arguments::{Detail, Format};
use super::run::fault_line;
use super::shell::quoted;
use super::subject::{Refusal, Source, Subject, is_same_file};
use super::sweep::folder::{at, replace};
use super::sweep::run_command;
use super::terminal::Terminal;
use crate::kernel::time::Time;
use crate::report::failure::FaultLine;
use crate::report::history::{Events, history};
use crate::report::json::{self, FORMAT};
use crate::report::mermaid::mermaid;
use crate::report::number::counted;
use crate::report::perfetto::perfetto;
use crate::report::shiviz::shiviz;
use crate::report::told::Run;
use crate::report::{page, picture};
use crate::run::story::{Story, Threads};
use crate::run::watch::{Call, Closeness, Watch};
use crate::scenario::load;
use crate::systems::{PlanOf, System};
use clap::Args;
use clap::builder::FalseyValueParser;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf, is_separator};

/// Write one run as a page, a picture, a trace, a diagram, a log or a history
#[derive(Args, Debug)]
#[command(after_help = "\
Of a run that breaks something the turns are told that led to it, of another one all, the last if there are many. A trace \
and a history have everything. `-` is standard output, for one of the forms.

Examples:
  squall report scenarios/museum/commit-index-regress.ron --html report.html
  squall report my.ron --seed 7 --perfetto trace.json     open it in ui.perfetto.dev
  squall report my.ron --seed 7 --mermaid - | pbcopy
  squall report scenarios/raft/storm.ron --history - | squall check-history - --initial 0

Exit codes:
  0         it is written
  1         input or output failed
  2         wrong usage, or a bad file
  3         the capsule does not break what it says
  70        a bug of squall
  130, 143  interrupted, terminated")]
pub(super) struct Report {
    #[command(flatten)]
    pub(super) subject: Subject,

    /// Write a page that stands alone: what broke, the picture, the story, the faults, the figures
    #[arg(long, value_name = "FILE", env = "SQUALL_HTML", hide_env = true)]
    html: Option<PathBuf>,

    /// Write a picture: a lane for each node, an arrow for each message
    #[arg(long, value_name = "FILE", env = "SQUALL_SVG", hide_env = true)]
    svg: Option<PathBuf>,

    /// Write a trace for ui.perfetto.dev and chrome://tracing
    #[arg(long, value_name = "FILE", env = "SQUALL_PERFETTO", hide_env = true)]
    perfetto: Option<PathBuf>,

    /// Write a log with vector clocks, as the visualiser ShiViz reads it
    #[arg(long, value_name = "FILE", env = "SQUALL_SHIVIZ", hide_env = true)]
    shiviz: Option<PathBuf>,

    /// Write a sequence diagram for Mermaid
    #[arg(long, value_name = "FILE", env = "SQUALL_MERMAID", hide_env = true)]
    mermaid: Option<PathBuf>,

    /// Write what clients did and learnt, as check-history reads it
    #[arg(long, value_name = "FILE", env = "SQUALL_HISTORY", hide_env = true)]
    history: Option<PathBuf>,

    /// Tell at most so many turns, the last; 0 is all
    #[arg(long, value_name = "N", env = "SQUALL_TURNS", default_value_t = 200, hide_env = true)]
    turns: usize,

    /// Tell all turns, not only those that led to what broke
    #[arg(long, env = "SQUALL_ALL", value_parser = FalseyValueParser::new(), hide_env = true)]
    #[arg(action = clap::ArgAction::SetTrue)]
    all: bool,

    /// How to say what was written
    #[arg(long, env = "SQUALL_FORMAT", default_value = "human", hide_env = true)]
    format: Format,
}

/// A form, and where it goes.
struct Wanted<'a> {
    form: Form,
    file: &'a Path,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Html,
    Svg,
    Perfetto,
    Shiviz,
    Mermaid,
    History,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Form::Html => "html",
            Form::Svg => "svg",
            Form::Perfetto => "perfetto",
            Form::Shiviz => "shiviz",
            Form::Mermaid => "mermaid",
            Form::History => "history",
        }
    }
}

impl Report {
    /// What is to be written.
    ///
    /// # Errors
    /// If that is nothing, or cannot be.
    fn wanted(&self) -> Result<Vec<Wanted<'_>>, String> {
        let forms = [
            (Form::Html, &self.html),
            (Form::Svg, &self.svg),
            (Form::Perfetto, &self.perfetto),
            (Form::Shiviz, &self.shiviz),
            (Form::Mermaid, &self.mermaid),
            (Form::History, &self.history),
        ];
        let wanted: Vec<Wanted<'_>> =
            forms.into_iter().filter_map(|(form, file)| Some(Wanted { form, file: file.as_deref()? })).collect();
        if wanted.is_empty() {
            return Err(
                "nothing is to be written; say --html FILE, or --svg, --perfetto, --shiviz, --mermaid or --history"
                    .to_owned(),
            );
        }
        let streams: Vec<&str> =
            wanted.iter().filter(|wanted| wanted.is_stream()).map(|wanted| wanted.form.name()).collect();
        if streams.len() > 1 || !streams.is_empty() && self.format == Format::Json {
            return Err(format!("--{}: standard output has room for one thing; name a file", streams[0]));
        }
        for (place, Wanted { form, file }) in wanted.iter().enumerate() {
            let (form, told) = (form.name(), file.display());
            if file.is_dir() || file.as_os_str().to_string_lossy().ends_with(is_separator) {
                return Err(format!("--{form}: {told} is a folder; name a file in it"));
            }
            if is_same_file(file, &self.subject.file) {
                return Err(format!("--{form}: {told} is what is to be reported; name another file"));
            }
            if let Some(other) = wanted[..place].iter().find(|other| is_same_place(other.file, file)) {
                return Err(format!("--{form}: {told} is to be the {} already; name another file", other.form.name()));
            }
        }
        Ok(wanted)
    }
}

/// Whether two files would be one.
fn is_same_place(one: &Path, other: &Path) -> bool {
    let folder = |file: &Path| {
        file.parent().map(|folder| Path::new(".").join(folder)).and_then(|folder| folder.canonicalize().ok())
    };
    is_same_file(one, other) || one == other || one.file_name() == other.file_name() && folder(one) == folder(other)
}

impl Wanted<'_> {
    fn is_stream(&self) -> bool {
        self.file.as_os_str() == "-"
    }
}

pub(super) fn report<S: System>(report: &Report, detail: Detail, terminal: &mut Terminal) -> io::Result<Exit> {
    let wanted = match report.wanted() {
        Ok(wanted) => wanted,
        Err(why) => {
            terminal.error(&why);
            return Ok(Exit::Usage);
        }
    };
    let source = match report.subject.read::<S>() {
        Ok(source) => source,
        Err(refusal) => return Ok(refusal.tell(terminal)),
    };
    source.warnings.iter().for_each(|warning| terminal.warning(warning));
    let texts = match catch_unwind(AssertUnwindSafe(|| written(report, &source, &wanted))) {
        Ok(Ok(texts)) => texts,
        Ok(Err(refusal)) => return Ok(refusal.tell(terminal)),
        Err(payload) => return Ok(Refusal::Bug(payload).tell(terminal)),
    };
    for (Wanted { form, file }, Text { text, remark }) in wanted.iter().zip(&texts) {
        remark.iter().for_each(|remark| terminal.warning(&format!("--{}: {remark}", form.name())));
        if file.as_os_str() == "-" {
            terminal.raw(text)?;
            continue;
        }
        if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|error| at(folder, &error))?;
        }
        replace(file, text)?;
        if report.format == Format::Human && detail != Detail::Quiet {
            terminal.aside(&format!("written {}\n", file.display()));
        }
    }
    if report.format == Format::Json {
        terminal.raw(&(object(&source, &wanted) + "\n"))?;
    }
    Ok(Exit::Done)
}

/// One form of the run.
struct Text {
    text: String,
    /// What is not in it.
    remark: Option<String>,
}

/// Plays the run as closely as it must be, and writes all forms.
fn written<S: System>(report: &Report, source: &Source<S>, wanted: &[Wanted<'_>]) -> Result<Vec<Text>, Refusal> {
    let (mut story, mut clients) = (Story::default(), Clients::default());
    if wanted.iter().any(|wanted| wanted.form != Form::History) {
        S::play_watched(&source.plan, &mut story);
    }
    if wanted.iter().any(|wanted| wanted.form == Form::History) {
        S::play_watched(&source.plan, &mut clients);
    }
    let threads = Threads::of(&story);
    let past = match source.outcome.violation().filter(|_| !report.all) {
        Some(violated) => threads.past(&story.numbers(&violated.nodes), Time::from_ns(violated.time_ns)),
        None => (0..story.turns.len()).collect(),
    };
    let turns = if report.turns == 0 { past.len() } else { report.turns };
    let catalogue = S::catalogue();
    let faults: Vec<FaultLine> = source.plan.faults.iter().map(fault_line).collect();
    let run = Run {
        outcome: &source.outcome,
        promise: source.outcome.violation().and_then(|violated| catalogue.promise(&violated.invariant)),
        faults: &faults,
        story: &story,
        threads: &threads,
        shown: &past[past.len().saturating_sub(turns)..],
        command: &command(&report.subject, &source.plan),
    };
    let text = |wanted: &Wanted<'_>| {
        let text = match wanted.form {
            Form::Html => page::html(&run),
            Form::Svg => picture::svg(&run),
            Form::Perfetto if story.forgotten > 0 => {
                let remark = format!("the first {} of the run are forgotten", counted(story.forgotten, "turn"));
                return Ok(Text { text: perfetto(&run) + "\n", remark: Some(remark) });
            }
            Form::Perfetto => perfetto(&run) + "\n",
            Form::Shiviz => shiviz(&run),
            Form::Mermaid => mermaid(&run),
            Form::History => return clients.text(source),
        };
        Ok(Text { text, remark: None })
    };
    wanted.iter().map(text).collect()
}

/// The command that plays the run alone.
fn command<S>(subject: &Subject, plan: &PlanOf<S>) -> String {
    let file = subject.file.display().to_string();
    if load::is_capsule(&subject.file) {
        return format!("squall replay {}", quoted(&file));
    }
    let settings: Vec<String> = subject.settings.settings.iter().map(|setting| setting.written.clone()).collect();
    run_command(&file, plan.seed, &settings)
}

/// Writes down what clients do and learn.
#[derive(Default)]
struct Clients {
    events: Events,
}

impl Watch for Clients {
    fn closeness(&self) -> Closeness {
        Closeness::Digests
    }

    fn call(&mut self, at: Time, client: &str, call: Call) {
        self.events.push((at.ns(), client.to_owned(), call));
    }
}

impl Clients {
    fn text<S>(&self, source: &Source<S>) -> Result<Text, Refusal> {
        if !self.events.iter().any(|(.., call)| matches!(call, Call::Ends(_))) {
            let (scenario, seed) = (&source.outcome.scenario, source.outcome.seed);
            return Err(Refusal::Usage(format!(
                "--history: in {scenario}, seed {seed}, no client learns what became of a read or a write, so there is nothing to check; leave it out"
            )));
        }
        let told = history(&self.events);
        let remark = (!told.left_out.is_empty()).then(|| {
            let keys: Vec<String> = told.left_out.iter().map(u32::to_string).collect();
            format!(
                "left out is what was done to key {}: something was added to it, and nobody knows whether; the form has no word for that",
                keys.join(", ")
            )
        });
        Ok(Text { text: told.text, remark })
    }
}

/// What was written, for programs.
#[derive(Serialize)]
struct Written<'a> {
    format: &'static str,
    kind: &'static str,
    scenario: &'a str,
    system: &'a str,
    seed: u64,
    digest: &'a str,
    files: BTreeMap<&'static str, String>,
}

fn object<S>(source: &Source<S>, wanted: &[Wanted<'_>]) -> String {
    let outcome = &source.outcome;
    json::object(&Written {
        format: FORMAT,
        kind: "report",
        scenario: &outcome.scenario,
        system: &outcome.system,
        seed: outcome.seed,
        digest: &outcome.digest,
        files: wanted.iter().map(|wanted| (wanted.form.name(), wanted.file.display().to_string())).collect(),
    })
}
