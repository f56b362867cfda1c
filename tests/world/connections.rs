//! What is sent on a connection does not outlive its receiver; a datagram reaches whoever is there.

use squall::environment::distribution::Distribution;
use squall::environment::fault::{Fault, PlannedFault, Target};
use squall::environment::plan::Plan;
use squall::kernel::chance::Ratio;
use squall::kernel::digest::{Digest, Digestible};
use squall::kernel::time::{Span, Time};
use squall::oracle::spec::Indifferent;
use squall::protocol::{Cast, Found, Io, NodeId, Nothing, Protocol};
use squall::trace::Mute;
use squall::world::World;
use std::sync::Arc;

/// How a message travels, and when it was sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Mail {
    Datagram(Time),
    Connected(Time),
}

impl Digestible for Mail {
    fn digest(&self, digest: &mut Digest) {
        let (Mail::Datagram(sent) | Mail::Connected(sent)) = self;
        digest.word(sent.ns());
    }
}

/// The second node sends both kinds of mail to the first every 100 ms; each node keeps what it gets.
#[derive(Clone, Debug)]
struct Correspondent {
    got: Vec<Mail>,
}

impl Protocol for Correspondent {
    type Config = ();
    type Message = Mail;
    type Timer = ();
    type Record = Nothing;
    type Fact = Nothing;

    fn cast(_: &()) -> Cast {
        Cast::members(2)
    }

    fn boot(_: &(), me: NodeId, _: Found<'_, Nothing>, io: &mut Io<'_, Correspondent>) -> Correspondent {
        if me.number() == 1 {
            io.arm((), Span::ms(100));
        }
        Correspondent { got: Vec::new() }
    }

    fn on_message(&mut self, _: NodeId, mail: Mail, _: &mut Io<'_, Correspondent>) {
        self.got.push(mail);
    }

    fn on_timer(&mut self, (): (), io: &mut Io<'_, Correspondent>) {
        let now = io.elapsed();
        io.send(NodeId::new(0), Mail::Datagram(now));
        io.send(NodeId::new(0), Mail::Connected(now));
        io.arm((), Span::ms(100));
    }

    fn is_connected(mail: &Mail) -> bool {
        matches!(mail, Mail::Connected(_))
    }
}

fn at(ms: u64) -> Time {
    Time::ZERO + Span::ms(ms)
}

/// What the first node has got since it last started, after so long, in order.
fn got(faults: Vec<PlannedFault>) -> Vec<Mail> {
    got_where(faults, Ratio::ZERO)
}

/// The same if the network doubles so many messages.
fn got_where(faults: Vec<PlannedFault>, duplicate: Ratio) -> Vec<Mail> {
    let mut plan = Plan::new((), 7, Span::secs(1));
    plan.network.duplicate = duplicate;
    plan.network.latency = Distribution::Const(Span::ms(150));
    plan.faults = faults;
    let mut world = World::<Correspondent, _, _>::new(Arc::new(plan), Indifferent, Mute);
    world.start().expect("nobody judges");
    world.run_until(at(600), u64::MAX, |_, _| false).expect("nobody judges");
    let mut got = world.view().hosts[0].state.as_ref().expect("it is up").got.clone();
    got.sort();
    got
}

fn fault(from: u64, until: u64, inject: Fault) -> PlannedFault {
    PlannedFault { at: at(from), when: None, until: Some(at(until)), inject }
}

fn n1() -> Target {
    Target::Nodes(vec!["n1".to_owned()])
}

#[test]
fn a_crash_takes_along_what_is_under_way_on_a_connection() {
    // Sent at 200 ms, before the crash, and at 300 ms, when nobody is up: the latter is on a connection with the next start.
    let got = got(vec![fault(210, 320, Fault::Kill { target: n1() })]);
    let datagrams = [200, 300, 400].map(|sent| Mail::Datagram(at(sent)));
    let connected = [300, 400].map(|sent| Mail::Connected(at(sent)));
    assert_eq!(got, [datagrams.as_slice(), &connected].concat());
}

#[test]
fn what_waits_for_a_sleeper_arrives_when_it_wakes_and_dies_with_it() {
    let both = |sent: u64| [Mail::Datagram(at(sent)), Mail::Connected(at(sent))];
    let mut all = [100, 200, 300, 400].map(both).concat();
    all.sort();
    assert_eq!(got(vec![fault(210, 480, Fault::Pause { target: n1() })]), all);
    // What had arrived at 350 ms was in its memory; what was sent at 300 ms arrives after the restart.
    let crashed = [Fault::Pause { target: n1() }, Fault::Kill { target: n1() }];
    let crashed = crashed.into_iter().zip([(210, 480), (360, 380)]);
    let got = got(crashed.map(|(inject, (from, until))| fault(from, until, inject)).collect());
    assert_eq!(got, [Mail::Datagram(at(300)), Mail::Datagram(at(400)), Mail::Connected(at(400))]);
}

#[test]
fn what_a_clog_holds_up_on_a_connection_dies_with_its_receiver() {
    let clog = || fault(240, 480, Fault::Clog { over: None });
    let both = |sent: u64| [Mail::Datagram(at(sent)), Mail::Connected(at(sent))];
    let mut all = [100, 200, 300, 400].map(both).concat();
    all.sort();
    assert_eq!(got(vec![clog()]), all);
    // What was to arrive at 250 ms was on a connection with the life that ends at 360, and so was what was sent at 300.
    let got = got(vec![clog(), fault(360, 380, Fault::Kill { target: n1() })]);
    let datagrams = [100, 200, 300, 400].map(|sent| Mail::Datagram(at(sent)));
    assert_eq!(got, [datagrams.as_slice(), &[Mail::Connected(at(400))]].concat());
}

#[test]
fn a_second_copy_travels_as_the_first_one_does() {
    let kill = || vec![fault(210, 320, Fault::Kill { target: n1() })];
    let twice: Vec<Mail> = got(kill()).into_iter().flat_map(|mail| [mail, mail]).collect();
    assert_eq!(got_where(kill(), Ratio::ONE), twice);
}
