//! What CI systems are given beside the results: `--junit` and `--annotations`.

use super::sweep::folder::{self, Manifest};
use super::sweep::run_command;
use super::terminal::Terminal;
use crate::report::suite::{Account, Suite};
use crate::report::sweep::Sweep;
use crate::report::{annotations, junit};
use clap::{Args, ValueEnum};
use std::fs;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Which reports are wanted.
#[derive(Args, Debug)]
pub(super) struct Outputs {
    /// Write a JUnit report of all scenarios to this file
    #[arg(long, value_name = "FILE", env = "SQUALL_JUNIT", hide_env = true)]
    junit: Option<PathBuf>,

    /// Annotations and a summary on the pages of a CI system; `auto` finds out where it is
    #[arg(long, value_name = "WHERE", env = "SQUALL_ANNOTATIONS", default_value = "auto", hide_env = true)]
    annotations: Annotations,
}

/// For whom annotations are made.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(super) enum Annotations {
    /// GitHub if GITHUB_ACTIONS is true, else nobody
    Auto,
    /// GitHub Actions
    Github,
    /// Nobody
    None,
}

/// The JUnit report in the folder of each scenario.
const JUNIT: &str = "junit.xml";

impl Outputs {
    /// Writes what is wanted of all scenarios together.
    pub(super) fn write(&self, accounts: &[Account], terminal: &mut Terminal) -> io::Result<()> {
        if let Some(file) = &self.junit {
            if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                fs::create_dir_all(folder).map_err(|error| folder::at(folder, &error))?;
            }
            folder::replace(file, &junit::junit(accounts))?;
        }
        #[expect(clippy::disallowed_methods, reason = "a runner says with variables where it is")]
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if self.annotations.are_wanted(&variable) {
            // The runner listens to both streams, and results for programs must stay what they are.
            terminal.aside(&annotations::commands(accounts));
            if let Some(page) = variable("GITHUB_STEP_SUMMARY") {
                append(Path::new(&page), &annotations::page(accounts))?;
            }
        }
        Ok(())
    }
}

impl Annotations {
    fn are_wanted(self, variable: &dyn Fn(&str) -> Option<String>) -> bool {
        match self {
            Annotations::Auto => variable("GITHUB_ACTIONS").as_deref() == Some("true"),
            Annotations::Github => true,
            Annotations::None => false,
        }
    }
}

/// What is to be told of a sweep of which these seeds were played.
pub(super) fn account(sweep: &Sweep<'_>, manifest: &Manifest, played: &[Range<u64>]) -> Account {
    let Manifest { file, settings, .. } = manifest;
    let command = |seed| run_command(file, seed, settings);
    Suite { sweep: *sweep, file, played, command: &command }.account()
}

/// Writes the JUnit report of one scenario to its folder.
pub(super) fn write_junit(folder: &Path, account: &Account) -> io::Result<()> {
    folder::replace(&folder.join(JUNIT), &junit::junit(std::slice::from_ref(account)))
}

/// Other commands of the step have their part of the page, too.
fn append(page: &Path, text: &str) -> io::Result<()> {
    let file = fs::OpenOptions::new().create(true).append(true).open(page);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| folder::at(page, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_are_made_for_github_where_it_is_or_where_it_is_said() {
        let there = |name: &str| (name == "GITHUB_ACTIONS").then(|| "true".to_owned());
        let not = |name: &str| (name == "GITHUB_ACTIONS").then(|| "false".to_owned());
        let nowhere = |_: &str| None;
        assert!(Annotations::Auto.are_wanted(&there));
        assert!(!Annotations::Auto.are_wanted(&not) && !Annotations::Auto.are_wanted(&nowhere));
        assert!(Annotations::Github.are_wanted(&nowhere) && !Annotations::None.are_wanted(&there));
    }
}
