//! Starts the program and looks at what comes out.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A scenario that holds, in a few milliseconds.
pub(crate) const HOLDS: &str = "(squall: 1, system: Raft(nodes: 3), workload: (until: \"2s\", rate: \"20/s\"))";

/// A scenario whose planted defect breaks a promise with seed 0.
pub(crate) const BREAKS: &str = r#"(
    squall: 1,
    system: Raft(nodes: 5),
    exhibits: ["quorum-off-by-one-even", "votedfor-not-persisted"],
    workload: (until: "20s", rate: "10/s"),
    faults: [(every: "2s", jitter: "50%", inject: Kill(target: Minority, restart_after: ("100ms", "2s")))],
    expect: Breaks(["raft.vote-monotonic", "raft.election-quorum"]),
)"#;

/// A scenario that would go on for minutes.
pub(crate) const LONG: &str = "(squall: 1, system: Raft(nodes: 9), workload: (until: \"9h\", rate: \"200/s\"))";

/// What the program wrote, and its exit code.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: Option<i32>,
}

impl From<Output> for Said {
    fn from(output: Output) -> Said {
        Said {
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
            code: output.status.code(),
        }
    }
}

/// The program, in an environment that says nothing to it.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_squall"));
    for (name, _) in std::env::vars_os() {
        let is_ours = name.to_str().is_some_and(|name| name.starts_with("SQUALL_"));
        let is_heard = ["NO_COLOR", "CLICOLOR_FORCE", "RUST_BACKTRACE", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"];
        if is_ours || is_heard.iter().any(|heard| name == *heard) {
            command.env_remove(name);
        }
    }
    command
}

/// Calls the program with these words.
pub(crate) fn squall(words: &[&str]) -> Said {
    program().args(words).output().expect("the program starts").into()
}

/// A new folder with these files in it.
pub(crate) fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    for (file, text) in files {
        std::fs::write(folder.join(file), text).expect("a file");
    }
    folder
}

/// A new file, by its path.
pub(crate) fn file(name: &str, text: &str) -> String {
    path(&folder(name, &[("it.ron", text)]).join("it.ron"))
}

pub(crate) fn path(path: &Path) -> String {
    path.to_str().expect("a plain path").to_owned()
}

/// The objects, one a line.
pub(crate) fn objects(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}
