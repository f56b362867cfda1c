//! Faults in words, for reports: `partition n1 | n2 n3`, `kill n3`.

use super::distribution::Distribution;
use super::fault::{Cut, Direction, FAULT_NAMES, Fault, Target};
use super::plan::Operation;
use std::fmt;

/// The kind, and whom or what it hits.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FAULT_NAMES[self.kind()])?;
        match self {
            Fault::Partition(cut) => write!(f, " {cut}"),
            Fault::Kill { target } | Fault::Pause { target } => write!(f, " {target}"),
            Fault::Loss { probability } | Fault::Duplicate { probability } => write!(f, " {probability}"),
            Fault::Delay { extra } | Fault::DiskSlow { extra } => write!(f, " by {extra}"),
            Fault::Heal => Ok(()),
        }
    }
}

/// `n1 n2 | n3`: a bar where nothing passes, an arrow where one direction is lost.
impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cut::Split { from, to, one_way: false } => write!(f, "{} | {}", from.join(" "), to.join(" ")),
            Cut::Split { from, to, one_way: true } => write!(f, "{} -x-> {}", from.join(" "), to.join(" ")),
            Cut::Links(links) => {
                for (place, (from, to)) in links.iter().enumerate() {
                    let comma = if place == 0 { "" } else { ", " };
                    write!(f, "{comma}{from} -x-> {to}")?;
                }
                Ok(())
            }
            Cut::Isolate { target, direction: Direction::Both } => write!(f, "{target} | the rest"),
            Cut::Isolate { target, direction: Direction::Outgoing } => write!(f, "{target} -x-> the rest"),
            Cut::Isolate { target, direction: Direction::Incoming } => write!(f, "the rest -x-> {target}"),
        }
    }
}

/// `write of 1 to key 0`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operation::Read { key } => write!(f, "read of key {key}"),
            Operation::Write { key, value } => write!(f, "write of {value} to key {key}"),
            Operation::Cas { key, from, to } => write!(f, "exchange of {from} for {to} in key {key}"),
            Operation::Add { key, delta } => write!(f, "addition of {delta} to key {key}"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Nodes(names) => f.write_str(&names.join(" ")),
            Target::Role(role) => write!(f, "the {role}"),
        }
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Distribution::Const(span) => write!(f, "{span}"),
            Distribution::Uniform { min, max } => write!(f, "{min} to {max}"),
            Distribution::Exp { min, mean } => write!(f, "{min} or more, {mean} on average"),
            Distribution::LogNormal { median, p99 } => write!(f, "{median} in the middle, {p99} or more for 1%"),
            Distribution::Bimodal { fast, slow, p } => {
                write!(f, "{} to {}, or {} to {} for {p}", fast.min, fast.max, slow.min, slow.max)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_says_its_kind_and_whom_it_hits() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let split = Cut::Split { from: names(&["n1"]), to: names(&["n2", "n3"]), one_way: false };
        assert_eq!(Fault::Partition(split).to_string(), "partition n1 | n2 n3");
        let leader = Target::Role("leader".to_owned());
        assert_eq!(Fault::Kill { target: leader.clone() }.to_string(), "kill the leader");
        let lone = Cut::Isolate { target: leader, direction: Direction::Outgoing };
        assert_eq!(Fault::Partition(lone).to_string(), "partition the leader -x-> the rest");
        assert_eq!(Fault::Heal.to_string(), "heal");
    }
}
