//! For every field and every name of the format, what could stand there. Error messages end
//! with one, since the shortest explanation of a format is a line of it.

/// What a field of this container holds, and an example of it. A few names mean different things in different places.
pub(super) fn example_of_field_in(container: &str, field: &str) -> Option<(&'static str, &'static str)> {
    match (container, field) {
        ("DiskError", "write" | "sync") => Some(("a probability", "\"10%\"")),
        ("Bandwidth", "rate") => Some(("a data rate", "\"100KB/s\"")),
        ("regions", "within") => Some(("a distribution", "Uniform(min: \"1ms\", max: \"10ms\")")),
        ("Reorder", "within") => Some(("a span", "\"50ms\"")),
        ("ClockSlew", "ppm") => Some(("a whole number", "500")),
        ("links", "from" | "to") => Some(("names of nodes", "[\"n1\"]")),
        ("phases", "lasts") => Some(("a span", "\"10s\"")),
        _ => example_of_field(field),
    }
}

/// What a field holds, and an example of it.
pub(super) fn example_of_field(field: &str) -> Option<(&'static str, &'static str)> {
    Some(match field {
        "squall" => ("the version of the format", "1"),
        "seed" => ("a whole number", "42"),
        "system" => ("a system and its settings", "Raft(nodes: 5)"),
        "network" => ("fields in parentheses", "(latency: Uniform(min: \"1ms\", max: \"10ms\"), loss: \"1%\")"),
        "disk" => ("fields in parentheses", "(sync: Uniform(min: \"100us\", max: \"2ms\"))"),
        "clocks" => ("fields in parentheses", "(offset: \"50ms\", drift_ppm: 100)"),
        "workload" => ("fields in parentheses", "(clients: 3, until: \"30s\")"),
        "fault" => ("a fault", "(at: \"10s\", lasts: \"5s\", inject: Partition(shape: Halves))"),
        "faults" => ("a list of faults", "[(at: \"10s\", lasts: \"5s\", inject: Pause(target: One))]"),
        "phase" | "phases" => ("a phase", "(lasts: \"10s\", faults: [(at: \"1s\", inject: Kill(target: One))])"),
        "swarm" => ("how rough it may become", "Hostile"),
        "settle" => ("fields in parentheses", "(within: \"20s\")"),
        "limits" => ("fields in parentheses", "(steps: 1_000_000)"),
        "goals" => ("names of goals", "[\"raft.leader-deposed\"]"),
        "expect" => ("what the run must do", "Holds"),
        "heal" => ("which faults end", "true"),
        "regions" => {
            ("fields in parentheses", "(of: {\"east\": [\"n1\"], \"west\": [\"n2\"]}, between: Const(\"40ms\"))")
        }
        "of" => ("regions and their members", "{\"east\": [\"n1\"], \"west\": [\"n2\", \"n3\"]}"),
        "rule" | "links" => ("a rule for links", "(from: [\"n1\"], to: [\"n2\"], loss: \"10%\")"),
        "unsynced" => ("what a crash leaves", "Prefix"),
        "latency" | "sync" | "extra" | "between" | "handling" => {
            ("a distribution", "Uniform(min: \"1ms\", max: \"10ms\")")
        }
        "operations" => ("a list of operations", "[(at: \"1s\", client: \"c1\", invoke: Read(key: 0))]"),
        "key" | "value" | "delta" => ("a whole number", "1"),
        "client" => ("a client", "\"c1\""),
        "invoke" => ("an operation", "Write(key: 0, value: 1)"),
        "offset" => ("a span", "\"50ms\""),
        "when" => ("a moment", "Started"),
        "skip" => ("a count or a range", "(0, 300)"),
        "times" | "burst" => ("a whole number", "3"),
        "by" => ("a span", "\"-2s\""),
        "ppm" | "drift_ppm" => ("a whole number", "-500"),
        "queue" => ("a size", "\"64KiB\""),
        "rate" => ("a rate", "\"3/min\""),
        "jitter" | "torn" => ("a probability", "\"10%\""),
        "lasts" | "restart_after" => ("a span or a range", "(\"1s\", \"5s\")"),
        "inject" => ("what happens", "Kill(target: One, restart_after: \"2s\")"),
        "shape" | "over" => ("a shape", "Halves"),
        "target" => ("a target", "One"),
        "probability" | "loss" | "duplicate" | "p" => ("a probability", "\"1%\""),
        "at" | "from" | "until" | "every" => ("an instant", "\"10s\""),
        "within" | "patience" | "after" | "uncertainty" => ("a span", "\"10s\""),
        "mean" => ("a span", "\"5ms\""),
        "min" => ("a span", "\"1ms\""),
        "max" => ("a span", "\"10ms\""),
        "fast" => ("a span or a range", "(\"1ms\", \"5ms\")"),
        "slow" => ("a span or a range", "(\"100ms\", \"500ms\")"),
        "nodes" => ("a whole number", "5"),
        _ => return None,
    })
}

/// An example of what has this name before its brackets.
pub(super) fn example_of_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "Partition" => "Partition(shape: Halves)",
        "Kill" => "Kill(target: One, restart_after: \"2s\")",
        "Pause" => "Pause(target: One)",
        "Clog" => "Clog(over: Isolate(One))",
        "Reorder" => "Reorder(probability: \"5%\", within: \"50ms\")",
        "Corrupt" => "Corrupt(probability: \"5%\")",
        "Bandwidth" => "Bandwidth(rate: \"100KB/s\")",
        "Wipe" => "Wipe(target: One, restart_after: \"2s\")",
        "Destroy" => "Destroy(target: One)",
        "SlowNode" => "SlowNode(target: One, handling: Const(\"5ms\"))",
        "ClockJump" => "ClockJump(target: One, by: \"-2s\")",
        "ClockDrift" => "ClockDrift(target: One, ppm: 500)",
        "ClockFreeze" => "ClockFreeze(target: One)",
        "ClockSlew" => "ClockSlew(target: One, by: \"10ms\")",
        "DiskStall" => "DiskStall(target: One)",
        "DiskError" => "DiskError(target: One, sync: \"10%\")",
        "DiskFull" => "DiskFull(target: One)",
        "TornWrite" => "TornWrite(target: One)",
        "LostSync" => "LostSync(target: One)",
        "BitRot" => "BitRot(target: One)",
        "Loss" => "Loss(probability: \"5%\")",
        "Duplicate" => "Duplicate(probability: \"5%\")",
        "Delay" => "Delay(extra: Const(\"50ms\"))",
        "DiskSlow" => "DiskSlow(extra: Const(\"50ms\"))",
        "Isolate" => "Isolate(Leader)",
        "Split" => "Split([\"n1\"], [\"n2\", \"n3\"])",
        "Links" => "Links([(\"n1\", \"n2\")])",
        "Among" => "Among([\"n1\", \"n2\"])",
        "Mute" => "Mute(Leader)",
        "Deafen" => "Deafen(Leader)",
        "Read" => "Read(key: 0)",
        "Write" => "Write(key: 0, value: 1)",
        "Cas" => "Cas(key: 0, from: 1, to: 2)",
        "Add" => "Add(key: 0, delta: 1)",
        "Random" => "Random(2)",
        "Nodes" => "Nodes([\"n1\", \"n3\"])",
        "Owner" => "Owner(\"k7\")",
        "Core" => "Core(Majority)",
        "Goal" => "Goal(\"raft.leader-elected\")",
        "Fact" => "Fact(\"Returned\")",
        "Message" => "Message(\"AppendEntries\")",
        "Role" => "Role(\"leader\")",
        "Breaks" => "Breaks([\"raft.election-safety\"])",
        "Const" => "Const(\"5ms\")",
        "Uniform" => "Uniform(min: \"1ms\", max: \"10ms\")",
        "Exp" => "Exp(min: \"1ms\", mean: \"5ms\")",
        "LogNormal" => "LogNormal(median: \"2ms\", p99: \"20ms\")",
        "Bimodal" => "Bimodal(fast: (\"1ms\", \"5ms\"), slow: (\"100ms\", \"500ms\"), p: \"1%\")",
        _ => return None,
    })
}
