//! Placements of `squall::placement::method` keep what they promise, whatever the order of the nodes.

use super::dice::Dice;
use super::plain::Plain;
use squall::placement::bounded::Epsilon;
use squall::placement::hash;
use squall::placement::method::{Method, Node, Placement, Refusal};
use squall::placement::ring::Member;

const QUARTER: Epsilon = Epsilon { part: 1, whole: 4 };

fn nodes(weights: &[u32]) -> Vec<Node> {
    (1..).zip(weights).map(|(number, weight)| Node { name: format!("node{number}").into(), weight: *weight }).collect()
}

fn keys(count: u64) -> impl Iterator<Item = String> {
    (0..count).map(|key| format!("key-{key}"))
}

fn owners(method: Method, nodes: &[Node], count: u64) -> Vec<String> {
    let mut placement = Placement::new(method, nodes).expect("a placement");
    let name = |node: u16| String::from_utf8(nodes[usize::from(node)].name.clone()).expect("text");
    keys(count).map(|key| name(placement.owner(key.as_bytes()))).collect()
}

#[test]
fn the_order_of_the_nodes_does_not_matter() {
    let mut dice = Dice(1);
    let nodes = nodes(&[1, 3, 0, 2, 1, 1, 5, 1, 1, 2, 1, 1, 1]);
    let bounded = Method::BoundedLoad { points: 50, keys: 500, epsilon: QUARTER };
    for method in [Method::Md5 { points: 100 }, Method::Ketama { points: 160 }, Method::Rendezvous, bounded] {
        let expected = owners(method, &nodes, 500);
        assert!(!expected.contains(&"node3".to_owned()), "{method:?} gives to a node of weight 0");
        for _ in 0..5 {
            assert_eq!(owners(method, &dice.shuffled(nodes.clone()), 500), expected, "{method:?}");
        }
    }
}

/// Each key goes to the first node clockwise that has room, and none has more than its share and the bit.
#[test]
fn loads_are_bounded_and_no_key_goes_further_than_it_must() {
    let weightings: [&[u32]; 4] = [&[1; 7], &[1], &[1, 2, 3, 0, 4], &[1; 60]];
    for (weights, (part, whole)) in
        weightings.into_iter().flat_map(|weights| [(0, 1), (1, 10), (1, 4), (2, 1)].map(|epsilon| (weights, epsilon)))
    {
        const KEYS: u64 = 3_001;
        let (nodes, epsilon) = (nodes(weights), Epsilon { part, whole });
        let method = Method::BoundedLoad { points: 10, keys: KEYS, epsilon };
        let mut placement = Placement::new(method, &nodes).expect("a placement");
        let members: Vec<Member> =
            (0..).zip(&nodes).map(|(id, node)| Member::new(id, node.name.as_slice(), 10 * node.weight)).collect();
        let plain = Plain::new(&members, 128);
        let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
        let capacity = |node: u16| {
            let share = u64::from(part + whole) * KEYS * u64::from(weights[usize::from(node)]);
            share.div_ceil(u64::from(whole) * total)
        };
        let mut loads = vec![0; weights.len()];
        for key in keys(KEYS) {
            let everybody = plain.preference(hash::key(key.as_bytes()), usize::MAX);
            let expected = everybody.into_iter().find(|node| loads[usize::from(*node)] < capacity(*node));
            let owner = placement.owner(key.as_bytes());
            assert_eq!(Some(owner), expected, "{key} with {part}/{whole} of {weights:?}");
            loads[usize::from(owner)] += 1;
        }
    }
}

#[test]
fn a_node_more_takes_and_moves_nothing_else() {
    let methods = [Method::Md5 { points: 100 }, Method::Ketama { points: 160 }, Method::Rendezvous, Method::Jump];
    for method in methods {
        let (before, after) = (owners(method, &nodes(&[1; 9]), 3_000), owners(method, &nodes(&[1; 10]), 3_000));
        let moved = before.iter().zip(&after).filter(|(before, after)| before != after);
        assert!(moved.clone().all(|(_, after)| after == "node10"), "{method:?}");
        // 300 are expected, give or take the luck of the points.
        assert!((200..400).contains(&moved.count()), "{method:?}");
        let alone = owners(method, &nodes(&[1]), 10);
        assert!(alone.iter().all(|owner| owner == "node1"));
    }
}

#[test]
fn weights_are_shares() {
    let bounded = Method::BoundedLoad { points: 300, keys: 20_000, epsilon: QUARTER };
    for method in [Method::Md5 { points: 300 }, Method::Ketama { points: 1_200 }, Method::Rendezvous, bounded] {
        let owners = owners(method, &nodes(&[1, 2, 5]), 20_000);
        let share = |name: &str| owners.iter().filter(|owner| *owner == name).count();
        for (name, expected) in [("node1", 2_500_usize), ("node2", 5_000), ("node3", 12_500)] {
            assert!(share(name).abs_diff(expected) < expected / 5, "{method:?}: {name} has {}", share(name));
        }
    }
}

#[test]
fn what_cannot_be_placed_is_refused() {
    let refusal = |method, nodes: &[Node]| Placement::new(method, nodes).expect_err("a refusal");
    let md5 = Method::Md5 { points: 10 };
    let twins = [Node::new("a"), Node::new("b"), Node::new("a")];
    for method in [md5, Method::Ketama { points: 160 }, Method::Rendezvous, Method::Jump] {
        assert_eq!(refusal(method, &[]), Refusal::NoNodes);
        assert_eq!(refusal(method, &twins), Refusal::SameName(b"a".to_vec()));
        assert_eq!(refusal(method, &nodes(&[0, 0])), Refusal::NoWeight);
    }
    assert_eq!(refusal(Method::Md5 { points: 0 }, &nodes(&[1])), Refusal::NoPoints);
    assert_eq!(refusal(Method::Ketama { points: 0 }, &nodes(&[1])), Refusal::NoPoints);
    assert_eq!(refusal(Method::Ketama { points: 6 }, &nodes(&[1])), Refusal::NoFours(6));
    assert_eq!(refusal(Method::Jump, &nodes(&[1, 2])), Refusal::WeightInJump(b"node2".to_vec()));
    let heavy = nodes(&[u32::MAX, u32::MAX]);
    assert_eq!(refusal(md5, &heavy), Refusal::TooManyPoints(20 * u64::from(u32::MAX)));
    assert_eq!(refusal(Method::Rendezvous, &heavy), Refusal::TooManyDraws(2 * u64::from(u32::MAX)));
    assert_eq!(
        refusal(Method::Ketama { points: u32::MAX - 3 }, &heavy),
        Refusal::TooManyPoints(2 * (u64::from(u32::MAX) - 3))
    );
    let many: Vec<Node> = (0..70_000).map(|number| Node::new(number.to_string())).collect();
    assert_eq!(refusal(Method::Jump, &many), Refusal::TooManyNodes(70_000));
    let mut placement = Placement::new(Method::Ketama { points: 160 }, &heavy).expect("relative weights may be large");
    assert!(placement.owner(b"") < 2, "the empty key is a key");
}
