//! `squall new`: a scenario to start from.

use super::Exit;
use super::arguments::Detail;
use super::terminal::Terminal;
use crate::scenario::diagnostic::suggest;
use crate::scenario::load::is_capsule;
use crate::scenario::shell::quoted;
use crate::systems::{Catalogue, System};
use clap::Args;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Write a scenario to start from, explained in comments
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  squall new my-story --system raft
  squall new holder-sleeps --system lock && squall run holder-sleeps.ron")]
pub(super) struct New {
    /// The scenario's file; `.ron` is added if it is not there
    #[arg(value_name = "NAME")]
    name: PathBuf,

    /// What it is about: one of `squall list systems`
    #[arg(long, value_name = "SYSTEM", env = "SQUALL_SYSTEM", hide_env = true)]
    system: String,
}

pub(super) fn new<S: System>(new: &New, detail: Detail, terminal: &mut Terminal) -> io::Result<Exit> {
    let file = file_of(&new.name);
    let shown = file.display();
    let refusal = match beginning::<S>(&new.system).and_then(|beginning| titled(beginning, &file)) {
        Err(refusal) => refusal,
        Ok(text) => match File::create_new(&file).and_then(|mut created| created.write_all(text.as_bytes())) {
            Ok(()) if detail == Detail::Quiet => return Ok(Exit::Done),
            Ok(()) => {
                let again = quoted(&shown.to_string());
                terminal.result(&format!("{shown} is written, and runs as it is:\n  squall run {again}\n"))?;
                return Ok(Exit::Done);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                format!("{shown} is there already, and is left as it is; choose another name")
            }
            Err(error) => {
                terminal.error(&format!("cannot write {shown}: {error}"));
                return Ok(Exit::Trouble);
            }
        },
    };
    terminal.error(&refusal);
    Ok(Exit::Usage)
}

fn file_of(name: &Path) -> PathBuf {
    match name.extension() {
        Some(extension) if extension == "ron" => name.to_owned(),
        _ => {
            let mut file = name.as_os_str().to_owned();
            file.push(".ron");
            file.into()
        }
    }
}

/// Where a scenario of this system begins, or why there is none.
fn beginning<S: System>(wanted: &str) -> Result<&'static str, String> {
    let Catalogue { systems, .. } = S::catalogue();
    let names: Vec<&str> = systems.iter().map(|(name, _)| *name).collect();
    let Some(name) = names.iter().find(|name| name.eq_ignore_ascii_case(wanted)) else {
        let cure = match suggest(wanted, names.iter().copied()) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("there are {}", names.join(", ")),
        };
        return Err(format!("--system: there is no system {wanted}; {cure}"));
    };
    let none = || format!("--system: {name} has no scenario to start from; write one, with `system: {name}(...)`");
    S::beginning(name).ok_or_else(none)
}

/// The scenario under the title that its file's name makes, or why there cannot be such a file.
fn titled(beginning: &str, file: &Path) -> Result<String, String> {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    if stem.is_empty() || stem.starts_with('.') {
        return Err(format!("{} is no name of a scenario; write for example my-story", file.display()));
    }
    if is_capsule(file) {
        return Err(format!("{} would be taken for a stored run; choose a name without .capsule", file.display()));
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        let make = quoted(&folder.display().to_string());
        return Err(format!("there is no folder {}; make it first: mkdir -p {make}", folder.display()));
    }
    let title = stem.replace(['-', '_'], " ");
    Ok(beginning.replace("{title}", &format!("{title:?}")))
}
