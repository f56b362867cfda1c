//! A bug of ours: a short message that says what to report, and no stack dump unless one is asked for.

use super::terminal::Terminal;
use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write;
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a bug was told of already.
static IS_TOLD: AtomicBool = AtomicBool::new(false);

/// From now on, a panic outside the simulated protocols is told as a bug.
pub(super) fn tell_of_panics() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(|place| format!(" ({}:{})", place.file(), place.line()));
        IS_TOLD.store(true, Ordering::Relaxed);
        let mut text = told(info.payload(), &place.unwrap_or_default());
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            text += &format!("\n{backtrace}\n");
        }
        // Where even that cannot be written, the exit code still tells.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }));
}

/// Tells of a panic that was caught, unless it was told of when it happened: while a run is
/// played, the hook above is silent.
pub(super) fn tell(payload: &(dyn Any + Send), terminal: &mut Terminal) {
    if !IS_TOLD.swap(true, Ordering::Relaxed) {
        terminal.aside(&told(payload, ""));
    }
}

fn told(payload: &(dyn Any + Send), place: &str) -> String {
    let message = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
    format!(
        "squall: internal error: {}{place}\n\n\
         This is a bug of squall, not of your scenario or protocol. Please report it, with\n\
         - the message above (RUST_BACKTRACE=1 may add where it came from),\n\
         - the command, with the seed, and the scenario file,\n\
         - the version: squall {}\n",
        message.unwrap_or("no message"),
        env!("CARGO_PKG_VERSION"),
    )
}
