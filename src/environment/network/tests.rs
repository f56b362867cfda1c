//! Tests of what links do. Whether they do it as often as they should is tested in `tests/statistics.rs`.

use super::*;
use crate::kernel::chance::{LONGEST, Ratio};
use crate::kernel::time::Span;

const MEMBERS: u16 = 3;
const CLIENT: u16 = 3;

fn percent(part: u64) -> Ratio {
    Ratio::new(part, 100).expect("a probability")
}

/// Three members and a client.
fn network(loss: u64, duplicate: u64, links: &[LinkSetting]) -> Network {
    let plan = plan::Network { loss: percent(loss), duplicate: percent(duplicate), ..plan::Network::default() };
    Network::new(&plan, Table::new(11), MEMBERS, MEMBERS + 1, links)
}

fn disturbed(loss: u64, duplicate: u64, active: &[(Disturbance, Scope)]) -> Network {
    let mut network = network(loss, duplicate, &[]);
    network.disturb(true, active, None);
    network
}

/// The fates of so many messages on one link, a millisecond apart, of 100 bytes each.
fn fates(network: &mut Network, (from, to): (u16, u16), count: u64) -> Vec<Fate> {
    (0..count).map(|number| network.fate(from, to, Time::ZERO + Span::ms(number), || 100)).collect()
}

fn every_link() -> Vec<(u16, u16)> {
    (0..MEMBERS).flat_map(|from| (0..MEMBERS).map(move |to| (from, to))).filter(|(from, to)| from != to).collect()
}

/// One disturbance of every kind that has dice, or changes what dice decide.
fn families() -> Vec<Disturbance> {
    let probability = percent(30);
    vec![
        Disturbance::Loss { probability, burst: 1 },
        Disturbance::Loss { probability, burst: 4 },
        Disturbance::Duplicate { probability },
        Disturbance::Delay { extra: Distribution::LogNormal { median: Span::ms(20), p99: Span::ms(900) } },
        Disturbance::Reorder { probability, within: Span::ms(50) },
        Disturbance::Corrupt { probability },
        Disturbance::Bandwidth { rate: 90_000, queue: 700 },
    ]
}

fn everywhere(families: &[Disturbance]) -> Vec<(Disturbance, Scope)> {
    families.iter().map(|family| (*family, Scope::All)).collect()
}

/// For every family, four networks: with none, with it alone, with all others, and with all. What it does alone
/// it must do among all, too, and what the others do without it they must do beside it, to the nanosecond.
#[test]
fn no_family_of_disturbances_changes_the_draws_of_another() {
    let all = families();
    for (place, family) in all.iter().enumerate() {
        let others: Vec<Disturbance> = [&all[..place], &all[place + 1..]].concat();
        // Half of the messages are doubled by the standing weather, so that second copies can be compared as well.
        let run = |active: &[Disturbance]| fates(&mut disturbed(0, 50, &everywhere(active)), (0, 1), 3_000);
        let (none, alone, others, together) = (run(&[]), run(&[*family]), run(&others), run(&all));
        let mut compared = 0;
        for (((none, alone), others), together) in none.iter().zip(&alone).zip(&others).zip(&together) {
            for copy in [|fate: &Fate| fate.arrives, |fate: &Fate| fate.again] {
                let (Some(usual), together) = (copy(none), copy(together)) else { continue };
                assert_eq!(together.is_some(), copy(alone).is_some() && copy(others).is_some(), "{family:?}");
                if let (Some(together), Some(alone), Some(others)) = (together, copy(alone), copy(others)) {
                    assert_eq!(together - others, alone - usual, "{family:?}");
                    compared += 1;
                }
            }
            if let (Some(_), Some(_), Some(_)) = (together.arrives, alone.arrives, others.arrives) {
                assert_eq!(together.garbled, alone.garbled.or(others.garbled), "{family:?}");
            }
        }
        assert!(compared > 500, "{family:?}: {compared} copies compared");
    }
}

#[test]
fn a_message_more_on_one_link_does_not_touch_another() {
    let active = everywhere(&families());
    let (mut one, mut other) = (disturbed(5, 5, &active), disturbed(5, 5, &active));
    fates(&mut one, (0, 1), 7);
    assert_eq!(fates(&mut one, (1, 0), 500), fates(&mut other, (1, 0), 500));
    assert_eq!(fates(&mut one, (0, 2), 500), fates(&mut other, (0, 2), 500));
}

#[test]
fn all_links_are_those_that_can_be_named() {
    for family in families() {
        let mut all = disturbed(5, 5, &[(family, Scope::All)]);
        let mut twice = every_link();
        twice.extend(every_link());
        let mut named = disturbed(5, 5, &[(family, Scope::Links(twice))]);
        for link in every_link().into_iter().chain([(CLIENT, 0), (0, CLIENT)]) {
            assert_eq!(fates(&mut all, link, 200), fates(&mut named, link, 200), "{family:?} on {link:?}");
        }
    }
    for (block, is) in
        [(Disturbance::Cut, Network::is_cut as fn(&_, _, _) -> _), (Disturbance::Clog, Network::is_clogged)]
    {
        let (all, named) = (disturbed(0, 0, &[(block, Scope::All)]), Scope::Links(every_link()));
        let named = disturbed(0, 0, &[(block, named)]);
        for (from, to) in (0..=CLIENT).flat_map(|from| (0..=CLIENT).map(move |to| (from, to))) {
            let blocked = from != to && from.max(to) < MEMBERS;
            assert_eq!((is(&all, from, to), is(&named, from, to)), (blocked, blocked), "#{from} to #{to}");
        }
    }
}

#[test]
fn a_disturbance_hits_the_links_it_names_and_no_client() {
    for family in families() {
        let mut calm = disturbed(0, 0, &[]);
        let links = vec![(0, 1), (0, CLIENT), (CLIENT, 0), (2, 2)];
        let mut hit = disturbed(0, 0, &[(family, Scope::Links(links))]);
        for link in every_link().into_iter().chain([(CLIENT, 0), (0, CLIENT)]) {
            let same = fates(&mut calm, link, 300) == fates(&mut hit, link, 300);
            assert_eq!(same, link != (0, 1), "{family:?} on {link:?}");
        }
    }
}

#[test]
fn what_ends_leaves_nothing_behind() {
    let mut healed = disturbed(0, 0, &everywhere(&families()));
    let mut calm = network(0, 0, &[]);
    for link in every_link() {
        fates(&mut healed, link, 300);
        fates(&mut calm, link, 300);
    }
    healed.disturb(true, &[], None);
    let quiet = disturbed(0, 0, &[]);
    let as_quiet = |(from, to)| healed.weather(from, to) == quiet.weather(from, to);
    assert!(healed.calm && every_link().into_iter().all(as_quiet));
    for link in every_link() {
        assert_eq!(fates(&mut healed, link, 300), fates(&mut calm, link, 300));
    }
}

#[test]
fn a_healed_network_loses_and_doubles_nothing_but_keeps_its_latencies() {
    let far = Distribution::Const(Span::ms(70));
    let setting = LinkSetting { from: 0, to: 1, latency: Some(far), loss: Some(percent(90)), duplicate: None };
    let mut network = network(30, 30, &[setting]);
    network.disturb(false, &[], None);
    for link in every_link() {
        let fates = fates(&mut network, link, 300);
        assert!(fates.iter().all(|fate| fate.arrives.is_some() && fate.again.is_none()));
        assert_eq!(fates.iter().all(|fate| fate.arrives == Some(Span::ms(70))), link == (0, 1));
    }
}

#[test]
fn between_those_that_are_spared_nothing_is_wrong() {
    let mut active = everywhere(&families());
    active.push((Disturbance::Cut, Scope::All));
    active.push((Disturbance::Clog, Scope::Links(vec![(0, 2), (2, 0), (1, 2)])));
    active.push((Disturbance::Loss { probability: Ratio::ONE, burst: 1 }, Scope::Links(vec![(0, 2), (1, 2)])));
    let mut network = network(20, 20, &[]);
    network.disturb(true, &active, Some(&[true, false, true]));
    let mut calm = disturbed(0, 0, &[]);
    for link in every_link() {
        let spared = link != (0, 1) && link != (1, 0) && link != (1, 2) && link != (2, 1);
        assert_eq!(fates(&mut network, link, 300) == fates(&mut calm, link, 300), spared, "{link:?}");
        assert_eq!(network.is_blocked(link.0, link.1), !spared, "{link:?}");
    }
    assert!(network.is_clogged(1, 2) && !network.is_clogged(0, 2));
}

#[test]
fn links_have_settings_of_their_own_and_the_later_ones_win() {
    let setting = |from, to| LinkSetting { from, to, latency: None, loss: None, duplicate: None };
    let (near, far) = (Distribution::Const(Span::ms(2)), Distribution::Const(Span::ms(80)));
    let settings = [
        LinkSetting { latency: Some(near), loss: Some(Ratio::ONE), ..setting(0, 1) },
        LinkSetting { latency: Some(far), ..setting(0, 1) },
        LinkSetting { loss: Some(Ratio::ONE), ..setting(0, 2) },
        LinkSetting { loss: Some(Ratio::ZERO), duplicate: Some(Ratio::ONE), latency: Some(near), ..setting(0, 2) },
        LinkSetting { latency: Some(far), loss: Some(Ratio::ONE), duplicate: Some(Ratio::ONE), ..setting(CLIENT, 0) },
    ];
    let mut network = network(0, 0, &settings);
    // The far link still loses everything: only its latency was set again.
    assert!(fates(&mut network, (0, 1), 50).iter().all(|fate| fate.arrives.is_none()));
    let twice = Fate { again: Some(Span::ms(2)), ..Fate::undisturbed(Span::ms(2)) };
    assert_eq!(fates(&mut network, (0, 2), 50), [twice; 50]);
    assert_eq!(fates(&mut network, (CLIENT, 0), 50), [Fate::undisturbed(Span::ms(80)); 50]);
    assert!(fates(&mut network, (1, 0), 50).iter().all(|fate| fate.arrives <= Some(Span::ms(10))));
    // A fault adds to the setting of a link, and does not replace it.
    network.disturb(true, &[(Disturbance::Delay { extra: far }, Scope::All)], None);
    let later = fates(&mut network, (0, 2), 1)[0];
    assert_eq!((later.arrives, later.again), (Some(Span::ms(82)), Some(Span::ms(82))));
    assert!(later.marks.iter().eq([Mark::Delayed]));
}

#[test]
fn cuts_and_clogs_are_directed_and_heal() {
    let mut network = network(0, 0, &[]);
    assert!(network.is_whole() && !network.is_blocked(0, 1));
    let on = |from, to| Scope::Links(vec![(from, to)]);
    network.disturb(true, &[(Disturbance::Cut, on(0, 1)), (Disturbance::Clog, on(1, 2))], None);
    assert!(network.is_cut(0, 1) && !network.is_cut(1, 0) && !network.is_cut(1, 2) && !network.is_whole());
    assert!(network.is_clogged(1, 2) && !network.is_clogged(2, 1) && !network.is_clogged(0, 1));
    let blocked: Vec<(u16, u16)> = every_link().into_iter().filter(|link| network.is_blocked(link.0, link.1)).collect();
    assert_eq!(blocked, [(0, 1), (1, 2)]);
    network.disturb(true, &[(Disturbance::Clog, on(1, 2))], None);
    assert!(network.is_whole() && network.is_blocked(1, 2));
    network.disturb(true, &[], None);
    assert!(network.is_whole() && !network.is_blocked(1, 2) && network.blocked.is_clear());
}

/// A line of 1,000 bytes a second on which 250 bytes may wait, worked out by hand: 100 bytes take 100 ms.
#[test]
fn a_narrow_line_serialises_and_drops_from_the_tail() {
    let plan = plan::Network { latency: Distribution::Const(Span::ms(5)), ..plan::Network::default() };
    let mut network = Network::new(&plan, Table::new(11), 2, 2, &[]);
    network.disturb(true, &[(Disturbance::Bandwidth { rate: 1_000, queue: 250 }, Scope::All)], None);
    let mut send = |at, bytes| network.fate(0, 1, Time::ZERO + Span::ms(at), || bytes);
    let took = |fate: Fate| fate.arrives.map(|span| span.as_ns() / 1_000_000);
    assert_eq!(took(send(0, 100)), Some(105));
    assert_eq!(took(send(0, 100)), Some(205));
    // 200 bytes are waiting, and 300 then.
    assert_eq!(took(send(0, 100)), Some(305));
    let dropped = send(0, 1);
    assert!(dropped.arrives.is_none() && dropped.marks.iter().eq([Mark::Overflowed]));
    // At 50 ms half of the first has left: 250 bytes are no more than may wait.
    assert_eq!(took(send(50, 10)), Some(265));
    assert_eq!(took(send(50, 10)), None);
    // The line is busy until 310 ms; it idles till 400, and what is sent on the way back does not wait.
    assert_eq!(took(send(400, 100)), Some(105));
    assert_eq!(took(network.fate(1, 0, Time::ZERO + Span::ms(400), || 20)), Some(25));
    assert!(network.fate(0, 1, Time::ZERO + Span::ms(450), || 0).marks.iter().eq([Mark::Throttled]));
}

#[test]
fn a_message_of_any_size_takes_no_longer_than_a_run_can_count() {
    let narrow = Disturbance::Bandwidth { rate: 1, queue: 0 };
    let longest = Disturbance::Delay { extra: Distribution::Const(LONGEST) };
    let mut network = disturbed(0, 0, &everywhere(&[longest, narrow, longest]));
    let fate = network.fate(0, 1, Time::from_ns(u64::MAX / 2), || u64::MAX);
    assert_eq!(fate.arrives, Some(LONGEST));
    assert!(network.fate(0, 1, Time::from_ns(u64::MAX / 2), || 1).marks.has(Mark::Overflowed));
}

#[test]
fn only_a_narrow_line_asks_for_the_size() {
    let others: Vec<Disturbance> = families().into_iter().take(6).collect();
    for active in [&[][..], &others] {
        let mut network = disturbed(10, 10, &everywhere(active));
        for _ in 0..100 {
            let _ = network.fate(0, 1, Time::ZERO, || unreachable!("nobody needs it"));
        }
    }
}

#[test]
fn of_several_of_a_kind_all_the_likeliest_or_the_narrowest_holds() {
    let on = |families: &[Disturbance]| {
        let network = disturbed(0, 0, &everywhere(families));
        network.weather(0, 1).cloned()
    };
    let loss = |part| Disturbance::Loss { probability: percent(part), burst: 1 };
    assert_eq!(on(&[loss(50), loss(50)]).map(|weather| weather.loss), Some(percent(75)));
    let corrupt = |part| Disturbance::Corrupt { probability: percent(part) };
    assert_eq!(on(&[corrupt(50), corrupt(50)]).map(|weather| weather.corrupt), Some(percent(75)));
    let reorder = |part, ms| Disturbance::Reorder { probability: percent(part), within: Span::ms(ms) };
    assert_eq!(on(&[reorder(5, 1), reorder(20, 3), reorder(10, 90)]), on(&[reorder(20, 3)]));
    let line = |rate, queue| Disturbance::Bandwidth { rate, queue };
    assert_eq!(on(&[line(500, 9), line(80, 7), line(80, 6), line(90, 1)]), on(&[line(80, 6)]));
    let burst = |part, burst| Disturbance::Loss { probability: percent(part), burst };
    assert_eq!(on(&[burst(50, 2), burst(50, 9)]), on(&[burst(75, 9)]));
    let delay = |ms| Disturbance::Delay { extra: Distribution::Const(Span::ms(ms)) };
    let mut delayed = disturbed(0, 0, &everywhere(&[delay(100), delay(20), delay(3)]));
    let usual = fates(&mut disturbed(0, 0, &[]), (0, 1), 9);
    for (fate, usual) in fates(&mut delayed, (0, 1), 9).iter().zip(usual) {
        assert_eq!(fate.arrives, usual.arrives.map(|usual| usual + Span::ms(123)));
    }
    let harmless = [loss(0), corrupt(0), reorder(0, 5), reorder(5, 0), delay(0), burst(0, 5)];
    assert!(disturbed(0, 0, &everywhere(&harmless)).calm);
}

/// Thirds have no exact sum in ratios of 2^-32: what the weather loses by itself must be lost all the same.
#[test]
fn a_disturbance_rescues_no_message_and_claims_none_that_was_lost_anyway() {
    let thirds = Ratio::new(1, 3).expect("a probability");
    let plan = plan::Network { loss: thirds, duplicate: thirds, ..plan::Network::default() };
    let faint = Ratio::new(1, 1 << 40).expect("a probability");
    for probability in [faint, percent(40)] {
        let disturbances = [Disturbance::Loss { probability, burst: 1 }, Disturbance::Duplicate { probability }]
            .map(|one| (one, Scope::All));
        let (mut usual, mut worse) =
            (Network::new(&plan, Table::new(5), 2, 2, &[]), Network::new(&plan, Table::new(5), 2, 2, &[]));
        worse.disturb(true, &disturbances, None);
        let weather = worse.weather(0, 1).expect("a weather");
        assert!(weather.loss >= weather.usual_loss && weather.duplicate >= weather.usual_duplicate);
        let (mut lost, mut doubled) = (0, 0);
        for (usual, worse) in fates(&mut usual, (0, 1), 5_000).into_iter().zip(fates(&mut worse, (0, 1), 5_000)) {
            let gone =
                usual.arrives.is_some() && worse.arrives.is_none() || usual.again.is_some() && worse.again.is_none();
            assert_eq!(worse.marks.has(Mark::Lost), gone);
            assert_eq!(worse.marks.has(Mark::Doubled), worse.again.is_some() && usual.again.is_none());
            assert!(usual.arrives.is_some() || worse.arrives.is_none());
            (lost, doubled) = (lost + u32::from(gone), doubled + u32::from(worse.marks.has(Mark::Doubled)));
        }
        assert_eq!(lost > 500 && doubled > 500, probability == percent(40), "{lost} lost, {doubled} doubled");
    }
}

#[test]
fn marks_are_a_set() {
    let mut marks = Marks::NONE;
    assert!(marks.is_empty() && marks == Marks::default());
    marks.put(Mark::Overflowed, true);
    marks.put(Mark::Lost, true);
    marks.put(Mark::Delayed, false);
    assert!(marks.iter().eq([Mark::Lost, Mark::Overflowed]) && !marks.has(Mark::Delayed) && !marks.is_empty());
    assert!(Mark::ALL.iter().enumerate().all(|(place, mark)| *mark as usize == place));
}

/// A fault that begins or ends elsewhere gives nobody a free line, and ends no spell.
#[test]
fn a_queue_and_a_spell_outlast_changes_of_the_weather() {
    let line = (Disturbance::Bandwidth { rate: 1_000, queue: 10_000 }, Scope::Links(vec![(0, 1)]));
    let burst = (Disturbance::Loss { probability: percent(50), burst: 1_000 }, Scope::Links(vec![(0, 1)]));
    let other = (Disturbance::Delay { extra: Distribution::Const(Span::ms(9)) }, Scope::Links(vec![(1, 2)]));
    for active in [vec![line], vec![burst]] {
        let (mut calm, mut changing) = (disturbed(0, 0, &active), disturbed(0, 0, &active));
        let mut more = active.clone();
        more.push(other.clone());
        for turn in 0..200 {
            changing.disturb(true, if turn % 2 == 0 { &more } else { &active }, None);
            let now = Time::ZERO + Span::ms(turn);
            assert_eq!(calm.fate(0, 1, now, || 100), changing.fate(0, 1, now, || 100), "{active:?}");
        }
    }
}
