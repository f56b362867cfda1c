//! `squall merge`: shards, put together again.

use super::harness::{BREAKS, HOLDS, file, folder, objects, path, squall};
use super::sweep::contents;
use std::fs;
use std::path::Path;

/// Sweeps a scenario whole and in three shards: the folder of the whole, and those of the shards.
fn swept(name: &str) -> (String, [String; 3]) {
    let file = file(&format!("merge-{name}"), BREAKS);
    let base = folder(&format!("merge-{name}-out"), &[]);
    let sweep = |out: &str, words: &[&str]| {
        let out = path(&base.join(out));
        let said = squall(&[&["sweep", &file, "--seeds", "10..110", "--out", &out, "-q"], words].concat());
        assert_eq!(said.code, Some(0), "{said:?}");
        out
    };
    let shards = ["1/3", "2/3", "3/3"].map(|shard| sweep(&shard.replace('/', "-of-"), &["--shard", shard]));
    (sweep("whole", &[]), shards)
}

fn merged(from: &[&str], to: &str) -> String {
    let said = squall(&[&["merge"], from, &["--out", to, "-q"]].concat());
    assert!(matches!(said.code, Some(0 | 3)), "{said:?}");
    to.to_owned()
}

#[test]
fn shards_merged_in_any_order_and_grouping_are_the_whole_sweep() {
    let (whole, [one, two, three]) = swept("order");
    let base = Path::new(&whole).parent().expect("a folder");
    let to = |name: &str| path(&base.join(name));
    let at_once = merged(&[&three, &one, &two], &to("at-once"));
    let ends = merged(&[&three, &one], &to("ends"));
    let in_two = merged(&[&two, &ends], &to("in-two"));
    let overlapping = merged(&[&at_once, &two, &whole], &to("overlapping"));
    let whole = contents(Path::new(&whole));
    for other in [at_once, in_two, overlapping] {
        assert_eq!(contents(Path::new(&other)), whole, "{other}");
    }
    let said = squall(&["merge", &one, &two, &three, "--format", "json"]);
    let object = objects(&said.out).remove(0);
    assert_eq!((object["kind"].as_str(), object["ran"].as_u64(), said.code), (Some("merge"), Some(100), Some(0)));
}

#[test]
fn a_gap_is_told_with_the_command_that_fills_it() {
    let (_, [one, _, three]) = swept("gap");
    let said = squall(&["merge", &one, &three]);
    assert_eq!(said.code, Some(3), "{said:?}");
    let command = said.err.lines().find_map(|line| line.trim().strip_prefix("squall ")).expect("a command");
    let base = Path::new(&one).parent().expect("a folder");
    let fill = path(&base.join("fill"));
    let words: Vec<&str> = command.split_whitespace().collect();
    let words = [&words[..words.len() - 1], &[&fill, "-q"]].concat();
    assert_eq!(squall(&words).code, Some(0), "{command}");
    assert_eq!(squall(&["merge", &one, &three, &fill]).code, Some(0));
}

#[test]
fn what_should_break_may_still_break_in_a_part_that_is_missing() {
    let quiet = HOLDS.replace("(squall: 1,", r#"(squall: 1, expect: Breaks(["raft.log-matching"]),"#);
    let file = file("merge-undecided", &quiet);
    let base = folder("merge-undecided-out", &[]);
    let sweep = |shard: &str, out: &str| squall(&["sweep", &file, "--count", "8", "--shard", shard, "--out", out]);
    let [one, two] = ["one", "two"].map(|name| path(&base.join(name)));
    let said = sweep("1/2", &one);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("nothing broke so far") && said.out.contains("1 undecided"), "{}", said.out);
    let part = squall(&["merge", &one]);
    assert_eq!(part.code, Some(3), "{part:?}");
    assert!(!said.out.contains("FAIL") && !part.out.contains("FAIL"), "{}{}", said.out, part.out);
    assert_eq!(sweep("2/2", &two).code, Some(0));
    let whole = squall(&["merge", &one, &two]);
    assert_eq!(whole.code, Some(100), "{whole:?}");
    assert!(whole.out.contains("nothing broke, but it should have"), "{}", whole.out);
}

#[test]
fn what_does_not_belong_together_is_not_merged() {
    let (whole, [one, ..]) = swept("strange");
    let base = Path::new(&whole).parent().expect("a folder");
    let changed = path(&base.join("changed"));
    let file = file("merge-changed", HOLDS);
    // The same name, another scenario.
    let other = file.replace("merge-changed", "merge-strange");
    let text = fs::read_to_string(&other).expect("text").replace("20s", "19s");
    fs::write(&other, text).expect("a file");
    assert_eq!(squall(&["sweep", &other, "--seeds", "43..76", "--out", &changed, "-q"]).code, Some(0));
    let said = squall(&["merge", &one, &changed]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("each has another scenario"), "{}", said.err);
    let lost = squall(&["merge", &path(&folder("merge-empty", &[]))]);
    assert_eq!(lost.code, Some(2), "{lost:?}");
    assert!(lost.err.contains("there is no manifest.ron in it"), "{}", lost.err);
}

#[test]
fn two_runs_of_one_seed_that_differ_are_found() {
    let (whole, [one, two, three]) = swept("clash");
    let journal = Path::new(&two).join("journal.jsonl");
    let text = fs::read_to_string(&journal).expect("text");
    let line = text.lines().nth(4).expect("a line");
    let digest = line.split("\"digest\":\"").nth(1).expect("a digest").split('"').next().expect("digits");
    fs::write(&journal, text.replace(digest, &"0".repeat(32))).expect("a file");
    let said = squall(&["merge", &whole, &one, &two, &three]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("was played twice, and the digests are"), "{}", said.err);
}

#[test]
fn a_journal_is_read_up_to_its_last_whole_line_and_not_past_a_broken_one() {
    let (whole, [one, two, three]) = swept("torn");
    let journal = Path::new(&two).join("journal.jsonl");
    let text = fs::read_to_string(&journal).expect("text");
    // What a power failure leaves: the seeds that are whole count.
    fs::write(&journal, text.clone() + "{\"seed\":\n").expect("a file");
    let out = path(&folder("merge-torn-end", &[]).join("out"));
    assert_eq!(squall(&["merge", &one, &two, &three, "--out", &out]).code, squall(&["merge", &whole]).code);
    // A line in the middle that ends too early is not the end of the journal.
    let (first, rest) = text.split_once('\n').expect("lines");
    fs::write(&journal, format!("{}\n{rest}", &first[..20])).expect("a file");
    let said = squall(&["merge", &one, &two, &three]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("line 1 is no entry of a journal"), "{}", said.err);
}
