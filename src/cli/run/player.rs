//! Plays scenarios on a thread of its own, so that the program can hear signals meanwhile.

#![expect(clippy::disallowed_methods, reason = "runs are played on a thread of their own and timed from outside")]

use super::Job;
use crate::run::outcome::{Outcome, Verdict};
use crate::run::twice::{self, Difference, Share};
use crate::systems::{self, System};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// What has become of the runs.
pub(super) enum News {
    /// Nothing new.
    None,
    /// This one began.
    Began(usize),
    /// This one is over.
    Finished(usize, Box<Played>),
    /// In this one, a bug of ours showed; there will be no further.
    Bug(usize, Box<dyn Any + Send>),
    /// There will be no further.
    Over,
}

/// A run that is over.
pub(super) struct Played {
    pub(super) outcome: Outcome,
    /// How long it took.
    pub(super) wall: Duration,
    /// In what the run, played once more, was not the same.
    pub(super) difference: Option<Box<Difference>>,
}

/// The thread, as the rest of the program knows it. It is never waited for: it ends with the
/// program, also in the middle of a run.
pub(super) struct Player {
    news: Receiver<News>,
    is_stopped: Arc<AtomicBool>,
}

impl Player {
    /// Begins to play all jobs in order, twice those whose seed is among the `checked`.
    pub(super) fn start<S: System>(jobs: Arc<Vec<Job<S>>>, checked: Option<Share>) -> Player {
        let (sender, news) = channel();
        let is_stopped = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&is_stopped);
        thread::spawn(move || play(&jobs, checked, &stopped, &sender));
        Player { news, is_stopped }
    }

    /// Lets no further run begin.
    pub(super) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    /// The next news, if there are some in this time.
    pub(super) fn news(&self, patience: Duration) -> News {
        match self.news.recv_timeout(patience) {
            Ok(news) => news,
            Err(RecvTimeoutError::Timeout) => News::None,
            Err(RecvTimeoutError::Disconnected) => News::Over,
        }
    }
}

fn play<S: System>(jobs: &[Job<S>], checked: Option<Share>, is_stopped: &AtomicBool, sender: &Sender<News>) {
    for (index, job) in jobs.iter().enumerate() {
        if is_stopped.load(Ordering::Relaxed) || sender.send(News::Began(index)).is_err() {
            return;
        }
        let news = match catch_unwind(AssertUnwindSafe(|| played(job, checked))) {
            Ok(played) => News::Finished(index, Box::new(played)),
            Err(payload) => News::Bug(index, payload),
        };
        let is_over = matches!(news, News::Bug(..));
        // Nobody listens any more: the program is about to end.
        if sender.send(news).is_err() || is_over {
            return;
        }
    }
}

fn played<S: System>(job: &Job<S>, checked: Option<Share>) -> Played {
    let since = Instant::now();
    let plan = systems::plan(&job.scenario, &job.name, job.seed);
    let outcome = S::play(&plan);
    let wall = since.elapsed();
    if !checked.is_some_and(|share| share.takes(job.seed)) {
        return Played { outcome, wall, difference: None };
    }
    match twice::again(outcome, &|watch| S::play_watched(&plan, watch), &|| true) {
        Ok(outcome) => Played { outcome, wall, difference: None },
        Err(difference) => {
            // What a run has come to means nothing if it comes to something else the next time.
            let verdict = Verdict::Inconclusive(difference.summary());
            let outcome = Outcome { verdict, ..difference.came_to[0].clone() };
            Played { outcome, wall, difference: Some(difference) }
        }
    }
}
