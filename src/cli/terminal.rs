//! Where text goes: results to standard output, everything else to standard error.

use crate::report::style::{BAD, UNSURE, styled};
use anstream::{AutoStream, ColorChoice, stream::IsTerminal};
use std::io::{self, Write};

/// The two streams, and whether each has colour.
#[derive(Debug)]
pub(super) struct Terminal {
    out: ColorChoice,
    err: ColorChoice,
}

impl Terminal {
    pub(super) fn new(wanted: clap::ColorChoice) -> Terminal {
        let forced = match wanted {
            clap::ColorChoice::Auto => None,
            clap::ColorChoice::Always => Some(ColorChoice::Always),
            clap::ColorChoice::Never => Some(ColorChoice::Never),
        };
        Terminal {
            out: forced.unwrap_or_else(|| AutoStream::choice(&io::stdout())),
            err: forced.unwrap_or_else(|| AutoStream::choice(&io::stderr())),
        }
    }

    /// Writes a piece of the results. Escapes are left out where there is no colour.
    pub(super) fn result(&mut self, text: &str) -> io::Result<()> {
        let mut out = AutoStream::new(io::stdout().lock(), self.out);
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Writes a result for programs, as it is.
    pub(super) fn raw(&mut self, text: &str) -> io::Result<()> {
        self.bytes(text.as_bytes())
    }

    /// Writes a result that need not be text, as it is.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    }

    /// Says something that is no result. If nobody can hear it, that is no reason to stop.
    pub(super) fn aside(&mut self, text: &str) {
        let _ = AutoStream::new(io::stderr().lock(), self.err).write_all(text.as_bytes());
    }

    pub(super) fn warning(&mut self, text: &str) {
        self.aside(&format!("{}: {text}\n", styled(UNSURE, "warning")));
    }

    pub(super) fn error(&mut self, text: &str) {
        self.aside(&format!("{}: {text}\n", styled(BAD, "error")));
    }

    /// Whether somebody watches the results appear.
    pub(super) fn out_is_watched(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Whether somebody watches standard error, where progress is shown.
    pub(super) fn err_is_watched(&self) -> bool {
        io::stderr().is_terminal()
    }

    /// How many columns the results have, if somebody watches.
    pub(super) fn width(&self) -> Option<usize> {
        let (terminal_size::Width(width), _) = terminal_size::terminal_size_of(io::stdout())?;
        Some(usize::from(width))
    }
}
