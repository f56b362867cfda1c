//! A second judge of Raft, slow and simple: figure 3 of the paper word for word, by looking at all
//! logs after every step. It listens beside the quick oracles, and the two must agree.
//!
//! `SQUALL_TWIN_RUNS` says how many runs each case gets; the usual number keeps the test short.

#![expect(clippy::disallowed_methods, reason = "a variable says how many seeds")]

mod figure_3 {
    use squall::oracle::spec::View;
    use squall::protocol::NodeId;
    use squall::protocols::raft::log::Entry;
    use squall::protocols::raft::node::{Command, Store};
    use squall::protocols::raft::oracle::Replicated;
    use std::collections::btree_map::Entry as Slot;
    use std::collections::{BTreeMap, BTreeSet};

    type Log = Vec<Entry<Command>>;

    /// Whole copies of everything.
    #[derive(Clone, Default)]
    pub(super) struct Twin {
        leaders: BTreeMap<u64, NodeId>,
        /// The log of each leader when it was last seen, by term and server.
        led: BTreeMap<(u64, NodeId), Log>,
        /// Of every entry that was ever in a log, by index and term, the log up to it.
        logs: BTreeMap<(usize, u64), Log>,
        /// What was committed, and in which term.
        committed: Vec<(Entry<Command>, u64)>,
        applied: Log,
    }

    impl Twin {
        /// Which of the five properties are broken now.
        pub(super) fn after_step(&mut self, view: &View<Store>) -> BTreeSet<&'static str> {
            let mut broken = BTreeSet::new();
            let servers = view.hosts.iter().enumerate();
            let up = servers.filter_map(|(node, host)| {
                let core = host.state.as_ref().and_then(Store::core)?;
                let log = core.log().entries_from(1, core.log().last_index() as usize);
                Some((NodeId::new(node as u16), core, log))
            });
            let up: Vec<_> = up.collect();
            for (node, core, log) in &up {
                if !self.match_others(log) {
                    broken.insert("raft.log-matching");
                }
                if !self.apply(&log[..(core.applied() as usize).min(log.len())]) {
                    broken.insert("raft.state-machine-safety");
                }
                let upto = (core.commit() as usize).min(log.len());
                let known = self.committed.len().min(upto);
                self.committed.extend(log[known..upto].iter().map(|entry| (entry.clone(), core.term())));
                if core.is_leader() && !self.lead(core.term(), *node, log) {
                    broken.insert("raft.leader-append-only");
                }
            }
            for (node, core, log) in up.iter().filter(|(_, core, _)| core.is_leader()) {
                if *self.leaders.entry(core.term()).or_insert(*node) != *node {
                    broken.insert("raft.election-safety");
                }
                if !self.is_complete(core.term(), log) {
                    broken.insert("raft.leader-completeness");
                }
            }
            broken
        }

        /// "If two logs contain an entry with the same index and term, then the logs are identical in
        /// all entries up through the given index."
        fn match_others(&mut self, log: &[Entry<Command>]) -> bool {
            for upto in (1..=log.len()).rev() {
                match self.logs.entry((upto, log[upto - 1].term())) {
                    // All before it was compared when it was put there.
                    Slot::Occupied(known) => return known.get()[..] == log[..upto],
                    Slot::Vacant(new) => drop(new.insert(log[..upto].to_vec())),
                }
            }
            true
        }

        /// "A leader never overwrites or deletes entries in its log; it only appends new entries."
        fn lead(&mut self, term: u64, node: NodeId, log: &[Entry<Command>]) -> bool {
            let before = self.led.entry((term, node)).or_default();
            let appended_only = log.starts_with(before);
            before.clear();
            before.extend_from_slice(log);
            appended_only
        }

        /// "If a log entry is committed in a given term, then that entry will be present in the logs
        /// of the leaders for all higher-numbered terms."
        fn is_complete(&self, term: u64, log: &[Entry<Command>]) -> bool {
            let mut committed = self.committed.iter().enumerate().filter(|(_, (_, committed_in))| *committed_in < term);
            committed.all(|(place, (entry, _))| log.get(place) == Some(entry))
        }

        /// "If a server has applied a log entry at a given index to its state machine, no other
        /// server will ever apply a different log entry for the same index."
        fn apply(&mut self, log: &[Entry<Command>]) -> bool {
            let same = log.iter().zip(&self.applied).all(|(mine, first)| mine == first);
            let known = self.applied.len().min(log.len());
            self.applied.extend_from_slice(&log[known..]);
            same
        }
    }

    /// The names of the five, as the quick oracle calls them.
    pub(super) const PROPERTIES: [&str; 5] = [
        "raft.election-safety",
        "raft.leader-append-only",
        "raft.log-matching",
        "raft.leader-completeness",
        "raft.state-machine-safety",
    ];
}

mod side_by_side {
    use super::figure_3::{PROPERTIES, Twin};
    use squall::environment::distribution::Distribution;
    use squall::kernel::rng::{Dice, Purpose};
    use squall::kernel::time::Span;
    use squall::oracle::spec::{Oracle, Spec, Touch, Verdict, View, Violation};
    use squall::protocol::NodeId;
    use squall::protocols::raft::exhibits::EXHIBITS;
    use squall::protocols::raft::node::{Fact, Store};
    use squall::protocols::raft::rules::Rules;
    use squall::scenario::model::Scenario;
    use squall::systems::raft::{RaftSettings, raft_plan};
    use squall::systems::{BuiltIn, load, plan};
    use squall::trace::Mute;
    use squall::world::World;
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::sync::Arc;

    /// The quick oracles and their twin in one world. It speaks as the quick ones do, unless the
    /// twin disagrees.
    #[derive(Clone)]
    struct Both {
        quick: <Store as Spec>::Oracles,
        twin: Twin,
    }

    fn disagreement<T>(node: NodeId, message: String) -> Result<T, Box<Violation>> {
        Err(Box::new(Violation::new("twin.disagrees", &[node], message)))
    }

    impl Oracle<Store> for Both {
        fn on_fact(&mut self, view: &View<Store>, node: NodeId, fact: &Fact) -> Verdict {
            self.quick.on_fact(view, node, fact)
        }

        fn after_step(&mut self, view: &View<Store>, node: NodeId, touch: Touch) -> Verdict {
            let quick = self.quick.after_step(view, node, touch);
            let broken = self.twin.after_step(view);
            match quick {
                Ok(()) if broken.is_empty() => Ok(()),
                Ok(()) => disagreement(node, format!("the twin sees {broken:?}, the quick oracles nothing so far")),
                Err(found)
                    if PROPERTIES.contains(&found.invariant.as_ref()) && !broken.contains(found.invariant.as_ref()) =>
                {
                    disagreement(node, format!("{}: {}; the twin sees {broken:?}", found.invariant, found.message))
                }
                Err(found) => Err(found),
            }
        }

        fn on_weather(&mut self, view: &View<Store>) {
            self.quick.on_weather(view);
        }
    }

    /// A storm over a small cluster whose surroundings are drawn, too.
    fn storm(storm: &Scenario<BuiltIn>, seed: u64) -> Scenario<BuiltIn> {
        let mut dice = Dice::new(seed, Purpose::Clocks, 1 << 32);
        let mut scenario = storm.clone();
        let cautious = dice.below(2) == 0;
        scenario.system = BuiltIn::Raft(RaftSettings {
            pre_vote: cautious,
            check_quorum: cautious,
            append_max: [1, 2, 64][dice.below(3) as usize],
            append_bytes: None,
            ..RaftSettings::of(3 + dice.below(3) as u16)
        });
        scenario.workload.until = Span::secs(3 + dice.below(3));
        scenario.settle = None;
        let mean = Span::ms(2 + dice.below(30));
        scenario.network.latency = Distribution::Exp { min: Span::ms(1), mean };
        scenario.disk.sync = Distribution::Uniform { min: Span::ms(dice.below(3)), max: Span::ms(3 + dice.below(60)) };
        scenario
    }

    /// A name, and what plants it.
    type Defect = (&'static str, fn(&mut Rules));

    /// Defects of nobody in particular that break what the exhibits leave alone.
    const OTHERS: [Defect; 5] = [
        ("up-to-date-by-index-first", |rules| {
            rules.is_up_to_date = |candidate, mine| (candidate.index, candidate.term) >= (mine.index, mine.term);
        }),
        ("truncate-one-too-late", |rules| {
            rules.truncate_from = |log| log.conflict.map(|from| from + 1).filter(|from| *from <= log.last);
        }),
        ("never-truncate", |rules| rules.truncate_from = |_| None),
        ("acknowledge-one-more", |rules| rules.acknowledge = |verified, last| (verified + 1).min(last)),
        ("every-reply-is-current", |rules| rules.reply_is_current = |_, _| true),
    ];

    /// Runs with a defect planted, or none. Answers how often each invariant was broken.
    fn play(plant: fn(&mut Rules), seeds: std::ops::Range<u64>) -> BTreeMap<String, u64> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/raft/storm.ron");
        let scenario = load::<BuiltIn>(&file).unwrap_or_else(|mistake| panic!("{mistake}"));
        let mut broken = BTreeMap::new();
        for seed in seeds {
            let mut plan = raft_plan(&plan(&storm(&scenario, seed), "twin", seed));
            plant(&mut Arc::get_mut(&mut plan).expect("nobody else has it").system.raft.rules);
            let both = Both { quick: Store::oracles(&plan.system), twin: Twin::default() };
            let mut world = World::<Store, Both, Mute>::new(Arc::clone(&plan), both, Mute);
            let end = plan.calm_from();
            let verdict = world.start().and_then(|()| world.run_until(end, u64::MAX, |_, _| false).map(drop));
            if let Err(failure) = verdict {
                let violation = failure.violation;
                let step = failure.step;
                assert_ne!(violation.invariant, "twin.disagrees", "seed {seed}, step {step}: {}", violation.message);
                *broken.entry(violation.invariant.into_owned()).or_default() += 1;
            }
        }
        broken
    }

    fn runs(usual: u64) -> u64 {
        let asked = std::env::var("SQUALL_TWIN_RUNS").ok();
        asked.map_or(usual, |asked| asked.parse().expect("SQUALL_TWIN_RUNS is a number of runs"))
    }

    #[test]
    fn in_sound_storms_neither_says_anything() {
        assert_eq!(play(|_| {}, 0..runs(1_000)), BTreeMap::new());
    }

    #[test]
    fn with_a_defect_planted_they_see_the_same() {
        let mut seen = BTreeMap::new();
        let planted = EXHIBITS.iter().map(|exhibit| (exhibit.id, exhibit.plant));
        for (id, plant) in planted.chain(OTHERS) {
            let broken = play(plant, 0..runs(200));
            println!("{id}: {broken:?}");
            for (invariant, count) in broken {
                *seen.entry(invariant).or_insert(0) += count;
            }
        }
        // A leader that removes from its own log takes more than a replaced rule.
        for property in PROPERTIES.iter().filter(|property| **property != "raft.leader-append-only") {
            assert!(seen.contains_key(*property), "nothing broke {property}, so nothing was compared: {seen:?}");
        }
    }
}
