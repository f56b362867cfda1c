//! What the real servers answer, as pure values.

pub mod zookeeper;
