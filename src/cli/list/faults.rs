//! What can go wrong, how it is written, and whom it can hit.

use super::objects;
use super::table::table;
use crate::cli::arguments::Format;
use crate::cli::terminal::Terminal;
use crate::report::style::{BOLD, styled};
use serde::Serialize;
use std::io;

/// A name of the scenario format, with an example of it.
#[derive(Clone, Copy, Serialize)]
struct Entry {
    name: &'static str,
    example: &'static str,
    description: &'static str,
}

const fn entry(name: &'static str, example: &'static str, description: &'static str) -> Entry {
    Entry { name, example, description }
}

const FAULTS: [Entry; 8] = [
    entry("Partition", "Partition(shape: Halves)", "links between members are cut; one_way: true cuts one direction"),
    entry(
        "Kill",
        "Kill(target: One, restart_after: \"2s\")",
        "members lose their memory, and what their disks had not synced",
    ),
    entry("Pause", "Pause(target: One)", "members do nothing while it lasts, then catch up"),
    entry("Loss", "Loss(probability: \"5%\")", "more messages between members are lost"),
    entry("Duplicate", "Duplicate(probability: \"5%\")", "more messages between members arrive twice"),
    entry("Delay", "Delay(extra: Const(\"50ms\"))", "messages between members take longer"),
    entry("DiskSlow", "DiskSlow(extra: Const(\"50ms\"))", "syncs take longer, on every member"),
    entry("Heal", "Heal", "every partition ends, at once"),
];

const SHAPES: [Entry; 10] = [
    entry("Halves", "Halves", "a random half against the rest"),
    entry("Isolate", "Isolate(Leader)", "the target, together, against the rest"),
    entry("MinorityThird", "MinorityThird", "less than a third against the rest"),
    entry("MajoritiesRing", "MajoritiesRing", "everybody sees a majority, and no two see the same"),
    entry("Bridge", "Bridge", "two halves that do not see each other, and one member that sees both"),
    entry("Random", "Random", "a random set of any size against the rest"),
    entry("Split", "Split([\"n1\"], [\"n2\", \"n3\"])", "these against those; one_way: true loses what the first send"),
    entry("Links", "Links([(\"n1\", \"n2\")])", "what the first of each pair sends to the second"),
    entry("Mute", "Mute(Leader)", "what the target sends to the rest"),
    entry("Deafen", "Deafen(Leader)", "what the rest send to the target"),
];

const TARGETS: [Entry; 9] = [
    entry("One", "One", "any one member"),
    entry("Minority", "Minority", "as many as can be missing while a majority remains: 2 of 5"),
    entry("Majority", "Majority", "as few as make a majority: 3 of 5"),
    entry("MinorityThird", "MinorityThird", "less than a third: 1 of 4, 2 of 7"),
    entry("All", "All", "every member"),
    entry("Random", "Random(2)", "so many members"),
    entry("Leader", "Leader", "whoever leads when the fault begins"),
    entry("Nodes", "Nodes([\"n1\", \"n3\"])", "these members"),
    entry("Role", "Role(\"leader\")", "whoever holds this role when the fault begins"),
];

const SCHEDULES: [Entry; 3] = [
    entry("at", "(at: \"10s\", lasts: \"5s\", inject: ...)", "once; with until or lasts, or to the workload's end"),
    entry("every", "(every: \"8s\", jitter: \"50%\", inject: ...)", "again and again, early or late by a share of it"),
    entry("rate", "(rate: \"3/min\", inject: ...)", "by chance, so often on average"),
];

pub(super) fn list(format: Format, roles: &[&str], terminal: &mut Terminal) -> io::Result<()> {
    if format == Format::Json {
        objects("fault", FAULTS, terminal)?;
        objects("shape", SHAPES, terminal)?;
        objects("target", TARGETS, terminal)?;
        return objects("schedule", SCHEDULES, terminal);
    }
    let width = terminal.width();
    let mut text = String::new();
    for (title, entries) in [
        ("inject: what happens", FAULTS.as_slice()),
        ("shape: which links a partition cuts", &SHAPES),
        ("target: whom it hits", &TARGETS),
        ("when it happens", &SCHEDULES),
    ] {
        let rows: Vec<[&str; 2]> = entries.iter().map(|entry| [entry.example, entry.description]).collect();
        text += &format!("{}\n\n{}\n", styled(BOLD, title), table(&rows, width));
    }
    text += &format!("Roles: {}.\n", roles.join(", "));
    terminal.result(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::fault::{Inject, Shape, Who};
    use serde::de::DeserializeOwned;

    fn read<T: DeserializeOwned>(entry: &Entry) -> T {
        crate::scenario::text::options()
            .from_str(entry.example)
            .unwrap_or_else(|error| panic!("{}: {error}", entry.example))
    }

    // A new variant breaks these matches, and so reminds of the tables above.
    fn inject(inject: &Inject) -> &'static str {
        match inject {
            Inject::Partition { .. } => "Partition",
            Inject::Kill { .. } => "Kill",
            Inject::Pause { .. } => "Pause",
            Inject::Loss { .. } => "Loss",
            Inject::Duplicate { .. } => "Duplicate",
            Inject::Delay { .. } => "Delay",
            Inject::DiskSlow { .. } => "DiskSlow",
            Inject::Heal => "Heal",
        }
    }

    fn shape(shape: &Shape) -> &'static str {
        match shape {
            Shape::Halves => "Halves",
            Shape::Isolate(_) => "Isolate",
            Shape::MinorityThird => "MinorityThird",
            Shape::MajoritiesRing => "MajoritiesRing",
            Shape::Bridge => "Bridge",
            Shape::Random => "Random",
            Shape::Split(..) => "Split",
            Shape::Links(_) => "Links",
            Shape::Mute(_) => "Mute",
            Shape::Deafen(_) => "Deafen",
        }
    }

    fn target(who: &Who) -> &'static str {
        match who {
            Who::One => "One",
            Who::Minority => "Minority",
            Who::Majority => "Majority",
            Who::MinorityThird => "MinorityThird",
            Who::All => "All",
            Who::Random(_) => "Random",
            Who::Leader => "Leader",
            Who::Nodes(_) => "Nodes",
            Who::Role(_) => "Role",
        }
    }

    #[test]
    fn every_example_is_what_its_name_says() {
        for entry in &FAULTS {
            assert_eq!(inject(&read(entry)), entry.name);
        }
        for entry in &SHAPES {
            assert_eq!(shape(&read(entry)), entry.name);
        }
        for entry in &TARGETS {
            assert_eq!(target(&read(entry)), entry.name);
        }
    }
}
