//! `squall report --mermaid`: a sequence diagram, as many pages and editors draw it from text.
//!
//! Source: mermaid.js.org, "Sequence diagrams". A message stands where it is got, and one that is lost where it is sent.

use super::number::counted;
use super::told::{Run, cut};
use crate::run::story::{Fate, What};
use std::fmt::Write;

/// So many turns are drawn, the last: browsers refuse longer texts.
const TURNS: usize = 400;
/// So many signs of a message or a note.
const WIDTH: usize = 70;

/// The diagram.
pub fn mermaid(run: &Run<'_>) -> String {
    let places = run.places();
    let places = &places[places.len().saturating_sub(TURNS)..];
    let nodes = run.nodes(places);
    let mut text = format!("%% {}, seed {}\nsequenceDiagram\n", run.outcome.scenario, run.outcome.seed);
    let mut line = |what: String| writeln!(text, "    {what}").expect("a text takes all");
    nodes.iter().for_each(|node| line(format!("participant {}", run.story.names[*node])));
    let (Some(first), Some(last)) = (nodes.first(), nodes.last()) else { return text };
    let all = match first == last {
        true => run.story.names[*first].clone(),
        false => format!("{},{}", run.story.names[*first], run.story.names[*last]),
    };
    let left_out = run.story.forgotten as usize + run.story.turns.len() - places.len();
    if left_out > 0 {
        line(format!("Note over {all}: {} not shown", counted(left_out as u64, "turn")));
    }
    for place in places {
        let turn = &run.story.turns[*place];
        for deed in &turn.deeds {
            let words = label(&deed.words);
            let name = |node: usize| &run.story.names[node];
            let me = turn.node.map_or(&all, name);
            match deed.what {
                What::Gets { from, .. } if nodes.contains(&from) => line(format!("{}->>{me}: {words}", name(from))),
                What::Sends { to }
                    if run.threads.fate(*place, to, &deed.words) == Fate::Missed && nodes.contains(&to) =>
                {
                    line(format!("{me}-x{}: {words}", name(to)));
                }
                What::Gets { .. } | What::Sends { .. } | What::Misses { .. } | What::Fires | What::Syncs => {}
                What::Hears
                | What::Damaged { .. }
                | What::Notes
                | What::Starts
                | What::Fails
                | What::Dies
                | What::Becomes
                | What::Begins { .. }
                | What::Ends { .. }
                | What::Calm => line(format!("Note over {me}: {}", label(&run.deed(deed)))),
            }
        }
    }
    if let Some(violated) = run.outcome.violation() {
        line(format!("Note over {all}: {} is broken: {}", violated.invariant, label(&violated.message)));
    }
    text
}

/// A text in which nothing means something else to Mermaid: `#` begins a code, `;` and a new line end a statement, and of `<` and `>` a
/// page could make elements.
fn label(text: &str) -> String {
    cut(text, WIDTH)
        .chars()
        .map(|sign| match sign {
            '#' => "#35;".to_owned(),
            ';' => "#59;".to_owned(),
            '<' => "#lt;".to_owned(),
            '>' => "#gt;".to_owned(),
            '\n' | '\r' => " ".to_owned(),
            sign => sign.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_label_ends_it() {
        assert_eq!(label("a; b\n#c <d>"), "a#59; b #35;c #lt;d#gt;");
    }
}
