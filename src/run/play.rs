//! Plays one plan to its outcome: a pure function of the plan.

use super::outcome::{Outcome, Verdict, Violated};
use crate::environment::fault::FAULT_NAMES;
use crate::environment::plan::Plan;
use crate::kernel::time::Time;
use crate::oracle::spec::{Oracle, Spec};
use crate::protocol::{Cast, NodeId};
use crate::trace::{Fingerprint, Trace};
use crate::world::{Failure, Pause, World};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Once};

/// Plays a plan with all oracles of its protocol. A panic of the protocol is a violation of
/// `protocol.panic`.
///
/// # Panics
/// With a bug of ours: of the world or an oracle, not of the protocol.
pub fn play<P: Spec>(plan: &Arc<Plan<P::Config>>, system: &str) -> Outcome {
    let mut world =
        World::<P, P::Oracles, Fingerprint>::new(Arc::clone(plan), P::oracles(&plan.system), Fingerprint::default());
    let verdict = verdict_of(&mut world, plan);
    let trace = world.trace();
    let traffic = world.traffic();
    let named =
        |pairs: Vec<(&'static str, u64)>| pairs.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    let mut stats = world.oracles().stats();
    stats.extend([
        ("messages_sent", traffic.sent),
        ("messages_doubled", traffic.doubled),
        ("messages_delivered", traffic.delivered),
        ("messages_dropped", traffic.dropped),
    ]);
    Outcome {
        scenario: plan.scenario.clone(),
        system: system.to_owned(),
        seed: plan.seed,
        engine: plan.engine,
        verdict,
        steps: world.steps(),
        events: trace.events(),
        virtual_ns: world.now().ns(),
        digest: trace.digest().to_string(),
        goals: named(world.oracles().goals()),
        faults: named(FAULT_NAMES.into_iter().zip(world.fault_hits()).filter(|(_, hits)| *hits > 0).collect()),
        stats: named(stats),
    }
}

/// Plays a world to its end, and turns a panic of the protocol into a violation.
pub fn verdict_of<P: Spec, T: Trace<P>>(world: &mut World<P, P::Oracles, T>, plan: &Plan<P::Config>) -> Verdict {
    match quietly(|| play_through(world, plan)) {
        Ok(Ok(())) => Verdict::Pass,
        Ok(Err(End::Broken(failure))) => Verdict::Violation(violated(*failure, world.cast())),
        Ok(Err(End::GivenUp(why))) => Verdict::Inconclusive(why),
        Err(panic) if world.in_handler() => Verdict::Violation(Violated {
            invariant: "protocol.panic".to_owned(),
            time_ns: world.now().ns(),
            step: world.steps(),
            nodes: Vec::new(),
            message: panic.message,
        }),
        Err(panic) => resume_unwind(Box::new(panic.message)),
    }
}

enum End {
    Broken(Box<Failure>),
    GivenUp(String),
}

impl From<Box<Failure>> for End {
    fn from(failure: Box<Failure>) -> End {
        End::Broken(failure)
    }
}

/// The storm, and then the calm in which progress is required.
fn play_through<P: Spec, T: Trace<P>>(world: &mut World<P, P::Oracles, T>, plan: &Plan<P::Config>) -> Result<(), End> {
    let limit = Time::ZERO + plan.limits.virtual_time;
    let steps = plan.limits.steps;
    let calm_from = plan.calm_from();
    world.start()?;
    match world.run_until(calm_from.min(limit), steps, |_, _| false)? {
        Pause::OutOfSteps => return Err(End::GivenUp(format!("the limit of {steps} steps is spent"))),
        Pause::TimeIsUp if limit < calm_from => return Err(out_of_time(plan)),
        Pause::TimeIsUp | Pause::Reached => {}
    }
    if let Some(settle) = &plan.settle {
        world.calm(settle.heal)?;
        let until = calm_from + settle.within;
        match world.run_until(until.min(limit), steps, |oracles, view| oracles.is_settled(view))? {
            Pause::Reached => {}
            Pause::OutOfSteps => return Err(End::GivenUp(format!("the limit of {steps} steps is spent"))),
            Pause::TimeIsUp if limit < until => return Err(out_of_time(plan)),
            Pause::TimeIsUp => return Err(world.unsettled().into()),
        }
    }
    Ok(world.end()?)
}

fn out_of_time<C>(plan: &Plan<C>) -> End {
    End::GivenUp(format!("the limit of {} of virtual time is spent", plan.limits.virtual_time))
}

fn violated(failure: Failure, cast: &Cast) -> Violated {
    Violated {
        invariant: failure.violation.invariant.into_owned(),
        time_ns: failure.at.ns(),
        step: failure.step,
        nodes: failure.violation.nodes.iter().map(|node| cast.name(*node)).collect(),
        message: with_names(&failure.violation.message, cast),
    }
}

/// The text with `#3` replaced by the node's name.
fn with_names(text: &str, cast: &Cast) -> String {
    let mut parts = text.split('#');
    let mut named = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        match part[..digits].parse() {
            Ok(number) => named.push_str(&cast.name(NodeId::new(number))),
            Err(_) => named = named + "#" + &part[..digits],
        }
        named.push_str(&part[digits..]);
    }
    named
}

/// A panic that was caught.
struct Panic {
    /// What it said, and where.
    message: String,
}

thread_local! {
    /// Where this thread has panicked, while it plays a run: `None` while it does not.
    static PLACE: Cell<Option<String>> = const { Cell::new(None) };
    static PLAYING: Cell<bool> = const { Cell::new(false) };
}

/// Catches a panic without the report that goes to standard error else.
fn quietly<R>(work: impl FnOnce() -> R) -> Result<R, Panic> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if PLAYING.get() {
                PLACE.set(info.location().map(|place| format!("{}:{}", place.file(), place.line())));
            } else {
                usual(info);
            }
        }));
    });
    PLAYING.set(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    PLAYING.set(false);
    result.map_err(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
        let place = PLACE.take().unwrap_or_default();
        Panic { message: format!("{} ({place})", text.unwrap_or("no message")) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_in_a_message_get_their_names() {
        let cast = Cast::members(3).and("c", 2);
        assert_eq!(with_names("#0 and #4, #x; 1#", &cast), "n1 and c2, #x; 1#");
    }
}
