//! How far shrinking is, while one waits: a bar on a terminal, else a plain line now and then.

#![expect(clippy::disallowed_methods, reason = "progress is told in real time")]

use super::told;
use crate::cli::arguments::{Detail, Format};
use crate::cli::terminal::Terminal;
use crate::report::number::count;
use crate::run::shrink::Status;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};

/// Before that, nobody wonders.
const AFTER: Duration = Duration::from_millis(500);
/// Between two plain lines.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// Between two looks of the bar.
const TICK: Duration = Duration::from_millis(100);

pub(super) struct Progress {
    bar: Option<ProgressBar>,
    time: Option<Duration>,
    since: Instant,
    last: Instant,
    is_wanted: bool,
}

impl Progress {
    /// With the time after which it ends, if there is one.
    pub(super) fn new(detail: Detail, format: Format, time: Option<Duration>) -> Progress {
        let now = Instant::now();
        let is_wanted = detail != Detail::Quiet || format == Format::Json;
        Progress { bar: None, time, since: now, last: now, is_wanted }
    }

    /// Shows where things stand, if it is time to.
    pub(super) fn tick(&mut self, status: &Status, terminal: &mut Terminal) {
        if !self.is_wanted || self.last.elapsed() < TICK || self.since.elapsed() < AFTER {
            return;
        }
        let text = format!("{} · {} plays · {}", told::size(&status.size), count(status.plays), status.doing);
        if terminal.err_is_watched() {
            self.last = Instant::now();
            let bar = self.bar.get_or_insert_with(|| bar(self.time));
            bar.set_position(u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX));
            bar.set_message(text);
            bar.tick();
        } else if self.last.elapsed() >= LINE_EVERY {
            self.last = Instant::now();
            terminal.aside(&format!("after {} s: {text}\n", self.since.elapsed().as_secs()));
        }
    }

    pub(super) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// The bar shows how much of the time is spent: how much is left to do nobody knows.
fn bar(time: Option<Duration>) -> ProgressBar {
    let length = time.and_then(|time| u64::try_from(time.as_millis()).ok());
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr_with_hz(10));
    let template =
        if length.is_some() { "{bar:16.green/dim} {elapsed}  {msg:.dim}" } else { "{spinner} {elapsed}  {msg:.dim}" };
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.expect("the template is right").progress_chars("━╸─"));
    bar
}
