//! `squall show`: a scenario with everything that it left unsaid, the plan that a seed draws from it, or its ring.

use super::arguments::Settings;
use super::seed::Seed;
use super::sweep::folder;
use super::terminal::Terminal;
use super::{Exit, diagnostics, set};
use crate::report::{json, ring};
use crate::scenario::model::Scenario;
use crate::scenario::{load, text};
use crate::systems::{self, System};
use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::io;
use std::path::{Path, PathBuf};

/// Show a scenario with all its defaults or, with a seed, the plan it draws; of a ring, its loads and a picture
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  squall show scenarios/raft/storm.ron
  squall show scenarios/raft/storm.ron --seed 42 | less
  squall show scenarios/raft/storm.ron --seed 42 --format json | jq .faults
  squall show scenarios/ring/join-under-load.ron --ring
  squall show scenarios/ring/join-under-load.ron --svg ring.svg")]
pub(super) struct Show {
    /// The scenario file
    scenario: PathBuf,

    /// Show the plan that this seed draws
    #[arg(long, value_name = "N", env = "SQUALL_SEED", hide_env = true, allow_hyphen_values = true)]
    seed: Option<Seed>,

    /// Of a ring, show what each member owns, and what moves with each change that the plan orders; --seed is 0 if it is
    /// not given
    #[arg(long, env = "SQUALL_RING", value_parser = FalseyValueParser::new(), hide_env = true)]
    #[arg(action = clap::ArgAction::SetTrue)]
    ring: bool,

    /// As --ring, and draw the ring into this file; `-` is standard output, and then nothing else is written
    #[arg(long, value_name = "FILE", env = "SQUALL_SVG", hide_env = true)]
    svg: Option<PathBuf>,

    #[command(flatten)]
    settings: Settings,

    /// How to write it
    #[arg(long, env = "SQUALL_FORMAT", default_value = "ron", hide_env = true)]
    format: ShowFormat,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum ShowFormat {
    /// As in a file; with --ring, tables
    #[value(alias = "human")]
    Ron,
    /// One JSON object
    Json,
}

pub(super) fn show<S: System>(show: &Show, terminal: &mut Terminal) -> io::Result<Exit> {
    let scenario = match set::load::<S>(&show.scenario, &show.settings.settings) {
        Ok(scenario) => scenario,
        Err(mistake) => {
            terminal.aside(&diagnostics::rendered(&mistake));
            return Ok(Exit::Usage);
        }
    };
    let name = load::name(&show.scenario);
    if show.ring || show.svg.is_some() {
        return show_ring(show, &scenario, &name, terminal);
    }
    let (head, text) = match show.seed {
        None => (format!("// {name}, with all its defaults."), written(&scenario, show.format)),
        Some(seed) => {
            let plan = systems::plan(&scenario, &name, seed.0);
            (format!("// {name}: the plan that seed {} draws.", seed.0), written(&plan, show.format))
        }
    };
    match show.format {
        ShowFormat::Ron => terminal.raw(&format!("{head}\n{text}\n"))?,
        ShowFormat::Json => terminal.raw(&format!("{text}\n"))?,
    }
    Ok(Exit::Done)
}

fn written(data: &impl Serialize, format: ShowFormat) -> String {
    match format {
        ShowFormat::Json => json::object(data),
        ShowFormat::Ron => text::written(data, 2),
    }
}

fn show_ring<S: System>(show: &Show, scenario: &Scenario<S>, name: &str, terminal: &mut Terminal) -> io::Result<Exit> {
    let seed = show.seed.map_or(0, |seed| seed.0);
    let Some(rings) = S::succession(&systems::plan(scenario, name, seed)) else {
        terminal.error(&format!(
            "{name} is a scenario of {}, which has no ring; name one whose system is Ring, or leave --ring and --svg out",
            scenario.system.name()
        ));
        return Ok(Exit::Usage);
    };
    let head = format!("{name}, seed {seed}");
    if let Some(file) = &show.svg {
        let picture = ring::svg::svg(&head, &rings);
        if file.as_os_str() == "-" {
            terminal.raw(&picture)?;
            return Ok(Exit::Done);
        }
        if let Some(refusal) = refusal(file) {
            terminal.error(&refusal);
            return Ok(Exit::Usage);
        }
        folder::replace(file, &picture)?;
    }
    match show.format {
        ShowFormat::Ron => terminal.raw(&ring::text(&head, &rings))?,
        ShowFormat::Json => terminal.raw(&format!("{}\n", ring::json(name, seed, &rings)))?,
    }
    Ok(Exit::Done)
}

/// Why a picture cannot be written there, if that can be seen before.
fn refusal(file: &Path) -> Option<String> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if file.is_dir() {
        return Some(format!("--svg: {} is a folder; name a file in it, for example {0}/ring.svg", file.display()));
    }
    let missing = folder.filter(|folder| !folder.is_dir())?;
    Some(format!("--svg: there is no folder {}; make it first, or name another place", missing.display()))
}
