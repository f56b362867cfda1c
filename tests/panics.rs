//! A panic of a protocol is a violation with its seed; it ends neither the process nor the sweep.

use squall::environment::plan::Plan;
use squall::kernel::time::Span;
use squall::oracle::spec::{Indifferent, Spec};
use squall::protocol::{Cast, Found, Io, NodeId, Nothing, Protocol};
use squall::run::outcome::Verdict;
use squall::run::play::play;
use std::sync::Arc;

/// A node that cannot count to the number it is told.
#[derive(Clone, Debug)]
struct Counter {
    beats: u64,
    most: u64,
}

impl Protocol for Counter {
    type Config = u64;
    type Message = Nothing;
    type Timer = ();
    type Record = Nothing;
    type Fact = Nothing;

    fn cast(_: &u64) -> Cast {
        Cast::members(2)
    }

    fn boot(most: &u64, _: NodeId, _: Found<'_, Nothing>, io: &mut Io<'_, Counter>) -> Counter {
        io.arm((), Span::ms(10));
        Counter { beats: 0, most: *most }
    }

    fn on_message(&mut self, _: NodeId, message: Nothing, _: &mut Io<'_, Counter>) {
        match message {}
    }

    fn on_timer(&mut self, (): (), io: &mut Io<'_, Counter>) {
        self.beats += 1;
        assert!(self.beats < self.most, "beat {} is one too many", self.beats);
        io.arm((), Span::ms(10));
    }
}

impl Spec for Counter {
    type Oracles = Indifferent;

    fn oracles(_: &u64) -> Indifferent {
        Indifferent
    }
}

#[test]
fn a_panic_of_a_protocol_is_a_violation_with_place_and_seed() {
    let outcome = play::<Counter>(&Arc::new(Plan::new(7, 3, Span::secs(1))), "counter");
    let Verdict::Violation(violated) = &outcome.verdict else { panic!("{:?}", outcome.verdict) };
    assert_eq!((violated.invariant.as_str(), violated.time_ns, outcome.seed), ("protocol.panic", 70_000_000, 3));
    assert!(violated.message.starts_with("beat 7 is one too many (tests/panics.rs:"), "{}", violated.message);
    // The next run of this thread is not touched by it.
    let sound = play::<Counter>(&Arc::new(Plan::new(1_000, 3, Span::secs(1))), "counter");
    assert_eq!(sound.verdict, Verdict::Pass);
}
