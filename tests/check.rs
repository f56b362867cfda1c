//! Checks from a user's tests: what they find, what they say, and which variables they hear.

#![expect(clippy::disallowed_methods, reason = "tests are called from outside, with variables")]

use squall::environment::plan::Plan;
use squall::kernel::chance::Ratio;
use squall::kernel::time::Span;
use squall::oracle::spec::{Oracle, Spec, Touch, Verdict, View, Violation};
use squall::protocol::{Cast, Found, Io, NodeId, Nothing, Protocol};
use squall::systems::BuiltIn;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU64, Ordering};

const VOTES: &str = "scenarios/museum/votedfor-not-persisted.ron";

/// A node that is unlucky once in a while: in about one run of five.
#[derive(Clone, Debug)]
struct Gambler {
    has_lost: bool,
    cheats: bool,
}

impl Protocol for Gambler {
    type Config = bool;
    type Message = Nothing;
    type Timer = ();
    type Record = Nothing;
    type Fact = u64;

    fn cast(_: &bool) -> Cast {
        Cast::members(1)
    }

    fn boot(cheats: &bool, _: NodeId, _: Found<'_, Nothing>, io: &mut Io<'_, Gambler>) -> Gambler {
        io.arm((), Span::ms(10));
        Gambler { has_lost: false, cheats: *cheats }
    }

    fn on_message(&mut self, _: NodeId, message: Nothing, _: &mut Io<'_, Gambler>) {
        match message {}
    }

    fn on_timer(&mut self, (): (), io: &mut Io<'_, Gambler>) {
        static GAMES: AtomicU64 = AtomicU64::new(0);
        self.has_lost = io.dice().below(50) == 0;
        let told = if self.cheats { GAMES.fetch_add(1, Ordering::Relaxed) } else { 0 };
        io.note(told);
        io.arm((), Span::ms(10));
    }
}

#[derive(Clone)]
struct NeverLoses;

impl Oracle<Gambler> for NeverLoses {
    fn on_fact(&mut self, _: &View<Gambler>, _: NodeId, _: &u64) -> Verdict {
        Ok(())
    }

    fn after_step(&mut self, view: &View<Gambler>, node: NodeId, _: Touch) -> Verdict {
        match view.state(node).is_some_and(|state| state.has_lost) {
            true => Err(Box::new(Violation::new("gambler.luck", &[node], format!("{node:?} has lost after all")))),
            false => Ok(()),
        }
    }
}

impl Spec for Gambler {
    type Oracles = NeverLoses;

    fn oracles(_: &bool) -> NeverLoses {
        NeverLoses
    }
}

fn gambler(cheats: bool) -> squall::check::Check<bool> {
    squall::check::protocol::<Gambler>("gambler", move |seed| Plan::new(cheats, seed, Span::ms(105)))
}

/// Not tests but the tests of a user, some of which fail. They do nothing unless a test below calls them.
mod users {
    use super::*;

    fn is_called() -> bool {
        std::env::var_os("CALLED_AS_A_USER").is_some()
    }

    #[test]
    fn gambles() {
        if is_called() {
            gambler(false).seeds(0..200).run();
        }
    }

    #[test]
    fn cheats() {
        if is_called() {
            gambler(true).seeds(0..50).determinism().run();
        }
    }

    #[test]
    fn checks_a_scenario() {
        if is_called() {
            squall::check::scenario::<BuiltIn>("scenarios/raft/paper.ron").seeds(0..3).run();
        }
    }

    #[test]
    fn expects_the_wrong_break() {
        if is_called() {
            let check = squall::check::scenario::<BuiltIn>(VOTES).seeds(0..30).change(|plan| plan.exhibits.clear());
            check.run();
        }
    }

    #[test]
    fn breaks_a_scenario() {
        if is_called() {
            // This one expects what it breaks; under another name the same is a failure.
            let text = std::fs::read_to_string(VOTES).expect("a file");
            let at = text.find("expect:").expect("an expectation");
            let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("breaks a scenario.ron");
            std::fs::write(&file, format!("{}expect: Holds)", &text[..at])).expect("a file");
            squall::check::scenario::<BuiltIn>(file).seeds(0..30).run();
        }
    }
}

/// Calls one of the user's tests with these variables. Answers whether it passed, and what it said.
fn called(test: &str, variables: &[(&str, &str)]) -> (bool, String) {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    for variable in ["SQUALL_SEED", "SQUALL_SEEDS", "SQUALL_JOBS", "RUST_BACKTRACE"] {
        command.env_remove(variable);
    }
    command.args([&format!("users::{test}"), "--exact", "--nocapture"]).env("CALLED_AS_A_USER", "1");
    let Output { stdout, stderr, status } = command.envs(variables.iter().copied()).output().expect("it starts");
    let said = [stdout, stderr].map(|text| String::from_utf8(text).expect("text")).concat();
    assert!(said.contains("running 1 test"), "{said}");
    (status.success(), said)
}

fn row<'a>(said: &'a str, title: &str) -> &'a str {
    let line = said.lines().find_map(|line| line.strip_prefix(&format!("  {title:7} ")));
    line.unwrap_or_else(|| panic!("no {title} in\n{said}"))
}

#[test]
fn a_failure_tells_what_broke_how_often_and_the_line_that_plays_it_again() {
    let (passed, said) = called("gambles", &[]);
    assert!(!passed);
    assert!(said.contains("squall: gambler: seeds 0..200 on "), "{said}");
    assert_eq!(row(&said, "what"), "n1 has lost after all");
    assert!(row(&said, "when").contains(", step ") && row(&said, "when").contains("timer"), "{said}");
    assert_eq!((row(&said, "nodes"), row(&said, "digest").len()), ("n1", 32));
    let (failed, seeds) = row(&said, "seeds").split_once(" of 200 fail: ").expect("how many");
    assert!(failed.parse::<u64>().expect("a number").abs_diff(36) < 20, "about one of five: {failed}");
    let first = seeds.split(',').next().expect("a seed");
    assert!(said.contains(&format!("gambler: seed {first} breaks gambler.luck")), "{said}");
    let again = format!("SQUALL_SEED={first} cargo test users::gambles -- --exact");
    assert_eq!(row(&said, "again"), again);
    // What the line says is true: that seed fails alone, in the same run.
    let (passed, alone) = called("gambles", &[("SQUALL_SEED", first)]);
    assert!(!passed && alone.contains(&format!("seeds {first}..")), "{alone}");
    assert_eq!((row(&alone, "digest"), row(&alone, "when")), (row(&said, "digest"), row(&said, "when")));
    assert_eq!(row(&alone, "seeds"), format!("1 of 1 fail: {first}"));
}

#[test]
fn the_message_is_the_same_with_any_number_of_threads() {
    let message = |jobs| {
        let (passed, said) = called("gambles", &[("SQUALL_JOBS", jobs)]);
        assert!(!passed && said.contains(&format!("on {jobs} threads")), "{said}");
        let at = said.find("gambler: seed ").expect("a failure");
        said[at..at + said[at..].find("--exact").expect("the line")].to_owned()
    };
    assert_eq!(message("1"), message("3"));
}

#[test]
fn variables_say_which_seeds_are_played() {
    for (variables, seeds) in [
        ([("SQUALL_SEEDS", "5..9"), ("SQUALL_SEED", "")], "seeds 5..9 "),
        ([("SQUALL_SEEDS", "7"), ("SQUALL_SEED", "")], "seeds 0..7 "),
        ([("SQUALL_SEEDS", "7"), ("SQUALL_SEED", "0x10")], "seeds 16..17 "),
        ([("SQUALL_SEEDS", ""), ("SQUALL_SEED", "")], "seeds 0..3 "),
    ] {
        let (passed, said) = called("checks_a_scenario", &variables);
        assert!(passed && said.contains(seeds), "{variables:?}: {said}");
    }
    for (name, value, cure) in [
        ("SQUALL_SEED", "x", "write 42, 0x2a, or a git commit"),
        ("SQUALL_SEEDS", "9..9", "there is no seed from 9 to before 9; write for example 0..1000"),
        ("SQUALL_JOBS", "0", "at least 1"),
    ] {
        let (passed, said) = called("checks_a_scenario", &[(name, value)]);
        assert!(!passed && said.contains(&format!("the variable {name} is {value:?}; ")), "{said}");
        assert!(said.contains(cure), "{said}");
    }
}

#[test]
fn a_scenario_that_breaks_also_names_the_command_of_the_program() {
    let (passed, said) = called("breaks_a_scenario", &[]);
    assert!(!passed);
    let again = row(&said, "again");
    let seed = again.strip_prefix("SQUALL_SEED=").and_then(|rest| rest.split(' ').next()).expect("a seed");
    let command = row(&said, "");
    assert!(
        command.starts_with("squall run '/") && command.ends_with(&format!("scenario.ron' --seed {seed}")),
        "{said}"
    );
    assert!(said.contains(&format!("breaks a scenario: seed {seed} breaks raft.")), "{said}");
}

#[test]
fn a_cheat_is_told_as_such() {
    let (passed, said) = called("cheats", &[]);
    assert!(!passed && said.contains("gambler: seed 0 is not deterministic: two plays of this plan part at event "));
    assert_eq!(row(&said, "seeds"), "50 of 50 fail: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...");
    assert!(row(&said, "one").contains("n1 notes ") && row(&said, "other").contains("n1 notes "), "{said}");
}

#[test]
fn what_is_expected_to_break_and_does_not_is_a_failure() {
    let (passed, said) = called("expects_the_wrong_break", &[]);
    assert!(!passed && said.contains("none of 30 seeds breaks raft."), "{said}");
}

#[test]
fn what_is_expected_to_break_and_does_is_none() {
    squall::check::scenario::<BuiltIn>(VOTES).seeds(0..50).run();
    gambler(false).seeds(0..200).expect_break("gambler.luck").jobs(2).run();
}

#[test]
fn a_change_holds_for_every_plan() {
    let check = squall::check::scenario::<BuiltIn>("scenarios/raft/paper.ron").seeds(0..3);
    check.change(|plan| plan.network.loss = Ratio::new(1, 50).expect("two per cent")).run();
}

#[test]
#[should_panic(expected = "there is no such file or folder")]
fn a_scenario_that_is_not_there_is_told_with_a_cure() {
    let _ = squall::check::scenario::<BuiltIn>("scenarios/no-such.ron");
}
