//! Runs: one plan in, one outcome out.

pub mod outcome;
pub mod play;
