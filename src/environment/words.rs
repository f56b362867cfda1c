//! Faults in words, for reports: `partition n1 | n2 n3`, `kill n3`.

use super::distribution::Distribution;
use super::fault::{Command, Direction, Fault, LinkSet, Moment, PlannedFault, Target, Trigger};
use super::plan::Operation;
use crate::kernel::time::{Span, Time};
use std::fmt;

impl PlannedFault {
    /// What happens, and what it waits for if it does: `kill n3 5ms after a write, number 2`.
    pub fn what(&self) -> String {
        let Some(trigger) = &self.when else { return self.inject.to_string() };
        let sign = if trigger.after.is_zero() { "at " } else { "" };
        let length = trigger.lasts.map_or(String::new(), |lasts| format!(", for {lasts}"));
        format!("{} {sign}{trigger}{length}", self.inject)
    }
}

/// What happens and when it begins: `kill n3 at 2s`, `kill n3 at a write, from 2s on`.
impl fmt::Display for PlannedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.since(Time::ZERO);
        match (&self.when, at) {
            (None, _) => write!(f, "{} at {at}", self.inject),
            (Some(_), Span::ZERO) => f.write_str(&self.what()),
            (Some(_), _) => write!(f, "{}, from {at} on", self.what()),
        }
    }
}

/// The kind, and whom or what it hits.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().name())?;
        match self {
            Fault::Partition(links) => return write!(f, " {links}"),
            Fault::Kill { target }
            | Fault::Wipe { target }
            | Fault::Destroy { target }
            | Fault::Pause { target }
            | Fault::ClockFreeze { target }
            | Fault::DiskStall { target }
            | Fault::DiskFull { target }
            | Fault::TornWrite { target }
            | Fault::LostSync { target }
            | Fault::BitRot { target } => write!(f, " {target}")?,
            Fault::Loss { probability, burst: 1, .. }
            | Fault::Duplicate { probability, .. }
            | Fault::Corrupt { probability, .. } => write!(f, " {probability}")?,
            Fault::Loss { probability, burst, .. } => write!(f, " {probability} in bursts of {burst}")?,
            Fault::Reorder { probability, within, .. } => write!(f, " {probability} within {within}")?,
            Fault::Bandwidth { rate, queue, .. } => write!(f, " {rate}, queue {queue}")?,
            Fault::Delay { extra, .. } | Fault::DiskSlow { extra, target: None } => write!(f, " by {extra}")?,
            Fault::DiskSlow { extra, target: Some(target) } => write!(f, " {target} by {extra}")?,
            Fault::SlowNode { target, handling } => write!(f, " {target}: {handling} each")?,
            Fault::ClockJump { target, by } => write!(f, " {target} by {by}")?,
            Fault::ClockDrift { target, ppm } => write!(f, " {target} by {ppm} ppm")?,
            Fault::DiskError { target, write, sync } => {
                let often = [(write, "writes"), (sync, "syncs")].into_iter().filter(|(often, _)| !often.is_zero());
                let told: Vec<String> = often.map(|(often, what)| format!("{often} of {what}")).collect();
                write!(f, " {target}: {}", told.join(", "))?;
            }
            Fault::Order { target, command } => match command {
                Command::Join | Command::Leave | Command::Rebalance => write!(f, " {target}")?,
                Command::ReplaceMember { member } => write!(f, " {member} by {target}")?,
                Command::Reweigh { weight } => write!(f, " {target} to {weight}")?,
                Command::Rezone { zone } => write!(f, " {target} to zone {zone}")?,
                Command::TransferLeadership => write!(f, " to {target}")?,
            },
            Fault::Clog { .. } | Fault::Heal => {}
        }
        match self.links() {
            Some(links) => {
                f.write_str(" on ")?;
                arrows(f, links, "<->", "->")
            }
            None => Ok(()),
        }
    }
}

/// `n1 n2 | n3`: a bar where nothing passes, an arrow where one direction is lost.
impl fmt::Display for LinkSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        arrows(f, self, "|", "-x->")
    }
}

/// The links, with a sign between those at the ends, for both directions or for one.
fn arrows(f: &mut fmt::Formatter<'_>, links: &LinkSet, both: &str, one: &str) -> fmt::Result {
    match links {
        LinkSet::Split { from, to, one_way } => {
            let sign = if *one_way { one } else { both };
            write!(f, "{} {sign} {}", from.join(" "), to.join(" "))
        }
        LinkSet::Links(links) => {
            for (place, (from, to)) in links.iter().enumerate() {
                let comma = if place == 0 { "" } else { ", " };
                write!(f, "{comma}{from} {one} {to}")?;
            }
            Ok(())
        }
        LinkSet::Isolate { target, direction: Direction::Both } => write!(f, "{target} {both} the rest"),
        LinkSet::Isolate { target, direction: Direction::Outgoing } => write!(f, "{target} {one} the rest"),
        LinkSet::Isolate { target, direction: Direction::Incoming } => write!(f, "the rest {one} {target}"),
    }
}

/// `20ms after raft.leader-elected, number 3`: what a fault waits for.
impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.after > Span::ZERO {
            write!(f, "{} after ", self.after)?;
        }
        match &self.moment {
            Moment::Goal(name) => f.write_str(name)?,
            Moment::Fact(name) => write!(f, "the fact {name}")?,
            Moment::Message(name) => write!(f, "a message {name}")?,
            Moment::Written => f.write_str("a write")?,
            Moment::Syncing => f.write_str("the start of a sync")?,
            Moment::Synced => f.write_str("the end of a sync")?,
            Moment::Started => f.write_str("a start")?,
            Moment::Crashed => f.write_str("a crash")?,
        }
        match self.skip {
            0 => Ok(()),
            skip => write!(f, ", number {}", u64::from(skip) + 1),
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
            Target::Holders(role) => write!(f, "every {role}"),
            Target::Subject => f.write_str("the node in question"),
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
    use crate::kernel::chance::Ratio;

    #[test]
    fn a_fault_says_its_kind_and_whom_it_hits() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let split = LinkSet::Split { from: names(&["n1"]), to: names(&["n2", "n3"]), one_way: false };
        assert_eq!(Fault::Partition(split).to_string(), "partition n1 | n2 n3");
        let leader = Target::Role("leader".to_owned());
        assert_eq!(Fault::Kill { target: leader.clone() }.to_string(), "kill the leader");
        let lone = LinkSet::Isolate { target: leader, direction: Direction::Outgoing };
        assert_eq!(Fault::Partition(lone).to_string(), "partition the leader -x-> the rest");
        assert_eq!(Fault::Heal.to_string(), "heal");
        let order = |command| Fault::Order { target: Target::Nodes(names(&["n6"])), command }.to_string();
        assert_eq!(order(Command::Join), "join n6");
        let member = Target::Nodes(names(&["n2"]));
        assert_eq!(order(Command::ReplaceMember { member }), "replace-member n2 by n6");
        assert_eq!(order(Command::Reweigh { weight: 50 }), "reweigh n6 to 50");
        assert_eq!(order(Command::Rezone { zone: 2 }), "rezone n6 to zone 2");
        assert_eq!(order(Command::TransferLeadership), "transfer-leadership to n6");
        let error = |write, sync| Fault::DiskError { target: Target::Subject, write, sync }.to_string();
        assert_eq!(error(Ratio::ZERO, Ratio::ONE), "disk-error the node in question: 100% of syncs");
        assert_eq!(error(Ratio::ONE, Ratio::ONE), "disk-error the node in question: 100% of writes, 100% of syncs");
    }

    #[test]
    fn a_planned_fault_says_when_it_begins() {
        let at = Time::ZERO + Span::ms(1_500);
        let mut fault = PlannedFault::once(at, Fault::Kill { target: Target::Subject });
        assert_eq!(fault.to_string(), "kill the node in question at 1.5s");
        let mut wait = |moment: Moment, skip, after| {
            fault.when = Some(Trigger { moment, skip, after, lasts: Some(Span::secs(9)) });
            fault.to_string()
        };
        assert_eq!(
            wait(Moment::Written, 2, Span::ZERO),
            "kill the node in question at a write, number 3, for 9s, from 1.5s on"
        );
        let elected = Moment::Goal("raft.leader-elected".to_owned());
        let told = wait(elected, 0, Span::ms(20));
        assert_eq!(told, "kill the node in question 20ms after raft.leader-elected, for 9s, from 1.5s on");
    }
}
