//! Being asked to end: by the user, by a scheduler, or by a reader that went away.

#![expect(clippy::disallowed_methods, reason = "a signal that comes twice at once is one, and a thread hears it")]

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Within this time, signals are one. `timeout` sends its own to the program and to its group, a terminal and a
/// scheduler may both send one: nobody has lost patience yet.
const ONE: Duration = Duration::from_secs(1);

/// Listens for SIGINT and SIGTERM. The first is remembered; a later one ends the program at once.
#[derive(Clone, Debug)]
pub(super) struct Signals(Arc<AtomicUsize>);

impl Signals {
    pub(super) fn listen() -> io::Result<Signals> {
        let heard = Arc::new(AtomicUsize::new(0));
        let mut coming = iterator::Signals::new([SIGINT, SIGTERM])?;
        let first = Arc::clone(&heard);
        thread::spawn(move || {
            let mut since: Option<Instant> = None;
            for signal in coming.forever() {
                if since.get_or_insert_with(Instant::now).elapsed() >= ONE {
                    signal_hook::low_level::exit(128 + signal);
                }
                // Who asked first is who gets the answer.
                let _ = first.compare_exchange(0, signal as usize, Ordering::Relaxed, Ordering::Relaxed);
            }
        });
        Ok(Signals(heard))
    }

    /// The signal that came, if one did.
    pub(super) fn heard(&self) -> Option<u8> {
        u8::try_from(self.0.load(Ordering::Relaxed)).ok().filter(|signal| *signal > 0)
    }
}

/// Ends the program as if it had never asked to be told of closed pipes: quietly, by SIGPIPE.
/// Where there is no such signal it just returns.
pub(super) fn end_as_with_a_closed_pipe() {
    #[cfg(unix)]
    let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGPIPE);
}
