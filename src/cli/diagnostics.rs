//! A mistake in a scenario, with the lines around it.

use crate::scenario::diagnostic::Diagnostic;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

/// What was expected stands beside the mark if it is no longer than this, else below.
const SHORT: usize = 48;

/// The mistake as several lines: message, `file:line:column`, the text with a mark below the
/// offending words, and the cure.
pub(super) fn rendered(mistake: &Diagnostic) -> String {
    let expected = mistake.expected.as_ref().map(|expected| format!("expected {expected}"));
    let title = Level::ERROR.primary_title(&*mistake.message);
    let group = if mistake.line == 0 {
        Group::with_title(title).element(Origin::path(&*mistake.file))
    } else {
        let mark = AnnotationKind::Primary.span(mistake.span.clone());
        let mark = mark.label(expected.clone().filter(|expected| expected.chars().count() <= SHORT));
        title.element(Snippet::source(&*mistake.source).path(&*mistake.file).annotation(mark))
    };
    let group = match expected.filter(|expected| mistake.line == 0 || expected.chars().count() > SHORT) {
        Some(expected) => group.element(Level::NOTE.message(expected)),
        None => group,
    };
    let group = match &mistake.help {
        Some(help) => group.element(Level::HELP.message(&**help)),
        None => group,
    };
    format!("{}\n\n", Renderer::styled().render(&[group]))
}
