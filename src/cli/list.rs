//! `squall list`: what there is.

mod faults;
mod table;

use super::Exit;
use super::arguments::{Format, List, Listed};
use super::check::found;
use super::diagnostics;
use super::terminal::Terminal;
use crate::report::json;
use crate::report::style::{BOLD, DIM, styled};
use crate::run::outcome::Expectation;
use crate::scenario::load;
use crate::systems::{self, System};
use serde::Serialize;
use std::io;
use std::path::PathBuf;
use table::{paragraph, table};

pub(super) fn list<S: System>(list: &List, terminal: &mut Terminal) -> io::Result<Exit> {
    if list.what != Listed::Scenarios && !list.folders.is_empty() {
        terminal.error(&format!("only scenarios are looked for in a folder, not {}", name_of(list.what)));
        return Ok(Exit::Usage);
    }
    match list.what {
        Listed::Scenarios => return scenarios::<S>(list, terminal),
        Listed::Systems => pairs("system", &S::catalogue().systems, list.format, terminal)?,
        Listed::Invariants => pairs("invariant", &S::catalogue().invariants, list.format, terminal)?,
        Listed::Faults => faults::list(list.format, &S::catalogue(), terminal)?,
        Listed::Exhibits => exhibits::<S>(list.format, terminal)?,
    }
    Ok(Exit::Done)
}

fn name_of(what: Listed) -> &'static str {
    match what {
        Listed::Scenarios => "scenarios",
        Listed::Systems => "systems",
        Listed::Faults => "faults",
        Listed::Invariants => "invariants",
        Listed::Exhibits => "exhibits",
    }
}

/// What every object says first.
#[derive(Serialize)]
struct Object<T> {
    format: &'static str,
    kind: &'static str,
    #[serde(flatten)]
    content: T,
}

/// One object a line.
fn objects<T: Serialize>(
    kind: &'static str,
    contents: impl IntoIterator<Item = T>,
    terminal: &mut Terminal,
) -> io::Result<()> {
    let line = |content| json::object(&Object { format: json::FORMAT, kind, content }) + "\n";
    terminal.raw(&contents.into_iter().map(line).collect::<String>())
}

#[derive(Serialize)]
struct Pair<'a> {
    name: &'a str,
    description: &'a str,
}

fn pairs(kind: &'static str, pairs: &[(&str, &str)], format: Format, terminal: &mut Terminal) -> io::Result<()> {
    match format {
        Format::Json => objects(kind, pairs.iter().map(|&(name, description)| Pair { name, description }), terminal),
        Format::Human => {
            let rows: Vec<[&str; 2]> = pairs.iter().map(|&(name, description)| [name, description]).collect();
            let text = table(&rows, terminal.width());
            terminal.result(&text)
        }
    }
}

#[derive(Serialize)]
struct ScenarioEntry {
    name: String,
    file: String,
    title: Option<String>,
    system: &'static str,
    /// The invariants that must break; empty if all must hold.
    breaks: Vec<String>,
}

fn scenarios<S: System>(list: &List, terminal: &mut Terminal) -> io::Result<Exit> {
    let folders = match list.folders.as_slice() {
        [] => vec![PathBuf::from("scenarios")],
        folders => folders.to_vec(),
    };
    let (files, mut mistakes) = found(&folders);
    let mut entries = Vec::new();
    for file in files {
        match systems::load::<S>(&file) {
            Ok(scenario) => entries.push(ScenarioEntry {
                name: load::name(&file),
                file: file.display().to_string(),
                system: scenario.system.name(),
                breaks: match systems::expectation(&scenario) {
                    Expectation::Holds => Vec::new(),
                    Expectation::Breaks(invariants) => invariants.to_vec(),
                },
                title: scenario.title,
            }),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    match list.format {
        Format::Json => objects("scenario", &entries, terminal)?,
        Format::Human => {
            let rows: Vec<[String; 3]> = entries.iter().map(row).collect();
            let rows: Vec<[&str; 3]> = rows.iter().map(|row| row.each_ref().map(String::as_str)).collect();
            let text = table(&rows, terminal.width());
            terminal.result(&text)?;
        }
    }
    for mistake in &mistakes {
        terminal.aside(&diagnostics::rendered(mistake));
    }
    Ok(if mistakes.is_empty() { Exit::Done } else { Exit::Usage })
}

fn row(entry: &ScenarioEntry) -> [String; 3] {
    let expectation = if entry.breaks.is_empty() { "holds" } else { "breaks" };
    [entry.name.clone(), expectation.to_owned(), entry.title.clone().unwrap_or_default()]
}

#[derive(Serialize)]
struct ExhibitEntry<'a> {
    id: &'a str,
    system: &'a str,
    rarity: &'a str,
    invariants: &'a [&'a str],
    story: &'a str,
    source: &'a str,
}

fn exhibits<S: System>(format: Format, terminal: &mut Terminal) -> io::Result<()> {
    let exhibits = S::catalogue().exhibits;
    let entries = exhibits.iter().map(|exhibit| ExhibitEntry {
        id: exhibit.id,
        system: exhibit.system,
        rarity: exhibit.rarity,
        invariants: exhibit.invariants,
        story: exhibit.story,
        source: exhibit.source,
    });
    if format == Format::Json {
        return objects("exhibit", entries, terminal);
    }
    let width = terminal.width();
    let one = |entry: ExhibitEntry<'_>| {
        let labelled = |label: &str, text: &str| paragraph(&format!("{label:7} "), text, width);
        format!(
            "{}  {}\n{}{}{}",
            styled(BOLD, entry.id),
            styled(DIM, format_args!("{}, {}", entry.system, entry.rarity)),
            labelled("", entry.story),
            labelled("breaks", &entry.invariants.join(" or ")),
            labelled("source", entry.source),
        )
    };
    let text = entries.map(one).collect::<Vec<_>>().join("\n");
    terminal.result(&text)
}
