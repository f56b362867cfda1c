//! One plan played twice, the second time in another thread and with another layout of memory: a protocol that
//! looks at anything but what it is told is found out, and the first event at which the plays part is named.
//!
//! Who cheats need not cheat the same way again: a clock reads otherwise each time. So the place is not looked
//! for by playing pieces of the plan again. Two further plays go on side by side, and each event of one is
//! compared with the same event of the other while both are under way.

#![expect(clippy::disallowed_methods, reason = "the second play is in another thread; neither play knows of it")]

use super::outcome::{Outcome, Verdict};
use super::watch::{Closeness, Told, Watch};
use crate::environment::text::parse_ratio;
use crate::kernel::chance::Ratio;
use crate::kernel::digest::mix;
use std::fmt;
use std::hint::black_box;
use std::panic::resume_unwind;
use std::str::FromStr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::vec::IntoIter;

/// How one plan is played: what [`systems::System::play_watched`](crate::systems::System::play_watched) does.
pub type Play<'a> = dyn Fn(&mut dyn Watch) -> Outcome + Sync + 'a;

/// Two plays of one plan that are not the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// What the first two plays came to.
    pub came_to: [Outcome; 2],
    /// Where two plays part.
    pub parting: Parting,
}

/// Where two plays of one plan part: both sides are of the same pair of plays, which need not be the first pair.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Parting {
    /// At an event.
    Event {
        /// Its number, counted from 1.
        number: u64,
        /// The last event that is the same in both.
        before: Option<Told>,
        /// What happens in each play; nothing in one that has ended.
        sides: [Option<Told>; 2],
    },
    /// All events are the same, and what is said of them is not.
    Judgement([Box<Outcome>; 2]),
    /// After the first pair, so many further pairs were the same.
    NotAgain(u32),
}

/// How many pairs of plays are compared event by event before that is given up.
const PAIRS: u32 = 5;
/// How many batches of events one play may be ahead of the other.
const AHEAD: usize = 2;
/// The stack of the other thread, as large as that of a program's main thread.
const STACK: usize = 8 << 20;

/// Plays a plan twice and compares.
///
/// # Errors
/// The plays are not the same.
///
/// # Panics
/// As the plays do, and if the machine has no thread left.
pub fn twice(play: &Play<'_>) -> Result<Outcome, Box<Difference>> {
    again(play(&mut Brief { goes_on: &|| true }), play, &|| true)
}

/// Plays a plan once more and compares with what it came to `first`. If the plays may not go on, nothing is
/// compared.
///
/// # Errors
/// The plays are not the same.
///
/// # Panics
/// As the plays do, and if the machine has no thread left.
pub fn again(first: Outcome, play: &Play<'_>, goes_on: &(dyn Fn() -> bool + Sync)) -> Result<Outcome, Box<Difference>> {
    let second = beside(|| (), || play(&mut Brief { goes_on })).1;
    if first == second || !goes_on() {
        return Ok(first);
    }
    let found = (0..PAIRS).find_map(|_| side_by_side(play, goes_on));
    if !goes_on() {
        return Ok(first);
    }
    Err(Box::new(Difference { came_to: [first, second], parting: found.unwrap_or(Parting::NotAgain(PAIRS)) }))
}

/// Does one thing here and meanwhile another in a thread of its own, whose memory is in disorder.
fn beside<A, B: Send>(here: impl FnOnce() -> A, there: impl FnOnce() -> B + Send) -> (A, B) {
    thread::scope(|scope| {
        let other = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || {
            let clutter = clutter();
            let done = there();
            drop(clutter);
            done
        });
        let other = other.expect("the machine has a thread left");
        let done = here();
        (done, other.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

/// Blocks of many odd sizes with holes between them, so that nothing lies where it would else.
fn clutter() -> Vec<Vec<u8>> {
    let mut blocks: Vec<Vec<u8>> = (1..512_usize).map(|turn| black_box(vec![0xa5; turn * 37 % 2_039 + 1])).collect();
    let mut turn = 0_u32;
    blocks.retain(|_| {
        turn += 1;
        !turn.is_multiple_of(3)
    });
    blocks
}

/// Plays a plan twice at the same time; answers where the plays part.
fn side_by_side(play: &Play<'_>, goes_on: &(dyn Fn() -> bool + Sync)) -> Option<Parting> {
    let (sender, receiver) = sync_channel(AHEAD);
    let (here, (there, parting)) = beside(
        || play(&mut Teller { events: sender, is_heard: true, goes_on }),
        || {
            let mut comparer = Comparer {
                theirs: Some(receiver),
                batch: Vec::new().into_iter(),
                same: 0,
                before: None,
                parting: None,
                goes_on,
            };
            let outcome = play(&mut comparer);
            (outcome, comparer.conclude())
        },
    );
    match parting {
        None if here != there => Some(Parting::Judgement([Box::new(here), Box::new(there)])),
        found => found,
    }
}

/// Looks only at the outcome.
struct Brief<'a> {
    goes_on: &'a (dyn Fn() -> bool + Sync),
}

impl Watch for Brief<'_> {
    fn goes_on(&mut self) -> bool {
        (self.goes_on)()
    }
}

/// Tells the other play what happens in this one.
struct Teller<'a> {
    events: SyncSender<Vec<Told>>,
    is_heard: bool,
    goes_on: &'a (dyn Fn() -> bool + Sync),
}

impl Watch for Teller<'_> {
    fn closeness(&self) -> Closeness {
        Closeness::Words
    }

    fn goes_on(&mut self) -> bool {
        self.is_heard && (self.goes_on)()
    }

    fn events(&mut self, events: Vec<Told>) {
        self.is_heard = self.is_heard && self.events.send(events).is_ok();
    }
}

/// Compares what happens in this play with what happens in the other.
struct Comparer<'a> {
    /// The events of the other play, until the two have parted.
    theirs: Option<Receiver<Vec<Told>>>,
    batch: IntoIter<Told>,
    /// How many events are the same.
    same: u64,
    before: Option<Told>,
    parting: Option<Parting>,
    goes_on: &'a (dyn Fn() -> bool + Sync),
}

impl Comparer<'_> {
    /// The next event of the other play; `None` if it has ended.
    fn their_next(&mut self) -> Option<Told> {
        loop {
            if let Some(next) = self.batch.next() {
                return Some(next);
            }
            self.batch = self.theirs.as_ref()?.recv().ok()?.into_iter();
        }
    }

    fn compare(&mut self, own: Option<Told>) {
        let other = self.their_next();
        match (other, own) {
            (Some(other), Some(own)) if other.digest == own.digest => {
                self.same += 1;
                self.before = Some(own);
            }
            (None, None) => {}
            sides => {
                let before = self.before.take();
                self.parting = Some(Parting::Event { number: self.same + 1, before, sides: sides.into() });
                // The other play hears that nobody listens any more, and ends.
                self.theirs = None;
            }
        }
    }

    fn conclude(mut self) -> Option<Parting> {
        if self.parting.is_none() {
            self.compare(None);
        }
        self.parting
    }
}

impl Watch for Comparer<'_> {
    fn closeness(&self) -> Closeness {
        Closeness::Words
    }

    fn goes_on(&mut self) -> bool {
        self.parting.is_none() && (self.goes_on)()
    }

    fn events(&mut self, events: Vec<Told>) {
        for event in events {
            if self.parting.is_none() {
                self.compare(Some(event));
            }
        }
    }
}

impl std::error::Error for Difference {}

/// Several lines: where the plays part, both sides, and what is likely to be the cause.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.summary(), self.details())
    }
}

impl Difference {
    /// In one line where the plays part.
    pub fn summary(&self) -> String {
        match &self.parting {
            Parting::Event { number, .. } => {
                format!("not deterministic: two plays of this plan part at event {number}")
            }
            Parting::Judgement(_) => {
                "not deterministic: two plays of this plan are the same, and their judges disagree".to_owned()
            }
            Parting::NotAgain(pairs) => {
                format!("not deterministic: two plays of this plan were not the same; {pairs} further pairs were")
            }
        }
    }

    /// Both sides, what the first two plays came to, and what is likely to be the cause: a line each.
    pub fn details(&self) -> String {
        let mut rows = Vec::new();
        let told = |told: &Told| format!("{:>9}  {}", told.at.to_string(), told.words);
        match &self.parting {
            Parting::Event { before, sides: [one, other], .. } => {
                let ended = || format!("{:>9}  the run has ended", "");
                rows.extend(before.iter().map(|event| ("before", told(event))));
                rows.push(("one", one.as_ref().map_or_else(ended, told)));
                rows.push(("other", other.as_ref().map_or_else(ended, told)));
            }
            Parting::Judgement([one, other]) => rows.extend([("one", said(one, other)), ("other", said(other, one))]),
            Parting::NotAgain(_) => {}
        }
        for (title, outcome) in ["first", "second"].into_iter().zip(&self.came_to) {
            rows.push((title, format!("digest {} after {} events", outcome.digest, outcome.events)));
        }
        rows.push(("cause", CAUSE.to_owned()));
        rows.into_iter().map(|(title, row)| format!("  {title:7} {row}")).collect::<Vec<_>>().join("\n")
    }
}

/// What is likely to be wrong with a protocol that is not deterministic, and the cure.
const CAUSE: &str = "it looks at something that it was not told: a clock, the order of a hash map, an address, what \
                     another run has left behind; use io.now(), io.dice() and ordered maps";

/// What an outcome says beside its events: its verdict, and the figures in which another has others.
fn said(outcome: &Outcome, other: &Outcome) -> String {
    let verdict = match &outcome.verdict {
        Verdict::Pass => "nothing is broken".to_owned(),
        Verdict::Violation(violated) => format!("{} is broken: {}", violated.invariant, violated.message),
        Verdict::Inconclusive(why) => why.clone(),
    };
    let figures = outcome.goals.iter().chain(&outcome.stats).zip(other.goals.iter().chain(&other.stats));
    let differing = figures.filter(|(own, theirs)| own != theirs).map(|((name, count), _)| format!("; {name} {count}"));
    verdict + &differing.collect::<String>()
}

/// Which part of the seeds is checked: always the same seeds for the same share.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share(Ratio);

impl Share {
    /// Every seed.
    pub const ALL: Share = Share(Ratio::ONE);

    /// Whether this seed is checked.
    pub fn takes(self, seed: u64) -> bool {
        self.0.hits(mix(seed, 0x7c))
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Share, String> {
        let ratio = parse_ratio(text)?;
        match ratio.is_zero() {
            true => Err("none would be checked; write for example 10%, or leave it out".to_owned()),
            false => Ok(Share(ratio)),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_takes_about_as_many_seeds_as_it_says_and_always_the_same() {
        let share: Share = "10%".parse().expect("a share");
        let taken: Vec<u64> = (0..10_000).filter(|seed| share.takes(*seed)).collect();
        assert!(taken.len().abs_diff(1_000) < 150, "{} of 10,000", taken.len());
        assert!(taken.iter().all(|seed| share.takes(*seed)));
        assert!((0..1_000).all(|seed| Share::ALL.takes(seed)));
        assert!("0".parse::<Share>().expect_err("nothing").contains("none would be checked"));
        assert!("2".parse::<Share>().expect_err("too much").contains("more than 1"));
        assert_eq!(share.to_string().parse(), Ok(share));
    }
}
