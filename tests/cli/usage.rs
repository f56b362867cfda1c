//! Words that make no sense, and variables that stand for flags.

use super::harness::{HOLDS, Said, file, objects, program, squall};

#[test]
fn without_a_command_there_is_help() {
    let said = squall(&[]);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    assert!(said.err.contains("Usage: squall") && said.err.contains("Examples:"), "{}", said.err);
    for words in [["--help"].as_slice(), &["run", "--help"], &["--version"]] {
        let said = squall(words);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    }
}

#[test]
fn wrong_usage_is_refused_with_a_reason() {
    let file = file("usage", HOLDS);
    let seed = |seed| squall(&["run", &file, "--seed", seed]);
    let refusals = [
        (squall(&["rum"]), "run"),
        (squall(&["run"]), "SCENARIO"),
        (squall(&["run", &file, "--sed", "1"]), "--seed"),
        (seed("18446744073709551616"), "the largest seed is 18446744073709551615"),
        (seed("-1"), "write 42"),
        (seed("banana"), "write 42"),
        (squall(&["run", &file, "--set", "x"]), "write path=value"),
        (squall(&["run", &file, "--format", "xml"]), "json"),
        (squall(&["run", &file, "--color", "pink"]), "never"),
        (squall(&["list", "fishes"]), "faults"),
        (squall(&["sweep", &file, "-j", "0"]), "write a number from 1 to 65535"),
        (squall(&["sweep", &file, "--max-fail", "0"]), "write a whole number from 1 on"),
        (squall(&["sweep", &file, "--time", "-1s"]), "write for example 90s"),
        (squall(&["sweep", &file, "--seeds", "a..b"]), "write for example 0..1000"),
        (squall(&["run", &file, "--set", "network.loss=0.3333333333333"]), "more than 12 decimals"),
    ];
    for (said, part) in refusals {
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{}", said.err);
        assert!(said.err.contains(part), "{part} is not in\n{}", said.err);
    }
}

fn with(variables: &[(&str, &str)], words: &[&str]) -> Said {
    let variables = variables.iter().copied();
    program().envs(variables).args(words).output().expect("the program starts").into()
}

#[test]
fn a_variable_stands_for_a_flag_and_the_flag_wins() {
    let file = file("variables", HOLDS);
    let variables = [("SQUALL_SEED", "9"), ("SQUALL_FORMAT", "json"), ("SQUALL_SET", "system.nodes=4;network.loss=1%")];
    let said = with(&variables, &["run", &file]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert_eq!(objects(&said.out)[0]["seed"], 9);
    assert_eq!(objects(&with(&variables, &["run", &file, "--seed", "3"]).out)[0]["seed"], 3);
    assert!(with(&[("SQUALL_COLOR", "always")], &["run", &file]).out.contains('\x1b'));
    assert_eq!(with(&[("SQUALL_QUIET", "1")], &["run", &file]).out, "");
    assert_ne!(with(&[("SQUALL_QUIET", "0")], &["run", &file]).out, "");
    assert_eq!(with(&[("SQUALL_SEED", "x")], &["run", &file]).code, Some(2));
    // A workflow sets a variable to nothing where it has no value for it.
    let empty = ["SQUALL_SEED", "SQUALL_FORMAT", "SQUALL_SET", "SQUALL_COLOR", "SQUALL_QUIET"].map(|name| (name, ""));
    let said = with(&empty, &["run", &file]);
    assert_eq!((said.code, said.err.as_str(), said.out.starts_with("ok")), (Some(0), "", true), "{said:?}");
}

#[test]
fn each_flag_has_a_variable() {
    let said = with(&[("SQUALL_SERVER", "redis"), ("SQUALL_RING", "0"), ("SQUALL_SVG", "x.svg")], &["list", "systems"]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
}

#[test]
fn a_variable_that_no_flag_reads_gets_a_warning() {
    let file = file("warning", HOLDS);
    let said = with(&[("SQUALL_SEDE", "9")], &["run", &file]);
    assert_eq!(said.code, Some(0));
    assert!(said.err.contains("SQUALL_SEDE; did you mean SQUALL_SEED?"), "{}", said.err);
}

#[test]
fn colour_can_be_forced_and_forbidden_by_the_usual_variables() {
    let file = file("usual-variables", HOLDS);
    assert!(with(&[("CLICOLOR_FORCE", "1")], &["run", &file]).out.contains('\x1b'));
    let both = [("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")];
    assert!(!with(&both, &["run", &file]).out.contains('\x1b'));
    assert!(with(&both, &["run", &file, "--color=always"]).out.contains('\x1b'));
}
