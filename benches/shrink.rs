//! What shrinking makes of every exhibit: `cargo bench --bench shrink [-- NAME]`.
//!
//! The first seeds that break each museum scenario are shrunk on two threads; a line each says what is left. With
//! `SHOW=1` the smallest plan of each is printed, too.

#![expect(clippy::disallowed_methods, reason = "a measurement, steered by arguments")]

use squall::kernel::time::Time;
use squall::run::shrink::{End, Options, Size, needless, shrink};
use squall::scenario::load::{find, name};
use squall::scenario::text;
use squall::scenario::undraw::undraw;
use squall::systems::subject::{Shrinkable, told};
use squall::systems::{self, BuiltIn, System};
use std::path::Path;
use std::time::Instant;

/// So many failing seeds of each exhibit.
const SEEDS: usize = 3;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let show = std::env::var_os("SHOW").is_some();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/museum");
    let subject = Shrinkable::<BuiltIn>::new();
    let (mut faults, mut events, mut seconds) = (Vec::new(), Vec::new(), Vec::new());
    println!(
        "{:36} {:>6} {:>4}   before: faults events   after: faults nodes clients operations events   ms  plays  seed",
        "exhibit", "seed", ""
    );
    for file in find(&[folder]).unwrap_or_else(|mistake| panic!("{mistake}")) {
        let name = name(&file);
        if !wanted.is_empty() && !wanted.iter().any(|word| name.contains(word.as_str())) {
            continue;
        }
        let scenario = systems::load::<BuiltIn>(&file).unwrap_or_else(|mistake| panic!("{mistake}"));
        let failing = (0..100_000_u64)
            .map(|seed| systems::plan(&scenario, &name, seed))
            .map(|plan| (BuiltIn::play(&plan), plan))
            .filter(|(outcome, _)| outcome.violation().is_some());
        for (outcome, plan) in failing.take(SEEDS) {
            let since = Instant::now();
            let options = Options { jobs: 2, plays: 10_000_000 };
            let shrunk = shrink(&plan, &outcome, &subject, options, &mut |_| since.elapsed().as_secs() < 60);
            let took = since.elapsed();
            let size = Size::counted(&shrunk.plan, &shrunk.outcome, &subject);
            let (_, extra) = needless(&shrunk.plan, &shrunk.outcome, &subject);
            let mark = if shrunk.end == End::Minimal && extra.is_empty() { "" } else { " NOT MINIMAL" };
            println!(
                "{name:36} {:>6} {:>17} {:>6} {:>15} {:>5} {:>7} {:>10} {:>6} {:>6} {:>6} {:>5}{mark}",
                plan.seed,
                plan.faults.len(),
                outcome.events,
                size.faults,
                size.members,
                size.clients,
                size.operations,
                size.events,
                took.as_millis(),
                shrunk.plays,
                shrunk.plan.seed,
            );
            faults.push(size.faults as u64);
            events.push(size.events);
            seconds.push(took.as_millis() as u64);
            if show {
                let scenario = undraw(&shrunk.plan, &shrunk.plan.system.members(&shrunk.plan.workload));
                println!("{}", text::written(&scenario, 2));
                println!("{:?}", shrunk.outcome.violation());
                told(&shrunk.plan)
                    .iter()
                    .for_each(|event| println!("    {:>12} {}", event.at.since(Time::ZERO).to_string(), event.words));
            }
        }
    }
    println!("medians: {} faults, {} events, {} ms", median(faults), median(events), median(seconds));
}

fn median(mut numbers: Vec<u64>) -> u64 {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied().unwrap_or(0)
}
