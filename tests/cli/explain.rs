//! `squall explain`: what it tells, and what it refuses.

use super::harness::{BREAKS, HOLDS, file, objects, squall};

#[test]
fn it_tells_what_led_to_the_violation() {
    let scenario = file("explain", BREAKS);
    let said = squall(&["explain", &scenario, "--turns", "0"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let (head, story) = said.out.split_once("what led to it").expect("a story");
    let broken = head.lines().find(|line| line.contains(" is broken: ")).expect("what broke").trim();
    let invariant = broken.split(' ').next().expect("a name");
    let last = story.lines().last().expect("an end");
    assert!(last.ends_with(&format!("{invariant} is broken")), "{last}");
    // Roles and messages are in it, and nothing is of later.
    assert!(story.contains("= campaigns in term 1") && story.contains("← n") && story.contains("→ n"), "{story}");
    assert_eq!(said.out, squall(&["explain", &scenario, "--turns", "0"]).out);
    let short = squall(&["explain", &scenario, "--turns", "2"]);
    assert!(short.out.lines().count() < said.out.lines().count());
    assert!(short.out.contains("before; --turns 0 tells all, squall shrink"), "{}", short.out);
}

#[test]
fn one_object_has_the_turns_and_who_sent_what() {
    let scenario = file("explain-json", BREAKS);
    let said = squall(&["explain", &scenario, "--format", "json", "--likelihood", "--copies", "8", "--diff", "5"]);
    let [object] = &objects(&said.out)[..] else { panic!("{said:?}") };
    assert_eq!((&object["format"], &object["kind"]), (&"squall/1".into(), &"explain".into()));
    assert_eq!(object["difference"]["seed"], 5);
    let turns = object["turns"].as_array().expect("turns");
    assert!(turns.len() <= 30);
    let steps: Vec<u64> = turns.iter().map(|turn| turn["step"].as_u64().expect("a step")).collect();
    assert!(steps.is_sorted());
    assert_eq!(object["violation"]["step"].as_u64(), steps.last().copied());
    let deeds =
        turns.iter().flat_map(|turn| turn["deeds"].as_array().expect("deeds").iter().map(move |deed| (turn, deed)));
    let gets: Vec<_> = deeds.filter(|(_, deed)| deed["what"] == "gets").collect();
    assert!(gets.iter().all(|(turn, deed)| deed["sent_step"].as_u64() < turn["step"].as_u64()) && !gets.is_empty());
    let likely = object["likelihood"].as_array().expect("moments");
    assert_eq!(likely.last().expect("the end")["broke"], 8);
    assert!(object["inevitable"]["step"].as_u64() <= object["violation"]["step"].as_u64());
}

#[test]
fn two_runs_are_laid_side_by_side() {
    let (scenario, sound) = (file("explain-diff", BREAKS), file("explain-sound", HOLDS));
    let same = squall(&["explain", &scenario, "--diff", &scenario]);
    assert!(same.out.contains("Both runs are the same."), "{}", same.out);
    let other = squall(&["explain", &scenario, "--diff", &sound]);
    assert_eq!(other.code, Some(0), "{other:?}");
    for part in ["where nothing broke", "--- this plan", "The same for ", "then in this run", "and in the other"] {
        assert!(other.out.contains(part), "{part}: {}", other.out);
    }
    assert_eq!(squall(&["explain", &scenario, "--diff", "no-such-file.ron"]).code, Some(2));
}

#[test]
fn what_breaks_nothing_cannot_be_explained() {
    let said = squall(&["explain", &file("explain-holds", HOLDS)]);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    assert!(said.err.contains("breaks nothing with seed 0, so there is nothing to explain"), "{}", said.err);
    assert_eq!(squall(&["explain", "no-such-file.ron"]).code, Some(2));
}

#[test]
fn the_readme_shows_what_is_told() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).expect("it is there");
    let (_, after) = readme
        .split_once("squall explain scenarios/museum/stale-term-vote-counted.ron --turns 4\n")
        .expect("a command");
    let block = after.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("what it says");
    let scenario = root.join("scenarios/museum/stale-term-vote-counted.ron").display().to_string();
    let said = squall(&["explain", &scenario, "--turns", "4"]);
    assert!(said.out.ends_with(block), "{}", said.out);
}
