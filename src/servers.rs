//! What the real servers answer that locks are built on, as pure values: a time and a command in, a reply out.
//!
//! A model does no input and no output and looks at no clock: whoever wraps it says what time it is. It equals
//! recorded transcripts of the real server (`squall check-transcript`).

pub mod etcd;
pub mod postgres;
pub mod redis;
pub mod zookeeper;
