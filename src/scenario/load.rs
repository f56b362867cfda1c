//! From files to scenarios. Every way in which that can fail is a [`Diagnostic`].

use super::diagnostic::{Complaint, Diagnostic, Source, did_you_mean};
use super::explain::flaw;
use super::layer::Layer;
use super::locate::{PathStep, path};
use super::model::Scenario;
use super::roster::{Crew, Vocabulary};
use super::text;
use crate::environment::fault::Kind;
use crate::environment::plan;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

/// The version of scenario files, the same as that of plans.
pub(super) const FORMAT: u32 = plan::FORMAT;

/// How many files one scenario may consist of: more is a mistake, or an attack.
const FILES: usize = 64;

/// How the names of files end that hold a stored plan.
pub const CAPSULE: &str = ".capsule.ron";

/// How many bytes one file may have: a device that never ends is no scenario.
const SIZE_MAX: u64 = 4 << 20;

/// What the floor above knows and the loader must ask: all about systems.
pub struct Rules<'a, S> {
    /// The names of the nodes that faults can hit with a workload, `n1` to `n5`.
    pub members: fn(&S, &plan::Workload) -> Vec<String>,
    /// How many of them are servers: the first so many.
    pub servers: fn(&S, &plan::Workload) -> usize,
    /// The name of a system in messages, `"raft"`.
    pub name: fn(&S) -> &'static str,
    /// The orders that it understands.
    pub orders: fn(&S) -> &'static [Kind],
    /// What is wrong with a scenario for reasons that only its system knows.
    pub complaints: fn(&Scenario<S>) -> Vec<Complaint>,
    /// The ids of all planted defects.
    pub exhibits: &'a [&'a str],
    /// The names that mean something in a system.
    pub vocabulary: fn(&S) -> Vocabulary,
}

/// Reads a scenario from a file.
///
/// # Errors
/// The first mistake, with its place and a cure.
pub fn load<S: DeserializeOwned + Clone>(path: &Path, rules: &Rules<S>) -> Result<Scenario<S>, Diagnostic> {
    let file = shown(path);
    if is_capsule(path) && path.is_file() {
        let help = format!("play it with: squall replay {file}");
        return Err(Diagnostic::without_place(&file, "this is a capsule, a stored run, and no scenario", help));
    }
    let text = read(path).map_err(|(message, help)| Diagnostic::without_place(&file, message, help))?;
    parse_bytes(&file, text, rules)
}

/// Reads a scenario from its text. What it extends is looked for beside a file of that name.
///
/// # Errors
/// The first mistake, with its place and a cure.
pub fn parse<S: DeserializeOwned + Clone>(name: &str, text: &str, rules: &Rules<S>) -> Result<Scenario<S>, Diagnostic> {
    parse_bytes(name, text.as_bytes().to_vec(), rules)
}

/// The name of the scenario in this file: the last two components without the extension,
/// `raft/leader-partition`, or the one there is.
pub fn name(path: &Path) -> String {
    let stem = path.file_stem().map_or_else(|| "scenario".to_owned(), |stem| stem.to_string_lossy().into_owned());
    match path.parent().and_then(Path::file_name) {
        Some(folder) => format!("{}/{stem}", folder.to_string_lossy()),
        None => stem,
    }
}

/// The scenario files among these files and folders: a folder stands for every `.ron` file in it,
/// however deep, but those in a folder named `defaults`, which are there to be extended, and capsules. Sorted
/// within each folder, no file twice.
///
/// # Errors
/// A path that does not exist or cannot be read, and a folder without scenarios.
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Diagnostic> {
    let mut found: Vec<PathBuf> = Vec::new();
    for path in paths {
        let mut here = Vec::new();
        let refused = |error: std::io::Error| {
            let (message, help) = unreadable(&error);
            Diagnostic::without_place(&shown(path), message, help)
        };
        if fs::metadata(path).map_err(refused)?.is_dir() {
            gather(path, &mut here)?;
            if here.is_empty() {
                return Err(Diagnostic::without_place(
                    &shown(path),
                    "this folder holds no scenario, no file that ends in .ron",
                    "name a scenario file, or a folder with some",
                ));
            }
        } else {
            here.push(path.clone());
        }
        here.retain(|path| !found.iter().any(|other| plain(other) == plain(path)));
        found.extend(here);
    }
    Ok(found)
}

fn gather(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Diagnostic> {
    let refused = |error: std::io::Error| {
        let (message, help) = unreadable(&error);
        Diagnostic::without_place(&shown(folder), message, help)
    };
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(refused)? {
        entries.push(entry.map_err(refused)?);
    }
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // A link to a folder is not followed: it could lead back here.
        if entry.file_type().map_err(refused)?.is_dir() {
            if entry.file_name() != "defaults" {
                gather(&path, found)?;
            }
        } else if path.extension() == Some(OsStr::new("ron")) && !is_capsule(&path) && path.is_file() {
            found.push(path);
        }
    }
    Ok(())
}

/// Whether a file is named as capsules are, stored plans that have broken something: they are no scenarios.
pub fn is_capsule(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(CAPSULE))
}

fn parse_bytes<S: DeserializeOwned + Clone>(
    name: &str,
    bytes: Vec<u8>,
    rules: &Rules<S>,
) -> Result<Scenario<S>, Diagnostic> {
    let mut reader = Reader { sources: Vec::new(), open: Vec::new() };
    let (layer, origin) = reader.layer::<S>(name, bytes)?;
    let own = &reader.sources[0];
    let mut scenario = layer.resolve().map_err(|field| {
        let (_, example) = super::examples::example_of_field(field).expect("an example of what is required");
        let also = if reader.sources.len() > 1 { ", and in what it extends" } else { "" };
        let message = format!("field `{field}` is missing in the scenario{also}");
        own.complain(Complaint::at("", message, format!("add `{field}: {example}`")))
    })?;
    let specs = scenario.faults.iter_mut().chain(scenario.phases.iter_mut().flat_map(|phase| &mut phase.faults));
    let goals = (rules.vocabulary)(&scenario.system).goals;
    specs.filter_map(|spec| spec.when.as_mut()).for_each(|when| when.resolve(&goals));
    let members = (rules.members)(&scenario.system, &scenario.workload);
    let crew = Crew { members: &members, servers: (rules.servers)(&scenario.system, &scenario.workload) };
    let mut complaints = super::check::complaints(&scenario, crew, rules);
    complaints.extend((rules.complaints)(&scenario));
    // Of several, the one that a reader meets first: in the file itself, then in its bases.
    let place = |complaint: &Complaint| {
        let file = match complaint.path.first() {
            Some(PathStep::Field(field)) => origin.get(field).copied().unwrap_or(0),
            Some(PathStep::Index(_)) | None => 0,
        };
        (file, reader.sources[file].tree.nearest(&complaint.path).map_or(0, |node| node.token().start))
    };
    match complaints.into_iter().min_by_key(place) {
        Some(complaint) => Err(reader.sources[place(&complaint).0].complain(complaint)),
        None => Ok(scenario),
    }
}

/// The files of one scenario as they are read.
struct Reader {
    /// The file itself first, then its bases in the order in which they were read.
    sources: Vec<Source>,
    /// The files that are being read, each extended by the one before.
    open: Vec<PathBuf>,
}

/// For each field at the top, the source that it comes from.
type Origin = BTreeMap<String, usize>;

impl Reader {
    fn layer<S: DeserializeOwned>(&mut self, name: &str, bytes: Vec<u8>) -> Result<(Layer<S>, Origin), Diagnostic> {
        let source = decode(name, bytes)?;
        check_version(&source)?;
        let mut own: Layer<S> = text::parse(&source)?;
        let index = self.sources.len();
        self.sources.push(source);
        self.open.push(plain(Path::new(name)));
        let (mut merged, mut origin) = (Layer::empty(), Origin::new());
        for (place, base) in std::mem::take(&mut own.extends).into_iter().enumerate() {
            let (mut layer, whence) = self.base(index, place, &base)?;
            for (field, source) in whence {
                merged.take(&mut layer, &field);
                origin.insert(field, source);
            }
        }
        self.open.pop();
        let fields: Vec<String> = self.sources[index].tree.fields(0).map(str::to_owned).collect();
        for field in fields {
            merged.take(&mut own, &field);
            origin.insert(field, index);
        }
        Ok((merged, origin))
    }

    fn base<S: DeserializeOwned>(
        &mut self,
        index: usize,
        place: usize,
        base: &str,
    ) -> Result<(Layer<S>, Origin), Diagnostic> {
        let source = &self.sources[index];
        let refuse = |message: String, help: &str| {
            source.complain(Complaint { path: path(&format!("extends[{place}]")), message, cure: help.to_owned() })
        };
        let folder = Path::new(&source.name).parent().unwrap_or(Path::new(""));
        let file = plain(&folder.join(base));
        if self.open.contains(&file) {
            return Err(refuse(
                format!("this scenario would extend itself by way of {base:?}"),
                "remove it from the circle",
            ));
        }
        if self.sources.len() >= FILES {
            return Err(refuse(format!("more than {FILES} files are extended"), "put what they say into fewer"));
        }
        if Path::new(base).is_absolute() {
            return Err(refuse(
                format!("{base:?} begins at the root of this machine's disk"),
                "write the path from this file's folder, for example \"../defaults/lan.ron\"",
            ));
        }
        let bytes = read(&file).map_err(|(message, _)| {
            refuse(
                format!("cannot extend {base:?}: {message}"),
                &format!("write the path from this file's folder, this one means {}", shown(&file)),
            )
        })?;
        self.layer(&shown(&file), bytes)
    }
}

pub(super) fn decode(name: &str, bytes: Vec<u8>) -> Result<Source, Diagnostic> {
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            return Err(Source::new(name, &text)
                .mistake(good..good + 3, "this is not UTF-8 text")
                .help("save the file as UTF-8, or name a scenario file"));
        }
    };
    // Some editors begin a file with a byte order mark; it is no part of the text.
    let source = Source::new(name, text.trim_start_matches('\u{feff}'));
    if source.tree.root().is_none() && source.tree.flaw.is_none() {
        let message = match source.text.trim() {
            "" => "this file is empty",
            _ => "this file holds no scenario, only comments",
        };
        return Err(source.mistake(0..0, message).help("begin with `(squall: 1, system: ...`"));
    }
    Ok(source)
}

/// The version comes before all else: in another version everything else may mean something else.
pub(super) fn check_version(source: &Source) -> Result<(), Diagnostic> {
    let Some(root) = source.tree.root() else {
        return Err(flaw(source).expect("a text without values is empty, or there is something wrong with it"));
    };
    if !source.text[root.name.end.max(root.span.start)..].trim_start().starts_with('(') {
        let help = match &source.text[root.token()] {
            "{" => "this looks like JSON; begin with `(squall: 1, `, and write names without quotes",
            _ => "begin with `(squall: 1, system: ...`",
        };
        return Err(source.mistake(root.token(), "this is no scenario").expected("`(` and fields").help(help));
    }
    let Some(version) = source.tree.find(&path("squall")) else {
        if let Some(flaw) = flaw(source) {
            return Err(flaw);
        }
        let misspelt = source.tree.nodes().iter().find_map(|node| {
            let help = did_you_mean(&source.text[node.key.clone()], ["squall"])?;
            Some((node.key.clone(), help))
        });
        let (span, help) = misspelt.unwrap_or_else(|| (root.token(), format!("begin with `(squall: {FORMAT}, `")));
        return Err(source.mistake(span, "the format's version is missing").help(help));
    };
    match &source.text[version.span.clone()] {
        found if found.parse() == Ok(FORMAT) => Ok(()),
        found => {
            let is_later = found.parse::<u32>().is_ok_and(|found| found > FORMAT);
            Err(source.mistake(version.token(), format!("this program reads format {FORMAT}, not {found}")).help(
                match is_later {
                    true => "use a newer squall",
                    false => "write `squall: 1`",
                },
            ))
        }
    }
}

/// The bytes of a file, or why they cannot be had, and a cure.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, (String, String)> {
    let mut text = Vec::new();
    let file = fs::File::open(path).map_err(|error| unreadable(&error))?;
    file.take(SIZE_MAX + 1).read_to_end(&mut text).map_err(|error| unreadable(&error))?;
    if text.len() as u64 > SIZE_MAX {
        let message = format!("this is no scenario: it is longer than {} MiB", SIZE_MAX >> 20);
        return Err((message, "name a scenario file".to_owned()));
    }
    Ok(text)
}

/// What is wrong with the name of an invariant of a system at this place, if something is.
pub fn known_invariant<S>(name: &str, place: &str, system: &S, rules: &Rules<S>) -> Option<Complaint> {
    let mut found = Vec::new();
    super::check::known("invariant", name, &(rules.vocabulary)(system).invariants, &[], place, &mut found);
    found.pop()
}

fn unreadable(error: &std::io::Error) -> (String, String) {
    let (message, help) = match error.kind() {
        ErrorKind::NotFound => ("there is no such file or folder", "look for a typing error in the path"),
        ErrorKind::PermissionDenied => ("this may not be read", "give yourself the right to read it"),
        ErrorKind::IsADirectory => ("this is a folder", "name a file"),
        _ => return (format!("this cannot be read: {error}"), "look for a typing error in the path".to_owned()),
    };
    (message.to_owned(), help.to_owned())
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The path without `.` and, where that is sure to mean the same, without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => {
                plain.pop();
            }
            Component::ParentDir | Component::Normal(_) | Component::RootDir | Component::Prefix(_) => {
                plain.push(component);
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests;
