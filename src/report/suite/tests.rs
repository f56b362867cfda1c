//! What is told of a sweep, and how its seeds fall into blocks.

use super::example::Example;
use super::*;

fn weights(example: &Example) -> Vec<(String, Weight)> {
    let all = example.tell(|suite| {
        let blocks = suite.blocks().into_iter().map(|block| suite.of_block(&block)).collect::<Vec<_>>();
        suite.findings().into_iter().chain(blocks).collect::<Vec<_>>()
    });
    all.into_iter().map(|finding| (finding.title, finding.weight)).collect()
}

fn weight_of(example: &Example, title: &str) -> Weight {
    let found = weights(example);
    let mut named = found.iter().filter(|(named, _)| named.starts_with(title));
    let (_, weight) = named.next().unwrap_or_else(|| panic!("no {title} in {found:?}"));
    assert!(named.next().is_none(), "more than one {title} in {found:?}");
    *weight
}

#[test]
fn blocks_end_at_round_numbers_cover_the_range_and_are_a_few() {
    let blocks = |seeds: Range<u64>| {
        let sweep = Example { seeds: seeds.clone(), ..Example::sound(0..1) };
        sweep.tell(|suite| suite.blocks())
    };
    assert_eq!(blocks(0..1_000).len(), 10);
    assert_eq!(blocks(0..250), [0..100, 100..200, 200..250]);
    assert_eq!(blocks(1_950..2_050), [1_950..2_000, 2_000..2_050]);
    assert!(blocks(7..8).iter().eq([&(7..8)]));
    assert_eq!(blocks(7..7), []);
    for seeds in [0..1_999, 3..1_000_000, 5..u64::MAX, 0..u64::MAX, u64::MAX - 1..u64::MAX] {
        let found = blocks(seeds.clone());
        assert!(found.len() <= BLOCKS as usize + 1, "{seeds:?}: {}", found.len());
        assert_eq!((found[0].start, found[found.len() - 1].end), (seeds.start, seeds.end));
        assert!(found.windows(2).all(|pair| pair[0].end == pair[1].start && !pair[0].is_empty()));
    }
}

#[test]
fn a_block_is_fine_only_if_all_its_seeds_were_played_and_did_what_is_expected() {
    let nasty = Example::nasty();
    assert_eq!(weight_of(&nasty, "seeds 0..100"), Weight::Bad);
    assert_eq!(weight_of(&nasty, "seeds 100..200"), Weight::Fine);
    assert_eq!(weight_of(&nasty, "seeds 900..1000"), Weight::Doubtful);
    let partial = Example { played: vec![0..100, 150..1_000], ..Example::sound(0..1_000) };
    assert_eq!(weight_of(&partial, "seeds 0..100"), Weight::Fine);
    assert_eq!(weight_of(&partial, "seeds 100..200"), Weight::Open);
    assert_eq!(weight_of(&partial, "the sweep is not complete"), Weight::Open);
    nasty.tell(|suite| {
        let block = suite.of_block(&(0..100));
        let says = "seed 42: raft.election-safety is broken: nN has";
        assert!(block.what.starts_with(says), "{}", block.what);
        assert!(block.what.ends_with("; 2 of these 100 seeds failed"), "{}", block.what);
        assert!(block.message().contains("; reproduce: squall run scenarios/raft/storm.ron --seed 42 "));
    });
}

#[test]
fn where_not_every_failure_is_listed_no_block_is_called_fine() {
    let many = (0..1_500).fold(Example::sound(0..2_000), |sweep, seed| sweep.broken(seed, "x.safe", "n1"));
    assert_eq!(weight_of(&many, "seeds 800..1000"), Weight::Bad);
    // A thousand are listed. Of the last blocks one is sound and one is not, and nobody can tell which.
    assert_eq!(weight_of(&many, "seeds 1200..1400"), Weight::Open);
    assert_eq!(weight_of(&many, "seeds 1800..2000"), Weight::Open);
}

#[test]
fn what_is_expected_to_break_is_no_failure_and_its_absence_is_one() {
    let breaks = Some(vec!["raft.election-safety".to_owned()]);
    let expected = Example { breaks: breaks.clone(), ..Example::nasty() };
    assert_eq!(weight_of(&expected, "raft.election-safety-"), Weight::Fine);
    assert_eq!(weight_of(&expected, "raft.log-matching-"), Weight::Bad);
    assert_eq!(weight_of(&expected, "seeds 600..700"), Weight::Fine);
    let silent = Example { breaks, ..Example::sound(0..300) };
    assert_eq!(weight_of(&silent, "raft.election-safety should break"), Weight::Bad);
    let part = Example { is_shard: true, ..silent };
    assert_eq!(weight_of(&part, "raft.election-safety should break"), Weight::Open);
}

#[test]
fn doubts_and_stored_runs_are_told() {
    let nasty = Example::nasty();
    assert_eq!(weight_of(&nasty, "seed 950 has no verdict"), Weight::Doubtful);
    assert_eq!(weight_of(&nasty, "stored run raft/storm.Breaks.ron"), Weight::Bad);
    assert_eq!(weight_of(&nasty, "stored run raft/storm.Stale.ron"), Weight::Open);
    let doubts = (0..30).fold(Example::sound(0..100), |sweep, seed| sweep.doubtful(seed, "too slow"));
    assert_eq!(weight_of(&doubts, "more seeds have no verdict"), Weight::Doubtful);
}
