//! `squall check`: is this a scenario?

use super::Exit;
use super::arguments::{Check, Detail, Format};
use super::diagnostics;
use super::terminal::Terminal;
use crate::report::json;
use crate::report::number::counted;
use crate::report::style::{GOOD, styled};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::load;
use crate::systems::{self, System};
use serde::Serialize;
use std::io;
use std::path::PathBuf;

pub(super) fn check<S: System>(check: &Check, detail: Detail, terminal: &mut Terminal) -> io::Result<Exit> {
    let (files, lost) = found(&check.files);
    let mut wrong = lost.len();
    for mistake in &lost {
        tell_wrong(mistake, check.format, terminal)?;
    }
    for file in &files {
        match systems::load::<S>(file) {
            Ok(_) => tell_right(&file.display().to_string(), check.format, detail, terminal)?,
            Err(mistake) => {
                wrong += 1;
                tell_wrong(&mistake, check.format, terminal)?;
            }
        }
    }
    if wrong == 0 {
        return Ok(Exit::Done);
    }
    if check.format == Format::Human {
        terminal.error(&format!("{wrong} of {} cannot be run", counted((files.len() + lost.len()) as u64, "scenario")));
    }
    Ok(Exit::Usage)
}

/// The scenario files among these paths, and what is wrong with the other paths.
pub(super) fn found(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<Diagnostic>) {
    let (mut good, mut lost) = (Vec::new(), Vec::new());
    for path in paths {
        match load::find(std::slice::from_ref(path)) {
            Ok(_) => good.push(path.clone()),
            Err(mistake) => lost.push(mistake),
        }
    }
    // All at once, so that no file comes twice.
    match load::find(&good) {
        Ok(files) => (files, lost),
        Err(mistake) => {
            lost.push(mistake);
            (Vec::new(), lost)
        }
    }
}

#[derive(Serialize)]
struct Object<'a> {
    format: &'static str,
    kind: &'static str,
    file: &'a str,
    ok: bool,
    line: Option<usize>,
    column: Option<usize>,
    message: Option<String>,
    help: Option<&'a str>,
}

fn tell_right(file: &str, format: Format, detail: Detail, terminal: &mut Terminal) -> io::Result<()> {
    let right = Object {
        format: json::FORMAT,
        kind: "check",
        file,
        ok: true,
        line: None,
        column: None,
        message: None,
        help: None,
    };
    match format {
        Format::Json => terminal.raw(&(json::object(&right) + "\n")),
        Format::Human if detail == Detail::Quiet => Ok(()),
        Format::Human => terminal.result(&format!("{}  {file}\n", styled(GOOD, "ok"))),
    }
}

fn tell_wrong(mistake: &Diagnostic, format: Format, terminal: &mut Terminal) -> io::Result<()> {
    if format == Format::Human {
        terminal.aside(&diagnostics::rendered(mistake));
        return Ok(());
    }
    let expected = mistake.expected.as_ref().map(|expected| format!(", expected {expected}"));
    let wrong = Object {
        format: json::FORMAT,
        kind: "check",
        file: &mistake.file,
        ok: false,
        line: (mistake.line > 0).then_some(mistake.line),
        column: (mistake.line > 0).then_some(mistake.column),
        message: Some(format!("{}{}", mistake.message, expected.unwrap_or_default())),
        help: mistake.help.as_deref(),
    };
    terminal.raw(&(json::object(&wrong) + "\n"))
}
