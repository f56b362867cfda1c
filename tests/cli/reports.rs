//! What CI systems are given: `--junit`, `--annotations`.

use super::harness::{BREAKS, HOLDS, Said, folder, objects, path, program};

/// One scenario that holds, one in which the expected defect is found, and one in which it is not expected.
fn scenarios(name: &str) -> std::path::PathBuf {
    let unexpected =
        BREAKS.replace("expect: Breaks([\"raft.vote-monotonic\", \"raft.election-quorum\"])", "expect: Holds");
    assert_ne!(unexpected, BREAKS);
    folder(name, &[("a.ron", HOLDS), ("b.ron", BREAKS), ("c.ron", &unexpected)])
}

#[test]
fn a_report_has_a_suite_a_scenario_and_the_seed_and_command_of_each_failure() {
    let folder = scenarios("reports-junit");
    let (out, junit) = (folder.join("out"), folder.join("reports/all.xml"));
    let words = ["sweep", &path(&folder), "--count", "20", "--out", &path(&out), "--junit", &path(&junit)];
    let said: Said = program().args(words).output().expect("the program starts").into();
    assert_eq!(said.code, Some(100), "{}", said.err);
    assert!(!said.err.contains("::error"), "{}", said.err);
    let text = std::fs::read_to_string(&junit).expect("a report");
    let report = junit_parser::from_reader(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
    let failures: Vec<(bool, u64)> = report.suites.iter().map(|suite| (suite.failures > 0, suite.errors)).collect();
    assert_eq!(failures, [(false, 0), (false, 0), (true, 0)], "{text}");
    for suite in &report.suites {
        for case in suite.cases.iter().filter(|case| case.status.is_failure()) {
            let message = &case.status.failure_as_ref().message;
            let command = format!("squall run {} --seed ", path(&folder.join("c.ron")));
            assert!(message.starts_with("seed ") && message.contains(&command), "{message}");
        }
    }
    let own: Vec<_> = ["a", "b", "c"].iter().map(|name| find(&out, name)).collect();
    assert!(own.iter().all(|xml| xml.contains("<testsuites name=\"squall\"")));
    let blocked = folder.join("a.ron/x.xml");
    let words = ["sweep", &path(&folder.join("a.ron")), "--count", "2", "--out", &path(&folder.join("more"))];
    let said: Said =
        program().args(words).args(["--junit", &path(&blocked)]).output().expect("the program starts").into();
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("cannot write the results") && said.err.contains("a.ron"), "{}", said.err);
}

/// The report of one scenario in its own folder.
fn find(out: &std::path::Path, name: &str) -> String {
    let folders = std::fs::read_dir(out).expect("a folder").map(|entry| entry.expect("an entry").path());
    let folders = folders.flat_map(|folder| [folder.join("junit.xml"), folder.join(name).join("junit.xml")]);
    let mut files = folders.filter(|file| file.is_file() && path(file).contains(&format!("/{name}/junit.xml")));
    std::fs::read_to_string(files.next().unwrap_or_else(|| panic!("no report of {name}"))).expect("a report")
}

#[test]
fn github_is_told_on_standard_error_and_on_its_page_and_results_stay_results() {
    let folder = scenarios("reports-github");
    let page = folder.join("page.md");
    std::fs::write(&page, "before\n").expect("a page");
    let sweep = |place: &str, wanted: &str| -> Said {
        let out = path(&folder.join(place));
        let words = ["sweep", &path(&folder), "--count", "20", "--out", &out, "--format", "json"];
        let mut command = program();
        command.args(words).args(["--annotations", wanted]).env("GITHUB_ACTIONS", "true");
        command.env("GITHUB_STEP_SUMMARY", &page).output().expect("the program starts").into()
    };
    let said = sweep("one", "auto");
    assert_eq!(objects(&said.out).len(), 3);
    let commands: Vec<&str> = said.err.lines().filter(|line| line.starts_with("::")).collect();
    assert!(!commands.is_empty() && commands.len() <= 10, "{}", said.err);
    let file = path(&folder.join("c.ron"));
    for command in commands {
        assert!(command.starts_with(&format!("::error file={file},title=")), "{command}");
        assert!(command.contains(&format!("; reproduce: squall run {file} --seed ")), "{command}");
    }
    let text = std::fs::read_to_string(&page).expect("a page");
    assert!(text.starts_with("before\n### squall: 2 of 3 scenarios as expected\n"), "{text}");
    assert_eq!(text.matches("| ✅ |").count(), 2, "{text}");
    let said = sweep("two", "none");
    assert!(!said.err.contains("::error"), "{}", said.err);
    assert_eq!(std::fs::read_to_string(&page).expect("a page"), text);
}
