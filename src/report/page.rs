//! A run as one page for a browser: what broke, the faults, the space-time diagram, the story, goals and figures. It needs
//! nothing from elsewhere, and without its script it lacks only what moves.

mod turns;

use super::audit;
use super::failure::instant;
use super::number::{count, counted};
use super::picture::layout::Layout;
use super::picture::{self, LEGEND};
use super::told::{Run, escaped};
use crate::run::outcome::Verdict;
use crate::run::story::What;
use std::fmt::{Display, Write};

const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// The whole page: of the turns that are shown at most the last 2,000.
pub fn html(run: &Run<'_>) -> String {
    let layout = Layout::of(run);
    let (name, verdict) = (escaped(&run.name()), escaped(&run.verdict()));
    let mut text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n<title>{name}: {verdict}</title>\n\
         <style>\n{STYLE}{}</style>\n</head>\n<body>\n<header>\n<h1>{} <small>seed {}</small></h1>\n\
         <p class=\"verdict {}\">{verdict}</p>\n</header>\n<main>\n",
        picture::style(run),
        escaped(&run.outcome.scenario),
        run.outcome.seed,
        mood(run),
    );
    text += &summary(run);
    text += &faults(run);
    text += &diagram(&layout);
    text += &turns::story(&layout);
    text += &figures(run);
    let _ = write!(
        text,
        "</main>\n<footer><p>A run of squall depends on its plan alone: the command above plays this one again, step for step.</p>\
         </footer>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n"
    );
    text
}

fn mood(run: &Run<'_>) -> &'static str {
    match run.outcome.verdict {
        Verdict::Pass => "good",
        Verdict::Violation(_) => "broken",
        Verdict::Inconclusive(_) => "unsure",
    }
}

/// What broke, when, of whom; and how to see it again.
fn summary(run: &Run<'_>) -> String {
    let outcome = run.outcome;
    let mut facts: Vec<(&str, String)> = Vec::new();
    let mut text = String::new();
    match outcome.violation() {
        Some(violated) => {
            text += "<section aria-labelledby=\"broke\">\n<h2 id=\"broke\">What broke</h2>\n";
            if let Some(promise) = run.promise {
                let _ = writeln!(
                    text,
                    "<p>The promise, <code>{}</code>: {}.</p>",
                    escaped(&violated.invariant),
                    escaped(promise)
                );
            }
            let _ = writeln!(text, "<p class=\"fact\">{}</p>", escaped(&violated.message));
            facts.push(("when", format!("{}, step {}", instant(violated.time_ns), count(violated.step))));
            facts.push(("during", violated.during.clone()));
            if !violated.nodes.is_empty() {
                facts.push(("nodes", violated.nodes.join(", ")));
            }
        }
        None => {
            text += "<section aria-labelledby=\"broke\">\n<h2 id=\"broke\">What it came to</h2>\n";
            facts.push(("took", format!("{}, {}", instant(outcome.virtual_ns), counted(outcome.steps, "step"))));
        }
    }
    facts.extend(outcome.excuse.iter().map(|excuse| ("could not settle", excuse.clone())));
    facts.push(("system", outcome.system.clone()));
    facts.push(("digest", outcome.digest.clone()));
    text += "<dl>\n";
    for (title, fact) in facts {
        let _ = writeln!(text, "<dt>{title}</dt><dd>{}</dd>", escaped(&fact));
    }
    let command = escaped(run.command);
    let _ = writeln!(text, "</dl>\n<p>To see it again:</p>\n<pre><code>{command}</code></pre>\n</section>");
    text
}

/// Those of the plan, and what became of them in the run.
fn faults(run: &Run<'_>) -> String {
    if run.faults.is_empty() {
        return section("faults", "Faults", "<p>None were planned.</p>\n");
    }
    let (mut began, mut ended) = (vec![None; run.faults.len()], vec![None; run.faults.len()]);
    for turn in run.story.turns.iter().filter(|turn| turn.node.is_none()) {
        for deed in &turn.deeds {
            let (times, fault) = match deed.what {
                What::Begins { fault } => (&mut began, fault),
                What::Ends { fault } => (&mut ended, fault),
                _ => continue,
            };
            if let Some(time) = times.get_mut(fault) {
                *time = Some(instant(turn.at.ns()));
            }
        }
    }
    let rows = run.faults.iter().zip(began.iter().zip(&ended)).map(|(fault, (began, ended))| {
        let plan = match (&fault.waits_for, fault.until_ns) {
            (Some(moment), _) => format!("from {} on it waits for {moment}", instant(fault.at_ns)),
            (None, Some(until)) => format!("{} to {}", instant(fault.at_ns), instant(until)),
            (None, None) => instant(fault.at_ns),
        };
        let none = || "–".to_owned();
        let (began, ended) = match (began, ended) {
            (Some(began), Some(ended)) => (began.clone(), ended.clone()),
            (Some(began), None) if fault.is_momentary => (began.clone(), none()),
            (Some(began), None) => (began.clone(), "still on at the end".to_owned()),
            (None, _) if run.story.forgotten > 0 => (none(), none()),
            (None, _) => ("never".to_owned(), none()),
        };
        [fault.what.clone(), plan, began, ended]
    });
    section("faults", "Faults", &table("Faults of the plan", &["fault", "planned", "began", "ended"], rows))
}

fn section(id: &str, title: &str, content: &str) -> String {
    format!("<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{title}</h2>\n{content}</section>\n")
}

/// Rows of plain text; the first cell of each is its head.
fn table<T: Display, const N: usize>(caption: &str, heads: &[&str; N], rows: impl Iterator<Item = [T; N]>) -> String {
    let mut text = format!("<div class=\"wide\"><table>\n<caption>{caption}</caption>\n<thead><tr>");
    heads.iter().for_each(|head| text += &format!("<th scope=\"col\">{head}</th>"));
    text += "</tr></thead>\n<tbody>\n";
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            let cell = escaped(&cell.to_string());
            text +=
                &if column == 0 { format!("<tr><th scope=\"row\">{cell}</th>") } else { format!("<td>{cell}</td>") };
        }
        text += "</tr>\n";
    }
    text + "</tbody>\n</table></div>\n"
}

/// The picture, under a strip of names that stays where it is.
fn diagram(layout: &Layout<'_>) -> String {
    let (width, height, top) = (layout.width(), picture::height(layout), picture::layout::TOP);
    let canvas = |class: &str, from: f64, height: f64, attributes: &str, content: &str| {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"space {class}\" viewBox=\"0 {from:.0} {width:.0} {height:.0}\" \
             width=\"{width:.0}\" height=\"{height:.0}\"{attributes}>\n{content}</svg>\n"
        )
    };
    let says = escaped(&picture::described(layout));
    let image = format!(" role=\"img\" aria-label=\"{says} The story below tells the same in words.\"");
    let content = format!(
        "<p>{}. Time runs down. Each lane is a node, each dot a turn of it: something happens to it, and it answers. \
         An arrow is a message, from the turn in which it was sent to the one in which it came. Beside a dot stands, in pale \
         letters, what caused the turn, and then what is new of its node. Point at a dot or an arrow for the whole words.</p>\n\
         <svg xmlns=\"http://www.w3.org/2000/svg\" class=\"space legend\" viewBox=\"0 -12 {LEGEND} 24\" width=\"{LEGEND}\" height=\"24\" \
         role=\"img\" aria-label=\"What the signs mean\">{}</svg>\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Space-time diagram\">\n{}{}</div>\n",
        escaped(&picture::extent(layout)),
        picture::legend(),
        canvas("names", 0.0, top, " aria-hidden=\"true\"", &picture::names(layout)),
        canvas("body", top, height - top, &image, &picture::body(layout, true)),
    );
    section("diagram", "Who did what, and what came of it", &content)
}

/// Goals, what faults have done, and figures.
fn figures(run: &Run<'_>) -> String {
    let outcome = run.outcome;
    let mut goals: Vec<(&String, u64)> = outcome.goals.iter().map(|(goal, times)| (goal, *times)).collect();
    goals.sort_by_key(|(_, times)| *times == 0);
    let mut text = String::new();
    if !goals.is_empty() {
        let reached = |times: u64| if times == 0 { "not reached".to_owned() } else { count(times) };
        let rows = goals.into_iter().map(|(goal, times)| [goal.clone(), reached(times)]);
        text += &table("What should happen sometimes", &["goal", "times"], rows);
    }
    let kinds = audit::of_run(outcome);
    if !kinds.is_empty() {
        let rows = kinds.into_iter().map(|(kind, tally)| {
            [kind, count(tally.planned), count(tally.fired), count(tally.changed), count(tally.effects)]
        });
        let heads = ["fault", "planned", "began", "changed something", "how much"];
        text += &table("What faults have done", &heads, rows);
    }
    let own = [("steps", outcome.steps), ("events", outcome.events)].map(|(name, value)| (name.to_owned(), value));
    let others = outcome.stats.iter().map(|(name, value)| (name.replace('_', " "), *value));
    let rows = own.into_iter().chain(others).map(|(name, value)| [name, count(value)]);
    text += &table("Figures", &["what", "number"], rows);
    section("figures", "Goals and figures", &format!("<div class=\"tables\">\n{text}</div>\n"))
}

#[cfg(test)]
mod tests;
