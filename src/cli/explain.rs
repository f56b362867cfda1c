//! `squall explain`: what led to a violation, when it became inevitable, and where two runs part.

mod difference;

use super::Exit;
use super::arguments::Format;
use super::run::fault_line;
use super::signals::Signals;
use super::subject::{Refusal, Source, Subject};
use super::terminal::Terminal;
use crate::kernel::time::Time;
use crate::report::explanation::{self, Explanation};
use crate::report::failure::FaultLine;
use crate::run::likelihood::likelihood;
use crate::run::story::{Story, Threads};
use crate::run::watch::Watch;
use crate::scenario::text;
use crate::systems::{PlanOf, System};
use clap::Args;
use clap::builder::FalseyValueParser;
use difference::Other;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Tell what led to a violation
#[derive(Args, Debug)]
#[command(after_help = "\
What is told is the causal past of the violation: of each node that it concerns what happened to it, and of each \
message that it got what led to its sender's sending it. A run that was shrunk has a shorter story.

Examples:
  squall explain scenarios/museum/commit-index-regress.ron
  squall explain my.ron --seed 7 --turns 100
  squall explain my.ron --seed 7 --likelihood
  squall explain my.ron --seed 7 --diff other.ron
  squall explain it.capsule.ron --format json | jq '.turns[].node'

Exit codes:
  0         it is told
  1         input or output failed
  2         wrong usage, a bad file, or nothing breaks
  3         the run came to no verdict, or the capsule does not break what it says
  70        a bug of squall
  130, 143  interrupted, terminated")]
pub(super) struct Explain {
    #[command(flatten)]
    pub(super) subject: Subject,

    /// Tell at most so many turns, the last; 0 is all
    #[arg(long, value_name = "N", env = "SQUALL_TURNS", default_value_t = 30, hide_env = true)]
    turns: usize,

    /// Tell when it became inevitable: play copies on from many moments with other dice, and count which break the same
    #[arg(long, env = "SQUALL_LIKELIHOOD", value_parser = FalseyValueParser::new(), hide_env = true)]
    #[arg(action = clap::ArgAction::SetTrue)]
    likelihood: bool,

    /// How many copies of each moment are played, from 8 on: of fewer nothing could be said
    #[arg(long, value_name = "N", env = "SQUALL_COPIES", default_value_t = 40, hide_env = true)]
    #[arg(value_parser = clap::value_parser!(u16).range(8..))]
    copies: u16,

    /// Tell where another run parts from this one: a capsule, a scenario with the same seed, or another seed of the scenario
    #[arg(
        long,
        value_name = "CAPSULE, SCENARIO or SEED",
        env = "SQUALL_DIFF",
        hide_env = true,
        allow_hyphen_values = true
    )]
    diff: Option<Other>,

    /// How to write it
    #[arg(long, env = "SQUALL_FORMAT", default_value = "human", hide_env = true)]
    format: Format,
}

pub(super) fn explain<S: System>(wanted: &Explain, terminal: &mut Terminal) -> io::Result<Exit> {
    let source = match wanted.subject.read_broken::<S>("explain") {
        Ok(source) => source,
        Err(refusal) => return Ok(refusal.tell(terminal)),
    };
    source.warnings.iter().for_each(|warning| terminal.warning(warning));
    let other = match wanted.diff.as_ref().map(|other| other.read::<S>(&wanted.subject, &source)).transpose() {
        Ok(other) => other,
        Err(refusal) => return Ok(refusal.tell(terminal)),
    };
    // Only copies are many; who interrupts them is told what is known by then.
    let signals = if wanted.likelihood { Some(Signals::listen()?) } else { None };
    let heard = || signals.as_ref().and_then(Signals::heard);
    let width = terminal.width().unwrap_or(WIDTH);
    let text = match catch_unwind(AssertUnwindSafe(|| explained(wanted, &source, other, &heard, width))) {
        Ok(text) => text,
        Err(payload) => return Ok(Refusal::Bug(payload).tell(terminal)),
    };
    match wanted.format {
        Format::Json => terminal.raw(&(text + "\n"))?,
        Format::Human => terminal.result(&text)?,
    }
    Ok(heard().map_or(Exit::Done, Exit::Signal))
}

/// How many signs fit into a line where nobody says.
const WIDTH: usize = 120;

/// The run turn by turn.
fn told<S: System>(plan: &PlanOf<S>) -> Story {
    let mut story = Story::default();
    S::play_watched(plan, &mut story);
    story
}

/// Plays what must be played, and tells it.
fn explained<S: System>(
    wanted: &Explain,
    source: &Source<S>,
    other: Option<Source<S>>,
    heard: &dyn Fn() -> Option<u8>,
    width: usize,
) -> String {
    let violated = source.outcome.violation().expect("what is explained breaks something");
    let story = told(&source.plan);
    let threads = Threads::of(&story);
    let play = |watch: &mut dyn Watch| {
        S::play_watched(&source.plan, watch);
    };
    let moments =
        wanted.likelihood.then(|| likelihood(violated, u32::from(wanted.copies), &play, &mut || heard().is_none()));
    let faults: Vec<FaultLine> = source.plan.faults.iter().map(fault_line).collect();
    let other_story = other.as_ref().map(|other| told(&other.plan));
    let catalogue = S::catalogue();
    let explanation = Explanation {
        outcome: &source.outcome,
        promise: catalogue.promise(&violated.invariant).unwrap_or_default(),
        faults: &faults,
        story: &story,
        threads: &threads,
        past: &threads.past(&story.numbers(&violated.nodes), Time::from_ns(violated.time_ns)),
        turns: if wanted.turns == 0 { usize::MAX } else { wanted.turns },
        likelihood: moments.as_ref(),
        other: other.as_ref().zip(other_story.as_ref()).map(|(other, story)| explanation::Other {
            outcome: &other.outcome,
            story,
            plans: difference::of_plans(&text::written(&source.plan, 3), &text::written(&other.plan, 3)),
        }),
        shrink: &format!("squall shrink {}", wanted.subject.words()),
    };
    match wanted.format {
        Format::Json => explanation.json(),
        Format::Human => explanation.text(width),
    }
}
