//! What the world does to a node: networks, disks, clocks, and the plan of what goes wrong.

pub mod clock;
pub mod disk;
pub mod distribution;
pub mod fault;
pub mod network;
pub mod plan;
pub mod text;
mod words;
