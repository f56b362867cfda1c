//! The decisions of locks on Redis.

use super::Timepiece;

/// How a lock is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taking {
    /// By one command that also limits its life.
    AtOnce,
    /// By one command, and then another that limits its life.
    InTwoSteps,
}

/// How a lock is given back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Giving {
    /// If its value is still the owner's, in one step.
    Compared,
    /// Whosever it is.
    Blindly,
    /// If its value was the owner's a moment ago.
    AfterALook,
}

/// All decisions.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How a lock is taken (the manual, "Correct implementation with a single instance").
    pub takes: fn() -> Taking,
    /// How it is given back (the same section: "Using just DEL is not safe").
    pub gives: fn() -> Giving,
    /// The clock by which the server expires keys, if it is set up for this one.
    pub expires_by: fn(configured: Timepiece) -> Timepiece,
    /// Does a claim that is given up go away, also if it may have been granted?
    pub withdraws: fn() -> bool,
    /// Does a watchdog go on after a renewal that was not answered?
    pub renews_after_silence: fn() -> bool,
}

impl Rules {
    /// Those of the manual.
    pub const SOUND: Rules = Rules {
        takes: || Taking::AtOnce,
        gives: || Giving::Compared,
        expires_by: |configured| configured,
        withdraws: || true,
        renews_after_silence: || true,
    };
}
