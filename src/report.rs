//! What a run came to, as characters: outcomes go in, text goes out, one file a format.
//!
//! Human text is styled with ANSI escapes; whoever prints it strips them where they are not wanted.

pub mod annotations;
pub mod audit;
pub mod chance;
pub mod explanation;
pub mod failure;
pub mod history;
pub mod json;
pub mod junit;
pub mod line;
pub mod mermaid;
pub mod number;
pub mod page;
pub mod perfetto;
pub mod picture;
pub mod replay;
pub mod ring;
pub mod shiviz;
pub mod story;
pub mod style;
pub mod suite;
pub mod sweep;
pub mod tally;
pub mod told;
