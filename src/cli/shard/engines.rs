//! The table of systems that start many processes and number them, innermost first, and how each is asked.

use super::Shard;
use std::fs;

/// A system that may have started this process as one of many.
pub(super) struct Engine {
    /// As people call it.
    pub(super) name: &'static str,
    /// Variables that tell that it is there: one of them will do.
    markers: &'static [&'static str],
    /// The variable with the number of this process; empty if it has no such thing.
    pub(super) index: &'static str,
    /// What that variable holds when there is only one process.
    idle: &'static str,
    /// How the numbers run.
    numbers: Numbers,
    /// The variable with the name of a file that must be touched by whoever heeds the number; empty if there is none.
    status: &'static str,
    /// How to get a number.
    cure: &'static str,
}

/// How a system numbers its processes.
enum Numbers {
    /// From this number on, without gaps. How many there are is in this variable; empty if in none.
    From(u64, &'static str),
    /// As the user has said, `2-10:4`.
    Series(Series),
}

/// The variables that tell of a series of numbers; those that the system lacks are empty.
struct Series {
    /// The first number; 1 if there is no such variable.
    first: &'static str,
    /// The last that is possible.
    last: &'static str,
    /// From one to the next.
    step: &'static str,
    /// How many there are.
    count: &'static str,
}

/// What most of them have not.
const ENGINE: Engine =
    Engine { name: "", markers: &[], index: "", idle: "", numbers: Numbers::From(1, ""), status: "", cure: "" };

/// Whatever stands first has been started by what stands further down, if both are there: GNU parallel within a
/// task of Slurm within a job of GitLab. The innermost knows best how many processes there are.
pub(super) const ENGINES: &[Engine] = &[
    Engine {
        name: "GNU parallel",
        markers: &["PARALLEL_SEQ"],
        index: "PARALLEL_SEQ",
        // It is not known in advance how many arguments come in at the pipe.
        numbers: Numbers::From(1, ""),
        cure: "run the program by parallel",
        ..ENGINE
    },
    Engine {
        name: "Bazel",
        markers: &["BAZEL_TEST", "TEST_SHARD_INDEX"],
        index: "TEST_SHARD_INDEX",
        numbers: Numbers::From(0, "TEST_TOTAL_SHARDS"),
        // Without it, Bazel takes every shard for a run of everything.
        status: "TEST_SHARD_STATUS_FILE",
        cure: "give the test rule a shard_count above 1",
        ..ENGINE
    },
    Engine {
        name: "Slurm",
        markers: &["SLURM_JOB_ID", "SLURM_ARRAY_TASK_ID"],
        index: "SLURM_ARRAY_TASK_ID",
        numbers: Numbers::Series(Series {
            first: "SLURM_ARRAY_TASK_MIN",
            last: "SLURM_ARRAY_TASK_MAX",
            step: "SLURM_ARRAY_TASK_STEP",
            count: "SLURM_ARRAY_TASK_COUNT",
        }),
        cure: "submit an array: sbatch --array=1-8",
        ..ENGINE
    },
    Engine {
        name: "PBS",
        markers: &["PBS_JOBID", "PBS_ARRAY_INDEX"],
        index: "PBS_ARRAY_INDEX",
        numbers: Numbers::From(1, ""),
        cure: "submit an array that counts from 1: qsub -J 1-8",
        ..ENGINE
    },
    Engine {
        name: "Torque",
        markers: &["PBS_ARRAYID"],
        index: "PBS_ARRAYID",
        numbers: Numbers::From(1, ""),
        cure: "submit an array that counts from 1: qsub -t 1-8",
        ..ENGINE
    },
    Engine {
        name: "Grid Engine",
        markers: &["SGE_TASK_ID"],
        index: "SGE_TASK_ID",
        idle: "undefined",
        numbers: Numbers::Series(Series {
            first: "SGE_TASK_FIRST",
            last: "SGE_TASK_LAST",
            step: "SGE_TASK_STEPSIZE",
            count: "",
        }),
        cure: "submit an array: qsub -t 1-8",
        ..ENGINE
    },
    Engine {
        name: "LSF",
        markers: &["LSB_JOBID", "LSB_JOBINDEX"],
        index: "LSB_JOBINDEX",
        idle: "0",
        numbers: Numbers::Series(Series { first: "", last: "LSB_JOBINDEX_END", step: "LSB_JOBINDEX_STEP", count: "" }),
        cure: "submit an array that counts from 1: bsub -J \"sweep[1-8]\"",
        ..ENGINE
    },
    Engine {
        name: "AWS Batch",
        markers: &["AWS_BATCH_JOB_ID", "AWS_BATCH_JOB_ARRAY_INDEX"],
        index: "AWS_BATCH_JOB_ARRAY_INDEX",
        numbers: Numbers::From(0, "AWS_BATCH_JOB_ARRAY_SIZE"),
        cure: "submit an array job: --array-properties size=8",
        ..ENGINE
    },
    Engine {
        name: "Google Cloud Run",
        markers: &["CLOUD_RUN_JOB", "CLOUD_RUN_TASK_INDEX"],
        index: "CLOUD_RUN_TASK_INDEX",
        numbers: Numbers::From(0, "CLOUD_RUN_TASK_COUNT"),
        cure: "run it as a job: --tasks 8",
        ..ENGINE
    },
    Engine {
        name: "Google Batch",
        markers: &["BATCH_TASK_INDEX"],
        index: "BATCH_TASK_INDEX",
        numbers: Numbers::From(0, "BATCH_TASK_COUNT"),
        cure: "give the task group a taskCount",
        ..ENGINE
    },
    Engine {
        name: "CircleCI",
        markers: &["CIRCLECI", "CIRCLE_NODE_INDEX"],
        index: "CIRCLE_NODE_INDEX",
        numbers: Numbers::From(0, "CIRCLE_NODE_TOTAL"),
        cure: "give the job a parallelism: 8",
        ..ENGINE
    },
    Engine {
        name: "Buildkite",
        markers: &["BUILDKITE", "BUILDKITE_PARALLEL_JOB"],
        index: "BUILDKITE_PARALLEL_JOB",
        numbers: Numbers::From(0, "BUILDKITE_PARALLEL_JOB_COUNT"),
        cure: "give the step a parallelism: 8",
        ..ENGINE
    },
    Engine {
        name: "Azure Pipelines",
        markers: &["TF_BUILD", "SYSTEM_JOBPOSITIONINPHASE"],
        index: "SYSTEM_JOBPOSITIONINPHASE",
        numbers: Numbers::From(1, "SYSTEM_TOTALJOBSINPHASE"),
        cure: "give the job a strategy: parallel: 8",
        ..ENGINE
    },
    Engine {
        name: "Semaphore",
        markers: &["SEMAPHORE", "SEMAPHORE_JOB_INDEX"],
        index: "SEMAPHORE_JOB_INDEX",
        numbers: Numbers::From(1, "SEMAPHORE_JOB_COUNT"),
        cure: "give the job a parallelism: 8",
        ..ENGINE
    },
    Engine {
        name: "Bitbucket",
        markers: &["BITBUCKET_BUILD_NUMBER", "BITBUCKET_PARALLEL_STEP"],
        index: "BITBUCKET_PARALLEL_STEP",
        numbers: Numbers::From(0, "BITBUCKET_PARALLEL_STEP_COUNT"),
        cure: "put the step into a group of parallel steps",
        ..ENGINE
    },
    Engine {
        name: "Heroku CI",
        markers: &["HEROKU_TEST_RUN_ID"],
        index: "CI_NODE_INDEX",
        numbers: Numbers::From(0, "CI_NODE_TOTAL"),
        cure: "give the test environment a quantity above 1 in app.json",
        ..ENGINE
    },
    Engine {
        name: "GitLab",
        markers: &["GITLAB_CI"],
        index: "CI_NODE_INDEX",
        numbers: Numbers::From(1, "CI_NODE_TOTAL"),
        cure: "give the job a parallel: 8",
        ..ENGINE
    },
    Engine {
        name: "GitHub Actions",
        markers: &["GITHUB_ACTIONS"],
        index: "",
        numbers: Numbers::From(1, ""),
        cure: "give the job a strategy: matrix: shard: [1, 2, 3, 4], and write \
               --shard ${{ matrix.shard }}/${{ strategy.job-total }}",
        ..ENGINE
    },
    // Runners of CI systems live in pods, too: so it comes last, and numbers by its own variable only.
    Engine {
        name: "Kubernetes",
        markers: &["KUBERNETES_SERVICE_HOST", "JOB_COMPLETION_INDEX"],
        index: "JOB_COMPLETION_INDEX",
        // The number of completions is in no variable by itself; the manifest may make one.
        numbers: Numbers::From(0, "JOB_COMPLETIONS"),
        cure: "give the Job completionMode: Indexed",
        ..ENGINE
    },
];

/// Gives the value of a variable.
type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The first number, the distance between two, and how many there are by which variable.
type Told = (u64, u64, Option<(u64, &'static str)>);

impl Engine {
    /// Whether it has started this process, near or far.
    pub(super) fn is_there(&self, environment: Environment<'_>) -> bool {
        self.markers.iter().any(|marker| environment(marker).is_some_and(|value| value != "false"))
    }

    /// Whether it has given this process a number.
    pub(super) fn numbers(&self, environment: Environment<'_>) -> bool {
        environment(self.index).is_some_and(|value| value != self.idle)
    }

    /// Why this process has no number, and what to do.
    pub(super) fn complaint(&self, wanted: Option<u64>) -> String {
        let Engine { name, index, cure, .. } = self;
        let missing = match *index {
            "" => "which does not number its jobs".to_owned(),
            index => format!("but {index} does not number this process"),
        };
        let count = wanted.unwrap_or(8);
        format!("--shard auto: this is {name}, {missing}; {cure}; or say which shard it is: --shard 1/{count}")
    }

    /// The shard, if `wanted` is what the user says of their number.
    pub(super) fn find(&self, environment: Environment<'_>, wanted: Option<u64>) -> Result<Shard, String> {
        let index = self.number(environment, self.index)?.expect("only an engine that numbers is asked");
        let (first, step, told) = match &self.numbers {
            Numbers::From(first, count) => (*first, 1, self.number(environment, count)?.map(|told| (told, *count))),
            Numbers::Series(series) => self.series(series, environment, wanted)?,
        };
        let count = match (told, wanted) {
            (Some((count, variable)), Some(wanted)) if count != wanted => {
                return Err(format!(
                    "--shard auto/{wanted}: {} has {count} in all, as {variable} says; \
                     write --shard auto, or which shard this is: --shard i/{wanted}",
                    self.name
                ));
            }
            (Some((count, _)), _) | (None, Some(count)) => count,
            (None, None) => {
                return Err(format!(
                    "--shard auto: {}={index} of {} says which shard this is, but not of how many; \
                     write --shard auto/n, for example auto/8",
                    self.index, self.name
                ));
            }
        };
        let distance = index.checked_sub(first).filter(|distance| distance.is_multiple_of(step));
        match distance.map(|distance| distance / step).filter(|place| *place < count) {
            Some(place) => Ok(Shard { index: place + 1, count }),
            None => Err(format!(
                "--shard auto: {}={index} of {} is out of range: there are {count} in all, from {first} on{}; {}",
                self.index,
                self.name,
                if step == 1 { String::new() } else { format!(" in steps of {step}") },
                self.cure
            )),
        }
    }

    fn series(&self, series: &Series, environment: Environment<'_>, wanted: Option<u64>) -> Result<Told, String> {
        let first = self.number(environment, series.first)?.unwrap_or(1);
        let step = self.number(environment, series.step)?.unwrap_or(1).max(1);
        let told = self.number(environment, series.count)?;
        let Some(last) = self.number(environment, series.last)? else {
            return Ok((first, step, told.map(|told| (told, series.count))));
        };
        let reach = last.checked_sub(first).ok_or_else(|| {
            format!("--shard auto: {}={last} of {} is below the first, {first}", series.last, self.name)
        })?;
        let count = (reach / step).saturating_add(1);
        if let Some(told) = told.filter(|told| *told != count) {
            return Err(format!(
                "--shard auto: {}={told} of {}, but from {first} to {last} in steps of {step} there are {count}: \
                 the numbers have gaps; {}, or say which shard this is: --shard i/{told}",
                series.count, self.name, self.cure
            ));
        }
        // Whoever submits task 3 of an array again makes an array of its own, in which 3 is the one and only.
        // Taken at its word it would play the whole range.
        if first > 1 && wanted.is_none() {
            return Err(format!(
                "--shard auto: the numbers of {} begin with {}={first}; if they are a part of an earlier array, \
                 say which shard this is: --shard {first}/8; if they are all, write --shard auto/{count}",
                self.name, series.first
            ));
        }
        Ok((first, step, Some((count, series.last))))
    }

    fn number(&self, environment: Environment<'_>, variable: &str) -> Result<Option<u64>, String> {
        let Some(value) = environment(variable) else { return Ok(None) };
        match value.trim().parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(format!("--shard auto: {variable}={value:?} of {} is no number", self.name)),
        }
    }

    /// Tells the system that its number is heeded, if it wants to know.
    pub(super) fn acknowledge(&self, environment: Environment<'_>) -> Result<(), String> {
        let Some(file) = environment(self.status) else { return Ok(()) };
        let touched = fs::OpenOptions::new().create(true).append(true).open(&file);
        touched.map(drop).map_err(|error| format!("--shard auto: cannot touch {}={file}: {error}", self.status))
    }
}
