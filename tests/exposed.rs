//! Members that are no servers: faults strike them and their links as they strike servers; who is no member they spare.

use squall::environment::fault::{Direction, Fault, LinkSet, PlannedFault, Target};
use squall::environment::plan::Plan;
use squall::kernel::chance::Ratio;
use squall::kernel::time::{Span, Time};
use squall::oracle::spec::Indifferent;
use squall::protocol::{Cast, Found, Io, NodeId, Nothing, Protocol};
use squall::trace::Mute;
use squall::world::World;
use std::sync::Arc;

/// One server, two exposed clients, one observer: the server greets each of them every 10 ms.
#[derive(Clone, Debug)]
struct Greeter {
    heard: u32,
}

const SERVER: u16 = 0;
const FIRST: usize = 1;
const SECOND: usize = 2;
const OBSERVER: usize = 3;

impl Protocol for Greeter {
    type Config = ();
    type Message = u64;
    type Timer = ();
    type Record = Nothing;
    type Fact = Nothing;

    fn cast((): &()) -> Cast {
        Cast::members(1).exposing("c", 2).and("o", 1)
    }

    fn boot((): &(), me: NodeId, _: Found<'_, Nothing>, io: &mut Io<'_, Greeter>) -> Greeter {
        if me.number() == SERVER {
            io.arm((), Span::ms(10));
        }
        Greeter { heard: 0 }
    }

    fn on_message(&mut self, _: NodeId, _: u64, _: &mut Io<'_, Greeter>) {
        self.heard += 1;
    }

    fn on_timer(&mut self, (): (), io: &mut Io<'_, Greeter>) {
        (1..4).for_each(|other| io.send(NodeId::new(other), 0));
        io.arm((), Span::ms(10));
    }
}

/// How often each has been greeted after a second with this fault; `None` of the dead.
fn heard(fault: Option<Fault>) -> Vec<Option<u32>> {
    let mut plan = Plan::new((), 0, Span::secs(1));
    plan.faults = fault.map(|fault| PlannedFault::once(Time::ZERO + Span::ms(500), fault)).into_iter().collect();
    let mut world = World::<Greeter, _, _>::new(Arc::new(plan), Indifferent, Mute);
    world.start().expect("nobody judges");
    world.run_until(Time::ZERO + Span::secs(1), u64::MAX, |_, _| false).expect("nobody judges");
    world.view().hosts.iter().map(|host| host.state.as_ref().map(|state| state.heard)).collect()
}

fn first() -> Target {
    Target::Nodes(vec!["c1".to_owned()])
}

#[test]
fn a_client_that_is_exposed_dies_and_sleeps_like_a_server() {
    let calm = heard(None);
    assert!(calm[FIRST].is_some_and(|heard| heard > 90));
    let killed = heard(Some(Fault::Kill { target: first() }));
    assert_eq!((killed[FIRST], killed[SECOND]), (None, calm[SECOND]));
    let asleep = heard(Some(Fault::Pause { target: first() }));
    assert!(asleep[FIRST].is_some_and(|heard| heard < 60) && asleep[SECOND] == calm[SECOND], "{asleep:?}");
}

#[test]
fn links_of_members_are_cut_and_lossy_and_those_of_observers_are_not() {
    let calm = heard(None);
    let apart = Fault::Partition(LinkSet::Isolate { target: first(), direction: Direction::Both });
    let cut = heard(Some(apart));
    assert!(cut[FIRST].is_some_and(|heard| heard < 60), "{cut:?}");
    assert_eq!(cut[SECOND..], calm[SECOND..]);
    let probability = Ratio::new(1, 1).expect("always");
    let lossy = heard(Some(Fault::Loss { probability, burst: 1, over: None }));
    assert!(lossy[FIRST].is_some_and(|heard| heard < 60) && lossy[SECOND].is_some_and(|heard| heard < 60), "{lossy:?}");
    assert_eq!(lossy[OBSERVER], calm[OBSERVER]);
}
