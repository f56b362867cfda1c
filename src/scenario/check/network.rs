//! Links that carry nothing, and places that nobody or somebody twice is in.

use super::super::diagnostic::Complaint;
use super::super::model::Scenario;
use super::super::network::Regions;
use super::{distribution, is_certain, members};
use crate::environment::plan::LinkRule;
use crate::kernel::time::Span;

/// What is wrong with the network.
pub(super) fn complaints<S>(scenario: &Scenario<S>, members: &[String], found: &mut Vec<Complaint>) {
    let network = &scenario.network;
    distribution(&network.latency, "network.latency", found);
    if is_certain(network.loss) {
        found.push(Complaint::at(
            "network.loss",
            "every message is lost, so nothing would ever arrive",
            "write less than 100%, or use a fault that begins and ends",
        ));
    }
    let patience = scenario.workload.patience;
    let trip = Span::ns(network.latency.least().as_ns().saturating_mul(2));
    if patience > Span::ZERO && trip >= patience && scenario.workload.clients > 0 {
        found.push(Complaint::at(
            "network.latency",
            format!("there and back takes at least {trip}, but clients give up after {patience}"),
            "lower the latency, or raise workload.patience",
        ));
    }
    if let Some(places) = &network.regions {
        regions(places, members, found);
    }
    for (index, rule) in network.links.iter().enumerate() {
        link(rule, &format!("network.links[{index}]"), members, found);
    }
}

fn regions(regions: &Regions, members: &[String], found: &mut Vec<Complaint>) {
    distribution(&regions.between, "network.regions.between", found);
    if let Some(within) = &regions.within {
        distribution(within, "network.regions.within", found);
    }
    if regions.of.len() < 2 {
        let message = match regions.of.len() {
            0 => "nothing is said of who stands where",
            _ => "between one region and itself is nothing",
        };
        found.push(Complaint::at("network.regions.of", message, "name two regions or more, or write only `latency`"));
    }
    let mut placed: Vec<(&str, &String)> = Vec::new();
    for (region, inhabitants) in &regions.of {
        let place = format!("network.regions.of.{region}");
        if inhabitants.is_empty() {
            found.push(Complaint::at(&place, format!("nobody stands in {region:?}"), "name a node, or remove it"));
        }
        members::named(inhabitants, members, &place, found);
        for (index, name) in inhabitants.iter().enumerate() {
            if let Some((other, _)) = placed.iter().find(|(_, there)| *there == name) {
                let message = format!("node {name:?} stands in {region:?} and in {other:?}");
                found.push(Complaint::at(&format!("{place}[{index}]"), message, "remove it from one of them"));
            }
        }
        placed.extend(inhabitants.iter().map(|name| (region.as_str(), name)));
    }
}

fn link(rule: &LinkRule, place: &str, all: &[String], found: &mut Vec<Complaint>) {
    for (side, names) in [("from", &rule.from), ("to", &rule.to)] {
        let place = format!("{place}.{side}");
        if names.is_empty() {
            let message = format!("`{side}` names nobody, so this is about no link");
            found.push(Complaint::at(&place, message, "name a node, for example [\"n1\"]"));
        }
        members::named(names, all, &place, found);
    }
    if let ([from], [to]) = (rule.from.as_slice(), rule.to.as_slice())
        && from == to
    {
        let message = format!("node {from:?} has no link to itself");
        found.push(Complaint::at(&format!("{place}.to"), message, "name another node"));
    }
    match &rule.latency {
        Some(latency) => distribution(latency, &format!("{place}.latency"), found),
        None if rule.loss.is_none() && rule.duplicate.is_none() => {
            let message = "it is not said in what these links differ from the others";
            found.push(Complaint::at(place, message, "add `latency`, `loss` or `duplicate`"));
        }
        None => {}
    }
}
