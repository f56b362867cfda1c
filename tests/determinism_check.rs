//! The determinism check: protocols that look at what they were not told are caught, and the first event that
//! gives them away is named; sound ones are never accused.

#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "the protocols here cheat, on purpose")]

use squall::environment::distribution::Distribution;
use squall::environment::plan::Plan;
use squall::kernel::time::Span;
use squall::oracle::spec::{Oracle, Spec, Touch, Verdict, View};
use squall::protocol::{Cast, Found, Io, NodeId, Nothing, Protocol};
use squall::run::outcome::Outcome;
use squall::run::play::play_watched;
use squall::run::twice::{Difference, Parting, again, twice};
use squall::run::watch::{Closeness, Told, Watch};
use squall::systems::{self, BuiltIn, System};
use std::cell::Cell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// What a node looks at when it makes up a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Source {
    /// Its own dice.
    Dice,
    HashMap,
    WallClock,
    Stopwatch,
    Global,
    ThreadLocal,
    Address,
    /// Something that is otherwise in the very first play only.
    Once,
    /// Whether to panic: every second play does.
    Panic,
    /// Nothing, but its oracle counts the plays.
    Judge,
}

/// Sends a made-up number to its neighbour every ten milliseconds; honestly, for the first two.
#[derive(Clone, Debug)]
struct Babbler {
    source: Source,
    beats: u64,
    panics: bool,
}

const HONEST: u64 = 2;

impl Babbler {
    fn number(&self, io: &mut Io<'_, Babbler>) -> u64 {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        static PLAYED: AtomicBool = AtomicBool::new(false);
        thread_local! {
            static LOCAL: Cell<u64> = const { Cell::new(0) };
        }
        let honest = io.dice().next();
        if self.beats <= HONEST {
            return honest;
        }
        match self.source {
            Source::Dice | Source::Judge => honest,
            Source::HashMap => {
                let map: HashMap<u64, ()> = (0..16).map(|key| (key, ())).collect();
                map.keys().fold(0, |number, key| number << 4 | key)
            }
            Source::WallClock => SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as u64,
            Source::Stopwatch => {
                let since = Instant::now();
                (0..100).for_each(|_| _ = std::hint::black_box(since.elapsed()));
                since.elapsed().as_nanos() as u64
            }
            Source::Global => COUNTER.fetch_add(1, Ordering::Relaxed),
            Source::ThreadLocal => {
                LOCAL.set(LOCAL.get() + 1);
                LOCAL.get()
            }
            Source::Address => std::ptr::from_ref(Box::new(honest).as_ref()) as usize as u64,
            Source::Once => u64::from(PLAYED.swap(true, Ordering::Relaxed)),
            Source::Panic => {
                assert!(!self.panics, "every second play");
                honest
            }
        }
    }
}

impl Protocol for Babbler {
    type Config = Source;
    type Message = u64;
    type Timer = ();
    type Record = Nothing;
    type Fact = Nothing;

    fn cast(_: &Source) -> Cast {
        Cast::members(2)
    }

    fn boot(source: &Source, me: NodeId, _: Found<'_, Nothing>, io: &mut Io<'_, Babbler>) -> Babbler {
        static PLAYS: AtomicU64 = AtomicU64::new(0);
        let is_counted = *source == Source::Panic && me == NodeId::new(0);
        let panics = is_counted && PLAYS.fetch_add(1, Ordering::Relaxed) % 2 == 1;
        io.arm((), Span::ms(10));
        Babbler { source: *source, beats: 0, panics }
    }

    fn on_message(&mut self, _: NodeId, _: u64, _: &mut Io<'_, Babbler>) {}

    fn on_timer(&mut self, (): (), io: &mut Io<'_, Babbler>) {
        self.beats += 1;
        let number = self.number(io);
        io.send(NodeId::new(1 - io.me().number()), number);
        io.arm((), Span::ms(10));
    }
}

/// Finds nothing wrong, and may count the plays.
#[derive(Clone)]
struct Judge(Source);

impl Oracle<Babbler> for Judge {
    fn on_fact(&mut self, _: &View<Babbler>, _: NodeId, fact: &Nothing) -> Verdict {
        match *fact {}
    }

    fn after_step(&mut self, _: &View<Babbler>, _: NodeId, _: Touch) -> Verdict {
        Ok(())
    }

    fn stats(&self) -> Vec<(&'static str, u64)> {
        static PLAYS: AtomicU64 = AtomicU64::new(0);
        let plays = if self.0 == Source::Judge { PLAYS.fetch_add(1, Ordering::Relaxed) } else { 0 };
        vec![("plays", plays)]
    }
}

impl Spec for Babbler {
    type Oracles = Judge;

    fn oracles(source: &Source) -> Judge {
        Judge(*source)
    }
}

fn plan(source: Source, seed: u64) -> Arc<Plan<Source>> {
    let mut plan = Plan::new(source, seed, Span::ms(500));
    plan.network.latency = Distribution::Const(Span::ms(1));
    Arc::new(plan)
}

fn check(source: Source, seed: u64) -> Result<Outcome, Box<Difference>> {
    let plan = plan(source, seed);
    twice(&|watch| play_watched::<Babbler>(&plan, "babbler", watch))
}

/// All events of a run, in words.
struct Story(Vec<Told>);

impl Watch for Story {
    fn closeness(&self) -> Closeness {
        Closeness::Words
    }

    fn events(&mut self, events: Vec<Told>) {
        self.0.extend(events);
    }
}

/// The number of the first event in which a node's own idea shows: the first message of its third beat.
fn first_own_idea() -> u64 {
    let mut story = Story(Vec::new());
    play_watched::<Babbler>(&plan(Source::Dice, 0), "babbler", &mut story);
    let mut messages = story.0.iter().enumerate().filter(|(_, told)| told.words.contains(" -> "));
    let (place, told) = messages.nth(2 * HONEST as usize).expect("a third beat");
    assert!(told.at.to_string().starts_with("0.031"), "{told:?}");
    place as u64 + 1
}

#[test]
fn who_looks_at_what_it_was_not_told_is_caught_at_the_first_event_that_shows_it() {
    let first = first_own_idea();
    for source in [Source::HashMap, Source::WallClock, Source::Stopwatch, Source::Global, Source::Address] {
        for seed in 0..5 {
            let difference = check(source, seed).expect_err("a cheat");
            let Parting::Event { number, before, sides } = &difference.parting else { panic!("{difference}") };
            // Two stopwatches may show the same once; what is named is the first message that differs.
            let is_lucky = source == Source::Stopwatch && *number > first;
            assert!(*number == first || is_lucky, "{source:?}, seed {seed}: event {number} instead of {first}");
            let [Some(one), Some(other)] = sides else { panic!("{difference}") };
            let (receiver, _) = one.words.split_once(": ").expect("a message");
            assert!(receiver.contains(" -> ") && other.words.starts_with(receiver), "{difference}");
            assert!(one.words != other.words && one.at == other.at, "{difference}");
            let text = difference.to_string();
            for part in [&one.words, &other.words, &before.as_ref().expect("earlier events").words] {
                assert!(text.contains(part.as_str()), "{part} is not in\n{text}");
            }
            assert!(text.contains(&format!("part at event {number}")), "{text}");
            assert!(difference.came_to.iter().all(|outcome| text.contains(&outcome.digest)), "{text}");
        }
    }
}

#[test]
fn what_a_run_leaves_behind_for_the_next_one_of_its_thread_is_caught() {
    let _ = check(Source::ThreadLocal, 0);
    let difference = check(Source::ThreadLocal, 1).expect_err("a cheat");
    assert!(matches!(&difference.parting, Parting::Event { number, .. } if *number == first_own_idea()));
}

#[test]
fn a_run_that_ends_early_now_and_then_is_caught_where_the_other_goes_on() {
    let difference = check(Source::Panic, 0).expect_err("a cheat");
    let Parting::Event { sides, .. } = &difference.parting else { panic!("{difference}") };
    assert_eq!(sides.iter().filter(|side| side.is_none()).count(), 1, "{difference}");
    assert!(difference.to_string().contains("the run has ended"), "{difference}");
}

#[test]
fn what_never_happens_again_is_told_as_such() {
    let difference = check(Source::Once, 0).expect_err("a cheat");
    assert_eq!(difference.parting, Parting::NotAgain(5));
    assert_ne!(difference.came_to[0].digest, difference.came_to[1].digest);
    assert!(difference.to_string().contains("were not the same; 5 further pairs were"), "{difference}");
}

#[test]
fn a_judge_that_changes_its_mind_is_caught_although_no_event_differs() {
    let difference = check(Source::Judge, 0).expect_err("a cheat");
    let Parting::Judgement([one, other]) = &difference.parting else { panic!("{difference}") };
    assert_eq!(one.digest, other.digest);
    let text = difference.to_string();
    assert!(text.contains(&format!("nothing is broken; plays {}", one.stats["plays"])), "{text}");
    assert!(!text.contains("messages_sent"), "only what differs is told:\n{text}");
}

#[test]
fn a_sound_protocol_is_never_accused() {
    for seed in 0..300 {
        let outcome = check(Source::Dice, seed).unwrap_or_else(|difference| panic!("seed {seed}: {difference}"));
        assert_eq!(outcome.seed, seed);
    }
}

#[test]
fn no_system_of_ours_is_accused_whether_it_holds_or_breaks() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let files = squall::scenario::load::find(&[folder]).unwrap_or_else(|mistake| panic!("{mistake}"));
    assert!(files.len() > 30);
    for file in files {
        let scenario = systems::load::<BuiltIn>(&file).unwrap_or_else(|mistake| panic!("{mistake}"));
        for seed in 0..3 {
            let plan = systems::plan(&scenario, "checked", seed);
            let checked = twice(&|watch| BuiltIn::play_watched(&plan, watch));
            let outcome = checked.unwrap_or_else(|difference| panic!("{}, seed {seed}: {difference}", file.display()));
            assert_eq!(outcome, BuiltIn::play(&plan));
        }
    }
}

#[test]
fn a_run_that_may_not_go_on_is_not_accused() {
    let plan = plan(Source::HashMap, 0);
    let play = |watch: &mut dyn Watch| play_watched::<Babbler>(&plan, "babbler", watch);
    let first = play(&mut Story(Vec::new()));
    assert_eq!(again(first.clone(), &play, &|| false), Ok(first));
}
