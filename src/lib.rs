//! squall: a deterministic simulator for distributed protocols.
//!
//! A protocol is written as a state machine that is handed messages and timers and asks for effects.
//! squall plays it in a world of its own making, with slow and lossy links, disks that lose what was
//! not synced, crashes, pauses, partitions and clocks that drift, and asks oracles after every step
//! whether all promises still hold. A run is a pure function of its [`Plan`](environment::plan::Plan):
//! the same plan gives the same run, down to the last bit of its digest, on every machine.
//!
//! # A protocol in forty lines
//!
//! Two nodes hand each other a token. A promise is broken if both ever hold it.
//!
//! ```
//! use squall::environment::{distribution::Distribution, plan::Plan};
//! use squall::environment::fault::{Fault, PlannedFault, Target};
//! use squall::kernel::{chance::Ratio, time::{Span, Time}};
//! use squall::oracle::spec::{Oracle, Spec, Touch, Verdict, View, Violation};
//! use squall::protocol::{Cast, Found, Io, NodeId, Nothing, Protocol};
//!
//! /// How often the token has been handed over, as far as this node knows: who holds it goes by
//! /// even and odd.
//! #[derive(Clone, Debug)]
//! struct Token { me: NodeId, handovers: u64 }
//!
//! impl Token {
//!     fn is_here(&self) -> bool {
//!         self.handovers % 2 == u64::from(self.me.number())
//!     }
//! }
//!
//! impl Protocol for Token {
//!     type Config = ();
//!     type Message = u64;
//!     type Timer = ();
//!     type Record = u64;
//!     type Fact = Nothing;
//!
//!     fn cast(_: &()) -> Cast {
//!         Cast::members(2)
//!     }
//!
//!     fn boot(_: &(), me: NodeId, disk: Found<'_, u64>, io: &mut Io<'_, Token>) -> Token {
//!         io.arm((), Span::ms(20));
//!         Token { me, handovers: disk.records.last().copied().unwrap_or(0) }
//!     }
//!
//!     fn on_message(&mut self, _: NodeId, handovers: u64, io: &mut Io<'_, Token>) {
//!         if handovers > self.handovers {
//!             self.handovers = handovers;
//!             io.write(handovers);
//!         }
//!     }
//!
//!     fn on_timer(&mut self, (): (), io: &mut Io<'_, Token>) {
//!         if self.is_here() {
//!             self.handovers += 1;
//!             io.write(self.handovers);
//!         }
//!         // If the other got the token first and we lost power, both would have it.
//!         io.sync();
//!         io.send(NodeId::new(1 - self.me.number()), self.handovers);
//!         io.arm((), Span::ms(20));
//!     }
//! }
//!
//! /// At most one node holds the token.
//! #[derive(Clone)]
//! struct OneHolder;
//!
//! impl Oracle<Token> for OneHolder {
//!     fn on_fact(&mut self, _: &View<Token>, _: NodeId, fact: &Nothing) -> Verdict {
//!         match *fact {}
//!     }
//!
//!     fn after_step(&mut self, view: &View<Token>, _: NodeId, _: Touch) -> Verdict {
//!         let both = [NodeId::new(0), NodeId::new(1)];
//!         if !both.iter().all(|node| view.state(*node).is_some_and(Token::is_here)) {
//!             return Ok(());
//!         }
//!         Err(Box::new(Violation::new("token.one-holder", &both, "#0 and #1 both hold the token")))
//!     }
//! }
//!
//! impl Spec for Token {
//!     type Oracles = OneHolder;
//!
//!     fn oracles(_: &()) -> OneHolder {
//!         OneHolder
//!     }
//! }
//!
//! // Without the `io.sync()` above, nearly every seed breaks `token.one-holder`.
//! squall::check::protocol::<Token>("token", |seed| {
//!     let mut plan = Plan::new((), seed, Span::secs(10));
//!     plan.network.loss = Ratio::new(1, 10).expect("a tenth");
//!     plan.disk.sync = Distribution::Uniform { min: Span::ms(1), max: Span::ms(25) };
//!     plan.faults = (1..90).map(|turn| {
//!         let at = Time::ZERO + Span::ms(101).times(turn);
//!         let inject = Fault::Kill { target: Target::Nodes(vec!["n1".to_owned()]) };
//!         PlannedFault { until: Some(at + Span::ms(5)), ..PlannedFault::once(at, inject) }
//!     }).collect();
//!     plan
//! }).seeds(0..20).determinism().run();
//! ```
//!
//! # The tour
//!
//! From the ground up:
//!
//! - [`kernel`]: time, order, chance and the digest. It knows nothing of nodes and messages.
//! - [`protocol`]: the seam. What a node is told ([`Protocol`](protocol::Protocol)) and what it may do
//!   ([`Io`](protocol::Io)). Who writes a protocol starts here.
//! - [`environment`]: what the world does to a node: links, disks, clocks, faults; and the
//!   [`Plan`](environment::plan::Plan), which spells all of it out for one run.
//! - [`oracle`]: what must never be and what must happen. [`Oracle`](oracle::spec::Oracle) is told of
//!   every step; [`linearizable`](oracle::linearizable) checks what clients saw.
//! - [`servers`]: what the real servers answer that locks are built on, as pure values.
//! - [`placement`]: which node a key belongs to: consistent hashing and its relatives, as pure values.
//! - [`trace`]: what happens in a run, as typed values for whoever listens.
//! - [`world`]: one run in progress, as a value that can be cloned at any step.
//! - [`protocols`]: the algorithms that come with squall, and their published defects.
//! - [`run`]: [`play`](run::play::play) turns a plan into an [`Outcome`](run::outcome::Outcome).
//! - [`scenario`]: files in, scenarios out; a scenario and a seed give a plan.
//! - [`systems`]: which protocols a scenario can name. A program of your own implements
//!   [`System`](systems::System) for an enum of its own and gets every command.
//! - [`check`]: the same engine from `cargo test`: a scenario or a protocol over many seeds.
//! - `report` and `cli`: outcomes as text, and the program. They are there with the feature `cli` only,
//!   which is on by default; `default-features = false` leaves the library.
//!
//! `ARCHITECTURE.md` says who may know whom, `manual/decisions.md` why it is so.

pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
pub mod environment;
pub mod kernel;
pub mod oracle;
pub mod placement;
pub mod protocol;
pub mod protocols;
#[cfg(feature = "cli")]
pub mod report;
pub mod run;
pub mod scenario;
pub mod servers;
pub mod systems;
pub mod trace;
pub mod world;
