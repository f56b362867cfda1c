//! The world and what goes wrong in it: nodes, links, disks and clocks under faults, with protocols that do nothing else.

#[path = "world/exact.rs"]
mod exact;
#[path = "world/metronome.rs"]
mod metronome;
#[path = "world/probe.rs"]
mod probe;

#[path = "world/audit.rs"]
mod audit;
#[path = "world/calm.rs"]
mod calm;
#[path = "world/connections.rs"]
mod connections;
#[path = "world/conservation.rs"]
mod conservation;
#[path = "world/environment.rs"]
mod environment;
#[path = "world/fingerprint.rs"]
mod fingerprint;
#[path = "world/gate.rs"]
mod gate;
#[path = "world/independence.rs"]
mod independence;
#[path = "world/lives.rs"]
mod lives;
#[path = "world/moments.rs"]
mod moments;
#[path = "world/reach.rs"]
mod reach;
#[path = "world/timers.rs"]
mod timers;
#[path = "world/walls.rs"]
mod walls;
