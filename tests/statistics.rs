//! Every sampler, and every rate of the network, against the distribution that it should have.
//!
//! The seeds are fixed, so a test that passes passes for ever; the bounds are those that a fair draw exceeds
//! once in a thousand times or less. The distributions to compare with are those of the crate statrs.

use squall::environment::distribution::Distribution;
use squall::environment::network::{Disturbance, Fate, Mark, Network, Scope};
use squall::environment::plan;
use squall::environment::text::SpanRange;
use squall::kernel::chance::{Ratio, below};
use squall::kernel::rng::{Dice, Purpose, Table};
use squall::kernel::time::{Span, Time};
use statrs::distribution::{ChiSquared, ContinuousCDF, Exp, LogNormal};

const DRAWS: usize = 200_000;
const MS: f64 = 1e6;

fn ratio(part: u64, whole: u64) -> Ratio {
    Ratio::new(part, whole).expect("a probability")
}

fn uniform(min: f64, max: f64) -> impl Fn(f64) -> f64 {
    move |x| ((x - min) / (max - min)).clamp(0.0, 1.0)
}

/// The test of Kolmogorov and Smirnov: how far the draws' distribution function is from the given one. A fair
/// sample of n is farther than 1.95 / sqrt(n) once in a thousand times.
fn assert_drawn_from(what: &str, mut draws: Vec<f64>, cdf: impl Fn(f64) -> f64) {
    draws.sort_by(f64::total_cmp);
    let count = draws.len() as f64;
    assert!(count >= 100.0, "{what}: {count} draws show nothing");
    let gap = |(place, draw): (usize, &f64)| {
        let expected = cdf(*draw);
        (expected - place as f64 / count).abs().max(((place + 1) as f64 / count - expected).abs())
    };
    let farthest = draws.iter().enumerate().map(gap).fold(0.0, f64::max);
    assert!(farthest < 1.95 / count.sqrt(), "{what}: {farthest} off, {} is the bound", 1.95 / count.sqrt());
}

/// Pearson's chi-square test of counts against what is expected of each; a fair sample fails once in a
/// thousand times.
fn assert_counts(what: &str, counts: &[u64], expected: &[f64]) {
    assert_eq!(counts.len(), expected.len());
    assert!(expected.iter().all(|expected| *expected >= 5.0), "{what}: {expected:?} is too few for the test");
    let chi: f64 = counts.iter().zip(expected).map(|(count, mean)| (*count as f64 - mean).powi(2) / mean).sum();
    let fair = ChiSquared::new(counts.len() as f64 - 1.0).expect("degrees of freedom");
    assert!(fair.cdf(chi) < 0.999, "{what}: chi-square {chi}\n{counts:?}\n{expected:?}");
}

/// How often something happened that should happen with a probability; at most 3.3 standard deviations off.
fn assert_rate(what: &str, count: usize, of: usize, probability: f64) {
    let (mean, variance) = (of as f64 * probability, of as f64 * probability * (1.0 - probability));
    let off = (count as f64 - mean).abs() / variance.sqrt().max(f64::MIN_POSITIVE);
    assert!(off <= 3.3 || count as f64 == mean, "{what}: {count} of {of} instead of {mean}, {off} sigma off");
}

fn draws(distribution: Distribution, entity: u64) -> Vec<f64> {
    assert_eq!(distribution.validate(), Ok(()));
    let mut dice = Dice::new(17, Purpose::Faults, entity);
    (0..DRAWS).map(|_| distribution.sample(dice.next()).as_ns() as f64).collect()
}

fn assert_moments(what: &str, draws: &[f64], mean: f64, variance: f64, kurtosis: f64) {
    let count = draws.len() as f64;
    let average = draws.iter().sum::<f64>() / count;
    let off = (average - mean) / (variance / count).sqrt();
    assert!(off.abs() < 3.3, "{what}: mean {average} instead of {mean}, {off} sigma off");
    let spread = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / count;
    let off = (spread / variance - 1.0) / ((kurtosis - 1.0) / count).sqrt();
    assert!(off.abs() < 3.3, "{what}: variance {spread} instead of {variance}, {off} sigma off");
}

#[test]
fn a_number_below_a_bound_is_as_often_this_as_that() {
    let mut dice = Dice::new(17, Purpose::Faults, 0);
    let mut counts = [0; 97];
    (0..DRAWS).for_each(|_| counts[below(dice.next(), 97) as usize] += 1);
    assert_counts("below 97", &counts, &[DRAWS as f64 / 97.0; 97]);
}

#[test]
fn uniform_spans_are_uniform() {
    let drawn = draws(Distribution::Uniform { min: Span::ms(1), max: Span::ms(10) }, 1);
    assert_moments("Uniform", &drawn, 5.5 * MS, (9.0 * MS).powi(2) / 12.0, 1.8);
    assert_drawn_from("Uniform", drawn, uniform(MS, 10.0 * MS));
}

#[test]
fn exponential_spans_are_exponential_to_the_tail() {
    let drawn = draws(Distribution::Exp { min: Span::ms(1), mean: Span::ms(5) }, 2);
    let rest = Exp::new(1.0 / (4.0 * MS)).expect("a rate");
    assert_moments("Exp", &drawn, 5.0 * MS, (4.0 * MS).powi(2), 9.0);
    for means in 1..=8 {
        let beyond = drawn.iter().filter(|draw| **draw > MS + 4.0 * MS * f64::from(means)).count();
        assert_rate("Exp's tail", beyond, DRAWS, (-f64::from(means)).exp());
    }
    assert_drawn_from("Exp", drawn, |x| rest.cdf(x - MS));
}

#[test]
fn log_normal_spans_are_log_normal_to_the_tail() {
    for (place, (median, p99)) in [(2, 20), (100, 110), (1, 1_000)].into_iter().enumerate() {
        let drawn = draws(Distribution::LogNormal { median: Span::ms(median), p99: Span::ms(p99) }, 3 + place as u64);
        // 2.326348 standard deviations of the logarithm are from the median to the hundredth that is above p99.
        let sigma = (p99 as f64 / median as f64).ln() / 2.326_348;
        let exact = LogNormal::new((median as f64 * MS).ln(), sigma).expect("a distribution");
        let what = format!("LogNormal({median} ms, {p99} ms)");
        for tail in [0.5, 0.1, 0.01, 0.001, 0.000_1] {
            let beyond = exact.inverse_cdf(1.0 - tail);
            assert_rate(&what, drawn.iter().filter(|draw| **draw > beyond).count(), DRAWS, tail);
            let below = exact.inverse_cdf(tail);
            assert_rate(&what, drawn.iter().filter(|draw| **draw < below).count(), DRAWS, tail);
        }
        // The moments of the logarithm: those of the span itself hang on a handful of draws.
        let logs: Vec<f64> = drawn.iter().map(|draw| draw.ln()).collect();
        assert_moments(&what, &logs, (median as f64 * MS).ln(), sigma * sigma, 3.0);
        assert_drawn_from(&what, drawn, |x| exact.cdf(x));
    }
}

#[test]
fn spans_of_two_kinds_are_the_mixture_of_both() {
    let range = |min, max| SpanRange { min: Span::ms(min), max: Span::ms(max) };
    let drawn = draws(Distribution::Bimodal { fast: range(1, 3), slow: range(100, 300), p: ratio(1, 10) }, 7);
    let (fast, slow) = (uniform(MS, 3.0 * MS), uniform(100.0 * MS, 300.0 * MS));
    assert_rate("Bimodal", drawn.iter().filter(|draw| **draw >= 100.0 * MS).count(), DRAWS, 0.1);
    assert_drawn_from("Bimodal", drawn, |x| 0.9 * fast(x) + 0.1 * slow(x));
}

/// Messages from node 0 to node 1 of three, 1 ms apart, under this disturbance; latency from 1 to 10 ms.
fn fates(disturbance: Disturbance) -> Vec<Fate> {
    fates_in(&plan::Network::default(), Some(disturbance))
}

fn fates_in(plan: &plan::Network, disturbance: Option<Disturbance>) -> Vec<Fate> {
    let mut network = Network::new(plan, Table::new(23), 3, 3, &[]);
    let active: Vec<_> = disturbance.into_iter().map(|disturbance| (disturbance, Scope::All)).collect();
    network.disturb(true, &active, None);
    (0..DRAWS as u64).map(|number| network.fate(0, 1, Time::ZERO + Span::ms(number), || 100)).collect()
}

fn calm() -> Vec<Fate> {
    fates_in(&plan::Network::default(), None)
}

fn marked(fates: &[Fate], mark: Mark) -> usize {
    fates.iter().filter(|fate| fate.marks.has(mark)).count()
}

/// By how much a disturbance delays the messages that have the mark of it.
fn lateness(fates: &[Fate], mark: Mark) -> Vec<f64> {
    let pairs = fates.iter().zip(calm()).filter(|(fate, _)| fate.marks.has(mark));
    let late = pairs.map(|(fate, calm)| fate.arrives.expect("it arrives") - calm.arrives.expect("it arrives"));
    late.map(|late| late.as_ns() as f64).collect()
}

#[test]
fn messages_of_the_standing_weather_are_lost_and_doubled_at_their_rates() {
    let plan = plan::Network { loss: ratio(1, 10), duplicate: ratio(1, 5), ..plan::Network::default() };
    let fates = fates_in(&plan, None);
    assert_rate("lost", fates.iter().filter(|fate| fate.arrives.is_none()).count(), DRAWS, 0.1);
    // A tenth of the copies is lost.
    assert_rate("doubled", fates.iter().filter(|fate| fate.again.is_some()).count(), DRAWS, 0.2 * 0.9);
    let neither = fates.iter().filter(|fate| fate.arrives.is_none() && fate.again.is_some()).count();
    assert_rate("only the second copy", neither, DRAWS, 0.1 * 0.2 * 0.9);
    let again = fates.iter().filter_map(|fate| fate.again).map(|again| again.as_ns() as f64).collect();
    assert_drawn_from("second copies", again, uniform(MS, 10.0 * MS));
    assert!(fates.iter().all(|fate| fate.marks.is_empty()));
}

#[test]
fn disturbances_strike_at_their_rates() {
    let probability = ratio(3, 100);
    let within = Span::ms(40);
    let families = [
        (Disturbance::Loss { probability, burst: 1 }, Mark::Lost),
        (Disturbance::Duplicate { probability }, Mark::Doubled),
        (Disturbance::Reorder { probability, within }, Mark::Reordered),
        (Disturbance::Corrupt { probability }, Mark::Garbled),
    ];
    for (disturbance, mark) in families {
        let fates = fates(disturbance);
        assert_rate(&format!("{mark:?}"), marked(&fates, mark), DRAWS, 0.03);
        assert!(Mark::ALL.iter().all(|other| *other == mark || marked(&fates, *other) == 0));
        // What is struck is struck whatever its latency: no family's dice know of another's.
        let calm = calm();
        let latencies = fates.iter().zip(&calm).filter(|(fate, _)| fate.marks.has(mark));
        let latencies = latencies.filter_map(|(_, calm)| calm.arrives).map(|latency| latency.as_ns() as f64).collect();
        assert_drawn_from(&format!("latencies of {mark:?}"), latencies, uniform(MS, 10.0 * MS));
        // Nor is it struck for what befell the one before: pairs are as rare as chance has them.
        let pairs = fates.windows(2).filter(|pair| pair.iter().all(|fate| fate.marks.has(mark))).count();
        assert_rate(&format!("pairs of {mark:?}"), pairs, DRAWS - 1, 0.03 * 0.03);
    }
}

/// Two families, each alone in a network with the same seed: whom one strikes says nothing of whom the other does.
#[test]
fn each_family_strikes_whomever_the_others_do() {
    let (probability, within) = (ratio(1, 4), Span::ms(40));
    let families = [
        (Disturbance::Loss { probability, burst: 1 }, Mark::Lost),
        (Disturbance::Loss { probability, burst: 2 }, Mark::Lost),
        (Disturbance::Duplicate { probability }, Mark::Doubled),
        (Disturbance::Reorder { probability, within }, Mark::Reordered),
        (Disturbance::Corrupt { probability }, Mark::Garbled),
    ];
    let struck: Vec<Vec<bool>> = families
        .iter()
        .map(|(disturbance, mark)| fates(*disturbance).iter().map(|fate| fate.marks.has(*mark)).collect())
        .collect();
    for (one, other) in (0..families.len()).flat_map(|one| (0..one).map(move |other| (one, other))) {
        let both = struck[one].iter().zip(&struck[other]).filter(|(one, other)| **one && **other).count();
        assert_rate(&format!("{:?} and {:?}", families[one].0, families[other].0), both, DRAWS, 1.0 / 16.0);
    }
    // Nor does it say for how long a message is held up, or what it is garbled to.
    for ((disturbance, mark), struck) in families.iter().zip(&struck).filter(|((_, mark), _)| *mark != Mark::Reordered)
    {
        let held = fates(Disturbance::Reorder { probability: Ratio::ONE, within });
        let late = lateness(&held, Mark::Reordered).into_iter().zip(struck).filter(|(_, struck)| **struck);
        assert_drawn_from(
            &format!("hold-ups and {mark:?}"),
            late.map(|(late, _)| late).collect(),
            uniform(0.0, 40.0 * MS),
        );
        let extra = Distribution::Uniform { min: Span::ZERO, max: Span::ms(9) };
        let delayed = fates(Disturbance::Delay { extra });
        let late = delayed.iter().zip(calm()).zip(struck).filter(|(_, struck)| **struck);
        let late = late
            .map(|((late, calm), _)| (late.arrives.expect("it arrives") - calm.arrives.expect("it arrives")).as_ns());
        assert_drawn_from(
            &format!("delays and {disturbance:?}"),
            late.map(|late| late as f64).collect(),
            uniform(0.0, 9.0 * MS),
        );
    }
}

#[test]
fn losses_by_the_weather_and_by_a_fault_add_up() {
    let plan = plan::Network { loss: ratio(1, 10), ..plan::Network::default() };
    let fates = fates_in(&plan, Some(Disturbance::Loss { probability: ratio(1, 5), burst: 1 }));
    assert_rate("lost", fates.iter().filter(|fate| fate.arrives.is_none()).count(), DRAWS, 0.28);
    // The weather alone would have lost a tenth of all: only the others are the fault's doing.
    assert_rate("lost by the fault", marked(&fates, Mark::Lost), DRAWS, 0.18);
}

#[test]
fn extra_delays_come_from_their_distribution() {
    let fates =
        fates(Disturbance::Delay { extra: Distribution::LogNormal { median: Span::ms(50), p99: Span::ms(900) } });
    let late = lateness(&fates, Mark::Delayed);
    assert_eq!(late.len(), DRAWS);
    let sigma = 18_f64.ln() / 2.326_348;
    let exact = LogNormal::new((50.0 * MS).ln(), sigma).expect("a distribution");
    assert_drawn_from("delays", late, |x| exact.cdf(x));
}

#[test]
fn what_is_held_up_is_held_up_for_any_time_within_the_bound() {
    let fates = fates(Disturbance::Reorder { probability: ratio(1, 4), within: Span::ms(40) });
    assert_drawn_from("hold-ups", lateness(&fates, Mark::Reordered), uniform(0.0, 40.0 * MS));
    let arrivals: Vec<u64> = (0..)
        .zip(&fates)
        .map(|(number, fate)| number * 1_000_000 + fate.arrives.expect("it arrives").as_ns())
        .collect();
    let overtaken = arrivals.windows(12).filter(|window| window[0] > window[11]).count();
    assert!(overtaken > DRAWS / 10, "{overtaken} messages were overtaken by one that was sent 11 ms later");
}

#[test]
fn garbage_is_random() {
    let fates = fates(Disturbance::Corrupt { probability: ratio(1, 2) });
    let words: Vec<u64> = fates.iter().filter_map(|fate| fate.garbled).collect();
    for shift in [0, 28, 56] {
        let mut counts = [0; 256];
        words.iter().for_each(|word| counts[(word >> shift) as usize & 0xff] += 1);
        assert_counts("garbage", &counts, &[words.len() as f64 / 256.0; 256]);
    }
}

/// How long the runs of lost messages are, or of others: how many of length 1, 2, and so on to `last` or more.
fn runs(fates: &[Fate], lost: bool, last: usize) -> Vec<u64> {
    let mut counts = vec![0; last];
    for run in fates.chunk_by(|one, other| one.arrives.is_none() == other.arrives.is_none()) {
        if run[0].arrives.is_none() == lost {
            counts[run.len().min(last) - 1] += 1;
        }
    }
    counts
}

/// Runs that end with this probability after each message are geometrically distributed.
fn geometric(ends: f64, count: u64, last: usize) -> Vec<f64> {
    let mut expected: Vec<f64> = (0..last as i32).map(|before| (1.0 - ends).powi(before) * ends).collect();
    expected[last - 1] = (1.0 - ends).powi(last as i32 - 1);
    expected.into_iter().map(|part| part * count as f64).collect()
}

#[test]
fn losses_in_bursts_have_their_rate_and_their_lengths() {
    for (percent, burst) in [(5, 5), (10, 3), (30, 10), (50, 2)] {
        let (p, length) = (percent as f64 / 100.0, f64::from(burst));
        let fates = fates(Disturbance::Loss { probability: ratio(percent, 100), burst });
        let lost = marked(&fates, Mark::Lost);
        // Neighbours are lost together, so the rate of a chain scatters more, by (1 + c) / (1 - c), where c is how
        // much a message resembles the one before it: Var = n p (1 - p) (1 + c) / (1 - c).
        let (ends, begins) = (1.0 / length, p / ((1.0 - p) * length));
        let likeness = 1.0 - ends - begins;
        let sigma = (DRAWS as f64 * p * (1.0 - p) * (1.0 + likeness) / (1.0 - likeness)).sqrt();
        let off = (lost as f64 - DRAWS as f64 * p) / sigma;
        assert!(off.abs() < 3.3, "{percent}% in bursts of {burst}: {lost} lost, {off} sigma off");
        for (is_lost, ends) in [(true, ends), (false, begins)] {
            let runs = runs(&fates, is_lost, 12);
            let expected = geometric(ends, runs.iter().sum(), 12);
            assert_counts(&format!("{percent}% in bursts of {burst}, lost: {is_lost}"), &runs, &expected);
        }
    }
}

#[test]
fn a_chain_that_loses_nearly_all_makes_bursts_as_long_as_it_must() {
    // Gaps are one message each, and nine lost ones stand between them.
    let fates = fates(Disturbance::Loss { probability: ratio(9, 10), burst: 2 });
    assert_rate("lost", marked(&fates, Mark::Lost), DRAWS, 0.9);
    assert_eq!(runs(&fates, false, 12)[1..], [0; 11]);
    let always = self::fates(Disturbance::Loss { probability: Ratio::ONE, burst: 7 });
    assert_eq!(marked(&always, Mark::Lost), DRAWS);
}

#[test]
fn the_first_message_in_bursts_is_lost_as_often_as_any_other() {
    let mut network = Network::new(&plan::Network::default(), Table::new(29), 200, 200, &[]);
    network.disturb(true, &[(Disturbance::Loss { probability: ratio(1, 5), burst: 20 }, Scope::All)], None);
    let links = (0..200).flat_map(|from| (0..200).map(move |to| (from, to)));
    let first = links.map(|(from, to)| network.fate(from, to, Time::ZERO, || 1));
    assert_rate("lost first", first.filter(|fate| fate.arrives.is_none()).count(), 200 * 200, 0.2);
}

#[test]
fn links_do_not_know_of_each_other() {
    let mut network = Network::new(&plan::Network::default(), Table::new(31), 5, 5, &[]);
    network.disturb(true, &[(Disturbance::Loss { probability: ratio(1, 2), burst: 1 }, Scope::All)], None);
    let mut counts = [0; 8];
    for _ in 0..DRAWS / 3 {
        let lost =
            [(0, 1), (1, 0), (1, 2)].map(|(from, to)| network.fate(from, to, Time::ZERO, || 1).arrives.is_none());
        counts[lost.iter().fold(0, |place, lost| 2 * place + usize::from(*lost))] += 1;
    }
    assert_counts("three links", &counts, &[(DRAWS / 3) as f64 / 8.0; 8]);
}

/// A line that is 80 % busy with messages of one size at random times: the mean wait is that of a queue M/D/1,
/// load / (2 (1 - load)) services, here 2. Source: Pollaczek and Khinchine.
#[test]
fn a_busy_line_makes_messages_wait_as_queueing_theory_says() {
    let plan = plan::Network { latency: Distribution::ZERO, ..plan::Network::default() };
    let mut network = Network::new(&plan, Table::new(37), 2, 2, &[]);
    network.disturb(true, &[(Disturbance::Bandwidth { rate: 1_000_000, queue: u64::MAX }, Scope::All)], None);
    let gaps = draws(Distribution::Exp { min: Span::ZERO, mean: Span::us(1_250) }, 8);
    let (mut now, mut waited) = (0.0, 0.0);
    for gap in &gaps {
        now += gap;
        let fate = network.fate(0, 1, Time::from_ns(now as u64), || 1_000);
        waited += fate.arrives.expect("the queue is endless").as_ns() as f64 / MS - 1.0;
    }
    let mean = waited / gaps.len() as f64;
    // Waits of neighbours are alike: with a relaxation of some 40 messages, a 20th is three sigma.
    assert!((mean - 2.0).abs() < 0.1, "messages wait for {mean} services instead of 2");
}
