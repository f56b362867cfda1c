//! The program as those of its tests run it that give it recorded files.

use std::fs;
use std::path::Path;
use std::process::Command;

/// What the program wrote, and its exit code.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: Option<i32>,
}

/// The program with these words.
pub(crate) fn squall(words: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_squall"));
    command.env_remove("SQUALL_FORMAT").env_remove("SQUALL_COLOR").env_remove("CLICOLOR_FORCE");
    let output = command.args(words).output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Said { out: text(output.stdout), err: text(output.stderr), code: output.status.code() }
}

/// A file that was recorded, in this folder of the tests.
pub(crate) fn recorded(folder: &str, file: &str) -> String {
    format!("{}/tests/{folder}/{file}", env!("CARGO_MANIFEST_DIR"))
}

/// A new file with these bytes, by its path.
pub(crate) fn file(folder: &str, name: &str, bytes: &[u8]) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(name), bytes).expect("a file");
    folder.join(name).to_str().expect("a plain path").to_owned()
}
