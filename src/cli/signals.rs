//! Being asked to end: by the user, by a scheduler, or by a reader that went away.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Listens for SIGINT and SIGTERM. The first is remembered; a second ends the program at once.
#[derive(Clone, Debug)]
pub(super) struct Signals(Arc<AtomicUsize>);

impl Signals {
    pub(super) fn listen() -> io::Result<Signals> {
        let heard = Arc::new(AtomicUsize::new(0));
        let again = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal finds the flag down, and raises it.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&again))?;
            flag::register(signal, Arc::clone(&again))?;
            flag::register_usize(signal, Arc::clone(&heard), signal as usize)?;
        }
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
