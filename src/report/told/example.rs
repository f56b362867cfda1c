//! A run that was told, for tests: two nodes, a message that is got and one that is lost, a death and a fault; and a
//! reader of markup that knows what is well-formed.

use super::Run;
use crate::kernel::time::{Span, Time};
use crate::report::failure::FaultLine;
use crate::run::outcome::{Outcome, Verdict, Violated};
use crate::run::story::{Deed, Story, Threads, Turn, What};
use std::collections::BTreeMap;

/// Words that are unkind to markup.
pub(in crate::report) const NASTY: &str = "<b> & \"q\" 'a' ]]> \u{1}\u{ffff} </script> ü🦀";

/// Where the turns of the story are.
pub(in crate::report) const BEGINS: usize = 2;
pub(in crate::report) const SENDS: usize = 3;
pub(in crate::report) const GETS: usize = 4;
pub(in crate::report) const DIES: usize = 6;
pub(in crate::report) const LAST: usize = 10;

pub(in crate::report) struct Example {
    pub(in crate::report) outcome: Outcome,
    pub(in crate::report) faults: Vec<FaultLine>,
    pub(in crate::report) story: Story,
}

/// A node, and what happens to it.
type Told = (Option<usize>, Vec<(What, String)>);

impl Example {
    /// A run in which nothing broke.
    pub(in crate::report) fn passed() -> Example {
        let nasty = || format!("Raft(Vote {{ text: {NASTY} }})");
        let turns: [Told; LAST + 1] = [
            (Some(0), vec![(What::Starts, "0 records".to_owned()), (What::Becomes, "rests in term 0".to_owned())]),
            (Some(1), vec![(What::Starts, "0 records".to_owned())]),
            (None, vec![(What::Begins { fault: 0 }, format!("partition {NASTY}"))]),
            (
                Some(0),
                vec![
                    (What::Fires, "Election".to_owned()),
                    (What::Sends { to: 1 }, nasty()),
                    (What::Sends { to: 1 }, "Beat".to_owned()),
                ],
            ),
            (
                Some(1),
                vec![(What::Gets { from: 0, sent: Some(SENDS as u64) }, nasty()), (What::Becomes, NASTY.to_owned())],
            ),
            (Some(1), vec![(What::Misses { from: 0, sent: Some(SENDS as u64) }, "Beat".to_owned())]),
            (Some(1), vec![(What::Dies, "1 record".to_owned())]),
            (None, vec![(What::Ends { fault: 0 }, format!("partition {NASTY}"))]),
            (None, vec![(What::Begins { fault: 1 }, "bit-rot n1".to_owned())]),
            (Some(1), vec![(What::Starts, "0 records".to_owned())]),
            (Some(0), vec![(What::Fires, "Election".to_owned()), (What::Becomes, "rests in term 1".to_owned())]),
        ];
        let turn = |(place, (node, deeds)): (usize, Told)| Turn {
            step: place as u64,
            at: Time::ZERO + Span::ms(1).times(place as u64),
            node,
            deeds: deeds.into_iter().map(|(what, words)| Deed { what, words }).collect(),
        };
        let fault = |what: &str, is_momentary: bool| FaultLine {
            at_ns: 2_000_000,
            until_ns: (!is_momentary).then_some(7_000_000),
            waits_for: None,
            is_momentary,
            what: what.to_owned(),
        };
        let counts = |list: &[(&str, u64)]| list.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        Example {
            outcome: Outcome {
                scenario: NASTY.to_owned(),
                system: "raft".to_owned(),
                seed: 7,
                engine: 1,
                verdict: Verdict::Pass,
                steps: 11,
                events: 15,
                virtual_ns: 10_000_000,
                digest: "00".repeat(16),
                goals: counts(&[("raft.leader-elected", 1), ("raft.snapshot-taken", 0)]),
                faults: BTreeMap::new(),
                faults_planned: counts(&[("partition", 1), ("bit-rot", 1)]),
                faults_fired: counts(&[("partition", 1)]),
                fault_effects: BTreeMap::new(),
                excuse: None,
                stats: counts(&[("messages_sent", 2)]),
            },
            faults: vec![fault(NASTY, false), fault("bit-rot n1", true)],
            story: Story {
                names: vec!["n1".to_owned(), "n2 <&>".to_owned()],
                turns: turns.into_iter().enumerate().map(turn).collect(),
                forgotten: 0,
            },
        }
    }

    /// The same run, but its last turn broke something.
    pub(in crate::report) fn broken() -> Example {
        let mut example = Example::passed();
        example.outcome.verdict = Verdict::Violation(Violated {
            invariant: "raft.election-safety".to_owned(),
            time_ns: 10_000_000,
            step: 10,
            during: "timer Election".to_owned(),
            nodes: vec!["n1".to_owned()],
            message: NASTY.to_owned(),
        });
        example
    }

    /// Many turns of the first node, and nothing else.
    pub(in crate::report) fn long(turns: usize) -> Example {
        let mut example = Example::passed();
        let last = example.story.turns[LAST].clone();
        example.story.turns = vec![last; turns];
        example
    }

    /// All turns of nodes.
    pub(in crate::report) fn all(&self) -> Vec<usize> {
        (0..self.story.turns.len()).filter(|place| self.story.turns[*place].node.is_some()).collect()
    }

    /// What becomes of the run if these turns are shown.
    pub(in crate::report) fn told<T>(&self, shown: &[usize], tell: impl Fn(&Run<'_>) -> T) -> T {
        tell(&Run {
            outcome: &self.outcome,
            promise: self.outcome.violation().map(|_| "a term has <one> leader"),
            faults: &self.faults,
            story: &self.story,
            threads: &Threads::of(&self.story),
            shown,
            command: "squall run 'a&b.ron' --seed 7",
        })
    }
}

/// An element, as its start says it.
#[derive(Debug)]
pub(in crate::report) struct Element {
    pub(in crate::report) name: String,
    attributes: BTreeMap<String, String>,
}

impl Element {
    /// What an attribute says, or nothing.
    pub(in crate::report) fn says(&self, attribute: &str) -> &str {
        self.attributes.get(attribute).map_or("", String::as_str)
    }

    pub(in crate::report) fn is_of(&self, class: &str) -> bool {
        self.says("class").split(' ').any(|own| own == class)
    }
}

/// All elements, in the order of their starts. Panics unless each is ended where it should be, and every other sign is text.
pub(in crate::report) fn elements(markup: &str) -> Vec<Element> {
    let (mut elements, mut open): (Vec<Element>, Vec<String>) = (Vec::new(), Vec::new());
    let mut rest = markup.strip_prefix("<!DOCTYPE html>").unwrap_or(markup);
    loop {
        let (text, tag) = rest.split_once('<').unwrap_or((rest, ""));
        is_text(text);
        if tag.is_empty() {
            assert!(open.is_empty(), "not ended: {open:?}");
            return elements;
        }
        let (tag, after) = tag.split_once('>').expect("a tag ends");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "</{name}>");
            continue;
        }
        let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, mut values) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut attributes = BTreeMap::new();
        while !values.is_empty() {
            let (attribute, value) = values.split_once("=\"").unwrap_or_else(|| panic!("no value: {tag}"));
            let (value, more) = value.split_once('"').unwrap_or_else(|| panic!("no end: {tag}"));
            is_text(value);
            assert!(attributes.insert(attribute.to_owned(), value.to_owned()).is_none(), "twice: {tag}");
            values = more.trim_start();
        }
        elements.push(Element { name: name.to_owned(), attributes });
        if matches!(name, "script" | "style") {
            rest = rest.split_once(&format!("</{name}>")).expect("an end").1;
        } else if !is_empty {
            open.push(name.to_owned());
        }
    }
}

fn is_text(text: &str) {
    let is_forbidden =
        |sign: char| (sign.is_control() && sign != '\n') || matches!(sign, '>' | '\u{fffe}' | '\u{ffff}');
    assert!(!text.contains(is_forbidden), "{text}");
    for entity in text.split('&').skip(1) {
        let name = entity.split_once(';').map_or("", |(name, _)| name);
        assert!(["amp", "lt", "gt", "quot", "#39"].contains(&name), "&{entity}");
    }
}
