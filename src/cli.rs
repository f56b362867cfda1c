//! The command-line program: the only room that prints, reads the environment, opens files and exits.

use crate::systems::System;
use std::process::ExitCode;

/// Runs the program with these systems.
pub fn main<S: System>() -> ExitCode {
    ExitCode::SUCCESS
}
