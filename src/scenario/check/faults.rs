//! Faults that cannot happen, happen to nobody, or change nothing.

mod order;
mod what;
mod when;
mod whom;

use super::super::diagnostic::Complaint;
use super::super::fault::{FaultSpec, Schedule};
use super::super::inject::Inject;
use super::super::load::Rules;
use super::super::model::Scenario;
use super::super::roster::{Crew, Vocabulary};
use super::super::swarm::Swarm;
use super::super::target::Who;
use super::{FAULTS, too_long};
use crate::kernel::time::{Span, Time};

/// What is wrong with the faults, those of phases included.
pub(super) fn complaints<S>(
    scenario: &Scenario<S>,
    crew: Crew<'_>,
    rules: &Rules<S>,
    names: &Vocabulary,
    found: &mut Vec<Complaint>,
) {
    let (system, orders) = ((rules.name)(&scenario.system), (rules.orders)(&scenario.system));
    let stretches = stretches(scenario);
    let cuts = stretches.iter().flat_map(|stretch| stretch.faults.iter().filter_map(|spec| stretch.earliest_cut(spec)));
    let divided = cuts.min();
    let mut count = 0_u64;
    for stretch in &stretches {
        for (index, spec) in stretch.faults.iter().enumerate() {
            let place = format!("{}faults[{index}]", stretch.place);
            let clocks = &scenario.clocks;
            let mut one = One { spec, place, stretch, crew, names, clocks, found };
            one.when();
            one.order(system, orders);
            one.how_long();
            one.what();
            if spec.inject == Inject::Heal && scenario.swarm.is_none_or(|swarm| swarm == Swarm::Calm) {
                one.heal(divided);
            }
            if scenario.disk.recoverable && matches!(spec.inject, Inject::LostSync { .. }) {
                one.complain(
                    "inject",
                    "from a sync that lied nothing can be recovered, but `disk.recoverable` is true",
                    "remove `recoverable`, or use Wipe or BitRot, which it keeps to a minority",
                );
            }
            let more = stretch.expected_count(spec);
            if count <= FAULTS && count.saturating_add(more) > FAULTS {
                let field = if spec.rate.is_some() {
                    "rate"
                } else if spec.when.is_some() {
                    "times"
                } else {
                    "every"
                };
                let all = count.saturating_add(more);
                let cure = if field == "times" { "write less" } else { "make them rarer, or the workload shorter" };
                one.complain(field, format!("about {all} faults in one run are too many, {FAULTS} are allowed"), cure);
            }
            count = count.saturating_add(more);
        }
    }
}

/// A part of the run that has faults of its own: the whole workload, or a phase.
struct Stretch<'a> {
    faults: &'a [FaultSpec],
    /// What comes before `faults` in the path of a field.
    place: String,
    /// What it is called.
    name: &'static str,
    /// What makes it longer.
    cure: &'static str,
    /// When it begins. Times in it are counted from there.
    from: Time,
    length: Span,
}

fn stretches<S>(scenario: &Scenario<S>) -> Vec<Stretch<'_>> {
    let mut stretches = vec![Stretch {
        faults: &scenario.faults,
        place: String::new(),
        name: "workload",
        cure: "workload.until",
        from: Time::ZERO,
        length: scenario.workload.until,
    }];
    let mut from = 0_u64;
    for (index, phase) in scenario.phases.iter().enumerate() {
        stretches.push(Stretch {
            faults: &phase.faults,
            place: format!("phases[{index}]."),
            name: "phase",
            cure: "the phase's `lasts`",
            from: Time::from_ns(from),
            length: phase.lasts,
        });
        from = from.saturating_add(phase.lasts.as_ns());
    }
    stretches
}

impl Stretch<'_> {
    /// Its end, on its own clock.
    fn end(&self) -> Time {
        Time::ZERO + self.length
    }

    /// When the first partition of this kind can begin, if it makes partitions.
    fn earliest_cut(&self, spec: &FaultSpec) -> Option<Time> {
        let Inject::Partition { .. } = spec.inject else { return None };
        let first = match spec.schedule(self.end())? {
            Schedule::Once { at, .. } => at,
            Schedule::Poisson { from, .. } | Schedule::Moments { from, .. } => from,
            Schedule::Every { period, jitter, from, .. } => {
                let early = u128::from(period.as_ns()) * u128::from(jitter.part()) / u128::from(jitter.whole());
                Time::from_ns(from.ns().saturating_add(period.as_ns() - early as u64))
            }
        };
        Some(Time::from_ns(self.from.ns().saturating_add(first.ns())))
    }

    /// How many faults one spec makes in one run, on average.
    fn expected_count(&self, spec: &FaultSpec) -> u64 {
        match spec.schedule(self.end()) {
            None => 0,
            Some(Schedule::Once { .. }) => 1,
            Some(Schedule::Moments { times, .. }) => u64::from(times),
            Some(Schedule::Every { period, from, until, .. }) => until.since(from).as_ns() / period.as_ns().max(1),
            Some(Schedule::Poisson { rate, from, until }) => until.since(from).as_ns() / rate.interval().as_ns().max(1),
        }
    }
}

/// One fault under examination.
struct One<'a> {
    spec: &'a FaultSpec,
    place: String,
    stretch: &'a Stretch<'a>,
    crew: Crew<'a>,
    names: &'a Vocabulary,
    clocks: &'a super::super::model::Clocks,
    found: &'a mut Vec<Complaint>,
}

impl One<'_> {
    /// A heal that comes before every partition is a slip of the pen.
    fn heal(&mut self, divided: Option<Time>) {
        let own = self.spec.at.or(self.spec.until).unwrap_or(self.stretch.end());
        let latest = Time::from_ns(self.stretch.from.ns().saturating_add(own.ns()));
        match divided {
            None => {
                self.complain("inject", "there is no partition to heal", "remove `Heal`, or add a Partition before it")
            }
            Some(divided) if latest <= divided => {
                let field = if self.spec.at.is_some() { "at" } else { "until" };
                let message = format!("`Heal` comes at {latest}, but no partition begins before {divided}");
                let cure = match self.stretch.place.is_empty() {
                    true => format!("write a time after \"{divided}\""),
                    false => "let it come later, or in a later phase".to_owned(),
                };
                self.complain(field, message, cure);
            }
            Some(_) => {}
        }
    }

    /// The name of what is injected.
    fn name(&self) -> String {
        let text = format!("{:?}", self.spec.inject);
        text.chars().take_while(|letter| letter.is_alphanumeric()).collect()
    }

    /// A span that must fit a run.
    fn too_long(&mut self, span: Span, field: &str) {
        too_long(span, &format!("{}.{field}", self.place), self.found);
    }

    fn complain(&mut self, field: &str, message: impl Into<String>, cure: impl Into<String>) {
        let place = if field.is_empty() { self.place.clone() } else { format!("{}.{field}", self.place) };
        self.found.push(Complaint::at(&place, message, cure));
    }
}

/// Whether the target is sure to be every server, whoever else it may be.
pub(super) fn is_everybody(who: &Who, crew: Crew<'_>) -> bool {
    match who {
        Who::Nodes(names) => crew.servers > 0 && crew.servers().iter().all(|server| names.contains(server)),
        _ => crew.servers > 0 && who.size(crew.servers) == Some(crew.servers),
    }
}
