//! `--shard`: what a process of a batch or CI system plays of a sweep, and that the parts are the whole.

use super::harness::{BREAKS, HOLDS, Said, file, folder, path, program};
use std::path::Path;

fn sweep(scenario: &str, out: &Path, words: &[&str], variables: &[(&str, &str)]) -> Said {
    let mut command = program();
    command.args(["sweep", scenario, "--seeds", "0..50", "--jobs", "2", "--out", &path(out)]).args(words);
    command.envs(variables.iter().copied()).output().expect("the program starts").into()
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name} of {}: {error}", folder.display()))
}

#[test]
fn shards_of_three_systems_are_merged_to_the_whole_sweep_with_all_its_reports() {
    let scenario = file("shard-whole-scenario", BREAKS);
    let out = folder("shard-whole", &[]);
    let whole = sweep(&scenario, &out.join("whole"), &[], &[]);
    assert_eq!(whole.code, Some(0), "{}", whole.err);
    let slurm = [("SLURM_ARRAY_TASK_ID", "0"), ("SLURM_ARRAY_TASK_MIN", "0"), ("SLURM_ARRAY_TASK_MAX", "2")];
    let circle = [("CIRCLECI", "true"), ("CIRCLE_NODE_INDEX", "1"), ("CIRCLE_NODE_TOTAL", "3")];
    for (name, shard, variables) in [("a", "auto", &slurm[..]), ("b", "auto", &circle), ("c", "3/3", &[])] {
        let part = sweep(&scenario, &out.join("parts").join(name), &["--shard", shard], variables);
        assert_eq!(part.code, Some(0), "{}", part.err);
        let says_which = part.err.contains("--shard auto: shard ");
        assert_eq!(says_which, shard == "auto", "{}", part.err);
    }
    let (parts, merged) = (path(&out.join("parts")), out.join("merged"));
    let said: Said = program().args(["merge", &parts, "--out", &path(&merged)]).output().expect("a start").into();
    assert_eq!(said.code, Some(0), "{}", said.err);
    for name in ["journal.jsonl", "summary.json", "junit.xml"] {
        assert_eq!(read(&merged, name), read(&out.join("whole"), name), "{name}");
    }
}

#[test]
fn a_system_that_gives_no_number_is_refused_with_a_cure() {
    let scenario = file("shard-refused-scenario", HOLDS);
    let out = folder("shard-refused", &[]).join("out");
    let said = sweep(&scenario, &out, &["--shard", "auto"], &[("GITHUB_ACTIONS", "true")]);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{}", said.err);
    assert!(said.err.contains("--shard ${{ matrix.shard }}/${{ strategy.job-total }}"), "{}", said.err);
    assert!(!out.exists(), "nothing was begun");
    let said = sweep(
        &scenario,
        &out,
        &["--shard", "auto"],
        &[("GITLAB_CI", "1"), ("CI_NODE_INDEX", "4"), ("CI_NODE_TOTAL", "3")],
    );
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("CI_NODE_INDEX=4 of GitLab is out of range"), "{}", said.err);
    let said = sweep(&scenario, &out, &["--shard", "5/4"], &[]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("shards are counted from 1 to 4"), "{}", said.err);
}

#[test]
fn bazel_finds_its_status_file() {
    let scenario = file("shard-bazel-scenario", HOLDS);
    let out = folder("shard-bazel", &[]);
    let status = path(&out.join("status"));
    let bazel = [("TEST_SHARD_INDEX", "1"), ("TEST_TOTAL_SHARDS", "5"), ("TEST_SHARD_STATUS_FILE", status.as_str())];
    let said = sweep(&scenario, &out.join("out"), &["--shard", "auto", "--format", "json"], &bazel);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out.contains("\"from\":10,\"to\":20,"), "{}", said.out);
    assert!(out.join("status").exists());
}
