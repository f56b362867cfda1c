//! Many seeds on many threads: each is played once, and what came of them is handed over in the order of the
//! seeds, whichever thread was first. So a sweep comes to the same with any number of threads.
//!
//! A run that ends in a panic or never ends costs its own seed and nothing else. Not more than a window of
//! seeds is under way or waits to be handed over, so memory does not grow with their number.

#![expect(clippy::disallowed_methods, reason = "a sweep is threads and deadlines; its runs know nothing of either")]

use std::any::Any;
use std::collections::VecDeque;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How a sweep is played.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// How many threads play, at least 1.
    pub jobs: usize,
    /// How long one run may take, in real time. Without it a run takes as long as it takes.
    pub run_timeout: Option<Duration>,
}

/// What became of one seed.
#[derive(Debug)]
pub enum Ended<T> {
    /// It was played.
    Played(T),
    /// It was stopped, or left behind, because it took longer than it may.
    TimedOut,
    /// A bug of ours: it has panicked outside the protocol's handlers, and said this.
    Bug(String),
}

/// Whether a sweep goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// It does.
    GoOn,
    /// No further seed begins; those under way are still handed over.
    Finish,
    /// It ends here; what is under way is of no interest.
    Stop,
}

/// Asked by a run whether it may go on.
#[derive(Clone, Debug, Default)]
pub struct Permit(Arc<AtomicBool>);

impl Permit {
    /// Whether the run may go on.
    pub fn holds(&self) -> bool {
        !self.0.load(Ordering::Relaxed)
    }

    fn withdraw(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Who hears what comes of the seeds.
pub trait Conductor<T> {
    /// What became of a seed. Seeds come in ascending order, without a gap.
    fn took(&mut self, seed: u64, ended: Ended<T>) -> Flow;

    /// Some time has passed; `begun` seeds have begun. Called about twenty times a second.
    fn tick(&mut self, _begun: u64) -> Flow {
        Flow::GoOn
    }
}

/// How often the conductor is asked and deadlines are looked at.
const TICK: Duration = Duration::from_millis(50);
/// A run whose permit was withdrawn has so long to notice; then its thread is left to itself.
const GRACE: Duration = Duration::from_secs(2);
/// So many seeds are worth to wake the conductor for before its next tick. To wake it for each would cost a
/// fiftieth of the throughput.
const BATCH: usize = 64;
/// So many seeds a thread may be begun before the first of them has been handed over.
const AHEAD: u64 = 256;

/// Plays every seed of a range with `play`, and hands over to the conductor what comes of them. Answers the
/// first seed that was not handed over.
pub fn sweep<T: Send + 'static>(
    seeds: Range<u64>,
    options: Options,
    play: impl Fn(u64, &Permit) -> T + Send + Sync + 'static,
    conductor: &mut impl Conductor<T>,
) -> u64 {
    if seeds.is_empty() {
        return seeds.start;
    }
    let jobs = options.jobs.max(1);
    let board = Board {
        next: seeds.start,
        end: seeds.end,
        taken: seeds.start,
        ahead: AHEAD * jobs as u64,
        results: VecDeque::new(),
        players: (0..jobs).map(|_| Player::default()).collect(),
    };
    let shared = Arc::new(Shared {
        board: Mutex::new(board),
        changed: Condvar::new(),
        room: Condvar::new(),
        run_timeout: options.run_timeout,
    });
    let play: Arc<Play<T>> = Arc::new(play);
    (0..jobs).for_each(|number| start(number, &shared, &play));
    let upto = Collector { shared: &shared, play: &play, options, last_tick: Instant::now() }.collect(conductor);
    // Whoever still plays finds nothing more to do, and ends by itself.
    let mut board = shared.board();
    board.end = board.next;
    board.players.iter().for_each(|player| player.permit.withdraw());
    shared.room.notify_all();
    upto
}

type Play<T> = dyn Fn(u64, &Permit) -> T + Send + Sync;

struct Shared<T> {
    board: Mutex<Board<T>>,
    /// Many seeds are ready to be handed over, or all.
    changed: Condvar,
    /// There is room in the window.
    room: Condvar,
    run_timeout: Option<Duration>,
}

impl<T> Shared<T> {
    fn board(&self) -> MutexGuard<'_, Board<T>> {
        // A thread that panics never does so while it holds the board.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far everything is.
struct Board<T> {
    /// The next seed to begin.
    next: u64,
    /// No seed from here on begins.
    end: u64,
    /// The next seed to be handed over.
    taken: u64,
    ahead: u64,
    /// What came of the seeds from `taken` on, as far as it is known.
    results: VecDeque<Option<Ended<T>>>,
    players: Vec<Player>,
}

/// What one thread is about.
#[derive(Clone, Debug, Default)]
struct Player {
    /// Threads that were left behind belong to an earlier shift.
    shift: u64,
    /// The seed it plays, and since when.
    playing: Option<(u64, Instant)>,
    permit: Permit,
}

impl<T> Board<T> {
    fn put(&mut self, seed: u64, ended: Ended<T>) {
        let place = (seed - self.taken) as usize;
        if self.results.len() <= place {
            self.results.resize_with(place + 1, || None);
        }
        self.results[place] = Some(ended);
    }

    fn take(&mut self) -> Option<(u64, Ended<T>)> {
        let ended = self.results.front_mut()?.take()?;
        self.results.pop_front();
        self.taken += 1;
        Some((self.taken - 1, ended))
    }

    /// Whether no seed is being played, and none will be.
    fn is_played(&self) -> bool {
        self.next >= self.end && self.players.iter().all(|player| player.playing.is_none())
    }

    fn is_over(&self) -> bool {
        self.taken >= self.next && self.next >= self.end
    }
}

fn start<T: Send + 'static>(number: usize, shared: &Arc<Shared<T>>, play: &Arc<Play<T>>) {
    let (shared, play) = (Arc::clone(shared), Arc::clone(play));
    let (shift, permit) = {
        let board = shared.board();
        (board.players[number].shift, board.players[number].permit.clone())
    };
    thread::spawn(move || while work(number, shift, &permit, &shared, &*play) {});
}

/// Plays one seed. Answers whether there may be another one.
fn work<T>(number: usize, shift: u64, permit: &Permit, shared: &Shared<T>, play: &Play<T>) -> bool {
    let mut board = shared.board();
    while board.next < board.end && board.next - board.taken >= board.ahead {
        board = shared.room.wait(board).unwrap_or_else(PoisonError::into_inner);
    }
    if board.next >= board.end || board.players[number].shift != shift {
        return false;
    }
    let seed = board.next;
    board.next += 1;
    let since = Instant::now();
    board.players[number].playing = Some((seed, since));
    drop(board);
    let ended = match catch_unwind(AssertUnwindSafe(|| play(seed, permit))) {
        Ok(_) if !permit.holds() || shared.run_timeout.is_some_and(|most| since.elapsed() >= most) => Ended::TimedOut,
        Ok(played) => Ended::Played(played),
        Err(payload) => Ended::Bug(message(payload.as_ref())),
    };
    let mut board = shared.board();
    if board.players[number].shift != shift {
        return false;
    }
    board.players[number].playing = None;
    board.put(seed, ended);
    if board.results.len() >= BATCH || board.is_played() {
        shared.changed.notify_one();
    }
    // A permit that was withdrawn stays so: the next seed is for the next shift.
    permit.holds() || {
        board.players[number].playing = Some((seed, Instant::now()));
        false
    }
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
    text.unwrap_or("no message").to_owned()
}

struct Collector<'a, T> {
    shared: &'a Arc<Shared<T>>,
    play: &'a Arc<Play<T>>,
    options: Options,
    last_tick: Instant,
}

impl<T: Send + 'static> Collector<'_, T> {
    /// Hands over one seed after the other. Answers the first that was not.
    fn collect(mut self, conductor: &mut impl Conductor<T>) -> u64 {
        loop {
            let mut ready = Vec::new();
            let mut board = self.shared.board();
            if board.results.front().is_none_or(Option::is_none) && !board.is_over() {
                let waited = self.shared.changed.wait_timeout(board, TICK);
                board = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            while let Some(next) = board.take() {
                ready.push(next);
            }
            self.shared.room.notify_all();
            let (begun, is_over, taken) = (board.next, board.is_over(), board.taken);
            drop(board);
            for (seed, ended) in ready {
                match conductor.took(seed, ended) {
                    Flow::GoOn => {}
                    Flow::Finish => self.finish(),
                    Flow::Stop => return seed + 1,
                }
            }
            if is_over {
                return taken;
            }
            if self.last_tick.elapsed() >= TICK {
                self.last_tick = Instant::now();
                self.relieve();
                match conductor.tick(begun) {
                    Flow::GoOn => {}
                    Flow::Finish => self.finish(),
                    Flow::Stop => return taken,
                }
            }
        }
    }

    fn finish(&self) {
        let mut board = self.shared.board();
        board.end = board.next;
        self.shared.room.notify_all();
    }

    /// Withdraws the permit of runs that take too long, and replaces threads that do not notice.
    fn relieve(&self) {
        let Some(timeout) = self.options.run_timeout else { return };
        let mut board = self.shared.board();
        for number in 0..board.players.len() {
            let player = &mut board.players[number];
            let Some((seed, since)) = player.playing else { continue };
            if since.elapsed() < timeout {
                continue;
            }
            let is_done =
                seed < board.taken || board.results.get((seed - board.taken) as usize).is_some_and(Option::is_some);
            let player = &mut board.players[number];
            if player.permit.holds() {
                player.permit.withdraw();
                continue;
            }
            if !is_done && since.elapsed() < timeout + GRACE {
                continue;
            }
            *player = Player { shift: player.shift + 1, playing: None, permit: Permit::default() };
            if !is_done {
                board.put(seed, Ended::TimedOut);
            }
            // Without the board, for the new thread wants it.
            drop(board);
            start(number, self.shared, self.play);
            board = self.shared.board();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Remembers everything, and ends the sweep after so many.
    struct Ledger {
        told: Vec<(u64, String)>,
        most: usize,
    }

    impl Conductor<u64> for Ledger {
        fn took(&mut self, seed: u64, ended: Ended<u64>) -> Flow {
            let what = match ended {
                Ended::Played(value) => value.to_string(),
                Ended::TimedOut => "late".to_owned(),
                Ended::Bug(why) => why,
            };
            self.told.push((seed, what));
            if self.told.len() >= self.most { Flow::Stop } else { Flow::GoOn }
        }
    }

    fn told(jobs: usize, most: usize, play: fn(u64, &Permit) -> u64) -> Vec<(u64, String)> {
        let mut ledger = Ledger { told: Vec::new(), most };
        let options = Options { jobs, run_timeout: Some(Duration::from_millis(100)) };
        let upto = sweep(10..2_000, options, play, &mut ledger);
        assert_eq!(upto, 10 + ledger.told.len() as u64);
        ledger.told
    }

    #[test]
    fn seeds_come_in_order_and_the_same_with_any_number_of_threads() {
        let square = |seed: u64, _: &Permit| seed * seed;
        let all: Vec<(u64, String)> = (10..2_000).map(|seed| (seed, (seed * seed).to_string())).collect();
        assert_eq!(told(1, usize::MAX, square), all);
        assert_eq!(told(4, usize::MAX, square), all);
        assert_eq!(told(3, 7, square), all[..7]);
    }

    #[test]
    fn the_largest_seeds_are_played_too() {
        let mut ledger = Ledger { told: Vec::new(), most: usize::MAX };
        let seeds = u64::MAX - 600..u64::MAX;
        let upto = sweep(seeds, Options { jobs: 2, run_timeout: None }, |seed, _| seed, &mut ledger);
        assert_eq!((upto, ledger.told.len()), (u64::MAX, 600));
    }

    #[test]
    fn a_run_that_panics_or_never_ends_costs_its_own_seed() {
        let play = |seed: u64, permit: &Permit| match seed {
            17 => panic!("seventeen"),
            // This one notices that its time is over.
            30 => {
                while permit.holds() {
                    std::thread::yield_now();
                }
                0
            }
            // This one does not; its thread is left behind.
            31 => loop {
                std::thread::park();
            },
            _ => seed,
        };
        std::panic::set_hook(Box::new(|_| {}));
        let told = told(2, usize::MAX, play);
        assert_eq!(told.len(), 1_990);
        let strange: Vec<(u64, &str)> = told
            .iter()
            .filter(|(seed, what)| seed.to_string() != *what)
            .map(|(seed, what)| (*seed, what.as_str()))
            .collect();
        assert_eq!(strange, [(17, "seventeen"), (30, "late"), (31, "late")]);
    }
}
