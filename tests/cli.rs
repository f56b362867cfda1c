//! The program as its users meet it: exit codes, what it writes where, and how it ends.

#![expect(clippy::disallowed_methods, reason = "the program is called from outside, with variables and in real time")]

#[path = "cli/harness.rs"]
mod harness;

#[path = "cli/check.rs"]
mod check;
#[path = "cli/determinism.rs"]
mod determinism;
#[path = "cli/ends.rs"]
mod ends;
#[path = "cli/explain.rs"]
mod explain;
#[path = "cli/list.rs"]
mod list;
#[path = "cli/merge.rs"]
mod merge;
#[path = "cli/new.rs"]
mod new;
#[path = "cli/place.rs"]
mod place;
#[path = "cli/replay.rs"]
mod replay;
#[path = "cli/report.rs"]
mod report;
#[path = "cli/reports.rs"]
mod reports;
#[path = "cli/run.rs"]
mod run;
#[path = "cli/shard.rs"]
mod shard;
#[path = "cli/show.rs"]
mod show;
#[path = "cli/shrink.rs"]
mod shrink;
#[path = "cli/sweep.rs"]
mod sweep;
#[path = "cli/usage.rs"]
mod usage;
