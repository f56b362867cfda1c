//! What must never be, and what must happen.

pub mod linearizable;
pub mod spec;
