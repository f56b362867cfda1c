//! What a run came to, as characters: outcomes go in, text goes out, one file a format.
//!
//! Human text is styled with ANSI escapes; whoever prints it strips them where they are not wanted.

pub mod annotations;
pub mod audit;
pub mod chance;
pub mod explanation;
pub mod failure;
pub mod json;
pub mod junit;
pub mod line;
pub mod number;
pub mod replay;
pub mod ring;
pub mod story;
pub mod style;
pub mod suite;
pub mod sweep;
pub mod tally;
