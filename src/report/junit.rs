//! JUnit XML, as CI systems read it: a suite a scenario, a case a failure group and a case a block of seeds.
//!
//! There is no time in it: the same sweep gives the same bytes.

use super::suite::{Account, Finding, INCONCLUSIVE, PARTIAL, Weight};
use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

/// The file's content.
///
/// # Panics
/// With a bug of ours: writing to a text does not fail.
pub fn junit(accounts: &[Account]) -> String {
    let mut report = Report::new("squall");
    report.add_test_suites(accounts.iter().map(of_account));
    report.to_string().expect("a report can be written to a text")
}

fn of_account(account: &Account) -> TestSuite {
    let mut suite = TestSuite::new(legal(&account.scenario));
    let numbers = [
        ("seeds.from", account.seeds.start),
        ("seeds.to", account.seeds.end),
        ("seeds.ran", account.ran),
        ("seeds.passed", account.passed),
        ("seeds.failed", account.failed),
        ("seeds.inconclusive", account.inconclusive),
    ];
    suite.add_properties(numbers.map(|(name, number)| Property::new(name, number.to_string())));
    suite.add_property(Property::new("complete", account.is_complete.to_string()));
    // Seeds without a verdict are told by the blocks that they are in; that the sweep is not complete, too.
    let is_told_by_blocks = |finding: &&Finding| matches!(finding.kind.as_str(), INCONCLUSIVE | PARTIAL);
    let findings = account.findings.iter().filter(|finding| !is_told_by_blocks(finding));
    suite.add_test_cases(findings.chain(&account.blocks).map(|finding| of_finding(finding, account)));
    suite
}

fn of_finding(finding: &Finding, account: &Account) -> TestCase {
    let mut status = match finding.weight {
        Weight::Fine => TestCaseStatus::success(),
        Weight::Open => TestCaseStatus::skipped(),
        Weight::Doubtful => TestCaseStatus::non_success(NonSuccessKind::Error),
        Weight::Bad => TestCaseStatus::non_success(NonSuccessKind::Failure),
    };
    if finding.weight != Weight::Fine {
        status.set_message(legal(&finding.message())).set_type(legal(&finding.kind));
        if !finding.text.is_empty() {
            status.set_description(legal(&finding.text));
        }
    }
    let mut case = TestCase::new(legal(&finding.title), status);
    case.set_classname(legal(&account.scenario));
    case.extra.insert("file".into(), legal(&account.file).into());
    if finding.weight == Weight::Fine && !finding.text.is_empty() {
        case.set_system_out(legal(&finding.text));
    }
    case
}

/// Without the two characters that XML forbids and quick-junit lets through; the others it takes out itself.
fn legal(text: &str) -> String {
    text.replace(['\u{fffe}', '\u{ffff}'], "")
}

#[cfg(test)]
mod tests;
