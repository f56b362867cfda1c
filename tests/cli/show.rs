//! Rings as tables, as JSON and as pictures.

use super::harness::{HOLDS, Said, folder, objects, path, squall};
use std::fs;
use std::path::Path;

/// A ring on which all orders are given, and some that cannot be foreseen or change nothing.
const RING: &str = r#"(
    squall: 1,
    system: Ring(nodes: 7, founders: 4, zones: 2, points: 8),
    workload: (until: "20s", keys: 40),
    faults: [
        (at: "9s", inject: Leave(target: Nodes(["n2"]))),
        (at: "5s", inject: Join(target: Nodes(["n5"]))),
        (at: "11s", inject: ReplaceMember(target: Nodes(["n1"]), by: Nodes(["n6"]))),
        (at: "12s", inject: Reweigh(weight: 24, target: Nodes(["n3"]))),
        (at: "13s", inject: Rezone(zone: 0, target: Nodes(["n4"]))),
        (at: "14s", inject: Join(target: Nodes(["n5"]))),
        (at: "15s", inject: Leave(target: Leader)),
    ],
)"#;

fn show(words: &[&str]) -> Said {
    squall(&[["show"].as_slice(), words].concat())
}

fn scenario(name: &str, text: &str) -> (String, std::path::PathBuf) {
    let folder = folder(name, &[("it.ron", text)]);
    (path(&folder.join("it.ron")), folder)
}

#[test]
fn a_ring_is_told_change_by_change() {
    let (file, _) = scenario("show_ring", RING);
    let said = show(&[&file, "--ring"]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let heads: Vec<&str> = said.out.lines().filter(|line| !line.starts_with(' ') && !line.is_empty()).collect();
    assert_eq!(
        heads[1..],
        [
            "in the beginning: 4 members, 32 points",
            "5.0s join n5: 5 members, 40 points",
            "9.0s leave n2: 4 members, 32 points",
            "11.0s replace-member n1 by n6: 4 members, 32 points",
            "12.0s reweigh n3 to 24: 4 members, 48 points",
            "13.0s rezone n4 to zone 0: 4 members, 48 points",
            "not shown:",
        ]
    );
    assert!(said.out.contains("join n5 at 14s: the members stay the same"), "{}", said.out);
    assert!(
        said.out.contains("leave the leader at 15s: whom it concerns, or when, is known only in the run"),
        "{}",
        said.out
    );
}

#[test]
fn shares_and_keys_add_up_in_json() {
    let (file, _) = scenario("show_json", RING);
    let said = show(&[&file, "--ring", "--format", "json", "--seed", "3"]);
    let shown = objects(&said.out).remove(0);
    assert_eq!((&shown["seed"], &shown["copies"], &shown["keys"]), (&3.into(), &3.into(), &40.into()));
    let rings = shown["rings"].as_array().expect("rings");
    assert_eq!((rings.len(), shown["left_out"].as_array().map(Vec::len)), (6, Some(2)));
    let number = |value: &serde_json::Value| value.as_u64().expect("a number");
    for ring in rings {
        let sum =
            |field: &str| ring["members"].as_array().expect("members").iter().map(|it| number(&it[field])).sum::<u64>();
        assert_eq!((sum("owns_keys"), sum("holds_keys")), (40, 120));
        // Rounded down, each.
        assert!((999_990..=1_000_000).contains(&sum("owns_ppm")), "{ring}");
        assert!((2_999_990..=3_000_000).contains(&sum("holds_ppm")), "{ring}");
    }
    let join = &rings[1];
    assert_eq!((&join["at_ns"], &join["order"]), (&5_000_000_000_u64.into(), &"join n5".into()));
    for traffic in [&join["moved"], &join["copied"]] {
        assert!(
            number(&traffic["ppm"]) >= number(&traffic["least_ppm"]) && number(&traffic["least_ppm"]) > 0,
            "{join}"
        );
        let flows = traffic["flows"].as_array().expect("flows");
        assert_eq!(flows.iter().map(|flow| number(&flow["keys"])).sum::<u64>(), number(&traffic["keys"]));
    }
    let flows = join["moved"]["flows"].as_array().expect("flows");
    assert!(!flows.is_empty() && flows.iter().all(|flow| flow["to"] == "n5"), "a join moves keys to who joins: {join}");
}

#[test]
fn a_picture_is_written_whole_or_to_standard_output() {
    let (file, folder) = scenario("show_svg", RING);
    let picture = folder.join("ring.svg");
    let said = show(&[&file, "--svg", &path(&picture)]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert!(said.out.contains("in the beginning"), "the tables come, too");
    let drawn = fs::read_to_string(&picture).expect("it is written");
    let left: Vec<_> =
        fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").file_name()).collect();
    assert_eq!(left.len(), 2, "only the scenario and the picture: {left:?}");
    assert_eq!(show(&[&file, "--svg", "-"]).out, drawn);
    assert!(drawn.starts_with("<svg ") && drawn.ends_with("</svg>\n"));
    for part in ["<title ", "<desc ", "prefers-color-scheme:dark", ">n5<", "5.0s join n5", "role=\"img\""] {
        assert!(drawn.contains(part), "{part} is missing");
    }
    assert_eq!(drawn.matches("<g transform").count(), 6, "a circle for each ring");
}

#[test]
fn a_picture_of_a_large_ring_is_small() {
    let text = "(squall: 1, system: Ring(nodes: 200, points: 1000), workload: (until: \"1s\", keys: 20000))";
    let (file, _) = scenario("show_large", text);
    let said = show(&[&file, "--svg", "-"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out.len() < 1_000_000, "{} bytes", said.out.len());
    assert!(said.out.contains("and 168 others"));
}

#[test]
fn what_has_no_ring_and_places_that_cannot_be_are_refused() {
    let (raft, _) = scenario("show_raft", HOLDS);
    let said = show(&[&raft, "--ring"]);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    assert!(
        said.err.contains("is a scenario of raft, which has no ring; name one whose system is Ring"),
        "{}",
        said.err
    );
    let (file, folder) = scenario("show_nowhere", RING);
    for (place, part) in
        [(folder.clone(), "is a folder; name a file in it"), (folder.join("no/x.svg"), "make it first")]
    {
        let said = show(&[&file, "--svg", &path(&place)]);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
        assert!(said.err.contains(part), "{}", said.err);
    }
    assert!(!Path::new(&folder).join("no").exists());
}
