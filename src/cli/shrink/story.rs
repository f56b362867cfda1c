//! The comment at the head of a shrunk scenario: what breaks, what it takes, and what happens.

use super::{Report, told};
use crate::kernel::time::Time;
use crate::report::number::counted;
use crate::run::watch::Told;
use crate::systems::System;

/// So many events are told; of longer runs the last.
const EVENTS: usize = 60;
/// So many signs of an event are told.
const WIDTH: usize = 110;

/// All that there is to tell.
pub(super) struct Story<'a, S> {
    pub(super) report: &'a Report<'a, S>,
    pub(super) told: &'a [Told],
    /// The sentence of the invariant.
    pub(super) promise: &'a str,
}

/// The first clause of a violation's message, as a title.
pub(super) fn title(message: &str) -> String {
    let clause = message.split([';', '\n']).next().unwrap_or_default().trim();
    clause.chars().take(90).collect()
}

impl<S: System> Story<'_, S> {
    /// The comment.
    pub(super) fn comment(&self) -> String {
        let Report { source, shrunk, before, after, command, .. } = self.report;
        let violated = shrunk.outcome.violation().expect("what is shrunk breaks something");
        let mut lines = vec![
            short(&violated.message),
            String::new(),
            format!("Breaks {}: {}.", violated.invariant, self.promise),
            format!(
                "When:     at {}, event {}, {}{}",
                instant(Time::from_ns(violated.time_ns)),
                shrunk.outcome.events,
                violated.during,
                if violated.nodes.is_empty() { String::new() } else { format!(", {}", violated.nodes.join(" and ")) },
            ),
        ];
        lines.push(format!("Takes:    {}", self.needs()));
        lines.push(format!("From:     {}, seed {}: {}", source.plan.scenario, source.plan.seed, told::size(before)));
        lines.push(format!("To:       seed {}: {}", shrunk.plan.seed, told::size(after)));
        lines.push(format!("To see it: {command}"));
        lines.push(String::new());
        lines.push("What happens:".to_owned());
        let skipped = self.told.len().saturating_sub(EVENTS);
        if skipped > 0 {
            lines.push(format!("            ... after {} ...", counted(skipped as u64, "earlier event")));
        }
        lines.extend(
            self.told[skipped..].iter().map(|event| format!("{:>11}  {}", instant(event.at), short(&event.words))),
        );
        let comment = |line: &String| format!("// {}", line.replace('\n', " ")).trim_end().to_owned() + "\n";
        lines.iter().map(comment).collect()
    }

    /// Which faults and operations.
    fn needs(&self) -> String {
        let plan = &self.report.shrunk.plan;
        let at = |time: Time| time.since(Time::ZERO);
        let faults = plan.faults.iter().map(ToString::to_string);
        let planned = plan.workload.operations.iter().flatten();
        let operations =
            planned.map(|planned| format!("{} by {} at {}", planned.invoke, planned.client, at(planned.at)));
        let mut needs: Vec<String> = faults.chain(operations).collect();
        let rest = needs.len().saturating_sub(8);
        if rest > 0 {
            needs.truncate(8);
            needs.push(format!("and {rest} more"));
        }
        if plan.settle.is_some() {
            needs.push("then settling".to_owned());
        }
        let drawn = plan.workload.operations.is_none() && plan.workload.clients > 0;
        match (needs.is_empty(), drawn) {
            (true, false) => "no fault and no operation, only this timing".to_owned(),
            (true, true) => "no fault, but what the clients draw".to_owned(),
            (false, false) => needs.join("; "),
            (false, true) => needs.join("; ") + "; and what the clients draw",
        }
    }
}

/// Milliseconds with three places: `350.667ms`.
fn instant(at: Time) -> String {
    let us = at.ns() / 1_000;
    format!("{}.{:03}ms", us / 1_000, us % 1_000)
}

/// An event without what only a machine reads: hashes. What is too long is cut.
fn short(words: &str) -> String {
    let mut text = String::new();
    for part in words.split_inclusive(|sign: char| !sign.is_ascii_digit()) {
        let digits = part.trim_end_matches(|sign: char| !sign.is_ascii_digit());
        text += if digits.len() > 12 { "…" } else { digits };
        text += &part[digits.len()..];
    }
    match text.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_no_part_of_a_story() {
        assert_eq!(
            short("n1 -> n2: Entry { term: 1, hash: 15636328483911068756 }"),
            "n1 -> n2: Entry { term: 1, hash: … }"
        );
        assert_eq!(short(&"long ".repeat(40)).chars().count(), WIDTH + 1);
        assert_eq!(title("n1 leads term 2; its votes are"), "n1 leads term 2");
    }
}
