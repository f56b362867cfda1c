//! `squall run --check-determinism`.

use super::harness::{HOLDS, Said, file, objects, squall};
use squall::environment::plan::{Plan, Workload};
use squall::run::outcome::Outcome;
use squall::run::watch::Watch;
use squall::scenario::diagnostic::Complaint;
use squall::scenario::model::Scenario;
use squall::systems::{BuiltIn, Catalogue, System};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

#[test]
fn a_sound_run_comes_to_the_same_with_the_check() {
    let file = file("determinism", HOLDS);
    let words = ["run", "--format", "json", file.as_str()];
    let digest = |more: &[&str]| {
        let said = squall(&[&words, more].concat());
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{more:?}");
        objects(&said.out)[0]["digest"].clone()
    };
    assert_eq!(digest(&["--check-determinism"]), digest(&[]));
    assert_eq!(digest(&["--check-determinism=10%"]), digest(&[]));
}

#[test]
fn a_share_that_is_none_is_refused_with_a_cure() {
    for (share, part) in [("0", "none would be checked"), ("300%", "more than 1"), ("often", "write \"2.5%\"")] {
        let said = squall(&["run", &file("share", HOLDS), &format!("--check-determinism={share}")]);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
        assert!(said.err.contains(part), "{part} is not in\n{}", said.err);
    }
}

/// A system that counts its plays, and takes the count for a seed.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
struct Counting(BuiltIn);

impl System for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }

    fn members(&self, workload: &Workload) -> Vec<String> {
        self.0.members(workload)
    }

    fn complaints(_: &Scenario<Counting>) -> Vec<Complaint> {
        Vec::new()
    }

    fn play_watched(plan: &Plan<Counting>, watch: &mut dyn Watch) -> Outcome {
        static PLAYS: AtomicU64 = AtomicU64::new(0);
        let mut plan = plan.clone().with_system(plan.system.0.clone());
        let seed = std::mem::replace(&mut plan.seed, PLAYS.fetch_add(1, Ordering::Relaxed));
        Outcome { seed, ..BuiltIn::play_watched(&plan, watch) }
    }

    fn catalogue() -> Catalogue {
        BuiltIn::catalogue()
    }
}

/// Not a test: the program of a user, whose system is not deterministic. Does nothing unless it is called by the
/// test below.
#[test]
fn as_a_program_that_counts() {
    if let Some(words) = std::env::var_os("CALLED_TO_COUNT") {
        let words = words.into_string().expect("text");
        let code = squall::cli::main_with::<Counting>(words.split('\n').map(Into::into));
        std::process::exit(if code == std::process::ExitCode::from(3) { 3 } else { 1 });
    }
}

fn counting(words: &[&str]) -> Said {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["determinism::as_a_program_that_counts", "--exact", "--nocapture"])
        .env("CALLED_TO_COUNT", words.join("\n"))
        .output()
        .expect("it starts")
        .into()
}

#[test]
fn a_system_that_is_not_deterministic_is_inconclusive_and_both_sides_are_shown() {
    let file = file("counting", HOLDS);
    let said = counting(&["squall", "run", &file, "--seed", "7", "--check-determinism"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    for part in
        ["inconclusive: not deterministic: two plays of this plan part at event ", "  one ", "  other ", "cause"]
    {
        assert!(said.out.contains(part), "{part} is not in\n{}", said.out);
    }
    let last = said.out.lines().last().expect("a line");
    assert_eq!(last, format!("squall run {file} --seed 7 --check-determinism"));
    let said = counting(&["squall", "run", &file, "--format", "json", "--check-determinism"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.out.contains("\"verdict\":\"inconclusive\",\"expected\":false"), "{}", said.out);
    assert!(said.err.contains("part at event") && said.err.contains("cause"), "{}", said.err);
}
