//! How far many runs are, while one waits: a bar on a terminal, else a plain line now and then.

#![expect(clippy::disallowed_methods, reason = "progress is told in real time")]

use crate::cli::arguments::{Detail, Format};
use crate::cli::terminal::Terminal;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};

/// Before that, nobody wonders.
const BAR_AFTER: Duration = Duration::from_millis(500);
/// Between two plain lines.
const LINE_EVERY: Duration = Duration::from_secs(10);

pub(super) struct Progress {
    bar: Option<ProgressBar>,
    asked: usize,
    since: Instant,
    last_line: Instant,
    is_wanted: bool,
    /// Whether the results themselves appear before the eyes that would see the bar.
    shares_the_screen: bool,
}

impl Progress {
    pub(super) fn new(asked: usize, format: Format, detail: Detail, terminal: &Terminal) -> Progress {
        let now = Instant::now();
        Progress {
            bar: None,
            asked,
            since: now,
            last_line: now,
            is_wanted: detail != Detail::Quiet || format == Format::Json,
            shares_the_screen: terminal.out_is_watched(),
        }
    }

    /// Prints something without disturbing the bar.
    pub(super) fn aside<R>(&self, print: impl FnOnce() -> R) -> R {
        match &self.bar {
            Some(bar) if self.shares_the_screen => bar.suspend(print),
            Some(_) | None => print(),
        }
    }

    /// Shows where things stand, if it is time to.
    pub(super) fn tick(&mut self, ran: u64, running: Option<&str>, terminal: &mut Terminal) {
        if !self.is_wanted || self.since.elapsed() < BAR_AFTER {
            return;
        }
        let running = running.unwrap_or_default();
        if terminal.err_is_watched() {
            let bar = self.bar.get_or_insert_with(|| bar(self.asked));
            bar.set_position(ran);
            bar.set_message(running.to_owned());
            bar.tick();
        } else if self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            terminal.aside(&format!(
                "{ran} of {} runs after {} s, now {running}\n",
                self.asked,
                self.since.elapsed().as_secs()
            ));
        }
    }

    pub(super) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn bar(asked: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(asked as u64), ProgressDrawTarget::stderr_with_hz(10));
    let style = ProgressStyle::with_template("{bar:24.green/dim} {pos} of {len}, {elapsed}  {msg:.dim}");
    bar.set_style(style.expect("the template is right").progress_chars("━╸─"));
    bar
}
