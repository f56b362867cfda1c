//! What can go wrong, how it is written, and whom it can hit.

use super::objects;
use super::table::table;
use crate::cli::arguments::Format;
use crate::cli::terminal::Terminal;
use crate::report::style::{BOLD, styled};
use crate::scenario::when::short;
use crate::systems::Catalogue;
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

const FAULTS: [Entry; 33] = [
    entry("Partition", "Partition(shape: Halves)", "links between members are cut; one_way: true cuts one direction"),
    entry("Clog", "Clog(over: Isolate(One))", "messages between members are held, and arrive at its end"),
    entry("Swizzle", "Swizzle", "members are clogged one after the other, and unclogged in another order"),
    entry("Loss", "Loss(probability: \"5%\", burst: 3)", "more messages between members are lost, so many in a row"),
    entry("Duplicate", "Duplicate(probability: \"5%\")", "more messages between members arrive twice"),
    entry("Delay", "Delay(extra: Const(\"50ms\"))", "messages between members take longer"),
    entry(
        "Reorder",
        "Reorder(probability: \"5%\", within: \"50ms\")",
        "messages are held back, and others overtake them",
    ),
    entry("Corrupt", "Corrupt(probability: \"5%\")", "messages are damaged on their way; a checksum drops them"),
    entry(
        "Bandwidth",
        "Bandwidth(rate: \"100KB/s\", queue: \"64KiB\")",
        "links carry no more; what does not fit the queue is lost",
    ),
    entry(
        "Kill",
        "Kill(target: One, restart_after: \"2s\")",
        "members lose their memory, and what their disks had not synced",
    ),
    entry("Wipe", "Wipe(target: One, restart_after: \"2s\")", "members lose their memory and their disks"),
    entry("Destroy", "Destroy(target: One)", "members are gone for good, no healing brings them back"),
    entry("Pause", "Pause(target: One)", "members do nothing while it lasts, then catch up"),
    entry(
        "SlowNode",
        "SlowNode(target: One, handling: Const(\"5ms\"))",
        "each message and each timer takes members time to handle",
    ),
    entry("ClockJump", "ClockJump(target: One, by: \"-2s\")", "wall clocks are set forwards or back, once"),
    entry("ClockDrift", "ClockDrift(target: One, ppm: 500)", "both clocks run faster, slower if negative"),
    entry("ClockFreeze", "ClockFreeze(target: One)", "both clocks stand still, and with them all timers"),
    entry(
        "ClockSlew",
        "ClockSlew(target: One, by: \"10ms\", ppm: 500)",
        "clocks run faster or slower until they have gained or lost so much",
    ),
    entry("DiskSlow", "DiskSlow(extra: Const(\"50ms\"))", "syncs take longer; target: One, on some members only"),
    entry("DiskStall", "DiskStall(target: One)", "no sync completes while it lasts"),
    entry("DiskError", "DiskError(target: One, sync: \"10%\")", "writes or syncs fail, and the node is told"),
    entry("DiskFull", "DiskFull(target: One)", "every write fails, and the node is told"),
    entry("TornWrite", "TornWrite(target: One)", "a crash leaves the last record that was not synced half written"),
    entry("LostSync", "LostSync(target: One)", "syncs are acknowledged and make nothing durable"),
    entry("BitRot", "BitRot(target: One)", "one durable record becomes unreadable, the next start finds it"),
    entry("Heal", "Heal", "every partition ends, at once"),
    entry("Join", "Join(target: One)", "members are told to join; who is down does not hear it, as of all orders"),
    entry("Leave", "Leave(target: One)", "members are told to leave in an orderly way"),
    entry(
        "ReplaceMember",
        "ReplaceMember(target: Nodes([\"n3\"]), by: Nodes([\"n6\"]))",
        "members are told to take the places of others that are gone",
    ),
    entry("Reweigh", "Reweigh(target: One, weight: 50)", "members are told to take so much of the load"),
    entry("Rezone", "Rezone(target: One, zone: 2)", "members are told that they stand in another zone"),
    entry("Rebalance", "Rebalance(target: One)", "members are told to look after balance"),
    entry("TransferLeadership", "TransferLeadership(target: One)", "members are told to lead: whoever leads lets them"),
];

const SHAPES: [Entry; 11] = [
    entry("Halves", "Halves", "a random half against the rest"),
    entry("Isolate", "Isolate(Leader)", "the target, together, against the rest"),
    entry("MinorityThird", "MinorityThird", "less than a third against the rest"),
    entry("MajoritiesRing", "MajoritiesRing", "everybody sees a majority, and no two see the same"),
    entry("Bridge", "Bridge", "two halves that do not see each other, and one member that sees both"),
    entry("Random", "Random", "a random set of any size against the rest"),
    entry("Split", "Split([\"n1\"], [\"n2\", \"n3\"])", "these against those; one_way: true loses what the first send"),
    entry("Links", "Links([(\"n1\", \"n2\")])", "what the first of each pair sends to the second"),
    entry("Among", "Among([\"n1\", \"n2\"])", "what any of these sends to any other of them"),
    entry("Mute", "Mute(Leader)", "what the target sends to the rest"),
    entry("Deafen", "Deafen(Leader)", "what the rest send to the target"),
];

const TARGETS: [Entry; 14] = [
    entry("One", "One", "any one member"),
    entry("Minority", "Minority", "as many as can be missing while a majority remains: 2 of 5"),
    entry("Majority", "Majority", "as few as make a majority: 3 of 5"),
    entry("MinorityThird", "MinorityThird", "less than a third: 1 of 4, 2 of 7"),
    entry("All", "All", "every member"),
    entry("Random", "Random(2)", "so many members"),
    entry("InTurn", "InTurn", "each time the next member, from the first"),
    entry("Nodes", "Nodes([\"n1\", \"n3\"])", "these members"),
    entry("Leader", "Leader", "whoever leads when the fault begins"),
    entry("Primaries", "Primaries", "everybody who takes itself for the primary when the fault begins"),
    entry("LockHolder", "LockHolder", "whoever holds the lock when the fault begins"),
    entry("Owner", "Owner(\"k7\")", "whoever owns this key when the fault begins"),
    entry("Role", "Role(\"leader\")", "whoever holds this role when the fault begins"),
    entry("Subject", "Subject", "with when: the node that the moment is about"),
];

const SCHEDULES: [Entry; 4] = [
    entry("at", "(at: \"10s\", lasts: \"5s\", inject: ...)", "once; with until or lasts, or to the workload's end"),
    entry("every", "(every: \"8s\", jitter: \"50%\", inject: ...)", "again and again, early or late by a share of it"),
    entry("rate", "(rate: \"3/min\", inject: ...)", "by chance, so often on average"),
    entry(
        "when",
        "(when: Written, after: \"1ms\", skip: (0, 9), times: 3, inject: ...)",
        "at moments of the run: so long after, so many pass by first, so many times",
    ),
];

const MOMENTS: [Entry; 8] = [
    entry("Goal", "Goal(\"raft.leader-elected\")", "a goal of the system is reached; for short, LeaderElected"),
    entry("Fact", "Fact(\"Returned\")", "a node notes a fact of this kind"),
    entry("Message", "Message(\"AppendEntries\")", "a node has handled a message of this kind"),
    entry("Written", "Written", "a node has written a record, which is not synced"),
    entry("Syncing", "Syncing", "a sync begins"),
    entry("Synced", "Synced", "a sync is done"),
    entry("Started", "Started", "a node starts, for the first time or again"),
    entry("Crashed", "Crashed", "a node dies"),
];

const SWARMS: [Entry; 5] = [
    entry("true", "true", "of eight seeds one is Calm, two are Lan, two Wan, three Hostile"),
    entry("Calm", "Calm", "no fault, but links, disks and clocks of its own for each seed"),
    entry("Lan", "Lan", "a rack: quick links that are rarely lost, single servers that fail"),
    entry("Wan", "Wan", "a continent: slow links with long tails, partitions of regions"),
    entry("Hostile", "Hostile", "half of all kinds of faults at once, as bad as a system may survive"),
];

pub(super) fn list(format: Format, catalogue: &Catalogue, terminal: &mut Terminal) -> io::Result<()> {
    if format == Format::Json {
        objects("fault", FAULTS, terminal)?;
        objects("shape", SHAPES, terminal)?;
        objects("target", TARGETS, terminal)?;
        objects("schedule", SCHEDULES, terminal)?;
        objects("moment", MOMENTS, terminal)?;
        return objects("swarm", SWARMS, terminal);
    }
    let width = terminal.width();
    let mut text = String::new();
    for (title, entries) in [
        ("inject: what happens", FAULTS.as_slice()),
        ("shape and over: which links it hits", &SHAPES),
        ("target: whom it hits", &TARGETS),
        ("when it happens", &SCHEDULES),
        ("when: the moments of a run", &MOMENTS),
        ("swarm: each seed draws its surroundings and its faults", &SWARMS),
    ] {
        let rows: Vec<[&str; 2]> = entries.iter().map(|entry| [entry.example, entry.description]).collect();
        text += &format!("{}\n\n{}\n", styled(BOLD, title), table(&rows, width));
    }
    let goals: Vec<String> = catalogue.goals.iter().map(|goal| short(goal)).collect();
    let names = [
        ("Roles", catalogue.roles.join(", ")),
        ("Goals", goals.join(", ")),
        ("Facts", catalogue.facts.join(", ")),
        ("Messages", catalogue.messages.join(", ")),
    ];
    for (what, names) in names.into_iter().filter(|(_, names)| !names.is_empty()) {
        text += &format!("{what}: {names}.\n");
    }
    terminal.result(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::fault::Moment;
    use crate::scenario::inject::Inject;
    use crate::scenario::swarm::Swarm;
    use crate::scenario::target::{Shape, Who};
    use crate::scenario::when::When;
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
            Inject::Clog { .. } => "Clog",
            Inject::Swizzle => "Swizzle",
            Inject::Loss { .. } => "Loss",
            Inject::Duplicate { .. } => "Duplicate",
            Inject::Delay { .. } => "Delay",
            Inject::Reorder { .. } => "Reorder",
            Inject::Corrupt { .. } => "Corrupt",
            Inject::Bandwidth { .. } => "Bandwidth",
            Inject::Kill { .. } => "Kill",
            Inject::Wipe { .. } => "Wipe",
            Inject::Destroy { .. } => "Destroy",
            Inject::Pause { .. } => "Pause",
            Inject::SlowNode { .. } => "SlowNode",
            Inject::ClockJump { .. } => "ClockJump",
            Inject::ClockDrift { .. } => "ClockDrift",
            Inject::ClockFreeze { .. } => "ClockFreeze",
            Inject::ClockSlew { .. } => "ClockSlew",
            Inject::DiskSlow { .. } => "DiskSlow",
            Inject::DiskStall { .. } => "DiskStall",
            Inject::DiskError { .. } => "DiskError",
            Inject::DiskFull { .. } => "DiskFull",
            Inject::TornWrite { .. } => "TornWrite",
            Inject::LostSync { .. } => "LostSync",
            Inject::BitRot { .. } => "BitRot",
            Inject::Heal => "Heal",
            Inject::Join { .. } => "Join",
            Inject::Leave { .. } => "Leave",
            Inject::ReplaceMember { .. } => "ReplaceMember",
            Inject::Reweigh { .. } => "Reweigh",
            Inject::Rezone { .. } => "Rezone",
            Inject::Rebalance { .. } => "Rebalance",
            Inject::TransferLeadership { .. } => "TransferLeadership",
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
            Shape::Among(_) => "Among",
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
            Who::Primaries => "Primaries",
            Who::LockHolder => "LockHolder",
            Who::Owner(_) => "Owner",
            Who::InTurn => "InTurn",
            Who::Subject => "Subject",
        }
    }

    fn moment(when: &When) -> &'static str {
        match when.moment().expect("no example is a short name") {
            Moment::Goal(_) => "Goal",
            Moment::Fact(_) => "Fact",
            Moment::Message(_) => "Message",
            Moment::Written => "Written",
            Moment::Syncing => "Syncing",
            Moment::Synced => "Synced",
            Moment::Started => "Started",
            Moment::Crashed => "Crashed",
        }
    }

    fn swarm(swarm: &Swarm) -> &'static str {
        match swarm {
            Swarm::Any => "true",
            Swarm::Calm => "Calm",
            Swarm::Lan => "Lan",
            Swarm::Wan => "Wan",
            Swarm::Hostile => "Hostile",
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
        for entry in &MOMENTS {
            assert_eq!(moment(&read(entry)), entry.name);
        }
        for entry in &SWARMS {
            assert_eq!(swarm(&read(entry)), entry.name);
        }
    }
}
