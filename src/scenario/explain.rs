//! What the reader of RON did not like, told to somebody who has never seen RON: which field,
//! what was found, what could stand there, and the cure. Its own position is where it stopped;
//! the token that stopped it is found in the tree.

use super::diagnostic::{Diagnostic, Source, did_you_mean, one_of, spoken};
use super::examples::{example_of_field, example_of_name};
use super::locate::{Flaw, Node, PathStep};
use ron::error::{Error, Position, SpannedError};

/// The mistake in the text's brackets, quotes or comments, if there is one.
pub(super) fn flaw(source: &Source) -> Option<Diagnostic> {
    let text = |span: &std::ops::Range<usize>| &source.text[span.clone()];
    Some(match source.tree.flaw.as_ref()? {
        Flaw::Unclosed(span) => {
            let closing = super::locate::partner(text(span).chars().next().unwrap_or('('));
            source.mistake(span.clone(), format!("`{}` is never closed", text(span))).help(format!("add `{closing}`"))
        }
        Flaw::Stray(span) => source.mistake(span.clone(), format!("`{}` closes nothing", text(span))).help("remove it"),
        Flaw::Mismatched(open, close) => {
            let line = source.mistake(open.clone(), "").line;
            let closing = super::locate::partner(text(open).chars().next().unwrap_or('('));
            source
                .mistake(close.clone(), format!("`{}` does not close `{}` of line {line}", text(close), text(open)))
                .help(format!("write `{closing}`"))
        }
        Flaw::OpenText(span) => {
            source.mistake(span.clone(), "this text has no closing quote").help("add `\"` where it ends")
        }
        Flaw::OpenComment(span) => {
            source.mistake(span.clone(), "this comment is never closed").help("add `*/` where it ends")
        }
    })
}

/// The mistake behind an error of the reader.
pub(super) fn explain(source: &Source, error: &SpannedError) -> Diagnostic {
    Explainer { source, cursor: offset(&source.text, &error.span.end) }.explain(&error.code)
}

fn offset(text: &str, position: &Position) -> usize {
    let line: usize = text.split_inclusive('\n').take(position.line.saturating_sub(1)).map(str::len).sum();
    let column = position.col.saturating_sub(1);
    let rest = &text[line..];
    line + rest.char_indices().nth(column).map_or(rest.len(), |(offset, _)| offset)
}

struct Explainer<'a> {
    source: &'a Source,
    cursor: usize,
}

impl Explainer<'_> {
    fn explain(&self, code: &Error) -> Diagnostic {
        match code {
            Error::NoSuchStructField { expected, found, .. } => self.unknown_field(found, expected),
            Error::NoSuchEnumVariant { expected, found, .. } => self.unknown_variant(found, expected),
            Error::MissingStructField { field, .. } => self.missing(field),
            Error::DuplicateStructField { field, .. } => {
                let inside = self.container_name(self.container());
                self.at_key(field, format!("field `{field}` is given twice in {inside}")).help("remove one of them")
            }
            Error::SuggestRawIdentifier(name) | Error::InvalidIdentifier(name) => self.strange_name(name),
            Error::Message(text) => self.message(text),
            Error::InvalidValueForType { expected, found } => {
                self.wrong(&format!("cannot be {found}")).expected(expected.as_str())
            }
            Error::ExpectedInteger | Error::UnderscoreAtBeginning | Error::InvalidIntegerDigit { .. } => {
                self.wrong_value().expected("a whole number").help(self.digits())
            }
            Error::IntegerOutOfBounds => self.out_of_bounds(),
            Error::ExpectedFloat | Error::FloatUnderscore => self.wrong_value().expected("a number"),
            Error::ExpectedBoolean => self.wrong_value().expected("`true` or `false`"),
            Error::ExpectedString | Error::ExpectedChar => self.no_text(),
            Error::ExpectedArray => self.no_list(),
            Error::ExpectedComma => self.no_comma(),
            Error::ExpectedMapColon => {
                let name = self.word_before(self.cursor);
                self.mistake(self.cursor..self.cursor + self.width(), format!("`{name}` is not followed by `:`"))
                    .help(format!("write `{name}: `, then its value"))
            }
            Error::ExpectedStructLike => self.no_content(),
            Error::ExpectedNamedStructLike(_) | Error::ExpectedMap | Error::ExpectedStructName(_) => self.no_struct(),
            Error::ExpectedDifferentStructName { found, .. } => self.wrong_name(found),
            Error::ExpectedIdentifier | Error::ExpectedOption => self.no_name(),
            Error::ExpectedStructLikeEnd | Error::ExpectedOptionEnd | Error::ExpectedDifferentLength { .. } => self
                .mistake(self.token(), format!("{} holds too many values", self.container_name(self.container())))
                .help("remove this one and those after it"),
            Error::ExpectedUnit => self.wrong_value().expected("`()`"),
            Error::InvalidEscape(_) => self
                .wrong("has a `\\` that means nothing")
                .help("write `\\\\` for a backslash, or r\"...\" for text as it is"),
            Error::TrailingCharacters => self
                .mistake(self.cursor..self.cursor + self.width(), "more text follows the end of the scenario")
                .help("remove it, or move it into the brackets"),
            Error::ExceededRecursionLimit => self
                .mistake(self.cursor..self.cursor + self.width(), "values stand inside each other more than 128 deep")
                .help("remove brackets"),
            Error::NoSuchExtension(name) => self
                .mistake(0..0, format!("there is no RON extension named `{name}`"))
                .help("remove `#![enable(...)]`; all that scenarios need is on"),
            Error::Eof => self.mistake(self.cursor..self.cursor, "the file ends too early").help("add what is missing"),
            // What is left concerns bytes, characters, raw values and serialising: no field of a
            // scenario has such a type, so only a system's own can.
            other => {
                let text = other.to_string();
                let mut letters = text.chars();
                let first = letters.next().map(|letter| letter.to_lowercase().to_string()).unwrap_or_default();
                self.mistake(self.token(), format!("{first}{}", letters.as_str()))
            }
        }
    }

    fn unknown_field(&self, found: &str, expected: &'static [&'static str]) -> Diagnostic {
        let container = self.container();
        let inside = self.container_name(container);
        if self.key_span(found).is_none() {
            let name = self.container_word(container);
            return self
                .mistake(self.token(), format!("`{found}` stands where a field of {inside} should be"))
                .expected(one_of(expected))
                .help(match example_of_name(name) {
                    Some(example) => format!("write for example {example}"),
                    None => format!("write its name before it, `{}: `", expected.first().unwrap_or(&"name")),
                });
        }
        let mistake = self.at_key(found, format!("unknown field `{found}` in {inside}")).expected(one_of(expected));
        match (did_you_mean(found, expected.iter().copied()), FAULT_FIELDS.contains(&found)) {
            (Some(help), _) => mistake.help(help),
            // The most common slip: the wrapper's field inside what it wraps.
            (None, true)
                if container.is_some_and(|node| self.path(node).starts_with(&super::locate::path("faults"))) =>
            {
                mistake.help(format!("`{found}` stands beside `inject`, not in it"))
            }
            (None, _) => mistake,
        }
    }

    fn unknown_variant(&self, found: &str, expected: &'static [&'static str]) -> Diagnostic {
        let node =
            self.nodes().iter().rev().find(|node| node.name.end <= self.cursor && self.text(&node.name) == found);
        let span = node.map_or_else(|| self.token(), |node| node.name.clone());
        let what = node.map_or_else(|| "this place".to_owned(), |node| spoken(&self.path(node)));
        let mistake = self.mistake(span, format!("unknown value `{found}` for {what}")).expected(one_of(expected));
        match did_you_mean(found, expected.iter().copied()) {
            Some(help) => mistake.help(help),
            None => mistake,
        }
    }

    fn missing(&self, field: &str) -> Diagnostic {
        let container = self.container();
        let span = container.map_or(0..0, |node| node.token());
        let example = example_of_field(field).map_or("...", |(_, example)| example);
        self.mistake(span, format!("field `{field}` is missing in {}", self.container_name(container)))
            .help(format!("add `{field}: {example}`"))
    }

    fn strange_name(&self, name: &str) -> Diagnostic {
        let plain = name.replace('-', "_");
        match name.contains('-') && self.source.text[self.cursor..].starts_with(name) {
            true => self
                .mistake(self.cursor..self.cursor + name.len(), format!("`{name}` is no name that a field can have"))
                .help(format!("write `{plain}`")),
            false => self.no_name(),
        }
    }

    /// The sentences of our own readers: `what is wrong; cure`.
    fn message(&self, text: &str) -> Diagnostic {
        let (message, help) = text.rsplit_once("; ").unwrap_or((text, ""));
        let is_about_both_ends = message.starts_with("range ") || message.starts_with("a range ");
        let node = if is_about_both_ends { self.container() } else { self.touched() };
        let span = node
            .map_or(self.cursor..self.cursor, |node| if is_about_both_ends { node.span.clone() } else { node.token() });
        // `loss "150%" is more than 1` says more than `probability "150%"`.
        let name = node.and_then(|node| match node.step.as_ref()? {
            PathStep::Field(name) => Some(name.as_str()),
            PathStep::Index(_) => None,
        });
        let message = match (message.split_once(' '), name) {
            (Some(("probability" | "span" | "rate" | "instant", rest)), Some(name)) if name != "p" => {
                format!("`{name}: {}", rest.replacen(" is ", "` is ", 1).replacen(" has ", "` has ", 1))
            }
            _ => message.to_owned(),
        };
        let message = if message.matches('`').count() == 1 { text_without_cure(text) } else { message };
        match help {
            "" => self.mistake(span, message).help("write (\"1ms\", \"5ms\") for a range, \"5ms\" for one value"),
            _ => self.mistake(span, message).help(help),
        }
    }

    fn out_of_bounds(&self) -> Diagnostic {
        match self.found().starts_with('-') {
            true => self.wrong(&format!("cannot be {}, which is negative", self.found())).help("write 0 or more"),
            false => self.wrong(&format!("cannot be {}, which is too large", self.found())).help("write less"),
        }
    }

    fn no_text(&self) -> Diagnostic {
        let found = self.found();
        let bare = found.trim_matches('\'');
        self.wrong_value().expected("text in double quotes").help(match found.chars().count() < 40 {
            true => format!("write \"{bare}\""),
            false => "put it in double quotes".to_owned(),
        })
    }

    fn no_list(&self) -> Diagnostic {
        let is_plain = self.touched().is_some_and(|node| !node.is_container);
        self.wrong_value().expected("a list in square brackets").help(match is_plain {
            true => format!("write [{}]", self.found()),
            false => "put `[` before it and `]` after it".to_owned(),
        })
    }

    fn no_comma(&self) -> Diagnostic {
        if let Some(node) = self.touched() {
            // A number read as far as it is whole.
            if node.span.start < self.cursor && self.cursor < node.span.end && !node.is_container {
                return self.wrong_value().expected("a whole number").help(self.digits());
            }
            if node.is_container && self.cursor == node.name.end && !node.name.is_empty() {
                let name = self.text(&node.name);
                return self
                    .mistake(node.span.clone(), format!("`{name}` has nothing in brackets after it"))
                    .help(format!("write `{name}`"));
            }
        }
        let next = self.cursor..self.cursor + self.width();
        let what = self.text(&next).to_owned();
        self.mistake(next, format!("a comma is missing before `{what}`")).help(format!("write `, {what}`"))
    }

    fn no_content(&self) -> Diagnostic {
        let node = self.nodes().iter().rev().find(|node| !node.name.is_empty() && node.name.end <= self.cursor);
        let span = node.map_or(self.cursor..self.cursor, |node| node.name.clone());
        let name = self.text(&span).to_owned();
        let example = example_of_name(&name).map_or_else(|| format!("{name}(...)"), str::to_owned);
        self.mistake(span, format!("`{name}` needs more, in brackets after it"))
            .help(format!("write for example {example}"))
    }

    fn no_struct(&self) -> Diagnostic {
        match self.touched() {
            None => self
                .mistake(self.cursor..self.cursor + self.width(), "this is no scenario")
                .expected("`(` and fields")
                .help("begin with `(squall: 1, system: ...`"),
            Some(node) if node.step.is_none() => self
                .mistake(node.token(), "this is no scenario")
                .expected("`(` and fields")
                .help("begin with `(squall: 1, system: ...`"),
            Some(node) => {
                let (_, example) = self.example(node).unwrap_or(("", "(...)"));
                let braces = self.text(&node.token()) == "{";
                let help = match braces {
                    true => "write `(` and `)` instead of `{` and `}`".to_owned(),
                    false => format!("write for example {example}"),
                };
                self.wrong_value().expected("fields in brackets").help(help)
            }
        }
    }

    fn wrong_name(&self, found: &str) -> Diagnostic {
        if let Some(key) = self.key_span(found) {
            return self
                .mistake(key, format!("`{found}:` stands directly in a list"))
                .help("put brackets around each element: [(...), (...)]");
        }
        let node = self.nodes().iter().find(|node| self.cursor == node.name.end && self.text(&node.name) == found);
        let what = node.map_or_else(|| "this place".to_owned(), |node| spoken(&self.path(node)));
        self.mistake(
            node.map_or_else(|| self.token(), |node| node.token()),
            format!("{what} takes no name, found `{found}`"),
        )
        .help(format!("remove `{found}` and keep the brackets"))
    }

    fn no_name(&self) -> Diagnostic {
        let rest = &self.source.text[self.cursor..];
        if rest.starts_with([',', ':', '=']) {
            let sign = &rest[..1];
            return self
                .mistake(self.cursor..self.cursor + 1, format!("nothing stands before `{sign}`"))
                .help(format!("remove `{sign}`, or write what is missing before it"));
        }
        let Some(node) = self.touched() else {
            return self
                .mistake(self.cursor..self.cursor + self.width(), "a name is missing here")
                .help("write a field's name");
        };
        let around = self.container_of(node);
        if around.is_some_and(|around| self.text(&around.name) == "Some") {
            return self.mistake(node.token(), "`Some` is not needed").help("leave `Some` out, and its brackets");
        }
        match (&node.step, around) {
            (Some(PathStep::Index(_)), Some(around)) if !around.name.is_empty() => {
                let name = self.text(&around.name);
                let mistake = self.mistake(node.token(), format!("{} has no name", self.found()));
                let help = match example_of_name(name) {
                    Some(example) => format!("write for example {example}"),
                    None => format!("write `name: value` for each field of `{name}`"),
                };
                mistake.expected(format!("a field of `{name}`")).help(help)
            }
            _ => match self.example(node) {
                Some((what, example)) => self.wrong_value().expected(what).help(format!("write for example {example}")),
                None => self.wrong_value().expected("a name"),
            },
        }
    }

    fn digits(&self) -> String {
        let found = self.found();
        let bare = found.trim_matches('"');
        match bare.parse::<u64>() {
            Ok(number) => format!("write {number}"),
            Err(_) => "write digits only, for example 5 or 1_000_000".to_owned(),
        }
    }

    fn wrong_value(&self) -> Diagnostic {
        self.wrong(&format!("cannot be {}", self.found()))
    }

    /// `loss` and what is wrong with it.
    fn wrong(&self, what: &str) -> Diagnostic {
        let subject = self.touched().map_or_else(|| "this".to_owned(), |node| spoken(&self.path(node)));
        self.mistake(self.token(), format!("{subject} {what}"))
    }

    /// What stands at the offending place, as it is written; a container by its beginning.
    fn found(&self) -> String {
        match self.touched() {
            None => "this".to_owned(),
            Some(node) if node.is_container => {
                let bracket = node.name.end.max(node.span.start);
                let bracket = self.source.text[bracket..].chars().find(|c| matches!(c, '(' | '[' | '{')).unwrap_or('(');
                format!("`{}{bracket}...{}`", self.text(&node.name), super::locate::partner(bracket))
            }
            Some(node) if node.span.len() < 60 => self.text(&node.span).to_owned(),
            Some(_) => "this".to_owned(),
        }
    }

    /// The value at which the reader stopped: the one that touches the cursor, the innermost.
    fn touched(&self) -> Option<&Node> {
        let plain = self.nodes().iter().rev().find(|node| {
            let span = if node.is_container { node.token() } else { node.span.clone() };
            span.start <= self.cursor && self.cursor <= span.end
        });
        plain.or_else(|| self.nodes().iter().rev().find(|node| node.span.end <= self.cursor))
    }

    fn token(&self) -> std::ops::Range<usize> {
        self.touched().map_or(self.cursor..self.cursor, Node::token)
    }

    /// The innermost brackets around the cursor.
    fn container(&self) -> Option<&Node> {
        self.nodes().iter().rev().find(|node| {
            let inside = node.token().end;
            node.is_container && inside <= self.cursor && self.cursor < node.span.end
        })
    }

    fn container_of(&self, inner: &Node) -> Option<&Node> {
        self.nodes()
            .iter()
            .rev()
            .find(|node| node.is_container && node.span.start < inner.span.start && inner.span.end < node.span.end)
    }

    fn container_name(&self, container: Option<&Node>) -> String {
        match container {
            Some(node) if !node.name.is_empty() && node.step.is_some() => format!("`{}`", self.text(&node.name)),
            Some(node) => spoken(&self.path(node)),
            None => "the scenario".to_owned(),
        }
    }

    fn container_word(&self, container: Option<&Node>) -> &str {
        container.map_or("", |node| self.text(&node.name))
    }

    fn key_span(&self, name: &str) -> Option<std::ops::Range<usize>> {
        let start = self.cursor.checked_sub(name.len())?;
        let is_key = self.source.text.get(start..self.cursor) == Some(name)
            && self.source.text[self.cursor..].trim_start().starts_with(':');
        is_key.then_some(start..self.cursor)
    }

    fn at_key(&self, name: &str, message: String) -> Diagnostic {
        self.mistake(self.key_span(name).unwrap_or_else(|| self.token()), message)
    }

    fn example(&self, node: &Node) -> Option<(&'static str, &'static str)> {
        match node.step.as_ref()? {
            PathStep::Field(name) => example_of_field(name),
            PathStep::Index(_) => match self.container_of(node)?.step.as_ref()? {
                PathStep::Field(name) if name == "faults" => example_of_field("fault"),
                PathStep::Field(_) | PathStep::Index(_) => None,
            },
        }
    }

    fn path(&self, node: &Node) -> Vec<PathStep> {
        let place = self.nodes().iter().position(|other| std::ptr::eq(other, node));
        self.source.tree.path_to(place.expect("a node of this tree"))
    }

    fn word_before(&self, offset: usize) -> &str {
        let before = self.source.text[..offset].trim_end();
        let start = before.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |end| end + 1);
        &before[start..]
    }

    /// The length of the word, or of the one sign, at the cursor.
    fn width(&self) -> usize {
        let rest = &self.source.text[self.cursor..];
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        if word > 0 { word } else { rest.chars().next().map_or(0, char::len_utf8) }
    }

    fn nodes(&self) -> &[Node] {
        self.source.tree.nodes()
    }

    fn text(&self, span: &std::ops::Range<usize>) -> &str {
        &self.source.text[span.clone()]
    }

    fn mistake(&self, span: std::ops::Range<usize>, message: impl Into<String>) -> Diagnostic {
        self.source.mistake(span, message)
    }
}

/// The fields of a fault's wrapper.
const FAULT_FIELDS: [&str; 7] = ["at", "until", "every", "jitter", "rate", "from", "lasts"];

fn text_without_cure(text: &str) -> String {
    text.rsplit_once("; ").map_or(text, |(message, _)| message).to_owned()
}
