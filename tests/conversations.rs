//! Conversations with lock services, as their recipes tell them, and on a ring: a scenario whose operations are spelled out, and beside
//! it what is said and done, line by line. Heartbeats, what servers say among themselves, and clocks are left out.
//!
//! `SQUALL_REWRITE=1 cargo test --test conversations` writes the files anew; read them then.

#![expect(clippy::disallowed_methods, reason = "a variable says whether files are written")]

use squall::systems::{self, BuiltIn, subject};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// What of a story is none of the reader's business.
const LEFT_OUT: [&str; 12] = [
    " timer ",
    " synced",
    " starts with ",
    "Raft(",
    "Peer(",
    "Renew {",
    "Lives(",
    "Beat",
    "Alive",
    "Attach",
    "News(",
    " notes Routed",
];

/// What is said at length, and how a reader is told it: what stands before a number, what instead, and what stands after it.
const SHORT: [(&str, &str, &str); 9] = [
    ("Call { started: 0s, number: ", "call ", " }"),
    ("ClaimId(", "", ")"),
    ("LockId(", "lock ", ")"),
    ("Rank(", "rank ", ")"),
    ("OperationId { client: ", "", ","),
    (" serial: ", "/", " }"),
    ("Version { counter: ", "version ", ","),
    (" by: ", " of ", " }"),
    ("Member { node: ", "", ","),
];

/// Of a member of a ring its name is enough: where this begins, and where it ends.
const NEEDLESS: (&str, &str) = (" identity: ", " }");

fn stories() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conversations");
    let entries = fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path());
    let mut stories: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "ron")).collect();
    stories.sort();
    stories
}

/// Numbers of many digits are random; a reader wants to know which are the same.
fn named(line: &str, seen: &mut Vec<String>) -> String {
    let (mut text, mut digits) = (String::new(), String::new());
    for letter in line.chars().chain(['\n']) {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        if digits.len() > 9 {
            let place = seen.iter().position(|number| *number == digits).unwrap_or_else(|| {
                seen.push(digits.clone());
                seen.len() - 1
            });
            text += &format!("#{}", place + 1);
        } else {
            text += &digits;
        }
        digits.clear();
        text.push(letter);
    }
    text.trim_end().to_owned()
}

/// The same line, shorter.
fn shortened(mut line: String) -> String {
    for (before, instead, after) in SHORT {
        while let Some(start) = line.find(before) {
            let rest = line[start + before.len()..].to_owned();
            let (number, rest) = rest.split_once(after).expect("what begins there also ends");
            line = format!("{}{instead}{number}{rest}", &line[..start]);
        }
    }
    while let Some(start) = line.find(NEEDLESS.0) {
        let end = start + line[start..].find(NEEDLESS.1).expect("what begins there also ends") + NEEDLESS.1.len();
        line.replace_range(start..end, "");
    }
    line
}

fn told(story: &Path) -> String {
    let scenario = systems::load::<BuiltIn>(story).unwrap_or_else(|mistake| panic!("{mistake}"));
    let plan = systems::plan(&scenario, "conversation", 0);
    let mut seen = Vec::new();
    let lines = subject::told(&plan).into_iter().filter(|told| !LEFT_OUT.iter().any(|out| told.words.contains(out)));
    lines.fold(String::new(), |text, told| {
        let ms = told.at.ns() / 1_000;
        text + &format!("{:>5}.{:03}ms  {}\n", ms / 1_000, ms % 1_000, shortened(named(&told.words, &mut seen)))
    })
}

#[test]
fn every_conversation_goes_as_it_is_written() {
    let stories = stories();
    assert!(stories.len() >= 6, "only {} conversations were found", stories.len());
    for story in stories {
        let (page, said) = (story.with_extension("txt"), told(&story));
        assert!(said.lines().count() >= 8, "{} says almost nothing:\n{said}", story.display());
        if env::var_os("SQUALL_REWRITE").is_some() {
            fs::write(&page, &said).expect("it can be written");
        }
        let written = fs::read_to_string(&page).unwrap_or_default();
        assert_eq!(said, written, "{} goes otherwise", page.display());
    }
}
