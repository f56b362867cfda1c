//! Plans that were stored in a file: held against what the checks of scenarios say, since a file can be edited.

use super::check;
use super::diagnostic::{Complaint, Diagnostic};
use super::load::{Rules, check_version, decode};
use super::locate::{PathStep, path};
use super::roster::Crew;
use super::text;
use super::undraw::undraw;
use crate::environment::plan::Plan;
use serde::de::DeserializeOwned;

/// Reads data that begins with `squall: 1`, and asks what is wrong with it.
///
/// # Errors
/// The first mistake, with its place and a cure.
pub fn read<T: DeserializeOwned>(
    name: &str,
    bytes: Vec<u8>,
    complaints: impl FnOnce(&T) -> Vec<Complaint>,
) -> Result<T, Diagnostic> {
    let source = decode(name, bytes)?;
    check_version(&source)?;
    let data = text::parse(&source)?;
    let place = |complaint: &Complaint| source.tree.nearest(&complaint.path).map_or(0, |node| node.token().start);
    match complaints(&data).into_iter().min_by_key(place) {
        Some(complaint) => Err(source.complain(complaint)),
        None => Ok(data),
    }
}

/// What is wrong with a plan. It is stored as the field `field`, or by itself if that is empty.
pub fn complaints<S: Clone>(plan: &Plan<S>, field: &str, rules: &Rules<S>) -> Vec<Complaint> {
    let members = (rules.members)(&plan.system, &plan.workload);
    let crew = Crew { members: &members, servers: (rules.servers)(&plan.system, &plan.workload) };
    let scenario = undraw(plan, &members);
    let mut found = check::complaints(&scenario, crew, rules);
    found.extend((rules.complaints)(&scenario));
    found.iter_mut().for_each(|complaint| complaint.path = place_in_plan(&complaint.path));
    if plan.clocks.len() > members.len() {
        let message = format!("there are {} clocks, but {} members", plan.clocks.len(), members.len());
        found.push(Complaint::at("clocks", message, "remove those that nobody has"));
    }
    if let Some(index) = plan.faults.windows(2).position(|pair| pair[1].at < pair[0].at) {
        let message = format!("the fault begins at {}, before the one above it", plan.faults[index + 1].at);
        let place = format!("faults[{}].at", index + 1);
        found.push(Complaint::at(&place, message, "write the faults in the order in which they begin"));
    }
    found.iter_mut().for_each(|complaint| complaint.path.splice(0..0, path(field)).for_each(drop));
    found
}

/// Where a plan says what a scenario says at this place. What is below it in a fault is nested otherwise.
fn place_in_plan(place: &[PathStep]) -> Vec<PathStep> {
    let field = |at: usize| match place.get(at) {
        Some(PathStep::Field(name)) => name.as_str(),
        Some(PathStep::Index(_)) | None => "",
    };
    match (field(0), field(1), field(2)) {
        ("clocks", "uncertainty", _) => path("clock_uncertainty"),
        ("clocks", ..) => place[..1].to_vec(),
        ("faults", _, "inject") => place[..3].to_vec(),
        ("faults", _, "when") => [&place[..3], &path("moment"), &place[3..]].concat(),
        ("faults", _, "after" | "skip") => [&place[..2], &path("when"), &place[2..]].concat(),
        // A core of a plan has names and nothing else.
        ("settle", "heal", _) => {
            place.iter().enumerate().filter(|step| step.0 != 3).map(|step| step.1.clone()).collect()
        }
        _ => place.to_vec(),
    }
}
