//! The algorithms. They import the seam, the oracles and the kernel; never the world.

pub mod exhibit;
pub mod lock;
pub mod raft;
pub mod ring;
