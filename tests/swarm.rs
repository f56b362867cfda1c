//! Swarms: what a seed draws is an ordinary plan, of every kind something, and each kind for itself.

use squall::environment::fault::{FAULT_NAMES, Fault, Kind, PlannedFault, Target};
use squall::environment::plan::{Heal, Plan};
use squall::kernel::time::{Span, Time};
use squall::scenario::draw::draw;
use squall::scenario::model::Scenario;
use squall::scenario::roster::Roster;
use squall::scenario::text;
use squall::scenario::undraw::undraw;
use squall::systems::{self, BuiltIn, System};
use std::collections::BTreeSet;

const GOALS: [&str; 2] = ["raft.leader-elected", "raft.leader-crashed"];
/// What a swarm orders.
const CHURN: [Kind; 5] = [Kind::Join, Kind::Leave, Kind::ReplaceMember, Kind::Reweigh, Kind::Rezone];
const PRESETS: [&str; 5] = ["true", "Calm", "Lan", "Wan", "Hostile"];

fn scenario(nodes: usize, more: &str) -> Scenario<BuiltIn> {
    let text = format!(
        "(squall: 1, system: Raft(nodes: {nodes}), workload: (until: \"10s\"), settle: (within: \"20s\"), {more})"
    );
    systems::parse("swarm.ron", &text).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// The plan for a system that claims to survive all but these kinds.
fn drawn(scenario: &Scenario<BuiltIn>, spares: &[Kind], seed: u64) -> Plan<BuiltIn> {
    let members = scenario.system.members(&scenario.workload);
    draw(scenario, "swarm", &roster(&members, spares), seed)
}

fn roster<'a>(members: &'a [String], spares: &'a [Kind]) -> Roster<'a> {
    Roster { roles: &["leader"], goals: &GOALS, messages: &["AppendEntries"], spares, ..Roster::of(members) }
}

/// The same for one whose members come and go.
fn drawn_with_churn(scenario: &Scenario<BuiltIn>, spares: &[Kind], seed: u64) -> Plan<BuiltIn> {
    let members = scenario.system.members(&scenario.workload);
    draw(scenario, "swarm", &Roster { churn: &CHURN, ..roster(&members, spares) }, seed)
}

fn count(plan: &Plan<BuiltIn>, kind: Kind) -> usize {
    plan.faults.iter().filter(|fault| fault.inject.kind() == kind).count()
}

fn without(plan: &Plan<BuiltIn>, kind: Kind) -> Vec<PlannedFault> {
    plan.faults.iter().filter(|fault| fault.inject.kind() != kind).cloned().collect()
}

#[test]
fn every_plan_of_a_swarm_passes_the_checks_and_comes_out_of_its_own_scenario_again() {
    for nodes in 2..=7 {
        for preset in PRESETS {
            let scenario = scenario(nodes, &format!("swarm: {preset}"));
            for seed in 0..25 {
                let plan = drawn(&scenario, &[], seed);
                assert_eq!(plan, drawn(&scenario, &[], seed));
                let complaints = systems::complaints_about(&plan);
                assert!(complaints.is_empty(), "{preset} of {nodes}, seed {seed}: {complaints:?}");
                let written = text::written(&undraw(&plan, &plan.system.members(&plan.workload)), 3);
                let again = systems::parse::<BuiltIn>("again.ron", &written);
                let again =
                    again.unwrap_or_else(|wrong| panic!("{preset} of {nodes}, seed {seed}: {wrong}\n{written}"));
                assert_eq!(systems::plan(&again, &plan.scenario, seed), plan, "{preset} of {nodes}, seed {seed}");
            }
        }
    }
}

/// Plans are stored as text, too.
#[test]
fn every_plan_of_a_swarm_is_read_as_it_was_written() {
    let scenario = scenario(5, "swarm: Hostile");
    for seed in 0..100 {
        let plan = drawn(&scenario, &[], seed);
        let again: Plan<BuiltIn> =
            text::read("plan.ron", text::written(&plan, 3).into_bytes()).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!(again, plan, "seed {seed}");
    }
}

#[test]
fn a_kind_that_is_off_leaves_all_others_as_they_were() {
    let scenario = scenario(5, "swarm: Hostile");
    let mut seen = BTreeSet::new();
    for seed in 0..60 {
        let all = drawn_with_churn(&scenario, &[], seed);
        let kinds: Vec<Kind> = all.faults.iter().map(|fault| fault.inject.kind()).collect();
        for kind in kinds {
            if !seen.insert((seed, kind)) {
                continue;
            }
            let fewer = drawn_with_churn(&scenario, &[kind], seed);
            assert_eq!(fewer.faults, without(&all, kind), "seed {seed} without {}", kind.name());
            assert_eq!((&fewer.network, &fewer.clocks, &fewer.settle), (&all.network, &all.clocks, &all.settle));
            assert_eq!((fewer.disk.sync, fewer.disk.unsynced), (all.disk.sync, all.disk.unsynced));
        }
    }
    let kinds: BTreeSet<Kind> = seen.iter().map(|seen| seen.1).collect();
    let are_never = [Kind::Heal].into_iter().chain(Kind::ORDERS).filter(|kind| !CHURN.contains(kind)).count();
    assert_eq!(kinds.len(), FAULT_NAMES.len() - are_never, "all but `heal` and most orders come up: {kinds:?}");
}

#[test]
fn a_hostile_run_of_ten_seconds_has_tens_of_faults_of_half_of_the_kinds() {
    let scenario = scenario(5, "swarm: Hostile");
    let (mut faults, mut kinds, mut most) = (0, 0, 0);
    for seed in 0..400 {
        let plan = drawn(&scenario, &[], seed);
        faults += plan.faults.len();
        most = most.max(plan.faults.len());
        kinds += plan.faults.iter().map(|fault| fault.inject.kind()).collect::<BTreeSet<_>>().len();
    }
    assert!((20..45).contains(&(faults / 400)), "{} a plan", faults / 400);
    // 9.7 are on; some of them come to nothing by chance.
    assert!((7..11).contains(&(kinds / 400)), "{} kinds a plan", kinds / 400);
    assert!(most < 120, "{most} in one plan");
}

/// Who does not like churn draws what it drew before there were orders.
#[test]
fn members_are_told_to_come_and_go_where_that_is_liked_and_nothing_else_is_drawn_otherwise() {
    let (mut seen, mut told, mut calm) = ([0; CHURN.len()], BTreeSet::new(), 0);
    for preset in PRESETS {
        let scenario = scenario(5, &format!("swarm: {preset}"));
        for seed in 0..100 {
            let (with, without_churn) = (drawn_with_churn(&scenario, &[], seed), drawn(&scenario, &[], seed));
            let orders: Vec<&PlannedFault> =
                with.faults.iter().filter(|fault| fault.inject.kind().is_order()).collect();
            for (place, kind) in CHURN.into_iter().enumerate() {
                let count = count(&with, kind);
                seen[place] += count;
                assert!(count <= 40, "{count} times {} in seed {seed}", kind.name());
            }
            calm += if preset == "Hostile" || preset == "true" { 0 } else { orders.len() };
            told.extend(orders.iter().filter_map(|fault| fault.inject.target()).map(ToString::to_string));
            assert!(orders.iter().all(|order| order.until.is_none() && CHURN.contains(&order.inject.kind())));
            let mut rest = with.clone();
            rest.faults.retain(|fault| !fault.inject.kind().is_order());
            assert_eq!(rest, without_churn, "{preset}, seed {seed}");
        }
    }
    assert_eq!(calm, 0, "only a hostile world gives orders");
    assert!(seen.iter().all(|count| *count > 80), "{seen:?}");
    assert!((1..=5).all(|number| told.contains(&format!("n{number}"))), "{told:?}");
}

/// However long it is: a plan is a file that people read.
#[test]
fn a_long_run_has_hundreds_of_faults_and_a_short_one_some() {
    let mut scenario = scenario(5, "swarm: Hostile");
    for (until, range) in [(Span::ms(200), 1..60), (Span::secs(3_600), 40..1_500)] {
        scenario.workload.until = until;
        let faults: usize = (0..40).map(|seed| drawn(&scenario, &[], seed).faults.len()).sum();
        assert!(range.contains(&(faults / 40)), "{} in {until}", faults / 40);
    }
}

#[test]
fn a_calm_swarm_has_no_fault_and_of_a_mixed_one_an_eighth_is_calm() {
    let calm = scenario(5, "swarm: Calm");
    let mut latencies = BTreeSet::new();
    for seed in 0..50 {
        let plan = drawn(&calm, &[], seed);
        assert!(plan.faults.is_empty() && plan.network.loss.is_zero() && plan.network.duplicate.is_zero());
        latencies.insert(format!("{:?}", plan.network.latency));
    }
    assert!(latencies.len() > 40, "{latencies:?}");
    let mixed = scenario(5, "swarm: true");
    let plans: Vec<_> = (0..800).map(|seed| drawn(&mixed, &[], seed)).collect();
    // Calm ones have neither faults nor loss; some of those of a rack, too. Of 800 a hundred are calm, give or take 9.
    let quiet = plans.iter().filter(|plan| plan.faults.is_empty() && plan.disk.torn.is_zero()).count();
    assert!((70..160).contains(&quiet), "{quiet}");
    let lost = plans.iter().filter(|plan| count(plan, Kind::Wipe) > 0).count();
    // Three eighths are hostile, and a quarter of those wipes: 75, give or take 8.
    assert!((30..115).contains(&lost), "{lost}");
}

#[test]
fn whoever_loses_a_disk_belongs_to_one_minority_and_it_is_recoverable_unless_syncs_lie() {
    for nodes in 3..=7 {
        let scenario = scenario(nodes, "swarm: Hostile");
        let mut lost_some = 0;
        for seed in 0..200 {
            let plan = drawn(&scenario, &[], seed);
            let mut victims = BTreeSet::new();
            for fault in &plan.faults {
                if let Fault::Wipe { target }
                | Fault::Destroy { target }
                | Fault::BitRot { target }
                | Fault::LostSync { target } = &fault.inject
                {
                    let Target::Nodes(names) = target else { panic!("{target:?} are no names") };
                    assert!(!names.is_empty());
                    victims.extend(names);
                }
            }
            assert!(2 * victims.len() < nodes, "seed {seed}: {victims:?} of {nodes}");
            assert!(!plan.disk.recoverable || count(&plan, Kind::LostSync) == 0, "seed {seed}: a lie is no backup");
            let losses = [Kind::Wipe, Kind::Destroy, Kind::BitRot].map(|kind| count(&plan, kind)).iter().sum::<usize>();
            lost_some += usize::from(losses > 0 && plan.disk.recoverable);
            if let Some(Heal::Core(core)) = plan.settle.as_ref().map(|settle| &settle.heal) {
                assert!(2 * core.len() > nodes, "{core:?} is no majority of {nodes}");
                assert!(core.iter().all(|member| !victims.contains(member)), "seed {seed}: {core:?} without disks");
            }
        }
        assert!(lost_some > 50, "{lost_some} of 200 lose disks");
    }
}

#[test]
fn of_eight_hostile_seeds_one_heals_a_core_only_unless_the_scenario_says_what_is_healed() {
    let cores = |more: &str| {
        let scenario = scenario(5, more);
        let is_core = |seed| matches!(drawn(&scenario, &[], seed).settle.expect("it settles").heal, Heal::Core(_));
        (0..800).filter(|seed| is_core(*seed)).count()
    };
    // A hundred, give or take 9.4.
    assert!(cores("swarm: Hostile").abs_diff(100) < 45);
    assert_eq!(cores("swarm: Calm"), 0);
    let mut scenario = scenario(5, "swarm: Hostile");
    scenario.settle = None;
    assert!((0..50).all(|seed| drawn(&scenario, &[], seed).settle.is_none()));
}

#[test]
fn what_the_scenario_says_is_left_as_it_is() {
    let said = r#"swarm: Hostile,
        network: (latency: Const("3ms"), loss: "1%", duplicate: "2%", links: [(from: ["n1"], to: ["n2"], loss: "5%")]),
        disk: (sync: Const("1ms"), unsynced: Nothing, torn: "50%"),
        clocks: (offset: "5ms"),
        faults: [(every: "2s", lasts: "1s", inject: Pause(target: One))]"#;
    let scenario = scenario(5, said);
    let mut calm = scenario.clone();
    calm.swarm = None;
    for seed in 0..50 {
        let (plan, calm) = (drawn(&scenario, &[], seed), drawn(&calm, &[], seed));
        assert_eq!((&plan.network, &plan.clocks), (&calm.network, &calm.clocks));
        assert_eq!(
            (plan.disk.sync, plan.disk.unsynced, plan.disk.torn),
            (calm.disk.sync, calm.disk.unsynced, calm.disk.torn)
        );
        assert!(calm.faults.iter().all(|fault| plan.faults.contains(fault)), "seed {seed}");
    }
}

#[test]
fn faults_begin_in_the_first_seven_eighths_and_leave_time_between_them() {
    let scenario = scenario(5, "swarm: Hostile");
    let (mut kinds, mut lasted) = (0, Span::ZERO);
    for seed in 0..200 {
        let plan = drawn(&scenario, &[], seed);
        kinds += plan.faults.iter().map(|fault| fault.inject.kind()).collect::<BTreeSet<_>>().len() as u64;
        for fault in &plan.faults {
            // Who is swizzled is clogged one after the other.
            let last = if fault.inject.kind() == Kind::Clog { Span::secs(10) } else { Span::ms(8_750) };
            assert!(fault.at <= Time::ZERO + last, "seed {seed}: {fault:?}");
            let lasts = fault.until.map(|until| until.since(fault.at));
            lasted = lasted + lasts.or(fault.when.as_ref().and_then(|when| when.lasts)).unwrap_or(Span::ZERO);
        }
    }
    // Of its ten seconds, each kind is there for two or three.
    let share = lasted.as_ns() / kinds / 100_000_000;
    assert!((10..40).contains(&share), "{share} per cent of the time");
}
