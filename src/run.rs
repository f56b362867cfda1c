//! One plan in, one outcome out; and many of them.

pub mod capsule;
pub mod outcome;
pub mod play;
pub mod seen;
pub mod shrink;
pub mod signature;
pub mod sweep;
pub mod tape;
pub mod watch;
