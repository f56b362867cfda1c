//! The architecture as a test: who may import whom, which names are banned where, how long a file
//! may be; read from the text of `src/`. The two tables below are those of `ARCHITECTURE.md`, word
//! for word, so that the page cannot rot.
//!
//! Comments, texts and whatever is under `#[cfg(test)]` are not looked at.

#[path = "house/reader.rs"]
mod reader;

use reader::{Path, Source, is_within};
use std::fs;
use std::path::PathBuf;

/// Who may import whom. A room may always import itself. `*` stands for one name.
const ARROWS: &str = "\
main                   -> cli, systems
cli                    -> systems, report, scenario, run, servers, placement, oracle, environment::fault, environment::plan, environment::text, kernel
systems                -> protocols, protocol, servers, placement, run, scenario, environment, kernel
check                  -> systems, run, scenario, oracle, environment, kernel
report                 -> run::outcome, run::signature, run::tally, run::curve, run::story, run::likelihood, run::watch, environment::plan, placement
run                    -> world, trace, oracle, protocol, environment, kernel
world                  -> trace, oracle, protocol, environment, kernel
protocols              -> servers, placement, oracle::linearizable, protocol, kernel
protocols::*::spec     -> oracle::spec, environment::plan
protocols::*::oracle   -> oracle::spec, environment::disk
scenario               -> environment, kernel
trace                  -> protocol, environment, kernel
oracle                 -> protocol, environment, kernel
protocol               -> kernel
environment            -> kernel
servers                -> kernel
placement              -> kernel
kernel                 -> nothing
";

/// Which names stand where only, and why.
const BANS: &str = "\
HashMap, HashSet, RandomState, DefaultHasher  -> nowhere: their order differs from run to run
f32, f64                                      -> environment::text, servers::redis::double, scenario::diagnostic, report, cli: they round
Instant, SystemTime                           -> run::sweep, cli: a run has virtual time only
std::thread, std::net                         -> run::sweep, run::twice, run::shrink::crew, check::variables, cli: a run is one thread that talks to nobody
Mutex, RwLock, Condvar, mpsc, atomic          -> run::sweep, run::twice, run::shrink::crew, cli: a world shares nothing
Rc, RefCell, UnsafeCell                       -> nowhere: a world is a value that can be cloned and sent
std::cell, std::sync::Once, OnceLock, LazyLock -> run::play, cli: a world is a value, and nothing outlives it
static, thread_local!                         -> run::play, cli: a run leaves nothing behind
std::fs                                       -> scenario::load, cli: only these open files
std::env                                      -> check::variables, cli: only who is called looks at its surroundings
std::process                                  -> main, cli: only the program ends
println!, print!, eprintln!, eprint!, dbg!    -> check, cli: only these are read by somebody
async, await                                  -> nowhere: handlers answer at once
unsafe                                        -> nowhere: speed comes from the design
";

/// The most lines of a file whose head does not speak of its lines.
const LINES: usize = 500;

/// One line of a table: some names, what they may, and a reason.
struct Rule<'a> {
    subjects: Vec<&'a str>,
    places: Vec<&'a str>,
    reason: &'a str,
}

fn rules(table: &str) -> impl Iterator<Item = Rule<'_>> {
    table.lines().map(|line| {
        let (subjects, rest) = line.split_once("->").expect("an arrow");
        let (places, reason) = rest.split_once(": ").unwrap_or((rest, ""));
        let list = |text| str::split(text, ',').map(str::trim).collect();
        let mut places: Vec<&str> = list(places);
        places.retain(|place| !matches!(*place, "nothing" | "nowhere"));
        Rule { subjects: list(subjects), places, reason }
    })
}

/// What is wrong with a file, each with its line, in the order of the lines.
fn complaints(file: &str, text: &str) -> Vec<String> {
    let source = Source::read(file, text);
    let mut found = Vec::new();
    if !text.starts_with("//! ") {
        found.push((1, "the first line does not say what the file is: begin with `//! `".to_owned()));
    }
    let (count, mut head) = (text.lines().count(), text.lines().take_while(|line| line.starts_with("//!")));
    if count > LINES && !head.any(|line| line.contains("lines")) {
        let says = "look for the second idea in it, or let its head say why it has so many lines";
        found.push((count, format!("the file has {count} lines, {LINES} is the limit: {says}")));
    }
    found.extend(source.paths.iter().filter_map(|path| Some((path.line, wrong_arrow(&source.module, path)?))));
    for Rule { subjects, places, reason } in rules(BANS) {
        if places.iter().any(|place| is_within(&source.module, place)) {
            continue;
        }
        for name in subjects {
            let only = if places.is_empty() { "nowhere".to_owned() } else { format!("only in {}", places.join(", ")) };
            let said = format!("`{name}` may stand {only}: {reason}");
            found.extend(source.lines_with(name).into_iter().map(|line| (line, said.clone())));
        }
    }
    found.sort();
    found.dedup();
    found.into_iter().map(|(line, says)| format!("{file}:{line}: {says}")).collect()
}

/// The forbidden arrow of a path that leads to another room, if it is one.
fn wrong_arrow(module: &[String], path: &Path) -> Option<String> {
    let Path { target, .. } = path;
    let here = module.first().map_or("lib", String::as_str);
    let Some(there) = path.in_crate.then_some(target)?.first() else {
        return Some(format!("{here} -> everything: name the room, and what you need of it"));
    };
    if here == there {
        return None;
    }
    let mine = rules(ARROWS).filter(|rule| is_within(module, rule.subjects[0]));
    let allowed: Vec<&str> = mine.flat_map(|rule| rule.places).collect();
    if allowed.iter().any(|place| is_within(target, place)) {
        return None;
    }
    let allowed = if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") };
    Some(format!("{here} -> {there} (`crate::{}`): {} may import {allowed}", target.join("::"), place_of(module)))
}

fn place_of(module: &[String]) -> String {
    if module.is_empty() { "lib".to_owned() } else { module.join("::") }
}

/// Every file of `src/` that is not only there for tests, with its text.
fn files() -> Vec<(String, String)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let (mut folders, mut files) = (vec![root.join("src")], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).expect("within").to_string_lossy().replace('\\', "/");
                files.push((name, fs::read_to_string(&path).expect("text")));
            }
        }
    }
    let tests: Vec<Vec<String>> = files.iter().flat_map(|(file, text)| Source::read(file, text).tests).collect();
    let is_test = |file: &str| tests.iter().any(|test| reader::module_of(file).starts_with(test));
    files.retain(|(file, _)| !is_test(file));
    files.sort();
    files
}

fn page(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_house_is_in_order() {
    let files = files();
    assert!(files.len() > 40, "only {} files were found", files.len());
    let found: Vec<String> = files.iter().flat_map(|(file, text)| complaints(file, text)).collect();
    assert!(found.is_empty(), "the rules are in ARCHITECTURE.md; these lines break them:\n{}", found.join("\n"));
}

#[test]
fn every_room_has_a_line_in_the_table() {
    for (file, _) in files() {
        let Some(room) = reader::module_of(&file).into_iter().next() else { continue };
        assert!(rules(ARROWS).any(|rule| rule.subjects == [room.as_str()]), "{file}: {room} is not in the table");
    }
}

#[test]
fn the_page_has_the_tables_of_this_test() {
    let page = page("ARCHITECTURE.md");
    for table in [ARROWS, BANS] {
        let block = format!("```text\n{table}```");
        assert!(page.contains(&block), "ARCHITECTURE.md does not contain this table of tests/house.rs:\n{block}");
    }
}

#[test]
fn the_readmes_first_commands_are_what_the_checks_run() {
    let (readme, checks) = (page("README.md"), page(".ci/run"));
    let mut commands = readme.split("```sh\n").skip(1).flat_map(|rest| rest.lines().next());
    for expected in ["cargo run --release -- run scenarios", "cargo test"] {
        assert_eq!(commands.next(), Some(expected), "the README's first two commands");
        assert!(checks.lines().any(|line| line.ends_with(expected)), ".ci/run does not run `{expected}`");
    }
}

/// Every arrow that is not in the table is refused, every other is not.
#[test]
fn the_table_bites() {
    let rooms: Vec<&str> = rules(ARROWS).map(|rule| rule.subjects[0]).filter(|room| !room.contains("::")).collect();
    for here in &rooms {
        let allowed = rules(ARROWS).find(|rule| rule.subjects == [*here]).expect("a line").places;
        for there in &rooms {
            let forged = format!("//! Forged.\n\nuse crate::{there}::forged::Thing;\n");
            let found = complaints(&format!("src/{here}/forged.rs"), &forged);
            assert_eq!(found.is_empty(), here == there || allowed.contains(there), "{here} -> {there}: {found:?}");
            assert!(found.iter().all(|says| says.starts_with(&format!("src/{here}/forged.rs:3: {here} -> {there} "))));
        }
    }
}

/// Every banned name is refused where it may not stand, and only there.
#[test]
fn the_bans_bite() {
    for Rule { subjects, places, reason } in rules(BANS) {
        for name in subjects {
            let forged = match name {
                "static" => "//! Forged.\n\nstatic FORGED: u8 = 0;\n".to_owned(),
                _ if name.ends_with('!') => format!("//! Forged.\n\nfn forged() {{ {name}(); }}\n"),
                _ => format!("//! Forged.\n\nfn forged() {{ {name}::forged(); }}\n"),
            };
            let found = complaints("src/world/forged.rs", &forged);
            assert_eq!(found, [format!("src/world/forged.rs:3: {}", found[0].split_once(":3: ").expect("a place").1)]);
            assert!(found[0].contains(&format!("`{name}`")) && found[0].ends_with(reason), "{found:?}");
            for place in &places {
                let file = format!("src/{}.rs", place.replace("::", "/"));
                assert_eq!(complaints(&file, &forged), [""; 0]);
            }
        }
    }
}

#[test]
fn an_arrow_is_found_however_it_is_written() {
    for (file, forged, arrow) in [
        ("src/kernel/forged.rs", "use crate::{\n    world::World,\n};", "kernel -> world (`crate::world::World`)"),
        ("src/kernel/forged.rs", "use crate::kernel::time::Time;\nuse crate::world;", "kernel -> world"),
        ("src/kernel/forged.rs", "fn f(_: crate::world::World) {}", "kernel -> world"),
        ("src/kernel/forged.rs", "fn f() { g::<crate::world::World>(&crate::kernel::A); }", "kernel -> world"),
        ("src/kernel/forged.rs", "use super::super::world::World;", "kernel -> world"),
        ("src/kernel/a/forged.rs", "fn f() { super::super::super::world::f(); }", "kernel -> world"),
        ("src/kernel/forged.rs", "mod inner { use super::super::super::world::World; }", "kernel -> world"),
        ("src/kernel/forged.rs", "pub use crate::{world as other};", "kernel -> world"),
        ("src/kernel/forged.rs", "use crate::*;", "kernel -> everything"),
        ("src/kernel/forged.rs", "use crate as all;", "kernel -> everything"),
        ("src/kernel/forged.rs", "pub(in crate::kernel) fn f() { $crate::world::f() }", "kernel -> world"),
        (
            "src/report/forged.rs",
            "use crate::run::{outcome::Outcome, play::play};",
            "report -> run (`crate::run::play::play`)",
        ),
        ("src/report/forged.rs", "use crate::run;", "report -> run"),
        ("src/protocols/raft/node.rs", "use crate::oracle::spec::Oracle;", "protocols -> oracle"),
        ("src/protocols/raft/node.rs", "use crate::environment::disk::Disk;", "protocols -> environment"),
        ("src/protocols/raft/oracle/logs.rs", "use crate::environment::plan::Plan;", "protocols -> environment"),
        ("src/main.rs", "use squall::world::World;", "main -> world"),
        ("src/lib.rs", "pub use crate::world::World;", "lib -> world"),
        ("src/kernel/forged.rs", "use crate::World;", "kernel -> World"),
    ] {
        let found = complaints(file, &format!("//! Forged.\n{forged}\n"));
        assert_eq!(found.len(), 1, "{forged}: {found:?}");
        assert!(found[0].contains(arrow), "{forged}: {}", found[0]);
    }
}

#[test]
fn a_ban_is_found_however_it_is_written() {
    for (forged, name) in [
        ("use std::{collections::{BTreeMap, HashMap as Map}};", "HashMap"),
        ("use std::{env, fmt};", "std::env"),
        ("use std::sync;", "std::sync::Once"),
        ("use std as s;", "std::"),
        ("use std::*;", "std::"),
        ("use ::std::thread;", "std::thread"),
        ("use std::{thread::{self, spawn}};", "std::thread"),
        ("const HALF: u64 = (0.5 * 4) as u64;", "f64"),
        ("const HALF: u64 = 1e-3 as u64;", "f64"),
        ("fn f(x: &'static str) -> u8 { static mut X: u8 = 1; X }", "static"),
        ("async fn f() {}", "async"),
        ("/* a /* nested */ comment */ fn f() { unsafe {} }", "unsafe"),
        ("fn f() { let quote = '\"'; std::fs::read(\"x\"); }", "std::fs"),
        ("#[cfg(test)]\nmod tests { fn f() { { } } }\nfn g() { println!(); }", "println!"),
        ("#[cfg(test)]\nuse std::fs;\nfn g() { std::env::var(\"X\"); }", "std::env"),
    ] {
        let found = complaints("src/kernel/forged.rs", &format!("//! Forged.\n{forged}\n"));
        assert!(
            !found.is_empty() && found.iter().all(|says| says.contains(&format!("`{name}"))),
            "{forged}: {found:?}"
        );
    }
}

#[test]
fn what_is_no_code_and_what_is_for_tests_may_say_anything() {
    for sound in [
        "// use crate::world::World;",
        "/// use crate::world::World; println!(); HashMap",
        "/* use crate::world::World; /* unsafe */ static */",
        "const A: &str = \"use crate::world::World; \\\" unsafe\";",
        "const A: &str = r#\"use crate::world::World; \" unsafe\"#;",
        "#[cfg(test)]\nmod tests { use crate::world::World; fn f() -> f64 { println!(); 0.5 } }",
        "#[cfg(test)]\n#[path = \"x\"]\nmod tests { use crate::world::World; }",
        "#[cfg(test)]\nuse crate::{world::World};",
        "mod inner { use super::super::time::Time; }",
        "enum Schedule { Once, Every }",
        "fn f() -> impl Sized + use<> {}",
        "fn f<'a>(x: &'static str, y: (u8, (u8, u8))) { y.1.0; 0..5; '\\''; b'x'; x.1; 0xe5; }",
        "use std::time::Duration; use std::sync::Arc; use std::io::ErrorKind;",
    ] {
        assert_eq!(complaints("src/kernel/forged.rs", &format!("//! Forged.\n{sound}\n")), [""; 0], "{sound}");
    }
}

#[test]
fn a_file_says_what_it_is_and_is_not_too_long() {
    let long = "\n".repeat(LINES);
    assert_eq!(complaints("src/kernel/forged.rs", "use std::fmt;\n").len(), 1);
    assert_eq!(complaints("src/kernel/forged.rs", &format!("//! Forged.{long}")), [""; 0]);
    let found = complaints("src/kernel/forged.rs", &format!("//! Forged.{long}\n"));
    assert!(found.len() == 1 && found[0].starts_with("src/kernel/forged.rs:501: "), "{found:?}");
    assert_eq!(
        complaints("src/kernel/forged.rs", &format!("//! A table.\n//! A line a thing, so many lines.{long}")),
        [""; 0]
    );
}
