//! A scenario or a protocol checked over many seeds from somebody's own tests: `cargo test` as the program.
//!
//! ```
//! use squall::systems::BuiltIn;
//!
//! // In a test of yours:
//! squall::check::scenario::<BuiltIn>("scenarios/raft/storm.ron").seeds(0..20).run();
//! ```
//!
//! A check plays every seed, on all processors, and panics if one does not do what is expected: with what broke,
//! where, in how many seeds, and the line to paste that plays the first of them again. `SQUALL_SEED=42` plays that
//! seed only, `SQUALL_SEEDS=0..10000` or `SQUALL_SEEDS=10000` plays others than the test says, `SQUALL_JOBS=1` on as
//! many threads.

mod ledger;
mod variables;

use crate::environment::plan::Plan;
use crate::oracle::spec::Spec;
use crate::run::outcome::Outcome;
use crate::run::play::play_watched;
use crate::run::sweep::{Options, sweep};
use crate::run::twice::{Difference, twice};
use crate::run::watch::{Unwatched, Watch};
use crate::scenario::load;
use crate::scenario::model::Expect;
use crate::systems::{self, System};
use ledger::Ledger;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Something to play over many seeds. Nothing happens before [`Check::run`].
#[must_use = "a check that is not run finds nothing"]
pub struct Check<C> {
    name: String,
    plan: Box<dyn Fn(u64) -> Plan<C> + Send + Sync>,
    play: Box<PlayPlan<C>>,
    expected: Expected,
    seeds: Range<u64>,
    jobs: Option<usize>,
    is_played_twice: bool,
    /// The file, if a run of it by the program is the same run.
    file: Option<String>,
}

type PlayPlan<C> = dyn Fn(&Arc<Plan<C>>, &mut dyn Watch) -> Outcome + Send + Sync;

/// What one seed came to.
type Played = Result<Outcome, Box<Difference>>;

/// What a check expects of its seeds.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Expected {
    /// No seed breaks anything.
    Holds,
    /// At least one seed breaks one of these, and none anything else.
    Breaks(Vec<String>),
}

/// How many seeds are played if nobody says otherwise.
const SEEDS: u64 = 100;

/// Checks a scenario file, as the program does with `squall run`. A path that is not absolute begins at the
/// package, where `cargo test` runs.
///
/// # Panics
/// If this is no scenario, with the mistake, its place and a cure.
#[track_caller]
pub fn scenario<S: System>(file: impl AsRef<Path>) -> Check<S> {
    let file = file.as_ref();
    let name = load::name(file);
    let scenario = match systems::load::<S>(file) {
        Ok(scenario) => scenario,
        Err(mistake) => panic!("{mistake}"),
    };
    let expected = match &scenario.expect {
        Expect::Holds => Expected::Holds,
        Expect::Breaks(invariants) => Expected::Breaks(invariants.clone()),
    };
    Check {
        name: name.clone(),
        plan: Box::new(move |seed| systems::plan(&scenario, &name, seed)),
        play: Box::new(|plan, watch| S::play_watched(plan, watch)),
        expected,
        seeds: 0..SEEDS,
        jobs: None,
        is_played_twice: false,
        file: Some(file.display().to_string()),
    }
}

/// Checks a protocol in the world that `plan` makes of each seed.
pub fn protocol<P: Spec>(
    name: &str,
    plan: impl Fn(u64) -> Plan<P::Config> + Send + Sync + 'static,
) -> Check<P::Config> {
    let system = name.to_owned();
    Check {
        name: name.to_owned(),
        plan: Box::new(plan),
        play: Box::new(move |plan, watch| play_watched::<P>(plan, &system, watch)),
        expected: Expected::Holds,
        seeds: 0..SEEDS,
        jobs: None,
        is_played_twice: false,
        file: None,
    }
}

impl<C: Send + Sync + 'static> Check<C> {
    /// Plays these seeds. Default: the first hundred. The variables `SQUALL_SEED` and `SQUALL_SEEDS` win.
    pub fn seeds(self, seeds: Range<u64>) -> Check<C> {
        Check { seeds, ..self }
    }

    /// Plays on so many threads. Default: one a processor. The variable `SQUALL_JOBS` wins. What a check comes to is
    /// the same with any number.
    pub fn jobs(self, jobs: usize) -> Check<C> {
        Check { jobs: Some(jobs), ..self }
    }

    /// Changes every plan before it is played: more loss, fewer faults.
    pub fn change(self, change: impl Fn(&mut Plan<C>) + Send + Sync + 'static) -> Check<C> {
        let plan = move |seed| {
            let mut plan = (self.plan)(seed);
            change(&mut plan);
            plan
        };
        // The file alone would give another run.
        Check { plan: Box::new(plan), file: None, ..self }
    }

    /// Expects that some seed breaks this invariant, and none another one. Said again, for another invariant, either
    /// may break. Default: what the scenario says; of a protocol, that nothing breaks.
    pub fn expect_break(self, invariant: &str) -> Check<C> {
        let mut invariants = match self.expected {
            Expected::Holds => Vec::new(),
            Expected::Breaks(invariants) => invariants,
        };
        invariants.push(invariant.to_owned());
        Check { expected: Expected::Breaks(invariants), ..self }
    }

    /// Plays every seed twice, in another thread and with other addresses, and fails if the two are not the same:
    /// see [`twice`](crate::run::twice).
    pub fn determinism(self) -> Check<C> {
        Check { is_played_twice: true, ..self }
    }

    /// Plays all seeds.
    ///
    /// # Panics
    /// If a seed does not do what is expected, with the line that plays it again. If a variable makes no sense, with
    /// its name and a cure. With a bug of squall.
    #[track_caller]
    pub fn run(self) {
        let seeds = variables::seeds(self.seeds.clone());
        let jobs = variables::jobs(self.jobs);
        let hint = "SQUALL_SEED=N plays one, SQUALL_SEEDS=A..B others";
        eprintln!("squall: {}: seeds {}..{} on {jobs} threads ({hint})", self.name, seeds.start, seeds.end);
        let mut ledger = Ledger::new(self.name, self.expected, self.file);
        let (plan, play, is_played_twice) = (self.plan, self.play, self.is_played_twice);
        let play = move |seed, _: &_| played(&Arc::new(plan(seed)), &*play, is_played_twice);
        sweep(seeds, Options { jobs, run_timeout: None }, play, &mut ledger);
        if let Some(failure) = ledger.failure(&variables::test_name()) {
            panic!("{failure}");
        }
    }
}

fn played<C: Send + Sync>(plan: &Arc<Plan<C>>, play: &PlayPlan<C>, is_played_twice: bool) -> Played {
    match is_played_twice {
        true => twice(&|watch| play(plan, watch)),
        false => Ok(play(plan, &mut Unwatched)),
    }
}

impl<C> std::fmt::Debug for Check<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Check").field("name", &self.name).field("seeds", &self.seeds).finish_non_exhaustive()
    }
}
