//! Placements are what other programs make them, rings are what they are by definition, and planted defects show.

#[path = "placement/bounds.rs"]
mod bounds;
#[path = "placement/defects.rs"]
mod defects;
#[path = "placement/dice.rs"]
mod dice;
#[path = "placement/plain.rs"]
mod plain;
#[path = "placement/sequences.rs"]
mod sequences;
#[path = "placement/vectors.rs"]
mod vectors;
