//! What can be said on the command line, and the help for it.

use super::explain::Explain;
use super::history::CheckHistory;
use super::length::Length;
use super::matrix::Matrix;
use super::new::New;
use super::outputs::Outputs;
use super::place::Place;
use super::report::Report;
use super::seed::{Seed, Seeds};
use super::set::Setting;
use super::shard;
use super::shell::quoted;
use super::show::Show;
use super::shrink::Shrink;
use super::transcript::CheckTranscript;
use crate::run::twice::Share;
use clap::builder::FalseyValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, ColorChoice, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::ffi::OsString;
use std::num::{NonZeroU16, NonZeroU64};
use std::path::PathBuf;

/// Simulates distributed systems, deterministically: one scenario and one seed, one run.
#[derive(Parser, Debug)]
#[command(
    name = "squall",
    version,
    arg_required_else_help = true,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  squall run scenarios                    one run of every scenario
  squall run scenarios/raft/storm.ron --seed 42
  squall show scenarios/raft/storm.ron --seed 42    what will happen in that run
  squall sweep scenarios/raft --count 10000         many seeds of each
  squall shrink scenarios/museum/commit-index-regress.ron    the least that breaks it, too
  squall explain scenarios/museum/commit-index-regress.ron   what led to it
  squall report scenarios/museum/commit-index-regress.ron --html it.html   a page about it
  squall list exhibits                    the planted defects
  squall new my-story --system raft       a scenario of your own"
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,

    /// When to use colour; `auto` is on a terminal, and heeds NO_COLOR and CLICOLOR_FORCE
    #[arg(long, global = true, value_name = "WHEN", env = "SQUALL_COLOR", default_value = "auto", hide_env = true)]
    pub(super) color: ColorChoice,

    /// Say only what went wrong
    #[arg(short, long, global = true, env = "SQUALL_QUIET", value_parser = FalseyValueParser::new(), hide_env = true)]
    #[arg(action = clap::ArgAction::SetTrue)]
    pub(super) quiet: bool,

    /// Say more
    #[arg(short, long, global = true, env = "SQUALL_VERBOSE", value_parser = FalseyValueParser::new(), hide_env = true)]
    #[arg(action = clap::ArgAction::SetTrue)]
    pub(super) verbose: bool,
}

/// How much is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Detail {
    /// Only what went wrong.
    Quiet,
    /// A line for each thing.
    Usual,
    /// All there is.
    Verbose,
}

impl Arguments {
    /// A flag wins over what variables say, also over those of flags that contradict it.
    ///
    /// # Errors
    /// If flags contradict each other.
    pub(super) fn settled(mut self, found: &ArgMatches) -> Result<Arguments, clap::Error> {
        let is_flag = |found: &ArgMatches, id| found.value_source(id) == Some(ValueSource::CommandLine);
        // Of two flags the last counts.
        let is_quiet_last = found.index_of("quiet") > found.index_of("verbose");
        match (is_flag(found, "quiet"), is_flag(found, "verbose")) {
            (true, true) => (self.quiet, self.verbose) = (is_quiet_last, !is_quiet_last),
            (true, false) => self.verbose = false,
            (false, true) => self.quiet = false,
            (false, false) => {}
        }
        let Some((_, found)) = found.subcommand() else { return Ok(self) };
        match &mut self.command {
            Command::Sweep(sweep) => {
                let is_length = is_flag(found, "count") || is_flag(found, "from");
                match (is_flag(found, "seeds"), is_length) {
                    (true, false) => (sweep.count, sweep.from) = (None, None),
                    (false, true) => sweep.seeds = None,
                    (true, true) | (false, false) => {}
                }
                if sweep.seeds.is_some() && (sweep.count.is_some() || sweep.from.is_some()) {
                    let message = "--seeds cannot be used with --count or --from, for it says both where to begin and where to end";
                    let mut command = Arguments::command();
                    command.build();
                    let sweep = command.find_subcommand_mut("sweep").expect("a command");
                    return Err(sweep.error(ErrorKind::ArgumentConflict, message));
                }
            }
            Command::Place(place) => match (is_flag(found, "nodes"), is_flag(found, "nodes_from")) {
                (true, false) => place.nodes_from = None,
                (false, true) => place.nodes = None,
                (true, true) | (false, false) => {}
            },
            Command::Shrink(shrink) => shrink.subject.settle(is_flag(found, "seed")),
            Command::Explain(explain) => explain.subject.settle(is_flag(found, "seed")),
            Command::Report(report) => report.subject.settle(is_flag(found, "seed")),
            _ => {}
        }
        Ok(self)
    }

    pub(super) fn detail(&self) -> Detail {
        match (self.quiet, self.verbose) {
            (true, _) => Detail::Quiet,
            (false, true) => Detail::Verbose,
            (false, false) => Detail::Usual,
        }
    }
}

/// What to do.
#[derive(Subcommand, Debug)]
pub(super) enum Command {
    Run(Run),
    Sweep(Sweep),
    Matrix(Matrix),
    Merge(Merge),
    Replay(Replay),
    Shrink(Shrink),
    Explain(Explain),
    Report(Report),
    Check(Check),
    CheckHistory(CheckHistory),
    CheckTranscript(CheckTranscript),
    Place(Place),
    Show(Show),
    List(List),
    New(New),
    /// Print a script that completes commands and flags in a shell
    #[command(after_help = "Example:\n  squall completions bash > ~/.local/share/bash-completion/completions/squall")]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    #[command(after_help = "Example:\n  squall man | man -l -")]
    Man,
}

/// Run each scenario once, and say what it came to
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  squall run scenarios
  squall run scenarios/raft/storm.ron --seed 42 -v
  squall run scenarios/raft/storm.ron --set system.nodes=7 --set network.loss=2%
  squall run scenarios --format json | jq .verdict

Exit codes:
  0         every scenario met its expectation
  100       one did not: a promise is broken, or what should break did not
  1         input or output failed
  2         wrong usage, or a bad scenario file
  3         a run came to no verdict, or is not deterministic
  4         nothing ran
  70        a bug of squall
  130, 143  interrupted, terminated")]
pub(super) struct Run {
    /// Scenario files, or folders of them
    #[arg(required = true, value_name = "SCENARIO or DIR")]
    pub(super) scenarios: Vec<PathBuf>,

    /// The seed of all dice: decimal, 0x hexadecimal, or a 40-digit git commit [default: what the scenario says, or 0]
    #[arg(long, value_name = "N", env = "SQUALL_SEED", hide_env = true, allow_hyphen_values = true)]
    pub(super) seed: Option<Seed>,

    #[command(flatten)]
    pub(super) settings: Settings,

    /// Play each run twice, in another thread and with other addresses, and compare; or a share of the seeds: 10%
    #[arg(long, value_name = "RATIO", env = "SQUALL_CHECK_DETERMINISM", hide_env = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "1")]
    pub(super) check_determinism: Option<Share>,

    /// How to write the results
    #[arg(long, env = "SQUALL_FORMAT", default_value = "human", hide_env = true)]
    pub(super) format: Format,
}

/// Play a stored run again, and say whether it comes to the same, bit for bit
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  squall replay failure.capsule.ron
  squall replay failures/*/*.capsule.ron --format json | jq .reproduced

Exit codes:
  0   every run came to the same verdict and the same digest
  2   wrong usage, or a file that is no capsule
  3   a run did not, or its capsule is stale
  70  a bug of squall")]
pub(super) struct Replay {
    /// Stored runs, files that end in .capsule.ron
    #[arg(required = true, value_name = "CAPSULE")]
    pub(super) capsules: Vec<PathBuf>,

    /// How to write the results
    #[arg(long, env = "SQUALL_FORMAT", default_value = "human", hide_env = true)]
    pub(super) format: Format,
}

/// Play many seeds of each scenario, and say what they came to together
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  squall sweep scenarios/raft --count 10000
  squall sweep scenarios/raft/storm.ron --seeds 0..1000000 --time 10m
  squall sweep scenarios/museum --max-fail 1    how soon each defect is found
  squall sweep my.ron --seeds 0..90000 --shard 2/3 --out part-2
  squall sweep my.ron --out nightly --resume

Results go to a folder, by default squall-out/<scenario>/<time>/: a journal with a line a seed, a summary, \
and for each kind of failure the first runs, stored whole (squall replay, squall shrink).

Exit codes:
  0         every scenario met its expectation
  100       one did not: a promise is broken, or what should break did not
  1         input or output failed
  2         wrong usage, or a bad scenario file
  3         a seed came to no verdict
  4         nothing ran
  70        a bug of squall
  130, 143  interrupted, terminated; --resume goes on")]
pub(super) struct Sweep {
    /// Scenario files, or folders of them
    #[arg(required = true, value_name = "SCENARIO or DIR")]
    pub(super) scenarios: Vec<PathBuf>,

    /// These seeds, the last one not included [default: 0..1000]
    #[arg(long, value_name = "A..B", env = "SQUALL_SEEDS", hide_env = true, allow_hyphen_values = true)]
    pub(super) seeds: Option<Seeds>,

    /// So many seeds
    #[arg(long, value_name = "N", env = "SQUALL_COUNT", hide_env = true)]
    pub(super) count: Option<u64>,

    /// From this seed on [default: 0]
    #[arg(long, value_name = "N", env = "SQUALL_FROM", hide_env = true, allow_hyphen_values = true)]
    pub(super) from: Option<Seed>,

    /// Begin no more seeds after this time, for example 10m; without --seeds or --count, as many as fit in
    #[arg(long, value_name = "TIME", env = "SQUALL_TIME", hide_env = true, allow_hyphen_values = true)]
    pub(super) time: Option<Length>,

    /// Give a seed up after this time, for example 30s
    #[arg(long, value_name = "TIME", env = "SQUALL_RUN_TIMEOUT", hide_env = true, allow_hyphen_values = true)]
    pub(super) run_timeout: Option<Length>,

    /// How many runs at once [default: as many as there are processors]
    #[arg(short, long, value_name = "N", env = "SQUALL_JOBS", hide_env = true, value_parser = jobs)]
    pub(super) jobs: Option<NonZeroU16>,

    /// Only this part of the seeds: 2/3 is the second of three; auto asks the batch system
    #[arg(long, value_name = "i/n", env = "SQUALL_SHARD", hide_env = true)]
    pub(super) shard: Option<shard::Wanted>,

    /// End a scenario after so many violations, expected or not
    #[arg(long, value_name = "N", env = "SQUALL_MAX_FAIL", hide_env = true, value_parser = at_least_one)]
    pub(super) max_fail: Option<NonZeroU64>,

    /// End everything at the first seed that does not do what its scenario expects
    #[arg(long, env = "SQUALL_FAIL_FAST", value_parser = FalseyValueParser::new(), hide_env = true)]
    #[arg(action = clap::ArgAction::SetTrue)]
    pub(super) fail_fast: bool,

    /// End a scenario when so many seeds in a row have shown no new state of the system
    #[arg(long, value_name = "K", env = "SQUALL_UNTIL_SATURATED", hide_env = true, value_parser = at_least_one)]
    pub(super) until_saturated: Option<NonZeroU64>,

    /// Fail if no seed has reached what a scenario's `goals` name, or none of its system's goals
    #[arg(long, env = "SQUALL_REQUIRE_GOALS", value_parser = FalseyValueParser::new(), hide_env = true)]
    #[arg(action = clap::ArgAction::SetTrue)]
    pub(super) require_goals: bool,

    /// Play each run twice, in another thread and with other addresses, and compare; or a share of the seeds: 10%
    #[arg(long, value_name = "RATIO", env = "SQUALL_CHECK_DETERMINISM", hide_env = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "1")]
    pub(super) check_determinism: Option<Share>,

    /// Store the first run of each new kind of failure beside its scenario; every sweep plays these first
    #[arg(long, env = "SQUALL_KEEP", value_parser = FalseyValueParser::new(), hide_env = true)]
    #[arg(action = clap::ArgAction::SetTrue)]
    pub(super) keep: bool,

    /// The folder for the results; of several scenarios, each has a folder in it
    #[arg(long, value_name = "DIR", env = "SQUALL_OUT", hide_env = true)]
    pub(super) out: Option<PathBuf>,

    /// Go on where the sweep in that folder was left; without --out, the latest of the scenario
    #[arg(long, env = "SQUALL_RESUME", value_parser = FalseyValueParser::new(), hide_env = true)]
    #[arg(action = clap::ArgAction::SetTrue)]
    pub(super) resume: bool,

    #[command(flatten)]
    pub(super) outputs: Outputs,

    #[command(flatten)]
    pub(super) settings: Settings,

    /// How to write the results
    #[arg(long, env = "SQUALL_FORMAT", default_value = "human", hide_env = true)]
    pub(super) format: Format,
}

/// Combine the shards of a sweep, after looking whether they belong together and nothing is missing
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  squall merge part-1 part-2 part-3 --out whole
  squall merge parts --format json

Exit codes: as those of sweep; 3 also if seeds are missing: the command that plays them is told")]
pub(super) struct Merge {
    /// Folders that sweeps or merges have written, or folders of them
    #[arg(required = true, value_name = "DIR")]
    pub(super) folders: Vec<PathBuf>,

    /// The folder for the results
    #[arg(long, value_name = "DIR", env = "SQUALL_OUT", hide_env = true)]
    pub(super) out: Option<PathBuf>,

    #[command(flatten)]
    pub(super) outputs: Outputs,

    /// How to write the results
    #[arg(long, env = "SQUALL_FORMAT", default_value = "human", hide_env = true)]
    pub(super) format: Format,
}

/// Read scenarios and say what is wrong with them, without running them
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  squall check scenarios
  squall check my.ron --format json")]
pub(super) struct Check {
    /// Scenario files, or folders of them
    #[arg(required = true, value_name = "FILE or DIR")]
    pub(super) files: Vec<PathBuf>,

    /// How to write the results
    #[arg(long, env = "SQUALL_FORMAT", default_value = "human", hide_env = true)]
    pub(super) format: Format,
}

/// List what there is
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  squall list scenarios
  squall list invariants
  squall list exhibits --format json | jq -r .id")]
pub(super) struct List {
    /// Of what
    pub(super) what: Listed,

    /// For `scenarios`: where to look [default: scenarios]
    #[arg(value_name = "DIR")]
    pub(super) folders: Vec<PathBuf>,

    /// How to write the results
    #[arg(long, env = "SQUALL_FORMAT", default_value = "human", hide_env = true)]
    pub(super) format: Format,
}

#[derive(Args, Debug)]
pub(super) struct Settings {
    /// Set a value of the scenario, for example network.loss=2%; again for another
    #[arg(long = "set", value_name = "PATH=VALUE", env = "SQUALL_SET", value_delimiter = ';', hide_env = true)]
    pub(super) settings: Vec<Setting>,
}

impl Settings {
    /// The flags that say them again, each with a space before it.
    pub(super) fn words(&self) -> String {
        self.settings.iter().map(|setting| format!(" --set {}", quoted(&setting.written))).collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(super) enum Format {
    /// Text for people
    Human,
    /// One JSON object a line
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(super) enum Listed {
    /// Scenario files, with their titles
    Scenarios,
    /// What a scenario can run
    Systems,
    /// What can go wrong, whom it can hit
    Faults,
    /// What must never be
    Invariants,
    /// Planted defects
    Exhibits,
}

/// How many threads.
pub(super) fn jobs(text: &str) -> Result<NonZeroU16, String> {
    text.parse().map_err(|_| format!("write a number from 1 to {}", u16::MAX))
}

/// How many of something that there must be one of.
pub(super) fn at_least_one(text: &str) -> Result<NonZeroU64, String> {
    text.parse().map_err(|_| "write a whole number from 1 on".to_owned())
}

/// Whether help and complaints about the command line have colour, before that line is understood.
pub(super) fn colour_of_help(words: &[OsString]) -> ColorChoice {
    let flag = words.iter().enumerate().find_map(|(place, word)| match word.to_str()? {
        "--color" => words.get(place + 1)?.to_str(),
        word => word.strip_prefix("--color="),
    });
    #[expect(clippy::disallowed_methods, reason = "the variable counts before the command line is understood")]
    let variable = std::env::var("SQUALL_COLOR").ok();
    flag.or(variable.as_deref()).and_then(|choice| choice.parse().ok()).unwrap_or(ColorChoice::Auto)
}
