//! Time, order and chance. Knows nothing of nodes, messages or protocols.

pub mod chance;
pub mod chunks;
pub mod digest;
pub mod map;
pub mod queue;
pub mod rng;
pub mod time;
pub mod timers;
