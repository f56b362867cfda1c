//! How much of a ring and of its keys each member has, and what goes from whom to whom when a ring becomes another.

use super::measure::Measure;
use super::movement::Movement;
use super::ring::Ring;
use std::collections::BTreeMap;

/// A part of the circle, and how many keys stand on it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Amount {
    /// How much of the circle, all copies together.
    pub share: Measure,
    /// How many keys, all copies together.
    pub keys: u64,
}

impl Amount {
    fn add(&mut self, share: Measure, keys: u64) {
        self.share += share;
        self.keys += keys;
    }
}

/// What a member has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Load {
    /// Who.
    pub node: u16,
    /// What it owns as the first of its list.
    pub owns: Amount,
    /// What it has copies of.
    pub holds: Amount,
}

/// What goes from one member to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flow {
    /// Who has it no more; nobody, where there are more copies than before.
    pub from: Option<u16>,
    /// Who has it now; nobody, where there are fewer copies than before.
    pub to: Option<u16>,
    /// How much.
    pub amount: Amount,
}

/// What goes from whom to whom, all together, and how little it could be.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Traffic {
    /// What somebody has now who did not have it before.
    pub sent: Amount,
    /// What those who have more now have more: with the loads of the new ring it cannot be less.
    pub least: Amount,
    /// From whom to whom, in the order of their numbers.
    pub flows: Vec<Flow>,
}

/// What differs between two rings.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Shift {
    /// First owners.
    pub owners: Traffic,
    /// Copies. Who gets one is set against who gives one up, in the order of their lists.
    pub copies: Traffic,
}

/// What each member has, in the order of their numbers, if there are `copies` of everything, and keys stand at these
/// positions.
///
/// # Panics
/// If a key is not in the ring's space.
pub fn loads(ring: &Ring, copies: usize, keys: &[u128]) -> Vec<Load> {
    let shares = ring.loads().into_iter().zip(ring.loads_of(copies));
    let mut loads: Vec<Load> = shares
        .map(|((node, owns), (_, holds))| {
            let amount = |share| Amount { share, keys: 0 };
            Load { node, owns: amount(owns), holds: amount(holds) }
        })
        .collect();
    let mut list = Vec::new();
    for key in keys {
        ring.preference(*key, copies, &mut list);
        for (place, node) in list.iter().enumerate() {
            let load = loads.binary_search_by_key(node, |load| load.node).expect("a point of a member");
            loads[load].holds.keys += 1;
            loads[load].owns.keys += u64::from(place == 0);
        }
    }
    loads
}

/// What differs between two rings, if there are `copies` of everything, and keys stand at these positions.
///
/// # Panics
/// If the rings are in different spaces, or a key is in another.
pub fn shift(old: &Ring, new: &Ring, copies: usize, keys: &[u128]) -> Shift {
    let (mut owners, mut held) = (Flows::default(), Flows::default());
    for change in Movement::between(old, new, copies).changes {
        owners.see(first(&change.from), first(&change.to), change.length, 0);
        held.see(&change.from, &change.to, change.length, 0);
    }
    let (mut from, mut to) = (Vec::new(), Vec::new());
    for key in keys {
        old.preference(*key, copies, &mut from);
        new.preference(*key, copies, &mut to);
        owners.see(first(&from), first(&to), Measure::ZERO, 1);
        held.see(&from, &to, Measure::ZERO, 1);
    }
    let (before, after) = (loads(old, copies, keys), loads(new, copies, keys));
    Shift {
        owners: owners.traffic(&before, &after, |load| load.owns),
        copies: held.traffic(&before, &after, |load| load.holds),
    }
}

fn first(list: &[u16]) -> &[u16] {
    &list[..list.len().min(1)]
}

/// By from whom and to whom.
#[derive(Default)]
struct Flows(BTreeMap<(Option<u16>, Option<u16>), Amount>);

impl Flows {
    /// What these had, those have now.
    fn see(&mut self, from: &[u16], to: &[u16], share: Measure, keys: u64) {
        let mut loses = from.iter().filter(|node| !to.contains(node)).copied();
        let mut gains = to.iter().filter(|node| !from.contains(node)).copied();
        loop {
            let pair = (loses.next(), gains.next());
            if pair == (None, None) {
                return;
            }
            self.0.entry(pair).or_default().add(share, keys);
        }
    }

    fn traffic(self, before: &[Load], after: &[Load], what: fn(&Load) -> Amount) -> Traffic {
        let flows: Vec<Flow> = self.0.into_iter().map(|((from, to), amount)| Flow { from, to, amount }).collect();
        let (mut sent, mut least) = (Amount::default(), Amount::default());
        for flow in flows.iter().filter(|flow| flow.to.is_some()) {
            sent.add(flow.amount.share, flow.amount.keys);
        }
        for load in after {
            let had = before.iter().find(|had| had.node == load.node).map(what).unwrap_or_default();
            let has = what(load);
            least.add(has.share.beyond(had.share), has.keys.saturating_sub(had.keys));
        }
        Traffic { sent, least, flows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::ring::{Member, Settings};

    /// Twelve bits: points coincide, and every position can be a key.
    fn ring(members: &[(u16, u32, u16)]) -> Ring {
        let settings = Settings { bits: 12, ..Settings::default() };
        let member =
            |(id, points, zone): &(u16, u32, u16)| Member::new(*id, format!("n{}", id + 1), *points).in_zone(*zone);
        Ring::new(settings, members.iter().map(member).collect()).expect("a ring")
    }

    fn parts(measure: Measure) -> u64 {
        u64::try_from(measure.scaled(1 << 12)).expect("few")
    }

    /// With a key at every position, shares and keys are the same figure, though they are counted in different ways.
    #[test]
    fn shares_and_keys_agree_where_a_key_is_everywhere() {
        let keys: Vec<u128> = (0..1 << 12).collect();
        let founders = [(0, 16, 0), (1, 16, 1), (2, 16, 0), (3, 16, 1), (4, 32, 0)];
        let later: [&[(u16, u32, u16)]; 6] = [
            &[(0, 16, 0), (1, 16, 1), (2, 16, 0), (3, 16, 1), (4, 32, 0), (5, 16, 1)],
            &[(0, 16, 0), (1, 16, 1), (3, 16, 1), (4, 32, 0)],
            &[(0, 16, 0), (1, 16, 1), (2, 16, 0), (3, 16, 1), (4, 8, 0)],
            &[(0, 16, 0), (1, 16, 1), (2, 16, 1), (3, 16, 1), (4, 32, 0)],
            &[(0, 16, 0), (1, 16, 1)],
            &founders,
        ];
        let old = ring(&founders);
        for members in later {
            let new = ring(members);
            for copies in 1..=4 {
                let loads = loads(&new, copies, &keys);
                let all = copies.min(members.len()) as u64;
                assert_eq!(loads.iter().map(|load| load.owns.keys).sum::<u64>(), 1 << 12);
                assert_eq!(loads.iter().map(|load| load.holds.keys).sum::<u64>(), all << 12);
                for Load { owns, holds, .. } in loads {
                    assert_eq!((parts(owns.share), parts(holds.share)), (owns.keys, holds.keys));
                }
                let Shift { owners, copies: held } = shift(&old, &new, copies, &keys);
                for Traffic { sent, least, flows } in [&owners, &held] {
                    assert_eq!((parts(sent.share), parts(least.share)), (sent.keys, least.keys));
                    assert!(sent.share >= least.share, "less than the least was sent: {members:?}");
                    flows.iter().for_each(|flow| assert_eq!(parts(flow.amount.share), flow.amount.keys));
                }
                let movement = Movement::between(&old, &new, copies);
                assert_eq!((owners.sent.share, held.sent.share), (movement.moved(), movement.copied()));
            }
        }
    }

    #[test]
    fn a_member_that_joins_is_sent_no_more_than_it_owns_and_nobody_else_anything() {
        let keys: Vec<u128> = (0..1 << 12).step_by(7).collect();
        let old = ring(&[(0, 16, 0), (1, 16, 0), (2, 16, 0), (3, 16, 0)]);
        let new = ring(&[(0, 16, 0), (1, 16, 0), (2, 16, 0), (3, 16, 0), (4, 16, 0)]);
        let Shift { owners, copies } = shift(&old, &new, 3, &keys);
        for traffic in [owners, copies] {
            assert!(traffic.sent.keys > 0 && traffic.sent == traffic.least, "{traffic:?}");
            assert!(traffic.flows.iter().all(|flow| flow.to == Some(4) && flow.from.is_some()), "{traffic:?}");
        }
        let back = shift(&new, &old, 3, &keys);
        assert!(back.owners.flows.iter().all(|flow| flow.from == Some(4)), "{back:?}");
    }

    #[test]
    fn where_nobody_was_before_everything_comes_from_nobody() {
        let (empty, one) = (ring(&[]), ring(&[(0, 1, 0)]));
        let Shift { owners, copies } = shift(&empty, &one, 2, &[1, 2, 3]);
        let all = Amount { share: Measure::ROUND, keys: 3 };
        let flows = vec![Flow { from: None, to: Some(0), amount: all }];
        assert_eq!(owners, Traffic { sent: all, least: all, flows });
        assert_eq!(copies, owners);
        assert_eq!(shift(&one, &empty, 2, &[1, 2, 3]).owners.sent, Amount::default());
    }
}
