//! squall: a deterministic simulator for distributed protocols.

pub mod environment;
pub mod kernel;
pub mod oracle;
pub mod scenario;
