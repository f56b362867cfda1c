//! `--set path=value`: another value for a field of a scenario.
//!
//! The value is written into the scenario's text before that is read, so everything that the
//! loader checks and explains holds for it as well. A mistake in it is shown in the flag.

use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::locate::{PathStep, Tree, path, path_text};
use crate::scenario::model::Scenario;
use crate::scenario::text;
use crate::systems::{self, System};
use std::ops::Range;
use std::path::Path;
use std::str::FromStr;

/// One `--set`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Setting {
    /// As the user wrote it.
    pub(super) written: String,
    path: Vec<PathStep>,
    /// Where in `written` the value begins.
    value_at: usize,
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(written: &str) -> Result<Setting, String> {
        let Some((place, _)) = written.split_once('=') else {
            return Err("write path=value, for example network.loss=2%".to_owned());
        };
        let is_name = |sign: char| sign.is_alphanumeric() || "_.[]".contains(sign);
        let steps = path(place.trim());
        if steps.is_empty() || !place.trim().chars().all(is_name) {
            return Err(format!("{place:?} is no path; write for example network.loss or faults[0].at"));
        }
        Ok(Setting { written: written.to_owned(), path: steps, value_at: place.len() + 1 })
    }
}

impl Setting {
    fn value(&self) -> &str {
        self.written[self.value_at..].trim()
    }

    /// A mistake in the flag, at these bytes of it.
    fn mistake(&self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Diagnostic {
        Diagnostic {
            file: "--set".into(),
            line: 1,
            column: 1 + self.written[..span.start].chars().count(),
            span,
            source: self.written.as_str().into(),
            message: message.into().into(),
            expected: None,
            help: Some(help.into().into()),
        }
    }
}

/// Reads a scenario and sets some of its values.
///
/// # Errors
/// The first mistake in the file, or else in the flags.
pub(super) fn load<S: System>(file: &Path, settings: &[Setting]) -> Result<Scenario<S>, Diagnostic> {
    let scenario = systems::load::<S>(file)?;
    if settings.is_empty() {
        return Ok(scenario);
    }
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| {
        Diagnostic::without_place(&name, format!("this cannot be read again: {error}"), "try once more")
    })?;
    let text = text.trim_start_matches('\u{feff}').to_owned();
    let resolved = text::options().to_string(&scenario).expect("a scenario can be written as RON");
    let mut in_quotes: Vec<Quotes> = settings.iter().map(|setting| Quotes::of(setting.value())).collect();
    let mut first_refusal = None;
    loop {
        let mut edited = Edited { text: text.clone(), edits: Vec::new() };
        for (index, setting) in settings.iter().enumerate() {
            edited.set(index, setting, in_quotes[index], &resolved)?;
        }
        let mistake = match systems::parse(&name, &edited.text) {
            Ok(scenario) => return Ok(scenario),
            Err(mistake) => mistake,
        };
        let (told, blamed) = edited.told(mistake, settings, &name, &text);
        match blamed.filter(|index| in_quotes[*index] == Quotes::Maybe) {
            // A word may be a name, or a text whose quotes the shell took.
            Some(index) => {
                in_quotes[index] = Quotes::Added;
                first_refusal.get_or_insert((index, told));
            }
            None => {
                return Err(match first_refusal {
                    Some((index, first)) if blamed == Some(index) => first,
                    Some(_) | None => told,
                });
            }
        }
    }
}

/// Whether a value gets quotes around it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Quotes {
    /// It is RON as it stands.
    Needless,
    /// It is RON as it stands, but could also be a text.
    Maybe,
    /// It is a text.
    Added,
}

impl Quotes {
    fn of(value: &str) -> Quotes {
        let tree = Tree::of(value);
        let is_one_value = tree.flaw.is_none() && tree.root().is_some_and(|root| root.span == (0..value.len()));
        if !is_one_value {
            return Quotes::Added;
        }
        let is_number = |digits: &str| digits.replace('_', "").parse::<f64>().is_ok();
        match value.chars().next() {
            Some('0'..='9' | '+' | '-' | '.') if is_number(value) || value.starts_with("0x") => Quotes::Needless,
            Some('"' | '\'' | '(' | '[' | '{') => Quotes::Needless,
            Some(first) if first.is_alphabetic() => match value.contains(['(', '"']) {
                true => Quotes::Needless,
                false => Quotes::Maybe,
            },
            Some(_) | None => Quotes::Added,
        }
    }

    fn around(self, value: &str) -> String {
        match self {
            Quotes::Needless | Quotes::Maybe => value.to_owned(),
            Quotes::Added => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
        }
    }
}

/// A scenario's text with values written into it, and where.
struct Edited {
    text: String,
    edits: Vec<Edit>,
}

/// One piece of text in place of another.
struct Edit {
    /// What was there, in the text before this edit.
    old: Range<usize>,
    /// How long the new piece is.
    length: usize,
    /// Which flag wrote it; `None` if it is what held anyway, spelled out.
    setting: Option<usize>,
    /// How many bytes at the beginning of the new piece name fields.
    name: usize,
}

impl Edited {
    /// Writes one value. `resolved`: the scenario with everything spelled out.
    fn set(&mut self, index: usize, setting: &Setting, quotes: Quotes, resolved: &str) -> Result<(), Diagnostic> {
        let value = quotes.around(setting.value());
        let spelled_out = Tree::of(resolved);
        loop {
            let tree = Tree::of(&self.text);
            if let Some(node) = tree.find(&setting.path) {
                let span = node.span.clone();
                self.replace(span, value, Some(index), 0);
                return Ok(());
            }
            let present = (0..setting.path.len()).rev().find(|length| tree.find(&setting.path[..*length]).is_some());
            let present = present.expect("the whole scenario is there");
            let inside = insertion(&tree, setting, present, &self.text)?;
            let comma = if inside.is_empty { "" } else { ", " };
            let missing = &setting.path[present];
            match spelled_out.find(&setting.path[..=present]) {
                // What a default or another file says of the rest of it must go on to hold.
                Some(node) if present + 1 < setting.path.len() => {
                    let piece = format!("{missing}: {}{comma}", &resolved[node.span.clone()]);
                    self.replace(inside.at..inside.at, piece, None, 0);
                }
                Some(_) | None => {
                    let mut name = String::new();
                    let mut closing = String::new();
                    for (depth, step) in setting.path[present..].iter().enumerate() {
                        if depth > 0 {
                            name += "(";
                            closing += ")";
                        }
                        name += &format!("{step}: ");
                    }
                    let length = name.len();
                    let piece = format!("{name}{value}{closing}{comma}");
                    self.replace(inside.at..inside.at, piece, Some(index), length);
                    return Ok(());
                }
            }
        }
    }

    fn replace(&mut self, old: Range<usize>, new: String, setting: Option<usize>, name: usize) {
        self.edits.push(Edit { old: old.clone(), length: new.len(), setting, name });
        self.text.replace_range(old, &new);
    }

    /// The mistake as the user can understand it, who sees the flags and the file but never the
    /// text between; and the flag whose value it is in, if it is in one.
    fn told(
        &self,
        mut mistake: Diagnostic,
        settings: &[Setting],
        name: &str,
        text: &str,
    ) -> (Diagnostic, Option<usize>) {
        // A mistake in a file that this one extends is no matter of ours.
        if &*mistake.source != self.text.as_str() {
            return (mistake, None);
        }
        let mut span = mistake.span.clone();
        for edit in self.edits.iter().rev() {
            let end = edit.old.start + edit.length;
            if span.start >= end {
                let back = |at: usize| at - end + edit.old.end;
                span = back(span.start)..back(span.end);
            } else if span.start >= edit.old.start {
                if let Some(index) = edit.setting {
                    let is_name = span.start < edit.old.start + edit.name;
                    let setting = &settings[index];
                    let blamed =
                        if is_name { 0..setting.value_at - 1 } else { setting.value_at..setting.written.len() };
                    let help = mistake.help.clone().unwrap_or_default();
                    let told = setting.mistake(blamed, mistake.message.clone(), help);
                    let told = Diagnostic { expected: mistake.expected, help: mistake.help, ..told };
                    return (told, (!is_name).then_some(index));
                }
                span = edit.old.start..edit.old.start;
            } else {
                span.end = span.end.min(edit.old.start);
            }
        }
        let flags: Vec<String> = settings.iter().map(|setting| format!("--set {}", setting.written)).collect();
        let before = &text[..span.start];
        mistake.file = name.into();
        mistake.line = 1 + before.matches('\n').count();
        mistake.column = 1 + before[before.rfind('\n').map_or(0, |end| end + 1)..].chars().count();
        mistake.span = span;
        mistake.source = text.into();
        mistake.message = format!("{}, with {}", mistake.message, flags.join(" ")).into();
        (mistake, None)
    }
}

/// Where a field can be added.
struct Insertion {
    at: usize,
    /// Whether nothing stands there yet.
    is_empty: bool,
}

/// Just inside the bracket of the value at the first `present` steps.
fn insertion(tree: &Tree, setting: &Setting, present: usize, text: &str) -> Result<Insertion, Diagnostic> {
    let around = &setting.path[..present];
    let node = tree.find(around).expect("it was just found");
    let refuse = |message: String, help: &str| Err(setting.mistake(0..setting.value_at - 1, message, help));
    let spoken = match around {
        [] => "the scenario".to_owned(),
        _ => format!("`{}`", path_text(around)),
    };
    if !node.is_container {
        return refuse(format!("{spoken} is {} and has nothing inside", &text[node.span.clone()]), "shorten the path");
    }
    let from = node.name.end.max(node.span.start);
    let at = from + text[from..].find(['(', '[', '{']).expect("a container has a bracket") + 1;
    let children =
        tree.nodes().iter().filter(|child| tree.around(child).is_some_and(|parent| parent.span == node.span));
    let count = children.count();
    match &setting.path[present] {
        PathStep::Index(index) => refuse(
            format!("{spoken} has no element {index}, there are {count}, counted from 0"),
            "use a smaller number, or set the whole list",
        ),
        PathStep::Field(_) if text[..at].ends_with('[') => {
            refuse(format!("{spoken} is a list"), "say which element: faults[0].at")
        }
        PathStep::Field(_) => Ok(Insertion { at, is_empty: count == 0 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systems::BuiltIn;
    use std::path::PathBuf;

    fn file(name: &str, text: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("squall-set-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join(name);
        std::fs::write(&file, text).expect("a file");
        file
    }

    fn with(file: &Path, settings: &[&str]) -> Result<Scenario<BuiltIn>, String> {
        let settings: Vec<Setting> = settings.iter().map(|text| text.parse().expect(text)).collect();
        load(file, &settings).map_err(|mistake| mistake.to_string())
    }

    fn ron_of(file: &Path, settings: &[&str]) -> String {
        text::options().to_string(&with(file, settings).unwrap_or_else(|error| panic!("{error}"))).expect("RON")
    }

    const PLAIN: &str = "// one\n(\n  squall: 1,\n  system: Raft(nodes: 5), workload: (until: \"30s\"),\n\
        faults: [(at: \"10s\", inject: Kill(target: One))])";

    #[test]
    fn a_value_is_set_whether_it_was_written_or_not() {
        let file = file("plain.ron", PLAIN);
        let text = ron_of(
            &file,
            &[
                "system.nodes=7",
                "workload.until=10s",
                "network.loss=2%",
                "network.latency.max=1/2",
                "settle.within=20s",
                "title=Two halves",
                "faults[0].at=5s",
                "faults[0].inject.target=Majority",
            ]
            .map(|setting| if setting.ends_with("1/2") { "network.latency.max=50ms" } else { setting }),
        );
        for part in ["nodes:7", "until:\"10s\"", "loss:\"2%\"", "Uniform(min:\"1ms\",max:\"50ms\")", "within:\"20s\""] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        for part in ["title:\"Two halves\"", "at:\"5s\"", "target:Majority"] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }

    #[test]
    fn what_another_file_says_of_the_rest_goes_on_to_hold() {
        file("base.ron", "(squall: 1, network: (latency: Const(\"7ms\"), loss: \"1%\"))");
        let text = "(squall: 1, extends: [\"base.ron\"], system: Raft(nodes: 3), workload: (until: \"9s\"))";
        let text = ron_of(&file("derived.ron", text), &["network.loss=5%"]);
        assert!(text.contains("Const(\"7ms\"),loss:\"5%\""), "{text}");
    }

    #[test]
    fn a_word_may_be_a_name_or_a_text() {
        let file = file("words.ron", PLAIN);
        assert!(ron_of(&file, &["title=Holds"]).contains("title:\"Holds\""));
        assert!(ron_of(&file, &["expect=Holds"]).contains("expect:Holds"));
        assert!(ron_of(&file, &["exhibits=[\"ack-before-fsync\"]"]).contains("ack-before-fsync"));
    }

    #[test]
    fn a_mistake_is_shown_in_the_flag() {
        let file = file("mistakes.ron", PLAIN);
        let refused = |setting: &str| with(&file, &[setting]).expect_err(setting);
        assert!(refused("workload.until=10").starts_with("--set:1:16: `until: 10` has no unit"));
        assert!(refused("network.los=2%").starts_with("--set:1:1: unknown field `los`"));
        assert!(refused("network.los=2%").contains("did you mean `loss`?"));
        assert!(refused("faults[3].at=2s").contains("no element 3, there are 1"));
        assert!(refused("faults.at=2s").contains("is a list"));
        assert!(refused("workload.until.x=2").contains("has nothing inside"));
        assert!(refused("faults[0].inject.target=Everybody").starts_with("--set:1:25: unknown value `Everybody`"));
        assert!(refused("system.nodes=0").starts_with("--set:1:14: a Raft of 0 nodes"));
    }

    #[test]
    fn a_contradiction_is_shown_in_the_file_and_names_the_flag() {
        let file = file("contradiction.ron", PLAIN);
        let refusal = with(&file, &["workload.until=8s"]).expect_err("a fault begins after the workload");
        assert!(refusal.contains("contradiction.ron:5:"), "{refusal}");
        assert!(refusal.contains("with --set workload.until=8s"), "{refusal}");
    }
}
