//! A story as a space-time diagram: time runs down, each node has a lane, each turn a dot, each message an arrow.
//!
//! Source: Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System" (1978). Turns are drawn at equal
//! distances, in their order: to scale, what matters would be a blot between two deserts.

mod label;
pub(super) mod layout;
mod letter;

use super::failure::instant;
use super::number::{count, counted};
use super::told::{Run, cut, escaped};
use crate::run::story::{Deed, Turn, What};
use layout::{BARS, LABEL, Layout, ROW, SIGN, TIME, TOP, TRACK, fault_words};
use std::fmt::Write;

/// How high the head of a picture is that stands alone.
const HEAD: f64 = 84.0;
/// How wide the legend is.
pub(super) const LEGEND: f64 = 720.0;
/// How high the end is, where it says what broke.
const END: f64 = 52.0;
/// So many colours there are for lanes; then they come again.
const COLOURS: usize = 8;

/// Red is for what broke, amber for what the surroundings do; the colours of lanes are neither. All can be read on their ground.
const STYLE: &str = "\
.space text{font:11px system-ui,sans-serif;fill:#1b1b1b}\
.space .back{fill:#fff}.space .head{font-size:16px;font-weight:600}\
.space .dim,.space .time{fill:#5c5c5c}.space .time{font-variant-numeric:tabular-nums}\
.space .name{font-size:13px;font-weight:600;fill:currentColor}\
.space .said{paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round}\
.space .lane{stroke:currentColor;stroke-width:2;opacity:.3}.space .down{stroke-dasharray:2 5;opacity:.55;stroke-width:1.5}\
.space .dot{fill:currentColor}.space .small{fill:#fff;stroke:currentColor;stroke-width:1.6}\
.space .dead{fill:none;stroke:currentColor;stroke-width:2.4}\
.space path{fill:none}.space .arrow{stroke:currentColor;stroke-width:1.3;opacity:.8}.space .stub{opacity:.45}\
.space .hit{stroke:transparent;stroke-width:9;pointer-events:stroke}.space .letter:hover .arrow{stroke-width:3;opacity:1}\
.space .lost{stroke:#b45f06;stroke-width:1.5}.space .fault{fill:#9a5200}\
.space .bar{fill:#e08a00;opacity:.75}.space .rule{stroke:#e08a00;stroke-width:1;stroke-dasharray:1 4}\
.space .n0{color:#1f6fb2}.space .n1{color:#1b7f4d}.space .n2{color:#8a4fbf}.space .n3{color:#0d7d87}\
.space .n4{color:#b0398a}.space .n5{color:#7a5a2e}.space .n6{color:#53617a}.space .n7{color:#6b7316}\
@media (prefers-color-scheme:dark){\
.space text{fill:#ececec}.space .back{fill:#16181b}.space .dim,.space .time{fill:#a9a9a9}\
.space .said{stroke:#16181b}.space .small{fill:#16181b}\
.space .lost{stroke:#f0a848}.space .fault{fill:#f0b45c}.space .bar{fill:#d98e1f}.space .rule{stroke:#d98e1f}\
.space .n0{color:#6cb2f0}.space .n1{color:#57c98d}.space .n2{color:#c39af0}.space .n3{color:#4fc4cf}\
.space .n4{color:#ee8ccb}.space .n5{color:#cdab7c}.space .n6{color:#a3b3cf}.space .n7{color:#bcc65a}}";

/// Only where something broke.
const BAD: &str = "\
.space .bad{fill:#c01c1c}.space .halo{stroke:#c01c1c;stroke-width:2;fill:none}.space .end{stroke:#c01c1c;stroke-width:2}\
.space text.bad{font-weight:600}\
@media (prefers-color-scheme:dark){.space .bad{fill:#ff7b72}.space .halo,.space .end{stroke:#ff7b72}}";

/// The whole picture, as a file of its own: the last 2,000 turns of those that are shown, if there are more.
pub fn svg(run: &Run<'_>) -> String {
    let layout = Layout::of(run);
    let (width, height) = (layout.width(), HEAD + height(&layout));
    let title = format!("{}: {}", run.name(), run.verdict());
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"space\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\" aria-labelledby=\"title desc\">\n\
         <title id=\"title\">{}</title>\n<desc id=\"desc\">{}</desc>\n<style>{}</style>\n\
         <rect class=\"back\" width=\"100%\" height=\"100%\"/>\n<text class=\"head\" x=\"16\" y=\"28\">{}</text>\n\
         <text class=\"dim\" x=\"16\" y=\"47\">{}</text>\n<g transform=\"translate(16 66)\">{}</g>\n\
         <g transform=\"translate(0 {HEAD})\">\n",
        escaped(&title),
        escaped(&described(&layout)),
        style(run),
        escaped(&cut(&title, (width / 8.6) as usize)),
        escaped(&extent(&layout)),
        legend(),
    );
    text += &names(&layout);
    text += &body(&layout, false);
    text + "</g>\n</svg>\n"
}

/// What is in the picture, for who does not see it.
pub(super) fn described(layout: &Layout<'_>) -> String {
    let names: Vec<&str> = layout.nodes.iter().map(|node| layout.run.story.names[*node].as_str()).collect();
    let violated = layout.run.outcome.violation();
    let broke = violated.map_or(String::new(), |violated| format!(" In the end {}.", violated.message));
    format!("Time runs down. Lanes, from the left: {}. {}{broke}", names.join(", "), extent(layout))
}

/// How much of the run is drawn.
pub(super) fn extent(layout: &Layout<'_>) -> String {
    let turns = &layout.run.story.turns;
    let drawn = layout.rows.iter().filter(|place| turns[**place].node.is_some()).count() as u64;
    let all = turns.iter().filter(|turn| turn.node.is_some()).count() as u64 + layout.run.story.forgotten;
    let mut text = match drawn == all {
        true => counted(all, "turn"),
        false => format!("{} of {}", count(drawn), counted(all, "turn")),
    };
    if layout.left_out > 0 {
        let _ = write!(text, ", the last; {} before them are left out", count(layout.left_out as u64));
    }
    text + "; a row each, not to scale in time"
}

pub(super) fn style(run: &Run<'_>) -> String {
    if run.outcome.violation().is_some() { format!("{STYLE}{BAD}") } else { STYLE.to_owned() }
}

/// How high the lanes with their names and the end are.
pub(super) fn height(layout: &Layout<'_>) -> f64 {
    layout.bottom() + if layout.run.outcome.violation().is_some() { END } else { 16.0 }
}

/// What the signs mean, in a line whose middle is at the height 0.
pub(super) fn legend() -> String {
    let mut text = String::from("<g class=\"n0\">");
    let mut x = 0.0;
    for (sign, width, said) in [
        ("<circle class=\"dot\" cx=\"5\" cy=\"0\" r=\"5\"/>", 16.0, "something changes"),
        ("<circle class=\"small\" cx=\"4\" cy=\"0\" r=\"3\"/>", 13.0, "any other turn"),
        ("<path class=\"dead\" d=\"M0 -5l10 10m0 -10l-10 10\"/>", 16.0, "dies"),
        ("<path class=\"lane down\" d=\"M0 0H22\"/>", 28.0, "is down"),
        ("<path class=\"arrow\" d=\"M0 -5L20 4M13.8 4.5L20 4L16.5 -1.2\"/>", 27.0, "message"),
        ("<path class=\"arrow lost\" d=\"M0 -4L14 2M10.5 -1.5l7 7m0 -7l-7 7\"/>", 24.0, "is lost"),
        ("<rect class=\"bar\" x=\"0\" y=\"-7\" width=\"5\" height=\"14\" rx=\"2\"/>", 11.0, "fault"),
    ] {
        let _ = write!(
            text,
            "<g transform=\"translate({x:.0} 0)\">{sign}<text class=\"dim\" x=\"{width}\" y=\"4\">{said}</text></g>"
        );
        x += width + 20.0 + SIGN * said.len() as f64;
    }
    text + "</g>"
}

/// The names of the lanes, in a strip that is as high as the top.
pub(super) fn names(layout: &Layout<'_>) -> String {
    let mut text = String::new();
    let violated = layout.run.outcome.violation();
    let signs = (layout.pitch / 8.0) as usize;
    for (lane, node) in layout.nodes.iter().enumerate() {
        let name = &layout.run.story.names[*node];
        let (bad, title) = match violated.is_some_and(|violated| violated.nodes.contains(name)) {
            true => (" bad", "<title>What broke concerns this node.</title>"),
            false => ("", ""),
        };
        let (x, colour) = (layout.lane_x(lane), lane % COLOURS);
        let _ = writeln!(
            text,
            "<text class=\"name n{colour}{bad}\" x=\"{x:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{title}{}</text>",
            TOP - 8.0,
            escaped(&cut(name, signs)),
        );
    }
    text
}

/// Everything below the names. With links, each dot leads to what the page has of its turn.
pub(super) fn body(layout: &Layout<'_>, has_links: bool) -> String {
    let mut text = String::new();
    bars(&mut text, layout);
    for (lane, node) in layout.nodes.iter().enumerate() {
        let _ = write!(text, "<g class=\"n{}\" data-node=\"{node}\">", lane % COLOURS);
        lifeline(&mut text, layout, lane, *node);
        text.push_str("</g>\n");
    }
    for place in &layout.rows {
        letter::letters(&mut text, layout, *place);
    }
    let mut time = String::new();
    for (row, place) in layout.rows.iter().enumerate() {
        let (y, at) = (layout.y(row), instant(layout.run.story.turns[*place].at.ns()));
        if at != time {
            let _ = writeln!(
                text,
                "<text class=\"time\" x=\"{TIME}\" y=\"{:.1}\" text-anchor=\"end\">{at}</text>",
                y + 4.0
            );
            time = at;
        }
        turn(&mut text, layout, row, has_links);
    }
    end(&mut text, layout);
    text
}

/// The bars of faults that last.
fn bars(text: &mut String, layout: &Layout<'_>) {
    for bar in &layout.bars {
        let from = layout.y(bar.from) - 5.0;
        let to = bar.to.map_or(layout.bottom(), |to| layout.y(to) + 5.0);
        let turn = &layout.run.story.turns[layout.rows[bar.from]];
        let says = |deed: &&Deed| deed.what == What::Begins { fault: bar.fault };
        let words = turn.deeds.iter().find(says).map_or("", |deed| deed.words.as_str());
        let end = bar.to.map_or("the end".to_owned(), |to| instant(layout.run.story.turns[layout.rows[to]].at.ns()));
        let _ = writeln!(
            text,
            "<rect class=\"bar\" x=\"{:.1}\" y=\"{from:.1}\" width=\"5\" height=\"{:.1}\" rx=\"2\">\
             <title>{}, {} to {end}</title></rect>",
            BARS + TRACK * bar.track as f64,
            to - from,
            escaped(words),
            instant(turn.at.ns()),
        );
    }
}

/// A lane: solid while the node is up, dashed while it is down, nothing before it first starts.
fn lifeline(text: &mut String, layout: &Layout<'_>, lane: usize, node: usize) {
    let x = layout.lane_x(lane);
    let mut line = |class: &str, from: f64, to: f64| {
        if to > from {
            let _ = write!(text, "<path class=\"{class}\" d=\"M{x:.1} {from:.1}V{to:.1}\"/>");
        }
    };
    let within = |place: usize| layout.height_of(place).clamp(TOP, layout.bottom());
    let mut up = TOP;
    for (from, to) in layout.downs(node) {
        let until = to.map_or(layout.bottom(), within);
        if let Some(from) = from.map(within) {
            line("lane", up, from);
            line("lane down", from, until);
        }
        up = until;
    }
    line("lane", up, layout.bottom());
}

/// A turn: its dot, or the words of a fault.
fn turn(text: &mut String, layout: &Layout<'_>, row: usize, has_links: bool) {
    let (run, place, y) = (layout.run, layout.rows[row], layout.y(row));
    let turn = &run.story.turns[place];
    let title = escaped(&title(run, turn));
    let Some((node, lane)) = turn.node.and_then(|node| Some((node, layout.lane(node)?))) else {
        let class = if turn.deeds.iter().any(|deed| matches!(deed.what, What::Ends { .. })) { "dim" } else { "fault" };
        let (x, right) = (layout.words, layout.width() - 12.0);
        let said = escaped(&fault_words(turn).unwrap_or_default());
        let from = layout.lane_x(0) - 12.0;
        let _ = writeln!(
            text,
            "<g class=\"happening\"><title>{title}</title><path class=\"rule\" d=\"M{from:.1} {y:.1}H{right:.1}\"/>\
             <text class=\"{class}\" x=\"{x:.1}\" y=\"{:.1}\">{said}</text></g>",
            y + 4.0,
        );
        return;
    };
    let x = layout.lane_x(lane);
    let is_bad = run.ending() == Some(place);
    let dot = match (is_bad, weight(turn)) {
        (true, _) => format!(
            "<circle class=\"halo\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"8.5\"/><circle class=\"bad\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"/>"
        ),
        (_, Weight::Dies) => {
            format!("<path class=\"dead\" d=\"M{:.1} {:.1}l10 10m0 -10l-10 10\"/>", x - 5.0, y - 5.0)
        }
        (_, Weight::Changes) => format!("<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"/>"),
        (_, Weight::Misses) => format!("<circle class=\"small lost\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>"),
        (_, Weight::Other) => format!("<circle class=\"small\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>"),
    };
    let said = layout.labels[row].text();
    let (left, right) =
        if has_links { (format!("<a href=\"#t{place}\" tabindex=\"-1\">"), "</a>") } else { (String::new(), "") };
    let _ = writeln!(
        text,
        "<g class=\"turn n{}\" data-turn=\"{place}\" data-node=\"{node}\"><title>{title}</title>{left}{dot}\
         <text class=\"said\" x=\"{:.1}\" y=\"{:.1}\">{said}</text>{right}</g>",
        lane % COLOURS,
        x + LABEL,
        y + 4.0,
    );
}

/// How much a turn is, for its dot.
enum Weight {
    Dies,
    Changes,
    Misses,
    Other,
}

fn weight(turn: &Turn) -> Weight {
    let has = |is: fn(&What) -> bool| turn.deeds.iter().any(|deed| is(&deed.what));
    if has(|what| matches!(what, What::Dies)) {
        Weight::Dies
    } else if has(|what| matches!(what, What::Becomes | What::Notes | What::Hears | What::Starts | What::Fails)) {
        Weight::Changes
    } else if turn.deeds.iter().all(|deed| matches!(deed.what, What::Misses { .. } | What::Damaged { .. })) {
        Weight::Misses
    } else {
        Weight::Other
    }
}

/// All of a turn, a line a deed.
fn title(run: &Run<'_>, turn: &Turn) -> String {
    let deeds: Vec<String> = turn.deeds.iter().map(|deed| run.deed(deed)).collect();
    format!("{} {}, step {}\n{}", instant(turn.at.ns()), run.who(turn), count(turn.step), deeds.join("\n"))
}

/// The line under everything: what broke.
fn end(text: &mut String, layout: &Layout<'_>) {
    let Some(violated) = layout.run.outcome.violation() else { return };
    let (y, x, width) = (layout.bottom(), layout.words, layout.width());
    let signs = ((width - x) / (SIGN + 0.6)) as usize;
    let _ = writeln!(
        text,
        "<g><title>{title}</title><path class=\"end\" d=\"M{BARS} {y:.1}H{:.1}\"/>\
         <text class=\"bad\" x=\"{TIME}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
         <text class=\"bad\" x=\"{BARS}\" y=\"{:.1}\">{}</text><text x=\"{BARS}\" y=\"{:.1}\">{}</text></g>",
        width - 12.0,
        y + 4.0,
        instant(violated.time_ns),
        y + ROW * 0.75,
        escaped(&cut(&layout.run.verdict(), signs)),
        y + ROW * 1.45,
        escaped(&cut(&violated.message, signs)),
        title = escaped(&violated.message),
    );
}

#[cfg(test)]
mod tests;
