//! Every wrong scenario gets a message that says where, what, and what to do. Beside each
//! `tests/bad_scenarios/NAME.ron` stands `NAME.expected`, the message on one line.
//! `SQUALL_REWRITE=1` writes them anew; then read each as somebody who has never seen the format.

#![expect(clippy::disallowed_methods, reason = "a variable says whether to rewrite what is expected")]

mod messages {
    use squall::scenario::load::find;
    use squall::systems::{BuiltIn, load};
    use std::path::{Path, PathBuf};
    use std::{env, fs};

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad_scenarios")
    }

    /// The message for a file, with the path from this folder.
    fn message(file: &Path) -> String {
        match load::<BuiltIn>(file) {
            Ok(_) => "no mistake was found".to_owned(),
            Err(mistake) => {
                assert!(mistake.source.get(mistake.span.clone()).is_some(), "{mistake} points beside the text");
                mistake.to_string().replace(&format!("{}/", folder().display()), "")
            }
        }
    }

    fn wrong_files() -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = fs::read_dir(folder())
            .expect("the folder is there")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "ron"))
            .collect();
        files.sort();
        files
    }

    #[test]
    fn every_mistake_has_its_message() {
        let rewrite = env::var_os("SQUALL_REWRITE").is_some();
        let mut different = Vec::new();
        for file in wrong_files() {
            let found = format!("{}\n", message(&file));
            let beside = file.with_extension("expected");
            if rewrite {
                fs::write(&beside, &found).expect("it can be written");
            }
            let expected = fs::read_to_string(&beside).unwrap_or_default();
            if found != expected {
                different.push(format!("expected {expected}   found {found}"));
            }
        }
        assert!(different.is_empty(), "{}\nrewrite them with SQUALL_REWRITE=1", different.join("\n"));
    }

    #[test]
    fn no_message_stands_for_a_scenario_that_is_gone() {
        for entry in fs::read_dir(folder()).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "expected") {
                assert!(path.with_extension("ron").exists(), "{} explains nothing", path.display());
            }
        }
    }

    #[test]
    fn every_message_is_one_line_in_small_letters_with_a_cure_and_no_full_stop() {
        for file in wrong_files() {
            let message = message(&file);
            let (place, text) = message.split_once(": ").expect("a place and a message");
            assert!(place.contains(".ron"), "{message}");
            assert!(!message.contains('\n'), "{message:?} has several lines");
            assert!(!text.ends_with('.') && !text.starts_with(char::is_uppercase), "{message}");
            assert!(text.contains("; ") || text.contains(", expected "), "{message} has no cure");
        }
    }

    #[test]
    fn a_path_that_leads_nowhere_is_said_to_without_a_position() {
        let message = message(&folder().join("no-such-file.ron"));
        assert_eq!(message, "no-such-file.ron: there is no such file or folder; look for a typing error in the path");
        let mistake = find(&[folder().join("nowhere")]).unwrap_err();
        assert_eq!((mistake.line, mistake.column), (0, 0));
    }

    #[test]
    fn a_folder_stands_for_its_scenarios_but_not_for_its_defaults() {
        let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("a_folder_stands");
        let _ = fs::remove_dir_all(&root);
        for file in ["raft/b.ron", "raft/a.ron", "raft/deep/c.ron", "defaults/lan.ron", "notes.txt"] {
            let path = root.join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, "").expect("a file");
        }
        fs::create_dir_all(root.join("empty/defaults")).expect("a folder");
        let named = |paths: &[&str]| -> Vec<String> {
            let paths: Vec<PathBuf> = paths.iter().map(|path| root.join(path)).collect();
            let found = find(&paths).unwrap_or_else(|mistake| panic!("{mistake}"));
            found.iter().map(|path| path.strip_prefix(&root).expect("inside").display().to_string()).collect()
        };
        assert_eq!(named(&[""]), ["raft/a.ron", "raft/b.ron", "raft/deep/c.ron"]);
        assert_eq!(named(&["raft/b.ron", "raft/./b.ron", "raft"]), ["raft/b.ron", "raft/a.ron", "raft/deep/c.ron"]);
        assert_eq!(named(&["defaults"]), ["defaults/lan.ron"]);
        let mistake = find(&[root.join("empty")]).unwrap_err();
        assert!(mistake.message.contains("holds no scenario"), "{mistake}");
    }
}

mod extremes {
    use squall::scenario::load::find;
    use squall::scenario::locate::{PathStep, Tree};
    use squall::systems::{self, BuiltIn};
    use std::collections::BTreeSet;
    use std::fs;
    use std::panic::catch_unwind;
    use std::path::Path;

    const NUMBERS: [&str; 5] = ["0", "65535", "4294967295", "9223372036854775807", "18446744073709551615"];
    const TEXTS: [&str; 6] = ["0s", "1ns", "87600h", "5124095h", "100%", "18446744073709551615ns"];

    /// Each number and each span of each kind of thing, once, in a scenario that is otherwise sound.
    #[test]
    fn no_number_is_so_large_or_small_that_a_scenario_is_answered_by_a_panic() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (mut tried, mut refused) = (BTreeSet::new(), 0);
        for file in find(&[root.join("scenarios")]).unwrap_or_else(|mistake| panic!("{mistake}")) {
            let text = fs::read_to_string(&file).expect("it can be read");
            let tree = Tree::of(&text);
            for (place, node) in tree.nodes().iter().enumerate() {
                let value = &text[node.span.clone()];
                let extremes: &[&str] =
                    match value.trim_start_matches('"').starts_with(|sign: char| sign.is_ascii_digit()) {
                        true if value.starts_with('"') => &TEXTS,
                        true => &NUMBERS,
                        false => continue,
                    };
                // The names around it say what it is a number of.
                let around = std::iter::successors(tree.around(node), |inner| tree.around(inner));
                let kinds: Vec<&str> = around.map(|inner| &text[inner.name.clone()]).collect();
                let steps = tree.path_to(place).into_iter().filter(|step| matches!(step, PathStep::Field(_)));
                if !tried.insert(format!("{kinds:?} {:?}", steps.collect::<Vec<_>>())) {
                    continue;
                }
                for extreme in extremes {
                    let quote = if value.starts_with('"') { "\"" } else { "" };
                    let (before, after) = (&text[..node.span.start], &text[node.span.end..]);
                    let changed = format!("{before}{quote}{extreme}{quote}{after}");
                    let name = file.display().to_string();
                    let planned = catch_unwind(|| {
                        let scenario = systems::parse::<BuiltIn>(&name, &changed);
                        scenario.map(|scenario| systems::plan(&scenario, "extreme", 0)).is_ok()
                    });
                    refused += usize::from(!planned.unwrap_or_else(|_| panic!("{name} with {extreme} for {value}")));
                }
            }
        }
        assert!(tried.len() > 150 && refused > 500, "{} places, {refused} refused", tried.len());
    }
}
