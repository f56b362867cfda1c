//! Faults that cannot happen, happen to nobody, or change nothing.

use super::super::diagnostic::{Complaint, did_you_mean, one_of};
use super::super::fault::{FaultSpec, Schedule};
use super::super::inject::{Duration, Inject};
use super::super::model::{Healing, Scenario};
use super::super::target::{Shape, Who};
use super::{FAULTS, distribution, too_long};
use crate::environment::distribution::Distribution;
use crate::environment::text::SpanRange;
use crate::kernel::chance::Ratio;
use crate::kernel::time::{Span, Time};

/// What is wrong with the faults.
pub(super) fn complaints<S>(scenario: &Scenario<S>, members: &[String], roles: &[&str], found: &mut Vec<Complaint>) {
    let end = Time::ZERO + scenario.workload.until;
    let divided = scenario.faults.iter().filter_map(|spec| earliest_cut(spec, end)).min();
    let mut count = 0_u64;
    for (index, spec) in scenario.faults.iter().enumerate() {
        let mut one = One { spec, place: format!("faults[{index}]"), end, members, roles, found };
        one.when();
        one.how_long();
        one.what();
        if spec.inject == Inject::Heal {
            one.heal(divided);
        }
        let more = expected_count(spec, end);
        if count <= FAULTS && count.saturating_add(more) > FAULTS {
            let field = if spec.rate.is_some() { "rate" } else { "every" };
            one.complain(
                field,
                format!("about {} faults in one run are too many, {FAULTS} are allowed", count.saturating_add(more)),
                "make them rarer, or the workload shorter",
            );
        }
        count = count.saturating_add(more);
    }
    let nobody_is_left = |spec: &FaultSpec| {
        matches!(spec.inject, Inject::Kill { target: Who::All, restart_after: None }) && spec.until.is_none()
    };
    if scenario.settle.as_ref().is_some_and(|settle| settle.heal == Healing::Nothing)
        && let Some(index) = scenario.faults.iter().position(nobody_is_left)
    {
        found.push(Complaint::at(
            &format!("faults[{index}].inject.target"),
            "all are dead at the end and settling does not heal, so nothing can settle",
            "add restart_after, or write settle: (heal: true, ...)",
        ));
    }
}

/// When the first partition of this kind can begin, if it makes partitions.
fn earliest_cut(spec: &FaultSpec, end: Time) -> Option<Time> {
    let Inject::Partition { .. } = spec.inject else { return None };
    Some(match spec.schedule(end)? {
        Schedule::Once { at, .. } => at,
        Schedule::Poisson { from, .. } | Schedule::Moments { from, .. } => from,
        Schedule::Every { period, jitter, from, .. } => {
            let early = u128::from(period.as_ns()) * u128::from(jitter.part()) / u128::from(jitter.whole());
            Time::from_ns(from.ns().saturating_add(period.as_ns() - early as u64))
        }
    })
}

/// How many faults one spec makes in one run, on average.
fn expected_count(spec: &FaultSpec, end: Time) -> u64 {
    match spec.schedule(end) {
        None => 0,
        Some(Schedule::Once { .. }) => 1,
        Some(Schedule::Moments { times, .. }) => u64::from(times),
        Some(Schedule::Every { period, from, until, .. }) => until.since(from).as_ns() / period.as_ns().max(1),
        Some(Schedule::Poisson { rate, from, until }) => until.since(from).as_ns() / rate.interval().as_ns().max(1),
    }
}

/// One fault under examination.
struct One<'a> {
    spec: &'a FaultSpec,
    place: String,
    end: Time,
    members: &'a [String],
    roles: &'a [&'a str],
    found: &'a mut Vec<Complaint>,
}

impl One<'_> {
    /// Exactly one of at, every and rate; and what goes with each.
    fn when(&mut self) {
        let FaultSpec { at, until, every, jitter, rate, from, ref when, .. } = *self.spec;
        let given =
            [("at", at.is_some()), ("every", every.is_some()), ("rate", rate.is_some()), ("when", when.is_some())];
        let given: Vec<&str> = given.into_iter().filter_map(|(name, is_given)| is_given.then_some(name)).collect();
        match given.as_slice() {
            [] => {
                return self.complain(
                    "",
                    "it is not said when this fault happens",
                    "add `at: \"10s\"`, `every: \"8s\"`, `rate: \"3/min\"` or `when: Started`",
                );
            }
            [_] => {}
            [first, second, ..] => {
                return self.complain(
                    second,
                    format!("`{first}` and `{second}` both say when this fault happens"),
                    "remove one of them",
                );
            }
        }
        if jitter.is_some() && every.is_none() {
            self.complain("jitter", "`jitter` only belongs to `every`", "remove it, or write `every` instead");
        }
        if at.is_some() && from.is_some() {
            self.complain("from", "`from` only belongs to `every` and `rate`", "remove it");
        }
        if every == Some(Span::ZERO) {
            self.complain("every", "a fault cannot happen every 0s", "write for example \"8s\"");
        }
        let end = self.end;
        let start = at.or(from).unwrap_or(Time::ZERO);
        let start_field = if at.is_some() { "at" } else { "from" };
        if start >= end && end > Time::ZERO {
            let message = format!("the fault begins at {start}, when the workload has already ended (at {end})");
            return self.complain(start_field, message, "begin it earlier, or raise workload.until");
        }
        if let Some(until) = until {
            if until <= start {
                let message = match at {
                    Some(_) => format!("the fault ends at {until}, but begins at {start}"),
                    None => format!("none of these faults begins from {until} on, and none before {start}"),
                };
                return self.complain("until", message, format!("write a time after \"{start}\""));
            }
            if until > end && end > Time::ZERO {
                let message =
                    format!("the fault goes on until {until}, but the workload ends at {end} and faults end with it");
                self.complain("until", message, "end it earlier, or raise workload.until");
            }
        }
        let stop = until.unwrap_or(end).min(end);
        if let Some(period) = every.filter(|period| stop.since(start) <= *period) {
            let message =
                format!("the first of these faults comes {period} after {start}, but none begins from {stop} on");
            self.complain("every", message, "write a shorter period");
        }
    }

    /// What has a length needs one, and only one.
    fn how_long(&mut self) {
        let FaultSpec { at, until, lasts, .. } = *self.spec;
        if let Some(SpanRange { max, .. }) = lasts {
            if max == Span::ZERO {
                self.complain("lasts", "a fault of no length changes nothing", "write for example \"5s\"");
            }
            too_long(max, &format!("{}.lasts", self.place), self.found);
        }
        match self.spec.inject.duration() {
            Duration::None => {
                let name = self.name();
                if lasts.is_some() {
                    self.complain("lasts", format!("`{name}` happens at once and has no length"), "remove `lasts`");
                }
                if at.is_some() && until.is_some() {
                    self.complain("until", format!("`{name}` happens at once and has no end"), "remove `until`");
                }
            }
            Duration::Restart(restart_after) => {
                let name = self.name();
                if lasts.is_some() {
                    let cure = format!("write `restart_after` inside `{name}(...)` instead");
                    self.complain("lasts", format!("`{name}` has no `lasts`"), cure);
                }
                if at.is_some() && until.is_some() && restart_after.is_some() {
                    self.complain(
                        "until",
                        "`until` and `restart_after` both say when the dead restart",
                        "remove one of them",
                    );
                }
                if let Some(SpanRange { max, .. }) = restart_after {
                    too_long(max, &format!("{}.inject.restart_after", self.place), self.found);
                }
            }
            Duration::Exactly(length) => {
                if lasts.is_some() || at.is_some() && until.is_some() {
                    let field = if lasts.is_some() { "lasts" } else { "until" };
                    let message = format!("how long it lasts follows from `by` and `ppm`: {length}");
                    self.complain(field, message, "remove it");
                }
                too_long(length, &format!("{}.inject.by", self.place), self.found);
            }
            Duration::Lasts => {
                if at.is_some() && until.is_some() && lasts.is_some() {
                    self.complain("lasts", "`until` and `lasts` both say when this fault ends", "remove one of them");
                }
                let is_repeated = self.spec.every.is_some() || self.spec.rate.is_some();
                if is_repeated && lasts.is_none() {
                    self.complain(
                        "inject",
                        "it is not said how long each of these faults lasts",
                        "add for example `lasts: (\"1s\", \"5s\")` beside `inject`",
                    );
                }
            }
        }
    }

    fn what(&mut self) {
        if let Some(target) = self.spec.inject.target() {
            self.who(target, "inject.target");
        }
        if let Inject::Partition {
            shape: Shape::Links(_) | Shape::Mute(_) | Shape::Deafen(_) | Shape::Among(_),
            one_way: true,
        } = self.spec.inject
        {
            self.complain(
                "inject.one_way",
                "`one_way` has no say here: the shape itself says which direction is lost",
                "remove it",
            );
        }
        if let Some(shape) = self.spec.inject.shape() {
            let field = if matches!(self.spec.inject, Inject::Partition { .. }) { "shape" } else { "over" };
            self.shape(shape, &format!("inject.{field}"));
        }
        match &self.spec.inject {
            Inject::Loss { probability, .. }
            | Inject::Duplicate { probability, .. }
            | Inject::Reorder { probability, .. }
            | Inject::Corrupt { probability, .. } => self.probability(*probability),
            Inject::Delay { extra, .. } | Inject::DiskSlow { extra, .. } => {
                distribution(extra, &format!("{}.inject.extra", self.place), self.found);
                if *extra == Distribution::ZERO {
                    self.complain("inject.extra", "a delay of 0s changes nothing", "write for example Const(\"50ms\")");
                }
            }
            _ => {}
        }
    }

    /// The name of what is injected.
    fn name(&self) -> String {
        let text = format!("{:?}", self.spec.inject);
        text.chars().take_while(|letter| letter.is_alphanumeric()).collect()
    }

    fn probability(&mut self, probability: Ratio) {
        if probability.is_zero() {
            self.complain("inject.probability", "a probability of 0% changes nothing", "write for example \"5%\"");
        }
    }

    fn shape(&mut self, shape: &Shape, field: &str) {
        let count = self.members.len();
        let (name, least) = match shape {
            Shape::Halves => ("Halves", 2),
            Shape::Isolate(_) => ("Isolate", 2),
            Shape::Split(..) => ("Split", 2),
            Shape::Links(_) => ("Links", 2),
            Shape::Among(_) => ("Among", 2),
            Shape::Mute(_) => ("Mute", 2),
            Shape::Deafen(_) => ("Deafen", 2),
            Shape::Random => ("Random", 2),
            Shape::MajoritiesRing => ("MajoritiesRing", 3),
            Shape::Bridge => ("Bridge", 3),
            Shape::MinorityThird => ("MinorityThird", 4),
        };
        if count < least {
            let message = format!("`{name}` needs {least} members, the system has {count}");
            return self.complain(field, message, "add members, or choose another shape");
        }
        match shape {
            Shape::Isolate(who) | Shape::Mute(who) | Shape::Deafen(who) => {
                let place = format!("{field}[0]");
                self.who(who, &place);
                if who.size(count).is_some_and(|size| size == count) {
                    self.complain(
                        &place,
                        format!("all {count} members stay together, so nothing is cut"),
                        "name fewer",
                    );
                }
            }
            Shape::Split(from, to) => self.split(from, to, field),
            Shape::Links(links) => self.links(links, field),
            Shape::Among(names) => self.nodes(names, field),
            Shape::Halves | Shape::MinorityThird | Shape::MajoritiesRing | Shape::Bridge | Shape::Random => {}
        }
    }

    fn split(&mut self, from: &[String], to: &[String], field: &str) {
        for (side, names) in [from, to].into_iter().enumerate() {
            let place = format!("{field}[{side}]");
            if names.is_empty() {
                self.complain(&place, "nobody is on this side, so nothing is cut", "name a node, for example [\"n1\"]");
            }
            self.named(names, &place);
        }
        if let Some(index) = to.iter().position(|name| from.contains(name)) {
            let message = format!("node {:?} is on both sides", to[index]);
            self.complain(&format!("{field}[1][{index}]"), message, "remove it from one of them");
        }
    }

    fn links(&mut self, links: &[(String, String)], field: &str) {
        if links.is_empty() {
            let cure = "name one, for example [(\"n1\", \"n2\")]";
            self.complain(&format!("{field}[0]"), "a set without a link hits nothing", cure);
        }
        for (index, link) in links.iter().enumerate() {
            let place = format!("{field}[0][{index}]");
            self.member(&link.0, &format!("{place}[0]"));
            self.member(&link.1, &format!("{place}[1]"));
            if link.0 == link.1 {
                let message = format!("node {:?} has no link to itself", link.0);
                self.complain(&place, message, "name two nodes");
            } else if links[..index].contains(link) {
                let message = format!("the link from {:?} to {:?} is named twice", link.0, link.1);
                self.complain(&place, message, "remove one of them");
            }
        }
    }

    fn who(&mut self, who: &Who, field: &str) {
        let count = self.members.len();
        if let Some(role) = who.role() {
            let kind = role.split(':').next().unwrap_or_default();
            if !self.roles.contains(&kind) {
                let cure = did_you_mean(kind, self.roles.iter().copied()).unwrap_or_else(|| match self.roles {
                    [] => "no system here has roles; name nodes, or write `One`".to_owned(),
                    roles => format!("write Role({:?}), or {} in its place", roles[0], one_of(roles)),
                });
                let field = if matches!(who, Who::Role(_)) { format!("{field}[0]") } else { field.to_owned() };
                self.complain(&field, format!("there is no role {kind:?}"), cure);
            }
            return;
        }
        if let Who::Nodes(names) = who {
            return self.nodes(names, field);
        }
        match (who, who.size(count)) {
            (Who::Random(0), _) => {
                self.complain(&format!("{field}[0]"), "a fault that hits 0 nodes hits nobody", "write 1 or more")
            }
            (Who::Random(size), _) if usize::from(*size) > count => {
                let message = format!("the fault hits {size} members, but the system has {count}");
                self.complain(&format!("{field}[0]"), message, format!("write at most {count}"));
            }
            (_, Some(0)) => {
                let message = format!("`{who:?}` of {count} members is nobody");
                self.complain(field, message, "add members, or write `One`");
            }
            (_, Some(size)) if size > count => {
                self.complain(field, "the system has no members that faults can hit", "add members");
            }
            _ => {}
        }
    }

    fn nodes(&mut self, names: &[String], field: &str) {
        if names.is_empty() {
            self.complain(
                &format!("{field}[0]"),
                "a fault that hits no node hits nobody",
                "name a node, for example [\"n1\"]",
            );
        }
        self.named(names, &format!("{field}[0]"));
    }

    /// Each of a list of names at this place.
    fn named(&mut self, names: &[String], list: &str) {
        for (index, name) in names.iter().enumerate() {
            let place = format!("{list}[{index}]");
            if names[..index].contains(name) {
                self.complain(&place, format!("node {name:?} is named twice"), "remove one of them");
            } else {
                self.member(name, &place);
            }
        }
    }

    fn member(&mut self, name: &str, place: &str) {
        if self.members.iter().any(|member| member == name) {
            return;
        }
        let cure = match self.members {
            [] => "the system has none".to_owned(),
            members if members.len() > 9 => {
                format!("write a name from {:?} to {:?}", members[0], members[members.len() - 1])
            }
            // Every name of a node resembles every other: only case is surely a slip.
            members => match members.iter().find(|member| member.eq_ignore_ascii_case(name)) {
                Some(member) => format!("did you mean `{member}`?"),
                None => format!("write {}", one_of(members)),
            },
        };
        self.complain(place, format!("there is no node {name:?}"), cure);
    }

    /// A heal that comes before every partition is a slip of the pen.
    fn heal(&mut self, divided: Option<Time>) {
        let latest = self.spec.at.or(self.spec.until).unwrap_or(self.end);
        match divided {
            None => {
                self.complain("inject", "there is no partition to heal", "remove `Heal`, or add a Partition before it")
            }
            Some(divided) if latest <= divided => {
                let field = if self.spec.at.is_some() { "at" } else { "until" };
                let message = format!("`Heal` comes at {latest}, but no partition begins before {divided}");
                self.complain(field, message, format!("write a time after \"{divided}\""));
            }
            Some(_) => {}
        }
    }

    fn complain(&mut self, field: &str, message: impl Into<String>, cure: impl Into<String>) {
        let place = if field.is_empty() { self.place.clone() } else { format!("{}.{field}", self.place) };
        self.found.push(Complaint::at(&place, message, cure));
    }
}
