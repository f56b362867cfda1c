//! What is to be shrunk: a capsule, or a scenario and a seed.

use crate::cli::arguments::Shrink;
use crate::cli::set;
use crate::cli::shell::quoted;
use crate::run::outcome::{Outcome, Verdict};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::load;
use crate::systems::{self, FoundCapsule, PlanOf, System};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A plan that breaks something.
pub(super) struct Source<S> {
    pub(super) plan: PlanOf<S>,
    pub(super) outcome: Outcome,
    pub(super) warnings: Vec<String>,
}

/// Why there is nothing to shrink.
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

/// Reads the file and plays the plan.
pub(super) fn read<S: System>(wanted: &Shrink) -> Result<Source<S>, Refusal> {
    if load::is_capsule(&wanted.file) { from_capsule(wanted) } else { from_scenario(wanted) }
}

fn from_capsule<S: System>(wanted: &Shrink) -> Result<Source<S>, Refusal> {
    let file = wanted.file.display();
    if wanted.seed.is_some() || !wanted.settings.settings.is_empty() {
        return Err(Refusal::Usage(format!(
            "{file} is a capsule, whose plan has its seed and its settings; remove --seed and --set"
        )));
    }
    let capsule = match systems::find_capsule::<S>(&wanted.file).map_err(Refusal::Mistake)? {
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
    let warnings = is_other.then(|| format!("{file} breaks what it says, but in another way than when it was stored"));
    Ok(Source { plan: capsule.plan, outcome, warnings: warnings.into_iter().collect() })
}

fn from_scenario<S: System>(wanted: &Shrink) -> Result<Source<S>, Refusal> {
    let scenario = set::load::<S>(&wanted.file, &wanted.settings.settings).map_err(Refusal::Mistake)?;
    let seed = wanted.seed.map(|seed| seed.0).or(scenario.seed).unwrap_or(0);
    let plan = systems::plan(&scenario, &load::name(&wanted.file), seed);
    let outcome = played(&plan)?;
    let file = wanted.file.display().to_string();
    match &outcome.verdict {
        Verdict::Violation(_) => Ok(Source { plan, outcome, warnings: Vec::new() }),
        Verdict::Pass => Err(Refusal::Usage(format!(
            "{file} breaks nothing with seed {seed}, so there is nothing to shrink; find a seed that does with: squall sweep {}",
            quoted(&file),
        ))),
        Verdict::Inconclusive(_) => {
            Err(Refusal::NoVerdict(format!("{file} with seed {seed} {}", what_it_does(&outcome))))
        }
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
