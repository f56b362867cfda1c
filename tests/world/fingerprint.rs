//! Whatever is told of a run is in its fingerprint: two runs that differ in one word of it do not come to the same digest.

use super::metronome::{Fact, Metronome};
use squall::environment::fault::{Fault, Target};
use squall::kernel::time::{Span, Time};
use squall::protocol::{Damage, DiskFailure, NodeId, Order};
use squall::trace::{Fingerprint, Happening, Trace};
use std::collections::BTreeMap;

fn fact(word: u64, now: u64, wall: u64) -> Fact {
    Fact::Ticked { word, now: Time::from_ns(now), wall: Time::from_ns(wall) }
}

#[test]
fn every_word_of_what_happens_counts() {
    let (one, other) = (NodeId::new(0), NodeId::new(1));
    let facts = [fact(1, 2, 3), fact(2, 2, 3), fact(1, 3, 3), fact(1, 2, 4), Fact::Durable { word: 1 }];
    let orders = [
        Order::Join,
        Order::Leave,
        Order::Replace(one),
        Order::Replace(other),
        Order::Reweigh(1),
        Order::Reweigh(2),
        Order::Rezone(1),
        Order::Rezone(2),
        Order::Rebalance,
        Order::TransferLeadership,
    ];
    let damages = [None, Some(Damage::Torn), Some(Damage::Replaced)];
    let damages = damages.into_iter().chain([1, 2].map(|lost| Some(Damage::Rotten { lost })));
    let target = || Target::Nodes(vec!["n1".to_owned()]);
    let (kill, pause) = (Fault::Kill { target: target() }, Fault::Pause { target: target() });
    let mut all: Vec<Happening<'_, Metronome>> = vec![Happening::Calmed];
    for message in &[7, 8] {
        for (from, to) in [(one, other), (other, one), (one, one)] {
            all.push(Happening::Delivered { from, to, message });
            all.push(Happening::Dropped { from, to, message });
            all.push(Happening::Garbled { from, to, message });
        }
    }
    for node in [one, other] {
        all.push(Happening::Fired { node, timer: () });
        all.extend(orders.iter().map(|order| Happening::Ordered { node, order: *order }));
        all.extend([0, 1].map(|records| Happening::Synced { node, records }));
        all.extend(facts.iter().map(|fact| Happening::Noted { node, fact }));
        all.extend(
            damages.clone().flat_map(|damage| [0, 1].map(|records| Happening::Booted { node, records, damage })),
        );
        let failures = [DiskFailure::Write, DiskFailure::Full, DiskFailure::Sync];
        all.extend(failures.map(|failure| Happening::DiskFailed { node, failure }));
        all.extend([0, 1].map(|lost| Happening::Crashed { node, lost }));
    }
    for (number, fault) in [(0, &kill), (1, &kill), (0, &pause), (1, &pause)] {
        all.push(Happening::Began { number, fault });
        all.push(Happening::Ended { number, fault });
    }
    let mut told = BTreeMap::new();
    for (at, happening) in [3, 4].into_iter().flat_map(|ms| all.iter().map(move |one| (Time::ZERO + Span::ms(ms), one)))
    {
        let mut fingerprint = Fingerprint::default();
        fingerprint.happened(at, happening);
        let twin = told.insert(fingerprint.digest().value(), (at, happening));
        assert!(twin.is_none(), "{:?} and {:?} look alike", twin, (at, happening));
    }
    assert_eq!(told.len(), 2 * all.len());
}
