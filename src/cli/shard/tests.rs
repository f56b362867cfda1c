//! What `--shard` makes of words and surroundings.

use super::*;
use std::path::PathBuf;

/// What `--shard` comes to with these variables: the shard or the complaint, and the notes.
fn resolved(text: &str, variables: &str) -> (String, Vec<String>) {
    let value = |name: &str| {
        let mut pairs = variables.split_whitespace().filter_map(|pair| pair.split_once('='));
        pairs.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned())
    };
    let mut notes = Vec::new();
    let wanted: Result<Wanted, String> = text.parse();
    let shard = wanted.and_then(|wanted| wanted.resolve(&value, &mut |note| notes.push(note)));
    (shard.map_or_else(|complaint| complaint, |shard| shard.to_string()), notes)
}

#[track_caller]
fn check(text: &str, variables: &str, expected: &str) {
    assert_eq!(resolved(text, variables).0, expected, "--shard {text} with {variables}");
}

#[test]
fn a_shard_is_written_as_one_of_so_many_from_one_on() {
    check("1/1", "", "1/1");
    check("2/3", "SLURM_ARRAY_TASK_ID=7", "2/3");
    check("18446744073709551615/18446744073709551615", "", "18446744073709551615/18446744073709551615");
    check("0/3", "", "shards are counted from 1 to 3");
    check("4/3", "", "shards are counted from 1 to 3");
    check("1/0", "", "there must be one shard at least");
    check("auto/0", "", "there must be one shard at least");
    for text in ["", "3", "/", "1/", "/3", "-1/3", "+1/3", "1/3/5", "1 / 3", "a/b", "Auto", "auto/", "auto/x"] {
        check(text, "", USAGE);
    }
    check("1/18446744073709551616", "", USAGE);
}

/// A row an engine: what it is called, what it sets in one of its processes, which shard that is.
const ROWS: &[(&str, &str, &str, &str)] = &[
    ("GNU parallel", "auto/5", "PARALLEL_SEQ=3 PARALLEL_JOBSLOT=1 PARALLEL_PID=99", "3/5"),
    ("Bazel", "auto", "BAZEL_TEST=1 TEST_SHARD_INDEX=3 TEST_TOTAL_SHARDS=4", "4/4"),
    (
        "Slurm",
        "auto",
        "SLURM_JOB_ID=71 SLURM_ARRAY_JOB_ID=70 SLURM_ARRAY_TASK_ID=9 SLURM_ARRAY_TASK_MIN=1 \
         SLURM_ARRAY_TASK_MAX=13 SLURM_ARRAY_TASK_STEP=4 SLURM_ARRAY_TASK_COUNT=4",
        "3/4",
    ),
    ("PBS", "auto/8", "PBS_JOBID=12[3].host PBS_ARRAY_INDEX=3", "3/8"),
    ("Torque", "auto/8", "PBS_JOBID=12-8.host PBS_ARRAYID=8", "8/8"),
    ("Grid Engine", "auto", "SGE_TASK_ID=6 SGE_TASK_FIRST=0 SGE_TASK_LAST=9 SGE_TASK_STEPSIZE=2", "4/5"),
    ("LSF", "auto", "LSB_JOBID=5 LSB_JOBINDEX=2 LSB_JOBINDEX_END=6 LSB_JOBINDEX_STEP=1", "2/6"),
    ("AWS Batch", "auto", "AWS_BATCH_JOB_ID=x:0 AWS_BATCH_JOB_ARRAY_INDEX=0 AWS_BATCH_JOB_ARRAY_SIZE=10", "1/10"),
    ("Google Cloud Run", "auto", "CLOUD_RUN_JOB=s CLOUD_RUN_TASK_INDEX=1 CLOUD_RUN_TASK_COUNT=3", "2/3"),
    ("Google Batch", "auto", "BATCH_TASK_INDEX=0 BATCH_TASK_COUNT=3", "1/3"),
    ("CircleCI", "auto", "CI=true CIRCLECI=true CIRCLE_NODE_INDEX=3 CIRCLE_NODE_TOTAL=4", "4/4"),
    ("Buildkite", "auto", "BUILDKITE=true BUILDKITE_PARALLEL_JOB=0 BUILDKITE_PARALLEL_JOB_COUNT=5", "1/5"),
    ("Azure Pipelines", "auto", "TF_BUILD=True SYSTEM_JOBPOSITIONINPHASE=2 SYSTEM_TOTALJOBSINPHASE=5", "2/5"),
    ("Semaphore", "auto", "SEMAPHORE=true SEMAPHORE_JOB_INDEX=1 SEMAPHORE_JOB_COUNT=2", "1/2"),
    ("Bitbucket", "auto", "BITBUCKET_BUILD_NUMBER=8 BITBUCKET_PARALLEL_STEP=1 BITBUCKET_PARALLEL_STEP_COUNT=2", "2/2"),
    ("Heroku CI", "auto", "HEROKU_TEST_RUN_ID=u CI_NODE_INDEX=0 CI_NODE_TOTAL=2", "1/2"),
    ("GitLab", "auto", "GITLAB_CI=true CI_NODE_INDEX=1 CI_NODE_TOTAL=2", "1/2"),
    ("Kubernetes", "auto/4", "KUBERNETES_SERVICE_HOST=10.0.0.1 JOB_COMPLETION_INDEX=0", "1/4"),
    ("Kubernetes", "auto", "JOB_COMPLETION_INDEX=3 JOB_COMPLETIONS=4", "4/4"),
];

#[test]
fn every_engine_tells_its_shard() {
    for (engine, text, variables, shard) in ROWS {
        let (found, notes) = resolved(text, variables);
        assert_eq!(found, *shard, "{engine} with {variables}");
        assert!(notes.len() == 1 && notes[0].ends_with(&format!(" of {engine}")), "{notes:?}");
    }
    for engine in ENGINES.iter().filter(|engine| !engine.index.is_empty()) {
        assert!(ROWS.iter().any(|(name, ..)| *name == engine.name), "{} has no row", engine.name);
    }
}

/// Each row again, without the number: every process would play everything, and all would be green.
#[test]
fn an_engine_that_is_there_but_gives_no_number_is_an_error() {
    for (engine, text, variables, _) in ROWS {
        let index = ENGINES.iter().find(|found| found.name == *engine).expect("an engine").index;
        let left: Vec<&str> =
            variables.split_whitespace().filter(|pair| !pair.starts_with(&format!("{index}="))).collect();
        let (found, notes) = resolved(text, &left.join(" "));
        let is_seen_without = !matches!(*engine, "GNU parallel" | "Torque" | "Grid Engine" | "Google Batch")
            && !variables.starts_with("JOB_COMPLETION_INDEX");
        if is_seen_without {
            assert!(found.starts_with(&format!("--shard auto: this is {engine}, but {index} ")), "{engine}: {found}");
            assert!(found.contains("; or say which shard it is: --shard 1/") && notes.is_empty());
        }
    }
    check(
        "auto",
        "GITLAB_CI=true CI_NODE_TOTAL=1",
        "--shard auto: this is GitLab, but CI_NODE_INDEX does not number this process; give the job a parallel: 8; \
         or say which shard it is: --shard 1/8",
    );
    check(
        "auto/4",
        "CI=true GITHUB_ACTIONS=true",
        "--shard auto: this is GitHub Actions, which does not number its jobs; give the job a strategy: matrix: \
         shard: [1, 2, 3, 4], and write --shard ${{ matrix.shard }}/${{ strategy.job-total }}; \
         or say which shard it is: --shard 1/4",
    );
    let lsf = resolved("auto", "LSB_JOBID=5 LSB_JOBINDEX=0").0;
    assert!(lsf.contains("bsub -J \"sweep[1-8]\""), "{lsf}");
}

#[test]
fn without_an_engine_it_is_the_whole_range_and_a_note_says_so() {
    for variables in ["", "CI=true", "GITHUB_ACTIONS=false", "SLURM_ARRAY_TASK_ID="] {
        let (found, notes) = resolved("auto", variables);
        assert_eq!(found, "1/1");
        assert!(notes.len() == 1 && notes[0].contains("the whole range"), "{notes:?}");
    }
}

#[test]
fn of_two_engines_the_innermost_counts_and_the_other_is_named() {
    let slurm = "SLURM_JOB_ID=7 SLURM_ARRAY_TASK_ID=2 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=2";
    let (found, notes) = resolved("auto/9", &format!("PARALLEL_SEQ=5 {slurm}"));
    assert_eq!(found, "5/9");
    assert_eq!(notes, ["--shard auto: shard 5/9, by PARALLEL_SEQ of GNU parallel, not of Slurm: the innermost counts"]);
    // One that gives no number does not count: a job of Slurm that is no array, a runner of GitLab in a pod.
    check("auto/9", "PARALLEL_SEQ=5 SLURM_JOB_ID=7", "5/9");
    check("auto", "GITLAB_CI=true CI_NODE_INDEX=2 CI_NODE_TOTAL=3 KUBERNETES_SERVICE_HOST=10.0.0.1", "2/3");
    check("auto", &format!("GITHUB_ACTIONS=true {slurm}"), "2/2");
}

#[test]
fn values_that_make_no_sense_are_named() {
    for (text, variables, says) in [
        (
            "auto",
            "PARALLEL_SEQ=5",
            "PARALLEL_SEQ=5 of GNU parallel says which shard this is, but not of how many; write --shard auto/n",
        ),
        (
            "auto",
            "JOB_COMPLETION_INDEX=0",
            "JOB_COMPLETION_INDEX=0 of Kubernetes says which shard this is, but not of how many",
        ),
        (
            "auto/4",
            "JOB_COMPLETION_INDEX=4",
            "JOB_COMPLETION_INDEX=4 of Kubernetes is out of range: there are 4 in all, from 0 on",
        ),
        (
            "auto/8",
            "PBS_JOBID=1 PBS_ARRAY_INDEX=0",
            "PBS_ARRAY_INDEX=0 of PBS is out of range: there are 8 in all, from 1 on; submit an array that counts from 1",
        ),
        (
            "auto",
            "GITLAB_CI=1 CI_NODE_INDEX=0 CI_NODE_TOTAL=3",
            "CI_NODE_INDEX=0 of GitLab is out of range: there are 3 in all, from 1 on",
        ),
        (
            "auto",
            "CIRCLECI=true CIRCLE_NODE_INDEX=0 CIRCLE_NODE_TOTAL=0",
            "CIRCLE_NODE_INDEX=0 of CircleCI is out of range: there are 0 in all",
        ),
        (
            "auto",
            "CIRCLECI=true CIRCLE_NODE_INDEX=-1 CIRCLE_NODE_TOTAL=3",
            "CIRCLE_NODE_INDEX=\"-1\" of CircleCI is no number",
        ),
        (
            "auto",
            "CIRCLECI=true CIRCLE_NODE_INDEX=1 CIRCLE_NODE_TOTAL=three",
            "CIRCLE_NODE_TOTAL=\"three\" of CircleCI is no number",
        ),
        (
            "auto/5",
            "CIRCLECI=true CIRCLE_NODE_INDEX=1 CIRCLE_NODE_TOTAL=4",
            "CircleCI has 4 in all, as CIRCLE_NODE_TOTAL says; write --shard auto, or which shard this is: --shard i/5",
        ),
        (
            "auto",
            "SLURM_ARRAY_TASK_ID=9 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=22 SLURM_ARRAY_TASK_STEP=1 SLURM_ARRAY_TASK_COUNT=4",
            "SLURM_ARRAY_TASK_COUNT=4 of Slurm, but from 1 to 22 in steps of 1 there are 22: the numbers have gaps",
        ),
        (
            "auto",
            "SLURM_ARRAY_TASK_ID=2 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=5 SLURM_ARRAY_TASK_STEP=2",
            "SLURM_ARRAY_TASK_ID=2 of Slurm is out of range: there are 3 in all, from 1 on in steps of 2",
        ),
        (
            "auto",
            "SLURM_ARRAY_TASK_ID=2 SLURM_ARRAY_TASK_MIN=5 SLURM_ARRAY_TASK_MAX=3",
            "SLURM_ARRAY_TASK_MAX=3 of Slurm is below the first, 5",
        ),
        (
            "auto",
            "SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_MIN=3 SLURM_ARRAY_TASK_MAX=3 SLURM_ARRAY_TASK_COUNT=1",
            "begin with SLURM_ARRAY_TASK_MIN=3; if they are a part of an earlier array, say which shard this is: --shard 3/8; if they are all, write --shard auto/1",
        ),
    ] {
        let (found, notes) = resolved(text, variables);
        assert!(found.starts_with("--shard auto") && found.contains(says), "{text} with {variables}: {found}");
        assert!(notes.is_empty());
    }
    let huge = "SLURM_ARRAY_TASK_ID=0 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=18446744073709551615";
    check("auto", huge, "1/18446744073709551615");
    check("auto/4", "SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_MIN=2 SLURM_ARRAY_TASK_MAX=5", "2/4");
    check(
        "auto",
        "SLURM_ARRAY_TASK_ID=0 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=7 SLURM_ARRAY_TASK_COUNT=8",
        "1/8",
    );
}

#[test]
fn bazel_is_told_that_its_number_is_heeded() {
    let file: PathBuf = std::env::temp_dir().join(format!("squall-shard-{}", std::process::id()));
    let bazel =
        format!("BAZEL_TEST=1 TEST_SHARD_INDEX=0 TEST_TOTAL_SHARDS=4 TEST_SHARD_STATUS_FILE={}", file.display());
    check("auto", &bazel, "1/4");
    assert!(file.exists());
    std::fs::remove_file(&file).expect("it can be removed");
    check("1/4", &bazel, "1/4");
    assert!(!file.exists(), "who says the shard does not heed Bazel's");
    let found = resolved("auto", &format!("{bazel}/nowhere/x")).0;
    assert!(found.contains("cannot touch TEST_SHARD_STATUS_FILE="), "{found}");
}

/// For many ranges and numbers of shards: one shard begins where the one before ends, from the first seed to the last.
#[test]
fn all_shards_together_are_the_range_and_none_is_larger_than_another_by_more_than_one() {
    use crate::kernel::digest::Digest;
    let mut draws = 0..;
    let mut draw = || {
        let mut digest = Digest::new();
        digest.word(draws.next().expect("endless"));
        digest.low()
    };
    let lengths = [0, 1, 2, 7, 1_000, 999_999_937, u64::MAX];
    for count in (1..40).chain([1_000, 4_096]) {
        for length in lengths {
            let length = if length < 1_000 { length } else { length - draw() % length / 2 };
            let start = if length == u64::MAX { 0 } else { draw() % (u64::MAX - length) };
            let seeds = start..start + length;
            let mut next = seeds.start;
            let mut sizes = (u64::MAX, 0);
            for index in 1..=count {
                let slice = Shard { index, count }.slice(&seeds);
                assert_eq!(slice.start, next, "{index}/{count} of {seeds:?}");
                let size = slice.end - slice.start;
                sizes = (sizes.0.min(size), sizes.1.max(size));
                next = slice.end;
            }
            assert_eq!(next, seeds.end, "{count} shards of {seeds:?}");
            assert!(sizes.1 - sizes.0 <= 1, "{count} shards of {seeds:?}: {sizes:?}");
        }
    }
    let last = Shard { index: u64::MAX, count: u64::MAX };
    assert_eq!(last.slice(&(0..u64::MAX)), u64::MAX - 1..u64::MAX);
    #[expect(clippy::reversed_empty_ranges, reason = "a range that ends before it begins is empty, too")]
    let reversed = 9..3;
    assert!(last.slice(&reversed).is_empty());
}
