//! A mistake in a scenario, with the lines around it.

use crate::scenario::diagnostic::Diagnostic;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

/// The mistake as several lines: message, `file:line:column`, the text with a mark below the
/// offending words, and the cure.
pub(super) fn rendered(mistake: &Diagnostic) -> String {
    let title = Level::ERROR.primary_title(&*mistake.message);
    let group = if mistake.line == 0 {
        Group::with_title(title).element(Origin::path(&*mistake.file))
    } else {
        let mark = AnnotationKind::Primary.span(mistake.span.clone());
        let label = mistake.expected.as_ref().map(|expected| format!("expected {expected}"));
        title.element(Snippet::source(&*mistake.source).path(&*mistake.file).annotation(mark.label(label)))
    };
    let group = match &mistake.help {
        Some(help) => group.element(Level::HELP.message(&**help)),
        None => group,
    };
    format!("{}\n\n", Renderer::styled().render(&[group]))
}
