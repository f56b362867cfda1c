//! Whether the bookkeeping of a sweep is felt: `squall sweep` beside a bare loop of the library, each in a process
//! of its own, in turn; medians of paired ratios. And what a million seeds need of memory.
//!
//! `cargo bench --bench sweep`

#![allow(clippy::disallowed_methods, missing_docs, reason = "a bench reads the clock and starts processes")]

use squall::systems::{self, BuiltIn, System};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use std::{env, fs};

const ROUNDS: usize = 7;
const SEEDS: u64 = 4_000;
const STORM: &str = "scenarios/raft/storm.ron";

fn main() {
    let words: Vec<String> = env::args().collect();
    if let Some(place) = words.iter().position(|word| word == "loop") {
        return bare_loop(words[place + 1].parse().expect("a number"), words[place + 2].parse().expect("a number"));
    }
    if !Path::new(STORM).is_file() {
        println!("{STORM} is not here: run this from the project's folder");
        return;
    }
    let folder = env::temp_dir().join(format!("squall-bench-sweep-{}", std::process::id()));
    compare("one thread", 1, &folder);
    compare("two threads", 2, &folder);
    million(&folder);
    let _ = fs::remove_dir_all(&folder);
}

/// What a user's own loop would be.
fn bare_loop(from: u64, to: u64) {
    let scenario = systems::load::<BuiltIn>(Path::new(STORM)).expect("a scenario");
    let failed =
        (from..to).filter(|seed| BuiltIn::play(&systems::plan(&scenario, "raft/storm", *seed)).violation().is_some());
    assert_eq!(failed.count(), 0, "the storm breaks nothing");
}

fn compare(title: &str, threads: u64, folder: &Path) {
    let mut ratios = Vec::new();
    let (mut swept, mut looped) = (f64::MAX, f64::MAX);
    for round in 0..=ROUNDS {
        let _ = fs::remove_dir_all(folder);
        let since = Instant::now();
        wait(sweep(threads, folder));
        let sweep = since.elapsed().as_secs_f64();
        let since = Instant::now();
        let loops: Vec<Child> = (0..threads).map(|part| looping(part * SEEDS, (part + 1) * SEEDS)).collect();
        loops.into_iter().for_each(wait);
        let bare = since.elapsed().as_secs_f64();
        // The first round warms up.
        if round > 0 {
            ratios.push(bare / sweep);
            (swept, looped) = (swept.min(sweep), looped.min(bare));
        }
    }
    ratios.sort_by(f64::total_cmp);
    let seeds = (threads * SEEDS) as f64;
    println!(
        "{title}: sweep {:.0} seeds/s, bare loop {:.0} seeds/s; the sweep has {:.1} % of its throughput",
        seeds / swept,
        seeds / looped,
        100.0 * ratios[ratios.len() / 2]
    );
}

fn sweep(threads: u64, folder: &Path) -> Child {
    let (jobs, count) = (threads.to_string(), (threads * SEEDS).to_string());
    let words = ["sweep", STORM, "-q", "-j", &jobs, "--count", &count, "--out"];
    Command::new(env!("CARGO_BIN_EXE_squall")).args(words).arg(folder).spawn().expect("it starts")
}

fn looping(from: u64, to: u64) -> Child {
    let own = env::current_exe().expect("this program");
    Command::new(own).args(["loop", &from.to_string(), &to.to_string()]).spawn().expect("it starts")
}

fn wait(mut child: Child) {
    assert!(child.wait().expect("it ends").success());
}

/// A million seeds of the shortest story there is.
fn million(folder: &Path) {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).expect("a folder");
    let scenario: PathBuf = folder.join("short.ron");
    let text = "(squall: 1, system: Raft(nodes: 1), workload: (clients: 1, rate: \"20/s\", until: \"400ms\"))";
    fs::write(&scenario, text).expect("a file");
    let since = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_squall"))
        .args(["sweep", "-q", "--count", "1000000", "--out"])
        .args([folder.join("out"), scenario])
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait().expect("a child").is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        most = most.max(peak.unwrap_or(0_u64));
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    println!("1,000,000 short seeds: {:.1} s, at most {} MB of memory", since.elapsed().as_secs_f64(), most / 1_000);
}
