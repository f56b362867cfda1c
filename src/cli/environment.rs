//! Variables named `SQUALL_*`: each flag has one, and a misspelt one should not go unnoticed.

use super::arguments::Arguments;
use super::terminal::Terminal;
use crate::scenario::diagnostic::suggest;
use clap::builder::Resettable;
use clap::{Arg, Command, CommandFactory};
use std::collections::BTreeSet;

const PREFIX: &str = "SQUALL_";

/// The command, without the variables that are there and empty: a workflow sets one so that has no value for it.
pub(super) fn without_empty(command: Command) -> Command {
    #[expect(clippy::disallowed_methods, reason = "the program reads the variables of its flags")]
    let is_empty = |arg: &Arg| arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    let heed = |arg: Arg| if is_empty(&arg) { arg.env(Resettable::Reset) } else { arg };
    command.mut_args(heed).mut_subcommands(|command| command.mut_args(heed))
}

/// Warns of every variable that looks like one of ours, and is none.
pub(super) fn warn_of_unknown(terminal: &mut Terminal) {
    #[expect(clippy::disallowed_methods, reason = "the program tells of variables that it does not know")]
    let ours = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let found: BTreeSet<String> = ours.filter(|name| name.starts_with(PREFIX)).collect();
    if found.is_empty() {
        return;
    }
    let known = known();
    for name in found.iter().filter(|name| !known.contains(*name)) {
        let cure = match suggest(&name[PREFIX.len()..], known.iter().map(|name| &name[PREFIX.len()..])) {
            Some(meant) => format!("did you mean {PREFIX}{meant}?"),
            None => format!("there are {}", known.iter().cloned().collect::<Vec<_>>().join(", ")),
        };
        terminal.warning(&format!("no flag reads the environment variable {name}; {cure}"));
    }
}

fn known() -> BTreeSet<String> {
    let command = Arguments::command();
    let arguments = command.get_arguments().chain(command.get_subcommands().flat_map(Command::get_arguments));
    arguments.filter_map(|argument| argument.get_env()?.to_str().map(str::to_owned)).collect()
}
