//! What is written, as another implementation of the format reads it.

use super::*;
use crate::report::suite::example::{Example, NASTY};
use crate::report::sweep::RegressionState;
use junit_parser::{TestStatus, TestSuites};

fn read(text: &str) -> TestSuites {
    junit_parser::from_reader(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn written(example: &Example) -> String {
    example.tell(|suite| junit(&[suite.account()]))
}

#[test]
fn another_implementation_reads_what_is_written() {
    let text = written(&Example::nasty());
    let report = read(&text);
    assert_eq!(report.suites.len(), 1, "{text}");
    let suite = &report.suites[0];
    assert_eq!(suite.name, "raft/storm");
    // Two groups, two stored runs, ten blocks.
    assert_eq!((suite.tests, suite.failures, suite.errors, suite.skipped), (14, 5, 1, 1), "{text}");
    assert_eq!((report.tests, report.failures, report.errors), (14, 5, 1));
    assert_eq!(suite.cases.len(), 14);
    let group =
        suite.cases.iter().find(|case| case.original_name.starts_with("raft.election-safety-")).expect("a case");
    assert_eq!(group.classname.as_deref(), Some("raft/storm"));
    assert_eq!(group.file.as_deref(), Some("scenarios/raft/storm.ron"));
    let TestStatus::Failure(failure) = &group.status else { panic!("{:?}", group.status) };
    assert_eq!(failure.failure_type, "raft.election-safety");
    assert_eq!(
        failure.message,
        "seed 42: raft.election-safety is broken: n1 has \"<x>\" & ]]> 100%, n2: 'y', ::error::|a|`b`|  @all ü🦀; \
         reproduce: squall run scenarios/raft/storm.ron --seed 42 --set 'a=\"b\"'"
    );
    for says in ["[message AppendEntries]", "2 seeds, the first is 42", "median step 52", "--seed 42"] {
        assert!(failure.text.contains(says), "no {says} in {}", failure.text);
    }
    let doubt = suite.cases.iter().find(|case| case.original_name == "seeds 900..1000").expect("a case");
    let TestStatus::Error(error) = &doubt.status else { panic!("{:?}", doubt.status) };
    assert!(error.message.starts_with("seed 950: n1 has ") && error.message.contains("--seed 950"), "{error:?}");
    let properties = &suite.properties.vec;
    let ran = properties.iter().find(|(name, _)| name == "seeds.ran");
    assert_eq!(ran.map(|(_, value)| value.as_str()), Some("1000"));
}

#[test]
fn a_sound_sweep_is_green_and_an_expected_break_is_no_failure() {
    let sound = read(&written(&Example::sound(0..250).stored(RegressionState::Passes)));
    assert_eq!((sound.tests, sound.failures, sound.errors, sound.skipped), (4, 0, 0, 0));
    let breaks = Some(vec!["x.safe".to_owned()]);
    let expected = Example { breaks: breaks.clone(), ..Example::sound(0..100).broken(3, "x.safe", "n1") };
    let expected = read(&written(&expected));
    assert_eq!((expected.tests, expected.failures), (2, 0));
    assert!(expected.suites[0].cases[0].system_out.as_ref().is_some_and(|text| text.contains("the first is 3")));
    let silent = read(&written(&Example { breaks, ..Example::sound(0..100) }));
    assert_eq!((silent.tests, silent.failures), (2, 1));
}

#[test]
fn the_same_sweep_is_written_the_same_and_without_a_character_that_xml_forbids() {
    let text = written(&Example::nasty());
    assert_eq!(text, written(&Example::nasty()));
    assert!(!text.contains("time="), "{text}");
    assert!(NASTY.contains('\u{0}') && NASTY.contains('\u{ffff}'));
    let is_legal = |sign: char| matches!(sign, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    assert!(text.chars().all(is_legal), "{text:?}");
}
