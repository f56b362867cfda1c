//! Tests of the network's behaviour; its rates are tested in `tests/statistics.rs`.

use super::*;
use crate::kernel::chance::Ratio;
use crate::kernel::time::Span;

fn network(loss: u64, duplicate: u64) -> Network {
    let percent = |part| Ratio::new(part, 100).expect("a probability");
    let latency = Distribution::Uniform { min: Span::ms(1), max: Span::ms(10) };
    let plan = plan::Network { latency, loss: percent(loss), duplicate: percent(duplicate) };
    Network::new(&plan, Table::new(11), 3, 4, &[])
}

fn next(network: &mut Network, from: u16, to: u16) -> Fate {
    network.fate(from, to, Time::ZERO, || 100)
}

#[test]
fn loss_and_duplication_come_at_their_rates_and_spare_clients() {
    let mut network = network(10, 20);
    let fates: Vec<Fate> = (0..100_000).map(|_| next(&mut network, 0, 1)).collect();
    let lost = fates.iter().filter(|fate| fate.arrives.is_none()).count();
    let doubled = fates.iter().filter(|fate| fate.again.is_some()).count();
    assert!(lost.abs_diff(10_000) < 500, "{lost} lost");
    // A fifth is doubled, a tenth of the copies is lost.
    assert!(doubled.abs_diff(18_000) < 650, "{doubled} doubled");
    assert!((0..1_000).all(|_| next(&mut network, 3, 0).arrives.is_some()));
}

#[test]
fn a_message_more_on_one_link_does_not_touch_another() {
    let (mut one, mut other) = (network(5, 5), network(5, 5));
    (0..7).for_each(|_| assert!(next(&mut one, 0, 1).arrives != Some(Span::ZERO)));
    assert!((0..100).all(|_| next(&mut one, 1, 0) == next(&mut other, 1, 0)));
}

#[test]
fn cuts_are_directed_and_heal() {
    let mut network = network(0, 0);
    network.disturb(true, &[(Disturbance::Cut, Scope::Links(vec![(0, 1)]))], None);
    assert!(network.is_cut(0, 1) && !network.is_cut(1, 0) && !network.is_whole());
    assert!(network.is_blocked(0, 1) && !network.is_clogged(0, 1));
    network.disturb(true, &[], None);
    assert!(!network.is_cut(0, 1) && !network.is_blocked(0, 1) && network.is_whole());
}
