//! Scenario files: RON text to a scenario, a scenario and a seed to a plan.
//!
//! A scenario is generic over the system that runs in it, which is known one floor up; what the
//! reader must ask about systems is told by [`load::Rules`].
//!
//! ```
//! use squall::scenario::{draw::draw, load::{Rules, parse}, roster::{Roster, Vocabulary}};
//!
//! /// A system that has nothing but members.
//! #[derive(Clone, Debug, serde::Deserialize)]
//! struct Gossip { nodes: u16 }
//!
//! let rules = Rules::<Gossip> {
//!     members: |gossip, _| (1..=gossip.nodes).map(|node| format!("n{node}")).collect(),
//!     servers: |gossip, _| usize::from(gossip.nodes),
//!     name: |_| "gossip",
//!     orders: |_| &[],
//!     complaints: |_| Vec::new(),
//!     exhibits: &[],
//!     vocabulary: |_| Vocabulary { invariants: vec!["gossip.convergence"], ..Vocabulary::default() },
//! };
//! let text = r#"(squall: 1, system: Gossip(nodes: 3), workload: (until: "30s"),
//!     faults: [(every: "5s", lasts: "2s", inject: Pause(target: One))])"#;
//! let scenario = parse("gossip/sleepers.ron", text, &rules)?;
//! let members = (rules.members)(&scenario.system, &scenario.workload);
//! let plan = draw(&scenario, "gossip/sleepers", &Roster::of(&members), 42);
//! assert_eq!(plan.faults.len(), 5);
//!
//! let wrong = parse("gossip/sleepers.ron", &text.replace("lasts", "latss"), &rules).unwrap_err();
//! assert!(wrong.to_string().starts_with("gossip/sleepers.ron:2:28: unknown field `latss`"));
//! # Ok::<(), squall::scenario::diagnostic::Diagnostic>(())
//! ```

mod check;
pub mod diagnostic;
pub mod draw;
mod examples;
mod explain;
pub mod fault;
pub mod inject;
mod layer;
pub mod load;
pub mod locate;
pub mod model;
pub mod network;
pub mod roster;
pub mod seed;
pub mod shell;
pub mod stored;
pub mod swarm;
pub mod target;
pub mod text;
pub mod tidy;
mod token;
pub mod undraw;
pub mod when;
