//! Shrinking, on a system that is nothing but its faults.
