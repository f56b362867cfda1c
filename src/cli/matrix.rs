//! `squall matrix`: which scenario survives which family of faults.

use super::arguments::{Detail, Format, at_least_one, jobs};
use super::check::found;
use super::signals::Signals;
use super::terminal::Terminal;
use super::{Exit, diagnostics};
use crate::environment::fault::Kind;
use crate::run::outcome::Verdict;
use crate::run::sweep::{Conductor, Ended, Flow, Options, sweep};
use crate::scenario::load;
use crate::scenario::model::Scenario;
use crate::scenario::swarm::Swarm;
use crate::systems::{self, System};
use clap::Args;
use serde_json::json;
use std::io;
use std::num::{NonZeroU16, NonZeroU64};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Play scenarios under one family of faults after the other, and tell which survives which
///
/// Each cell of the table is a sweep: the scenario without faults of its own, in hostile surroundings, under faults of one
/// family that every seed draws anew.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  squall matrix scenarios/lock/compared
  squall matrix scenarios/lock/compared --count 1000 --format json | jq 'select(.held | not)'

Exit codes:
  0         the table is whole, whatever it says
  2         wrong usage, or a bad scenario file
  4         nothing ran
  130, 143  interrupted: the table ends early")]
pub(super) struct Matrix {
    /// Scenario files, or folders of them: the rows
    #[arg(required = true, value_name = "SCENARIO")]
    files: Vec<PathBuf>,

    /// How many seeds a cell has; it ends early when one of them breaks something
    #[arg(long, value_name = "N", env = "SQUALL_COUNT", default_value = "200", hide_env = true, value_parser = at_least_one)]
    count: NonZeroU64,

    /// The first seed
    #[arg(long, value_name = "SEED", env = "SQUALL_FROM", default_value = "0", hide_env = true)]
    from: u64,

    /// How many threads; by default one a processor
    #[arg(short, long, value_name = "N", env = "SQUALL_JOBS", hide_env = true, value_parser = jobs)]
    jobs: Option<NonZeroU16>,

    /// How to write the results; `human` is a table in Markdown
    #[arg(long, env = "SQUALL_FORMAT", default_value = "human", hide_env = true)]
    format: Format,
}

/// The families: the columns. Nobody gives orders.
const FAMILIES: [(&str, &[Kind]); 10] = [
    ("none", &[]),
    ("pauses", &[Kind::Pause, Kind::SlowNode]),
    ("crashes", &[Kind::Kill]),
    ("partitions", &[Kind::Partition]),
    ("delays", &[Kind::Delay, Kind::Clog, Kind::Reorder, Kind::Bandwidth]),
    ("losses", &[Kind::Loss, Kind::Duplicate, Kind::Corrupt]),
    ("clock jumps", &[Kind::ClockJump]),
    ("clock rates", &[Kind::ClockDrift, Kind::ClockFreeze]),
    ("disks", &[Kind::DiskSlow, Kind::DiskStall, Kind::DiskError, Kind::DiskFull, Kind::TornWrite]),
    ("lost disks", &[Kind::Wipe, Kind::Destroy, Kind::LostSync, Kind::BitRot]),
];

/// What a cell came to.
enum Cell {
    /// All seeds held.
    Held,
    /// This one broke this.
    Broke { seed: u64, invariant: String },
    /// This one came to no verdict, for this reason.
    Unsure { seed: u64, why: String },
    /// It was interrupted.
    Stopped,
}

pub(super) fn matrix<S: System>(matrix: &Matrix, detail: Detail, terminal: &mut Terminal) -> io::Result<Exit> {
    let signals = Signals::listen()?;
    let Some(rows) = rows::<S>(matrix, terminal) else { return Ok(Exit::Usage) };
    if rows.is_empty() {
        terminal.error("there is no scenario among these");
        return Ok(Exit::Nothing);
    }
    if matrix.format == Format::Human {
        terminal.result(&head(&rows))?;
    }
    for (name, scenario) in &rows {
        let mut line = format!("| {name} |");
        for (family, kinds) in FAMILIES {
            if detail != Detail::Quiet && terminal.err_is_watched() {
                terminal.aside(&format!("\r\x1b[K{name}: {family}"));
            }
            let cell = play(matrix, name, scenario, kinds, &signals);
            if let Cell::Stopped = cell {
                terminal.aside("\n");
                return Ok(Exit::Signal(signals.heard().unwrap_or(0)));
            }
            match matrix.format {
                Format::Json => terminal.raw(&object(matrix, name, family, &cell))?,
                Format::Human => line += &format!(" {} |", told(&cell)),
            }
        }
        if detail != Detail::Quiet && terminal.err_is_watched() {
            terminal.aside("\r\x1b[K");
        }
        if matrix.format == Format::Human {
            terminal.result(&format!("{line}\n"))?;
        }
    }
    if matrix.format == Format::Human {
        let (count, from) = (matrix.count, matrix.from);
        terminal.result(&format!(
            "\nheld: over {count} seeds from {from} on; a number: the first seed that breaks something, and what\n"
        ))?;
    }
    Ok(Exit::Done)
}

/// The scenarios, and their names.
fn rows<S: System>(matrix: &Matrix, terminal: &mut Terminal) -> Option<Vec<(String, Scenario<S>)>> {
    let (files, lost) = found(&matrix.files);
    let mut is_sound = lost.is_empty();
    lost.iter().for_each(|mistake| terminal.aside(&diagnostics::rendered(mistake)));
    let mut rows = Vec::new();
    for file in &files {
        match systems::load::<S>(file) {
            Ok(mut scenario) => {
                (scenario.swarm, scenario.faults, scenario.phases) = (Some(Swarm::Hostile), Vec::new(), Vec::new());
                rows.push((load::name(file), scenario));
            }
            Err(mistake) => {
                is_sound = false;
                terminal.aside(&diagnostics::rendered(&mistake));
            }
        }
    }
    is_sound.then_some(rows)
}

fn head<S>(rows: &[(String, Scenario<S>)]) -> String {
    let system = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let names: Vec<&str> = FAMILIES.iter().map(|(name, _)| *name).collect();
    format!("| {} | {} |\n|{}\n", " ".repeat(system), names.join(" | "), "---|".repeat(names.len() + 1))
}

fn told(cell: &Cell) -> String {
    match cell {
        Cell::Held => "held".to_owned(),
        Cell::Broke { seed, invariant } => {
            format!("{seed}: {}", invariant.split_once('.').map_or(invariant.as_str(), |(_, name)| name))
        }
        Cell::Unsure { seed, .. } => format!("{seed}: no verdict"),
        Cell::Stopped => String::new(),
    }
}

fn object(matrix: &Matrix, name: &str, family: &str, cell: &Cell) -> String {
    let (seed, invariant, why) = match cell {
        Cell::Held | Cell::Stopped => (None, None, None),
        Cell::Broke { seed, invariant } => (Some(seed), Some(invariant), None),
        Cell::Unsure { seed, why } => (Some(seed), None, Some(why)),
    };
    let object = json!({
        "format": "squall/1", "kind": "matrix", "scenario": name, "faults": family,
        "from": matrix.from, "count": matrix.count, "held": matches!(cell, Cell::Held),
        "first_seed": seed, "invariant": invariant, "inconclusive": why,
    });
    format!("{object}\n")
}

/// Sweeps one cell, up to the first seed that does not hold.
fn play<S: System>(matrix: &Matrix, name: &str, scenario: &Scenario<S>, kinds: &[Kind], signals: &Signals) -> Cell {
    let others = |kind: &Kind| !kinds.contains(kind);
    let all = FAMILIES.iter().flat_map(|(_, kinds)| *kinds).chain(&Kind::ORDERS);
    let spares: Vec<Kind> = all.copied().filter(others).collect();
    let (scenario, name) = (Arc::new(scenario.clone()), name.to_owned());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = matrix.jobs.map_or(cores, |jobs| usize::from(jobs.get()));
    let seeds = matrix.from..matrix.from.saturating_add(matrix.count.get());
    let mut watch = Watch { signals, cell: Cell::Held };
    let options = Options { jobs, run_timeout: Some(RUN_TIMEOUT) };
    sweep(
        seeds,
        options,
        move |seed, _| S::play(&systems::plan_sparing(&scenario, &spares, &name, seed)).verdict,
        &mut watch,
    );
    watch.cell
}

/// No run of a matrix takes longer in real time.
const RUN_TIMEOUT: Duration = Duration::from_secs(60);

/// Hears of the seeds of one cell.
struct Watch<'a> {
    signals: &'a Signals,
    cell: Cell,
}

impl Conductor<Verdict> for Watch<'_> {
    fn took(&mut self, seed: u64, ended: Ended<Verdict>) -> Flow {
        self.cell = match ended {
            Ended::Played(Verdict::Pass) => return Flow::GoOn,
            Ended::Played(Verdict::Violation(violation)) => Cell::Broke { seed, invariant: violation.invariant },
            Ended::Played(Verdict::Inconclusive(why)) => Cell::Unsure { seed, why },
            Ended::TimedOut => Cell::Unsure { seed, why: "it takes too long".to_owned() },
            Ended::Bug(why) => Cell::Unsure { seed, why },
        };
        Flow::Stop
    }

    fn tick(&mut self, _: u64) -> Flow {
        if self.signals.heard().is_none() {
            return Flow::GoOn;
        }
        self.cell = Cell::Stopped;
        Flow::Stop
    }
}

#[cfg(test)]
mod tests {
    use super::FAMILIES;
    use crate::environment::fault::{FAULT_NAMES, Kind};

    /// A kind that is in no family would be in every cell.
    #[test]
    fn every_kind_of_fault_is_in_one_family_but_orders() {
        let kinds: Vec<&str> = FAMILIES.iter().flat_map(|(_, kinds)| *kinds).map(|kind| kind.name()).collect();
        let is_none = |name: &str| name == Kind::Heal.name() || Kind::ORDERS.iter().any(|order| order.name() == name);
        for name in FAULT_NAMES.into_iter().filter(|name| !is_none(name)) {
            assert_eq!(kinds.iter().filter(|kind| **kind == name).count(), 1, "{name}");
        }
    }
}
