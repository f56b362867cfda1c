//! What must never be, and what must happen.

pub mod history;
pub mod linearizable;
pub mod spec;
