//! How far a sweep is, while one waits: a bar on a terminal, else a plain line now and then.

#![expect(clippy::disallowed_methods, reason = "progress is told in real time")]

use crate::cli::arguments::{Detail, Format};
use crate::cli::terminal::Terminal;
use crate::report::number::{count, rounded};
use crate::run::tally::Tally;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};

/// Before that, nobody wonders.
const BAR_AFTER: Duration = Duration::from_millis(500);
/// Between two plain lines.
const LINE_EVERY: Duration = Duration::from_secs(10);

pub(super) struct Progress {
    name: String,
    /// How many seeds there are, if that is known.
    length: Option<u64>,
    /// How many of them had been played before.
    before: u64,
    share: Option<Duration>,
    bar: Option<ProgressBar>,
    since: Instant,
    last_line: Instant,
    last_tenth: u64,
    is_wanted: bool,
}

impl Progress {
    pub(super) fn new(
        name: &str,
        length: Option<u64>,
        before: u64,
        share: Option<Duration>,
        format: Format,
        detail: Detail,
    ) -> Progress {
        let now = Instant::now();
        Progress {
            name: name.to_owned(),
            length,
            before,
            share,
            bar: None,
            since: now,
            last_line: now,
            last_tenth: 0,
            is_wanted: detail != Detail::Quiet || format == Format::Json,
        }
    }

    /// Shows where things stand, if it is time to.
    pub(super) fn tick(&mut self, tally: &Tally, terminal: &mut Terminal) {
        let elapsed = self.since.elapsed();
        if !self.is_wanted || elapsed < BAR_AFTER {
            return;
        }
        if terminal.err_is_watched() {
            let bar = self.bar.get_or_insert_with(|| bar(self.length));
            bar.set_position(tally.ran);
            bar.set_message(told(&self.name, tally, self.before, elapsed));
            bar.tick();
            return;
        }
        let tenth = self.length.map_or(0, |length| 10 * tally.ran / length.max(1));
        if self.last_line.elapsed() >= LINE_EVERY || tenth > self.last_tenth && elapsed >= LINE_EVERY {
            self.last_line = Instant::now();
            self.last_tenth = tenth;
            let of = self.length.map_or(String::new(), |length| format!(" of {}", count(length)));
            let left =
                self.left(tally.ran, elapsed).map_or(String::new(), |left| format!(", {} s to go", left.as_secs()));
            let told = told(&self.name, tally, self.before, elapsed);
            terminal.aside(&format!("{} seeds{of} after {} s{left}: {told}\n", count(tally.ran), elapsed.as_secs()));
        }
    }

    /// How long it will still take.
    fn left(&self, ran: u64, elapsed: Duration) -> Option<Duration> {
        let by_seeds = self.length.and_then(|length| {
            let fresh = ran.checked_sub(self.before).filter(|fresh| *fresh > 0)?;
            Some(elapsed.mul_f64((length - ran) as f64 / fresh as f64))
        });
        let by_time = self.share.map(|share| share.saturating_sub(elapsed));
        match (by_seeds, by_time) {
            (Some(seeds), Some(time)) => Some(seeds.min(time)),
            (seeds, time) => seeds.or(time),
        }
    }

    pub(super) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// `raft/storm, 712 seeds/s, 3.1 million events/s, 3 failed`.
fn told(name: &str, tally: &Tally, before: u64, elapsed: Duration) -> String {
    let fresh = tally.ran.saturating_sub(before);
    let a_second = |number: u64| rounded((number as f64 / elapsed.as_secs_f64()) as u64);
    let events =
        if tally.ran == 0 { 0 } else { (u128::from(tally.events) * u128::from(fresh) / u128::from(tally.ran)) as u64 };
    let failed = match (tally.failed, tally.inconclusive) {
        (0, 0) => String::new(),
        (failed, 0) => format!(", {} failed", count(failed)),
        (failed, doubtful) => format!(", {} failed, {} without a verdict", count(failed), count(doubtful)),
    };
    format!("{name}, {} seeds/s, {} events/s{failed}", a_second(fresh), a_second(events))
}

fn bar(length: Option<u64>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr_with_hz(10));
    let template = match length {
        Some(_) => "{bar:24.green/dim} {human_pos} of {human_len}, {elapsed}, {eta} to go  {wide_msg:.dim}",
        None => "{spinner} {human_pos} seeds, {elapsed}  {wide_msg:.dim}",
    };
    bar.set_style(ProgressStyle::with_template(template).expect("the template is right").progress_chars("━╸─"));
    bar
}
