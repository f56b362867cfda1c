//! Where the reader of RON stopped, and what stands there: names, values and brackets around.

use super::super::diagnostic::{Diagnostic, Source, spoken};
use super::super::examples::{example_of_field, example_of_field_in};
use super::super::locate::{Node, PathStep, partner};
use ron::error::Position;

/// A text and the place in it at which the reader stopped.
pub(super) struct Explainer<'a> {
    pub(super) source: &'a Source,
    /// In bytes.
    pub(super) cursor: usize,
}

impl<'a> Explainer<'a> {
    pub(super) fn new(source: &'a Source, position: &Position) -> Explainer<'a> {
        Explainer { source, cursor: offset(&source.text, position) }
    }
}

impl Explainer<'_> {
    /// What stands at the offending place, as it is written; a container by its beginning.
    pub(super) fn found(&self) -> String {
        self.touched().map_or_else(|| "this".to_owned(), |node| self.found_in(node))
    }

    pub(super) fn found_in(&self, node: &Node) -> String {
        let text = self.text(&node.span);
        if node.is_container {
            let bracket = self.source.text[self.bracket(node)..].chars().next().unwrap_or('(');
            return format!("`{}{bracket}...{}`", self.text(&node.name), partner(bracket));
        }
        match text.chars().count() {
            60.. => "this".to_owned(),
            _ if text.starts_with(char::is_alphabetic) => format!("`{text}`"),
            _ => text.to_owned(),
        }
    }

    /// Where the bracket of a container is.
    pub(super) fn bracket(&self, node: &Node) -> usize {
        let from = node.name.end.max(node.span.start);
        from + self.source.text[from..].find(['(', '[', '{']).unwrap_or(0)
    }

    /// The value at which the reader stopped: the one that touches the cursor, the innermost.
    pub(super) fn touched(&self) -> Option<&Node> {
        let plain = self.nodes().iter().rev().find(|node| {
            let span = if node.is_container { node.token() } else { node.span.clone() };
            span.start <= self.cursor && self.cursor <= span.end
        });
        plain.or_else(|| self.nodes().iter().rev().find(|node| node.span.end <= self.cursor))
    }

    pub(super) fn token(&self) -> std::ops::Range<usize> {
        self.touched().map_or(self.cursor..self.cursor, Node::token)
    }

    /// The innermost brackets around the cursor.
    pub(super) fn container(&self) -> Option<&Node> {
        self.nodes().iter().rev().find(|node| {
            let inside = node.token().end;
            node.is_container && inside <= self.cursor && self.cursor < node.span.end
        })
    }

    pub(super) fn container_of(&self, inner: &Node) -> Option<&Node> {
        self.source.tree.around(inner)
    }

    pub(super) fn container_name(&self, container: Option<&Node>) -> String {
        match container {
            Some(node) if !node.name.is_empty() && node.step.is_some() => format!("`{}`", self.text(&node.name)),
            Some(node) => self.spoken(node),
            None => "the scenario".to_owned(),
        }
    }

    pub(super) fn container_word(&self, container: Option<&Node>) -> &str {
        container.map_or("", |node| self.text(&node.name))
    }

    pub(super) fn key_span(&self, name: &str) -> Option<std::ops::Range<usize>> {
        let start = self.cursor.checked_sub(name.len())?;
        let is_key = self.source.text.get(start..self.cursor) == Some(name)
            && self.source.text[self.cursor..].trim_start().starts_with(':');
        is_key.then_some(start..self.cursor)
    }

    pub(super) fn at_key(&self, name: &str, message: String) -> Diagnostic {
        self.mistake(self.key_span(name).unwrap_or_else(|| self.token()), message)
    }

    pub(super) fn example(&self, node: &Node) -> Option<(&'static str, &'static str)> {
        match node.step.as_ref()? {
            PathStep::Field(name) => match self.container_of(node) {
                Some(container) => self.example_inside(container, name),
                None => example_of_field(name),
            },
            PathStep::Index(_) => match self.container_of(node)?.step.as_ref()? {
                PathStep::Field(name) if name == "faults" => example_of_field("fault"),
                PathStep::Field(name) if name == "phases" => example_of_field("phase"),
                PathStep::Field(name) if name == "links" => example_of_field("rule"),
                PathStep::Field(_) | PathStep::Index(_) => None,
            },
        }
    }

    /// An example of a field of this container, which goes by its own name or by that of the list it is in.
    pub(super) fn example_inside(&self, container: &Node, field: &str) -> Option<(&'static str, &'static str)> {
        let own = self.text(&container.name);
        let step = |node: &Node| match &node.step {
            Some(PathStep::Field(name)) => Some(name.clone()),
            Some(PathStep::Index(_)) | None => None,
        };
        let place = step(container).or_else(|| step(self.container_of(container)?)).unwrap_or_default();
        example_of_field_in(if own.is_empty() { &place } else { own }, field)
    }

    /// The path as a reader sees it: what stands alone in `Nodes(...)` is no element of a list.
    pub(super) fn spoken(&self, node: &Node) -> String {
        let (mut steps, mut inner) = (Vec::new(), node);
        while let (Some(step), Some(around)) = (&inner.step, self.container_of(inner)) {
            if matches!(step, PathStep::Field(_)) || around.name.is_empty() {
                steps.push(step.clone());
            }
            inner = around;
        }
        steps.reverse();
        spoken(&steps)
    }

    pub(super) fn path(&self, node: &Node) -> Vec<PathStep> {
        let place = self.nodes().iter().position(|other| std::ptr::eq(other, node));
        self.source.tree.path_to(place.expect("a node of this tree"))
    }

    pub(super) fn word_before(&self, offset: usize) -> &str {
        let before = self.source.text[..offset].trim_end();
        let start = before.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |end| end + 1);
        &before[start..]
    }

    /// The length of the word, or of the one sign, at the cursor.
    pub(super) fn width(&self) -> usize {
        let rest = &self.source.text[self.cursor..];
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        if word > 0 { word } else { rest.chars().next().map_or(0, char::len_utf8) }
    }

    pub(super) fn nodes(&self) -> &[Node] {
        self.source.tree.nodes()
    }

    pub(super) fn text(&self, span: &std::ops::Range<usize>) -> &str {
        &self.source.text[span.clone()]
    }

    pub(super) fn mistake(&self, span: std::ops::Range<usize>, message: impl Into<String>) -> Diagnostic {
        self.source.mistake(span, message)
    }
}

fn offset(text: &str, position: &Position) -> usize {
    let line: usize = text.split_inclusive('\n').take(position.line.saturating_sub(1)).map(str::len).sum();
    let column = position.col.saturating_sub(1);
    let rest = &text[line..];
    line + rest.char_indices().nth(column).map_or(rest.len(), |(offset, _)| offset)
}
