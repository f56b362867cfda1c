//! Which node a key belongs to: consistent hashing and its relatives, as pure values.
//!
//! A [`Ring`](ring::Ring) has the points of its members on a circle of hashes; a key belongs to the member of the
//! first point not below the key's hash. It is a value: a change of members gives another ring, and
//! [`Movement`](movement::Movement) says what differs between two.
//!
//! ```
//! use squall::placement::movement::Movement;
//! use squall::placement::ring::{Member, Ring, Settings};
//!
//! let names = ["node1", "node2", "node3"];
//! let members = (0..).zip(names).map(|(id, name)| Member::new(id, name, 1_000)).collect();
//! let ring = Ring::new(Settings::default(), members)?;
//! assert_eq!(ring.owner(ring.position("item1")), Some(0));
//!
//! let larger = ring.with(Member::new(3, "node4", 1_000))?;
//! let movement = Movement::between(&ring, &larger, 1);
//! assert!(movement.changes.iter().all(|change| change.to == [3]));
//! assert_eq!(movement.copied().scaled(1_000), 263);
//! # Ok::<(), squall::placement::ring::BadRing>(())
//! ```

pub mod arc;
pub mod bounded;
mod change;
pub mod defects;
pub mod hash;
pub mod jump;
pub mod measure;
pub mod method;
pub mod movement;
pub mod points;
pub mod rendezvous;
pub mod ring;
pub mod rules;
mod scatter;
pub mod succession;
pub mod survey;
