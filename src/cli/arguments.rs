//! What can be said on the command line, and the help for it.

use super::length::Length;
use super::seed::Seed;
use super::set::Setting;
use clap::builder::FalseyValueParser;
use clap::{Args, ColorChoice, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::ffi::OsString;
use std::num::NonZeroUsize;
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
  squall shrink scenarios/museum/commit-index-regress.ron    the least that breaks it, too
  squall list exhibits                    the planted defects"
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,

    /// When to use colour; `auto` is on a terminal, and heeds NO_COLOR and CLICOLOR_FORCE
    #[arg(long, global = true, value_name = "WHEN", env = "SQUALL_COLOR", default_value = "auto", hide_env = true)]
    pub(super) color: ColorChoice,

    /// Say only what went wrong
    #[arg(short, long, global = true, env = "SQUALL_QUIET", value_parser = FalseyValueParser::new(), hide_env = true)]
    #[arg(action = clap::ArgAction::SetTrue, overrides_with = "verbose")]
    pub(super) quiet: bool,

    /// Say more
    #[arg(short, long, global = true, env = "SQUALL_VERBOSE", value_parser = FalseyValueParser::new(), hide_env = true)]
    #[arg(action = clap::ArgAction::SetTrue, overrides_with = "quiet")]
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
    Shrink(Shrink),
    Check(Check),
    Show(Show),
    List(List),
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
  0    every scenario met its expectation
  100  one did not: a promise is broken, or what should break did not
  1    input or output failed              2    wrong usage, or a bad scenario file
  3    a run came to no verdict            4    nothing ran
  70   a bug of squall                     130, 143  interrupted, terminated")]
pub(super) struct Run {
    /// Scenario files, or folders of them
    #[arg(required = true, value_name = "SCENARIO or DIR")]
    pub(super) scenarios: Vec<PathBuf>,

    /// The seed of all dice: decimal, 0x hexadecimal, or a 40-digit git commit
    #[arg(long, value_name = "N", env = "SQUALL_SEED", default_value = "0", hide_env = true)]
    #[arg(allow_hyphen_values = true)]
    pub(super) seed: Seed,

    #[command(flatten)]
    pub(super) settings: Settings,

    /// How to write the results
    #[arg(long, env = "SQUALL_FORMAT", default_value = "human", hide_env = true)]
    pub(super) format: Format,
}

/// Find a smaller plan that breaks the same invariant
#[derive(Args, Debug)]
#[command(after_help = "\
What is left is written as a scenario that stands alone, with a comment that tells what happens,
and as a capsule beside it. No single fault and no single operation of it can be left out.

Examples:
  squall shrink squall-out/raft/storm/failures/raft.log-matching-1a2b3c4d/42.capsule.ron
  squall shrink scenarios/museum/commit-index-regress.ron --seed 3 --verify
  squall shrink my.ron --seed 7 --time 5m --out small.ron

Exit codes:
  0    it was shrunk                       100  --verify found something needless
  1    input or output failed              2    wrong usage, a bad file, or nothing breaks
  3    the run came to no verdict, or the capsule does not break what it says
  70   a bug of squall                     130, 143  interrupted, terminated, the best so far written")]
pub(super) struct Shrink {
    /// A capsule, or a scenario file with --seed
    #[arg(value_name = "CAPSULE or SCENARIO")]
    pub(super) file: PathBuf,

    /// The seed with which the scenario breaks something [default: 0]
    #[arg(long, value_name = "N", env = "SQUALL_SEED", hide_env = true, allow_hyphen_values = true)]
    pub(super) seed: Option<Seed>,

    #[command(flatten)]
    pub(super) settings: Settings,

    /// Where to write the scenario [default: beside the capsule, or squall-out/shrunk/NAME.min.ron]
    #[arg(long, value_name = "FILE or DIR", env = "SQUALL_OUT", hide_env = true)]
    pub(super) out: Option<PathBuf>,

    /// Prove that no single fault and no single operation can be left out
    #[arg(long, env = "SQUALL_VERIFY", value_parser = FalseyValueParser::new(), hide_env = true)]
    #[arg(action = clap::ArgAction::SetTrue)]
    pub(super) verify: bool,

    /// How many threads try candidates [default: as many as there are processors]
    #[arg(short, long, value_name = "N", env = "SQUALL_JOBS", hide_env = true)]
    pub(super) jobs: Option<NonZeroUsize>,

    /// Stop after so many plays; the same number gives the same result
    #[arg(long, value_name = "PLAYS", env = "SQUALL_BUDGET", hide_env = true)]
    pub(super) budget: Option<u64>,

    /// Stop after this time [default: 30s, with --budget none]
    #[arg(long, value_name = "TIME", env = "SQUALL_TIME", hide_env = true)]
    pub(super) time: Option<Length>,

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

/// Show a scenario with all its defaults or, with a seed, the plan it draws
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  squall show scenarios/raft/storm.ron
  squall show scenarios/raft/storm.ron --seed 42 | less
  squall show scenarios/raft/storm.ron --seed 42 --format json | jq .faults")]
pub(super) struct Show {
    /// The scenario file
    pub(super) scenario: PathBuf,

    /// Show the plan that this seed draws
    #[arg(long, value_name = "N", env = "SQUALL_SEED", hide_env = true, allow_hyphen_values = true)]
    pub(super) seed: Option<Seed>,

    #[command(flatten)]
    pub(super) settings: Settings,

    /// How to write it
    #[arg(long, env = "SQUALL_FORMAT", default_value = "ron", hide_env = true)]
    pub(super) format: ShowFormat,
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

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(super) enum Format {
    /// Text for people
    Human,
    /// One JSON object a line
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(super) enum ShowFormat {
    /// As in a file
    #[value(alias = "human")]
    Ron,
    /// One JSON object
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
