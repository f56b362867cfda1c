//! `squall report --mermaid`: a sequence diagram, as many pages and editors draw it from text.
//!
//! Source: mermaid.js.org, "Sequence diagrams". A message stands where it is got, and one that is lost where it is sent.

use super::number::counted;
use super::told::{Run, cut};
use crate::run::story::{Fate, What};

/// So long is the text at most, in bytes: Mermaid draws none of more than 50,000 signs if nothing else is set.
const LONGEST: usize = 48_000;
/// So many signs of a message or a note.
const WIDTH: usize = 70;

/// The diagram: of the turns that are shown as many as there is room for, the last.
pub fn mermaid(run: &Run<'_>) -> String {
    let all = run.places();
    let nodes = run.nodes(&all);
    let mut head = format!("%% {}, seed {}\nsequenceDiagram\n", run.outcome.scenario, run.outcome.seed);
    nodes.iter().for_each(|node| head += &format!("    participant {}\n", run.story.names[*node]));
    let (Some(first), Some(last)) = (nodes.first(), nodes.last()) else { return head };
    let over = match first == last {
        true => run.story.names[*first].clone(),
        false => format!("{},{}", run.story.names[*first], run.story.names[*last]),
    };
    let broken = run.outcome.violation().map_or(String::new(), |violated| {
        format!("    Note over {over}: {} is broken: {}\n", violated.invariant, label(&violated.message))
    });
    let (mut turns, mut room) = (Vec::new(), LONGEST.saturating_sub(head.len() + broken.len()));
    for place in all.iter().rev() {
        let text = turn(run, *place, &nodes, &over);
        let Some(left) = room.checked_sub(text.len()) else { break };
        room = left;
        turns.push(text);
    }
    let left_out = run.story.forgotten + (run.story.turns.len() - turns.len()) as u64;
    if left_out > 0 {
        head += &format!("    Note over {over}: {} not shown\n", counted(left_out, "turn"));
    }
    turns.push(head);
    turns.into_iter().rev().chain([broken]).collect()
}

/// The lines of one turn. `nodes`: who has part; `over`: whom a note covers that concerns all.
fn turn(run: &Run<'_>, place: usize, nodes: &[usize], over: &str) -> String {
    let (turn, mut text) = (&run.story.turns[place], String::new());
    let name = |node: usize| run.story.names[node].as_str();
    let me = turn.node.map_or(over, name);
    for deed in &turn.deeds {
        let words = label(&deed.words);
        let line = match deed.what {
            What::Gets { from, .. } if nodes.contains(&from) => format!("{}->>{me}: {words}", name(from)),
            What::Sends { to } if run.threads.fate(place, to, &deed.words) == Fate::Missed && nodes.contains(&to) => {
                format!("{me}-x{}: {words}", name(to))
            }
            What::Gets { .. } | What::Sends { .. } | What::Misses { .. } | What::Fires | What::Syncs => continue,
            What::Hears
            | What::Damaged { .. }
            | What::Notes
            | What::Starts
            | What::Fails
            | What::Dies
            | What::Becomes
            | What::Begins { .. }
            | What::Ends { .. }
            | What::Calm => format!("Note over {me}: {}", label(&run.deed(deed))),
        };
        text += &format!("    {line}\n");
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
