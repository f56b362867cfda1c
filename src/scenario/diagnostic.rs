//! A mistake in a scenario file: where, what, and what to do about it.

use super::locate::{PathStep, Tree, path, path_text};
use std::fmt;
use std::ops::Range;

/// A mistake, told so that it can be mended without a manual. Displayed on one line,
/// `file:line:column: message, expected this; cure`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// The file, as the user named it.
    pub file: Box<str>,
    /// The line, from 1; 0 if the mistake is not in the text, a missing file for example.
    pub line: usize,
    /// The column in characters, from 1; 0 if the mistake is not in the text.
    pub column: usize,
    /// The offending bytes of `source`; empty if the mistake is not in the text.
    pub span: Range<usize>,
    /// The whole text of the file, but a byte order mark; empty if it could not be read.
    pub source: Box<str>,
    /// What is wrong: lowercase, no full stop.
    pub message: Box<str>,
    /// What could stand there, if that can be said.
    pub expected: Option<Box<str>>,
    /// The cure, if there is more to say than what was expected.
    pub help: Option<Box<str>>,
}

impl std::error::Error for Diagnostic {}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if self.line > 0 {
            write!(f, "{}:{}:", self.line, self.column)?;
        }
        write!(f, " {}", self.message)?;
        if let Some(expected) = &self.expected {
            write!(f, ", expected {expected}")?;
        }
        if let Some(help) = &self.help {
            write!(f, "; {help}")?;
        }
        Ok(())
    }
}

impl Diagnostic {
    /// A mistake that is not in a text: a file that is missing or cannot be read.
    pub fn without_place(file: &str, message: impl Into<String>, help: impl Into<String>) -> Diagnostic {
        Diagnostic {
            file: file.into(),
            line: 0,
            column: 0,
            span: 0..0,
            source: "".into(),
            message: message.into().into(),
            expected: None,
            help: Some(help.into().into()),
        }
    }

    /// Adds the cure.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into().into());
        self
    }

    /// Adds what could stand there.
    pub fn expected(mut self, expected: impl Into<String>) -> Diagnostic {
        self.expected = Some(expected.into().into());
        self
    }
}

/// Two fields, or a field and the world, that cannot both be right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Complaint {
    /// The field that is easiest to change.
    pub path: Vec<PathStep>,
    /// What is wrong: lowercase, no full stop.
    pub message: String,
    /// What to do about it.
    pub cure: String,
}

impl Complaint {
    /// A complaint about the field at a path such as `faults[2].until`.
    pub fn at(place: &str, message: impl Into<String>, cure: impl Into<String>) -> Complaint {
        Complaint { path: path(place), message: message.into(), cure: cure.into() }
    }
}

/// A file that was read, and what stands where in it.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) tree: Tree,
}

impl Source {
    pub(super) fn new(name: &str, text: &str) -> Source {
        Source { name: name.to_owned(), text: text.to_owned(), tree: Tree::of(text) }
    }

    /// A mistake at these bytes.
    pub(super) fn mistake(&self, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        let before = &self.text[..span.start];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Diagnostic {
            file: self.name.as_str().into(),
            line: 1 + before.matches('\n').count(),
            column: 1 + before[line_start..].chars().count(),
            span,
            source: self.text.as_str().into(),
            message: message.into().into(),
            expected: None,
            help: None,
        }
    }

    /// The mistake that a complaint is about. Points at the value, or if the field is not written
    /// at what is nearest around it.
    pub(super) fn complain(&self, complaint: Complaint) -> Diagnostic {
        let span = self.tree.nearest(&complaint.path).map_or(0..0, |node| node.token());
        self.mistake(span, complaint.message).help(complaint.cure)
    }
}

/// The candidate that was probably meant, if one is close.
pub fn suggest<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |name: &str| name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let found = plain(found);
    let meant = SYNONYMS.iter().find(|(word, _)| *word == found).map(|(_, meant)| *meant);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let name = plain(candidate);
            let distance = strsim::damerau_levenshtein(&found, &name);
            let is_near = distance <= (found.len().max(name.len()) / 3).max(1)
                || (found.len() > 2 && name.len() > 2 && (name.starts_with(&found) || found.starts_with(&name)))
                || (found.len() > 2 && strsim::jaro_winkler(&found, &name) >= 0.9);
            match meant == Some(candidate) {
                true => Some((0, candidate)),
                false => is_near.then_some((distance, candidate)),
            }
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Words that people use for ours.
const SYNONYMS: [(&str, &str); 25] = [
    ("half", "Halves"),
    ("crash", "Kill"),
    ("restart", "Kill"),
    ("freeze", "Pause"),
    ("stop", "Pause"),
    ("gc", "Pause"),
    ("hang", "Pause"),
    ("drop", "Loss"),
    ("hold", "Clog"),
    ("swizzleclog", "Swizzle"),
    ("throttle", "Bandwidth"),
    ("erase", "Wipe"),
    ("bump", "ClockJump"),
    ("skew", "ClockDrift"),
    ("fsync", "DiskError"),
    ("slow", "Delay"),
    ("latency", "Delay"),
    ("split", "Partition"),
    ("droprate", "loss"),
    ("delay", "latency"),
    ("duration", "lasts"),
    ("length", "lasts"),
    ("end", "until"),
    ("trigger", "when"),
    ("seconds", "until"),
];

/// `did you mean ...?`, if a candidate is close.
pub(super) fn did_you_mean<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    suggest(found, candidates).map(|meant| format!("did you mean `{meant}`?"))
}

/// The names as a choice: `a`, `b` or `c`.
pub(super) fn one_of<T: AsRef<str>>(names: &[T]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match quoted.as_slice() {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}

/// A path as a reader sees it, or what the whole is called.
pub(super) fn spoken(path: &[PathStep]) -> String {
    match path {
        [] => "the scenario".to_owned(),
        _ => format!("`{}`", path_text(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_close_is_suggested_and_what_is_not_is_not() {
        let names = ["latency", "loss", "duplicate"];
        assert_eq!(suggest("latncy", names), Some("latency"));
        assert_eq!(suggest("Loss", names), Some("loss"));
        assert_eq!(suggest("dup", names), Some("duplicate"));
        assert_eq!(suggest("bandwidth", names), None);
        assert_eq!(suggest("restart-after", ["target", "restart_after"]), Some("restart_after"));
        assert_eq!(suggest("Crash", ["Partition", "Kill"]), Some("Kill"));
        assert_eq!(suggest("n6", ["n1", "n2"]), Some("n1"));
    }

    #[test]
    fn columns_count_characters_not_bytes() {
        let source = Source::new("a.ron", "\n  \"ä\" x");
        let mistake = source.mistake(8..9, "no").help("yes");
        assert_eq!(mistake.to_string(), "a.ron:2:7: no; yes");
    }
}
