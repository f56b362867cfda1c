//! The systems that a scenario can name: the one room that names every protocol.

pub mod lock;
pub mod raft;
pub mod ring;
pub mod subject;

use crate::environment::fault::Kind;
use crate::environment::plan::{ENGINE, FORMAT, Plan, Workload};
use crate::kernel::time::Span;
use crate::placement::succession::Succession;
use crate::protocols::exhibit;
use crate::protocols::{lock as locks, raft as rafts, ring as rings};
use crate::run::capsule::{Capsule, Recorder, Trail};
use crate::run::outcome::{Expectation, Outcome};
use crate::run::play::play_watched;
use crate::run::watch::{Unwatched, Watch};
use crate::scenario::diagnostic::{Complaint, Diagnostic};
use crate::scenario::draw::draw;
use crate::scenario::load::{self, Rules as LoadRules};
use crate::scenario::model::{Expect, Scenario};
use crate::scenario::roster::{Crew, Roster, Vocabulary};
use crate::scenario::{stored, text};
use lock::{LockSettings, lock_plan};
use raft::{RaftSettings, raft_plan};
use ring::{RingSettings, ring_plan};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::path::Path;

/// The systems that a program knows: what a scenario's `system:` may say, and how it is played.
///
/// Those of squall are [`BuiltIn`]. A program of a user's own has an enum of its own, and gets every
/// command with [`crate::cli::main`].
pub trait System: DeserializeOwned + Serialize + Clone + PartialEq + Debug + Send + Sync + 'static {
    /// The system's name in outcomes, `"raft"`.
    fn name(&self) -> &'static str;

    /// The names of the nodes that faults can hit, servers first; with this workload, if clients are among them.
    fn members(&self, workload: &Workload) -> Vec<String>;

    /// How many of them are servers, of whom sizes and shapes of faults speak: at least 1, at most all. Default: all.
    fn servers(&self, workload: &Workload) -> usize {
        self.members(workload).len()
    }

    /// What is wrong with a scenario for reasons that only its system knows.
    fn complaints(scenario: &Scenario<Self>) -> Vec<Complaint>;

    /// Plays a plan to its outcome, while somebody watches.
    fn play_watched(plan: &Plan<Self>, watch: &mut dyn Watch) -> Outcome;

    /// Plays a plan to its outcome.
    fn play(plan: &Plan<Self>) -> Outcome {
        Self::play_watched(plan, &mut Unwatched)
    }

    /// The same system made simpler in one respect, in as many ways as there are, the greatest step first:
    /// fewer nodes, an option off. Shrinking tries them.
    fn simpler(&self) -> Vec<Self> {
        Vec::new()
    }

    /// The kinds of faults that the system does not claim to survive: a swarm has none of them. Default: to lose what
    /// a disk has acknowledged, for a protocol that counts on its disks is right to do so.
    fn spares(&self) -> &'static [Kind] {
        &[Kind::Wipe, Kind::LostSync, Kind::BitRot]
    }

    /// The orders of an operator that it understands, of [`Kind::ORDERS`]: a scenario that gives another one is refused.
    /// See [`Protocol::on_order`](crate::protocol::Protocol::on_order). Default: none.
    fn orders(&self) -> &'static [Kind] {
        &[]
    }

    /// The orders that a hostile swarm gives to its servers at random, of those that it understands and survives whenever they
    /// come: to join and to leave, to replace each other, to lead, what weight and zone they have. Default: none.
    fn churn(&self) -> &'static [Kind] {
        &[]
    }

    /// The ring of a plan, and what becomes of it by the orders that the plan spells out; `None` for a system without a
    /// ring, which is the default.
    fn succession(_plan: &Plan<Self>) -> Option<Succession> {
        None
    }

    /// In what time links and disks must usually answer, or the system makes no progress: its shortest timeout. The
    /// surroundings that a swarm draws are quicker than that, its faults are not. Default: 150 ms.
    fn pace(&self) -> Span {
        Span::ms(150)
    }

    /// What may break in this system, and what its faults may aim at and wait for. Default: all that the catalogue has.
    fn vocabulary(&self) -> Vocabulary {
        let Catalogue { invariants, goals, roles, facts, messages, .. } = Self::catalogue();
        Vocabulary { invariants: names_of(&invariants).collect(), goals, roles, facts, messages }
    }

    /// What there is to list.
    fn catalogue() -> Catalogue;

    /// A scenario to start from, explained in comments, for the system of this name as [`Catalogue::systems`] has it; `{title}`
    /// stands in it for a title in quotes. `None` of a system that has none, which is the default.
    fn beginning(_system: &str) -> Option<&'static str> {
        None
    }
}

/// What a program knows about its systems.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// The systems, as scenarios name them: (`"Raft"`, a sentence).
    pub systems: Vec<(&'static str, &'static str)>,
    /// The invariants of all systems: (name, a sentence).
    pub invariants: Vec<(&'static str, &'static str)>,
    /// The goals of all systems.
    pub goals: Vec<&'static str>,
    /// The roles that faults can aim at.
    pub roles: Vec<&'static str>,
    /// The kinds of facts that faults can wait for.
    pub facts: Vec<&'static str>,
    /// The kinds of messages that faults can wait for.
    pub messages: Vec<&'static str>,
    /// The planted defects.
    pub exhibits: Vec<Exhibit>,
}

impl Catalogue {
    /// What an invariant promises, in a sentence.
    pub fn promise(&self, invariant: &str) -> Option<&'static str> {
        self.invariants.iter().find(|(name, _)| *name == invariant).map(|(_, sentence)| *sentence)
    }
}

/// A planted defect, for a reader.
#[derive(Clone, Debug)]
pub struct Exhibit {
    /// Its name in a scenario.
    pub id: &'static str,
    /// The system it is planted in.
    pub system: &'static str,
    /// What it does, against what a sound one does.
    pub story: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// The invariants of which one breaks.
    pub invariants: &'static [&'static str],
    /// `"common"`, `"specific"` or `"very rare"`.
    pub rarity: &'static str,
}

/// The defects that can be planted in a system, for a reader.
fn shown<R>(system: &'static str, exhibits: &'static [exhibit::Exhibit<R>]) -> impl Iterator<Item = Exhibit> {
    exhibits.iter().map(move |exhibit| Exhibit {
        id: exhibit.id,
        system,
        story: exhibit.story,
        source: exhibit.source,
        invariants: exhibit.invariants,
        rarity: exhibit.rarity.name(),
    })
}

/// What may break in every system.
const PANIC: (&str, &str) = ("protocol.panic", "no handler of a protocol panics");

/// The names of these invariants.
fn names_of(invariants: &[(&'static str, &'static str)]) -> impl Iterator<Item = &'static str> {
    invariants.iter().map(|(name, _)| *name)
}

/// These names, each once.
fn united(lists: &[&[&'static str]]) -> Vec<&'static str> {
    let mut united = Vec::new();
    for name in lists.iter().copied().flatten() {
        if !united.contains(name) {
            united.push(*name);
        }
    }
    united
}

/// Reads a scenario file.
///
/// # Errors
/// The first mistake, with its place and a cure.
pub fn load<S: System>(path: &Path) -> Result<Scenario<S>, Diagnostic> {
    with_rules(|rules| load::load(path, rules))
}

/// Reads a scenario from its text, as if it stood in a file of this name.
///
/// # Errors
/// The first mistake, with its place and a cure.
pub fn parse<S: System>(name: &str, text: &str) -> Result<Scenario<S>, Diagnostic> {
    with_rules(|rules| load::parse(name, text, rules))
}

/// Does something with what the loader must ask about these systems.
fn with_rules<S: System, R>(read: impl FnOnce(&LoadRules<S>) -> R) -> R {
    let catalogue = S::catalogue();
    let exhibits: Vec<&str> = catalogue.exhibits.iter().map(|exhibit| exhibit.id).collect();
    let rules = LoadRules {
        members: S::members,
        servers: S::servers,
        name: S::name,
        orders: S::orders,
        complaints: complaints::<S>,
        exhibits: &exhibits,
        vocabulary: S::vocabulary,
    };
    read(&rules)
}

/// What is wrong with a scenario for reasons that systems know.
fn complaints<S: System>(scenario: &Scenario<S>) -> Vec<Complaint> {
    let (catalogue, mine) = (S::catalogue(), scenario.system.name());
    let mut complaints = S::complaints(scenario);
    for (index, id) in scenario.exhibits.iter().enumerate() {
        if let Some(exhibit) = catalogue.exhibits.iter().find(|exhibit| exhibit.id == id && exhibit.system != mine) {
            let message = format!("{id} is a defect of {}, and cannot be planted in {mine}", exhibit.system);
            complaints.push(Complaint::at(&format!("exhibits[{index}]"), message, "remove it, or name another system"));
        }
    }
    complaints
}

/// The plan that a scenario of this name draws with a seed.
pub fn plan<S: System>(scenario: &Scenario<S>, name: &str, seed: u64) -> Plan<S> {
    plan_sparing(scenario, scenario.system.spares(), name, seed)
}

/// The plan that it draws if a swarm has no faults of these kinds.
pub fn plan_sparing<S: System>(scenario: &Scenario<S>, spares: &[Kind], name: &str, seed: u64) -> Plan<S> {
    let members = scenario.system.members(&scenario.workload);
    let crew = Crew { members: &members, servers: scenario.system.servers(&scenario.workload) };
    if scenario.swarm.is_none() {
        return draw(scenario, name, &Roster { crew, ..Roster::of(&members) }, seed);
    }
    let Vocabulary { mut roles, mut goals, mut messages, .. } = scenario.system.vocabulary();
    // Some have an owner for every key; a swarm knows of no keys.
    roles.retain(|role| *role != "owner");
    let (churn, pace) = (scenario.system.churn(), scenario.system.pace());
    // Without an operator nobody waits for what only he brings about, nor if he does no more than to move the lead.
    let is_still = churn.iter().all(|order| *order == Kind::TransferLeadership);
    messages.retain(|label| !is_still || !raft::ORDERED.contains(label));
    goals.retain(|goal| !is_still || !raft::ORDERED_GOALS.contains(goal));
    let roster = Roster { crew, roles: &roles, goals: &goals, messages: &messages, spares, churn, pace };
    draw(scenario, name, &roster, seed)
}

/// Plays a plan and leaves a trail.
pub fn record<S: System>(plan: &Plan<S>) -> (Outcome, Trail) {
    let mut recorder = Recorder::default();
    let outcome = S::play_watched(plan, &mut recorder);
    (outcome, recorder.trail)
}

/// Reads a capsule from its file.
///
/// # Errors
/// The first mistake, with its place and a cure.
pub fn load_capsule<S: System>(path: &Path) -> Result<Capsule<S>, Diagnostic> {
    let name = path.display().to_string();
    let bytes = load::read(path).map_err(|(message, help)| Diagnostic::without_place(&name, message, help))?;
    checked_capsule(&name, bytes)
}

/// Reads a capsule's text, and holds its plan against the checks of scenarios.
fn checked_capsule<S: System>(name: &str, bytes: Vec<u8>) -> Result<Capsule<S>, Diagnostic> {
    with_rules(|rules| {
        stored::read(name, bytes, |capsule: &Capsule<S>| {
            let mut complaints = stored::complaints(&capsule.plan, "plan", rules);
            complaints.extend(load::known_invariant(
                &capsule.broke.invariant,
                "broke.invariant",
                &capsule.plan.system,
                rules,
            ));
            complaints
        })
    })
}

/// A plan of one of these systems.
pub type PlanOf<S> = Plan<S>;

/// What is wrong with a plan, as the checks of scenarios see it.
pub fn complaints_about<S: System>(plan: &Plan<S>) -> Vec<Complaint> {
    with_rules(|rules| stored::complaints(plan, "", rules))
}

/// A capsule as it was found.
#[derive(Clone, Debug)]
pub enum FoundCapsule<S> {
    /// It can be played.
    Fresh(Box<Capsule<S>>),
    /// It was written by a program for which it means something else, for this reason.
    Stale(String),
}

const A_CAPSULE: &str = "name a file that ends in .capsule.ron; a sweep leaves one of each kind of failure";

/// Reads a capsule that another version of the program may have written.
///
/// # Errors
/// The first mistake, with its place and a cure, if this is no capsule.
pub fn find_capsule<S: System>(path: &Path) -> Result<FoundCapsule<S>, Diagnostic> {
    let name = path.display().to_string();
    let bytes = load::read(path).map_err(|(message, help)| Diagnostic::without_place(&name, message, help))?;
    if text::glimpse(&bytes, "broke").is_none() {
        let (what, help) = match text::glimpse(&bytes, "system") {
            Some(_) => ("this is a scenario, no capsule", format!("play it with: squall run {}", path.display())),
            None if bytes.trim_ascii().is_empty() => ("this file is empty", A_CAPSULE.to_owned()),
            None => ("this is no capsule: nothing says what broke", A_CAPSULE.to_owned()),
        };
        return Err(Diagnostic::without_place(&name, what, help));
    }
    let number = |place| text::glimpse(&bytes, place).and_then(|text| text.parse::<u32>().ok());
    if let Some(format) = number("squall").filter(|format| *format != FORMAT) {
        return Ok(FoundCapsule::Stale(format!("it has format {format}, and this program reads format {FORMAT}")));
    }
    if let Some(engine) = number("plan.engine").filter(|engine| *engine != ENGINE) {
        let why = format!("its seed is one of engine {engine}, and this program is engine {ENGINE}");
        return Ok(FoundCapsule::Stale(why));
    }
    Ok(FoundCapsule::Fresh(Box::new(checked_capsule(&name, bytes)?)))
}

/// What a scenario expects of its runs.
pub fn expectation<S>(scenario: &Scenario<S>) -> Expectation<'_> {
    match &scenario.expect {
        Expect::Holds => Expectation::Holds,
        Expect::Breaks(invariants) => Expectation::Breaks(invariants),
    }
}

/// The systems that come with squall.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum BuiltIn {
    /// Raft, replicating a key-value store.
    Raft(RaftSettings),
    /// A lock service, clients that contend, and a resource that the locks guard.
    Lock(LockSettings),
    /// A key-value store on a ring of consistent hashing, whose members come and go.
    Ring(RingSettings),
}

impl System for BuiltIn {
    fn beginning(system: &str) -> Option<&'static str> {
        match system {
            "Raft" => Some(include_str!("systems/raft.ron")),
            "Lock" => Some(include_str!("systems/lock.ron")),
            "Ring" => Some(include_str!("systems/ring.ron")),
            _ => None,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            BuiltIn::Raft(_) => "raft",
            BuiltIn::Lock(_) => "lock",
            BuiltIn::Ring(_) => "ring",
        }
    }

    fn members(&self, workload: &Workload) -> Vec<String> {
        match self {
            BuiltIn::Raft(settings) => (1..=settings.servers()).map(|place| format!("n{place}")).collect(),
            BuiltIn::Lock(settings) => settings.members(workload),
            BuiltIn::Ring(settings) => settings.members(),
        }
    }

    fn servers(&self, workload: &Workload) -> usize {
        match self {
            BuiltIn::Raft(_) | BuiltIn::Ring(_) => self.members(workload).len(),
            BuiltIn::Lock(settings) => settings.servers(),
        }
    }

    fn complaints(scenario: &Scenario<BuiltIn>) -> Vec<Complaint> {
        match &scenario.system {
            BuiltIn::Raft(settings) => {
                let mut complaints = settings.complaints();
                complaints.extend(settings.complaints_about(scenario));
                complaints
            }
            BuiltIn::Lock(settings) => settings.complaints(scenario),
            BuiltIn::Ring(settings) => settings.complaints(scenario),
        }
    }

    fn play_watched(plan: &Plan<BuiltIn>, watch: &mut dyn Watch) -> Outcome {
        match &plan.system {
            BuiltIn::Raft(_) => play_watched::<rafts::node::Store>(&raft_plan(plan), "raft", watch),
            BuiltIn::Lock(_) => play_watched::<locks::node::Lock>(&lock_plan(plan), "lock", watch),
            BuiltIn::Ring(_) => play_watched::<rings::node::Node>(&ring_plan(plan), "ring", watch),
        }
    }

    fn pace(&self) -> Span {
        match self {
            BuiltIn::Raft(settings) => settings.election_timeout.min,
            BuiltIn::Lock(settings) => settings.pace(),
            BuiltIn::Ring(settings) => settings.pace(),
        }
    }

    /// A server of Raft knows a disk that is new or rotten, and stays away; one of the ring is another member with it. Of a
    /// sync that lied nobody can know.
    fn spares(&self) -> &'static [Kind] {
        match self {
            BuiltIn::Raft(settings) => settings.spared(),
            BuiltIn::Lock(_) => &[Kind::Wipe, Kind::LostSync, Kind::BitRot],
            BuiltIn::Ring(_) => &[Kind::LostSync],
        }
    }

    fn simpler(&self) -> Vec<BuiltIn> {
        match self {
            BuiltIn::Raft(settings) => settings.simpler().into_iter().map(BuiltIn::Raft).collect(),
            BuiltIn::Lock(settings) => settings.simpler().into_iter().map(BuiltIn::Lock).collect(),
            BuiltIn::Ring(settings) => settings.simpler().into_iter().map(BuiltIn::Ring).collect(),
        }
    }

    fn vocabulary(&self) -> Vocabulary {
        match self {
            BuiltIn::Raft(settings) => settings.vocabulary(),
            BuiltIn::Lock(settings) => settings.vocabulary(),
            BuiltIn::Ring(settings) => settings.vocabulary(),
        }
    }

    fn orders(&self) -> &'static [Kind] {
        match self {
            BuiltIn::Raft(_) => &RaftSettings::ORDERS,
            BuiltIn::Lock(_) => &[],
            BuiltIn::Ring(_) => &ring::ORDERS,
        }
    }

    fn succession(plan: &Plan<BuiltIn>) -> Option<Succession> {
        matches!(plan.system, BuiltIn::Ring(_)).then(|| ring::succession::succession(plan))
    }

    fn churn(&self) -> &'static [Kind] {
        match self {
            BuiltIn::Raft(settings) => settings.churn(),
            BuiltIn::Lock(_) => &[],
            BuiltIn::Ring(_) => &ring::CHURN,
        }
    }

    fn catalogue() -> Catalogue {
        Catalogue {
            systems: vec![
                ("Raft", "Raft, replicating a key-value store with client sessions"),
                ("Lock", "a lock service of some kind, clients that contend, and a resource that the locks guard"),
                ("Ring", "a key-value store on a ring of consistent hashing, whose members come and go"),
            ],
            invariants: [
                &rafts::oracle::INVARIANTS,
                rafts::spec::INVARIANTS.as_slice(),
                &locks::oracle::INVARIANTS,
                &rings::oracle::INVARIANTS,
                &[PANIC],
            ]
            .concat(),
            goals: [rafts::oracle::GOALS.as_slice(), &locks::oracle::GOALS, &rings::oracle::GOALS].concat(),
            roles: vec!["leader", "primary", "lock-holder", "owner"],
            facts: united(&[&rafts::node::FACTS, &locks::node::FACTS, &rings::node::FACTS]),
            messages: united(
                &[
                    &[rafts::message::MESSAGES.as_slice(), &rafts::node::MESSAGES, &rings::message::MESSAGES],
                    locks::kind::MESSAGES.as_slice(),
                ]
                .concat(),
            ),
            exhibits: shown("raft", &rafts::exhibits::EXHIBITS)
                .chain(shown("lock", &locks::exhibits::EXHIBITS))
                .chain(shown("ring", &rings::exhibits::EXHIBITS))
                .collect(),
        }
    }
}
