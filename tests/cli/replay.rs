//! `squall replay`: exact, or in what it differs.

use super::harness::{BREAKS, HOLDS, Said, file, folder, objects, path, squall};
use squall::run::capsule::Capsule;
use squall::run::watch::{Closeness, Told, Watch};
use squall::scenario::model::Scenario;
use squall::scenario::text;
use squall::systems::{self, BuiltIn, System};
use std::path::Path;

/// The failing run of seed 0.
fn capsule() -> Capsule<BuiltIn> {
    let scenario = systems::parse("it.ron", BREAKS).unwrap_or_else(|mistake| panic!("{mistake}"));
    capsule_of(&scenario, 0).expect("seed 0 breaks")
}

fn capsule_of(scenario: &Scenario<BuiltIn>, seed: u64) -> Option<Capsule<BuiltIn>> {
    let plan = systems::plan(scenario, "it", seed);
    let (outcome, trail) = systems::record(&plan);
    Capsule::of(&plan, &outcome, trail)
}

fn stored(name: &str, capsule: &Capsule<BuiltIn>) -> String {
    let file = format!("{name}.capsule.ron");
    path(&folder(&format!("replay-{name}"), &[(&file, &text::written(capsule, 3))]).join(&file))
}

fn replayed(name: &str, capsule: &Capsule<BuiltIn>) -> (Said, serde_json::Value) {
    let file = stored(name, capsule);
    let said = squall(&["replay", &file, "--format", "json"]);
    let object = objects(&said.out).pop().expect("an object");
    assert_eq!((object["kind"].as_str(), object["file"].as_str()), (Some("replay"), Some(file.as_str())));
    let human = squall(&["replay", &file]);
    assert_eq!((human.code, human.err.as_str()), (said.code, ""));
    (human, object)
}

fn last(said: &Said) -> &str {
    said.out.lines().last().expect("a line")
}

/// The events of a run.
struct Story(Vec<Told>);

impl Watch for Story {
    fn closeness(&self) -> Closeness {
        Closeness::Words
    }

    fn events(&mut self, events: Vec<Told>) {
        self.0.extend(events);
    }
}

#[test]
fn a_capsule_comes_to_the_same_bit_for_bit() {
    let capsule = capsule();
    let (said, object) = replayed("exact", &capsule);
    assert_eq!(said.code, Some(0));
    assert!(said.out.contains(&format!("{} is broken: ", capsule.broke.invariant)), "{}", said.out);
    assert!(said.out.contains(&capsule.digest) && !said.out.contains("stored"), "{}", said.out);
    assert!(last(&said).ends_with("reproduced exactly, the same verdict and the same digest"), "{}", last(&said));
    assert!(object["reproduced"] == true && object["parted_at"].is_null() && object["expected"] == true);
    assert_eq!(object["digest"], capsule.digest.as_str());
    // The fields of `run`, as a run of the same plan writes them, and five more.
    let run = objects(&squall(&["run", &file("replay-run", BREAKS), "--format", "json"]).out).pop().expect("an object");
    let (run, object) = (run.as_object().expect("fields"), object.as_object().expect("fields"));
    assert!(run.keys().all(|field| object.contains_key(field)));
    assert_eq!(object.len(), run.len() + 5);
    for field in ["verdict", "violation", "steps", "events", "goals", "digest"] {
        assert_eq!(run[field], object[field], "{field}");
    }
}

#[test]
fn another_run_that_breaks_the_same_is_told_with_the_event_at_which_the_runs_part() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/museum/vote-without-log-check.ron");
    let scenario = systems::load(&file).unwrap_or_else(|mistake| panic!("{mistake}"));
    let old = (0..100)
        .filter_map(|seed| capsule_of(&scenario, seed))
        .find(|capsule| capsule.broke.at > capsule.plan.faults[0].at);
    let old = old.expect("a run that breaks after a fault");
    let mut new = old.clone();
    // The last fault before the break begins a little later.
    let fault = new.plan.faults.iter_mut().rfind(|fault| fault.at < old.broke.at).expect("a fault before");
    fault.at += squall::kernel::time::Span::us(300);
    let (mut then, mut now) = (Story(Vec::new()), Story(Vec::new()));
    BuiltIn::play_watched(&old.plan, &mut then);
    let outcome = BuiltIn::play_watched(&new.plan, &mut now);
    let same = then.0.iter().zip(&now.0).take_while(|(then, now)| then.digest == now.digest).count();
    let (said, object) = replayed("parted", &new);
    assert_eq!(said.code, Some(3));
    assert_eq!((object["reproduced"].as_bool(), object["parted_at"].as_u64()), (Some(false), Some(same as u64 + 1)));
    let is_same = outcome.violation().is_some_and(|violated| violated.invariant == old.broke.invariant);
    assert!(is_same && object["expected"] == true, "the test wants another example: {outcome:?}");
    assert!(last(&said).ends_with("not reproduced: the same invariant breaks, by another run"), "{}", last(&said));
    assert!(said.out.contains(&format!("> {:>9} ", same + 1)) || same + 1 > 999, "{}", said.out);
    for part in [&old.digest, &old.broke.message, &outcome.digest, &now.0[same].words, &now.0[same - 1].words] {
        assert!(said.out.contains(part.as_str()), "{part} is not in\n{}", said.out);
    }
}

#[test]
fn what_breaks_no_more_and_what_breaks_otherwise_is_told_apart() {
    let mut mended = capsule();
    mended.plan.exhibits.clear();
    let (said, object) = replayed("mended", &mended);
    assert_eq!(
        (said.code, object["verdict"].as_str(), object["expected"].as_bool()),
        (Some(3), Some("pass"), Some(false))
    );
    assert!(object["parted_at"].as_u64().is_some(), "{object}");
    assert!(last(&said).ends_with("not reproduced: nothing breaks any more"), "{}", last(&said));

    let mut other = capsule();
    (other.broke.invariant, other.digest) = ("raft.log-matching".to_owned(), "0".repeat(32));
    let (said, object) = replayed("other", &other);
    assert_eq!((said.code, object["expected"].as_bool()), (Some(3), Some(false)));
    assert!(last(&said).ends_with("not reproduced: another invariant breaks"), "{}", last(&said));

    let mut reworded = capsule();
    reworded.broke.message = "in other words".to_owned();
    let (said, object) = replayed("reworded", &reworded);
    assert!(said.code == Some(3) && object["parted_at"].is_null());
    assert!(last(&said).contains("the events are the same, and what is said of them is not"), "{}", last(&said));

    let mut spent = capsule();
    spent.plan.limits.steps = 10;
    let (said, object) = replayed("spent", &spent);
    assert_eq!((said.code, object["verdict"].as_str()), (Some(3), Some("inconclusive")));
    assert!(said.out.contains("> this run has ended"), "{}", said.out);
}

#[test]
fn a_run_that_goes_on_where_the_stored_one_ended_parts_there() {
    let mut capsule = capsule();
    let (events, every) = (capsule.trail.events - 7, capsule.trail.every);
    assert_eq!(every, 1, "a short run has a mark for every event");
    (capsule.trail.events, capsule.digest) = (events, "0".repeat(32));
    capsule.trail.marks.truncate(2 * events as usize);
    let (said, object) = replayed("longer", &capsule);
    assert_eq!(object["parted_at"], events + 1);
    assert!(said.out.contains("where the stored run has ended"), "{}", said.out);
}

#[test]
fn a_capsule_of_another_engine_or_format_is_stale() {
    let whole = text::written(&capsule(), 3);
    for (name, from, to, why) in [
        ("engine", "engine: 1", "engine: 0", "its seed is one of engine 0, and this program is engine 1"),
        ("format", "(\n    squall: 1", "(\n    squall: 7", "it has format 7, and this program reads format 1"),
    ] {
        assert!(whole.contains(from), "{whole}");
        let file = file(&format!("stale-{name}"), &whole.replacen(from, to, 1));
        let said = squall(&["replay", &file]);
        assert_eq!((said.code, said.err.as_str()), (Some(3), ""));
        assert!(last(&said).contains(&format!("stale: {why}")), "{}", said.out);
        let said = squall(&["replay", &file, "--format", "json"]);
        let object = &objects(&said.out)[0];
        assert!(said.code == Some(3) && object["reproduced"] == false && object["verdict"] == "inconclusive");
        assert!(object["remark"].as_str().is_some_and(|remark| remark.contains(why)), "{object}");
    }
}

#[test]
fn what_is_no_capsule_is_refused_with_a_cure_and_nothing_is_replayed() {
    let good = stored("good", &capsule());
    let broken = text::written(&capsule(), 3).replacen("seed: 0", "sead: 0", 1);
    for (name, text, part) in
        [("scenario", HOLDS, "squall run "), ("empty", "", "this file is empty"), ("broken", &broken, "`seed`")]
    {
        let file = file(&format!("replay-{name}"), text);
        let said = squall(&["replay", &good, &file]);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{name}");
        assert!(said.err.contains(part) && said.err.contains(&file) && said.err.contains("help"), "{}", said.err);
    }
    assert_eq!(squall(&["replay", "/no/such.capsule.ron"]).code, Some(2));
}

#[test]
fn of_many_capsules_each_is_told_of_and_quiet_tells_only_of_the_others() {
    let (good, mut bad) = (stored("many-good", &capsule()), capsule());
    bad.plan.exhibits.clear();
    let bad = stored("many-bad", &bad);
    let said = squall(&["replay", &good, &bad]);
    assert_eq!((said.code, last(&said)), (Some(3), "2 capsules: 1 reproduced exactly"));
    assert!(said.out.contains(&good) && said.out.contains(&bad));
    assert_eq!(squall(&["replay", "-q", &good, &good]).out, "");
    let said = squall(&["replay", "-q", &good, &bad]);
    assert!(!said.out.contains(&good) && said.out.contains(&bad), "{}", said.out);
}
