//! Ends that nobody planned: closed pipes, full disks, signals, and bugs of ours.

use super::harness::{HOLDS, LONG, Said, file, folder, path, program, squall};
use squall::environment::plan::{Plan, Workload};
use squall::run::outcome::Outcome;
use squall::run::watch::Watch;
use squall::scenario::diagnostic::Complaint;
use squall::scenario::model::Scenario;
use squall::systems::{BuiltIn, Catalogue, System};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
#[cfg(unix)]
fn a_closed_pipe_ends_it_quietly() {
    use std::os::unix::process::ExitStatusExt;
    let files: Vec<String> = (0..200).map(|number| format!("{number}.ron")).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|file| (file.as_str(), HOLDS)).collect();
    let folder = path(&folder("closed-pipe", &files));
    let mut child =
        program().args(["run", &folder]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut reader = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    reader.read_line(&mut line).expect("a line");
    assert!(line.starts_with("ok "), "{line}");
    drop(reader);
    let status = child.wait().expect("it ends");
    let mut err = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut err).expect("text");
    assert_eq!(err, "");
    assert_eq!(status.signal(), Some(13), "{status}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_trouble_and_no_bug() {
    let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has one");
    let said: Said = program()
        .args(["run", &file("full", HOLDS)])
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .expect("it starts")
        .into();
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("cannot write the results"), "{}", said.err);
}

#[cfg(unix)]
fn interrupted(folder: &str, signal: &str) -> Said {
    let mut child =
        program().args(["run", folder]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    // The first scenario is over now; the second would go on for minutes.
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut first = String::new();
    out.read_line(&mut first).expect("a line");
    Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill starts");
    let since = Instant::now();
    let mut said: Said = child.wait_with_output().expect("it ends").into();
    assert!(since.elapsed() < Duration::from_secs(20), "it went on for {:?}", since.elapsed());
    out.read_to_string(&mut said.out).expect("text");
    said
}

#[test]
#[cfg(unix)]
fn a_signal_ends_it_soon_with_what_there_is_so_far() {
    let folder = path(&folder("signals", &[("a.ron", HOLDS), ("b.ron", LONG), ("c.ron", HOLDS)]));
    for (signal, code, word) in [("-INT", 130, "interrupted"), ("-TERM", 143, "terminated")] {
        let said = interrupted(&folder, signal);
        assert_eq!(said.code, Some(code), "{said:?}");
        assert!(said.err.contains(&format!("{word} after 1 of 3 runs")), "{}", said.err);
        assert!(said.out.contains("3 scenarios: 1 held, 2 did not run"), "{}", said.out);
    }
}

/// A system with a bug of ours in it: not in a handler of the protocol, where it would be a violation.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
struct Buggy(BuiltIn);

impl System for Buggy {
    fn name(&self) -> &'static str {
        "buggy"
    }

    fn members(&self, workload: &Workload) -> Vec<String> {
        self.0.members(workload)
    }

    fn complaints(_: &Scenario<Buggy>) -> Vec<Complaint> {
        Vec::new()
    }

    fn play_watched(_: &Plan<Buggy>, _: &mut dyn Watch) -> Outcome {
        panic!("the sky fell")
    }

    fn catalogue() -> Catalogue {
        BuiltIn::catalogue()
    }
}

/// Not a test: the program of a user, whose systems have a bug. Does nothing unless it is called
/// by the test below.
#[test]
fn as_a_program() {
    if let Some(file) = std::env::var_os("CALLED_AS_A_PROGRAM") {
        let words = ["squall".into(), "run".into(), file];
        let code = squall::cli::main_with::<Buggy>(words);
        std::process::exit(if code == std::process::ExitCode::from(70) { 70 } else { 1 });
    }
}

#[test]
fn a_bug_of_ours_says_what_to_report_and_nothing_else() {
    let said: Said = Command::new(std::env::current_exe().expect("this program"))
        .args(["ends::as_a_program", "--exact", "--nocapture"])
        .env("CALLED_AS_A_PROGRAM", file("bug", HOLDS))
        .env_remove("RUST_BACKTRACE")
        .output()
        .expect("it starts")
        .into();
    assert_eq!(said.code, Some(70), "{said:?}");
    for part in ["internal error: the sky fell", "Please report it", "--seed 0"] {
        assert!(said.err.contains(part), "{part} is not in\n{}", said.err);
    }
    assert_eq!(said.err.matches("internal error").count(), 1, "{}", said.err);
    assert!(!said.err.contains("stack backtrace"), "{}", said.err);
}

#[test]
fn a_broken_scenario_is_no_bug() {
    assert_eq!(squall(&["run", &file("no-bug", "\u{0}((((")]).code, Some(2));
}
