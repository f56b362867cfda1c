//! `squall explain`: what broke, what led to it, when it became inevitable, and where another run parts from it.

use super::failure::{self, FaultLine, instant};
use super::json::{self, FORMAT, Violation};
use super::number::{count, counted};
use super::story::{describe, story};
use super::style::{BAD, BOLD, DIM, styled};
use super::told::verdict;
use crate::run::likelihood::{GRACE, Likelihood, Moment, inevitable, steepest};
use crate::run::outcome::Outcome;
use crate::run::story::{Fate, Story, Threads, What};
use serde::Serialize;
use std::collections::BTreeSet;

/// All that there is to say.
#[derive(Debug)]
pub struct Explanation<'a> {
    /// What the run came to: a violation.
    pub outcome: &'a Outcome,
    /// The sentence of the invariant.
    pub promise: &'a str,
    /// The faults of the plan.
    pub faults: &'a [FaultLine],
    /// The run.
    pub story: &'a Story,
    /// What belongs together in it.
    pub threads: &'a Threads<'a>,
    /// The turns that led to the violation, by their places.
    pub past: &'a [usize],
    /// At most so many of them are told, the last.
    pub turns: usize,
    /// How likely it was, if that was asked.
    pub likelihood: Option<&'a Likelihood>,
    /// Another run, if one was named.
    pub other: Option<Other<'a>>,
    /// The command that makes it shorter.
    pub shrink: &'a str,
}

/// Another run.
#[derive(Debug)]
pub struct Other<'a> {
    /// What it came to.
    pub outcome: &'a Outcome,
    /// The run.
    pub story: &'a Story,
    /// The plans' lines that are not the same, as a unified diff.
    pub plans: String,
}

/// So many turns are told before two runs part, and so many from there on.
const BEFORE: usize = 2;
const AFTER: usize = 6;
/// So many lines of the difference of two plans.
const PLAN_LINES: usize = 40;

impl Explanation<'_> {
    fn told(&self) -> &[usize] {
        &self.past[self.past.len().saturating_sub(self.turns)..]
    }

    /// For a terminal of this width.
    pub fn text(&self, width: usize) -> String {
        let told = self.told();
        let mut text = failure::failure(self.outcome, &[self.promise.to_owned()], self.faults);
        text += &title("what led to it");
        if self.story.forgotten > 0 {
            let what = format_args!("  the first {} of the run are forgotten", counted(self.story.forgotten, "turn"));
            text += &format!("{}\n", styled(DIM, what));
        }
        let earlier = self.past.len() - told.len();
        if earlier > 0 {
            let what = format_args!(
                "  {} before; --turns 0 tells all, {} makes it shorter",
                counted(earlier as u64, "turn"),
                self.shrink
            );
            text += &format!("{}\n", styled(DIM, what));
        }
        text += &story(self.story, self.threads, told, width);
        if let Some(violated) = self.outcome.violation() {
            let (at, end) = (instant(violated.time_ns), format_args!("{} is broken", violated.invariant));
            text += &format!("  {at:>9}  {}\n", styled(BAD, end));
        }
        if let Some(likelihood) = self.likelihood {
            text += &self.likelihood_in_words(likelihood, width);
        }
        if let Some(other) = &self.other {
            text += &self.difference(other, width);
        }
        text
    }

    fn likelihood_in_words(&self, Likelihood { moments, is_whole }: &Likelihood, width: usize) -> String {
        let mut text = title("how likely it was");
        let by = moments.last().map_or(0, |end| (end.at + GRACE).ns());
        text += &format!(
            "  Copies that were played on from a moment with other dice, and broke it by {}:\n\n",
            instant(by)
        );
        for moment in moments {
            let bar = "█".repeat((moment.broke * BAR).div_ceil(moment.copies) as usize);
            let (at, step) = (instant(moment.at.ns()), count(moment.step));
            text += &format!("  {at:>9}  step {step:>9}  {:>4} of {}  {bar}\n", moment.broke, moment.copies);
        }
        text += "\n";
        if !is_whole {
            return text + "  It was interrupted: moments between these were not looked at.\n";
        }
        text += &self.decisive(moments, width);
        if let Some(moment) = inevitable(moments) {
            let (at, step) = (instant(moment.at.ns()), count(moment.step));
            text += &format!("  From {at} on (step {step}) all of {} copies broke it.\n", moment.copies);
        }
        text
    }

    /// Where the likelihood grew most, and what happened there if that is one step.
    fn decisive(&self, moments: &[Moment], width: usize) -> String {
        let Some((before, after)) = steepest(moments) else {
            return match moments.first().is_some_and(Moment::is_certain) {
                true => "  It was certain from the beginning.\n".to_owned(),
                false => "  No moment decided much: it grew slowly, or was likely from the beginning.\n".to_owned(),
            };
        };
        let (at, from, to) = (instant(after.at.ns()), before.broke, after.broke);
        if after.step - before.step > 1 {
            let (since, copies) = (instant(before.at.ns()), after.copies);
            return format!("  Most was decided between {since} and {at}: from {from} to {to} of {copies} copies.\n");
        }
        let is_decisive = |place: &usize| {
            let turn = &self.story.turns[*place];
            before.step < turn.step && turn.step <= after.step && turn.node.is_some()
        };
        let places: Vec<usize> = (0..self.story.turns.len()).filter(is_decisive).collect();
        let step = count(after.step);
        format!(
            "  Most was decided at {at} by step {step}: {from} of {} copies broke it before, {to} after it.\n{}",
            after.copies,
            story(self.story, self.threads, &places, width),
        )
    }

    fn difference(&self, other: &Other<'_>, width: usize) -> String {
        let mut text = title(&format!("beside {}, seed {}", other.outcome.scenario, other.outcome.seed));
        text += &format!("  where {}\n", verdict(other.outcome));
        if !other.plans.is_empty() {
            let count = other.plans.lines().count();
            let lines = other.plans.lines().take(PLAN_LINES).map(|line| format!("  {line}\n"));
            text += &format!("\n{}", lines.collect::<String>());
            if count > PLAN_LINES {
                let more = counted((count - PLAN_LINES) as u64, "more line");
                text += &format!("  {}\n", styled(DIM, format_args!("… {more}")));
            }
        }
        let Some(same) = self.story.parting(other.story) else {
            return text + "\n  They are too long to say where they part: their beginning is forgotten.\n";
        };
        if same == self.story.turns.len().max(other.story.turns.len()) {
            return text + "\n  Both runs are the same.\n";
        }
        text += &format!("\n  The same for {}.\n", counted(same as u64, "turn"));
        let section = |name: &str, story: &Story, from: usize, upto: usize| {
            let threads = Threads::of(story);
            let places: Vec<usize> = (from..upto.min(story.turns.len())).collect();
            let told = super::story::story(story, &threads, &places, width);
            let told = if told.is_empty() && from > 0 { "  (it is over)\n".to_owned() } else { told };
            format!("{}{told}", if name.is_empty() { String::new() } else { format!("  {}\n", styled(BOLD, name)) })
        };
        text += &section("", self.story, same.saturating_sub(BEFORE), same);
        text += &section("then in this run", self.story, same, same + AFTER);
        text + &section("and in the other", other.story, same, same + AFTER)
    }

    /// As one JSON object, without the line's end.
    pub fn json(&self) -> String {
        let shown: BTreeSet<usize> = self.told().iter().copied().collect();
        let turn = |place: &usize| self.turn(*place, &shown);
        let violated = self.outcome.violation();
        let whole = self.likelihood.filter(|found| found.is_whole);
        json::object(&Object {
            format: FORMAT,
            kind: "explain",
            scenario: &self.outcome.scenario,
            system: &self.outcome.system,
            seed: self.outcome.seed,
            violation: violated.map(json::violation),
            digest: &self.outcome.digest,
            earlier: self.past.len() - shown.len(),
            turns: self.told().iter().map(turn).collect(),
            forgotten: self.story.forgotten,
            likelihood: self.likelihood.map(|found| found.moments.iter().map(point).collect()),
            inevitable: whole.and_then(|found| inevitable(&found.moments)).as_ref().map(point),
            complete: self.likelihood.map(|found| found.is_whole),
            difference: self.other.as_ref().map(|other| Difference {
                scenario: &other.outcome.scenario,
                seed: other.outcome.seed,
                violation: other.outcome.violation().map(json::violation),
                digest: &other.outcome.digest,
                verdict: json::verdict(other.outcome),
                same_turns: self.story.parting(other.story),
                parts_at_ns: self.story.parting(other.story).and_then(|same| Some(self.story.turns.get(same)?.at.ns())),
            }),
        })
    }

    fn turn(&self, place: usize, shown: &BTreeSet<usize>) -> TurnObject<'_> {
        let turn = &self.story.turns[place];
        let name = |node: usize| self.story.names[node].as_str();
        let deeds = turn.deeds.iter().map(|deed| {
            let (what, peer) = describe(deed.what);
            let sent = match deed.what {
                What::Gets { sent, .. } | What::Misses { sent, .. } => sent.and_then(|sent| self.story.place(sent)),
                _ => None,
            };
            let fate = match deed.what {
                What::Sends { to } => Some(self.threads.fate(place, to, &deed.words)),
                _ => None,
            };
            DeedObject {
                what,
                peer: peer.map(name),
                words: &deed.words,
                sent_step: sent.map(|place| self.story.turns[place].step),
                got_step: match fate {
                    Some(Fate::Got(place)) if shown.contains(&place) => Some(self.story.turns[place].step),
                    _ => None,
                },
                lost: fate == Some(Fate::Missed),
            }
        });
        TurnObject { step: turn.step, time_ns: turn.at.ns(), node: turn.node.map(name), deeds: deeds.collect() }
    }
}

/// How long the longest bar is.
const BAR: u32 = 30;

fn title(text: &str) -> String {
    format!("\n{} {}\n\n", styled(DIM, "──"), styled(BOLD, text))
}

fn point(moment: &Moment) -> Point {
    Point { step: moment.step, time_ns: moment.at.ns(), broke: moment.broke, copies: moment.copies }
}

#[derive(Serialize)]
struct Object<'a> {
    format: &'static str,
    kind: &'static str,
    scenario: &'a str,
    system: &'a str,
    seed: u64,
    violation: Option<Violation<'a>>,
    digest: &'a str,
    earlier: usize,
    forgotten: u64,
    turns: Vec<TurnObject<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    likelihood: Option<Vec<Point>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inevitable: Option<Point>,
    #[serde(skip_serializing_if = "Option::is_none")]
    complete: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<Difference<'a>>,
}

#[derive(Serialize)]
struct TurnObject<'a> {
    step: u64,
    time_ns: u64,
    node: Option<&'a str>,
    deeds: Vec<DeedObject<'a>>,
}

#[derive(Serialize)]
struct DeedObject<'a> {
    what: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<&'a str>,
    words: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_step: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    got_step: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    lost: bool,
}

#[derive(Serialize)]
struct Point {
    step: u64,
    time_ns: u64,
    broke: u32,
    copies: u32,
}

#[derive(Serialize)]
struct Difference<'a> {
    scenario: &'a str,
    seed: u64,
    violation: Option<Violation<'a>>,
    digest: &'a str,
    verdict: &'static str,
    same_turns: Option<usize>,
    parts_at_ns: Option<u64>,
}
