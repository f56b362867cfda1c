//! An office whose clerks do nothing but what they are told: the smallest system that understands orders.

use squall::environment::fault::Kind;
use squall::environment::plan::{Plan, Workload};
use squall::kernel::time::Span;
use squall::oracle::spec::{Oracle, Spec, Touch, Verdict, View, Violation};
use squall::protocol::{Cast, Found, Io, NodeId, Nothing, Order, Protocol};
use squall::run::outcome::Outcome;
use squall::run::play::play_watched;
use squall::run::watch::Watch;
use squall::scenario::diagnostic::Complaint;
use squall::scenario::model::Scenario;
use squall::systems::{Catalogue, System};
use std::sync::Arc;

/// A clerk is at work or not. It writes down each order that means something to it, and notes it once that is durable.
#[derive(Clone, Debug)]
pub(crate) struct Clerk {
    pub(crate) is_at_work: bool,
}

impl Protocol for Clerk {
    /// How many clerks there are.
    type Config = u16;
    type Message = Nothing;
    type Timer = Nothing;
    type Record = Order;
    type Fact = Order;

    fn cast(clerks: &u16) -> Cast {
        Cast::members(*clerks)
    }

    fn boot(_: &u16, _: NodeId, _: Found<'_, Order>, _: &mut Io<'_, Clerk>) -> Clerk {
        Clerk { is_at_work: false }
    }

    fn on_message(&mut self, _: NodeId, message: Nothing, _: &mut Io<'_, Clerk>) {
        match message {}
    }

    fn on_timer(&mut self, timer: Nothing, _: &mut Io<'_, Clerk>) {
        match timer {}
    }

    /// Who is at work cannot come, and who is not cannot leave; of leading nobody has heard.
    fn on_order(&mut self, order: Order, io: &mut Io<'_, Clerk>) -> bool {
        let means_something = match order {
            Order::Join | Order::Replace(_) => !self.is_at_work,
            Order::Leave => self.is_at_work,
            Order::Reweigh(_) | Order::Rezone(_) | Order::Rebalance => true,
            Order::TransferLeadership => false,
        };
        if means_something {
            self.is_at_work = order != Order::Leave;
            io.write(order);
            io.sync();
            io.note(order);
        }
        means_something
    }

    /// Who is at work; of several the one with the largest number.
    fn role(&self, role: &str) -> Option<u64> {
        (role == "worker" && self.is_at_work).then_some(0)
    }
}

/// Breaks when the last clerk is told to leave: an office that somebody has entered is never empty again.
#[derive(Clone, Default, Debug)]
pub(crate) struct Manned {
    was_entered: bool,
}

impl Oracle<Clerk> for Manned {
    fn on_fact(&mut self, _: &View<Clerk>, _: NodeId, _: &Order) -> Verdict {
        Ok(())
    }

    fn after_step(&mut self, view: &View<Clerk>, node: NodeId, touch: Touch) -> Verdict {
        let is_manned = view.hosts.iter().any(|host| host.state.as_ref().is_some_and(|clerk| clerk.is_at_work));
        if touch == Touch::Handled && self.was_entered && !is_manned {
            return Err(Box::new(Violation::new("office.manned", &[node], format!("{node:?} leaves nobody behind"))));
        }
        self.was_entered |= is_manned;
        Ok(())
    }
}

impl Spec for Clerk {
    type Oracles = Manned;

    fn oracles(_: &u16) -> Manned {
        Manned::default()
    }
}

#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) enum Office {
    /// Its clerks understand all orders but the last.
    Office { clerks: u16 },
}

impl Office {
    fn clerks(&self) -> u16 {
        let Office::Office { clerks } = *self;
        clerks
    }
}

impl System for Office {
    fn name(&self) -> &'static str {
        "office"
    }

    fn members(&self, _: &Workload) -> Vec<String> {
        (1..=self.clerks()).map(|number| format!("n{number}")).collect()
    }

    fn complaints(_: &Scenario<Office>) -> Vec<Complaint> {
        Vec::new()
    }

    fn play_watched(plan: &Plan<Office>, watch: &mut dyn Watch) -> Outcome {
        let clerks = plan.system.clerks();
        play_watched::<Clerk>(&Arc::new(plan.clone().with_system(clerks)), "office", watch)
    }

    fn simpler(&self) -> Vec<Office> {
        (1..self.clerks()).map(|clerks| Office::Office { clerks }).collect()
    }

    fn orders(&self) -> &'static [Kind] {
        &Kind::ORDERS[..6]
    }

    fn churn(&self) -> &'static [Kind] {
        &[Kind::Join, Kind::Leave]
    }

    fn pace(&self) -> Span {
        Span::ms(10)
    }

    fn catalogue() -> Catalogue {
        Catalogue {
            systems: vec![("Office", "clerks that come and go as they are told")],
            invariants: vec![("office.manned", "an office that was entered is never empty again")],
            goals: Vec::new(),
            roles: vec!["worker"],
            facts: Vec::new(),
            messages: Vec::new(),
            exhibits: Vec::new(),
        }
    }
}
