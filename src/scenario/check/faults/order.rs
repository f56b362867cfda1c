//! Orders that a system does not understand, or that are about nothing.

use super::super::super::diagnostic::one_of;
use super::super::super::inject::Inject;
use super::super::super::target::Who;
use super::One;
use crate::environment::fault::Kind;

impl One<'_> {
    /// An order of an operator: the system must understand it.
    pub(super) fn order(&mut self, system: &str, understood: &[Kind]) {
        let Some(order) = self.spec.inject.order() else { return };
        if !understood.contains(&order) {
            let names: Vec<String> = understood.iter().map(|kind| format!("{kind:?}")).collect();
            let cure = match names.as_slice() {
                [] => "remove it, for no order means anything there".to_owned(),
                names => format!("it understands {}", one_of(names)),
            };
            self.complain("inject", format!("{system} does not understand `{order:?}`"), cure);
        }
        if let Inject::ReplaceMember { target, by } = &self.spec.inject {
            self.who(by, "inject.by");
            self.replaced(target, by);
        }
    }

    /// Nobody takes its own place, and each takes one.
    fn replaced(&mut self, target: &Who, by: &Who) {
        let (Who::Nodes(gone), Who::Nodes(new)) = (target, by) else { return };
        if let Some(index) = new.iter().zip(gone).position(|(new, gone)| new == gone) {
            let message = format!("node {:?} cannot take its own place", new[index]);
            self.complain(&format!("inject.by[0][{index}]"), message, "name another node");
        } else if new.len() != gone.len() {
            let message = format!("{} nodes take the places of {}", new.len(), gone.len());
            self.complain("inject.by", message, "name as many as are replaced");
        }
    }
}
