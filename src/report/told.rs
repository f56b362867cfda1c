//! A run that was told, as the formats take it that draw it, and the words that they share.

use super::failure::FaultLine;
use super::number::counted;
use crate::run::outcome::{Outcome, Verdict};
use crate::run::story::{Deed, Story, Threads, Turn, What};
use std::collections::BTreeSet;

/// A run that was told, for the formats that draw it.
#[derive(Debug)]
pub struct Run<'a> {
    /// What it came to.
    pub outcome: &'a Outcome,
    /// The sentence of the broken invariant.
    pub promise: Option<&'a str>,
    /// The faults of the plan, by their numbers.
    pub faults: &'a [FaultLine],
    /// The run.
    pub story: &'a Story,
    /// What belongs together in it.
    pub threads: &'a Threads<'a>,
    /// The turns that are shown, by their places in the story, ascending.
    pub shown: &'a [usize],
    /// The command that plays this run.
    pub command: &'a str,
}

impl Run<'_> {
    /// The scenario and the seed.
    pub(super) fn name(&self) -> String {
        format!("{}, seed {}", self.outcome.scenario, self.outcome.seed)
    }

    /// What it came to, in a few words.
    pub(super) fn verdict(&self) -> String {
        verdict(self.outcome)
    }

    /// Whose turn it is: a node's name, or nothing.
    pub(super) fn who(&self, turn: &Turn) -> &str {
        turn.node.map_or("", |node| &self.story.names[node])
    }

    /// See [`deed`].
    pub(super) fn deed(&self, told: &Deed) -> String {
        deed(told, &self.story.names)
    }

    /// What the turn at this place is about: the first thing that happens in it.
    pub(super) fn head(&self, place: usize) -> String {
        self.story.turns[place].deeds.first().map_or(String::new(), |deed| self.deed(deed))
    }

    /// The place of the turn in which it broke, if it did in one.
    pub(super) fn ending(&self) -> Option<usize> {
        self.story.ending(self.outcome.violation()?.time_ns)
    }

    /// See [`with_faults`].
    pub(super) fn places(&self) -> Vec<usize> {
        with_faults(self.story, self.shown)
    }

    /// The nodes that have part in these turns, in their order.
    pub(super) fn nodes(&self, places: &[usize]) -> Vec<usize> {
        let nodes: BTreeSet<usize> = places.iter().filter_map(|place| self.story.turns[*place].node).collect();
        nodes.into_iter().collect()
    }
}

/// One thing that happens, as whole words.
pub(super) fn deed(Deed { what, words }: &Deed, names: &[String]) -> String {
    let name = |node: usize| &names[node];
    match what {
        What::Sends { to } => format!("→ {}  {words}", name(*to)),
        What::Gets { from, .. } => format!("← {}  {words}", name(*from)),
        What::Misses { from, .. } => format!("← {}  lost: {words}", name(*from)),
        What::Damaged { from } => format!("← {}  damaged on its way: {words}", name(*from)),
        What::Fires => format!("timer {words}"),
        What::Hears => format!("is told to {words}"),
        What::Syncs => format!("{words} durable"),
        What::Notes => format!("notes {words}"),
        What::Starts => format!("starts with {words}"),
        What::Fails => words.clone(),
        What::Dies => format!("dies and loses {words}"),
        What::Becomes => format!("= {words}"),
        What::Begins { .. } => format!("fault begins: {words}"),
        What::Ends { .. } => format!("fault ends: {words}"),
        What::Calm => "the faults are over".to_owned(),
    }
}

/// The messages that are sent in a turn.
pub(super) struct Letters<'a> {
    /// What those say that are told, and in words who gets each.
    pub(super) told: Vec<(&'a str, Vec<String>)>,
    /// How many others there are, in words, if there are some.
    pub(super) others: Option<String>,
}

impl<'a> Letters<'a> {
    /// Those of this turn, each once with all who get it. `receiver`: who gets a message that says this, in words, if that is to be told.
    pub(super) fn of(turn: &'a Turn, receiver: impl Fn(usize, &str) -> Option<String>) -> Letters<'a> {
        let (mut told, mut others): (Vec<(&str, Vec<String>)>, u64) = (Vec::new(), 0);
        for deed in &turn.deeds {
            let What::Sends { to } = deed.what else { continue };
            let Some(to) = receiver(to, &deed.words) else {
                others += 1;
                continue;
            };
            match told.iter_mut().find(|(words, _)| *words == deed.words) {
                Some((_, receivers)) => receivers.push(to),
                None => told.push((&deed.words, vec![to])),
            }
        }
        let which = if told.is_empty() { "message" } else { "other message" };
        Letters { told, others: (others > 0).then(|| counted(others, which)) }
    }
}

/// What a run came to, in a few words.
pub(super) fn verdict(outcome: &Outcome) -> String {
    match &outcome.verdict {
        Verdict::Pass => "nothing broke".to_owned(),
        Verdict::Violation(violated) => format!("{} is broken", violated.invariant),
        Verdict::Inconclusive(why) => format!("inconclusive: {why}"),
    }
}

/// The turns that are shown, by their places in the story, and the faults that begin or end among them.
pub(super) fn with_faults(story: &Story, shown: &[usize]) -> Vec<usize> {
    let (Some(first), Some(last)) = (shown.first(), shown.last()) else { return Vec::new() };
    let mut shown = shown.iter().peekable();
    let is_told = |place: &usize| shown.next_if_eq(&place).is_some() || story.turns[*place].node.is_none();
    (*first..=*last).filter(is_told).collect()
}

/// As text of XML and HTML, and as a value in quotes.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // XML has no way to say these.
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            _ if sign.is_control() && !matches!(sign, '\n' | '\t') => safe.push('\u{fffd}'),
            _ => safe.push(sign),
        }
    }
    safe
}

/// At most so many signs of a text.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).collect::<String>().trim_end().to_owned() + "…",
    }
}

/// The name of what a message, a timer or a fact says: `Raft(AppendEntries { term: 1 })` is an `AppendEntries`, and
/// `Reply(Call { number: 4 }, Ok)` is a `Reply`.
pub(super) fn kind(words: &str) -> &str {
    let end = words.find(|sign: char| !sign.is_alphanumeric() && !"_-.:".contains(sign)).unwrap_or(words.len());
    let (name, rest) = words.split_at(end);
    match rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(inner) if inner.starts_with(char::is_uppercase) && is_alone(inner) => kind(inner),
        _ => name,
    }
}

/// Whether there is no comma outside of all brackets.
fn is_alone(words: &str) -> bool {
    let mut depth = 0_usize;
    words.chars().all(|sign| {
        match sign {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        sign != ',' || depth > 0
    })
}

/// What is new in how a node stands, with the word before it: of `log 7 committed 6` after `log 7 committed 5`, `…committed 6`.
/// All of it, if something is gone.
pub(super) fn news(before: &str, now: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.split(' ').collect(), now.split(' ').collect());
    let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    if same == 0 || new.len() < old.len() {
        return now.to_owned();
    }
    let room = old.len() - same;
    let ends = old.iter().rev().zip(new.iter().rev()).take(room).take_while(|(old, new)| old == new).count();
    format!("…{}", new[same - 1..new.len() - ends].join(" ").trim_end_matches(','))
}

#[cfg(test)]
pub(super) mod example;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_the_name_of_what_it_carries() {
        for (words, name) in [
            ("Raft(AppendEntries { term: 1, prev: Position { term: 0, index: 0 } })", "AppendEntries"),
            ("Reply(Call { started: 0s, number: 4 }, Redis(Ok))", "Reply"),
            ("Access(Access { claim: 1, mode: Shared })", "Access"),
            ("Value(65541)", "Value"),
            ("Election", "Election"),
            ("1 record", "1"),
            ("", ""),
        ] {
            assert_eq!(kind(words), name);
        }
    }

    #[test]
    fn of_how_a_node_stands_the_new_part_is_told() {
        let follows = "follows n3 in term 1 with log 7 committed 5, voted for n3";
        let farther = "follows n3 in term 1 with log 7 committed 6, voted for n3";
        assert_eq!(news(follows, farther), "…committed 6");
        assert_eq!(news("", farther), farther);
        assert_eq!(news("rests", "seeks lock 0"), "seeks lock 0");
        assert_eq!(news("holds lock 0", "holds lock 0 and lock 1"), "…0 and lock 1");
        assert_eq!(news("holds lock 0 and lock 1", "holds lock 0"), "holds lock 0");
        assert_eq!(news("a a", "a a a"), "…a a");
    }

    #[test]
    fn no_sign_of_a_text_is_markup() {
        assert_eq!(escaped("a<b> & \"c\" 'd'\u{1}"), "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;\u{fffd}");
        assert_eq!([cut("abcdef", 6), cut("abcdefg", 6)], ["abcdef", "abcde…"]);
    }
}
