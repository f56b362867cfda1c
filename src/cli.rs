//! The command-line program: the only room that prints, reads the environment, opens files and exits.

mod arguments;
mod bug;
mod check;
mod diagnostics;
mod environment;
mod explain;
mod history;
mod length;
mod list;
mod matrix;
mod merge;
mod new;
mod outputs;
mod pages;
mod place;
mod replay;
mod report;
mod run;
mod set;
mod shard;
mod show;
mod shrink;
mod signals;
mod subject;
mod sweep;
mod terminal;
mod transcript;

use crate::scenario::{seed, shell};
use crate::systems::System;
use arguments::{Arguments, Command};
use clap::{CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::io;
use std::process::ExitCode;
use terminal::Terminal;

/// Runs the program with these systems and the arguments it was called with.
#[expect(clippy::disallowed_methods, reason = "the command line is read here, once")]
pub fn main<S: System>() -> ExitCode {
    main_with::<S>(std::env::args_os())
}

/// Runs the program with these systems and these arguments, the program's own name first.
///
/// What the exit codes mean is part of the interface: see `squall run --help`.
pub fn main_with<S: System>(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    bug::tell_of_panics();
    let exit = std::panic::catch_unwind(|| start::<S>(&arguments)).unwrap_or(Exit::Bug);
    ExitCode::from(exit.code())
}

/// How the program ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Exit {
    /// Everything that was asked for is done, and every scenario met its expectation.
    Done,
    /// A scenario did not meet its expectation.
    Unmet,
    /// Something outside went wrong: a full disk, for example.
    Trouble,
    /// Wrong usage, or a bad scenario file.
    Usage,
    /// A run came to no verdict.
    Inconclusive,
    /// Nothing ran.
    Nothing,
    /// A bug of ours.
    Bug,
    /// A signal asked the program to end.
    Signal(u8),
}

impl Exit {
    fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Unmet => 100,
            Exit::Trouble => 1,
            Exit::Usage => 2,
            Exit::Inconclusive => 3,
            Exit::Nothing => 4,
            Exit::Bug => 70,
            Exit::Signal(number) => 128 + number,
        }
    }
}

fn start<S: System>(words: &[OsString]) -> Exit {
    let command = environment::without_empty(Arguments::command()).color(arguments::colour_of_help(words));
    let understood = |found| Arguments::from_arg_matches(&found)?.settled(&found);
    let arguments = match command.try_get_matches_from(words).and_then(understood) {
        Ok(arguments) => arguments,
        Err(refusal) => {
            // To a closed pipe there is nothing more to say.
            let _ = refusal.print();
            return if refusal.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    let mut terminal = Terminal::new(arguments.color);
    environment::warn_of_unknown(&mut terminal);
    match perform::<S>(arguments, &mut terminal) {
        Ok(exit) => exit,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            signals::end_as_with_a_closed_pipe();
            Exit::Done
        }
        // These say all that there is to say.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::ResourceBusy) => {
            terminal.error(&error.to_string());
            Exit::Trouble
        }
        Err(error) => {
            terminal.error(&format!("cannot write the results: {error}"));
            Exit::Trouble
        }
    }
}

fn perform<S: System>(arguments: Arguments, terminal: &mut Terminal) -> io::Result<Exit> {
    let detail = arguments.detail();
    match arguments.command {
        Command::Run(run) => run::run::<S>(&run, detail, terminal),
        Command::Shrink(shrink) => shrink::shrink::<S>(&shrink, detail, terminal),
        Command::Explain(explain) => explain::explain::<S>(&explain, terminal),
        Command::Report(report) => report::report::<S>(&report, detail, terminal),
        Command::Sweep(sweep) => sweep::sweep::<S>(&sweep, detail, terminal),
        Command::Matrix(matrix) => matrix::matrix::<S>(&matrix, detail, terminal),
        Command::Merge(merge) => merge::merge(&merge, detail, terminal),
        Command::Replay(replay) => replay::replay::<S>(&replay, detail, terminal),
        Command::Place(place) => place::place(&place, terminal),
        Command::CheckHistory(check) => history::check(&check, detail, terminal),
        Command::CheckTranscript(check) => transcript::check(&check, detail, terminal),
        Command::Check(check) => check::check::<S>(&check, detail, terminal),
        Command::Show(show) => show::show::<S>(&show, terminal),
        Command::New(new) => new::new::<S>(&new, detail, terminal),
        Command::List(list) => list::list::<S>(&list, terminal),
        Command::Completions { shell } => pages::completions(shell, terminal),
        Command::Man => pages::manual(terminal),
    }
}
