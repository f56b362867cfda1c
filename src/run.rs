//! One plan in, one outcome out; and many of them.

pub mod outcome;
pub mod play;
pub mod seen;
pub mod tape;
pub mod watch;
