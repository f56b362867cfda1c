//! What the reader of RON did not like, told to somebody who has never seen RON: which field,
//! what was found, what could stand there, and the cure. Its own position is where it stopped;
//! the token that stopped it is found in the tree.

mod place;

use super::diagnostic::{Diagnostic, Source, did_you_mean, one_of};
use super::examples::example_of_name;
use super::locate::{Flaw, PathStep};
use super::text::options;
use super::when::short;
use place::Explainer;
use ron::error::{Error, SpannedError};
use serde::de::DeserializeOwned;

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

/// The mistake behind an error of the reader, which was to read a `T`.
pub(super) fn explain<T: DeserializeOwned>(source: &Source, error: &SpannedError) -> Diagnostic {
    let explainer = Explainer::new(source, &error.span.end);
    let place = explainer.touched().map_or(0..0, |node| node.span.clone());
    let (before, after) = (&source.text[..place.start], &source.text[place.end..]);
    let again = |other: &str| options().from_str::<T>(&[before, other, after].concat()).err().map(|error| error.code);
    explainer.explain(&error.code, &again)
}

/// What the reader does not like if this stands in the place of the value at which it has stopped. That tells what the
/// error itself does not say: which names there are, how large a number may be.
type Again<'a> = &'a dyn Fn(&str) -> Option<Error>;

impl Explainer<'_> {
    fn explain(&self, code: &Error, again: Again<'_>) -> Diagnostic {
        if let Some(sign) = self.lone_sign() {
            return match self.source.text[..self.cursor].trim_end().ends_with(':') && sign != ":" {
                true => self
                    .mistake(
                        self.cursor..self.cursor + sign.len(),
                        format!("there is no value between `:` and `{sign}`"),
                    )
                    .help("write it"),
                false => self.nothing_before(sign),
            };
        }
        if !matches!(code, Error::ExpectedStructLike | Error::ExpectedMapColon)
            && let Some(mistake) = self.side_by_side()
        {
            return mistake;
        }
        match code {
            Error::NoSuchStructField { expected, found, .. } => self.unknown_field(found, expected),
            Error::NoSuchEnumVariant { expected, found, .. } => self.unknown_variant(found, expected),
            Error::MissingStructField { field, .. } => self.missing(field),
            Error::DuplicateStructField { field, .. } => {
                let inside = self.container_name(self.container());
                self.at_key(field, format!("field `{field}` is given twice in {inside}")).help("remove one of them")
            }
            Error::SuggestRawIdentifier(name) | Error::InvalidIdentifier(name) => self.strange_name(name, again),
            Error::Message(text) => self.message(text),
            Error::InvalidValueForType { expected, .. } => self.wrong_type(expected),
            Error::ExpectedInteger | Error::UnderscoreAtBeginning | Error::InvalidIntegerDigit { .. } => {
                self.wrong_value().expected("a whole number").help(self.digits())
            }
            Error::IntegerOutOfBounds => self.out_of_bounds(again),
            Error::ExpectedFloat | Error::FloatUnderscore => self.wrong_value().expected("a number"),
            Error::ExpectedBoolean => self.wrong_value().expected("`true` or `false`"),
            Error::ExpectedString | Error::ExpectedChar => self.no_text(),
            Error::ExpectedArray => self.no_list(),
            Error::ExpectedComma => self.no_comma(),
            Error::ExpectedMapColon => self.no_colon(),
            Error::ExpectedStructLike => self.no_content(),
            Error::ExpectedNamedStructLike(_) | Error::ExpectedMap | Error::ExpectedStructName(_) => self.no_struct(),
            Error::ExpectedDifferentStructName { found, .. } => self.wrong_name(found),
            Error::ExpectedIdentifier | Error::ExpectedOption => self.no_name(again),
            Error::ExpectedStructLikeEnd | Error::ExpectedOptionEnd | Error::ExpectedDifferentLength { .. } => self
                .mistake(self.token(), format!("{} holds too many values", self.container_name(self.container())))
                .help("remove this one and those after it"),
            Error::ExpectedUnit => self.wrong_value().expected("`()`"),
            Error::InvalidEscape(_) => self
                .wrong("has a `\\` that means nothing")
                .help("write `\\\\` for a backslash, or r\"...\" for text as it is"),
            Error::TrailingCharacters => self.trailing(),
            Error::ExceededRecursionLimit => self
                .mistake(self.cursor..self.cursor + self.width(), "values stand inside each other more than 128 deep")
                .help("remove brackets"),
            Error::NoSuchExtension(name) => self
                .mistake(0..0, format!("there is no RON extension named `{name}`"))
                .help("remove `#![enable(...)]`; all that scenarios need is on"),
            Error::UnexpectedChar(sign) => self
                .mistake(self.cursor..self.cursor + self.width(), format!("`{sign}` means nothing here"))
                .help("remove it, or write what is missing before it"),
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
                if container.is_some_and(|node| self.path(node).contains(&PathStep::Field("faults".to_owned()))) =>
            {
                mistake.help(format!("`{found}` stands beside `inject`, not in it"))
            }
            (None, _) => mistake.help(format!("remove `{found}`, or write one of these instead")),
        }
    }

    fn unknown_variant(&self, found: &str, expected: &'static [&'static str]) -> Diagnostic {
        let node =
            self.nodes().iter().rev().find(|node| node.name.end <= self.cursor && self.text(&node.name) == found);
        let span = node.map_or_else(|| self.token(), |node| node.name.clone());
        let what = node.map_or_else(|| "this place".to_owned(), |node| self.spoken(node));
        let mistake = self.mistake(span, format!("unknown value `{found}` for {what}")).expected(one_of(expected));
        match did_you_mean(found, expected.iter().copied()) {
            Some(help) => mistake.help(help),
            // A shape is wanted, and a target was named.
            None if expected.contains(&"Isolate") && TARGETS.contains(&found) => {
                mistake.help(format!("write Isolate({found}) for its links to all others"))
            }
            None => mistake.help("write one of these instead"),
        }
    }

    fn missing(&self, field: &str) -> Diagnostic {
        let container = self.container();
        let span = container.map_or(0..0, |node| node.token());
        let example = container.and_then(|node| self.example_inside(node, field)).map_or("...", |(_, example)| example);
        self.mistake(span, format!("field `{field}` is missing in {}", self.container_name(container)))
            .help(format!("add `{field}: {example}`"))
    }

    fn strange_name(&self, name: &str, again: Again<'_>) -> Diagnostic {
        let plain = name.replace('-', "_");
        match name.contains('-') && self.source.text[self.cursor..].starts_with(name) {
            true => self
                .mistake(self.cursor..self.cursor + name.len(), format!("`{name}` is no name that a field can have"))
                .help(format!("write `{plain}`")),
            false => self.no_name(again),
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
        let split = message.strip_prefix("data rate ").map(|rest| ("data rate", rest)).or(message.split_once(' '));
        let message = match (split, node.zip(name)) {
            (Some((kind @ ("probability" | "span" | "rate" | "size" | "data rate"), rest)), Some((node, name)))
                if name != "p" =>
            {
                let rest = rest.replacen(" is not one", &format!(" is no {kind}"), 1);
                let written = self.text(&node.span);
                // What our readers quote is the value, which they got without its quotes.
                let bare = written.trim_matches('"');
                let tail = rest.strip_prefix(&format!("{bare:?}")).or(rest.strip_prefix(bare));
                tail.map_or_else(|| message.to_owned(), |tail| format!("`{name}: {written}`{tail}"))
            }
            _ => message.to_owned(),
        };
        match help {
            "" if message.contains("zero") => self.mistake(span, message).help("write a number above zero"),
            "" if message.contains("rate") => self.mistake(span, message).help("write for example \"20/s\""),
            "" => self.mistake(span, message).help("write (\"1ms\", \"5ms\") for a range, \"5ms\" for one value"),
            _ => self.mistake(span, message).help(help),
        }
    }

    fn wrong_type(&self, expected: &str) -> Diagnostic {
        // The reader of a list or a struct stops behind its opening bracket.
        let opened = self.nodes().iter().find(|node| node.is_container && self.bracket(node) + 1 == self.cursor);
        let Some(node) = opened.or_else(|| self.touched()) else {
            return self.mistake(self.cursor..self.cursor, "this has the wrong type").expected(expected);
        };
        let message = format!("{} cannot be {}", self.spoken(node), self.found_in(node));
        let mistake = self.mistake(node.token(), message).expected(expected);
        match self.example(node) {
            Some((_, example)) => mistake.help(format!("write for example {example}")),
            None => mistake,
        }
    }

    fn out_of_bounds(&self, again: Again<'_>) -> Diagnostic {
        if self.found().starts_with('-') {
            return self.wrong(&format!("cannot be {}, which is negative", self.found())).help("write 0 or more");
        }
        let bounds = [u64::MAX, i64::MAX as u64, u32::MAX.into(), u16::MAX.into(), u8::MAX.into()];
        let largest = bounds.into_iter().find(|bound| again(&bound.to_string()) != Some(Error::IntegerOutOfBounds));
        let help = largest
            .map_or_else(|| "write less".to_owned(), |largest| format!("write less; no more than {largest} fits"));
        self.wrong(&format!("cannot be {}, which is too large", self.found())).help(help)
    }

    fn no_text(&self) -> Diagnostic {
        let found = self.found();
        let bare = found.trim_matches(['\'', '`']);
        self.wrong_value().expected("text in double quotes").help(match found.chars().count() < 40 {
            true => format!("write \"{bare}\""),
            false => "put it in double quotes".to_owned(),
        })
    }

    fn no_list(&self) -> Diagnostic {
        let is_plain = self.touched().is_some_and(|node| !node.is_container);
        self.wrong_value().expected("a list in square brackets").help(match is_plain {
            true => format!("write [{}]", self.found().trim_matches('`')),
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
                if let Some((_, "Started")) = self.example(node)
                    && let Some(help) = did_you_mean(name, ["Goal", "Fact", "Message"])
                {
                    let what = self.spoken(node);
                    return self.mistake(node.name.clone(), format!("unknown value `{name}` for {what}")).help(help);
                }
                return self
                    .mistake(node.span.clone(), format!("`{name}` takes nothing in parentheses"))
                    .help(format!("write `{name}`"));
            }
        }
        let next = self.cursor..self.cursor + self.width();
        let what = self.text(&next).to_owned();
        self.mistake(next, format!("a comma is missing before `{what}`")).help(format!("write `, {what}`"))
    }

    /// If the reader stopped where two values stand without a comma between them.
    fn side_by_side(&self) -> Option<Diagnostic> {
        let (before, next) = self.source.tree.beside.clone()?;
        let before = &self.nodes()[before];
        let from = if before.is_container { before.span.end } else { before.span.start };
        if !(from..=next.end).contains(&self.cursor) {
            return None;
        }
        let (first, second) = (self.text(&before.span), self.text(&next));
        if second == "(" && first.starts_with('"') {
            let mistake = self.mistake(before.span.clone(), format!("the name {first} stands in quotes"));
            return Some(mistake.help(format!("write {}, without quotes", first.trim_matches('"'))));
        }
        let message = format!("a comma is missing between {} and `{second}`", self.found_in(before));
        Some(self.mistake(next, message).help("write it, or remove one of the two"))
    }

    fn trailing(&self) -> Diagnostic {
        let end = self.nodes().first().map_or(0, |root| root.span.end);
        let last = self.mistake(end.saturating_sub(1)..end, "");
        self.mistake(
            self.cursor..self.cursor + self.width(),
            format!("more text follows the `)` of line {}, column {}, that ends the scenario", last.line, last.column),
        )
        .help("remove the text, or that `)` if it is one too many")
    }

    fn no_colon(&self) -> Diagnostic {
        let name = self.word_before(self.cursor);
        let next = self.cursor..self.cursor + self.width();
        let message = match self.text(&next) {
            "=" => format!("`{name}` is followed by `=`"),
            _ => format!("`{name}` is not followed by `:`"),
        };
        self.mistake(next, message).help(format!("write `{name}: `, then its value"))
    }

    fn no_content(&self) -> Diagnostic {
        let node = self.nodes().iter().rev().find(|node| !node.name.is_empty() && node.name.end <= self.cursor);
        let span = node.map_or(self.cursor..self.cursor, |node| node.name.clone());
        let name = self.text(&span).to_owned();
        let example = example_of_name(&name).map_or_else(|| format!("{name}(nodes: 5)"), str::to_owned);
        self.mistake(span, format!("`{name}` must be followed by parentheses"))
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
                self.wrong_value().expected("fields in parentheses").help(help)
            }
        }
    }

    fn wrong_name(&self, found: &str) -> Diagnostic {
        if let Some(key) = self.key_span(found) {
            return self
                .mistake(key, format!("`{found}:` stands directly in a list"))
                .help("put parentheses around each element: [(...), (...)]");
        }
        let node = self.nodes().iter().find(|node| self.cursor == node.name.end && self.text(&node.name) == found);
        let what = node.map_or_else(|| "this place".to_owned(), |node| self.spoken(node));
        self.mistake(
            node.map_or_else(|| self.token(), |node| node.token()),
            format!("{what} takes no name, found `{found}`"),
        )
        .help(format!("remove `{found}` and keep the parentheses"))
    }

    fn no_name(&self, again: Again<'_>) -> Diagnostic {
        let rest = &self.source.text[self.cursor..];
        if rest.starts_with([',', ':', '=']) {
            return self.nothing_before(&rest[..1]);
        }
        if let Some(node) = self.nodes().iter().find(|node| node.key.contains(&self.cursor)) {
            let name = self.text(&node.key);
            let bare = name.trim_matches('"');
            return match bare == name {
                true => self
                    .mistake(node.key.clone(), format!("`{name}` is no name that a field can have"))
                    .help("write letters, digits and `_`, a letter first"),
                false => self
                    .mistake(node.key.clone(), format!("the field's name {name} stands in quotes"))
                    .help(format!("write `{bare}: `")),
            };
        }
        let Some(node) = self.touched() else {
            return self
                .mistake(self.cursor..self.cursor + self.width(), "a name is missing here")
                .help("write a field's name");
        };
        let around = self.container_of(node);
        if around.is_some_and(|around| self.text(&around.name) == "Some") {
            return self.mistake(node.token(), "`Some` is not needed").help("leave `Some` out, and its parentheses");
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
                Some((what, example)) => {
                    let found = self.found();
                    let help = match (what, found.starts_with('"')) {
                        ("a distribution", true) => format!("write Const({found}), or for example {example}"),
                        ("a moment", true) => format!("write {}, without quotes", short(found.trim_matches('"'))),
                        ("a target", true) => format!("write Nodes([{found}]), or for example {example}"),
                        _ => format!("write for example {example}"),
                    };
                    self.wrong_value().expected(what).help(help)
                }
                None => match again("Unknown") {
                    Some(Error::NoSuchEnumVariant { expected, .. }) => {
                        self.wrong_value().expected(one_of(expected)).help("write one of these names, without quotes")
                    }
                    _ => self.wrong_value().expected("a name"),
                },
            },
        }
    }

    /// If the reader wanted a value and found a comma, a colon or the end of what is around it. Whatever type it has looked for,
    /// there is nothing of a wrong type: the value that is nearest is another one.
    fn lone_sign(&self) -> Option<&'static str> {
        let (before, rest) = self.source.text.split_at(self.cursor);
        let signs: [(&str, &[char]); 5] = [
            (",", &['(', '[', '{', ',', ':']),
            (":", &['(', '{', ',', ':']),
            (")", &[':']),
            ("]", &[':']),
            ("}", &[':']),
        ];
        let is_lone = |(sign, after): &(&str, &[char])| rest.starts_with(sign) && before.trim_end().ends_with(*after);
        signs.into_iter().find(is_lone).map(|(sign, _)| sign)
    }

    fn nothing_before(&self, sign: &str) -> Diagnostic {
        self.mistake(self.cursor..self.cursor + sign.len(), format!("nothing stands before `{sign}`"))
            .help(format!("remove `{sign}`, or write what is missing before it"))
    }

    fn digits(&self) -> String {
        let found = self.found();
        let bare = found.trim_matches(['"', '`']);
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
        let subject = self.touched().map_or_else(|| "this".to_owned(), |node| self.spoken(node));
        self.mistake(self.token(), format!("{subject} {what}"))
    }
}

/// The targets that are words.
const TARGETS: [&str; 9] =
    ["One", "Minority", "Majority", "All", "Leader", "Primaries", "LockHolder", "InTurn", "Subject"];

/// The fields of a fault's wrapper.
const FAULT_FIELDS: [&str; 11] =
    ["at", "until", "every", "jitter", "rate", "when", "after", "skip", "times", "from", "lasts"];
