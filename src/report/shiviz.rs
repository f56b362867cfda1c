//! `squall report --shiviz`: a log with vector clocks, for the visualiser ShiViz and whatever else reads such logs.
//!
//! Sources: Beschastnikh and others, "Visualizing Distributed System Executions" (TOSEM 2020); clocks as in Fidge (1988) and Mattern (1989).
//! The first line is the expression with which ShiViz takes the log apart; it is its default.

use super::told::Run;
use crate::run::story::What;
use std::collections::BTreeMap;
use std::fmt::Write;

/// How ShiViz finds the events: host and clock in one line, what happened in the next.
pub const PARSER: &str = r"(?<host>\S*) (?<clock>{.*})\n(?<event>.*)";

/// The log: the turns that are shown, each one event of its node.
pub fn shiviz(run: &Run<'_>) -> String {
    let names = &run.story.names;
    let mut text = format!("{PARSER}\n\n");
    // By node what it has heard of, and by turn what the node had heard of then.
    let mut clocks: Vec<BTreeMap<usize, u64>> = vec![BTreeMap::new(); names.len()];
    let mut stamps: BTreeMap<usize, BTreeMap<usize, u64>> = BTreeMap::new();
    for place in run.shown {
        let turn = &run.story.turns[*place];
        let Some(node) = turn.node else { continue };
        let heard = turn.deeds.iter().filter_map(|deed| match deed.what {
            What::Gets { sent: Some(sent), .. } => stamps.get(&run.story.place(sent)?),
            _ => None,
        });
        let clock = &mut clocks[node];
        for (other, count) in heard.flatten() {
            let known = clock.entry(*other).or_default();
            *known = (*known).max(*count);
        }
        *clock.entry(node).or_default() += 1;
        let parts: Vec<String> = clock.iter().map(|(node, count)| format!("\"{}\":{count}", names[*node])).collect();
        let deeds: Vec<String> = turn.deeds.iter().map(|deed| run.deed(deed)).collect();
        let event = deeds.join("; ").replace(['\n', '\r'], " ");
        writeln!(text, "{} {{{}}}\n{event} [{} ns]", names[node], parts.join(","), turn.at.ns())
            .expect("a text takes all");
        stamps.insert(*place, clock.clone());
    }
    text
}
