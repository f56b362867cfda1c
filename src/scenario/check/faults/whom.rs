//! Whom a fault hits, and which links.

use super::super::super::diagnostic::{did_you_mean, one_of};
use super::super::super::target::{Shape, Who};
use super::super::members;
use super::One;

impl One<'_> {
    pub(super) fn shape(&mut self, shape: &Shape, field: &str) {
        let (name, least) = match shape {
            Shape::Halves => ("Halves", 2),
            Shape::Isolate(_) => ("Isolate", 2),
            Shape::Split(..) => ("Split", 2),
            Shape::Links(_) => ("Links", 2),
            Shape::Among(_) => ("Among", 2),
            Shape::Mute(_) => ("Mute", 2),
            Shape::Deafen(_) => ("Deafen", 2),
            Shape::Random => ("Random", 2),
            Shape::MajoritiesRing => ("MajoritiesRing", 3),
            Shape::Bridge => ("Bridge", 3),
            Shape::MinorityThird => ("MinorityThird", 4),
        };
        // Shapes that are drawn part the servers; those that name somebody can part anybody.
        let is_drawn = matches!(
            shape,
            Shape::Halves | Shape::Random | Shape::MajoritiesRing | Shape::Bridge | Shape::MinorityThird
        );
        let count = if is_drawn { self.crew.servers } else { self.crew.members.len() };
        if count < least {
            let what = if self.crew.others().is_empty() { "members" } else { "servers" };
            let message = format!("`{name}` needs {least} {what}, the system has {count}");
            return self.complain(field, message, format!("add {what}, or choose another shape"));
        }
        match shape {
            Shape::Isolate(who) | Shape::Mute(who) | Shape::Deafen(who) => {
                let place = format!("{field}[0]");
                self.who(who, &place);
                if who.size(self.crew.servers).is_some_and(|size| size == count) {
                    self.complain(
                        &place,
                        format!("all {count} members stay together, so nothing is cut"),
                        "name fewer",
                    );
                }
            }
            Shape::Split(from, to) => self.split(from, to, field),
            Shape::Links(links) => self.links(links, field),
            Shape::Among(names) => {
                self.nodes(names, field);
                if let [name] = names.as_slice() {
                    let message = format!("between {name:?} and itself is no link");
                    self.complain(&format!("{field}[0]"), message, "name two nodes or more");
                }
            }
            Shape::Halves | Shape::MinorityThird | Shape::MajoritiesRing | Shape::Bridge | Shape::Random => {}
        }
    }

    fn split(&mut self, from: &[String], to: &[String], field: &str) {
        for (side, names) in [from, to].into_iter().enumerate() {
            let place = format!("{field}[{side}]");
            if names.is_empty() {
                self.complain(&place, "nobody is on this side, so nothing is cut", "name a node, for example [\"n1\"]");
            }
            self.named(names, &place);
        }
        if let Some(index) = to.iter().position(|name| from.contains(name)) {
            let message = format!("node {:?} is on both sides", to[index]);
            self.complain(&format!("{field}[1][{index}]"), message, "remove it from one of them");
        }
    }

    fn links(&mut self, links: &[(String, String)], field: &str) {
        if links.is_empty() {
            let cure = "name one, for example [(\"n1\", \"n2\")]";
            self.complain(&format!("{field}[0]"), "a set without a link hits nothing", cure);
        }
        for (index, link) in links.iter().enumerate() {
            let place = format!("{field}[0][{index}]");
            self.member(&link.0, &format!("{place}[0]"));
            self.member(&link.1, &format!("{place}[1]"));
            if link.0 == link.1 {
                let message = format!("node {:?} has no link to itself", link.0);
                self.complain(&place, message, "name two nodes");
            } else if links[..index].contains(link) {
                let message = format!("the link from {:?} to {:?} is named twice", link.0, link.1);
                self.complain(&place, message, "remove one of them");
            }
        }
    }

    pub(super) fn who(&mut self, who: &Who, field: &str) {
        let count = self.crew.servers;
        if let Some(role) = who.role() {
            let kind = role.split(':').next().unwrap_or_default();
            if !self.names.roles.contains(&kind) {
                let cure = did_you_mean(kind, self.names.roles.iter().copied()).unwrap_or_else(|| {
                    match self.names.roles.as_slice() {
                        [] => "nobody in this system has a role; name nodes, or write `One`".to_owned(),
                        roles if matches!(who, Who::Role(_)) => format!("write {}", one_of(roles)),
                        roles => format!("write for example Role({:?}) or One", roles[0]),
                    }
                });
                let field = if matches!(who, Who::Role(_)) { format!("{field}[0]") } else { field.to_owned() };
                self.complain(&field, format!("this system has no role {kind:?}"), cure);
            }
            return;
        }
        match who {
            Who::Nodes(names) => return self.nodes(names, field),
            Who::Subject if self.spec.when.is_none() => {
                let cure = "write `when: Started` or another moment, or name whom it hits";
                return self.complain(field, "only a fault that waits for a moment has a `Subject`", cure);
            }
            _ => {}
        }
        match (who, who.size(count)) {
            (Who::Random(0), _) => {
                self.complain(&format!("{field}[0]"), "a fault that hits 0 nodes hits nobody", "write 1 or more")
            }
            (Who::Random(size), _) if usize::from(*size) > count => {
                let message = format!("the fault hits {size} members, but the system has {count}");
                self.complain(&format!("{field}[0]"), message, format!("write at most {count}"));
            }
            (_, Some(0)) => {
                let message = format!("`{who:?}` of {count} members is nobody");
                self.complain(field, message, "add members, or write `One`");
            }
            (_, Some(size)) if size > count => {
                self.complain(field, "the system has no members that faults can hit", "add members");
            }
            _ => {}
        }
    }

    fn nodes(&mut self, names: &[String], field: &str) {
        if names.is_empty() {
            self.complain(
                &format!("{field}[0]"),
                "a fault that hits no node hits nobody",
                "name a node, for example [\"n1\"]",
            );
        }
        self.named(names, &format!("{field}[0]"));
    }

    /// Each of a list of names at this place.
    fn named(&mut self, names: &[String], list: &str) {
        members::named(names, self.crew.members, &format!("{}.{list}", self.place), self.found);
    }

    fn member(&mut self, name: &str, place: &str) {
        members::member(name, self.crew.members, &format!("{}.{place}", self.place), self.found);
    }
}
