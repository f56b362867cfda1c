//! Clocks that stand still, that nobody has, or that are worse than their owners believe.

use super::super::diagnostic::{Complaint, did_you_mean, one_of};
use super::super::model::{Clocks, Expect, Scenario};
use super::{STANDSTILL_PPM, too_long};
use crate::kernel::time::Span;

/// What is wrong with the clocks.
pub(super) fn complaints<S>(scenario: &Scenario<S>, members: &[String], found: &mut Vec<Complaint>) {
    let clocks = &scenario.clocks;
    too_long(clocks.offset, "clocks.offset", found);
    too_long(clocks.uncertainty, "clocks.uncertainty", found);
    let standstill = |place: &str| {
        Complaint::at(
            place,
            "a clock that is slow by 1,000,000 millionths stands still",
            "write less than 1_000_000, real clocks drift by less than 500",
        )
    };
    if clocks.drift_ppm >= STANDSTILL_PPM {
        found.push(standstill("clocks.drift_ppm"));
    }
    for (name, clock) in &clocks.nodes {
        if !members.contains(name) {
            let all: Vec<&str> = members.iter().map(String::as_str).collect();
            found.push(Complaint::at(
                &format!("clocks.nodes.{name}"),
                format!("there is no node {name:?} to have a clock"),
                did_you_mean(name, all.iter().copied()).unwrap_or_else(|| format!("write {}", one_of(&all))),
            ));
        }
        let offset = Span::ns(clock.offset.map_or(0, |offset| offset.0.unsigned_abs()));
        too_long(offset, &format!("clocks.nodes.{name}.offset"), found);
        if clock.drift_ppm.unsigned_abs() >= STANDSTILL_PPM {
            found.push(standstill(&format!("clocks.nodes.{name}.drift_ppm")));
        }
    }
    if scenario.expect == Expect::Holds {
        uncertainty(clocks, found);
    }
}

/// A protocol that asks how wrong its clock may be is right to trust the answer. Clocks that are spelled out, and
/// those that a fault sets wrong, are wrong on purpose.
fn uncertainty(clocks: &Clocks, found: &mut Vec<Complaint>) {
    let Clocks { offset, uncertainty, .. } = *clocks;
    if uncertainty > Span::ZERO && uncertainty < offset {
        found.push(Complaint::at(
            "clocks.uncertainty",
            format!(
                "nodes believe their clocks to be off by at most {uncertainty}, but they are off by up to {offset}"
            ),
            format!("raise it to \"{offset}\" or more, or say in `expect` what this breaks"),
        ));
    }
}
