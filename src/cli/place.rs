//! `squall place`: which node a key belongs to.

mod keys;
mod lines;
mod nodes;

use super::Exit;
use super::arguments::Format;
use super::terminal::Terminal;
use crate::placement::bounded::Epsilon;
use crate::placement::method::{Method, Placement, Refusal};
use clap::{Args, ValueEnum};
use keys::Keys;
use lines::Lines;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

/// Say which node each key belongs to
///
/// A line a key: the key, a tab, its owner. Names and keys are bytes; they need not be UTF-8.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  squall place --placement md5 --nodes node1,node2,node3 item1 item2
  squall place --placement ketama --nodes 127.0.0.1:11211:1,127.0.0.1:11212:2 key-0
  squall place --placement bounded-load --epsilon 1/10 --nodes-from nodes.txt - < keys.txt
  seq 1000000 | squall place --placement jump --nodes a,b,c - | cut -f2 | sort | uniq -c

Exit codes:
  0  every key has its owner
  1  input or output failed
  2  wrong usage, or nodes that cannot be used so")]
pub(super) struct Place {
    /// How keys are placed
    #[arg(long, value_name = "NAME", env = "SQUALL_PLACEMENT", hide_env = true)]
    placement: Way,

    /// The nodes: name or name:weight, with commas between
    ///
    /// What follows the last colon of an entry is a weight, a whole number up to 1000, so a name with a colon needs one:
    /// 127.0.0.1:11211:1. Blanks around an entry do not count. With weight 0 a node owns nothing. For names with commas and
    /// for larger weights there is --nodes-from.
    #[arg(long, value_name = "LIST", env = "SQUALL_NODES", hide_env = true)]
    #[arg(required_unless_present = "nodes_from")]
    pub(super) nodes: Option<OsString>,

    /// A file with the nodes, a line a node: its name and, after a blank, its weight; - is standard input
    ///
    /// A name with a blank needs a weight. Blank lines do not count.
    #[arg(long, value_name = "FILE", env = "SQUALL_NODES_FROM", hide_env = true)]
    pub(super) nodes_from: Option<PathBuf>,

    /// Points of a node of weight 1 on a ring [default: 1000, with ketama 160]
    ///
    /// With md5 and bounded-load a node has so many times its weight; with ketama it is the mean, a multiple of 4.
    #[arg(long, value_name = "N", env = "SQUALL_POINTS", hide_env = true)]
    points: Option<u32>,

    /// With bounded-load: by how much a node may have more than its share: 1/4, 25% or 0.25 [default: 1/4]
    #[arg(long, value_name = "RATIO", env = "SQUALL_EPSILON", hide_env = true, value_parser = epsilon)]
    epsilon: Option<Epsilon>,

    /// The keys; a single - reads them from standard input, one a line, which may end in a carriage return
    #[arg(required = true, value_name = "KEY")]
    keys: Vec<OsString>,

    /// How to write the results
    #[arg(long, env = "SQUALL_FORMAT", default_value = "human", hide_env = true)]
    format: Format,
}

/// The ways to place keys.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Way {
    /// A ring: point i of a node is at the MD5 digest of its name followed by i, a key at that of the key
    Md5,
    /// The ring of libketama
    Ketama,
    /// Rendezvous: the node with the highest MD5 digest of its name followed by the key; one more draw for each more weight
    Rendezvous,
    /// Jump consistent hash of the first 8 bytes of the key's MD5 digest: nodes in their order, without weights
    Jump,
    /// The ring of md5, but no node takes more than its share and a bit; hangs on the order of the keys
    BoundedLoad,
}

pub(super) fn place(place: &Place, terminal: &mut Terminal) -> io::Result<Exit> {
    match placed(place, terminal) {
        Ok(()) => Ok(Exit::Done),
        Err(Trouble::Usage(message)) => {
            terminal.error(&message);
            Ok(Exit::Usage)
        }
        Err(Trouble::Output(error)) => Err(error),
    }
}

/// Why keys are not placed.
enum Trouble {
    /// What was asked for makes no sense.
    Usage(String),
    /// Input or output fails.
    Output(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        Trouble::Output(error)
    }
}

fn placed(place: &Place, terminal: &mut Terminal) -> Result<(), Trouble> {
    let keys = Keys::of(&place.keys).map_err(Trouble::Usage)?;
    let nodes = nodes::read(place, matches!(keys, Keys::Input)).map_err(Trouble::Usage)?;
    let refused = |refusal: Refusal| {
        let cure = match refusal {
            Refusal::SameName(_) if nodes::has_colons(place) => nodes::CURE_OF_SAME_NAMES,
            Refusal::TooManyPoints(_) => " (--points)",
            _ => "",
        };
        Trouble::Usage(format!("{refusal}{cure}"))
    };
    // What bounded loads may hold hangs on how many keys there are.
    let keys = if place.placement == Way::BoundedLoad { keys.gathered()? } else { keys };
    let method = method(place, keys.count()).map_err(Trouble::Usage)?;
    let mut placement = Placement::new(method, &nodes).map_err(refused)?;
    let mut lines = Lines::new(place.format, &nodes, terminal);
    keys.each(|key, is_awaited| {
        lines.add(key, placement.owner(key))?;
        if is_awaited { lines.flush() } else { Ok(()) }
    })?;
    Ok(lines.flush()?)
}

fn method(place: &Place, keys: u64) -> Result<Method, String> {
    let name = place.placement.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let (points, epsilon) = (place.points, place.epsilon);
    if points.is_some() && matches!(place.placement, Way::Rendezvous | Way::Jump) {
        return Err(format!("--placement {name} has no ring and so no points; leave --points out"));
    }
    if epsilon.is_some() && place.placement != Way::BoundedLoad {
        return Err(format!("--placement {name} bounds no loads; leave --epsilon out"));
    }
    Ok(match place.placement {
        Way::Md5 => Method::Md5 { points: points.unwrap_or(POINTS) },
        Way::Ketama => Method::Ketama { points: points.unwrap_or(KETAMA_POINTS) },
        Way::Rendezvous => Method::Rendezvous,
        Way::Jump => Method::Jump,
        Way::BoundedLoad => Method::BoundedLoad {
            points: points.unwrap_or(POINTS),
            keys,
            epsilon: epsilon.unwrap_or(Epsilon { part: 1, whole: 4 }),
        },
    })
}

/// Points of a node of weight 1.
const POINTS: u32 = 1_000;
/// The same with ketama: four of each of 40 digests.
const KETAMA_POINTS: u32 = 160;

/// Reads `1/4`, `25%` or `0.25`.
fn epsilon(text: &str) -> Result<Epsilon, String> {
    let read = || {
        if let Some((part, whole)) = text.split_once('/') {
            return Some(Epsilon { part: natural(part)?, whole: natural(whole)? });
        }
        let (number, percent) = text.strip_suffix('%').map_or((text, 1), |number| (number, 100));
        let (digits, fraction) = number.split_once('.').map_or((number, ""), |(digits, fraction)| (digits, fraction));
        let scale = 10_u32.checked_pow(fraction.len().try_into().ok()?)?;
        let fraction = if fraction.is_empty() { 0 } else { natural(fraction)? };
        let part = natural(digits)?.checked_mul(scale)?.checked_add(fraction)?;
        Some(Epsilon { part, whole: scale.checked_mul(percent)? })
    };
    match read() {
        Some(epsilon) if epsilon.whole > 0 => Ok(epsilon),
        Some(_) => Err("it divides by zero; write 1/4, 25% or 0.25".to_owned()),
        None => Err("write 1/4, 25% or 0.25".to_owned()),
    }
}

/// A number in digits only.
fn natural(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::{Epsilon, epsilon};

    #[test]
    fn an_epsilon_is_a_ratio_of_integers() {
        let ratios =
            [("1/4", 1, 4), ("0", 0, 1), ("2", 2, 1), ("25%", 25, 100), ("0.25", 25, 100), ("2.5%", 25, 1_000)];
        for (text, part, whole) in ratios {
            assert_eq!(epsilon(text), Ok(Epsilon { part, whole }), "{text}");
        }
        for text in ["", "%", "/", "1/0", "-1", "+1", ".5", "1e3", "1/2/3", "0.00000000001", "4294967296", "1,5"] {
            assert!(epsilon(text).is_err(), "{text}");
        }
    }
}
