//! A run that is told turn by turn is the same run, its threads are true, and copies of it are judged like their parent.

use squall::environment::plan::Plan;
use squall::kernel::time::Time;
use squall::run::likelihood::{inevitable, likelihood};
use squall::run::outcome::Verdict;
use squall::run::story::{Fate, Story, Threads, What};
use squall::run::watch::{Forks, Watch};
use squall::systems::{self, BuiltIn, System};
use std::path::Path;

fn plan(name: &str, seed: u64) -> Plan<BuiltIn> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name).with_extension("ron");
    let scenario = systems::load(&path).unwrap_or_else(|mistake| panic!("{mistake}"));
    systems::plan(&scenario, name, seed)
}

fn told(plan: &Plan<BuiltIn>) -> Story {
    let mut story = Story::default();
    BuiltIn::play_watched(plan, &mut story);
    story
}

const NAMES: [&str; 7] = [
    "raft/storm",
    "raft/flaky-links",
    "raft/slow-disks",
    "lock/redlock-pause",
    "lock/zookeeper-expiry",
    "ring/join-under-load",
    "museum/votedfor-not-persisted",
];

#[test]
fn a_run_that_is_told_is_the_same_run() {
    for name in NAMES {
        let plan = plan(name, 3);
        let (mut story, alone) = (Story::default(), BuiltIn::play(&plan));
        assert_eq!(BuiltIn::play_watched(&plan, &mut story), alone, "{name}");
        let last = story.turns.last().expect("something happens");
        assert!(last.step <= alone.steps && last.at.ns() <= alone.virtual_ns, "{name}: {last:?}");
    }
}

/// What comes was sent: by its sender, to its receiver, with these words, not later; and whoever sent it can say where it was got.
#[test]
fn every_message_that_comes_was_sent_before() {
    for name in NAMES {
        let story = told(&plan(name, 3));
        let threads = Threads::of(&story);
        let (mut got, mut fates) = (0, 0);
        for (place, turn) in story.turns.iter().enumerate() {
            for deed in &turn.deeds {
                match deed.what {
                    What::Gets { from, sent } => {
                        let sent = sent.unwrap_or_else(|| panic!("{name}: nobody sent {deed:?}"));
                        let sender = &story.turns[story.place(sent).expect("it is remembered")];
                        assert_eq!(sender.node, Some(from), "{name}");
                        let letter = What::Sends { to: turn.node.expect("a receiver") };
                        assert!(sender.deeds.iter().any(|sent| sent.what == letter && sent.words == deed.words));
                        assert!(sender.at <= turn.at && sender.step <= turn.step, "{name}: {sender:?} {turn:?}");
                        got += 1;
                    }
                    What::Sends { to } => match threads.fate(place, to, &deed.words) {
                        Fate::Got(there) => {
                            assert!(there >= place && story.turns[there].node == Some(to), "{name}");
                            fates += 1;
                        }
                        Fate::Missed | Fate::Unknown => {}
                    },
                    _ => {}
                }
            }
        }
        assert!(got > 10 && fates > 10, "{name}: {got} {fates}");
    }
}

/// The past of the end is closed: nothing in it was caused by something outside of it that is worth telling.
#[test]
fn the_past_has_all_senders_and_is_no_more_than_that() {
    let story = told(&plan("museum/votedfor-not-persisted", 0));
    let threads = Threads::of(&story);
    let past = threads.past(&[2], story.turns.last().expect("an end").at);
    assert_eq!(past.last(), Some(&(story.turns.len() - 1)));
    for place in &past {
        for deed in &story.turns[*place].deeds {
            if let What::Gets { sent: Some(sent), .. } = deed.what {
                assert!(past.contains(&story.place(sent).expect("it is remembered")));
            }
        }
    }
    // Of the three servers one has no part in it, and clients have none.
    let nodes: std::collections::BTreeSet<_> = past.iter().filter_map(|place| story.turns[*place].node).collect();
    assert_eq!(nodes.len(), 2, "{nodes:?}");
}

/// Counts what copies of a run come to.
struct Copies {
    at: Vec<u64>,
    heard: Vec<(u64, Time, Verdict)>,
}

impl Watch for Copies {
    fn forks(&self) -> Forks {
        Forks { steps: self.at.clone(), copies: 5, until: Time::from_ns(u64::MAX) }
    }

    fn forked(&mut self, step: u64, at: Time, verdict: &Verdict) -> bool {
        self.heard.push((step, at, verdict.clone()));
        true
    }
}

#[test]
fn copies_do_not_change_the_run_and_those_of_a_sound_one_hold() {
    for name in ["raft/storm", "lock/zookeeper-expiry", "ring/join-under-load"] {
        let plan = plan(name, 1);
        let alone = BuiltIn::play(&plan);
        let mut copies = Copies { at: vec![0, alone.steps / 2, alone.steps - 1], heard: Vec::new() };
        assert_eq!(BuiltIn::play_watched(&plan, &mut copies), alone, "{name}");
        assert_eq!(copies.heard.len(), 15, "{name}");
        assert!(copies.heard.iter().all(|(.., verdict)| *verdict == Verdict::Pass), "{name}: {:?}", copies.heard);
        // The last moment comes first, and each is the first at which so many steps were taken.
        assert!(copies.heard[0].0 >= alone.steps - 1 && copies.heard[14].0 <= 20, "{name}");
        assert!(copies.heard.windows(2).all(|pair| pair[0].1 >= pair[1].1), "{name}");
    }
}

/// A defect that needs a rare crossing of messages is not certain at the beginning, and is at the end.
#[test]
fn a_violation_becomes_likely_at_some_moment() {
    let plan = plan("museum/commit-old-term-by-counting", 0);
    let outcome = BuiltIn::play(&plan);
    let violated = outcome.violation().expect("it breaks with its seed");
    let play = |watch: &mut dyn Watch| drop(BuiltIn::play_watched(&plan, watch));
    let found = likelihood(violated, 20, &play, &mut || true);
    assert_eq!(found, likelihood(violated, 20, &play, &mut || true));
    let moments = found.moments;
    assert!(found.is_whole && moments.windows(2).all(|pair| pair[0].step < pair[1].step && pair[0].at <= pair[1].at));
    assert!(moments[0].broke < 20, "{moments:?}");
    let certain = inevitable(&moments).expect("the end is certain");
    assert!(certain.step > moments[0].step && certain.step <= violated.step);
    // Who is interrupted has the moments of which all copies were played.
    let mut left = 30;
    let some = likelihood(violated, 20, &play, &mut || {
        left -= 1;
        left > 0
    });
    assert!(
        !some.is_whole && some.moments.len() == 2 && some.moments.iter().all(|moment| moment.copies == 20),
        "{some:?}"
    );
}
