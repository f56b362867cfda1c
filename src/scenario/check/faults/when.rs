//! When a fault happens and how long it lasts.

use super::super::super::diagnostic::{did_you_mean, one_of};
use super::super::super::fault::FaultSpec;
use super::super::super::inject::{Duration, Inject};
use super::super::super::when::When;
use super::One;
use crate::environment::fault::Moment;
use crate::environment::text::SpanRange;
use crate::kernel::time::{Span, Time};

impl One<'_> {
    /// Exactly one of at, every, rate and when; and what goes with each.
    pub(super) fn when(&mut self) {
        let FaultSpec { at, every, rate, ref when, .. } = *self.spec;
        let given = [("at", at.is_some()), ("every", every.is_some()), ("rate", rate.is_some())];
        let given = given.into_iter().chain([("when", when.is_some())]);
        let given: Vec<&str> = given.filter_map(|(name, is_given)| is_given.then_some(name)).collect();
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
        self.what_goes_with_it();
        if let Some(when) = when {
            self.moment(when);
        }
        self.within_the_stretch();
    }

    /// What belongs to another way to say when.
    fn what_goes_with_it(&mut self) {
        let FaultSpec { at, every, jitter, from, ref when, after, skip, times, .. } = *self.spec;
        if jitter.is_some() && every.is_none() {
            self.complain("jitter", "`jitter` only belongs to `every`", "remove it, or write `every` instead");
        }
        if at.is_some() && from.is_some() {
            self.complain("from", "`from` only belongs to `every`, `rate` and `when`", "remove it");
        }
        let of_moments = [("after", after.is_some()), ("skip", skip.is_some()), ("times", times.is_some())];
        for (field, _) in of_moments.into_iter().filter(|(_, is_given)| *is_given && when.is_none()) {
            let cure = "remove it, or write for example `when: Started` instead";
            self.complain(field, format!("`{field}` only belongs to `when`"), cure);
        }
        if times == Some(0) {
            self.complain("times", "a fault that happens 0 times changes nothing", "write 1 or more");
        }
        if let Some(after) = after {
            self.too_long(after, "after");
        }
        if every == Some(Span::ZERO) {
            self.complain("every", "a fault cannot happen every 0s", "write for example \"8s\"");
        }
    }

    /// A moment must be one that can come.
    fn moment(&mut self, when: &When) {
        let (kind, name, all) = match when {
            When::Named(name) => {
                let all = When::names(&self.names.goals);
                let cure = did_you_mean(name, all.iter().map(String::as_str));
                let cure = cure.unwrap_or_else(|| format!("write {}, or Fact(...) or Message(...)", one_of(&all)));
                return self.complain("when", format!("this system has no moment `{name}`"), cure);
            }
            When::Moment(Moment::Goal(name)) => ("goal", name, &self.names.goals),
            When::Moment(Moment::Fact(name)) => ("fact", name, &self.names.facts),
            When::Moment(Moment::Message(name)) => ("message", name, &self.names.messages),
            When::Moment(Moment::Written | Moment::Syncing | Moment::Synced | Moment::Started | Moment::Crashed) => {
                return;
            }
        };
        if !all.contains(&name.as_str()) {
            let cure = did_you_mean(name, all.iter().copied()).unwrap_or_else(|| match all.as_slice() {
                [] => format!("this system has no {kind}; write for example `when: Started`"),
                all => format!("write {}", one_of(all)),
            });
            self.complain("when[0]", format!("this system has no {kind} {name:?}"), cure);
        }
    }

    /// What begins must begin, and end, while the workload or the phase goes on.
    fn within_the_stretch(&mut self) {
        let FaultSpec { at, until, every, from, ref when, .. } = *self.spec;
        let (end, name, cure) = (self.stretch.end(), self.stretch.name, self.stretch.cure);
        let start = at.or(from).unwrap_or(Time::ZERO);
        let start_field = if at.is_some() { "at" } else { "from" };
        if start >= end && end > Time::ZERO {
            let message = format!("the fault begins at {start}, when the {name} has already ended (at {end})");
            return self.complain(start_field, message, format!("begin it earlier, or raise {cure}"));
        }
        if let Some(until) = until {
            if until <= start {
                let message = match (at, when) {
                    (Some(_), _) => format!("the fault ends at {until}, but begins at {start}"),
                    (None, Some(_)) => format!("the fault ends at {until}, but does not begin before {start}"),
                    (None, None) => {
                        format!("none of these faults begins from {until} on, and none before {start}")
                    }
                };
                return self.complain("until", message, format!("write a time after \"{start}\""));
            }
            if until > end && end > Time::ZERO {
                let message =
                    format!("the fault goes on until {until}, but the {name} ends at {end} and faults end with it");
                self.complain("until", message, format!("end it earlier, or raise {cure}"));
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
    pub(super) fn how_long(&mut self) {
        let FaultSpec { until, lasts, .. } = *self.spec;
        let ends = until.is_some() && self.spec.every.is_none() && self.spec.rate.is_none();
        if let Some(SpanRange { max, .. }) = lasts {
            if max == Span::ZERO {
                self.complain("lasts", "a fault of no length changes nothing", "write for example \"5s\"");
            }
            self.too_long(max, "lasts");
        }
        match self.spec.inject.duration() {
            Duration::None => {
                let name = self.name();
                if lasts.is_some() {
                    self.complain("lasts", format!("`{name}` happens at once and has no length"), "remove `lasts`");
                }
                if ends {
                    self.complain("until", format!("`{name}` happens at once and has no end"), "remove `until`");
                }
            }
            Duration::Restart(restart_after) => self.restart(restart_after, ends),
            Duration::Exactly(length) => {
                if lasts.is_some() {
                    let message = format!("how long it lasts follows from `by` and `ppm`: {length}");
                    self.complain("lasts", message, "remove it");
                }
                self.too_long(length, "inject.by");
                self.cut_short(length);
            }
            Duration::Lasts => self.lasts(lasts),
        }
    }

    /// What takes longer than there is time for does less than it says.
    fn cut_short(&mut self, length: Span) {
        let Inject::ClockSlew { ppm: 1.., .. } = self.spec.inject else { return };
        let FaultSpec { at, from, .. } = *self.spec;
        let (end, name, cure) = (self.stretch.end(), self.stretch.name, self.stretch.cure);
        let start = at.or(from).unwrap_or(Time::ZERO);
        if start < end && length > end.since(start) {
            let message =
                format!("this takes {length} from {start} on, but the {name} ends at {end} and faults end with it");
            self.complain("inject.by", message, format!("write less, or a larger `ppm`, or raise {cure}"));
        }
    }

    fn restart(&mut self, restart_after: Option<SpanRange>, ends: bool) {
        let name = self.name();
        if self.spec.lasts.is_some() {
            let cure = format!("write `restart_after` inside `{name}(...)` instead");
            self.complain("lasts", format!("`{name}` has no `lasts`"), cure);
        }
        if ends && self.spec.at.is_some() && restart_after.is_some() {
            self.complain("until", "`until` and `restart_after` both say when the dead restart", "remove one of them");
        }
        if let Some(SpanRange { max, .. }) = restart_after {
            self.too_long(max, "inject.restart_after");
        }
    }

    fn lasts(&mut self, lasts: Option<SpanRange>) {
        let FaultSpec { at, until, every, rate, .. } = *self.spec;
        if at.is_some() && until.is_some() && lasts.is_some() {
            self.complain("lasts", "`until` and `lasts` both say when this fault ends", "remove one of them");
        }
        let is_repeated = every.is_some() || rate.is_some();
        if is_repeated && lasts.is_none() {
            self.complain(
                "inject",
                "it is not said how long each of these faults lasts",
                "add for example `lasts: (\"1s\", \"5s\")` beside `inject`",
            );
        } else if self.spec.inject == Inject::Swizzle && lasts.is_none() && (until.is_none() || at.is_none()) {
            self.complain(
                "inject",
                "it is not said within how long all members are clogged and unclogged again",
                "add for example `lasts: \"5s\"` beside `inject`",
            );
        }
    }
}
