//! A sweep on disk: a manifest that says what was asked, a journal with a line a seed, and what is made of them.
//!
//! The journal only grows, in the order of the seeds. Everything else is written to a temporary name and then
//! renamed. So a sweep that was killed at any moment is a beginning of the same sweep.

use crate::environment::plan::{ENGINE, FORMAT};
use crate::kernel::digest::Digest;
use crate::run::entry::Entry;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::model::Expect;
use crate::scenario::text;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// What was asked of a sweep, and of what it was asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::cli) struct Manifest {
    /// The version of the text form.
    pub(in crate::cli) squall: u32,
    /// The scenario's name.
    pub(in crate::cli) scenario: String,
    /// The system's name.
    pub(in crate::cli) system: String,
    /// The scenario's file.
    pub(in crate::cli) file: String,
    /// `--set`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::cli) settings: Vec<String>,
    /// Stands for the scenario with all its defaults.
    pub(in crate::cli) fingerprint: String,
    /// The meaning of the seeds.
    pub(in crate::cli) engine: u32,
    /// The version of squall.
    pub(in crate::cli) version: String,
    /// Stands for the program, to the last bit.
    pub(in crate::cli) binary: String,
    /// The seeds of the whole sweep, all shards together: from the first up to, but without, the second.
    pub(in crate::cli) asked: (u64, u64),
    /// The seeds of this part of it.
    pub(in crate::cli) seeds: Vec<(u64, u64)>,
    /// What the scenario expects.
    pub(in crate::cli) expect: Expect,
    /// The goals that the system knows.
    pub(in crate::cli) goals: Vec<String>,
}

impl Manifest {
    /// The format, engine and program that write this now.
    pub(super) fn here(scenario: String, system: String, file: &Path) -> io::Result<Manifest> {
        Ok(Manifest {
            squall: FORMAT,
            scenario,
            system,
            file: file.display().to_string(),
            settings: Vec::new(),
            fingerprint: String::new(),
            engine: ENGINE,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            binary: binary()?,
            asked: (0, 0),
            seeds: Vec::new(),
            expect: Expect::Holds,
            goals: Vec::new(),
        })
    }

    /// Why a sweep that was begun as `self` cannot be gone on with as `now`.
    pub(super) fn refusal(&self, now: &Manifest) -> Option<String> {
        let differs = |what: &str, was: &dyn std::fmt::Display, is: &dyn std::fmt::Display| {
            (was.to_string() != is.to_string()).then(|| format!("{what} was {was} when it began, and is {is} now"))
        };
        let range = |(from, to): (u64, u64)| format!("{from}..{to}");
        let seeds =
            |manifest: &Manifest| manifest.seeds.iter().map(|seeds| range(*seeds)).collect::<Vec<_>>().join(" ");
        differs("the scenario", &self.scenario, &now.scenario)
            .or_else(|| differs("the engine", &self.engine, &now.engine))
            .or_else(|| differs("the version of squall", &self.version, &now.version))
            .or_else(|| differs("the fingerprint of the scenario", &self.fingerprint, &now.fingerprint))
            .or_else(|| differs("the program's own fingerprint", &self.binary, &now.binary))
            .or_else(|| differs("the range of seeds", &range(self.asked), &range(now.asked)))
            .or_else(|| differs("this shard's range of seeds", &seeds(self), &seeds(now)))
    }

    /// Reads the manifest of a folder.
    ///
    /// # Errors
    /// The mistake in it, or why it cannot be read.
    pub(in crate::cli) fn read(folder: &Path) -> Result<Manifest, Diagnostic> {
        let path = folder.join(MANIFEST);
        let name = path.display().to_string();
        let bytes = fs::read(&path).map_err(|error| {
            let cure = "name a folder that a sweep has written";
            Diagnostic::without_place(&name, format!("this cannot be read: {error}"), cure)
        })?;
        text::read(&name, bytes)
    }

    /// Writes the manifest of a folder that has none yet. Answers whether that is so: of two sweeps that begin there
    /// at one instant, one is told that it is not.
    pub(super) fn claim(&self, folder: &Path) -> io::Result<bool> {
        let path = folder.join(MANIFEST);
        let own = folder.join(format!(".{MANIFEST}.{}.tmp", std::process::id()));
        fs::write(&own, text::written(self, 1) + "\n").map_err(|error| at(&path, &error))?;
        // A link, unlike a renamed file, never takes the place of what is there.
        let linked = fs::hard_link(&own, &path);
        match linked {
            Ok(()) => fs::remove_file(&own).map(|()| true).map_err(|error| at(&own, &error)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                fs::remove_file(&own).map(|()| false).map_err(|error| at(&own, &error))
            }
            // Some disks know no links.
            Err(_) => fs::rename(&own, &path).map(|()| true).map_err(|error| at(&path, &error)),
        }
    }

    pub(in crate::cli) fn write(&self, folder: &Path) -> io::Result<()> {
        replace(&folder.join(MANIFEST), &(text::written(self, 1) + "\n"))
    }
}

/// The manifest's name in its folder.
pub(in crate::cli) const MANIFEST: &str = "manifest.ron";
const JOURNAL: &str = "journal.jsonl";

/// 32 hexadecimal digits that stand for a text.
pub(super) fn fingerprint(text: &str) -> String {
    let mut digest = Digest::new();
    add(&mut digest, text.as_bytes());
    digest.word(text.len() as u64);
    digest.to_string()
}

/// The fingerprint of the program that is running. It may be large, with all that a debugger wants: it is read in pieces.
fn binary() -> io::Result<String> {
    static BINARY: OnceLock<String> = OnceLock::new();
    if let Some(known) = BINARY.get() {
        return Ok(known.clone());
    }
    let (program, mut digest) = (File::open(std::env::current_exe()?)?, Digest::new());
    let (mut piece, mut length) = (Vec::with_capacity(PIECE), 0);
    while (&program).take(PIECE as u64).read_to_end(&mut piece)? > 0 {
        add(&mut digest, &piece);
        length += piece.len() as u64;
        piece.clear();
    }
    digest.word(length);
    Ok(BINARY.get_or_init(|| digest.to_string()).clone())
}

/// How many bytes are read at a time: whole words.
const PIECE: usize = 1 << 16;

fn add(digest: &mut Digest, bytes: &[u8]) {
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        digest.word(u64::from_le_bytes(word));
    }
}

/// Writes a file as a whole: whoever reads it sees the old text or the new one. What is no file, such as a pipe
/// or `/dev/stdout`, is written to and not replaced.
pub(in crate::cli) fn replace(path: &Path, text: &str) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return fs::write(path, text).map_err(|error| at(path, &error));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.tmp"));
    let written = fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, path));
    written.map_err(|error| {
        // Half a file under a strange name is of no use to anybody.
        let _ = fs::remove_file(&temporary);
        at(path, &error)
    })
}

/// An error that says of which file it speaks.
pub(in crate::cli) fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// The journal of one folder, open for more lines.
pub(in crate::cli) struct Journal {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Journal {
    /// Opens the journal of a folder, and hands over the entries that are there. A last line that is not whole,
    /// as after a power failure, is removed.
    ///
    /// # Errors
    /// If it cannot be read or written, if another program writes it, or if a line that is not the last is none.
    pub(in crate::cli) fn open(folder: &Path, mut each: impl FnMut(Entry) -> io::Result<()>) -> io::Result<Journal> {
        let path = folder.join(JOURNAL);
        let open = OpenOptions::new().read(true).append(true).create(true).open(&path);
        let file = open.map_err(|error| at(&path, &error))?;
        // Where locks are not to be had, as on some network disks, one must do without.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            let message = "another sweep is writing here; wait for it, or choose another --out";
            return Err(at(&path, &io::Error::new(io::ErrorKind::ResourceBusy, message)));
        }
        let whole = read(&path, &mut each)?;
        file.set_len(whole).map_err(|error| at(&path, &error))?;
        Ok(Journal { path, file: BufWriter::with_capacity(1 << 16, file) })
    }

    /// Whether a folder has one.
    pub(super) fn is_in(folder: &Path) -> bool {
        folder.join(JOURNAL).exists()
    }

    /// A new journal in place of what may be there.
    pub(in crate::cli) fn create(folder: &Path) -> io::Result<Journal> {
        let path = folder.join(JOURNAL);
        let file = File::create(&path).map_err(|error| at(&path, &error))?;
        Ok(Journal { path, file: BufWriter::with_capacity(1 << 16, file) })
    }

    /// Adds a line.
    pub(in crate::cli) fn add(&mut self, entry: &Entry) -> io::Result<()> {
        let line = serde_json::to_string(entry).expect("an entry can be written as JSON");
        writeln!(self.file, "{line}").map_err(|error| at(&self.path, &error))
    }

    /// Hands everything to the operating system.
    pub(in crate::cli) fn flush(&mut self) -> io::Result<()> {
        self.file.flush().map_err(|error| at(&self.path, &error))
    }
}

/// Reads the entries of a journal, in their order. Answers how many bytes are whole lines.
///
/// # Errors
/// If it cannot be read, or a line that is not the last is no entry.
fn read(path: &Path, each: &mut impl FnMut(Entry) -> io::Result<()>) -> io::Result<u64> {
    let mut lines = Lines::of(path)?;
    while let Some(entry) = lines.next().transpose()? {
        each(entry)?;
    }
    Ok(lines.whole)
}

/// The entries of a journal that nobody writes any more, one after the other.
pub(in crate::cli) fn entries(folder: &Path) -> io::Result<impl Iterator<Item = io::Result<Entry>> + use<>> {
    Lines::of(&folder.join(JOURNAL))
}

/// The lines of a journal, up to the last one that is whole.
struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
    line: Vec<u8>,
    number: u64,
    /// So many bytes have been whole lines.
    whole: u64,
}

impl Lines {
    fn of(path: &Path) -> io::Result<Lines> {
        let file = File::open(path).map_err(|error| at(path, &error))?;
        Ok(Lines { path: path.to_owned(), reader: BufReader::new(file), line: Vec::new(), number: 0, whole: 0 })
    }

    fn take(&mut self) -> io::Result<Option<Entry>> {
        self.line.clear();
        self.number += 1;
        let length = self.reader.read_until(b'\n', &mut self.line)? as u64;
        if self.line.last() != Some(&b'\n') {
            return Ok(None);
        }
        match serde_json::from_slice(&self.line) {
            Ok(entry) => {
                self.whole += length;
                Ok(Some(entry))
            }
            // Bytes of a last line that a power failure has left may be anything.
            Err(_) if self.reader.fill_buf()?.is_empty() => Ok(None),
            Err(error) => {
                let message = format!(
                    "line {} is no entry of a journal: {error}; play its seeds anew, with another --out",
                    self.number
                );
                Err(io::Error::new(io::ErrorKind::InvalidData, message))
            }
        }
    }
}

impl Iterator for Lines {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<io::Result<Entry>> {
        self.take().map_err(|error| at(&self.path, &error)).transpose()
    }
}
