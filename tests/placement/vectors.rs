//! Placements that other programs have made.
//!
//! `md5.jsonl` and `load.jsonl`: rings of MD5 digests, of keys item1, item2 ... and key-0, key-1 ... `ketama.jsonl`: rings on
//! which two independent implementations of ketama agree, of keys key-0, key-1 ...

use super::dice::ring;
use serde_json::Value;
use squall::placement::method::{Method, Node, Placement};
use squall::placement::movement::Movement;
use squall::placement::ring::{Member, Ring, Settings};
use std::fs;

fn cases(file: &str) -> Vec<Value> {
    let path = format!("{}/tests/placement/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let cases: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a case")).collect();
    assert!(!cases.is_empty(), "{file} has no cases");
    cases
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn nodes(case: &Value) -> Vec<Node> {
    let weight = |place: usize| case.get("weights").map_or(1, |weights| number(&weights[place]) as u32);
    let names = list(&case["nodes"]).iter().map(text).enumerate();
    names.map(|(place, name)| Node { name: name.into(), weight: weight(place) }).collect()
}

fn ring_of(placement: &Placement) -> &Ring {
    let Placement::Ring(ring) = placement else { panic!("{placement:?} is no ring") };
    ring
}

#[test]
fn ketama_is_what_others_make_of_it() {
    for case in cases("ketama.jsonl") {
        let nodes = nodes(&case);
        let mut placement = Placement::new(Method::Ketama { points: 160 }, &nodes).expect("a placement");
        let ring = ring_of(&placement);
        let points: Vec<u64> = ring.members().iter().map(|member| u64::from(member.points)).collect();
        assert_eq!(points, list(&case["points"]).iter().map(number).collect::<Vec<_>>(), "{}", case["name"]);
        let (head, tail) = (list(&case["head"]), list(&case["tail"]));
        let last = ring.points().len() - tail.len();
        for (place, point) in (0..).zip(head).chain((last..).zip(tail)) {
            let (position, node) = (ring.points().positions()[place], ring.points().nodes()[place]);
            assert_eq!((position, u64::from(node)), (u128::from(number(&point[0])), number(&point[1])));
        }
        for (key, owner) in list(&case["owners"]).iter().enumerate() {
            let found = placement.owner(format!("key-{key}").as_bytes());
            assert_eq!(u64::from(found), number(owner), "key-{key} of {}", case["name"]);
        }
    }
}

#[test]
fn rings_of_md5_are_what_others_make_of_them() {
    let (rings, changes): (Vec<Value>, Vec<Value>) =
        cases("md5.jsonl").into_iter().partition(|case| case["from"].is_null());
    for case in &rings {
        let nodes = nodes(case);
        let mut placement = Placement::new(Method::Md5 { points: 1_000 }, &nodes).expect("a placement");
        let points = ring_of(&placement).points();
        let (first, last) = (list(&case["first"]), list(&case["last"]));
        for (place, point) in (0..).zip(first).chain((points.len() - last.len()..).zip(last)) {
            assert_eq!(format!("{:032x}", points.positions()[place]), text(&point[0]));
            assert_eq!(nodes[usize::from(points.nodes()[place])].name, text(&point[1]).as_bytes());
        }
        let mut distinct = points.positions().to_vec();
        distinct.dedup();
        assert_eq!(distinct.len() as u64, number(&case["distinct"]), "points that coincide stay");
        for (item, owner) in (1..).zip(list(&case["owners"])) {
            let found = placement.owner(format!("item{item}").as_bytes());
            assert_eq!(u64::from(found), number(owner), "item{item} of {}", case["name"]);
        }
    }
    for change in &changes {
        let owners = |name: &Value| {
            let nodes = nodes(rings.iter().find(|case| case["name"] == *name).expect("a ring"));
            let mut placement = Placement::new(Method::Md5 { points: 1_000 }, &nodes).expect("a placement");
            let owner = |item: u32| nodes[usize::from(placement.owner(format!("item{item}").as_bytes()))].name.clone();
            (1..=1_000).map(owner).collect::<Vec<_>>()
        };
        let (from, to) = (owners(&change["from"]), owners(&change["to"]));
        let moved: Vec<usize> = (0..1_000).filter(|place| from[*place] != to[*place]).collect();
        assert_eq!(moved.len() as u64, number(&change["moved_count"]), "{change}");
        for (place, expected) in moved.iter().zip(list(&change["moved"])) {
            assert_eq!(format!("item{}", place + 1), text(&expected[0]));
            let names = (from[*place].as_slice(), to[*place].as_slice());
            assert_eq!(names, (text(&expected[1]).as_bytes(), text(&expected[2]).as_bytes()));
        }
    }
}

/// A million keys, as many of them at each node and as many of them moved as somebody else has counted. Arcs say the same,
/// but for the chance of keys.
#[test]
fn load_and_movement_are_what_others_have_counted() {
    let any = ring(Settings::default(), 1, 1);
    let keys: Vec<u128> = (0..1_000_000).map(|key| any.position(format!("key-{key}"))).collect();
    let owner = |ring: &Ring, key: &u128| ring.owner(*key).expect("an owner");
    for case in cases("load.jsonl") {
        let name = |id: u16| match text(&case["names"]) {
            "padded" => format!("node{id:03}"),
            "plain" => format!("node{}", id + 1),
            other => panic!("names that are {other}"),
        };
        let (nodes, points) = (number(&case["nodes"]) as u16, number(&case["points"]) as u32);
        let member = |id: u16| Member::new(id, name(id), points);
        let ring = Ring::new(Settings::default(), (0..nodes).map(member).collect()).expect("a ring");
        let mut loads = vec![0; usize::from(nodes)];
        keys.iter().for_each(|key| loads[usize::from(owner(&ring, key))] += 1);
        assert_eq!(loads, list(&case["loads"]).iter().map(number).collect::<Vec<_>>(), "{case}");
        for ((_, measure), load) in ring.loads().into_iter().zip(loads) {
            // Five standard deviations of a count of a million keys are at most 2,500.
            assert!(measure.scaled(1_000_000).abs_diff(u128::from(load)) < 2_500, "{measure:?} and {load}");
        }
        let changed = |change: &Value, after: &Ring| {
            let moved = keys.iter().filter(|key| owner(&ring, key) != owner(after, key)).count() as u64;
            assert_eq!(moved, number(&change[1]), "{change}");
            let measure = Movement::between(&ring, after, 1).moved();
            assert!(measure.scaled(1_000_000).abs_diff(u128::from(moved)) < 2_500, "{measure:?} and {moved}");
        };
        assert_eq!(text(&case["join"][0]), name(nodes));
        changed(&case["join"], &ring.with(member(nodes)).expect("a ring"));
        for leave in list(&case["leave"]) {
            let id = (0..nodes).find(|id| name(*id) == text(&leave[0])).expect("a node");
            changed(leave, &ring.without(id));
        }
    }
}
