//! What the manual quotes of the program is what the program says.
//!
//! `SQUALL_REWRITE=1 cargo test --test manual` writes the quotations anew.

#![expect(
    clippy::disallowed_methods,
    reason = "a variable says whether the page is written, and the program is called"
)]

use squall::systems::raft::JudgeSettings;
use squall::systems::{self, BuiltIn, Exhibit, System};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, thread};

fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("manual").join(name)
}

fn rewrites() -> bool {
    env::var_os("SQUALL_REWRITE").is_some()
}

/// Asserts that what stands between two lines of a page is this; or writes it there.
fn quoted(page: &Path, from: &str, to: &str, said: &str) {
    let text = fs::read_to_string(page).expect("the page is there");
    let (before, rest) = text.split_once(from).unwrap_or_else(|| panic!("nothing is quoted after {from:?}"));
    let end = rest.find(to).unwrap_or(rest.len());
    if rewrites() {
        fs::write(page, format!("{before}{from}{said}{}", &rest[end..])).expect("it can be written");
    } else {
        assert_eq!(&rest[..end], said, "the manual quotes something else");
    }
}

/// One after the other, for both may be written.
#[test]
fn the_page_on_the_ring_quotes_the_program() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_squall"));
    program.current_dir(env!("CARGO_MANIFEST_DIR")).args(["show", "scenarios/ring/join-under-load.ron", "--ring"]);
    for (name, _) in env::vars().filter(|(name, _)| name.starts_with("SQUALL_")) {
        program.env_remove(name);
    }
    let output = program.output().expect("it starts");
    assert!(output.status.success(), "{output:?}");
    let page = page("ring.md");
    quoted(&page, "```text\n", "```\n", &String::from_utf8(output.stdout).expect("text"));

    let exhibits = BuiltIn::catalogue().exhibits;
    let rows = exhibits.iter().filter(|exhibit| exhibit.system == "ring").map(|exhibit| {
        let (story, source) = (exhibit.story.replace('|', "\\|"), exhibit.source.replace('|', "\\|"));
        let invariants: Vec<String> = exhibit.invariants.iter().map(|name| format!("`{name}`")).collect();
        format!("| `{}` | {story} | {} | {} | {source} |\n", exhibit.id, invariants.join(", "), exhibit.rarity)
    });
    let head = "\n| Exhibit | What it does | Breaks | How often | Source |\n|---|---|---|---|---|\n";
    quoted(&page, "compares the two.\n", "\n\n\n", &format!("{head}{}", rows.collect::<String>()));
}

/// How many seeds the page on Raft speaks of.
const SEEDS: u64 = 1_000;

/// In how many of the seeds something breaks in the scenario of an exhibit, where this one judges.
fn broken(exhibit: &Exhibit, judge: JudgeSettings) -> u64 {
    let file = page("../scenarios/museum").join(exhibit.id).with_extension("ron");
    let mut scenario = systems::load::<BuiltIn>(&file).unwrap_or_else(|mistake| panic!("{mistake}"));
    let BuiltIn::Raft(settings) = &mut scenario.system else { panic!("{} is of another system", exhibit.id) };
    settings.judge = judge;
    let breaks = |seed: &u64| {
        let plan = systems::plan(&scenario, &format!("museum/{}", exhibit.id), *seed);
        BuiltIn::play(&plan).violation().is_some()
    };
    thread::scope(|scope| {
        let count = |half: u64| (half..SEEDS).step_by(2).filter(breaks).count() as u64;
        let other = scope.spawn(move || count(1));
        count(0) + other.join().expect("it counts")
    })
}

/// A row of the table on the page on Raft, with both columns of numbers.
fn row(exhibit: &Exhibit) -> String {
    let invariants: Vec<String> = exhibit.invariants.iter().map(|name| format!("`{name}`")).collect();
    let (all, clients) = (broken(exhibit, JudgeSettings::All), broken(exhibit, JudgeSettings::Clients));
    let (story, source) = (exhibit.story.replace('|', "\\|"), exhibit.source.replace('|', "\\|"));
    let (id, invariants, rarity) = (exhibit.id, invariants.join(", "), exhibit.rarity);
    format!("| `{id}` | {story} | {invariants} | {rarity} | {all} | {clients} | {source} |\n")
}

/// Every exhibit has its row, and the rows of a few are counted again. All of them are when the page is written.
#[test]
fn the_page_on_raft_tells_who_sees_which_exhibit() {
    let exhibits: Vec<Exhibit> =
        BuiltIn::catalogue().exhibits.into_iter().filter(|exhibit| exhibit.system == "raft").collect();
    let page = page("raft.md");
    if rewrites() {
        let head = "\n| Exhibit | What it does | Breaks | How often | Squall | Clients | Source |\n|---|---|---|---|---|---|---|\n";
        let rows: String = exhibits.iter().map(row).collect();
        quoted(&page, "a client does.\n", "\n## ", &format!("{head}{rows}"));
    }
    let text = fs::read_to_string(page).expect("the page is there");
    for exhibit in &exhibits {
        let begins = format!("| `{}` | {} | ", exhibit.id, exhibit.story);
        assert_eq!(text.matches(&begins).count(), 1, "{}", exhibit.id);
    }
    for id in ["votedfor-not-persisted", "vote-cleared-by-prevote", "term-not-persisted"] {
        let exhibit = exhibits.iter().find(|exhibit| exhibit.id == id).expect("it exists");
        assert!(text.contains(&row(exhibit)), "the page says something else than {}", row(exhibit));
    }
}
