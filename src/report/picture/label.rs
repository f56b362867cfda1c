//! What is said beside the dots of a space-time diagram.

use crate::report::told::{Run, cut, escaped, kind, news};
use crate::run::story::{Turn, What};

/// How many signs there are in the first half, and in all.
const CAUSE_SIGNS: usize = 24;
const SIGNS: usize = 48;

/// What is said of a turn.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Label {
    /// In pale letters: what caused it.
    cause: String,
    /// What its node becomes, or what it tells.
    said: String,
}

impl Label {
    /// How many signs.
    pub(super) fn len(&self) -> usize {
        self.cause.chars().count() + 1 + self.said.chars().count()
    }

    /// As the content of a text of SVG.
    pub(super) fn text(&self) -> String {
        let said = escaped(&self.said);
        match self.cause.as_str() {
            "" => said,
            cause => format!("<tspan class=\"dim\">{}</tspan> {said}", escaped(cause)),
        }
    }
}

/// One for each of these turns: how a node stands is told where it has changed, and what has changed of it.
pub(super) fn labels(run: &Run<'_>, rows: &[usize]) -> Vec<Label> {
    let mut standings = vec![""; run.story.names.len()];
    let turns = rows.iter().map(|place| &run.story.turns[*place]);
    turns.map(|turn| turn.node.map_or(Label::default(), |node| label(turn, &mut standings[node]))).collect()
}

fn label<'a>(turn: &'a Turn, standing: &mut &'a str) -> Label {
    let cause = turn.deeds.iter().find_map(|deed| match deed.what {
        What::Gets { .. } => Some(kind(&deed.words).to_owned()),
        What::Fires => Some(format!("timer {}", kind(&deed.words))),
        What::Hears => Some(format!("told to {}", deed.words)),
        What::Starts => Some("starts".to_owned()),
        What::Dies => Some("dies".to_owned()),
        What::Misses { .. } => Some(format!("lost: {}", kind(&deed.words))),
        What::Damaged { .. } => Some(format!("damaged: {}", kind(&deed.words))),
        What::Syncs => Some(format!("{} durable", deed.words)),
        _ => None,
    });
    let (mut becomes, mut tells) = (String::new(), Vec::new());
    for deed in &turn.deeds {
        match deed.what {
            What::Becomes => {
                becomes = news(standing, &deed.words);
                *standing = &deed.words;
            }
            What::Dies => *standing = "",
            What::Fails => tells.push(deed.words.as_str()),
            What::Notes => tells.push(kind(&deed.words)),
            _ => {}
        }
    }
    let said = if becomes.is_empty() { tells.join(", ") } else { becomes };
    let cause = cut(&cause.unwrap_or_default(), if said.is_empty() { SIGNS } else { CAUSE_SIGNS });
    Label { said: cut(&said, SIGNS - cause.chars().count()), cause }
}
