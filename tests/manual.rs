//! What the manual quotes of the program is what the program says.
//!
//! `SQUALL_REWRITE=1 cargo test --test manual` writes the quotations anew.

#![expect(
    clippy::disallowed_methods,
    reason = "a variable says whether the page is written, and the program is called"
)]

use squall::systems::{BuiltIn, System};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("manual/ring.md")
}

/// Asserts that what stands between two lines of the page is this; or writes it there.
fn quoted(from: &str, to: &str, said: &str) {
    let text = fs::read_to_string(page()).expect("the page is there");
    let (before, rest) = text.split_once(from).unwrap_or_else(|| panic!("nothing is quoted after {from:?}"));
    let end = rest.find(to).unwrap_or(rest.len());
    if env::var_os("SQUALL_REWRITE").is_some() {
        fs::write(page(), format!("{before}{from}{said}{}", &rest[end..])).expect("it can be written");
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
    quoted("```text\n", "```\n", &String::from_utf8(output.stdout).expect("text"));

    let exhibits = BuiltIn::catalogue().exhibits;
    let rows = exhibits.iter().filter(|exhibit| exhibit.system == "ring").map(|exhibit| {
        let (story, source) = (exhibit.story.replace('|', "\\|"), exhibit.source.replace('|', "\\|"));
        let invariants: Vec<String> = exhibit.invariants.iter().map(|name| format!("`{name}`")).collect();
        format!("| `{}` | {story} | {} | {} | {source} |\n", exhibit.id, invariants.join(", "), exhibit.rarity)
    });
    let head = "\n| Exhibit | What it does | Breaks | How often | Source |\n|---|---|---|---|---|\n";
    quoted("compares the two.\n", "\n\n\n", &format!("{head}{}", rows.collect::<String>()));
}
