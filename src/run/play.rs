//! Plays one plan to its outcome: a pure function of the plan.

use super::outcome::{Outcome, Verdict, Violated};
use super::seen::Seen;
use super::storyteller::Storyteller;
use super::tape::{Listener, Tape};
use super::watch::{Closeness, Forks, Unwatched, Watch};
use crate::environment::fault::{FAULT_NAMES, KINDS};
use crate::environment::plan::{Limits, Plan};
use crate::kernel::digest::mix;
use crate::kernel::queue::ROOM;
use crate::kernel::time::Time;
use crate::oracle::spec::{Oracle, Spec, View};
use crate::protocol::{Cast, NodeId};
use crate::trace::Fingerprint;
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
    play_watched::<P>(plan, system, &mut Unwatched)
}

/// Plays a plan as [`play`] does, while somebody watches. The run is the same.
///
/// # Panics
/// As [`play`], and with what the watcher does.
pub fn play_watched<P: Spec>(plan: &Arc<Plan<P::Config>>, system: &str, watch: &mut dyn Watch) -> Outcome {
    match watch.closeness() {
        Closeness::Outcome | Closeness::States => play_traced::<P, _>(plan, system, Fingerprint::default(), watch),
        Closeness::Digests => play_traced::<P, _>(plan, system, Tape::new(false), watch),
        Closeness::Words => play_traced::<P, _>(plan, system, Tape::new(true), watch),
        Closeness::Turns => play_traced::<P, _>(plan, system, Storyteller::default(), watch),
    }
}

fn play_traced<P: Spec, T: Listener<P>>(
    plan: &Arc<Plan<P::Config>>,
    system: &str,
    trace: T,
    watch: &mut dyn Watch,
) -> Outcome {
    let mut world = World::<P, P::Oracles, T>::new(Arc::clone(plan), P::oracles(&plan.system), trace);
    let (verdict, copies) = verdict_watched(&mut world, plan, watch);
    if !copies.is_empty() {
        play_on(copies, plan, watch);
    }
    let fingerprint = *world.trace().fingerprint();
    let traffic = world.traffic();
    let named =
        |pairs: Vec<(&'static str, u64)>| pairs.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    let kinds = |counts: [u64; KINDS]| named(FAULT_NAMES.into_iter().zip(counts).filter(|kind| kind.1 > 0).collect());
    let counts = *world.fault_counts();
    let is_stuck = verdict == Verdict::Pass && plan.settle.is_some() && !world.oracles().is_settled(world.view());
    let excuse = if is_stuck { world.excuse().map(|why| with_names(&why, world.cast())) } else { None };
    let mut stats = world.oracles().stats();
    stats.extend([
        ("messages_sent", traffic.sent),
        ("messages_doubled", traffic.doubled),
        ("messages_delivered", traffic.delivered),
        ("messages_dropped", traffic.dropped),
        ("messages_corrupted", traffic.corrupted),
        ("messages_garbled", traffic.garbled),
    ]);
    Outcome {
        scenario: plan.scenario.clone(),
        system: system.to_owned(),
        seed: plan.seed,
        engine: plan.engine,
        verdict,
        steps: world.steps(),
        events: fingerprint.events(),
        virtual_ns: world.now().ns(),
        digest: fingerprint.digest().to_string(),
        goals: named(world.oracles().goals()),
        faults: kinds(counts.changed),
        faults_planned: kinds(counts.planned),
        faults_fired: kinds(counts.fired),
        fault_effects: kinds(counts.effects),
        excuse,
        stats: named(stats),
    }
}

/// Plays a world to its end, and turns a panic of the protocol into a violation.
pub fn verdict_of<P: Spec, T: Listener<P>>(world: &mut World<P, P::Oracles, T>, plan: &Plan<P::Config>) -> Verdict {
    verdict_watched(world, plan, &mut Unwatched).0
}

/// Plays copies on with other dice, the last first, and tells the watcher what becomes of them.
fn play_on<P: Spec, T: Listener<P>>(
    mut copies: Vec<World<P, P::Oracles, T>>,
    plan: &Plan<P::Config>,
    watch: &mut dyn Watch,
) {
    let Forks { copies: count, until, .. } = watch.forks();
    let virtual_time = plan.limits.virtual_time.min(until.since(Time::ZERO));
    let plan = &Plan { limits: Limits { virtual_time, ..plan.limits }, ..plan.clone() };
    while let Some(copy) = copies.pop() {
        for number in 0..count {
            let mut fork = copy.clone();
            fork.reroll(mix(plan.seed, u64::from(number)));
            let (verdict, _) = verdict_watched(&mut fork, plan, &mut Unwatched);
            if !watch.forked(copy.steps(), copy.now(), &verdict) {
                return;
            }
        }
    }
}

/// Plays a world to its end, from wherever it is. Answers the verdict, and the copies that the watcher wants.
fn verdict_watched<P: Spec, T: Listener<P>>(
    world: &mut World<P, P::Oracles, T>,
    plan: &Plan<P::Config>,
    watch: &mut dyn Watch,
) -> (Verdict, Vec<World<P, P::Oracles, T>>) {
    let stretch = if watch.closeness() == Closeness::Turns { 1 } else { STRETCH };
    let sketches = Sketches::new(watch.closeness(), P::cast(&plan.system).count());
    let mut forks = watch.forks().steps;
    forks.reverse();
    let mut session = Session { watch, stretch, forks, copies: Vec::new(), sketches };
    let verdict = match quietly(|| session.play_through(world, plan)) {
        Ok(Ok(())) => Verdict::Pass,
        Ok(Err(End::Broken(failure))) => Verdict::Violation(violated(*failure, world.cast())),
        Ok(Err(End::GivenUp(why))) => Verdict::Inconclusive(why),
        Err(panic) if world.in_handler() => Verdict::Violation(Violated {
            invariant: "protocol.panic".to_owned(),
            time_ns: world.now().ns(),
            step: world.steps(),
            during: world.during(),
            nodes: Vec::new(),
            message: panic.message,
        }),
        Err(_) if world.is_overfull() => {
            Verdict::Inconclusive(format!("more events are pending than the {ROOM} for which there is room"))
        }
        Err(panic) => resume_unwind(Box::new(panic.message)),
    };
    session.tell(world);
    session.tell_states();
    (verdict, session.copies)
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

/// So many steps are played before the watcher is asked again, unless it is told of each.
const STRETCH: u64 = 1 << 12;

/// One run with its watcher.
struct Session<'a, W> {
    watch: &'a mut dyn Watch,
    /// After so many steps the watcher is told of them, and asked whether to go on.
    stretch: u64,
    /// After how many steps copies are to be made, the next last, and those that were made.
    forks: Vec<u64>,
    copies: Vec<W>,
    sketches: Sketches,
}

impl<P: Spec, T: Listener<P>> Session<'_, World<P, P::Oracles, T>> {
    /// The storm, and then the calm in which progress is required; or what is left of them.
    fn play_through(&mut self, world: &mut World<P, P::Oracles, T>, plan: &Plan<P::Config>) -> Result<(), End> {
        let limit = Time::ZERO + plan.limits.virtual_time;
        let calm_from = plan.calm_from();
        if world.steps() == 0 {
            self.watch.nodes((0..world.cast().count()).map(|node| world.cast().name(NodeId::new(node))).collect());
            world.start()?;
            self.tell(world);
        }
        if !world.is_calm()
            && self.play_until(world, plan, calm_from.min(limit), |_, _| false)? == Pause::TimeIsUp
            && limit < calm_from
        {
            return Err(out_of_time(plan));
        }
        if let Some(settle) = &plan.settle {
            if !world.is_calm() {
                world.calm(&settle.heal)?;
            }
            let until = calm_from + settle.within;
            match self.play_until(world, plan, until.min(limit), |oracles, view| oracles.is_settled(view))? {
                Pause::TimeIsUp if limit < until => return Err(out_of_time(plan)),
                Pause::TimeIsUp if world.excuse().is_some() => {}
                Pause::TimeIsUp => return Err(world.unsettled().into()),
                Pause::Reached | Pause::OutOfSteps => {}
            }
        }
        Ok(world.end()?)
    }

    /// Plays on until then or until it is `reached`.
    fn play_until(
        &mut self,
        world: &mut World<P, P::Oracles, T>,
        plan: &Plan<P::Config>,
        until: Time,
        reached: impl Fn(&P::Oracles, &View<P>) -> bool,
    ) -> Result<Pause, End> {
        loop {
            let before = self.forks.len();
            while self.forks.pop_if(|step| *step <= world.steps()).is_some() {}
            if self.forks.len() < before {
                self.copies.push(world.clone());
            }
            let next = self.forks.last().copied().unwrap_or(u64::MAX);
            let upto = plan.limits.steps.min(world.steps() + self.stretch).min(next);
            let pause = if self.sketches.are_wanted {
                world.run_until(until, upto, |oracles, view| {
                    self.sketches.look(oracles, view);
                    reached(oracles, view)
                })?
            } else {
                world.run_until(until, upto, &reached)?
            };
            if pause != Pause::OutOfSteps {
                return Ok(pause);
            }
            if world.steps() >= plan.limits.steps {
                return Err(End::GivenUp(format!("the limit of {} steps is spent", plan.limits.steps)));
            }
            self.tell(world);
            if !self.watch.goes_on() {
                return Err(End::GivenUp("the run was stopped from outside".to_owned()));
            }
        }
    }

    /// Tells the watcher what has happened since the last time.
    fn tell(&mut self, world: &mut World<P, P::Oracles, T>) {
        let cast = *world.cast();
        let steps = world.steps();
        let (trace, view) = world.trace_beside_view();
        if let Some(storyteller) = trace.storyteller() {
            let mut turns = storyteller.turns(steps, view);
            let deeds = turns.iter_mut().flat_map(|turn| &mut turn.deeds);
            deeds.for_each(|deed| deed.words = with_names(&deed.words, &cast));
            self.watch.turns(turns);
            return;
        }
        let Some(tape) = trace.tape() else { return };
        let mut events = std::mem::take(&mut tape.told);
        for (at, client, call) in std::mem::take(&mut tape.calls) {
            self.watch.call(at, &cast.name(client), call);
        }
        events.iter_mut().for_each(|event| event.words = with_names(&event.words, &cast));
        if !events.is_empty() {
            self.watch.events(events);
        }
    }

    fn tell_states(&mut self) {
        if self.sketches.are_wanted {
            self.watch.states(self.sketches.seen.sorted().into_iter().map(|(state, ())| state).collect());
        }
    }
}

/// The abstract state of the system: the sketches of all its nodes, whichever node has which. It is looked at now
/// and then, for to look at every step would cost a twentieth of the run.
struct Sketches {
    are_wanted: bool,
    /// By node: its sketch, and at which look it was last touched.
    nodes: Vec<(u64, u32)>,
    /// Who was touched since the last look.
    touched: Vec<NodeId>,
    looks: u32,
    sum: u64,
    seen: Seen<()>,
}

/// The state is looked at after so many steps.
const LOOK: u64 = 64;

impl Sketches {
    fn new(closeness: Closeness, nodes: u16) -> Sketches {
        let are_wanted = closeness == Closeness::States;
        let count = if are_wanted { nodes as usize } else { 0 };
        Sketches { are_wanted, nodes: vec![(0, 0); count], touched: Vec::new(), looks: 1, sum: 0, seen: Seen::new() }
    }

    /// After a step.
    #[inline]
    fn look<P: Spec>(&mut self, oracles: &P::Oracles, view: &View<P>) {
        let touched = &mut self.nodes[view.touched.index()].1;
        if *touched != self.looks {
            *touched = self.looks;
            self.touched.push(view.touched);
        }
        if view.step.is_multiple_of(LOOK) {
            self.see(oracles, view);
        }
    }

    fn see<P: Spec>(&mut self, oracles: &P::Oracles, view: &View<P>) {
        // A sum does not hear who is who, and takes one step for each node to bring up to date.
        let weight = |sketch: u64| if sketch == 0 { 0 } else { mix(sketch, 0x51) };
        for node in self.touched.drain(..) {
            let (before, now) = (&mut self.nodes[node.index()].0, P::sketch(oracles, view, node));
            self.sum = self.sum.wrapping_add(weight(now)).wrapping_sub(weight(*before));
            *before = now;
        }
        self.looks = self.looks.wrapping_add(1);
        self.seen.entry(mix(self.sum, 0), ());
    }
}

fn out_of_time<C>(plan: &Plan<C>) -> End {
    End::GivenUp(format!("the limit of {} of virtual time is spent", plan.limits.virtual_time))
}

fn violated(failure: Failure, cast: &Cast) -> Violated {
    Violated {
        invariant: failure.violation.invariant.into_owned(),
        time_ns: failure.at.ns(),
        step: failure.step,
        during: failure.during,
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
