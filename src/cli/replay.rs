//! `squall replay`: a stored run is played again, and must come to the same, bit for bit.

#![expect(clippy::disallowed_methods, reason = "what a run costs is told in real time")]

use super::arguments::{Detail, Format, Replay};
use super::run::fault_line;
use super::terminal::Terminal;
use super::{Exit, bug, diagnostics};
use crate::report::failure::{self, FaultLine};
use crate::report::json::{self, Replayed};
use crate::report::number::counted;
use crate::report::replay::{self, EventLine, Stored};
use crate::run::capsule::Capsule;
use crate::run::outcome::{Outcome, Verdict, Violated};
use crate::run::replay::{Comparison, Excerpt, Likeness};
use crate::run::watch::Told;
use crate::systems::{self, FoundCapsule, System};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// So many events are told before the one at which runs part, and so many from there on.
const BEFORE: u64 = 2;
const AFTER: u64 = 6;

pub(super) fn replay<S: System>(replay: &Replay, detail: Detail, terminal: &mut Terminal) -> io::Result<Exit> {
    let Some(found) = found::<S>(replay, terminal) else {
        return Ok(Exit::Usage);
    };
    let (asked, mut exact) = (found.len(), 0);
    for (file, found) in &found {
        let capsule = match found {
            FoundCapsule::Fresh(capsule) => capsule,
            FoundCapsule::Stale(why) => {
                tell_stale(file, why, replay.format, terminal)?;
                continue;
            }
        };
        let since = Instant::now();
        let (outcome, comparison) = match catch_unwind(AssertUnwindSafe(|| played(capsule))) {
            Ok(played) => played,
            Err(payload) => {
                bug::tell(payload.as_ref(), terminal);
                terminal.aside(&format!("- in this run: squall replay {file}\n"));
                return Ok(Exit::Bug);
            }
        };
        exact += usize::from(comparison.is_exact());
        match replay.format {
            Format::Json => terminal.raw(&(object(file, &outcome, comparison, since.elapsed()) + "\n"))?,
            Format::Human if detail == Detail::Quiet && comparison.is_exact() => {}
            Format::Human => terminal.result(&screen(file, capsule, &outcome, comparison))?,
        }
    }
    if asked > 1 && replay.format == Format::Human && !(detail == Detail::Quiet && exact == asked) {
        terminal.result(&format!("\n{}: {exact} reproduced exactly\n", counted(asked as u64, "capsule")))?;
    }
    Ok(if exact == asked { Exit::Done } else { Exit::Inconclusive })
}

/// All capsules by their files, or `None` after saying what is wrong with each file that is none.
fn found<S: System>(replay: &Replay, terminal: &mut Terminal) -> Option<Vec<(String, FoundCapsule<S>)>> {
    let (mut found, mut is_good) = (Vec::new(), true);
    for path in &replay.capsules {
        match systems::find_capsule(path) {
            Ok(capsule) => found.push((path.display().to_string(), capsule)),
            Err(mistake) => {
                is_good = false;
                terminal.aside(&diagnostics::rendered(&mistake));
            }
        }
    }
    if !is_good {
        terminal.error("nothing was replayed, since not everything could be read");
    }
    is_good.then_some(found)
}

fn played<S: System>(capsule: &Capsule<S>) -> (Outcome, Comparison) {
    let (outcome, trail) = systems::record(&capsule.plan);
    let comparison = Comparison::of(capsule, &outcome, &trail);
    (outcome, comparison)
}

/// What it came to now, in what that differs from what was stored, and the verdict.
fn screen<S: System>(file: &str, capsule: &Capsule<S>, outcome: &Outcome, comparison: Comparison) -> String {
    let faults: Vec<FaultLine> = capsule.plan.faults.iter().map(fault_line).collect();
    let mut text = failure::failure(outcome, &promises::<S>(capsule, outcome), &faults);
    if !comparison.is_exact() {
        let violated = Violated::from(&capsule.broke);
        let stored = Stored { violated: &violated, digest: &capsule.digest, events: capsule.trail.events };
        text += &replay::difference(&stored, comparison.parted, &events_at_parting(capsule, comparison));
    }
    text + &replay::verdict(comparison.is_exact(), words(comparison.likeness), file)
}

fn words(likeness: Likeness) -> &'static str {
    match likeness {
        Likeness::Exact => "reproduced exactly, the same verdict and the same digest",
        Likeness::SameEvents => "not reproduced: the events are the same, and what is said of them is not",
        Likeness::SameInvariant => "not reproduced: the same invariant breaks, by another run",
        Likeness::OtherInvariant => "not reproduced: another invariant breaks",
        Likeness::NothingBroken => "not reproduced: nothing breaks any more",
        Likeness::NoVerdict => "not reproduced: the run comes to no verdict",
    }
}

/// The sentence of what is broken now, or the name of what should be.
fn promises<S: System>(capsule: &Capsule<S>, outcome: &Outcome) -> Vec<String> {
    match outcome.violation() {
        Some(violated) => S::catalogue().promise(&violated.invariant).map(str::to_owned).into_iter().collect(),
        None => vec![capsule.broke.invariant.clone()],
    }
}

/// What happens now where the runs part. The plan is played once more for that, this time with words.
fn events_at_parting<S: System>(capsule: &Capsule<S>, comparison: Comparison) -> Vec<EventLine> {
    let Some((from, upto)) = comparison.parted else { return Vec::new() };
    let mut excerpt = Excerpt::new(from.saturating_sub(BEFORE), upto.min(from + AFTER));
    S::play_watched(&capsule.plan, &mut excerpt);
    let line = |(number, told): (u64, Told)| EventLine { number, at_ns: told.at.ns(), words: told.words };
    excerpt.events.into_iter().map(line).collect()
}

fn object(file: &str, outcome: &Outcome, comparison: Comparison, wall: Duration) -> String {
    let is_same = match comparison.likeness {
        Likeness::Exact | Likeness::SameInvariant => true,
        Likeness::SameEvents => matches!(outcome.verdict, Verdict::Violation(_)),
        Likeness::OtherInvariant | Likeness::NothingBroken | Likeness::NoVerdict => false,
    };
    let replayed = Replayed {
        file,
        reproduced: comparison.is_exact(),
        parted_at: comparison.parted.map(|(from, _)| from),
        remark: words(comparison.likeness),
    };
    json::replay(outcome, is_same, wall, &replayed)
}

fn tell_stale(file: &str, why: &str, format: Format, terminal: &mut Terminal) -> io::Result<()> {
    let remark = format!("stale: {why}");
    match format {
        Format::Json => terminal.raw(&(json::stale(file, &remark) + "\n")),
        Format::Human => {
            let cure = "play it with the squall that wrote it, or look for the failure again";
            terminal.result(&replay::verdict(false, &format!("{remark}; {cure}"), file))
        }
    }
}
