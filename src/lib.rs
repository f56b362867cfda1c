//! squall: a deterministic simulator for distributed protocols.

#[cfg(feature = "cli")]
pub mod cli;
pub mod environment;
pub mod kernel;
pub mod oracle;
pub mod protocol;
pub mod protocols;
#[cfg(feature = "cli")]
pub mod report;
pub mod run;
pub mod scenario;
pub mod systems;
pub mod trace;
pub mod world;
