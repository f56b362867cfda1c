//! One plan in, one outcome out; and many of them.

pub mod capsule;
pub mod curve;
pub mod entry;
pub mod likelihood;
pub mod outcome;
pub mod play;
pub mod replay;
pub mod seen;
pub mod shrink;
pub mod signature;
pub mod story;
pub mod storyteller;
pub mod sweep;
pub mod tally;
pub mod tape;
pub mod twice;
pub mod watch;
