//! The one run that a command is about: a capsule, or a scenario and a seed.

use super::arguments::Settings;
use super::seed::Seed;
use super::shell::quoted;
use super::terminal::Terminal;
use super::{Exit, bug, diagnostics, set};
use crate::run::outcome::{Outcome, Verdict};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::load;
use crate::systems::{self, FoundCapsule, PlanOf, System};
use clap::Args;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Which run.
#[derive(Args, Debug)]
pub(super) struct Subject {
    /// A capsule, or a scenario file with --seed
    #[arg(value_name = "CAPSULE or SCENARIO")]
    pub(super) file: PathBuf,

    /// The seed of the scenario's run [default: what the scenario says, or 0]
    #[arg(long, value_name = "N", env = "SQUALL_SEED", hide_env = true, allow_hyphen_values = true)]
    pub(super) seed: Option<Seed>,

    #[command(flatten)]
    pub(super) settings: Settings,
}

/// A plan, and what it comes to.
pub(super) struct Source<S> {
    pub(super) plan: PlanOf<S>,
    pub(super) outcome: Outcome,
    pub(super) warnings: Vec<String>,
}

/// Why there is no run to work on.
pub(super) enum Refusal {
    /// The file is wrong.
    Mistake(Diagnostic),
    /// What was asked for makes no sense.
    Usage(String),
    /// Nobody knows whether it breaks, or it does not break what it should.
    NoVerdict(String),
    /// A bug of ours.
    Bug(Box<dyn Any + Send>),
}

impl Refusal {
    /// Says why, and how the program ends.
    pub(super) fn tell(self, terminal: &mut Terminal) -> Exit {
        match self {
            Refusal::Mistake(mistake) => terminal.aside(&diagnostics::rendered(&mistake)),
            Refusal::Usage(why) => terminal.error(&why),
            Refusal::NoVerdict(why) => {
                terminal.error(&why);
                return Exit::Inconclusive;
            }
            Refusal::Bug(payload) => {
                bug::tell(payload.as_ref(), terminal);
                return Exit::Bug;
            }
        }
        Exit::Usage
    }
}

impl Subject {
    /// A capsule has its seed; a variable that is there for other commands does not contradict it.
    pub(super) fn settle(&mut self, is_seed_flag: bool) {
        if load::is_capsule(&self.file) && !is_seed_flag {
            self.seed = None;
        }
    }

    /// The words that name the same run again.
    pub(super) fn words(&self) -> String {
        let seed = self.seed.map_or(String::new(), |seed| format!(" --seed {}", seed.0));
        format!("{}{seed}{}", quoted(&self.file.display().to_string()), self.settings.words())
    }

    /// Reads the file and plays the plan, whatever it comes to.
    pub(super) fn read<S: System>(&self) -> Result<Source<S>, Refusal> {
        if load::is_capsule(&self.file) { self.read_capsule() } else { self.read_scenario() }
    }

    /// The same, of a plan that breaks something. `purpose`: what is to be done with it, "shrink".
    pub(super) fn read_broken<S: System>(&self, purpose: &str) -> Result<Source<S>, Refusal> {
        let source = self.read::<S>()?;
        let (file, seed) = (self.file.display().to_string(), source.plan.seed);
        match &source.outcome.verdict {
            Verdict::Violation(_) => Ok(source),
            Verdict::Pass => Err(Refusal::Usage(format!(
                "{file} breaks nothing with seed {seed}, so there is nothing to {purpose}; find a seed that does with: squall sweep {}{}",
                quoted(&file),
                self.settings.words(),
            ))),
            Verdict::Inconclusive(_) => {
                Err(Refusal::NoVerdict(format!("{file} with seed {seed} {}", what_it_does(&source.outcome))))
            }
        }
    }

    fn read_capsule<S: System>(&self) -> Result<Source<S>, Refusal> {
        let file = self.file.display();
        if self.seed.is_some() || !self.settings.settings.is_empty() {
            return Err(Refusal::Usage(format!(
                "{file} is a capsule, whose plan has its seed and its settings; remove --seed and --set"
            )));
        }
        let capsule = match systems::find_capsule::<S>(&self.file).map_err(Refusal::Mistake)? {
            FoundCapsule::Fresh(capsule) => capsule,
            FoundCapsule::Stale(why) => return Err(Refusal::NoVerdict(format!("{file} cannot be played: {why}"))),
        };
        let outcome = played(&capsule.plan)?;
        match outcome.violation() {
            Some(violated) if violated.invariant == capsule.broke.invariant => {}
            _ => {
                return Err(Refusal::NoVerdict(format!(
                    "{file} should break {}, but it {}; was it edited, or is this another program?",
                    capsule.broke.invariant,
                    what_it_does(&outcome),
                )));
            }
        }
        let is_other = outcome.digest != capsule.digest;
        let warnings =
            is_other.then(|| format!("{file} breaks what it says, but in another way than when it was stored"));
        Ok(Source { plan: capsule.plan, outcome, warnings: warnings.into_iter().collect() })
    }

    fn read_scenario<S: System>(&self) -> Result<Source<S>, Refusal> {
        let scenario = set::load::<S>(&self.file, &self.settings.settings).map_err(Refusal::Mistake)?;
        let seed = self.seed.map(|seed| seed.0).or(scenario.seed).unwrap_or(0);
        let plan = systems::plan(&scenario, &load::name(&self.file), seed);
        let outcome = played(&plan)?;
        Ok(Source { plan, outcome, warnings: Vec::new() })
    }
}

fn played<S: System>(plan: &PlanOf<S>) -> Result<Outcome, Refusal> {
    catch_unwind(AssertUnwindSafe(|| S::play(plan))).map_err(Refusal::Bug)
}

fn what_it_does(outcome: &Outcome) -> String {
    match &outcome.verdict {
        Verdict::Pass => "breaks nothing".to_owned(),
        Verdict::Violation(violated) => format!("breaks {}", violated.invariant),
        Verdict::Inconclusive(why) => format!("comes to no verdict: {why}"),
    }
}

/// Whether these are one file that is there, by whatever names.
pub(super) fn is_same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
