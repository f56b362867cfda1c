//! `squall show`: a scenario with everything that it left unsaid, or the plan that a seed draws from it.

use super::Exit;
use super::arguments::{Show, ShowFormat};
use super::terminal::Terminal;
use super::{diagnostics, set};
use crate::report::json;
use crate::scenario::{load, text};
use crate::systems::{self, System};
use serde::Serialize;
use std::io;

pub(super) fn show<S: System>(show: &Show, terminal: &mut Terminal) -> io::Result<Exit> {
    let scenario = match set::load::<S>(&show.scenario, &show.settings.settings) {
        Ok(scenario) => scenario,
        Err(mistake) => {
            terminal.aside(&diagnostics::rendered(&mistake));
            return Ok(Exit::Usage);
        }
    };
    let name = load::name(&show.scenario);
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
