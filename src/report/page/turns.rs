//! The story of a page: a table with a row for each turn, and links from each message to where it was sent and got.

use crate::report::failure::instant;
use crate::report::picture::layout::Layout;
use crate::report::told::{Letters, cut, escaped};
use crate::run::story::{Deed, Fate, Turn, What};
use std::fmt::Write;

/// Of longer words so many signs are seen before somebody asks for the rest.
const SIGNS: usize = 220;

/// All that is drawn, in words.
pub(super) fn story(layout: &Layout<'_>) -> String {
    let mut text = String::from(
        "<div class=\"wide\"><table class=\"story\">\n<caption>Turn by turn</caption>\n<thead><tr><th scope=\"col\">time</th>\
         <th scope=\"col\">node</th><th scope=\"col\">what happens</th></tr></thead>\n<tbody>\n",
    );
    layout.rows.iter().for_each(|place| row(&mut text, layout, *place));
    if let Some(violated) = layout.run.outcome.violation() {
        let _ = writeln!(
            text,
            "<tr class=\"broken\"><td class=\"time\">{}</td><th scope=\"row\"></th><td><b>{}</b>: {}</td></tr>",
            instant(violated.time_ns),
            escaped(&layout.run.verdict()),
            escaped(&violated.message),
        );
    }
    text += "</tbody>\n</table></div>\n";
    super::section("story", "The story", &text)
}

fn row(text: &mut String, layout: &Layout<'_>, place: usize) {
    let (run, turn) = (layout.run, &layout.run.story.turns[place]);
    let is_bad = run.ending() == Some(place);
    let class = match (turn.node, is_bad) {
        (_, true) => " class=\"broken\"",
        (None, _) => " class=\"fault\"",
        (Some(_), _) => "",
    };
    let node = turn.node.map_or(String::new(), |node| format!(" data-node=\"{node}\""));
    let causes: Vec<String> =
        run.threads.causes(place).filter(|cause| layout.row(*cause).is_some()).map(|cause| cause.to_string()).collect();
    let mut told: Vec<(u8, String)> = turn.deeds.iter().filter_map(|deed| deed_line(layout, deed)).collect();
    told.sort_by_key(|(rank, _)| *rank);
    let lines: String = told.into_iter().map(|(_, line)| line).chain(sendings(layout, turn, place)).collect();
    let at = instant(turn.at.ns());
    let _ = writeln!(
        text,
        "<tr id=\"t{place}\"{class}{node} data-causes=\"{}\"><td class=\"time\"><a href=\"#t{place}\">{at}</a></td>\
         <th scope=\"row\">{}</th><td>{lines}</td></tr>",
        causes.join(" "),
        escaped(run.who(turn)),
    );
}

/// A line for what happens, but for what is sent, and how early it stands: what caused the turn, what its node is then, what it tells.
fn deed_line(layout: &Layout<'_>, deed: &Deed) -> Option<(u8, String)> {
    let story = layout.run.story;
    let words = &deed.words;
    let from = |from: usize, sent: Option<u64>, what: &str| {
        let name = link(layout, &story.names[from], sent.and_then(|sent| story.place(sent)));
        format!("<p>← {name} {what}{}</p>", message(words))
    };
    Some(match deed.what {
        What::Sends { .. } => return None,
        What::Gets { from: node, sent } => (0, from(node, sent, "")),
        What::Misses { from: node, sent } => (0, from(node, sent, "<i>lost</i> ")),
        What::Damaged { from: node } => (0, from(node, None, "<i>damaged on its way</i> ")),
        What::Becomes => (1, format!("<p class=\"becomes\">{}</p>", escaped(words))),
        What::Notes => (3, format!("<p>notes {}</p>", message(words))),
        What::Syncs => (4, format!("<p class=\"dim\">{}</p>", escaped(&layout.run.deed(deed)))),
        What::Fails => (2, format!("<p>{}</p>", escaped(words))),
        _ => (0, format!("<p>{}</p>", escaped(&layout.run.deed(deed)))),
    })
}

/// A line for each message that is got in a turn that is told, or that is lost, and how many others there are.
fn sendings(layout: &Layout<'_>, turn: &Turn, place: usize) -> Vec<String> {
    let letters = Letters::of(turn, |to, words| {
        let name = &layout.run.story.names[to];
        match layout.run.threads.fate(place, to, words) {
            Fate::Got(there) if layout.row(there).is_some() => Some(link(layout, name, Some(there))),
            Fate::Missed => Some(format!("{} <i>lost</i>", escaped(name))),
            Fate::Got(_) | Fate::Unknown => None,
        }
    });
    let line = |(words, to): &(&str, Vec<String>)| format!("<p>→ {} {}</p>", to.join(", "), message(words));
    let others = letters.others.map(|others| format!("<p class=\"dim\">→ {others}</p>"));
    letters.told.iter().map(line).chain(others).collect()
}

/// A name that leads to the turn at this place, if that is told.
fn link(layout: &Layout<'_>, name: &str, place: Option<usize>) -> String {
    match place.filter(|place| layout.row(*place).is_some()) {
        Some(place) => format!("<a href=\"#t{place}\">{}</a>", escaped(name)),
        None => escaped(name),
    }
}

/// The words of a message; of many, the first.
fn message(words: &str) -> String {
    if words.chars().count() <= SIGNS {
        return format!("<code>{}</code>", escaped(words));
    }
    let first = escaped(&cut(words, SIGNS));
    format!("<details><summary><code>{first}</code></summary><code>{}</code></details>", escaped(words))
}
