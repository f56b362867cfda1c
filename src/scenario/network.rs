//! The links of a scenario: those of the plan, and regions, from which links follow.

use crate::environment::distribution::Distribution;
use crate::environment::plan::{self, LinkRule};
use crate::kernel::chance::Ratio;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How links treat messages.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// The time a message takes; messages overtake each other. Default: `Uniform(1ms, 10ms)`.
    #[serde(default = "usual_latency")]
    pub latency: Distribution,
    /// How often a message between members is lost. Default: never.
    #[serde(default = "never", skip_serializing_if = "Ratio::is_zero")]
    pub loss: Ratio,
    /// How often a message between members arrives twice. Default: never.
    #[serde(default = "never", skip_serializing_if = "Ratio::is_zero")]
    pub duplicate: Ratio,
    /// Where members stand. Default: all in one place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regions: Option<Regions>,
    /// Links between members that are not like the others. Of several that speak of one link the last holds, and they
    /// win over regions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkRule>,
}

/// Places far from each other. Links of members that stand nowhere, and those of clients, are as `latency` says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regions {
    /// Who stands where: a region's name, and its members.
    pub of: BTreeMap<String, Vec<String>>,
    /// The time a message takes within a region. Default: as `network.latency`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Distribution>,
    /// The time a message takes from one region to another.
    pub between: Distribution,
}

fn usual_latency() -> Distribution {
    plan::Network::default().latency
}

fn never() -> Ratio {
    Ratio::ZERO
}

impl Default for Network {
    fn default() -> Network {
        plan::Network::default().into()
    }
}

impl From<plan::Network> for Network {
    fn from(network: plan::Network) -> Network {
        let plan::Network { latency, loss, duplicate, links } = network;
        Network { latency, loss, duplicate, regions: None, links }
    }
}

impl Network {
    /// The links spelled out.
    pub fn plan(&self) -> plan::Network {
        let mut links = self.regions.as_ref().map_or_else(Vec::new, Regions::links);
        links.extend(self.links.iter().cloned());
        plan::Network { latency: self.latency, loss: self.loss, duplicate: self.duplicate, links }
    }
}

impl Regions {
    fn links(&self) -> Vec<LinkRule> {
        let rule = |from: &[String], to: &[String], latency| LinkRule {
            from: from.to_vec(),
            to: to.to_vec(),
            both_ways: false,
            latency: Some(latency),
            loss: None,
            duplicate: None,
        };
        let mut links = Vec::new();
        for (name, members) in &self.of {
            // Who stands alone has no link within.
            links.extend(self.within.filter(|_| members.len() > 1).map(|within| rule(members, members, within)));
            let others: Vec<String> =
                self.of.iter().filter(|other| other.0 != name).flat_map(|other| other.1.clone()).collect();
            links.push(rule(members, &others, self.between));
        }
        links.retain(|link| !link.from.is_empty() && !link.to.is_empty());
        links
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::Span;

    #[test]
    fn regions_become_links_within_and_between_and_single_links_come_last() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let of = [("east", names(&["n1", "n2"])), ("west", names(&["n3"]))];
        let (near, far) = (Distribution::Const(Span::ms(1)), Distribution::Const(Span::ms(40)));
        let flaky = LinkRule {
            from: names(&["n1"]),
            to: names(&["n3"]),
            both_ways: true,
            latency: None,
            loss: Ratio::new(1, 2),
            duplicate: None,
        };
        let network = Network {
            regions: Some(Regions {
                of: of.into_iter().map(|(region, members)| (region.to_owned(), members)).collect(),
                within: Some(near),
                between: far,
            }),
            links: vec![flaky.clone()],
            ..Network::default()
        };
        let links = network.plan().links;
        let told: Vec<_> = links.iter().map(|link| (link.from.join(" "), link.to.join(" "), link.latency)).collect();
        let told: Vec<_> = told.iter().map(|(from, to, latency)| (from.as_str(), to.as_str(), *latency)).collect();
        let expected = [
            ("n1 n2", "n1 n2", Some(near)),
            ("n1 n2", "n3", Some(far)),
            ("n3", "n1 n2", Some(far)),
            ("n1", "n3", None),
        ];
        assert_eq!(told, expected);
        assert_eq!(links[3], flaky);
    }
}
