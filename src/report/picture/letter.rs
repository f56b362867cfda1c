//! Messages in a space-time diagram: arrows, stubs of what came from a turn that is not drawn, crosses for what was lost.

use super::COLOURS;
use super::layout::{Layout, ROW};
use crate::report::failure::instant;
use crate::report::told::escaped;
use crate::run::story::{Fate, What};
use std::fmt::Write;

/// How far from the middle of a dot an arrow begins and ends.
const GAP: f64 = 6.0;

/// The messages that were got in the turn at this place, and those that were sent in it and lost.
pub(super) fn letters(text: &mut String, layout: &Layout<'_>, place: usize) {
    let story = layout.run.story;
    let turn = &story.turns[place];
    let Some(node) = turn.node else { return };
    for deed in &turn.deeds {
        match deed.what {
            What::Gets { from, sent } => {
                let sent = sent.and_then(|sent| story.place(sent)).filter(|sent| *sent < story.turns.len());
                let since = sent.map_or("long before".to_owned(), |sent| instant(story.turns[sent].at.ns()));
                let got = instant(turn.at.ns());
                let title =
                    format!("{} → {}, sent {since}, got {got}\n{}", story.names[from], story.names[node], deed.words);
                let drawn = sent.filter(|sent| layout.row(*sent).is_some());
                arrow(text, layout, &Letter { from, to: node, sent: drawn, got: place, title });
            }
            What::Sends { to } if layout.run.threads.fate(place, to, &deed.words) == Fate::Missed => {
                let title = format!(
                    "{} → {}, sent {}, lost\n{}",
                    story.names[node],
                    story.names[to],
                    instant(turn.at.ns()),
                    deed.words
                );
                lost(text, layout, &Letter { from: node, to, sent: Some(place), got: place, title });
            }
            _ => {}
        }
    }
}

struct Letter {
    from: usize,
    to: usize,
    /// Where it was sent, if that is drawn.
    sent: Option<usize>,
    got: usize,
    title: String,
}

/// From the turn in which it was sent, or from where that would be, to the one in which it was got.
fn arrow(text: &mut String, layout: &Layout<'_>, letter: &Letter) {
    let Some(to) = spot(layout, letter.to, letter.got) else { return };
    let from = letter.sent.and_then(|sent| spot(layout, letter.from, sent));
    let (class, path) = match from {
        Some(from) if from.0 == to.0 => ("arrow", loop_of(from, to)),
        Some(from) => ("arrow", line(from, to)),
        None => ("arrow stub", line((to.0 + 34.0 * side(letter.to, letter.from), to.1 - ROW * 0.7), to)),
    };
    let sent = if from.is_some() { letter.sent } else { None };
    let ends =
        format!(" data-from=\"{}\" data-to=\"{}\"", sent.map_or(String::new(), |sent| sent.to_string()), letter.got);
    group(text, layout, letter, &ends, &path, class);
}

/// A short arrow that does not come far, and a cross.
fn lost(text: &mut String, layout: &Layout<'_>, letter: &Letter) {
    let Some((x, y)) = spot(layout, letter.from, letter.got) else { return };
    let lanes = |node: usize| layout.nodes.iter().filter(|other| **other < node).count();
    let far = lanes(letter.from).abs_diff(lanes(letter.to)).max(1) as f64;
    let (dx, dy) = ((16.0 + 13.0 * far) * side(letter.from, letter.to), ROW * 0.62);
    let path = format!("M{x:.1} {y:.1}l{dx:.1} {dy:.1}m-4 -4l8 8m0 -8l-8 8");
    group(text, layout, letter, &format!(" data-from=\"{}\"", letter.got), &path, "arrow lost");
}

fn group(text: &mut String, layout: &Layout<'_>, letter: &Letter, ends: &str, path: &str, class: &str) {
    let colour = layout.lane(letter.from).map_or(String::new(), |lane| format!(" n{}", lane % COLOURS));
    let _ = writeln!(
        text,
        "<g class=\"letter{colour}\" data-ends=\"{} {}\"{ends}><title>{}</title><path class=\"hit\" d=\"{path}\"/>\
         <path class=\"{class}\" d=\"{path}\"/></g>",
        letter.from,
        letter.to,
        escaped(&letter.title),
    );
}

/// On which side of the lane of one node another is: -1 on the left, also of itself, 1 on the right.
fn side(of: usize, other: usize) -> f64 {
    if other > of { 1.0 } else { -1.0 }
}

fn spot(layout: &Layout<'_>, node: usize, place: usize) -> Option<(f64, f64)> {
    Some((layout.x(node)?, layout.y(layout.row(place)?)))
}

/// A straight arrow from the edge of one dot to that of another.
fn line(from: (f64, f64), to: (f64, f64)) -> String {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy).max(1.0);
    let (ux, uy) = (dx / length, dy / length);
    let (tip, base) = ((to.0 - GAP * ux, to.1 - GAP * uy), (to.0 - (GAP + 7.0) * ux, to.1 - (GAP + 7.0) * uy));
    let wing = |side: f64| (base.0 - 3.2 * side * uy, base.1 + 3.2 * side * ux);
    let (left, right) = (wing(1.0), wing(-1.0));
    format!(
        "M{:.1} {:.1}L{:.1} {:.1}M{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}",
        from.0 + GAP * ux,
        from.1 + GAP * uy,
        tip.0,
        tip.1,
        left.0,
        left.1,
        tip.0,
        tip.1,
        right.0,
        right.1
    )
}

/// What a node sends to itself goes round on the left.
fn loop_of(from: (f64, f64), to: (f64, f64)) -> String {
    let (x, out) = (from.0, 30.0_f64);
    let (y, down) = if to.1 > from.1 { (from.1, to.1) } else { (from.1 - 3.0, to.1 + 3.0) };
    let (start, tip) = (x - GAP, x - GAP - 1.0);
    format!("M{start:.1} {y:.1}C{0:.1} {y:.1} {0:.1} {down:.1} {tip:.1} {down:.1}m-6 -3.4l6 3.4l-6 3.4", x - out)
}
